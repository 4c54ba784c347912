"""Several things that speak on one serial port: each has its own series and its own counters."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading
from devices.spec.sequence import Sequence
from gateway.clock import SystemClock
from gateway.config import SerialConfig, SpoolConfig
from gateway.decode.port import MAX_THINGS, PortIntake
from gateway.pipeline import Pipeline
from gateway.spool import Spool
from gateway.stats import DeviceStats, Stats

NOW = 1_790_000_000_000_000_000
SOURCE = "serial:/dev/y"


class Still(SystemClock):
    def now_ns(self) -> int:
        return NOW


class Words:
    """Each blank-separated word is an event: `a=1` a reading of thing `a`, `=1` of nobody, `a!` nothing to report of
    `a`, `?` a broken frame, all else noise."""

    def feed(self, data: bytes) -> list[Event]:
        return [self._event(word) for word in data.decode().split(" ")]

    def flush(self) -> list[Event]:
        return []

    @staticmethod
    def _event(word: str) -> Event:
        thing, equals, value = word.partition("=")
        if equals:
            return Reading({"value": float(value)}, thing=thing or None)
        if word.endswith("!"):
            return Empty("nothing", word.encode(), word[:-1])
        return IntegrityError("sum", b"?") if word == "?" else Noise(word.encode())


DEVICE = StreamDevice(
    name="words", title="", domain="park", source="", fields=(), expected_every_s=1.0, sequence=Sequence(()),
    serial=SerialSettings(9600), decoder=Words, encode=lambda _reading: b"", shared=True,
)  # fmt: skip


@dataclass
class Room:
    stats: Stats
    spool: Spool
    pipeline: Pipeline

    def port(self, device: StreamDevice = DEVICE, thing: str = "mast") -> PortIntake:
        return PortIntake(self.pipeline, SerialConfig("/dev/y", "words", thing, tags={"zone": "lake"}), device, SOURCE)

    async def series(self) -> list[str]:
        """Of each stored line all but its time."""
        await self.pipeline.finish()
        batch = await self.spool.read(0, 10_000)
        return [] if batch is None else [line.rpartition(" ")[0] for line in batch.lines.decode().splitlines()]

    def of(self, thing: str) -> DeviceStats:
        return self.stats.devices[SOURCE, thing]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    stats, spool = Stats(), Spool.open(tmp_path / "spool.db", SpoolConfig(), Still())
    yield Room(stats, spool, Pipeline(spool, Still(), stats))
    await spool.close()


async def test_each_thing_has_its_series(room: Room) -> None:
    assert room.port().bytes(b"1-1=1 1-2=2 =3 1-1=4") == 4
    assert await room.series() == [
        "words,thing=mast-1-1,zone=lake value=1.0",
        "words,thing=mast-1-1,zone=lake value=4.0",
        "words,thing=mast-1-2,zone=lake value=2.0",
        "words,thing=mast,zone=lake value=3.0",
    ]
    assert [stats.thing for stats in room.stats.devices.values()] == ["mast", "mast-1-1", "mast-1-2"]


async def test_each_thing_is_counted_and_what_is_broken_is_the_ports(room: Room) -> None:
    port = room.port()
    assert port.bytes(b"a=1 ? xy b! a=2 zz ?") == 3
    port.bytes(b"a!")
    assert [(room.of(name).readings, room.of(name).empty) for name in ("mast", "mast-a", "mast-b")] == [
        (0, 0),
        (2, 1),
        (0, 1),
    ]
    own = room.of("mast")
    assert (own.integrity_errors, own.noise_bytes, own.others, own.last_seen_ns) == (2, 4, 4, NOW)
    assert (room.of("mast-a").port, own.port) == (own, None)
    await room.pipeline.finish()
    kept = [(item.thing, item.reason, item.data) for item in await room.spool.quarantine_rows()]
    assert sorted(kept) == [
        ("mast", "2 bytes outside any frame; then sum", b"zz?"),
        ("mast", "sum; then 2 bytes outside any frame", b"?xy"),
    ]


async def test_names_are_cleaned_and_stay_two(room: Room) -> None:
    room.port().bytes(b"a\\=1 a\t=2 a=3")
    things = [line.split(",")[1] for line in await room.series()]
    assert len(set(things)) == 3
    assert things[2] == "thing=mast-a"
    assert all(thing.startswith("thing=mast-a") and "\\" not in thing and "\t" not in thing for thing in things)


async def test_a_port_without_a_name_gives_its_things_theirs(room: Room) -> None:
    room.port(thing="").bytes(b"a=1")
    assert await room.series() == ["words,thing=a,zone=lake value=1.0"]


async def test_there_is_room_for_so_many_and_what_there_was_stays(room: Room) -> None:
    port = room.port()
    for number in range(MAX_THINGS + 3):
        port.bytes(f"t{number}=1".encode())
    port.bytes(b"u! t0=2")
    assert len(room.stats.devices) == 1 + MAX_THINGS
    assert (room.of("mast-t0").readings, room.of("mast").sanity_errors) == (2, 4)
    await room.pipeline.finish()
    reasons = {item.reason for item in await room.spool.quarantine_rows()}
    assert "thing limit: 64 things on this port already; 't64' is one more" in reasons
    assert [item.data for item in await room.spool.quarantine_rows() if "'u'" in item.reason] == [b"u!"]


async def test_much_that_is_broken_in_one_read_is_one_piece(room: Room) -> None:
    room.port().bytes(b"? a=1 ? a=1 ? a=1 ? a=1 ?")
    await room.pipeline.finish()
    (item,) = await room.spool.quarantine_rows()
    assert item.data == b"?????"
    assert room.of("mast").integrity_errors == 5


async def test_a_type_that_shares_no_port_is_one_thing(room: Room) -> None:
    room.port(replace(DEVICE, shared=False)).bytes(b"a=1 b=2")
    assert {line.split(",")[1] for line in await room.series()} == {"thing=mast"}
