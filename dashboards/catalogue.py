"""What the hand-composed boards ask of the device types: who has a field, how it is shown."""

from collections.abc import Iterable, Iterator

from dashboards.overrides import override_query
from dashboards.panels import Json, Look, span_ms, timeseries
from dashboards.queries import one_of, trend
from devices.spec.device import DeviceType, Domain
from devices.spec.field import Field


class Types:
    """The device types that the boards are about, in their order."""

    def __init__(self, devices: Iterable[DeviceType]) -> None:
        self._devices = tuple(devices)

    def __iter__(self) -> Iterator[DeviceType]:
        return iter(self._devices)

    def of(self, domain: Domain) -> "Types":
        """Those of one domain."""
        return Types(device for device in self._devices if device.domain == domain)

    def carriers(self, name: str) -> list[DeviceType]:
        """The device types that have a field of this name, of the unit and kind that its first carrier gives it."""
        found = [(device, field) for device in self._devices for field in device.fields if field.name == name]
        return [device for device, field in found if (field.unit, field.kind) == (found[0][1].unit, found[0][1].kind)]

    def source(self, *names: str) -> str:
        """The FROM clause over every device type that has one of these fields; LookupError if none has."""
        found = [device.measurement for name in names for device in self.carriers(name)]
        if not found:
            raise LookupError(f"no device type has a field {' or '.join(names)}")
        return one_of(found)

    def field(self, name: str, device: str | None = None) -> Field:
        """The field as its first carrier (or `device`) describes it; LookupError if there is none."""
        for each in self._devices:
            if device is None or each.name == device:
                for found in each.fields:
                    if found.name == name:
                        return found
        raise LookupError(f"{device or 'no device type'} has no field {name}")

    def look(self, name: str, device: str | None = None) -> Look:
        """How the field is shown."""
        return Look.of(self.field(name, device))

    def curve(self, title: str, words: str, name: str, every_s: float, legend_table: bool = False) -> Json:
        """Lines of every device type that has the field; LookupError if none has.

        Types slower than `every_s` have a query of their own, so that three missing values are a
        gap at each type's own pace: a sensor that reports every ten minutes is drawn as a line, too.
        """
        paces: dict[float, list[str]] = {}
        for device in self.carriers(name):
            paces.setdefault(max(every_s, device.expected_every_s), []).append(device.measurement)
        if not paces:
            raise LookupError(f"no device type has a field {name}")
        (quickest, _), *slower = groups = sorted(paces.items())
        queries = [trend(one_of(measurements), name) for _, measurements in groups]
        panel = timeseries(title, words, queries, self.look(name), quickest, legend_table)
        panel["fieldConfig"]["overrides"] = [
            override_query(chr(66 + at), custom__spanNulls=span_ms(pace)) for at, (pace, _) in enumerate(slower)
        ]
        return panel
