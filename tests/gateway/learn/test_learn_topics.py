"""Which types and subscriptions topics need: the thing, the quantity, and what is read as one."""

import tomllib
from pathlib import Path

import pytest

from devices.catalogue import built_in
from gateway.cli.learn.add import add
from gateway.cli.learn.command import Found, Wish
from gateway.cli.learn.messages import Broker, from_messages
from gateway.cli.learn.sample import Message
from gateway.cli.usage import UsageError
from gateway.config import load


def learned(said: dict[str, str], name: str | None = "lamp", thing: str | None = None) -> Found:
    messages = [Message(topic, payload.encode()) for topic, payload in said.items()]
    return from_messages(messages, Broker("mqtt://127.0.0.1", None, "#"), Wish(name, thing, {}, built_in()))


def types(found: Found) -> list[tuple[str, str, list[str]]]:
    tables = tomllib.loads("\n".join(found.sections))["type"]
    return [(table["name"], table["topic"], [row["name"] for row in table["field"]]) for table in tables]


def stored(found: Found) -> list[str]:
    return [line.rpartition(" ")[0] for line in found.lines]


@pytest.mark.parametrize("payload", ["{}", '{{"value":{}}}', '{{"v":{}}}'])
def test_topics_of_quantities_are_a_type_each_for_one_thing(tmp_path: Path, payload: str) -> None:
    said = {
        "q/lamp-1/temperature": payload.format("21.5"),
        "q/lamp-1/humidity": payload.format("40"),
        "q/lamp-2/temperature": payload.format("22.5"),
        "q/lamp-2/humidity": payload.format("42"),
    }
    found = learned(said)
    assert types(found) == [
        ("lamp-humidity", "q/{thing}/humidity", ["humidity_pct"]),
        ("lamp-temperature", "q/{thing}/temperature", ["temperature_c"]),
    ]
    assert stored(found) == [
        "lamp_humidity,thing=lamp-1 humidity_pct=40.0",
        "lamp_temperature,thing=lamp-1 temperature_c=21.5",
        "lamp_humidity,thing=lamp-2 humidity_pct=42.0",
    ]
    assert found.notes[0] == "level 3 of the topics names quantities: a type for each of humidity, temperature"
    add(tmp_path / "gateway.toml", "\n".join(found.sections))
    config = load(tmp_path / "gateway.toml", {})
    assert [(each.topic, each.device) for each in config.mqtt[0].subscriptions] == [
        ("q/{thing}/humidity", "lamp-humidity"),
        ("q/{thing}/temperature", "lamp-temperature"),
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (  # one thing
            {"q/lamp-1/temperature": "21.5", "q/lamp-1/humidity": "40"},
            [("q/{thing}/humidity", ["humidity_pct"]), ("q/{thing}/temperature", ["temperature_c"])],
        ),
        (  # the same words below each thing, which are no quantities
            {"q/a/north": "1", "q/a/south": "2", "q/b/north": "3", "q/b/south": "4"},
            [("q/{thing}/north", ["north"]), ("q/{thing}/south", ["south"])],
        ),
        (  # the quantity stands before the thing
            {"temp/lamp-1": "1", "hum/lamp-1": "2", "temp/lamp-2": "3"},
            [("hum/{thing}", ["humidity_pct"]), ("temp/{thing}", ["temperature_c"])],
        ),
        ({"home/temperature": "1", "home/co2": "2"},
         [("{thing}/co2", ["co2_ppm"]), ("{thing}/temperature", ["temperature_c"])]),
        ({"q/lamp-1/temperature": "21.5"}, [("q/{thing}/temperature", ["temperature_c"])]),
        ({"q/lamp-1/temp1": "1", "q/lamp-2/temp1": "2"}, [("q/{thing}/temp1", ["temperature_1_c"])]),
        (  # payloads that name their values need no type each
            {"q/lamp-1/env": '{"t":1}', "q/lamp-1/power": '{"v":2}'},
            [("q/{thing}/+", ["temperature_c", "voltage_v"])],
        ),
        (
            {f"q/lamp-{n}/{word}": f'{{"{word}_v":1}}' for n in (1, 2) for word in ("in", "out", "mid")},
            [("q/{thing}/+", ["in_v", "out_v", "mid_v"])],
        ),
        # names of things
        ({"q/p1": "1", "q/p2": "2"}, [("q/{thing}", ["value_1"])]),
        ({"q/street-light": "1", "q/garden-light": "2"}, [("q/{thing}", ["value_1"])]),
        ({"q/lamp-1/temperature": "1", "q/lamp-1/status": "online"}, [("q/{thing}/temperature", ["temperature_c"])]),
    ],
)  # fmt: skip
def test_the_types_that_topics_need(said: dict[str, str], expected: list[tuple[str, list[str]]]) -> None:
    assert [(topic, fields) for _, topic, fields in types(learned(said))] == expected


@pytest.mark.parametrize(
    ("said", "note"),
    [
        (
            {"q/a/x/1": "1", "q/b/y/1": "2", "q/c/x/1": "3"},
            "level 3 differs, too: what comes under x, y is read as one and the same; where it is not, "
            "learn each with a --topic of its own, such as 'q/+/x/1'",
        ),
        (
            {"q/a": "1", "q/b": "2"},
            "a, b are taken for things; where they are what one thing measures, learn each with a --topic of its own, "
            "such as 'q/a'",
        ),
        (
            {"q/lamp-1/t": "1", "q/lamp-1/h": "2", "q/lamp-1/status": "on"},
            "left out, as nothing there is a number: q/lamp-1/status",
        ),
    ],
)
def test_what_cannot_be_told_is_said(said: dict[str, str], note: str) -> None:
    assert note in learned(said).notes


def test_a_thing_that_no_level_names_has_a_name_for_each_type() -> None:
    found = learned({"temperature": "1", "humidity": "2"}, thing="post")
    rows = tomllib.loads("\n".join(found.sections))["mqtt"]["bench"]["subscription"]
    assert [row["thing"] for row in rows] == ["post-humidity", "post-temperature"]


def test_a_thing_that_the_topic_names_is_not_named_again() -> None:
    found = learned({"q/lamp-1/state": '{"t":1}'}, thing="post")
    assert stored(found) == ["lamp,thing=lamp-1 temperature_c=1.0"]
    assert "--thing post: not used, the topic names it" in found.notes


def test_topics_without_numbers_are_told() -> None:
    with pytest.raises(UsageError, match=r"messages, but no numbers .* such as 'online'"):
        learned({"q/lamp-1/status": "online"})
