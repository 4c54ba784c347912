"""Types with state under hostile discovery: a decoder raises nothing, and what it says can be stored."""

import json
import random

from devices.spec.events import Empty, Fetch, IntegrityError, Noise, Publish, Reading, SanityError
from devices.zigbee2mqtt.device import Family
from gateway.decode.point import _KEYS, Series
from gateway.sinks.local.lines import LineReader
from tests.fuzz.test_message_payloads import changed

T = 1_700_000_000_000_000_000
ROWS = [
    {"ieee_address": "0x01", "type": "Router", "friendly_name": "a/b", "definition": {"exposes": [
        {"type": "switch", "features": [
            {"type": "binary", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"}]},
        {"type": "numeric", "property": "power", "unit": "W", "access": 1, "value_min": 0, "value_max": 10},
        {"type": "composite", "property": "color", "features": [{"type": "numeric", "property": "x"}]},
        {"type": "enum", "property": "mode", "values": ["a"]}, {"type": "list", "property": "l"}]}},
    {"ieee_address": "0x02", "friendly_name": "c", "definition": None},
]  # fmt: skip
GROUPS = [{"id": 1, "friendly_name": "all", "members": [{"ieee_address": "0x01", "endpoint": 1}]}]
STATE = {"state": "ON", "power": 5, "color": {"x": 0.5}, "mode": "a", "l": [1], "update": {"state": "idle"},
         "last_seen": "2026-01-01T00:00:00Z", "linkquality": 9}  # fmt: skip


def test_hostile_lists_groups_states_and_words() -> None:
    chance = random.Random(20_261_130)
    readings = 0
    for _ in range(1500):
        _KEYS.clear()
        family = Family("zigbee2mqtt/#")
        messages = [
            ("bridge/devices", ROWS),
            ("bridge/groups", GROUPS),
            ("a/b", STATE),
            ("all", STATE),
            ("a/b/availability", {"state": "online"}),
            ("bridge/state", {"state": "offline"}),
            ("a/b/power", 5),
        ]
        chance.shuffle(messages)
        for path, document in messages:
            payload = json.dumps(changed(document, chance) if chance.random() < 0.7 else document).encode()
            if chance.random() < 0.1:
                payload = payload[: chance.randrange(len(payload))]
            take = family.retained if chance.random() < 0.2 else family.decode
            for event in take(f"zigbee2mqtt/{path}", payload, T):
                assert isinstance(event, Reading | Empty | Noise | IntegrityError | SanityError | Fetch | Publish)
                if isinstance(event, Reading):
                    line = Series("zigbee2mqtt", {"thing": event.thing or "x"}).line(event.fields, None, T)
                    if line is not None:
                        readings += 1
                        assert not LineReader({}).read(line.encode())[1]
        assert all(isinstance(event, SanityError) for event in family.flush())
    assert readings > 3000


def test_what_a_family_remembers_is_bounded() -> None:
    """Networks without end below a wildcard, and states without end that wait."""
    family = Family("+/#")
    for number in range(5000):
        family.decode(f"net-{number}/thing", b'{"power":1}', T)
    assert len(family.flush()) == 16
