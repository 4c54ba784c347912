"""Homie devices that describe themselves before, while and after they speak."""

import json
import random

from devices.homie import description
from devices.homie.device import Family
from devices.homie.network import MOST_DEVICES, MOST_KEPT, MOST_KEPT_BYTES
from devices.spec.events import Empty, Event, Fetch, Reading, SanityError
from tests.fuzz.test_message_payloads import changed

T = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
CAR = {
    "homie": "5.0",
    "version": 7,
    "root": "garage",
    "nodes": {
        "engine": {"properties": {"temperature": {"datatype": "float", "unit": "°C", "format": "-20:120"}}},
        "lights": {"properties": {"on": {"datatype": "boolean"}, "color": {"datatype": "color", "format": "rgb"}}},
    },
}


def said(family: Family, topic: str, payload: str | bytes, at_ns: int = T, retained: bool = False) -> list[Event]:
    data = payload.encode() if isinstance(payload, str) else payload
    told = (family.retained if retained else family.decode)(topic, data, at_ns)
    return [event for event in told if not isinstance(event, Fetch)]  # type: ignore[misc]


def test_what_is_fetched_depends_on_the_versions_that_the_filter_takes() -> None:
    assert Family("homie/5/#").connected(True) == [Fetch("homie/5/+/$description"), Fetch("homie/5/+/$state")]
    assert Family("+/5/#").connected(True) == [Fetch("+/5/+/$description"), Fetch("+/5/+/$state")]
    assert Family("homie/5/super-car/#").connected(True) == Family("homie/5/#").connected(True)
    assert Family("homie/#").connected(False) == [
        Fetch("homie/5/+/$description"),
        Fetch("homie/5/+/$state"),
        Fetch("homie/+/$state"),
        Fetch("homie/+/+/+/$datatype"),
        Fetch("homie/+/+/+/$unit"),
        Fetch("homie/+/+/+/$format"),
    ]


def test_a_value_waits_for_its_description_and_has_the_time_of_its_receipt() -> None:
    family = Family("homie/5/#")
    family.connected(True)
    told = family.decode("homie/5/super-car/engine/temperature", b"21.5", T)
    assert told == [
        Empty("waits for the device to describe itself", b"21.5", "super-car"),
        Fetch("homie/5/+/$description"),
        Fetch("homie/5/+/$state"),
    ]
    assert said(family, "homie/5/super-car/$description", json.dumps(CAR), T + 5, retained=True) == [
        Reading({"property_count": 3.0}, thing="super-car", standing=True),
        Reading({"engine_temperature_c": 21.5}, T, "super-car"),
    ]
    assert family.flush() == []


def test_who_never_describes_itself_is_read_by_its_looks_after_a_minute() -> None:
    family = Family("homie/5/#")
    assert isinstance(said(family, "homie/5/shy/engine/temperature", "21.5")[0], Empty)
    (state, late) = said(family, "homie/5/shy/$state", "ready", T + 61 * SECOND)
    assert isinstance(state, Reading)
    assert late == Reading({"engine_temperature": 21.5}, T, "shy")
    assert said(family, "homie/5/shy/engine/temperature", "22", T + 62 * SECOND) == [
        Reading({"engine_temperature": 22.0}, None, "shy")
    ]


def test_attributes_of_version_4_in_any_order_are_whole_two_seconds_after_the_last() -> None:
    family = Family("homie/#")
    said(family, "homie/car/engine/temperature/$datatype", "float", T, retained=True)
    assert isinstance(said(family, "homie/car/engine/temperature", "21.5", T + SECOND)[0], Empty)
    assert isinstance(said(family, "homie/car/engine/temperature/$unit", "°C", T + SECOND, retained=True)[0], Empty)
    assert said(family, "homie/car/engine/temperature", "22.5", T + 4 * SECOND) == [
        Reading({"engine_temperature_c": 22.5}, None, "car"),
        Reading({"engine_temperature_c": 21.5}, T + SECOND, "car"),
    ]


def test_a_kept_value_is_old_and_a_kept_state_holds() -> None:
    family = Family("homie/5/#")
    said(family, "homie/5/super-car/$description", json.dumps(CAR), retained=True)
    assert said(family, "homie/5/super-car/engine/temperature", "21.5", retained=True) == [
        Reading({}, thing="super-car")
    ]
    (state,) = said(family, "homie/5/super-car/$state", "sleeping", retained=True)
    assert state == Reading({"device_state": "sleeping", "online_flag": True}, None, "super-car", standing=True)


def test_other_domains_below_a_wildcard_are_told_apart() -> None:
    family = Family("+/5/#")
    said(family, "north/5/car/$description", json.dumps(CAR))
    assert said(family, "north/5/car/lights/on", "true") == [Reading({"lights_on_flag": True}, None, "north/car")]
    assert isinstance(said(family, "south/5/car/lights/on", "true")[0], Empty)


def test_the_description_of_a_child_tells_that_it_is_lost_with_its_root() -> None:
    family = Family("homie/5/#")
    said(family, "homie/5/garage/$state", "lost", retained=True)
    said(family, "homie/5/super-car/$state", "ready", retained=True)
    assert said(family, "homie/5/super-car/$description", json.dumps(CAR), retained=True)[1:] == [
        Reading({"device_state": "lost", "online_flag": False}, None, "super-car", standing=True)
    ]


def test_what_is_remembered_is_bounded_and_what_is_given_up_is_said() -> None:
    family = Family("homie/5/#")
    refused = 0
    for number in range(MOST_KEPT + 100):
        refused += sum(isinstance(e, SanityError) for e in said(family, f"homie/5/d{number % 50}/a/b{number}", "1"))
    assert refused == 100
    assert len(family.flush()) == MOST_KEPT
    large = b"x" * (MOST_KEPT_BYTES // 4)
    refused = sum(
        isinstance(e, SanityError) for number in range(8) for e in said(family, f"homie/5/d0/a/c{number}", large)
    )
    assert refused == 4
    too_many = [e for number in range(MOST_DEVICES + 10) for e in said(family, f"homie/5/e{number}/$state", "ready")]
    assert sum(isinstance(e, SanityError) for e in too_many) == 60
    assert isinstance(said(Family("+/#"), "x/y", b"\xff")[0], Empty)


def test_hostile_descriptions_attributes_and_values() -> None:
    chance = random.Random(20_261_131)
    for _ in range(800):
        family = Family(chance.choice(["homie/#", "homie/5/#", "+/5/#"]))
        messages: list[tuple[str, object]] = [
            ("homie/5/super-car/$description", CAR),
            ("homie/5/super-car/$state", "lost"),
            ("homie/5/super-car/engine/temperature", 21.5),
            ("homie/5/super-car/lights/color", {"a": [1, {"b": None}]}),
            ("homie/car/engine/temperature/$unit", "°C"),
            ("homie/car/engine/temperature", "21"),
            ("homie/car/$stats/uptime", 5),
        ]
        chance.shuffle(messages)
        for topic, document in messages:
            payload = json.dumps(changed(document, chance) if chance.random() < 0.7 else document).encode()
            if chance.random() < 0.2:
                payload = payload[: chance.randrange(len(payload) + 1)] + bytes([chance.randrange(256)])
            for event in said(family, topic, payload, T + chance.randrange(90) * SECOND, chance.random() < 0.3):
                assert isinstance(event, Reading | Empty | SanityError)
        assert all(isinstance(event, SanityError) for event in family.flush())


def test_the_double_describes_all_that_it_says() -> None:
    nodes = json.loads(description())["nodes"]
    assert {f"{node}/{name}" for node, about in nodes.items() for name in about["properties"]} == {
        "sensor/temperature",
        "relay/on",
        "relay/switched",
        "station/station",
    }
