"""What a looker is shown: every piece with its bytes, what it became, and what happened to it afterwards.

The rooms are the real ones; `Room` and its two device types are those of test_pipeline.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.spec.events import IntegrityError, Noise, Reading, SanityError
from gateway.config import SpoolConfig
from gateway.intake import Accept, Batch, Intake
from gateway.sinks.delivery import Delivery
from gateway.tee import Fate, Kept, Looker, Missed, Passed, Stored, Tee, Ticket
from tests.gateway.test_pipeline import NOW, Clock, Room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path)
    yield room
    await room.spool.close()


async def test_a_message_is_told_with_its_bytes_and_its_points_and_stored_by_its_commit(room: Room) -> None:
    looker = Looker(room.pipeline.tee)
    room.publish("park/a", b"17", 1)
    assert await looker.take() == [
        Passed(1, NOW, "mqtt:main", "number", ("a",), "park/a", b"17", [Reading({"value": 17.0})], 1, ())
    ]
    await room.pipeline.finish()
    assert await looker.take() == [Stored(NOW, (Ticket(1, "mqtt:main", ("a",), 1, 0),))]


async def test_a_read_is_told_with_what_was_quarantined_of_it_and_why(room: Room) -> None:
    looker = Looker(room.pipeline.tee)
    room.port.bytes(b"1?2")
    assert await looker.take() == [
        Passed(
            1, NOW, "serial:/dev/x", "digits", ("lamp",), "", b"1?2",
            [Reading({"value": 1.0}), IntegrityError("sum", b"?"), Reading({"value": 2.0})],
            2, (Kept("integrity", "sum"),),
        )
    ]  # fmt: skip
    await room.pipeline.finish()
    assert await looker.take() == [Stored(NOW, (Ticket(1, "serial:/dev/x", ("lamp",), 2, 0),))]


async def test_what_is_left_when_a_port_goes_away_is_told(room: Room) -> None:
    looker = Looker(room.pipeline.tee)
    room.port.closed()
    [passed] = await looker.take()
    assert isinstance(passed, Passed)
    assert (passed.data, passed.events, passed.kept) == (
        b"",
        [Noise(b"rest")],
        (Kept("noise", "4 bytes outside any frame"),),
    )


async def test_every_reason_for_which_a_message_is_not_stored_is_told(room: Room) -> None:
    looker = Looker(room.pipeline.tee)
    room.publish("park/a", b"xyz", 1)
    room.publish("elsewhere", b"17", 2)
    room.publish("park/a", b"xyz", 1, duplicate=True)
    room.broker.message(room.connection, "park/a", b"18", None, False, retained=True)
    for again in (False, True):
        room.broker.oversize(room.connection, "park/a", b"head", 99, 3, again)
    told = await looker.take()
    assert [(each.number, each.things, each.data, each.points, each.kept) for each in told] == [  # type: ignore[union-attr]
        (1, ("a",), b"xyz", 0, (Kept("sanity", "not a number: xyz"),)),
        (2, (), b"17", 0, (Kept("sanity", "no subscription matches topic 'elsewhere'"),)),
        (3, (), b"xyz", 0, (Kept("redelivered", "the broker sends it again; it was taken before"),)),
        (4, ("a",), b"18", 0, (Kept("retained", "a retained message that does not say when it was true; not stored"),)),
        (5, (), b"head", 0, (Kept("sanity", "99 bytes on topic 'park/a', max_payload is 262144"),)),
        (6, (), b"head", 0, (Kept("redelivered", "the broker sends it again; it was taken before"),)),
    ]
    assert told[0].events == [SanityError("not a number: xyz", b"xyz")]  # type: ignore[union-attr]


async def test_what_a_full_spool_holds_is_told_and_stored_when_there_is_room(tmp_path: Path) -> None:
    room = Room(tmp_path, SpoolConfig(max_bytes=300))
    try:
        looker = Looker(room.pipeline.tee)
        await room.spool.append(Intake(lines=["m v=1 1" * 30]))
        room.publish("park/a", b"17", 1)
        await room.pipeline.finish()
        _, held = await looker.take()
        assert isinstance(held, Fate)
        assert (held.what, held.why) == (
            "held",
            f"spool full: the 300 bytes of {tmp_path}/spool.db (spool.max_bytes) are taken",
        )
        batch = await room.spool.read(0, 100)
        assert batch is not None
        await room.spool.remove(batch.first, batch.last)
        room.publish("park/a", b"18", 2)
        await room.pipeline.finish()
        _, stored, flowing = await looker.take()
        assert stored == Stored(NOW, (Ticket(1, "mqtt:main", ("a",), 1, 0), Ticket(2, "mqtt:main", ("a",), 1, 1)))
        assert flowing == Fate("flowing", NOW)
    finally:
        await room.spool.close()


async def test_points_given_up_are_told_by_thing(tmp_path: Path) -> None:
    room = Room(tmp_path, SpoolConfig(max_bytes=300))
    try:
        looker = Looker(room.pipeline.tee, thing="lamp")
        for _ in range(4):
            room.port.bytes(b"1")
            await room.pipeline.finish()
        dropped = [each for each in await looker.take() if isinstance(each, Fate)]
        assert dropped[0] == Fate("dropped", NOW, "", "lamp", 1, "the spool is full, or they were older than max_age_s")
    finally:
        await room.spool.close()


class Refusing:
    """A sink that refuses one line for good."""

    name = "influxdb"

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def write(self, batch: Batch) -> Accept:
        return Accept([(b"number,thing=a v=1 1", "field type conflict")])


async def test_what_the_sink_took_and_refused_is_told(room: Room) -> None:
    looker = Looker(room.pipeline.tee)
    await room.spool.append(Intake(lines=["number,thing=a v=1 1", "number,thing=b v=1 1"]))
    delivery = Delivery(room.spool, Refusing(), room.stats, Clock(), tee=room.pipeline.tee)
    await delivery.finish(10.0)
    assert await looker.take() == [
        Fate("written", NOW, "influxdb", points=1),
        Fate("rejected", NOW, "influxdb", "a", 1, "field type conflict", b"number,thing=a v=1 1"),
    ]


def passed(tee: Tee, source: str = "s", thing: str = "a", data: bytes = b"x") -> int:
    return tee.passed(NOW, source, "number", (thing,), "", data, (), 1)


async def test_a_slow_looker_is_told_where_and_how_much_it_missed() -> None:
    tee = Tee()
    slow, quick = Looker(tee, most=2), Looker(tee)
    for _ in range(5):
        passed(tee)
    told = await slow.take()
    assert [each.number for each in told[:2]] == [1, 2]  # type: ignore[union-attr]
    assert told[2:] == [Missed(3)]
    assert slow.missed == 3
    passed(tee)
    assert [each.number for each in await slow.take()] == [6]  # type: ignore[union-attr]
    assert [each.number for each in await quick.take()] == [1, 2, 3, 4, 5, 6]  # type: ignore[union-attr]


async def test_a_looker_holds_so_many_bytes_and_always_one_piece() -> None:
    tee = Tee()
    looker = Looker(tee, most_bytes=1000)
    passed(tee, data=b"x" * 5000)
    passed(tee, data=b"y")
    told = await looker.take()
    assert [each.number for each in told[:1]] == [1]  # type: ignore[union-attr]
    assert told[1:] == [Missed(1)]


async def test_a_looker_sees_only_the_source_or_thing_it_asked_for() -> None:
    tee = Tee()
    port, thing, both = Looker(tee, source="s"), Looker(tee, thing="b"), Looker(tee, source="s", thing="b")
    everything, sink = Looker(tee), Looker(tee, source="influxdb")
    for source, name in (("s", "a"), ("t", "b"), ("s", "b")):
        passed(tee, source, name)
    tee.tell(Stored(NOW, tuple(Ticket(n, s, (t,), 1, 0) for n, s, t in ((1, "s", "a"), (2, "t", "b"), (3, "s", "b")))))
    tee.tell(Fate("dropped", NOW, "", "b", 1, "full"))
    tee.tell(Fate("written", NOW, "influxdb", points=3))
    tee.tell(Fate("rejected", NOW, "influxdb", "b", 1, "field type conflict", b"number,thing=b v=1 1"))
    tee.tell(Fate("held", NOW, why="full"))

    async def seen(looker: Looker) -> list[object]:
        return [
            each.number
            if isinstance(each, Passed)
            else [ticket.number for ticket in each.tickets]
            if isinstance(each, Stored)
            else each[0]
            for each in await looker.take()
        ]

    assert await seen(port) == [1, 3, [1, 3], "held"]
    assert await seen(thing) == [2, 3, [2, 3], "dropped", "rejected", "held"]
    assert await seen(both) == [3, [3], "held"]
    assert await seen(everything) == [1, 2, 3, [1, 2, 3], "dropped", "written", "rejected", "held"]
    assert await seen(sink) == ["held"]


async def test_who_comes_later_is_not_told_of_what_it_did_not_see(room: Room) -> None:
    first = Looker(room.pipeline.tee)
    room.publish("park/a", b"17", 1)
    second = Looker(room.pipeline.tee)
    room.publish("park/a", b"18", 2)
    await room.pipeline.finish()
    assert [type(each).__name__ for each in await first.take()] == ["Passed", "Passed", "Stored"]
    later = await second.take()
    assert later[1] == Stored(NOW, (Ticket(2, "mqtt:main", ("a",), 1, 1),))


async def test_nobody_is_told_and_nothing_kept_when_nobody_looks(room: Room) -> None:
    looker = Looker(room.pipeline.tee)
    looker.close()
    assert room.pipeline.tee.lookers == ()
    room.publish("park/a", b"xyz", 1)
    room.port.bytes(b"1?")
    assert room.pipeline.intake.tickets == room.pipeline.intake.drop_tickets == []
    again = Looker(room.pipeline.tee)
    room.publish("park/a", b"17", 2)
    [told] = await again.take()
    assert (told.number, told.kept) == (1, ())  # type: ignore[union-attr]


async def test_of_very_many_reasons_the_first_are_told_and_the_rest_counted() -> None:
    tee = Tee()
    looker = Looker(tee)
    for number in range(25):
        tee.keep("s", "sanity", f"record {number}")
    passed(tee)
    [told] = await looker.take()
    assert isinstance(told, Passed)
    assert len(told.kept) == 21
    assert (told.kept[19], told.kept[20]) == (Kept("sanity", "record 19"), Kept("more", "and 5 more"))


async def test_what_was_kept_of_another_source_is_not_laid_at_this_one_s_door() -> None:
    tee = Tee()
    looker = Looker(tee)
    tee.keep("t", "noise", "4 bytes outside any frame")
    passed(tee)
    stray, told = await looker.take()
    assert stray == Fate("quarantined", NOW, "t", why="4 bytes outside any frame")
    assert isinstance(told, Passed)
    assert told.kept == ()


async def test_a_looker_waits_until_something_passes() -> None:
    tee = Tee()
    looker = Looker(tee)
    taking = asyncio.create_task(looker.take())
    await asyncio.sleep(0)
    assert not taking.done()
    passed(tee)
    assert len(await taking) == 1


def test_tickets_follow_their_lines_when_an_intake_is_joined_and_divided() -> None:
    older, newer = Intake(), Intake()
    older.lines, older.tickets = ["a", "b"], [Ticket(1, "s", ("a",), 2, 0)]
    older.drop_lines, older.drop_tickets = ["c"], [Ticket(2, "p", ("c",), 1, 0)]
    newer.lines, newer.tickets = ["d", "e"], [Ticket(3, "s", ("d",), 2, 0)]
    newer.drop_lines, newer.drop_tickets = ["f"], [Ticket(4, "p", ("f",), 1, 0)]
    older.join(newer)
    assert older.tickets == [Ticket(1, "s", ("a",), 2, 0), Ticket(3, "s", ("d",), 2, 2)]
    assert older.drop_tickets == [Ticket(2, "p", ("c",), 1, 0), Ticket(4, "p", ("f",), 1, 1)]
    parts = older.divide()
    assert parts is not None
    first, second = parts
    assert (first.lines, first.tickets, first.drop_tickets) == (["a", "b"], [Ticket(1, "s", ("a",), 2, 0)], [])
    assert (second.lines, second.tickets) == (["d", "e"], [Ticket(3, "s", ("d",), 2, 0)])
    assert second.drop_tickets == [Ticket(2, "p", ("c",), 1, 0), Ticket(4, "p", ("f",), 1, 1)]


def test_points_given_up_in_memory_are_not_told_as_stored() -> None:
    intake = Intake(drop_lines=["a", "b", "c", "d"])
    intake.drop_tickets = [Ticket(1, "p", ("x",), 1, 0), Ticket(2, "p", ("x",), 2, 1), Ticket(3, "p", ("x",), 1, 3)]
    intake.forget_drop_lines(2)
    assert intake.drop_lines == ["c", "d"]
    assert intake.drop_tickets == [Ticket(2, "p", ("x",), 1, 0), Ticket(3, "p", ("x",), 1, 1)]
