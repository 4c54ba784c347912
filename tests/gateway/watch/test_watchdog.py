"""Silence: which layer it is in, what is done about it and when, and what is learned of a thing."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import perf_counter

import pytest

from gateway.config import SubscriptionConfig
from tests.gateway.watched import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    await world.spool.close()


@pytest.fixture
async def other_world(tmp_path: Path) -> AsyncIterator[World]:
    (tmp_path / "other").mkdir()
    world = World(tmp_path / "other")
    yield world
    await world.spool.close()


async def two_things(world: World) -> None:
    """a every 10 s and b every 20 s have been speaking for two minutes."""
    world.watch_broker()
    world.add("a", 10.0)
    world.add("b", 20.0)
    await world.live(121, {"a": 10, "b": 20})
    assert world.events() == []


# which layer


async def test_one_thing_silent_while_others_speak_is_the_device(world: World) -> None:
    await two_things(world)
    await world.live(50, {"b": 20})
    assert world.events() == []
    await world.live(5, {"b": 20})
    assert world.events() == [("a", "device", "a is silent")]
    await world.live(7200, {"b": 20})
    assert world.broker.times("reconnect") == []
    assert world.events() == [("a", "device", "a is silent")]
    assert world.stats.devices["mqtt:main", "a"].silent
    assert not world.stats.devices["mqtt:main", "b"].silent


async def test_all_silent_on_a_living_connection_is_the_flow_and_said_once(world: World) -> None:
    await two_things(world)
    await world.live(200)
    assert world.events() == [("mqtt:main", "flow", "mqtt:main is silent")]
    assert world.watchdog.silent == 2
    assert world.watchdog.problems() == [
        "mqtt:main: connected and subscribed, but nothing comes for 51 s (a reading was due every 10 s)",
        "2 things are silent in all",
    ]


async def test_no_connection(world: World) -> None:
    await two_things(world)
    world.broker.subscribed = False
    world.stats.source("mqtt:main").state = "down: 127.0.0.1:1883: connection refused"
    await world.live(9)
    assert world.events() == []
    await world.live(300)
    assert world.events() == [("mqtt:main", "connection", "mqtt:main is silent")]
    assert (
        "no connection to the broker: down: 127.0.0.1:1883: connection refused" in world.pipeline.intake.drop_lines[0]
    )
    assert world.broker.done == []


async def test_a_short_loss_of_the_connection_is_not_said(world: World) -> None:
    await two_things(world)
    world.broker.subscribed = False
    await world.live(5)
    world.broker.subscribed = True
    world.connected_anew()
    await world.live(60, {"a": 10, "b": 20})
    assert world.events() == []


async def test_a_refused_subscription(world: World) -> None:
    await two_things(world)
    world.add("c", 10.0, device="ttn-v3")
    await world.live(20, {"a": 10, "b": 20, "c": 10})
    world.broker.subscribed = False
    world.broker.refused["v3/+/devices/+/up"] = "not authorized"
    await world.live(300, {"a": 10, "b": 20})
    assert world.events() == [("mqtt:main", "subscription", "mqtt:main is silent")]
    assert "'v3/+/devices/+/up' not authorized" in world.pipeline.intake.drop_lines[0]
    assert world.broker.done == []


async def test_messages_that_cannot_be_read(world: World) -> None:
    await two_things(world)
    for _ in range(6):
        world.stats.devices["mqtt:main", "a"].sanity_errors += 1
        await world.live(10, {"b": 20})
    assert world.events() == [("a", "sanity", "a is silent")]


PortCase = Callable[[World], None]


def no_port(world: World) -> None:
    world.port.is_open = False


def no_bytes(world: World) -> None:
    del world


def bytes_only(world: World) -> None:
    world.port.last_bytes_monotonic = world.clock.monotonic()
    world.stats.devices["serial:/dev/x", "lamp-17"].noise_bytes += 50


def wrong_baud(world: World) -> None:
    """Now and then noise looks like a frame."""
    bytes_only(world)
    if int(world.clock.monotonic()) % 10 == 0:
        world.stats.devices["serial:/dev/x", "lamp-17"].integrity_errors += 1


def all_fail_the_check(world: World) -> None:
    bytes_only(world)
    world.stats.devices["serial:/dev/x", "lamp-17"].integrity_errors += 1


def none_can_be_true(world: World) -> None:
    world.port.last_bytes_monotonic = world.clock.monotonic()
    world.stats.devices["serial:/dev/x", "lamp-17"].sanity_errors += 1


@pytest.mark.parametrize(
    ("happens", "layer", "words", "reopened"),
    [
        (no_port, "port", "no reading for 12 s (expected every 1 s); down: unplugged", []),
        (no_bytes, "device", "the port is open, no bytes for 11 s; is the instrument powered and wired?", [31.0, 41.0]),
        (
            bytes_only,
            "framing",
            "550 bytes but no frames; is there a pms5003 on it, at the right baud rate",
            [31.0, 41.0],
        ),
        (
            wrong_baud,
            "framing",
            "550 bytes but no frames; is there a pms5003 on it, at the right baud rate",
            [31.0, 41.0],
        ),
        (all_fail_the_check, "integrity", "11 frames came and all fail the check", [31.0, 41.0]),
        (none_can_be_true, "sanity", "11 frames came whole and cannot be true", []),
    ],
)
async def test_the_layers_of_a_port(
    world: World, happens: PortCase, layer: str, words: str, reopened: list[float]
) -> None:
    world.stats.source("serial:/dev/x").state = "down: unplugged"
    world.watch_port()
    await world.live(20, {"lamp-17": 1})
    for _ in range(30):
        happens(world)
        await world.live(1)
    assert world.events() == [("lamp-17", layer, "lamp-17 is silent")]
    assert words in world.pipeline.intake.drop_lines[0]
    assert world.port.reopened == reopened


async def test_a_thing_whose_port_is_gone_is_silent(world: World) -> None:
    world.watch_port()
    await world.live(20, {"lamp-17": 1})
    world.port.is_open = False
    await world.live(30)
    assert (world.watchdog.silent, [stats.silent for stats in world.stats.devices.values()]) == (1, [True])
    world.port.is_open = True
    await world.live(5, {"lamp-17": 1})
    assert (world.watchdog.silent, [stats.silent for stats in world.stats.devices.values()]) == (0, [False])


async def test_a_port_that_was_never_heard_says_since_when_and_not_0_s(world: World) -> None:
    world.watch_port()
    await world.live(20)
    assert world.port.reopened[:1] == [12.0]
    assert world.port.reasons[:1] == ["no bytes for 11 s: opening the port again"]
    assert (
        "no reading yet, in 11 s (expected every 1 s); the port is open and no byte ever came"
        in (world.pipeline.intake.drop_lines[0])
    )


async def test_a_port_that_brings_noise_alone_is_not_called_silent(world: World) -> None:
    world.watch_port()
    for _ in range(20):
        bytes_only(world)
        await world.live(1)
    assert world.port.reasons[:1] == ["bytes but no frames for 11 s: opening the port again"]
    assert "; 600 bytes but no frames; is there a pms5003 on it" in world.pipeline.intake.drop_lines[0]


async def test_a_port_whose_frames_fail_is_not_called_silent(world: World) -> None:
    world.watch_port()
    for _ in range(20):
        all_fail_the_check(world)
        await world.live(1)
    assert world.port.reasons[:1] == ["no frame that holds its check for 11 s: opening the port again"]


async def test_a_thing_of_which_the_config_expects_data_is_silent_since_the_start(world: World) -> None:
    world.watch_broker(SubscriptionConfig("park/x", "senml", thing="x", expected_every_s=2.0))
    world.add("other", 2.0)
    await world.live(20, {"other": 2})
    [line] = world.pipeline.intake.drop_lines
    assert "no reading yet, in 11 s (expected every 2 s); others on the same broker speak" in line


async def test_having_nothing_to_report_is_a_sign_of_life(world: World) -> None:
    """A receiver without a fix, a device with nothing to say: alive, and not silent."""
    world.watch_port()
    world.watch_broker()
    world.add("a", 10.0)
    for _ in range(120):
        for thing, source in (("lamp-17", "serial:/dev/x"), ("a", "mqtt:main")):
            stats = world.stats.devices[source, thing]
            stats.empty += 1
            stats.last_seen_ns = world.clock.now_ns()
        world.port.last_bytes_monotonic = world.broker.last_message_monotonic = world.clock.monotonic()
        await world.live(1)
    assert world.events() == []
    assert world.watchdog.silent == 0


async def test_a_silent_thing_returns_when_it_says_that_it_has_nothing_to_report(world: World) -> None:
    stats = world.watch_port()
    await world.live(20, {"lamp-17": 1})
    await world.live(20)
    assert stats.silent
    stats.empty += 1
    stats.last_seen_ns = world.clock.now_ns()
    await world.live(1)
    assert not stats.silent
    assert world.events()[-1] == ("lamp-17", "device", "lamp-17: speaks again")


async def test_a_port_that_changes_its_trouble_says_so(world: World) -> None:
    world.watch_port()
    await world.live(20, {"lamp-17": 1})
    await world.live(30)
    world.port.is_open = False
    await world.live(30)
    world.port.is_open = True
    await world.live(5)
    for _ in range(30):
        all_fail_the_check(world)
        await world.live(1)
    await world.live(5, {"lamp-17": 1})
    assert world.events() == [
        ("lamp-17", "device", "lamp-17 is silent"),
        ("lamp-17", "port", "lamp-17 is silent"),
        ("lamp-17", "port", "lamp-17: its port is there again"),
        ("lamp-17", "integrity", "lamp-17 is silent"),
        ("lamp-17", "integrity", "lamp-17: speaks again"),
    ]


# healing


async def test_resubscribe_then_reconnect_with_pauses_that_double(world: World) -> None:
    await two_things(world)
    await world.live(3000)
    assert world.broker.done == [
        (173.0, "resubscribe"),
        (193.0, "reconnect"),
        (233.0, "reconnect"),
        (313.0, "reconnect"),
        (473.0, "reconnect"),
        (793.0, "reconnect"),
        (1433.0, "reconnect"),
        (2713.0, "reconnect"),
    ]
    await world.live(86400)
    assert 24 <= len(world.broker.done) <= 34  # an hour apart in the end
    assert world.watchdog.healed["reconnect"] == len(world.broker.done) - 1


async def test_data_flows_again(world: World) -> None:
    await two_things(world)
    await world.live(60)
    await world.live(120, {"a": 10, "b": 20})
    assert world.events() == [
        ("mqtt:main", "flow", "mqtt:main is silent"),
        ("mqtt:main", "flow", "mqtt:main: data flows again"),
    ]
    assert world.broker.done == [(173.0, "resubscribe")]
    assert world.watchdog.silent == 0
    assert world.watchdog.problems() == []


async def test_a_flow_that_comes_and_goes_meets_no_storm(world: World) -> None:
    """The broker gives one message for every connection and no more."""
    await two_things(world)
    for _ in range(60):
        before = len(world.broker.times("reconnect"))
        while len(world.broker.times("reconnect")) == before and world.clock.monotonic() < 20_000:
            await world.live(1)
        world.connected_anew()
        await world.live(1, {"a": 10})
    assert len(world.broker.done) == 13  # within five and a half hours


async def test_reconnected_but_silent(world: World) -> None:
    await two_things(world)
    world.broker.subscribed = False
    await world.live(30)
    world.broker.subscribed = True
    world.connected_anew()
    await world.live(49)
    assert world.broker.done == []
    await world.live(25)
    assert world.broker.done == [(204.0, "resubscribe"), (224.0, "reconnect")]
    assert [title for _, _, title in world.events()] == [
        "mqtt:main is silent",
        "mqtt:main: connected and subscribed again",
        "mqtt:main is silent",
    ]


async def test_a_fast_thing_switched_off_costs_a_slow_one_no_connection(world: World) -> None:
    world.watch_broker()
    world.add("fast", 10.0)
    world.add("slow", 3600.0)
    await world.live(121, {"fast": 10, "slow": 3600})
    await world.live(20_000, {"slow": 3600})
    assert world.broker.times("reconnect") == []
    assert ("fast", "device", "fast is silent") in world.events()
    assert len(world.events()) == 3  # nothing came at first; then the slow one spoke
    assert len(world.broker.done) <= 10


async def test_all_of_a_type_silent_while_others_speak_is_asked_for_again(world: World) -> None:
    await two_things(world)
    world.add("c", 10.0, device="ttn-v3")
    world.add("d", 10.0, device="ttn-v3")
    await world.live(60, {"a": 10, "b": 20, "c": 10, "d": 10})
    await world.live(300, {"a": 10, "b": 20})
    assert [(thing, layer) for thing, layer, _ in world.events()][:3] == [
        ("c", "device"),
        ("d", "device"),
        ("mqtt:main", "subscription"),
    ]
    assert {what for _, what in world.broker.done} == {"resubscribe"}
    assert len(world.broker.done) == 5  # after 0, 10, 30, 70 and 150 s


async def test_over_3_1_1_retained_messages_are_not_asked_for_again(tmp_path: Path) -> None:
    world = World(tmp_path, protocol="3.1.1")
    await two_things(world)
    world.add("c", 10.0, device="ttn-v3")
    world.add("d", 10.0, device="ttn-v3")
    await world.live(60, {"a": 10, "b": 20, "c": 10, "d": 10})
    await world.live(300, {"a": 10, "b": 20})
    assert world.broker.done == []
    await world.spool.close()


async def test_healing_can_be_switched_off(tmp_path: Path) -> None:
    world = World(tmp_path, heal=False)
    await two_things(world)
    world.watch_port()
    await world.live(300)
    assert (world.broker.done, world.port.reopened) == ([], [])
    assert {layer for _, layer, _ in world.events()} == {"flow", "device"}
    await world.spool.close()


async def test_a_port_that_is_off_is_reopened_with_growing_pauses(world: World) -> None:
    world.watch_port()
    await world.live(20, {"lamp-17": 1})
    await world.live(700)
    assert world.port.reopened == [31.0, 41.0, 61.0, 101.0, 181.0, 341.0, 661.0]


# who is not accused


async def test_nobody_is_accused_while_the_spool_takes_nothing(world: World) -> None:
    await two_things(world)
    world.pipeline.state = "disk full"
    await world.live(600)
    world.pipeline.state = "ok"
    await world.live(45)
    assert world.events() == []
    await world.live(10)
    assert world.events() == [("mqtt:main", "flow", "mqtt:main is silent")]


async def test_nobody_is_accused_after_a_stall_of_the_gateway(world: World) -> None:
    await two_things(world)
    world.clock.pass_by(600.0)
    await world.live(45)
    await world.live(60, {"a": 10, "b": 20})
    assert world.events() == []


async def test_a_step_of_the_time_of_day_accuses_nobody(world: World) -> None:
    await two_things(world)
    for step in (3600.0, -7200.0, 3600.0):
        world.clock.step(step)
        await world.live(120, {"a": 10, "b": 20})
    assert world.events() == []


async def test_a_thing_that_is_never_missed(world: World) -> None:
    world.watch_broker()
    world.add("button", math.inf)
    world.add("a", 10.0)
    world.speak("button")
    await world.live(7200, {"a": 10})
    assert world.events() == []


async def test_what_the_config_expects_is_missed_from_the_start(world: World) -> None:
    world.watch_broker(SubscriptionConfig("pond", "senml", thing="pond", expected_every_s=30.0))
    await world.live(155)
    assert world.events() == [("mqtt:main", "flow", "mqtt:main is silent")]


async def test_a_promised_subscription_without_names_is_missed_from_the_start(world: World) -> None:
    world.watch_broker(SubscriptionConfig("park/{thing}", "senml", expected_every_s=30.0))
    await world.live(155)
    assert world.events() == [("mqtt:main", "flow", "mqtt:main is silent")]
    world.add("a", 30.0)
    await world.live(60, {"a": 30})
    assert world.watchdog.faults.open == {}


# what is learned


async def test_the_interval_is_learned(world: World) -> None:
    world.watch_broker()
    slow, fast = world.add("slow", 60.0, learns=True), world.add("fast", 60.0, learns=True)
    await world.live(4000, {"slow": 300, "fast": 2})
    assert slow.expected_every_s == pytest.approx(300.0, rel=0.05)
    assert fast.expected_every_s == pytest.approx(2.0, rel=0.05)
    assert world.events() == [] or [layer for _, layer, _ in world.events()] == ["device", "device"]
    await world.live(15, {"slow": 300})
    assert world.events()[-1] == ("fast", "device", "fast is silent") or world.open_layers() == ["flow"]


async def test_one_outage_changes_what_was_learned_by_a_fifth_at_most(world: World) -> None:
    world.watch_broker()
    stats = world.add("a", 10.0, learns=True)
    await world.live(600, {"a": 10})
    await world.live(35)
    await world.live(1, {"a": 10})
    assert 10.0 < stats.expected_every_s <= 12.1
    await world.live(1200, {"a": 10})
    assert stats.expected_every_s == pytest.approx(10.0, rel=0.05)


async def test_an_outage_of_the_connection_teaches_nothing(world: World) -> None:
    world.watch_broker()
    stats = world.add("a", 10.0, learns=True)
    await world.live(600, {"a": 10})
    world.broker.subscribed = False
    await world.live(3600)
    world.broker.subscribed = True
    world.connected_anew()
    await world.live(60, {"a": 10})
    assert stats.expected_every_s == pytest.approx(10.0, rel=0.05)


async def test_a_burst_at_power_up_teaches_nothing(world: World) -> None:
    world.watch_broker()
    stats = world.add("a", 600.0, learns=True, device="ttn-v3")
    await world.live(12, {"a": 1})
    assert stats.expected_every_s == 600.0
    await world.live(2900)
    assert world.events() == []


async def test_several_readings_in_one_message_are_one_gap(world: World) -> None:
    world.watch_broker()
    stats = world.add("a", 60.0, learns=True)
    for _ in range(12):
        world.speak("a", readings=10)
        await world.live(100)
    assert stats.expected_every_s == pytest.approx(100.0, rel=0.05)


async def test_what_is_configured_is_not_learned_over(world: World) -> None:
    world.watch_broker()
    stats = world.add("a", 60.0)
    await world.live(1000, {"a": 5})
    assert stats.expected_every_s == 60.0


# many things


async def test_thousands_of_silent_things_are_said_in_a_few_lines(world: World) -> None:
    world.watch_broker()
    for number in range(3000):
        world.add(f"t{number}", 10.0)
    world.add("alive", 10.0)
    for stats in world.stats.devices.values():
        stats.readings, stats.last_seen_ns = 1, world.clock.now_ns()
    await world.live(120, {"alive": 10})
    assert world.watchdog.silent == 3000
    assert len(world.events()) <= 45
    assert ("", "device", "2980 more things are silent") in world.events()
    problems = world.watchdog.problems()
    assert len(problems) == 6
    assert problems[-1] == "3000 things are silent in all"


async def test_a_round_over_100_000_things_costs_no_more_than_one_over_5_000(world: World, other_world: World) -> None:
    """Each visited in turn, 5,000 a round; the loop is free again after 500 of them."""

    async def cost(world: World, things: int) -> tuple[float, int]:
        world.watch_broker()
        for number in range(things):
            world.add(f"t{number}", 3600.0).readings = 1
        await world.live(20)  # has met and visited them all
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        watching = asyncio.create_task(others())
        best = math.inf
        for _ in range(7):
            turns = 0
            world.clock.pass_by(1.0)
            begin = perf_counter()
            await world.watchdog.round()
            best = min(best, perf_counter() - begin)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        return best, turns

    few, turns = await cost(world, 5_000)
    many, more_turns = await cost(other_world, 100_000)
    assert many < 4 * few
    assert turns >= 10
    assert more_turns >= 10


async def test_every_one_of_100_000_things_has_its_turn(world: World) -> None:
    world.watch_broker()
    for number in range(100_000):
        world.add(f"t{number}", 10.0)
    for stats in world.stats.devices.values():
        stats.readings, stats.last_seen_ns = 1, world.clock.now_ns()
    world.broker.last_message_monotonic = world.clock.monotonic()
    await world.live(100)
    assert world.watchdog.silent == 100_000
    assert world.events() == [("mqtt:main", "flow", "mqtt:main is silent")]
