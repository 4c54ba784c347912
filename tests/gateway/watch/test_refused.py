"""Health is true: sources of which nothing can be read are named while it lasts, and so is what is lost."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.watch.recent import Recent
from tests.gateway.web_room import Nobody, WebRoom, open_room

PARK = """
[gateway]
name = "park-east"

[mqtt.main]
url = "mqtt://127.0.0.1"
client_id = "x"
[[mqtt.main.subscription]]
topic = "park/{thing}/air"
device = "senml"
[[mqtt.main.subscription]]
topic = "v3/+/devices/{thing}/up"
device = "ttn-v3"
[[mqtt.main.subscription]]
topic = "zigbee2mqtt/#"
device = "zigbee2mqtt"

[[serial]]
port = "/dev/ttyUSB0"
device = "sds011"
thing = "lamp-17"
"""

GOOD = b'[{"n":"temperature","u":"Cel","v":21.5}]'
BAD = b'{"t":21.5}'
WHY = "expected a JSON or CBOR array of records"
SDS011 = bytes.fromhex("aac0d4043a0aa1601dab")  # PM2.5 123.6, PM10 261.8: Nova SDS011 protocol V1.3, page 5
FLIPPED = SDS011[:2] + b"\xd5" + SDS011[3:]


@pytest.fixture
async def park(tmp_path: Path) -> AsyncIterator[WebRoom]:
    """A gateway whose broker and port are up; the clock of its watchdog is moved by `rounds`."""
    room = await open_room(tmp_path, PARK)
    for name in ("mqtt:main", "serial:/dev/ttyUSB0"):
        room.stats.source(name).state = "up"
    yield room
    await room.close()


async def problems(room: WebRoom) -> list[str]:
    """What `/healthz` says after another round of the watchdog."""
    await room.watchdog.round()
    _, report = await room.get("/healthz?devices=0")
    assert (report["status"] == "ok") == (report["problems"] == [])
    return list(report["problems"])


async def test_a_broker_of_which_nothing_can_be_read_is_named_and_no_longer_when_it_is_over(park: WebRoom) -> None:
    park.publish("park/lamp-4/air", GOOD)
    await problems(park)
    assert await problems(park) == []
    for _ in range(2):
        park.publish("park/lamp-4/air", BAD)
    assert await problems(park) == [], "twice may happen to anybody"
    for _ in range(118):
        park.publish("park/lamp-4/air", BAD)
    assert await problems(park) == [f"mqtt:main: all of the last 120 messages of lamp-4 could not be read: {WHY}"]
    park.publish("park/lamp-4/air", GOOD)
    await problems(park)
    assert await problems(park) == []


async def test_what_several_topics_brought_is_not_said_of_one(park: WebRoom) -> None:
    for thing in ("lamp-4", "lamp-5", "lamp-6", "lamp-6", "lamp-6"):
        park.publish(f"park/{thing}/air", BAD)
        park.clock.time_ns += 1_000_000
    await problems(park)
    assert await problems(park) == [
        f"mqtt:main: all of the last 5 messages could not be read; the last, of park/lamp-6/air: {WHY}"
    ]


async def test_a_thing_that_was_never_understood_is_no_secret(park: WebRoom) -> None:
    for _ in range(3):
        park.publish("park/lamp-4/air", BAD)
    await problems(park)
    [said] = await problems(park)
    assert said.startswith("mqtt:main: all of the last 3 messages ")
    assert said.endswith(f" could not be read: {WHY}")


async def test_one_thing_that_is_never_understood_is_named_while_others_are(park: WebRoom) -> None:
    for thing in ("lamp-4", "lamp-5"):
        park.publish(f"park/{thing}/air", GOOD)
    await problems(park)
    for number in range(5):
        park.publish("park/lamp-4/air", BAD)
        park.publish("park/lamp-5/air", GOOD.replace(b"21.5", b"%d" % number))
    said = await problems(park)
    assert said == [f"mqtt:main: all of the last 5 messages of lamp-4 could not be read as senml: {WHY}"]
    park.publish("park/lamp-4/air", GOOD)
    await problems(park)
    assert await problems(park) == []


async def test_a_topic_whose_type_does_not_fit_is_named_while_others_are_understood(park: WebRoom) -> None:
    park.publish("park/lamp-5/air", GOOD)
    for _ in range(120):
        park.publish("park/lamp-4/air", BAD)
        park.publish("park/lamp-5/air", GOOD)
    await problems(park)
    [said] = await problems(park)
    assert said == f"mqtt:main: all of the last 120 messages of park/lamp-4/air could not be read as senml: {WHY}"
    _, things = await park.get("/api/v1/things?device=senml&limit=1")
    assert things["unread"] == [
        {
            "source": "mqtt:main",
            "device": "senml",
            "thing": "lamp-4",
            "topic": "park/lamp-4/air",
            "messages": 120,
            "faults": 120,
            "reason": WHY,
            "last_seen": "2026-01-01T00:00:00.000000Z",
        }
    ]
    _, things = await park.get("/api/v1/things?thing=lamp-5")
    assert things["unread"] == []
    park.publish("park/lamp-4/air", GOOD)
    await problems(park)
    assert await problems(park) == []
    _, things = await park.get("/api/v1/things")
    assert things["unread"] == []


async def test_states_that_wait_in_vain_for_what_explains_them_are_named_after_a_minute(park: WebRoom) -> None:
    for _ in range(5):
        park.publish("zigbee2mqtt/plug", b'{"power":1}')
    assert await problems(park) == []
    park.clock.time_ns += 61 * 10**9
    for _ in range(3):
        park.publish("zigbee2mqtt/plug", b'{"power":1}')
    assert await problems(park) == [
        "mqtt:main: all of the last 3 messages of zigbee2mqtt/plug could not be read as zigbee2mqtt: "
        "waits for zigbee2mqtt/bridge/devices to say what it is"
    ]
    park.publish("zigbee2mqtt/bridge/devices", b'[{"ieee_address":"0x1","friendly_name":"plug","type":"Router"}]')
    park.publish("zigbee2mqtt/plug", b'{"power":1}')
    assert await problems(park) == []


async def test_very_many_things_of_one_type_are_one_line(park: WebRoom) -> None:
    for number in range(40):
        park.publish(f"park/lamp-{number}/air", GOOD)
    park.publish("v3/app/devices/soil-1/up", b"{}")
    await problems(park)
    for number in range(1, 40):
        for _ in range(3):
            park.publish(f"park/lamp-{number}/air", BAD)
    park.publish("park/lamp-0/air", GOOD)
    said = await problems(park)
    assert said == [
        "mqtt:main: all of the last 117 messages of lamp-1, lamp-2, lamp-3 and 36 more could not be read as senml: "
        f"{WHY}"
    ]


async def test_a_port_whose_frames_all_fail_is_named(park: WebRoom) -> None:
    port = park.ports["serial:/dev/ttyUSB0"]
    port.bytes(SDS011)
    await problems(park)
    for _ in range(3):
        port.bytes(FLIPPED)
    [said] = await problems(park)
    assert said.startswith("serial:/dev/ttyUSB0: all of the last 3 frames of lamp-17 could not be read: checksum")
    port.bytes(SDS011)
    await problems(park)
    assert await problems(park) == []


async def test_noise_between_good_frames_is_no_problem(park: WebRoom) -> None:
    port = park.ports["serial:/dev/ttyUSB0"]
    for _ in range(20):
        port.bytes(b"\x00\x01\x02" * 30)
    port.bytes(SDS011)
    assert await problems(park) == []
    assert park.stats.source("serial:/dev/ttyUSB0").refused == 0


async def test_messages_that_no_subscription_takes_or_that_are_too_large_count_as_refused(park: WebRoom) -> None:
    for _ in range(2):
        park.publish("elsewhere", GOOD)
    park.brokers["mqtt:main"].oversize(Nobody(), "park/lamp-4/air", b"head", 9_999_999, None, False)
    assert await problems(park) == [
        "mqtt:main: all of the last 3 messages could not be read: 9999999 bytes on topic 'park/lamp-4/air', "
        "max_payload is 8388608"
    ]


async def test_what_was_refused_long_ago_is_over(park: WebRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    now = park.clock.monotonic()
    monkeypatch.setattr(park.clock, "monotonic", lambda: now)
    for _ in range(3):
        park.publish("park/lamp-4/air", BAD)
    assert len(await problems(park)) == 1
    now += 299.0
    assert len(await problems(park)) == 1
    now += 2.0
    park.clock.time_ns += 301_000_000_000
    assert await problems(park) == []
    for _ in range(3):
        park.publish("park/lamp-4/air", BAD)
    await problems(park)
    [said] = await problems(park)
    assert said.startswith("mqtt:main: all of the last 3 messages ")


async def test_a_thing_that_is_never_missed_is_forgotten_like_others(
    park: WebRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = park.clock.monotonic()
    monkeypatch.setattr(park.clock, "monotonic", lambda: now)
    for thing in ("lamp-4", "lamp-5"):
        park.publish(f"park/{thing}/air", GOOD)
        park.stats.devices["mqtt:main", thing].expected_every_s = math.inf
    await problems(park)
    for number in range(3):
        park.publish("park/lamp-4/air", BAD)
        park.publish("park/lamp-5/air", GOOD.replace(b"21.5", b"%d" % number))
    assert len(await problems(park)) == 1
    now += 301.0
    assert await problems(park) == []


async def test_metrics_and_the_api_count_what_a_source_refused(park: WebRoom) -> None:
    for _ in range(3):
        park.publish("park/lamp-4/air", BAD)
    async with park.client.get(f"{park.url}/metrics") as response:
        assert 'parkgate_source_refused_total{source="mqtt:main"} 3.0\n' in await response.text()
    _, found = await park.get("/api/v1/sources")
    assert (found["sources"][0]["refused"], found["sources"][0]["last_refused"]) == (3, WHY)


# what is lost


def test_what_is_given_up_is_said_for_a_minute_and_no_longer() -> None:
    recent = Recent()
    recent.round(7, 0.0)
    assert recent.problems() == []
    recent.round(8, 1.0)
    why = "the spool or its disk is full, or they were older than max_age_s"
    assert recent.problems() == [f"1 point was given up within the last minute: {why}"]
    recent.round(1207, 60.0)
    assert recent.problems() == [f"1200 points were given up within the last minute: {why}"]
    recent.round(1207, 62.0)
    assert recent.problems() == [f"1199 points were given up within the last minute: {why}"]
    recent.round(1207, 122.0)
    assert recent.problems() == []
