"""A lidar on a robot in a room of 6 by 4 m, in which somebody walks up and down.

One rotation a call: 38 frames of 12 points, ten rotations a second. Behind it, from 150 to
160 degrees, a post of the robot hides the room: no echo from there.
"""

import json
import math

from devices.spec.events import Reading, Value
from simulators.peer import Epoch
from simulators.signals import NOWHERE, Spot, unit, wander

FRAMES = 38
POINTS = 12
SPEED = 3600
HIDDEN = (150.0, 160.0)
WALLS_M = (3.2, 2.1, 2.8, 1.9)
"""Distance of the walls ahead, to the right, behind and to the left."""


def epoch(seed: int, topic: str, spot: Spot = NOWHERE) -> Epoch:
    """The frames of one rotation."""
    del topic, spot

    begin = 9.0 * unit(seed, 0x1D06)

    def at(moment: float) -> list[Reading]:
        somebody = 90.0 + 60.0 * wander(seed + 97, moment, 8.0), 1.0 + 0.4 * wander(seed + 98, moment, 5.0)
        return [_frame(seed, moment, begin + 360.0 * n / FRAMES, n, somebody) for n in range(FRAMES)]

    return at


def _frame(seed: int, moment: float, start: float, n: int, somebody: tuple[float, float]) -> Reading:
    step = 360.0 / FRAMES / POINTS
    points = []
    for index in range(POINTS):
        distance = _distance((start + index * step) % 360.0, somebody)
        noise = 0.005 * (unit(seed, round(moment * 1e3) * 512 + n * POINTS + index) - 0.5)
        points.append({"distance_mm": round(1000.0 * (distance + noise)) if distance else 0,
                       "intensity": 230 if distance else 0})  # fmt: skip
    fields: dict[str, Value] = {
        "speed_deg_s": float(SPEED),
        "start_deg": round(start % 360.0, 2) % 360.0,
        "end_deg": round((start + (POINTS - 1) * step) % 360.0, 2) % 360.0,
        "timestamp_ms": float((round(moment * 1e3) + round(100.0 * n / FRAMES)) % 30_000),
        "points": json.dumps(points, separators=(",", ":")),
    }
    return Reading(fields)


def _distance(angle: float, somebody: tuple[float, float]) -> float:
    """How far it is to what stands in that direction, in metres; 0 for no echo."""
    if HIDDEN[0] <= angle < HIDDEN[1]:
        return 0.0
    if abs(angle - somebody[0]) < 10.0:
        return somebody[1]
    ahead, right = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return min(
        wall / part for wall, part in zip(WALLS_M, (ahead, right, -ahead, -right), strict=True) if part > 1e-6
    )  # fmt: skip
