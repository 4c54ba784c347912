"""What had to be given up is counted, and a problem in health while it lasts."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.spec.events import IntegrityError, Noise, SanityError
from gateway.config import SpoolConfig
from gateway.pipeline import MAX_KEPT, Pipeline
from gateway.spool.spool import Spool
from gateway.stats import Stats
from tests.gateway.virtual import VirtualClock


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    clock = VirtualClock()
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(max_bytes=2000), clock)
    yield Pipeline(spool, clock, Stats())
    await spool.close()


async def test_a_quarantine_that_is_too_slow_is_said_while_it_lasts(pipeline: Pipeline) -> None:
    for _ in range(60_000):
        pipeline.quarantine("mqtt:main", "senml", "", SanityError("not JSON", b"?"))
    assert pipeline.losses.problems() == []
    for _ in range(1200):
        pipeline.quarantine("mqtt:main", "senml", "", SanityError("not JSON", b"?"))
    pipeline.quarantine("serial:/dev/x", "pms5003", "lamp", Noise(b"?"))
    assert pipeline.losses.problems() == [
        "what is refused comes faster than the quarantine is written: not kept since the start: sanity 1,200, noise 1"
    ]
    assert pipeline.stages.unkept == 1201
    clock = pipeline.clock
    assert isinstance(clock, VirtualClock)
    clock.pass_by(60.5)
    assert pipeline.losses.problems() == []
    assert pipeline.stages.unkept == 1201


async def test_the_oldest_quarantined_go_when_the_spool_holds_them_and_are_counted(pipeline: Pipeline) -> None:
    pipeline.intake.lines += ["m v=1 1"] * 400  # more than the quota, and one message: taken alone
    await pipeline.finish()
    pipeline.intake.lines += ["m v=1 2"] * 400
    for number in range(40_000):
        pipeline.quarantine("main", "senml", "", IntegrityError(f"sum {number}", b"?"))
    await pipeline.finish()
    assert pipeline.state.startswith("spool full: ")
    for _ in range(30_000):
        pipeline.quarantine("main", "senml", "", Noise(b"?"))
    await pipeline.finish()
    assert pipeline.stages.unkept == 10_000
    assert pipeline.losses.problems()[0].endswith("not kept since the start: integrity 10,000")


async def test_what_is_refused_is_kept_whole_up_to_the_bound(pipeline: Pipeline) -> None:
    assert MAX_KEPT == 4096
    for event in (Noise(b"n" * 4096), IntegrityError("sum", b"i" * 4096), SanityError("no", b"s" * 5000)):
        pipeline.quarantine("main", "senml", "", event)
    await pipeline.finish()
    found = [(item.kind, item.data) for item in await pipeline.spool.quarantine_rows()]
    assert found == [("sanity", b"s" * 4096), ("integrity", b"i" * 4096), ("noise", b"n" * 4096)]


async def test_serial_points_stay_when_the_spool_fails_while_they_are_tried_alone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quota refuses the broker's points; then the serial ones fail for a reason that nobody named."""
    pipeline.intake.lines += ["m v=1 1"] * 220
    await pipeline.finish()
    pipeline.intake.lines += ["m v=1 2"] * 220
    pipeline.drop("lamp", ["dust,thing=lamp v=1 1"])
    real = pipeline.spool.append

    async def append(intake, **how):  # type: ignore[no-untyped-def]
        if not intake.lines:
            raise sqlite3.OperationalError("a reason that nobody named")
        return await real(intake, **how)

    monkeypatch.setattr(pipeline.spool, "append", append)
    with pytest.raises(sqlite3.OperationalError):
        await pipeline.finish()
    monkeypatch.undo()
    await pipeline.spool.remove(0, 1 << 62)
    await pipeline.finish()
    batch = await pipeline.spool.read(0, 10_000)
    assert batch is not None
    assert batch.lines.count(b"dust,thing=lamp v=1 1") == 1
    assert batch.points == 221
