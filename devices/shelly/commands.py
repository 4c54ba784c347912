"""What a Shelly of the second generation can be told over MQTT.

    <prefix>/rpc                    {"id": 7, "src": "parkgate/park-east/reply", "method": "Switch.Set",
                                     "params": {"id": 0, "on": true}}
    parkgate/park-east/reply/rpc    {"id": 7, "src": "shellyplus1pm-…", "result": {"was_on": false}}
                                    {"id": 7, "src": "…", "error": {"code": -105, "message": "No handler for …"}}

| command | method |
|---|---|
| switch | Switch.Set |
| cover | Cover.GoToPosition; the answer says that it goes, not that it is there |

Source: shelly-api-docs.shelly.cloud, Gen2+: "RPC Protocol", "RPC Channels" (MQTT), "Switch", "Cover".
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from msgspec import json as msgjson

from devices.spec.command import DONE, Argument, Arguments, MessageCommand, Outcome, To, refused
from devices.spec.errors import ArgumentError
from devices.spec.events import Publish, Value
from devices.spec.field import Field
from devices.spec.json_object import JsonRefused, json_object

CHANNEL = Argument(
    Field("channel", "1", "Which one, counted from 0", kind="counter", minimum=0, maximum=199), default=0
)
ON = Argument(Field("on_flag", "1", "Whether it is to be on", kind="flag"))
POSITION = Argument(Field("position_pct", "%", "0 closed, 100 open", minimum=0, maximum=100, step=1))

_SUFFIXES = (("events", "rpc"), ("rpc",), ("online",))


def _prefix(topic: str) -> str:
    """The device's own prefix, from any topic of it."""
    levels = topic.split("/")
    for suffix in _SUFFIXES:
        if tuple(levels[-len(suffix) :]) == suffix:
            return "/".join(levels[: -len(suffix)])
    return "/".join(levels[:-2]) if len(levels) > 2 and levels[-2] == "status" else topic


def _reply(to: To) -> str:
    return f"parkgate/{to.sender}/reply"


def _judge(_arguments: Arguments, to: To, _topic: str, payload: bytes) -> Outcome | None:
    try:
        said = json_object(payload)
    except JsonRefused:
        return None
    if said.get("id") != to.number:
        return None
    error = said.get("error")
    if isinstance(error, dict):
        return refused(str(error.get("message", error.get("code", "no reason")))[:200])
    return DONE if "result" in said else None


def _answer(_arguments: Arguments, to: To) -> tuple[Publish, ...]:
    said = {"id": to.number, "src": to.thing, "dst": _reply(to), "result": {}}
    return (Publish(f"{_reply(to)}/rpc", msgjson.encode(said)),)


def _command(
    name: str,
    description: str,
    method: str,
    argument: Argument,
    params: Callable[[Arguments], dict[str, Value]],
    key: str,
) -> MessageCommand:
    """A method that takes a channel and one argument, said as `key`."""

    def encode(arguments: Arguments, to: To) -> tuple[Publish, ...]:
        frame = {"id": to.number, "src": _reply(to), "method": method}
        frame["params"] = {"id": arguments["channel"], **params(arguments)}
        return (Publish(f"{_prefix(to.topic)}/rpc", msgjson.encode(frame), qos=1),)

    def hear(topic: str, payload: bytes, to: To) -> tuple[dict[str, Value], To] | None:
        if topic != f"{_prefix(to.topic)}/rpc":
            return None
        try:
            frame = json_object(payload)
            said = frame.get("params")
            if frame.get("method") != method or not isinstance(said, dict):
                return None
            heard = {argument.name: argument.read(said.get(key)), "channel": CHANNEL.read(said.get("id"))}
        except (JsonRefused, ArgumentError):
            return None
        return heard, _asked(frame, to)

    return MessageCommand(
        name=name,
        description=description,
        arguments=(argument, CHANNEL),
        encode=encode,
        answered_on=lambda to: (f"{_reply(to)}/rpc",),
        judge=_judge,
        listens=lambda to: (f"{_prefix(to.topic)}/rpc",),
        hear=hear,
        answer=_answer,
    )


def _asked(frame: Mapping[str, Any], to: To) -> To:
    """`to` with who asks, and the number of the question."""
    source, number = frame.get("src"), frame.get("id")
    levels = source.split("/") if isinstance(source, str) else []
    sender = levels[1] if len(levels) == 3 else to.sender
    return replace(to, sender=sender, number=number if isinstance(number, int) else to.number)


COMMANDS = (
    _command("switch", "Switch an output on or off", "Switch.Set", ON, lambda said: {"on": said["on_flag"]}, "on"),
    _command(
        "cover", "Move a cover", "Cover.GoToPosition", POSITION, lambda said: {"pos": int(said["position_pct"])}, "pos"
    ),
)
