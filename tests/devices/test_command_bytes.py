"""What is said for a command, byte by byte and message by message, as the papers have it; and which answers count.

Sources: Winsen MH-Z19B user manual V1.0; ESPEasy P049 (range); zigbee2mqtt.io, MQTT topics and messages; VDA 5050 2.1.0
and the instantActions samples of openTCS (1.1, 2.0).
"""

import json
from typing import Any

import pytest

from devices.spec.command import ACCEPTED, DONE, MessageCommand, PolledCommand, To, refused
from devices.spec.device import MessageDevice, PolledDevice
from devices.spec.errors import ArgumentError, EncodeError
from devices.zigbee2mqtt.commands import writable
from tests.device_types import BY_NAME

T = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("name", "arguments", "data"),
    [
        ("self-calibration-on", {}, "ff0179a000000000e6"),
        ("self-calibration-off", {}, "ff01790000000000 86"),
        ("calibrate-zero", {}, "ff018700000000 0078"),
        ("calibrate-span", {"span_ppm": 2000}, "ff018807d0000000a0"),
        ("range", {"range_ppm": 2000}, "ff019900000007d08f"),
        ("range", {"range_ppm": 5000}, "ff01990000001388cb"),
    ],
)
def test_mhz19b(name: str, arguments: dict[str, object], data: str) -> None:
    device = BY_NAME["mhz19b"]
    assert isinstance(device, PolledDevice)
    command: PolledCommand = next(each for each in device.commands if each.name == name)
    (question,) = command.questions(command.read(arguments))
    assert question.request(0) == bytes.fromhex(data)


def told(device: str, name: str) -> MessageCommand:
    found = BY_NAME[device]
    assert isinstance(found, MessageDevice)
    return next(each for each in found.commands if each.name == name)


LAMP = To("lamp", topic="zigbee2mqtt/lamp", ident="p-7", number=7, now_ns=T)


def test_zigbee2mqtt_is_told_in_its_own_names() -> None:
    command = told("zigbee2mqtt", "set")
    (said,) = command.encode({"state": "ON", "brightness": 120.0, "color_x": 0.4, "color_y": 0.3}, LAMP)
    assert (said.topic, said.qos) == ("zigbee2mqtt/lamp/set", 1)
    assert json.loads(said.payload) == {"state": "ON", "brightness": 120, "color": {"x": 0.4, "y": 0.3}}
    with pytest.raises(EncodeError, match="at least one property"):
        command.encode({}, LAMP)


@pytest.mark.parametrize(
    ("thing", "topic", "expected"),
    [
        ("lamp", "zigbee2mqtt/lamp/availability", "zigbee2mqtt/lamp/set"),
        ("lamp", "zigbee2mqtt/lamp/color_temp", "zigbee2mqtt/lamp/set"),
        ("hall/lamp", "home/z2m/hall/lamp", "home/z2m/hall/lamp/set"),
        ("east/lamp", "east/z2m/lamp", "east/z2m/lamp/set"),
        ("renamed in the configuration", "zigbee2mqtt/lamp", "zigbee2mqtt/lamp/set"),
    ],
)
def test_zigbee2mqtt_topics_are_made_from_any_topic_of_the_thing(thing: str, topic: str, expected: str) -> None:
    (said,) = told("zigbee2mqtt", "set").encode({"state": "ON"}, To(thing, topic=topic))
    assert said.topic == expected


@pytest.mark.parametrize(
    ("topic", "payload", "outcome"),
    [
        ("zigbee2mqtt/lamp", '{"state":"ON","brightness":121,"linkquality":90}', DONE),
        ("zigbee2mqtt/lamp", '{"state":"ON","brightness":30}', None),
        ("zigbee2mqtt/lamp", '{"brightness":120}', None),
        ("zigbee2mqtt/other", '{"state":"ON","brightness":120}', None),
        ("zigbee2mqtt/lamp", "[]", None),
        ("zigbee2mqtt/bridge/logging", '{"level":"info","message":"z2m: to \'lamp\' failed"}', None),
        (
            "zigbee2mqtt/bridge/logging",
            '{"level":"error","message":"z2m: Publish \'set\' \'state\' to \'lamp\' failed: timeout"}',
            refused("z2m: Publish 'set' 'state' to 'lamp' failed: timeout"),
        ),
        (
            "zigbee2mqtt/bridge/logging",
            '{"level":"error","message":"z2m: Publish \'set\' \'state\' to \'lamp2\' failed: timeout"}',
            None,
        ),
    ],
)
def test_zigbee2mqtt_is_done_when_the_state_says_so(topic: str, payload: str, outcome: object) -> None:
    arguments: dict[str, Any] = {"state": "on", "brightness": 120.0}
    assert told("zigbee2mqtt", "set").judge(arguments, LAMP, topic, payload.encode()) == outcome


def test_what_can_be_set_is_what_the_bridge_lists_as_settable() -> None:
    found = writable(
        [
            {"type": "light", "features": [
                {"type": "binary", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF",
                 "value_toggle": "TOGGLE", "label": "State"},
                {"type": "numeric", "property": "brightness", "access": 7, "value_min": 0, "value_max": 254},
                {"type": "composite", "property": "color", "access": 7, "features": [
                    {"type": "numeric", "property": "x", "access": 7},
                    {"type": "numeric", "property": "y", "access": 7}]},
            ]},
            {"type": "binary", "property": "child_lock", "access": 3, "value_on": True, "value_off": False},
            {"type": "numeric", "property": "occupied_heating_setpoint", "access": 7, "value_min": 5, "value_max": 30,
             "value_step": 0.5, "unit": "°C", "label": "Setpoint"},
            {"type": "enum", "property": "effect", "access": 2, "values": ["blink", "okay"]},
            {"type": "numeric", "property": "temperature", "access": 1, "unit": "°C"},
            {"type": "enum", "property": "Bad Name!", "access": 7, "values": ["a"]},
            {"type": "binary", "property": "odd", "access": 7, "value_on": 1},
            {"type": "numeric", "access": 7}, 5, None,
        ]
    )  # fmt: skip
    by_name = {each.name: each for each in found}
    assert {name: each.words for name, each in by_name.items()} == {
        "state": "ON, OFF or TOGGLE",
        "brightness": "a number from 0 to 254",
        "color_x": "a number from 0 to 1",
        "color_y": "a number from 0 to 1",
        "child_lock": "true or false",
        "occupied_heating_setpoint": "a number from 5 to 30 in steps of 0.5",
        "effect": "blink or okay",
    }
    assert by_name["occupied_heating_setpoint"].field.description == "Setpoint in °C"
    with pytest.raises(ArgumentError, match="brightness = 300: expected a number from 0 to 254"):
        told("zigbee2mqtt", "set").read({"brightness": 300}, found)


ROBOT = To("r1", topic="uagv/v2/acme/r1/state", ident="park-7", number=7, now_ns=T)


def test_a_robot_is_told_in_the_version_of_its_topic() -> None:
    (said,) = told("vda5050", "start-pause").encode({}, ROBOT)
    assert (said.topic, said.qos) == ("uagv/v2/acme/r1/instantActions", 0)
    assert json.loads(said.payload) == {
        "headerId": 7,
        "timestamp": "2023-11-14T22:13:20.000Z",
        "version": "2.1.0",
        "manufacturer": "acme",
        "serialNumber": "r1",
        "actions": [{"actionType": "startPause", "actionId": "park-7", "blockingType": "HARD", "actionParameters": []}],
    }
    (old,) = told("vda5050", "state-request").encode({}, To("r1", topic="uagv/v1/acme/r1/connection"))
    assert json.loads(old.payload)["instantActions"][0]["actionType"] == "stateRequest"
    assert old.topic == "uagv/v1/acme/r1/instantActions"
    with pytest.raises(EncodeError, match=r"VDA 5050 1\.1\.0 has no factsheetRequest"):
        told("vda5050", "factsheet-request").encode({}, To("r1", topic="uagv/v1/acme/r1/state"))
    with pytest.raises(EncodeError, match=r"expected \.\.\./manufacturer/serialNumber/state"):
        told("vda5050", "start-pause").encode({}, To("r1", topic="r1"))


def state(**parts: object) -> bytes:
    return json.dumps({"actionStates": [{"actionId": "order-action", "actionStatus": "FAILED"}], **parts}).encode()


@pytest.mark.parametrize(
    ("payload", "outcome"),
    [
        (state(), None),
        (state(actionStates=[{"actionId": "park-7", "actionStatus": "RUNNING"}]), ACCEPTED),
        (state(actionStates=[{"actionId": "park-7", "actionStatus": "FINISHED"}]), DONE),
        (state(instantActionStates=[{"actionId": "park-7", "actionStatus": "FINISHED"}]), DONE),
        (
            state(actionStates=[{"actionId": "park-7", "actionStatus": "FAILED", "resultDescription": "no order"}]),
            refused("FAILED: no order"),
        ),
        (
            state(errors=[{"errorType": "noOrderToCancel", "errorLevel": "WARNING",
                           "errorReferences": [{"referenceKey": "actionId", "referenceValue": "park-7"}]}]),
            refused("noOrderToCancel: the robot does not say why"),
        ),
        (state(errors=[{"errorType": "x", "errorReferences": None}]), None),
        (b"{}", None),
        (b"nonsense", None),
    ],
)  # fmt: skip
def test_a_robot_answers_in_its_state(payload: bytes, outcome: object) -> None:
    assert told("vda5050", "start-pause").judge({}, ROBOT, "uagv/v2/acme/r1/state", payload) == outcome
    assert told("vda5050", "start-pause").judge({}, ROBOT, "uagv/v2/acme/r2/state", payload) is None
