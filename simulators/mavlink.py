"""One radio link on which several speak: a copter that flies its loop, its gimbal, an old rover, a ground station.

    1-1      copter, MAVLink 2: all messages that are described, a text now and then
    1-154    its gimbal: heartbeats
    2-1      rover, MAVLink 1: heartbeat, position
    255-190  ground station: heartbeats

Each numbers what it says, so a frame that is damaged on the way is a gap in the numbers of its sender. At power-up the
copter prints what it is, which is no frame. The rover's receiver finds no satellites for the first minute of each
quarter of an hour: its place is void.

Source: mavlink.io, common message set; what ArduPilot prints at its start is made up in its manner.
"""

import math
from collections.abc import Mapping
from typing import Any

from devices.mavlink import REQUEST_MESSAGE, SET_MODE, ack
from devices.spec.command import StreamCommand
from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument
from simulators.signals import NOWHERE, Route, Spot, wander

BOOT = b"\r\n\r\nInit ArduCopter V4.5.7\r\n\r\nFree RAM: 112480\r\n"
TEXT_S = 30
WORDS = ("EKF3 IMU0 is using GPS", "Mission: 3 WP", "Battery failsafe is off", "Reached waypoint")
COPTER, ROVER = {"system_id": 1, "component_id": 1, "wire_version": 2}, {"system_id": 2, "component_id": 1}
GIMBAL, STATION = {"system_id": 1, "component_id": 154}, {"system_id": 255, "component_id": 190}

VEHICLES = ("1-1", "2-1")
FLAGS = (
    (128, "armed"), (64, "manual_input"), (32, "simulated"), (16, "stabilized"), (8, "guided"), (4, "auto"),
    (2, "test_mode"), (1, "custom_mode_used"),
)  # fmt: skip


def epoch(seed: int, topic: str, spot: Spot = NOWHERE) -> Epoch:
    """What all on one link say at one moment."""
    del topic
    route, other = Route(seed, centre=spot.location), Route(seed + 1, centre=spot.location)

    def at(moment: float) -> list[Reading]:
        return [
            *_copter(seed, route, moment),
            _says("HEARTBEAT", GIMBAL, {"wire_version": 2, **_heartbeat("GIMBAL", "INVALID", 0, 0, "ACTIVE")}),
            *_rover(other, moment),
            _says("HEARTBEAT", STATION, {"wire_version": 2, **_heartbeat("GCS", "INVALID", 192, 0, "ACTIVE")}),
        ]

    return at


class Link(Instrument):
    """Adds what the copter prints when it is switched on, and answers to commands: each with the next round, at once.

    Copter and rover take a mode, which is in their heartbeats then; gimbal and ground station support nothing.
    """

    _booted = False

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._by_itself = self._epoch
        self._epoch = self._as_told
        self.modes: dict[str, int] = {}
        self._answers: list[Reading] = []

    def obey(self, command: StreamCommand, arguments: Mapping[str, Value]) -> bytes:
        """The answer has its number among all that the system says, so it is said in its turn."""
        known = self.addressed in VEHICLES
        if known and command.name == "mode":
            self.modes[self.addressed] = int(arguments["custom_mode"])
        number = {"mode": SET_MODE, "request-message": REQUEST_MESSAGE}[command.name]
        self._answers.append(ack(number, 0 if known else 3, self.addressed))
        self.ask()
        return b""

    def tick(self, now_s: float) -> list[Frame]:
        frames = super().tick(now_s)
        if not frames or self._booted:
            return frames
        self._booted = True
        return [Frame(BOOT), *frames]

    def _as_told(self, moment: float) -> list[Reading]:
        readings = self._by_itself(moment)
        for reading in readings:
            if reading.tags["message"] == "HEARTBEAT" and reading.thing in self.modes:
                reading.fields["custom_mode"] = self.modes[reading.thing]
        answers, self._answers = self._answers, []
        for answer in answers:
            system, _, component = str(answer.thing).partition("-")
            answer.fields |= {"system_id": int(system), "component_id": int(component), "wire_version": 2}
        return [*answers, *readings]


def _says(
    message: str, who: dict[str, int], fields: dict[str, Value], time_ns: int | None = None, **tags: str
) -> Reading:
    thing = f"{who['system_id']}-{who['component_id']}"
    return Reading({"seq": 0, **who, **fields}, time_ns, thing, {"message": message, **tags})


def _heartbeat(kind: str, autopilot: str, base_mode: int, custom_mode: int, state: str) -> dict[str, Value]:
    return {
        "vehicle_type": f"MAV_TYPE_{kind}",
        "autopilot": f"MAV_AUTOPILOT_{autopilot}",
        "base_mode": base_mode,
        **{name: bool(base_mode & bit) for bit, name in FLAGS},
        "custom_mode": custom_mode,
        "system_status": f"MAV_STATE_{state}",
        "mavlink_version": 3,
    }


def _copter(seed: int, route: Route, moment: float) -> list[Reading]:
    pose, now_ns = route.at(moment), round(moment * 1e3) * 1_000_000
    booted: dict[str, Value] = {"time_boot_ms": float(round(moment * 1e3) % (1 << 31))}
    unix: dict[str, Value] = {"time_us": round(moment * 1e3) * 1e3}
    charge = round(pose.battery)
    cells = [round(3.4 + 0.008 * pose.battery + 0.002 * n, 3) for n in range(4)]
    volts, amps = round(sum(cells), 3), round(12.0 + 2.0 * wander(seed + 91, moment, 20.0), 2)
    height = round(20.0 + 2.0 * wander(seed + 92, moment, 60.0), 3)
    speed, course = round(pose.speed, 2), round(pose.course % 360.0, 2)
    place: dict[str, Value] = {
        "latitude_deg": round(pose.latitude, 7), "longitude_deg": round(pose.longitude, 7),
    }  # fmt: skip
    yaw = math.radians(course)
    readings = [
        _says("SYSTEM_TIME", COPTER, unix | booted, now_ns),
        _says("HEARTBEAT", COPTER, _heartbeat("QUADROTOR", "ARDUPILOTMEGA", 217, 3, "ACTIVE")),
        _says("SYS_STATUS", COPTER, {
            "sensors_present": 0x3F, "sensors_enabled": 0x3F, "sensors_health": 0x3F, "load_pct": 41.5,
            "battery_v": volts, "battery_a": amps, "battery_pct": float(charge), "drop_rate_pct": 0.0,
            "comm_errors": 0, **{f"errors_{n}": 0 for n in range(1, 5)},
        }),
        _says("GPS_RAW_INT", COPTER, {
            **unix, **place, "fix_type": "GPS_FIX_TYPE_3D_FIX", "altitude_m": height + 12.0, "hdop": 0.78,
            "vdop": 1.1, "speed_m_s": speed, "course_deg": course, "satellites_visible": 14,
            "ellipsoid_altitude_m": height + 47.5, "horizontal_accuracy_m": 0.9,
        }, now_ns),
        _says("ATTITUDE", COPTER, {
            **booted, "roll_rad": round(0.1 * wander(seed + 93, moment, 3.0), 6),
            "pitch_rad": round(-0.05 - 0.02 * wander(seed + 94, moment, 3.0), 6), "yaw_rad": round(yaw, 6),
            "roll_speed_rad_s": round(0.02 * wander(seed + 95, moment, 1.0), 5), "pitch_speed_rad_s": 0.0,
            "yaw_speed_rad_s": 0.0,
        }, now_ns),
        _says("GLOBAL_POSITION_INT", COPTER, {
            **booted, **place, "altitude_m": height + 12.0, "relative_altitude_m": height,
            "vx_m_s": round(speed * math.cos(yaw), 2), "vy_m_s": round(speed * math.sin(yaw), 2), "vz_m_s": 0.0,
            "heading_deg": course,
        }, now_ns),
        _says("VFR_HUD", COPTER, {
            "airspeed_m_s": speed, "speed_m_s": speed, "heading_deg": float(round(course) % 360),
            "throttle_pct": 43.0, "altitude_m": height, "climb_m_s": 0.0,
        }),
        _says("BATTERY_STATUS", COPTER, {
            "battery_id": 0, "battery_function": "MAV_BATTERY_FUNCTION_ALL", "battery_type": "MAV_BATTERY_TYPE_LIPO",
            "temperature_c": 31.25, **{f"cell_{n}_v": volt for n, volt in enumerate(cells, 1)}, "battery_v": volts,
            "battery_a": amps, "consumed_mah": float(round(50.0 * (100.0 - pose.battery))),
            "battery_pct": float(charge), "charge_state": "MAV_BATTERY_CHARGE_STATE_OK",
        }, instance="0"),
    ]  # fmt: skip
    if int(moment) % TEXT_S == seed % TEXT_S:
        word = WORDS[int(moment) // TEXT_S % len(WORDS)]
        readings.append(_says("STATUSTEXT", COPTER, {"severity": "MAV_SEVERITY_INFO", "text": word}))
    return readings


def _rover(route: Route, moment: float) -> list[Reading]:
    pose = route.at(moment)
    lost = moment % 900.0 < 60.0
    place: dict[str, Value] = {
        "latitude_deg": round(pose.latitude, 7), "longitude_deg": round(pose.longitude, 7), "altitude_m": 12.3,
        "speed_m_s": round(pose.speed, 2), "course_deg": round(pose.course % 360.0, 2),
    }  # fmt: skip
    fix: dict[str, Value] = {
        "time_us": round(moment * 1e3) * 1e3, "fix_type": "GPS_FIX_TYPE_NO_FIX" if lost else "GPS_FIX_TYPE_DGPS",
        "hdop": 1.3, "satellites_visible": 3 if lost else 11,
    }  # fmt: skip
    return [
        _says("HEARTBEAT", ROVER, {"wire_version": 1, **_heartbeat("GROUND_ROVER", "PX4", 81, 65536, "STANDBY")}),
        _says("GPS_RAW_INT", ROVER, {"wire_version": 1, **fix, **({} if lost else place)},
              round(moment * 1e3) * 1_000_000),
    ]  # fmt: skip
