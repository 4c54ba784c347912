"""Cutting a batch of line protocol at its line ends. Pure; no line is looked into."""

from collections.abc import Iterator


def pieces(lines: bytes, most: int) -> Iterator[bytes]:
    """`lines` in as few parts of similar size as hold `most` bytes each, cut at line ends."""
    if len(lines) <= most:
        yield lines
        return
    step = -(-len(lines) // -(-len(lines) // most))
    start = 0
    while start < len(lines):
        end = len(lines) if len(lines) - start <= step else lines.rfind(b"\n", start, start + step + 1)
        if end < start:  # no line end in reach: this line is longer than a part
            end = lines.find(b"\n", start + step)
            end = len(lines) if end < 0 else end
        yield lines[start:end]
        start = end + 1


def halve(lines: bytes) -> tuple[bytes, bytes] | None:
    """Two parts of about the same size, cut at a line end; None for a single line."""
    middle = len(lines) // 2
    cut = lines.rfind(b"\n", 0, middle)
    if cut < 0:
        cut = lines.find(b"\n", middle)
    return None if cut < 0 else (lines[:cut], lines[cut + 1 :])
