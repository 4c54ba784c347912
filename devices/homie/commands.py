"""What a Homie device can be told: to set one of its properties.

    <base>/<device>/<node>/<property>/set    true       done once the property itself says so

The value is said as the property has it: `true` and `false`, a number with a dot, a word of its enum.

Source: homieiot.github.io, Homie convention 5.0.0: "Property command topic".
"""

from devices.spec.command import DONE, Argument, Arguments, MessageCommand, Outcome, To
from devices.spec.errors import EncodeError
from devices.spec.events import Publish, Value
from devices.spec.field import Field

NODE = Argument(Field("node", "1", "The node's id", kind="text"))
PROPERTY = Argument(Field("property", "1", "The property's id", kind="text"))
VALUE = Argument(Field("value", "1", "What it is to be, as the property says it", kind="text"))

VERSION = "5"


def _device(topic: str) -> str:
    """The device's own topic, from any topic below it: its level is the one behind the base, or behind a 5."""
    levels = topic.split("/")
    at = levels.index(VERSION) + 1 if VERSION in levels[:-1] else 1
    return "/".join(levels[: at + 1])


def _topic(arguments: Arguments, to: To) -> str:
    ids = str(arguments["node"]), str(arguments["property"])
    for each in ids:
        if any(mark in each for mark in "/+#$"):
            raise EncodeError(f"homie: expected an id, got {each[:40]!r}")
    return "/".join((_device(to.topic), *ids))


def _encode(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    return (Publish(f"{_topic(arguments, to)}/set", str(arguments["value"]).encode(), qos=1),)


def _judge(arguments: Arguments, to: To, topic: str, payload: bytes) -> Outcome | None:
    return DONE if topic == _topic(arguments, to) and payload == str(arguments["value"]).encode() else None


def _hear(topic: str, payload: bytes, to: To) -> tuple[dict[str, Value], To] | None:
    device = _device(to.topic) + "/"
    levels = topic.removeprefix(device).split("/")
    if not topic.startswith(device) or len(levels) != 3 or levels[2] != "set":
        return None
    try:
        return {"node": levels[0], "property": levels[1], "value": payload.decode()}, to
    except UnicodeDecodeError:
        return None


def _answer(arguments: Arguments, to: To) -> tuple[Publish, ...]:
    return (Publish(_topic(arguments, to), str(arguments["value"]).encode()),)


COMMANDS = (
    MessageCommand(
        name="set",
        description="Set a property that is settable",
        arguments=(NODE, PROPERTY, VALUE),
        encode=_encode,
        answered_on=lambda to: (f"{_device(to.topic)}/+/+",),
        judge=_judge,
        listens=lambda to: (f"{_device(to.topic)}/+/+/set",),
        hear=_hear,
        answer=_answer,
    ),
)
