"""What a VDA 5050 robot can be told at once: instantActions, one action each.

    uagv/v2/{manufacturer}/{serialNumber}/instantActions
        {"headerId", "timestamp", "version", "manufacturer", "serialNumber",
         "actions": [{"actionType": "startPause", "actionId": ..., "blockingType": "HARD", "actionParameters": []}]}
    .../state       {"actionStates": [{"actionId": ..., "actionStatus": "FINISHED"}], "errors": [...]}

1.1 calls the list `instantActions`; 3.0 answers in `instantActionStates`. The version follows the level `v1`, `v2` or
`v3` of the topic, as the topic's other levels give manufacturer and serial number; without one it is 2.1.

WAITING, INITIALIZING, RUNNING and PAUSED mean accepted, FINISHED done, FAILED refused with the robot's words, as does
an error that refers to the action. A factsheet is done when it comes.

The gateway is no fleet control and no safety system: a pause may come late or never. `cancel-order` and orders by a
fleet control at the same time contradict each other; whose robots these are has to be settled elsewhere.

Limits: actions without parameters; what a robot supports stands in its factsheet.
Source: VDA 5050 1.1 (6.9), 2.1.0 (6.9, 6.12), 3.0.0; json_schemas of VDA5050/VDA5050.
"""

from dataclasses import replace

import msgspec
from msgspec import json as msgjson

from devices.spec.command import ACCEPTED, DONE, Arguments, MessageCommand, Outcome, To, refused
from devices.spec.errors import EncodeError
from devices.spec.events import Publish, Reading, Value
from devices.spec.json_time import format_ns
from devices.vda5050.encode import encode

_VERSIONS = {"v1": "1.1.0", "v2": "2.1.0", "v3": "3.0.0"}
_UNDER_WAY = ("WAITING", "INITIALIZING", "RUNNING", "PAUSED")


class _Asked(msgspec.Struct, rename="camel"):
    action_type: str
    action_id: str


class _Instant(msgspec.Struct, rename="camel"):
    actions: list[_Asked] = []
    instant_actions: list[_Asked] = []


class _Status(msgspec.Struct, rename="camel"):
    action_id: str = ""
    action_status: str = ""
    result_description: str | None = None


class _Reference(msgspec.Struct, rename="camel"):
    reference_value: object = None


class _Fault(msgspec.Struct, rename="camel"):
    error_type: str = ""
    error_description: str | None = None
    error_references: list[_Reference] | None = None


class _State(msgspec.Struct, rename="camel"):
    action_states: list[_Status] = []
    instant_action_states: list[_Status] = []
    errors: list[_Fault] = []


_state = msgjson.Decoder(_State)
_instant = msgjson.Decoder(_Instant)


def beside(to: To, what: str) -> str:
    """The robot's topic of another message."""
    return f"{to.topic.rpartition('/')[0]}/{what}"


def version_of(topic: str) -> str:
    """The version that a robot speaks, by its topic."""
    return next((_VERSIONS[level] for level in topic.split("/") if level in _VERSIONS), "2.1.0")


def states(ident: str, status: str, why: str, version: str) -> dict[str, object]:
    """The part of a state that answers an action."""
    one = {"actionId": ident, "actionStatus": status, **({"resultDescription": why} if why else {})}
    return {"instantActionStates" if version.startswith("3") else "actionStates": [one]}


def _action(
    name: str, action: str, description: str, *, blocking: str, since: int = 1, harmless: bool = False
) -> MessageCommand:
    """An instant action; before major version `since` there is none."""

    def encode_(_arguments: Arguments, to: To) -> tuple[Publish, ...]:
        levels, version = to.topic.split("/"), version_of(to.topic)
        if len(levels) < 3:
            raise EncodeError(f"{name}: topic {to.topic!r}: expected .../manufacturer/serialNumber/state")
        if int(version[0]) < since:
            raise EncodeError(f"{name}: VDA 5050 {version} has no {action}")
        said = {
            "headerId": to.number & 0xFFFFFFFF,
            "timestamp": format_ns(to.now_ns, 3),
            "version": version,
            "manufacturer": levels[-3],
            "serialNumber": levels[-2],
            "instantActions" if version.startswith("1") else "actions": [
                {"actionType": action, "actionId": to.ident, "blockingType": blocking, "actionParameters": []}
            ],
        }
        return (Publish(beside(to, "instantActions"), msgjson.encode(said)),)

    def judge(_arguments: Arguments, to: To, topic: str, payload: bytes) -> Outcome | None:
        if action == "factsheetRequest" and topic == beside(to, "factsheet"):
            return DONE
        return _judged(to.ident, payload) if topic == beside(to, "state") else None

    def hear(topic: str, payload: bytes, to: To) -> tuple[dict[str, Value], To] | None:
        if topic != beside(to, "instantActions"):
            return None
        try:
            said = _instant.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        for each in (*said.actions, *said.instant_actions):
            if each.action_type == action:
                return {}, replace(to, ident=each.action_id)
        return None

    def answer(_arguments: Arguments, to: To) -> tuple[Publish, ...]:
        version = version_of(to.topic)
        idle = Reading({"battery_pct": 50.0, "version": version}, to.now_ns, to.thing or "robot")
        state = msgjson.decode(encode(idle)) | states(to.ident, "FINISHED", "", version)
        return (Publish(beside(to, "state"), msgjson.encode(state)),)

    return MessageCommand(
        name=name,
        description=description,
        timeout_s=30.0,
        harmless=harmless,
        encode=encode_,
        answered_on=lambda to: tuple(beside(to, each) for each in ("state", *(("factsheet",) if since > 1 else ()))),
        judge=judge,
        listens=lambda to: (beside(to, "instantActions"),),
        hear=hear,
        answer=answer,
    )


def _judged(ident: str, payload: bytes) -> Outcome | None:
    """What a state says of the action `ident`."""
    try:
        state = _state.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for each in (*state.action_states, *state.instant_action_states):
        if each.action_id != ident:
            continue
        if each.action_status == "FINISHED":
            return DONE
        if each.action_status in _UNDER_WAY:
            return ACCEPTED
        return refused(f"{each.action_status}: {each.result_description or 'the robot does not say why'}")
    for fault in state.errors:
        if any(reference.reference_value == ident for reference in fault.error_references or ()):
            return refused(f"{fault.error_type}: {fault.error_description or 'the robot does not say why'}")
    return None


COMMANDS = (
    _action("start-pause", "startPause", "Stop, and stay until the pause is over", blocking="HARD"),
    _action("stop-pause", "stopPause", "Go on after a pause", blocking="HARD"),
    _action("cancel-order", "cancelOrder", "Stop as soon as possible and forget the order", blocking="HARD"),
    _action("start-charging", "startCharging", "Charge, where it stands at a charger", blocking="HARD"),
    _action("stop-charging", "stopCharging", "End charging", blocking="HARD"),
    _action("state-request", "stateRequest", "Say the state now", blocking="NONE", harmless=True),
    _action(
        "factsheet-request",
        "factsheetRequest",
        "Say what kind of robot it is (from 2.0 on)",
        blocking="NONE",
        since=2,
        harmless=True,
    ),
)
