"""The offline map: a valid tile, valid GeoJSON, nothing that points elsewhere."""

import json
import struct
import zlib
from typing import Any

from dashboards import maps
from dashboards.boards import every_board
from dashboards.spatial import AREAS
from tests.device_types import DEVICES


def test_the_tile_is_one_transparent_pixel() -> None:
    tile = maps.blank_tile()
    assert tile[:8] == bytes.fromhex("89504e470d0a1a0a")
    chunks, at = [], 8
    while at < len(tile):
        (length,) = struct.unpack_from(">I", tile, at)
        kind, data = tile[at + 4 : at + 8], tile[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", tile, at + 8 + length) == (zlib.crc32(kind + data),)
        chunks.append((kind, data))
        at += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[0][1]) == (1, 1, 8, 6, 0, 0, 0)
    assert zlib.decompress(chunks[1][1]) == bytes(5)


def corners(geometry: dict[str, Any]) -> list[list[float]]:
    places: Any = geometry["coordinates"]
    if geometry["type"] == "Point":
        return [places]
    return list(places[0] if geometry["type"] == "Polygon" else places)


def test_the_park_lies_where_the_things_are() -> None:
    park = json.loads(maps.park())
    assert park["type"] == "FeatureCollection"
    for feature in park["features"]:
        for longitude, latitude in corners(feature["geometry"]):
            assert 114.208 < longitude < 114.214
            assert 22.4255 < latitude < 22.4295
        if feature["geometry"]["type"] == "Polygon":
            ring = corners(feature["geometry"])
            assert ring[0] == ring[-1]


def test_every_area_has_a_colour_and_every_place_a_name() -> None:
    features = json.loads(maps.park())["features"]
    assert {feature["properties"]["kind"] for feature in features} == {
        "park", "lawn", "lake", "shore", "path", "label", "dock", "gate",
    }  # fmt: skip
    areas = {feature["properties"]["kind"] for feature in features if feature["geometry"]["type"] != "Point"}
    assert areas == {kind for kind, *_ in AREAS}
    assert all(feature["properties"]["name"] for feature in features)


def test_pages_for_the_gateway() -> None:
    pages = maps.pages()
    assert pages["/map/{z}/{x}/{y}.png"] == ("image/png", maps.blank_tile())
    assert pages["/map/park.geojson"] == ("application/geo+json", maps.park())
    assert len(pages) == 2


def test_no_board_asks_the_internet() -> None:
    texts = json.dumps(every_board(DEVICES, "http://gateway.local/map"))
    addresses = {part.split('"')[0] for part in texts.split("http")[1:]}
    assert addresses == {"://gateway.local/map/park.geojson", "://gateway.local/map/{z}/{x}/{y}.png"}


def test_every_map_has_tiles_of_our_own() -> None:
    charts = [panel for board in every_board(DEVICES) for panel in board["panels"] if panel["type"] == "geomap"]
    assert charts
    for chart in charts:
        assert chart["options"]["basemap"]["type"] == "xyz"
        assert chart["options"]["basemap"]["config"]["url"] == "http://localhost:8080/map/{z}/{x}/{y}.png"
