"""SHDLC and the SPS30: stuffing, commands byte by byte, and when it is told to measure; what the SCD30 is told.

Sources: Sensirion SPS30 data sheet (March 2020), 5; SCD30 interface description 1.0 (May 2020), 1.4.
"""

import struct

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pms.core import Sensor

from devices.sensirion import shdlc
from devices.sensirion.scd30 import DEVICE as SCD30
from devices.sensirion.sps30 import DEVICE
from devices.spec.command import DONE, To, refused
from devices.spec.events import Empty, Event, Reading, SanityError
from devices.spec.polled import Exchange, Overheard, Round
from tests.devices.test_published_air import NAMES

PAIRS = ((0x7E, b"\x7d\x5e"), (0x7D, b"\x7d\x5d"), (0x11, b"\x7d\x31"), (0x13, b"\x7d\x33"))


def stuffed(body: bytes) -> bytes:
    """As the data sheet has it, apart from the code under test."""
    pairs = dict(PAIRS)
    return b"\x7e" + b"".join(pairs.get(byte, bytes((byte,))) for byte in body + bytes((~sum(body) & 0xFF,))) + b"\x7e"


def heard(data: bytes) -> list[Event]:
    decoder = Overheard(DEVICE.questions, 0)
    return decoder.feed(data) + decoder.flush()


@given(data=st.binary(max_size=255))
def test_what_is_stuffed_comes_back(data: bytes) -> None:
    frame = shdlc.answer(3, data) if len(data) < 256 else b""
    assert frame == stuffed(bytes((0, 3, 0, len(data))) + data)
    assert b"\x7e" not in frame[1:-1]
    body = shdlc.unstuffed(frame[1:-1])
    assert body is not None
    assert body[4:-1] == data
    assert shdlc.wrong(body) == ""
    assert len(frame) <= shdlc.longest(len(data))


@pytest.mark.parametrize(
    ("written", "read"),
    [("7d5d5e", "7d5e"), ("7d5d31", "7d31"), ("7d5e7d31", "7e11"), ("7d00", None), ("017d", None), ("1113", "1113")],
)
def test_bytes_are_unstuffed_one_after_the_other(written: str, read: str | None) -> None:
    assert shdlc.unstuffed(bytes.fromhex(written)) == (None if read is None else bytes.fromhex(read))


@settings(max_examples=300, deadline=None)
@given(
    values=st.lists(st.floats(0.0009765625, 60000, width=32), min_size=9, max_size=9),
    size=st.floats(0.25, 10, width=32),
)
def test_what_pypms_reads_we_read(values: list[float], size: float) -> None:
    data = struct.pack(">10f", *values, size)
    frame = stuffed(bytes((0, 3, 0, 40)) + data)
    assume(not any(b"\x7d\x5d" + second in frame for second in (b"\x5e", b"\x31", b"\x33")))  # pypms replaces by pairs
    (reading,) = heard(frame)
    assert isinstance(reading, Reading)
    assert not reading.field_errors
    theirs = Sensor["SPS30"].decode(frame, time=1)
    for name, (ours, _) in NAMES["sensirion-shdlc"].items():
        value = reading.fields[ours]
        assert struct.pack(">f", value) == struct.pack(">f", getattr(theirs, name)), name


@pytest.mark.parametrize(
    ("name", "arguments", "said", "answered"),
    [
        ("clean-fan", {}, "7e005600a97e", "7e00560000a97e"),
        ("cleaning-interval", {"cleaning_interval_s": 604800}, "7e0080050000093a80b77e", "7e008000007f7e"),
        ("cleaning-interval", {"cleaning_interval_s": 0}, "7e00800500000000007a7e", "7e008000007f7e"),
        ("restart", {}, "7e00d3002c7e", "7e00d300002c7e"),
    ],
)
def test_what_it_is_told(name: str, arguments: dict[str, object], said: str, answered: str) -> None:
    command = next(each for each in DEVICE.commands if each.name == name)
    read = command.read(arguments)
    (question,) = command.questions(read)
    assert question.request(0).hex() == said
    assert question.answer(0, {}).hex() == answered
    exchange = Exchange(question, 0)
    (event,) = exchange.feed(bytes.fromhex(answered))
    assert command.outcome(0, event) == DONE
    heard_by_it = command.steps[0].request.parse(bytes.fromhex(said) + b"\x7e", To())
    assert heard_by_it is not None
    assert (heard_by_it.size, heard_by_it.arguments) == (len(said) // 2, read)


def test_a_command_that_is_refused_says_why() -> None:
    command = next(each for each in DEVICE.commands if each.name == "clean-fan")
    (question,) = command.questions({})
    (event,) = Exchange(question, 0).feed(stuffed(bytes((0, 0x56, 0x43, 0))))
    assert isinstance(event, SanityError)
    assert command.outcome(0, event) == refused("refused in state 43, not allowed in its present state")


def test_a_frame_that_is_broken_off_costs_nothing_of_the_next() -> None:
    whole = stuffed(bytes((0, 3, 0, 40)) + struct.pack(">10f", *range(1, 11)))
    for cut in range(1, len(whole) - 1):
        events = heard(whole[:cut] + whole)
        assert [type(event) for event in events if isinstance(event, Reading)] == [Reading], cut
        assert sum(len(event.data) for event in events if not isinstance(event, Reading)) == cut


def test_it_is_told_to_measure_only_where_it_brings_nothing() -> None:
    start, read = DEVICE.questions
    nothing, values = stuffed(bytes((0, 3, 0, 0))), stuffed(bytes((0, 3, 0, 40)) + struct.pack(">10f", *range(1, 11)))
    rounds, asked = Round(DEVICE.questions, 0), []
    answers = iter((nothing, values, values, nothing, values, values))
    for _ in range(6):
        rounds.begin()
        asked.append("")
        while (exchange := rounds.next()) is not None:
            if exchange.question is start:
                events = exchange.feed(stuffed(bytes((0, 0, 0x43, 0))))
                assert [type(event) for event in events] == [Empty]
            else:
                assert exchange.question is read
                exchange.feed(next(answers))
            asked[-1] += "s" if exchange.question is start else "r"
            rounds.result(exchange.answered)
    assert asked == ["sr", "sr", "r", "r", "sr", "r"]


def test_one_that_does_not_answer_is_told_to_measure_until_it_does() -> None:
    rounds = Round(DEVICE.questions, 0)
    for _ in range(3):
        rounds.begin()
        exchange = rounds.next()
        assert exchange is not None
        assert exchange.question.starts
        rounds.result(False)
        assert rounds.next() is None
    rounds.begin()
    exchange = rounds.next()
    assert exchange is not None
    exchange.feed(stuffed(bytes((0, 0, 0, 0))))
    rounds.result(exchange.answered)
    following = rounds.next()
    assert following is not None
    assert following.question is DEVICE.questions[1]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("interval", {"interval_s": 10}, "61060025000a11a6"),
        ("start", {}, "6106003600006064"),
        ("stop", {}, "610600370001f064"),
        ("calibrate", {"span_ppm": 450}, "6106003901c2d066"),
        ("self-calibration", {"on": "off"}, "6106003a0000a067"),
        ("temperature-offset", {"offset_k": 5.0}, "6106003b01f4f1b0"),
    ],
)
def test_what_an_scd30_is_told(name: str, arguments: dict[str, object], said: str) -> None:
    command = next(each for each in SCD30.commands if each.name == name)
    first, *_ = command.questions(command.read(arguments))
    assert first.request(0x61).hex() == said
    assert first.answer(0x61, {}).hex() == said
    exchange = Exchange(first, 0x61)
    assert [type(event) for event in exchange.feed(bytes.fromhex(said))] == [Empty]
    assert exchange.answered
