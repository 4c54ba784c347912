"""What a MAVLink system can be told: a mode, and to say a message now. COMMAND_LONG, answered by COMMAND_ACK.

    COMMAND_LONG   target_system, target_component, command, confirmation, param1 ... param7
    COMMAND_ACK    command, result, progress ...         from the system and component that was told

Said as a ground station would, system 255, component 190, in frames of MAVLink 2 or 1, unsigned: a vehicle that wants
signed frames obeys nobody here. Who is told is the thing: `mast-1-1` is component 1 of system 1.

A mode is a number of the autopilot: of ArduPilot (copter: 3 auto, 4 guided, 5 loiter, 6 return, 9 land) `custom_mode`
alone, of PX4 its main mode in `custom_mode` and its sub mode in `custom_submode`. Arming, parameters and missions are
no commands here: the gateway is no ground station, and no safety system.

Limits: an answer names the command and not which one of its kind it is to; with another ground station on the same
link its answer may be taken for ours.
Source: mavlink.io, "Command Protocol"; common message set (MAV_CMD_DO_SET_MODE, MAV_CMD_REQUEST_MESSAGE, MAV_RESULT).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.spec.command import (
    ACCEPTED,
    DONE,
    Argument,
    Arguments,
    Heard,
    Outcome,
    Request,
    StreamCommand,
    To,
    refused,
)
from devices.spec.device import Decoder
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading, Value
from devices.spec.field import Field

STATION = "255-190"
SET_MODE, REQUEST_MESSAGE = 176, 512
CUSTOM_MODE_ENABLED = 1

MESSAGES: Mapping[str, int] = {
    "SYS_STATUS": 1, "SYSTEM_TIME": 2, "GPS_RAW_INT": 24, "ATTITUDE": 30, "GLOBAL_POSITION_INT": 33, "VFR_HUD": 74,
    "BATTERY_STATUS": 147,
}  # fmt: skip
"""What may be asked for, and its id."""

_ID = {0xFD: (7, b"\x4c\0\0"), 0xFE: (5, b"\x4c")}
"""Where the id of the message stands in a frame, and that of COMMAND_LONG."""

_RESULTS = {
    1: "temporarily rejected: it cannot do that now",
    2: "denied",
    3: "unsupported: it does not know that command",
    4: "failed",
    6: "cancelled",
    7: "only as COMMAND_LONG",
    8: "only as COMMAND_INT",
    9: "unsupported frame of reference",
}

VERSION = Argument(
    Field("wire_version", "1", "Of the frame: 1 for systems that speak no MAVLink 2", "counter", minimum=1, maximum=2),
    default=2,
)
MODE = Argument(Field("custom_mode", "1", "Number of the autopilot's mode", "counter", minimum=0, maximum=255))
SUBMODE = Argument(
    Field("custom_submode", "1", "Number of its sub mode (PX4)", "counter", minimum=0, maximum=255), default=0
)
MESSAGE = Argument(Field("message", "1", "What is to be said", kind="state", states=tuple(MESSAGES)))


def ack(command: int, result: int, thing: str) -> Reading:
    """How a system answers a command."""
    return Reading({"command": float(command), "result": float(result)}, thing=thing, tags={"message": "COMMAND_ACK"})


Params = Callable[[Arguments], tuple[Value, ...]]
Meant = Callable[[Mapping[str, Value]], dict[str, Value] | None]


@dataclass(frozen=True, slots=True)
class _Long:
    """One command as a COMMAND_LONG: `params` of its arguments, and the arguments that the fields of one mean."""

    name: str
    number: int
    params: Params
    meant: Meant
    encode: Callable[[Reading], bytes]
    decoder: Callable[[], Decoder]

    def pack(self, said: Arguments, to: To) -> bytes:
        system, _, component = to.thing.partition("-")
        if not system.isdecimal() or not component.isdecimal():
            raise EncodeError(f"{self.name}: the port has several systems; tell one of them, as mast-1-1")
        fields: dict[str, Value] = {
            "seq": to.number & 0xFF, "wire_version": said["wire_version"], "command": float(self.number),
            "confirmation": 0.0, "target_system": float(system), "target_component": float(component),
        }  # fmt: skip
        given = self.params(said)
        fields |= {f"param{n}": float(given[n - 1]) if n <= len(given) else 0.0 for n in range(1, 8)}
        return self.encode(Reading(fields, thing=STATION, tags={"message": "COMMAND_LONG"}))

    def parse(self, data: bytes, _to: To) -> Heard | None:
        at, id_ = _ID.get(data[0], (0, b"")) if data else (0, b"")
        if not at or data[at : at + len(id_)] != id_:
            return None
        size = data[1] + (12 if data[0] == 0xFD else 8)
        events = self.decoder().feed(data[:size]) if len(data) >= size else []
        if len(events) != 1 or not isinstance(events[0], Reading) or events[0].fields.get("command") != self.number:
            return None
        fields = events[0].fields
        said = self.meant(fields)
        if said is None:
            return None
        who = f"{fields['target_system']:.0f}-{fields['target_component']:.0f}"
        return Heard(size, said | {"wire_version": fields["wire_version"]}, who)

    def judge(self, _arguments: Arguments, to: To, event: Event) -> Outcome | None:
        if not isinstance(event, Reading) or event.tags.get("message") != "COMMAND_ACK" or event.thing != to.thing:
            return None
        fields = event.fields
        if fields.get("command") != self.number or fields.get("target_system", 0.0) not in (0.0, 255.0):
            return None
        result = int(float(fields.get("result", 4.0)))
        if result in (0, 5):
            return ACCEPTED if result else DONE
        return refused(f"{to.thing} answers {_RESULTS.get(result, f'result {result}')}")

    def answer(self, _arguments: Arguments, to: To) -> bytes:
        return self.encode(ack(self.number, 0, to.thing))

    def told(self, description: str, arguments: tuple[Argument, ...], *, harmless: bool) -> StreamCommand:
        return StreamCommand(
            name=self.name, description=description, arguments=(*arguments, VERSION), answer=self.answer,
            request=Request(self.pack, self.parse), judge=self.judge, harmless=harmless,
        )  # fmt: skip


def _mode(fields: Mapping[str, Value]) -> dict[str, Value] | None:
    return {"custom_mode": int(float(fields["param2"])), "custom_submode": int(float(fields["param3"]))}


def _message(fields: Mapping[str, Value]) -> dict[str, Value] | None:
    found = [name for name, id_ in MESSAGES.items() if id_ == fields["param1"]]
    return {"message": found[0]} if found else None


def commands(encode: Callable[[Reading], bytes], decoder: Callable[[], Decoder]) -> tuple[StreamCommand, ...]:
    """Those of a type whose messages are written and read so."""

    def mode(said: Arguments) -> tuple[Value, ...]:
        return CUSTOM_MODE_ENABLED, said["custom_mode"], said["custom_submode"]

    def message(said: Arguments) -> tuple[Value, ...]:
        return (MESSAGES[str(said["message"])],)

    return (
        _Long("mode", SET_MODE, mode, _mode, encode, decoder).told(
            "Change the mode of the autopilot", (MODE, SUBMODE), harmless=False
        ),
        _Long("request-message", REQUEST_MESSAGE, message, _message, encode, decoder).told(
            "Say a message now", (MESSAGE,), harmless=True
        ),
    )
