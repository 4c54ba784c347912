"""Commands to doubles at a real broker, over MQTT 5 and 3.1.1; and commands asked for over MQTT."""

import asyncio
import json
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.commands import Refused, Why
from simulators.fleet import ThingSpec
from simulators.vda5050 import Robot
from simulators.zigbee2mqtt import Bridged
from tests.device_types import BY_NAME
from tests.gateway.commands.whole import whole
from tests.gateway.mqtt_room import until
from tests.servers.mosquitto import Mosquitto

both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


def toml(broker: Mosquitto, protocol: str, base: str, more: str = "") -> str:
    return f"""
[mqtt.main]
url = "{broker.url}"
client_id = "{base}"
protocol = "{protocol}"

[[mqtt.main.subscription]]
topic = "{base}/v2/+/{{thing}}/state"
device = "vda5050"
commands = {{ "robot-1" = ["start-pause", "stop-pause", "cancel-order", "factsheet-request"] }}

[[mqtt.main.subscription]]
topic = "{base}/z2m/#"
device = "zigbee2mqtt"
commands = ["set"]
{more}"""


def things(base: str) -> list[ThingSpec]:
    return [
        ThingSpec("robot-1", BY_NAME["vda5050"], seed=5, period_s=0.2, topic=f"{base}/v2/acme/robot-1/state"),
        ThingSpec("robot-2", BY_NAME["vda5050"], seed=6, period_s=0.2, topic=f"{base}/v2/acme/robot-2/state"),
        ThingSpec("bulb", BY_NAME["zigbee2mqtt"], seed=7, period_s=0.5, topic=f"{base}/z2m/bulb"),
    ]


@both
async def test_robots_and_lamps_are_told_over_the_connection_of_the_source(
    mosquitto: Mosquitto, tmp_path: Path, protocol: str
) -> None:
    base = f"told{protocol[0]}"
    async with whole(tmp_path, toml(mosquitto, protocol, base), things(base), mosquitto.port) as room:
        robot, bulb = room.fleet._peers["robot-1"], room.fleet._peers["bulb"]
        assert isinstance(robot, Robot)
        assert isinstance(bulb, Bridged)
        for thing in ("robot-1", "robot-2", "bulb"):
            await room.heard(thing, 2)
        entry = await room.ask("robot-1", "start-pause")
        assert (entry.state, entry.why) == ("done", "")
        assert robot._paused_s is not None
        assert (await room.ask("robot-1", "cancel-order")).state in ("done", "refused")
        again = await room.ask("robot-1", "cancel-order")
        assert (again.state, again.why) == ("refused", "FAILED: noOrderToCancel")
        # its factsheet comes on a topic that no subscription takes: seen, given back, nothing in the quarantine
        assert (await room.ask("robot-1", "factsheet-request")).state == "done"
        assert (await room.ask("robot-1", "stop-pause")).state == "done"
        await until(lambda: not room.gateway.commands.desk._busy, "all is put away")
        sources = [each for each in room.gateway.sources if each.name == "mqtt:main"]
        assert sources[0].talk._heard == {}  # type: ignore[attr-defined]
        with pytest.raises(
            Refused, match='start-pause is not allowed for robot-2: write commands = \\["start-pause"\\] under'
        ):
            await room.ask("robot-2", "start-pause")
        entry = await room.ask("bulb", "set", state="on", brightness="12")
        assert (entry.state, entry.arguments) == ("done", {"state": "ON", "brightness": 12.0})
        assert bulb.told == {"state": "ON", "brightness": 12}
        with pytest.raises(Refused, match="brightness = 255: expected a number from 0 to 254") as refusal:
            await room.ask("bulb", "set", brightness=255)
        assert refusal.value.why is Why.ARGUMENTS
        assert (await room.ask("bulb", "set")).why.startswith("set: expected at least one property")
        assert room.gateway.stats.stages.quarantined == 0
        (reach,) = (each for each in room.gateway.reaches if each.source == "mqtt:main")
        assert (reach._tap._ours, reach._tap._listeners) == ({}, [])
        assert room.gateway.brokers["mqtt:main"].message == _plain(room)


def _plain(room: object) -> object:
    """What the source calls when nothing waits: the intake's own method."""
    gateway = room.gateway  # type: ignore[attr-defined]
    (reach,) = (each for each in gateway.reaches if each.source == "mqtt:main")
    return reach._tap.message


async def test_a_thing_that_was_not_heard_yet_cannot_be_told(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with whole(tmp_path, toml(mosquitto, "5", "unheard"), [], mosquitto.port) as room:
        with pytest.raises(Refused, match="robot-1 has not been heard since the gateway was started") as refusal:
            await room.ask("robot-1", "start-pause")
        assert refusal.value.why is Why.UNREACHABLE


async def test_a_silent_robot_times_out(mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Robot, "listens", lambda _self: ())
    monkeypatch.setattr("gateway.commands.desk.SEND_S", 5.0)
    async with whole(tmp_path, toml(mosquitto, "5", "deaf"), things("deaf")[:1], mosquitto.port) as room:
        await room.heard("robot-1", 2)
        (reach,) = room.gateway.reaches
        found = reach.find("robot-1")
        assert found is not None
        monkeypatch.setattr("gateway.commands.desk.Desk._first", _impatient)
        entry = await room.ask("robot-1", "start-pause")
        assert (entry.state, entry.sent) == ("timed_out", True)
        assert entry.why == "no answer within 30 s; it may have been done all the same"


async def _impatient(_desk: object, seconds: float, *futures: "asyncio.Future[object]") -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED, timeout=seconds / 30)


ASKED = '\n[commands]\nbrokers = ["main"]\n'


class Asker:
    """A client that asks for commands over MQTT and hears the answers."""

    def __init__(self, client: aiomqtt.Client, protocol: str, base: str) -> None:
        self.client = client
        self._modern = protocol == "5"
        self._topic = f"asker/{base}" if self._modern else "parkgate/park/reply/bulb"

    async def begin(self) -> None:
        await self.client.subscribe(self._topic, 1)

    async def ask(self, thing: str, body: object, correlation: str = "c-1", retain: bool = False) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        properties = None
        if self._modern:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ResponseTopic = self._topic
            properties.CorrelationData = correlation.encode()
        await self.client.publish(f"parkgate/park/cmd/{thing}", payload, 1, retain, properties=properties)

    async def answer(self) -> dict[str, object]:
        async with asyncio.timeout(20):
            message = await anext(self.client.messages)
        assert isinstance(message.payload, bytes)
        found: dict[str, object] = json.loads(message.payload)
        if self._modern:
            found["correlation"] = message.properties.CorrelationData.decode()  # type: ignore[union-attr]
        return found


@both
async def test_commands_are_asked_for_over_mqtt(
    mosquitto: Mosquitto, tmp_path: Path, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    base = f"asked{protocol[0]}"
    version = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
    text = toml(mosquitto, protocol, base, ASKED)
    async with (
        whole(tmp_path, text, things(base), mosquitto.port) as room,
        aiomqtt.Client("127.0.0.1", mosquitto.port, identifier=f"{base}-asker", protocol=version) as client,
    ):
        (requests,) = room.gateway.commands.requests
        await until(lambda: not requests.trouble, "requests are taken")
        await room.heard("bulb", 2)
        asker = Asker(client, protocol, base)
        await asker.begin()
        body = {"command": "set", "arguments": {"state": "ON"}, "by": "bob", "key": "k-1", "correlation": "c-1"}
        await asker.ask("bulb", body)
        answer = await asker.answer()
        while answer["ended"] is None:  # a slow machine: accepted comes first
            assert answer["state"] == "accepted"
            answer = await asker.answer()
        assert (answer["state"], answer["by"], answer["via"]) == ("done", "bob", "mqtt:main")
        assert (answer["thing"], answer["correlation"], answer["key"]) == ("bulb", "c-1", "k-1")
        await asker.ask("bulb", body)  # the same key
        assert (await asker.answer())["id"] == answer["id"]
        await asker.ask("bulb", {"command": "set", "arguments": {"brightness": 999}, "correlation": "c-2"}, "c-2")
        refused = await asker.answer()
        assert (refused["state"], refused["sent"], refused["correlation"]) == ("refused", False, "c-2")
        assert refused["why"] == "set: brightness = 999: expected a number from 0 to 254"
        for wrong in (b"\xff", b"{}", b'{"command": "set", "arguments": [], "correlation": "c-1"}', b"x" * 20_000):
            await asker.ask("bulb", wrong)
            refused = await asker.answer()
            assert refused["state"] == "refused"
            assert "expected JSON such as" in str(refused["why"])
        await asker.ask("bulb", body, retain=True)
        await until(lambda: "is not obeyed" in caplog.text or _obeyed(room, "k-1") == 1, "the retained one is read")
        assert _obeyed(room, "k-1") == 1
        await client.publish("parkgate/park/cmd/bulb", b"", 1, retain=True)


def _obeyed(room: object, key: str) -> int:
    """How often a command of that key is in the ledger as sent."""
    from gateway.commands import read

    file = room.gateway.config.gateway.state_dir / "commands.db"  # type: ignore[attr-defined]
    return sum(entry.key == key and entry.sent for entry in read(file, 100))


async def test_a_retained_command_is_not_obeyed(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"command": "set", "arguments": {"state": "ON"}}'
    async with aiomqtt.Client("127.0.0.1", mosquitto.port, identifier="keeper") as client:
        await client.publish("parkgate/park/cmd/bulb", body, 1, retain=True)
        try:
            async with whole(tmp_path, toml(mosquitto, "5", "kept", ASKED), [], mosquitto.port):
                await until(
                    lambda: "a retained command on 'parkgate/park/cmd/bulb' is not obeyed" in caplog.text, "said"
                )
        finally:
            await client.publish("parkgate/park/cmd/bulb", b"", 1, retain=True)
    assert "has not been heard" not in caplog.text


async def test_off_by_default(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with whole(tmp_path, toml(mosquitto, "5", "off"), things("off"), mosquitto.port) as room:
        assert room.gateway.commands.requests == []


async def test_a_thing_of_two_subscriptions_is_told_by_the_one_that_allows_it(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    text = toml(mosquitto, "5", "twice").replace("[[mqtt.main", '[[mqtt.main.subscription]]\ntopic = '
        '"twice/v2/+/{thing}/connection"\ndevice = "vda5050"\n\n[[mqtt.main', 1)  # fmt: skip
    async with whole(tmp_path, text, things("twice")[:1], mosquitto.port) as room:
        await room.heard("robot-1", 3)
        assert (await room.ask("robot-1", "start-pause")).state == "done"
