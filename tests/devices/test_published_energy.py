"""The published vectors of meters and weather stations, their publishers' names mapped to ours here."""

from typing import Any

import pytest

from devices.spec.device import StreamDevice
from devices.spec.events import Reading
from tests.device_types import BY_NAME
from tests.devices.examples import nanoseconds
from tests.devices.published import published
from tests.devices.test_oracles_dsmr import NAMES

LEFT_OUT = {
    "EQUIPMENT_IDENTIFIER", "BELGIUM_EQUIPMENT_IDENTIFIER", "EQUIPMENT_SERIAL_NUMBER", "COSEM_LOGICAL_DEVICE_NAME",
}  # fmt: skip
"""They lead to a household."""
BELGIUM = {
    "BELGIUM_MAXIMUM_DEMAND_MONTH": "demand_max_kw",
    "BELGIUM_MAXIMUM_DEMAND_13_MONTHS": "demand_max_past_1_kw",  # dsmr_parser's first of the list
    "BELGIUM_VERSION_INFORMATION": "version_be",
}
UNITS = {"kWh": "kW.h", "kvarh": "kvar.h", "kW": "kW", "kvar": "kvar", "V": "V", "A": "A", "Hz": "Hz"}


@pytest.mark.parametrize("vector", published("dsmr-p1"), ids=lambda vector: vector["device"])
def test_telegram(vector: dict[str, Any]) -> None:
    device = BY_NAME["dsmr"]
    assert isinstance(device, StreamDevice)
    fields = {field.name: field for field in device.fields}
    for name in ("dsmr", "dsmr-v2"):
        kind = BY_NAME[name]
        assert isinstance(kind, StreamDevice)
        decoder = kind.decoder()
        events = decoder.feed(vector["input_text"].encode()) + decoder.flush()
        house, *others = events
        assert isinstance(house, Reading)
        assert house.field_errors == ()
        assert [event.tags["channel"] for event in others if isinstance(event, Reading)] == [
            str(n + 1) for n in range(len(others))
        ]
        for theirs, wanted in vector["expected"].items():
            if theirs in LEFT_OUT:
                assert str(wanted) not in map(str, house.fields.values())
            elif theirs == "P1_MESSAGE_TIMESTAMP":
                assert house.time_ns == nanoseconds(wanted.replace("+00:00", "Z"))
            else:
                ours = BELGIUM.get(theirs) or NAMES[theirs][0]
                value = wanted["value"] if isinstance(wanted, dict) else wanted
                assert house.fields[ours] == (value if fields[ours].kind == "text" else float(value)), theirs
                if isinstance(wanted, dict):
                    assert fields[ours].unit == UNITS[wanted["unit"]]
