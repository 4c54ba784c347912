"""Literal examples of what a device says, read from `<device>.toml` beside this file.

    device = "pms5003"

    [[example]]
    name = "a clear morning"            # unique in the file
    kind = "capture"                    # capture, unit-test, vendor-doc, spec-example, negative, made-here
    source = "repository@commit:path"   # or the document
    licence = "MIT"
    several = true                      # the bytes are more than one frame; default false
    both_ways = true                    # encode(reading) gives exactly these bytes; default false
    input_hex = "424d..."               # stream devices: input_hex or input_text
    question = 1                        # polled devices: which of its questions the bytes come after; default 0
    unit = 7                            # polled devices: the unit number; default the type's own
    request_hex = "0104..."             # polled devices: what that question asks that unit with
    topic = "v3/app/devices/x/up"       # message devices: topic, and payload_json, _text or _hex
    payload_json = '{"a": 1}'
    before = ["a/topic {}"]             # types with state: what came before it, topic and payload (binary: hex) each
    retained = true                     # types with state: the broker had kept it; default false
    received = 2024-01-01T00:00:00Z     # result time, message devices; default 2024-01-01T00:00:00Z
    events = [                          # what comes out, in order, each one of
        { fields = { pm10_ug_m3 = 8.0 }, time = 2024-01-01T00:00:00Z, thing = "x", tags = { a = "b" } },
        { fields = { b = 1.0 }, field_errors = ["humidity_pct"] },  # words about each value left out
        { noise = 3 },                  # bytes
        { integrity = "checksum" },     # words of the detail
        { sanity = "pm2_5_ug_m3: 1000" },
        { empty = "warming up" },       # nothing to report
    ]

`fields` are all the fields of the reading, or with `whole = false` beside them some of them.
`time` (TOML date-time, or text with up to nine decimals), `thing` and `tags` are compared only
where they are given; `time = "none"` means that the device said none. Fields in `near` are
equal within 1e-9 relative, all others exactly.
"""

import math
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devices.spec.device import Device, MessageDevice, PolledDevice, StreamDevice
from devices.spec.events import Empty, Event, Fetch, IntegrityError, Noise, Publish, Reading, SanityError
from devices.spec.polled import Exchange
from tests.device_types import BY_NAME, SHOWN, blocks

HERE = Path(__file__).parent
RECEIVED = datetime(2024, 1, 1, tzinfo=UTC)
KINDS = {"capture", "unit-test", "vendor-doc", "spec-example", "negative", "made-here"}
KEYS = {
    "name", "kind", "source", "licence", "both_ways", "several", "input_hex", "input_text", "topic", "payload_json",
    "payload_text", "payload_hex", "received", "events", "note", "question", "unit", "request_hex", "before",
    "retained",
}  # fmt: skip


def nanoseconds(moment: datetime | str) -> int:
    """Nanoseconds since 1970 of a TOML date-time or of `YYYY-MM-DDTHH:MM:SS[.fraction]Z`."""
    fraction = 0
    if isinstance(moment, str):
        seconds, _, decimals = moment.removesuffix("Z").partition(".")
        fraction = int(decimals.ljust(9, "0") or 0)
        moment = datetime.fromisoformat(seconds + "+00:00")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000 + fraction


@dataclass(frozen=True)
class Example:
    """One example. `data` are the bytes of the stream or of the payload, or those that come after the question."""

    device: Device
    name: str
    data: bytes
    events: tuple[dict[str, Any], ...]
    topic: str
    received_ns: int
    both_ways: bool
    several: bool
    question: int
    unit: int
    request: bytes
    before: tuple[str, ...] = ()
    retained: bool = False

    def __str__(self) -> str:
        return f"{self.device.name}: {self.name}"

    def decode(self) -> list[Event]:
        """Everything that comes out, the stream's end included."""
        if isinstance(self.device, MessageDevice):
            if self.before or self.retained:
                return self._in_company(self.device)
            return self.device.decode(self.topic, self.data, self.received_ns)
        if isinstance(self.device, PolledDevice):
            exchange = self.exchange()
            return exchange.feed(self.data) + exchange.end()
        decoder = self.device.decoder()
        return decoder.feed(self.data) + decoder.flush()

    def _in_company(self, device: MessageDevice) -> list[Event]:
        """What the message says after those before it."""
        decoder = device.decoder()
        decoder.connected(True)
        for line in self.before:
            topic, _, payload = line.partition(" ")
            data = bytes.fromhex(payload) if device.binary else payload.encode()
            decoder.decode(topic, data, self.received_ns)
        said = (decoder.retained if self.retained else decoder.decode)(self.topic, self.data, self.received_ns)
        return [event for event in said if not isinstance(event, Fetch | Publish)]

    def encode(self, reading: Reading) -> bytes:
        """The bytes that the device says it with."""
        if isinstance(self.device, PolledDevice):
            return self.device.questions[self.question].answer(self.unit, reading.fields)
        return self.device.encode(reading)

    def exchange(self) -> Exchange:
        """The question that these bytes come after."""
        assert isinstance(self.device, PolledDevice)
        return Exchange(self.device.questions[self.question], self.unit)


def read_examples(path: Path) -> list[Example]:
    """The examples of one file; a mistake in it is a ValueError that names it."""
    return parsed(path.read_text(encoding="utf-8"), path.name)


def parsed(text: str, name: str) -> list[Example]:
    """The examples of a text, `name` being where it stands."""
    document = tomllib.loads(text)
    named = document["device"]
    if named not in BY_NAME:
        line = f'"{named.replace("-", "_")}",'
        raise ValueError(f"{name}: no device type {named!r}; is the line {line} in BUILT_IN of devices/catalogue.py?")
    device = BY_NAME[named]
    examples = []
    for entry in document["example"]:
        unknown = entry.keys() - KEYS
        missing = {"name", "kind", "source", "licence", "events"} - entry.keys()
        if unknown or missing or entry["kind"] not in KINDS:
            raise ValueError(f"{name}: {entry.get('name')}: {unknown=} {missing=} kind={entry.get('kind')}")
        examples.append(
            Example(
                device=device,
                name=entry["name"],
                data=_data(entry),
                events=tuple(entry["events"]),
                topic=entry.get("topic", ""),
                received_ns=nanoseconds(entry.get("received", RECEIVED)),
                both_ways=entry.get("both_ways", False),
                before=tuple(entry.get("before", ())),
                retained=entry.get("retained", False),
                several=entry.get("several", False),
                question=entry.get("question", 0),
                unit=entry.get("unit", device.unit if isinstance(device, PolledDevice) else 0),
                request=bytes.fromhex(entry.get("request_hex", "")),
            )
        )
    return examples


def _data(entry: dict[str, Any]) -> bytes:
    for key in ("input_hex", "payload_hex"):
        if key in entry:
            return bytes.fromhex(entry[key])
    for key in ("input_text", "payload_json", "payload_text"):
        if key in entry:
            return str(entry[key]).encode()
    raise ValueError(f"{entry['name']}: no input")


def all_examples() -> list[Example]:
    """Those of the files here, and those that the papers show."""
    files = [example for path in sorted(HERE.glob("*.toml")) for example in read_examples(path)]
    names = {device.name for device in SHOWN}
    shown = [text for text in blocks("toml") if "[[example]]" in text and tomllib.loads(text)["device"] in names]
    return files + [example for text in shown for example in parsed(text, "docs/devices.md")]


def examples_of(device: Device) -> list[Example]:
    return [example for example in all_examples() if example.device is device]


def stream_examples() -> list[Example]:
    return [example for example in all_examples() if isinstance(example.device, StreamDevice)]


def polled_examples() -> list[Example]:
    return [example for example in all_examples() if isinstance(example.device, PolledDevice)]


def merged(events: list[Event]) -> list[Event]:
    """The same events, adjacent noise made one."""
    out: list[Event] = []
    for event in events:
        if isinstance(event, Noise) and out and isinstance(out[-1], Noise):
            out[-1] = Noise(out[-1].data + event.data)
        else:
            out.append(event)
    return out


def check_events(events: list[Event], expected: tuple[dict[str, Any], ...]) -> None:
    """Assert that the events are the expected ones."""
    found = merged(events)
    assert len(found) == len(expected), f"{len(expected)} events expected, found {found}"
    for event, wanted in zip(found, expected, strict=True):
        check_event(event, wanted)


def check_event(event: Event, wanted: dict[str, Any]) -> None:
    if "noise" in wanted:
        assert isinstance(event, Noise), event
        assert len(event.data) == wanted["noise"]
    elif "integrity" in wanted:
        assert isinstance(event, IntegrityError), event
        assert wanted["integrity"] in event.detail
    elif "sanity" in wanted:
        assert isinstance(event, SanityError), event
        assert wanted["sanity"] in event.detail
    elif "empty" in wanted:
        assert isinstance(event, Empty), event
        assert wanted["empty"] in event.detail
    else:
        assert isinstance(event, Reading), event
        _check_reading(event, wanted)


def _check_reading(reading: Reading, wanted: dict[str, Any]) -> None:
    fields = wanted["fields"]
    if wanted.get("whole", True):
        assert reading.fields.keys() == fields.keys()
    near = wanted.get("near", ())
    for name, value in fields.items():
        found = reading.fields[name]
        if name in near:
            assert isinstance(found, float), name
            assert math.isclose(found, value, rel_tol=1e-9), (name, found, value)
        else:
            assert (found, type(found)) == (value, type(value)), name
    if "time" in wanted:
        moment = wanted["time"]
        assert reading.time_ns == (None if moment == "none" else nanoseconds(moment))
    errors = wanted.get("field_errors", [])
    assert len(reading.field_errors) == len(errors), reading.field_errors
    for found, words in zip(reading.field_errors, errors, strict=True):
        assert words in found
    if "thing" in wanted:
        assert reading.thing == wanted["thing"]
    if "tags" in wanted:
        assert reading.tags == wanted["tags"]
