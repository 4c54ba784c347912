"""The MQTT 5 session against a broker that misbehaves on purpose."""

import asyncio

import mqtt5
import pytest

from gateway.config import MqttConfig, SubscriptionConfig, WillConfig
from gateway.intake import MessageIntake
from gateway.sources.mqtt.link import address, connack_words, disconnect_words, suback_words
from gateway.sources.mqtt.session import connect_packet
from gateway.sources.mqtt.source import MqttSource
from gateway.sources.mqtt.wire import Wire
from gateway.stats import SourceStats
from tests.gateway.mqtt_room import CONNACK, FalseBroker, HastyClock, Memory, Message, false_broker, running, until
from tests.gateway.virtual import VirtualClock

QOS_1 = bytes.fromhex("32 0a 0003 612f62 000a 00 6869")  # topic "a/b", packet identifier 10, payload "hi"
PINGREQ = mqtt5.PingReqPacket


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def test_connect_says_what_is_configured() -> None:
    config = MqttConfig(
        "main",
        "mqtt://broker",
        "park-east",
        (SubscriptionConfig("a/#", "senml"),),
        username="gate",
        password="s3cret",
        keepalive_s=17,
        session_expiry_s=3600,
        receive_maximum=321,
        will=WillConfig("status/east", "gone", 1, True),
    )
    # CONNECT: MQTT 5, user + password + will retained QoS 1, not a clean start, keep alive 17
    assert connect_packet(config).write() == bytes.fromhex(
        "10 40 0004 4d515454 05 ec 0011"
        "08 11 00000e10 21 0141"
        "0009 7061726b2d65617374"
        "00 000b 7374617475732f65617374 0004 676f6e65"
        "0004 67617465 0006 733363726574"
    )


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://broker", "broker", 1883, False),
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_addresses(url: str, host: str, port: int, tls: bool) -> None:
    assert address(url) == (host, port, tls)


@pytest.mark.parametrize("url", ["http://broker", "mqtt://", "broker:1883", ""])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="expected mqtt://host:port"):
        address(url)


def test_words_for_people() -> None:
    config = MqttConfig("main", "mqtt://b", "east", (), username="gate")
    assert connack_words(0x86, config, None) == "refused: wrong user name or password (user 'gate')"
    assert connack_words(0x85, config, "too long") == "refused: client_id 'east' is not allowed there (too long)"
    assert connack_words(0xB0, config, None) == "refused: reason code 0xb0"
    assert disconnect_words(0x8E, config, None) == "another client uses client_id 'east'; each gateway needs its own"
    assert suback_words(0x87) == "not authorized"


async def test_acknowledgements_are_in_order_and_in_one_write() -> None:
    heard: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()

    async def script(broker: FalseBroker) -> None:
        await broker.welcome()
        await broker.say(b"".join(QOS_1[:7] + number.to_bytes(2, "big") + QOS_1[9:] for number in range(1, 301)))
        heard.set_result([(await broker.expect(mqtt5.PubAckPacket)).packet_id for _ in range(300)])
        await broker.expect(mqtt5.DisconnectPacket)

    async with false_broker(script) as url, running(url, "a/#") as room:
        await room.got(300)
        room.intake.acknowledge()
        assert await heard == list(range(1, 301))


class Tap(asyncio.Transport):
    """A transport of which only the tap is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.open = True

    def pause_reading(self) -> None:
        self.open = False

    def resume_reading(self) -> None:
        self.open = True

    def is_closing(self) -> bool:
        return False


async def test_reading_rests_while_messages_come_thick_and_fast() -> None:
    clock, memory, tap = VirtualClock(), Memory(), Tap()
    config = MqttConfig("main", "mqtt://b", "east", ())
    wire = Wire(memory, lambda packet: None, config, clock, SourceStats("mqtt:main"))
    wire.connection_made(tap)

    def receive(data: bytes) -> None:
        wire.get_buffer(-1)[: len(data)] = data
        wire.buffer_updated(len(data))

    await clock.advance(1.0)
    receive(QOS_1)
    assert tap.open, "a single message"
    receive(QOS_1)
    assert not tap.open, "another one at once"
    await until(lambda: tap.open)
    await clock.advance(1.0)
    receive(QOS_1 * 10)
    assert not tap.open, "many in one chunk"
    wire.pause()
    await asyncio.sleep(0.01)
    assert not tap.open, "the intake has paused it"
    wire.resume()
    await until(lambda: tap.open)
    receive(QOS_1 * 6000)
    assert tap.open, "a full chunk: there is more to fetch"
    assert len(memory.messages) == 6012


async def test_every_cut_of_the_greeting_and_the_messages() -> None:
    count = len(QOS_1)

    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        for index in range(len(CONNACK)):
            await broker.say(CONNACK[index : index + 1])
            await asyncio.sleep(0)
        for cut in range(1, count):
            await broker.say(QOS_1[:cut])
            await broker.say(b"")
            await asyncio.sleep(0)
            await broker.say(QOS_1[cut:])
        await broker.expect(mqtt5.DisconnectPacket)

    async with false_broker(script) as url, running(url, "a/#") as room:
        await room.got(count - 1)
        assert set(room.intake.messages) == {Message("a/b", b"hi", 10, False)}


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"\x00\x00", 0x81, "Invalid PacketType"),
        (b"\x30\xff\xff\xff\xff\x01", 0x81, "Invalid variable byte integer"),
        (b"\x30\x04\x00\x01\xff\x00", 0x81, "not UTF-8"),
        (b"\x34\x06\x00\x01t\x00\x01\x00", 0x9B, "QoS 2"),
        (b"\x90\xff\xff\xff\x7f", 0x95, "not a PUBLISH"),
        (CONNACK, 0x82, "unexpected ConnAckPacket"),
        (b"\xc0\x00", 0x82, "unexpected PingReqPacket"),
        (b"\x90\x04\x00\x63\x00\x01", 0x82, "unexpected SubAckPacket"),
    ],
)
async def test_malformed_data_ends_the_connection_with_a_reason(
    data: bytes, reason: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[int] = []

    async def script(broker: FalseBroker) -> None:
        await broker.welcome()
        if broker.number == 1:
            await broker.say(QOS_1 + data + QOS_1)
        told.append(int((await broker.expect(mqtt5.DisconnectPacket)).reason_code))

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock()) as room:
        await room.says("malformed data from the broker")
        assert any(words in state for state in room.stats.said), room.stats.said
        await until(lambda: room.stats.connects == 2 and room.source.subscribed)
        assert told == [reason]
        assert room.stats.malformed == 1
        assert room.intake.payloads == [b"hi"]
    capfd.readouterr()


async def test_a_broker_that_answers_no_ping_is_left() -> None:
    pings = 0

    async def script(broker: FalseBroker) -> None:
        nonlocal pings
        await broker.welcome()
        while True:
            packet = await broker.packet()
            pings += isinstance(packet, PINGREQ)
            if broker.number > 1 and isinstance(packet, PINGREQ):
                await broker.say(b"\xd0\x00")

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock(), keepalive_s=4) as room:
        await room.says("down: nothing heard for 2 s, not even an answer to PINGREQ")
        assert pings == 1
        await until(lambda: pings >= 5, "a broker that answers is pinged on")
        assert room.stats.connects == 2
        assert room.stats.state == "up"


async def test_silence_while_paused_is_no_silence() -> None:
    pings = 0

    async def script(broker: FalseBroker) -> None:
        nonlocal pings
        await broker.welcome()
        await broker.say(QOS_1)
        while True:
            if isinstance(await broker.packet(), PINGREQ):
                pings += 1
                await broker.say(b"\xd0\x00")

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock(), keepalive_s=4) as room:
        await room.got(1)
        room.intake.connections[0].pause()
        await until(lambda: pings >= 4)
        room.intake.connections[0].resume()
        await until(lambda: pings >= 8)
        assert room.stats.connects == 1


async def test_the_brokers_own_keep_alive_is_kept() -> None:
    pinged = asyncio.Event()

    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(b"\x20\x06\x00\x00\x03\x13\x00\x02")  # server keep alive 2 s
        await broker.expect(PINGREQ)
        pinged.set()

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock(), keepalive_s=60_000):
        async with asyncio.timeout(10):
            await pinged.wait()


async def test_no_answer_to_connect() -> None:
    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.packet()

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock()) as room:
        await room.says("no answer to CONNECT within 10 s")
        assert room.stats.connects == 0


@pytest.mark.parametrize("answer", [b"", b"\x20\x02\x00\x01"])
async def test_a_broker_of_the_old_protocol_gets_a_hint(answer: bytes) -> None:
    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(answer)

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock()) as room:
        await room.says('if the broker speaks no MQTT 5: protocol = "3.1.1"')


async def test_no_answer_to_subscribe() -> None:
    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(CONNACK)
        while True:
            if isinstance(await broker.packet(), PINGREQ):
                await broker.say(b"\xd0\x00")

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock()) as room:
        await room.says("down: no answer to SUBSCRIBE within 10 s")


async def test_a_refused_subscription_is_asked_for_again() -> None:
    asked: list[list[str]] = []

    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(CONNACK)
        for codes in (b"\x01\x87", b"\x97", b"\x01"):
            packet = await broker.expect(mqtt5.SubscribePacket)
            asked.append([each.pattern for each in packet.topic_filters])
            body = packet.packet_id.to_bytes(2, "big") + b"\0" + codes
            await broker.say(b"\x90" + bytes([len(body)]) + body)
        await broker.expect(mqtt5.DisconnectPacket)

    async with false_broker(script) as url, running(url, "a/#", "b/+", clock=HastyClock()) as room:
        await room.up()
        assert asked == [["a/#", "b/+"], ["b/+"], ["b/+"]]
        assert room.stats.said[-3:] == [
            "up, but 1 of 2 subscriptions refused: 'b/+' not authorized; asking again",
            "up, but 1 of 2 subscriptions refused: 'b/+' quota used up; asking again",
            "up",
        ]
        assert room.stats.connects == 1


async def test_granted_qos_0_only_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(CONNACK)
        asked = await broker.expect(mqtt5.SubscribePacket)
        await broker.say(b"\x90\x04" + asked.packet_id.to_bytes(2, "big") + b"\x00\x00")
        await broker.expect(mqtt5.DisconnectPacket)

    async with false_broker(script) as url, running(url, "a/#") as room:
        await room.up()
    assert "'a/#' granted with QoS 0 only: messages can be lost" in caplog.text


async def test_taken_over_is_named_and_not_hurried() -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def script(broker: FalseBroker) -> None:
        times.append(loop.time())
        await broker.welcome()
        await broker.say(b"\xe0\x02\x8e\x00")

    async with false_broker(script) as url, running(url, "a/#", client_id="east", clock=HastyClock()) as room:
        await room.says("down: another client uses client_id 'east'; each gateway needs its own")
        await until(lambda: len(times) == 2)
        assert times[1] - times[0] >= 10.0 / 20  # the hasty clock's 10 s


async def test_a_broker_that_does_not_read_is_not_read_from() -> None:
    flood = asyncio.Event()

    async def script(broker: FalseBroker) -> None:
        await broker.welcome()
        flood.set()
        while True:  # nothing is read from here on
            await broker.say(QOS_1 * 5000)

    class Eager(Memory):
        def message(self, *message: object) -> None:
            connection, packet_id = message[0], message[3]
            self.chunks += 1
            connection.acknowledge([packet_id] * 20)  # type: ignore[attr-defined]

    stats = SourceStats("mqtt:main")
    intake: MessageIntake = Eager()
    async with false_broker(script) as url:
        config = MqttConfig("main", url, "gateway", (SubscriptionConfig("a/#", "senml"),), keepalive_s=4)
        source = MqttSource(config, intake, HastyClock(), stats)
        task = asyncio.create_task(source.run())
        await flood.wait()
        # reading stops, so no answer is heard, and the connection is given up
        await until(lambda: stats.connects >= 2, "the connection is given up")
        task.cancel()
        await source.close()
