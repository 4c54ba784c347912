"""The offline map: what the map panels draw under their markers, without any tile server.

`park.geojson` is a schematic park of our own making around 22.4270 N, 114.2110 E, about
430 m x 320 m: outline, lawns, lake, paths, gates, the robots' dock. It shows no real place;
the paths are where the simulated robots drive.

Grafana's map always wants a base map of tiles, and an empty address would make it ask a
public one. So the tiles are one transparent pixel, and the browser fetches both from the
gateway: `/map/{z}/{x}/{y}.png` and `/map/park.geojson` (from another origin than Grafana, so
the answer has to allow it: Access-Control-Allow-Origin). Nothing leaves the site.
"""

import struct
import zlib
from importlib.resources import files

TILE_ROUTE = "/map/{z}/{x}/{y}.png"
PARK_ROUTE = "/map/park.geojson"
CENTRE = (22.4275, 114.2111)
ZOOM = 17.0


def park() -> bytes:
    """The schematic park as GeoJSON (RFC 7946), UTF-8."""
    return files(__package__).joinpath("park.geojson").read_bytes()


def blank_tile() -> bytes:
    """A PNG of one transparent pixel; the map stretches it over every tile."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(5))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def pages() -> dict[str, tuple[str, bytes]]:
    """Route to content type and body, for the gateway to serve."""
    return {TILE_ROUTE: ("image/png", blank_tile()), PARK_ROUTE: ("application/geo+json", park())}
