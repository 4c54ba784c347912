"""A message that several subscriptions of one session take is taken once."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

import pytest

from devices.spec.events import Fetch
from gateway.sources.mqtt.copies import Copies
from tests.gateway.mqtt_room import Publisher, until
from tests.gateway.sources.test_mqtt_asks import House, both, running
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]


async def heard_of(house: House, broker: Mosquitto, number: int = 0) -> list[bytes]:
    """All payloads up to a last message, which is published now; acknowledged as they are after a commit."""
    last = b"last %d" % number
    Publisher(broker.port).send("z/last", last)
    await until(lambda: last in house.memory.payloads, "the last message")
    house.memory.acknowledge()
    heard = [payload for payload in house.memory.payloads if not payload.startswith(b"last")]
    house.memory.messages.clear()
    return heard


@both
async def test_what_is_fetched_and_configured_comes_once_when_it_is_published(
    start_mosquitto: Start, protocol: str
) -> None:
    broker = start_mosquitto()
    node = Publisher(broker.port)
    node.send("z/bridge/devices", b"kept", retain=True)
    async with running(House(broker.url, protocol, Fetch("z/bridge/devices"))) as house:
        await house.up()
        heard = await heard_of(house, broker)
        assert heard == ([b"kept"] if protocol == "5" else [b"kept", b"kept"]), (
            "3.1.1 brings what is kept for each subscription"
        )
        node.send("z/bridge/devices", b"live", retain=True)
        node.send("z/bridge/devices", b"and not kept")
        assert await heard_of(house, broker, 1) == [b"live", b"and not kept"]
        house.source.reconnect("once more")
        await house.up(2)
        node.send("z/bridge/devices", b"again", retain=True)
        heard = await heard_of(house, broker, 2)
        assert heard == ([b"live", b"again"] if protocol == "5" else [b"live", b"live", b"again"])


async def test_copies_that_are_not_taken_are_acknowledged(start_mosquitto: Start) -> None:
    """More of them than the receive maximum: each would keep its place for ever."""
    broker = start_mosquitto()
    node = Publisher(broker.port)
    async with running(House(broker.url, "5", Fetch("z/+/births"))) as house:
        await house.up()
        for number in range(100):
            node.send("z/n/births", b"%d" % number)
        assert len(await heard_of(house, broker)) == 100
        assert house.memory.spares == 100


async def test_nothing_is_lost_or_doubled_while_subscribing(start_mosquitto: Start) -> None:
    """A list that is published all the time: from the first that comes each comes, once."""
    broker = start_mosquitto()
    stop = threading.Event()
    saying = asyncio.create_task(asyncio.to_thread(say, Publisher(broker.port), stop))
    try:
        for client in ("one", "two", "three", "four", "five"):
            house = House(broker.url, "5", Fetch("z/births"), client=client)

            def enough(house: House = house) -> bool:
                if house.memory.owed:
                    house.memory.acknowledge()
                return len(house.memory.messages) > 300

            async with running(house):
                await until(enough, "300 lists")
                numbers = [int(payload) for payload in house.memory.payloads]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    finally:
        stop.set()
        await saying


def say(node: Publisher, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        node.send("z/births", b"%d" % number, retain=True)


async def test_what_was_published_while_the_gateway_was_away_comes_once(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    for number in (1, 2):
        async with running(House(broker.url, "5", Fetch("z/births"))) as house:
            await house.up()
            heard = await heard_of(house, broker, number)
        assert heard == ([] if number == 1 else [b"meanwhile"])
        Publisher(broker.port).send("z/births", b"meanwhile")


async def test_a_filter_fetched_while_connected_brings_no_copies_either(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    node = Publisher(broker.port)
    node.send("z/births", b"kept", retain=True)
    async with running(House(broker.url, "5")) as house:
        await house.up()
        assert await heard_of(house, broker) == [b"kept"]
        for at_ns in (0, 10_000_000_000):
            house.asks.put(Fetch("z/births"), at_ns)
            await until(lambda: b"kept" in house.memory.payloads, "the birth again")
            house.memory.messages.clear()
        node.send("z/births", b"live")
        assert await heard_of(house, broker, 1) == [b"live"]


async def test_fetched_filters_that_overlap_bring_a_message_once(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    node = Publisher(broker.port)
    async with running(House(broker.url, "5", Fetch("x/+/birth"), Fetch("x/n7/birth"), Fetch("x/#"))) as house:
        await house.up()
        node.send("x/n7/birth", b"born")
        node.send("x/n7/data", b"data")
        assert await heard_of(house, broker) == [b"born", b"data"]


@both
async def test_a_filter_that_is_fetched_and_configured_is_one_subscription(
    start_mosquitto: Start, protocol: str
) -> None:
    broker = start_mosquitto()
    Publisher(broker.port).send("z/births", b"kept", retain=True)
    for number in (1, 2):
        async with running(House(broker.url, protocol, Fetch("z/#"))) as house:
            await house.up()
            Publisher(broker.port).send("z/births", b"live")
            heard = await heard_of(house, broker, number)
            assert heard == [b"kept", b"live"], f"also where the session has had it, start {number}"


async def test_members_of_a_shared_subscription_each_hear_what_they_fetch_once(start_mosquitto: Start) -> None:
    broker = start_mosquitto()
    async with contextlib.AsyncExitStack() as stack:
        houses = []
        for client in ("east", "west"):
            house = House(broker.url, "5", Fetch("z/births"), Fetch("z/last"), topic="$share/g/z/#", client=client)
            houses.append(await stack.enter_async_context(running(house)))
            await house.up()
        for number in range(4):
            Publisher(broker.port).send("z/births", b"%d" % number)
        for house in houses:
            assert await heard_of(house, broker) == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize(
    ("topic", "numbers", "retained", "spare"),
    [
        ("z/a", [], False, False),  # a broker that knows no identifiers
        ("z/a", [1, 2], False, False),  # one that sends one copy for all
        ("z/a", [1], False, False),
        ("z/a", [2], False, True),
        ("z/a", [2], True, False),  # a fetched copy of what is kept is never passed over
        ("z/a", [1], True, True),
        ("z/b", [1], True, False),  # nobody fetches it
        ("z/c", [1], True, False),  # fetched, and not known to be granted
        ("x/c", [3], False, False),
        ("x/c", [4], False, True),
        ("x/c", [100], False, True),  # the fetched copy comes to every member of the group
        ("y/c", [100], False, False),
        ("elsewhere", [7], False, False),  # of a subscription that nobody knows
    ],
)
def test_which_copy_is_taken(topic: str, numbers: list[int], retained: bool, spare: bool) -> None:
    copies = Copies()
    copies.stand(["z/#", "$share/g/+/c"], {"z/a": 2, "x/#": 3, "x/c": 4, "z/c": 5}, {"z/#", "z/a", "x/#", "x/c"})
    assert copies.overlapping
    assert copies.spare(topic, numbers, retained) is spare


def test_what_comes_before_the_configured_filter_is_granted_is_taken_as_it_comes() -> None:
    """Else what is published between the two is lost: the configuration then brings it as kept, and that is spare."""
    copies = Copies()
    copies.stand(["z/#"], {"z/a": 2}, {"z/a"})
    assert not copies.spare("z/a", [2], False)
    assert copies.spare("z/a", [1], True)
    copies.grant(["z/#"])
    assert copies.spare("z/a", [2], False)


def test_where_nothing_is_fetched_nobody_asks() -> None:
    copies = Copies()
    copies.stand(["z/#"], {}, set())
    assert not copies.overlapping
    assert Copies(["z/#"]).overlapping, "what waits at the broker comes before"
