"""Times of meters: YYMMDDhhmmss in the local time of Central Europe, and S or W behind it for summer or winter.

    161113205757W     2016-11-13 20:57:57, UTC+1
    161107190000      without the letter (versions 2 and 3): summer time by the rule of the European Union
    632525252525W     all bits set: the meter has no time

Limits: years 2000 to 2099; meters of other zones (Baltic, Finland) are an hour late. Without the letter the hour
that comes twice in October is taken for the first of both.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_STAMP = re.compile(r"([0-9]{12})([SW]?)")
_NONE = "632525252525"
WINTER, SUMMER = timezone(timedelta(hours=1)), timezone(timedelta(hours=2))


class NoTime(ValueError):
    """The meter says that it has no time."""


def stamp_ns(text: str) -> int:
    """Nanoseconds since 1970. NoTime where the meter has none, ValueError where it is no time."""
    found = _STAMP.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a time such as 161113205757W, got {text[:20]!r}")
    if found[1] == _NONE:
        raise NoTime(text)
    year, month, day, hour, minute, second = (int(found[1][at : at + 2]) for at in range(0, 12, 2))
    try:
        local = datetime(2000 + year, month, day, hour, minute, second)
    except ValueError as error:
        raise ValueError(f"expected a time such as 161113205757W, got {text[:20]!r}") from error
    summer = found[2] == "S" or (not found[2] and _is_summer(local, 3))
    return int(local.replace(tzinfo=SUMMER if summer else WINTER).timestamp()) * 1_000_000_000


def stamp(time_ns: int) -> str:
    """The time as a meter writes it, with its letter."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    summer = _is_summer(moment.astimezone(WINTER).replace(tzinfo=None), 2)
    local = moment.astimezone(SUMMER if summer else WINTER)
    return f"{local:%y%m%d%H%M%S}{'S' if summer else 'W'}"


def _is_summer(local: datetime, until_h: int) -> bool:
    """From 2:00 on the last Sunday of March to that of October, `until_h`: 3 on the clock of summer, 2 on that of
    winter."""
    begin, end = _last_sunday(local.year, 3), _last_sunday(local.year, 10)
    return begin + timedelta(hours=2) <= local < end + timedelta(hours=until_h)


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
