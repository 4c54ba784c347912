"""What a Shelly of the first generation can be told over MQTT: to switch a relay.

    shellies/<id>/relay/0/command   on | off         answered on shellies/<id>/relay/0: on | off, overpower

Source: shelly-api-docs.shelly.cloud, Gen1, "MQTT".
"""

import re

from devices.spec.command import DONE, Argument, Arguments, MessageCommand, Outcome, To, refused
from devices.spec.events import Publish, Value
from devices.spec.field import Field

MOST = 31
ON = Argument(Field("on_flag", "1", "Whether it is to be on", kind="flag"))
CHANNEL = Argument(
    Field("channel", "1", "Which relay, counted from 0", kind="counter", minimum=0, maximum=MOST), default=0
)
_WORDS = {True: b"on", False: b"off"}
_STATES = {word: on for on, word in _WORDS.items()}
_ASKED = re.compile(r"(.*)/relay/(\d{1,2})/command", re.DOTALL)


def _device(topic: str) -> str:
    """`shellies/<id>` of any topic of a device."""
    levels = topic.split("/")
    at = levels.index("shellies") if "shellies" in levels else 0
    return "/".join(levels[: at + 2])


def _relay(arguments: Arguments, to: To) -> str:
    return f"{_device(to.topic)}/relay/{arguments['channel']}"


def _encode(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    return (Publish(f"{_relay(arguments, to)}/command", _WORDS[bool(arguments["on_flag"])], qos=1),)


def _judge(arguments: Arguments, to: To, topic: str, payload: bytes) -> Outcome | None:
    if topic != _relay(arguments, to):
        return None
    if payload == b"overpower":
        return refused("overpower")
    return DONE if payload == _WORDS[bool(arguments["on_flag"])] else None


def _hear(topic: str, payload: bytes, to: To) -> tuple[dict[str, Value], To] | None:
    found, on = _ASKED.fullmatch(topic), _STATES.get(payload)
    if found is None or on is None or found[1] != _device(to.topic) or int(found[2]) > MOST:
        return None
    return {"on_flag": on, "channel": int(found[2])}, to


def _answer(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    return (Publish(_relay(arguments, to), _WORDS[bool(arguments["on_flag"])]),)


COMMANDS = (
    MessageCommand(
        name="switch",
        description="Switch a relay on or off",
        arguments=(ON, CHANNEL),
        encode=_encode,
        answered_on=lambda to: (f"{_device(to.topic)}/relay/+",),
        judge=_judge,
        listens=lambda to: (f"{_device(to.topic)}/relay/+/command",),
        hear=_hear,
        answer=_answer,
    ),
)
