"""Air sensors against pypms, which decodes the same frames: on its own captures and on random payloads.

Where the two differ on purpose is said in `left_out` and `refused`: values that cannot be are left out
here, and a mass without a particle is refused also where it is that of standard particles.
"""

import csv
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pms import InconsistentObservation, SensorWarmingUp, WrongMessageChecksum, WrongMessageFormat
from pms.core import Sensor

from devices.spec.device import PolledDevice, StreamDevice
from devices.spec.events import Event, Reading
from tests.device_types import BY_NAME

MANY = settings(max_examples=300, deadline=None)
REFUSED = (WrongMessageChecksum, WrongMessageFormat, SensorWarmingUp, InconsistentObservation)

MASSES = {
    "raw01": "pm1_0_cf1_ug_m3", "raw25": "pm2_5_cf1_ug_m3", "raw10": "pm10_cf1_ug_m3",
    "pm01": "pm1_0_ug_m3", "pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3",
}  # fmt: skip
SMALL = {f"n{size}": f"particles_{size}um_per_cm3" for size in ("0_3", "0_5", "1_0", "2_5")}
LARGE = {"n5_0": "particles_5_0um_per_cm3", "n10_0": "particles_10um_per_cm3"}
COUNTS = SMALL | LARGE
AIR = {"temp": "temperature_c", "rhum": "humidity_pct"}
HCHO = {"HCHO": "formaldehyde_mg_m3"}
NAMES: dict[str, tuple[str, dict[str, str]]] = {
    "pms3003": ("PMS3003", MASSES),
    "pms5003": ("PMSx003", MASSES | COUNTS),
    "pms7003": ("PMSx003", MASSES | COUNTS),
    "pmsa003": ("PMSx003", MASSES | COUNTS),
    "pms5003s": ("PMS5003S", MASSES | COUNTS | HCHO),
    "pms5003st": ("PMS5003ST", MASSES | COUNTS | HCHO | AIR),
    "pms5003t": ("PMS5003T", MASSES | SMALL | AIR),
    "sds011": ("SDS01x", {"pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3"}),
    "sds018": ("SDS018", {"pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3"}),
    "sds021": ("SDS021", {"pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3"}),
    "sds198": ("SDS198", {"pm100": "pm100_ug_m3"}),
    "hpma115s0": ("HPMA115S0", {"pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3"}),
    "hpma115c0": (
        "HPMA115C0",
        {
            "pm01": "pm1_0_ug_m3",
            "pm25": "pm2_5_ug_m3",
            "pm04": "pm4_0_ug_m3",
            "pm10": "pm10_ug_m3",
        },
    ),
    "mhz19b": ("MHZ19B", {"CO2": "co2_ppm"}),
    "mhz19c": ("MHZ19B", {"CO2": "co2_ppm"}),
    "mcu680": (
        "MCU680",
        {
            "temp": "temperature_c",
            "rhum": "humidity_pct",
            "pres": "pressure_hpa",
            "IAQ": "iaq",
            "gas": "gas_resistance_kohm",
            "alt": "altitude_m",
        },
    ),
}
"""Our type to its sensor, and its names to ours."""
LENGTHS = {"pms3003": 20, "pms5003st": 36}


CAPTURES = Path(__file__).with_name("pypms_captures.csv")


def captures() -> list[tuple[str, bytes]]:
    """What PyPMS has recorded of real sensors: its name of the sensor, and a frame."""
    rows = csv.DictReader(CAPTURES.read_text(encoding="utf-8").splitlines()[1:])
    return [(row["sensor"], bytes.fromhex(row["hex"])) for row in rows]


def decoded(name: str, data: bytes) -> list[Event]:
    device = BY_NAME[name]
    assert isinstance(device, StreamDevice | PolledDevice)
    decoder = device.decoder()
    return decoder.feed(data) + decoder.flush()


def sealed(name: str, payload: bytes) -> bytes:
    """A whole frame of a payload with the check put right by the protocol's own words."""
    if name.startswith("pms"):
        size = LENGTHS.get(name, 28)
        body = b"BM" + struct.pack(">H", size) + payload[: size - 2]
        return body + struct.pack(">H", sum(body))
    if name.startswith("mhz"):
        return b"\xff\x86" + payload[:6] + bytes((-sum(b"\x86" + payload[:6]) & 0xFF,))
    if name.startswith("hpma"):
        size = 12 if name == "hpma115c0" else 4
        body = bytes((0x40, size + 1, 4)) + payload[:size]
        return body + bytes((-sum(body) & 0xFF,))
    if name == "mcu680":
        return (body := b"ZZ\x3f\x0f" + payload[:15]) + bytes((sum(body) & 0xFF,))
    return bytes((0xAA, 0xCF if name == "sds198" else 0xC0)) + payload[:6] + bytes((sum(payload[:6]) & 0xFF, 0xAB))


def refused(name: str, theirs: Any, data: bytes) -> bool:
    """Whether we refuse what pypms reads."""
    listed = {field.name: field for field in BY_NAME[name].fields}
    required = {key: ours for key, ours in NAMES[name][1].items() if not listed[ours].optional}
    if any(listed[ours].outside(getattr(theirs, key)) for key, ours in required.items()):
        return True
    if name.startswith("mhz") and data[6:8] == b"\x3a\x98":
        return True  # it starts
    return getattr(theirs, "n0_3", None) == 0 and theirs.raw10 > 0


def left_out(name: str, theirs: Any, data: bytes) -> set[str]:
    """What of it we leave out, by our names; also of what pypms does not read, or not so."""
    listed = {field.name: field for field in BY_NAME[name].fields}
    out = {ours for key, ours in NAMES[name][1].items() if listed[ours].outside(getattr(theirs, key))}
    if LARGE.keys() <= NAMES[name][1].keys():
        most = theirs.n2_5
        for key, ours in LARGE.items():
            count = getattr(theirs, key)
            if count > most:
                out.add(ours)
            most = min(most, count)
    if name == "mcu680" and data[11] >> 4 > 3:
        out.add("iaq_accuracy")
    if name.startswith("mhz") and 160 < data[4] < 0xFF:
        out.add("temperature_c")
    return out


def agree(name: str, data: bytes) -> None:
    """We read in `data` what pypms reads in it."""
    sensor, names = NAMES[name]
    found = [event for event in decoded(name, data) if isinstance(event, Reading)]
    try:
        theirs = Sensor[sensor].decode(data, time=1)
    except REFUSED:
        assert not found
        return
    if refused(name, theirs, data):
        assert not found
        return
    (reading,) = found
    without = left_out(name, theirs, data)
    assert len(reading.field_errors) == len(without)
    for key, ours in names.items():
        expected = None if ours in without else getattr(theirs, key)
        assert reading.fields.get(ours) == expected, key


@pytest.mark.parametrize("name", NAMES)
@MANY
@given(payload=st.binary(min_size=34, max_size=34), quiet=st.booleans())
def test_what_pypms_reads_in_random_frames_we_read(name: str, payload: bytes, quiet: bool) -> None:
    if quiet:  # the high bytes of small values are zero
        payload = bytes(byte if index % 2 == (name[:3] == "pms") else byte & 1 for index, byte in enumerate(payload))
    agree(name, sealed(name, payload))


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("pms") and name != "pms3003"])
@MANY
@given(
    masses=st.lists(st.integers(0, 999), min_size=6, max_size=6),
    counts=st.lists(st.integers(0, 0xFFFF), min_size=6, max_size=6).map(lambda drawn: sorted(drawn, reverse=True)),
    rest=st.lists(st.integers(0, 0x3FF), min_size=5, max_size=5),
)
def test_what_pypms_reads_in_likely_frames_we_read(
    name: str, masses: list[int], counts: list[int], rest: list[int]
) -> None:
    agree(name, sealed(name, struct.pack(">17H", *masses, *counts, *rest)))


@pytest.mark.parametrize("name", [*NAMES, "sps30"])
def test_what_pypms_reads_in_its_captures_we_read(name: str) -> None:
    sensor = "SPS30" if name == "sps30" else NAMES[name][0]
    frames = [frame for recorded, frame in captures() if recorded == sensor]
    if sensor in ("PMS5003S", "PMS5003ST", "SDS018", "SDS021", "HPMA115S0"):
        assert not frames  # PyPMS has none of them
        return
    assert frames
    for frame in frames:
        if name == "sps30":
            (reading,) = decoded(name, frame)
            assert isinstance(reading, Reading)
            theirs = Sensor[sensor].decode(frame, time=1)
            assert reading.fields["pm2_5_ug_m3"] == pytest.approx(theirs.pm25, rel=1e-6)
            assert reading.fields["particles_below_10um_per_cm3"] == pytest.approx(theirs.n10_0, rel=1e-6)
        else:
            agree(name, frame)
    glued = b"\x00\x42\x7e\xaa".join([b"", *frames])
    assert sum(isinstance(event, Reading) for event in decoded(name, glued)) == len(frames)
