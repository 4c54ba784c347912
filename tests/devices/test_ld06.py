"""The lidar, reduced as a port has it: nearest echoes by sector, once for ten rotations."""

import json
from typing import Any

import pytest

from devices.ld06 import DEVICE
from devices.spec.errors import EncodeError
from devices.spec.events import Event, IntegrityError, Noise, Reading
from simulators.faults import Armour, Faults, Injector
from simulators.things import ThingSpec, peer

NOON = 1_767_326_400.0


def frame(start: float, distances: list[int], end: float | None = None, speed: int = 3600) -> bytes:
    points = [{"distance_mm": distance, "intensity": 200} for distance in distances]
    fields: dict[str, Any] = {
        "speed_deg_s": speed, "start_deg": start % 360, "end_deg": (start + 11 if end is None else end) % 360,
        "timestamp_ms": 0, "points": json.dumps(points),
    }  # fmt: skip
    return DEVICE.encode(Reading(fields))


def rotation(distances: dict[int, int], usual: int = 3000, without: tuple[int, ...] = ()) -> bytes:
    """30 frames of 12 degrees, a point each degree; `distances` by degree, the frames at `without` are missing."""
    return b"".join(
        frame(start, [distances.get(degree, usual) for degree in range(start, start + 12)])
        for start in range(0, 360, 12)
        if start not in without
    )


def heard(data: bytes) -> list[Event]:
    decoder = DEVICE.join()
    return decoder.feed(data) + decoder.flush()


def told(data: bytes) -> list[dict[str, Any]]:
    return [dict(event.fields) for event in heard(data) if isinstance(event, Reading)]


def test_ten_rotations_are_one_reading() -> None:
    whole = rotation({}) * 4 + rotation({5: 812, 100: 0}) + rotation({95: 1500}) * 5
    first, rest = told(whole + rotation({}))
    assert first == {
        "speed_deg_s": 3600.0, "rotation_hz": 10.0, "nearest_m": 0.812, "nearest_deg": 5.0,
        "nearest_000_m": 0.812, "nearest_030_m": 3.0, "nearest_060_m": 3.0, "nearest_090_m": 1.5,
        "nearest_120_m": 3.0, "nearest_150_m": 3.0, "nearest_180_m": 3.0, "nearest_210_m": 3.0,
        "nearest_240_m": 3.0, "nearest_270_m": 3.0, "nearest_300_m": 3.0, "nearest_330_m": 3.0,
        "echo_count": 3599, "frame_count": 300, "missing_count": 0,
    }  # fmt: skip
    assert rest["frame_count"] == 30


def test_it_does_not_matter_how_the_bytes_are_cut() -> None:
    data = (rotation({7: 400}) + b"noise") * 21
    decoder = DEVICE.join()
    events = [event for at in range(0, len(data), 7) for event in decoder.feed(data[at : at + 7])] + decoder.flush()
    assert [event for event in events if isinstance(event, Reading)] == [
        event for event in heard(data) if isinstance(event, Reading)
    ]
    assert sum(len(event.data) for event in events if isinstance(event, Noise)) == 5 * 21


def test_a_frame_over_the_edge_of_sectors_and_over_north_is_divided() -> None:
    (reading,) = told(frame(354, [5000, 5001, 5002, 5003, 5004, 900, 800, 5005, 5006, 5007, 5008, 5009]))
    assert (reading["nearest_330_m"], reading["nearest_000_m"]) == (0.9, 0.8)
    assert (reading["nearest_m"], reading["nearest_deg"]) == (0.8, 0.0)
    (reading,) = told(frame(25, [700, 0, 0, 0, 0, 600, 0, 0, 0, 0, 0, 0]))
    assert (reading["nearest_000_m"], reading["nearest_030_m"]) == (0.7, 0.6)
    assert "nearest_060_m" not in reading


def test_where_nothing_is_seen_nothing_is_told_and_zero_is_no_distance() -> None:
    (reading,) = told(frame(0, [0] * 12))
    assert reading == {
        "speed_deg_s": 3600.0, "rotation_hz": 10.0, "echo_count": 0, "frame_count": 1, "missing_count": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("without", "missing"), [((), 0), ((36,), 1), ((36, 48, 60), 3), ((348,), 1), ((0, 348), 2), ((120, 240), 2)]
)
def test_frames_that_are_missing_are_counted(without: tuple[int, ...], missing: int) -> None:
    readings = told(rotation({}) + rotation({}, without=without) + rotation({}))
    assert sum(reading["missing_count"] for reading in readings) == missing
    assert sum(reading["frame_count"] for reading in readings) == 90 - missing


def test_a_broken_frame_costs_itself() -> None:
    good = rotation({20: 500})
    broken = bytearray(good)
    broken[47 * 3 + 9] ^= 1
    events = heard(good + bytes(broken) + good)
    assert [event.detail[:8] for event in events if isinstance(event, IntegrityError)] == ["checksum"]
    readings = [event for event in events if isinstance(event, Reading)]
    assert sum(int(one.fields["frame_count"]) for one in readings) == 89
    assert sum(int(one.fields["missing_count"]) for one in readings) == 1


def test_what_holds_its_check_by_chance_costs_no_true_frame() -> None:
    half = bytes.fromhex("542c100e0a00b80bc8")
    true = frame(10, [1500] * 12)
    for last in range(256):  # one of these holds the check of eight bits
        events = heard(half + bytes(10) + bytes((last,)) + true + true)
        assert [event.fields["frame_count"] for event in events if isinstance(event, Reading)] == [2]


def test_the_double_over_a_bad_line() -> None:
    """What is nearest is never nearer than what stands there, and each frame came, or is broken, or missing."""
    lidar = peer(ThingSpec("cart", DEVICE, seed=3, period_s=0.1))
    injector = Injector(Faults(seed=4, flip=0.005, partial=0.005, noise=0.01), Armour.CHECKED, "cart")
    decoder = DEVICE.join()
    readings: list[Reading] = []
    said = 0
    for tenth in range(300):
        for each in lidar.tick(NOON + tenth / 10):
            wire = injector.apply(each.data)
            lidar.delivered(each)
            said += 1
            readings += [one for one in decoder.feed(b"".join(wire.pieces)) if isinstance(one, Reading)]
    readings += [one for one in decoder.flush() if isinstance(one, Reading)]
    spoiled = injector.counts["flip"] + injector.counts["partial"]
    assert spoiled > 50
    assert len(readings) == 30
    assert sum(int(one.fields["frame_count"]) for one in readings) == said - spoiled
    assert abs(sum(int(one.fields["missing_count"]) for one in readings) - spoiled) <= 2
    for one in readings:
        assert 0.55 <= float(one.fields["nearest_m"]) <= 1.5
        assert 2.7 <= float(one.fields["nearest_180_m"]) <= 3.3
        assert one.fields["rotation_hz"] == 10.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nearest_m": 1.0}, "nearest_m: no frame says that"),
        ({"start_deg": 360.0}, "start_deg: 360.0: expected 0 to 359.99"),
        ({"end_deg": 90.0}, "from 0.0 to 90.0 degrees: expected 25 at the most"),
        ({"points": "[]"}, "points: expected a list of 12 with distance_mm and intensity"),
        ({"points": "x"}, "points: expected a list of 12"),
        ({"speed_deg_s": "fast"}, "speed_deg_s: 'fast': expected 0 to 65535"),
    ],
)
def test_what_no_frame_can_say(changes: dict[str, Any], words: str) -> None:
    (reading,) = DEVICE.decoder().feed(frame(0, [1] * 12))
    assert isinstance(reading, Reading)
    with pytest.raises(EncodeError) as refused:
        DEVICE.encode(Reading(reading.fields | changes))
    assert words in str(refused.value)
