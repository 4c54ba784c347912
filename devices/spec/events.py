"""What a decoder says about the bytes it was given.

Every byte given to a decoder is accounted for by exactly one event: it was part of a
reading, it said that there is nothing to report, it failed the integrity check, it was well
formed but not believable, or it was noise. So a bad cable is told from a silent device, and a
device that has nothing to report from a fault.

Only an integrity check, an identity, a time or a required field may refuse a reading. A value of
an optional field that cannot be true is left out of it and named in `field_errors`; what the
device itself declares void is left out unjudged.
"""

from dataclasses import dataclass, field

from msgspec import Struct

Value = float | int | bool | str
"""A field's value: float for a measured quantity, int for a declared counter, bool for a
flag, str for a state or a text. Zero and false are values; a missing value is absent."""


class Reading(Struct):
    """All values of one frame or payload.

    `time_ns` is the phenomenon time in nanoseconds since 1970 UTC, or None where the device
    does not say it (the time of receipt then stands for it). `thing` is the identity the
    payload itself gives, if any. `tags` are further low-cardinality words of the payload.
    `field_errors` says of each optional value that was left out what is wrong with it. `standing`
    marks what holds until something else is said (presence: a birth, a last will): from a retained
    message it is stored, too, under the time of receipt. `text` are the fields as a line of line
    protocol has them, `name=1.5,other=2i`, where a payload table writes them from the raw numbers
    (payload.py): a third of the time of the way by `fields`.
    """

    fields: dict[str, Value]
    time_ns: int | None = None
    thing: str | None = None
    tags: dict[str, str] = {}  # msgspec gives each reading its own
    field_errors: tuple[str, ...] = ()
    standing: bool = False
    text: str | None = None


@dataclass(slots=True)
class Empty:
    """A whole frame or payload by which a living device says that it has nothing to report (yet: it warms up).

    `thing` is the identity that the payload gives, if any. `overdue`: it waits for something without which
    it cannot be read, and has waited so long that a person should look.
    """

    detail: str
    data: bytes
    thing: str | None = None
    overdue: bool = False


DELETED = "an empty payload: what was retained is deleted"
"""`Empty` of a payload without a byte: how a publisher has a broker forget a retained message."""


@dataclass(slots=True)
class Noise:
    """Bytes that belong to no frame of this device type. `data` holds all of them.

    `why` says what they are where that is known: a whole frame of somebody else.
    """

    data: bytes
    why: str = ""

    @property
    def detail(self) -> str:
        return self.why or f"{len(self.data)} bytes outside any frame"


@dataclass(slots=True)
class IntegrityError:
    """A frame whose checksum, length or terminator does not hold."""

    detail: str
    data: bytes


@dataclass(slots=True)
class SanityError:
    """A whole frame or payload that cannot be true, or refuses what was asked."""

    detail: str
    data: bytes


Event = Reading | Empty | Noise | IntegrityError | SanityError


@dataclass(frozen=True, slots=True)
class Fetch:
    """A decoder asks for retained messages: subscribe to `filter`, have what the broker keeps come (again)."""

    filter: str


@dataclass(frozen=True, slots=True)
class Publish:
    """A decoder asks to have this said (a rebirth request), at QoS 0 or 1, never retained.

    `words` are for the log, once it is said; they make no other ask of it.
    """

    topic: str
    payload: bytes
    qos: int = 0
    words: str = field(default="", compare=False)


Ask = Fetch | Publish
"""What a decoder with state wants from its broker; carried out within bounds, and never certain."""
