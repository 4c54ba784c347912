"""What an InfluxDB of any generation means by an answer to a write. Pure: no I/O.

One mistake has different answers:

    mistake          1.x                      2.x                    3 /write          3 write_lp
    malformed line   400, the rest stored     400, nothing stored    400, nothing      400, the rest stored
    type conflict    400, the rest stored     422, the rest stored   400, nothing      400, the rest stored
    no database      404                      404                    made on write     made on write
    no such path     404, not in JSON         404                    404               404
    too large        413                      413 where configured   413               413
    overload         503, 500                 500, 503               429, 500          429, 500

A 404 means a missing database only in the database's own words: a proxy's page, or a path that the
server does not have, is something else. So is every answer that is not InfluxDB's (a page, a plain
word, a redirection): nothing is concluded from it about points.

A 400 or 422 never says by its status how much of a batch is stored. Since writing a point
twice changes nothing, the sink asks only one question of such an answer: which lines does it
name. Those are rejected and all others are sent again.

Unknown: whether InfluxDB 3 ever shortens its list of bad lines; sending the others again
makes that harmless.

Source: influxdb 1.6.7 tried; influxdb 2.7.12 to 2.9 and influxdb3 3.0.0 to 3.10.1 by their
source (http/write_handler.go, kit/platform/errors, influxdb3_server/src/http.rs).
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import NamedTuple

import msgspec

WORDS_MAX = 500
"""Characters of the server's own words that are kept: 1.x repeats a whole 70 kB line."""

_NAMED_LINE = re.compile(r"^(?:.*?partial write: )?unable to parse '(.*)': (.+)$")
_TAG = re.compile(r"<[^>]*>")
_DROPPED = re.compile(r" dropped=(\d+)$")
_POINT_FAULT = re.compile(
    r"partial write|unable to parse|type conflict|dropped=|beyond retention|line protocol|invalid tag|invalid field"
    r"|missing (fields|tag|measurement)|max-series|max-values|limit|column|timestamp",
    re.IGNORECASE,
)
_NO_DATABASE = re.compile(r"database|bucket|dbrp", re.IGNORECASE)
_REQUEST_FAULT = re.compile(r"database is required|invalid precision|unsupported path|bucket not specified|\borg")


class Verdict(Enum):
    STORED = auto()
    CULPRITS = auto()  # some lines are bad: find them
    MISSING = auto()  # no such database
    TOO_LARGE = auto()
    LATER = auto()  # try again by itself
    ALARM = auto()  # try again, but a person must mend it


class BadLine(NamedTuple):
    """One line that the server named: by number from 1 where it counts, else by its text."""

    number: int | None
    text: str | None
    words: str


class Answer(NamedTuple):
    """`dropped` points of this request, where 1.x or 2.x said so; `named` the bad lines it listed."""

    status: int
    verdict: Verdict
    words: str
    named: list[BadLine]
    dropped: int | None
    retry_after_s: float | None
    certain: bool  # the words are known to be about points, not about the request
    foreign: bool = False  # the words are not InfluxDB's own: a proxy's, or of something else


def read_answer(status: int, headers: Mapping[str, str], body: bytes, now_s: float = 0.0) -> Answer:
    """What the server means. `body` may have been cut short; `now_s` is 1970 time for Retry-After dates."""
    reply = _decode(body)
    words = _words(reply, body)
    shown = _shorten(words if reply is not None else in_one_line(status, words))
    if 300 <= status < 400:
        shown = f"HTTP {status}, it sends to {headers.get('Location', 'nowhere')[:200]}"
    return Answer(
        status=status,
        verdict=_verdict(status, headers.get("Content-Type", ""), reply is not None, words),
        words=shown,
        named=_named(reply, words),
        dropped=int(found.group(1)) if (found := _DROPPED.search(words)) else None,
        retry_after_s=retry_after(headers.get("Retry-After"), now_s),
        certain=bool(_POINT_FAULT.search(words)),
        foreign=reply is None and bool(words) and not headers.get("X-Influxdb-Version"),
    )


def retry_after(value: str | None, now_s: float) -> float | None:
    """Seconds to wait, from a Retry-After header in seconds or as a date; None where it says nothing."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), 3600))
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max(when.timestamp() - now_s, 0.0), 3600.0)


def _verdict(status: int, content_type: str, spoken: bool, words: str) -> Verdict:
    if 200 <= status < 300:
        # A page instead of a bare 204 comes from something else that listens at this address.
        return Verdict.ALARM if content_type.startswith("text/html") else Verdict.STORED
    if status in (400, 422):
        # A proxy's 400 says nothing about points: only the database's own words may cost one.
        return Verdict.CULPRITS if spoken and not _about_the_request(words) else Verdict.ALARM
    if status == 404:
        return Verdict.MISSING if spoken and _NO_DATABASE.search(words) else Verdict.ALARM
    if status == 413:
        return Verdict.TOO_LARGE
    if status in (408, 425, 429):
        return Verdict.LATER
    if status >= 500:
        return Verdict.ALARM if "retention policy not found" in words else Verdict.LATER
    return Verdict.ALARM


def _about_the_request(words: str) -> bool:
    return bool(_REQUEST_FAULT.search(words)) and not _POINT_FAULT.search(words)


def _decode(body: bytes) -> dict[str, object] | None:
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if isinstance(reply, dict) and (isinstance(reply.get("error"), str) or isinstance(reply.get("message"), str)):
        return reply
    return None


def _words(reply: dict[str, object] | None, body: bytes) -> str:
    if reply is None:
        return body.decode("utf-8", "replace").strip()
    said = reply.get("message")
    return (said if isinstance(said, str) else str(reply.get("error"))).strip()


def in_one_line(status: int, text: str) -> str:
    """In one line, an answer that is none of InfluxDB's own: a proxy's page, a plain word."""
    if text[:1] == "<":
        return f"HTTP {status}, a web page: {' '.join(_TAG.sub(' ', text).split())[:100]}"
    return " ".join(text.split()) or f"HTTP {status}"


def _shorten(words: str) -> str:
    return words if len(words) <= WORDS_MAX else words[: WORDS_MAX - 1] + "…"


def _named(reply: dict[str, object] | None, words: str) -> list[BadLine]:
    """The lines that 3 lists under `data`, or that 1.x and 2.x quote, one sentence a line."""
    data = None if reply is None else reply.get("data")
    if data:
        return [bad for row in (data if isinstance(data, list) else [data]) if (bad := _listed(row))]
    quoted = (_NAMED_LINE.match(sentence) for sentence in _DROPPED.sub("", words).split("\n"))
    return [BadLine(None, found.group(1), _shorten(found.group(0))) for found in quoted if found]


def _listed(row: object) -> BadLine | None:
    if not isinstance(row, dict):
        return None
    number, text = row.get("line_number"), row.get("original_line")
    return BadLine(
        number if isinstance(number, int) else None,
        text if isinstance(text, str) else None,
        _shorten(str(row.get("error_message", "refused"))),
    )


def take_out(lines: bytes, named: list[BadLine]) -> tuple[list[tuple[bytes, str]], bytes]:
    """The named lines with the words about them, and the others. A name that fits no line does not count."""
    if not named:
        return [], lines
    split = lines.split(b"\n")
    words: dict[int, str] = {}
    places: dict[bytes, list[int]] | None = None
    for bad in named:
        text = None if bad.text is None else bad.text.encode()
        if bad.number is not None:
            index = bad.number - 1
            if 0 <= index < len(split) and (not text or split[index].startswith(text)):
                words[index] = bad.words
        elif text:
            if places is None:
                places = {}
                for index, line in enumerate(split):
                    places.setdefault(line, []).append(index)
            for index in places.get(text, []):
                words[index] = bad.words
    rejected = [(split[index], words[index]) for index in sorted(words)]
    return rejected, b"\n".join(line for index, line in enumerate(split) if index not in words)
