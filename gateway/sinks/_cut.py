"""Cutting a batch of line protocol at its line ends. Pure; no line is looked into."""

from collections.abc import Iterator

from gateway.sinks._influx_errors import BadLine


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


def take_out(lines: bytes, named: list[BadLine]) -> tuple[list[tuple[bytes, str]], bytes]:
    """The named lines with the words about them, and the others. A name that fits no line is no name."""
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
