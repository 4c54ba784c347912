"""The simulated world is one that could be: a day, a loop, a heart."""

import math
from itertools import pairwise

import pytest

from simulators.signals import (
    LATITUDE,
    LONGITUDE,
    Air,
    Grounds,
    Pulse,
    Route,
    Weather,
    hour,
    traffic,
    unit,
    wander,
    weekend,
)

MIDNIGHT = 1_767_283_200.0  # Friday 2026-01-02 00:00 in UTC+8
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def over_a_day(step_s: float = 300.0) -> list[float]:
    return [MIDNIGHT + step_s * k for k in range(int(DAY / step_s))]


def test_hours_and_weekends_are_those_of_the_park() -> None:
    assert hour(MIDNIGHT) == 0.0
    assert hour(MIDNIGHT + 8.5 * HOUR) == 8.5
    assert [weekend(MIDNIGHT + day * DAY) for day in range(4)] == [False, True, True, False]


def test_the_hash_is_even_and_knows_its_seed() -> None:
    values = [unit(1, k) for k in range(10_000)]
    assert 0.49 < sum(values) / len(values) < 0.51
    assert min(values) < 0.001
    assert max(values) > 0.999
    assert unit(1, 5) != unit(2, 5)


def test_noise_is_smooth() -> None:
    values = [wander(3, MIDNIGHT + k, 60.0) for k in range(3600)]
    assert all(-1.0 <= value <= 1.0 for value in values)
    assert max(abs(b - a) for a, b in pairwise(values)) < 0.06
    assert max(values) - min(values) > 1.0


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_the_air_has_traffic_in_it(seed: int) -> None:
    air = Air(seed)
    values = [air.pm2_5(t) for t in over_a_day()]
    assert min(values) >= 1.0
    assert max(values) < 60.0
    assert traffic(MIDNIGHT + 8.5 * HOUR) > 0.95
    assert traffic(MIDNIGHT + 3.5 * HOUR) < 0.05
    assert traffic(MIDNIGHT + DAY + 8.5 * HOUR) < 0.7
    rush = sum(air.pm2_5(MIDNIGHT + 8.2 * HOUR + k * MINUTE) for k in range(60)) / 60
    night = sum(air.pm2_5(MIDNIGHT + 3.0 * HOUR + k * MINUTE) for k in range(60)) / 60
    assert rush > night + 3.0
    for t in over_a_day(1800.0):
        assert air.pm1(t) < air.pm2_5(t) < air.pm4(t) < air.pm10(t)
        counts = [air.count(t, size) for size in (0.3, 0.5, 1.0, 2.5, 5.0, 10.0)]
        assert counts == sorted(counts, reverse=True)
        assert 400.0 < air.co2(t) < 520.0


def test_the_weather_follows_the_sun() -> None:
    weather = Weather(5)
    for t in over_a_day():
        assert 15.0 < weather.temperature(t) < 36.0
        assert 25.0 <= weather.humidity(t) <= 99.0
        assert 1004.0 < weather.pressure(t) < 1020.0
        assert 0.0 <= weather.wind(t) < 6.0
        assert 0.0 <= weather.wind_from(t) < 360.0
        assert (weather.sun(t) > 1e-9) == (6.0 < hour(t) < 18.0)
    assert weather.temperature(MIDNIGHT + 14.5 * HOUR) > weather.temperature(MIDNIGHT + 3.0 * HOUR)
    rain = [weather.rain_today(t) for t in over_a_day()]
    assert rain == sorted(rain)


def test_the_grounds_are_used_by_day() -> None:
    grounds = Grounds(9)
    for t in over_a_day():
        assert 35.0 < grounds.noise(t) < 75.0
        assert 20.0 < grounds.soil_moisture(t) < 40.0
        assert 0 <= grounds.people(t) < 60
        assert 3.1 < grounds.battery(t) < 3.7
    assert grounds.soil_moisture(MIDNIGHT + 6.05 * HOUR) > grounds.soil_moisture(MIDNIGHT + 5.9 * HOUR) + 5.0
    noon = sum(grounds.occupied(MIDNIGHT + 13 * HOUR + k * MINUTE, bay) for k in range(60) for bay in range(40))
    night = sum(grounds.occupied(MIDNIGHT + 3 * HOUR + k * MINUTE, bay) for k in range(60) for bay in range(40))
    assert noon > 2 * night


@pytest.mark.parametrize("seed", [1, 4, 1009])
def test_a_robot_drives_its_loop_and_charges(seed: int) -> None:
    route = Route(seed)
    cycle = Route.DRIVE_S + Route.CHARGE_S
    poses = [route.at(MIDNIGHT + k) for k in range(int(cycle))]
    for a, b in pairwise(poses):
        assert math.dist((a.east, a.north), (b.east, b.north)) <= 2.5
        assert 0.0 <= b.course < 360.0
        assert 0.0 <= b.speed <= 2.0
        assert 30.0 <= b.battery <= 100.0
        if a.charging and b.charging:
            assert b.battery > a.battery
            assert b.speed == 0.0
        elif not a.charging and not b.charging:
            assert b.battery < a.battery
    charging = [pose for pose in poses if pose.charging]
    assert len(charging) == 720
    assert len({(pose.east, pose.north) for pose in charging}) == 1
    assert {pose.leg for pose in poses} == set(range(10))
    for pose in poses:
        assert abs(pose.latitude - LATITUDE) < 0.003
        assert abs(pose.longitude - LONGITUDE) < 0.003
        assert -math.pi <= pose.theta <= math.pi


def test_speed_and_course_belong_to_the_positions() -> None:
    route = Route(3)
    for k in range(200):
        a, b = route.at(MIDNIGHT + k), route.at(MIDNIGHT + k + 0.5)
        if a.charging or b.charging or a.leg != b.leg or a.blocked != b.blocked:
            continue
        moved = math.dist((a.east, a.north), (b.east, b.north))
        assert moved == pytest.approx(0.25 * (a.speed + b.speed), abs=0.02)
        if moved > 0.05:
            course = math.degrees(math.atan2(b.east - a.east, b.north - a.north)) % 360.0
            assert course == pytest.approx(a.course, abs=0.5)


@pytest.mark.parametrize("seed", [1, 7])
def test_a_robot_in_whose_way_somebody_stands_does_not_move(seed: int) -> None:
    route = Route(seed)
    cycle = Route.DRIVE_S + Route.CHARGE_S
    poses = [route.at(MIDNIGHT + k / 2) for k in range(int(4 * cycle))]
    assert {pose.cycle - poses[0].cycle for pose in poses} == {0, 1, 2}
    stops, longest, lasted = 0, 0.0, 0.0
    for a, b in pairwise(poses):
        stops += b.blocked and not a.blocked
        lasted = lasted + 0.5 if a.blocked and b.blocked else 0.0
        longest = max(longest, lasted)
        if a.blocked and b.blocked:
            assert (a.east, a.north, a.leg, a.speed) == (b.east, b.north, b.leg, 0.0)
        elif not (a.charging or b.charging or a.blocked or b.blocked):
            assert (a.east, a.north) != (b.east, b.north)
    assert 15 <= stops <= 17  # eight in each drive
    assert 4.0 <= longest <= 12.0


@pytest.mark.parametrize("seed", [1, 8])
def test_a_heart_rests_and_walks(seed: int) -> None:
    pulse = Pulse(seed)
    moments = [MIDNIGHT + k / 10 for k in range(2000)]
    rates = [pulse.rate(t) for t in moments]
    assert 60.0 < min(rates) < 76.0
    assert 95.0 < max(rates) < 120.0
    assert {pulse.walking(t) for t in moments} == {True, False}
    for t in moments[::50]:
        assert 94.0 < pulse.spo2(t) <= 99.0
        beats_per_s = (pulse.beats(t + 0.01) - pulse.beats(t - 0.01)) / 0.02
        assert beats_per_s * 60.0 == pytest.approx(pulse.rate(t), rel=0.01)
    assert pulse.beats(MIDNIGHT + 60.0) - pulse.beats(MIDNIGHT) > 55.0


def test_the_pleth_wave_peaks_once_a_beat() -> None:
    pulse = Pulse(1)
    wave = [pulse.pleth(MIDNIGHT + k / 60.0) for k in range(60 * 60)]
    assert all(0.0 <= value <= 1.0 for value in wave)
    peaks = sum(a < b >= c and b > 0.8 for a, b, c in zip(wave, wave[1:], wave[2:], strict=False))
    beats = pulse.beats(MIDNIGHT + 60.0) - pulse.beats(MIDNIGHT)
    assert abs(peaks - beats) <= 2
