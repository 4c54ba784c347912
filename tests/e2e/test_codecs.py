"""Raw LoRaWAN uplinks, a hostile codec among good ones, the whole gateway as a process over a real mosquitto."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.running import COMMAND, GatewayProcess
from tests.gateway.codecs.hostile import HOSTILE
from tests.gateway.codecs.park import QUICK, topic, uplink
from tests.gateway.mqtt_room import Publisher
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import wait_until

CONFIG = """
[local]
path = "{store}"
[codecs]
dir = "{folder}"
[mqtt.main]
url = "{url}"
client_id = "park"
{more}
[[mqtt.main.subscription]]
topic = "v3/+/devices/{{thing}}/up"
device = "ttn-v3"
"""


def gateway(tmp_path: Path, broker: Mosquitto, more: str = "", **codecs: str) -> GatewayProcess:
    folder = tmp_path / "codecs"
    folder.mkdir(exist_ok=True)
    for name, source in codecs.items():
        (folder / f"{name}.js").write_text(source)
    store = tmp_path / "park.duckdb"
    return GatewayProcess(tmp_path, CONFIG.format(store=store, folder=folder, url=broker.url, more=more))


def counts(process: GatewayProcess) -> dict[str, Any]:
    return {row["file"]: row for row in process.health().get("codecs", [])}


def things(process: GatewayProcess) -> dict[str, int]:
    return {row["thing"]: row["readings"] for row in process.health()["devices"]}


def children(process: GatewayProcess) -> list[int]:
    """The codec processes of a gateway."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
            parent = int((file.parent / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == process.process.pid and any(word.endswith(b"worker.py") for word in words):
            found.append(int(file.parent.name))
    return found


def test_others_flow_while_one_hangs_and_nothing_is_lost_however_it_dies(
    start_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    broker = start_mosquitto()
    process = gateway(tmp_path, broker, quick=QUICK, loop=HOSTILE["loop"][0], regex=HOSTILE["regex"][0])
    process.start()
    try:
        wait_until(lambda: process.health()["problems"] == [], "it is up")
        publisher = Publisher(broker.port)
        sent = 0
        for step in range(60):
            for thing in ("a", "b", "c"):
                publisher.send(topic(thing), uplink(thing, bytes((step,)), model="acme/quick", count=step))
            if step % 6 == 0:
                bad = "loop" if step % 12 else "regex"
                publisher.send(topic(bad), uplink(bad, b"\xff", model=f"acme/{bad}", count=step))
                sent += 1
            if step in (20, 40):
                wait_until(lambda: len(children(process)) == 1, "a codec process")
                os.kill(children(process)[0], signal.SIGKILL)
        wait_until(lambda: process.health()["stages"]["quarantined"] == sent, "the bad ones are kept", 30)
        wait_until(lambda: sum(things(process).get(each, 0) for each in "abc") == 180, "the good ones are stored", 30)
        health = process.health()
        assert {each.partition(" is set aside")[0] for each in health["problems"] if each.startswith("codec ")} == {
            "codec loop.js",
            "codec regex.js",
        }
        assert health["stages"]["decoded"] == 180
        assert counts(process)["quick.js"]["decoded"] == 180
        publisher.send(topic("loop"), uplink("loop", b"\xff", model="acme/loop", count=99))
        publisher.send(topic("a"), uplink("a", b"\x07", model="acme/quick", count=99))
        process.kill()
        process.start()
        wait_until(lambda: things(process).get("a", 0) >= 1, "what was not acknowledged came again")
        (last,) = children(process)
    finally:
        process.stop()
    assert not Path(f"/proc/{last}").exists()


def test_the_loop_is_never_kept_waiting_by_a_codec(start_mosquitto: Callable[..., Mosquitto], tmp_path: Path) -> None:
    broker = start_mosquitto()
    process = gateway(tmp_path, broker, quick=QUICK, loop=HOSTILE["loop"][0], memory=HOSTILE["memory"][0])
    process.start()
    try:
        wait_until(lambda: process.health()["problems"] == [], "it is up")
        publisher = Publisher(broker.port)
        worst = 0.0
        for step in range(3):
            for bad in ("loop", "memory"):
                publisher.send(topic(bad), uplink(bad, b"\xff", model=f"acme/{bad}", count=step))
            for _ in range(20):
                began = time.perf_counter()
                process.health()
                worst = max(worst, time.perf_counter() - began)
        assert worst < 0.2  # a hundred times what the loop is kept, on a machine that does other things as well
        wait_until(lambda: process.health()["stages"]["quarantined"] == 6, "the bad ones are kept", 30)
    finally:
        process.stop()


FLEET = """
[fleet]
broker = "{url}"
[[thing]]
name = "node"
device = "ttn-v3"
kind = "raw"
count = 3
period_s = 0.2
[[thing]]
name = "chirp"
device = "chirpstack-v4"
kind = "raw"
period_s = 0.2
"""


def test_simulated_nodes_with_raw_payloads_are_stored_decoded(
    start_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    broker = start_mosquitto()
    codec = (Path(__file__).parents[2] / "examples" / "codecs" / "feed00.js").read_text()
    process = gateway(tmp_path, broker, feed00=codec)
    process.config.write_text(
        process.config.read_text()
        + '[[mqtt.main.subscription]]\ntopic = "application/+/device/{thing}/event/+"\ndevice = "chirpstack-v4"\n'
    )
    fleet = tmp_path / "fleet.toml"
    fleet.write_text(FLEET.format(url=broker.url))
    process.start()
    try:
        wait_until(lambda: process.health()["problems"] == [], "it is up")
        simulated = subprocess.run(
            [str(COMMAND), "simulate", "--config", str(fleet), "--for", "5"], capture_output=True, text=True, timeout=60
        )
        assert simulated.returncode == 0, simulated.stderr
        wait_until(lambda: len(things(process)) == 4, "all have spoken")
        wait_until(lambda: counts(process)["feed00.js"]["decoded"] == sum(things(process).values()), "all are decoded")
        health = process.health()
        assert health["stages"]["decoded"] == health["stages"]["received"] == counts(process)["feed00.js"]["decoded"]
        assert health["stages"]["quarantined"] == 0
        assert process.health()["problems"] == []
    finally:
        process.stop()
