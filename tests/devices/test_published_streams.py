"""The published vectors of the serial protocols, their publishers' names mapped to ours here."""

import json
import re
from typing import Any

import pytest

from devices.spec.device import StreamDevice
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading, SanityError
from tests.device_types import BY_NAME
from tests.devices.examples import nanoseconds
from tests.devices.published import published

TYPES = {
    "Plantower PMS3003": "pms3003", "pms3003": "pms3003", "Plantower PMS5003/PMS7003/PMSA003": "pms5003",
    "Plantower PMS5003T": "pms5003t", "Nova SDS011/SDS018/SDS021": "sds011", "sds01x": "sds011",
    "Nova SDS198 (PM100)": "sds198", "Contec CMS50D+ (recorded 3-byte)": "contec-recorded",
}  # fmt: skip
"""The publisher's device to our type, where the protocol has several."""
PROTOCOLS = {"contec-cms50dplus": "bci-oximeter", "bci-5byte": "berrymed", "nmea0183": "nmea0183"}

PLANTOWER = {
    "raw01": "pm1_0_cf1_ug_m3", "raw25": "pm2_5_cf1_ug_m3", "raw10": "pm10_cf1_ug_m3", "pm01": "pm1_0_ug_m3",
    "pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3", "n0_3": "particles_0_3um_per_cm3",
    "n0_5": "particles_0_5um_per_cm3", "n1_0": "particles_1_0um_per_cm3", "n2_5": "particles_2_5um_per_cm3",
    "n5_0": "particles_5_0um_per_cm3", "n10_0": "particles_10um_per_cm3", "temp": "temperature_c",
    "rhum": "humidity_pct",
}  # fmt: skip
NOVA = {"pm25": "pm2_5_ug_m3", "pm10": "pm10_ug_m3", "pm100": "pm100_ug_m3"}
OXIMETER = {
    "signalStrength": "signal_strength", "signal_strength": "signal_strength", "fingerOut": "finger_out",
    "droppingSpO2": "spo2_dropping", "beep": "beep", "pulseWaveform": "pleth", "pleth": "pleth",
    "barGraph": "bar_graph", "probeError": "probe_error", "searching": "searching", "pulseRate": "pulse_rate_bpm",
    "pulse_rate": "pulse_rate_bpm", "bloodSpO2": "spo2_pct", "spo2": "spo2_pct",
}  # fmt: skip
GPSD = {
    "lat": "latitude_deg", "lon": "longitude_deg", "track": "course_deg", "altMSL": "altitude_m",
    "fix_quality": "fix_quality", "num_sats": "satellites_used", "geoid_sep": "geoid_separation_m", "hdop": "hdop",
    "nSat": "satellites_in_view",
}  # fmt: skip
NAMES = {"plantower": PLANTOWER, "novasds": NOVA, "contec-cms50dplus": OXIMETER, "bci-5byte": OXIMETER}

REPR = {
    "status": "status", "lat": "latitude_deg", "lon": "longitude_deg", "quality": "fix_quality",
    "numSV": "satellites_used", "HDOP": "hdop", "alt": "altitude_m", "sep": "geoid_separation_m",
    "opMode": "selection", "navMode": "fix_type", "PDOP": "pdop", "VDOP": "vdop", "posMode": "mode",
    "mode": "residual_mode", "rangeRms": "range_rms_m", "stdMajor": "error_major_m", "stdMinor": "error_minor_m",
    "orient": "error_orientation_deg", "stdLat": "latitude_error_m", "stdLong": "longitude_error_m",
    "stdAlt": "altitude_error_m", "errLat": "latitude_error_m", "errLon": "longitude_error_m",
    "errAlt": "altitude_error_m", "tgd": "ground_distance_total_nmi", "gd": "ground_distance_nmi",
    "utcTow": "gps_time_of_week_s", "utcWk": "gps_week", "leapSec": "leap_seconds", "clkBias": "clock_bias_ns",
    "clkDrift": "clock_drift_ns_s", "tpGran": "time_granularity_ns", "sog": "speed_kn", "cog": "course_deg",
    "ctrkerr": "cross_track_error_nmi", "dirs": "steer", "wptO": "waypoint_origin",
    "wptD": "waypoint_destination", "range": "distance_nmi", "bearing": "bearing_deg",
    "velclos": "closing_speed_kn", "arrstatus": "arrived", "gwarn": "status", "LCcwarn": "lock_status",
    "bearT": "bearing_deg", "bearM": "bearing_magnetic_deg", "dist": "distance_nmi", "wpt": "waypoint",
    "strength": "beacon_strength_db", "snr": "beacon_snr_db", "freq": "beacon_frequency_khz",
    "beacbps": "beacon_bit_rate", "datum": "datum", "refDatum": "datum_reference",
    "latOfset": "latitude_offset_min", "lonOfset": "longitude_offset_min", "ltzh": "zone_hours",
    "ltzn": "zone_minutes", "spd": "speed_kn", "navStatus": "nav_status",
}  # fmt: skip
"""pynmeagps's names; `BY_SENTENCE` has those that mean something else in one sentence."""
BY_SENTENCE = {
    "RMB": {"lat": "waypoint_latitude_deg", "lon": "waypoint_longitude_deg"},
    "BWC": {"lat": "waypoint_latitude_deg", "lon": "waypoint_longitude_deg"},
    "GSV": {"numSV": "satellites_in_view"},
    "DTM": {"alt": "altitude_offset_m"},
}
ELSEWHERE = {
    "time", "fixutc", "date", "day", "month", "year",  # in the reading's time
    "NS", "EW", "dirvar", "var",  # in the signs; var is checked by its sign below
    "altUnit", "sepUnit", "distUnit", "disUnit", "bearTu", "bearMu", "tgdUnit", "gdUnit", "twdUnit", "wdUnit",
    "msgId", "numMsg", "msgNum", "signalID", "systemId", "signalId",
}  # fmt: skip
SKY = {"svid": "prn", "elv": "elevation_deg", "az": "azimuth_deg", "cno": "snr_db_hz"}


def device(vector: dict[str, Any]) -> StreamDevice:
    found = BY_NAME[TYPES.get(vector["device"], PROTOCOLS.get(vector["protocol"], ""))]
    assert isinstance(found, StreamDevice)
    return found


def events(vector: dict[str, Any]) -> list[Event]:
    data = bytes.fromhex(vector["input_hex"]) if "input_hex" in vector else vector["input_text"].encode()
    decoder = device(vector).decoder()
    return decoder.feed(data) + decoder.flush()


def value_of(wanted: Any) -> Any:
    return wanted["value"] if isinstance(wanted, dict) else wanted


def check_gpsd(reading: Reading, expected: dict[str, Any]) -> None:
    for name, wanted in expected.items():
        value = value_of(wanted)
        if name == "time" and "T" in value:
            assert reading.time_ns == nanoseconds(value)
        elif name == "time":
            assert reading.fields["utc_time"] == value
        elif name == "speed":
            key = {"m/s": "speed_m_s", "kn": "speed_kn"}[wanted["unit"]]
            assert reading.fields[key] == pytest.approx(value, abs=1e-9)
        elif name == "talker":
            assert reading.tags["talker"] == value
        elif name == "satellites":
            rows = json.loads(str(reading.fields["satellites"]))
            assert [list(row.values()) for row in rows] == [list(row.values()) for row in value]
        elif not name.endswith("_raw"):
            assert reading.fields[GPSD[name]] == pytest.approx(value, abs=5e-7), name


def check_repr(reading: Reading, text: str) -> None:
    sentence = reading.tags["sentence"]
    assert text.startswith(f"<NMEA({reading.tags.get('talker', '')}{sentence},")
    names = REPR | BY_SENTENCE.get(sentence, {})
    rows = json.loads(str(reading.fields.get("satellites", "[]")))
    residuals = json.loads(str(reading.fields.get("residuals_m", "[]")))
    used = json.loads(str(reading.fields.get("satellites_used_ids", "[]")))
    for name, value in re.findall(r"(\w+)=([^,)]*)", text):
        numbered = re.fullmatch(r"([a-z]+)_(\d+)", name)
        if numbered is not None:
            kind, index = numbered[1], int(numbered[2]) - 1
            found = {"residual": residuals, "svid": used}.get(kind if sentence != "GSV" else "")
            if sentence == "GSV":
                assert rows[index][SKY[kind]] == (float(value) if value else None)
            elif value:
                assert found is not None
                assert found[index] == float(value)
            continue
        if name in ELSEWHERE or not value:
            continue
        ours = reading.fields[names[name]]
        if isinstance(ours, str):
            assert ours == value, name
        else:
            assert ours == pytest.approx(float(value), abs=1e-9), name


@pytest.mark.parametrize(
    "vector",
    published("plantower", "novasds", "contec-cms50dplus", "bci-5byte", "nmea0183"),
    ids=lambda vector: f"{vector['protocol']}-{vector['id']}",
)
def test_published_vector(vector: dict[str, Any]) -> None:
    found = events(vector)
    expected = vector["expected"]
    readings = [event for event in found if isinstance(event, Reading)]
    if expected.get("reject"):
        assert not readings
        assert any(isinstance(event, Empty | Noise | IntegrityError | SanityError) for event in found)
        return
    if "skipped_garbage_bytes" in expected:
        assert isinstance(found[0], Noise)
        assert len(found[0].data) == expected["skipped_garbage_bytes"]
        expected = expected["readings"][0]
    assert len(readings) == 1, found
    if "pynmeagps_repr" in expected:
        check_repr(readings[0], expected["pynmeagps_repr"])
    elif vector["protocol"] == "nmea0183":
        check_gpsd(readings[0], expected)
    else:
        names = NAMES[vector["protocol"]]
        for name, wanted in expected.items():
            assert readings[0].fields[names[name]] == value_of(wanted), name
            field = next(field for field in device(vector).fields if field.name == names[name])
            if isinstance(wanted, dict):
                units = {"ug/m3": "ug/m3", "#/cm3": "/cm3", "degC": "Cel", "%": "%", "bpm": "/min"}
                assert field.unit == units[wanted["unit"]]


def test_the_sentences_say_their_time() -> None:
    times = {vector["sentence"]: events(vector)[0] for vector in published("nmea0183") if "sentence" in vector}
    zda, pubx, rma = times["GNZDA"], times["PUBX04"], times["GPRMA"]
    assert isinstance(zda, Reading)
    assert isinstance(pubx, Reading)
    assert isinstance(rma, Reading)
    assert zda.time_ns == pubx.time_ns == nanoseconds("2021-03-06T10:36:07Z")
    assert rma.fields["magnetic_variation_deg"] == -14.8
