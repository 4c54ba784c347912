"""Texts that come in pieces: STATUSTEXT of MAVLink 2, 50 bytes each, the last one with a NUL in it or shorter.

A text is complete when its last piece has come. One that never ends is told as far as it came when its component
begins another, when there are too many of them, or at the end.
"""

from devices.spec.events import Value

MOST_TEXTS = 16
MOST_PIECES = 16
MISSING = "[…]"

Key = tuple[str, int]
"""The thing that says it, and the number that it gives the text."""


class _Text:
    def __init__(self, fields: dict[str, Value]) -> None:
        self.fields = fields
        self.pieces: dict[int, bytes] = {}

    def told(self, whole: bool) -> dict[str, Value]:
        last = max(self.pieces)
        parts = [self.pieces.get(n, MISSING.encode()) for n in range(last + 1)]
        text = b"".join(part.partition(b"\0")[0] for part in parts).decode("utf-8", "replace").rstrip()
        return {**self.fields, "text": text if whole else text + MISSING}


class Texts:
    """The texts of one link that are not complete yet."""

    def __init__(self) -> None:
        self._texts: dict[Key, _Text] = {}
        self._over: list[tuple[str, dict[str, Value]]] = []

    def piece(self, key: Key, number: int, data: bytes, fields: dict[str, Value]) -> dict[str, Value] | None:
        """One piece of a text: the fields of the whole text if it is complete now."""
        for other in [each for each in self._texts if each[0] == key[0] and each != key]:
            self._end(other)
        if key not in self._texts and len(self._texts) >= MOST_TEXTS:
            self._end(next(iter(self._texts)))
        text = self._texts.setdefault(key, _Text(fields))
        text.fields = fields
        text.pieces[min(number, MOST_PIECES - 1)] = data
        if b"\0" in data or number >= MOST_PIECES - 1:
            return self._texts.pop(key).told(True)
        return None

    def over(self) -> list[tuple[str, dict[str, Value]]]:
        """The thing and the fields of each text that has ended without its last piece, once."""
        over, self._over = self._over, []
        return over

    def end(self) -> None:
        """Nothing more comes."""
        for key in list(self._texts):
            self._end(key)

    def _end(self, key: Key) -> None:
        self._over.append((key[0], self._texts.pop(key).told(False)))
