"""Any order of appends, reads, removals and restarts agrees with a plain list."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.config import SpoolConfig
from gateway.intake import Intake, Lane
from gateway.spool.open import SpoolFull
from gateway.spool.store import Store
from tests.fuzz.effort import EXAMPLES, effort

NOW_NS = 1_767_225_600_000_000_000
LIMIT = 3000
ROW = 64
STEPS = 30
"""Of one case; with PARKGATE_FUZZ each counts as one."""

LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=40), max_size=6)


class SpoolAgreesWithAList(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.store = self.opened()
        self.rows: list[tuple[int, Lane, list[str]]] = []
        self.taken: dict[int, int] = {}
        self.last = 0
        self.dropped = 0
        self.dropped_said = 0

    def opened(self) -> Store:
        return Store(Path(self.directory.name) / "spool.db", SpoolConfig(max_bytes=LIMIT), NOW_NS)

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @staticmethod
    def charge(lines: list[str]) -> int:
        return len("\n".join(lines).encode()) + ROW

    @rule(hold=LINES, drop=LINES, packet=st.integers(1, 65_535), crc=st.integers(0, 0xFFFFFFFF))
    def append(self, hold: list[str], drop: list[str], packet: int, crc: int) -> None:
        intake = Intake(hold, drop, {"lamp": len(drop)} if drop else {}, [], {"main": [packet << 32 | crc]})
        held = sum(self.charge(lines) for _, lane, lines in self.rows if lane == Lane.HOLD)
        new = [(Lane.HOLD, hold)] if hold else []
        if hold and held + self.charge(hold) > LIMIT:
            try:
                self.store.append(intake, NOW_NS)
            except SpoolFull:
                return
            raise AssertionError("more was taken than fits")
        if drop and held + sum(self.charge(lines) for _, lines in new) + self.charge(drop) > LIMIT:
            self.dropped += len(drop)
        elif drop:
            new.append((Lane.DROP, drop))
        over = (
            sum(self.charge(lines) for _, _, lines in self.rows) + sum(self.charge(lines) for _, lines in new) - LIMIT
        )
        while over > 0:
            oldest = next((row for row in self.rows if row[1] == Lane.DROP), None)
            if oldest is None:
                break
            self.rows.remove(oldest)
            self.dropped += len(oldest[2])
            over -= self.charge(oldest[2])
        appended = self.store.append(intake, NOW_NS)
        self.dropped_said += sum(appended.dropped.values())
        self.taken[packet] = crc
        if appended.rows is None:
            assert not new
            return
        assert appended.rows[0] > self.last
        assert appended.rows[1] - appended.rows[0] == len(new) - 1
        self.rows += [(appended.rows[0] + at, lane, lines) for at, (lane, lines) in enumerate(new)]
        self.last = appended.rows[1]

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), points=st.integers(1, 12))
    def read(self, data: st.DataObject, points: int) -> None:
        after = data.draw(st.sampled_from([0, *[seq for seq, _, _ in self.rows]]))
        expected = [row for row in self.rows if row[0] > after]
        batch = self.store.read(after, points, NOW_NS)
        if not expected:
            assert batch is None
            return
        assert batch is not None
        count = next((n for n in range(len(expected), 1, -1) if sum(len(r[2]) for r in expected[:n]) <= points), 1)
        assert (batch.first, batch.last) == (expected[0][0], expected[count - 1][0])
        lines = [line for row in expected[:count] for line in row[2]]
        assert batch.lines.decode() == "\n".join(lines)
        assert batch.points == len(lines)

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        numbers = [seq for seq, _, _ in self.rows]
        first = data.draw(st.sampled_from(numbers))
        last = data.draw(st.sampled_from([seq for seq in numbers if seq >= first]))
        self.store.remove(first, last, (), NOW_NS)
        self.rows = [row for row in self.rows if not first <= row[0] <= last]

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()
        assert self.store.notice is None

    @invariant()
    def counts_agree(self) -> None:
        totals = self.store.file.totals
        assert totals.rows.rows == len(self.rows)
        assert totals.rows.points == sum(len(lines) for _, _, lines in self.rows)
        assert totals.rows.bytes == sum(self.charge(lines) for _, _, lines in self.rows) <= LIMIT
        assert totals.newest == (self.rows[-1][0] if self.rows else 0)
        assert self.store.file.taken.of("main") == self.taken
        assert self.dropped_said == self.dropped


TestSpoolModel = SpoolAgreesWithAList.TestCase
TestSpoolModel.settings = settings(effort(60), max_examples=max(60, EXAMPLES // STEPS), stateful_step_count=STEPS)
