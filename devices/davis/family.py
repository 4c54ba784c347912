"""Davis Vantage Pro, Pro2 and Vue: a weather station that is asked over the serial port of its console.

    LF ------------------->                      a console that sleeps is woken: up to three times, 1.2 s apart
                <---------- LF CR
    "LOOP 1" LF ---------->
                <---------- 06, LOOP (99 bytes)
    "LPS 2 1" LF --------->
                <---------- 06, LOOP2 (99 bytes)

What is in both packets is taken from LOOP, so that a console whose firmware (before 1.90) does not know LPS is read
as well. A recording of packets is read whatever asked for them, with the 06 or without.

Limits: 19,200 baud 8N1 as delivered (menu: 1200 to 19,200). It sleeps after two minutes without a question. Only a
Weatherlink logger gives the console its port; WeatherLink Live and 6313 consoles have none.
Source: Davis Instruments, serial communication reference manual 2.6.1, V (waking), VIII (LOOP, LPS) and X; the
packets: loop.py.
"""

from collections.abc import Mapping
from functools import partial

from devices.davis.loop import HEAD, KIND_AT, SIZE, TAIL, Packet, Rain, loop, loop2, wrong
from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.events import Value
from devices.spec.polled import Answer, NotMine, Question, Timing, Verdict
from devices.spec.sequence import Bits, Sequence

ACK = b"\x06"
AWAKE = b"\n\r"
TRIES = 3
TIMING = Timing(timeout_s=1.2, silence_s=0.02, late_s=1.0)


def _wake(_unit: int, data: bytes) -> Verdict:
    if data.startswith(AWAKE):
        return Answer(len(AWAKE), None)
    return None if AWAKE.startswith(data) else NotMine()


WAKE = Question("wake", lambda _unit: b"\n", _wake, lambda _unit, _fields: AWAKE, (), len(AWAKE), tries=TRIES)


def _asked(packet: Packet, command: bytes) -> Question:
    """The question for a packet, which comes behind an acknowledgement."""

    def judge(_unit: int, data: bytes) -> Verdict:
        if not data.startswith(ACK):
            return NotMine()
        verdict = _judged(packet, data[1:])
        if isinstance(verdict, Answer):
            return verdict._replace(size=SIZE + 1)
        if isinstance(verdict, NotMine) and verdict.why:
            return verdict._replace(size=SIZE + 1)
        return verdict

    def answer(_unit: int, fields: Mapping[str, Value]) -> bytes:
        return ACK + packet.write(fields)

    return Question(packet.name, lambda _unit: command, judge, answer, packet.fields, SIZE + 1)


def _recorded(packet: Packet) -> Question:
    """A packet in a recording."""

    def judge(_unit: int, data: bytes) -> Verdict:
        acknowledged = data.startswith(ACK)
        verdict = _judged(packet, data[acknowledged:])
        if acknowledged and verdict is None and len(data) == 1:
            return None
        if isinstance(verdict, Answer) or (isinstance(verdict, NotMine) and verdict.why):
            return verdict._replace(size=SIZE + acknowledged)
        return verdict

    return Question(
        packet.name,
        lambda _unit: b"LPS %d 1\n" % (1 << packet.kind),
        judge,
        lambda _unit, fields: packet.write(fields),
        packet.fields,
        SIZE + 1,
    )


def _judged(packet: Packet, data: bytes) -> Verdict:
    """What bytes are for whoever waits for a packet; `data` may be empty."""
    if not (data.startswith(HEAD) or HEAD.startswith(data)):
        return NotMine()
    if data[KIND_AT : KIND_AT + 1] not in (b"", b"\0", b"\1") or not TAIL.startswith(data[SIZE - 4 : SIZE - 2]):
        return NotMine()
    mine = data[KIND_AT : KIND_AT + 1] in (b"", bytes((packet.kind,)))
    if len(data) < SIZE:
        return None if mine else NotMine(0)
    frame = data[:SIZE]
    why = wrong(frame)
    if mine:
        return NotMine(SIZE, why) if why else Answer(SIZE, packet.read(frame))
    return NotMine() if why else NotMine(SIZE, f"another packet than {packet.name}", whole=True)


def vantage(name: str, title: str, rain: Rain) -> PolledDevice:
    """The type of a console with such a bucket."""
    first, second, whole = loop(rain), loop2(rain, alone=False), loop2(rain, alone=True)
    barometer = next(field for field in first.fields if field.name == "barometer_inhg")
    return PolledDevice(
        name=name,
        title=title,
        domain="park",
        source="Davis Instruments, serial communication reference manual 2.6.1",
        fields=(*first.fields, *second.fields),
        expected_every_s=10.0,
        sequence=Sequence((Bits.of(barometer, 6),)),
        says_all=True,
        serial=SerialSettings(baud=19200),
        questions=(WAKE, _asked(first, b"LOOP 1\n"), _asked(second, b"LPS 2 1\n")),
        recorded=(_recorded(first), _recorded(whole)),
        timing=TIMING,
    )


inches = partial(Rain, "[in_i]", 100)
millimetres = partial(Rain, "mm", 5)
