"""Numbers of manuals, taken for addresses on the wire.

Manuals number input registers from 30001 on and holding registers from 40001 on; on the wire both begin at 0, and the
function (4 or 3) says which of them is meant. Such a high address may all the same be a device's own.
Source: MODBUS Application Protocol Specification V1.1b3, 4.4 (data are numbered from 1, addressed from 0).
"""

from devices.modbus.rtu import read_request
from devices.spec.device import Device, PolledDevice

_FIRST = {4: 30001, 3: 40001}
_NUMBERS = 9999


def taken_for_addresses(device: Device) -> list[str]:
    """A line for each question of a Modbus type that begins at what may be a number of a manual."""
    if not isinstance(device, PolledDevice):
        return []
    found = []
    for question in device.questions:
        asked = read_request(question.request(device.unit))
        if asked is None:
            continue
        for function, first in _FIRST.items():
            if first <= asked < first + _NUMBERS:
                found.append(
                    f"type {device.name}: register {asked} is an address on the wire; {asked} of a manual is register "
                    f"{asked - first} of function {function}"
                )
    return found
