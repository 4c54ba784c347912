"""The decoder of a type whose payloads codecs decode: it notes which it needs, and decodes again with their answers."""

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import NamedTuple, Protocol

from devices.spec.coded import CodecRefused, Coded, Raw
from devices.spec.device import MessageDevice
from devices.spec.events import Ask, Event

Answer = Coded | CodecRefused


Asker = Callable[[Raw, int, Callable[[Answer], None]], Answer | None]
"""A codec that was chosen: asked about an uplink that was received at a time, it tells its answer later, or answers
here where it has one at once."""


class Codecs(Protocol):
    """What decodes, see `gateway.codecs`."""

    def choose(self, uplink: Raw, thing: str = "") -> Asker | None:
        """The codec that is to decode an uplink from `thing`, by its topic; None where there is none for it."""
        ...


class Wanted(NamedTuple):
    """An uplink, the how manieth of its message, and the codec that is to decode it."""

    place: int
    ask: Asker
    uplink: Raw


class Awaited(list[Event]):
    """In the place of the events of a message, which are known when the codecs have answered."""

    def __init__(self, wanted: list[Wanted]) -> None:
        super().__init__()
        self.wanted = wanted


class CodedDecoder:
    """The decoder of a type that codecs are for."""

    def __init__(self, device: MessageDevice, codecs: Codecs, thing: Callable[[str], str]) -> None:
        """`thing` says what a topic calls who sent it."""
        self._codecs = codecs
        self._device = device
        self._thing = thing

    def connected(self, new_session: bool) -> Iterable[Ask]:  # noqa: ARG002
        return ()

    def flush(self) -> list[Event]:
        return []

    def decode(self, topic: str, payload: bytes, received_ns: int) -> list[Event]:
        """The events of a message, or an `Awaited`."""
        assert self._device.decode_coded is not None  # or this would not be its decoder
        wanted: list[Wanted] = []
        places = count()

        def note(uplink: Raw) -> None:
            place = next(places)
            ask = self._codecs.choose(uplink, self._thing(topic))
            if ask is not None:
                wanted.append(Wanted(place, ask, uplink))

        events = self._device.decode_coded(topic, payload, received_ns, note)
        return Awaited(wanted) if wanted else events

    retained = decode

    def again(self, topic: str, payload: bytes, received_ns: int, answers: Mapping[int, Answer]) -> list[Event]:
        """The events of a message whose codecs have answered, by the places of its uplinks."""
        assert self._device.decode_coded is not None
        places = count()

        def told(_uplink: Raw) -> Coded | None:
            said = answers.get(next(places))
            if isinstance(said, CodecRefused):
                raise said
            return said

        return self._device.decode_coded(topic, payload, received_ns, told)
