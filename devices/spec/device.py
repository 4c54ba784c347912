"""A device type: the one description that everything else is read from.

Three kinds: a `StreamDevice` speaks bytes over a serial link by itself, a `PolledDevice` answers
there when it is asked, a `MessageDevice` speaks whole payloads over MQTT. All are pure: bytes in,
events out; readings in, bytes out.
"""

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Several
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from devices.spec.coded import Codec
from devices.spec.command import Command, MessageCommand, PolledCommand, StreamCommand, twice
from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Ask, Event, Reading
from devices.spec.field import Field
from devices.spec.polled import Overheard, Question, Timing
from devices.spec.sequence import Sequence

USUAL_TURNAROUND_S = 0.03
"""What a device that is asked, and the adapter between, usually take before an answer."""

Domain = Literal["air", "robot", "health", "park", "lorawan"]


class Decoder(Protocol):
    """The state of one stream. Buffers at most four times the longest frame."""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, however they were cut; answer the events they complete."""
        ...

    def flush(self) -> list[Event]:
        """The stream has ended: what is still buffered is noise."""
        ...


class MessageDecoder(Protocol):
    """The state of one subscription at one broker. Bounded in things and bytes."""

    def connected(self, new_session: bool, /) -> Iterable[Ask]:
        """A connection has begun. With a new session nothing waits at the broker; without, messages of the
        time in between may come first. Nothing is subscribed yet: what is asked for now comes first."""
        ...

    def decode(self, topic: str, payload: bytes, received_ns: int) -> Several[Event | Ask]:
        """The events of a message that is published now, also those of messages kept until now."""
        ...

    def retained(self, topic: str, payload: bytes, received_ns: int) -> Several[Event | Ask]:
        """The same for one that the broker had kept: it may be old."""
        ...

    def flush(self) -> list[Event]:
        """The end: what is still kept, as errors with their bytes."""
        ...


class Stateless:
    """The decoder of a type whose messages each speak for themselves."""

    __slots__ = ("decode", "retained")

    def __init__(self, decode: Callable[[str, bytes, int], list[Event]]) -> None:
        self.decode = self.retained = decode

    def connected(self, new_session: bool) -> Iterable[Ask]:  # noqa: ARG002
        return ()

    def flush(self) -> list[Event]:
        return []


BAUD = (50, 4_000_000)
"""The slowest and the fastest line."""


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How the port is opened. Parity is N, E or O."""

    baud: int
    bits: int = 8
    parity: Literal["N", "E", "O"] = "N"
    stop: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceType:
    """What all kinds share.

    `name` is the key in configs and the module's stem; `measurement` is where readings are
    stored; `expected_every_s` is the usual time between readings; `sequence` carries the
    audit count in simulation; `source` names the specification. With `open_fields` a payload
    may bring fields that are not listed (SenML, decoded LoRaWAN payloads). With `says_all` a
    simulated device says its optional fields, too, whatever they are called.
    """

    name: str
    title: str
    domain: Domain
    source: str
    fields: tuple[Field, ...]
    expected_every_s: float
    sequence: Sequence
    open_fields: bool = False
    says_all: bool = False

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise DescriptionError(f"device type {self.name}: a field is listed twice")
        command = twice(self.told)
        if command:
            raise DescriptionError(f"device type {self.name}: command {command} is listed twice")

    @property
    def told(self) -> tuple[Command, ...]:
        """What it can be told: its `commands`."""
        raise NotImplementedError

    @property
    def measurement(self) -> str:
        return self.name.replace("-", "_")

    @property
    def link(self) -> Literal["serial", "mqtt"]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDevice(DeviceType):
    """A device on a serial link.

    `decoder` makes the state for one port. `encode` gives the bytes the device would send for
    a reading (EncodeError if it could not). `checked` says whether frames carry an integrity
    check; where they do not, a flipped bit can pass. `commands` are what it can be told (`devices.spec.command`).
    `line_end` is what ends each line of a device that speaks lines of text. `joined` makes the
    state for a port that is opened while the device may be speaking, where that must not be
    `decoder`: half a line can read like a whole one, or much is reduced to little as it comes (a lidar). Where
    `clock_rolls_over`, the device has no memory and its date falls back by years from time to time (the week number of
    GPS): a time of long ago is not believed then.
    Where the link is `shared`, several things speak on it, and each reading names its own.
    `opening` is written to a device that says nothing before it is spoken to: when its port has been opened, and
    again while nothing good comes. With `opening_every_s` it is written that often though the device speaks: for one
    that falls silent some time after it was spoken to.
    """

    serial: SerialSettings
    decoder: Callable[[], Decoder]
    encode: Callable[[Reading], bytes]
    checked: bool = True
    longest_frame: int = 256
    commands: tuple[StreamCommand, ...] = ()
    line_end: bytes = b""
    joined: Callable[[], Decoder] | None = None
    clock_rolls_over: bool = False
    shared: bool = False
    opening: bytes = b""
    opening_every_s: float | None = None

    @property
    def told(self) -> tuple[Command, ...]:
        return self.commands

    @property
    def link(self) -> Literal["serial", "mqtt"]:
        return "serial"

    def join(self) -> Decoder:
        """The state for a port that is just being opened."""
        return (self.joined or self.decoder)()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDevice(DeviceType):
    """A device behind MQTT.

    `topic` is the usual topic pattern, `{thing}` marking the identity and `+` the rest.
    `decode(topic, payload, received_ns)` answers the events of one payload; `received_ns` is
    the result time, needed where the payload's times are relative to it.
    `encode(reading)` gives the payload that a device would send.

    Where messages explain each other (discovery, births), `family` makes the state for one subscription
    at one broker from its topic filter; `decode` is then what one message says all by itself.
    What a simulated thing then has to say of itself first, retained and on every connection, is in
    `births(topic, reading)`: topics and payloads, for a thing that publishes such readings on `topic`.
    `decode_coded` is `decode` for payloads that their maker's codec is asked about, see `devices.spec.coded`.
    `longest_payload` is what a message of such a type may need, in bytes, where that is much.
    `says_on` is where a thing publishes what `encode` makes, where `topic` takes other messages as well.
    `commands` are what its things can be told; where they have `open_arguments`, the family is a
    `command.Adaptive`, too. `checked` says whether any other bytes than a payload are noticed: not where a few bytes
    without a structure are a whole payload. `bare`: though it is a family, one payload is understood without its
    topic. `binary`: payloads are no text; where messages are listed as text, theirs are in hex.
    """

    topic: str
    decode: Callable[[str, bytes, int], list[Event]]
    encode: Callable[[Reading], bytes]
    family: Callable[[str], MessageDecoder] | None = None
    decode_coded: Callable[[str, bytes, int, Codec], list[Event]] | None = None
    births: Callable[[str, Reading], Iterable[tuple[str, bytes]]] | None = None
    longest_payload: int = 0
    says_on: str = ""
    bare: bool = False
    binary: bool = False
    commands: tuple[MessageCommand, ...] = ()
    checked: bool = True

    @property
    def reading_topic(self) -> str:
        """The pattern of the topics that bring what `encode` makes."""
        return self.says_on or self.topic

    @property
    def told(self) -> tuple[Command, ...]:
        return self.commands

    def decoder(self, pattern: str | None = None) -> MessageDecoder:
        """The decoder for messages of a topic pattern, by default the usual one."""
        if self.family is None:
            return Stateless(self.decode)
        return self.family((pattern or self.topic).replace("{thing}", "+"))

    @property
    def link(self) -> Literal["serial", "mqtt"]:
        return "mqtt"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledDevice(DeviceType):
    """A device on a serial link that speaks only when asked; `expected_every_s` is how often it is.

    `units` are the unit numbers it may have and `unit` is the one it leaves the factory with; a type
    without numbers (`units` empty) is alone on its line. `questions` make up one reading, see
    `devices.spec.polled`; `timing` is how long they may take. `checked` and `commands` are as for a `StreamDevice`.
    `recorded` are the questions by whose answers a recording is read, where those are not as when it is asked.
    """

    serial: SerialSettings
    questions: tuple[Question, ...]
    timing: Timing
    units: range = range(0)
    unit: int = 0
    checked: bool = True
    commands: tuple[PolledCommand, ...] = ()
    recorded: tuple[Question, ...] = ()

    @property
    def told(self) -> tuple[Command, ...]:
        return self.commands

    def __post_init__(self) -> None:
        DeviceType.__post_init__(self)
        if not self.questions:
            raise DescriptionError(f"device type {self.name}: a polled device needs at least one question")
        if self.units and self.unit not in self.units:
            raise DescriptionError(f"device type {self.name}: unit {self.unit} is not one that it may have")
        asked = [field.name for question in self.questions for field in question.fields]
        if sorted(asked) != sorted(field.name for field in self.fields):
            raise DescriptionError(f"device type {self.name}: each field needs one question that brings it")

    @property
    def link(self) -> Literal["serial", "mqtt"]:
        return "serial"

    @property
    def longest_frame(self) -> int:
        """The longest answer in bytes."""
        return max(question.size for question in self.questions)

    def line_s(self, baud: int) -> float:
        """Seconds that one round of all questions keeps a line of that speed busy, if all is well."""
        sizes = [len(question.request(self.unit)) + question.size for question in self.questions]
        return sum(sizes) * 11 / baud + len(sizes) * (self.timing.silence_s + USUAL_TURNAROUND_S)

    def decoder(self, unit: int | None = None) -> Decoder:
        """The state of a recording of what one unit answered, whoever asked."""
        return Overheard(self.recorded or self.questions, self.unit if unit is None else unit)

    def overheard(self, unit: int) -> StreamDevice:
        """The type of a recording of what one unit answered: each answer is a reading."""
        return StreamDevice(
            name=self.name,
            title=self.title,
            domain=self.domain,
            source=self.source,
            fields=self.fields,
            expected_every_s=self.expected_every_s,
            sequence=self.sequence,
            serial=self.serial,
            decoder=partial(self.decoder, unit),
            encode=_unasked,
            checked=self.checked,
            longest_frame=self.longest_frame,
        )


def _unasked(_reading: Reading) -> bytes:
    raise EncodeError("it says nothing by itself")


SerialDevice = StreamDevice | PolledDevice
Device = StreamDevice | MessageDevice | PolledDevice
