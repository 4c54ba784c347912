"""The physical truth behind the simulated devices: seeded, smooth, with a day in it.

Everything is a pure function of a seed and of a time in Unix seconds, so that two runs with
one seed agree to the last bit, any moment can be asked for in any order, and nothing has to
be stored. The park lies in UTC+8; hours of the day below are local.

    Air        traffic peaks at 8:30 and 18:15, weaker at the weekend
    Weather    warmest at 14:30, moist when cool, a sun that rises at 6 and sets at 18
    Grounds    noise, soil (irrigated at 6:00, dries until then), parking, people, water level
    Route      a robot driving a closed loop around 22.4270 N, 114.2110 E for 24 minutes, standing
               now and then because somebody is in its way, then charging 12 minutes at the dock
    Pulse      two minutes at rest, one minute of walking, with ramps; pleth wave and SpO2

Shapes and levels are plausible, not measured: they are there to exercise a gateway, not to
describe a city. Sources: SplitMix64 (Steele, Lea, Flood 2014) for the hash; one degree of
latitude = 111 320 m (spherical earth, good to 0.5 %).
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

DAY_S = 86400.0
ZONE_S = 8 * 3600.0
Location = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""

LATITUDE, LONGITUDE = 22.4270, 114.2110
CENTRE: Location = (LATITUDE, LONGITUDE)
"""Of the park."""

METRES_PER_DEGREE = 111_320.0

_MASK = (1 << 64) - 1


def unit(seed: int, k: int) -> float:
    """A number in [0, 1) that depends on nothing but `seed` and `k`."""
    z = (seed * 0x9E3779B97F4A7C15 + k * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & _MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return ((z ^ (z >> 31)) >> 11) / (1 << 53)


def wander(seed: int, t: float, period_s: float) -> float:
    """Smooth noise in [-1, 1]: new direction every `period_s`, no jump anywhere."""
    k = math.floor(t / period_s)
    x = t / period_s - k
    smooth = x * x * (3.0 - 2.0 * x)
    low, high = unit(seed, k), unit(seed, k + 1)
    return 2.0 * (low + (high - low) * smooth) - 1.0


def hour(t: float) -> float:
    """Local hour of the day, 0 <= h < 24."""
    return ((t + ZONE_S) % DAY_S) / 3600.0


def weekend(t: float) -> bool:
    """Whether `t` falls on a local Saturday or Sunday (1970-01-01 was a Thursday)."""
    return int((t + ZONE_S) // DAY_S) % 7 in (2, 3)


def bump(h: float, centre: float, width: float) -> float:
    """A bell of height 1 at hour `centre`, wrapping at midnight."""
    away = (h - centre + 12.0) % 24.0 - 12.0
    return float(math.exp(-0.5 * (away / width) ** 2))


def traffic(t: float) -> float:
    """How busy the roads are, 0 to about 1."""
    h = hour(t)
    peaks = bump(h, 8.5, 1.1) + 0.9 * bump(h, 18.25, 1.4) + 0.35 * bump(h, 13.0, 3.0)
    return float(peaks * (0.55 if weekend(t) else 1.0))


@dataclass(frozen=True, slots=True)
class Air:
    """Particles and gas at one lamp post."""

    seed: int

    def pm2_5(self, t: float) -> float:
        """ug/m3, about 5 to 45."""
        level = 9.0 + 16.0 * traffic(t - 600.0)
        return max(1.0, level + 5.0 * wander(self.seed, t, 10800.0) + 1.5 * wander(self.seed + 1, t, 120.0))

    def pm1(self, t: float) -> float:
        return 0.68 * self.pm2_5(t)

    def pm4(self, t: float) -> float:
        return 1.2 * self.pm2_5(t)

    def pm10(self, t: float) -> float:
        return 1.4 * self.pm2_5(t) + 4.0 + 2.0 * wander(self.seed + 2, t, 300.0)

    def count(self, t: float, above_um: float) -> float:
        """Particles larger than `above_um` in 0.1 L: a power law through the mass."""
        return 210.0 * self.pm2_5(t) * math.pow(0.3 / above_um, 2.2)

    def co2(self, t: float) -> float:
        """ppm."""
        return 424.0 + 60.0 * traffic(t) + 12.0 * wander(self.seed + 3, t, 900.0)


@dataclass(frozen=True, slots=True)
class Weather:
    seed: int

    def temperature(self, t: float) -> float:
        """Cel, about 19 to 33."""
        return 25.5 + 3.8 * math.cos((hour(t) - 14.5) * math.pi / 12.0) + 2.0 * wander(self.seed, t, 21600.0)

    def humidity(self, t: float) -> float:
        """% relative."""
        moist = 76.0 - 2.8 * (self.temperature(t) - 25.5) + 6.0 * wander(self.seed + 1, t, 14400.0)
        return min(99.0, max(25.0, moist))

    def pressure(self, t: float) -> float:
        """hPa."""
        return 1012.0 + 7.0 * wander(self.seed + 2, t, 2 * DAY_S)

    def wind(self, t: float) -> float:
        """m/s."""
        return max(0.0, 2.4 + 1.5 * wander(self.seed + 3, t, 3600.0) + 1.2 * wander(self.seed + 4, t, 12.0))

    def wind_from(self, t: float) -> float:
        """deg, 0 <= d < 360."""
        return (95.0 + 70.0 * wander(self.seed + 5, t, 5400.0)) % 360.0

    def sun(self, t: float) -> float:
        """0 at night to 1 at noon, dimmed by clouds."""
        height = math.sin((hour(t) - 6.0) * math.pi / 12.0)
        return max(0.0, height) * (0.75 + 0.25 * wander(self.seed + 6, t, 1800.0))

    def rain_today(self, t: float) -> float:
        """mm since local midnight; it rains on about one day in three, in the afternoon."""
        day = int((t + ZONE_S) // DAY_S)
        fall = max(0.0, unit(self.seed + 7, day) - 0.66) * 60.0
        return fall * min(1.0, max(0.0, (hour(t) - 15.0) / 3.0))


@dataclass(frozen=True, slots=True)
class Grounds:
    seed: int

    def noise(self, t: float) -> float:
        """dB(A), about 38 to 72."""
        return 43.0 + 17.0 * traffic(t) + 3.5 * wander(self.seed, t, 4.0) + 2.0 * wander(self.seed + 1, t, 600.0)

    def soil_moisture(self, t: float) -> float:
        """% by volume: wet at 6:00, drier by the hour."""
        return 24.0 + 12.0 * math.exp(-((hour(t) - 6.0) % 24.0) / 11.0) + 0.6 * wander(self.seed + 2, t, 3600.0)

    def soil_temperature(self, t: float) -> float:
        """Cel: the air's day, three hours late and half as strong."""
        return 24.5 + 1.9 * math.cos((hour(t) - 17.5) * math.pi / 12.0) + 0.3 * wander(self.seed + 3, t, 7200.0)

    def soil_conductivity(self, t: float) -> float:
        """uS/cm."""
        return 11.0 * self.soil_moisture(t) + 30.0

    @property
    def richness(self) -> float:
        """How much the soil holds, about 1."""
        return 0.7 + 0.6 * unit(self.seed, 12)

    def occupied(self, t: float, bay: int = 0) -> bool:
        """Whether a parking bay is taken: stays of about 25 minutes, fuller by day."""
        demand = 0.15 + 0.7 * bump(hour(t), 13.0, 4.5)
        slot = math.floor(t / 1500.0 + unit(self.seed + bay, 11))
        return unit(self.seed + 97 * bay + 5, slot) < demand

    def people(self, t: float) -> int:
        """People in view now."""
        h = hour(t)
        mean = 1.0 + 22.0 * (bump(h, 12.75, 1.2) + 0.8 * bump(h, 18.5, 1.5) + 0.3 * bump(h, 8.0, 1.0))
        return max(0, round(mean * (1.0 + 0.35 * wander(self.seed + 8, t, 45.0))))

    def load(self, t: float) -> float:
        """W that a house takes: least at night, most in the evening, with a fridge in it."""
        h = hour(t)
        house = 240.0 + 500.0 * bump(h, 7.5, 1.0) + 900.0 * bump(h, 19.0, 2.0)
        return max(
            60.0, house * (1.0 + 0.3 * wander(self.seed + 9, t, 300.0)) + 50.0 * wander(self.seed + 10, t, 1800.0)
        )

    def battery(self, t: float) -> float:
        """V of a small cell that lasts a year."""
        return 3.61 - 0.4 * ((t / DAY_S + 365.0 * unit(self.seed, 13)) % 365.0) / 365.0


# Corners of the loop in metres east and north of the centre; the dock is the first.
LOOP: tuple[tuple[float, float], ...] = (
    (0.0, 0.0), (60.0, 10.0), (120.0, 45.0), (140.0, 100.0), (90.0, 140.0),
    (20.0, 130.0), (-50.0, 150.0), (-110.0, 95.0), (-95.0, 30.0), (-40.0, -15.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a robot is: metres east and north, course in degrees from north, m/s, battery in %.

    `blocked` while somebody stands in its way; `cycle` counts its rounds of driving and charging.
    """

    east: float
    north: float
    course: float
    speed: float
    battery: float
    charging: bool
    leg: int
    cycle: int
    blocked: bool = False
    centre: Location = CENTRE

    @property
    def latitude(self) -> float:
        return self.centre[0] + self.north / METRES_PER_DEGREE

    @property
    def longitude(self) -> float:
        degrees = self.east / (METRES_PER_DEGREE * math.cos(math.radians(self.centre[0])))
        return (self.centre[1] + degrees + 180.0) % 360.0 - 180.0

    @property
    def theta(self) -> float:
        """Heading in rad from east, counter-clockwise, -pi < theta <= pi."""
        turned = math.radians(90.0 - self.course)
        return math.atan2(math.sin(turned), math.cos(turned))


class Spot(NamedTuple):
    """Where a thing belongs: the name of its zone, and the place where it stands or about which it moves."""

    zone: str = ""
    location: Location | None = None


NOWHERE = Spot()


class Route:
    """A robot that drives its loop around `centre` twice, slowing at each corner, then charges at the dock.

    It stands STOPS times in each drive, once in each part of it, for 4 to 12 s: blocked, not an
    inch further. What is left of the drive is driven at the same mean speed in every cycle but
    for that.
    """

    DRIVE_S = 1440.0
    CHARGE_S = 720.0
    STOPS = 8

    def __init__(self, seed: int, offset_m: float | None = None, centre: Location | None = None) -> None:
        self._seed = seed
        self._centre = centre or CENTRE
        self._offset = offset_m if offset_m is not None else 40.0 * (unit(seed, 1) - 0.5)
        self._phase = unit(seed, 2) * self.DRIVE_S
        self._legs = [(a, b, math.dist(a, b)) for a, b in zip(LOOP, LOOP[1:] + LOOP[:1], strict=True)]
        self._length = sum(leg[2] for leg in self._legs)
        self._laps = 2

    def at(self, t: float) -> Pose:
        """The pose at Unix time `t`. Consecutive poses are never further apart than 2.5 m/s allows."""
        cycles, into = divmod(t + self._phase, self.DRIVE_S + self.CHARGE_S)
        cycle = int(cycles)
        if into >= self.DRIVE_S:
            part = (into - self.DRIVE_S) / self.CHARGE_S
            home = self._pose(0.0, 0.0, 0, 0.0)
            battery = 35.0 + 63.0 * (1.0 - math.exp(-4.0 * part)) / (1.0 - math.exp(-4.0))
            return Pose(home.east, home.north, home.course, 0.0, battery, True, 0, cycle, centre=self._centre)
        drained = 98.0 - 63.0 * into / self.DRIVE_S
        stood, standing, blocked = self._stood(cycle, into)
        mean = self._laps * self._length / (self.DRIVE_S - standing)
        way = mean * (into - stood) % self._length
        number = 0
        while number < len(self._legs) - 1 and way >= self._legs[number][2]:
            way -= self._legs[number][2]
            number += 1
        pose = self._pose(drained, min(1.0, way / self._legs[number][2]), number, mean)
        return replace(pose, cycle=cycle, blocked=blocked, speed=0.0 if blocked else pose.speed, centre=self._centre)

    def _stood(self, cycle: int, into: float) -> tuple[float, float, bool]:
        """Seconds stood until `into` a drive, those of the whole drive, and whether it stands now."""
        stood = standing = 0.0
        blocked = False
        part = self.DRIVE_S / self.STOPS
        for number in range(self.STOPS):
            key = 1000 + cycle * 2 * self.STOPS + 2 * number
            begin = part * (number + 0.8 * unit(self._seed, key))
            lasts = 4.0 + 8.0 * unit(self._seed, key + 1)
            standing += lasts
            stood += min(max(into - begin, 0.0), lasts)
            blocked = blocked or begin <= into < begin + lasts
        return stood, standing, blocked

    def _pose(self, battery: float, part: float, leg: int, mean: float) -> Pose:
        """`part` of `leg` in time at `mean` m/s; in space it starts and ends slowly."""
        a, b, _ = self._legs[leg]
        eased = part - 0.7 * math.sin(2.0 * math.pi * part) / (2.0 * math.pi)
        speed = mean * (1.0 - 0.7 * math.cos(2.0 * math.pi * part))
        east, north = a[0] + (b[0] - a[0]) * eased, a[1] + (b[1] - a[1]) * eased
        course = math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360.0
        return Pose(east + self._offset, north + self._offset, course, speed, battery, False, leg, 0)


class Pulse:
    """A finger in a clip: rest, walking, rest."""

    REST_S, RAMP_S, WALK_S = 110.0, 20.0, 50.0
    CYCLE_S = REST_S + RAMP_S + WALK_S + RAMP_S

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rest = 62.0 + 12.0 * unit(seed, 1)
        self._walk = self._rest + 34.0 + 8.0 * unit(seed, 2)
        self._phase = unit(seed, 3) * self.REST_S

    def rate(self, t: float) -> float:
        """Beats per minute."""
        return self._rest + (self._walk - self._rest) * self._effort((t + self._phase) % self.CYCLE_S)

    def walking(self, t: float) -> bool:
        return self._effort((t + self._phase) % self.CYCLE_S) > 0.5

    def spo2(self, t: float) -> float:
        """%, 95 to 99: a little lower while walking."""
        effort = self._effort((t + self._phase) % self.CYCLE_S)
        return 97.6 - 0.9 * effort + 0.8 * wander(self._seed + 4, t, 20.0)

    def beats(self, t: float) -> float:
        """Beats since the start of the epoch; its whole part steps at each beat."""
        cycles, into = divmod(t + self._phase, self.CYCLE_S)
        extra = (self._walk - self._rest) / 60.0
        per_cycle = self._rest / 60.0 * self.CYCLE_S + extra * (self.RAMP_S + self.WALK_S)
        return cycles * per_cycle + self._rest / 60.0 * into + extra * self._effort_seconds(into)

    def pleth(self, t: float) -> float:
        """0 to 1: steep rise, slow fall, dicrotic notch."""
        x = self.beats(t) % 1.0
        main = math.exp(-0.5 * ((x - 0.22) / 0.09) ** 2)
        echo = 0.42 * math.exp(-0.5 * ((x - 0.52) / 0.10) ** 2)
        return min(1.0, 0.04 + 0.92 * main + echo)

    def _effort(self, into: float) -> float:
        if into < self.REST_S:
            return 0.0
        if into < self.REST_S + self.RAMP_S:
            return (into - self.REST_S) / self.RAMP_S
        if into < self.REST_S + self.RAMP_S + self.WALK_S:
            return 1.0
        return (self.CYCLE_S - into) / self.RAMP_S

    def _effort_seconds(self, into: float) -> float:
        """The integral of `_effort` from 0 to `into`."""
        up = min(max(into - self.REST_S, 0.0), self.RAMP_S)
        flat = min(max(into - self.REST_S - self.RAMP_S, 0.0), self.WALK_S)
        down = max(into - self.CYCLE_S + self.RAMP_S, 0.0)
        return up * up / (2.0 * self.RAMP_S) + flat + down - down * down / (2.0 * self.RAMP_S)
