"""Sparkplug B 3.0: edge nodes and their devices, which say at their birth what their numbers mean.

    spBv1.0/<group>/NBIRTH/<node>               names, aliases, data types, units and values of all metrics; seq 0
    spBv1.0/<group>/DBIRTH/<node>/<device>      the same of a device of that node
    spBv1.0/<group>/NDATA/<node>, DDATA/...     what has changed, by name or by alias
    spBv1.0/<group>/NDEATH/<node>, DDEATH/...   it is gone; NDEATH is the node's last will
    spBv1.0/<group>/NCMD/<node>, DCMD/...       commands; spBv1.0/STATE/<host>: no readings

| message | reading |
|---|---|
| NBIRTH, DBIRTH | `online_flag`, `message_type`, `metric_count`, `bd_seq`, `seq`, and all values; standing |
| NDATA, DDATA | the values, `seq`; `messages_missed` where some are |
| NDEATH, DDEATH | `online_flag` false; of a node also of each device of it that was heard of; standing |
| NCMD, DCMD, STATE | nothing to report |

The thing is `node` or `node/device`, the group the tag `group_id`. Names: births.py, values: values.py, times:
readings.py.

A birth replaces what was known of a node, and its devices have to be born again. Data whose birth has not come is kept
raw, and the node is asked for its births (`Node Control/Rebirth`, the first time with words for the log): again after
10 s, later after up to 600 s. It is read when they are there; where none come for a minute, or the node dies first, it
is refused with its bytes. A metric that its birth does not name is left out and named. All nodes are asked after a new
session, since births may have been missed, and one is after a gap in its `seq` or a metric that is not as its birth
says. No message is dropped for its number.

A death whose `bdSeq` is not that of the birth is of an earlier session and changes nothing. A last will was written
long before it is sent: it has the time of receipt.

Births are not retained. Where a broker has kept one all the same, what it defines is taken until a live one comes, and
nothing of whether the node is there.

`decode` of one message alone reads by name, and calls metrics that have only an alias `alias_100`; of commands it
shows what they say. A payload without a topic is read as data. `{"seq": [21, 23, ...]}`, a row of sequence numbers, is
counted (sequence.py): `message_count`, `seq_unique_count`, `seq_gap_count`, `seq_missing_count`, `seq_backwards_count`,
`seq_increments_text`.

Limits: MOST_NODES nodes by subscription, and those of births, node and values; payloads of LONGEST bytes.

Unknown: what a metric means beyond its name and unit; ranges (engLow, engHigh) are not judged.

Source: Eclipse Sparkplug 3.0.0, chapters 4 to 6 (EPL-2.0).
"""

from collections.abc import Sequence

from msgspec import json as msgjson

from devices.sparkplug_b.births import Birth, alone
from devices.sparkplug_b.commands import COMMANDS
from devices.sparkplug_b.encode import births, encode, rebirth
from devices.sparkplug_b.fields import FIELDS, TEMPERATURE
from devices.sparkplug_b.node import MOST_DEVICES, Kept, Node, SeqRefused, Waiting
from devices.sparkplug_b.payload import PayloadRefused, Said, read
from devices.sparkplug_b.readings import bd_seq, readings
from devices.sparkplug_b.sequence import count
from devices.sparkplug_b.topic import Place, place
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Ask, Empty, Event, Publish, Reading, SanityError, Value
from devices.spec.json_parts import loads
from devices.spec.sequence import Bits
from devices.spec.sequence import Sequence as Count

MOST_NODES = 1000
LONGEST = 8 << 20

Told = Event | Ask


class Family:
    """The state of one subscription: its nodes, and the data that waits for their births."""

    __slots__ = ("_nodes", "_unasked", "_waiting")

    def __init__(self, _pattern: str) -> None:
        self._nodes: dict[tuple[str, str, str], Node] = {}
        self._unasked: dict[tuple[str, str, str], Place] = {}
        self._waiting = Waiting()

    def connected(self, new_session: bool) -> list[Ask]:
        """After a new session births may have been missed: all nodes are asked, with the first message that comes."""
        if new_session:
            for (prefix, group, name), node in self._nodes.items():
                node.forget()
                self._unasked[prefix, group, name] = Place(prefix, group, "NDATA", name)
        return []

    def decode(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=False)

    def retained(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=True)

    def flush(self) -> list[Event]:
        return self._waiting.flush()

    def _message(self, topic: str, payload: bytes, received_ns: int, retained: bool) -> Sequence[Told]:
        where = place(topic)
        if where is None:
            return [SanityError(f"topic {topic[:100]!r}: expected spBv1.0/<group>/<type>/<node>[/<device>]", payload)]
        if where.type in ("NCMD", "DCMD", "STATE"):
            return [Empty("a command, no reading" if where.node and where.group else "a host's state", payload)]
        if not payload:
            return [Empty(DELETED, payload, where.thing)]
        key = (where.prefix, where.group, where.node)
        node = self._nodes.get(key)
        if node is None:
            if len(self._nodes) >= MOST_NODES:
                return [SanityError(f"more than {MOST_NODES} nodes below one subscription", payload)]
            node = self._nodes[key] = Node()
        try:
            said = read(payload)
            told = self._said(node, where, said, payload, received_ns, retained)
        except (PayloadRefused, SeqRefused) as refused:
            told = [SanityError(f"{where.type}: {refused}", payload)]
        return [*told, *self._waiting.expired(received_ns), *self._asks(received_ns)]

    def _said(
        self, node: Node, where: Place, said: Said, payload: bytes, received_ns: int, retained: bool
    ) -> list[Told]:
        if where.type in ("NBIRTH", "DBIRTH"):
            return self._birth(node, where, said, payload, received_ns, retained)
        if retained:
            return [Empty("retained, and no birth: old", payload, where.thing)]
        if where.type == "NDEATH":
            return self._node_died(node, where, said, payload)
        missed = node.count(said.seq)
        told: list[Told] = []
        if missed != 0:
            told += self._ask(node, where, received_ns)
        if where.type == "DDEATH":
            node.births.pop(where.device, None)
            node.there.discard(where.device)
            told += self._waiting.ended(where, whole=False)
            found = _presence(where, said, online=False)
            return [*told, found]
        return [*self._data(node, where, said, payload, received_ns, missed), *told]

    def _birth(
        self, node: Node, where: Place, said: Said, payload: bytes, received_ns: int, retained: bool
    ) -> list[Told]:
        birth = Birth(said.metrics)
        told: list[Told] = []
        if retained:
            node.learnt(where.device, birth)
        elif where.type == "NBIRTH":
            node.born(bd_seq(said), said.seq, birth)
            self._unasked.pop((where.prefix, where.group, where.node), None)
        else:
            if len(node.there | {where.device}) > MOST_DEVICES:
                return [SanityError(f"more than {MOST_DEVICES} devices of one node", payload)]
            missed = node.count(said.seq)
            if "" not in node.births or missed != 0:
                told += self._ask(node, where, received_ns)
            node.births[where.device] = birth
            node.there.add(where.device)
        own = {} if retained else _own(where, said, online=True) | {"metric_count": len(said.metrics)}
        found, _ = readings(said, birth.of, own, where.thing, {"group_id": where.group})
        found[0].standing = not retained
        told = [*(each for each in found if each.fields or each.field_errors), *told]
        for kept in self._waiting.take(where):
            told += self._late(birth, kept)
        return told or [Empty("a birth without values", payload, where.thing)]

    def _late(self, birth: Birth, kept: Kept) -> list[Event]:
        """What waited, read by the birth that has come; what has no time of its own has that of its receipt."""
        said = read(kept.payload)
        own = {} if said.seq is None else {"seq": said.seq}
        found, _ = readings(said, birth.of, own, kept.place.thing, {"group_id": kept.place.group})
        for each in found:
            if each.time_ns is None:
                each.time_ns = kept.received_ns
        return [*found]

    def _data(
        self, node: Node, where: Place, said: Said, payload: bytes, received_ns: int, missed: int | None
    ) -> list[Told]:
        if where.device and where.device not in node.there:
            node.heard(where.device)
        birth = node.births.get(where.device)
        if birth is None:
            waits = Empty("waits for a birth to say what it means", payload, where.thing)
            kept = self._waiting.keep(Kept(where, payload, received_ns))
            return [waits, *kept, *self._ask(node, where, received_ns)]
        if not said.metrics:
            return [Empty("no metrics", payload, where.thing)]
        own: dict[str, Value] = {}
        if said.seq is not None:
            own["seq"] = said.seq
        if missed:
            own["messages_missed"] = missed
        found, doubtful = readings(said, birth.of, own, where.thing, {"group_id": where.group})
        return [*found, *(self._ask(node, where, received_ns) if doubtful else ())]

    def _node_died(self, node: Node, where: Place, said: Said, payload: bytes) -> list[Told]:
        session = bd_seq(said)
        if "" in node.births and node.bd_seq is not None and session is not None and session != node.bd_seq:
            return [Empty(f"a death of session {session}, which is over: it is {node.bd_seq}", payload, where.thing)]
        told: list[Told] = [_presence(where, said, online=False)]
        told += [
            Reading({"online_flag": False}, None, f"{where.node}/{device}", {"group_id": where.group}, standing=True)
            for device in node.died()
        ]
        return told + self._waiting.ended(where, whole=True)

    def _asks(self, received_ns: int) -> list[Ask]:
        """The nodes that have to be asked after a new session."""
        asks: list[Ask] = []
        for where in self._unasked.values():
            asks += self._ask(self._nodes[where.prefix, where.group, where.node], where, received_ns)
        self._unasked.clear()
        return asks

    def _ask(self, node: Node, where: Place, received_ns: int) -> list[Ask]:
        first = not node.ever_asked
        if not node.to_ask(received_ns):
            return []
        words = f"node {where.node[:100]!r} of group {where.group[:100]!r} is asked for its births" if first else ""
        return [Publish(where.topic("NCMD"), rebirth(received_ns // 1_000_000), words=words)]


def _own(where: Place, said: Said, *, online: bool) -> dict[str, Value]:
    """What a birth or death says of itself."""
    fields: dict[str, Value] = {"online_flag": online, "message_type": where.type}
    session = bd_seq(said)
    if session is not None and session < 1 << 63:
        fields["bd_seq"] = session
    if said.seq is not None:
        fields["seq"] = said.seq
    return fields


def _presence(where: Place, said: Said, *, online: bool) -> Reading:
    """A node's last will was written long ago: it has no time of its own."""
    will = where.type == "NDEATH" or said.time_ms is None
    time_ns = None if will else (said.time_ms or 0) * 1_000_000
    return Reading(_own(where, said, online=online), time_ns, where.thing, {"group_id": where.group}, standing=True)


def decode(topic: str, payload: bytes, _received_ns: int) -> list[Event]:
    """What one message says without any birth; a row of sequence numbers is counted."""
    where = place(topic) or (None if topic else Place("", "", "NDATA", ""))
    if where is None:
        return [SanityError(f"topic {topic[:100]!r}: expected spBv1.0/<group>/<type>/<node>[/<device>]", payload)]
    if where.type == "STATE":
        return [Empty("a host's state", payload)]
    if not payload:
        return [Empty(DELETED, payload, where.thing)]
    row = _row(payload)
    if row is not None:
        return [row]
    try:
        return _alone(where, read(payload), payload)
    except PayloadRefused as refused:
        return [SanityError(f"{where.type}: {refused}", payload)]


def _alone(where: Place, said: Said, payload: bytes) -> list[Event]:
    tags = {"group_id": where.group} if where.group else {}
    thing = where.thing or None
    if where.type in ("NDEATH", "DDEATH"):
        death = _presence(where, said, online=False)
        if said.time_ms is not None:
            death.time_ns = said.time_ms * 1_000_000
        return [death]
    if said.seq is None and where.type not in ("NCMD", "DCMD"):
        return [SanityError(f"{where.type}: seq is missing: the payload breaks off?", payload)]
    if not said.metrics:
        return [Empty("no metrics", payload, thing)]
    own: dict[str, Value] = {} if said.seq is None else {"seq": said.seq}
    born = where.type in ("NBIRTH", "DBIRTH")
    if born:
        own = _own(where, said, online=True) | {"metric_count": len(said.metrics)}
    known = Birth(said.metrics).of if born else alone
    found, _ = readings(said, known, own, thing, tags)
    found[0].standing = born
    return [*found]


def _row(payload: bytes) -> Event | None:
    """What `{"seq": [...]}` says; None where it is something else."""
    if payload.lstrip()[:1] != b"{" or b"[" not in payload:
        return None
    try:
        said = loads(payload)
    except (ValueError, RecursionError):
        return None
    numbers = said.get("seq") if isinstance(said, dict) else None
    if not isinstance(numbers, list) or not all(type(each) is int and 0 <= each < 256 for each in numbers):
        return None
    counted = count(numbers)
    fields: dict[str, Value] = {
        "message_count": float(counted.messages),
        "seq_unique_count": float(counted.unique),
        "seq_gap_count": float(counted.gaps),
        "seq_missing_count": float(counted.missing),
        "seq_backwards_count": float(counted.backwards),
        "seq_increments_text": msgjson.encode(
            {str(step): times for step, times in counted.increments.items()}
        ).decode(),
    }
    return Reading(fields)


DEVICE = MessageDevice(
    name="sparkplug-b",
    title="Sparkplug B 3.0 edge nodes and devices",
    domain="park",
    source="Eclipse Sparkplug 3.0.0, chapters 4 to 6",
    fields=FIELDS,
    expected_every_s=60.0,
    sequence=Count((Bits.of(TEMPERATURE, 6),)),
    open_fields=True,
    topic="spBv1.0/#",
    says_on="spBv1.0/+/NDATA/{thing}",
    bare=True,
    binary=True,
    decode=decode,
    encode=encode,
    family=Family,
    births=births,
    commands=COMMANDS,
    longest_payload=LONGEST,
)
