"""Arguments in the words of people, and requests byte by byte as the papers have them.

Sources: Nova Fitness, Laser Dust Sensor Control Protocol V1.3 (set working period); Modbus application protocol
V1.1b3, 6.6 and 6.12, as frames of RTU (simplymodbus.ca, FC06 and FC16).
"""

import pytest

from devices.modbus.write import written
from devices.nova.family import SET_PERIOD
from devices.spec.command import Argument, Command, Heard, PolledCommand, StreamCommand, To, plain, refused
from devices.spec.device import StreamDevice
from devices.spec.errors import ArgumentError, DescriptionError
from devices.spec.events import IntegrityError, Noise, SanityError
from devices.spec.field import Field
from devices.spec.polled import Exchange
from devices.spec.register import Register
from tests.device_types import BY_NAME

LEVEL = Argument(Field("level_pct", "%", "How bright", minimum=0, maximum=100, step=0.5))
COUNT = Argument(Field("count", "1", "How often", kind="counter", minimum=1, maximum=9), default=3)
FLAG = Argument(Field("now", "1", "At once", kind="flag", optional=True))
MODE = Argument(Field("mode", "1", "Which", kind="state", states=("ON", "OFF", "blink")))
NAME = Argument(Field("label", "1", "Name", kind="text", optional=True))


def lamp(*arguments: Argument) -> Command:
    return Command(name="light", description="Be bright", arguments=arguments)


@pytest.mark.parametrize(
    ("argument", "given", "value"),
    [
        (LEVEL, "12.5", 12.5),
        (LEVEL, 0, 0.0),
        (COUNT, "4", 4),
        (COUNT, 4.0, 4),
        (FLAG, "off", False),
        (FLAG, True, True),
        (MODE, "on", "ON"),
        (MODE, "Blink", "blink"),
        (NAME, "a lamp", "a lamp"),
    ],
)
def test_what_people_type_is_understood(argument: Argument, given: object, value: object) -> None:
    read = argument.read(given)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("argument", "given", "words"),
    [
        (LEVEL, 101, "level_pct = 101: expected a number from 0 to 100 in steps of 0.5 (%)"),
        (LEVEL, 0.3, "level_pct = 0.3: expected a number from 0 to 100 in steps of 0.5 (%)"),
        (LEVEL, True, "level_pct = True: expected a number from 0 to 100 in steps of 0.5 (%)"),
        (COUNT, "2.5", "count = '2.5': expected a whole number from 1 to 9"),
        (COUNT, "1e999", "count = '1e999': expected a whole number from 1 to 9"),
        (FLAG, "maybe", "now = 'maybe': expected true or false"),
        (FLAG, 1, "now = 1: expected true or false"),
        (MODE, "dim", "mode = 'dim': expected ON, OFF or blink"),
        (NAME, "two\nlines", r"label = 'two\nlines': expected a text of 1 to 200 characters"),
        (NAME, "", "label = '': expected a text of 1 to 200 characters"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_expected(argument: Argument, given: object, words: str) -> None:
    with pytest.raises(ArgumentError) as error:
        argument.read(given)
    assert str(error.value) == words


def test_defaults_come_by_themselves_and_optional_ones_stay_away() -> None:
    assert lamp(LEVEL, COUNT, FLAG).read({"level_pct": "1"}) == {"level_pct": 1.0, "count": 3}
    assert lamp().read({"level_pct": 2}, own=(LEVEL,)) == {"level_pct": 2.0}
    with pytest.raises(ArgumentError, match=r"^light: level_pct is missing: expected a number from 0 to 100"):
        lamp(LEVEL).read({})
    with pytest.raises(ArgumentError, match=r"^light: unknown argument 'x': expected level_pct or count$"):
        lamp(LEVEL, COUNT).read({"x": 1})
    with pytest.raises(ArgumentError, match=r"^light: unknown argument 'x': it has no arguments$"):
        lamp().read({"x": 1})


def test_a_description_that_contradicts_itself_is_none() -> None:
    with pytest.raises(DescriptionError, match="an argument is listed twice"):
        lamp(LEVEL, LEVEL)
    with pytest.raises(DescriptionError, match=r"the default of count = 10: expected a whole number from 1 to 9"):
        lamp(Argument(COUNT.field, default=10))
    with pytest.raises(DescriptionError, match="small letters"):
        Command(name="Light", description="Be bright")
    with pytest.raises(DescriptionError, match="expected `judge`, or fields in `answer`"):
        StreamCommand(name="beep", description="Make a noise", request=plain(b"b"))
    device = BY_NAME["sds011"]
    assert isinstance(device, StreamDevice)
    with pytest.raises(DescriptionError, match="command sleep is listed twice"):
        StreamDevice(
            **{name: getattr(device, name) for name in device.__dataclass_fields__ if name != "commands"},
            commands=(*device.commands, device.commands[3]),
        )


def test_a_working_period_of_one_minute() -> None:
    data = bytes.fromhex("aab4080101" + "00" * 10 + "ffff08ab")
    assert SET_PERIOD.pack({"working_period_min": 1.0}, To()) == data
    assert SET_PERIOD.parse(data + b"more", To()) == Heard(19, {"working_period_min": 1.0})
    assert SET_PERIOD.parse(data.replace(b"\x08\xab", b"\x09\xab"), To()) is None


REGISTER = Register(1, Field("count", "1", "A register", minimum=0, maximum=65535, step=1))
LONG = Register(1, Field("long", "1", "Two registers", minimum=0, maximum=0xFFFFFFFF, step=1), "u32")
WRITE = PolledCommand(name="set", description="Set it", steps=written(REGISTER))
WRITE_LONG = PolledCommand(name="set", description="Set it", steps=written(LONG))


def test_one_register_is_written_and_read_back() -> None:
    write, back = WRITE.questions({"count": 3.0})
    asked = Exchange(write, 0x11)
    assert asked.request == bytes.fromhex("1106000100039a9b")
    (event,) = asked.feed(bytes.fromhex("1106000100039a9b"))
    assert WRITE.outcome(0, event) is None
    asked = Exchange(back, 0x11)
    assert asked.request == bytes.fromhex("110300010001d75a")
    # the answer to the write, late, behind the echo of an adapter: nobody's
    noise, event = asked.feed(bytes.fromhex("1106000100039a9b" + "11030200033986"))
    assert isinstance(noise, Noise)
    assert WRITE.outcome(1, event) == ("done", "")


def test_another_value_than_was_written_is_a_refusal() -> None:
    _, back = WRITE.questions({"count": 4.0})
    (event,) = Exchange(back, 0x11).feed(bytes.fromhex("11030200033986"))
    assert WRITE.outcome(1, event) == refused("count is 3.0 after it was set to 4.0")


def test_two_registers_are_written_by_another_function() -> None:
    write, _ = WRITE_LONG.questions({"long": float(0x000A0102)})
    asked = Exchange(write, 0x11)
    assert asked.request == bytes.fromhex("11100001000204000a0102c6f0")
    (event,) = asked.feed(bytes.fromhex("1110000100021298"))
    assert WRITE_LONG.outcome(0, event) is None


def test_an_exception_is_a_refusal_with_its_name_and_one_that_is_damaged_is_none() -> None:
    write, _ = WRITE.questions({"count": 3.0})
    damaged, event = Exchange(write, 0x11).feed(bytes.fromhex("118602c265" + "118602c264"))
    assert isinstance(damaged, IntegrityError)
    assert isinstance(event, SanityError)
    outcome = WRITE.outcome(0, event)
    assert outcome is not None
    assert outcome.word == "refused"
    assert outcome.why.startswith("refused with exception 2, illegal data address")
