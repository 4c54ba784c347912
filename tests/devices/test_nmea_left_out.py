"""NMEA 0183: what is left out of a sentence, what is not judged, and what has nothing to say."""

import json

import pytest

from devices.nmea0183.device import DEVICE, sentence_bytes
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading, SanityError, Value
from tests.devices.examples import merged, nanoseconds

FIX = "103607.00,A,5327.03942,N,00214.42462,W"
PLACE: dict[str, Value] = {"latitude_deg": 53.450657, "longitude_deg": -2.240410333}


def decoded(*sentences: tuple[str, str]) -> list[Event]:
    """The events of a stream of sentences, each an address and its items, with their checksums."""
    decoder = DEVICE.decoder()
    data = b"".join(sentence_bytes(address, items.split(",")) for address, items in sentences)
    return merged(decoder.feed(data) + decoder.flush())


def one(address: str, items: str) -> Reading:
    (event,) = decoded((address, items))
    assert isinstance(event, Reading), event
    return event


@pytest.mark.parametrize(
    ("address", "items", "fields", "words"),
    [
        (
            "GPRMC",
            f"{FIX},0.046,361,060321,,,A",
            {"status": "A", **PLACE, "speed_kn": 0.046, "speed_m_s": 0.024, "mode": "A"},
            ["course_deg 361 is outside 0..360"],
        ),
        (
            "GPRMC",
            f"{FIX},fast,,060321,4.1,W,X",
            {"status": "A", **PLACE, "magnetic_variation_deg": -4.1},
            ["speed_kn: 'fast' is not a number", "mode: 'X', expected one of A, C, D, E, F, M, N, P, R, S, U"],
        ),
        (
            "GPRMC",
            f"{FIX},,,060321,4.1,,A",
            {"status": "A", **PLACE, "mode": "A"},
            ["magnetic_variation_deg: side '', expected E or W"],
        ),
        (
            "GPGGA",
            "103607.00,5327.03942,N,00214.42462,W,1,4x,0.9,15.0,F,-25.0,M,nan,0001",
            {
                **PLACE,
                "fix_quality": 1,
                "hdop": 0.9,
                "geoid_separation_m": -25.0,
                "differential_station": "0001",
                "utc_time": "10:36:07Z",
            },
            [
                "satellites_used: '4x' is not a number",
                "altitude_m: unit 'F', expected 'M'",
                "differential_age_s nan is outside 0..99999.9",
            ],
        ),
        (
            "GPGSA",
            "A,3,09,x,10,,,,,,,,,,2.5,99999.99,2.1",
            {"selection": "A", "fix_type": 3, "satellites_used_ids": "[9,10]", "pdop": 2.5, "vdop": 2.1},
            ["satellites_used_ids: 'x' is not a number", "hdop 99999.99 is outside 0..9999.99"],
        ),
        (
            "GNGRS",
            "103607.00,1,0.5,,bad,-1.5,,,,,,,,,1,1",
            {
                "residual_mode": 1,
                "residuals_m": "[0.5,null,null,-1.5]",
                "system_id": 1,
                "signal_id": 1,
                "utc_time": "10:36:07Z",
            },
            ["residuals_m: 'bad' is not a number"],
        ),
        (
            "GPVTG",
            "77.5,T,400.0,M,0.1,N,0.2,K,A",
            {"course_deg": 77.5, "speed_kn": 0.1, "speed_m_s": 0.051, "speed_km_h": 0.2, "mode": "A"},
            ["course_magnetic_deg 400.0 is outside 0..360"],
        ),
        (
            "IIMWV",
            "120.0,Q,5.0,X,A",
            {"status": "A"},
            ["wind_reference: 'Q', expected one of R, T", "wind_speed_unit: 'X', expected one of K, M, N, S"],
        ),
        ("IIMWV", "120.0,R,5000,N,A", {"wind_angle_deg": 120.0, "wind_reference": "R", "wind_speed_unit": "N",
                                       "status": "A"}, ["wind_speed 5000 is outside 0..999.9"]),
        (
            "GPXTE",
            "A,A,0.67,L,K,A",
            {"status": "A", "lock_status": "A", "steer": "L", "mode": "A"},
            ["cross_track_error_nmi: unit 'K', expected 'N'"],
        ),
        (
            "GPRMB",
            "A,0.66,L,003,004,9917.24,N,12309.57,W,001.3,052.5,000.5,V",
            {
                "status": "A",
                "cross_track_error_nmi": 0.66,
                "steer": "L",
                "waypoint_origin": "003",
                "waypoint_destination": "004",
                "distance_nmi": 1.3,
                "bearing_deg": 52.5,
                "closing_speed_kn": 0.5,
                "arrived": "V",
            },
            ["waypoint_latitude_deg: 9917.24 is not ddmm.mmmm up to 90 degrees"],
        ),
        (
            "PUBX",
            "00,103607.00,5327.03942,N,00214.42462,W,50.0,XX,1.0,-1,0.0,77.5,0.0,,1.0,1.0,1.0,8,0,0",
            {
                **PLACE,
                "altitude_ellipsoid_m": 50.0,
                "nav_state": "XX",
                "horizontal_accuracy_m": 1.0,
                "speed_km_h": 0.0,
                "course_deg": 77.5,
                "climb_m_s": 0.0,
                "hdop": 1.0,
                "vdop": 1.0,
                "tdop": 1.0,
                "satellites_used": 8,
                "utc_time": "10:36:07Z",
            },
            ["vertical_accuracy_m -1 is outside 0..10000000.0"],
        ),
        ("GPTXT", "01,xx,02,ANTSTATUS=OK", {"text": "01,xx,02,ANTSTATUS=OK"}, []),
        ("SDDBT", "12.5,f,3.8,X,2.1,F", {"depth_ft": 12.5, "depth_fathoms": 2.1}, ["depth_m: unit 'X', expected 'M'"]),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_takes_only_itself(
    address: str, items: str, fields: dict[str, Value], words: list[str]
) -> None:
    found = one(address, items)
    assert found.fields == fields
    assert list(found.field_errors) == words


@pytest.mark.parametrize("date", ["310221", "06032", "000000", "061321", "o60321"])
def test_an_impossible_date_takes_only_the_time(date: str) -> None:
    found = one("GPRMC", f"{FIX},1.000,90.0,{date},,,A")
    assert found.fields["speed_kn"] == 1.0
    assert found.fields["latitude_deg"] == 53.450657
    assert found.fields["utc_time"] == "10:36:07Z"
    assert found.time_ns is None
    assert len(found.field_errors) == 1
    assert f"date '{date}'" in found.field_errors[0]


def test_an_impossible_date_does_not_become_that_of_the_stream() -> None:
    first, wrong, third = decoded(
        ("GPRMC", f"{FIX},,,060321,,,A"), ("GPRMC", f"{FIX},,,310221,,,A"), ("GPGLL", f"{FIX[12:]},103608.00,A,A")
    )
    assert isinstance(first, Reading)
    assert isinstance(wrong, Reading)
    assert isinstance(third, Reading)
    assert wrong.time_ns is None
    assert third.time_ns == nanoseconds("2021-03-06T10:36:08Z")


def test_an_impossible_calendar_day_takes_only_the_time() -> None:
    found = one("GPZDA", "103607.00,31,02,2021,00,00")
    assert (found.fields, found.time_ns) == (
        {"zone_hours": "00", "zone_minutes": "00", "utc_time": "10:36:07Z"},
        None,
    )
    assert found.field_errors == ("date '2021-02-31': day is out of range for month",)


@pytest.mark.parametrize(
    ("address", "items"),
    [
        ("GPGLL", "5360.5,N,00214.42462,W,103607.00,A,A"),
        ("GPGLL", "5327.03942,N,18100.0,W,103607.00,A,A"),
        ("GPGGA", "103607.00,5327.03942,N,00214.42462,W,x,08,0.9,15.0,M,-25.0,M,,"),
        ("GPRMC", f"{FIX.replace('A', 'B')},,,060321,,,A"),
        ("GPRMC", f"{FIX.replace('1036', '2536')},,,060321,,,A"),
        ("GPHDT", "400.0,T"),
    ],
)
def test_a_place_a_status_or_a_time_that_cannot_be_refuses_the_sentence(address: str, items: str) -> None:
    assert [type(event) for event in decoded((address, items))] == [SanityError]


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ("5327.03942,,00214.42462,W,103607.00,A,A", "latitude_deg: 5327.03942 without N or S says no place"),
        ("5327.03942,N,,,103607.00,A,A", "latitude_deg: 53.450657 alone is no position"),
        (",,00214.42462,W,103607.00,A,A", "longitude_deg: -2.240410333 alone is no position"),
    ],
)
def test_half_a_position_is_left_out_and_counted(items: str, left: str) -> None:
    found = one("GPGLL", items)
    assert found.fields == {"status": "A", "mode": "A", "utc_time": "10:36:07Z"}
    assert found.field_errors == (left,)


@pytest.mark.parametrize(
    ("address", "items", "fields"),
    [
        (
            "GPRMC",
            "000452.981,V,36000.0000,N,72000.0000,E,0.000000,,190120,,",
            {"status": "V", "utc_time": "00:04:52.981Z"},
        ),
        ("GPRMC", "240000.999,V,9999.9999,N,00000.0000,E,999.9,999.9,000000,,,N", {"status": "V", "mode": "N"}),
        ("GPRMC", "--,V,--,-,--,-,--,--,--,--,-,N", {"status": "V", "mode": "N"}),
        ("GPGLL", "9999.9999,N,99999.9999,E,------,V,N", {"status": "V", "mode": "N"}),
        ("GPGLL", "3728.0549,N,12213.8639,W,014413.076,N,V", {"status": "V", "mode": "N", "utc_time": "01:44:13.076Z"}),
        (
            "GPGGA",
            "071733.929,8960.0001,N,00000.0000,E,0,xx,99999.9,137.0,M,13.0,F,,",
            {"fix_quality": 0, "utc_time": "07:17:33.929Z"},
        ),
        (
            "GNGNS",
            "103600.01,9114.9,N,18123.9,W,NNN,00,99.99,,,,",
            {"modes": "NNN", "satellites_used": 0, "hdop": 99.99, "utc_time": "10:36:00.01Z"},
        ),
        ("GPVTG", "999.9,T,999.9,M,9999.99,N,9999.9,K,N", {"mode": "N"}),
        ("HEROT", "-9999,V", {"status": "V"}),
        ("GPTHS", "999.99,V", {"mode": "V"}),
        ("IIMWV", "999,R,999.9,X,V", {"status": "V"}),
        ("GPRMB", "V,99.99,X,,,9999,N,99999,E,-1,400,-9999.9,V", {"status": "V"}),
        ("GPXTE", "A,V,9.99,L,N,A", {"status": "A", "lock_status": "V", "mode": "A"}),
        (
            "VDVBW",
            "9999,9999,V,1.50,-0.25,A",
            {"water_status": "V", "ground_speed_along_kn": 1.5, "ground_speed_across_kn": -0.25, "ground_status": "A"},
        ),
        (
            "VDVBW",
            "1.50,-0.25,A,0.10,0.20,V",
            {"water_speed_kn": 1.5, "water_speed_across_kn": -0.25, "water_status": "A", "ground_status": "V"},
        ),
        (
            "PUBX",
            "00,103607.00,9100.0,N,00000.00000,E,0.000,NF,5303302,3750001,-1,400,0.000,,99.99,99.99,99.99,0,0,0",
            {
                "nav_state": "NF",
                "hdop": 99.99,
                "vdop": 99.99,
                "tdop": 99.99,
                "satellites_used": 0,
                "utc_time": "10:36:07Z",
            },
        ),
    ],
)
def test_what_is_declared_void_is_left_out_unjudged(address: str, items: str, fields: dict[str, Value]) -> None:
    found = one(address, items)
    assert found.time_ns is None
    assert found.field_errors == ()
    assert found.fields == fields


@pytest.mark.parametrize(
    ("address", "items"),
    [
        ("GPHDT", ",T"),
        ("HCHDM", ",M"),
        ("GPBOD", ",T,,M,,"),
        ("GPBOD", ",,,,,"),
        ("GPVTG", ",T,,M,,N,,K"),
        ("GPRMC", ",,,,,,,,,,,"),
        ("GPZDA", ",,,,,"),
        ("GPGST", ",,,,,,,"),
        ("PGRME", ",M,,M,,M"),
        ("IIVLW", ",N,,N"),
        ("IIMTW", ",C"),
        ("SDDBT", ",f,,M,,F"),
        ("IIVHW", ",T,,M,,N,,K"),
        ("GPWPL", ",,,,"),
        ("HCHDG", ",,,,"),
        ("GPGSV", ",,"),
        ("GPTXT", ",,,"),
        ("PUBX", "03,"),
        ("GPGLL", ","),
        ("GPGSA", ",,"),
    ],
)
def test_a_sentence_with_nothing_to_say_is_empty_and_no_fault(address: str, items: str) -> None:
    (event,) = decoded((address, items))
    assert isinstance(event, Empty), event
    assert event.detail.endswith(": no values")
    assert event.data == sentence_bytes(address, items.split(","))


def test_an_address_alone_is_empty() -> None:
    decoder = DEVICE.decoder()
    assert decoder.feed(b"$GPHDT*4F\r\n") == [Empty("HDT: no values", b"$GPHDT*4F\r\n")]


def test_a_satellite_that_cannot_be_takes_only_itself() -> None:
    found = one("GPGSV", "1,1,04,28,14,1500,41,xx,14,150,41,05,-3,150,,07,b,010,33")
    assert json.loads(str(found.fields["satellites"])) == [
        {"prn": 28, "elevation_deg": 14, "azimuth_deg": None, "snr_db_hz": 41},
        {"prn": 5, "elevation_deg": -3, "azimuth_deg": 150, "snr_db_hz": None},
        {"prn": 7, "elevation_deg": None, "azimuth_deg": 10, "snr_db_hz": 33},
    ]
    assert found.fields["satellites_in_view"] == 4
    assert found.field_errors == (
        "satellite 28: azimuth_deg '1500' is no number from 0 to 999",
        "satellite 'xx' is no number from 0 to 999",
        "satellite 7: elevation_deg 'b' is no number from 0 to 999",
    )


def test_a_count_of_satellites_that_is_not_there_is_not_zero() -> None:
    found = one("GPGSV", "1,1,,28,14,150,41")
    assert "satellites_in_view" not in found.fields
    assert found.fields["satellites_tracked"] == 1
    assert one("GPGSV", "0,0,00").fields["satellites_in_view"] == 0


def test_a_satellite_of_u_blox_that_cannot_be_takes_only_itself() -> None:
    found = one("PUBX", "03,3,4,U,139,52,41,26,x,U,1,1,1,1,9,-,9999,10,,0")
    assert json.loads(str(found.fields["satellites"])) == [
        {"prn": 4, "elevation_deg": 52, "azimuth_deg": 139, "snr_db_hz": 41, "state": "U", "lock_s": 26},
        {"prn": 9, "elevation_deg": 10, "azimuth_deg": None, "snr_db_hz": None, "state": "-", "lock_s": 0},
    ]
    assert len(found.field_errors) == 2
    cut = one("PUBX", "03,3,4,U,139,52,41,26,5,U")
    assert cut.field_errors == ("satellites: 3 in view, 1 of them told",)


@pytest.mark.parametrize(
    ("body", "fields", "sentence"),
    [
        ("PSTMANTENNASTATUS,0,0,0,0", {"text": "PSTMANTENNASTATUS,0,0,0,0"}, "PSTMANTENNASTATUS"),
        ("command,log version,response: OK", {"text": "command,log version,response: OK"}, "command"),
        ("PQTMVER_SUB-1.0,a", {"text": "PQTMVER_SUB-1.0,a"}, "PQTMVER_SUB-1.0"),
        ("GPTXT,DEFAULT PVT CONFIGURATION", {"text": "DEFAULT PVT CONFIGURATION"}, "TXT"),
        ("GPTXT,(C)2010 ST, Teseo,a,b,c,d", {"text": "(C)2010 ST, Teseo,a,b,c,d"}, "TXT"),
        (
            "GPTXT,01,01,02,u-blox ag, www",
            {"sentences": 1, "sentence_number": 1, "text_kind": "02", "text": "u-blox ag, www"},
            "TXT",
        ),
    ],
)
def test_what_a_receiver_writes_is_kept_as_text(body: str, fields: dict[str, Value], sentence: str) -> None:
    address, _, items = body.partition(",")
    found = one(address, items)
    assert found.fields == fields
    assert found.tags["sentence"] == sentence
    assert found.field_errors == ()


@pytest.mark.parametrize(
    ("noise", "ending"),
    [(b"$", b"\r\n"), (b"$$$$", b"\n"), (b"$\r\n", b"\r\n"), (b"$ $  ", b"\r\n"), (b"\0$\0", b"\r\n\0\0")],
)
def test_a_dollar_with_nothing_behind_it_is_noise(noise: bytes, ending: bytes) -> None:
    line = b"$GNGLL,5327.03942,N,00214.42462,W,103607.00,A,A*68"
    for cut in range(len(noise) + 2):
        decoder = DEVICE.decoder()
        data = (noise + line + ending) * 2
        events = merged(decoder.feed(data[:cut]) + decoder.feed(data[cut:]) + decoder.flush())
        assert not any(isinstance(event, IntegrityError) for event in events)
        assert sum(isinstance(event, Reading) for event in events) == 2
        assert events[0] == Noise(noise)


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        ("5960.0000,N", "02960.0000,E", (60.0, 30.0)),
        ("8960.0000,S", "17960.0000,W", (-90.0, -180.0)),
        ("0060.00,N", "00060.00,E", (1.0, 1.0)),
    ],
)
def test_sixty_minutes_are_the_next_degree(latitude: str, longitude: str, place: tuple[float, float]) -> None:
    found = one("GPGLL", f"{latitude},{longitude},103607.00,A,A")
    assert (found.fields["latitude_deg"], found.fields["longitude_deg"]) == place


@pytest.mark.parametrize(
    ("clock", "time"),
    [("240000", "2021-03-07T00:00:00Z"), ("240000.000", "2021-03-07T00:00:00Z"), ("235960", "2021-03-07T00:00:00Z"),
     ("235960.5", "2021-03-07T00:00:00.5Z")],
)  # fmt: skip
def test_midnight_and_second_sixty_are_the_next_day(clock: str, time: str) -> None:
    assert one("GPRMC", f"{clock},{FIX[10:]},,,060321,,,A").time_ns == nanoseconds(time)


@pytest.mark.parametrize("clock", ["240001", "240000.1", "235961", "2360", "24:00:00"])
def test_a_time_of_day_that_cannot_be_refuses(clock: str) -> None:
    assert [type(event) for event in decoded(("GPRMC", f"{clock},{FIX[10:]},,,060321,,,A"))] == [SanityError]


@pytest.mark.parametrize(
    "line",
    [b"$GPRMC,103607.00,A,5327.03942,N,00214.42462,W,fast,,060321,,,A\r\n", b"$GPGSV,1,1,01,28,14,1500,41\r\n"],
)
def test_without_a_checksum_every_item_has_to_be_as_it_must(line: bytes) -> None:
    decoder = DEVICE.decoder()
    assert [type(event) for event in decoder.feed(line) + decoder.flush()] == [IntegrityError]
