"""What announces itself to Home Assistant: templates, names, where topics are fetched, and what is kept until then."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from devices.home_assistant.abbreviations import ABBREVIATIONS, written_out
from devices.home_assistant.device import Family
from devices.home_assistant.filters import MOST, SPREAD, Filters
from devices.home_assistant.registry import MOST_ENTITIES
from devices.home_assistant.template import ABSENT, TemplateRefused, WrongValue, parse
from devices.home_assistant.waiting import MOST_KEPT
from devices.spec.events import Empty, Event, Fetch, Reading, SanityError
from tests.fuzz.test_message_payloads import changed

T = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
STATE = {"a": {"b": [{"c": 5}]}, "x": 215, "text": "21.5", "0": 3, "flag": True, "none": None}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ value }}", "12.34"),
        ("{{value|float}}", 12.34),
        ("{{ value | int }}", 12),
        ("{{ value | float | round(1) }}", 12.3),
        ("{{ value_json.x }}", 215),
        ("{{ value_json['x'] }}", 215),
        ('{{ value_json["a"].b[0]["c"] }}', 5),
        ("{{ value_json.get('x') }}", 215),
        ("{{ value_json.0 }}", 3),
        ("{{- value_json.x -}}", 215),
        ("{{ value_json.x / 10 }}", 21.5),
        ("{{ value_json.x | float / 10 }}", 21.5),
        ("{{ value_json.x * 0.1 }}", 21.5),
        ("{{ (value_json.x | float * 0.1) | round(0) }}", 22.0),
        ("{{ (value_json.x - 15) / 2 + 1 }}", 101.0),
        ("{{ -value_json.x }}", -215.0),
        ("{{ value_json.text | float + 0.5 }}", 22.0),
        ("{{ value_json.flag }}", True),
        ("{{ value_json.text | upper }}", "21.5"),
        ("{{ 'ON' | lower }}", "on"),
        ("{{ value_json.gone }}", ABSENT),
        ("{{ value_json.none }}", ABSENT),
        ("{{ value_json.gone.further[3] }}", ABSENT),
        ("{{ value_json.gone | float(0) }}", ABSENT),
        ("{{ value_json.gone * 2 }}", ABSENT),
        ("{{ value_json.gone | is_defined }}", ABSENT),
        ("{{ value_json.gone | default(7) }}", 7),
        ("{{ value_json.gone | default('n') }}", "n"),
    ],
)
def test_plain_templates(template: str, value: Any) -> None:
    found = parse(template).read("12.34", STATE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ 'ON' if value_json.x else 'OFF' }}", "the word 'if'"),
        ("{{ value_json.x == 1 }}", "the mark '=='"),
        ("{{ value_json.x > 1 }}", "the mark '>'"),
        ("{% if value %}1{% endif %}", "a statement"),
        ("{{ value_json.t | timestamp_local }}", "the filter 'timestamp_local'"),
        ("{{ value_json.t | as_datetime }}", "the filter 'as_datetime'"),
        ("{{ value | regex_findall_index('x') }}", "the filter 'regex_findall_index'"),
        ("{{ states('sensor.x') }}", "the name 'states'"),
        ("{{ now() }}", "the name 'now'"),
        ("{{ value.split(',')[0] }}", "the mark '.'"),
        ("{{ value_json.keys() }}", "the mark '('"),
        ("{{ value_json.__class__.__init__ }}", ""),
        ("on: {{ value }}", "text around"),
        ("{{ value }}{{ value }}", "text around"),
        ("{{ value", "text around"),
        ("{{ }}", "it ends too soon"),
        ("{{ value_json. }}", "it ends too soon"),
        ("{{ value_json.x | round(2, 'floor') }}", "the filter round with 2 arguments"),
        ("{{ " + "(" * 20 + "value" + ")" * 20 + " }}", "brackets in brackets"),
        ("{{ value" + " " * 500 + "}}", "at most 500 are read"),
        ("{{ value ** 2 }}", "the mark '**'"),
        ("value_json.x", "text around"),
    ],
)
def test_what_is_more_than_plain_is_refused_with_a_word(template: str, words: str) -> None:
    if not words:  # a path like any other, and nothing is evaluated: there is no such key
        assert parse(template).read("1", STATE) is ABSENT
        return
    with pytest.raises(TemplateRefused, match=re.escape(words)):
        parse(template)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ value_json.a | float }}", "expected a number"),
        ("{{ 1 / (value_json.x - 215) }}", "a division by zero"),
        ("{{ value_json.flag * 2 }}", "expected a number, got 'True'"),
    ],
)
def test_what_a_template_cannot_take(template: str, words: str) -> None:
    with pytest.raises(WrongValue, match=words):
        parse(template).read("", STATE)


def test_every_published_abbreviation() -> None:
    text = (Path(__file__).parent / "home_assistant_abbreviations.txt").read_text()
    pairs = dict(line.split() for line in text.splitlines())
    assert len(pairs) > 220
    assert {short: ABBREVIATIONS.get(short, short) for short in pairs} == pairs


def test_topics_with_a_base_are_written_out_wherever_they_stand() -> None:
    config = {"~": "yard/lamp", "stat_t": "~/state", "cmd_t": "set/~", "name": "~", "avty": [{"t": "~/here"}]}
    assert written_out(config) == {
        "~": "yard/lamp", "state_topic": "yard/lamp/state", "command_topic": "set/yard/lamp", "name": "~",
        "availability": [{"topic": "yard/lamp/here"}],
    }  # fmt: skip


def sensor(name: str, topic: str, thing: str = "x", **more: Any) -> bytes:
    return json.dumps({"name": name, "stat_t": topic, "unit_of_meas": "W", "dev": {"ids": thing}, **more}).encode()


def said(family: Family, topic: str, payload: bytes, at_ns: int = T, retained: bool = False) -> list[Event]:
    told = (family.retained if retained else family.decode)(topic, payload, at_ns)
    return [event for event in told if not isinstance(event, Fetch)]  # type: ignore[misc]


def test_what_is_announced_is_fetched_unless_the_filter_takes_it_anyway() -> None:
    family = Family("homeassistant/#")
    assert family.connected(True) == [Fetch("homeassistant/+/+/config"), Fetch("homeassistant/+/+/+/config")]
    told = family.retained("homeassistant/sensor/x/a/config", sensor("A", "esp/x/a", avty_t="esp/x/online"), T)
    assert [event for event in told if isinstance(event, Fetch)] == [Fetch("esp/x/a"), Fetch("esp/x/online")]
    told = family.retained("homeassistant/sensor/x/b/config", sensor("B", "homeassistant/sensor/x/b"), T)
    assert not [event for event in told if isinstance(event, Fetch)]
    assert family.connected(False)[2:] == [Fetch("esp/x/a"), Fetch("esp/x/online")]


def test_topics_fold_level_by_level() -> None:
    filters = Filters()
    asked = [each for node in "abcdef" for name in "pqrst" for each in filters.add(f"esp/{node}/sensor/{name}/state")]
    assert asked == [
        "esp/a/sensor/p/state", "esp/a/sensor/q/state", "esp/a/sensor/r/state", "esp/a/sensor/+/state",
        "esp/b/sensor/p/state", "esp/b/sensor/q/state", "esp/b/sensor/r/state", "esp/b/sensor/+/state",
        "esp/c/sensor/p/state", "esp/c/sensor/q/state", "esp/c/sensor/r/state", "esp/c/sensor/+/state",
        "esp/+/sensor/+/state",
    ]  # fmt: skip
    topics = [f"esp/{node}/sensor/{name}/state" for node in "abcdef" for name in "pqrst"]
    assert filters.again([*topics, "other"]) == ["esp/+/sensor/+/state", "other"]


def test_filters_have_an_end_and_say_so() -> None:
    filters = Filters()
    asked = [each for number in range(400) for each in filters.add(f"{number}/" + "x/" * number + "y")]
    assert asked[SPREAD] == f"{SPREAD}/#"
    assert len(asked) == MOST
    assert list(filters.full)[:1] == [f"{MOST}/" + "x/" * MOST + "y"]


def test_names_do_not_depend_on_the_order_of_announcements() -> None:
    configs = [
        (f"homeassistant/sensor/x/{own}/config", sensor("Power", "x/s", val_tpl=f"{{{{ value_json.{own} }}}}"))
        for own in "abc"
    ]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        family = Family("homeassistant/#")
        for at in order:
            said(family, *configs[at])
        assert said(family, "x/s", b'{"a":1,"b":2,"c":3}') == [
            Reading({"power_w": 1.0, "power_2_w": 2.0, "power_3_w": 3.0}, None, "x")
        ]


def test_one_topic_of_several_things_is_a_reading_each() -> None:
    family = Family("homeassistant/#")
    for thing in ("one", "two"):
        said(
            family,
            f"homeassistant/sensor/{thing}/p/config",
            sensor("P", "hub/s", thing, val_tpl=f"{{{{ value_json.{thing} }}}}", avty_t="hub/online"),
        )
    assert said(family, "hub/s", b'{"one":1,"two":2}') == [
        Reading({"p_w": 1.0}, None, "one"),
        Reading({"p_w": 2.0}, None, "two"),
    ]
    assert [event.thing for event in said(family, "hub/online", b"offline", retained=True)] == ["one", "two"]  # type: ignore[union-attr]


def test_a_state_waits_for_its_announcement_and_not_for_ever() -> None:
    family = Family("homeassistant/#")
    (waits,) = said(family, "homeassistant/sensor/x/state", b"5")
    assert waits == Empty("waits for an announcement of this topic", b"5")
    counted, reading = said(
        family, "homeassistant/sensor/x/p/config", sensor("P", "homeassistant/sensor/x/state"), T + SECOND
    )
    assert counted == Reading({"entity_count": 1.0}, None, "x", standing=True)
    assert reading == Reading({"p_w": 5.0}, T, "x")
    said(family, "homeassistant/sensor/y/state", b"6")
    *_, refused = said(family, "homeassistant/sensor/z/state", b"7", T + 61 * SECOND)
    assert refused == SanityError("'homeassistant/sensor/y/state': nobody has announced this topic", b"6")
    assert said(family, "homeassistant/sensor/y/state", b"6", T + 62 * SECOND) == [
        Empty("nobody has announced this topic", b"6")
    ]
    assert len(family.flush()) == 1
    assert said(family, "elsewhere", b"1") == [Empty("nobody has announced this topic", b"1")]


def test_availability_below_the_prefix_waits_for_its_announcement_too() -> None:
    here, state = "homeassistant/sensor/x/availability", "homeassistant/sensor/x/state"
    for retained in (False, True):
        family = Family("homeassistant/#")
        said(family, here, b"online", retained=retained)
        said(family, state, b"5", retained=retained)
        config = sensor("P", state, avty_t=here)
        counted, standing, *told = said(family, "homeassistant/sensor/x/p/config", config, T + SECOND, retained=True)
        assert counted == Reading({"entity_count": 1.0}, None, "x", standing=True)
        assert standing == Reading({"online_flag": True}, None, "x", standing=True)
        assert told == ([] if retained else [Reading({"p_w": 5.0}, T, "x")])


def test_what_was_retained_and_is_never_announced_is_no_error() -> None:
    family = Family("homeassistant/#")
    said(family, "homeassistant/sensor/gone/state", b"5", retained=True)
    assert [type(event) for event in said(family, "homeassistant/sensor/y/state", b"6", T + 61 * SECOND)] == [Empty]
    assert len(family.flush()) == 1


def test_what_a_bridge_said_once_counts_for_what_is_announced_later() -> None:
    family = Family("homeassistant/#")
    shared = [{"t": "bridge/state"}, {"t": "bridge/x"}]
    said(family, "homeassistant/sensor/w/p/config", sensor("P", "w/p", "w", avty_t="bridge/state"))
    said(family, "bridge/state", b"online", retained=True)
    config = sensor("P", "x/p", "x", avty_mode="all", avty=shared)
    assert said(family, "homeassistant/sensor/x/p/config", config)[0] == Reading(
        {"entity_count": 1.0}, None, "x", standing=True
    )
    (event,) = said(family, "bridge/x", b"online")
    assert event == Reading({"online_flag": True}, None, "x", standing=True)
    changed = sensor("Q", "x/q", "x", avty_mode="all", avty=shared)  # the same availability, still known
    assert said(family, "homeassistant/sensor/x/p/config", changed)[0] == Reading(
        {"entity_count": 1.0, "online_flag": True}, None, "x", standing=True
    )


def test_the_same_announcement_again_says_nothing_new() -> None:
    family = Family("homeassistant/#")
    bad = sensor("P", "x/p", val_tpl="{{ now() }}")
    first = said(family, "homeassistant/sensor/x/p/config", bad, retained=True)
    assert [type(event) for event in first] == [Reading, SanityError]
    again = said(family, "homeassistant/sensor/x/p/config", bad, retained=True)
    assert again == [Empty("an announcement", bad, "x")]


def test_a_changed_announcement_replaces_the_old_one_and_its_thing() -> None:
    family = Family("homeassistant/#")
    said(family, "homeassistant/sensor/x/p/config", sensor("P", "x/p", "old"))
    said(family, "homeassistant/sensor/x/p/config", sensor("Q", "x/q", "new"))
    assert said(family, "x/p", b"1") == [Empty("nobody has announced this topic", b"1")]
    assert said(family, "x/q", b"1") == [Reading({"q_w": 1.0}, None, "new")]
    assert list(family.registry.things) == ["new"]


@pytest.mark.parametrize(
    ("mode", "words", "states"),
    [
        ("all", ["online", "online", "offline"], [None, True, False]),
        ("any", ["offline", "online", "offline"], [False, True, True]),
        ("latest", ["online", "offline", "online"], [True, False, True]),
    ],
)
def test_availability_of_two_topics(mode: str, words: list[str], states: list[bool | None]) -> None:
    family = Family("homeassistant/#")
    config = sensor("P", "x/p", avty_mode=mode, avty=[{"t": "a"}, {"t": "b"}])
    said(family, "homeassistant/sensor/x/p/config", config)
    for topic, word, state in zip(("a", "b", "a"), words, states, strict=True):
        (event,) = said(family, topic, word.encode(), retained=True)
        if state is None:
            assert isinstance(event, Empty)
        else:
            assert event == Reading({"online_flag": state}, None, "x", standing=True)


def test_other_prefixes_below_a_wildcard() -> None:
    family = Family("site/+/ha/#")
    assert family.connected(True)[0] == Fetch("site/+/ha/+/+/config")
    said(family, "site/north/ha/sensor/x/p/config", sensor("P", "x/p"))
    assert said(family, "x/p", b"1") == [Reading({"p_w": 1.0}, None, "north/x")]


def test_what_is_remembered_is_bounded_and_what_is_given_up_is_said() -> None:
    family = Family("homeassistant/#")
    refused = 0
    for number in range(MOST_KEPT + 50):
        events = said(family, f"homeassistant/sensor/n{number}/state", b"1")
        refused += sum(isinstance(event, SanityError) for event in events)
    assert refused == 50
    assert len(family.flush()) == MOST_KEPT
    for number in range(MOST_ENTITIES):
        said(family, f"homeassistant/sensor/x/e{number}/config", sensor(f"E{number}", f"x/{number}"))
    (one_more,) = said(family, "homeassistant/sensor/x/more/config", sensor("More", "x/more"))[1:]
    assert one_more == SanityError(f"more than {MOST_ENTITIES} entities", sensor("More", "x/more"))


CONFIG = {
    "~": "z/x", "name": "Power", "uniq_id": "u", "dev": {"ids": ["x"], "name": "X"}, "stat_t": "~",
    "val_tpl": "{{ value_json.p }}", "unit_of_meas": "W", "stat_cla": "measurement", "avty": [{"t": "~/here"}],
    "avty_mode": "all", "dev_cla": "power",
}  # fmt: skip
DEVICE_CONFIG = {
    "dev": {"ids": ["y"]}, "o": {"name": "t"}, "stat_t": "z/y",
    "cmps": {"a": {"p": "light", "schema": "json"}, "b": {"p": "climate", "curr_temp_t": "z/y"},
             "c": {"p": "event", "val_tpl": "{{ value_json.e }}"}, "d": {"p": "vacuum"}},
}  # fmt: skip


def test_hostile_announcements_states_and_words() -> None:
    chance = random.Random(20_261_132)
    for _ in range(800):
        family = Family("homeassistant/#")
        messages: list[tuple[str, Any]] = [
            ("homeassistant/sensor/x/p/config", CONFIG),
            ("homeassistant/device/y/config", DEVICE_CONFIG),
            ("z/x", {"p": 5}),
            ("z/y", {"state": "ON", "brightness": 5, "e": {"event_type": "press"}, "battery_level": 3}),
            ("z/x/here", "online"),
            ("homeassistant/sensor/x/state", {"p": 5}),
        ]
        chance.shuffle(messages)
        for topic, document in messages:
            payload = json.dumps(changed(document, chance) if chance.random() < 0.7 else document).encode()
            if chance.random() < 0.2:
                payload = payload[: chance.randrange(len(payload) + 1)] + bytes([chance.randrange(256)])
            for event in said(family, topic, payload, T + chance.randrange(90) * SECOND, chance.random() < 0.3):
                assert isinstance(event, Reading | Empty | SanityError)
        family.connected(False)
        assert all(isinstance(event, SanityError) for event in family.flush())
