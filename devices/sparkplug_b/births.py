"""What births have said: names, data types and units, by name and by alias, of one node or device.

A metric's field is its name in lower snake (`Inputs/Tank 1` is `inputs_tank_1`), with its unit where the property
`engUnit` (or one called alike) gives one, by the rule of devices.spec.names. Of two metrics whose names are alike then,
the second gets a number, which it keeps until the next birth.

Limits: MOST_METRICS of one birth.
"""

from typing import NamedTuple

from devices.sparkplug_b.payload import Metric
from devices.spec.names import snake

MOST_METRICS = 10_000
RESERVED = frozenset(
    ("seq", "bd_seq", "messages_missed", "metric_count", "online", "online_flag", "message_type", "time", "thing")
)
"""Names that are the protocol's own: a metric called so gets `_value`."""
BD_SEQ = "bdSeq"


class Definition(NamedTuple):
    """What a metric is."""

    stem: str
    datatype: int
    unit: str


def stem_of(name: str) -> str:
    stem = snake(name)
    return f"{stem}_value" if stem in RESERVED else stem


class Birth:
    """The metrics of one birth."""

    __slots__ = ("by_alias", "by_name")

    def __init__(self, metrics: list[Metric]) -> None:
        self.by_name: dict[str, Definition] = {}
        self.by_alias: dict[int, Definition] = {}
        taken: dict[str, int] = {}
        for metric in metrics[:MOST_METRICS]:
            if metric.name is None or metric.name in self.by_name:
                continue
            stem = stem_of(metric.name)
            taken[stem] = taken.get(stem, 0) + 1
            if taken[stem] > 1:
                stem = f"{stem}_{taken[stem]}"
            made = self.by_name[metric.name] = Definition(stem, metric.datatype, metric.unit)
            if metric.alias is not None:
                self.by_alias[metric.alias] = made

    def __len__(self) -> int:
        return len(self.by_name)

    def of(self, metric: Metric) -> Definition | None:
        """What a metric is by its name, else by its alias; None where no birth has said."""
        if metric.name is not None:
            return self.by_name.get(metric.name)
        return None if metric.alias is None else self.by_alias.get(metric.alias)


def alone(metric: Metric) -> Definition:
    """What a metric says of itself, without any birth."""
    stem = stem_of(metric.name) if metric.name is not None else f"alias_{metric.alias}"
    return Definition(stem, metric.datatype, metric.unit)
