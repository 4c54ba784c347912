"""The MQTT sources against a real mosquitto, both protocol versions where they promise the same."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateway.mqtt_room import HastyClock, Publisher, running, until
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
PLUGIN = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@both
async def test_messages_arrive_with_the_thing_as_a_wildcard(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "park/{thing}/up", protocol=protocol) as room:
        await room.up()
        publisher = Publisher(broker.port)
        publisher.send("park/bench-1/up", b"one")
        publisher.send("park/bench-2/up", b"two", qos=0)
        publisher.send("park/bench-3/down", b"not asked for")
        publisher.send("park/bench-4/up", b"")
        await room.got(3)
        assert [tuple(message) for message in room.intake.messages] == [
            ("park/bench-1/up", b"one", 1, False, False),
            ("park/bench-2/up", b"two", None, False, False),
            ("park/bench-4/up", b"", 2, False, False),
        ]
        await until(lambda: room.intake.chunks > 0, "chunk_end")
        assert room.stats.state == "up"
        assert room.stats.connects == 1
        assert room.stats.bytes_in > 0
        assert room.source.last_message_monotonic is not None
    assert room.stats.state == "stopped"


@both
async def test_what_was_not_acknowledged_comes_again(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "a/#", protocol=protocol) as room:
        await room.up()
        Publisher(broker.port).send("a/b", b"0", b"1", b"2", b"3", b"4")
        await room.got(5)
        room.intake.acknowledge(2)
        room.source.reconnect("a test wants it")
        await room.says("down: a test wants it")
        await room.got(8)
        again = room.intake.messages[5:]
        assert [message.payload for message in again] == [b"2", b"3", b"4"]
        assert [message.duplicate for message in again] == [True, True, True]
        assert [message.packet_id for message in again] == [3, 4, 5]
        first = room.intake.connections[0]
        first.acknowledge([3])  # the connection is gone: nothing happens
        await room.up()


@both
async def test_acknowledgements_after_reading_has_stopped_arrive(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "a/#", protocol=protocol) as room:
        await room.up()
        publisher = Publisher(broker.port)
        publisher.send("a/b", *[b"%d" % number for number in range(20)])
        await room.got(20)
        room.source.stop_reading()
        publisher.send("a/b", b"later")
        room.intake.acknowledge()
        await room.stop()
        assert len(room.intake.messages) == 20
    async with running(broker.url, "a/#", protocol=protocol) as room:
        await room.got(1)
        assert room.intake.payloads == [b"later"]


@both
async def test_what_is_published_while_away_is_kept(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto(persistence=True)
    async with running(broker.url, "a/#", protocol=protocol) as room:
        await room.up()
    Publisher(broker.port).send("a/b", *[b"%d" % number for number in range(500)])
    await asyncio.to_thread(broker.restart)
    async with running(broker.url, "a/#", protocol=protocol) as room:
        while len(set(room.intake.payloads)) < 500:
            await until(lambda: bool(room.intake.owed), "more messages")
            room.intake.acknowledge()
    assert [int(payload) for payload in room.intake.payloads] == list(range(500))


@both
async def test_a_restarted_broker_that_has_forgotten_is_subscribed_to_again(
    start_mosquitto: Start, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = start_mosquitto(persistence=False)
    async with running(broker.url, "a/#", protocol=protocol, clock=HastyClock()) as room:
        await room.up()
        await asyncio.to_thread(broker.kill)
        await room.says("connection refused")
        assert not room.source.subscribed
        await asyncio.to_thread(broker.start)
        await room.up()
        Publisher(broker.port).send("a/b", b"after")
        await room.got(1)
        assert room.intake.payloads == [b"after"]
        assert room.stats.connects == 2
    assert "the broker has forgotten the session" in caplog.text


@both
async def test_wrong_password_is_named(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto(users={"gate": "right"})
    async with running(broker.url, "a/#", protocol=protocol, username="gate", password="wrong") as room:
        await room.says("down: refused: ")
        words = {
            "5": "down: refused: not authorized (user 'gate', client_id 'gateway')",
            "3.1.1": "down: refused: not authorized (user 'gate', client_id 'gateway')",
        }
        assert room.stats.state == words[protocol]
        assert room.stats.connects == 0
    async with running(broker.url, "a/#", protocol=protocol, username="gate", password="right") as room:
        await room.up()


@both
async def test_a_refused_subscription_is_named_and_the_others_work(
    start_mosquitto: Start, protocol: str, tmp_path: Path
) -> None:
    if PLUGIN is None:
        pytest.skip("this mosquitto has no dynamic security plugin, the only one that refuses subscriptions")
    rules = tmp_path / "rules.json"
    rules.write_text(
        """{"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": false},
        "anonymousGroup": "all", "groups": [{"groupname": "all", "roles": [{"rolename": "reader"}]}],
        "roles": [{"rolename": "reader", "acls": [
            {"acltype": "subscribePattern", "topic": "open/#", "priority": 0, "allow": true}]}]}"""
    )
    broker = start_mosquitto(config=[f"plugin {PLUGIN}", f"plugin_opt_config_file {rules}"])
    async with running(broker.url, "open/{thing}", "closed/{thing}", protocol=protocol) as room:
        why = {"5": "not authorized", "3.1.1": "refused without a reason"}[protocol]
        await room.says(f"up, but 1 of 2 subscriptions refused: 'closed/+' {why}; asking again")
        assert not room.source.subscribed
        assert room.source.refused == {"closed/+": why}
        publisher = Publisher(broker.port)
        publisher.send("closed/a", b"no")
        publisher.send("open/a", b"yes")
        await room.got(1)
        assert room.intake.payloads == [b"yes"]


async def test_receive_maximum_holds_the_broker(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "a/#", receive_maximum=10) as room:
        await room.up()
        publisher = Publisher(broker.port)
        publisher.send("a/b", *[b"%d" % number for number in range(50)])
        publisher.send("a/b", b"not held", qos=0)
        await room.got(11)
        assert room.intake.payloads == [b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9", b"not held"]
        # From the first PUBACK on mosquitto 2.0.11 sends more than it may; that must be borne.
        room.intake.acknowledge(4)
        await room.got(15)
        while room.intake.owed or len(room.intake.messages) < 51:
            room.intake.acknowledge()
            await asyncio.sleep(0)
        assert room.intake.payloads[11:] == [b"%d" % number for number in range(10, 50)]
        assert room.stats.connects == 1


@both
async def test_pause_and_resume(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "a/#", protocol=protocol) as room:
        await room.up()
        publisher = Publisher(broker.port)
        publisher.send("a/b", b"before", qos=0)
        await room.got(1)
        room.intake.connections[-1].pause()
        publisher.send("a/b", b"held", qos=0)
        publisher.subscribe("a/#")  # a round trip: the broker has sent the message before
        assert room.intake.payloads == [b"before"]
        room.intake.connections[-1].resume()
        await room.got(2)
        assert room.intake.payloads == [b"before", b"held"]


async def test_another_client_with_the_same_id_is_named(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "a/#", client_id="park-east") as room:
        await room.up()
        Publisher(broker.port, "park-east")
        await room.says("see whether another client uses client_id 'park-east'")


async def test_retained_messages_come_once_a_session(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    publisher = Publisher(broker.port)
    publisher.send("a/b", b"kept", retain=True)
    async with running(broker.url, "a/#") as room:
        await room.got(1)
        assert [tuple(message) for message in room.intake.messages] == [("a/b", b"kept", 1, False, True)]
        room.intake.acknowledge()
        room.source.reconnect("once more")
        await until(lambda: room.stats.connects == 2 and room.source.subscribed)
        publisher.send("a/b", b"new", retain=True)
        await room.got(2)
        assert tuple(room.intake.messages[1]) == ("a/b", b"new", 2, False, False)


@both
async def test_a_payload_above_the_limit_is_told_of_and_does_not_stop_the_flow(
    start_mosquitto: Start, protocol: str
) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "a/#", protocol=protocol, max_payload=1000, receive_maximum=3) as room:
        await room.up()
        publisher = Publisher(broker.port)
        for size in (1000, 1001, 70_000, 100_000, 1_000_000):
            publisher.send(f"a/{size}", b"x" * size)
        await until(lambda: len(room.intake.messages) + len(room.intake.large) >= 3)
        room.intake.acknowledge()
        await until(lambda: len(room.intake.large) == 4)
        publisher.send("a/after", b"small")
        room.intake.acknowledge()
        await room.got(2)
        assert [message.topic for message in room.intake.messages] == ["a/1000", "a/after"]
        assert [topic for topic, _, _ in room.intake.large] == ["a/1001", "a/70000", "a/100000", "a/1000000"]
        assert all(head[-100:] == b"x" * 100 and len(head) <= 4096 for _, head, _ in room.intake.large)
        assert room.intake.large[0][2] == 1001
        assert room.intake.large[3][2] in range(1_000_000, 1_000_020)
        assert room.stats.malformed == 0
        assert room.stats.connects == 1


async def test_a_payload_larger_than_the_first_buffer_is_taken_whole(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    payload = bytes(range(256)) * 4000
    async with running(broker.url, "a/#", max_payload=2_000_000) as room:
        await room.up()
        Publisher(broker.port).send("a/b", b"before", payload, b"after", payload)
        await room.got(4)
        assert room.intake.payloads == [b"before", payload, b"after", payload]


@both
async def test_two_gateways_share_a_subscription(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto(inflight=20)
    topic = "$share/gateways/park/{thing}/up"
    async with (
        running(broker.url, topic, client_id="east", protocol=protocol) as east,
        running(broker.url, topic, client_id="west", protocol=protocol) as west,
    ):
        await east.up()
        await west.up()
        Publisher(broker.port).send("park/a/up", *[b"%d" % number for number in range(20)])
        await until(lambda: len(east.intake.messages) + len(west.intake.messages) == 20)
        assert east.intake.messages
        assert west.intake.messages
        taken = east.intake.payloads + west.intake.payloads
        assert sorted(int(payload) for payload in taken) == list(range(20))


async def test_many_subscriptions(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    async with running(broker.url, *[f"area-{number}/+" for number in range(30)]) as room:
        await room.up()
        publisher = Publisher(broker.port)
        for number in range(30):
            publisher.send(f"area-{number}/x", b"%d" % number)
        await room.got(30)
        assert [int(payload) for payload in room.intake.payloads] == list(range(30))


async def test_resubscribe_heals_a_lost_subscription(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    async with running(broker.url, "a/#") as room:
        await room.up()
        room.source.resubscribe()
        Publisher(broker.port).send("a/b", b"still")
        await room.got(1)
        assert room.source.subscribed
        assert room.stats.connects == 1
