"""What is said of a disk that fills, before it is full: forecasts, health, the commands, the log."""

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gateway.watch.disk
from gateway.cli.main import app
from gateway.config import SpoolConfig
from gateway.disk import Space, existing, say_size, space
from gateway.intake import Accept, Batch, Intake, Keep, Quarantined
from gateway.sinks.local import LocalSink
from gateway.spool import store as spool_store
from gateway.spool.fit import does_not_fit
from gateway.spool.spool import DiskFull, Spool
from gateway.watch.disk import DiskWatch
from tests.gateway.virtual import VirtualClock

MB = 1_000_000


def test_when_a_disk_is_low() -> None:
    assert [Space(free, 9 * MB).word for free in (0, 200_000, 300_000, 8 * MB)] == [
        "full",
        "full",
        "nearly full",
        "nearly full",
    ]
    assert [Space(free * MB, 40 * MB).word for free in (15, 17)] == ["nearly full", "ok"]
    assert [Space(free * MB, 16_000 * MB).word for free in (319, 321)] == ["nearly full", "ok"]
    assert [Space(free * MB, 2_000_000 * MB).word for free in (999, 1001)] == ["nearly full", "ok"]
    assert str(Space(1_900_000, 9 * MB)) == "1.9 MB free of 9.0 MB"
    assert [say_size(size) for size in (0, 999, 1000, 1_073_741_824)] == ["0 B", "999 B", "1.0 KB", "1.1 GB"]


def test_the_disk_of_a_folder_that_is_not_made_yet_is_that_of_the_nearest_above(tmp_path: Path) -> None:
    assert existing(tmp_path / "state" / "deep") == tmp_path
    found = space(tmp_path / "state" / "deep")
    assert found is not None
    assert found.size > found.free > 0


# -- forecasts -------------------------------------------------------------------------------------


def lines(count: int) -> list[str]:
    """100 bytes each, with the line end."""
    return [f"m,thing=lamp v={number:06d},pad={'x' * 72}" for number in range(count)]


class Disk:
    """Stands for the disk under a spool: `free` bytes, as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
        self.free, self.asked = free, 0
        monkeypatch.setattr(spool_store, "space", self.space)

    def space(self, _folder: Path) -> Space:
        self.asked += 1
        return Space(self.free, 9 * MB)


async def test_the_forecast_is_the_nearer_of_quota_and_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Disk(monkeypatch, 1_900_000)
    clock = VirtualClock()
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(), clock)
    for _ in range(10):
        clock.pass_by(1.0)
        await spool.append(Intake(lines=lines(1000)))
    seconds, by = spool.filling.outlook()
    assert by == "disk"
    assert seconds == pytest.approx(19.0, rel=0.02)  # 1.9 MB at 100 kB/s; the quota of 1.1 GB lasts 3 h
    assert spool.forecast() == seconds
    await spool.close()


async def test_a_quarantine_that_grows_fills_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Disk(monkeypatch, 1_900_000)
    clock = VirtualClock()
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(), clock)
    item = Quarantined(0, "main", "senml", "", "decode", "sanity", "not JSON", b"x" * (100_000 - 64))
    for _ in range(10):
        clock.pass_by(1.0)
        await spool.append(Intake(quarantined=[item]))
    assert spool.filling.outlook().by == "disk"
    assert spool.forecast() == pytest.approx(28.97, abs=0.5)  # kept are 65,536 bytes of each
    await spool.close()


async def test_pages_that_the_file_has_free_are_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Disk(monkeypatch, 0)
    clock = VirtualClock()
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(max_bytes=100 * MB), clock)
    for _ in range(20):
        await spool.append(Intake(lines=lines(1000)))
    await spool.remove(0, 1 << 62)
    clock.pass_by(400.0)
    for _ in range(13):
        clock.pass_by(1.0)
        await spool.append(Intake(lines=lines(100)))
    seconds, by = spool.filling.outlook()
    assert by == "disk"
    assert seconds is not None
    assert 120 < seconds < 220  # the 2 MB that were freed, at 10 kB/s
    await spool.close()


async def test_the_disk_is_asked_rarely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, 100 * MB)
    clock = VirtualClock()
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(), clock)
    for _ in range(200):
        clock.pass_by(0.1)
        await spool.append(Intake(lines=["m v=1 1"]))
        spool.forecast()
    await spool.close()
    assert 4 <= disk.asked <= 6, "at the start, and every 5 of these 20 s"


@pytest.fixture
def nine_megabytes(tmp_path: Path) -> Iterator[Path]:
    """A state folder on a disk of 9 MB, really."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root on Linux; a made-up disk stands in for it above")
    disk = tmp_path / "state"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small tmpfs is not allowed here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_on_a_small_disk_the_forecast_comes_true(nine_megabytes: Path) -> None:
    clock = VirtualClock()
    (nine_megabytes / "other").write_bytes(bytes(4_500_000))
    spool = Spool.open(nine_megabytes / "spool.db", SpoolConfig(), clock)
    forecast: float | None = None
    for second in range(1, 200):
        clock.pass_by(1.0)
        try:
            await spool.append(Intake(lines=lines(1300)))
        except DiskFull:
            break
        if second == 16:
            forecast = spool.forecast()
    assert spool.filling.outlook() == (0.0, "disk")
    assert forecast is not None
    assert 0.4 < forecast / (second - 16) < 2.5, f"said {forecast:.0f} s, it took {second - 16} s"
    await spool.close()


@pytest.mark.parametrize("other", [0, 7 * MB])
async def test_on_a_small_disk_that_is_full_delivery_goes_on(nine_megabytes: Path, other: int) -> None:
    """There is no room for a reserve of 8 MiB: a quarter of what was free is enough, for the log is short."""
    (nine_megabytes / "other").write_bytes(bytes(other))
    clock = VirtualClock()
    spool = Spool.open(nine_megabytes / "spool.db", SpoolConfig(), clock)
    stored = 0
    with contextlib.suppress(DiskFull):
        while True:
            clock.pass_by(0.1)
            await spool.append(Intake(lines=lines(130)))
            stored += 130
    assert stored > (60_000 if other == 0 else 15_000)
    after = found = 0
    while (batch := await spool.read(after, 2000)) is not None:
        found, after = found + batch.points, batch.last
        await spool.remove(batch.first, batch.last)
    assert found == stored
    await spool.append(Intake(lines=lines(130)))
    assert spool.depth().state == "ok"
    await spool.close()


# -- quotas that cannot be ---------------------------------------------------------------------------


def test_a_quota_above_the_disk_is_named_with_what_would_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.spool.fit.space", lambda _: Space(200 * MB, 300 * MB))
    assert does_not_fit(tmp_path / "spool.db", SpoolConfig()) == (
        f"spool.max_bytes (1.1 GB) and spool.quarantine_bytes (67.1 MB) do not fit on the disk of {tmp_path}"
        " (200.0 MB free of 300.0 MB), which is full first: expected at most 140.9 MB for both, or another disk"
    )
    assert does_not_fit(tmp_path / "spool.db", SpoolConfig(max_bytes=70 * MB)) is None
    (tmp_path / "spool.db").write_bytes(bytes(20 * MB))
    assert does_not_fit(tmp_path / "spool.db", SpoolConfig(max_bytes=130 * MB)) is None, "it has 20 MB already"
    monkeypatch.setattr("gateway.spool.fit.space", lambda _: None)
    assert does_not_fit(tmp_path / "spool.db", SpoolConfig()) is None


def configured(folder: Path) -> Path:
    file = folder / "gateway.toml"
    file.write_text(
        '[gateway]\nstate_dir = "state"\n[mqtt.main]\nurl = "mqtt://127.0.0.1"\nclient_id = "gw"\n'
        '[[mqtt.main.subscription]]\ntopic = "park/{thing}"\ndevice = "senml"\n'
    )
    return file


def said(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.splitlines()


def test_check_and_spool_say_that_the_disk_is_too_small(nine_megabytes: Path) -> None:
    file = configured(nine_megabytes.parent)
    (nine_megabytes / "other").write_bytes(bytes(7 * MB))
    warnings = [line for line in said("check", str(file)) if line.startswith("warning ")]
    assert warnings == [
        f"warning spool.max_bytes (1.1 GB) and spool.quarantine_bytes (67.1 MB) do not fit on the disk of "
        f"{nine_megabytes} (2.4 MB free of 9.4 MB), which is full first: expected another disk",
        f"warning the local store {nine_megabytes}/parkgate.duckdb grows on the same disk, without a bound of its own",
        f"warning the disk of {nine_megabytes} is nearly full: 2.4 MB free of 9.4 MB",
    ]
    store = spool_store.Store(nine_megabytes / "spool.db", SpoolConfig(), 1_767_225_600_000_000_000)
    for second in range(15):
        store.append(Intake(lines=lines(500)), 1_767_225_600_000_000_000 + second * 1_000_000_000)
    found = said("spool", "--config", str(file))
    store.close()
    assert found[1].startswith("waiting     7,500 points in 15 rows, 743.4 KB of the ")
    assert "that the disk has room for (" in found[1]
    assert found[3].startswith("forecast    the disk lasts ")
    assert found[5].startswith("disk        ")
    assert found[5].endswith(" free of 9.4 MB: nearly full")
    assert found[6].startswith("warning     spool.max_bytes (1.1 GB) and ")
    fields = json.loads(said("spool", "--config", str(file), "--json")[0])
    assert (fields["disk"], fields["disk_size"], fields["max_bytes_fits"]) == ("nearly full", 9_437_184, False)
    assert 0 < fields["lasts_s"] < 60
    assert 0 < fields["room"] == fields["disk_free"] < 2 * MB
    with (nine_megabytes / "rest").open("wb", buffering=0) as rest, contextlib.suppress(OSError):
        while True:
            rest.write(bytes(65_536))
    found = said("spool", "--config", str(file))
    assert found[3] == "forecast    the disk is full"
    assert found[5] == "disk        0 B free of 9.4 MB: full"


# -- the watch ----------------------------------------------------------------------------------------


class Disks:
    """What the watch is told: free bytes by folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
        self.size, self.free = size, {"": size}
        monkeypatch.setattr(gateway.watch.disk, "space", self.space)

    def space(self, folder: Path) -> Space:
        return Space(self.free.get(folder.name, self.free[""]), self.size)


async def test_a_disk_that_fills_is_a_problem_before_it_is_full_and_while_it_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    disks, clock = Disks(monkeypatch, 64_000 * MB), VirtualClock()
    disks.free[""] = 30_000 * MB
    watch = DiskWatch([tmp_path], clock)
    for number in range(21):
        clock.pass_by(5.0)
        disks.free[""] -= 100 * MB
        await watch.look()
        assert number < 20 or watch.problems() == [
            f"the disk of {tmp_path} is filling up: 27.9 GB free of 64.0 GB, full in 23 min at today's rate"
        ]
    disks.free[""] = 900 * MB
    clock.pass_by(5.0)
    await watch.look()
    assert watch.disks[0].word == "nearly full"
    disks.free[""] = 0
    clock.pass_by(5.0)
    await watch.look()
    assert watch.problems() == [f"the disk of {tmp_path} is full: 0 B free of 64.0 GB"]
    disks.free[""] = 40_000 * MB
    for _ in range(13):
        clock.pass_by(5.0)
        await watch.look()
    assert watch.problems() == []
    said = [record.getMessage() for record in caplog.records]
    assert [words.partition(" is ")[2].partition(":")[0] for words in said[:3]] == ["filling up", "nearly full", "full"]
    assert said[3:] == [f"the disk of {tmp_path} has room again: 40.0 GB free of 64.0 GB"]


async def test_what_another_program_frees_and_takes_is_no_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks, clock = Disks(monkeypatch, 64_000 * MB), VirtualClock()
    watch = DiskWatch([tmp_path], clock)
    for number in range(60):
        clock.pass_by(5.0)
        disks.free[""] = (30_000 if number < 13 else 25_000 - number % 2) * MB
        await watch.look()
        assert watch.problems() == [], number


async def test_the_disk_of_the_local_store_is_watched_too(
    tmp_path: Path, nine_megabytes: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (nine_megabytes / "other").write_bytes(bytes(7 * MB))
    watch = DiskWatch([tmp_path, tmp_path, nine_megabytes / "store"], VirtualClock())
    assert [disk.folder for disk in watch.disks] == [tmp_path, nine_megabytes / "store"]
    assert watch.problems()[-1] == f"the disk of {nine_megabytes}/store is nearly full: 2.4 MB free of 9.4 MB"
    assert caplog.messages[-1] == watch.problems()[-1]


async def test_a_local_store_without_room_says_what_to_do_and_goes_on_when_there_is(nine_megabytes: Path) -> None:
    (nine_megabytes / "other").write_bytes(bytes(7 * MB))
    sink = LocalSink(nine_megabytes / "store.duckdb")
    await sink.open()
    outcome: Accept | Keep = Accept([])
    number = 0
    while isinstance(outcome, Accept):
        number += 1
        rows = "\n".join(f'm,thing=lamp v={row},pad="{number}{row}{"x" * 200}" {number}{row:05d}' for row in range(500))
        outcome = await sink.write(Batch(number, number, 500, rows.encode()))
        assert number < 1000
    assert outcome.reason.startswith(f"{nine_megabytes} has no space left: free some, the store goes on by itself (")
    assert "\n" not in outcome.reason
    (nine_megabytes / "other").unlink()
    assert await sink.write(Batch(number, number, 500, rows.encode())) == Accept([])
    assert await sink.query("SELECT count(*) FROM m") == [(500 * number,)]
    await sink.close()


# -- a quarantine that is full -----------------------------------------------------------------------


async def test_a_quarantine_that_gives_up_its_oldest_says_so_while_it_does(tmp_path: Path) -> None:
    clock = VirtualClock()
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(quarantine_bytes=10_000), clock)

    async def refused(kind: str, reason: str, count: int) -> None:
        item = Quarantined(0, "main", "senml", "", "decode", kind, reason, b"x" * 36)
        await spool.append(Intake(quarantined=[item] * count))

    await refused("noise", "outside any frame", 40)
    await refused("sanity", "not JSON", 60)
    assert spool.filling.problems() == []
    assert spool.depth().given_up == 0
    await refused("sanity", "not JSON", 50)
    assert spool.filling.problems() == [
        "the quarantine is full (spool.quarantine_bytes, 10.0 KB): its oldest go for newer ones, since the start: "
        "noise 40, sanity 10; lately mostly: outside any frame"
    ]
    assert (spool.depth().given_up, spool.depth().quarantined) == (50, 100)
    clock.pass_by(61.0)
    assert spool.filling.problems() == []
    await refused("sanity", "not JSON", 1)
    assert spool.filling.problems()[0].endswith("noise 40, sanity 11; lately mostly: not JSON")
    await spool.close()
