"""A full disk is a state, not a crash: nothing half is stored, delivery goes on, and then so does everything."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway._spool_open import RESERVE_BYTES
from gateway.config import SpoolConfig
from gateway.intake import Intake, Quarantined
from gateway.spool import DiskFailed, DiskFull, Spool, SpoolUnusable
from tests.gateway.virtual import VirtualClock

REFUSED = Quarantined(5, "influxdb", "", "", "sink", "rejected", "field type conflict", b"m v=1 1")


def intake(number: int, lines: int = 400) -> Intake:
    """About 100 bytes a line."""
    return Intake(
        lines=[f'm,thing=t{index} v={number},pad="{"x" * 70}" {number:06d}' for index in range(lines)],
        taken={"main": [(number % 65_535 + 1) << 32 | number]},
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """40 MB that are really all there is."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root on Linux; the page limit stands in for it below")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small tmpfs is not allowed here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def take_the_rest(disk: Path) -> None:
    """As another program would."""
    with (disk / "other").open("wb", buffering=0) as other:
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while True:
                    other.write(bytes(size))


async def fill(spool: Spool, first: int = 0) -> int:
    """Append until the disk is full; the number of the first intake that was refused."""
    for number in range(first, first + 10_000):
        try:
            await spool.append(intake(number))
        except DiskFull:
            return number
    raise AssertionError("the disk never filled")


async def delivered(spool: Spool, points: int = 5000) -> list[str]:
    """Read and remove everything."""
    found: list[str] = []
    after = 0
    while (batch := await spool.read(after, points)) is not None:
        found += batch.lines.decode().split("\n")
        after = batch.last
        await spool.remove(batch.first, batch.last)
    return found


def expected(numbers: range) -> list[str]:
    return [line for number in numbers for line in intake(number).lines]


async def test_a_full_disk_holds_delivers_and_recovers(small_disk: Path) -> None:
    spool = Spool.open(small_disk / "spool.db", SpoolConfig(), VirtualClock())
    reserve = small_disk / "spool.db.reserve"
    assert reserve.stat().st_size == RESERVE_BYTES == 8_388_608
    count = await fill(spool)
    assert count > 400
    assert spool.depth().state == (f"disk full: {small_disk} has no space left: free some, the spool goes on by itself")
    assert spool.depth().rows == count
    assert len(spool.taken("main")) == count
    assert reserve.exists(), "appends must not eat the reserve"
    assert await fill(spool, count) == count
    assert await delivered(spool) == expected(range(count))
    await spool.append(intake(count))
    assert spool.depth().state == "ok"
    assert await delivered(spool) == expected(range(count, count + 1))
    await spool.close()


async def test_deliveries_and_appends_take_turns_on_a_disk_that_stays_full(small_disk: Path) -> None:
    """Another program took the rest; what delivery frees inside the file is used again."""
    spool = Spool.open(small_disk / "spool.db", SpoolConfig(), VirtualClock())
    for number in range(200):
        await spool.append(intake(number))
    take_the_rest(small_disk)
    found: list[str] = []
    number, after = 200, 0
    for _ in range(400):
        try:
            await spool.append(intake(number))
            number += 1
        except DiskFull:
            batch = await spool.read(after, 2000)
            assert batch is not None, "full, and yet there is nothing to deliver"
            await spool.remove(batch.first, batch.last, [REFUSED])
            after = batch.last
            found += batch.lines.decode().split("\n")
    assert number > 300
    (small_disk / "other").unlink()
    assert found + await delivered(spool) == expected(range(number))
    await spool.append(intake(number))
    assert (small_disk / "spool.db.reserve").exists(), "the reserve is taken again"
    await spool.close()


async def test_a_gateway_starts_on_a_full_disk(small_disk: Path) -> None:
    spool = Spool.open(small_disk / "spool.db", SpoolConfig(), VirtualClock())
    count = await fill(spool)
    await spool.close()
    take_the_rest(small_disk)
    spool = Spool.open(small_disk / "spool.db", SpoolConfig(), VirtualClock())
    assert spool.notice is None
    assert spool.depth().rows == count
    assert await delivered(spool) == expected(range(count))
    await spool.close()


async def test_a_new_spool_on_a_full_disk_is_said_in_one_line(small_disk: Path) -> None:
    take_the_rest(small_disk)
    with pytest.raises(SpoolUnusable, match="no space left") as caught:
        Spool.open(small_disk / "spool.db", SpoolConfig(), VirtualClock())
    assert "\n" not in str(caught.value)


async def test_sqlite_full_stores_nothing_and_passes(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(), VirtualClock())
    await spool.append(intake(0))
    database = spool._store.file.db
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(DiskFull, match="has no space left"):
        await spool.append(intake(1))
    assert (spool.depth().rows, len(spool.taken("main"))) == (1, 1)
    assert spool.depth().state.startswith("disk full: ")
    database.execute("PRAGMA max_page_count = 1000000")
    await spool.append(intake(1))
    assert spool.depth().state == "ok"
    assert await delivered(spool) == expected(range(2))
    await spool.close()


async def test_a_file_locked_by_someone_else_is_a_state_too(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(), VirtualClock())
    await spool.append(intake(0))
    spool._store.file.db.execute("PRAGMA busy_timeout = 1")
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n",
        str(tmp_path / "spool.db"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"held\n"
    with pytest.raises(DiskFailed, match=r"spool\.db cannot be written: database is locked \(SQLITE_BUSY\)"):
        await spool.append(intake(1))
    await other.communicate(b"")
    await spool.append(intake(1))
    assert await delivered(spool) == expected(range(2))
    await spool.close()
