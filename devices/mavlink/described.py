"""The messages that are described: which field each of their values is, how it is scaled and what means "none".

What is not listed here of any message is open (`others.py`). Facts of the scales, units and values for "none": the
message definitions of MAVLink, common.xml and minimal.xml.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from devices.mavlink.columns import Flags, Number
from devices.mavlink.fields import CELLS
from devices.spec.errors import EncodeError
from devices.spec.events import Value

HEARTBEAT, SYS_STATUS, SYSTEM_TIME, GPS_RAW_INT, ATTITUDE = 0, 1, 2, 24, 30
GLOBAL_POSITION_INT, VFR_HUD, BATTERY_STATUS, STATUSTEXT = 33, 74, 147, 253

NONE_U16, NONE_I16, NONE_U8 = 0xFFFF, 0x7FFF, 0xFF
BIG_CELL = 0xFFFE
"""Of a battery whose voltage no u16 can say, cell 1 says this much and cell 2 the rest."""


class Part(NamedTuple):
    """One value of a message: the field that it is, value = raw * times / over, and raw values that mean "none"."""

    field: str
    over: int = 1
    times: int = 1
    absent: tuple[int, ...] = ()
    enum: str = ""


_MODE_BITS = (
    (128, "armed"),
    (64, "manual_input"),
    (32, "simulated"),
    (16, "stabilized"),
    (8, "guided"),
    (4, "auto"),
    (2, "test_mode"),
    (1, "custom_mode_used"),
)

SENSORS = "onboard_control_sensors_"
_PLACE = {"lat": Part("latitude_deg", 10**7), "lon": Part("longitude_deg", 10**7)}
_BOOTED = Part("time_boot_ms")

PARTS: Mapping[int, Mapping[str, Part]] = {
    HEARTBEAT: {
        "type": Part("vehicle_type", enum="MAV_TYPE"),
        "autopilot": Part("autopilot", enum="MAV_AUTOPILOT"),
        "base_mode": Part("base_mode"),
        "custom_mode": Part("custom_mode"),
        "system_status": Part("system_status", enum="MAV_STATE"),
        "mavlink_version": Part("mavlink_version"),
    },
    SYS_STATUS: {
        **{SENSORS + word + more: Part(f"sensors_{word}{more}")
           for word in ("present", "enabled", "health") for more in ("", "_extended")},
        "load": Part("load_pct", 10),
        "voltage_battery": Part("battery_v", 1000, absent=(NONE_U16,)),
        "current_battery": Part("battery_a", 100, absent=(-1,)),
        "battery_remaining": Part("battery_pct", absent=(-1,)),
        "drop_rate_comm": Part("drop_rate_pct", 100),
        "errors_comm": Part("comm_errors"),
        **{f"errors_count{n}": Part(f"errors_{n}") for n in range(1, 5)},
    },
    SYSTEM_TIME: {"time_unix_usec": Part("time_us"), "time_boot_ms": _BOOTED},
    GPS_RAW_INT: {
        "time_usec": Part("time_us"),
        "fix_type": Part("fix_type", enum="GPS_FIX_TYPE"),
        **_PLACE,
        "alt": Part("altitude_m", 1000),
        "eph": Part("hdop", 100, absent=(NONE_U16,)),
        "epv": Part("vdop", 100, absent=(NONE_U16,)),
        "vel": Part("speed_m_s", 100, absent=(NONE_U16,)),
        "cog": Part("course_deg", 100, absent=(NONE_U16,)),
        "satellites_visible": Part("satellites_visible", absent=(NONE_U8,)),
        "alt_ellipsoid": Part("ellipsoid_altitude_m", 1000),
        "h_acc": Part("horizontal_accuracy_m", 1000, absent=(0,)),
        "v_acc": Part("vertical_accuracy_m", 1000, absent=(0,)),
        "vel_acc": Part("speed_accuracy_m_s", 1000, absent=(0,)),
        "hdg_acc": Part("heading_accuracy_deg", 10**5, absent=(0,)),
        "yaw": Part("antenna_yaw_deg", 100, absent=(0, NONE_U16)),
    },
    ATTITUDE: {
        "time_boot_ms": _BOOTED,
        **{word: Part(f"{word}_rad") for word in ("roll", "pitch", "yaw")},
        **{f"{word}speed": Part(f"{word}_speed_rad_s") for word in ("roll", "pitch", "yaw")},
    },
    GLOBAL_POSITION_INT: {
        "time_boot_ms": _BOOTED,
        **_PLACE,
        "alt": Part("altitude_m", 1000),
        "relative_alt": Part("relative_altitude_m", 1000),
        "vx": Part("vx_m_s", 100),
        "vy": Part("vy_m_s", 100),
        "vz": Part("vz_m_s", 100),
        "hdg": Part("heading_deg", 100, absent=(NONE_U16,)),
    },
    VFR_HUD: {
        "airspeed": Part("airspeed_m_s"),
        "groundspeed": Part("speed_m_s"),
        "heading": Part("heading_deg"),
        "throttle": Part("throttle_pct"),
        "alt": Part("altitude_m"),
        "climb": Part("climb_m_s"),
    },
    BATTERY_STATUS: {
        "id": Part("battery_id"),
        "battery_function": Part("battery_function", enum="MAV_BATTERY_FUNCTION"),
        "type": Part("battery_type", enum="MAV_BATTERY_TYPE"),
        "temperature": Part("temperature_c", 100, absent=(NONE_I16,)),
        "current_battery": Part("battery_a", 100, absent=(-1,)),
        "current_consumed": Part("consumed_mah", absent=(-1,)),
        "energy_consumed": Part("consumed_j", 1, 100, absent=(-1,)),
        "battery_remaining": Part("battery_pct", absent=(-1,)),
        "time_remaining": Part("time_remaining_s", absent=(0,)),
        "charge_state": Part("charge_state", enum="MAV_BATTERY_CHARGE_STATE", absent=(0,)),
        "mode": Part("battery_mode", enum="MAV_BATTERY_MODE", absent=(0,)),
        "fault_bitmask": Part("battery_faults"),
    },
    STATUSTEXT: {"severity": Part("severity", enum="MAV_SEVERITY"), "text": Part("text")},
}  # fmt: skip
"""By message, then by the name that the value has there."""

WITHOUT_FIX = (
    "latitude_deg", "longitude_deg", "altitude_m", "ellipsoid_altitude_m", "speed_m_s", "course_deg",
)  # fmt: skip

MOST_NAMED = 256
"""Sets of failed sensors whose names are remembered."""

After = Callable[[dict[str, Value]], None]


def _no_fix(fields: dict[str, Value]) -> None:
    """Without a fix what stands for the place and the movement is void."""
    if fields.get("fix_type") in ("GPS_FIX_TYPE_NO_GPS", "GPS_FIX_TYPE_NO_FIX"):
        for name in WITHOUT_FIX:
            fields.pop(name, None)


def _no_place(fields: dict[str, Value]) -> None:
    """An autopilot that does not know where it is says 0, 0 to the last digit."""
    if fields.get("latitude_deg") == fields.get("longitude_deg") == 0.0:
        del fields["latitude_deg"], fields["longitude_deg"]


AFTER: Mapping[int, After] = {GPS_RAW_INT: _no_fix, GLOBAL_POSITION_INT: _no_place}


class Modes(Flags):
    """`base_mode` of HEARTBEAT: the number, and each of its bits as a flag."""

    def __init__(self, number: Number) -> None:
        super().__init__(number, _MODE_BITS)


class Cells:
    """The voltages of BATTERY_STATUS: ten of them, and four more as an extension.

    `battery_v` is their sum. Where only the first is there it is the whole battery, and no cell is told.
    """

    def __init__(self, first: int, further: int) -> None:
        self._first, self._further = first, further

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        del wrong
        cells = {n: raw for n, raw in enumerate(raws[self._first : self._first + 10], 1) if raw != NONE_U16}
        extended = raws[self._further : self._further + CELLS - 10]
        cells |= {n: raw for n, raw in enumerate(extended, 11) if raw not in (0, NONE_U16)}
        if not cells:
            return
        fields["battery_v"] = sum(cells.values()) / 1000
        if cells.keys() != {1} and not (cells.get(1) == BIG_CELL and cells.keys() == {1, 2}):
            fields.update((f"cell_{n}_v", raw / 1000) for n, raw in cells.items())

    def give(self, raws: list[Any], left: dict[str, Value]) -> None:
        cells = {n: self._raw(left.pop(f"cell_{n}_v")) for n in range(1, CELLS + 1) if f"cell_{n}_v" in left}
        whole = left.pop("battery_v", None)
        total = None if whole is None else round(float(whole) * 1000)
        if total is not None and not cells:
            cells = {1: total} if total < BIG_CELL else {1: BIG_CELL, 2: total - BIG_CELL}
        if total is not None and (total != sum(cells.values()) or max(cells.values()) > BIG_CELL):
            raise EncodeError(f"battery_v: {whole} is not what its cells add up to, or no message can say it")
        for n in range(10):
            raws[self._first + n] = cells.get(n + 1, NONE_U16)
        for n in range(CELLS - 10):
            raws[self._further + n] = cells.get(n + 11, 0)

    @staticmethod
    def _raw(value: Value) -> int:
        raw = round(float(value) * 1000)
        if not 0 <= raw <= BIG_CELL:
            raise EncodeError(f"a cell of {value} V: expected 0 to {BIG_CELL / 1000}")
        return raw


class Sensors:
    """Of SYS_STATUS, the names of the sensors that are in use and do not work: `sensors_failed`."""

    def __init__(self, present: int, enabled: int, health: int, words: Mapping[int, str]) -> None:
        self._places = present, enabled, health
        self._words = words
        self._names: dict[int, str] = {}

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        del wrong
        present, enabled, health = self._places
        failed = raws[present] & raws[enabled] & ~raws[health]
        if failed:
            names = self._names.get(failed)
            if names is None:
                if len(self._names) >= MOST_NAMED:
                    self._names.clear()
                words = [self._words.get(1 << bit, f"bit {bit}") for bit in range(32) if failed >> bit & 1]
                names = self._names[failed] = " ".join(words)
            fields["sensors_failed"] = names

    def give(self, raws: list[Any], left: dict[str, Value]) -> None:
        said: dict[str, Value] = {}
        self.take(tuple(raws), said, [])
        if "sensors_failed" in left and left.pop("sensors_failed") != said.get("sensors_failed"):
            raise EncodeError("sensors_failed: not what sensors_enabled and sensors_health say")
