"""The spool as the pipeline and the delivery loop see it."""

import asyncio
from pathlib import Path

import pytest

from gateway.config import SpoolConfig
from gateway.intake import Intake, Quarantined
from gateway.spool.spool import Spool, SpoolFull, SpoolUnusable, say_duration, say_forecast
from tests.gateway.virtual import VirtualClock

REFUSED = Quarantined(5, "influxdb", "", "", "sink", "rejected", "field type conflict", b"m v=1 1")


def open_spool(path: Path, clock: VirtualClock | None = None, config: SpoolConfig | None = None) -> Spool:
    return Spool.open(path / "spool.db", config or SpoolConfig(), clock or VirtualClock())


def hold(*lines: str) -> Intake:
    return Intake(lines=list(lines))


def drop(thing: str, *lines: str) -> Intake:
    return Intake(drop_lines=list(lines), drop_things={thing: len(lines)})


async def drained(spool: Spool, max_points: int = 5000) -> list[bytes]:
    """Every batch's lines, without removing them."""
    found, after = [], 0
    while (batch := await spool.read(after, max_points)) is not None:
        found.append(batch.lines)
        after = batch.last
    return found


async def test_lines_come_back_in_the_order_of_their_commits(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    await spool.append(hold("a v=1 1", "a v=2 2"))
    await spool.append(Intake(lines=["b v=3 3"], drop_lines=["c v=4 4"], drop_things={"lamp": 1}))
    batch = await spool.read(0, 5000)
    assert batch is not None
    assert batch.lines == b"a v=1 1\na v=2 2\nb v=3 3\nc v=4 4"
    assert batch.points == 4
    assert batch.last == batch.first + 2
    assert await spool.read(batch.last, 5000) is None
    await spool.close()


async def test_a_batch_has_one_row_at_least_and_no_more_points_than_asked(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for lines in (["a", "b", "c"], ["d", "e"], ["f"]):
        await spool.append(hold(*lines))
    assert await drained(spool, 1) == [b"a\nb\nc", b"d\ne", b"f"]
    assert await drained(spool, 3) == [b"a\nb\nc", b"d\ne\nf"]
    assert await drained(spool, 5) == [b"a\nb\nc\nd\ne", b"f"]
    await spool.close()


async def test_a_large_intake_is_cut_into_rows_of_5000_lines(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    await spool.append(hold(*[f"m v={n}" for n in range(12_001)]))
    batches = await drained(spool)
    assert [len(batch.split(b"\n")) for batch in batches] == [5000, 5000, 2001]
    assert b"\n".join(batches) == b"\n".join(b"m v=%d" % n for n in range(12_001))
    await spool.close()


async def test_a_large_intake_is_cut_into_rows_of_4_mib(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    line = "m t=" + '"' + "x" * 1_000_000 + '"'
    await spool.append(hold(*[line] * 10))
    assert spool.depth().rows == 3
    assert spool.depth().points == 10
    assert [len(batch) for batch in await drained(spool)] == [8_000_055, 2_000_013]
    await spool.close()


async def test_removed_rows_are_gone_and_what_was_rejected_is_kept(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    await spool.append(hold("a v=1 1"))
    await spool.append(hold("m v=1 1"))
    batch = await spool.read(0, 1)
    assert batch is not None
    await spool.remove(batch.first, batch.last, [REFUSED])
    assert await drained(spool) == [b"m v=1 1"]
    assert await spool.quarantine_rows() == [REFUSED]
    assert (spool.depth().points, spool.depth().rows, spool.depth().quarantined) == (1, 1, 1)
    await spool.close()


async def test_depth_survives_a_restart(tmp_path: Path) -> None:
    clock = VirtualClock()
    spool = open_spool(tmp_path, clock)
    assert spool.depth().points == 0
    assert spool.depth().oldest_ns is None
    await spool.append(Intake(lines=["a v=1 1"], drop_lines=["bb v=1 1"], drop_things={"x": 1}, quarantined=[REFUSED]))
    clock.pass_by(90.0)
    await spool.append(hold("a v=1 2", "a v=1 3"))
    for _ in range(2):
        depth = spool.depth()
        assert (depth.points, depth.rows, depth.bytes) == (4, 3, 7 + 8 + 15 + 3 * 64)
        assert (depth.quarantined, depth.quarantine_bytes) == (1, 7 + 64)
        assert depth.oldest_ns == 1_767_225_600_000_000_000
        assert depth.oldest_age_s == 90.0
        assert depth.state == "ok"
        await spool.close()
        spool = open_spool(tmp_path, clock)
    assert spool.notice is None
    await spool.close()


async def test_row_numbers_are_never_given_twice(tmp_path: Path) -> None:
    clock = VirtualClock()
    last = 0
    for _ in range(3):
        spool = open_spool(tmp_path, clock)
        for _ in range(2):
            rows = (await spool.append(hold("a v=1 1"))).rows
            assert rows is not None
            assert rows[0] > last
            last = rows[1]
            await spool.remove(*rows)
        await spool.close()
        clock.step(-86_400.0)
    (tmp_path / "spool.db").unlink()
    clock.step(4 * 86_400.0)
    spool = open_spool(tmp_path, clock)
    rows = (await spool.append(hold("a v=1 1"))).rows
    assert rows is not None
    assert rows[0] > last
    await spool.close()


async def test_taken_messages_are_remembered_across_a_restart(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    assert spool.taken("main") == {}
    await spool.append(Intake(lines=["a v=1 1"], taken={"main": [7 << 32 | 111, 8 << 32 | 222], "other": [7 << 32]}))
    await spool.append(Intake(lines=["a v=1 2"], taken={"main": [7 << 32 | 0xFFFFFFFF, 65535 << 32 | 333]}))
    for _ in range(2):
        assert spool.taken("main") == {7: 0xFFFFFFFF, 8: 222, 65535: 333}
        assert spool.taken("other") == {7: 0}
        await spool.close()
        spool = open_spool(tmp_path)
    await spool.close()


async def test_the_ledger_of_taken_messages_does_not_grow_without_bound(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for turn in range(6):
        ids = [packet_id << 32 | (packet_id + turn) for packet_id in range(1, 65_536)]
        await spool.append(Intake(taken={"main": ids}))
    await spool.close()
    assert (tmp_path / "spool.db").stat().st_size < 4_000_000
    spool = open_spool(tmp_path)
    taken = spool.taken("main")
    assert len(taken) == 65_535
    assert (taken[1], taken[65_535]) == (6, 65_540)
    await spool.close()


async def test_a_full_spool_refuses_the_hold_lane_whole(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, config=SpoolConfig(max_bytes=300))
    await spool.append(hold("a" * 100))
    with pytest.raises(SpoolFull, match=r"the 300 bytes of .*spool\.db \(spool\.max_bytes\) are taken"):
        await spool.append(Intake(lines=["b" * 100], quarantined=[REFUSED], taken={"main": [1 << 32]}))
    depth = spool.depth()
    assert (depth.state, depth.points, depth.quarantined) == ("full", 1, 0)
    assert spool.taken("main") == {}
    batch = await spool.read(0, 1)
    assert batch is not None
    await spool.remove(batch.first, batch.last)
    await spool.append(hold("b" * 100))
    assert spool.depth().state == "ok"
    await spool.close()


async def test_the_drop_lane_gives_up_its_oldest_and_counts_them_by_thing(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, config=SpoolConfig(max_bytes=4 * (64 + 36)))
    await spool.append(drop("lamp-1", "1" * 36))
    await spool.append(hold("h" * 36))
    await spool.append(Intake(drop_lines=["2" * 17, "3" * 18], drop_things={"lamp-1": 1, "lamp-2": 1}))
    assert (await spool.append(drop("lamp-3", "4" * 36))).dropped == {}
    assert (await spool.append(drop("lamp-3", "5" * 36))).dropped == {"lamp-1": 1}
    assert (await spool.append(hold("6" * 36))).dropped == {"lamp-1": 1, "lamp-2": 1}
    assert await drained(spool, 1) == [b"h" * 36, b"4" * 36, b"5" * 36, b"6" * 36]
    await spool.close()


async def test_drop_lines_for_which_the_hold_lane_leaves_no_room_are_counted(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, config=SpoolConfig(max_bytes=250))
    await spool.append(hold("h" * 100))
    appended = await spool.append(drop("lamp-1", "x" * 100))
    assert appended.dropped == {"lamp-1": 1}
    assert appended.rows is None
    assert spool.depth().points == 1
    await spool.close()


async def test_rows_past_their_age_are_given_up_in_both_lanes(tmp_path: Path) -> None:
    clock = VirtualClock()
    spool = open_spool(tmp_path, clock, config=SpoolConfig(max_age_s=3600.0))
    await spool.append(
        Intake(
            lines=["air,thing=park\\ east,zone=a v=1 1", 'air,zone=b,thing=p2 t="x,thing=p9" 1', "gateway v=1 1"],
            drop_lines=["s v=1 1"],
            drop_things={"lamp": 1},
        )
    )
    clock.pass_by(3599.0)
    assert (await spool.append(hold("b v=1 2"))).dropped == {}
    clock.pass_by(2.0)
    assert (await spool.append(hold("c v=1 3"))).dropped == {"park east": 1, "p2": 1, "": 1, "lamp": 1}
    assert await drained(spool) == [b"b v=1 2\nc v=1 3"]
    await spool.close()


async def test_a_clock_that_is_set_makes_no_row_too_old(tmp_path: Path) -> None:
    clock = VirtualClock(start_ns=1_000_000_000)  # 1970: a board without a battery
    spool = open_spool(tmp_path, clock, config=SpoolConfig(max_age_s=3600.0))
    await spool.append(hold("a v=1 1"))
    clock.step(1_767_225_600.0)
    await spool.append(hold("b v=1 1"))
    assert spool.depth().oldest_age_s == 0.0
    await spool.close()
    spool = open_spool(tmp_path, clock, config=SpoolConfig(max_age_s=3600.0))
    clock.step(86_400.0)
    assert (await spool.append(hold("c v=1 1"))).dropped == {"": 2}
    await spool.close()


async def test_the_quarantine_gives_up_its_oldest(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, config=SpoolConfig(quarantine_bytes=3 * (64 + 100)))
    for n in range(5):
        item = Quarantined(n, "serial:/dev/x", "pms5003", "lamp", "decode", "noise", "no frame", b"x" * 100)
        await spool.append(Intake(quarantined=[item]))
    assert [item.time_ns for item in await spool.quarantine_rows()] == [4, 3, 2]
    assert [item.time_ns for item in await spool.quarantine_rows(1)] == [4]
    assert (spool.depth().quarantined, spool.depth().quarantine_bytes) == (3, 492)
    huge = Quarantined(9, "main", "senml", "", "decode", "sanity", "not JSON", b"y" * 100_000)
    await spool.append(Intake(quarantined=[huge]))
    assert spool.depth().quarantined == 0
    await spool.close()


async def test_a_quarantined_item_keeps_64_kib(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    await spool.append(Intake(quarantined=[REFUSED._replace(data=b"y" * 70_000)]))
    kept = (await spool.quarantine_rows())[0]
    assert kept.data == b"y" * 65_536
    assert kept.reason == "field type conflict (first 65536 of 70000 bytes kept)"
    await spool.close()


async def test_wait_returns_when_there_is_a_row(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    waiting = asyncio.create_task(spool.wait(0))
    await spool.append(Intake(quarantined=[REFUSED]))
    assert not waiting.done()
    rows = (await spool.append(hold("a v=1 1"))).rows
    await asyncio.wait_for(waiting, 10)
    assert rows is not None
    await asyncio.wait_for(spool.wait(0), 10)
    waiting = asyncio.create_task(spool.wait(rows[1]))
    await spool.remove(*rows)
    await asyncio.sleep(0)
    assert not waiting.done()
    await spool.append(hold("a v=1 2"))
    await asyncio.wait_for(waiting, 10)
    await spool.close()


async def test_a_cancelled_append_is_finished_first(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    appending = asyncio.create_task(spool.append(hold("a v=1 1")))
    await asyncio.sleep(0)
    appending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await appending
    assert spool.depth().points == 1
    await spool.close()


async def test_the_forecast_follows_the_net_rate(tmp_path: Path) -> None:
    clock = VirtualClock()
    spool = open_spool(tmp_path, clock, config=SpoolConfig(max_bytes=100_000))
    assert spool.forecast() is None
    for _ in range(10):
        clock.pass_by(10.0)
        await spool.append(hold("x" * 936))
    assert spool.forecast() == pytest.approx(900.0)
    clock.pass_by(100.0)
    assert spool.forecast() == pytest.approx(1800.0)
    rows = await spool.read(0, 5000)
    assert rows is not None
    await spool.remove(rows.first, rows.last)
    assert spool.forecast() is None
    await spool.close()


async def test_the_forecast_knows_when_points_grow_too_old(tmp_path: Path) -> None:
    clock = VirtualClock()
    spool = open_spool(tmp_path, clock, config=SpoolConfig(max_bytes=100_000, max_age_s=600.0))
    for _ in range(10):
        clock.pass_by(10.0)
        await spool.append(hold("x" * 936))
    assert spool.forecast() == 600.0
    await spool.close()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60.0, "1 min"),
        (3599.0, "59 min"),
        (33_600.0, "9 h 20 min"),
        (7200.0, "2 h"),
        (86_400.0, "1 d"),
        (273_600.0, "3 d 4 h"),
        (40_000_000.0, "over a year"),
    ],
)
def test_durations_are_said_in_two_units(seconds: float, said: str) -> None:
    assert say_duration(seconds) == said


def test_the_forecast_is_said_for_people() -> None:
    assert say_forecast(33_600.0) == "at today's rate the spool lasts 9 h 20 min"
    assert say_forecast(None) == "the spool is not filling, or for less than 10 s"
    assert say_forecast(0.0) == "the spool is full"


async def test_a_second_process_cannot_open_it(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    with pytest.raises(SpoolUnusable, match="in use by another process: stop that gateway"):
        open_spool(tmp_path)
    await spool.close()
    await open_spool(tmp_path).close()
