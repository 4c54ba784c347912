"""Commands by HTTP: what a thing can be told, telling it, and what became of it.

    POST /api/v1/things/THING/commands     {"command": ..., "arguments": {...}, "key": ..., "by": ..., "source": ...}
    GET  /api/v1/things/THING/commands     what it can be told, and which of it is allowed
    GET  /api/v1/commands                  the ledger, the newest first
    GET  /api/v1/commands/ID               one of them

A browser can send a body of JSON for another site only after it has asked (CORS, which nobody is granted here), so a
body of another type is refused. Limits: MOST_BODY bytes, and BODY_S for them.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from devices.spec.command import Argument, Command
from gateway.commands import Ask, Desk, Entry, Reached, Refused
from gateway.web.answer import error, json

MOST_BODY = 1 << 14
BODY_S = 5.0
WAIT_S, MOST_WAIT_S = 30.0, 60.0
LISTED, MOST_LISTED = 100, 1000
RETRY_S = 1

_NUMBER = re.compile(r"[0-9]{1,15}")
_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    command: str
    arguments: dict[str, Any] = {}
    key: str | None = None
    by: str = ""
    source: str | None = None


_decoder = msgspec.json.Decoder(_Body)


class _Wrong(Exception):
    """The request is not as it must be; the status, and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(slots=True)
class CommandApi:
    """Answers from one desk."""

    desk: Desk

    async def tell(self, request: web.Request) -> web.Response:
        """`wait` is how long the answer of the device is waited for, in seconds."""
        try:
            wait_s = _wait(request)
            body = await _body(request)
            ask = Ask(
                _thing(request), body.command, body.arguments, body.key, _by(request, body.by), "api", body.source
            )
            entry = await self.desk.ask(ask)
        except _Wrong as wrong:
            return error(wrong.status, str(wrong))
        except Refused as refusal:
            return _refusal(refusal)
        await self.desk.ended(entry, wait_s)
        return json(entry.shown(), 200 if entry.ended else 202)

    async def told(self, request: web.Request) -> web.Response:
        """What a thing can be told; `source` where several know it."""
        try:
            found = self.desk.reached(_thing(request), request.query.get("source"))
        except Refused as refusal:
            return _refusal(refusal)
        return json(
            {
                "thing": found.thing,
                "source": found.source,
                "device": found.device.name,
                "commands": [_described(command, found) for command in found.device.told],
            }
        )

    async def one(self, request: web.Request) -> web.Response:
        """One command by its id; `wait` as for `tell`, 0 by default."""
        try:
            wait_s = _wait(request, 0.0)
        except _Wrong as wrong:
            return error(wrong.status, str(wrong))
        id_ = request.match_info["id"]
        entry = await self.desk.entry(id_)
        if entry is None:
            return error(404, f"no command {id_[:100]!r}; /api/v1/commands lists them")
        await self.desk.ended(entry, wait_s)
        return json(entry.shown())

    async def ledger(self, request: web.Request) -> web.Response:
        """`thing` chooses, `limit` and `before` (a number) page."""
        query = request.query
        limit, before = query.get("limit", str(LISTED)), query.get("before")
        for key in query:
            if key not in ("thing", "limit", "before"):
                return error(400, f"unknown parameter {key[:50]!r}: expected thing, limit or before")
        if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= MOST_LISTED:
            return error(400, f"limit = {limit[:20]!r}: expected a whole number from 1 to {MOST_LISTED}")
        if before is not None and not _NUMBER.fullmatch(before):
            return error(400, f"before = {before[:20]!r}: expected the number of a command")
        book, most = self.desk.book, int(limit)
        last = None if before is None else int(before)
        found: list[Entry] = [] if book is None else await book.newest(most, last, query.get("thing"))
        following = found[-1].number if len(found) == most else None
        return json({"commands": [entry.shown() for entry in found], "next": following})


def _described(command: Command, found: Reached) -> dict[str, object]:
    own = found.own(command.name) if command.open_arguments else ()
    return {
        "name": command.name,
        "description": command.description,
        "allowed": command.name in found.allowed,
        "answers": command.answers,
        "timeout_s": command.timeout_s,
        "arguments": [_argument(each) for each in (*command.arguments, *own)],
    }


def _argument(argument: Argument) -> dict[str, object]:
    return {
        "name": argument.name,
        "description": argument.field.description,
        "unit": argument.field.unit,
        "expected": argument.words,
        "required": argument.required,
        "default": argument.default,
    }


def _refusal(refusal: Refused) -> web.Response:
    """What was not sent, and why."""
    headers = {"Retry-After": str(max(RETRY_S, round(refusal.retry_s)))} if refusal.retry_s else None
    return json({"error": str(refusal), "state": "refused"}, refusal.why.value, headers)


def _thing(request: web.Request) -> str:
    """The name in the path; a slash in it may be written %2F, or as it is."""
    return request.match_info["thing"].replace("%2F", "/").replace("%2f", "/")


def _by(request: web.Request, says: str) -> str:
    """Who asks: what is said, and the address it came from."""
    words = " ".join(says.split())[:100]
    return f"{words} at {request.remote}" if words else str(request.remote)


def _wait(request: web.Request, default: float = WAIT_S) -> float:
    text = request.query.get("wait", str(default))
    for key in request.query:
        if key != "wait":
            raise _Wrong(400, f"unknown parameter {key[:50]!r}: expected wait")
    if not _SECONDS.fullmatch(text) or float(text) > MOST_WAIT_S:
        raise _Wrong(400, f"wait = {text[:20]!r}: expected seconds from 0 to {MOST_WAIT_S:g}")
    return float(text)


async def _body(request: web.Request) -> _Body:
    if request.content_type != "application/json":
        raise _Wrong(415, f"a body of type {request.content_type[:50]!r}: expected application/json")
    try:
        async with asyncio.timeout(BODY_S):
            data = await request.read()
    except TimeoutError as late:
        raise _Wrong(408, f"the body did not come within {BODY_S:g} s") from late
    except web.HTTPRequestEntityTooLarge as large:
        raise _Wrong(413, f"expected a body of at most {MOST_BODY} bytes") from large
    try:
        body = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise _Wrong(400, f'{wrong}; expected JSON such as {{"command": "sleep", "arguments": {{}}}}') from wrong
    if body.key is not None and not (1 <= len(body.key) <= 200 and body.key.isprintable()):
        raise _Wrong(400, "key: expected a text of 1 to 200 characters")
    return body
