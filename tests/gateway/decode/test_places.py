"""Places among the things of a broker: who has one, who gets one, and what becomes of the rest."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from devices.spec.events import Reading
from gateway.clock import SystemClock
from gateway.config import MqttConfig, SpoolConfig, SubscriptionConfig
from gateway.decode.broker import BrokerIntake
from gateway.decode.known import KnownThings
from gateway.decode.subscription import Subscription
from gateway.decode.things import Known
from gateway.pipeline import Pipeline
from gateway.spool.spool import Spool
from gateway.stats import Stats
from tests.device_types import BY_NAME
from tests.gateway.test_pipeline import NUMBER, Connection

NOW = 1_790_000_000_000_000_000
MINUTE = 60_000_000_000


class Clock(SystemClock):
    now = NOW

    def now_ns(self):
        return self.now


class House:
    """One broker with few places, on a real spool."""

    def __init__(self, path: Path, *more: SubscriptionConfig, known=(), **settings):
        self.clock, self.stats = Clock(), Stats()
        self.spool = Spool.open(path / "spool.db", SpoolConfig(), self.clock)
        self.pipeline = Pipeline(self.spool, self.clock, self.stats)
        wanted = (SubscriptionConfig("park/{thing}", "number"), *more)
        config = MqttConfig("main", "mqtt://127.0.0.1", "t", wanted, **settings)
        types = {"number": NUMBER, **BY_NAME}
        self.broker = BrokerIntake(
            self.pipeline, config, [Subscription(each, types[each.device]) for each in wanted], "mqtt:main", known
        )
        self.connection = Connection()

    def say(self, topic: str, payload: bytes = b"1", packet_id=None, retained=False) -> None:
        self.broker.message(self.connection, topic, payload, packet_id, False, retained)

    async def things(self) -> list[str]:
        await self.pipeline.finish()
        batch = await self.spool.read(0, 100_000)
        lines = [] if batch is None else batch.lines.decode().splitlines()
        return [line.split("thing=")[1].split(" ")[0].split(",")[0] for line in lines]

    async def quarantined(self) -> list[tuple[str, str, bytes]]:
        await self.pipeline.finish()
        return [(row.thing, row.reason, row.data) for row in await self.spool.quarantine_rows()]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, max_things=2)
    yield house
    await house.spool.close()


async def test_what_is_refused_for_want_of_places_is_kept_whole(room):
    for number, thing in enumerate(["a", "b", "c"]):
        room.say(f"park/{thing}", b"12.5", number + 1)
    assert await room.quarantined() == [
        ("c", "series limit: mqtt:main has 2 things already (max_things)", b"12.5"),
    ]
    assert room.connection.log == [[1, 2, 3]]


async def test_health_knows_that_a_broker_is_full_while_it_lasts(room):
    for thing in ("a", "b", "c", "c"):
        room.say(f"park/{thing}")
    crowd = room.stats.crowds["mqtt:main"]
    assert crowd.words == ("all 2 places (max_things) are taken; 2 readings of further things went to the quarantine")
    room.clock.now += MINUTE
    room.broker.things.settle(room.clock.now)
    assert "mqtt:main" in room.stats.crowds
    room.clock.now += MINUTE
    room.broker.things.settle(room.clock.now)
    assert room.stats.crowds == {}


async def test_a_newcomer_that_goes_on_speaking_takes_the_place_of_a_name_said_once(room):
    room.say("park/real")
    room.say("park/made-up")
    for _ in range(4):
        room.clock.now += MINUTE // 2
        room.say("park/real")
        room.say("park/new")
    assert await room.things() == ["real", "made-up", "real", "real", "real", "new", "real", "new"]
    assert [thing for thing, _, _ in await room.quarantined()] == ["new", "new"]
    assert [thing for _, thing in room.stats.devices] == ["real", "new"]
    assert room.stats.parted == 1


async def test_a_thing_that_spoke_lately_loses_its_place_to_nobody(room):
    for _ in range(3):
        room.say("park/a")
        room.say("park/b")
        room.clock.now += MINUTE
    for _ in range(10):
        room.clock.now += MINUTE
        room.say("park/new")
    assert "new" not in await room.things()
    room.clock.now += 8 * 24 * 60 * MINUTE  # more than a week of silence
    for _ in range(4):
        room.clock.now += MINUTE
        room.say("park/b")
        room.say("park/new")
    assert "new" in await room.things()
    assert [thing for _, thing in room.stats.devices] == ["b", "new"]


async def test_a_thing_below_a_subscription_with_tags_that_spoke_lately_keeps_its_place(tmp_path):
    house = House(tmp_path, SubscriptionConfig("lake/{thing}", "number", tags={"zone": "lake"}), max_things=1)
    for _ in range(3):
        house.say("lake/real")
        house.clock.now += MINUTE
    for _ in range(10):
        house.clock.now += MINUTE
        house.say("lake/new")
    assert await house.things() == ["real", "real", "real"]
    await house.spool.close()


async def test_a_thing_of_the_configuration_has_its_place_however_full_it_is(tmp_path):
    house = House(tmp_path, SubscriptionConfig("lake/level", "senml", thing="gauge"), max_things=3)
    for number in range(10):
        house.say(f"park/made-up-{number}")
    house.say("lake/level", b'[{"n":"level","v":1}]')
    assert await house.things() == ["made-up-0", "made-up-1", "gauge"]
    house.clock.now += 10 * MINUTE
    for _ in range(5):
        house.clock.now += MINUTE
        house.say("park/new-1")
        house.say("park/new-2")
        house.say("park/new-3")
    house.say("lake/level", b'[{"n":"level","v":2}]')
    assert (await house.things())[-1] == "gauge"
    assert sorted(thing for _, thing in house.stats.devices) == ["gauge", "new-1", "new-2"]
    await house.spool.close()


async def test_a_flood_of_made_up_names_after_a_restart_takes_no_known_thing_s_place(tmp_path):
    file = tmp_path / "things.json"
    first = House(tmp_path, max_things=4)
    for _ in range(3):
        first.say("park/a")
        first.say("park/b")
        first.clock.now += MINUTE
    for number in range(1000):
        first.say(f"park/flood-{number}")
    assert first.broker.things.settle(first.clock.now)
    known = first.broker.things.known()
    assert [each.thing for each in known] == ["a", "b"]
    KnownThings(file).write({"mqtt:main": known})
    await first.pipeline.finish()
    await first.spool.close()

    (tmp_path / "spool.db").unlink()
    again = KnownThings(file).read("mqtt:main", NOW + 5 * MINUTE)
    second = House(tmp_path, max_things=4, known=again)
    second.clock.now = NOW + 5 * MINUTE
    for number in range(1000):
        second.say(f"park/flood-{number}")
    second.say("park/a")
    second.say("park/b")
    assert await second.things() == ["flood-0", "flood-1", "a", "b"]
    assert second.stats.stages.quarantined == 998
    await second.spool.close()


def test_what_was_not_heard_for_a_week_is_no_longer_known(tmp_path):
    file = tmp_path / "things.json"
    old = Known("number", "b", NOW - 9 * 86_400 * 10**9)
    KnownThings(file).write({"mqtt:main": [Known("number", "a", NOW), old]})
    assert KnownThings(file).read("mqtt:main", NOW) == [Known("number", "a", NOW)]
    assert KnownThings(file).read("mqtt:other", NOW) == []
    file.write_text('{"mqtt:main": [["number", 7, "x"], 5, ["number", "c", 1790000000]]}')
    assert KnownThings(file).read("mqtt:main", NOW) == [Known("number", "c", NOW)]
    file.write_text("damaged {")
    assert KnownThings(file).read("mqtt:main", NOW) == []


def test_the_known_things_of_a_broker_that_is_not_configured_now_stay_in_the_file(tmp_path):
    file = tmp_path / "things.json"
    many = [Known("number", f"a{number}", NOW) for number in range(2500)]
    KnownThings(file).write({"mqtt:main": many, "mqtt:away": [Known("number", "b", NOW)], "mqtt:none": []})
    known = KnownThings(file)
    assert known.read("mqtt:main", NOW) == many
    known.write({"mqtt:main": many[:1]})
    assert json.loads(file.read_text()) == {
        "mqtt:away": [["number", "b", NOW // 10**9]],
        "mqtt:none": [],
        "mqtt:main": [["number", "a0", NOW // 10**9]],
    }


async def test_who_is_known_is_written_down_once_a_minute_at_most_and_once_an_hour(room):
    things = room.broker.things
    for _ in range(3):
        room.say("park/a")
        room.clock.now += MINUTE
    assert things.settle(room.clock.now)
    assert not things.settle(room.clock.now + MINUTE)
    for _ in range(3):
        room.say("park/b")
        room.clock.now += MINUTE
    assert things.settle(room.clock.now)
    assert [each.thing for each in things.known()] == ["a", "b"]
    assert not things.settle(room.clock.now + 59 * MINUTE)
    assert things.settle(room.clock.now + 60 * MINUTE)


async def test_a_thing_with_two_places_is_known_once_as_it_was_heard_last(tmp_path):
    wanted = (
        SubscriptionConfig("lake/{thing}", "number", tags={"zone": "lake"}),
        SubscriptionConfig("gate/{thing}", "number", tags={"zone": "gate"}),
    )
    house = House(tmp_path, *wanted)
    for _ in range(3):
        house.say("gate/t1")
        house.say("lake/t1")
        house.clock.now += MINUTE
    house.say("gate/t1")
    assert house.broker.things.known() == [Known("number", "t1", house.clock.now)]
    await house.spool.close()


async def test_topics_that_lead_nowhere_are_forgotten_and_those_of_things_are_not(tmp_path):
    house = House(tmp_path, max_things=2)
    house.say("park/a")
    house.say("park/b")
    for number in range(5000):
        house.say(f"park/flood-{number}")
    routes = house.broker._topics.routes
    assert len(routes) == 1002
    assert {"park/a", "park/b"} <= routes.keys()
    await house.spool.close()


async def test_one_thing_below_two_subscriptions_with_tags_of_their_own_is_two_series(tmp_path):
    wanted = (
        SubscriptionConfig("lake/{thing}", "number", tags={"zone": "lake"}),
        SubscriptionConfig("gate/{thing}", "number", tags={"zone": "gate"}),
    )
    house = House(tmp_path, *wanted)
    house.say("lake/t1")
    house.say("gate/t1", b"2")
    await house.pipeline.finish()
    batch = await house.spool.read(0, 10)
    assert batch is not None
    assert batch.lines.decode().splitlines() == [
        "number,thing=t1,zone=lake value=1.0 1790000000000000000",
        "number,thing=t1,zone=gate value=2.0 1790000000000000000",
    ]
    await house.spool.close()


async def test_a_topic_of_which_nothing_was_stored_is_there_to_look_at(room):
    for _ in range(12):
        room.say("park/x", b"xyz")
    (row,) = room.stats.topics.values()
    assert row.words == "park/x: 12 messages, none stored: not a number: xyz"
    assert (row.source, row.device, row.thing, row.messages, row.faults) == ("mqtt:main", "number", "x", 12, 12)
    room.say("park/x", b"5")
    assert room.stats.topics == {}
    room.say("park/x", b"xyz")
    assert room.stats.topics == {}
    assert room.stats.devices["mqtt:main", "x"].sanity_errors == 1


async def test_a_message_that_no_subscription_matches_is_there_to_look_at(room):
    room.say("elsewhere", b"1")
    (row,) = room.stats.topics.values()
    assert row.words == "elsewhere: 1 message, none stored: no subscription matches topic 'elsewhere'"


async def test_old_retained_messages_and_things_without_a_place_are_there_to_look_at(room):
    room.say("park/old", retained=True)
    for thing in ("a", "b", "c"):
        room.say(f"park/{thing}")
    assert [row.words for row in room.stats.topics.values()] == [
        "park/old: 1 message, none stored: a retained message that does not say when it was true; not stored",
        "park/c: 1 message, none stored: series limit: mqtt:main has 2 things already (max_things)",
    ]


async def test_topics_to_look_at_are_bounded_and_the_silent_ones_make_room(room):
    for number in range(300):
        room.say(f"park/x{number}", b"?")
    assert len(room.stats.topics) == 100
    assert room.stats.more_topics == 200
    room.clock.now += 11 * MINUTE
    room.say("park/late", b"?")
    assert ("mqtt:main", "park/late") in room.stats.topics
    assert len(room.stats.topics) == 100


async def test_a_reading_partly_storable_is_stored_and_what_was_left_out_is_counted(tmp_path):
    house = House(tmp_path)
    wild = replace(NUMBER, decode=lambda _topic, _payload, _ns: [Reading({"level": float("inf"), "value": 1.5})])
    config = MqttConfig("main", "mqtt://127.0.0.1", "t", (SubscriptionConfig("park/{thing}", "number"),))
    house.broker = BrokerIntake(house.pipeline, config, [Subscription(config.subscriptions[0], wild)], "mqtt:main")
    house.say("park/a")
    await house.pipeline.finish()
    batch = await house.spool.read(0, 10)
    assert batch is not None
    assert batch.lines == b"number,thing=a value=1.5 1790000000000000000"
    stats = house.stats.devices["mqtt:main", "a"]
    assert (stats.readings, stats.field_errors, stats.sanity_errors) == (1, 1, 0)
    await house.spool.close()


async def test_what_a_reading_leaves_out_is_named(tmp_path):
    house = House(tmp_path)
    said = [Reading({"value": 1.5}, field_errors=("level: 200 is outside 0..100", "tilt: no number"))]
    partly = replace(NUMBER, decode=lambda _topic, _payload, _ns: said)
    config = MqttConfig("main", "mqtt://127.0.0.1", "t", (SubscriptionConfig("park/{thing}", "number"),))
    house.broker = BrokerIntake(house.pipeline, config, [Subscription(config.subscriptions[0], partly)], "mqtt:main")
    house.say("park/a")
    stats = house.stats.devices["mqtt:main", "a"]
    assert (stats.readings, stats.field_errors, stats.last_error) == (1, 2, "level: 200 is outside 0..100")
    await house.pipeline.finish()
    await house.spool.close()
