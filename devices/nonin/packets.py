"""Packets of frames, as Nonin's serial data format 2 has them. Bytes in, events out.

    01 | status, bit 7 set | two bytes | sum of the four before it        a frame; bit 0 of its status: SYNC
    SYNC frame | 24 frames without it                                     a packet, 125 bytes

A packet reaches the reader whole, every frame of it checked, or not at all. What is not a frame costs one byte and the
search goes on. A packet that is broken off, by bytes that are no frame or by the next SYNC, is one `IntegrityError`: it
takes along what follows up to the next SYNC, since frames behind the break belong to nothing. On a port that is
opened while the oximeter speaks (`joined`) the frames before the first SYNC are noise.

Limits: what waits is at most one packet and four bytes; a broken one is given up after 125 bytes, and again.
"""

from collections.abc import Callable

from devices.spec.events import Event, IntegrityError, Noise

FRAME, FRAMES = 5, 25
PACKET = FRAME * FRAMES
START, STATUS, SYNC = 0x01, 0x80, 0x01


class PacketFramer:
    """The decoder of a stream of packets; `read` makes the event out of 125 checked bytes."""

    __slots__ = ("_joined", "_lost", "_packet", "_read", "_rest", "_why")

    def __init__(self, read: Callable[[bytes], Event], joined: bool = False) -> None:
        self._read = read
        self._joined = joined
        self._rest = b""
        self._packet = b""
        self._lost = b""
        self._why = ""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete."""
        buffer = self._rest + data
        events: list[Event] = []
        at, end = 0, len(buffer)
        while at < end:
            if buffer[at] != START:
                following = buffer.find(START, at)
                following = end if following < 0 else following
                self._strange(buffer[at:following], "bytes that are no frame", events)
                at = following
                continue
            frame = buffer[at : at + FRAME]
            if len(frame) > 1 and not frame[1] & STATUS:
                self._strange(frame[:1], f"status {frame[1]:02x}, expected its bit 7 set", events)
                at += 1
            elif len(frame) < FRAME:
                break
            elif sum(frame[:4]) & 0xFF != frame[4]:
                why = f"checksum {frame[4]:02x}, computed {sum(frame[:4]) & 0xFF:02x}"
                self._strange(frame[:1], why, events)
                at += 1
            else:
                self._take(frame, events)
                at += FRAME
        self._rest = buffer[at:]
        return events

    def flush(self) -> list[Event]:
        """The stream has ended: a packet that is not whole is broken off."""
        events: list[Event] = []
        if self._packet:
            self._break(f"{self._frames()} of {FRAMES} frames and the end")
        rest, self._rest = self._rest, b""
        if self._lost:
            self._lost += rest
            rest = b""
        self._give_up(events)
        return [*events, Noise(rest)] if rest else events

    def _take(self, frame: bytes, events: list[Event]) -> None:
        """A frame whose check holds."""
        if frame[1] & SYNC:
            if self._packet:
                self._break(f"{self._frames()} of {FRAMES} frames before the next packet begins")
            self._give_up(events)
            self._packet, self._joined = frame, False
        elif self._packet:
            self._packet += frame
            if len(self._packet) == PACKET:
                packet, self._packet = self._packet, b""
                events.append(self._read(packet))
        else:
            self._lose(frame, "frames without the first of their packet", events)

    def _strange(self, data: bytes, why: str, events: list[Event]) -> None:
        """Bytes that are no frame."""
        if self._packet:
            self._break(f"after {self._frames()} of {FRAMES} frames: {why}")
        if self._lost:
            self._lose(data, why, events)
        else:
            events.append(Noise(data))

    def _break(self, why: str) -> None:
        """The packet is lost, with what follows up to the next."""
        self._lost, self._packet, self._why = self._packet, b"", why

    def _lose(self, data: bytes, why: str, events: list[Event]) -> None:
        while data:
            self._why = self._why if self._lost else why
            room = PACKET - len(self._lost)
            self._lost += data[:room]
            data = data[room:]
            if len(self._lost) == PACKET:
                self._give_up(events)

    def _give_up(self, events: list[Event]) -> None:
        if self._lost:
            events.append(Noise(self._lost) if self._joined else IntegrityError(self._why, self._lost))
        self._lost, self._why = b"", ""

    def _frames(self) -> int:
        return len(self._packet) // FRAME
