"""Commit first, acknowledge after; bad input costs itself and nothing else.

The spool is the real one. The device types here are the smallest that show a case: a payload
`17` is a reading (`17@T` at time T, `17 name` of another field), `x…` cannot be true, `!` makes
the decoder itself fail.
"""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from devices.spec.device import MessageDevice, SerialSettings, StreamDevice
from devices.spec.events import IntegrityError, Noise, Reading, SanityError
from devices.spec.sequence import Sequence
from gateway.clock import SystemClock
from gateway.config import MqttConfig, SerialConfig, SpoolConfig, SubscriptionConfig
from gateway.decode import point
from gateway.decode.broker import BrokerIntake
from gateway.decode.port import PortIntake
from gateway.decode.subscription import Subscription
from gateway.pipeline import Pipeline
from gateway.spool.spool import Spool
from gateway.stats import Stats
from tests.device_types import BY_NAME

NOW = 1_790_000_000_000_000_000
SUBSCRIPTION = SubscriptionConfig("park/{thing}", "number", tags={"zone": "lake"})


def decode_number(topic, payload, received_ns):
    text = payload.decode()
    if text == "!":
        raise IndexError("a decoder that breaks its promise")
    if text.startswith("x"):
        return [SanityError(f"not a number: {text}", payload)]
    when = int(text.partition("@")[2]) if "@" in text else None
    number, _, name = text.partition("@")[0].partition(" ")
    return [Reading({name or "value": float(number)}, when)]


NUMBER = MessageDevice(
    name="number", title="", domain="park", source="", fields=(), expected_every_s=1.0, sequence=Sequence(()),
    topic="park/{thing}", decode=decode_number, encode=lambda reading: b"",
)  # fmt: skip


class Broken(Exception):
    """What only the decoder's own package knows."""


class Digits:
    """Each byte is an event: a digit is a reading, `?` a broken frame, anything else noise; `!` and `%` are faults."""

    def feed(self, data):
        if b"!" in data:
            raise Broken("a decoder that breaks its promise")
        if b"%" in data:
            raise TypeError("another fault")

        def event(byte):
            if 48 <= byte <= 57:
                return Reading({"value": float(byte - 48)})
            return IntegrityError("sum", bytes([byte])) if byte == 63 else Noise(bytes([byte]))

        return [event(byte) for byte in data]

    def flush(self):
        return [Noise(b"rest")]


DIGITS = StreamDevice(
    name="digits", title="", domain="park", source="", fields=(), expected_every_s=1.0, sequence=Sequence(()),
    serial=SerialSettings(9600), decoder=Digits, encode=lambda reading: b"",
)  # fmt: skip


class Clock(SystemClock):
    def now_ns(self):
        return NOW


WAVE = StreamDevice(
    name="wave", title="", domain="health", source="", fields=(), expected_every_s=1 / 60, sequence=Sequence(()),
    serial=SerialSettings(19200), decoder=Digits, encode=lambda reading: b"",
)  # fmt: skip


class Moving(Clock):
    """A clock that a test sets: nanoseconds after NOW."""

    after = 0

    def now_ns(self):
        return NOW + self.after


class Connection:
    """What a broker connection is told."""

    def __init__(self, log=None):
        self.log = [] if log is None else log

    def acknowledge(self, packet_ids):
        self.log.append(list(packet_ids))

    def pause(self):
        self.log.append("pause")

    def resume(self):
        self.log.append("resume")


class Room:
    """A pipeline over a real spool in `path`."""

    def __init__(self, path: Path, spool: SpoolConfig | None = None, **broker):
        self.stats = Stats()
        self.spool = Spool.open(path / "spool.db", spool or SpoolConfig(), Clock())
        self.pipeline = Pipeline(self.spool, Clock(), self.stats)
        url = broker.pop("url", "mqtt://127.0.0.1")
        config = MqttConfig("main", url, "t", (SUBSCRIPTION,), **broker)
        self.broker = BrokerIntake(self.pipeline, config, [Subscription(SUBSCRIPTION, NUMBER)], "mqtt:main")
        self.port = PortIntake(self.pipeline, SerialConfig("/dev/x", "digits", "lamp"), DIGITS, "serial:/dev/x")
        self.connection = Connection()

    def publish(self, topic, payload, packet_id=None, duplicate=False, connection=None):
        self.broker.message(connection or self.connection, topic, payload, packet_id, duplicate)

    async def lines(self) -> list[str]:
        batch = await self.spool.read(0, 10_000)
        return [] if batch is None else batch.lines.decode().splitlines()

    async def reasons(self) -> list[str]:
        return sorted(item.reason for item in await self.spool.quarantine_rows())


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path)
    yield room
    await room.spool.close()


async def test_acknowledged_only_after_the_commit_in_receive_order(room):
    for packet_id in (7, 3, 9):
        room.publish("park/a", b"1", packet_id)
    assert room.connection.log == []
    await room.pipeline.finish()
    assert room.connection.log == [[7, 3, 9]]
    assert await room.lines() == [
        "number,thing=a,zone=lake value=1.0 1790000000000000000",
        "number,thing=a,zone=lake value=1.0 1790000000000000001",
        "number,thing=a,zone=lake value=1.0 1790000000000000002",
    ]


async def test_qos_0_is_stored_and_not_acknowledged(room):
    room.publish("park/a", b"1")
    await room.pipeline.finish()
    assert room.connection.log == []
    assert len(await room.lines()) == 1


async def test_a_redelivered_message_is_acknowledged_and_not_stored_again(room):
    room.publish("park/a", b"1", 5)
    await room.pipeline.finish()
    later = Connection()
    room.publish("park/a", b"1", 5, duplicate=True, connection=later)
    await room.pipeline.finish()
    assert later.log == [[5]]
    assert len(await room.lines()) == 1
    assert room.stats.stages.redelivered == 1


async def test_a_redelivered_message_is_known_after_a_restart(tmp_path):
    first = Room(tmp_path)
    first.publish("park/a", b"1", 5)
    await first.pipeline.finish()
    await first.spool.close()
    second = Room(tmp_path)
    second.publish("park/a", b"1", 5, duplicate=True)
    second.publish("park/a", b"2", 6, duplicate=True)
    await second.pipeline.finish()
    assert second.connection.log == [[5, 6]]
    assert [line.split()[1] for line in await second.lines()] == ["value=1.0", "value=2.0"]
    await second.spool.close()


async def test_in_a_new_session_the_same_words_are_a_new_message_also_after_a_restart(tmp_path):
    first = Room(tmp_path)
    first.publish("park/a", b"1", 5)
    first.publish("park/a", b"1", 6)
    await first.pipeline.finish()
    first.broker.connected(new_session=True)
    first.publish("park/a", b"1", 5, duplicate=True)
    first.publish("park/a", b"1", 5, duplicate=True)
    await first.pipeline.finish()
    assert len(await first.lines()) == 3
    await first.spool.close()
    second = Room(tmp_path)
    second.publish("park/a", b"1", 5, duplicate=True)
    second.publish("park/a", b"1", 6, duplicate=True)
    await second.pipeline.finish()
    assert second.stats.stages.redelivered == 1
    assert len(await second.lines()) == 4
    await second.spool.close()


async def test_once_the_broker_has_heard_the_acknowledgement_the_same_words_are_a_new_message(tmp_path):
    first = Room(tmp_path)
    first.publish("park/a", b"1", 5)
    first.publish("park/a", b"1", 6)
    await first.pipeline.finish()
    first.broker.settled(first.connection, {5})
    first.publish("park/a", b"1", 5, duplicate=True)
    first.publish("park/a", b"1", 6, duplicate=True)
    await first.pipeline.finish()
    assert (first.stats.stages.redelivered, len(await first.lines())) == (1, 3)
    first.broker.settled(first.connection, {5})
    await first.pipeline.finish()
    await first.spool.close()
    second = Room(tmp_path)
    second.publish("park/a", b"1", 5, duplicate=True)
    second.publish("park/a", b"1", 6, duplicate=True)
    await second.pipeline.finish()
    assert (second.stats.stages.redelivered, len(await second.lines())) == (1, 4)
    await second.spool.close()


async def test_what_is_not_acknowledged_yet_is_remembered_though_its_identifier_was_heard_before(room):
    room.publish("park/a", b"1", 5)
    await room.pipeline.finish()
    room.publish("park/a", b"2", 5)  # the broker had the first acknowledgement; then it answers a ping
    room.broker.settled(room.connection, {5})
    await room.pipeline.finish()
    room.publish("park/a", b"2", 5, duplicate=True, connection=Connection())
    await room.pipeline.finish()
    assert (room.stats.stages.redelivered, len(await room.lines())) == (1, 2)


async def test_another_broker_under_the_same_name_begins_without_memories(tmp_path):
    first = Room(tmp_path)
    first.publish("park/a", b"1", 5)
    await first.pipeline.finish()
    await first.spool.close()
    second = Room(tmp_path, url="mqtt://user:secret@elsewhere")
    second.publish("park/a", b"1", 5, duplicate=True)
    await second.pipeline.finish()
    assert len(await second.lines()) == 2
    await second.spool.close()
    assert b"secret" not in (tmp_path / "spool.db").read_bytes()


async def test_a_redelivered_message_whose_commit_is_not_done_is_acknowledged_after_it(room):
    room.publish("park/a", b"1", 5)
    later = Connection()
    room.publish("park/a", b"1", 5, duplicate=True, connection=later)
    assert later.log == []
    await room.pipeline.finish()
    assert later.log == [[5]]
    assert len(await room.lines()) == 1


async def test_the_same_packet_identifier_with_other_content_is_a_new_message(room):
    room.publish("park/a", b"1", 5)
    room.publish("park/a", b"2", 5, duplicate=True)
    room.publish("park/b", b"2", 5, duplicate=True)
    await room.pipeline.finish()
    assert len(await room.lines()) == 3


async def test_what_cannot_be_stored_is_kept_with_a_reason_and_acknowledged(room):
    room.publish("park/a", b"x1", 1)
    room.publish("elsewhere", b"1", 2)
    room.publish("park/a", b"!", 3)
    room.publish("park/a", b"4", 4)
    await room.pipeline.finish()
    assert room.connection.log == [[1, 2, 3, 4]]
    assert await room.reasons() == [
        "decoder failed: IndexError('a decoder that breaks its promise')",
        "no subscription matches topic 'elsewhere'",
        "not a number: x1",
    ]
    assert len(await room.lines()) == 1
    assert room.stats.stages.quarantined == 3


async def test_a_decoder_that_fails_costs_that_read_and_is_logged_once_a_kind(room, caplog):
    assert [room.port.bytes(data) for data in (b"1", b"2!3", b"4", b"!", b"%", b"!", b"5")] == [1, 0, 1, 0, 0, 0, 1]
    for topic in ("park/a", "park/b", "park/a"):
        room.publish(topic, b"!")
    await room.pipeline.finish()
    assert [line.split()[1] for line in await room.lines()] == ["value=1.0", "value=4.0", "value=5.0"]
    assert (room.port.stats.readings, room.port.stats.sanity_errors) == (3, 4)
    assert room.port.stats.last_error == "decoder failed: Broken('a decoder that breaks its promise')"
    kept = [(item.reason, item.data) for item in await room.spool.quarantine_rows() if item.source == "serial:/dev/x"]
    assert sorted(kept) == [
        ("decoder failed: Broken('a decoder that breaks its promise')", b"!"),
        ("decoder failed: Broken('a decoder that breaks its promise')", b"!"),
        ("decoder failed: Broken('a decoder that breaks its promise')", b"2!3"),
        ("decoder failed: TypeError('another fault')", b"%"),
    ]
    said = [record.message.partition(" (test_pipeline.py line ")[0] for record in caplog.records]
    assert [words for words in said if "failed" in words] == [
        "serial:/dev/x: the decoder of digits failed: Broken('a decoder that breaks its promise')",
        "serial:/dev/x: the decoder of digits failed: TypeError('another fault')",
        "mqtt:main: the decoder of number failed: IndexError('a decoder that breaks its promise')",
    ]


async def test_a_decoder_that_fails_when_the_port_goes_away_begins_anew(room):
    room.port._decoder.flush = lambda: 1 / 0
    room.port.closed()
    assert room.port.bytes(b"1") == 1
    await room.pipeline.finish()
    assert await room.reasons() == ["decoder failed: ZeroDivisionError('division by zero')"]


async def test_a_message_above_max_payload_is_kept_in_part_and_acknowledged(room):
    room.broker.oversize(room.connection, "park/a", b"begin", 300_000, 4, False)
    await room.pipeline.finish()
    assert room.connection.log == [[4]]
    assert await room.reasons() == ["300000 bytes on topic 'park/a', max_payload is 262144"]


async def test_things_beyond_the_limit_are_refused_and_known_ones_go_on(tmp_path):
    room = Room(tmp_path, max_things=2)
    for number, thing in enumerate(["a", "b", "c", "d", "a"]):
        room.publish(f"park/{thing}", b"1", number + 1)
    await room.pipeline.finish()
    assert [line.split(",")[1] for line in await room.lines()] == ["thing=a", "thing=b", "thing=a"]
    assert await room.reasons() == ["series limit: mqtt:main has 2 things already (max_things)"] * 2
    assert room.connection.log == [[1, 2, 3, 4, 5]]
    await room.spool.close()


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (NOW - 5_000_000_000, NOW - 5_000_000_000),
        (NOW + 3_000_000_000_000, NOW + 3_000_000_000_000),
        (NOW + 4_000_000_000_000, NOW),  # more than an hour ahead
        (0, NOW),  # a clock that was never set
    ],
)
async def test_the_phenomenon_time_is_believed_within_reason(room, said, stored):
    room.publish("park/a", f"1@{said}".encode(), 1)
    await room.pipeline.finish()
    assert [int(line.split()[2]) for line in await room.lines()] == [stored]
    assert room.stats.devices[("mqtt:main", "a")].clock_errors == (said != stored)


DAY = 86_400_000_000_000


@pytest.mark.parametrize(
    ("rolls", "said", "stored"),
    [
        (False, NOW - 30 * DAY, NOW - 30 * DAY),  # a logger with memory
        (False, 946_684_800_000_000_000, 946_684_800_000_000_000),
        (False, 946_684_799_999_999_999, NOW),  # a clock that was never set
        (False, NOW + 3_000_000_000_000, NOW + 3_000_000_000_000),
        (False, NOW + 4_000_000_000_000, NOW),
        (True, NOW - 1024 * 7 * DAY, NOW),  # a receiver whose week number began again
        (True, NOW - DAY - 1, NOW),
        (True, NOW - DAY, NOW - DAY),
        (True, NOW + 4_000_000_000_000, NOW),
    ],
)
async def test_on_a_serial_line_an_old_time_is_believed_unless_the_clock_rolls_over(room, rolls, said, stored):
    class Told(Digits):
        def feed(self, data):
            return [Reading({"value": 1.0}, said)]

    device = replace(DIGITS, decoder=Told, clock_rolls_over=rolls)
    port = PortIntake(room.pipeline, SerialConfig("/dev/y", "digits", "lamp"), device, "serial:/dev/y")
    port.bytes(b"1")
    await room.pipeline.finish()
    assert [int(line.split()[2]) for line in await room.lines()] == [stored]
    assert port.stats.clock_errors == (said != stored)


def test_satellite_receivers_have_a_clock_that_rolls_over():
    rolling = [name for name, device in BY_NAME.items() if getattr(device, "clock_rolls_over", False)]
    assert rolling == ["nmea0183"]


async def test_serial_bytes_are_counted_by_outcome(room):
    assert room.port.bytes(b"12~?3") == 3
    room.port.closed()
    await room.pipeline.finish()
    stats = room.port.stats
    assert (stats.readings, stats.noise_bytes, stats.integrity_errors) == (3, 5, 1)
    assert [line.split()[0] for line in await room.lines()] == ["digits,thing=lamp"] * 3
    assert await room.reasons() == ["1 bytes outside any frame; then sum", "4 bytes outside any frame"]


async def test_what_cannot_be_decoded_from_a_new_thing_is_also_logged(room, caplog):
    for number in range(20):
        room.publish(f"park/t{number}", b"x")
    assert [record.message for record in caplog.records] == [
        f"mqtt:main: what came on 'park/t{number}' is no number: not a number: x; kept, see `parkgate spool quarantine`"
        for number in range(10)
    ]
    caplog.clear()
    room.publish("park/good", b"1")
    room.publish("park/good", b"x")
    assert caplog.records == []


async def test_what_is_broken_in_one_read_is_kept_piece_by_piece_unless_it_is_much(room):
    assert room.port.bytes(b"1?~2?3~~4") == 4
    await room.pipeline.finish()
    assert await room.reasons() == ["2 bytes outside any frame", "sum", "sum; then 1 bytes outside any frame"]
    assert room.port.bytes(b"1~2?3?4?5" + b"?" * 8) == 5
    await room.pipeline.finish()
    newest = (await room.spool.quarantine_rows())[0]
    assert newest.data == b"~???????????"
    assert newest.reason == "1 bytes outside any frame" + 7 * "; then sum" + "; and 4 more"
    assert (room.port.stats.integrity_errors, room.port.stats.noise_bytes) == (13, 4)


@pytest.mark.parametrize(
    ("device", "baud", "reads", "stored"),
    [
        (WAVE, None, [(0, b"1")], [0]),
        # three frames of a converter's timer: 16.667 ms from one to the next, the last is now
        (WAVE, None, [(0, b"1"), (50_000_001, b"234")], [0, 16_666_667, 33_333_334, 50_000_001]),
        # the read before is nearer than that: they share what lies between
        (WAVE, None, [(0, b"1"), (9_000_000, b"234")], [0, 3_000_000, 6_000_000, 9_000_000]),
        # noise and broken frames between them change nothing
        (WAVE, None, [(0, b"1"), (60_000_000, b"~2?~3")], [0, 43_333_333, 60_000_000]),
        # a slow device: a byte takes 1.0416 ms at 9600 baud, 10 ms at 1000
        (DIGITS, None, [(0, b"1"), (500_000_000, b"23")], [0, 498_958_334, 500_000_000]),
        (DIGITS, 1000, [(0, b"1"), (500_000_000, b"23")], [0, 490_000_000, 500_000_000]),
        # a clock that was set back a little: as close as they can be, in order, none twice
        (WAVE, None, [(1000, b"1"), (0, b"23"), (50_000, b"4")], [1000, 1001, 1002, 50_000]),
    ],
)
async def test_readings_of_one_read_are_stamped_as_they_came_off_the_wire(tmp_path, device, baud, reads, stored):
    room, clock = Room(tmp_path), Moving()
    pipeline = Pipeline(room.spool, clock, room.stats)
    port = PortIntake(pipeline, SerialConfig("/dev/y", device.name, "clip", baud=baud), device, "serial:/dev/y")
    for after, data in reads:
        clock.after = after
        port.bytes(data)
    await pipeline.finish()
    assert [int(line.split()[2]) - NOW for line in await room.lines()] == stored
    await room.spool.close()


@pytest.mark.parametrize(
    ("device", "frame", "whole"),
    [
        ("sds011", "aac000000000a16001ab", 1),  # warming up
        ("sds011", "aac005000500a16009ab", 0),  # its checksum does not hold
        ("nmea0183", b"$GPHDT,,T*1B\r\n".hex(), 1),
        ("nmea0183", b"$GPHDT,361.5,T*34\r\n".hex(), 1),
        ("nmea0183", b"boot ok temp=21\r\n".hex(), 0),
    ],
)
async def test_a_frame_that_came_whole_is_a_frame_though_it_is_no_reading(tmp_path, device, frame, whole):
    """A sensor that warms up is at the right port, at the right speed."""
    room = Room(tmp_path)
    port = PortIntake(room.pipeline, SerialConfig("/dev/y", device, "lamp"), BY_NAME[device], "serial:/dev/y")
    assert port.bytes(bytes.fromhex(frame)) == whole
    assert port.stats.readings == 0
    await room.pipeline.finish()
    await room.spool.close()


async def test_a_full_spool_holds_the_broker_and_lets_serial_give_up_its_oldest(tmp_path):
    room = Room(tmp_path, SpoolConfig(max_bytes=1000))
    room.publish("park/a", b"1", 1)
    await room.pipeline.finish()
    for number in range(40):
        room.publish("park/a", b"1", number + 2)
    room.port.bytes(b"1")
    await room.pipeline.finish()
    assert room.connection.log == [[1], "pause"]
    assert room.pipeline.state.startswith("spool full")
    assert [line.split(",")[0] for line in await room.lines()] == ["number", "digits"]
    for _ in range(30):
        room.port.bytes(b"2")
        await room.pipeline.finish()
    assert room.stats.stages.dropped > 0
    assert room.port.stats.dropped == room.stats.stages.dropped
    assert room.connection.log == [[1], "pause"]
    await room.spool.remove(0, 1 << 62)
    await room.pipeline.finish()
    # 40 readings take more than all of the spool, and are too few to be divided: held, they would be held for ever
    assert room.connection.log == [[1], "pause", list(range(2, 42)), "resume"]
    assert sum(line.startswith("number") for line in await room.lines()) == 40
    await room.spool.close()


async def test_one_chunk_of_many_messages_is_taken_in_parts(tmp_path):
    room = Room(tmp_path, SpoolConfig(max_bytes=20_000))
    for number in range(1000):
        room.publish("park/a", b"1", number + 1)
    room.broker.chunk_end(room.connection)
    taken = 0
    for _ in range(10):
        await room.pipeline.finish()
        assert room.spool.depth().bytes <= 20_000
        taken += len(await room.lines())
        await room.spool.remove(0, 1 << 62)
    assert taken == 1000
    acknowledged = [number for said in room.connection.log if isinstance(said, list) for number in said]
    assert acknowledged == list(range(1, 1001))
    await room.spool.close()


async def test_a_freed_spool_takes_what_was_held_and_acknowledges_it(tmp_path):
    room = Room(tmp_path, SpoolConfig(max_bytes=1000))
    for number in range(10):
        room.publish("park/a", b"1", number)
    await room.pipeline.finish()
    for number in range(10, 20):
        room.publish("park/a", b"1", number)
    await room.pipeline.finish()
    assert room.connection.log == [list(range(10)), "pause"]
    await room.spool.remove(0, 1 << 62)
    await room.pipeline.finish()
    assert room.connection.log == [list(range(10)), "pause", list(range(10, 20)), "resume"]
    assert room.pipeline.state == "ok"
    assert len(await room.lines()) == 10
    await room.spool.close()


async def test_nothing_is_forgotten_when_the_spool_fails_for_an_unknown_reason(room, monkeypatch):
    append = room.spool.append

    async def fail(intake, *, alone=False):
        raise sqlite3.OperationalError("a reason nobody named")

    room.publish("park/a", b"1", 7)
    monkeypatch.setattr(room.spool, "append", fail)
    with pytest.raises(sqlite3.OperationalError):
        await room.pipeline.finish()
    assert room.connection.log == []
    later = Connection()
    room.publish("park/a", b"1", 7, duplicate=True, connection=later)
    monkeypatch.setattr(room.spool, "append", append)
    await room.pipeline.finish()
    assert later.log == [[7]]
    assert len(await room.lines()) == 1


async def test_an_old_retained_value_is_not_stored_under_the_present_time(room):
    room.broker.message(room.connection, "park/a", b"1", 3, False, True)
    room.broker.message(room.connection, "park/a", f"2@{NOW - 5}".encode(), 4, False, True)
    await room.pipeline.finish()
    assert room.connection.log == [[3, 4]]
    assert await room.lines() == [f"number,thing=a,zone=lake value=2.0 {NOW - 5}"]
    assert room.stats.stages.retained == 1


async def test_serial_gives_up_its_oldest_when_nothing_can_be_committed(room):
    room.pipeline.drop("lamp", [f"digits,thing=lamp value={n} {n}" for n in range(15_000)])
    room.pipeline.drop("post 2", [f"digits,thing=post\\ 2 value={n} {n}" for n in range(5_000)])
    room.pipeline.drop("gateway", ["gateway_device,thing=lamp readings=1i 1"])
    kept = room.pipeline.intake
    assert (len(kept.drop_lines), kept.drop_lines[0]) == (15_001, "digits,thing=lamp value=5000 5000")
    assert kept.drop_things == {"lamp": 10_000, "post 2": 5_000, "gateway": 1}
    assert (room.stats.stages.dropped, room.port.stats.dropped) == (5_000, 5_000)


async def test_made_up_field_names_are_refused_and_known_ones_go_on(room, monkeypatch):
    monkeypatch.setattr(point, "MAX_KEYS", 2)
    monkeypatch.setattr(point, "_KEYS", {})
    names = iter(["value", "b", "c", "value"])
    for number in range(4):
        room.publish("park/a", f"1 {next(names)}".encode(), number + 1)
    await room.pipeline.finish()
    assert [line.split()[1] for line in await room.lines()] == ["value=1.0", "b=1.0", "value=1.0"]
    assert await room.reasons() == ["field limit: 2 field names already; 'c' is one more"]
    assert room.connection.log == [[1, 2, 3, 4]]


@pytest.mark.parametrize(("tags", "name"), [({}, "pm2_5_ug_m3=8.0"), ({"pm2_5_ug_m3": "x"}, "pm2_5_ug_m3_value=8.0")])
async def test_a_field_with_the_name_of_a_tag_is_renamed_where_a_table_writes_the_line_too(tmp_path, tags, name):
    room = Room(tmp_path)
    device = BY_NAME["pms5003"]
    port = PortIntake(room.pipeline, SerialConfig("/dev/y", "pms5003", "lamp", tags=tags), device, "serial:/dev/y")
    frame = "424d001c00000008000800000008000800d20046002d001e00000000970002c5"
    assert port.bytes(bytes.fromhex(frame)) == 1
    await room.pipeline.finish()
    (line,) = await room.lines()
    assert name in line.split(" ")[1].split(",")
    await room.spool.close()
