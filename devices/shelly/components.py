"""The components of a Shelly of the second generation and later, and what their values are called here.

    "switch:0": {"output": true, "apower": 0.8, "aenergy": {"total": 922.3}}     output_flag, power_w, energy_wh
    "switch:2": {"apower": 4.5}                                                  power_2_w
    "temperature:100": {"tC": 21.5, "tF": 70.7}                                  temperature_100_c
    "em:0": {"a_voltage": 229.0, "total_act_power": 558.9}                       phase_a_voltage_v, total_power_w
    "bthomesensor:200": {"value": 21.5}                                          bthomesensor_200

A number behind the component stands behind the quantity, 0 nowhere. switch, cover, light, pm1, em1 and em1data are
what a device is there for, and leave their name out, as do the sensors whose quantity says it; of all others the name
comes first. What is in no table keeps its own name and has no unit.

Left out: minutes and times of counters, degrees Fahrenheit beside Celsius, names and addresses of networks, versions.
A null is absent: in a NotifyStatus it says that the key is gone. Of `errors`, what is there is kept as one text, and
the end of them as an empty one.

Source: shelly-api-docs.shelly.cloud, Gen2+, "Component and Services": Status of each; kvs of home-assistant-libs/
aioshelly@ea7a88f477a1, fixtures.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from devices.shelly.fields import BY_NAME
from devices.spec.names import Values, number, number_name, snake

MAX_DEPTH = 3


class Key(NamedTuple):
    """A quantity in lower snake, and its unit; `number` says that the component's number stands behind the stem."""

    stem: str
    unit: str = ""


_METER: dict[str, Key] = {
    "apower": Key("power", "W"), "act_power": Key("power", "W"), "voltage": Key("voltage", "V"),
    "current": Key("current", "A"), "pf": Key("power_factor"), "freq": Key("mains_frequency", "Hz"),
    "aprtpower": Key("apparent_power", "V.A"), "aprt_power": Key("apparent_power", "V.A"),
    "aenergy.total": Key("energy", "W.h"), "ret_aenergy.total": Key("returned_energy", "W.h"),
    "total_act_energy": Key("energy", "W.h"), "total_act_ret_energy": Key("returned_energy", "W.h"),
    "temperature.tC": Key("device_temperature", "Cel"),
}  # fmt: skip
_OUTPUT: dict[str, Key] = _METER | {
    "brightness": Key("brightness", "%"), "white": Key("white"), "ct": Key("colour_temperature", "K"),
    "timer_duration": Key("timer", "s"), "current_pos": Key("position", "%"), "target_pos": Key("target_position", "%"),
    "slat_pos": Key("slat_position", "%"), "move_timeout": Key("move_timeout", "s"),
}  # fmt: skip


def _phases() -> dict[str, Key]:
    found = {
        "n_current": Key("neutral_current", "A"), "total_current": Key("total_current", "A"),
        "total_act_power": Key("total_power", "W"), "total_aprt_power": Key("total_apparent_power", "V.A"),
        "total_act": Key("total_energy", "W.h"), "total_act_ret": Key("total_returned_energy", "W.h"),
    }  # fmt: skip
    for phase in "abc":
        for name, key in _METER.items():
            if "." not in name:
                found[f"{phase}_{name}"] = Key(f"phase_{phase}_{key.stem}", key.unit)
    return found


NAMELESS: Mapping[str, Mapping[str, Key]] = {
    "switch": _OUTPUT, "cover": _OUTPUT, "light": _OUTPUT, "pm1": _METER, "em1": _METER, "em1data": _METER,
    "em": _phases(), "emdata": _phases(),
    "temperature": {"tC": Key("temperature", "Cel")}, "humidity": {"rh": Key("humidity", "%")},
    "voltmeter": {"voltage": Key("voltmeter", "V"), "xvoltage": Key("voltmeter_scaled")},
    "illuminance": {"lux": Key("illuminance", "lx")},
    "devicepower": {"battery.V": Key("battery", "V"), "battery.percent": Key("battery", "%"),
                    "external.present": Key("external_power")},
    "sys": {"uptime": Key("uptime", "s"), "ram_free": Key("ram_free", "By"), "fs_free": Key("fs_free", "By")},
    "wifi": {"rssi": Key("rssi", "dBm"), "status": Key("wifi_status")},
    "cloud": {"connected": Key("cloud")},
}  # fmt: skip
"""Components whose own name is left out."""

NAMED: Mapping[str, Mapping[str, Key]] = {
    "rgb": _OUTPUT, "rgbw": _OUTPUT, "cct": _OUTPUT,
    "input": {"state": Key(""), "percent": Key("", "%"), "xpercent": Key("scaled"), "counts.total": Key("count"),
              "counts.xtotal": Key("count_scaled"), "freq": Key("", "Hz"), "xfreq": Key("frequency_scaled")},
    "smoke": {"alarm": Key("")}, "flood": {"alarm": Key("")},
    "thermostat": {"target_C": Key("target", "Cel"), "current_C": Key("temperature", "Cel"),
                   "target_humidity": Key("target_humidity", "%"), "current_humidity": Key("humidity", "%")},
    "blutrv": {"target_C": Key("target", "Cel"), "current_C": Key("temperature", "Cel"), "pos": Key("position", "%"),
               "rssi": Key("rssi", "dBm"), "battery": Key("battery", "%")},
    "bthomedevice": {"rssi": Key("rssi", "dBm"), "battery": Key("battery", "%")},
    "bthomesensor": {"value": Key("")},
    "boolean": {"value": Key("")}, "number": {"value": Key("")}, "text": {"value": Key("")},
    "enum": {"value": Key("")}, "script": {"running": Key(""), "cpu": Key("cpu", "%"), "mem_used": Key("memory", "By"),
                                          "mem_free": Key("memory_free", "By"), "mem_peak": Key("memory_peak", "By")},
}  # fmt: skip
"""Components whose own name comes first; a quantity without a stem is the component's."""

BEACON: Mapping[str, Key] = {
    "battery": Key("battery", "%"), "temperature": Key("temperature", "Cel"), "humidity": Key("humidity", "%"),
    "illuminance": Key("illuminance", "lx"), "rssi": Key("rssi", "dBm"), "rotation": Key("rotation", "deg"),
    "distance_mm": Key("distance", "mm"), "distance_m": Key("distance", "m"), "dewpoint": Key("dew_point", "Cel"),
    "pressure": Key("pressure", "hPa"), "motion": Key("motion"), "window": Key("window"), "button": Key("button"),
}  # fmt: skip
"""What the maker's script for BLU devices says in an event `shelly-blu`."""

_LEFT_OUT = frozenset(
    (
        *("id", "tF", "minute_ts", "by_minute", "timer_started_at", "move_started_at", "last_updated_ts", "packet_id"),
        *("last_update_ts", "ssid", "sta_ip", "sta_ip6", "ip", "ip6", "mac", "bssid", "gw", "nameserver", "netmask"),
        *("time", "unixtime", "fw_id", "ver", "app", "model", "platform", "gen", "name", "kvs_rev", "cfg_rev"),
        *("schedule_rev", "webhook_rev", "btrelay_rev", "available_updates", "user_calibrated_phase", "rsv", "rpc"),
        *(
            "utc_offset",
            "last_sync_ts",
            "ram_size",
            "fs_size",
            "ram_min_free",
            "wakeup_period",
            "wakeup_reason",
            "reset_reason",
            "app_uptime",
            "alt",
        ),
    )
)
_SILENT = frozenset(
    ("mqtt", "ws", "eth", "ble", "modbus", "bthome", "ui", "plugs_ui", "knx", "matter", "awaiting_auth_code")
)
"""Components that say nothing that is measured."""

_COMPONENT = re.compile(r"([a-z][a-z0-9_]{0,30})(?::(\d{1,5}))?")


class Component(NamedTuple):
    """One of a device: its type, its table, how its names begin and end."""

    kind: str
    keys: Mapping[str, Key]
    before: str
    behind: str


@lru_cache(1024)
def component(name: str) -> Component | None:
    """The component that a key or a topic names; None where it is none, or says nothing."""
    found = _COMPONENT.fullmatch(name)
    if found is None or found[1] in _SILENT:
        return None
    kind, count = found[1], found[2] or "0"
    behind = "" if int(count) == 0 else f"_{int(count)}"
    if kind in NAMELESS:
        return Component(kind, NAMELESS[kind], "", behind)
    return Component(kind, NAMED.get(kind, {}), kind, behind)


def read(values: Values, which: Component, status: Mapping[str, Any]) -> None:
    """The status of one component, or what has changed in it."""
    if which.kind == "wifi" and status.get("rssi") == 0:
        status = {key: value for key, value in status.items() if key != "rssi"}  # 0 where it is not connected
    _object(values, which, status, "", MAX_DEPTH)


def _object(values: Values, which: Component, said: Mapping[str, Any], path: str, depth: int) -> None:
    for name, value in said.items():
        if name in _LEFT_OUT:
            continue
        inner = f"{path}.{name}" if path else name
        if name == "errors" or name.endswith("_errors"):
            words = [str(each) for each in value] if isinstance(value, list) else []
            values.text(_stem(which, Key(snake(inner))), ",".join(words))
        elif isinstance(value, dict):
            if depth:
                _object(values, which, value, inner, depth - 1)
        elif isinstance(value, list):
            _places(values, which, inner, value)
        elif value is not None:
            _value(values, which, inner, value)


def _places(values: Values, which: Component, path: str, places: list[Any]) -> None:
    for place, value in enumerate(places[:16], 1):
        if isinstance(value, bool | int | float | str):
            values.any(_stem(which, Key(f"{snake(path)}_{place}")), value)


def _value(values: Values, which: Component, path: str, value: Any) -> None:
    key = which.keys.get(path)
    if key is None:
        values.any(_stem(which, Key(snake(path))), value)
        return
    stem = _stem(which, key)
    found = number(value) if key.unit else None
    field = None if found is None else BY_NAME.get(number_name(stem, key.unit))
    if field is not None and found is not None and (wrong := field.outside(found)):
        values.wrong(wrong)
    elif key.unit:
        values.number(stem, value, key.unit)
    else:
        values.any(stem, value)


def _stem(which: Component, key: Key) -> str:
    """`<component>_<quantity>_<number>`, as much of it as there is."""
    return "_".join(part for part in (which.before, key.stem) if part) + which.behind
