"""Commands to doubles on real ptys: devices that talk by themselves, and those that are asked, in their turn."""

import asyncio
from pathlib import Path

import pytest

from gateway.commands import Ask, Refused, Why
from simulators.faults import Faults
from simulators.fleet import ThingSpec
from simulators.line import Respondent
from simulators.mavlink import Link
from simulators.pms5003 import Plantower
from simulators.sds011 import Nova
from tests.device_types import BY_NAME
from tests.devices.test_commands import shown
from tests.gateway.commands.whole import whole
from tests.gateway.mqtt_room import until

KIOSK = """
[[serial]]
port = "./ports/kiosk"
device = "sds011"
thing = "kiosk"
commands = ["sleep", "wake", "period", "firmware"]

[[serial]]
port = "./ports/lamp"
device = "pms5003"
thing = "lamp"
commands = ["sleep", "wake"]
"""


async def test_dust_sensors_go_to_sleep_and_wake_up(tmp_path: Path) -> None:
    specs = [
        ThingSpec("kiosk", BY_NAME["sds011"], seed=3, period_s=0.1),
        ThingSpec("lamp", BY_NAME["pms5003"], seed=4, period_s=0.1),
    ]
    async with whole(tmp_path, KIOSK, specs) as room:
        kiosk, lamp = room.fleet._peers["kiosk"], room.fleet._peers["lamp"]
        assert isinstance(kiosk, Nova)
        assert isinstance(lamp, Plantower)
        await room.heard("kiosk", 3)
        await room.heard("lamp", 3)
        for thing, peer in (("kiosk", kiosk), ("lamp", lamp)):
            entry = await room.ask(thing, "sleep")
            assert (entry.state, entry.why) == ("done", "")
            assert peer.asleep
        silent = await room.gateway.commands.desk.ask(Ask("kiosk", "firmware"))  # asleep it answers nothing but wake
        with pytest.raises(Refused, match="kiosk is busy") as refusal:
            await room.ask("kiosk", "wake")
        assert refusal.value.why is Why.BUSY
        assert (await room.ask("lamp", "wake")).state == "done"  # by its measurements: it does not answer
        async with asyncio.timeout(20):
            await silent.over.wait()
        assert silent.state == "timed_out"
        await until(lambda: not room.gateway.commands.desk._busy, "the port is free")
        assert (await room.ask("kiosk", "wake")).state == "done"
        assert not kiosk.asleep
        told = await room.ask("kiosk", "period", working_period_min="7")
        assert (told.state, told.arguments) == ("done", {"working_period_min": 7.0})
        before = room.readings("kiosk")
        await room.heard("kiosk", before + 3)
        quarantined = room.gateway.stats.stages.quarantined
        assert quarantined == 2  # the lines rose, once each; answers are readings of the type and none is noise
        with pytest.raises(Refused, match="active is not allowed for kiosk"):
            await room.ask("kiosk", "active")


OFFICE = """
[[serial]]
port = "./ports/office"
device = "mhz19b"
thing = "office"
every_s = 0.05
commands = ["range", "calibrate-span"]
"""


async def test_a_sensor_that_is_asked_is_told_between_its_questions(tmp_path: Path) -> None:
    async with whole(tmp_path, OFFICE, [ThingSpec("office", BY_NAME["mhz19b"], seed=3)]) as room:
        await room.heard("office", 3)
        for number in range(5):
            entry = await room.ask("office", "range", range_ppm=2000 + number)
            assert (entry.state, entry.why) == ("done", "")
        before = room.readings("office")
        await room.heard("office", before + 3)
        stats = next(iter(room.gateway.stats.devices.values()))
        assert (stats.noise_bytes, stats.integrity_errors, stats.sanity_errors, stats.unanswered) == (0, 0, 0, 0)


async def test_a_sensor_that_gives_no_answer_to_a_command_is_asked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Respondent, "obey", lambda *_: None)  # as the manual has it
    async with whole(tmp_path, OFFICE, [ThingSpec("office", BY_NAME["mhz19b"], seed=3)]) as room:
        await room.heard("office", 2)
        entry = await room.ask("office", "calibrate-span", span_ppm=2000)
        assert (entry.state, entry.sent) == ("accepted", True)
        assert entry.why == "sent; no answer came, and some of these devices give none"
        before = room.readings("office")
        await room.heard("office", before + 2)


async def test_a_port_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    toml = KIOSK.replace("./ports/lamp", "./ports/nowhere")
    async with whole(tmp_path, toml, [ThingSpec("kiosk", BY_NAME["sds011"], period_s=0.1)]) as room:
        entry = await room.ask("lamp", "sleep")
        assert (entry.state, entry.sent) == ("refused", False)
        assert entry.why == f"serial:{tmp_path}/ports/nowhere is not open; nothing was sent"


async def test_a_recording_obeys_nobody_and_what_is_not_known_cannot_be_told(tmp_path: Path) -> None:
    async with whole(tmp_path, KIOSK, [ThingSpec("kiosk", BY_NAME["sds011"], period_s=0.1)]) as room:
        with pytest.raises(
            Refused, match="no thing 'kosk' that can be told something; did you mean \"kiosk\""
        ) as refusal:
            await room.ask("kosk", "sleep")
        assert refusal.value.why is Why.UNKNOWN


MAST = """
[[serial]]
port = "./ports/mast"
device = "mavlink"
thing = "mast"
commands = { "mast-1-1" = ["mode"], "mast-1-154" = ["mode"], "mast" = ["mode"] }
"""


async def test_of_several_on_one_port_the_one_is_told_that_is_meant(tmp_path: Path) -> None:
    async with whole(tmp_path, MAST, [ThingSpec("mast", BY_NAME["mavlink"], seed=3, period_s=0.2)]) as room:
        link = room.fleet._peers["mast"]
        assert isinstance(link, Link)
        for thing in ("mast-1-1", "mast-1-154", "mast-2-1"):
            await room.heard(thing, 2)
        assert (await room.ask("mast-1-1", "mode", custom_mode=6)).state == "done"
        assert link.modes == {"1-1": 6}
        entry = await room.ask("mast-1-154", "mode", custom_mode=6)
        assert (entry.state, entry.why) == (
            "refused",
            "1-154 answers unsupported: it does not know that command",
        )
        entry = await room.ask("mast", "mode", custom_mode=6)
        assert (entry.state, entry.sent) == ("refused", False)
        assert entry.why.startswith("mode: the port has several systems; tell one of them")
        with pytest.raises(Refused, match="mode is not allowed for mast-2-1"):
            await room.ask("mast-2-1", "mode", custom_mode=6)


GAUGES = """
[[serial]]
port = "./ports/gauge-1"

[[serial.thing]]
device = "acme-level"
thing = "gauge-1"
unit = 1
every_s = 0.1
commands = ["offset"]

[[serial.thing]]
device = "acme-level"
thing = "gauge-2"
unit = 2
every_s = 0.1
timeout_s = 0.2
commands = ["offset"]
"""


async def test_a_register_is_written_and_read_back_on_a_line_of_several(tmp_path: Path) -> None:
    (gauge,) = (device for device in shown() if device.name == "acme-level")
    echo = Faults(seed=1, echo=1.0)  # an adapter that gives every request back
    specs = [ThingSpec(f"gauge-{unit}", gauge, seed=unit, unit=unit, line="gauge-1", faults=echo) for unit in (1, 2)]
    async with whole(tmp_path, GAUGES, specs, more=[gauge]) as room:
        await room.heard("gauge-1", 3)
        first, second = await asyncio.gather(
            room.ask("gauge-1", "offset", offset_m=-1.25), room.ask("gauge-2", "offset", offset_m="0.5")
        )
        assert (first.state, first.why, second.state, second.why) == ("done", "", "done", "")
        with pytest.raises(Refused, match=r"offset_m = 6: expected a number from -5 to 5 in steps of 0\.001"):
            await room.ask("gauge-1", "offset", offset_m=6)
        before = room.readings("gauge-1"), room.readings("gauge-2")
        await room.heard("gauge-1", before[0] + 3)
        await room.heard("gauge-2", before[1] + 3)
        for stats in room.gateway.stats.devices.values():  # the echo of a write stood for its answer, which came then
            assert (stats.noise_bytes, stats.integrity_errors, stats.sanity_errors, stats.unanswered) == (8, 0, 0, 0)


async def test_a_gauge_that_forgets_what_was_written_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (gauge,) = (device for device in shown() if device.name == "acme-level")
    obey = Respondent.obey

    def forgetful(self: Respondent, command: object, step: object, arguments: object, now_s: float) -> object:
        said = obey(self, command, step, arguments, now_s)  # type: ignore[arg-type]
        self.told = {"offset": {"offset_m": 0.0}}
        return said

    monkeypatch.setattr(Respondent, "obey", forgetful)
    specs = [ThingSpec("gauge-1", gauge, seed=1, unit=1, line="gauge-1")]
    alone = "\n[[serial.thing]]".join(GAUGES.split("\n[[serial.thing]]")[:2])
    async with whole(tmp_path, alone, specs, more=[gauge]) as room:
        await room.heard("gauge-1", 2)
        entry = await room.ask("gauge-1", "offset", offset_m=2)
        assert (entry.state, entry.why) == ("refused", "offset_m is 0.0 after it was set to 2.0")
        entry = await room.ask("gauge-1", "offset", offset_m=0)
        assert entry.state == "done"
