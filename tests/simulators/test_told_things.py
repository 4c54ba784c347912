"""Things on MQTT that are told something change: a robot stands while it is paused, a lamp keeps what was set."""

import json

from devices.spec.command import MessageCommand, To
from devices.spec.device import MessageDevice
from devices.spec.events import Value
from simulators.peer import Frame, Instrument
from simulators.things import ThingSpec, peer
from tests.device_types import BY_NAME

NOON = 1_767_326_500.0


def tell(one: Instrument, name: str, arguments: dict[str, Value], ident: str, now_s: float) -> list[Frame]:
    device = one.device
    assert isinstance(device, MessageDevice)
    command: MessageCommand = next(each for each in device.commands if each.name == name)
    (said,) = command.encode(arguments, To(one.thing or "", topic=one.topic, ident=ident))
    return one.hear(said.topic, said.payload, now_s)


def states(one: Instrument, now_s: float) -> list[dict[str, object]]:
    frames = one.tick(now_s)
    for frame in frames:
        one.delivered(frame)
    return [json.loads(frame.data) for frame in frames]


def test_a_robot_stands_while_it_is_paused_and_goes_on_where_it_stood() -> None:
    one = peer(ThingSpec("r1", BY_NAME["vda5050"], seed=7, period_s=1.0, topic="uagv/v2/acme/r1/state"))
    moving = states(one, NOON) + states(one, NOON + 1) + states(one, NOON + 2)
    assert moving[-1]["driving"]
    assert tell(one, "start-pause", {}, "a-1", NOON + 2.1) == []
    (first,) = states(one, NOON + 2.2)
    assert first["actionStates"] == [{"actionId": "a-1", "actionStatus": "FINISHED"}]
    assert (first["paused"], first["driving"]) == (True, False)
    later = states(one, NOON + 60)
    assert later
    assert all(each["agvPosition"] == first["agvPosition"] for each in later)
    assert later[-1]["timestamp"] > first["timestamp"]  # type: ignore[operator]
    numbers = [each["headerId"] for each in (*moving, first, *later)]
    assert numbers == list(range(len(numbers)))
    tell(one, "stop-pause", {}, "a-2", NOON + 62)
    again = states(one, NOON + 63)
    assert again[0]["actionStates"] == [{"actionId": "a-2", "actionStatus": "FINISHED"}]
    assert again[-1]["driving"]
    assert not again[-1]["paused"]


def test_an_order_is_cancelled_once() -> None:
    one = peer(ThingSpec("r1", BY_NAME["vda5050"], seed=7, period_s=1.0, topic="vda5050/v3/acme/r1/state"))
    states(one, NOON)
    assert states(one, NOON + 2)[-1]["orderId"]
    tell(one, "cancel-order", {}, "a-1", NOON + 2)
    (state,) = states(one, NOON + 2.1)
    assert state["orderId"] == ""
    assert state["instantActionStates"] == [{"actionId": "a-1", "actionStatus": "FINISHED"}]
    tell(one, "cancel-order", {}, "a-2", NOON + 3)
    assert states(one, NOON + 3)[0]["instantActionStates"] == [
        {"actionId": "a-2", "actionStatus": "FAILED", "resultDescription": "noOrderToCancel"}
    ]


def test_a_factsheet_is_published_when_it_is_asked_for() -> None:
    one = peer(ThingSpec("r1", BY_NAME["vda5050"], seed=7, topic="uagv/v2/acme/r1/state"))
    (sheet,) = tell(one, "factsheet-request", {}, "a-1", NOON)
    assert sheet.topic == "uagv/v2/acme/r1/factsheet"
    assert json.loads(sheet.data)["typeSpecification"]["agvClass"] == "CARRIER"


def test_a_lamp_keeps_what_was_set() -> None:
    one = peer(ThingSpec("lamp", BY_NAME["zigbee2mqtt"], seed=7, topic="zigbee2mqtt/lamp"))
    assert one.listens() == ("zigbee2mqtt/lamp/set",)
    states(one, NOON)
    assert tell(one, "set", {"state": "ON", "brightness": 99.0}, "", NOON) == []
    state = states(one, NOON + 0.1)[0]
    assert (state["state"], state["brightness"]) == ("ON", 99)
    assert "linkquality" in state
    tell(one, "set", {"brightness": 1.0, "state": "TOGGLE"}, "", NOON + 0.2)
    state = states(one, NOON + 0.3)[0]
    assert (state["state"], state["brightness"]) == ("OFF", 1)
