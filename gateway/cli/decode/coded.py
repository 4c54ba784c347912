"""LoRaWAN payloads with their vendors' codecs: run once, by hand, in a process of their own with a gateway's limits.

`-d lorawan-payload` takes the bytes of a payload alone; other types take their messages. What a codec prints goes to
standard error.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.cli.usage import UsageError
from textfile import nearest

if TYPE_CHECKING:
    from devices.spec.coded import Codec, Coded, Raw
    from devices.spec.device import MessageDevice
    from devices.spec.events import Event
    from gateway.codecs import Asked

RAW = "lorawan-payload"
"""The protocol whose bytes are a payload, and no message of a network server."""

Choose = Callable[["Raw"], "Asked | None"]


class Coding(NamedTuple):
    """What was asked for: one codec or a folder of them, and what is known of a payload that is by itself."""

    codec: Path | None
    codecs: Path | None
    f_port: int | None
    sender: str | None

    def see(self, name: str, takes: bool) -> None:
        """Refuse what does not go together; `takes`: the type has payloads for codecs."""
        if self.codec is not None and self.codecs is not None:
            raise UsageError("give --codec FILE.js or --codecs FOLDER, not both")
        if (self.codec or self.codecs) and not takes:
            raise UsageError(f"--codec and --codecs: {name} has no payloads that codecs read")
        if self.f_port is not None and name != RAW:
            raise UsageError(f"--fport goes with -d {RAW}; a message of {name} says its port itself")
        if self.sender is not None and (name != RAW or self.codecs is None):
            raise UsageError(f"--sender goes with -d {RAW} and --codecs FOLDER")
        if self.codec is not None and not self.codec.is_file():
            raise UsageError(f"--codec: there is no file {self.codec}")

    def events(self, kind: "MessageDevice", topic: str, payload: bytes, alone: bool) -> "list[Event]":
        """The events of a message, or of a payload that is `alone`, as its codec reads it."""
        decode, now_ns = kind.decode_coded, time.time_ns()
        if alone:
            if not (self.codec or self.codecs):
                print(
                    f"{RAW}: no codec was given, so no value is read: --codec FILE.js or --codecs FOLDER",
                    file=sys.stderr,
                )
            return self._alone(payload)
        if decode is None or not (self.codec or self.codecs):
            return kind.decode(topic, payload, now_ns)
        return _events(lambda codec: decode(topic, payload, now_ns, codec), self)

    def _alone(self, data: bytes) -> "list[Event]":
        from devices.lorawan.codec import uplink
        from devices.spec.coded import Raw

        sender = self.sender or ""
        eui = sender.replace(":", "").replace("-", "").lower()
        is_eui = len(eui) == 16 and all(letter in "0123456789abcdef" for letter in eui)
        raw = Raw(data, self.f_port or 0, eui if is_eui else "", "", "" if is_eui else sender)
        return _events(lambda codec: uplink(raw, codec), self)


def _events(decode: "Callable[[Codec], list[Event]]", coding: Coding) -> "list[Event]":
    """As a gateway does: look which codecs are needed, ask them, decode with their answers."""
    from devices.lorawan.codec import built_in
    from devices.spec.coded import CodecRefused
    from gateway.codecs import CodecsUnusable, Limits, Said, absent, answer, answers

    uplinks: list[Raw] = []
    events = decode(uplinks.append)
    missing = absent()
    if (coding.codec or coding.codecs) and missing:
        raise UsageError(missing)
    try:
        choose = _chooser(coding)
        chosen = [choose(raw) for raw in uplinks]
        if not any(chosen):
            return events
        asked = [each for each in chosen if each is not None and not each[0].builtin]
        said = iter(answers(asked, Limits(), time.time_ns()) if asked else ())
    except CodecsUnusable as unusable:
        raise UsageError(str(unusable)) from unusable
    told: list[Coded | CodecRefused | None] = []
    for each in chosen:
        if each is None:
            told.append(None)
            continue
        script, raw = each
        if script.builtin:
            told.append(None if raw is None else built_in(script.builtin, raw))
            continue
        one = next(said)
        for line in one.printed if isinstance(one, Said) else ():
            print(f"{script.name}: {line}", file=sys.stderr)
        told.append(None if raw is None else answer(script.name, raw, one))
    left = iter(told)

    def codec(_raw: "Raw") -> "Coded | None":
        one = next(left)
        if isinstance(one, CodecRefused):
            raise one
        return one

    return decode(codec)


def _chooser(coding: Coding) -> Choose:
    """Which codec is asked about an uplink."""
    from gateway.codecs import script_of, shelf_of

    if coding.codec is not None:
        script = script_of(coding.codec)
        return lambda raw: (script, raw) if raw.data else None
    if coding.codecs is None:
        return lambda _raw: None
    shelf = shelf_of(coding.codecs)

    def choose(raw: "Raw") -> "Asked | None":
        found = shelf.choose(raw)
        if found is None:
            who = raw.profile or raw.dev_eui or raw.device
            near = nearest(who, [name.rpartition("/")[2].rpartition(".")[0] for name in shelf.scripts])
            hint = f"; is {near} meant?" if near else ""
            of = f"for {who}" if who else "where nothing says whose payload it is: give --sender"
            print(f"{coding.codecs}: no codec {of}{hint}", file=sys.stderr)
            return None
        return None if raw.decoded and found.prefer != "codec" else (found, raw)

    return choose
