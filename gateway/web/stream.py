"""`GET /api/v1/events`: what passes, as server-sent events. docs/api.md shows them.

One `Looker` a stream. A client that reads too slowly is told by `missed` how many entries it did not
get; the gateway never waits for it, and `bounds` lets it go when it takes nothing at all. Every
BEAT_S of quiet a comment is sent, so that both sides know the other lives. A stream takes at most
QUEUE entries every PAUSE_S, which is what bounds its cost for the gateway.

Source of the format: HTML Living Standard, section 9.2, "Server-sent events".
"""

import asyncio
from base64 import b64encode
from collections.abc import Iterable

import msgspec
from aiohttp import web

from devices.spec.events import Empty, Event, Reading
from gateway.clock import Clock
from gateway.tee import Looker, Missed, Passed, Stored, Tee, Told
from gateway.web.answer import error
from gateway.web.api import when

BEAT_S = 15.0
PAUSE_S = 0.05
QUEUE = 1000
RETRY_MS = 3000

_NAMES = {"IntegrityError": "integrity", "SanityError": "sanity", "Noise": "noise", "Empty": "empty"}
_QUERY = frozenset({"source", "thing"})


class Streams:
    """The open event streams of one gateway, `most` at a time."""

    def __init__(self, tee: Tee, clock: Clock, most: int) -> None:
        self.open = 0
        self._tee = tee
        self._clock = clock
        self._most = most
        self._ending = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """`source` and `thing` choose what is told."""
        query = request.query
        for key in query:
            if key not in _QUERY:
                return error(400, f"unknown parameter {key[:50]!r}: expected source or thing")
        if self.open >= self._most:
            return error(503, f"{self._most} event streams are open already", {"Retry-After": "5"})
        self.open += 1
        looker = Looker(self._tee, source=query.get("source"), thing=query.get("thing"), most=QUEUE)
        try:
            return await self._stream(request, looker)
        finally:
            looker.close()
            self.open -= 1

    async def end(self, _app: web.Application) -> None:
        """End all streams, for good."""
        self._ending.set()

    async def _stream(self, request: web.Request, looker: Looker) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        await response.write(f": parkgate\nretry: {RETRY_MS}\n\n".encode())
        count = 0
        ending = asyncio.ensure_future(self._ending.wait())
        taking = asyncio.ensure_future(looker.take())
        try:
            while not ending.done():
                beat = asyncio.ensure_future(self._clock.sleep(BEAT_S))
                await asyncio.wait({ending, taking, beat}, return_when=asyncio.FIRST_COMPLETED)
                beat.cancel()
                if taking.done():
                    told = taking.result()
                    await response.write(b"".join(_entry(number, each) for number, each in enumerate(told, count + 1)))
                    count += len(told)
                    await self._clock.sleep(PAUSE_S)
                    taking = asyncio.ensure_future(looker.take())
                elif not ending.done():
                    await response.write(b": alive\n\n")
        finally:
            ending.cancel()
            taking.cancel()
        return response


def _entry(number: int, told: Told) -> bytes:
    name, data = _said(told)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), msgspec.json.encode(data))


def _said(told: Told) -> tuple[str, dict[str, object]]:
    """The name of an entry and its data."""
    if isinstance(told, Passed):
        return "passed", {
            "number": told.number,
            "time": when(told.time_ns),
            "source": told.source,
            "device": told.device,
            "things": told.things,
            "topic": told.topic,
            **_bytes(told.data),
            "events": [_event(event) for event in told.events],
            "points": told.points,
            "kept": [{"kind": each.kind, "why": each.why} for each in told.kept],
        }
    if isinstance(told, Stored):
        pieces = [{"number": each.number, "points": each.points} for each in told.tickets]
        return "stored", {"time": when(told.time_ns), "pieces": pieces}
    if isinstance(told, Missed):
        return "missed", {"entries": told.entries}
    said: dict[str, object] = {"time": when(told.time_ns)}
    said |= {key: text for key, text in (("source", told.source), ("thing", told.thing), ("why", told.why)) if text}
    if told.points:
        said["points"] = told.points
    return told.what, said | (_bytes(told.data) if told.data else {})


def _event(event: Event) -> dict[str, object]:
    if not isinstance(event, Reading):
        name = _NAMES[event.__class__.__name__]
        return {"kind": name, "why": event.detail, **(_bytes(event.data) if not isinstance(event, Empty) else {})}
    said: dict[str, object] = {"kind": "reading", "fields": event.fields}
    if event.time_ns is not None:
        said["time"] = when(event.time_ns)
    said |= _if_any(("thing", event.thing), ("tags", event.tags), ("left_out", event.field_errors))
    return said


def _if_any(*pairs: tuple[str, object]) -> Iterable[tuple[str, object]]:
    return ((key, value) for key, value in pairs if value)


def _bytes(data: bytes) -> dict[str, object]:
    """Text as `text`, anything else as `base64`: nothing is lost in either."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}
    if all(char.isprintable() or char in "\r\n\t" for char in text):
        return {"text": text}
    return {"base64": b64encode(data).decode()}
