"""Messages that wait for codecs among others: nothing is acknowledged before it is stored, or out of order."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from devices.spec.coded import CodecRefused, Coded, Raw
from devices.spec.device import MessageDevice
from gateway.clock import SystemClock
from gateway.config import MqttConfig, SpoolConfig, SubscriptionConfig
from gateway.decode import waiting
from gateway.decode.broker import BrokerIntake
from gateway.decode.coded import Answer
from gateway.decode.order import InOrder
from gateway.decode.subscription import Subscription
from gateway.pipeline import Pipeline
from gateway.spool.spool import Spool
from gateway.stats import Stats
from tests.device_types import BY_NAME


class Connection:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.told: list[str] = []

    def acknowledge(self, packet_ids: list[int]) -> None:
        assert packet_ids
        self.acknowledged += packet_ids

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")


class Codecs:
    """Answer when they are told to; port 9 is refused at once, port 2 has no codec."""

    def __init__(self) -> None:
        self.asked: list[Callable[[Answer], None]] = []

    def choose(self, uplink: Raw, thing: str = "") -> "Callable[..., Answer | None] | None":
        return None if uplink.f_port == 2 else self.ask

    def ask(self, uplink: Raw, received_ns: int, done: Callable[[Answer], None]) -> Answer | None:
        if uplink.f_port == 9:
            return CodecRefused("set aside")
        self.asked.append(lambda answer: done(answer))
        return None


class Gate:
    """A broker's intake with a spool that is committed by hand."""

    def __init__(self, directory: Path) -> None:
        config = SubscriptionConfig("v3/+/devices/{thing}/up", "ttn-v3")
        kind = BY_NAME["ttn-v3"]
        assert isinstance(kind, MessageDevice)
        self.stats = Stats()
        self.stats.source("mqtt:main")
        self.codecs = Codecs()
        self.spool = Spool.open(directory / "spool.db", SpoolConfig(), SystemClock())
        self.pipeline = Pipeline(self.spool, SystemClock(), self.stats)
        broker = MqttConfig("main", "mqtt://x", "g", (config,))
        self.session = broker.session
        self.intake = BrokerIntake(self.pipeline, broker, [Subscription(config, kind, self.codecs)], "mqtt:main")

    def send(self, connection: Connection, packet_id: int | None, *ports: int, dup: bool = False, n: int = 0) -> None:
        """One message with an uplink for each port; `n` makes it another one."""
        data = base64.b64encode(bytes((n % 256, n // 256))).decode()
        uplinks = [
            {
                "end_device_ids": {"device_id": "x"},
                "received_at": f"2026-01-01T00:{n // 60 % 60:02d}:{n % 60:02d}.{place:06d}Z",
                "uplink_message": {"f_port": port, "f_cnt": n, "frm_payload": data},
            }
            for place, port in enumerate(ports)
        ]
        payload = json.dumps(uplinks if len(ports) > 1 else uplinks[0]).encode()
        self.intake.message(connection, "v3/a/devices/x/up", payload, packet_id, dup)

    async def lines(self) -> list[str]:
        batch = await self.spool.read(0, 1_000_000)
        return [] if batch is None else batch.lines.decode().split("\n")


@pytest.mark.parametrize("seed", range(8))
async def test_acknowledgements_go_out_in_order_and_never_early(tmp_path: Path, seed: int) -> None:
    random, gate, connection = Random(seed), Gate(tmp_path), Connection()
    answered: dict[int, bool] = {}
    number = 0
    for _ in range(400):
        step = random.random()
        if step < 0.5:
            number += 1
            ports = random.choice(([1], [1], [2], [9], [1, 2, 1], [1, 9]))
            before = len(gate.codecs.asked)
            gate.send(connection, number, *ports, n=number)
            fresh = gate.codecs.asked[before:]
            answered[number] = not fresh
            left = [len(fresh)]
            for place, done in enumerate(fresh, before):

                def finish(answer: Answer, number: int = number, left: list[int] = left, done=done) -> None:  # type: ignore[no-untyped-def]
                    left[0] -= 1
                    answered[number] = not left[0]
                    done(answer)

                gate.codecs.asked[place] = finish
        elif step < 0.85 and gate.codecs.asked:
            done = gate.codecs.asked.pop(random.randrange(len(gate.codecs.asked)))
            done(Coded({"v": 1}) if random.random() < 0.8 else CodecRefused("codec x.js says no"))
        else:
            await gate.pipeline.finish()
            assert connection.acknowledged == list(range(1, len(connection.acknowledged) + 1))
            assert all(answered[each] for each in connection.acknowledged)
            kept = gate.spool.taken(gate.session)
            assert set(connection.acknowledged) <= kept.keys()
            assert all(answered[each] for each in kept)  # what waits would come again after a crash
    for done in gate.codecs.asked:
        done(Coded({"v": 1}))
    await gate.pipeline.finish()
    assert connection.acknowledged == list(range(1, number + 1))
    assert gate.pipeline.intake.empty
    assert gate.stats.stages.received == number
    points = len([line for line in await gate.lines() if line])
    assert points == gate.stats.stages.decoded == gate.stats.stages.spooled > 100
    await gate.spool.close()


async def test_a_message_with_several_uplinks_waits_for_all_its_answers(tmp_path: Path) -> None:
    gate, connection = Gate(tmp_path), Connection()
    gate.send(connection, 1, 1, 2, 1, n=7)
    first, second = gate.codecs.asked
    second(Coded({"v": 2}))
    await gate.pipeline.finish()
    assert (await gate.lines(), connection.acknowledged) == ([], [])
    first(Coded({"v": 1}))
    await gate.pipeline.finish()
    assert [line.split("payload_hex=")[1].split(" ")[0] for line in await gate.lines()] == [
        '"0700",v=1.0',
        '"0700"',
        '"0700",v=2.0',
    ]
    assert connection.acknowledged == [1]
    await gate.spool.close()


async def test_a_new_session_owes_nothing_for_what_still_waits(tmp_path: Path) -> None:
    gate, old, new = Gate(tmp_path), Connection(), Connection()
    gate.send(old, 1, 1, n=1)
    gate.intake.connected(True)
    gate.send(new, 1, 1, n=2)
    for done in gate.codecs.asked:
        done(Coded({"v": 1}))
    await gate.pipeline.finish()
    assert len(await gate.lines()) == 2
    assert (old.acknowledged, new.acknowledged) == ([], [1])
    await gate.spool.close()


async def test_an_answer_after_the_connection_is_stored_and_known_when_it_comes_again(tmp_path: Path) -> None:
    gate, old, new = Gate(tmp_path), Connection(), Connection()
    gate.send(old, 5, 1, n=1)
    gate.intake.connected(False)
    gate.send(new, 6, 2, n=2)  # something else comes first on the new one
    gate.codecs.asked[0](Coded({"v": 1}))
    gate.send(new, 5, 1, dup=True, n=1)
    await gate.pipeline.finish()
    assert len(await gate.lines()) == 2
    assert gate.stats.stages.redelivered == 1
    assert (old.acknowledged, new.acknowledged) == ([], [6, 5])
    await gate.spool.close()


async def test_a_broker_is_not_read_while_too_much_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_HELD", 4)
    gate, connection = Gate(tmp_path), Connection()
    for number in range(4):
        gate.send(connection, None, 1, n=number)
    assert connection.told == ["pause"]
    await gate.pipeline.finish()  # a commit does not let it go
    assert connection.told == ["pause"]
    for done in gate.codecs.asked[:2]:
        done(Coded({"v": 1}))
    assert connection.told == ["pause"]
    gate.codecs.asked[2](Coded({"v": 1}))
    assert connection.told == ["pause", "resume"]
    await gate.pipeline.finish()
    await gate.spool.close()


def test_two_reasons_to_stop_reading_both_have_to_be_over() -> None:
    connection = Connection()
    order = InOrder(connection)
    order.pause()
    order.choke(True)
    order.resume()
    assert connection.told[-1] == "pause"
    order.choke(False)
    assert connection.told[-1] == "resume"
    order.choke(True)
    order.pause()
    order.choke(False)
    assert connection.told[-1] == "pause"
    order.resume()
    assert connection.told[-1] == "resume"
