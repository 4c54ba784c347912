"""What nodes and devices say, and how a host asks a node to say its births again.

A metric is called like its field; its unit is in the property `engUnit` of the birth. Aliases are numbers from
FIRST_ALIAS on, in the order of the birth.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from devices.sparkplug_b.births import BD_SEQ, RESERVED
from devices.sparkplug_b.schema import TYPES, payload
from devices.sparkplug_b.topic import place
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.names import flag_name, snake, text_name
from devices.spec.units import UNITS

REBIRTH = "Node Control/Rebirth"
FIRST_ALIAS = 100


def rebirth(time_ms: int) -> bytes:
    """The command by which a node is asked to say its births again."""
    message = payload()(timestamp=time_ms)
    message.metrics.add(name=REBIRTH, timestamp=time_ms, datatype=TYPES["Boolean"], boolean_value=True)
    return bytes(message.SerializeToString())


def encode(reading: Reading) -> bytes:
    """The data that a node or device sends, by name. EncodeError for a name that decoding would change."""
    message = _message(reading.time_ns, reading.fields.get("seq", 0))
    for name, value in _values(reading).items():
        _put(message.metrics.add(name=name), value)
    return bytes(message.SerializeToString())


def aliased(data: bytes, aliases: Mapping[str, int]) -> bytes:
    """The same data with aliases for names, and without their types, which the birth has said."""
    message = payload().FromString(data)
    for metric in message.metrics:
        metric.alias = aliases[metric.name]
        metric.ClearField("name")
        metric.ClearField("datatype")
    return bytes(message.SerializeToString())


def birth(
    reading: Reading,
    *,
    session: int | None = None,
    seq: int = 0,
    with_aliases: bool = False,
    void: frozenset[str] = frozenset(),
) -> bytes:
    """The birth of a node (with the number of its `session`) or of a device that says such readings. Metrics in
    `void` have no value yet."""
    message = _message(reading.time_ns, seq)
    if session is not None:
        message.metrics.add(name=BD_SEQ, datatype=TYPES["Int64"], long_value=session)
        message.metrics.add(name=REBIRTH, datatype=TYPES["Boolean"], boolean_value=False)
    aliases = aliases_of(reading)
    for name, value in _values(reading).items():
        metric = message.metrics.add(name=name)
        if with_aliases:
            metric.alias = aliases[name]
        _put(metric, value)
        if name in void:
            metric.ClearField("double_value")
            metric.is_null = True
        unit = _unit(name) if isinstance(value, float) else ""
        if unit:
            metric.properties.keys.append("engUnit")
            metric.properties.values.add(type=TYPES["String"], string_value=unit)
    return bytes(message.SerializeToString())


def death(session: int, time_ms: int) -> bytes:
    """The last will of a node."""
    message = payload()(timestamp=time_ms)
    message.metrics.add(name=BD_SEQ, datatype=TYPES["Int64"], long_value=session)
    return bytes(message.SerializeToString())


def aliases_of(reading: Reading) -> dict[str, int]:
    """The aliases of the metrics of such readings."""
    return {name: FIRST_ALIAS + number for number, name in enumerate(_values(reading))}


def births(topic: str, reading: Reading) -> Iterable[tuple[str, bytes]]:
    """The birth of the node, and of the device, that says such readings on `topic`."""
    where = place(topic)
    if where is None:
        raise EncodeError(f"sparkplug-b: topic {topic[:60]!r}: expected spBv1.0/<group>/NDATA/<node>")
    if not where.device:
        return [(where.topic("NBIRTH"), birth(reading, session=0))]
    node = birth(Reading({}, reading.time_ns), session=0)
    return [(where.topic("NBIRTH"), node), (where.topic("DBIRTH", where.device), birth(reading, seq=1))]


def _message(time_ns: int | None, seq: Value) -> Any:
    message = payload()(seq=int(seq))
    if time_ns is not None:
        message.timestamp = time_ns // 1_000_000
    return message


def _values(reading: Reading) -> dict[str, Value]:
    found = {name: value for name, value in reading.fields.items() if name not in RESERVED}
    for name, value in found.items():
        plain = snake(name) == name
        if isinstance(value, bool):
            plain = plain and flag_name(name) == name
        elif isinstance(value, str):
            plain = plain and text_name(name) == name
        if not plain:
            raise EncodeError(f"sparkplug-b: {name[:40]!r} would be read as another name")
    return found


def _put(metric: Any, value: Value) -> None:
    if isinstance(value, bool):
        metric.datatype, metric.boolean_value = TYPES["Boolean"], value
    elif isinstance(value, str):
        metric.datatype, metric.string_value = TYPES["String"], value
    elif isinstance(value, int):
        metric.datatype, metric.long_value = TYPES["Int64"], value & (1 << 64) - 1
    else:
        metric.datatype, metric.double_value = TYPES["Double"], value


def _unit(name: str) -> str:
    """The unit that a name ends in, as people write it."""
    ends = [unit for unit in UNITS.values() if unit.suffix and name.endswith("_" + unit.suffix)]
    return max(ends, key=lambda unit: len(unit.suffix)).symbol if ends else ""
