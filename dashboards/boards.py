"""Every board there is: the hand-composed ones first, then one a device type."""

from collections.abc import Sequence

from dashboards import air, city, device, gateway_board, health, robots
from dashboards.catalogue import DEVICES
from dashboards.panels import Json
from dashboards.spatial import MAP_URL
from devices.spec.device import DeviceType


def derived(devices: Sequence[DeviceType] = DEVICES) -> list[Json]:
    """One board a device type, in the registry's order."""
    return [device.build(each) for each in devices]


def composed(map_url: str = MAP_URL) -> list[Json]:
    """The hand-composed boards."""
    return [city.build(map_url), air.build(), robots.build(map_url), health.build(), gateway_board.build()]


def every_board(map_url: str = MAP_URL) -> list[Json]:
    """All boards. `map_url`: where the browser finds the gateway's map."""
    return [*composed(map_url), *derived()]
