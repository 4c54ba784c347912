"""NMEA 0183 beyond its examples: UBX between sentences, ends, groups, time, what is written."""

import json

import pytest

from devices.nmea0183.device import DEVICE, sentence_bytes
from devices.nmea0183.lines import running_xor
from devices.spec.checksum import fletcher16
from devices.spec.errors import EncodeError
from devices.spec.events import Event, IntegrityError, Noise, Reading, SanityError, Value
from tests.devices.examples import merged, nanoseconds

RMC = b"$GNRMC,103607.00,A,5327.03942,N,00214.42462,W,0.046,77.52,060321,,,A,V*26\r\n"
GLL = b"$GNGLL,5327.03942,N,00214.42462,W,103607.00,A,A*68\r\n"


def decoded(*pieces: bytes) -> list[Event]:
    decoder = DEVICE.decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return merged(events + decoder.flush())


def sentence(address: str, items: str) -> bytes:
    return sentence_bytes(address, items.split(","))


def ubx(payload: bytes) -> bytes:
    body = b"\x01\x07" + len(payload).to_bytes(2, "little") + payload
    return b"\xb5\x62" + body + fletcher16(body).to_bytes(2, "big")


def readings(events: list[Event]) -> list[Reading]:
    return [event for event in events if isinstance(event, Reading)]


def test_nothing_in_a_ubx_frame_is_a_sentence() -> None:
    frame = ubx(b"\x00" * 20 + GLL + b"$\r\n")
    events = decoded(RMC + frame + RMC)
    assert [type(event) for event in events] == [Reading, Noise, Reading]
    assert isinstance(events[1], Noise)
    assert events[1].data == frame


def test_a_damaged_ubx_frame_does_not_hide_the_sentences_in_it() -> None:
    frame = bytearray(ubx(b"\x00" * 20 + GLL))
    frame[-1] ^= 1
    events = decoded(bytes(frame) + RMC)
    assert [reading.tags["sentence"] for reading in readings(events)] == ["GLL", "RMC"]


def test_two_bytes_that_only_look_like_ubx_hold_nothing_up() -> None:
    events = decoded(b"\xb5\x62\x01\x07\xff\xff" + RMC, RMC)
    assert len(readings(events)) == 2


def test_a_ubx_frame_that_never_ends_gives_its_sentences_at_the_end() -> None:
    decoder = DEVICE.decoder()
    assert decoder.feed(b"\xb5\x62\x01\x07\x00\x06" + RMC) == []
    assert len(readings(decoder.flush())) == 1


def test_a_line_without_end_is_cut_at_1024_bytes() -> None:
    events = decoded(b"$" + b"A" * 3000 + b"\r\n" + RMC)
    assert [type(event) for event in events] == [IntegrityError, Noise, Reading]
    assert isinstance(events[0], IntegrityError)
    assert len(events[0].data) == 1024
    assert events[0].detail == "no end of the sentence within 1024 bytes"


def test_a_byte_of_noise_inside_a_sentence_costs_that_sentence() -> None:
    events = decoded(RMC[:20] + b"\xff" + RMC[20:] + RMC)
    assert [type(event) for event in events] == [IntegrityError, Noise, Reading]
    assert isinstance(events[0], IntegrityError)
    assert events[0].detail == "byte 0xff inside a sentence"


@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r", b""])
def test_every_line_ending_is_taken_with_a_checksum(ending: bytes) -> None:
    assert len(readings(decoded(RMC.strip() + ending))) == 1
    assert len(readings(decoded(RMC.strip() + ending + RMC))) == 2


@pytest.mark.parametrize("ending", [b"\r", b"", b"\n68\r\n", b"j68M\n"])
def test_without_a_checksum_only_a_whole_line_is_taken(ending: bytes) -> None:
    bare = GLL.partition(b"*")[0]
    assert len(readings(decoded(bare + b"\r\n"))) == 1
    assert len(readings(decoded(bare + b"\n"))) == 1
    assert not readings(decoded(bare + ending))


def test_without_a_checksum_lines_that_end_in_lf_are_taken_however_they_are_cut() -> None:
    bare = GLL.partition(b"*")[0]
    data = bare + b"\n\n" + bare + b"\n"
    for cut in range(len(data)):
        decoder = DEVICE.decoder()
        events = decoder.feed(data[:cut]) + decoder.feed(data[cut:]) + decoder.flush()
        assert [type(event) for event in events] == [Reading, Noise, Reading]
        assert [reading.fields["latitude_deg"] for reading in readings(events)] == [53.450657, 53.450657]


@pytest.mark.parametrize("damaged", [b"+68", b".68", b":68", b"j68", b'"68', b"(68", b"*6", b"*", b"*6G", b"*680"])
def test_a_damaged_checksum_is_not_a_missing_one(damaged: bytes) -> None:
    assert not readings(decoded(GLL.partition(b"*")[0] + damaged + b"\r\n"))


def test_without_a_checksum_the_sentence_has_to_be_known() -> None:
    events = decoded(b"$GPXYZ,1,2\r\n")
    assert [type(event) for event in events] == [IntegrityError]


def test_a_damaged_sentence_in_a_run_costs_only_itself() -> None:
    broken = GLL.replace(b"*68", b"*69")
    events = decoded(RMC + broken + GLL + RMC)
    assert [type(event) for event in events] == [Reading, IntegrityError, Reading, Reading]
    assert events[1] == IntegrityError("checksum 69, computed 68", broken)
    assert [reading.tags["sentence"] for reading in readings(events)] == ["RMC", "GLL", "RMC"]


def test_a_sentence_in_a_run_that_cannot_be_true_is_kept_whole() -> None:
    wrong = b"$GNGLL,5327.03942,X,00214.42462,W,103607.00,A,A*7E\r\n"
    events = decoded(RMC + wrong + GLL)
    assert [type(event) for event in events] == [Reading, SanityError, Reading]
    assert events[1] == SanityError("GLL: latitude_deg: side 'X', expected N or S", wrong)


@pytest.mark.parametrize("number", [63, 64, 65, 129])
def test_a_run_has_any_number_of_sentences(number: int) -> None:
    events = decoded(b"\x00" + GLL * number + b"\x00" + RMC)
    assert [type(event) for event in events] == [Noise, *[Reading] * number, Noise, Reading]


@pytest.mark.parametrize("digits", [b"6a", b"6A"])
def test_a_checksum_may_be_of_small_letters(digits: bytes) -> None:
    line = b"$GNGLL,5327.03942,N,00214.42462,W,103607.00,A,D*6D\r\n"
    assert len(readings(decoded(line, line.replace(b"6D", b"6d")))) == 2
    assert not readings(decoded(line.replace(b"6D", digits)))


@pytest.mark.parametrize("cut", [1, 2, 40, 110, 111])
def test_what_begins_like_ais_and_is_not_is_noise_in_any_cut(cut: int) -> None:
    data = RMC + b"!XIVDM,1*69\r\n" + GLL
    assert [type(event) for event in decoded(data[:cut], data[cut:])] == [Reading, Noise, Reading]
    assert decoded(data[:cut], data[cut:])[1] == Noise(b"!XIVDM,1*69\r\n")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"\x07", b"\x07"),
        (b"\x01\x02\x04", b"\x01\x03\x07"),
        (b"\xff\xff\x80\x01\x01", b"\xff\x00\x80\x81\x80"),
    ],
)
def test_the_running_exclusive_or_of_bytes(data: bytes, expected: bytes) -> None:
    assert running_xor(data) == expected


def test_the_sentences_of_one_fix_say_one_time_once_the_date_is_known() -> None:
    place = "5327.03942,N,00214.42462,W"
    stream = sentence("GPGLL", f"{place},103607.00,A,A")
    stream += sentence("GPRMC", f"103607.00,A,{place},0.046,,060321,,,A")
    stream += sentence("GPGLL", f"{place},103607.00,A,A")
    stream += sentence("GPRMC", f"103607.00,A,{place},0.046,,070321,,,A")
    stream += sentence("GPGLL", f"{place},103607.00,A,A")
    assert [reading.time_ns for reading in readings(decoded(stream))] == [
        None,
        nanoseconds("2021-03-06T10:36:07Z"),
        nanoseconds("2021-03-06T10:36:07Z"),
        nanoseconds("2021-03-07T10:36:07Z"),
        nanoseconds("2021-03-07T10:36:07Z"),
    ]


def test_readings_do_not_share_their_tags() -> None:
    first, second = readings(decoded(GLL + GLL))
    assert first.tags == second.tags
    assert first.tags is not second.tags


@pytest.mark.parametrize(("knots", "speed"), [("300.000", 154.333), ("0.001", 0.001), ("0.000", 0.0), ("1.5", 0.772)])
def test_knots_are_metres_a_second_to_the_millimetre(knots: str, speed: float) -> None:
    found = readings(decoded(sentence("GPVTG", f",T,,M,{knots},N,,K")))[0]
    assert found.fields["speed_m_s"] == speed


def test_ais_is_kept_as_text() -> None:
    line = b"!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A\r\n"
    found = readings(decoded(b"hello! " + line))
    assert [reading.tags for reading in found] == [{"sentence": "VDM", "talker": "AI"}]
    assert found[0].fields == {"text": "AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0"}


def test_a_later_time_of_day_keeps_the_date_going() -> None:
    stream = sentence("GPRMC", "220000.00,A,2225.62000,N,11412.66000,E,0.100,,311223,,,A")
    for clock in ("235900.00", "090000.00", "200000.00", "010000.00"):
        stream += sentence("GPGLL", f"2225.62000,N,11412.66000,E,{clock},A,A")
    assert [reading.time_ns for reading in readings(decoded(stream))] == [
        nanoseconds("2023-12-31T22:00:00Z"),
        nanoseconds("2023-12-31T23:59:00Z"),
        nanoseconds("2024-01-01T09:00:00Z"),
        nanoseconds("2024-01-01T20:00:00Z"),
        nanoseconds("2024-01-02T01:00:00Z"),
    ]


def test_a_sentence_from_before_midnight_after_it() -> None:
    stream = sentence("GPRMC", "000000.00,A,2225.62000,N,11412.66000,E,0.100,,010124,,,A")
    stream += sentence("GPGLL", "2225.62000,N,11412.66000,E,235959.90,A,A")
    assert readings(decoded(stream))[1].time_ns == nanoseconds("2023-12-31T23:59:59.9Z")


def test_a_void_date_is_not_believed() -> None:
    stream = sentence("GPRMC", "000012.00,V,,,,,,,060180,,,N")
    stream += sentence("GPGGA", "000012.00,2225.62000,N,11412.66000,E,1,08,1.00,5.0,M,-2.0,M,,")
    void, fix = readings(decoded(stream))
    assert void.time_ns is None
    assert fix.time_ns is None
    assert fix.fields["utc_time"] == "00:00:12Z"


@pytest.mark.parametrize(("yy", "year"), [("80", 1980), ("99", 1999), ("00", 2000), ("79", 2079)])
def test_two_digits_of_a_year(yy: str, year: int) -> None:
    found = readings(decoded(sentence("GPRMC", f"000000.00,A,2225.62000,N,11412.66000,E,0.1,,0101{yy},,,A")))
    assert found[0].time_ns == nanoseconds(f"{year}-01-01T00:00:00Z")


def test_a_group_begun_again_gives_what_there_was() -> None:
    first = sentence("GPGSV", "3,1,12,28,14,150,41,09,15,254,41,10,43,192,47,13,06,081,36")
    found = readings(decoded(first, first))
    assert [reading.fields["group_complete"] for reading in found] == [False, False]
    assert [reading.fields["satellites_in_view"] for reading in found] == [12, 12]


def test_groups_of_two_signals_are_two() -> None:
    stream = sentence("GPGSV", "1,1,01,28,14,150,41,1") + sentence("GPGSV", "1,1,01,28,14,150,37,6")
    found = readings(decoded(stream))
    assert [reading.tags["signal"] for reading in found] == ["1", "6"]
    assert [reading.fields["snr_max_db_hz"] for reading in found] == [41.0, 37.0]


def test_open_groups_are_bounded() -> None:
    decoder = DEVICE.decoder()
    talkers = [f"{first}{second}" for first in "ABCDEFGH" for second in "ABCDEFGH"]
    events = [event for talker in talkers for event in decoder.feed(sentence(f"{talker}GSV", "2,1,05,28,14,150,41"))]
    assert len(events) == 32
    assert len(decoder.flush()) == 32


@pytest.mark.parametrize(
    "items",
    ["3,4,12", "0,0,12", "a,1,12", "1,1,x", "1,1,01,xx,14,150,41", "1,1,-1", "1"],
)
def test_a_group_that_cannot_be_is_refused(items: str) -> None:
    events = decoded(sentence("GPGSV", items))
    assert [type(event) for event in events] == [SanityError]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ("103607.00,A,5327.03942,X,00214.42462,W,0.046,,060321,,,A", "latitude_deg: side 'X'"),
        ("103607.00,A,5367.03942,N,00214.42462,W,0.046,,060321,,,A", "60 minutes or more"),
        ("103607.00,A,inf,N,00214.42462,W,0.046,,060321,,,A", "latitude_deg"),
        ("103607.00,A,-5327.0,N,00214.42462,W,0.046,,060321,,,A", "latitude_deg"),
        ("103607.00,Q,5327.03942,N,00214.42462,W,0.046,,060321,,,A", "status: 'Q', expected one of A, V"),
        ("103607.00,A,5327.03942,N", "4 items, expected at least 9"),
        ("103661.00,A,5327.03942,N,00214.42462,W,0.046,,060321,,,A", "time '103661.00' is not hhmmss.ss"),
    ],
)
def test_a_sentence_that_cannot_be_true_says_why(items: str, words: str) -> None:
    events = decoded(sentence("GPRMC", items))
    assert len(events) == 1
    assert isinstance(events[0], SanityError)
    assert events[0].detail.startswith("RMC: ")
    assert words in events[0].detail


def test_a_zero_is_a_value() -> None:
    found = readings(decoded(sentence("GPRMC", "000000.00,A,0000.00000,S,00000.00000,W,0.000,0.00,010100,,,A")))[0]
    assert found.fields["latitude_deg"] == found.fields["longitude_deg"] == found.fields["course_deg"] == 0.0
    assert str(found.fields["latitude_deg"]) == "0.0"


PLACE: dict[str, Value] = {"latitude_deg": 22.427, "longitude_deg": -114.211}
NOON = nanoseconds("2024-02-29T12:00:00.25Z")


@pytest.mark.parametrize(
    ("fields", "tags", "expected"),
    [
        (
            {**PLACE, "speed_kn": 1.5, "course_deg": 90.0, "mode": "A"},
            {},
            b"$GPRMC,120000.25,A,2225.62000,N,11412.66000,W,1.500,90.00,290224,,,A*4E\r\n",
        ),
        (
            {**PLACE, "satellites_used": 8, "hdop": 0.96, "altitude_m": 6.5, "geoid_separation_m": -2.3},
            {"sentence": "GGA", "talker": "GN"},
            b"$GNGGA,120000.25,2225.62000,N,11412.66000,W,1,08,0.96,6.5,M,-2.3,M,,*48\r\n",
        ),
        ({"speed_m_s": 0.514}, {"sentence": "VTG"}, b"$GPVTG,,T,,M,0.999,N,,K*69\r\n"),
        ({"status": "V", "mode": "N"}, {"sentence": "RMC"}, b"$GPRMC,120000.25,V,,,,,,,290224,,,N*76\r\n"),
        ({"text": "GPXYZ,1"}, {"sentence": "XYZ", "talker": "GP"}, b"$GPXYZ,1*51\r\n"),
    ],
)
def test_what_is_written(fields: dict[str, Value], tags: dict[str, str], expected: bytes) -> None:
    assert DEVICE.encode(Reading(fields, NOON, None, tags)) == expected


@pytest.mark.parametrize(
    ("fields", "tags", "words"),
    [
        ({"latitude_deg": 91.0, "longitude_deg": 0.0}, {}, "latitude_deg: 91.0 is outside"),
        ({**PLACE, "status": "V"}, {}, "a receiver without a fix does not say it"),
        ({**PLACE, "pm10_ug_m3": 1.0}, {}, "pm10_ug_m3: not in this sentence"),
        ({"hdop": 1.0}, {"sentence": "VTG"}, "hdop: not in this sentence"),
        ({"waypoint": "a,b"}, {"sentence": "WPL"}, "cannot carry"),
        ({"speed_kn": 1.0}, {"sentence": "XYZ"}, "not in the table"),
        ({"satellites_in_view": 1, "satellites": "{"}, {"sentence": "GSV"}, "not a JSON list"),
        ({"satellites_in_view": 0, "satellites": '[{"prn":1}]'}, {"sentence": "GSV"}, "with 1 satellites listed"),
        ({"group_complete": False}, {"sentence": "GSV"}, "an incomplete group"),
    ],
)
def test_what_cannot_be_written(fields: dict[str, Value], tags: dict[str, str], words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        DEVICE.encode(Reading(fields, NOON, None, tags))


def test_a_group_is_written_as_its_sentences() -> None:
    sky = [{"prn": n, "elevation_deg": 10, "azimuth_deg": 20, "snr_db_hz": None} for n in range(1, 6)]
    fields: dict[str, Value] = {"satellites_in_view": 5, "satellites": json.dumps(sky)}
    written = DEVICE.encode(Reading(fields, tags={"sentence": "GSV", "talker": "GP", "signal": "1"}))
    assert written == (
        b"$GPGSV,2,1,05,01,10,020,,02,10,020,,03,10,020,,04,10,020,,1*66\r\n$GPGSV,2,2,05,05,10,020,,1*57\r\n"
    )
