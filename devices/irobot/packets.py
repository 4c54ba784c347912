"""The sensor packets of iRobot's Open Interface: what each is called, how long it is, what it says.

Numbers are big-endian. Packets 7 to 42 are those of all robots, 43 to 58 of Create 2 and Roomba 500 and later; 16, and
on those robots 32 and 33, say nothing. Groups are packets one behind the other:

    0: 7-26   1: 7-16   2: 17-20   3: 21-26   4: 27-34   5: 35-42   6: 7-42
    100: 7-58   101: 43-58   106: 46-51   107: 54-58

Source: iRobot, Create 2 Open Interface specification (2018), Roomba 500 and Create Open Interface specifications.
Unknown: packets beyond 58 of other robots; whether encoders count with a sign (so for Create 2) or without (so for
Roomba 500): they wrap at 16 bits either way, so only differences mean something.
"""

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.field import Field, Threshold

CHARGING = ("NOT_CHARGING", "RECONDITIONING", "FULL_CHARGING", "TRICKLE_CHARGING", "WAITING", "FAULT")
MODES = ("OFF", "PASSIVE", "SAFE", "FULL")
STRAIGHT = (-0x8000, 0x7FFF)


class Packet(NamedTuple):
    """One packet: `code` of its number, and what it is: a field that is the number over `over`, or `flags` by bit."""

    code: str
    field: Field | None = None
    over: int = 1
    flags: tuple[tuple[int, Field], ...] = ()
    absent: tuple[int, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(flag for _, flag in self.flags) if self.field is None else (self.field,)

    def take(self, raw: int, fields: dict[str, Value], wrong: list[str]) -> None:
        """Put what the number says into `fields`, and words about what cannot be into `wrong`."""
        for bit, flag in self.flags:
            fields[flag.name] = bool(raw >> bit & 1)
        field = self.field
        if field is None or raw in self.absent:
            return
        if field.kind == "state":
            if raw < len(field.states):
                fields[field.name] = field.states[raw]
            else:
                wrong.append(f"{field.name}: {raw} is none of its states")
            return
        value = raw if field.kind == "counter" else raw / self.over
        words = field.outside(value)
        if words is None:
            fields[field.name] = value
        else:
            wrong.append(words)

    def give(self, left: dict[str, Value]) -> int | None:
        """The number that says the fields in `left`, which are taken out of it; None where they are not all there."""
        if not all(field.name in left for field in self.fields):
            return self.absent[0] if self.absent else None
        if self.field is None:
            return sum(bool(left.pop(flag.name)) << bit for bit, flag in self.flags)
        value = left.pop(self.field.name)
        if self.field.kind == "state":
            if value not in self.field.states:
                raise EncodeError(f"{self.field.name}: {value!r:.40} is none of its states")
            return self.field.states.index(str(value))
        if isinstance(value, str) or self.field.outside(value):
            raise EncodeError(f"{self.field.name}: {value!r:.40} cannot be said")
        return round(value * self.over)


def _flags(*bits: tuple[int, str, str], panel: bool = False) -> Packet:
    fields = [(bit, Field(name, "1", words, kind="flag", optional=True, panel=panel)) for bit, name, words in bits]
    return Packet("B", flags=tuple(fields))


def _state(name: str, description: str, states: tuple[str, ...]) -> Packet:
    return Packet("B", Field(name, "1", description, kind="state", states=states, optional=True))


def _counter(code: str, name: str, description: str, low: int, high: int) -> Packet:
    return Packet(code, Field(name, "1", description, kind="counter", minimum=low, maximum=high, step=1, optional=True,
                              panel=False))  # fmt: skip


def _measure(code: str, name: str, unit: str, description: str, low: float, high: float, over: int = 1, *,
             absent: tuple[int, ...] = (), panel: bool = False) -> Packet:  # fmt: skip
    field = Field(name, unit, description, minimum=low, maximum=high, step=1 / over, optional=True, panel=panel)
    return Packet(code, field, over, absent=absent)


def _signal(name: str, description: str) -> Packet:
    return _measure("H", name, "1", f"Signal of the {description} sensor", 0, 4095)


def _light(name: str) -> Packet:
    return _signal(f"light_bump_{name}_signal", f"{name.replace('_', ' ')} light bump")


def _current(name: str) -> Packet:
    return _measure("h", f"{name}_a", "A", f"Current of the {name.replace('_', ' ')}", -32.768, 32.767, 1000)


def _speed(name: str, description: str) -> Packet:
    return _measure("h", name, "m/s", description, -32.768, 32.767, 1000)


_LIGHTS = ("left", "front_left", "center_left", "center_right", "front_right", "right")
_BUTTONS = ("clean", "spot", "dock", "minute", "hour", "day", "schedule", "clock")

PACKETS: Mapping[int, Packet] = {
    7: _flags((0, "bump_right", "Bumped on the right"), (1, "bump_left", "Bumped on the left"),
              (2, "wheel_drop_right", "The right wheel hangs"), (3, "wheel_drop_left", "The left wheel hangs"),
              panel=True),
    8: _flags((0, "wall", "A wall on the right")),
    9: _flags((0, "cliff_left", "No floor on the left"), panel=True),
    10: _flags((0, "cliff_front_left", "No floor in front, left"), panel=True),
    11: _flags((0, "cliff_front_right", "No floor in front, right"), panel=True),
    12: _flags((0, "cliff_right", "No floor on the right"), panel=True),
    13: _flags((0, "virtual_wall", "A virtual wall is seen")),
    14: _flags((0, "overcurrent_side_brush", "The side brush draws too much"),
               (2, "overcurrent_main_brush", "The main brush draws too much"),
               (3, "overcurrent_right_wheel", "The right wheel draws too much"),
               (4, "overcurrent_left_wheel", "The left wheel draws too much")),
    15: _measure("B", "dirt_detect", "1", "How dirty the floor is", 0, 255, panel=True),
    16: Packet("B"),
    17: _counter("B", "infrared_omni", "Character of infrared that is received, 0 for none", 0, 255),
    18: _flags(*((bit, f"button_{name}", f"The button {name} is pressed") for bit, name in enumerate(_BUTTONS))),
    19: _measure("h", "distance_mm", "mm", "Driven since it was last said", -32_768, 32_767),
    20: _measure("h", "angle_deg", "deg", "Turned since it was last said, counterclockwise", -32_768, 32_767),
    21: _state("charging_state", "What the charger does", CHARGING),
    22: _measure("H", "battery_v", "V", "Battery voltage", 0.0, 65.535, 1000, panel=True),
    23: _measure("h", "battery_a", "A", "Battery current, into it above zero", -32.768, 32.767, 1000, panel=True),
    24: _measure("b", "temperature_c", "Cel", "Temperature of the battery", -128, 127, panel=True),
    25: _measure("H", "battery_charge_mah", "mA.h", "Charge of the battery", 0, 65_535),
    26: _measure("H", "battery_capacity_mah", "mA.h", "Estimated capacity of the battery", 0, 65_535),
    27: _signal("wall_signal", "wall"),
    28: _signal("cliff_left_signal", "left cliff"),
    29: _signal("cliff_front_left_signal", "front left cliff"),
    30: _signal("cliff_front_right_signal", "front right cliff"),
    31: _signal("cliff_right_signal", "right cliff"),
    32: Packet("B"),
    33: Packet("H"),
    34: _flags((0, "charger_internal", "The internal charger has power"),
               (1, "charger_home_base", "It is on the dock")),
    35: _state("oi_mode", "Mode of the interface", MODES),
    36: _counter("B", "song_number", "Song that is chosen", 0, 255),
    37: _flags((0, "song_playing", "A song is playing")),
    38: _counter("B", "stream_packet_count", "Packets in the stream", 0, 255),
    39: _speed("requested_speed_m_s", "Speed that was asked for"),
    40: _measure("h", "requested_radius_mm", "mm", "Radius that was asked for; none: straight on", -32_767, 32_766,
                 absent=STRAIGHT),
    41: _speed("requested_right_m_s", "Speed of the right wheel that was asked for"),
    42: _speed("requested_left_m_s", "Speed of the left wheel that was asked for"),
    43: _counter("h", "encoder_left_count", "Encoder of the left wheel, wraps at 16 bits", -32_768, 32_767),
    44: _counter("h", "encoder_right_count", "Encoder of the right wheel, wraps at 16 bits", -32_768, 32_767),
    45: _flags(*((bit, f"light_bump_{name}", f"Something near, {name.replace('_', ' ')}")
                 for bit, name in enumerate(_LIGHTS))),
    **{46 + n: _light(name) for n, name in enumerate(_LIGHTS)},
    52: _counter("B", "infrared_left", "Character of infrared on the left, 0 for none", 0, 255),
    53: _counter("B", "infrared_right", "Character of infrared on the right, 0 for none", 0, 255),
    54: _current("left_motor"),
    55: _current("right_motor"),
    56: _current("main_brush_motor"),
    57: _current("side_brush_motor"),
    58: _flags((0, "stasis", "It makes progress forward"), (1, "stasis_disabled", "The stasis sensor is dirty")),
}  # fmt: skip

CARGO_BAY: dict[int, Packet] = {
    32: _flags((0, "cargo_input_0", "Digital input 0"), (1, "cargo_input_1", "Digital input 1"),
               (2, "cargo_input_2", "Digital input 2"), (3, "cargo_input_3", "Digital input 3"),
               (4, "cargo_detect", "A device is in the cargo bay")),
    33: _measure("H", "cargo_signal", "1", "Analog input, 1023 is 5 V", 0, 1023),
}  # fmt: skip
"""What packets 32 and 33 are of the first Create."""

CASTER = (4, Field("wheel_drop_caster", "1", "The caster hangs", kind="flag", optional=True))
"""The bit of packet 7 that only the first Create has."""

GROUPS: Mapping[int, range] = {
    0: range(7, 27), 1: range(7, 17), 2: range(17, 21), 3: range(21, 27), 4: range(27, 35), 5: range(35, 43),
    6: range(7, 43), 100: range(7, 59), 101: range(43, 59), 106: range(46, 52), 107: range(54, 59),
}  # fmt: skip

BATTERY_PCT = Field(
    "battery_pct", "%", "Charge over capacity", minimum=0.0, maximum=100.0, step=0.1, optional=True,
    thresholds=(Threshold(0.0, "bad"), Threshold(20.0, "poor"), Threshold(40.0, "good")),
)  # fmt: skip
"""Made of packets 25 and 26 where both are there."""


class Table:
    """The packets and groups of one kind of robot, by id."""

    def __init__(self, packets: Mapping[int, Packet], groups: Mapping[int, range]) -> None:
        self.packets = dict(packets)
        self.groups = dict(groups)
        self.fields = (*(field for packet in packets.values() for field in packet.fields), BATTERY_PCT)
        self._structs = {number: Struct(">" + packet.code) for number, packet in packets.items()}
        for number, members in groups.items():
            self._structs[number] = Struct(">" + "".join(packets[each].code for each in members))

    @property
    def sizes(self) -> Mapping[int, Struct]:
        """What is known of packets and groups by id."""
        return self._structs

    def walk(self, data: bytes) -> tuple[tuple[int, ...], int]:
        """The ids in the bytes of a stream frame, and how many of the bytes they take; what is behind an unknown
        id, or an id whose bytes are not all there, is not walked."""
        ids, at = [], 0
        while at < len(data):
            found = self._structs.get(data[at])
            if found is None or at + 1 + found.size > len(data):
                break
            ids.append(data[at])
            at += 1 + found.size
        return tuple(ids), at

    def take(self, data: bytes, ids: tuple[int, ...]) -> tuple[dict[str, Value], list[str]]:
        """The fields of the packets `ids`, and words about what is left out."""
        fields: dict[str, Value] = {}
        wrong: list[str] = []
        at = 0
        for number in ids:
            found = self._structs[number]
            members = self.groups.get(number, (number,))
            for each, raw in zip(members, found.unpack_from(data, at + 1), strict=True):
                self.packets[each].take(raw, fields, wrong)
            at += 1 + found.size
        charge, capacity = fields.get("battery_charge_mah"), fields.get("battery_capacity_mah")
        if isinstance(charge, float) and isinstance(capacity, float) and 0 < charge <= capacity:
            fields[BATTERY_PCT.name] = round(100.0 * charge / capacity, 1)
        return fields, wrong

    def give(self, fields: Mapping[str, Value]) -> bytes:
        """Ids and bytes that say `fields`: as the largest group that they fill, else packet by packet.

        EncodeError where no packet says one of them.
        """
        left = dict(fields)
        left.pop(BATTERY_PCT.name, None)
        named = set(left)
        raws: dict[int, int | None] = {}
        for number, packet in self.packets.items():
            absent = packet.absent and not any(field.name in named for field in packet.fields)
            raws[number] = packet.give(left) if packet.fields and not absent else None
        if left:
            raise EncodeError(f"{', '.join(sorted(left))}: no packet says that alone")
        said = {number for number, raw in raws.items() if raw is not None}
        for group in (100, 6):
            members = self.groups.get(group, range(0))
            needed = {each for each in members if self.packets[each].fields and not self.packets[each].absent}
            if needed and needed <= said <= {*members}:
                values = [self._or_none(each, raws[each]) for each in members]
                return bytes((group,)) + self._structs[group].pack(*values)
        return b"".join(bytes((each,)) + self._structs[each].pack(raws[each]) for each in sorted(said))

    def _or_none(self, number: int, raw: int | None) -> int:
        packet = self.packets[number]
        return raw if raw is not None else packet.absent[0] if packet.absent else 0
