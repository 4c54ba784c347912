"""A check behind each line: `21.5;40*2F`, two hex digits over the text before the mark, as NMEA 0183 has them.

Pure. Source of the checks: devices/spec/checksum.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from devices.spec import checksum
from devices.spec.line import LineCheck

CHECKS = ("xor8", "sum8", "negated_sum8", "inverted_sum8")
_SEALED = re.compile(r"(.*)\*[0-9A-Fa-f]{2}\s*")


class Seal(NamedTuple):
    """The check `name`, computed from the byte `first` on: 1 where a `$` does not count."""

    name: str
    first: int
    mark: str = "*"

    def bare(self, texts: Sequence[str]) -> list[str]:
        """The texts that have a check, without it."""
        return [found[1] for text in texts if (found := _SEALED.fullmatch(text)) is not None]


def sealed(texts: Sequence[str]) -> Seal | None:
    """The check that holds in most of the texts that end like one, or None; those without one have to be fewer."""
    ending = [text for text in texts if _SEALED.fullmatch(text)]
    if not ending or 2 * len(ending) < len(texts):
        return None
    first = 1 if all(text[:1] in ("$", "!") for text in ending) else 0
    for name in CHECKS:
        check = LineCheck(getattr(checksum, name), first=first)
        if 2 * sum(_holds(check, text) for text in ending) > len(ending):
            return Seal(name, first)
    return None


def _holds(check: LineCheck, text: str) -> bool:
    found = check.split(text.encode())
    return found is not None and check.wrong(*found) is None
