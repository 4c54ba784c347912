"""Every device type, named once. Adding one is a line here."""

from devices import (
    pms3003,
    pms5003,
    pms5003t,
    senml,
)
from devices.spec.device import Device

DEVICES: tuple[Device, ...] = (
    pms5003.DEVICE,
    pms5003t.DEVICE,
    pms3003.DEVICE,
    senml.DEVICE,
)

BY_NAME: dict[str, Device] = {device.name: device for device in DEVICES}
