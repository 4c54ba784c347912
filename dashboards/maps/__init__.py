"""The offline map: what the map panels draw under their markers, without any tile server."""

from dashboards.maps.park import CENTRE, ZOOM, blank_tile, pages, park

__all__ = ["CENTRE", "ZOOM", "blank_tile", "pages", "park"]
