"""What a Tasmota module can be told: to switch a relay.

    cmnd/<topic>/POWER2  ON         answered on stat/<topic>/RESULT  {"POWER2": "ON"}

A module with one relay answers with `POWER` alone; one that does not know the command with {"Command": "Unknown"}.
Where answers have been moved to topics of their own (SetOption4), none is seen here.

Source: tasmota.github.io/docs, "Commands": Power, SetOption4, SetOption26.
"""

import re

from msgspec import json as msgjson

from devices.spec.command import DONE, Argument, Arguments, MessageCommand, Outcome, To, refused
from devices.spec.events import Publish, Value
from devices.spec.field import Field
from devices.spec.json_object import JsonRefused, json_object
from devices.tasmota.encode import topic_beside

MOST_RELAYS = 32
ON = Argument(Field("on_flag", "1", "Whether it is to be on", kind="flag"))
RELAY = Argument(Field("relay", "1", "Which relay", kind="counter", minimum=1, maximum=MOST_RELAYS), default=1)

_WORDS = {True: "ON", False: "OFF"}
_STATES = {b"ON": True, b"OFF": False}
_POWER = re.compile(r"POWER([1-9]\d?)")


def _encode(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    topic = topic_beside(to.topic, "cmnd", f"POWER{arguments['relay']}")
    return (Publish(topic, _WORDS[bool(arguments["on_flag"])].encode(), qos=1),)


def _judge(arguments: Arguments, _to: To, _topic: str, payload: bytes) -> Outcome | None:
    try:
        said = json_object(payload)
    except JsonRefused:
        return None
    if said.get("Command") in ("Unknown", "Error"):
        return refused("the module does not know the command")
    relay = arguments["relay"]
    found = said.get(f"POWER{relay}", said.get("POWER") if relay == 1 else None)
    return DONE if found == _WORDS[bool(arguments["on_flag"])] else None


def _hear(topic: str, payload: bytes, to: To) -> tuple[dict[str, Value], To] | None:
    found, on = _POWER.fullmatch(topic.rpartition("/")[2]), _STATES.get(payload)
    if found is None or on is None or topic != topic_beside(to.topic, "cmnd", found[0]):
        return None
    relay = int(found[1])
    return ({"on_flag": on, "relay": relay}, to) if relay <= MOST_RELAYS else None


def _answer(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    said = {f"POWER{arguments['relay']}": _WORDS[bool(arguments["on_flag"])]}
    return (Publish(topic_beside(to.topic, "stat", "RESULT"), msgjson.encode(said)),)


COMMANDS = (
    MessageCommand(
        name="switch",
        description="Switch a relay on or off",
        arguments=(ON, RELAY),
        encode=_encode,
        answered_on=lambda to: (topic_beside(to.topic, "stat", "RESULT"),),
        judge=_judge,
        listens=lambda to: (topic_beside(to.topic, "cmnd", "+"),),
        hear=_hear,
        answer=_answer,
    ),
)
