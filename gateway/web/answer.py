"""Answers in JSON, all made in one place."""

from collections.abc import Mapping

import msgspec
from aiohttp import web


def json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json", status=status, headers=headers)


def error(status: int, words: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """What is wrong, in words for the person who asked."""
    return json({"error": words}, status, headers)
