"""What `parkgate decode` is given to decode: hex text, a file of raw bytes or a recording, standard input."""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.cli.usage import UsageError
from textfile import NotText, begins_with, decoded

CHUNK = 1 << 16
LONGEST_PAYLOAD = 16 << 20

_BETWEEN = re.compile(r"[\s,:;]+|\b0[xX]|\\x")
_STRANGE = re.compile(r"[^0-9A-Fa-f]")


def parse_hex(text: str) -> bytes | None:
    """The bytes of hex text with blanks, line ends, commas, colons or 0x between; None if it is not hex."""
    digits = _BETWEEN.sub("", text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


def from_hex_option(value: str) -> bytes:
    data = None if value == "-" else parse_hex(value)
    if data is not None:
        return data
    if value != "-" and not os.path.isfile(value):  # noqa: PTH113  # a Path of a long text raises
        raise UsageError(f"--hex: {_no_hex(value)}")
    raw = b"".join(bounded(from_file(value)))
    try:
        return parse_hex(decoded(raw)) or raw
    except NotText:
        return raw


def _no_hex(value: str) -> str:
    """What is wrong with text that `parse_hex` takes for none."""
    strange = _STRANGE.search(_BETWEEN.sub("", value))
    if strange is None:
        return f"expected an even number of hex digits, got {clip(value)}"
    return f"expected hex digits or the name of a file, got {clip(value)}: {clip(strange[0])} is no hex digit"


def clip(value: str) -> str:
    return json.dumps(value if len(value) <= 40 else value[:39] + "…", ensure_ascii=False)


def from_file(name: str) -> Iterator[bytes]:
    """Chunks as they arrive. A name that is no file but reads as hex is taken as hex."""
    from gateway.config import RECORDING

    if name == "-":
        while chunk := os.read(sys.stdin.fileno(), CHUNK):
            yield chunk
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115  # closed below
    except (OSError, ValueError) as exc:
        data = parse_hex(name)
        if not data:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            raise UsageError(f"{clip(name)}: {reason}") from exc
        yield data
        return
    with stream:
        if begins_with(stream.peek(4 * (len(RECORDING) + 1))[: 4 * (len(RECORDING) + 1)], RECORDING):
            yield from _recorded(Path(name))
            return
        while chunk := stream.read1(CHUNK):
            yield chunk


def _recorded(path: Path) -> Iterator[bytes]:
    from gateway.sources.replay import ReplayError, recorded

    try:
        for _, data in recorded(path):
            yield data
    except ReplayError as error:
        raise UsageError(str(error)) from error


def bounded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > LONGEST_PAYLOAD:
            raise UsageError(f"the payload is longer than {LONGEST_PAYLOAD >> 20} MiB")
        yield chunk
