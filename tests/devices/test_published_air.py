"""The published vectors of gas sensors and particle counters that are no Plantower or Nova, names mapped to ours here.

Those are in test_published_streams.py. PyPMS prints its values rounded: each is compared to the digits it has.
"""

from typing import Any

import pytest

from devices.catalogue import ALIASES
from devices.spec.device import PolledDevice, StreamDevice
from devices.spec.events import Event, Reading
from devices.spec.field import Field
from tests.device_types import BY_NAME
from tests.devices.published import published

TYPES = {
    "Bosch MCU680 (BME680)": "mcu680",
    "mcu680": "mcu680",
    "Honeywell HPMA115C0": "hpma115c0",
    "hpma115s0": "hpma115s0",
    "Sensirion SPS30": "sps30",
    "sps30": "sps30",
    "Winsen MH-Z19B": "mhz19b",
    "mhz19b": "mhz19b",
}
"""The publisher's device to our type."""

NAMES: dict[str, dict[str, tuple[str, float]]] = {
    "bosch-mcu680": {
        "temp": ("temperature_c", 0.1), "rhum": ("humidity_pct", 0.1), "pres": ("pressure_hpa", 0.01),
        "IAQ": ("iaq", 1), "gas": ("gas_resistance_kohm", 0.1), "alt": ("altitude_m", 1),
    },
    "honeywell-hpma": {
        "pm01": ("pm1_0_ug_m3", 1), "pm25": ("pm2_5_ug_m3", 1), "pm04": ("pm4_0_ug_m3", 1), "pm10": ("pm10_ug_m3", 1),
    },
    "sensirion-shdlc": {
        "pm01": ("pm1_0_ug_m3", 0.1), "pm25": ("pm2_5_ug_m3", 0.1), "pm04": ("pm4_0_ug_m3", 0.1),
        "pm10": ("pm10_ug_m3", 0.1), "diam": ("typical_size_um", 0.1), "n0_5": ("particles_below_0_5um_per_cm3", 0.01),
        "n1_0": ("particles_below_1_0um_per_cm3", 0.01), "n2_5": ("particles_below_2_5um_per_cm3", 0.01),
        "n4_0": ("particles_below_4_0um_per_cm3", 0.01), "n10_0": ("particles_below_10um_per_cm3", 0.01),
    },
    "winsen-mhz": {"CO2": ("co2_ppm", 1)},
}  # fmt: skip
"""By protocol: the publisher's name to our field, and one step of what it prints."""

UNITS = {
    "ug/m3": "ug/m3",
    "#/cm3": "/cm3",
    "degC": "Cel",
    "%": "%",
    "ppm": "[ppm]",
    "kOhm": "kOhm",
    "m": "m",
    "um": "um",
}
VECTORS = published(*NAMES)


def device(vector: dict[str, Any]) -> StreamDevice | PolledDevice:
    found = BY_NAME[TYPES[vector["device"]]]
    assert isinstance(found, StreamDevice | PolledDevice)
    assert found.name in ALIASES[vector["protocol"]]
    return found


def events(vector: dict[str, Any]) -> list[Event]:
    decoder = device(vector).decoder()
    return decoder.feed(bytes.fromhex(vector["input_hex"])) + decoder.flush()


def field(vector: dict[str, Any], name: str) -> Field:
    return next(each for each in device(vector).fields if each.name == name)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['protocol']}-{vector['id']}")
def test_published_vector(vector: dict[str, Any]) -> None:
    found = events(vector)
    readings = [event for event in found if isinstance(event, Reading)]
    if vector["expected"].get("reject"):
        assert not readings
        assert found
        return
    (reading,) = readings
    assert not reading.field_errors
    for name, wanted in vector["expected"].items():
        if name == "IAQ_acc":
            check_accuracy(vector, reading, wanted["value"])
            continue
        ours, step = NAMES[vector["protocol"]][name]
        assert reading.fields[ours] == pytest.approx(wanted["value"], rel=0, abs=step / 2 + 1e-9), name
        if "unit" in wanted:
            assert field(vector, ours).unit == UNITS[wanted["unit"]]


def check_accuracy(vector: dict[str, Any], reading: Reading, theirs: float) -> None:
    """PyPMS takes bits 4..15 of the word of the index for its accuracy; they are 12..15, as the board's own sample
    program has it, and as the index of 25 says that BSEC gives before it knows the air."""
    word = int.from_bytes(bytes.fromhex(vector["input_hex"])[11:13], "big")
    assert theirs == word >> 4
    assert reading.fields["iaq_accuracy"] == word >> 12 == 0
