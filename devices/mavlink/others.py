"""Values of messages that are not described: named, scaled and typed by what the dialect says of them.

| in the dialect | field |
|---|---|
| a number | a float, by its name and unit: `press_abs` in hPa is `press_abs_hpa`; beyond 2^53 not to the last digit |
| scaled units (degE7, mm, cm/s, mV, cA, cdeg, d%) | in the unit itself: `lat` in degE7 is `lat_deg` |
| a number of an enumeration | the number, and its word as a text: `command` 176.0, `command_text` |
| bits | the number |
| a char array | a text: `param_id_text` |
| an array of up to MOST_APART numbers | one field each, from 0 on: `voltages_0_v` |
| a longer one, and bytes | one text: hex, or a list in JSON |

What opens a door (SECRETS) is not told. Values that mean "none" are absent for the messages of ABSENT; NaN always is.
A name that a described field has gets the message before it: the speed of WIND is `wind_speed_m_s`, for `speed_m_s` is
the vehicle's.

Source of the scales and of the values for "none": the message definitions of MAVLink (common.xml of 2026).
"""

from collections.abc import Mapping

from devices.mavlink.columns import Block, Column, Letters, Named, Number, Several
from devices.mavlink.fields import BY_NAME
from devices.spec.names import number_name, snake, text_name

MOST_APART = 32
MOST_BYTES_APART = 4

SECRETS = frozenset({"password", "passkey", "secret_key"})
"""Values that no store shall hold; and the key of AUTH_KEY."""

SCALES: Mapping[str, tuple[str, int, int]] = {
    "degE7": ("deg", 1, 10**7), "degE5": ("deg", 1, 10**5), "cdeg": ("deg", 1, 100), "deg/2": ("deg", 2, 1),
    "ddeg/s": ("deg/s", 1, 10), "mrad/s": ("rad/s", 1, 1000),
    "mm": ("m", 1, 1000), "cm": ("m", 1, 100), "dm": ("m", 1, 10), "dam": ("m", 10, 1),
    "mm/s": ("m/s", 1, 1000), "cm/s": ("m/s", 1, 100), "dm/s": ("m/s", 1, 10), "m/s*5": ("m/s", 1, 5),
    "m/s/s": ("m/s2", 1, 1), "mV": ("V", 1, 1000), "cV": ("V", 1, 100), "cA": ("A", 1, 100), "mA": ("A", 1, 1000),
    "d%": ("%", 1, 10), "c%": ("%", 1, 100), "cdegC": ("Cel", 1, 100), "degC": ("Cel", 1, 1), "hJ": ("J", 100, 1),
    "ds": ("s", 1, 10), "cs": ("s", 1, 100), "bytes": ("By", 1, 1), "rpm": ("{rev}/min", 1, 1), "mAh": ("mA.h", 1, 1),
    "MHz": ("kHz", 1000, 1),
}  # fmt: skip
"""Units of the dialect: ours, and how: value = raw * times / over. Others are as they are."""

MOMENTS = {"_usec": "us", "_ms": "ms", "_us": "us"}
"""How names end that have a time's unit in them."""

_U8, _I8, _U16, _I16, _U32, _I32 = 0xFF, 0x7F, 0xFFFF, 0x7FFF, 0xFFFF_FFFF, 0x7FFF_FFFF
_FIX = {"eph": _U16, "epv": _U16, "vel": _U16, "cog": _U16, "satellites_visible": _U8}

ABSENT: Mapping[str, Mapping[str, float]] = {
    "GPS2_RAW": {**_FIX, "yaw": 0},
    "HIL_GPS": _FIX,
    "PARAM_REQUEST_READ": {"param_index": -1},
    "RC_CHANNELS_SCALED": {**{f"chan{n}_scaled": _I16 for n in range(1, 9)}, "rssi": _U8},
    "RC_CHANNELS_RAW": {**{f"chan{n}_raw": _U16 for n in range(1, 9)}, "rssi": _U8},
    "RC_CHANNELS": {**{f"chan{n}_raw": _U16 for n in range(1, 19)}, "rssi": _U8},
    "RC_CHANNELS_OVERRIDE": {f"chan{n}_raw": _U16 for n in range(1, 9)},
    "HIL_RC_INPUTS_RAW": {"rssi": _U8},
    "RADIO_STATUS": {"rssi": _U8, "remrssi": _U8, "noise": _U8, "remnoise": _U8},
    "MISSION_CURRENT": {"total": _U16},
    "DISTANCE_SENSOR": {"covariance": _U8, "signal_quality": 0},
    "HIL_OPTICAL_FLOW": {"distance": -1.0},
    "CONTROL_SYSTEM_STATE": {"airspeed": -1.0},
    "GPS_INPUT": {"hdop": _U16, "vdop": _U16},
    "HIGH_LATENCY": {"gps_nsat": _U8},
    "HIGH_LATENCY2": {"battery": -1},
    "LOGGING_DATA": {"first_message_offset": _U8},
    "LOGGING_DATA_ACKED": {"first_message_offset": _U8},
    "CAMERA_FOV_STATUS": {f"{word}_{of}": _I32 for word in ("lat", "lon", "alt") for of in ("camera", "image")},
    "AIRSPEED": {"temperature": _I16},
    "GLOBAL_POSITION_SENSOR": {"lat": _I32, "lon": _I32},
    "OBSTACLE_DISTANCE": {"distances": _U16},
    "TRAJECTORY_REPRESENTATION_WAYPOINTS": {"command": _U16},
    "ONBOARD_COMPUTER_STATUS": {
        **dict.fromkeys(("cpu_cores", "cpu_combined", "gpu_cores", "gpu_combined"), _U8),
        **dict.fromkeys(("temperature_board", "temperature_core"), _I8),
        "fan_speed": _I16,
        **dict.fromkeys(("ram_usage", "ram_total", "storage_type", "storage_usage", "storage_total"), _U32),
        **dict.fromkeys(("link_tx_rate", "link_rx_rate", "link_tx_max", "link_rx_max"), _U32),
    },
    "WINCH_STATUS": {"temperature": _I16},
    "OPEN_DRONE_ID_LOCATION": {
        "direction": 36100, "timestamp": _U16,
        **dict.fromkeys(("altitude_barometric", "altitude_geodetic", "height"), -1000),
    },
    "OPEN_DRONE_ID_SYSTEM": dict.fromkeys(("area_ceiling", "area_floor", "operator_altitude_geo"), -1000),
    "OPEN_DRONE_ID_SYSTEM_UPDATE": {"operator_altitude_geo": -1000},
}  # fmt: skip
"""Values for "none", by message and by the name of the value, in raw numbers."""


COMMON = frozenset({"time_boot_ms", "time_us"})
"""Fields that mean the same in all messages."""


def column(
    message: str,
    at: int,
    wire: str,
    kind: str,
    count: int,
    unit: str,
    words: Mapping[int, str],
    absent: frozenset[float],
) -> Column:
    """The column of the value `wire` of a message, which the struct unpacks at `at`: `count` of it in an array, or 0.

    `kind` and `unit` are the dialect's, `words` those of its enumeration, empty for none and for bits.
    """
    stem = snake(wire)
    if kind == "char":
        return Letters(at, text_name(stem), max(count, 1))
    real, octets = kind in ("float", "double"), kind == "uint8_t"
    if count > MOST_APART or (octets and count > MOST_BYTES_APART and not unit):
        return Block(at, text_name(stem), count, octets)
    for ending, moment in MOMENTS.items():
        if stem.endswith(ending):
            stem, unit = stem.removesuffix(ending), moment
    known, times, over = SCALES.get(unit, (unit, 1, 1))

    def number(index: int, named: str) -> Number:
        name = number_name(named, known)
        if name in BY_NAME and name not in COMMON:
            name = number_name(f"{snake(message)}_{named}", known)
        return Number(at + index, name, times, over, absent, real=real, narrow=kind == "float")

    if count:
        return Several(tuple(number(index, f"{stem}_{index}") for index in range(count)))
    return Named(number(0, stem), text_name(stem), words) if words else number(0, stem)
