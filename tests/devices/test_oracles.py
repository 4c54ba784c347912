"""Decoders against the libraries that do the same, on random input: pynmea2. Air sensors: test_oracles_air.py."""

import math

import pynmea2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.nmea0183.device import sentence_bytes
from devices.nmea0183.sentences import SENTENCES
from devices.spec.device import StreamDevice
from devices.spec.events import Event, Reading
from tests.device_types import BY_NAME
from tests.devices.readings import sentences

MANY = settings(max_examples=300, deadline=None)
PIVOT_NS = 3_124_224_000 * 10**9
"""2069-01-01, from where on pynmea2 takes two digits of a year for the last century."""


def stream(name: str) -> StreamDevice:
    device = BY_NAME[name]
    assert isinstance(device, StreamDevice)
    return device


def decoded(name: str, data: bytes) -> list[Event]:
    decoder = stream(name).decoder()
    return decoder.feed(data) + decoder.flush()


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
