"""One entity that a tool has announced: its thing, its slots, and whether it can be reached.

    homeassistant/sensor/0x00158d/temperature/config
    {"name": "Temperature", "uniq_id": "…", "dev": {"ids": ["0x00158d"], "name": "Climate"}, "dev_cla": "temperature",
     "stat_t": "zigbee2mqtt/climate", "val_tpl": "{{ value_json.temperature }}", "unit_of_meas": "°C",
     "avty_t": "zigbee2mqtt/climate/availability"}

The thing is the first of the device's identifiers, else its first connection; without a device it is the node of the
topic, else the object. The entity's name, without that of its device before it, is the stem of its fields; without a
name it is its device class, else its object; where the name is null, the component.

A slot whose template is not plain is refused, with words; the entity's others are read.

Limits: MOST_TOPICS availability topics of an entity.
Source: home-assistant.io, "MQTT": discovery messages, availability; the pages of the components.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from devices.home_assistant.slots import SPECS, TEMPLATE_LIGHT, WORDS, Kind, Spec
from devices.home_assistant.template import PLAIN, Template, TemplateRefused, parse
from devices.spec.names import snake

MOST_TOPICS = 16
LONGEST_THING = 128

_TEXT_CLASSES = frozenset(("enum", "timestamp", "date"))
_CLASSES: Mapping[str, str] = {
    "carbon_dioxide": "co2", "carbon_monoxide": "co", "pm25": "pm2_5", "pm1": "pm1_0",
    "volatile_organic_compounds": "voc", "volatile_organic_compounds_parts": "voc", "opening": "opening",
}  # fmt: skip
_SPANS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "position": (("position_open", 100), ("position_closed", 0)),
    "speed": (("speed_range_min", 1), ("speed_range_max", 100)),
}
"""What is a percentage as long as the entity does not say otherwise."""

_LETTER = re.compile(r"[A-Za-z0-9]")
_ON_OFF: Mapping[str, tuple[str, str]] = {"switch": ("state_on", "state_off"), "siren": ("state_on", "state_off")}


class Slot(NamedTuple):
    """One value: its topic, how it is read, and as what. `schema` is the component of a JSON state."""

    topic: str
    template: Template
    behind: str
    kind: Kind
    unit: str
    on: str
    off: str
    words: Mapping[str, str]
    schema: str


class Word(NamedTuple):
    """What one availability topic says where the entity can be reached, and where not."""

    template: Template
    on: str
    off: str


class Availability(NamedTuple):
    """The topics that say whether an entity can be reached, and how they go together: all, any or latest."""

    topics: tuple[tuple[str, Word], ...]
    mode: str


class Entity(NamedTuple):
    """What one announcement, or one component of a device's, comes to. `refused` are words about what is not read."""

    key: str
    component: str
    thing: str
    device_name: str
    stem: str
    slots: tuple[Slot, ...]
    availability: Availability | None
    refused: tuple[str, ...]


def entity(key: str, component: str, ids: tuple[str, str], config: Mapping[str, Any]) -> Entity:
    """The entity of a whole announcement; `ids` are node (may be empty) and object of its topic."""
    node, own = ids
    device = config.get("device")
    about = device if isinstance(device, dict) else {}
    called = about.get("name")
    name = called if isinstance(called, str) else ""
    refused: list[str] = []
    encoding = config.get("encoding", "utf-8")
    slots: tuple[Slot, ...] = ()
    if encoding in ("utf-8", "UTF-8", "utf8", None):
        slots = tuple(_slots(component, config, refused))
    else:
        refused.append(f"encoding {str(encoding)[:20]!r}")
    return Entity(
        key=key,
        component=component,
        thing=(_identity(about) or node or own)[:LONGEST_THING],
        device_name=name[:LONGEST_THING],
        stem=_stem(component, config, name, node, own),
        slots=slots,
        availability=_availability(config, refused),
        refused=tuple(refused),
    )


def _identity(device: Mapping[str, Any]) -> str:
    said = device.get("identifiers")
    first = said[0] if isinstance(said, list) and said else said
    if isinstance(first, str | int) and str(first).strip():
        return str(first).strip()
    connections = device.get("connections")
    pair = connections[0] if isinstance(connections, list) and connections else None
    return str(pair[1]) if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], str) else ""


def _stem(component: str, config: Mapping[str, Any], device: str, node: str, own: str) -> str:
    name = config.get("name")
    if isinstance(name, str):
        short = name[len(device) :] if device and name.lower().startswith(device.lower() + " ") else name
        if _LETTER.search(short):
            return snake(short)
    kind = config.get("device_class")
    if isinstance(kind, str) and _LETTER.search(kind):
        return _CLASSES.get(kind, snake(kind))
    stem = snake(own).removeprefix(snake(node) + "_" if node else "")
    return stem if _LETTER.search(own) and "name" not in config else component


def _slots(component: str, config: Mapping[str, Any], refused: list[str]) -> Iterator[Slot]:
    schema = config.get("schema")
    specs = SPECS.get(component, ())
    if component == "light" and schema == "template":
        specs = TEMPLATE_LIGHT
    elif component == "light" and schema == "json":
        specs = (Spec("state_topic", "", "", "json"),)
    elif component == "siren" and "state_value_template" not in config:
        specs = (Spec("state_topic", "value_template", "", "flag"),)
    on_key, off_key = _ON_OFF.get(component, ("payload_on", "payload_off"))
    word = "on" if schema == "template" else "ON"
    on = _word(config.get(on_key, config.get("payload_on", word)))
    off = _word(config.get(off_key, config.get("payload_off", word.replace("ON", "OFF").replace("on", "off"))))
    words = {_word(config.get(key, usual)): stored for key, usual, stored in WORDS.get(component, ())}
    for spec in specs:
        topic = config.get(spec.topic)
        if not isinstance(topic, str) or not topic or any(mark in topic for mark in "+#\0"):
            continue
        if spec in TEMPLATE_LIGHT and spec.behind and spec.template not in config:
            continue
        template = _template(config.get(spec.template), spec.template, refused)
        if template is not None:
            kind, unit = _kind(component, spec, config)
            yield Slot(topic, template, spec.behind, kind, unit, on, off, words, component)


def _template(written: object, key: str, refused: list[str]) -> Template | None:
    if written is None or not key or written == "":
        return PLAIN
    try:
        return parse(str(written))
    except TemplateRefused as error:
        refused.append(f"{key} {str(written)[:80]!r}: {error} is more than a plain value")
        return None


def _kind(component: str, spec: Spec, config: Mapping[str, Any]) -> tuple[Kind, str]:
    """How a value is read, and its unit: a word like any other, or a UCUM code."""
    unit = spec.unit
    if spec.unit == "temperature":
        unit = "[degF]" if str(config.get("temperature_unit", "C")).upper().startswith("F") else "Cel"
    elif spec.behind == "color_temp" and config.get("color_temp_kelvin") is True:
        unit = "K"
    elif spec.behind in _SPANS:
        unit = "%" if all(config.get(key, usual) == usual for key, usual in _SPANS[spec.behind]) else ""
    said = config.get("unit_of_measurement")
    if component in ("sensor", "number") and isinstance(said, str):
        unit = said.strip()
    if component == "sensor":
        if str(config.get("device_class")) in _TEXT_CLASSES:
            return "text", ""
        if unit or config.get("state_class") is not None:
            return "number", unit
    if component == "valve" and not spec.behind and config.get("reports_position") is True:
        return "number", "%"
    return spec.kind, unit


def _availability(config: Mapping[str, Any], refused: list[str]) -> Availability | None:
    rows = config.get("availability")
    listed = rows if isinstance(rows, list) else []
    own = config.get("availability_topic")
    if isinstance(own, str):
        listed = [
            {
                "topic": own,
                "payload_available": config.get("payload_available", "online"),
                "payload_not_available": config.get("payload_not_available", "offline"),
                "value_template": config.get("availability_template"),
            }
        ]
    topics: list[tuple[str, Word]] = []
    for row in listed[:MOST_TOPICS]:
        topic = row.get("topic") if isinstance(row, dict) else None
        if not isinstance(topic, str) or not topic or any(mark in topic for mark in "+#\0"):
            continue
        template = _template(row.get("value_template"), "availability_template", refused)
        if template is not None:
            on = _word(row.get("payload_available", "online"))
            topics.append((topic, Word(template, on, _word(row.get("payload_not_available", "offline")))))
    mode = config.get("availability_mode")
    return Availability(tuple(topics), mode if mode in ("all", "any") else "latest") if topics else None


def _word(value: object) -> str:
    """A word as a template writes it: a JSON true is `True`."""
    return str(value)


def written(value: object) -> str:
    """The same for what a template has given."""
    return value if isinstance(value, str) else str(value)
