"""What the values of one place are: numbers, with which unit behind them, flags, texts, times.

    21.5   "21.5 C"   21,5      a number; what stands behind it is its unit
    true   "on"   NO            a flag
    null   nan   ""   --        missing: says nothing of the kind

What is missing and what is read as a flag is as in the type language (devices/spec/mapping). Pure.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from devices.spec.mapping import FLAGS, missing, time_taker
from devices.spec.units import spelled

Kind = Literal["measure", "flag", "text"]
Decimal = Literal[".", ","]
TimeUnit = Literal["s", "ms", "us", "ns", "rfc3339"]

TIME_UNITS: tuple[TimeUnit, ...] = ("rfc3339", "s", "ms", "us", "ns")
EARLIEST_NS = 946_684_800_000_000_000
"""2000-01-01: a time before this comes of a clock that was never set."""
LATEST_NS = 4_102_444_800_000_000_000
"""2100-01-01."""

FEW = 4
"""A text among so many numbers is what a board says in place of one: `err`, `init`."""

_NUMBER = re.compile(r"\s*([-+\u2212]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?)(\s*)([^\d\s].{0,11})?\s*")
_INFINITE = ("inf", "infinity")
_WORDS = FLAGS.keys() - {"0", "1"}


def said(values: Iterable[object]) -> list[object]:
    """The values without those that are missing."""
    return [value for value in values if value is not None and not (isinstance(value, str) and missing(value.strip()))]


def is_value(cell: str) -> bool:
    """Whether a text is a number, a time, a flag or says that a value is missing: no word, no header."""
    text = cell.strip()
    return missing(text) or text.lower() in _WORDS or is_number(text) or time_unit([text], ".") == "rfc3339"


def is_number(text: str) -> bool:
    """Whether a text is a number, perhaps with a unit behind it."""
    found = _NUMBER.fullmatch(text)
    return found is not None and _has_unit(found)


def kind_of(values: Iterable[object]) -> tuple[Kind | None, str]:
    """What the values are, and the unit that is written behind the numbers, if one is; None: all are missing
    or infinite."""
    kinds: Counter[Kind] = Counter()
    units: Counter[str] = Counter()
    for value in said(values):
        if isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in _WORDS):
            kinds["flag"] += 1
        elif isinstance(value, int | float):
            kinds["measure"] += 1
        elif isinstance(value, str):
            found = _NUMBER.fullmatch(value)
            if value.strip().lower().lstrip("+-") in _INFINITE:
                continue  # a bad value of whatever it is
            if found is None or not _has_unit(found):
                kinds["text"] += 1
                continue
            kinds["measure"] += 1
            if found[3]:
                units[found[3].strip()] += 1
    if not kinds:
        return None, ""
    if kinds["text"] * FEW > kinds["measure"] + kinds["flag"]:
        return "text", ""
    if kinds["flag"] and all(number in (0, 1) for number in numbers(values)):
        return "flag", ""
    return "measure", max(units, key=lambda unit: units[unit], default="")


def numbers(values: Iterable[object]) -> Iterator[float]:
    """The numbers among the values, without their units."""
    for value in values:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)
        elif isinstance(value, str) and (found := _NUMBER.fullmatch(value)) is not None:
            yield float(found[1].replace(",", ".").replace("\u2212", "-"))


def time_unit(values: Iterable[object], decimal: Decimal, *, sure: bool = False) -> TimeUnit | None:
    """How a time of day is written; None where the values are none, or count from something else than 1970.

    All have to be read, and one at least has to be of this century: a clock is 0 until it is set. `sure`: all
    that are not 0 have to be.
    """
    written = [value for value in said(values) if not isinstance(value, bool) and value not in (0, "0")]
    for unit in TIME_UNITS:
        try:
            times = list(_times(written, time_taker(unit, decimal)))
        except ValueError:
            continue
        good = sum(EARLIEST_NS <= time_ns < LATEST_NS for time_ns in times)
        if good and (good == len(times) or not sure):
            return unit
    return None


def decimal_of(values: Iterable[object]) -> Decimal:
    """A comma, where more of the texts have one in a number than have a point."""
    texts = [value for value in values if isinstance(value, str)]
    comma = sum(re.match(r"[-+\u2212]?\d+,\d", text) is not None and is_number(text) for text in texts)
    point = sum(re.match(r"[-+\u2212]?\d*\.\d", text) is not None and is_number(text) for text in texts)
    return "," if comma > point else "."


def _has_unit(found: "re.Match[str]") -> bool:
    """Whether what stands behind a number is a unit: 21.5C and 3 apples are numbers, 1.2b is a version."""
    unit = (found[3] or "").strip()
    return not unit or bool(found[2]) or spelled(unit) is not None


def _times(values: Sequence[object], take: Callable[[object], int | None]) -> Iterator[int]:
    for value in values:
        time_ns = take(value)
        if time_ns is not None:
            yield time_ns
