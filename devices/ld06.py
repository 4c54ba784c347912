"""LDROBOT LD06, LD19 and LD20: a lidar that turns ten times a second and measures 4,500 distances in that time.

It talks by itself at 230400 baud, 375 frames a second, 12 points each. All numbers are little-endian:

    54 2C  speed u16  start u16  12 x (distance u16, intensity u8)  end u16  timestamp u16  crc8
           deg/s      0.01 deg        mm, 0: no echo                0.01 deg  ms

The points lie evenly from `start` to `end`, clockwise seen from above; the angle may pass 360 within a frame.
`timestamp` counts milliseconds and begins again at 30,000. The check is a CRC-8 (polynomial 4D) of all before it.
54 is an ordinary value in between. A check of 8 bits holds by chance in one of 256 broken frames, so no frame is
believed whose angles are beyond 360 degrees or more than MOST_SPAN apart (twelve points take 12 degrees at 12 Hz).

Two decoders:

* `decoder` tells each frame: speed, angles, timestamp and the twelve points. For `parkgate decode` of a recording or of
  one frame.
* `joined`, for a port, reduces at the edge: one reading for each ROTATIONS rotations (about a second). The circle is
  cut into SECTORS sectors; `nearest_000_m` is the nearest echo from 0 to 30 degrees in that time, and so on,
  `nearest_m` the nearest of all and `nearest_deg` where it is. A sector without any echo is absent: nothing within
  reach, or nothing was received of it, which `frame_count` tells (about 375 in all); `missing_count` are frames
  between those that came. `rotation_hz` is the mean rotation rate.

Limits: the sensor sees from 0.02 to 12 m; what it says is not filtered, so that one false echo (dust, sun, rain) is a
nearest point. An estimate for maps and statistics, never a safety system.
Unknown: what intensity means beyond "more is surer"; what the lidar sends while it starts to turn.

Source: LDROBOT, LD06 and LD19 Development Manual V2.3 (frame, CRC table, example); ldrobotSensorTeam/ldlidar_driver.
"""

import json
from collections.abc import Mapping
from struct import Struct

from devices.spec.checksum import crc8
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Noise, Reading, Value
from devices.spec.field import Field
from devices.spec.frame import BinaryFramer, Check, Frame
from devices.spec.sequence import ListBits, Sequence

POINTS = 12
CIRCLE = 36_000
SECTORS = 12
WIDE = CIRCLE // SECTORS
ROTATIONS = 10
MOST_SPAN = 2_500
"""Hundredths of a degree from the first to the last point of a frame."""

START, SIZE = b"\x54\x2c", 47

_LAYOUT = Struct("<HH" + "HB" * POINTS + "HH")
_ANGLE = Struct("<H")
_CHECK = Check(of=crc8(0x4D), first=0, last=-1, at=-1)
_HELD = Noise(b"", "part of a rotation")
"""Stands for a frame whose points are kept for the reading of its rotations."""

SPEED = Field("speed_deg_s", "deg/s", "Rotation speed", minimum=0, maximum=65_535, step=1, panel=False)
NEAREST = tuple(f"nearest_{degrees:03d}_m" for degrees in range(0, 360, 360 // SECTORS))


def _distance(name: str, description: str) -> Field:
    return Field(name, "m", description, minimum=0.001, maximum=65.535, step=0.001, optional=True)


FIELDS = (
    SPEED,
    Field("start_deg", "deg", "Angle of the first point", minimum=0.0, maximum=359.99, step=0.01, optional=True,
          panel=False),
    Field("end_deg", "deg", "Angle of the last point", minimum=0.0, maximum=359.99, step=0.01, optional=True,
          panel=False),
    Field("timestamp_ms", "ms", "Clock of the lidar", minimum=0, maximum=65_535, step=1, optional=True, panel=False),
    Field("points", "1", "Distances in mm, 0 for no echo, and intensities, JSON list", kind="text", optional=True,
          panel=False),
    Field("rotation_hz", "Hz", "Rotations a second", minimum=0.0, maximum=182.05, step=0.001, optional=True),
    _distance("nearest_m", "Nearest echo all around"),
    Field("nearest_deg", "deg", "Where the nearest echo is", minimum=0.0, maximum=359.99, step=0.01, optional=True),
    *(_distance(name, f"Nearest echo from {int(name[8:11])} to {int(name[8:11]) + 360 // SECTORS} degrees")
      for name in NEAREST),
    Field("echo_count", "1", "Points with an echo", kind="counter", minimum=0, maximum=1_000_000, step=1, optional=True,
          panel=False),
    Field("frame_count", "1", "Frames that came", kind="counter", minimum=0, maximum=100_000, step=1, optional=True,
          panel=False),
    Field("missing_count", "1", "Frames that are missing between them", kind="counter", minimum=0, maximum=100_000,
          step=1, optional=True, panel=False),
)  # fmt: skip


def _possible(data: bytes) -> bool:
    start, end = _ANGLE.unpack_from(data, 4)[0], _ANGLE.unpack_from(data, 42)[0]
    return bool(start < CIRCLE and end < CIRCLE and (end - start) % CIRCLE <= MOST_SPAN)


def _frame(data: bytes) -> Event:
    speed, start, *points, end, timestamp = _LAYOUT.unpack_from(data, len(START))
    said = [{"distance_mm": points[at], "intensity": points[at + 1]} for at in range(0, 2 * POINTS, 2)]
    fields: dict[str, Value] = {
        "speed_deg_s": float(speed), "start_deg": start / 100, "end_deg": end / 100, "timestamp_ms": float(timestamp),
        "points": json.dumps(said, separators=(",", ":")),
    }  # fmt: skip
    return Reading(fields)


class Reduced:
    """The nearest echoes of ROTATIONS rotations."""

    def __init__(self) -> None:
        self._framer = BinaryFramer((Frame(START, SIZE, self._take, _CHECK, possible=_possible),))
        self._last = -1  # the start of the frame before, in hundredths of a degree
        self._next = -1  # where the next frame should start
        self._begin()

    def _begin(self) -> None:
        self._rotations = 0
        self._sectors = [0] * SECTORS
        self._nearest, self._where = 0, 0
        self._speeds = self._frames = self._missing = self._echoes = 0

    def feed(self, data: bytes) -> list[Event]:
        return [event for event in self._framer.feed(data) if event is not _HELD]

    def flush(self) -> list[Event]:
        events = [event for event in self._framer.flush() if event is not _HELD]
        return [*events, self._told()] if self._frames else events

    def _take(self, data: bytes) -> Event:
        """Keep what a frame says; the reading, if it begins the rotation behind the last of them."""
        values = _LAYOUT.unpack_from(data, len(START))
        start, end = values[1], values[-2]
        told: Event = _HELD
        if start < self._last:
            self._rotations += 1
            if self._rotations >= ROTATIONS:
                told = self._told()
        span = (end - start) % CIRCLE
        step = span // (POINTS - 1)
        gap = (start - self._next) % CIRCLE if self._next >= 0 else 0
        if gap < CIRCLE // 2 and span:  # beyond that it is a little step back
            self._missing += round(gap / (span + step))
        self._last, self._next = start, (end + step) % CIRCLE
        self._frames += 1
        self._speeds += values[0]
        self._points(values[2:-2:2], start, end, span)
        return told

    def _points(self, distances: tuple[int, ...], start: int, end: int, span: int) -> None:
        echoes = [distance for distance in distances if distance]
        if not echoes:
            return
        self._echoes += len(echoes)
        nearest = min(echoes)
        if not self._nearest or nearest < self._nearest:
            self._nearest = nearest
            self._where = (start + span * distances.index(nearest) // (POINTS - 1)) % CIRCLE
        sectors = self._sectors
        sector = start // WIDE
        if sector == end // WIDE and start <= end:
            if not sectors[sector] or nearest < sectors[sector]:
                sectors[sector] = nearest
            return
        for index, distance in enumerate(distances):
            sector = (start + span * index // (POINTS - 1)) % CIRCLE // WIDE
            if distance and (not sectors[sector] or distance < sectors[sector]):
                sectors[sector] = distance

    def _told(self) -> Reading:
        """The reading of what has been kept; nothing is kept from then on."""
        speed = self._speeds / self._frames
        fields: dict[str, Value] = {"speed_deg_s": float(round(speed)), "rotation_hz": round(speed / 360, 3)}
        if self._nearest:
            fields["nearest_m"], fields["nearest_deg"] = self._nearest / 1000, self._where / 100
        for name, nearest in zip(NEAREST, self._sectors, strict=True):
            if nearest:
                fields[name] = nearest / 1000
        fields["echo_count"], fields["frame_count"] = self._echoes, self._frames
        fields["missing_count"] = self._missing
        self._begin()
        return Reading(fields)


def encode(reading: Reading) -> bytes:
    """One frame. EncodeError for what no frame can say."""
    fields = reading.fields
    unknown = fields.keys() - {"speed_deg_s", "start_deg", "end_deg", "timestamp_ms", "points"}
    if unknown:
        raise EncodeError(f"ld06: {', '.join(sorted(unknown))}: no frame says that")
    points = _said(fields)
    start, end = _whole(fields, "start_deg", 100, CIRCLE - 1), _whole(fields, "end_deg", 100, CIRCLE - 1)
    body = START + _LAYOUT.pack(
        _whole(fields, "speed_deg_s", 1, 0xFFFF), start, *points, end, _whole(fields, "timestamp_ms", 1, 0xFFFF)
    )
    if (end - start) % CIRCLE > MOST_SPAN:
        raise EncodeError(f"ld06: from {start / 100} to {end / 100} degrees: expected {MOST_SPAN / 100:g} at the most")
    return _CHECK.sealed(body)


def _said(fields: Mapping[str, Value]) -> list[int]:
    """Distance and intensity of each point, one after the other."""
    try:
        rows = json.loads(str(fields.get("points")))
        numbers = [number for row in rows for number in (row["distance_mm"], row["intensity"])]
    except (ValueError, TypeError, KeyError):
        numbers = []
    mosts = (0xFFFF, 0xFF) * POINTS
    if len(numbers) != len(mosts) or not all(
        isinstance(number, int) and 0 <= number <= most for number, most in zip(numbers, mosts, strict=True)
    ):
        raise EncodeError(f"ld06: points: expected a list of {POINTS} with distance_mm and intensity")
    return numbers


def _whole(fields: Mapping[str, Value], name: str, scale: int, most: int) -> int:
    value = fields.get(name)
    number = round(value * scale) if isinstance(value, int | float) else -1
    if not 0 <= number <= most:
        raise EncodeError(f"ld06: {name}: {value!r:.20}: expected 0 to {most / scale:g}")
    return number


DEVICE = StreamDevice(
    name="ld06",
    title="LDROBOT LD06, LD19, LD20 lidar",
    domain="robot",
    source="LDROBOT, LD06 and LD19 Development Manual",
    fields=FIELDS,
    expected_every_s=1.0,
    sequence=Sequence((ListBits("points", "intensity", 1, 8, 255),)),
    serial=SerialSettings(baud=230400),
    decoder=lambda: BinaryFramer((Frame(START, SIZE, _frame, _CHECK, possible=_possible),)),
    encode=encode,
    longest_frame=SIZE,
    joined=Reduced,
)
