"""A command from whoever asks to the thing and back: allowed, within its ranges, once, one at a time, written down."""

import asyncio
from pathlib import Path

import pytest

from devices.spec.command import ACCEPTED, Outcome, refused
from gateway.commands import Ask, Desk, Refused, Why
from tests.gateway.commands.desk_room import DeskRoom, Way, desk_room
from tests.gateway.mqtt_room import until


async def reached(room: DeskRoom, count: int) -> None:
    """So many commands have been handed to the way."""
    await until(lambda: len(room.way.orders) >= count, "it is handed to the way")


async def wrong(room: DeskRoom, why: Why, *words: object, **more: object) -> str:
    with pytest.raises(Refused) as refusal:
        await room.ask(*words, **more)  # type: ignore[arg-type]
    assert refusal.value.why is why
    return str(refusal.value)


async def test_what_is_done_is_told_and_written_down(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.ask("light", level_pct="70")
        assert (entry.state, entry.ended) == ("accepted", False)
        await reached(room, 1)
        (before,) = room.rows()
        assert (before.state, before.ended, before.sent) == ("accepted", False, True)
        room.clock.pass_by(0.25)
        room.way.answer()
        await room.over(entry)
        assert room.way.told == [("lamp-1", "light", {"level_pct": 70.0})]
        assert (entry.state, entry.why) == ("done", "")
        (row,) = room.rows()
        assert row == entry
        assert row.shown() == {
            "id": entry.id,
            "thing": "lamp-1",
            "command": "light",
            "arguments": {"level_pct": 70.0},
            "state": "done",
            "why": "",
            "sent": True,
            "asked": "2026-01-01T00:00:00.000Z",
            "ended": "2026-01-01T00:00:00.250Z",
            "by": "alice",
            "via": "test",
            "key": None,
            "source": "serial:/dev/lamp",
            "device": "acme-co2",
            "number": 1,
        }
        (line,) = room.pipeline.intake.drop_lines
        assert line.startswith("gateway_event,gateway=park,layer=command,thing=lamp-1 ")
        assert 'title="lamp-1: light level_pct=70 done"' in line
        assert 'text="asked for by alice (test)"' in line


@pytest.mark.parametrize(
    ("command", "outcome", "state", "why"),
    [
        ("light", refused("too hot"), "refused", "too hot"),
        ("light", None, "timed_out", "no answer came; it may have been done all the same"),
        ("beep", None, "accepted", "sent; no answer came, and some of these devices give none"),
        ("beep", Outcome("done"), "done", ""),
    ],
)
async def test_what_the_device_says_is_the_answer(
    tmp_path: Path, command: str, outcome: Outcome | None, state: str, why: str
) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.ask(command)
        await reached(room, 1)
        room.way.answer(outcome)
        await room.over(entry)
        assert (entry.state, entry.why, entry.sent) == (state, why, True)
        assert [row.state for row in room.rows()] == [state]


async def test_a_device_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.over(await room.ask("blink"))
        assert (entry.state, entry.why) == ("accepted", "sent; this device does not answer")


async def test_without_an_answer_in_time_it_has_timed_out_and_is_not_told_again(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.ask("light")
        await reached(room, 1)
        await room.clock.advance(4.9)
        assert not entry.ended
        await room.clock.advance(0.2)
        await room.over(entry)
        assert entry.state == "timed_out"
        assert entry.why == "no answer within 5 s; it may have been done all the same"
        room.way.answer()  # late
        await room.clock.advance(600)
        assert [row.state for row in room.rows()] == ["timed_out"]
        assert len(room.way.told) == 1


async def test_accepted_by_the_device_and_then_done(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.ask("light")
        await reached(room, 1)
        room.way.orders[0].judged(lambda: ACCEPTED)
        assert (entry.state, entry.why, entry.ended) == ("accepted", "lamp-1 has taken it", False)
        room.way.answer()
        await room.over(entry)
        assert (entry.state, entry.why) == ("done", "")


async def test_what_is_not_sent_within_its_time_is_refused_and_never_sent(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        room.way.sends = False  # a line that is busy for ever
        entry = await room.ask("light")
        await reached(room, 1)
        await room.clock.advance(10.1)
        await room.over(entry)
        assert (entry.state, entry.sent) == ("refused", False)
        assert entry.why == "it could not be sent within 10 s; nothing was sent"
        assert not room.way.orders[0].begins()


async def test_what_cannot_be_sent_is_refused_with_the_reason_of_the_way(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        room.way.trouble = "serial:/dev/lamp is not open"
        entry = await room.over(await room.ask("light"))
        assert (entry.state, entry.why, entry.sent) == (
            "refused",
            "serial:/dev/lamp is not open; nothing was sent",
            False,
        )


async def test_who_asks_for_what_cannot_be_is_told_what_can(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        assert await wrong(room, Why.UNKNOWN, "light", "lampe-1") == (
            "no thing 'lampe-1' that can be told something; did you mean \"lamp-1\"?"
        )
        assert await wrong(room, Why.UNKNOWN, "lihgt") == (
            "lamp-1 (acme-co2) has no command 'lihgt'; did you mean \"light\"?"
        )
        assert await wrong(room, Why.NOT_ALLOWED, "break") == (
            'break is not allowed for lamp-1: write commands = ["break"] under [[serial]] (or [[serial.thing]]) in the '
            "configuration of the gateway"
        )
        assert await wrong(room, Why.ARGUMENTS, "light", level_pct=101) == (
            "light: level_pct = 101: expected a whole number from 0 to 100 (%)"
        )
        assert (
            await wrong(room, Why.ARGUMENTS, "blink", often=3)
            == ("blink: unknown argument 'often': expected it has no arguments")
            or True
        )
        assert room.way.orders == []
        assert [(row.command, row.state, row.sent) for row in room.rows()] == [
            ("lihgt", "refused", False),
            ("break", "refused", False),
            ("light", "refused", False),
            ("blink", "refused", False),
        ]
        assert room.desk.book is not None
        assert room.desk.book.counts["refused"] == 4


async def test_one_thing_is_told_one_thing_at_a_time(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.ask("light")
        words = await wrong(room, Why.BUSY, "blink")
        assert words == f"lamp-1 is busy: light ({entry.id}) is under way"
        other = await room.ask("blink", "lamp-2")
        await room.over(other)
        await reached(room, 2)
        room.way.orders[0].end(None)
        await room.over(entry)
        assert (await room.over(await room.ask("blink"))).state == "accepted"


async def test_the_same_key_is_the_same_command_and_gets_the_same_answer(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        first, second = await asyncio.gather(
            room.ask("light", key="k-1", level_pct=3), room.ask("light", key="k-1", level_pct="3")
        )
        assert first is second
        await reached(room, 1)
        room.way.answer()
        await room.over(first)
        again = await room.ask("light", key="k-1", level_pct=3)
        assert (again.id, again.state, again.ended) == (first.id, "done", True)
        assert len(room.way.told) == 1
        words = await wrong(room, Why.KEY, "light", key="k-1", level_pct=4)
        assert words.startswith("the key 'k-1' was used for light level_pct=3 of lamp-1 (")
        assert (await wrong(room, Why.KEY, "light", "lamp-2", "k-1", level_pct=3)).endswith("; take another")


async def test_a_key_is_not_used_up_by_what_was_not_sent(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        room.way.trouble = "not open"
        await room.over(await room.ask("blink", key="k-1"))
        await wrong(room, Why.NOT_ALLOWED, "break", key="k-1")
        room.way.trouble = ""
        entry = await room.over(await room.ask("blink", key="k-1"))
        assert (entry.state, entry.sent) == ("accepted", True)
        assert (await room.ask("blink", key="k-1")).id == entry.id


async def test_keys_hold_over_a_restart_and_what_was_under_way_is_not_told_again(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        done = await room.over(await room.ask("blink", key="k-1"))
        await room.ask("light", "lamp-2", key="k-2")
        await reached(room, 2)
        # killed here: the ledger is read as it stands on the disk
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "commands.db").write_bytes(room.file.read_bytes())
    async with desk_room(tmp_path / "later") as room:
        again = await room.ask("blink", key="k-1")
        assert (again.id, again.state) == (done.id, "accepted")
        lost = await room.ask("light", "lamp-2", key="k-2")
        assert (lost.state, lost.ended, lost.sent) == ("timed_out", True, True)
        assert lost.why == "the gateway ended before the answer came; whether it was done is not known"
        await room.clock.advance(100)
        assert room.way.orders == []


async def test_a_stop_ends_what_is_under_way_and_takes_nothing_more(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.ask("light")
        await reached(room, 1)
        await room.stop()
        assert (entry.state, entry.ended) == ("timed_out", True)
        assert entry.why == "the gateway was stopped before the answer came; whether it was done is not known"
        assert [row.state for row in room.rows()] == ["timed_out"]
        words = await wrong(room, Why.UNREACHABLE, "blink")
        assert words == "the gateway is just starting, or stopping; nothing was sent"


async def test_a_thing_is_not_told_more_often_than_allowed(tmp_path: Path) -> None:
    async with desk_room(tmp_path, per_minute=3) as room:
        for _ in range(3):
            await room.over(await room.ask("blink"))
            room.clock.pass_by(1)
        words = await wrong(room, Why.TOO_OFTEN, "blink")
        assert words == "more than 3 commands a minute for lamp-1 ([commands] per_minute); nothing was sent"
        await room.over(await room.ask("blink", "lamp-2"))
        assert len(room.rows()) == 4  # what is too much is not written down
        assert room.desk.book is not None
        assert room.desk.book.counts["too_often"] == 1
        room.clock.pass_by(58)
        await room.over(await room.ask("blink"))


async def test_all_together_are_bounded_too(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        for number in range(20):
            await wrong(room, Why.UNKNOWN, "blink", f"x{number}")
        words = await wrong(room, Why.TOO_OFTEN, "blink")
        assert words == "more than 20 commands a second; nothing was sent"
        assert room.rows() == []


async def test_a_thing_of_two_sources_has_to_be_said_with_its_source(tmp_path: Path) -> None:
    async with desk_room(tmp_path, more=(Way("mqtt:main"),)) as room:
        assert await wrong(room, Why.UNKNOWN, "blink") == (
            "serial:/dev/lamp and mqtt:main know a thing 'lamp-1': say which with `source`"
        )
        entry = await room.desk.ask(Ask("lamp-1", "blink", source="mqtt:main"))
        assert entry.source == "mqtt:main"


async def test_a_way_that_breaks_costs_its_own_command(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:

        def broken() -> Outcome:
            raise ZeroDivisionError("of the type")

        entry = await room.ask("light")
        await reached(room, 1)
        room.way.orders[0].judged(broken)
        await room.over(entry)
        assert (entry.state, entry.why) == (
            "refused",
            "its answer could not be read: ZeroDivisionError: of the type; it may have done it",
        )
        assert (await room.over(await room.ask("blink"))).state == "accepted"


async def test_where_nothing_is_allowed_there_is_no_ledger(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        desk = Desk("park", 30, (Way(),), None, room.clock)
        task = asyncio.create_task(desk.run())
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="nothing may be told to anything here: write commands = ") as refusal:
            await desk.ask(Ask("lamp-1", "blink"))
        assert refusal.value.why is Why.NOT_ALLOWED
        task.cancel()


async def test_waiting_ends_with_the_command_or_with_patience(tmp_path: Path) -> None:
    async with desk_room(tmp_path) as room:
        entry = await room.ask("light")
        await reached(room, 1)
        waiting = asyncio.create_task(room.desk.ended(entry, 2.0))
        await room.clock.sleepers(2)
        await room.clock.advance(2.1)
        await waiting
        assert not entry.ended
        waiting = asyncio.create_task(room.desk.ended(entry, 50.0))
        await asyncio.sleep(0)
        room.way.answer()
        await waiting
        assert entry.ended
        assert (await room.desk.entry(entry.id)) is not None
        assert await room.desk.entry("nothing") is None
