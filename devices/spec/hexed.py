"""Payloads of bytes that a bridge writes as hex text: `0048`, `00 48`, `0x00,0x48`, `00:48`, `"0048"`.

Text with anything else in it is no hex. Which of the two a payload is, text or the bytes themselves, only its reader
can say: four bytes `30 30 34 38` are the text `0048`, too.
"""

import re

_HEX = re.compile(rb'"?\s*((?:0[xX])?[0-9a-fA-F]{2}(?:[\s,:-]*(?:0[xX])?[0-9a-fA-F]{2})*)\s*"?\s*\Z')
_BETWEEN = re.compile(rb"0[xX]|[\s,:-]")


def from_hex(payload: bytes) -> bytes | None:
    """The bytes that hex text stands for; None where the payload is no hex text."""
    found = _HEX.match(payload)
    return None if found is None else bytes.fromhex(_BETWEEN.sub(b"", found[1]).decode("ascii"))
