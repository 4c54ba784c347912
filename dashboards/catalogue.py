"""What the hand-composed boards ask of the device types: who has a field, how it is shown."""

from collections.abc import Sequence

from dashboards.overrides import override_query
from dashboards.panels import Json, Look, span_ms, timeseries
from dashboards.queries import one_of, trend
from devices.catalogue import built_in
from devices.spec.device import DeviceType
from devices.spec.field import Field

DEVICES = tuple(built_in().values())


def carriers(name: str, devices: Sequence[DeviceType] = DEVICES) -> list[DeviceType]:
    """The device types that have a field of this name."""
    return [device for device in devices if any(field.name == name for field in device.fields)]


def source(*names: str, devices: Sequence[DeviceType] = DEVICES) -> str:
    """The FROM clause over every device type that has one of these fields; LookupError if none has."""
    found = [device.measurement for name in names for device in carriers(name, devices)]
    if not found:
        raise LookupError(f"no device type has a field {' or '.join(names)}")
    return one_of(found)


def field(name: str, device: str | None = None, devices: Sequence[DeviceType] = DEVICES) -> Field:
    """The field as its first carrier (or `device`) describes it; LookupError if there is none."""
    for each in devices:
        if device is None or each.name == device:
            for found in each.fields:
                if found.name == name:
                    return found
    raise LookupError(f"{device or 'no device type'} has no field {name}")


def look(name: str, device: str | None = None) -> Look:
    """How the field is shown."""
    return Look.of(field(name, device))


def curve(
    title: str,
    words: str,
    name: str,
    every_s: float,
    legend_table: bool = False,
    devices: Sequence[DeviceType] = DEVICES,
) -> Json:
    """Lines of every device type that has the field; LookupError if none has.

    Types slower than `every_s` have a query of their own, so that three missing values are a
    gap at each type's own pace: a sensor that speaks every ten minutes is a line, too.
    """
    paces: dict[float, list[str]] = {}
    for device in carriers(name, devices):
        paces.setdefault(max(every_s, device.expected_every_s), []).append(device.measurement)
    if not paces:
        raise LookupError(f"no device type has a field {name}")
    (quickest, _), *slower = groups = sorted(paces.items())
    queries = [trend(one_of(measurements), name) for _, measurements in groups]
    panel = timeseries(title, words, queries, look(name), quickest, legend_table)
    panel["fieldConfig"]["overrides"] = [
        override_query(chr(66 + at), custom__spanNulls=span_ms(pace)) for at, (pace, _) in enumerate(slower)
    ]
    return panel
