"""What a Zigbee device behind Zigbee2MQTT can be told: `set`, with the arguments that the bridge lists for it.

    zigbee2mqtt/<friendly name>/set        {"state": "ON", "brightness": 120}
    zigbee2mqtt/<friendly name>            {"state": "ON", "brightness": 120, ...}     done: the state says so
    zigbee2mqtt/bridge/logging             {"level": "error", "message": "... 'set' 'state' to '<name>' failed: ..."}

The arguments are the properties with access bit 2 (can be set), by Zigbee2MQTT's own names, with its ranges, steps and
words; of a colour `color_x` and `color_y`, or `color_hue` and `color_saturation`. They are known once `bridge/devices`
has come.

Many devices are believed at once ("optimistic" in Zigbee2MQTT): then done means that the bridge has sent it. What is
set and never published (an effect) is accepted at the most. A device that sleeps is told when it wakes.

Limits: numbers, flags, words and texts; other composites and lists are not said. 100 arguments a device.
Source: zigbee2mqtt.io, "MQTT topics and messages" (set), "Exposes" (access).
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import json as msgjson

from devices.spec.command import DONE, Argument, Arguments, MessageCommand, Outcome, To, refused
from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Publish, Value
from devices.spec.field import Field

_SETTABLE = 2
_COLOUR = {"color_x": "x", "color_y": "y", "color_hue": "hue", "color_saturation": "saturation"}
_RANGES = {"x": (0.0, 1.0), "y": (0.0, 1.0), "hue": (0.0, 360.0), "saturation": (0.0, 100.0)}
MOST_ARGUMENTS = 100
_AVAILABILITY = "/availability"


def writable(exposes: object, depth: int = 4) -> tuple[Argument, ...]:
    """The arguments of `set` for a device with these exposes; what is not as it should be is passed over."""
    found: dict[str, Argument] = {}
    _collect(exposes, found, depth)
    return tuple(found.values())


def _collect(exposes: object, found: dict[str, Argument], depth: int) -> None:
    for expose in exposes if isinstance(exposes, list) and depth else ():
        if not isinstance(expose, dict):
            continue
        name, kind, features = expose.get("property"), expose.get("type"), expose.get("features")
        if kind == "composite" and name == "color" and isinstance(features, list):
            for feature in features:
                part = feature.get("property") if isinstance(feature, dict) else None
                if isinstance(part, str) and part in _RANGES:
                    low, high = _RANGES[part]
                    field = Field(f"color_{part}", "1", f"Colour, {part}", minimum=low, maximum=high, optional=True)
                    found.setdefault(field.name, Argument(field))
        elif kind not in ("numeric", "binary", "enum", "text", "composite"):
            _collect(features, found, depth - 1)
        elif isinstance(name, str) and _is_set(expose) and len(found) < MOST_ARGUMENTS:
            try:
                made = _argument(name, expose)
            except (DescriptionError, ValueError, OverflowError):
                continue
            if made is not None:
                found.setdefault(name, made)


def _is_set(expose: Mapping[str, Any]) -> bool:
    access = expose.get("access")
    return isinstance(access, int) and bool(access & _SETTABLE)


def _argument(name: str, expose: Mapping[str, Any]) -> Argument | None:
    label, unit = expose.get("label"), expose.get("unit")
    words = f"{label if isinstance(label, str) else name}{f' in {unit}' if isinstance(unit, str) else ''}"
    field = Field(name, "1", words[:200], optional=True)
    match expose.get("type"):
        case "binary":
            on, off, toggle = (expose.get(f"value_{word}") for word in ("on", "off", "toggle"))
            if isinstance(on, bool) and isinstance(off, bool):
                return Argument(replace(field, kind="flag"))
            states = tuple(dict.fromkeys(each for each in (on, off, toggle) if isinstance(each, str)))
            return Argument(replace(field, kind="state", states=states)) if len(states) > 1 else None
        case "enum":
            values = expose.get("values")
            states = tuple(each for each in values if isinstance(each, str)) if isinstance(values, list) else ()
            return Argument(replace(field, kind="state", states=states)) if states else None
        case "numeric":
            low, high, step = (_number(expose.get(key)) for key in ("value_min", "value_max", "value_step"))
            fits = step is not None and step > 0 and (low is None or math.isclose(low % step, 0.0, abs_tol=1e-9))
            return Argument(replace(field, minimum=low, maximum=high, step=step if fits else None))
        case "text":
            return Argument(replace(field, kind="text"))
    return None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def state_topic(to: To) -> tuple[str, str]:
    """The base topic and the friendly name, from any topic of the device."""
    topic = to.topic.removesuffix(_AVAILABILITY)
    levels, thing = topic.split("/"), to.thing.split("/")
    for first in range(len(thing)):  # before the name the thing may have what wildcards stood for
        name = thing[first:]
        for at in range(len(levels) - len(name), 0, -1):
            if levels[at : at + len(name)] == name:
                return "/".join(levels[:at]), "/".join(name)
    base, _, name_ = topic.rpartition("/")
    return base, name_


def _encode(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    if not arguments:
        raise EncodeError("set: expected at least one property and its value, as in state=ON")
    base, name = state_topic(to)
    return (Publish(f"{base}/{name}/set", msgjson.encode(_said(arguments)), qos=1),)


def _said(arguments: Arguments) -> dict[str, object]:
    """The payload: whole numbers without a point, a colour as an object."""
    said: dict[str, object] = {}
    colour: dict[str, Value] = {}
    for name, value in arguments.items():
        plain = int(value) if isinstance(value, float) and value.is_integer() else value
        if name in _COLOUR:
            colour[_COLOUR[name]] = plain
        else:
            said[name] = plain
    return {**said, "color": colour} if colour else said


def _judge(arguments: Arguments, to: To, topic: str, payload: bytes) -> Outcome | None:
    base, name = state_topic(to)
    try:
        told = msgjson.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    if topic == f"{base}/bridge/logging":
        message = told.get("message")
        wrong = told.get("level") == "error" and isinstance(message, str) and f"to '{name}' failed" in message
        return refused(str(message)) if wrong else None
    if topic != f"{base}/{name}":
        return None
    return DONE if all(_is(value, told.get(key)) for key, value in _said(arguments).items()) else None


def _is(asked: object, found: object) -> bool:
    """Whether a state says what was asked for; of a colour within what the lamp's own steps are."""
    if isinstance(asked, dict):
        return isinstance(found, dict) and all(_is(value, found.get(key)) for key, value in asked.items())
    if isinstance(asked, str):
        return isinstance(found, str) and (asked.upper() == "TOGGLE" or asked.upper() == found.upper())
    if isinstance(asked, bool) or isinstance(found, bool) or not isinstance(asked, int | float):
        return asked is found
    return isinstance(found, int | float) and math.isclose(asked, found, rel_tol=0.01, abs_tol=0.01)


def _hear(topic: str, payload: bytes, to: To) -> tuple[dict[str, Value], To] | None:
    base, name = state_topic(to)
    if topic != f"{base}/{name}/set":
        return None
    try:
        said = msgjson.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    colour = said.pop("color", {})
    said |= {f"color_{part}": value for part, value in colour.items()} if isinstance(colour, dict) else {}
    return {key: float(value) if type(value) is int else value for key, value in said.items()}, to


def _answer(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    base, name = state_topic(to)
    return (Publish(f"{base}/{name}", msgjson.encode(_said(arguments))),)


def _answered_on(to: To) -> tuple[str, ...]:
    base, name = state_topic(to)
    return f"{base}/{name}", f"{base}/bridge/logging"


SET = MessageCommand(
    name="set",
    description="Set properties of the device, such as state or brightness",
    answers="maybe",
    open_arguments=True,
    timeout_s=10.0,
    encode=_encode,
    answered_on=_answered_on,
    judge=_judge,
    listens=lambda to: ("/".join((*state_topic(to), "set")),),
    hear=_hear,
    answer=_answer,
)
