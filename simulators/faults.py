"""Faults on purpose: seeded, printed as one line, all of them logged.

A fault befalls whole frames, at most one of flip, partial and duplicate each, decided by one
draw per frame; noise may stand before any frame. So the losses a decoder may count are known:

    flip        one bit of the frame is turned over      the reading is lost
    partial     the frame breaks off (not only at a      the reading is lost
                line's end: such a line is whole)
    duplicate   the frame comes twice                    the reading comes twice
    noise       1 to 24 bytes before the frame           nothing is lost
    unplug      the port goes away and comes back        nothing is lost; half a frame is noise

and, where a device is asked, so that its answer (`Armour.ASKED`; an answer that comes twice counts once):

    missing     the device does not answer               the reading is lost
    late        the answer comes after the timeout       the reading is lost
    stranger    another unit number answers              the reading is lost
    echo        the adapter gives the request back       nothing is lost

What can be found out depends on the protocol (`Armour`). Frames with an integrity check take
any fault. Streams without one take only faults that break their shape: flips of bit 7 and noise
below 0x80, for they are synchronised by that bit; and the frame behind a broken one gets no fault,
since the two could together look like a third. Lines of text take flips of bit 7, which are no
text; a broken one ends in a NUL (a break) and a line end, and so does noise, or a line and the half
before it could read as one. Payloads over MQTT come whole or not at all: a flip becomes a break, and
noise is a payload of its own; none where a payload is known by its length alone, since noise could be one.

Limits: the log keeps the last 10,000 entries, the counts are complete.
"""

import random
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from devices.spec.device import Device, PolledDevice, StreamDevice

ASKED_RATES = ("missing", "late", "stranger", "echo")
RATES = ("flip", "partial", "duplicate", "noise", "unplug", *ASKED_RATES)
LOG_KEPT = 10_000
BROKEN_OFF = b"\0\r\n"
"""How a line of text ends that is none: a break on the wire, then a line end."""
_WORD = re.compile(r"(seed)=([0-9]+)|(\w+)=([0-9]+(?:\.[0-9]*)?(?:e-?[0-9]+)?|\.[0-9]+)(%?)")


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each fault befalls a frame: probabilities, 0 to 1."""

    seed: int = 0
    flip: float = 0.0
    partial: float = 0.0
    duplicate: float = 0.0
    noise: float = 0.0
    unplug: float = 0.0
    missing: float = 0.0
    late: float = 0.0
    stranger: float = 0.0
    echo: float = 0.0

    def __post_init__(self) -> None:
        for name in RATES:
            rate = getattr(self, name)
            if not 0.0 <= rate <= 1.0:
                raise ValueError(f"{name} is {rate}, expected a probability from 0 to 1")
        if self.flip + self.partial + self.duplicate + self.missing + self.late + self.stranger > 1.0:
            raise ValueError("flip, partial, duplicate, missing, late and stranger add up to more than 1")

    def __str__(self) -> str:
        words = [f"{name}={100.0 * getattr(self, name):.9g}%" for name in RATES if getattr(self, name)]
        return " ".join([f"seed={self.seed}", *words])

    @classmethod
    def parse(cls, line: str) -> "Faults":
        """The inverse of `str`. ValueError names the word that is not understood."""
        seed, rates = 0, dict.fromkeys(RATES, 0.0)
        for word in line.split():
            match = _WORD.fullmatch(word)
            if match is None or (match[1] is None and match[3] not in RATES):
                raise ValueError(f"{word!r} is not one of seed=N, {', '.join(f'{name}=P%' for name in RATES)}")
            if match[1]:
                seed = int(match[2])
            else:
                rates[match[3]] = float(match[4]) / (100.0 if match[5] else 1.0)
        return cls(seed, **rates)

    @property
    def of_answers(self) -> list[str]:
        """The faults among these that only befall devices that are asked."""
        return [name for name in ASKED_RATES if getattr(self, name)]

    @property
    def any(self) -> bool:
        return any(getattr(self, name) for name in RATES)


class Armour(Enum):
    """What the protocol itself would notice."""

    CHECKED = "frames with an integrity check"
    SHAPED = "frames known by bit 7 alone"
    LINES = "lines of text, known by their ends"
    WHOLE = "payloads that come whole or not at all"
    BARE = "payloads of which the length alone is known"
    ASKED = "answers with an integrity check"

    @classmethod
    def of(cls, device: Device) -> "Armour":
        if isinstance(device, PolledDevice):
            return cls.ASKED
        if not isinstance(device, StreamDevice):
            return cls.WHOLE if device.checked else cls.BARE
        if device.line_end:
            return cls.LINES
        return cls.CHECKED if device.checked else cls.SHAPED


class Injected(NamedTuple):
    """One fault: what, to which frame (counted from 0), and where in it."""

    kind: str
    frame: int
    detail: str


class Wire(NamedTuple):
    """What goes out for one frame: `pieces` in order, and how many whole good copies are in them."""

    pieces: tuple[bytes, ...]
    copies: int


@dataclass(slots=True)
class Injector:
    """Applies `faults` to one thing's frames in their order."""

    faults: Faults
    armour: Armour
    salt: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    log: deque[Injected] = field(default_factory=lambda: deque(maxlen=LOG_KEPT))
    _frame: int = 0
    _broken: bool = False
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"{self.faults.seed}/{self.salt}")

    def apply(self, frame: bytes) -> Wire:
        """What is sent in place of `frame`. Three draws decide, whatever the outcome."""
        return self.answer(frame)[0]

    def answer(self, frame: bytes) -> tuple[Wire, str]:
        """What is sent in place of an answer; and "late" or "stranger" where the sender has to do the rest."""
        faults, rng = self.faults, self._rng
        fate, where, noisy = rng.random(), rng.random(), rng.random()
        if self._broken and self.armour is Armour.SHAPED:
            fate, noisy = 1.0, 1.0
        if self.armour is Armour.BARE:
            noisy = 1.0
        before = (self._noise(),) if noisy < faults.noise else ()
        self._frame += 1
        self._broken = fate < faults.flip + faults.partial
        if fate < faults.flip:
            hurt = self._break if self.armour in (Armour.WHOLE, Armour.BARE) else self._flip
            return Wire((*before, hurt(frame, where)), 0), ""
        fate -= faults.flip
        if fate < faults.partial:
            return Wire((*before, self._break(frame, where)), 0), ""
        fate -= faults.partial
        if fate < faults.duplicate:
            self._note("duplicate", "whole frame again")
            return Wire((*before, frame, frame), 1 if self.armour is Armour.ASKED else 2), ""
        fate -= faults.duplicate
        for name, rate in (("missing", faults.missing), ("late", faults.late), ("stranger", faults.stranger)):
            if fate < rate:
                self._note(name, "answer")
                return (Wire((), 0), "") if name == "missing" else (Wire((*before, frame), 0), name)
            fate -= rate
        return Wire((*before, frame), 1), ""

    def echoes(self) -> bool:
        """Whether the adapter gives this request back."""
        if not self.faults.echo or self._rng.random() >= self.faults.echo:
            return False
        self._note("echo", "request")
        return True

    def unplugs(self) -> bool:
        """Whether the port goes away now, after the frame before."""
        if not self.faults.unplug or self._rng.random() >= self.faults.unplug:
            return False
        self._note("unplug", "port closed")
        return True

    def half(self, frame: bytes) -> bytes:
        """The part of `frame` that gets out before the port goes away."""
        return frame[: max(1, len(frame) // 2)]

    def _note(self, kind: str, detail: str) -> None:
        self.counts[kind] += 1
        self.log.append(Injected(kind, max(0, self._frame - 1), detail))

    def _flip(self, frame: bytes, where: float) -> bytes:
        if self.armour is Armour.SHAPED:
            at, bit = int(where * len(frame)), 7
        elif self.armour is Armour.LINES:
            at, bit = int(where * len(frame.rstrip(b"\r\n"))), 7
        else:
            at, bit = divmod(int(where * len(frame) * 8), 8)
            letter = bit == 5 and chr(frame[at]).isalpha()
            if frame.endswith(b"\r\n") and (frame[at] in b"\r\n" or letter):
                at, bit = 0, 0  # a line's end or the case of a hex digit: nothing would be lost
        self._note("flip", f"byte {at} bit {bit}")
        return frame[:at] + bytes((frame[at] ^ 1 << bit,)) + frame[at + 1 :]

    def _break(self, frame: bytes, where: float) -> bytes:
        last = len(frame) - (2 if frame.endswith(b"\r\n") else 0)
        kept = 1 + int(where * (last - 1))
        self._note("partial", f"{kept} of {len(frame)} bytes")
        return frame[:kept] + (BROKEN_OFF if self.armour is Armour.LINES else b"")

    def _noise(self) -> bytes:
        top = 0x7F if self.armour is Armour.SHAPED else 0xFF
        data = bytes(self._rng.randint(0, top) for _ in range(self._rng.randint(1, 24)))
        if self.armour is Armour.LINES:
            data += BROKEN_OFF
        self.counts["noise"] += 1
        self.counts["noise bytes"] += len(data)
        self.log.append(Injected("noise", self._frame, data.hex()))
        return data
