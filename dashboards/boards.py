"""Every board there is: the hand-composed ones first, then one a device type."""

from collections.abc import Sequence

from dashboards import device
from dashboards.panels import Json
from devices.registry import DEVICES
from devices.spec.device import DeviceType


def derived(devices: Sequence[DeviceType] = DEVICES) -> list[Json]:
    """One board a device type, in the registry's order."""
    return [device.build(each) for each in devices]


def every_board(devices: Sequence[DeviceType] = DEVICES) -> list[Json]:
    """All boards."""
    return derived(devices)
