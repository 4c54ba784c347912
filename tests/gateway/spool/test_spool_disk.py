"""A full disk is a state, not a crash: nothing half is stored, delivery goes on, and then so does everything."""

import asyncio
import contextlib
import errno
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from gateway.config import SpoolConfig
from gateway.intake import Intake, Quarantined
from gateway.spool import store as _spool_store
from gateway.spool.open import RESERVE_BYTES
from gateway.spool.schema import Damaged
from gateway.spool.spool import DiskFailed, DiskFull, Spool, SpoolUnusable
from gateway.spool.store import Store
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


def spoil(spool: Spool) -> None:
    """Noise over all pages but the first, and none of them remembered."""
    with spool.path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(4096)
        file.write(random.Random(7).randbytes(size - 4096))
    spool._store.file.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool._store.file.db.execute("PRAGMA shrink_memory")


def set_aside(disk: Path) -> list[str]:
    return sorted(file.name for file in disk.glob("*.damaged-*"))


async def test_a_damaged_file_is_replaced_when_the_full_disk_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be done at once stays due, and neither reading nor appending ends in anything but its name."""
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(), VirtualClock())
    for number in range(30):
        await spool.append(intake(number))
    before = await spool.read(0, 100_000)
    assert before is not None
    spool._store._checkpoint()
    spoil(spool)

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    for step in ("set_aside", "begin_file"):
        with monkeypatch.context() as full:
            full.setattr(_spool_store, step, refuse)
            for _ in range(3):
                with pytest.raises(DiskFull, match=r"spool\.db: No space left on device$") as caught:
                    await spool.append(intake(30))
                assert type(caught.value) is DiskFull
                assert spool.depth().state.startswith("disk full: ")
                assert await spool.read(0, 5000) is None
                assert (spool.depth().points, spool.depth().bytes) == (0, 0)
                with pytest.raises(DiskFull):
                    await spool.remove(1, 2, [REFUSED])
                with pytest.raises(DiskFull):
                    await spool.quarantine_rows()
        assert spool.notice is None
    appended = await spool.append(intake(30))
    assert appended.rows is not None
    assert appended.rows[0] > before.last
    assert spool.depth().state == "ok"
    assert spool.notice is not None
    assert "is set aside as spool.db.damaged-20260101T000000Z and a new one is begun" in spool.notice
    assert set_aside(tmp_path) == ["spool.db.damaged-20260101T000000Z"]
    assert len(spool.taken("main")) == 31
    assert await delivered(spool) == expected(range(30, 31))
    await spool.close()


async def test_damage_on_a_disk_that_is_really_full(small_disk: Path) -> None:
    spool = Spool.open(small_disk / "spool.db", SpoolConfig(), VirtualClock())
    for number in range(200):
        await spool.append(intake(number))
    spool._store._checkpoint()
    take_the_rest(small_disk)
    (small_disk / "spool.db.reserve").unlink()
    take_the_rest(small_disk)
    spoil(spool)
    for _ in range(5):
        with pytest.raises(DiskFull, match=r"has no space left|cannot be written: disk I/O error"):
            await spool.append(intake(200))
        assert await spool.read(0, 5000) is None
    assert set_aside(small_disk) == ["spool.db.damaged-20260101T000000Z"]
    (small_disk / "other").unlink()
    await spool.append(intake(200))
    assert await delivered(spool) == expected(range(200, 201))
    await spool.close()


async def test_the_reserve_lets_a_new_file_be_begun_on_a_full_disk(small_disk: Path) -> None:
    spool = Spool.open(small_disk / "spool.db", SpoolConfig(), VirtualClock())
    for number in range(200):
        await spool.append(intake(number))
    spool._store._checkpoint()
    take_the_rest(small_disk)
    spoil(spool)
    with contextlib.suppress(DiskFull):
        await spool.append(intake(200))
    assert spool.notice is not None
    assert len(spool.taken("main")) >= 200
    await spool.close()


ODD = [
    (sqlite3.ProgrammingError("Cannot operate on a closed database."), DiskFailed, "ProgrammingError"),
    (sqlite3.OperationalError("no such table: row"), DiskFailed, "OperationalError"),
    (sqlite3.InterfaceError("bad parameter"), DiskFailed, "InterfaceError"),
    (OSError(errno.EIO, "Input/output error"), DiskFailed, r"spool\.db: Input/output error"),
    (OSError(errno.ENOSPC, "No space left on device"), DiskFull, "No space left"),
    (MemoryError(), DiskFailed, "the system has no memory left for it"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), ODD)
async def test_whatever_fails_in_an_append_has_a_name_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, kind: type[DiskFull], words: str
) -> None:
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(), VirtualClock())
    await spool.append(intake(0))

    def fail(*_: object) -> NoReturn:
        raise fault

    with monkeypatch.context() as failing:
        failing.setattr(spool._store.file, "append", fail)
        with pytest.raises(kind, match=words) as caught:
            await spool.append(intake(1))
        assert type(caught.value) is kind
        assert spool.depth().state == f"{'disk full' if kind is DiskFull else 'disk fails'}: {caught.value}"
    await spool.append(intake(1))
    assert spool.depth().state == "ok"
    assert spool.notice is None
    assert await delivered(spool) == expected(range(2))
    await spool.close()


def test_damage_found_twice_in_a_row_is_mended_at_the_next_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "spool.db", SpoolConfig(), 1_767_225_600_000_000_000)

    def fail(*_: object) -> NoReturn:
        raise Damaged("page 7")

    with monkeypatch.context() as failing:
        failing.setattr("gateway.spool.file.SpoolFile.append", fail)
        for _ in range(2):
            with pytest.raises(DiskFailed, match=r"spool\.db cannot be used: page 7 \(Damaged\)"):
                store.append(intake(1), 1_767_225_600_000_000_000)
    assert store.append(intake(1), 1_767_225_600_000_000_000).rows is not None
    store.close()


def test_texts_that_are_not_unicode_do_not_fail_the_commit(tmp_path: Path) -> None:
    store = Store(tmp_path / "spool.db", SpoolConfig(), 1_767_225_600_000_000_000)
    odd = Quarantined(5, "mqtt:main", "senml", "lämp\ud800", "decode", "sanity", "no \udcff name", b"\xff")
    store.append(Intake(quarantined=[odd]), 1_767_225_600_000_000_000)
    kept = Quarantined(5, "mqtt:main", "senml", "lämp?", "decode", "sanity", "no ? name", b"\xff")
    assert store.quarantine_rows(1, 1_767_225_600_000_000_000) == [kept]
    store.close()
