"""Date and time as JSON texts carry them: RFC 3339, kept to the nanosecond.

    2020-02-12T15:15:46.014773143Z      2017-04-15T11:40:03.12+02:00

Limits: years 1970 to 2261, any number of decimals (those beyond nine are cut off), `Z` or an
offset of hours and minutes; a date without either is taken as UTC. Leap seconds (`:60`) are the
next second. `datetime` stops at the microsecond, so the fraction is read here.
"""

from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)
_SECOND = 1_000_000_000
_LAST_YEAR = 2261
_MAX_MINUTES = 1024

_seconds = {f"{second:02d}": second for second in range(61)}
_minutes: dict[str, int] = {}


def parse_ns(text: str) -> int:
    """Nanoseconds since 1970 UTC; ValueError if `text` is no date and time in range."""
    minute = _minutes.get(text[:16])
    if minute is None:
        minute = _learn_minute(text)
    second = _seconds.get(text[17:19])
    if second is None or text[16] != ":":
        raise ValueError(f"expected a date and time like 2020-02-12T15:15:46.014Z, got {text[:40]!r}")
    whole = (minute + second) * _SECOND
    rest = text[19:]
    if rest == "Z" or not rest:
        return whole
    zone = rest
    if rest[0] in ".,":
        zone = rest[1:].lstrip("0123456789")
        digits = rest[1 : len(rest) - len(zone)]
        if not digits:
            raise ValueError(f"expected decimals behind the point, got {text[:40]!r}")
        whole += int(digits[:9].ljust(9, "0"))
    return whole if zone in ("Z", "z", "") else whole - _offset_s(zone, text) * _SECOND


def _learn_minute(text: str) -> int:
    """Seconds since 1970 of the minute; most texts that come together share it."""
    if len(text) < 19 or text[4] != "-" or text[7] != "-" or text[13] != ":":
        raise ValueError(f"expected a date and time like 2020-02-12T15:15:46.014Z, got {text[:40]!r}")
    moment = datetime.fromisoformat(text[:16])
    if not 1970 <= moment.year <= _LAST_YEAR:
        raise ValueError(f"expected a year from 1970 to {_LAST_YEAR}, got {text[:40]!r}")
    since = moment - _EPOCH
    if len(_minutes) >= _MAX_MINUTES:
        _minutes.clear()
    seconds = _minutes[text[:16]] = since.days * 86400 + since.seconds
    return seconds


def _offset_s(zone: str, text: str) -> int:
    digits = zone[1:].replace(":", "")
    if zone[0] not in "+-" or len(digits) != 4 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"expected Z or an offset like +02:00 at the end of {text[:40]!r}")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"expected an offset below 24 hours at the end of {text[:40]!r}")
    seconds = hours * 3600 + minutes * 60
    return -seconds if zone[0] == "-" else seconds


def format_ns(time_ns: int, decimals: int = 0) -> str:
    """RFC 3339 UTC text that says `time_ns` exactly, in 0, 3, 6 or 9 decimals, at least `decimals`.

    ValueError if out of range.
    """
    seconds, nanoseconds = divmod(time_ns, _SECOND)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{time_ns} ns is no date") from None
    digits = f"{nanoseconds:09d}"
    while len(digits) > decimals and digits.endswith("000"):
        digits = digits[:-3]
    return f"{moment.isoformat()}.{digits}Z" if digits else f"{moment.isoformat()}Z"
