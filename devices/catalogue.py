"""Every device type, named once. Adding one is a line here."""

from devices import bci_oximeter, contec_recorded, nmea0183, senml, ttn_v3, vda5050
from devices.nova import sds011, sds198
from devices.plantower import pms3003, pms5003, pms5003t
from devices.spec.device import Device

DEVICES: tuple[Device, ...] = (
    pms5003.DEVICE,
    pms5003t.DEVICE,
    pms3003.DEVICE,
    sds011.DEVICE,
    sds198.DEVICE,
    nmea0183.DEVICE,
    bci_oximeter.DEVICE,
    contec_recorded.DEVICE,
    senml.DEVICE,
    ttn_v3.DEVICE,
    vda5050.DEVICE,
)

BY_NAME: dict[str, Device] = {device.name: device for device in DEVICES}
