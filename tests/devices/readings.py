"""Random readings of a device type, drawn from its description."""

import json
from collections.abc import Callable
from datetime import date

from hypothesis import strategies as st

from devices.irobot import irobot_create1, irobot_oi
from devices.irobot.packets import Packet
from devices.p1.obis import CHANNELS, ROWS
from devices.spec.device import Device
from devices.spec.events import Reading, Value
from devices.spec.field import Field
from tests.device_types import BY_NAME

ANSWERS = {
    "mode", "power", "firmware", "working_period_min",
}  # fmt: skip
HOURS = st.builds(lambda hour, minute: f"{hour:02d}:{minute:02d}", st.integers(0, 23), st.integers(0, 59))
TEXTS: dict[str, st.SearchStrategy[str]] = {
    "sunrise": HOURS,
    "sunset": HOURS,
    "storm_start": st.dates(date(2000, 1, 1), date(2127, 12, 31)).map(date.isoformat),
    "pleth_samples": st.binary(min_size=25, max_size=25).map(lambda wave: "[" + ",".join(map(str, wave)) + "]"),
    "device_id": st.integers(0, 0xFFFF).map(lambda number: f"{number:04X}"),
}


def values(field: Field) -> st.SearchStrategy[Value]:
    """Any value the device can say, as the decoder would give it."""
    if field.kind == "flag":
        return st.booleans()
    if field.kind == "state":
        return st.sampled_from(field.states)
    if field.kind == "text":
        return TEXTS[field.name]
    assert field.minimum is not None, field.name
    assert field.maximum is not None, field.name
    assert field.step is not None, field.name
    if field.step > 1:
        step = field.step
        return st.integers(round(field.minimum / step), round(field.maximum / step)).map(lambda raw: raw * step)
    divisor = round(1 / field.step)
    raws = st.integers(round(field.minimum * divisor), round(field.maximum * divisor))
    if field.kind == "counter":
        return raws
    return raws.map(lambda raw: raw / divisor)


def readings(device: Device) -> st.SearchStrategy[Reading]:
    """Measurements with every required field and any of the optional ones."""
    special = SPECIAL.get(device.name)
    if special is not None:
        return special()
    if device.name.startswith("pms"):
        return plantower(device)
    fields = [field for field in device.fields if field.name not in ANSWERS]
    required = {field.name: values(field) for field in fields if not field.optional}
    optional = {field.name: values(field) for field in fields if field.optional}
    return st.fixed_dictionaries(required, optional=optional).map(lambda drawn: Reading(dict(drawn)))


def plantower(device: Device) -> st.SearchStrategy[Reading]:
    """All that a sensor measures, none of its counts more than that of a smaller size."""
    measured = {field.name: values(field) for field in device.fields if field.name not in ANSWERS}
    return st.fixed_dictionaries(measured).map(lambda drawn: Reading(_counted(drawn)))


def _counted(drawn: dict[str, Value]) -> dict[str, Value]:
    names = [name for name in drawn if name.startswith("particles_")]
    counts = sorted((float(drawn[name]) for name in names), reverse=True)
    return drawn | dict(zip(names, counts, strict=True))


def sentences() -> st.SearchStrategy[Reading]:
    """NMEA 0183 sentences of a receiver with a fix."""
    listed = {field.name: field for field in BY_NAME["nmea0183"].fields}
    place = ("latitude_deg", "longitude_deg")
    motion = ("speed_kn", "course_deg")
    return st.one_of(
        _sentence("RMC", [listed[name] for name in (*place, *motion, "magnetic_variation_deg")], timed=True),
        _sentence("VTG", [listed[name] for name in (*motion, "course_magnetic_deg", "speed_km_h")]),
        _sentence(
            "GGA",
            [listed[name] for name in (*place, "altitude_m", "hdop", "satellites_used", "geoid_separation_m")],
        ),
        _group(),
    )


def _sentence(name: str, fields: list[Field], timed: bool = False) -> st.SearchStrategy[Reading]:
    drawn = st.fixed_dictionaries({field.name: values(field) for field in fields})
    talkers = st.sampled_from(("GP", "GN", "GL", "GA", "GB"))
    times = st.integers(315_532_800_00, 3_471_292_799_99).map(lambda hundredth: hundredth * 10_000_000)
    return st.builds(
        lambda found, talker, time_ns: Reading(dict(found), time_ns, tags={"sentence": name, "talker": talker}),
        drawn,
        talkers,
        times if timed else st.none(),
    )


def _group() -> st.SearchStrategy[Reading]:
    satellite = st.builds(
        lambda prn, elevation, azimuth, level: {
            "prn": prn,
            "elevation_deg": elevation,
            "azimuth_deg": azimuth,
            "snr_db_hz": level,
        },
        st.integers(1, 99),
        st.one_of(st.none(), st.integers(0, 90)),
        st.one_of(st.none(), st.integers(0, 359)),
        st.one_of(st.none(), st.integers(0, 60)),
    )
    return st.builds(
        lambda sky, signal: Reading(
            {"satellites_in_view": len(sky), "satellites": json.dumps(sky, separators=(",", ":"))},
            tags={"sentence": "GSV", "talker": "GP", **({"signal": signal} if signal else {})},
        ),
        st.lists(satellite, max_size=36),
        st.sampled_from(("", "1", "5")),
    )


def vehicle_messages() -> st.SearchStrategy[Reading]:
    """Some of the described messages of MAVLink, each with values of its own or without them."""
    listed = {field.name: field for field in BY_NAME["mavlink"].fields}
    angles = {name: st.integers(-3_141_592, 3_141_592).map(lambda raw: raw / 10**6)
              for name in ("roll_rad", "pitch_rad", "yaw_rad")}  # fmt: skip
    numbers = {
        "SYS_STATUS": ("load_pct", "battery_v", "battery_a", "battery_pct", "drop_rate_pct", "comm_errors"),
        "GLOBAL_POSITION_INT": ("relative_altitude_m", "vx_m_s", "vy_m_s", "vz_m_s"),
    }
    limits = {"battery_v": (0, 65_534), "relative_altitude_m": (-2_000_000, 2_000_000), "battery_a": (0, 32_767),
              "battery_pct": (0, 127)}  # fmt: skip

    def value(name: str) -> st.SearchStrategy[Value]:
        if name not in limits:
            return values(listed[name])
        step = listed[name].step or 1
        return st.integers(*limits[name]).map(lambda raw: raw / round(1 / step))

    def said(message: str, fields: dict[str, st.SearchStrategy[Value]]) -> st.SearchStrategy[Reading]:
        drawn = st.fixed_dictionaries(fields)
        ids = st.integers(0, 255)
        return st.builds(
            lambda seq, system, component, version, found: Reading(
                {"seq": seq, "system_id": system, "component_id": component, "wire_version": version, **found},
                None, f"{system}-{component}", {"message": message},
            ),
            ids, ids, ids, st.integers(1, 2), drawn,
        )  # fmt: skip

    zero = {"time_boot_ms": st.just(0.0)}
    messages = {message: {name: value(name) for name in names} for message, names in numbers.items()}
    messages["SYS_STATUS"] |= {f"sensors_{word}": st.just(0) for word in ("present", "enabled", "health")}
    messages["GLOBAL_POSITION_INT"] |= zero | {"altitude_m": st.just(0.0), "heading_deg": st.just(0.0)}
    return st.one_of(said("ATTITUDE", angles | zero), *(said(name, fields) for name, fields in messages.items()))


def telegrams(version_2: bool) -> st.SearchStrategy[Reading]:
    """A smart meter's telegrams, or what a meter on one of its channels shows."""
    device = BY_NAME["dsmr"]
    rows = {row.field.name for row in ROWS}
    house = st.fixed_dictionaries(
        {}, optional={field.name: values(field) for field in device.fields if field.name in rows}
    )
    times = st.integers(946_684_800, 4_102_441_199).map(lambda second: second * 1_000_000_000)
    whole = st.builds(
        lambda fields, time_ns: Reading(dict(fields), None if version_2 else time_ns),
        house.filter(bool),
        st.one_of(st.none(), times),
    )
    channels = st.sampled_from(CHANNELS).flatmap(
        lambda field: st.builds(
            lambda value, channel, time_ns: Reading({field.name: value}, time_ns, tags={"channel": channel}),
            values(field),
            st.sampled_from("123456789"),
            times,
        )
    )
    return whole if version_2 else st.one_of(whole, channels)


def modbus_frames() -> st.SearchStrategy[Reading]:
    """Frames of a Modbus line, each by itself: questions for registers, answers, refusals."""

    def told(message: str, fields: st.SearchStrategy[dict[str, Value]]) -> st.SearchStrategy[Reading]:
        return st.builds(
            lambda unit, function, drawn: Reading(
                {"message": message, "function_code": function, **drawn}, tags={"unit": str(unit)}
            ),
            st.integers(0, 255),
            st.sampled_from((3, 4)),
            fields,
        )

    question = st.fixed_dictionaries({"address": st.integers(0, 65535), "count": st.integers(1, 125)})
    answer = st.integers(0, 65535).map(lambda word: {"word_0": float(word)})
    return st.one_of(
        told("question", question), told("answer", answer), told("refusal", st.just({"exception_code": 2}))
    )


def lidar_frames() -> st.SearchStrategy[Reading]:
    """Frames of the lidar, any points."""
    names = ("speed_deg_s", "timestamp_ms")
    listed = {field.name: field for field in BY_NAME["ld06"].fields}
    points = st.binary(min_size=36, max_size=36).map(
        lambda raw: json.dumps(
            [{"distance_mm": raw[at] << 8 | raw[at + 1], "intensity": raw[at + 2]} for at in range(0, 36, 3)],
            separators=(",", ":"),
        )
    )
    return st.builds(
        lambda numbers, start, span, said: Reading(
            {**numbers, "start_deg": start / 100, "end_deg": (start + span) % 36_000 / 100, "points": said}
        ),
        st.fixed_dictionaries({name: values(listed[name]) for name in names}),
        st.integers(0, 35_999),
        st.integers(0, 2_500),
        points,
    )


def robot_packets(name: str) -> st.SearchStrategy[Reading]:
    """Whole packets of a robot's stream, whichever."""
    table = irobot_oi.TABLE if name == "irobot-oi" else irobot_create1.TABLE
    packets = [packet for packet in table.packets.values() if packet.fields]

    def said(chosen: list[Packet]) -> st.SearchStrategy[Reading]:
        fields = {field.name: values(field) for packet in chosen for field in packet.fields}
        return st.fixed_dictionaries(fields).map(lambda drawn: Reading(dict(drawn)))

    return st.lists(st.sampled_from(packets), min_size=1, max_size=6, unique=True).flatmap(said)


def pressure_records() -> st.SearchStrategy[Reading]:
    """Records of a blood pressure monitor: whole minutes, of one of its users."""
    fields = {field.name: values(field) for field in BY_NAME["jpi-bp"].fields}
    return st.builds(
        lambda drawn, minute, user: Reading(dict(drawn), minute * 60_000_000_000, tags={"user": user}),
        st.fixed_dictionaries(fields),
        st.integers(15_778_080, 68_374_079),  # 2000 to 2099
        st.sampled_from("12"),
    )


SPECIAL: dict[str, Callable[[], st.SearchStrategy[Reading]]] = {
    "nmea0183": sentences,
    "jpi-bp": pressure_records,
    "mavlink": vehicle_messages,
    "dsmr": lambda: telegrams(False),
    "dsmr-v2": lambda: telegrams(True),
    "ld06": lidar_frames,
    "irobot-oi": lambda: robot_packets("irobot-oi"),
    "irobot-create1": lambda: robot_packets("irobot-create1"),
    "modbus-rtu": modbus_frames,
}
