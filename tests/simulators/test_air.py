"""Doubles of air sensors that have modes: what they are told shows in what they say."""

from devices.spec.command import DONE, Outcome, StreamCommand, To
from devices.spec.device import StreamDevice
from devices.spec.events import Event, Reading, Value
from simulators.peer import Instrument
from simulators.things import ThingSpec, peer
from tests.device_types import BY_NAME

NOON = 1_767_326_500.0


def sensor(name: str) -> Instrument:
    one = peer(ThingSpec("lamp", BY_NAME[name], seed=7, period_s=1.0))
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
    assert len(said(one, NOON + 14)) == 3
