"""What an edge node can be told: to say its births again.

    spBv1.0/<group>/NCMD/<node>      a metric `Node Control/Rebirth`, true
    spBv1.0/<group>/NBIRTH/<node>    done: the birth that follows

Source: Eclipse Sparkplug 3.0.0, section 5.8 "Commands", 6.4.27 (NCMD).
"""

from devices.sparkplug_b.encode import REBIRTH, birth, rebirth
from devices.sparkplug_b.payload import PayloadRefused, read
from devices.sparkplug_b.topic import place
from devices.spec.command import DONE, Arguments, MessageCommand, Outcome, To
from devices.spec.errors import EncodeError
from devices.spec.events import Publish, Reading, Value


def _beside(to: To, type_: str) -> str:
    where = place(to.topic)
    if where is None:
        raise EncodeError(f"sparkplug-b: topic {to.topic[:60]!r}: expected spBv1.0/<group>/<type>/<node>")
    return where.topic(type_)


def _encode(_arguments: Arguments, to: To) -> tuple[Publish, ...]:
    return (Publish(_beside(to, "NCMD"), rebirth(to.now_ns // 1_000_000)),)


def _judge(_arguments: Arguments, to: To, topic: str, _payload: bytes) -> Outcome | None:
    return DONE if topic == _beside(to, "NBIRTH") else None


def asks_rebirth(payload: bytes) -> bool:
    """Whether the payload of an NCMD asks for the births."""
    try:
        metrics = read(payload).metrics
    except PayloadRefused:
        return False
    return any(each.name == REBIRTH and each.raw is not None and each.raw.value is True for each in metrics)


def _hear(topic: str, payload: bytes, to: To) -> tuple[dict[str, Value], To] | None:
    return ({}, to) if topic == _beside(to, "NCMD") and asks_rebirth(payload) else None


def _answer(_arguments: Arguments, to: To) -> tuple[Publish, ...]:
    return (Publish(_beside(to, "NBIRTH"), birth(Reading({}, to.now_ns), session=0)),)


COMMANDS = (
    MessageCommand(
        name="rebirth",
        description="Say the births again: names, units and values of the node and its devices",
        timeout_s=10.0,
        harmless=True,
        encode=_encode,
        answered_on=lambda to: (_beside(to, "NBIRTH"),),
        judge=_judge,
        listens=lambda to: (_beside(to, "NCMD"),),
        hear=_hear,
        answer=_answer,
    ),
)
