"""VDA 5050 beyond its examples: published vectors, telling messages apart, hostile payloads."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError
from devices.vda5050 import device as vda5050
from devices.vda5050 import factsheet
from devices.vda5050.device import DEVICE
from tests.devices.published import payload, published
from tests.devices.readings import values

NOW = 1_704_067_200_000_000_000
RELAXED = settings(max_examples=300, deadline=None)

HEADERS = {
    "state": "header_id",
    "connection": "connection_header_id",
    "visualization": "visualization_header_id",
    "instantActions": "instant_actions_header_id",
}
PUBLISHED_NAMES = {
    "version": "version", "manufacturer": "manufacturer", "serialNumber": "serial_number", "orderId": "order_id",
    "lastNodeId": "last_node_id", "driving": "driving", "battery": "battery_pct", "operatingMode": "operating_mode",
    "errors": "error_count", "connectionState": "connection_state", "x": "x_m", "y": "y_m", "theta": "theta_rad",
    "mapId": "map_id", "mapDescription": "map_description", "positionInitialized": "position_initialized",
    "localizationScore": "localization_score", "deviationRange": "deviation_range_m", "vx": "vx_m_s", "vy": "vy_m_s",
    "omega": "omega_rad_s",
}  # fmt: skip
"""The publisher's name to ours; `headerId` by message, `timestamp` is the reading's time."""


def state(**changes: Any) -> dict[str, Any]:
    """A whole state of 2.1; None takes a label out."""
    whole: dict[str, Any] = {
        "headerId": 1, "timestamp": "2025-07-17T08:00:00.25Z", "version": "2.1.0", "manufacturer": "Acme",
        "serialNumber": "amr-1", "orderId": "", "orderUpdateId": 0, "lastNodeId": "", "lastNodeSequenceId": 0,
        "nodeStates": [], "edgeStates": [], "driving": False, "actionStates": [], "operatingMode": "AUTOMATIC",
        "batteryState": {"batteryCharge": 50, "charging": False}, "errors": [],
        "safetyState": {"eStop": "NONE", "fieldViolation": False},
    } | changes  # fmt: skip
    return {label: value for label, value in whole.items() if value is not None}


def decode(message: Any, topic: str = "uagv/v2/Acme/amr-1/state") -> list[Event]:
    return DEVICE.decode(topic, message if isinstance(message, bytes) else json.dumps(message).encode(), NOW)


def one(message: Any, topic: str = "uagv/v2/Acme/amr-1/state") -> Reading:
    (event,) = decode(message, topic)
    assert isinstance(event, Reading), event
    return event


def refusal(message: Any, topic: str = "uagv/v2/Acme/amr-1/state") -> str:
    (event,) = decode(message, topic)
    assert isinstance(event, SanityError), event
    return event.detail


@pytest.mark.parametrize("vector", published("vda5050"), ids=lambda vector: vector["id"])
def test_published_vector(vector: dict[str, Any]) -> None:
    (reading,) = DEVICE.decode(vector["topic"], payload(vector), NOW)
    assert isinstance(reading, Reading)
    expected = dict(vector["expected"])
    assert expected.pop("timestamp") == "1970-01-01T00:00:00Z"
    assert reading.time_ns == 0
    assert reading.thing == expected["serialNumber"]
    assert reading.fields[HEADERS[vector["topic"].rsplit("/", 1)[1]]] == expected.pop("headerId")
    for group, label in (("position", "x_m"), ("velocity", "vx_m_s")):
        if group in expected and expected[group] is None:
            assert label not in reading.fields
        expected |= expected.pop(group, None) or {}
    for name, value in expected.items():
        if isinstance(value, dict):
            assert (name, value["unit"]) == ("battery", "%")
            value = value["value"]
        assert reading.fields[PUBLISHED_NAMES[name]] == value, name


@pytest.mark.parametrize("vector", published("vda5050"), ids=lambda vector: vector["id"])
def test_the_labels_tell_the_message_where_the_topic_does_not(vector: dict[str, Any]) -> None:
    by_topic = DEVICE.decode(vector["topic"], payload(vector), NOW)
    assert DEVICE.decode("robots/one", payload(vector), NOW) == by_topic
    assert DEVICE.decode("", payload(vector), NOW) == by_topic


@pytest.mark.parametrize(
    ("wire", "mode"),
    [("AUTOMATIC", "AUTOMATIC"), ("TEACHIN", "TEACH_IN"), ("TEACH_IN", "TEACH_IN"), ("manual", "MANUAL"), ("X", "X")],
)
def test_operating_mode(wire: str, mode: str) -> None:
    assert one(state(operatingMode=wire)).fields["operating_mode"] == mode


def test_the_worst_error_is_named() -> None:
    errors = [
        {"errorType": "a", "errorLevel": "WARNING"},
        {"errorType": "b", "errorLevel": "FATAL"},
        {"errorType": "c", "errorLevel": "FATAL"},
        {"errorType": "d", "errorLevel": "ODD"},
    ]
    fields = one(state(errors=errors)).fields
    assert [fields[n] for n in ("error_count", "fatal_count", "error_level", "error_type")] == [4, 2, "FATAL", "b"]
    fields = one(state(errors=errors[3:])).fields
    assert [fields[n] for n in ("error_count", "fatal_count", "error_level", "error_type")] == [1, 0, "ODD", "d"]
    fields = one(state()).fields
    assert [fields[n] for n in ("error_count", "fatal_count", "error_level")] == [0, 0, "NONE"]
    assert "error_type" not in fields


def test_optional_fields_may_be_null_and_zero_is_a_value() -> None:
    labels = ("agvPosition", "velocity", "loads", "paused", "newBaseRequest", "distanceSinceLastNode", "zoneSetId")
    assert one(state() | dict.fromkeys(labels)).fields == one(state()).fields
    fields = one(state(distanceSinceLastNode=0, paused=False, loads=[], velocity={"vx": 0, "vy": None})).fields
    found = {
        name: fields.get(name) for name in ("distance_since_last_node_m", "paused", "load_count", "vx_m_s", "vy_m_s")
    }
    assert found == {
        "distance_since_last_node_m": 0.0,
        "paused": False,
        "load_count": 0,
        "vx_m_s": 0.0,
        "vy_m_s": None,
    }


REQUIRED = tuple(state())


@pytest.mark.parametrize("label", REQUIRED)
def test_a_required_field_that_is_missing_or_null_is_named(label: str) -> None:
    detail = refusal(state(**{label: None}))
    assert label in detail
    detail = refusal(state() | {label: None})
    assert f"$.{label}" in detail


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"null", "object"),
        (b"[]", "object"),
        (b"{}", "headerId"),
        (b"\xff", "JSON"),
        (state(headerId=-1), "$.headerId"),
        (state(headerId=2**70), "$.headerId"),
        (state(headerId=1.5), "$.headerId"),
        (state(driving="yes"), "$.driving"),
        (state(nodeStates=5), "$.nodeStates"),
        (state(timestamp="now"), "$.timestamp"),
        (json.dumps(state()).replace("50", "NaN").encode(), "malformed"),
        (json.dumps(state()).replace("50", "1e999").encode(), "$.batteryState"),
        (json.dumps(state()).replace('"Acme"', '"\udcff"').encode("utf-8", "surrogateescape"), "utf-8"),
        (b'{"informations":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "deep"),
        (b'{"headerId":"' + b"a" * 1_000_000 + b'"}', "$.headerId"),
    ],
    ids=lambda value: repr(value)[:24] if not isinstance(value, str) else value,
)
def test_hostile_payload_is_refused(data: Any, words: str) -> None:
    detail = refusal(data)
    assert words in detail
    assert len(detail) < 300


@pytest.mark.parametrize(
    ("changes", "left", "kept", "words"),
    [
        ({"velocity": {"vx": "fast", "vy": 1}}, "vx_m_s", {"vy_m_s": 1.0}, "got `str` - at `$.velocity.vx`"),
        ({"velocity": 3}, "vx_m_s", {}, "Expected `object`, got `int` - at `$.velocity`"),
        (
            {"agvPosition": {"x": 1, "y": 2, "theta": 0, "mapId": "m"}},
            "x_m",
            {},
            "`positionInitialized` - at `$.agvPosition`",
        ),
        (
            {
                "agvPosition": {
                    "x": 1,
                    "y": 2,
                    "theta": 0,
                    "mapId": "m",
                    "positionInitialized": True,
                    "localizationScore": 1.5,
                }
            },
            "localization_score",
            {"x_m": 1.0, "position_initialized": True},
            "<= 1.0 - at `$.agvPosition.localizationScore`",
        ),
        (
            {"batteryState": {"batteryCharge": 50, "charging": False, "batteryVoltage": "24 V", "reach": -1}},
            "battery_v",
            {"battery_pct": 50.0},
            "got `str` - at `$.batteryState.batteryVoltage`",
        ),
        ({"loads": {}}, "load_count", {}, "Expected `array`, got `object` - at `$.loads`"),
        ({"paused": "no", "newBaseRequest": True}, "paused", {"new_base_request": True}, "- at `$.paused`"),
        ({"zoneSetId": 5}, "zone_set_id", {}, "- at `$.zoneSetId`"),
        ({"distanceSinceLastNode": -2.5}, "distance_since_last_node_m", {}, "- at `$.distanceSinceLastNode`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_optional_part_that_is_wrong_takes_only_itself(
    changes: dict[str, Any], left: str, kept: dict[str, Any], words: str
) -> None:
    reading = one(state(**changes))
    assert left not in reading.fields
    assert reading.fields | kept == reading.fields
    assert reading.fields["header_id"] == 1
    assert words in reading.field_errors[0]


def test_an_optional_number_that_no_double_holds_takes_only_itself() -> None:
    data = json.dumps(state(velocity={"vx": 0.5, "vy": 77})).replace("77", "1e999").encode()
    reading = one(data)
    assert (reading.fields["vx_m_s"], "vy_m_s" in reading.fields) == (0.5, False)
    assert reading.field_errors == ("Number out of range - at `$.velocity.vy`",)


@pytest.mark.parametrize(
    ("errors", "fields"),
    [
        ([{"errorType": "a"}], (1, 0, "WARNING", "a")),
        ([{"errorLevel": "FATAL"}], (1, 1, "FATAL", None)),
        ([{"errorType": "a", "errorLevel": "WARNING"}, {"errorLevel": "FATAL"}], (2, 1, "FATAL", None)),
        ([{"errorType": None, "errorLevel": None}], (1, 0, "WARNING", None)),
        ([{}], (1, 0, "WARNING", None)),
    ],
)
def test_an_error_that_lacks_something_counts_and_does_not_take_the_state(
    errors: list[Any], fields: tuple[int, int, str, str | None]
) -> None:
    reading = one(state(errors=errors))
    found = (reading.fields[name] for name in ("error_count", "fatal_count", "error_level"))
    assert (*found, reading.fields.get("error_type")) == fields
    assert reading.fields["driving"] is False
    assert reading.field_errors == ()


@pytest.mark.parametrize(
    ("changes", "name", "value", "words"),
    [
        ({"errors": [5, {"errorType": "a", "errorLevel": "FATAL"}]}, "fatal_count", 1, "$.errors[0]"),
        ({"errors": [{"errorType": 7, "errorLevel": "FATAL"}]}, "fatal_count", 1, "$.errors[0].errorType"),
        (
            {"actionStates": ["x", {"actionId": "a", "actionStatus": "FAILED"}]},
            "action_failed_count",
            1,
            "$.actionStates[0]",
        ),
        ({"actionStates": [{"actionStatus": 1}]}, "action_count", 1, "$.actionStates[0].actionStatus"),
        ({"nodeStates": [1, {}]}, "node_count", 1, "$.nodeStates[0]"),
        ({"loads": [{}, 7]}, "load_count", 1, "$.loads[1]"),
    ],
)
def test_a_bad_entry_of_a_list_takes_only_itself(changes: dict[str, Any], name: str, value: int, words: str) -> None:
    reading = one(state(**changes))
    assert reading.fields[name] == value
    assert reading.fields["driving"] is False
    assert len(reading.field_errors) == 1
    assert words in reading.field_errors[0]


@pytest.mark.parametrize("message", ["state", "connection", "visualization", "order"])
def test_a_retained_message_that_is_deleted_is_empty(message: str) -> None:
    (event,) = DEVICE.decode(f"uagv/v2/Acme/amr-1/{message}", b"", 0)
    assert event == Empty("an empty payload: what was retained is deleted", b"")


def test_words_that_no_version_lists_are_kept() -> None:
    stop = {"eStop": "PAUSE_BUTTON", "fieldViolation": False}
    assert one(state(operatingMode="LIMP", safetyState=stop)).fields["e_stop"] == "PAUSE_BUTTON"


@pytest.mark.parametrize("written", ["7.0", "7e0", "0.7e1", "70e-1"])
def test_a_whole_number_may_be_written_with_a_point(written: str) -> None:
    whole = json.dumps(state(headerId="@", orderUpdateId="@", lastNodeSequenceId="@")).replace('"@"', written)
    reading = one(whole.encode())
    names = ("header_id", "order_update_id", "last_node_sequence_id")
    assert [reading.fields[name] for name in names] == [7, 7, 7]
    assert all(type(reading.fields[name]) is int for name in names)
    assert reading.field_errors == ()
    assert "$.headerId" in refusal(json.dumps(state(headerId="@")).replace('"@"', "7.25").encode())


@pytest.mark.parametrize(
    ("topic", "word"),
    [
        ("uagv/v1/Acme/amr-1/connection", "CONNECTIONBROKEN"),
        ("uagv/v2/Acme/amr-1/connection", "CONNECTIONBROKEN"),
        ("vda5050/v3/Acme/amr-1/connection", "CONNECTION_BROKEN"),
        ("robots/amr-1", "CONNECTION_BROKEN"),
    ],
)
@pytest.mark.parametrize(
    "changes", [{}, {"headerId": "x", "timestamp": "long ago"}, {"headerId": None, "timestamp": None}]
)
def test_a_last_will_has_neither_the_time_nor_the_header_of_the_connect(
    topic: str, word: str, changes: dict[str, Any]
) -> None:
    header = {"headerId": 1, "timestamp": "2026-11-28T08:00:00Z", "version": "2.1.0", "manufacturer": "Acme"}
    reading = one(header | {"serialNumber": "amr-1", "connectionState": word} | changes, topic)
    assert reading.fields == {
        "connection_state": "CONNECTION_BROKEN",
        "version": "2.1.0",
        "manufacturer": "Acme",
        "serial_number": "amr-1",
    }
    assert (reading.time_ns, reading.thing, reading.standing) == (None, "amr-1", True)


def test_a_last_will_can_be_written_without_a_time() -> None:
    fields: dict[str, Any] = {"connection_state": "CONNECTION_BROKEN", "version": "2.1.0", "manufacturer": "Acme"}
    reading = Reading(fields | {"serial_number": "amr-1"}, None, "amr-1", standing=True)
    assert one(DEVICE.encode(reading), "uagv/v2/Acme/amr-1/connection") == reading


def test_a_connection_without_its_state_is_not_taken_for_another_message() -> None:
    header = {"headerId": 1, "timestamp": "2026-11-28T08:00:00Z", "version": "2.1.0", "manufacturer": "Acme"}
    assert "connectionState" in refusal(header | {"serialNumber": "amr-1"}, "uagv/v2/Acme/amr-1/connection")


def test_an_orderly_end_keeps_its_time() -> None:
    header = {"headerId": 1, "timestamp": "2026-11-28T08:00:00Z", "version": "2.1.0", "manufacturer": "Acme"}
    reading = one(header | {"serialNumber": "amr-1", "connectionState": "OFFLINE"}, "uagv/v2/Acme/amr-1/connection")
    assert (reading.fields["connection_header_id"], reading.time_ns) == (1, 1_795_852_800_000_000_000)


def test_a_visualization_with_nothing_in_it_is_empty() -> None:
    assert decode(b"{}", "uagv/v2/Acme/amr-1/visualization") == [Empty("visualization: no values", b"{}")]
    header = one({"headerId": 3, "version": "2.1.0"}, "uagv/v2/Acme/amr-1/visualization")
    assert header.fields == {"visualization_header_id": 3, "version": "2.1.0"}


def test_a_byte_order_mark_is_no_part_of_the_message() -> None:
    text = json.dumps(state())
    assert one(text.encode("utf-8-sig")) == one(text.encode())
    assert one(text.encode("utf-8-sig"), "robots/one") == one(text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_are_named(encoding: str) -> None:
    for topic in ("uagv/v2/Acme/amr-1/state", "robots/one"):
        assert f"JSON: {encoding[:6].upper()} text, expected UTF-8" in refusal(
            json.dumps(state()).encode(encoding), topic
        )


def test_what_is_remembered_is_bounded() -> None:
    for number in range(5000):
        one(state(), f"uagv/v2/Acme/{number}/state")
    one(state(), "uagv/v2/" + "a" * 65_000 + "/state")
    assert len(vda5050._kinds) <= 4096
    assert max(map(len, vda5050._kinds)) <= 256


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)
topics = st.sampled_from(
    ["", "uagv/v2/a/b/state", "vda5050/v3/a/b/state", "uagv/v1/a/b/connection", "x/visualization", "uagv/v2/a/b/order",
     "uagv/v99999999999999999999/a/b/state", "uagv/v2/a/b/instantActions", "uagv/v2/a/b/unheard", "//////", "state"],
)  # fmt: skip


@RELAXED
@given(st.dictionaries(st.sampled_from((*REQUIRED, "connectionState", "powerSupply", "velocity")), anything), topics)
def test_any_change_to_a_state_ends_in_events(changes: dict[str, Any], topic: str) -> None:
    events = decode(state() | changes, topic)
    assert events
    assert all(
        math.isfinite(v) for e in events if isinstance(e, Reading) for v in e.fields.values() if type(v) is float
    )


@RELAXED
@given(st.one_of(st.binary(max_size=60), anything), topics)
def test_anything_ends_in_events(message: Any, topic: str) -> None:
    assert decode(message, topic)


SETTLED: dict[str, Any] = {
    "map_id": "park", "position_initialized": True, "e_stop": "NONE", "field_violation": False, "order_id": "",
    "order_update_id": 0, "last_node_id": "", "last_node_sequence_id": 0, "node_count": 0, "edge_count": 0,
    "action_count": 0, "action_failed_count": 0, "version": "2.1.0", "manufacturer": "parkgate",
    "serial_number": "amr-1", "x_m": 0.0, "y_m": 0.0, "theta_rad": 0.0, "error_count": 0, "fatal_count": 0,
    "error_level": "NONE",
}  # fmt: skip
ERRORS = st.sampled_from(
    [
        {},
        {"error_count": 2, "error_level": "WARNING", "error_type": "a"},
        {"error_count": 3, "fatal_count": 1, "error_level": "FATAL", "error_type": "b"},
    ]
)
FREE = {
    field.name: values(field)
    for field in DEVICE.fields
    if field.kind != "text"
    and not field.name.startswith(("error_", "fatal_", "connection_", "action_", "node_", "edge_"))
    and field not in factsheet.FIELDS
}
SMALL = {
    name: st.integers(0, 5) for name in ("node_count", "edge_count", "action_count", "load_count")
}  # fmt: skip
TEXTS = {name: st.text(max_size=8) for name in ("map_id", "map_description", "order_id", "last_node_id", "zone_set_id")}


@RELAXED
@given(
    st.fixed_dictionaries({}, optional=FREE | SMALL | TEXTS),
    ERRORS,
    st.sampled_from(["2.1.0", "3.0.0"]),
    st.integers(0, 9_000_000_000_000_000_000),
)
def test_random_states_come_back(drawn: dict[str, Any], errors: dict[str, Any], version: str, time_ns: int) -> None:
    begin = {"header_id": 7, "battery_pct": 50.0, "charging": False, "driving": True, "operating_mode": "MANUAL"}
    fields: dict[str, Any] = SETTLED | begin | drawn | errors | {"version": version}
    if version == "3.0.0":
        fields["instant_action_count"] = 1
    else:
        fields.pop("battery_a", None)
    reading = Reading(fields, time_ns, "amr-1")
    back = one(DEVICE.encode(reading), "")
    assert back == reading
    assert {name: type(value) for name, value in back.fields.items()} == {n: type(v) for n, v in fields.items()}


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({"connection_header_id": 4, "connection_state": "OFFLINE", "version": "2.1.0"}, "connection"),
        ({"connection_header_id": 4, "connection_state": "HIBERNATING", "version": "3.0.0"}, "connection"),
        ({"visualization_header_id": 1, "vx_m_s": 0.5, "version": "2.1.0"}, "visualization"),
    ],
)
def test_other_messages_come_back(fields: dict[str, Any], topic: str) -> None:
    header: dict[str, Any] = {"manufacturer": "Acme", "serial_number": "amr-1"}
    reading = Reading(header | fields, 0, "amr-1")
    assert one(DEVICE.encode(reading), f"uagv/v2/Acme/amr-1/{topic}") == reading


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "battery_pct"),
        ({"battery_pct": math.nan}, "finite"),
        ({"battery_pct": 50.0, "x_m": 1.0}, "x_m, y_m and theta_rad"),
        ({"battery_pct": 50.0, "error_count": 1, "fatal_count": 2}, "contradict"),
        ({"battery_pct": 50.0, "error_count": 1, "error_level": "NONE"}, "contradict"),
        ({"battery_pct": 50.0, "node_count": 1_000_000}, "node_count"),
    ],
)
def test_what_no_robot_can_say(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        DEVICE.encode(Reading(fields, 0, "amr-1"))
    with pytest.raises(EncodeError, match="time"):
        DEVICE.encode(Reading({"battery_pct": 50.0}, None, "amr-1"))
    with pytest.raises(EncodeError, match="serial_number"):
        DEVICE.encode(Reading({"battery_pct": 50.0}, 0))


@pytest.mark.parametrize("version", ["2.1.0", "3.0.0"])
def test_a_factsheet_comes_back_in_the_names_of_its_version(version: str) -> None:
    fields: dict[str, Any] = {
        "factsheet_header_id": 3, "version": version, "manufacturer": "Acme", "serial_number": "amr-3",
        "series_name": "Mover", "robot_kinematics": "OMNIDIRECTIONAL", "robot_class": "FORKLIFT",
        "load_max_kg": 1200.0, "localization_types": "GRID SPOT", "speed_max_m_s": 2.5, "length_m": 1.9,
        "state_interval_s": 30.0, "known_action_count": 3,
    }  # fmt: skip
    payload = DEVICE.encode(Reading(fields, NOW, "amr-3"))
    old, new = (b"agvClass", b"speedMax", b"agvActions"), (b"mobileRobotClass", b"maximumSpeed", b"mobileRobotActions")
    wanted, others = (new, old) if version == "3.0.0" else (old, new)
    assert all(label in payload for label in wanted)
    assert not any(label in payload for label in others)
    (reading,) = DEVICE.decode(f"uagv/v{version[0]}/Acme/amr-3/factsheet", payload, NOW)
    assert reading == Reading(fields, NOW, "amr-3")


def test_a_factsheet_that_lacks_nearly_everything_is_one() -> None:
    sheet = {"headerId": 1, "timestamp": "2025-07-17T08:00:00Z", "version": "2.0.0", "manufacturer": "Acme",
             "serialNumber": "a", "typeSpecification": None, "protocolLimits": {"timing": None}}  # fmt: skip
    assert one(sheet, "uagv/v2/Acme/a/factsheet").fields == {
        "factsheet_header_id": 1, "version": "2.0.0", "manufacturer": "Acme", "serial_number": "a",
    }  # fmt: skip
    wrong = sheet | {"typeSpecification": {"seriesName": 5, "localizationTypes": "GRID", "maxLoadMass": True}}
    reading = one(wrong, "uagv/v2/Acme/a/factsheet")
    assert [words.partition(":")[0] for words in reading.field_errors] == [
        "series_name", "load_max_kg", "localization_types",
    ]  # fmt: skip
    reading = one(sheet | {"physicalParameters": 5}, "uagv/v2/Acme/a/factsheet")
    assert "$.physicalParameters" in reading.field_errors[0]
