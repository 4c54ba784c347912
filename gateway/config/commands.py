"""What may be told to whom: the `commands` of a thing, and the table [commands] of the gateway.

    commands = ["sleep", "wake"]                    every thing of this source
    commands = { "robot-1" = ["start-pause"] }      these things only

Nothing is allowed that is not named here.
"""

import re
from collections.abc import Sequence

from devices.spec.device import Device
from gateway.config.keys import section
from gateway.config.types import Allowed, CommandsConfig, MqttConfig
from textfile import Table, listed, nearest

_LEVEL = re.compile(r"[A-Za-z0-9_.-]+")


def allowed(table: Table, device: Device | None, *, by_thing: bool) -> Allowed:
    """The names of commands that may be told; `by_thing`: also a table of lists by thing."""
    raw = table.raw.get("commands", [])
    if by_thing and isinstance(raw, dict):
        inner = table.table("commands", None)
        assert inner is not None
        return {thing: _names(inner, thing, device) for thing in raw}
    return _names(table, "commands", device, ', or a table of such lists by thing: { "robot-1" = […] }' * by_thing)


def _names(table: Table, key: str, device: Device | None, also: str = "") -> tuple[str, ...]:
    raw = table.raw.get(key, [])
    known = [] if device is None else [each.name for each in device.told]
    if device is not None and not known and raw:
        table.fail(key, f"no commands: {device.name} can be told nothing")
        return ()
    such = listed(known[:4]) if known else "sleep"
    if not isinstance(raw, list) or not all(isinstance(each, str) for each in raw):
        table.fail(key, f"a list of commands, such as {such}{also}")
        return ()
    for name in raw:
        if device is not None and name not in known:
            meant = nearest(name, known)
            hint = f'did you mean "{meant}"?' if meant else f"it can be told {listed(known)}"
            table.fail(key, f"commands of {device.name}; {name!r:.60} is none: {hint}")
    return tuple(dict.fromkeys(raw))


def of_gateway(top: Table, name: str, brokers: Sequence[MqttConfig]) -> CommandsConfig:
    """[commands]: at which brokers they are taken, how many a minute, how long the ledger is kept."""
    table = section(top, "commands", CommandsConfig)
    default = CommandsConfig()
    raw = table.raw.get("brokers", [])
    known = [broker.name for broker in brokers]
    if not isinstance(raw, list) or not all(isinstance(each, str) for each in raw):
        table.fail("brokers", f"a list of names of brokers, such as {listed(known) if known else 'main'}")
        raw = []
    for each in raw:
        if each not in known:
            table.fail("brokers", f"names of brokers; there is no [mqtt.{each:.60}]")
    if raw and not _LEVEL.fullmatch(name):
        table.fail("brokers", f"no broker while gateway.name is {name!r:.60}: it is a level of the topic, so letters, "
                   "digits, _ . and - only")  # fmt: skip
    return CommandsConfig(
        brokers=tuple(dict.fromkeys(raw)),
        per_minute=table.integer("per_minute", default.per_minute, 1, 6000),
        keep_days=table.number("keep_days", default.keep_days, 1, 3650),
    )
