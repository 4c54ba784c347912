"""A field: one quantity as it is named, stored, checked and shown."""

import math
from dataclasses import dataclass
from typing import Literal

from devices.spec.errors import DescriptionError
from devices.spec.units import UNITS

Kind = Literal["measure", "counter", "state", "flag", "text"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `value` upwards the quantity is `level`: "good", "fair", "poor" or "bad"."""

    value: float
    level: Literal["good", "fair", "poor", "bad"]


@dataclass(frozen=True, slots=True)
class Field:
    """One quantity of a device type.

    `name`: `<quantity>_<unit suffix>`, lower snake. `unit`: UCUM. `kind` decides how it is
    stored: measure float, counter integer, flag boolean, state and text string.
    `minimum`..`maximum` is what the device can say; `step` is one raw step on the wire, so
    that value / step is a whole number. `optional` fields may be absent from a reading.
    """

    name: str
    unit: str
    description: str
    kind: Kind = "measure"
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    optional: bool = False
    states: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    panel: bool = True

    def __post_init__(self) -> None:
        unit = UNITS.get(self.unit)
        if unit is None:
            raise DescriptionError(f"field {self.name}: unit {self.unit!r} is not in units.py")
        if unit.suffix and not self.name.endswith("_" + unit.suffix):
            raise DescriptionError(f"field {self.name}: unit {self.unit} wants the ending _{unit.suffix}")
        if self.name != self.name.lower() or not self.name.replace("_", "a").isalnum():
            raise DescriptionError(f"field {self.name!r}: names are lower snake")

    def outside(self, value: float) -> str | None:
        """Why `value` is none that the device can say, or None."""
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return None if low <= value <= high else f"{self.name}: {value:g} is outside {low:g}..{high:g}"
