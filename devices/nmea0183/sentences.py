"""The NMEA 0183 sentences: one row each, the columns in the order of the wire.

`SENTENCES[id]` is the row of a sentence, its id without the talker ("RMC"), or whole for
proprietary ones ("PUBX00"). A row drives the reading and the writing. `least` is how many
items a sentence must have (older versions of the standard end earlier), `written` how many
it is written with at least; more than the row has are ignored (newer versions add items).
GSV is put together by the stream, from several sentences (sky.py).

Source: NMEA 0183 as described by gpsd (BSD-2-Clause), pynmeagps (BSD-3-Clause) and pynmea2
(MIT); PUBX from the u-blox M8 receiver description. Unknown: what MSS sends as channel on
receivers with more than one.
"""

from devices.nmea0183.columns import SKIP, Angle, Fixed, Knots, Listing, Number, Sided, Stamp, Text, Whole
from devices.nmea0183.fields import MODES, NAV_STATES
from devices.nmea0183.row import Row

LATITUDE = Angle("latitude_deg", "NS", 90)
LONGITUDE = Angle("longitude_deg", "EW", 180)
WAYPOINT_LATITUDE = Angle("waypoint_latitude_deg", "NS", 90)
WAYPOINT_LONGITUDE = Angle("waypoint_longitude_deg", "EW", 180)
TIME = Stamp("utc_time")
DATE = Stamp("utc_date")
STATUS = Text("status", "AV")
MODE = Text("mode", MODES)
NAV_STATUS = Text("nav_status", NAV_STATES)
SPEED_KN = Knots("speed_kn", 3)
COURSE = Number("course_deg", 2)
VARIATION = Sided("magnetic_variation_deg", "EW", 1)
ALTITUDE = Number("altitude_m", 1, unit="M")
GEOID = Number("geoid_separation_m", 1, unit="M")
AGE = Number("differential_age_s", 1)
STATION = Text("differential_station")
BEARING = Number("bearing_deg", 1, unit="T")
BEARING_MAGNETIC = Number("bearing_magnetic_deg", 1, unit="M")
WAYPOINT = Text("waypoint")
WATER_STATUS = Text("water_status", "AV", ("water_speed_kn", "water_speed_across_kn"))
GROUND_STATUS = Text("ground_status", "AV", ("ground_speed_along_kn", "ground_speed_across_kn"))


def _text_items(items: list[str], least: int, length: int) -> list[str]:
    """The items of TXT: some receivers send nothing but the text, and commas in it."""
    counts = [text for text in items[1:3] if text]
    if len(items) > least and all(text.isdecimal() for text in counts):
        return [*items[:least], ",".join(items[least:])]
    if all(text.isdecimal() for text in items[1:] if text):
        return [*items, *[""] * (length - len(items))]
    return [items[0], "", "", "", ",".join(items[1:])]


SENTENCES: dict[str, Row] = {
    # position, course and speed
    "RMC": Row.of(
        9, TIME, STATUS, LATITUDE, LONGITUDE, SPEED_KN, COURSE, DATE, VARIATION, MODE, NAV_STATUS,
        written=11,
    ),
    "GGA": Row.of(
        12, TIME, LATITUDE, LONGITUDE, Whole("fix_quality"), Whole("satellites_used", 2), Number("hdop", 2),
        ALTITUDE, GEOID, AGE, STATION, written=14,
    ),
    "GNS": Row.of(
        12, TIME, LATITUDE, LONGITUDE, Text("modes"), Whole("satellites_used", 2), Number("hdop", 2),
        Number("altitude_m", 1), Number("geoid_separation_m", 1), AGE, STATION, NAV_STATUS,
    ),
    "GLL": Row.of(4, LATITUDE, LONGITUDE, TIME, STATUS, MODE),
    "VTG": Row.of(
        8, Number("course_deg", 2, unit="T", always=True), Number("course_magnetic_deg", 2, unit="M", always=True),
        Knots("speed_kn", 3, unit="N", always=True), Number("speed_km_h", 3, unit="K", always=True), MODE,
    ),
    "RMA": Row.of(
        11, STATUS, LATITUDE, LONGITUDE, Number("time_difference_a_us"), Number("time_difference_b_us"),
        Knots("speed_kn", 1), Number("course_deg", 1), VARIATION, MODE,
    ),
    "ZDA": Row.of(
        4, TIME, Stamp("day", 2), Stamp("month", 2), Stamp("year", 4), Text("zone_hours"), Text("zone_minutes"),
        written=6,
    ),
    # quality of the position
    "GSA": Row.of(
        17, Text("selection", "AM"), Whole("fix_type"), Listing("satellites_used_ids", 12, digits=2),
        Number("pdop", 2), Number("hdop", 2), Number("vdop", 2), Whole("system_id", base=16),
    ),
    "GST": Row.of(
        8, TIME, Number("range_rms_m"), Number("error_major_m"), Number("error_minor_m"),
        Number("error_orientation_deg"), Number("latitude_error_m"), Number("longitude_error_m"),
        Number("altitude_error_m"),
    ),
    "GRS": Row.of(
        14, TIME, Whole("residual_mode"), Listing("residuals_m", 12, gaps=True), Whole("system_id", base=16),
        Whole("signal_id", base=16),
    ),
    "GBS": Row.of(
        8, TIME, Number("latitude_error_m"), Number("longitude_error_m"), Number("altitude_error_m"),
        Whole("failed_satellite", 2), Number("failure_probability", 3), Number("failure_bias_m"),
        Number("failure_bias_error_m"), Whole("system_id", base=16), Whole("signal_id", base=16),
    ),
    "DTM": Row.of(
        8, Text("datum"), Text("datum_subdivision"), Sided("latitude_offset_min", "NS", 5),
        Sided("longitude_offset_min", "EW", 5), Number("altitude_offset_m"), Text("datum_reference"),
    ),
    # heading
    "HDT": Row.of(2, Number("heading_deg", unit="T")),
    "HDM": Row.of(2, Number("heading_magnetic_deg", unit="M")),
    "THS": Row.of(2, Number("heading_deg", 2), Text("mode", "AEMSV")),
    "HDG": Row.of(5, Number("heading_magnetic_deg"), Sided("magnetic_deviation_deg", "EW"), VARIATION),
    "ROT": Row.of(2, Number("rate_of_turn_deg_min"), STATUS),
    # the way to a waypoint
    "RMB": Row.of(
        13, STATUS, Number("cross_track_error_nmi", 2), Text("steer", "LR"), Text("waypoint_origin"),
        Text("waypoint_destination"), WAYPOINT_LATITUDE, WAYPOINT_LONGITUDE, Number("distance_nmi", 1, 3),
        Number("bearing_deg", 1, 3), Number("closing_speed_kn", 1, 3), Text("arrived", "AV"), MODE,
    ),
    "XTE": Row.of(
        5, STATUS, Text("lock_status", "AV"), Number("cross_track_error_nmi", 2), Text("steer", "LR"),
        Fixed("N", "cross_track_error_nmi"), MODE,
    ),
    "BWC": Row.of(
        12, TIME, WAYPOINT_LATITUDE, WAYPOINT_LONGITUDE, BEARING, BEARING_MAGNETIC,
        Number("distance_nmi", 1, unit="N"), WAYPOINT, MODE,
    ),
    "BOD": Row.of(6, BEARING, BEARING_MAGNETIC, Text("waypoint_destination"), Text("waypoint_origin")),
    "BWW": Row.of(6, BEARING, BEARING_MAGNETIC, Text("waypoint_destination"), Text("waypoint_origin")),
    "AAM": Row.of(5, Text("arrived", "AV"), Text("passed", "AV"), Number("arrival_radius_nmi", 2, unit="N"), WAYPOINT),
    "APB": Row.of(
        14, STATUS, Text("lock_status", "AV"), Number("cross_track_error_nmi", 2), Text("steer", "LR"),
        Fixed("N", "cross_track_error_nmi"), Text("arrived", "AV"), Text("passed", "AV"), Number("bearing_origin_deg"),
        Text("bearing_origin_reference", "MT", ("bearing_origin_deg",)), Text("waypoint_destination"),
        Number("bearing_present_deg"), Text("bearing_present_reference", "MT", ("bearing_present_deg",)),
        Number("to_steer_deg"), Text("to_steer_reference", "MT", ("to_steer_deg",)), MODE,
    ),
    "WPL": Row.of(5, WAYPOINT_LATITUDE, WAYPOINT_LONGITUDE, WAYPOINT),
    "RTE": Row.of(
        4, Whole("sentences"), Whole("sentence_number"), Text("route_kind", "cw"), Text("route"),
        Listing("waypoints", numbers=False),
    ),
    # water and wind
    "VHW": Row.of(
        8, Number("heading_deg", unit="T"), Number("heading_magnetic_deg", unit="M"),
        Number("water_speed_kn", 2, unit="N"), Number("water_speed_km_h", 2, unit="K"),
    ),
    "VLW": Row.of(
        4, Number("water_distance_total_nmi", 3, unit="N", always=True),
        Number("water_distance_nmi", 3, unit="N", always=True),
        Number("ground_distance_total_nmi", 3, unit="N", always=True),
        Number("ground_distance_nmi", 3, unit="N", always=True), written=8,
    ),
    "VBW": Row.of(
        6, Number("water_speed_kn", 2), Number("water_speed_across_kn", 2), WATER_STATUS,
        Number("ground_speed_along_kn", 2), Number("ground_speed_across_kn", 2), GROUND_STATUS,
    ),
    "MTW": Row.of(2, Number("water_temperature_c", unit="C")),
    "DBT": Row.of(6, Number("depth_ft", unit="f"), Number("depth_m", unit="M"), Number("depth_fathoms", unit="F")),
    "DPT": Row.of(2, Number("depth_m"), Number("depth_offset_m"), Number("depth_range_m")),
    "MWV": Row.of(
        5, Number("wind_angle_deg"), Text("wind_reference", "RT", ("wind_angle_deg",)), Number("wind_speed"),
        Text("wind_speed_unit", "KMNS", ("wind_speed",)), STATUS,
    ),
    "MWD": Row.of(
        8, Number("wind_direction_deg", unit="T"), Number("wind_direction_magnetic_deg", unit="M"),
        Number("wind_speed_kn", unit="N"), Number("wind_speed_m_s", unit="M"),
    ),
    "MTA": Row.of(2, Number("air_temperature_c", unit="C")),
    # the receiver itself
    "MSS": Row.of(
        4, Number("beacon_strength_db", 0), Number("beacon_snr_db", 0), Number("beacon_frequency_khz"),
        Number("beacon_bit_rate", 0), Whole("beacon_channel"), written=5,
    ),
    "TXT": Row.of(
        4, Whole("sentences", 2), Whole("sentence_number", 2), Text("text_kind"), Text("text"), settle=_text_items
    ),
    "MSK": Row.of(
        4, Number("beacon_frequency_khz"), Text("beacon_frequency_choice", "AM"), Number("beacon_bit_rate", 0),
        Text("beacon_bit_rate_choice", "AM"), Number("beacon_interval_s", 0), written=5,
    ),
    "STN": Row.of(1, Text("talker_number")),
    "RLM": Row.of(4, Text("beacon_id"), TIME, Text("message_code"), Text("message_body")),
    "PGRME": Row.of(
        6, Number("horizontal_accuracy_m", unit="M"), Number("vertical_accuracy_m", unit="M"),
        Number("position_error_m", unit="M"),
    ),
    "PGRMM": Row.of(1, Text("datum")),
    "PGRMZ": Row.of(2, Number("altitude_ft", 0, unit="f"), Whole("fix_type")),
    "PUBX00": Row.of(
        20, SKIP, TIME, LATITUDE, LONGITUDE, Number("altitude_ellipsoid_m", 3), Text("nav_state"),
        Number("horizontal_accuracy_m"), Number("vertical_accuracy_m"), Number("speed_km_h", 3), COURSE,
        Number("climb_m_s", 3, scale=-1.0), AGE, Number("hdop", 2), Number("vdop", 2), Number("tdop", 2),
        Whole("satellites_used"), SKIP, SKIP,
    ),
    "PUBX04": Row.of(
        9, SKIP, TIME, DATE, Number("gps_time_of_week_s", 2), Whole("gps_week"), Text("leap_seconds"),
        Number("clock_bias_ns", 0), Number("clock_drift_ns_s", 3), Number("time_granularity_ns", 0),
    ),
}  # fmt: skip
SENTENCES["BWR"] = SENTENCES["BWC"]
OLD_VTG = Row.of(4, COURSE, Number("course_magnetic_deg", 2), SPEED_KN, Number("speed_km_h", 3))
"""VTG as NMEA 0183 before 2.0 had it, without letters."""
