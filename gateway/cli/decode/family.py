"""Messages of a type with state: several of them, in the order in which they came.

A file (or standard input) has one message a line, topic and payload, as `mosquitto_sub -v` prints them:

    zigbee2mqtt/bridge/devices [{"ieee_address": "0x00158d...", ...}]
    zigbee2mqtt/lake/climate {"temperature": 21.5}
    zigbee2mqtt/lake/climate/availability online

A payload begins at the first `{` or `[` behind a blank, else behind the last blank: names may have
blanks. Of a type whose payloads are no text they may be in hex, as of `mosquitto_sub -F '%t %x'`.

With --text or --hex it is one message, on --topic, and --with names a file of those before it; without one it is
what the message says all by itself, which some types do without a topic, too.
"""

import time
from typing import TYPE_CHECKING

from gateway.cli.decode.inputs import bounded, clip, from_file, parse_hex
from gateway.cli.decode.shown import Printed
from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import MessageDecoder, MessageDevice


def decode_family(
    kind: "MessageDevice", topic: str | None, data: bytes, heard: str | None, printed: Printed, single: bool
) -> None:
    """Print what the messages in `data` say; of those in the file `heard` nothing is printed."""
    pattern = topic if topic is not None and not single else None
    if pattern is not None and not any(level in ("+", "#") for level in pattern.split("/")):
        single, pattern = True, None  # a file that holds the payload of one topic
    if single and topic is None and (heard is not None or not kind.bare):
        raise UsageError(f"--topic is missing: a message of {kind.name} is told by its topic, as in {kind.topic}")
    if single and heard is None:
        printed.events(kind.decode(topic or "", data, time.time_ns()))
        printed.end()
        return
    decoder = kind.decoder(pattern)
    if heard is not None:
        for name, payload in _messages(kind, b"".join(bounded(from_file(heard))), heard):
            decoder.decode(name, payload, time.time_ns())
    if single and topic is not None:
        _print(decoder, topic, data, printed)
    else:
        for name, payload in _messages(kind, data, "the input"):
            _print(decoder, name, payload, printed)
    printed.events(decoder.flush())
    printed.end()


def _print(decoder: "MessageDecoder", topic: str, payload: bytes, printed: Printed) -> None:
    from devices.spec.events import Fetch, Publish

    told = decoder.decode(topic, payload, time.time_ns())
    printed.events([event for event in told if not isinstance(event, Fetch | Publish)])


def _messages(kind: "MessageDevice", data: bytes, where: str) -> list[tuple[str, bytes]]:
    found = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        at = min((at for at in (line.find(b" {"), line.find(b" [")) if at > 0), default=line.rfind(b" "))
        if at <= 0:
            got = clip(line[:60].decode("utf-8", "replace"))
            raise UsageError(f"{where}, line {number}: expected a topic, a blank and a payload, got {got}")
        payload = line[at + 1 :]
        if kind.binary:
            payload = parse_hex(payload.decode("ascii", "replace")) or payload
        found.append((line[:at].decode("utf-8", "replace"), payload))
    return found
