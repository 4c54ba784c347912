"""Every device type, named once. Adding one is a line here."""

from devices.spec.device import Device

DEVICES: tuple[Device, ...] = ()

BY_NAME: dict[str, Device] = {device.name: device for device in DEVICES}
