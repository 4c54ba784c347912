"""What the components of Home Assistant say, and where: a table of topics by component.

    sensor          state_topic, value_template                     temperature_c, or ..._text
    binary_sensor   state_topic; payload_on, payload_off            door_flag
    climate         current_temperature_topic, mode_state_topic …   hvac_temperature_c, hvac_mode_text

A `Slot` is one value of an entity: the topic that brings it, its template, and how it becomes a field.

| kind | value |
|---|---|
| number | a number in `unit`; `unknown`, `unavailable`, `None` and nothing are none |
| flag | `on` or `off`, whatever these are for the entity |
| text | as it is |
| any | a number where it is one, else a text: an entity that says no unit |
| event | JSON, of which `event_type` |
| json | JSON, of which the values that this schema knows |

Source: home-assistant.io, "MQTT" and the page of each component.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["number", "flag", "text", "any", "event", "json"]


class Spec(NamedTuple):
    """A slot of a component: the keys of its topic and template, what stands behind the entity's name, its kind."""

    topic: str
    template: str
    behind: str
    kind: Kind
    unit: str = ""


_STATE_TEXT = Spec("state_topic", "value_template", "", "text")

SPECS: Mapping[str, tuple[Spec, ...]] = {
    "sensor": (Spec("state_topic", "value_template", "", "any"),),
    "number": (Spec("state_topic", "value_template", "", "number"),),
    "binary_sensor": (Spec("state_topic", "value_template", "", "flag"),),
    "switch": (Spec("state_topic", "value_template", "", "flag"),),
    "siren": (Spec("state_topic", "state_value_template", "", "flag"),),
    "light": (
        Spec("state_topic", "state_value_template", "", "flag"),
        Spec("brightness_state_topic", "brightness_value_template", "brightness", "number"),
        Spec("color_temp_state_topic", "color_temp_value_template", "color_temp", "number", "mired"),
        Spec("white_value_state_topic", "white_value_template", "white", "number"),
        Spec("color_mode_state_topic", "color_mode_value_template", "color_mode", "text"),
        Spec("effect_state_topic", "effect_value_template", "effect", "text"),
        Spec("hs_state_topic", "hs_value_template", "hs", "text"),
        Spec("rgb_state_topic", "rgb_value_template", "rgb", "text"),
        Spec("rgbw_state_topic", "rgbw_value_template", "rgbw", "text"),
        Spec("rgbww_state_topic", "rgbww_value_template", "rgbww", "text"),
        Spec("xy_state_topic", "xy_value_template", "xy", "text"),
    ),
    "climate": (
        Spec("current_temperature_topic", "current_temperature_template", "temperature", "number", "temperature"),
        Spec("current_humidity_topic", "current_humidity_template", "humidity", "number", "%"),
        Spec("temperature_state_topic", "temperature_state_template", "target", "number", "temperature"),
        Spec("temperature_high_state_topic", "temperature_high_state_template", "target_high", "number", "temperature"),
        Spec("temperature_low_state_topic", "temperature_low_state_template", "target_low", "number", "temperature"),
        Spec("target_humidity_state_topic", "target_humidity_state_template", "target_humidity", "number", "%"),
        Spec("mode_state_topic", "mode_state_template", "mode", "text"),
        Spec("action_topic", "action_template", "action", "text"),
        Spec("fan_mode_state_topic", "fan_mode_state_template", "fan_mode", "text"),
        Spec("swing_mode_state_topic", "swing_mode_state_template", "swing_mode", "text"),
        Spec("swing_horizontal_mode_state_topic", "swing_horizontal_mode_state_template", "swing_horizontal_mode",
             "text"),
        Spec("preset_mode_state_topic", "preset_mode_value_template", "preset_mode", "text"),
        Spec("power_state_topic", "power_state_template", "power", "text"),
    ),
    "water_heater": (
        Spec("current_temperature_topic", "current_temperature_template", "temperature", "number", "temperature"),
        Spec("temperature_state_topic", "temperature_state_template", "target", "number", "temperature"),
        Spec("mode_state_topic", "mode_state_template", "mode", "text"),
    ),
    "humidifier": (
        Spec("state_topic", "state_value_template", "", "flag"),
        Spec("current_humidity_topic", "current_humidity_template", "humidity", "number", "%"),
        Spec("target_humidity_state_topic", "target_humidity_state_template", "target_humidity", "number", "%"),
        Spec("mode_state_topic", "mode_state_template", "mode", "text"),
        Spec("action_topic", "action_template", "action", "text"),
    ),
    "fan": (
        Spec("state_topic", "state_value_template", "", "flag"),
        Spec("percentage_state_topic", "percentage_value_template", "speed", "number"),
        Spec("oscillation_state_topic", "oscillation_value_template", "oscillation", "text"),
        Spec("preset_mode_state_topic", "preset_mode_value_template", "preset_mode", "text"),
        Spec("direction_state_topic", "direction_value_template", "direction", "text"),
    ),
    "cover": (
        _STATE_TEXT,
        Spec("position_topic", "position_template", "position", "number"),
        Spec("tilt_status_topic", "tilt_status_template", "tilt", "number"),
    ),
    "valve": (_STATE_TEXT, Spec("position_topic", "position_template", "position", "number")),
    "lock": (_STATE_TEXT,),
    "alarm_control_panel": (_STATE_TEXT,),
    "select": (_STATE_TEXT,),
    "text": (_STATE_TEXT,),
    "update": (
        Spec("state_topic", "value_template", "installed_version", "text"),
        Spec("latest_version_topic", "latest_version_template", "latest_version", "text"),
    ),
    "lawn_mower": (Spec("activity_state_topic", "activity_value_template", "activity", "text"),),
    "vacuum": (Spec("state_topic", "value_template", "", "json"),),
    "device_tracker": (
        _STATE_TEXT,
        Spec("json_attributes_topic", "json_attributes_template", "", "json"),
    ),
    "event": (Spec("state_topic", "value_template", "", "event"),),
}  # fmt: skip
"""Components that say something."""

SILENT = frozenset(
    ("button", "camera", "device_automation", "image", "notify", "scene", "tag", "device", "datetime", "date", "time")
)
"""Components that are only told something, or whose messages are no values."""

TEMPLATE_LIGHT: tuple[Spec, ...] = (
    Spec("state_topic", "state_template", "", "flag"),
    Spec("state_topic", "brightness_template", "brightness", "number"),
    Spec("state_topic", "color_temp_template", "color_temp", "number", "mired"),
    Spec("state_topic", "effect_template", "effect", "text"),
)
"""Of `schema: template`."""

Part = tuple[str, Kind, str]
"""Of a JSON schema: what stands behind the entity's name, the kind, the unit."""

JSON_LIGHT: Mapping[str, Part] = {
    "state": ("", "flag", ""),
    "brightness": ("brightness", "number", ""),
    "color_temp": ("color_temp", "number", "mired"),
    "color_mode": ("color_mode", "text", ""),
    "effect": ("effect", "text", ""),
    "color": ("color", "text", ""),
    "white": ("white", "number", ""),
}
"""Of `schema: json`."""

JSON_PARTS: Mapping[str, Mapping[str, Part]] = {
    "light": JSON_LIGHT,
    "vacuum": {
        "state": ("", "text", ""),
        "battery_level": ("battery", "number", "%"),
        "fan_speed": ("fan_speed", "text", ""),
    },
    "device_tracker": {
        "latitude": ("latitude", "number", "deg"),
        "longitude": ("longitude", "number", "deg"),
        "altitude": ("altitude", "number", "m"),
        "gps_accuracy": ("gps_accuracy", "number", "m"),
        "battery_level": ("battery", "number", "%"),
    },
}
"""By component, what is in a state that is JSON. A tracker's place is that of its thing, without its name."""

_COVER = (
    ("state_open", "open", "open"),
    ("state_closed", "closed", "closed"),
    ("state_opening", "opening", "opening"),
    ("state_closing", "closing", "closing"),
    ("state_stopped", "stopped", "stopped"),
)
WORDS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "cover": _COVER,
    "valve": _COVER,
    "lock": (
        ("state_locked", "LOCKED", "locked"),
        ("state_unlocked", "UNLOCKED", "unlocked"),
        ("state_locking", "LOCKING", "locking"),
        ("state_unlocking", "UNLOCKING", "unlocking"),
        ("state_jammed", "JAMMED", "jammed"),
    ),
    "device_tracker": (("payload_home", "home", "home"), ("payload_not_home", "not_home", "not_home")),
}
"""By component: the key that says what a word is for the entity, what it is else, and what it is stored as."""
