"""Floods: of new names, of long topics, of large payloads. Memory stays bounded, known things go on."""

import asyncio
from hashlib import blake2b

import pytest

from tests.faults.conftest import Start
from tests.faults.ground import Stamped, audited, config, steady
from tests.faults.hostile import Speaker, counted, holds, number, peak_mb, words
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

PEAK_MB = 250.0


@pytest.mark.slow
async def test_50000_new_names_against_a_limit_of_1000(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port, mqtt="max_things = 1000"))
    await Stamped(fresh_mosquitto.port).run(200)  # ten things are known
    flood = [(f"park/made-up-{index}", number(1.0)) for index in range(50_000)]
    async with asyncio.timeout(110), asyncio.TaskGroup() as group:
        group.create_task(Stamped(fresh_mosquitto.port).run(2000, first=200, rate=400))
        group.create_task(Speaker(fresh_mosquitto.port, flood).say(window=200))
    stages = await counted(running, quarantined=49_010)
    assert stages["quarantined"] == 49_010  # 50,000 and 10 are 49,010 more than 1,000
    assert stages["unkept"] == 0
    report = await running.health()
    assert report["status"] == "degraded"
    assert any("mqtt:main: all 1000 places (max_things) are taken" in problem for problem in report["problems"])
    assert await audited(fresh_influxd.url, [running], 2200) == (0, 0)
    assert len(words(fresh_influxd.url, 'SHOW SERIES FROM "senml"')) == 1000
    report = await running.health()
    assert report["things"]["seen"] == 1000
    assert peak_mb(running) < PEAK_MB


async def test_topics_of_65535_bytes(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    """3,000 of them are 197 MB of names: none is remembered whole."""
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    topics = [f"park/{index:06}".ljust(65_535, "x") for index in range(3000)]
    assert len(topics[0].encode()) == 65_535
    async with steady(fresh_mosquitto.port) as publisher:
        await Speaker(fresh_mosquitto.port, [(topic, number(0.5)) for topic in topics]).say()
        things = {f"{topic[5:244]}~{blake2b(topic[5:].encode(), digest_size=8).hexdigest()}" for topic in topics}
        await holds(fresh_influxd.url, "level", {thing: [0.5] for thing in things})
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)
    assert peak_mb(running) < PEAK_MB


async def test_payloads_of_1_mb_are_kept_in_part_and_do_not_come_again(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    large = b'[{"n":"mood","vs":"' + b"x" * 1_000_000 + b'"}]'
    messages = [("park/small", number(index)) if index % 2 else ("park/large", large) for index in range(200)]
    small = [float(index) for index in range(1, 200, 2)]
    url = fresh_influxd.url
    async with steady(fresh_mosquitto.port) as publisher:
        await Speaker(fresh_mosquitto.port, messages).say(window=20)
        await holds(url, "level", {"small": small})  # the last: the large ones before it are acknowledged
        assert (await running.health())["stages"]["quarantined"] == 100
        assert peak_mb(running) < PEAK_MB
        assert sum(file.stat().st_size for file in running.process.state.iterdir()) < 20 << 20  # 4 KB of each
        await running.kill()
        await running.start()
        await Speaker(fresh_mosquitto.port, [("park/small", number(1000.0))]).say()
        await holds(url, "level", {"small": [*small, 1000.0]})
    assert await audited(url, [running], publisher.acknowledged) == (0, 0)
    assert (await running.health())["stages"]["quarantined"] == 0


async def test_a_payload_of_87000_empty_messages_is_one_undecodable_payload(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """An array within max_payload: it is kept once with its reason, and pushes nothing else out of the quarantine."""
    more = '[[mqtt.main.subscription]]\ntopic = "v3/+/devices/{thing}/up"\ndevice = "ttn-v3"\n'
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port, more=more))
    payload = b"[" + b"{}," * 87_000 + b"{}]"
    assert len(payload) < 1 << 18
    async with steady(fresh_mosquitto.port) as publisher:
        await Speaker(fresh_mosquitto.port, [("v3/park/devices/lamp/up", payload)] * 20).say()
        await counted(running, quarantined=20)
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)
    stages = (await running.health())["stages"]
    assert (stages["quarantined"], stages["unkept"]) == (20, 0)
    assert peak_mb(running) < PEAK_MB
