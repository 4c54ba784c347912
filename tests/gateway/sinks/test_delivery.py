"""The delivery loop: order, waiting, shutting down, and nothing lost on the way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.config import InfluxConfig, SpoolConfig
from gateway.intake import Accept, Batch, Intake, Keep, Outcome
from gateway.sinks.delivery import Delivery
from gateway.sinks.influxdb.sink import InfluxSink
from gateway.spool.spool import DiskFull, Spool
from gateway.stats import Stats
from tests.gateway.virtual import VirtualClock
from tests.servers.influxd import Influxd

T0 = 1_700_000_000_000_000_000


class ScriptedSink:
    """Answers by `outcomes`, the last one again and again; `gate` holds answers back until set."""

    name = "scripted"

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes) or [Accept([])]
        self.asked: list[tuple[int, int]] = []
        self.stored: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.seen = asyncio.Event()

    async def write(self, batch: Batch) -> Outcome:
        self.asked.append((batch.first, batch.last))
        self.seen.set()
        await self.gate.wait()
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Accept):
            self.stored += batch.lines.split(b"\n")
        return outcome

    async def open(self) -> None:
        pass

    async def close(self) -> None: ...


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Spool]:
    spool = Spool.open(path / "spool.db", SpoolConfig(), SystemClock())
    try:
        yield spool
    finally:
        await spool.close()


@asynccontextmanager
async def running(delivery: Delivery) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(delivery.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool], clock: VirtualClock | None = None) -> None:
    """Return when `condition` holds, moving `clock` on meanwhile; AssertionError after 20 s of polling."""
    for _ in range(20_000):
        if condition():
            return
        await asyncio.sleep(0.001)
        if clock is not None:
            await clock.advance(1.0)
    raise AssertionError("not within 20 s")


def lines(first: int, number: int) -> list[str]:
    return [f"air,thing=lamp-{index % 3} t={index}.0 {T0 + index}" for index in range(first, first + number)]


async def fill(spool: Spool, rows: int, points: int = 10) -> None:
    for row in range(rows):
        await spool.append(Intake(lines=lines(row * points, points)))


async def test_everything_arrives_in_order_and_leaves_the_spool(tmp_path: Path) -> None:
    stats, sink = Stats(), ScriptedSink()
    async with opened(tmp_path) as spool:
        await fill(spool, rows=20)
        async with running(Delivery(spool, sink, stats, SystemClock(), batch_points=30, linger_s=0.01)):
            await until(lambda: stats.stages.written == 200)
            assert spool.depth().points == 0
    assert sink.stored == [line.encode() for line in lines(0, 200)]
    assert len(sink.asked) == 7
    assert (stats.sinks["scripted"].state, stats.sinks["scripted"].batches) == ("up", 7)
    assert (stats.stages.rejected, stats.sinks["scripted"].retries) == (0, 0)


async def test_rows_smaller_than_a_batch_do_not_wait_while_there_is_a_backlog(tmp_path: Path) -> None:
    """Rows of 60 points make batches of 60 where 100 are allowed: still one after the other."""
    stats, sink, clock = Stats(), ScriptedSink(), VirtualClock()
    async with opened(tmp_path) as spool:
        await fill(spool, rows=50, points=60)
        async with running(Delivery(spool, sink, stats, clock, batch_points=100)):
            await until(lambda: stats.stages.written == 2940)  # the clock stands: nothing lingered
            await clock.advance(0.2)
            await until(lambda: stats.stages.written == 3000)


async def test_a_trickle_lingers_and_goes_out_together(tmp_path: Path) -> None:
    stats, sink, clock = Stats(), ScriptedSink(), VirtualClock()
    async with opened(tmp_path) as spool, running(Delivery(spool, sink, stats, clock, linger_s=0.2)):
        await spool.append(Intake(lines=lines(0, 5)))
        await clock.sleepers(1)
        await spool.append(Intake(lines=lines(5, 5)))
        assert sink.asked == []
        await clock.advance(0.2)
        await until(lambda: stats.stages.written == 10)
        assert len(sink.asked) == 1


async def test_a_kept_batch_is_tried_again_after_the_servers_own_time(tmp_path: Path) -> None:
    stats, clock = Stats(), VirtualClock()
    sink = ScriptedSink(Keep("busy", retry_after_s=60.0), Accept([]))
    async with opened(tmp_path) as spool:
        await fill(spool, rows=1)
        async with running(Delivery(spool, sink, stats, clock, batch_points=10)):
            await clock.sleepers(1)
            assert stats.sinks["scripted"].state == "down: busy"
            await clock.advance(59.9)
            assert len(sink.asked) == 1
            await clock.advance(0.1)
            await until(lambda: stats.stages.written == 10)
    assert stats.sinks["scripted"].state == "up"
    assert stats.sinks["scripted"].retries == 1


async def test_trouble_is_logged_once_per_change_not_per_try(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="parkgate.sinks")
    stats, clock = Stats(), VirtualClock()
    refused = Keep("HTTP 401: check influxdb.token", alarm=True)
    sink = ScriptedSink(*[Keep("cannot connect")] * 5, *[refused] * 5, Accept([]))
    async with opened(tmp_path) as spool:
        await fill(spool, rows=1)
        async with running(Delivery(spool, sink, stats, clock, batch_points=10)):
            await until(lambda: stats.stages.written == 10, clock)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "scripted does not take points (they stay in the spool): cannot connect"),
        ("ERROR", "scripted does not take points (they stay in the spool): HTTP 401: check influxdb.token"),
        ("INFO", "scripted takes points again"),
    ]


async def test_rejected_points_go_to_the_quarantine_with_the_words(tmp_path: Path) -> None:
    stats, clock = Stats(), VirtualClock(start_ns=1_767_225_600_000_000_000)
    bad = rb"air\ q,thing=lamp\,\ 17 t=1i 5"
    sink = ScriptedSink(Accept([(bad, "field type conflict")]))
    async with opened(tmp_path) as spool:
        await fill(spool, rows=1)
        async with running(Delivery(spool, sink, stats, clock, batch_points=10)):
            await until(lambda: stats.stages.written == 9)
        [kept] = await spool.quarantine_rows()
    assert kept.time_ns == 1_767_225_600_000_000_000
    assert (kept.source, kept.device, kept.thing) == ("scripted", "air q", "lamp, 17")
    assert (kept.stage, kept.kind, kept.reason, kept.data) == ("sink", "rejected", "field type conflict", bad)
    assert (stats.stages.rejected, stats.stages.quarantined) == (1, 1)


async def test_removal_is_in_order_though_a_later_batch_is_accepted_first(tmp_path: Path) -> None:
    stats, clock = Stats(), VirtualClock()
    sink = ScriptedSink(Keep("busy", retry_after_s=5.0), Accept([]))
    async with opened(tmp_path) as spool:
        await fill(spool, rows=2)
        async with running(Delivery(spool, sink, stats, clock, batch_points=10, in_flight=2)):
            await clock.sleepers(1)
            await until(lambda: len(sink.stored) == 10)
            assert spool.depth().points == 20
            await clock.advance(5.0)
            await until(lambda: stats.stages.written == 20)
            assert spool.depth().points == 0
    assert [line.rpartition(b" ")[2] for line in sink.stored[:1]] == [b"1700000000000000010"]


async def test_a_stop_in_the_middle_of_a_write_leaves_all_in_the_spool_for_the_next(tmp_path: Path) -> None:
    stats, sink = Stats(), ScriptedSink()
    async with opened(tmp_path) as spool:
        await fill(spool, rows=4)
        delivery = Delivery(spool, sink, stats, SystemClock(), batch_points=10)
        sink.gate.clear()
        async with running(delivery):
            await until(lambda: len(sink.asked) == 2)
        assert spool.depth().points == 40
        sink.gate.set()
        async with running(delivery):
            await until(lambda: stats.stages.written == 40)
    assert sink.stored == [line.encode() for line in lines(0, 40)]


async def test_finish_delivers_what_is_there_without_lingering(tmp_path: Path) -> None:
    stats, sink, clock = Stats(), ScriptedSink(), VirtualClock()
    async with opened(tmp_path) as spool:
        delivery = Delivery(spool, sink, stats, clock, linger_s=3600.0)
        async with running(delivery) as task:
            await spool.append(Intake(lines=lines(0, 5)))
            await clock.sleepers(1)
            async with asyncio.timeout(10.0):
                await delivery.finish(5.0)
            assert task.done()
        assert spool.depth().points == 0
    assert stats.stages.written == 5


async def test_finish_after_run_was_cancelled_delivers_too(tmp_path: Path) -> None:
    stats, sink = Stats(), ScriptedSink()
    async with opened(tmp_path) as spool:
        delivery = Delivery(spool, sink, stats, VirtualClock(), batch_points=7)
        async with running(delivery):
            await until(lambda: stats.sinks != {})
        await fill(spool, rows=10, points=3)
        async with asyncio.timeout(10.0):
            await delivery.finish(5.0)
        assert spool.depth().points == 0
    assert sink.stored == [line.encode() for line in lines(0, 30)]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_finish_gives_up_a_stuck_sink_in_time_and_keeps_the_points(tmp_path: Path, cancelled: bool) -> None:
    stats, sink, clock = Stats(), ScriptedSink(), VirtualClock()
    async with opened(tmp_path) as spool:
        await fill(spool, rows=3)
        sink.gate.clear()
        delivery = Delivery(spool, sink, stats, clock, batch_points=10)
        async with running(delivery) as task:
            await until(lambda: len(sink.asked) == 2)
            if cancelled:
                task.cancel()
                await asyncio.wait([task])
            finishing = asyncio.create_task(delivery.finish(5.0))
            await clock.sleepers(1)
            await clock.advance(4.9)
            assert not finishing.done()
            await clock.advance(0.1)
            async with asyncio.timeout(10.0):
                await finishing
        assert spool.depth().points == 30


async def test_stopping_says_at_once_what_it_waits_for_and_how_long(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="parkgate.sinks")
    stats, clock = Stats(), VirtualClock()
    async with opened(tmp_path) as spool:
        await fill(spool, rows=2)
        delivery = Delivery(spool, ScriptedSink(Keep("connection refused")), stats, clock, batch_points=10)
        async with running(delivery):
            await clock.sleepers(1)
            caplog.clear()
            ending = asyncio.create_task(delivery.finish(5.0))
            await until(lambda: bool(caplog.records))
            assert caplog.messages == [
                "scripted has 5 s to take the 20 points in the spool, the rest stays there for the next start; "
                "it takes none at present: connection refused"
            ]
            assert not ending.done()
            await clock.advance(5.0)
            await ending
        assert spool.depth().points == 20


async def test_stopping_with_nothing_to_deliver_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="parkgate.sinks")
    async with opened(tmp_path) as spool:
        await Delivery(spool, ScriptedSink(), Stats(), VirtualClock()).finish(5.0)
    assert caplog.messages == []


class Probed(ScriptedSink):
    """Answers probes by `answers`, the last one again and again."""

    def __init__(self, *answers: Keep | None) -> None:
        super().__init__()
        self.answers = list(answers)
        self.probes = 0

    async def probe(self) -> Keep | None:
        self.probes += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_probe_at_the_start_shows_how_the_sink_stands_without_a_point(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="parkgate.sinks")
    stats, clock = Stats(), VirtualClock()
    sink = Probed(*[Keep("connection refused")] * 3, Keep("HTTP 401", 5.0, alarm=True), None)
    async with opened(tmp_path) as spool, running(Delivery(spool, sink, stats, clock, probe=sink.probe)):
        await until(lambda: stats.sinks["scripted"].state == "down: connection refused")
        await until(lambda: stats.sinks["scripted"].state == "alarm: HTTP 401", clock)
        await until(lambda: stats.sinks["scripted"].state == "up", clock)
        await clock.advance(120.0)
    assert sink.probes == 5
    assert sink.asked == []
    assert caplog.messages == [
        "scripted does not take points (they stay in the spool): connection refused",
        "scripted does not take points (they stay in the spool): HTTP 401",
        "scripted takes points again",
    ]


async def test_a_batch_that_is_taken_ends_the_probes(tmp_path: Path) -> None:
    stats, clock = Stats(), VirtualClock()
    sink = Probed(Keep("connection refused"))
    async with opened(tmp_path) as spool:
        await fill(spool, rows=1)
        async with running(Delivery(spool, sink, stats, clock, batch_points=10, probe=sink.probe)):
            await until(lambda: stats.stages.written == 10)
            await clock.advance(120.0)
            assert stats.sinks["scripted"].state == "up"
    assert sink.probes <= 1


async def test_a_batch_kept_while_finishing_is_tried_until_the_time_is_up(tmp_path: Path) -> None:
    stats, clock = Stats(), VirtualClock()
    sink = ScriptedSink(Keep("busy", retry_after_s=600.0), Keep("busy", retry_after_s=1.0), Accept([]))
    async with opened(tmp_path) as spool:
        await fill(spool, rows=1)
        delivery = Delivery(spool, sink, stats, clock, batch_points=10)
        async with running(delivery):
            await clock.sleepers(1)
            finishing = asyncio.create_task(delivery.finish(5.0))
            await until(lambda: len(sink.asked) == 2)
            await clock.sleepers(2)
            await clock.advance(1.0)
            async with asyncio.timeout(10.0):
                await finishing
        assert spool.depth().points == 0


class NoRoom:
    """A spool whose disk gives nothing, and then takes no removal, for the first two tries of each."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self.unread = self.refusals = 2
        self.wait, self.depth = spool.wait, spool.depth

    async def read(self, after: int, max_points: int) -> Batch | None:
        if self.unread:
            self.unread -= 1
            raise DiskFull("input/output error")
        return await self._spool.read(after, max_points)

    async def remove(self, first: int, last: int, rejected: Any) -> None:
        if self.refusals:
            self.refusals -= 1
            raise DiskFull("no space left on device")
        await self._spool.remove(first, last, rejected)


async def test_a_full_disk_holds_reading_and_removal_up_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stats, sink, clock = Stats(), ScriptedSink(), VirtualClock()
    async with opened(tmp_path) as spool:
        await fill(spool, rows=1)
        async with running(Delivery(NoRoom(spool), sink, stats, clock, batch_points=10)):
            await clock.sleepers(1)
            assert stats.sinks["scripted"].state == "alarm: the spool cannot be read: input/output error"
            await until(lambda: stats.stages.written == 10, clock)
        assert spool.depth().points == 0
    assert len(sink.asked) == 1
    assert stats.sinks["scripted"].state == "up"
    said = [record.message.rpartition("spool): ")[2] for record in caplog.records if record.levelname == "ERROR"]
    assert said == [
        "the spool cannot be read: input/output error",
        "written, but not taken out of the spool: no space left on device",
    ]


async def test_influxd_stopped_and_started_again_loses_nothing(tmp_path: Path, fresh_influxd: Influxd) -> None:
    stats, clock = Stats(), SystemClock()
    sink = InfluxSink(InfluxConfig(url=fresh_influxd.url, database="park"), clock)
    async with opened(tmp_path) as spool, running(Delivery(spool, sink, stats, clock, linger_s=0.01)):
        for row in range(60):
            await spool.append(Intake(lines=lines(row * 100, 100)))
            if row == 10:
                await until(lambda: stats.stages.written > 0)
                await asyncio.to_thread(fresh_influxd.stop)
            if row == 30:
                await until(lambda: stats.sinks["influxdb"].retries > 0)
                await asyncio.to_thread(fresh_influxd.start)
            if row == 50:
                await asyncio.to_thread(fresh_influxd.restart, hard=True)
        await until(lambda: stats.stages.written == 6000)
        assert spool.depth().points == 0
    await sink.close()
    assert await asyncio.to_thread(fresh_influxd.count, "park", "air", "t") == 6000
    assert (stats.stages.rejected, stats.sinks["influxdb"].state) == (0, "up")
