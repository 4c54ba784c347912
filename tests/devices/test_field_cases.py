"""What devices in the field said and the gateway once refused, lost or misread: `field_cases.jsonl`, a case a line.

`expected` lists what has to come out: of reading number `reading` (counted without the other events) the
`fields` (within 1e-6), the `time` (null: none), the number of values left out; `absent` fields; `empty`, the
words of an event with nothing to report; `no_error`, a kind of error that may not come out. Beyond that no
case may give a sanity or integrity error.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.spec.device import MessageDevice, StreamDevice
from devices.spec.events import Empty, Event, IntegrityError, Reading, SanityError
from tests.device_types import BY_NAME
from tests.devices.examples import nanoseconds

CASES = [json.loads(line) for line in Path(__file__).with_name("field_cases.jsonl").read_text().splitlines()]
RECEIVED_NS = 1_795_880_000_000_000_000


def decoded(case: dict[str, Any]) -> list[Event]:
    device = BY_NAME[case["device"]]
    data = bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode()
    if isinstance(device, MessageDevice):
        return device.decode(case["topic"], data, RECEIVED_NS)
    assert isinstance(device, StreamDevice)
    decoder = device.decoder()
    return decoder.feed(data) + decoder.flush()


def check(wanted: dict[str, Any], events: list[Event]) -> None:
    if "no_error" in wanted:
        assert wanted["no_error"] == "integrity"
        assert not any(isinstance(event, IntegrityError) for event in events)
        return
    if "empty" in wanted:
        (event,) = events
        assert isinstance(event, Empty)
        assert event.detail == wanted["empty"]
        return
    reading = [event for event in events if isinstance(event, Reading)][wanted["reading"]]
    for name, value in wanted["fields"].items():
        found = reading.fields[name]
        assert found == (pytest.approx(value, abs=1e-6) if isinstance(value, float) else value), name
    for name in wanted.get("absent", ()):
        assert name not in reading.fields
    if "field_errors" in wanted:
        assert len(reading.field_errors) == wanted["field_errors"]
    if "time" in wanted:
        assert reading.time_ns == (None if wanted["time"] is None else nanoseconds(wanted["time"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['kind']}".replace(" ", "-"))
def test_what_was_said_in_the_field_is_read(case: dict[str, Any]) -> None:
    events = decoded(case)
    assert not any(isinstance(event, SanityError | IntegrityError) for event in events)
    for wanted in case["expected"]:
        check(wanted, events)


def test_every_case_has_a_source_and_says_what_is_right() -> None:
    assert len(CASES) == 26
    assert all(case["source"] and case["expected"] for case in CASES)


@pytest.mark.parametrize(
    ("case", "name"),
    [("A1", "magnetic_variation_deg"), ("A3", "magnetic_variation_deg"), ("A8", "magnetic_variation_deg")],
)
def test_what_was_left_out_is_told(case: str, name: str) -> None:
    (reading,) = decoded(next(entry for entry in CASES if entry["id"] == case))
    assert isinstance(reading, Reading)
    (words,) = reading.field_errors
    assert words.startswith(name)


def test_no_position_comes_of_what_is_void() -> None:
    for case in CASES:
        if case["kind"] == "nmea-void-placeholder":
            (reading,) = decoded(case)
            assert isinstance(reading, Reading)
            assert not {"latitude_deg", "longitude_deg"} & reading.fields.keys()
            assert reading.field_errors == ()
