"""Killed at any moment, the spool holds what it said it held, and nothing half."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

from gateway.config import SpoolConfig
from gateway.intake import Batch
from gateway.spool.store import Store
from tests.gateway.spool_writer import intake

NOW_NS = 1_767_225_600_000_000_000
ROUNDS = 20


def batches(store: Store) -> list[Batch]:
    """One for each row."""
    found, after = [], 0
    while (batch := store.read(after, 1, NOW_NS)) is not None:
        found.append(batch)
        after = batch.last
    return found


def writer_killed(path: Path, start: int, after_lines: int) -> list[list[str]]:
    """What a writer said until it was killed, `after_lines` lines from its start and a little."""
    said: list[list[str]] = []
    command = [sys.executable, "-m", "tests.gateway.spool_writer", str(path), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.split())
            if len(said) == after_lines:
                process.kill()
    whole = [line for line in said if len(line) == (4 if line[0] == "append" else 3)]
    assert len(whole) >= after_lines - 1
    return whole


def test_what_was_committed_survives_sigkill_and_nothing_is_half(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    rng = random.Random(20260101)
    appended: dict[int, tuple[int, int]] = {}  # row number: (intake, lane)
    gone: set[int] = set()
    number = 0
    for _ in range(ROUNDS):
        maybe: set[int] = set()
        for words in writer_killed(path, number, rng.randrange(1, 60)):
            first, last = int(words[-2]), int(words[-1])
            if words[0] == "append":
                number = int(words[1])
                assert last == first + 1
                assert first > max(appended, default=0)
                appended |= {first: (number, 0), last: (number, 1)}
            else:
                (maybe if words[0] == "removing" else gone).update(range(first, last + 1))
        store = Store(path, SpoolConfig(), NOW_NS)
        assert store.notice is None
        rows = {batch.first: batch for batch in batches(store)}
        committed = {row for row in appended if row not in gone and row not in maybe}
        assert committed <= set(rows)
        assert not (set(rows) & gone)
        under_way = (maybe - gone) & set(appended)
        assert under_way & set(rows) in (set(), under_way), "a removal is whole or has not happened"
        unsaid = sorted(set(rows) - set(appended))
        assert len(unsaid) in (0, 2), "at most one commit that nobody was told of, and that one whole"
        if unsaid:
            number += 1
            appended |= {unsaid[0]: (number, 0), unsaid[1]: (number, 1)}
        for row, batch in rows.items():
            sent, lane = appended[row]
            lines = intake(sent).drop_lines if lane else intake(sent).lines
            assert batch.lines.decode().split("\n") == lines
        gone |= maybe - set(rows)
        assert store.file.totals.quarantined == number + 1
        assert store.file.taken.of("main") == {n % 65_535 + 1: n for n in range(number + 1)}
        assert store.file.totals.rows.points == sum(batch.points for batch in rows.values())
        store.close()
        number += 1


def test_a_log_that_was_cut_anywhere_holds_a_prefix_of_the_commits(tmp_path: Path) -> None:
    store = Store(tmp_path / "spool.db", SpoolConfig(), NOW_NS)
    for number in range(40):
        store.append(intake(number), NOW_NS)
    taken_away = tmp_path / "away"
    taken_away.mkdir()
    for name in ("spool.db", "spool.db-wal"):
        shutil.copy(tmp_path / name, taken_away / name)
    store.close()
    log = (taken_away / "spool.db-wal").read_bytes()
    rng = random.Random(7)
    seen = set()
    for turn in range(30):
        cut = rng.randrange(32, len(log))
        path = tmp_path / f"turn-{turn}" / "spool.db"
        path.parent.mkdir()
        shutil.copy(taken_away / "spool.db", path)
        torn = log[:cut] if turn % 2 else log[:cut] + bytes(len(log) - cut)  # lost, or allocated and never written
        path.with_name("spool.db-wal").write_bytes(torn)
        store = Store(path, SpoolConfig(), NOW_NS)
        assert store.notice is None
        lines = [batch.lines.decode().split("\n") for batch in batches(store)]
        count = len(lines) // 2
        assert lines == [part for number in range(count) for part in (intake(number).lines, intake(number).drop_lines)]
        assert store.file.totals.quarantined == count
        assert sorted(store.file.taken.of("main").values()) == list(range(count))
        seen.add(count)
        store.close()
    assert len(seen) > 5
