"""Uplinks over a real mosquitto, decoded by codecs in their process: what is stored, and what a bad one costs."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateway.codecs.hostile import HOSTILE, SPAM
from tests.gateway.codecs.park import QUICK, park, topic, uplink
from tests.gateway.mqtt_room import Publisher, until
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good codec, for things called good-…"""
    made = tmp_path / "codecs"
    made.mkdir()
    (made / "acme-quick.js").write_text(QUICK)
    return made


@both
async def test_a_raw_uplink_is_decoded_stored_and_acknowledged(
    start_mosquitto: Start, tmp_path: Path, folder: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder, protocol=protocol) as here:
        await here.up()
        Publisher(broker.port).send(topic("bin-7"), uplink("bin-7", b"\x2a", 9, model="acme/quick"))
        (line,) = await here.stored("bin-7")
        fields = line.rsplit(" ", 1)[0]
        assert fields == 'device_id="bin-7",f_port=9i,f_cnt=0i,payload_hex="2a",value=42.0,port=9.0'
        assert line.endswith(" 1767225600000000000")
        await until(lambda: here.due == [], "all is acknowledged")
        assert here.stats.stages.quarantined == 0
        assert [each._asdict() for each in here.codecs.counts()] == [
            {"name": "acme-quick.js", "decoded": 1, "refused": 0, "warnings": 0, "aside": False}
        ]


async def test_what_the_network_has_decoded_stands_unless_the_configuration_says_otherwise(
    start_mosquitto: Start, tmp_path: Path, folder: Path
) -> None:
    broker = start_mosquitto()
    message = uplink("bin-7", b"\x2a", model="acme/quick", decoded={"temperature": 3})
    for prefer, fields in (("network", "temperature_c=3.0"), ("codec", "value=42.0,port=1.0")):
        directory = tmp_path / prefer
        directory.mkdir()
        async with park(directory, broker.url, folder, prefer=prefer, session_expiry_s=0) as here:
            await here.up()
            Publisher(broker.port).send(topic("bin-7"), message)
            (line,) = await here.stored("bin-7")
            assert line.rsplit(" ", 1)[0].endswith(f'payload_hex="2a",{fields}'), prefer


async def test_an_uplink_without_a_codec_is_stored_as_it_is(
    start_mosquitto: Start, tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        publisher = Publisher(broker.port)
        publisher.send(topic("x"), *(uplink("x", b"\x2a", model="acme/other", count=each) for each in range(3)))
        assert (await here.stored("x", 3))[0].startswith('device_id="x",f_port=1i,f_cnt=0i,payload_hex="2a" ')
        assert here.codecs.process.starts == 0
        assert (
            caplog.text.count("for device profile 'acme/other', device 'x'; such uplinks are stored as they are") == 1
        )


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_codec_is_named_its_uplink_kept_and_the_others_flow(
    start_mosquitto: Start, tmp_path: Path, folder: Path, name: str
) -> None:
    source, why = HOSTILE[name]
    (folder / f"{name}.js").write_text(source)
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        publisher = Publisher(broker.port)
        publisher.send(topic("good"), uplink("good", b"\x01", model="acme/quick", count=1))
        await here.stored("good", 1)
        publisher.send(topic("bad"), uplink("bad", bytes.fromhex("c0ffee"), 7, model=f"acme/{name}", count=1))
        publisher.send(topic("good"), *(uplink("good", b"\x02", model="acme/quick", count=n) for n in range(2, 22)))
        publisher.send(topic("known"), uplink("known", b"\x02", decoded={"temperature": 1}))
        await here.stored("known", 1, 1.0)  # what needs no codec waits for none
        assert len(await here.stored("good", 21)) == 21
        (reason,) = await here.quarantined(1)
        assert reason.startswith(f"codec {name}.js ")
        assert reason.endswith("; port 7, bytes c0ffee")
        assert why in reason
        assert await here.points("bad") == []
        (kept,) = await here.spool.quarantine_rows()
        assert (kept.source, kept.device, kept.thing, kept.kind) == ("mqtt:main", "ttn-v3", "bad", "sanity")
        assert b'"frm_payload": "wP/u"' in kept.data
        await until(lambda: here.due == [], "all is acknowledged")


async def test_a_codec_that_prints_without_end_costs_nothing_but_its_time(
    start_mosquitto: Start, tmp_path: Path, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "spam.js").write_text(SPAM)
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        Publisher(broker.port).send(topic("x"), uplink("x", b"\x01", model="acme/spam"))
        (line,) = await here.stored("x")
        assert "value=7.0" in line
    assert "spam" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("name", ["loop", "regex", "memory"])
async def test_one_that_fails_again_and_again_is_set_aside_said_and_healed_by_a_new_file(
    start_mosquitto: Start, tmp_path: Path, folder: Path, name: str
) -> None:
    (folder / "bad.js").write_text(HOSTILE[name][0])
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        publisher = Publisher(broker.port)
        bad = [uplink("bad", b"\x05", model="acme/bad", count=n) for n in range(12)]
        publisher.send(topic("bad"), *bad)
        publisher.send(topic("good"), uplink("good", b"\x01", model="acme/quick"))
        await here.stored("good", 1)
        reasons = await here.quarantined(12)
        assert sum("is set aside: " in reason for reason in reasons) == 9
        (problem,) = here.codecs.problems()
        assert problem.startswith("codec bad.js is set aside, its uplinks go to the quarantine: ")
        assert ("memory" if name == "memory" else "took more than 0.25 s of processor time") in problem
        starts = here.codecs.process.starts
        publisher.send(topic("bad"), uplink("bad", b"\x05", model="acme/bad", count=20))
        await here.quarantined(13)
        assert here.codecs.process.starts == starts  # it was not even asked
        (folder / "bad.js").write_text(QUICK)
        await until(lambda: here.codecs.problems() == [], "the changed file is taken")
        publisher.send(topic("bad"), uplink("bad", b"\x06", model="acme/bad", count=21))
        assert "value=6.0" in (await here.stored("bad"))[0]


async def test_a_killed_process_costs_nothing(start_mosquitto: Start, tmp_path: Path, folder: Path) -> None:
    (folder / "acme-slow.js").write_text(
        "function decodeUplink(input) { for (var from = Date.now(); Date.now() - from < 5;) {}"
        " return { data: { n: input.bytes[0] } }; }"
    )
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        publisher = Publisher(broker.port)
        publisher.send(topic("x"), *(uplink("x", bytes((n,)), model="acme/slow", count=n) for n in range(100)))
        for _ in range(5):
            await until(lambda: here.codecs.process.pid is not None and here.codecs.process.state == "up", "a process")
            pid = here.codecs.process.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda before=pid: here.codecs.process.pid != before, "the next")  # type: ignore[misc]
        lines = await here.stored("x", 100)
        assert sorted(int(line.split(",n=")[1].split(".")[0]) for line in lines) == list(range(100))
        assert here.stats.stages.quarantined == 0
        assert here.codecs.process.starts >= 5


async def test_nothing_is_acknowledged_before_its_codec_has_answered(
    start_mosquitto: Start, tmp_path: Path, folder: Path
) -> None:
    broker = start_mosquitto()
    message = uplink("x", b"\x07", model="acme/quick")
    directory = tmp_path / "first"
    directory.mkdir()
    async with park(directory, broker.url, folder) as here:
        await here.up()
        here.codecs.process.ask = lambda job: None  # type: ignore[method-assign]  # it never answers
        publisher = Publisher(broker.port)
        publisher.send(topic("x"), message)
        publisher.send(topic("known"), uplink("known", b"\x02", decoded={"temperature": 1}))
        await here.stored("known")
        assert here.due == [1, 2]
    async with park(directory, broker.url, folder) as here:  # the broker sends both again
        assert "value=7.0" in (await here.stored("x"))[0]
        assert len(await here.points("known")) == 1
        assert here.stats.stages.redelivered == 1


async def test_a_message_that_a_new_connection_brings_again_is_asked_about_once(
    start_mosquitto: Start, tmp_path: Path, folder: Path
) -> None:
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        asked, ask = [], here.codecs.process.ask
        here.codecs.process.ask = asked.append  # type: ignore[method-assign]
        Publisher(broker.port).send(topic("x"), uplink("x", b"\x07", model="acme/quick"))
        await until(lambda: len(asked) == 1, "it is asked about")
        here.source.reconnect("a test")
        await here.up(2)
        await asyncio.sleep(0.1)
        assert len(asked) == 1
        ask(asked[0])
        assert len(await here.stored("x")) == 1
        await until(lambda: here.due == [], "it is acknowledged")


async def test_what_comes_at_qos_0_and_is_not_decoded_in_time_goes_to_the_quarantine(
    start_mosquitto: Start, tmp_path: Path, folder: Path
) -> None:
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        asked: list[object] = []
        here.codecs.process.ask = asked.append  # type: ignore[method-assign]
        Publisher(broker.port).send(topic("x"), uplink("x", b"\x07", model="acme/quick"), qos=0)
        await until(lambda: len(asked) == 1, "it is asked about")
        here.intake.end()
        assert await here.quarantined(1) == ["stopped before its codec had answered"]


async def test_a_codec_that_says_errors_warnings_and_strange_numbers(
    start_mosquitto: Start, tmp_path: Path, folder: Path
) -> None:
    (folder / "odd.js").write_text(
        """
        function decodeUplink(input) {
          if (input.fPort === 3) return { errors: ["unknown FPort", "really"] };
          return {
            data: { temperature: NaN, rain: 1 / 0, gone: undefined, none: null, at: new Date(86400000), ok: false,
                    bytes: Uint8Array.of(0, 255), list: [{ lux: 5 }, { lux: 6 }] },
            warnings: ["low battery"],
          };
        }
        """
    )
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        publisher = Publisher(broker.port)
        publisher.send(topic("x"), uplink("x", b"\x01", 2, model="acme/odd"))
        publisher.send(topic("x"), uplink("x", b"\x01", 3, model="acme/odd", count=1))
        (line,) = await here.stored("x")
        assert line.rsplit(" ", 1)[0].split("payload_hex=")[1] == (
            '"01",at_text="1970-01-02T00:00:00.000Z",ok_flag=false,bytes_0=0.0,bytes_1=255.0,'
            'list_0_illuminance_lx=5.0,list_1_illuminance_lx=6.0,codec_warnings_text="low battery"'
        )
        (reason,) = await here.quarantined(1)
        assert reason == "codec odd.js says: unknown FPort; really; port 3, bytes 01"
        (counts,) = here.codecs.counts()
        assert (counts.decoded, counts.refused, counts.warnings) == (1, 1, 1)
