"""A house on the mains, of one phase or three: what its meters show, whatever they speak.

Energy is the integral of the load without its chance part, so it adds up: each phase has its share of the
power and of the energy, each tariff its hours, and power over time is what the counters count.

    load W ----- share of each phase ----- current = power / (voltage * power factor)
      `--- integral ---> energy_import_kwh = those of the phases = those of the tariffs

Limits: nothing is exported. Energy counts from 2020; about 11.5 kWh a day.
"""

import math
from collections.abc import Callable, Mapping

from devices.spec.events import Value
from simulators.signals import DAY_S, ZONE_S, Grounds, hour, wander

SINCE = 1_577_836_800.0
SHARES = (0.5, 0.3, 0.2)
FACTOR = 0.97
STEADY_W = 240.0
BELLS = ((500.0, 7.5, 1.0), (900.0, 19.0, 2.0))
"""Height in W, hour and width of the bells of a day, as in `Grounds.load`."""
DAY_HOURS = (7.0, 23.0)
"""From when to when the second tariff counts."""
PER_DAY_KWH = (24.0 * STEADY_W + sum(height * width * math.sqrt(2.0 * math.pi) for height, _, width in BELLS)) / 1000.0


class Mains:
    """What a house takes, from one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._grounds = Grounds(seed)

    def power(self, t: float, phase: int = 0) -> float:
        """W of one phase (1 to 3), or of all."""
        return self._grounds.load(t) * _share(phase)

    def voltage(self, t: float, phase: int = 1) -> float:
        return 230.0 + 3.0 * wander(self._seed + 80 + phase, t, 600.0)

    def current(self, t: float, phase: int = 0) -> float:
        """A of one phase, or the sum of all."""
        if not phase:
            return sum(self.current(t, each) for each in (1, 2, 3))
        return self.power(t, phase) / (self.voltage(t, phase) * FACTOR)

    def frequency(self, t: float) -> float:
        return 50.0 + 0.05 * wander(self._seed + 82, t, 60.0)

    def energy(self, t: float, phase: int = 0) -> float:
        """kWh taken since 2020."""
        return _energy(t) * _share(phase)

    def tariff_energy(self, t: float, tariff: int) -> float:
        """kWh taken in the night (1) or in the day (2)."""
        days, h = _days(t)
        begin, end = DAY_HOURS
        whole = _into_day(end) - _into_day(begin)
        by_day = days * whole + _into_day(min(max(h, begin), end)) - _into_day(begin)
        return by_day if tariff == 2 else _energy(t) - by_day

    def tariff(self, t: float) -> int:
        return 2 if DAY_HOURS[0] <= hour(t) < DAY_HOURS[1] else 1


def _share(phase: int) -> float:
    return SHARES[phase - 1] if phase else 1.0


def _days(t: float) -> tuple[int, float]:
    """Whole days since 2020, and the hour of this one."""
    return int((t + ZONE_S) // DAY_S - (SINCE + ZONE_S) // DAY_S), hour(t)


def _energy(t: float) -> float:
    days, h = _days(t)
    return days * PER_DAY_KWH + _into_day(h)


def _into_day(h: float) -> float:
    """kWh from midnight to hour `h`. What of a bell lies beyond midnight is taken to lie in the day."""
    total = STEADY_W * h
    for height, centre, width in BELLS:
        before, now = (math.erf((x - centre) / (width * math.sqrt(2.0))) for x in (0.0, h))
        all_day = math.erf((24.0 - centre) / (width * math.sqrt(2.0))) - before
        total += height * width * math.sqrt(2.0 * math.pi) * (now - before) / all_day
    return total / 1000.0


Signal = Callable[[Mains, float], Value]
_APPARENT, _REACTIVE = 1.0 / FACTOR, math.sqrt(1.0 / FACTOR**2 - 1.0)
_ANGLE = math.degrees(math.acos(FACTOR))


def _of(phase: int) -> Mapping[str, Signal]:
    """The quantities of one phase, or of all, by what stands before their unit."""
    end = f"_l{phase}" if phase else ""
    return {
        f"voltage{end}_v": lambda m, t: m.voltage(t, phase or 1),
        f"current{end}_a": lambda m, t: m.current(t, phase),
        f"power{end}_w": lambda m, t: m.power(t, phase),
        f"power{end}_kw": lambda m, t: m.power(t, phase) / 1000.0,
        f"power_import{end}_kw": lambda m, t: m.power(t, phase) / 1000.0,
        f"power_export{end}_kw": lambda _m, _t: 0.0,
        f"apparent_power{end}_va": lambda m, t: _APPARENT * m.power(t, phase),
        f"reactive_power{end}_var": lambda m, t: _REACTIVE * m.power(t, phase),
        f"power_factor{end}": lambda _m, _t: FACTOR,
        f"phase_angle{end}_deg": lambda _m, _t: _ANGLE,
        f"energy_import{end}_kwh": lambda m, t: m.energy(t, phase),
        f"energy_export{end}_kwh": lambda _m, _t: 0.0,
        f"energy{end}_kwh": lambda m, t: m.energy(t, phase),
        f"reactive_energy_import{end}_kvarh": lambda m, t: _REACTIVE * m.energy(t, phase),
        f"reactive_energy_export{end}_kvarh": lambda _m, _t: 0.0,
        f"reactive_energy{end}_kvarh": lambda m, t: _REACTIVE * m.energy(t, phase),
        f"demand_current{end}_a": lambda m, t: m.current(t, phase),
    }


def _of_tariff(tariff: int) -> Mapping[str, Signal]:
    return {
        f"energy_import_t{tariff}_kwh": lambda m, t: m.tariff_energy(t, tariff),
        f"energy_export_t{tariff}_kwh": lambda _m, _t: 0.0,
    }


QUANTITIES: Mapping[str, Signal] = {
    **_of(0),
    **_of(1),
    **_of(2),
    **_of(3),
    **_of_tariff(1),
    **_of_tariff(2),
    "mains_frequency_hz": lambda m, t: m.frequency(t),
    "voltage_mean_v": lambda m, t: sum(m.voltage(t, phase) for phase in (1, 2, 3)) / 3.0,
    "current_mean_a": lambda m, t: m.current(t) / 3.0,
    "current_total_a": lambda m, t: m.current(t),
    "current_neutral_a": lambda m, t: m.current(t, 1) - m.current(t, 3),
    "voltage_l1_l2_v": lambda m, t: math.sqrt(3.0) * m.voltage(t, 1),
    "voltage_l2_l3_v": lambda m, t: math.sqrt(3.0) * m.voltage(t, 2),
    "voltage_l3_l1_v": lambda m, t: math.sqrt(3.0) * m.voltage(t, 3),
    "voltage_line_mean_v": lambda m, t: math.sqrt(3.0) * m.voltage(t, 1),
    "apparent_energy_kvah": lambda m, t: _APPARENT * m.energy(t),
    "charge_ah": lambda m, t: m.energy(t) * 1000.0 / 230.0,
    "energy_w_min": lambda m, t: float(m.energy(t) * 60_000.0 // 1.0),
    "energy_wh": lambda m, t: float(m.energy(t) * 1000.0 // 1.0),
    "energy_total_kwh": lambda m, t: m.energy(t),
    "energy_today_kwh": lambda _m, t: _into_day(hour(t)),
    "energy_yesterday_kwh": lambda _m, _t: PER_DAY_KWH,
    "total_power_w": lambda m, t: m.power(t),
    "total_energy_wh": lambda m, t: float(m.energy(t) * 1000.0 // 1.0),
    "demand_w": lambda m, t: m.power(t),
    "demand_import_w": lambda m, t: m.power(t),
    "demand_export_w": lambda _m, _t: 0.0,
    "demand_va": lambda m, t: _APPARENT * m.power(t),
    "demand_current_a": lambda m, t: m.current(t),
}
"""True values by the names of fields."""
