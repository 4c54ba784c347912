"""MAVLink commands, byte by byte as pymavlink packs them, and the answers of autopilots as it packs those."""

import pytest
from pymavlink.dialects.v10 import common as v1
from pymavlink.dialects.v20 import common as v2

from devices.spec.command import ACCEPTED, DONE, StreamCommand, To, refused
from devices.spec.device import StreamDevice
from devices.spec.errors import ArgumentError, EncodeError
from devices.spec.events import Event, Reading
from simulators.mavlink import Link
from simulators.things import ThingSpec, peer
from tests.device_types import BY_NAME

COPTER = To("1-1", number=7)


def told(name: str) -> StreamCommand:
    device = BY_NAME["mavlink"]
    assert isinstance(device, StreamDevice)
    return next(each for each in device.commands if each.name == name)


def by_pymavlink(dialect: object, command: int, *params: float, seq: int = 7) -> bytes:
    link = dialect.MAVLink(None, srcSystem=255, srcComponent=190)  # type: ignore[attr-defined]
    link.seq = seq
    given = [*params, *[0.0] * (7 - len(params))]
    return bytes(link.command_long_encode(1, 1, command, 0, *given).pack(link))


def answers(
    result: int, command: int = 176, who: tuple[int, int] = (1, 1), to: tuple[int, int] = (255, 190)
) -> list[Event]:
    device = BY_NAME["mavlink"]
    assert isinstance(device, StreamDevice)
    link = v2.MAVLink(None, srcSystem=who[0], srcComponent=who[1])
    ack = link.command_ack_encode(command, result, 0, 0, *to)
    return device.decoder().feed(bytes(ack.pack(link)))


def test_a_mode_is_set_as_pymavlink_sets_it() -> None:
    mode = told("mode")
    assert mode.encode(mode.read({"custom_mode": 6}), COPTER) == by_pymavlink(v2, 176, 1, 6, 0)
    assert mode.encode(mode.read({"custom_mode": 4, "custom_submode": 5}), COPTER) == by_pymavlink(v2, 176, 1, 4, 5)
    old = mode.read({"custom_mode": 6, "wire_version": 1})
    assert mode.encode(old, COPTER) == by_pymavlink(v1, 176, 1, 6, 0)
    message = told("request-message")
    assert message.encode(message.read({"message": "gps_raw_int"}), COPTER) == by_pymavlink(v2, 512, 24)
    with pytest.raises(EncodeError, match="the port has several systems; tell one of them, as mast-1-1"):
        mode.encode(mode.read({"custom_mode": 6}), To())
    with pytest.raises(ArgumentError, match="custom_mode = 256: expected a whole number from 0 to 255"):
        mode.read({"custom_mode": 256})


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        (answers(0), DONE),
        (answers(5), ACCEPTED),
        (answers(1), refused("1-1 answers temporarily rejected: it cannot do that now")),
        (answers(3), refused("1-1 answers unsupported: it does not know that command")),
        (answers(99), refused("1-1 answers result 99")),
        (answers(0, 512), None),
        (answers(0, who=(1, 154)), None),
        (answers(0, to=(254, 190)), None),
        (answers(0, to=(0, 0)), DONE),
    ],
)
def test_the_answer_is_that_of_who_was_told(events: list[Event], outcome: object) -> None:
    (event,) = events
    mode = told("mode")
    assert mode.outcome(mode.read({"custom_mode": 6}), COPTER, event) == outcome


def test_the_double_takes_a_mode_and_its_gimbal_supports_none() -> None:
    noon = 1_767_326_400.0
    one = peer(ThingSpec("mast", BY_NAME["mavlink"], seed=7))
    assert isinstance(one, Link)
    one.tick(noon)
    mode = told("mode")
    arguments = mode.read({"custom_mode": 6})
    for who, expected in (("1-1", "done"), ("2-1", "done"), ("1-154", "refused"), ("255-190", "refused")):
        assert isinstance(one.device, StreamDevice)
        decoder = one.device.decoder()
        one.receive(mode.encode(arguments, To(who)))
        events = [event for frame in one.tick(noon + 0.01) for event in decoder.feed(frame.data)]
        readings = [event for event in events if isinstance(event, Reading)]
        found = [outcome.word for event in readings if (outcome := mode.outcome(arguments, To(who), event))]
        assert found == [expected]
        modes = {each.thing: each.fields["custom_mode"] for each in readings if each.tags["message"] == "HEARTBEAT"}
        if expected == "done":
            assert modes[who] == 6
    assert one.modes == {"1-1": 6, "2-1": 6}
