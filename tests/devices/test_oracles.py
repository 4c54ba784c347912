"""Decoders against the libraries that do the same, on random input: pypms and pynmea2."""

import math
import struct

import pynmea2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pms import InconsistentObservation, SensorWarmingUp, WrongMessageChecksum, WrongMessageFormat
from pms.core import Sensor

from devices.nmea0183.device import sentence_bytes
from devices.nmea0183.sentences import SENTENCES
from devices.spec.device import StreamDevice
from devices.spec.events import Event, Reading
from tests.device_types import BY_NAME
from tests.devices.readings import sentences

MANY = settings(max_examples=300, deadline=None)
PIVOT_NS = 3_124_224_000 * 10**9
"""2069-01-01, from where on pynmea2 takes two digits of a year for the last century."""
REFUSED = (WrongMessageChecksum, WrongMessageFormat, SensorWarmingUp, InconsistentObservation)
PYPMS = {
    "pms5003": ("PMSx003", {"pm25": "pm2_5_ug_m3", "raw10": "pm10_cf1_ug_m3", "n0_3": "particles_0_3um_per_cm3",
                            "n10_0": "particles_10um_per_cm3"}),
    "pms3003": ("PMS3003", {"pm01": "pm1_0_ug_m3", "pm25": "pm2_5_ug_m3", "raw25": "pm2_5_cf1_ug_m3"}),
    "pms5003t": ("PMS5003T", {"pm10": "pm10_ug_m3", "n2_5": "particles_2_5um_per_cm3", "temp": "temperature_c",
                              "rhum": "humidity_pct"}),
    "sds011": ("SDS01x", {"pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3"}),
    "sds198": ("SDS198", {"pm100": "pm100_ug_m3"}),
}  # fmt: skip


def stream(name: str) -> StreamDevice:
    device = BY_NAME[name]
    assert isinstance(device, StreamDevice)
    return device


def decoded(name: str, data: bytes) -> list[Event]:
    decoder = stream(name).decoder()
    return decoder.feed(data) + decoder.flush()


def frame(name: str, payload: bytes) -> bytes:
    """A whole frame of random payload with the checksum put right by the protocol's own words."""
    if name.startswith("pms"):
        size = 20 if name == "pms3003" else 28
        body = b"BM" + struct.pack(">H", size) + payload[: size - 2]
        return body + struct.pack(">H", sum(body))
    return bytes((0xAA, 0xC0 if name == "sds011" else 0xCF)) + payload[:6] + bytes((sum(payload[:6]) & 0xFF, 0xAB))


@pytest.mark.parametrize("name", PYPMS)
@MANY
@given(payload=st.binary(min_size=26, max_size=26), quiet=st.booleans())
def test_what_pypms_reads_we_read(name: str, payload: bytes, quiet: bool) -> None:
    if quiet:  # the high bytes of small values are zero
        payload = bytes(byte if index % 2 == (name[:3] == "pms") else byte & 1 for index, byte in enumerate(payload))
    data = frame(name, payload)
    sensor, names = PYPMS[name]
    found = [event for event in decoded(name, data) if isinstance(event, Reading)]
    try:
        theirs = Sensor[sensor].decode(data, time=1)
    except REFUSED:
        assert not found
        return
    listed = {field.name: field for field in stream(name).fields}
    beyond = {
        ours
        for key, ours in names.items()
        if (low := listed[ours].minimum) is not None and (high := listed[ours].maximum) is not None
        if not low <= getattr(theirs, key) <= high
    }
    if any(not listed[ours].optional for ours in beyond):
        assert not found
        return
    assert len(found) == 1
    assert len(found[0].field_errors) == len(beyond)
    for key, ours in names.items():
        assert found[0].fields.get(ours) == (None if ours in beyond else getattr(theirs, key)), key


@MANY
@given(reading=sentences())
def test_what_we_write_pynmea2_reads(reading: Reading) -> None:
    for line in stream("nmea0183").encode(reading).decode().splitlines():
        theirs = pynmea2.parse(line, check=True)
        assert (theirs.talker, theirs.sentence_type) == (reading.tags["talker"], reading.tags["sentence"])
        if theirs.sentence_type in ("RMC", "GGA"):
            for key, ours in (("latitude", "latitude_deg"), ("longitude", "longitude_deg")):
                assert getattr(theirs, key) == pytest.approx(reading.fields[ours], abs=1e-7)
        if theirs.sentence_type == "RMC" and (reading.time_ns or 0) < PIVOT_NS:
            assert theirs.datetime.timestamp() == pytest.approx((reading.time_ns or 0) / 1e9, abs=1e-5)


@MANY
@given(
    talker=st.sampled_from(("GP", "GN", "GL", "GA", "GB", "BD", "GQ", "GI", "IN")),
    sentence=st.sampled_from(("RMC", "GGA", "GLL")),
    latitude=st.integers(0, 90 * 600_000 - 1),
    longitude=st.integers(0, 180 * 600_000 - 1),
    south=st.booleans(),
    west=st.booleans(),
    decimals=st.integers(2, 7),
    seconds=st.integers(0, 86399),
)
def test_what_pynmea2_places_we_place(
    talker: str, sentence: str, latitude: int, longitude: int, south: bool, west: bool, decimals: int, seconds: int
) -> None:
    def angle(raw: int, digits: int) -> str:
        degrees, minutes = divmod(raw / 10_000, 60.0)
        whole = math.floor(minutes)
        return f"{int(degrees):0{digits}d}{whole:02d}.{f'{minutes - whole:.{decimals}f}'[2:]}"

    place = f"{angle(latitude, 2)},{'S' if south else 'N'},{angle(longitude, 3)},{'W' if west else 'E'}"
    clock = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
    items = {
        "RMC": f"{clock},A,{place},1.2,3.4,010203,,,A",
        "GGA": f"{clock},{place},1,07,1.1,10.5,M,2.0,M,,",
        "GLL": f"{place},{clock},A,A",
    }[sentence]
    data = sentence_bytes(talker + sentence, items.split(","))
    theirs = pynmea2.parse(data.decode().strip(), check=True)
    events = decoded("nmea0183", data)
    assert len(events) == 1
    assert isinstance(events[0], Reading), events
    assert events[0].fields["latitude_deg"] == pytest.approx(theirs.latitude, abs=1e-9)
    assert events[0].fields["longitude_deg"] == pytest.approx(theirs.longitude, abs=1e-9)


ITEM = st.one_of(
    st.just(""),
    st.sampled_from(
        ("A", "V", "N", "E", "M", "1e400", "nan", "-inf", "0.0", "-1", "999999999999", "1.5.5", "_1", "00")
    ),
    st.text(alphabet="0123456789.-", max_size=12),
    st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="$*,!"), max_size=8),
)


@settings(max_examples=1500, deadline=None)
@given(
    address=st.one_of(
        st.sampled_from([f"GP{name}" if len(name) == 3 else name for name in (*SENTENCES, "GSV")]),
        st.sampled_from(("PUBX", "PUBX,00", "PUBX,03", "PUBX,04", "PGRMZ", "", "G", "GPXXX", "gprmc")),
    ),
    items=st.lists(ITEM, max_size=24),
)
def test_no_checked_sentence_breaks_the_decoder(address: str, items: list[str]) -> None:
    data = sentence_bytes(address, items)
    for event in decoded("nmea0183", data):
        if isinstance(event, Reading):
            assert event.fields
            for value in event.fields.values():
                assert isinstance(value, str) or math.isfinite(value)
