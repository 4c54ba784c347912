"""Every board there is: the hand-composed ones first, then one a device type."""

from collections import Counter
from collections.abc import Iterable

from dashboards import air, city, device, gateway_board, health, robots
from dashboards.catalogue import Types
from dashboards.panels import Json
from dashboards.spatial import MAP_URL
from devices.spec.device import DeviceType


def derived(types: Types) -> list[Json]:
    """One board a device type, in their order. Two of one title have their names behind it."""
    titles = Counter(each.title for each in types)
    boards = [device.build(each) for each in types]
    for each, board in zip(types, boards, strict=True):
        if titles[each.title] > 1:
            board["title"] = f"{each.title} ({each.name})"
    return boards


def composed(types: Types, map_url: str = MAP_URL) -> list[Json]:
    """The hand-composed boards."""
    return [
        city.build(types, map_url),
        air.build(types),
        robots.build(types, map_url),
        health.build(types),
        gateway_board.build(),
    ]


def every_board(devices: Iterable[DeviceType], map_url: str = MAP_URL) -> list[Json]:
    """All boards over these device types. `map_url`: where the browser finds the gateway's map."""
    types = Types(devices)
    return [*composed(types, map_url), *derived(types)]
