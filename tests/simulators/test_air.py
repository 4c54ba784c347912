"""Doubles of air sensors that have modes: what they are told shows in what they say."""

import pytest

from devices.spec.command import DONE, Outcome, StreamCommand, To
from devices.spec.device import StreamDevice
from devices.spec.events import Empty, Event, Noise, Reading, Value
from devices.spec.polled import Exchange
from simulators.line import Respondent
from simulators.peer import Instrument
from simulators.things import ThingSpec, peer, respondent
from tests.device_types import BY_NAME

NOON = 1_767_326_500.0


def sensor(name: str) -> Instrument:
    """One that was switched on ten seconds before NOON."""
    one = peer(ThingSpec("lamp", BY_NAME[name], seed=7, period_s=1.0))
    said(one, NOON - 10)
    said(one, NOON)
    return one


def tell(one: Instrument, name: str, arguments: dict[str, object]) -> tuple[StreamCommand, dict[str, Value], bytes]:
    """The command, its arguments, and what came back at once."""
    assert isinstance(one.device, StreamDevice)
    command = next(each for each in one.device.commands if each.name == name)
    read = command.read(arguments)
    return command, read, one.receive(command.encode(read, To("lamp")))


def said(one: Instrument, now_s: float) -> list[Event]:
    """What it says by then, as its own decoder reads it."""
    assert isinstance(one.device, StreamDevice)
    frames = one.tick(now_s)
    for frame in frames:
        one.delivered(frame)
    decoder = one.device.decoder()
    return decoder.feed(b"".join(frame.data for frame in frames)) + decoder.flush()


def test_a_board_says_what_was_selected_and_the_frame_is_the_answer() -> None:
    one = sensor("mcu680")
    off = {"pressure": False, "iaq": False, "gas": "off", "altitude": "no"}
    command, arguments, answer = tell(one, "select", off)
    assert command.encode(arguments, To("lamp")) == bytes.fromhex("a55503fd")
    assert answer == b""
    events = said(one, NOON + 2)
    assert events
    for event in events:
        assert isinstance(event, Reading)
        assert event.fields.keys() == {"temperature_c", "humidity_pct"}
        assert command.outcome(arguments, To("lamp"), event) is not None
    whole = command.read({})
    assert command.outcome(whole, To("lamp"), events[0]) is None


def test_a_board_that_is_read_says_nothing_more_until_it_is_active() -> None:
    one = sensor("mcu680")
    tell(one, "read", {})
    assert len(said(one, NOON + 3)) == 1
    assert said(one, NOON + 30) == []
    tell(one, "active", {})
    said(one, NOON + 31)
    assert len(said(one, NOON + 33)) == 2


def outcome(one: Instrument, command: StreamCommand, arguments: dict[str, Value], data: bytes) -> list[Outcome | None]:
    assert isinstance(one.device, StreamDevice)
    decoder = one.device.decoder()
    return [command.outcome(arguments, To("lamp"), event) for event in decoder.feed(data) + decoder.flush()]


def test_a_honeywell_that_is_read_answers_in_the_short_form() -> None:
    for name, short in (("hpma115s0", "400504"), ("hpma115c0", "400d04")):
        one = sensor(name)
        command, arguments, answer = tell(one, "passive", {})
        assert answer == b"\xa5\xa5"
        assert outcome(one, command, arguments, answer) == [DONE]
        assert said(one, NOON + 10) == []
        command, arguments, answer = tell(one, "read", {})
        assert answer == b""
        (frame,) = one.tick(NOON + 11)
        assert frame.data.hex().startswith(short)
        assert outcome(one, command, arguments, frame.data) == [DONE]


def test_a_honeywell_that_sleeps_refuses_to_be_read_and_keeps_what_it_is_adjusted_by() -> None:
    one = sensor("hpma115s0")
    tell(one, "sleep", {})
    assert said(one, NOON + 10) == []
    command, arguments, answer = tell(one, "read", {})
    assert answer == b"\x96\x96"
    assert outcome(one, command, arguments, answer) == [
        Outcome("refused", "the sensor does not measure: is it asleep?")
    ]
    command, arguments, answer = tell(one, "adjust", {"adjustment_pct": 100})
    assert command.encode(arguments, To("lamp")) == bytes.fromhex("680208642a")
    assert answer == b"\xa5\xa5"
    tell(one, "adjust", {"adjustment_pct": 150})
    _, _, answer = tell(one, "adjustment", {})
    assert answer == bytes.fromhex("4002109618")
    tell(one, "wake", {})
    said(one, NOON + 11)
    assert [type(event) for event in said(one, NOON + 16)] == [Empty, Empty, Reading, Reading, Reading]


@pytest.mark.parametrize(
    "name", ["pms3003", "pms5003", "pms5003s", "pms5003st", "pms5003t", "sds011", "sds198", "hpma115c0"]
)
def test_a_sensor_that_was_woken_warms_up(name: str) -> None:
    one = sensor(name)
    if name == "pms3003":
        assert one.device.told == ()
        return
    tell(one, "sleep", {})
    assert said(one, NOON + 60) == []
    tell(one, "wake", {})
    said(one, NOON + 61)
    events = said(one, NOON + 66)
    cold = [event for event in events if isinstance(event, Empty)]
    assert [type(event) for event in events] == [Empty] * len(cold) + [Reading] * (len(events) - len(cold))
    assert len(cold) == 2
    assert all(event.detail.startswith("warming up") for event in cold)
    assert len(events) > 3


@pytest.mark.parametrize(
    "name",
    ["pms3003", "pms5003", "pms5003t", "pms5003s", "pms5003st", "pms7003", "pmsa003", "sds011", "sds018", "sds021",
     "sds198", "hpma115s0", "hpma115c0", "mcu680"],
)  # fmt: skip
def test_a_sensor_that_was_switched_on_rises_its_line_and_warms_up(name: str) -> None:
    one = peer(ThingSpec("lamp", BY_NAME[name], seed=7, period_s=1.0))
    assert said(one, NOON) == []
    glitch, *events = said(one, NOON + 5)
    assert glitch == Noise(b"\x00")
    assert [type(event) for event in events] == [Empty, Empty, Reading, Reading, Reading]
    assert one.sent == {(): 3}


def test_an_scd30_has_measured_nothing_for_two_seconds() -> None:
    one = respondent(ThingSpec("office", BY_NAME["scd30"], seed=7))

    def answered(number: int, now_s: float) -> Event:
        exchange = Exchange(one.device.questions[number], one.unit)
        (event,) = exchange.feed(b"".join(one.answer(exchange.question, now_s).wire.pieces))
        return event

    assert answered(0, NOON) == Reading({"data_ready_flag": False})
    assert isinstance(answered(1, NOON + 1), Empty)
    event = answered(1, NOON + 2)
    assert isinstance(event, Reading)
    assert event.fields.keys() == {"co2_ppm", "temperature_c", "humidity_pct"}


def test_an_mhz19b_starts_once_and_an_sps30_is_idle_until_it_is_told_to_measure() -> None:
    def answered(one: Respondent, number: int, now_s: float) -> list[Event]:
        exchange = Exchange(one.device.questions[number], one.unit)
        return exchange.feed(b"".join(one.answer(exchange.question, now_s).wire.pieces))

    one = respondent(ThingSpec("office", BY_NAME["mhz19b"], seed=7))
    assert [type(answered(one, 0, NOON + at)[0]) for at in range(3)] == [Empty, Reading, Reading]
    one = respondent(ThingSpec("street", BY_NAME["sps30"], seed=7))
    told = [(1, 0.0), (0, 0.1), (0, 0.2), (1, 0.5), (1, 1.5), (1, 1.6), (1, 2.6)]
    details = [
        event.detail if isinstance(event, Empty) else type(event).__name__
        for number, at in told
        for event in answered(one, number, NOON + at)
    ]
    assert details == [
        "it does not measure (state 43)",
        "it measures from now on",
        "it measures already (state 43)",
        "warming up: every number is zero",
        "Reading",
        "nothing measured since it was asked last",
        "Reading",
    ]


@pytest.mark.parametrize("name", ["pms5003", "sds011", "nmea0183"])
def test_a_warm_one_measures_at_once(name: str) -> None:
    one = peer(ThingSpec("thing-1", BY_NAME[name], seed=3, period_s=1.0, warm=True))
    decoder = one.device.decoder()
    frames = [frame for second in range(3) for frame in one.tick(NOON + second)]
    events = [event for frame in frames for event in decoder.feed(frame.data)]
    assert frames
    assert all(isinstance(event, Reading) and event.fields.keys() - {"sentence", "text"} for event in events), events
    assert all(frame.number is not None for frame in frames)
