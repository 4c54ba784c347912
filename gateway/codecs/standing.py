"""How one codec does: what it was asked and could not do, and whether it is set aside.

A codec that throws costs its uplink and a millisecond. One that runs out of time or memory, or takes its process with
it, keeps all others waiting: after COSTLY of these in a row it is set aside. Its uplinks then go to the quarantine
unasked, but for one after a minute, after two, and so on up to an hour; the first that it can decode is its return.
A changed file is a new codec.
"""

COSTLY = frozenset(("time", "memory", "crash"))
MOST_COSTLY = 3
FIRST_PAUSE_S = 60.0
MOST_PAUSE_S = 3600.0
FAILING = 3
"""Refused uplinks in a row that are a problem."""


class Standing:
    """Counters of one codec, since its file changed."""

    __slots__ = ("costly", "decoded", "pause_s", "refused", "row", "until", "warnings", "why")

    def __init__(self) -> None:
        self.decoded = 0
        self.refused = 0
        self.warnings = 0
        self.row = 0  # refused since the last that was decoded
        self.costly = 0  # of those, the last ones that were costly
        self.pause_s = FIRST_PAUSE_S
        self.until: float | None = None  # while it is set aside: when one is tried again
        self.why = ""

    def good(self, warnings: int) -> bool:
        """An uplink was decoded; whether that ends its being set aside."""
        back = self.until is not None
        self.decoded += 1
        self.warnings += warnings
        self.row = self.costly = 0
        self.until, self.pause_s = None, FIRST_PAUSE_S
        return back

    def bad(self, kind: str, why: str, now: float) -> bool:
        """An uplink was refused; whether the codec is newly set aside for it."""
        self.refused += 1
        self.row += 1
        self.why = why
        self.costly = self.costly + 1 if kind in COSTLY else 0
        if self.until is not None:
            if kind in COSTLY:
                self.pause_s = min(2 * self.pause_s, MOST_PAUSE_S)
                self.until = now + self.pause_s
            else:
                self.until, self.pause_s = None, FIRST_PAUSE_S
            return False
        if self.costly < MOST_COSTLY:
            return False
        self.until = now + self.pause_s
        return True

    def aside(self, now: float) -> bool:
        """Whether it is not to be asked now. One who may ask tries it for all others."""
        if self.until is None:
            return False
        if now < self.until:
            return True
        self.until = now + self.pause_s
        return False

    def skipped(self) -> None:
        """An uplink that it was not asked about."""
        self.refused += 1
        self.row += 1

    def problem(self, name: str) -> str:
        """What is wrong with it, for people; empty where nothing is."""
        if self.until is not None:
            return (
                f"codec {name} is set aside, its uplinks go to the quarantine: {self.why}; "
                "it is tried again now and then, and at once when the file changes"
            )
        if self.row >= FAILING:
            return f"codec {name}: none of the last {self.row} uplinks could be decoded: {self.why}"
        return ""
