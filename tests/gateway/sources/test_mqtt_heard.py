"""What a PINGRESP says of the acknowledgements before its PINGREQ."""

import asyncio

import mqtt5

from tests.gateway.mqtt_room import FalseBroker, false_broker, running, until
from tests.gateway.virtual import VirtualClock

PINGRESP = b"\xd0\x00"
GREETING = 5 + 6  # CONNACK and SUBACK
MANY = 16_384


def publish(packet_id: int) -> bytes:
    """PUBLISH of "hi" to "a/b" at QoS 1."""
    return bytes.fromhex("32 0a 0003 612f62") + packet_id.to_bytes(2, "big") + bytes.fromhex("00 6869")


class Answering:
    """A broker that sends three messages, and answers pings when told to."""

    def __init__(self) -> None:
        self.pinged = asyncio.Queue[int]()
        self.answer = asyncio.Queue[bytes]()

    async def script(self, broker: FalseBroker) -> None:
        await broker.welcome()
        await broker.say(publish(1) + publish(2) + publish(3))
        while True:
            await broker.expect(mqtt5.PingReqPacket)
            self.pinged.put_nowait(broker.number)
            await broker.say(await self.answer.get())


async def test_acknowledgements_before_the_ping_have_been_heard_when_it_is_answered() -> None:
    peer, clock = Answering(), VirtualClock()
    async with false_broker(peer.script) as url, running(url, "a/#", clock=clock, keepalive_s=60) as room:
        await room.got(3)
        wire = room.intake.connections[0]
        room.intake.acknowledge(2)  # 1 and 2
        await clock.advance(30.0)
        await peer.pinged.get()
        room.intake.acknowledge(1)  # 3, behind the ping
        wire.acknowledge([2])  # and another message under identifier 2
        peer.answer.put_nowait(PINGRESP)
        await until(lambda: bool(room.intake.heard))
        assert room.intake.heard == {1}
        await clock.advance(30.0)
        await peer.pinged.get()
        peer.answer.put_nowait(PINGRESP)
        await until(lambda: len(room.intake.heard) == 3)
        assert room.intake.heard == {1, 2, 3}


async def test_an_answer_counts_for_the_ping_it_answers() -> None:
    """Two pings before the first answer: it speaks for what was sent before the first."""
    peer, clock = Answering(), VirtualClock()
    async with false_broker(peer.script) as url, running(url, "a/#", clock=clock, keepalive_s=60) as room:
        await room.got(3)
        room.intake.acknowledge(1)
        room.intake.connections[0].pause()  # so that silence is no reason to leave
        await clock.advance(30.0)
        await peer.pinged.get()
        room.intake.acknowledge(1)
        await clock.advance(30.0)
        peer.answer.put_nowait(PINGRESP)
        await peer.pinged.get()
        peer.answer.put_nowait(PINGRESP)
        room.intake.connections[0].resume()
        await until(lambda: room.stats.bytes_in == 3 * len(publish(1)) + GREETING + 2 * len(PINGRESP))
        assert room.intake.heard == {1}


async def test_many_acknowledgements_are_asked_about_at_once() -> None:
    peer, clock = Answering(), VirtualClock()
    async with false_broker(peer.script) as url, running(url, "a/#", clock=clock, keepalive_s=60_000) as room:
        await room.got(3)
        wire = room.intake.connections[0]
        wire.acknowledge(list(range(1, MANY)))
        wire.acknowledge([MANY])
        wire.acknowledge([MANY + 1])
        async with asyncio.timeout(10):
            await peer.pinged.get()
        peer.answer.put_nowait(PINGRESP)
        await until(lambda: len(room.intake.heard) == MANY)
        assert peer.pinged.empty()


async def test_an_answer_to_no_question_says_nothing() -> None:
    async def script(broker: FalseBroker) -> None:
        await broker.welcome()
        await broker.say(publish(1))
        await broker.expect(mqtt5.PubAckPacket)
        await broker.say(PINGRESP + publish(2))
        await broker.packet()
        await broker.packet()

    async with false_broker(script) as url, running(url, "a/#", keepalive_s=60_000) as room:
        await room.got(1)
        room.intake.acknowledge()
        await room.got(2)
        assert room.intake.heard == set()
