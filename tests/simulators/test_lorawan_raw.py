"""Simulated LoRaWAN nodes with raw payloads only: what they send is what is true, read by their codec."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.spec.coded import CodecRefused, Coded, Raw
from devices.spec.device import MessageDevice
from devices.spec.events import Reading
from gateway.codecs import Limits, answer, answers, shelf_of
from simulators.scene import truth
from simulators.things import ThingSpec, peer
from tests.device_types import BY_NAME

EXAMPLES = Path(__file__).parents[2] / "examples" / "codecs"
SERVERS = ["ttn-v3", "chirpstack-v4"]


def payloads(device: MessageDevice, count: int) -> list[bytes]:
    node = peer(ThingSpec("node-1", device, seed=3, period_s=600.0, kind="raw", zone="lake", location=(52.5, 13.4)))
    found: list[bytes] = []
    moment = 1_700_000_000.0
    while len(found) < count:
        for frame in node.tick(moment):
            found.append(frame.data)
            node.sent[frame.series] += 1
        moment += 600.0
    return found[:count]


@pytest.mark.parametrize("name", SERVERS)
def test_only_the_codec_knows_what_a_node_measures(name: str) -> None:
    device = BY_NAME[name]
    assert isinstance(device, MessageDevice)
    assert device.decode_coded is not None
    shelf = shelf_of(EXAMPLES)
    sent = payloads(device, 50)
    topic = "application/x/device/feed00/event/up"
    raws: list[Raw] = []
    for payload in sent:
        assert b'"temperature' not in payload
        (event,) = device.decode(topic, payload, 0)
        assert isinstance(event, Reading)
        assert event.fields.keys().isdisjoint({"temperature_c", "humidity_pct", "co2_ppm"})
        device.decode_coded(topic, payload, 0, raws.append)
    scripts = [shelf.choose(raw) for raw in raws]
    asked = [(script, raw) for script, raw in zip(scripts, raws, strict=True) if script is not None]
    assert len(asked) == 50
    said = [answer("x", raw, each) for (_, raw), each in zip(asked, answers(asked, Limits(), 0), strict=True)]
    one = truth(device, 3, "raw")
    for payload, coded in zip(sent, said, strict=True):

        def codec(_raw: Raw, coded: Coded | CodecRefused = coded) -> Coded:
            assert isinstance(coded, Coded)
            return coded

        (event,) = device.decode_coded(topic, payload, 0, codec)
        assert isinstance(event, Reading)
        assert event.time_ns is not None
        true = one(event.time_ns / 1e9).fields
        assert event.fields["temperature_c"] == true["temperature_c"]
        assert event.fields["humidity_pct"] == round(float(true["humidity_pct"]))
        assert event.fields["co2_ppm"] == true["co2_ppm"]
        assert event.fields["battery_mv"] == round(float(true["battery_v"]) * 1000)
        assert event.fields["f_port"] == 5


def test_its_uplinks_are_counted_and_its_eui_is_of_its_name() -> None:
    device = BY_NAME["ttn-v3"]
    assert isinstance(device, MessageDevice)
    messages: list[dict[str, Any]] = [json.loads(each) for each in payloads(device, 3)]
    counts = [message["uplink_message"].get("f_cnt", 0) for message in messages]
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]
    assert {message["end_device_ids"]["dev_eui"] for message in messages} == {"feed000013f21c5f"}
