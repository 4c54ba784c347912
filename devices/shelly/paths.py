"""The topics and the status of a Shelly of the first generation, and what their values are called here.

    shellies/<id>/relay/0/power         12.5            power_w
    shellies/<id>/relay/1/energy        3456            energy_1_w_min
    shellies/<id>/emeter/2/total        0.5             energy_2_wh
    shellies/<id>/info                  {"relays": [{"ison": true}], "meters": [{"power": 12.5, "total": 3456}], …}

A channel's number stands behind the quantity, 0 nowhere. The energy of a relay, a roller or a light is in
watt-minutes, that of an energy meter in watt-hours (`total`) and, on topics of its own, in watt-minutes, too
(`energy`). What a status says twice (the power of a light and of its meter) is taken once.

In a status a value that says `"is_valid": false` beside it is void and left out, as are names and addresses of
networks, versions, timers, and the minutes before (`counters`). Temperatures are in °C; what is the same in °F is left
out. A position of -1 or 101 is that of a roller that has not been calibrated, a vibration of -1 none.

Source: shelly-api-docs.shelly.cloud, Gen1: "MQTT" and "/status" of each device; fixtures of home-assistant-libs/
aioshelly@75b7e94aa582.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from devices.shelly.fields import GEN1_BY_NAME
from devices.spec.names import Values, flag_name, number, number_name, text_name, text_of


class Path(NamedTuple):
    """A quantity in lower snake, its unit, and how it is written."""

    stem: str
    unit: str = ""
    kind: Literal["number", "flag", "text"] = "number"
    absent: tuple[float, ...] = ()


_POSITION = Path("position", "%", absent=(-1.0, 101.0))
_METER = {"power": Path("power", "W"), "energy": Path("energy", "W.min")}
_EMETER = {
    "power": Path("power", "W"), "reactive_power": Path("reactive_power", "var"), "voltage": Path("voltage", "V"),
    "current": Path("current", "A"), "pf": Path("power_factor"), "energy": Path("energy", "W.min"),
    "returned_energy": Path("returned_energy", "W.min"), "total": Path("energy", "W.h"),
    "total_returned": Path("returned_energy", "W.h"),
}  # fmt: skip
_SENSOR = {
    "temperature": Path("temperature", "Cel"), "humidity": Path("humidity", "%"), "battery": Path("battery", "%"),
    "lux": Path("illuminance", "lx"), "tilt": Path("tilt", "deg"), "concentration": Path("gas", "[ppm]"),
    "flood": Path("flood", kind="flag"), "smoke": Path("smoke", kind="flag"), "motion": Path("motion", kind="flag"),
    "vibration": Path("vibration", kind="flag"), "ext_power": Path("external_power", kind="flag"),
    "charger": Path("external_power", kind="flag"), "state": Path("opening", kind="flag"),
    "illumination": Path("illumination", kind="text"), "gas": Path("gas_alarm", kind="text"),
    "operation": Path("gas_sensor", kind="text"), "self_test": Path("self_test", kind="text"),
    "act_reasons": Path("reason", kind="text"), "error": Path("error_code"), "active": Path("active", kind="flag"),
}  # fmt: skip

TOPICS: Mapping[str, Path] = {
    **{f"relay/+/{name}": path for name, path in _METER.items()},
    **{f"roller/+/{name}": path for name, path in _METER.items()},
    **{f"light/+/{name}": path for name, path in _METER.items()},
    **{f"white/+/{name}": path for name, path in _METER.items()},
    **{f"color/+/{name}": path for name, path in _METER.items()},
    **{f"emeter/+/{name}": path for name, path in _EMETER.items()},
    **{f"sensor/{name}": path for name, path in _SENSOR.items()},
    "relay/+/overpower_value": Path("overpower", "W"),
    "roller/+": Path("roller", kind="text"), "roller/+/pos": _POSITION,
    "roller/+/stop_reason": Path("stop_reason", kind="text"),
    "light/+": Path("output", kind="flag"), "white/+": Path("output", kind="flag"),
    "color/+": Path("output", kind="flag"),
    "input/+": Path("input", kind="flag"), "longpush/+": Path("longpush", kind="flag"),
    "temperature": Path("device_temperature", "Cel"), "overtemperature": Path("overtemperature", kind="flag"),
    "temperature_status": Path("temperature_status", kind="text"), "voltage": Path("voltage", "V"),
    "adc/+": Path("adc", "V"), "ext_temperature/+": Path("ext_temperature", "Cel"),
    "ext_humidity/+": Path("ext_humidity", "%"), "ext_switch/+": Path("ext_switch", kind="flag"),
    "valve/+/state": Path("valve", kind="text"), "emeter_n/current": Path("neutral_current", "A"),
}  # fmt: skip
"""What is plain text on a topic of its own, by the levels below the device; + is the channel."""

_LIGHT = {
    "ison": Path("output", kind="flag"), "mode": Path("mode", kind="text"), "brightness": Path("brightness", "%"),
    "gain": Path("gain", "%"), "white": Path("white"), "red": Path("red"), "green": Path("green"),
    "blue": Path("blue"), "temp": Path("colour_temperature", "K"), "effect": Path("effect"),
    "power": Path("power", "W"), "overpower": Path("overpower", kind="flag"),
}  # fmt: skip
LISTS: Mapping[str, Mapping[str, Path]] = {
    "relays": {"ison": Path("output", kind="flag"), "overpower": Path("overpower", kind="flag"),
               "source": Path("source", kind="text"), "overtemperature": Path("overtemperature", kind="flag")},
    "meters": {"power": Path("power", "W"), "total": Path("energy", "W.min")},
    "emeters": _EMETER | {"reactive": Path("reactive_power", "var")},
    "inputs": {"input": Path("input", kind="flag"), "event": Path("input_event", kind="text"),
               "event_cnt": Path("input_event_count")},
    "rollers": {"state": Path("roller", kind="text"), "power": Path("power", "W"), "current_pos": _POSITION,
                "stop_reason": Path("stop_reason", kind="text"), "last_direction": Path("last_direction", kind="text"),
                "overtemperature": Path("overtemperature", kind="flag")},
    "lights": _LIGHT, "adcs": {"voltage": Path("adc", "V")}, "valves": {"state": Path("valve", kind="text")},
    "thermostats": {"pos": _POSITION, "target_t.value": Path("target", "Cel"),
                    "tmp.value": Path("temperature", "Cel")},
    "ext_temperature": {"tC": Path("ext_temperature", "Cel")}, "ext_humidity": {"hum": Path("ext_humidity", "%")},
    "ext_switch": {"input": Path("ext_switch", kind="flag")},
}  # fmt: skip
"""Channels of a status, in a list or by their numbers."""

OBJECTS: Mapping[str, Mapping[str, Path]] = {
    "hum": {"value": Path("humidity", "%")}, "bat": {"value": Path("battery", "%"), "voltage": Path("battery", "V")},
    "lux": {"value": Path("illuminance", "lx"), "illumination": Path("illumination", kind="text")},
    "sensor": {"state": Path("opening", kind="flag"), "motion": Path("motion", kind="flag"),
               "vibration": Path("vibration", kind="flag"), "active": Path("active", kind="flag")},
    "accel": {"tilt": Path("tilt", "deg"), "vibration": Path("vibration", kind="flag")},
    "concentration": {"ppm": Path("gas", "[ppm]")},
    "gas_sensor": {"sensor_state": Path("gas_sensor", kind="text"), "alarm_state": Path("gas_alarm", kind="text"),
                   "self_test_state": Path("self_test", kind="text")},
    "wifi_sta": {"rssi": Path("rssi", "dBm")}, "emeter_n": {"current": Path("neutral_current", "A")},
}  # fmt: skip
"""Objects of a status."""

PLAIN: Mapping[str, Path] = {
    "temperature": Path("device_temperature", "Cel"), "overtemperature": Path("overtemperature", kind="flag"),
    "temperature_status": Path("temperature_status", kind="text"), "voltage": Path("voltage", "V"),
    "flood": Path("flood", kind="flag"), "smoke": Path("smoke", kind="flag"), "motion": Path("motion", kind="flag"),
    "vibration": Path("vibration", kind="flag"), "active": Path("active", kind="flag"), "uptime": Path("uptime", "s"),
    "ram_free": Path("ram_free", "By"), "total_power": Path("total_power", "W"),
    "charger": Path("external_power", kind="flag"), "lux": Path("illuminance", "lx"), "bat": Path("battery", "%"),
    "act_reasons": Path("reason", kind="text"),
}  # fmt: skip
"""Values of a status that stand alone."""

_FLAGS: Mapping[str, bool] = {
    "on": True, "off": False, "true": True, "false": False, "1": True, "0": False, "open": True, "close": False,
    "closed": False,
}  # fmt: skip
_UNKNOWN = ("unknown", "-1", -1)
_CHANNEL = re.compile(r"\d{1,3}")
MOST_CHANNELS = 32


def topic_path(levels: list[str]) -> tuple[Path | None, str]:
    """What the levels below a device name, and the ending of the channel."""
    name, behind = [], ""
    for level in levels:
        if _CHANNEL.fullmatch(level):
            name.append("+")
            behind = ending(int(level))
        else:
            name.append(level)
    return TOPICS.get("/".join(name)), behind


def ending(channel: int) -> str:
    return f"_{channel}" if channel else ""


def put(values: Values, path: Path, behind: str, value: Any) -> None:
    """One value: a text of a topic, or what stands in a status. An empty text and null are absent."""
    stem = path.stem + behind
    if value is None or value == "":
        return
    if path.kind == "flag":
        word = value if isinstance(value, bool) else _FLAGS.get(text_of(value).lower())
        if word is None:
            if value not in _UNKNOWN:
                values.wrong(f"{stem}: expected on or off, got {text_of(value)[:40]!r}")
        elif flag_name(stem) not in values.fields:
            values.flag(stem, word)
    elif path.kind == "text":
        if text_name(stem) not in values.fields:
            values.text(stem, ",".join(map(str, value)) if isinstance(value, list) else value)
    else:
        _number(values, stem, path, value)


def _number(values: Values, stem: str, path: Path, value: Any) -> None:
    found, name = number(value), number_name(stem, path.unit)
    if found in path.absent or name in values.fields:
        return
    field = None if found is None else GEN1_BY_NAME.get(name)
    if field is not None and found is not None and (wrong := field.outside(found)):
        values.wrong(wrong)
    else:
        values.number(stem, value, path.unit)


def read_status(values: Values, status: Mapping[str, Any]) -> None:
    """A whole status, as in `info` and over HTTP."""
    for name, said in status.items():
        if name in LISTS and isinstance(said, list | dict):
            _channels(values, LISTS[name], said)
        elif name in OBJECTS and isinstance(said, dict):
            _object(values, OBJECTS[name], "", said)
        elif name == "tmp" and isinstance(said, dict):
            if said.get("tC") != status.get("temperature"):  # else it is the device's own, once more
                _object(values, {"tC": Path("temperature", "Cel")}, "", said)
        elif name in PLAIN and not isinstance(said, dict):
            put(values, PLAIN[name], "", said)


def _channels(values: Values, table: Mapping[str, Path], said: Any) -> None:
    rows = enumerate(said[:MOST_CHANNELS]) if isinstance(said, list) else list(said.items())[:MOST_CHANNELS]
    for key, row in rows:
        if isinstance(row, dict) and _CHANNEL.fullmatch(str(key)):
            _object(values, table, ending(int(key)), row)


def _object(values: Values, table: Mapping[str, Path], behind: str, said: Mapping[str, Any]) -> None:
    if said.get("is_valid") is False:
        return
    for name, path in table.items():
        outer, _, inner = name.partition(".")
        value = said.get(outer)
        if inner:
            value = value.get(inner) if isinstance(value, dict) and value.get("is_valid") is not False else None
        put(values, path, behind, value)
