"""What the hand-composed boards ask of the device types: who has a field, how it is shown."""

from collections.abc import Sequence

from dashboards.panels import Look
from dashboards.queries import one_of
from devices.registry import DEVICES
from devices.spec.device import DeviceType
from devices.spec.field import Field


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
