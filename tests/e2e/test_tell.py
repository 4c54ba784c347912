"""`parkgate tell` against `parkgate run`, as people use them: devices on ptys, a killed gateway, and the ledger."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from simulators.fleet import Fleet, ThingSpec
from simulators.sds011 import Nova
from tests.device_types import BY_NAME
from tests.e2e.running import COMMAND, GatewayProcess
from tests.gateway.mqtt_room import until

CONFIG = """
[[serial]]
port = "{ports}/kiosk"
device = "sds011"
thing = "kiosk"
commands = ["sleep", "wake", "firmware"]

[[serial]]
port = "{ports}/office"
device = "mhz19b"
thing = "office"
every_s = 0.2
commands = ["range"]
"""


@dataclass
class Street:
    """A gateway in a process of its own, and what it is connected to."""

    gateway: GatewayProcess
    kiosk: Nova
    folder: Path

    async def parkgate(self, *words: str) -> tuple[int, str, str]:
        """Exit code and both outputs of a command in the folder of the configuration."""

        def run() -> tuple[int, str, str]:
            done = subprocess.run(
                [str(COMMAND), *words], cwd=self.folder, capture_output=True, text=True, check=False, timeout=100
            )
            return done.returncode, done.stdout, done.stderr

        return await asyncio.to_thread(run)

    async def heard(self) -> None:
        """Both things have spoken since the start."""
        await until(lambda: self.gateway.health()["things"]["online"] == 2, "both are heard", 40)


class Counting(Nova):
    """Remembers what it was told."""

    def __init__(self, *args: object, **settings: object) -> None:
        super().__init__(*args, **settings)
        self.heard: list[str] = []
        self.deaf = False

    def obey(self, command: object, arguments: object) -> bytes:
        self.heard.append(command.name)  # type: ignore[attr-defined]
        return b"" if self.deaf else super().obey(command, arguments)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def street(path: Path) -> AsyncIterator[Street]:
    ports = path / "ports"
    specs = [
        ThingSpec("kiosk", BY_NAME["sds011"], seed=3, period_s=0.2),
        ThingSpec("office", BY_NAME["mhz19b"], seed=4),
    ]
    fleet = Fleet(specs, broker=None, port_dir=ports)
    old = fleet._peers["kiosk"]
    kiosk = fleet._peers["kiosk"] = Counting(old.device, old._epoch, 0.2, seed=3)
    await fleet.open()
    speaking = asyncio.create_task(fleet.run())
    gateway = GatewayProcess(path, CONFIG.format(ports=ports))
    await asyncio.to_thread(gateway.start)
    try:
        yield Street(gateway, kiosk, path)
    finally:
        await asyncio.to_thread(gateway.stop)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        await fleet.close()


async def test_a_person_tells_things_something_and_reads_the_ledger(tmp_path: Path) -> None:
    async with street(tmp_path) as here:
        await here.heard()
        code, out, err = await here.parkgate("tell", "kiosk", "sleep", "--wait")
        assert (code, out, err) == (0, "kiosk: sleep: done\n", "")
        assert here.kiosk.asleep
        code, out, _ = await here.parkgate("tell", "kiosk", "wake", "--wait", "--json", "--key", "morning")
        first = json.loads(out)
        assert (code, first["state"], first["key"]) == (0, "done", "morning")
        assert (
            json.loads((await here.parkgate("tell", "kiosk", "wake", "-w", "--json", "--key", "morning"))[1]) == first
        )
        assert here.kiosk.heard == ["sleep", "wake"]
        code, out, _ = await here.parkgate("tell", "office", "range", "range_ppm=5000", "--wait")
        assert (code, out) == (0, "office: range range_ppm=5000: done\n")
        code, out, _ = await here.parkgate("tell", "office", "range", "range_ppm=2000")
        assert code == 0
        assert out.startswith("office: range range_ppm=2000: accepted (GET /api/v1/commands/")
        for words, complaint in (
            (("kiosk", "active"), "refused: active is not allowed for kiosk: write commands ="),
            (("kiosk", "slep"), "refused: kiosk (sds011) has no command 'slep'; did you mean \"sleep\"?"),
            (("kisok", "sleep"), "refused: no thing 'kisok' that can be told something; did you mean \"kiosk\"?"),
            (("office", "range", "range_ppm=7"), "refused: range: range_ppm = '7': expected a whole number from 1000"),
        ):
            code, out, err = await here.parkgate("tell", *words)
            assert (code, out) == (1, "")
            assert err.startswith(f"parkgate: {complaint}"), err
        code, out, err = await here.parkgate("tell", "office", "range", "5000")
        assert (code, err) == (2, "parkgate: argument '5000': expected NAME=VALUE, such as working_period_min=5\n")
        code, out, _ = await here.parkgate("tell", "kiosk")
        assert code == 0
        assert out.startswith("kiosk is a sds011\n")
        code, out, err = await here.parkgate("tell", "kiosk", "sleep", "--gateway", "http://127.0.0.1:9")
        assert code == 1
        assert err.startswith("parkgate: no gateway answers at http://127.0.0.1:9: ")
        code, out, _ = await here.parkgate("commands", "--json")
        rows = [json.loads(line) for line in out.splitlines()][::-1]
        assert [(row["thing"], row["command"], row["state"]) for row in rows] == [
            ("kiosk", "sleep", "done"),
            ("kiosk", "wake", "done"),
            ("office", "range", "done"),
            ("office", "range", "done"),
            ("kiosk", "active", "refused"),
            ("kiosk", "slep", "refused"),
            ("office", "range", "refused"),
        ]
        assert all(row["via"] == "api" and row["by"].endswith("at 127.0.0.1") for row in rows)
        code, out, _ = await here.parkgate("commands", "--thing", "kiosk", "-n", "2")
        assert [line.split()[1:3] for line in out.splitlines()[1:]] == [["kiosk", "slep"], ["kiosk", "active"]]


async def test_a_killed_gateway_repeats_nothing_and_says_so(tmp_path: Path) -> None:
    async with street(tmp_path) as here:
        await here.heard()
        here.kiosk.deaf = True
        code, out, _ = await here.parkgate("tell", "kiosk", "firmware", "--key", "k-1", "--json")
        assert (code, json.loads(out)["state"]) == (0, "accepted")
        await until(lambda: here.kiosk.heard == ["firmware"], "it is told")
        await asyncio.to_thread(here.gateway.kill)
        here.kiosk.deaf = False
        await asyncio.to_thread(here.gateway.start)
        await here.heard()
        code, out, err = await here.parkgate("tell", "kiosk", "firmware", "--key", "k-1", "--wait", "--json")
        found = json.loads(out)
        assert (code, found["state"], found["sent"]) == (1, "timed_out", True)
        assert found["why"] == "the gateway ended before the answer came; whether it was done is not known"
        code, out, err = await here.parkgate("tell", "kiosk", "firmware", "--wait")
        assert (code, out, err) == (0, "kiosk: firmware: done\n", "")
        assert here.kiosk.heard == ["firmware", "firmware"]
