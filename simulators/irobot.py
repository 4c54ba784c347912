"""A Roomba with a cable: it streams what it was asked for while it cleans, charges at its dock, and sleeps.

At power-up, and when it wakes, it prints a few lines that are no frames. SLEEP_S after it was spoken to last it falls
asleep and says nothing, until it hears something: it wakes with those lines, and streams once it is asked to again.

Source: iRobot, Create 2 Open Interface specification (2018); the lines of the boot loader are as many report them.
"""

from collections.abc import Mapping
from typing import Any

from devices.spec.command import StreamCommand
from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument
from simulators.signals import NOWHERE, Route, Spot, wander

SLEEP_S = 300.0
BOOT = b"bl-start\r\nSTR730\r\nbootloader id: #x47186549 82ECCFFF\r\nbootloader info rev: #xF000\r\n"
CAPACITY = 2696.0
PERIOD_S = 0.015
SLOW = 0.2
"""A Roomba's speed over that of the robots that the park's route is made for."""

FLAGS = (
    "wall", "cliff_left", "cliff_front_left", "cliff_front_right", "cliff_right", "virtual_wall", "wheel_drop_left",
    "wheel_drop_right", "overcurrent_side_brush", "overcurrent_main_brush", "overcurrent_right_wheel",
    "overcurrent_left_wheel", "stasis_disabled", "charger_internal",
    *(f"button_{name}" for name in ("clean", "spot", "dock", "minute", "hour", "day", "schedule", "clock")),
    *(f"light_bump_{name}" for name in ("left", "front_left", "center_left", "center_right", "front_right", "right")),
)  # fmt: skip


def epoch(seed: int, topic: str, spot: Spot = NOWHERE) -> Epoch:
    """The frame of a moment, of a Create 2 or a Roomba."""
    del topic
    route = Route(seed, centre=spot.location)

    def at(moment: float) -> list[Reading]:
        pose = route.at(moment)
        speed = SLOW * pose.speed
        charge = round(CAPACITY * pose.battery / 100.0)
        count = round(moment * 400.0) % 0x10000 - 0x8000
        fields: dict[str, Value] = dict.fromkeys(FLAGS, False)
        fields |= {
            "bump_left": pose.blocked, "bump_right": pose.blocked, "stasis": speed > 0.0,
            "light_bump_center_left": pose.blocked, "charger_home_base": pose.charging,
            "distance_mm": float(round(1000.0 * speed * PERIOD_S)), "angle_deg": 0.0,
            "charging_state": "FULL_CHARGING" if pose.charging else "NOT_CHARGING",
            "battery_v": round(13.6 + 0.03 * pose.battery, 3),
            "battery_a": 1.2 if pose.charging else round(-0.9 + 0.1 * wander(seed + 98, moment, 5.0), 3),
            "temperature_c": 27.0, "battery_charge_mah": float(charge), "battery_capacity_mah": CAPACITY,
            "oi_mode": "PASSIVE", "encoder_left_count": count,
            "encoder_right_count": count,
        }  # fmt: skip
        return [Reading(fields)]

    return at


def create1_epoch(seed: int, topic: str, spot: Spot = NOWHERE) -> Epoch:
    """The same of the first Create."""
    later = epoch(seed, topic, spot)

    def at(moment: float) -> list[Reading]:
        (reading,) = later(moment)
        fields = {
            name: value
            for name, value in reading.fields.items()
            if not name.startswith(("encoder_", "light_bump_", "stasis"))
        }
        return [Reading(fields | {"wheel_drop_caster": False})]

    return at


class Roomba(Instrument):
    """Adds the lines of power-up and wake-up, and sleep."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._asleep = False
        self._spoken_to = True
        self._awake_since_s = 0.0
        self._boots = True

    def receive(self, data: bytes) -> bytes:
        """A robot that sleeps wakes, and has not heard what woke it."""
        self._spoken_to = True
        if self._asleep:
            self._asleep, self._unread = False, b""
            return BOOT
        return super().receive(data)

    def obey(self, command: StreamCommand, arguments: Mapping[str, Value]) -> bytes:
        """Cleaning, spots and the dock are the route's own business here."""
        del command, arguments
        return b""

    def tick(self, now_s: float) -> list[Frame]:
        if self._spoken_to:
            self._spoken_to, self._awake_since_s = False, now_s
        if self.talking and now_s - self._awake_since_s >= SLEEP_S:
            self._asleep, self.talking = True, False
        frames = super().tick(now_s)
        if frames and self._boots:
            self._boots = False
            return [Frame(BOOT), *frames]
        return frames


def mqtt_epoch(seed: int, topic: str, spot: Spot = NOWHERE) -> Epoch:
    """What a Roomba with a broker in it reports."""
    del topic
    route = Route(seed, centre=spot.location)

    def at(moment: float) -> list[Reading]:
        pose = route.at(moment)
        fields: dict[str, Value] = {
            "battery_pct": float(round(pose.battery)), "x_mm": float(round(100.0 * pose.east)),
            "y_mm": float(round(100.0 * pose.north)), "theta_deg": float(round(pose.course) % 360),
            "phase": "charge" if pose.charging else "stuck" if pose.blocked else "run",
            "cycle": "none" if pose.charging else "clean", "error_code": 9 if pose.blocked else 0,
            "not_ready_code": 0, "mission_count": 300 + pose.cycle % 1000, "bin_full": False, "bin_present": True,
            "dock_known": True, "rssi_dbm": float(round(-50.0 + 8.0 * wander(seed + 99, moment, 60.0))),
        }  # fmt: skip
        return [Reading(fields)]

    return at
