"""Damaged files are set aside and salvaged; what a person has to mend is said in one line."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.config import SpoolConfig
from gateway.intake import Intake, Quarantined
from gateway.spool.kept import newest_quarantined
from gateway.spool.salvage import SalvageReport, salvage
from gateway.spool.spool import Spool, SpoolUnusable
from gateway.spool.store import Store
from tests.gateway.virtual import VirtualClock

NOW_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00:00 UTC
ASIDE = "spool.db.damaged-20260101T000000Z"
LINE = "air,thing=lamp-%d,zone=lake pm2_5_ug_m3=%d.5 17672256000000%05d"


def lines_of(row: int) -> list[str]:
    return [LINE % (n % 5, row, row * 100 + n) for n in range(100)]


def filled(path: Path, rows: int = 200) -> None:
    """A closed spool of `rows` rows of 100 lines (about 6 KB a row) and one taken message."""
    store = Store(path, SpoolConfig(), NOW_NS)
    for row in range(rows):
        store.append(Intake(lines=lines_of(row), taken={"main": [(row + 1) << 32 | row]}), NOW_NS)
    store.close()
    assert not path.with_name("spool.db-wal").exists()


def everything(path: Path) -> list[str]:
    store = Store(path, SpoolConfig(), NOW_NS)
    found: list[str] = []
    after = 0
    while (batch := store.read(after, 5000, NOW_NS)) is not None:
        found += batch.lines.decode().split("\n")
        after = batch.last
    store.close()
    return found


@pytest.mark.parametrize("size", [99, 5000, 100_000])
async def test_a_garbage_file_is_set_aside_and_the_spool_starts(tmp_path: Path, size: int) -> None:
    path = tmp_path / "spool.db"
    garbage = random.Random(size).randbytes(size)
    path.write_bytes(garbage)
    spool = Spool.open(path, SpoolConfig(), VirtualClock())
    assert spool.notice == (
        f"spool {path} was damaged (file is not a database); it is set aside as {ASIDE} and a new one is begun. "
        f"What is readable: parkgate spool salvage {tmp_path / ASIDE}"
    )
    assert (tmp_path / ASIDE).read_bytes() == garbage
    await spool.append(Intake(lines=["a v=1 1"]))
    batch = await spool.read(0, 1)
    assert batch is not None
    assert batch.lines == b"a v=1 1"
    await spool.close()


async def test_an_empty_file_is_simply_begun(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    path.touch()
    spool = Spool.open(path, SpoolConfig(), VirtualClock())
    assert spool.notice is None
    assert spool.depth().rows == 0
    await spool.close()


def test_a_second_damaged_file_of_the_same_second_gets_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    for text in ("one", "two", "three"):
        path.write_text(text)
        Store(path, SpoolConfig(), NOW_NS).close()
    assert (tmp_path / ASIDE).read_text() == "one"
    assert (tmp_path / f"{ASIDE}-2").read_text() == "two"
    assert (tmp_path / f"{ASIDE}-3").read_text() == "three"


@pytest.mark.parametrize("kept", [4096, 50_000, 600_000, 1_000_001])
def test_a_truncated_file_is_set_aside_and_salvaged(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "spool.db"
    filled(path)
    os.truncate(path, kept)
    store = Store(path, SpoolConfig(), NOW_NS)
    assert store.notice is not None
    assert store.file.totals.rows.rows == 0
    store.close()
    before = (tmp_path / ASIDE).read_bytes()
    report = salvage(tmp_path / ASIDE, path, NOW_NS)
    assert (tmp_path / ASIDE).read_bytes() == before
    found = everything(path)
    rows, rest = divmod(len(found), 100)
    assert rest == 0
    assert found == [line for row in range(rows) for line in lines_of(row)]
    assert rows >= kept // 9000 - 5
    assert (report.rows, report.points, report.whole) == (rows, rows * 100, False)


def test_rows_around_a_hole_are_salvaged(tmp_path: Path) -> None:
    path, text = tmp_path / "spool.db", tmp_path / "found.lp"
    filled(path)
    with path.open("r+b") as file:
        file.seek(4096 * 150)
        file.write(bytes(4096 * 12))
    Store(path, SpoolConfig(), NOW_NS).close()
    report = salvage(tmp_path / ASIDE, text, NOW_NS)
    found = text.read_text().splitlines()
    expected = {row: lines_of(row) for row in range(200)}
    rows = [found[at : at + 100] for at in range(0, len(found), 100)]
    numbers = [int(row[0].rsplit(" ", 1)[1][14:]) // 100 for row in rows]
    assert rows == [expected[number] for number in numbers]
    assert numbers == sorted(numbers)
    assert 180 <= len(numbers) < 200
    assert {0, 1, 2, 197, 198, 199} <= set(numbers)
    assert report.points == len(found)


def test_without_a_header_the_bare_pages_are_read(tmp_path: Path) -> None:
    path, text = tmp_path / "spool.db", tmp_path / "found.lp"
    filled(path)
    with path.open("r+b") as file:
        file.write(random.Random(1).randbytes(4096))
    Store(path, SpoolConfig(), NOW_NS).close()
    report = salvage(tmp_path / ASIDE, text, NOW_NS)
    assert report == SalvageReport(rows=200, points=20_000, carved=200, unsound=0, whole=False)
    assert text.read_text().splitlines() == [line for row in range(200) for line in lines_of(row)]


def test_the_log_of_a_damaged_file_is_salvaged_too(tmp_path: Path) -> None:
    path, text = tmp_path / "spool.db", tmp_path / "found.lp"
    store = Store(path, SpoolConfig(), NOW_NS)
    for row in range(50):
        store.append(Intake(lines=lines_of(row)), NOW_NS)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    (crashed / "spool.db").write_bytes(b"\xff" * 4096)
    (crashed / "spool.db-wal").write_bytes(path.with_name("spool.db-wal").read_bytes())
    store.close()
    assert salvage(crashed / "spool.db", text, NOW_NS).rows == 50
    assert text.read_text().splitlines() == [line for row in range(50) for line in lines_of(row)]


def test_a_sound_file_is_salvaged_whole(tmp_path: Path) -> None:
    filled(tmp_path / "old.db", 30)
    report = salvage(tmp_path / "old.db", tmp_path / "new.db", NOW_NS)
    assert report == SalvageReport(rows=30, points=3000, carved=0, unsound=0, whole=True)
    assert everything(tmp_path / "new.db") == [line for row in range(30) for line in lines_of(row)]


def test_flipped_bits_never_come_out_as_points(tmp_path: Path) -> None:
    """Whatever is flipped: the spool starts, and hands out only lines that were written, in order."""
    pristine = tmp_path / "pristine.db"
    filled(pristine, 40)
    whole = pristine.read_bytes()
    sent = {line for row in range(40) for line in lines_of(row)}
    rng = random.Random(99)
    quarantined = set_aside = 0
    for turn in range(60):
        path = tmp_path / f"turn-{turn}" / "spool.db"
        path.parent.mkdir()
        damaged = bytearray(whole)
        for _ in range(1 + turn % 3):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        store = Store(path, SpoolConfig(), NOW_NS)
        set_aside += store.notice is not None
        after, found = 0, []
        while (batch := store.read(after, 700, NOW_NS)) is not None:
            found += batch.lines.decode().split("\n")
            after = batch.last
        assert set(found) <= sent
        assert found == sorted(found, key=lambda line: int(line.rsplit(" ", 1)[1]))
        quarantined += store.file.totals.quarantined
        store.append(Intake(lines=["still v=1 1"]), NOW_NS)
        store.remove(1, after, (), NOW_NS)
        assert store.file.totals.rows.points == 1
        store.close()
    assert quarantined > 10, "flips in the lines of a row"


def test_a_row_that_is_not_what_was_written_goes_to_the_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    filled(path, 3)
    whole = path.read_bytes()
    assert whole.count(b"pm2_5_ug_m3=1.5 1767225600000000100\n") == 1
    path.write_bytes(whole.replace(b"pm2_5_ug_m3=1.5 1767225600000000100\n", b"pm2_5_ug_m3=9.5 1767225600000000100\n"))
    store = Store(path, SpoolConfig(), NOW_NS)
    assert store.notice is None
    batch = store.read(0, 5000, NOW_NS)
    assert batch is not None
    assert batch.lines.decode().split("\n") == lines_of(0) + lines_of(2)
    kept = newest_quarantined(store.file.db, 10)
    assert len(kept) == 1
    assert (kept[0].source, kept[0].stage, kept[0].kind) == ("spool", "sink", "integrity")
    assert kept[0].reason == f"spool row {batch.first + 1} of 100 points did not come back as it was written (CRC-32)"
    assert kept[0].data.startswith(b"air,thing=lamp-0,zone=lake pm2_5_ug_m3=9.5 ")
    assert (store.file.totals.rows.rows, store.file.totals.rows.points) == (2, 200)
    store.close()


async def test_damage_that_shows_only_later_is_survived(tmp_path: Path) -> None:
    """The running gateway goes on in a new file, with higher row numbers and what it remembered."""
    path = tmp_path / "spool.db"
    filled(path, 40)
    spool = Spool.open(path, SpoolConfig(), VirtualClock())
    first = await spool.read(0, 100)
    assert first is not None
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    spool._store.file.db.execute("PRAGMA shrink_memory")  # no page is still known from before
    rows = []
    for number in range(300):
        appended = await spool.append(Intake(lines=[f"a v={number} {number}"] * 50))
        assert appended.rows is not None
        rows.append(appended.rows[0])
        batch = await spool.read(rows[-1] - 1, 5000)
        assert batch is not None
        assert (batch.first, batch.points) == (rows[-1], 50)
    assert rows == sorted(rows)
    assert rows[0] > first.last
    assert spool.notice is not None
    assert ASIDE in spool.notice
    assert spool.taken("main") == {n + 1: n for n in range(40)}
    await spool.close()
    spool = Spool.open(path, SpoolConfig(), VirtualClock())
    assert spool.taken("main") == {n + 1: n for n in range(40)}
    await spool.close()


def test_a_path_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(
        SpoolUnusable, match=r"^spool .*/file/var/spool\.db: .*/file.* is not a directory: choose anoth"
    ):
        Store(tmp_path / "file" / "var" / "spool.db", SpoolConfig(), NOW_NS)
    (tmp_path / "dir.db").mkdir()
    with pytest.raises(SpoolUnusable, match=r"^spool .*/dir\.db is not a file: move it away"):
        Store(tmp_path / "dir.db", SpoolConfig(), NOW_NS)


@pytest.mark.parametrize(("mode", "inside"), [(0o555, False), (0o755, True)])
def test_a_missing_permission_is_said_in_one_line(tmp_path: Path, mode: int, inside: bool) -> None:
    state = tmp_path / "state"
    state.mkdir()
    if inside:
        filled(state / "spool.db", 1)
        for file in state.iterdir():
            file.chmod(0o444)
    state.chmod(mode)
    program = (
        "import os, sys, pathlib\n"
        "from gateway.spool import Spool, SpoolUnusable\n"
        "from gateway.config import SpoolConfig\n"
        "from gateway.clock import SystemClock\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "try: Spool.open(pathlib.Path(sys.argv[1]), SpoolConfig(), SystemClock())\n"
        "except SpoolUnusable as error: print(error)\n"
    )
    for parent in tmp_path.parents:
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    command = [sys.executable, "-c", program, str(state / "spool.db")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == (f"spool {state}/spool.db: permission denied: the gateway's user must be able to write in {state}\n")


def test_salvage_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    filled(tmp_path / "old.db", 1)
    with pytest.raises(SpoolUnusable, match="is not a file: expected a spool file that was set aside"):
        salvage(tmp_path / "nothing.db", tmp_path / "new.db", NOW_NS)
    with pytest.raises(SpoolUnusable, match="cannot be salvaged into itself"):
        salvage(tmp_path / "old.db", tmp_path / "old.db", NOW_NS)
    (tmp_path / "there.lp").write_text("precious\n")
    with pytest.raises(SpoolUnusable, match=r"there\.lp: File exists"):
        salvage(tmp_path / "old.db", tmp_path / "there.lp", NOW_NS)
    store = Store(tmp_path / "busy.db", SpoolConfig(), NOW_NS)
    with pytest.raises(SpoolUnusable, match="in use by another process"):
        salvage(tmp_path / "old.db", tmp_path / "busy.db", NOW_NS)
    store.close()


def test_salvaged_drop_lines_are_still_counted_by_thing(tmp_path: Path) -> None:
    store = Store(tmp_path / "old.db", SpoolConfig(), NOW_NS)
    store.append(Intake(drop_lines=["s,thing=a v=1 1", "s,thing=b v=1 1"], drop_things={"a": 1, "b": 1}), NOW_NS)
    store.close()
    salvage(tmp_path / "old.db", tmp_path / "new.db", NOW_NS)
    store = Store(tmp_path / "new.db", SpoolConfig(max_bytes=200), NOW_NS)
    assert store.append(Intake(lines=["x" * 100]), NOW_NS).dropped == {"a": 1, "b": 1}
    store.close()


def test_the_quarantine_survives_a_flipped_thing_list(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    store = Store(path, SpoolConfig(), NOW_NS)
    item = Quarantined(1, "s", "d", "t", "decode", "noise", "no frame", b"x")
    store.append(Intake(drop_lines=["s v=1 1"], drop_things={"lamp": 1}, quarantined=[item]), NOW_NS)
    store.close()
    path.write_bytes(path.read_bytes().replace(b'{"lamp": 1}', b'{"la\xff\xfe\xfd: 1}'))
    store = Store(path, SpoolConfig(max_bytes=200), NOW_NS)
    assert store.notice is None
    assert store.append(Intake(lines=["x" * 100]), NOW_NS).dropped == {"": 1}
    assert newest_quarantined(store.file.db, 5) == [item]
    store.close()


def test_a_new_file_goes_on_with_the_numbers_and_messages_of_the_damaged_one(tmp_path: Path) -> None:
    """Even where the clock was never set, so that it cannot give a higher number by itself."""
    path = tmp_path / "spool.db"
    filled(path, 100)
    with path.open("r+b") as file:
        file.seek(4096 * 60)
        file.write(bytes(4096 * 3))
    store = Store(path, SpoolConfig(), 1_000_000_000)
    assert store.notice is not None
    assert store.file.taken.of("main") == {row + 1: row for row in range(100)}
    appended = store.append(Intake(lines=["a v=1 1"]), 1_000_000_000)
    assert appended.rows is not None
    assert appended.rows[0] > 1_767_225_600_000_000 + 100
    store.close()
