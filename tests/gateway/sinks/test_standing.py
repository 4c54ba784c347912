"""What is said of a sink: once, counted while it lasts, and once more when it is over; and what health shows."""

import logging

import pytest

from gateway.sinks.standing import Standing
from gateway.stats import SinkStats
from tests.gateway.virtual import VirtualClock

CONFLICT = "partial write: field type conflict: input field t on air is type integer, already exists as type float"


class Room:
    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, logger="parkgate.sinks")
        self.clock = VirtualClock()
        self.stats = SinkStats("influxdb")
        self.standing = Standing("influxdb", self.stats, self.clock)
        self._caplog = caplog

    def refuse(self, line: bytes = b"air,thing=a t=1i 5", words: str = CONFLICT, points: int = 1) -> None:
        self.standing.refused([(line, words)] * points)

    def batch(self) -> None:
        """A batch that was taken whole."""
        self.standing.mended()
        self.standing.refused([])

    @property
    def said(self) -> list[str]:
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def room(caplog: pytest.LogCaptureFixture) -> Room:
    return Room(caplog)


def test_a_steady_type_conflict_is_said_once_counted_and_said_when_it_is_over(room: Room) -> None:
    for _ in range(600):
        room.batch()
        room.refuse(points=3)
        room.clock.pass_by(1.0)
    assert room.said == [f"influxdb refused 3 points, first: {CONFLICT}: 'air,thing=a t=1i 5'"]
    assert room.stats.state == f"up, but it refused 1800 points for good, last: {CONFLICT}"
    room.clock.pass_by(28.0)
    room.batch()
    assert room.stats.state.startswith("up, but it refused 1800 points")
    room.clock.pass_by(1.0)
    room.batch()
    assert room.stats.state == "up"
    assert room.said[1:] == ["influxdb refuses no points any more, after 1800"]


def test_a_thing_that_is_refused_every_five_minutes_is_one_spell(room: Room) -> None:
    for second in range(3 * 3600):
        room.batch()
        if second % 300 == 0:
            room.refuse()
        room.clock.pass_by(1.0)
    # the second time shows how far apart they are
    assert [words.partition(":")[0] for words in room.said] == [
        "influxdb refused 1 point",
        "influxdb refuses no points any more, after 1",
        "influxdb refused 1 point",
    ]
    assert room.stats.state.startswith("up, but it refused 35 points for good")


def test_another_measurement_or_another_reason_is_said_too_other_numbers_are_not(room: Room) -> None:
    room.refuse(b"air,thing=a t=1i 5", "unable to parse: bad number 17")
    room.refuse(b"air,thing=a t=2i 6", "unable to parse: bad number 18")
    room.refuse(b"soil,thing=a t=1i 5", "unable to parse: bad number 19")
    room.refuse(b"soil,thing=a t=1i 5", "points beyond retention policy")
    assert len(room.said) == 3
    for index in range(100):
        room.refuse(b"m" * (index + 1) + b",thing=a t=1i 5")
    assert len(room.said) == 8


def test_trouble_in_changing_words_is_not_said_at_each_try(room: Room) -> None:
    for second in range(600):
        room.standing.troubled("connection refused" if second % 2 else f"engine: cache {second} of 1000 exceeded")
        room.clock.pass_by(45.0)  # longer than what ends a spell
    assert room.stats.state == "down: connection refused"
    assert room.said == [
        "influxdb does not take points (they stay in the spool): engine: cache 0 of 1000 exceeded",
        "influxdb does not take points (they stay in the spool): connection refused",
    ]
    room.batch()
    assert room.stats.state == "up"
    assert room.said[2:] == ["influxdb takes points again"]


def test_a_store_that_is_busy_at_every_other_batch_is_on_and_off(room: Room) -> None:
    for _ in range(200):
        room.standing.troubled("HTTP 503: queue full")
        assert room.stats.state == "down: HTTP 503: queue full"
        room.batch()
        room.clock.pass_by(0.5)
    assert room.said == [
        "influxdb does not take points (they stay in the spool): HTTP 503: queue full",
        "influxdb takes points again",
        "influxdb takes points on and off, now again none: HTTP 503: queue full",
    ]
    assert room.stats.state == "up, but on and off (200 tries in vain): HTTP 503: queue full"
    room.clock.pass_by(30.0)
    room.batch()
    assert room.stats.state == "up"
    assert room.said[3:] == ["influxdb takes points without a break again"]


def test_what_happened_is_shown_for_a_while(room: Room) -> None:
    room.stats.notice = "database 'park' was gone and has been made again, empty"
    room.batch()
    assert room.stats.state == "up, but database 'park' was gone and has been made again, empty"
    room.clock.pass_by(599.0)
    room.batch()
    assert room.stats.state.startswith("up, but database")
    room.clock.pass_by(1.0)
    room.batch()
    assert (room.stats.state, room.stats.notice) == ("up", "")


def test_an_alarm_is_an_error_and_named_so(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.standing.troubled("HTTP 401", alarm=True)
    assert room.stats.state == "alarm: HTTP 401"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
