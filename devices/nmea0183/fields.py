"""The fields of NMEA 0183 sentences. Sentences share them: a latitude is one field in all.

The names of modes and states are the letters of the wire. What a robot in a park says (RMC,
GGA, VTG, GSV) has panels; the rest is stored and left to queries.
Source: NMEA 0183 as described by gpsd (BSD-2-Clause) and pynmeagps (BSD-3-Clause).
"""

from devices.spec.field import Field, Threshold

KNOT = 0.514444
"""Metres a second in a knot, to the digits gpsd uses; the speed in m/s is rounded to mm/s."""


def _measure(name: str, unit: str, text: str, low: float, high: float, step: float, panel: bool = False) -> Field:
    return Field(name, unit, text, minimum=low, maximum=high, step=step, optional=True, panel=panel)


def _counter(name: str, text: str, high: int, panel: bool = False) -> Field:
    return Field(name, "1", text, kind="counter", minimum=0, maximum=high, step=1, optional=True, panel=panel)


def _state(name: str, text: str, states: str, panel: bool = False) -> Field:
    return Field(name, "1", text, kind="state", states=tuple(states), optional=True, panel=panel)


def _text(name: str, text: str) -> Field:
    return Field(name, "1", text, kind="text", optional=True, panel=False)


MODES = "ACDEFMNPRSU"
MODE_TEXT = (
    "How the position was found: A autonomous, D differential, E estimated, F float RTK, M by hand, "
    "N not at all, P precise, R RTK, S simulated; Quectel also C caution, U unsafe"
)
NAV_STATES = "SCUVADEMN"
DEGREE_STEP = 1 / 6_000_000

POSITION = (
    _measure("latitude_deg", "deg", "Latitude, north positive, WGS 84", -90, 90, DEGREE_STEP, True),
    _measure("longitude_deg", "deg", "Longitude, east positive, WGS 84", -180, 180, DEGREE_STEP, True),
    _measure("altitude_m", "m", "Height above mean sea level", -9999.9, 99999.9, 0.1, True),
    _measure("geoid_separation_m", "m", "Height of mean sea level above the ellipsoid", -999.9, 999.9, 0.1),
    _measure("altitude_ellipsoid_m", "m", "Height above the ellipsoid", -9999.999, 99999.999, 0.001),
    _measure("altitude_ft", "[ft_i]", "Height above mean sea level, feet", -32768, 328000, 1),
    _measure("speed_kn", "[kn_i]", "Speed over ground", 0, 999.999, 0.001),
    _measure("speed_m_s", "m/s", "Speed over ground, from the knots", 0, 515, 0.001, True),
    _measure("speed_km_h", "km/h", "Speed over ground as the device converts it", 0, 1999.999, 0.001),
    _measure("climb_m_s", "m/s", "Vertical speed, up positive", -999.999, 999.999, 0.001),
    _measure("course_deg", "deg", "Course over ground, from true north", 0, 360, 0.01, True),
    _measure("course_magnetic_deg", "deg", "Course over ground, from magnetic north", 0, 360, 0.01),
    _measure("magnetic_variation_deg", "deg", "Magnetic variation, east positive", -180, 180, 0.1),
    _measure("heading_deg", "deg", "Heading from true north", 0, 360, 0.1),
    _measure("heading_magnetic_deg", "deg", "Heading from magnetic north", 0, 360, 0.1),
    _measure("magnetic_deviation_deg", "deg", "Deviation of the compass, east positive", -180, 180, 0.1),
    _measure("rate_of_turn_deg_min", "deg/min", "Rate of turn, degrees a minute, right positive", -7200, 7200, 0.1),
)

FIX = (
    _state("status", "A: the position holds, V: it does not and is left out", "AV", True),
    _state("mode", MODE_TEXT, MODES, True),
    _text("modes", MODE_TEXT + "; one letter for each satellite system"),
    _state(
        "nav_status",
        "Navigational status: S safe, C caution, U unsafe, V not given; on some receivers a letter of `mode`",
        NAV_STATES,
    ),
    _text("nav_state", "u-blox navigation state: NF no fix, DR dead reckoning, G2, G3, D2, D3, RK, TT"),
    Field(
        "fix_quality",
        "1",
        "0 no fix, 1 GNSS, 2 differential, 3 PPS, 4 RTK, 5 float RTK, 6 estimated, 7 by hand, 8 simulated, 9 SBAS",
        kind="counter",
        minimum=0,
        maximum=9,
        step=1,
        optional=True,
        thresholds=(Threshold(0, "bad"), Threshold(1, "good")),
    ),
    _counter("fix_type", "1 no fix, 2 in the plane, 3 in space", 3),
    _state("selection", "A: the receiver chooses plane or space, M: chosen by hand", "AM"),
    _counter("satellites_used", "Satellites the position was found with", 99, True),
    Field(
        "hdop",
        "1",
        "Horizontal dilution of precision; 99.99 where there is no position",
        minimum=0,
        maximum=9999.99,
        step=0.01,
        optional=True,
        thresholds=(Threshold(0, "good"), Threshold(5, "fair"), Threshold(10, "poor"), Threshold(20, "bad")),
    ),
    _measure("vdop", "1", "Vertical dilution of precision", 0, 9999.99, 0.01),
    _measure("pdop", "1", "Dilution of precision in space", 0, 9999.99, 0.01),
    _measure("tdop", "1", "Dilution of precision in time", 0, 9999.99, 0.01),
    _measure("differential_age_s", "s", "Age of the differential corrections", 0, 99999.9, 0.1),
    _text("differential_station", "Station the differential corrections come from"),
    _text("satellites_used_ids", "Numbers of the satellites used, JSON list"),
    _counter("system_id", "Satellite system: 1 GPS, 2 GLONASS, 3 Galileo, 4 BeiDou, 5 QZSS, 6 NavIC", 15),
    _counter("signal_id", "Signal of the satellite system", 15),
)

SKY = (
    _counter("satellites_in_view", "Satellites above the horizon, of the talker's system", 99, True),
    _counter("satellites_tracked", "Satellites that are received", 99, True),
    _measure("snr_max_db_hz", "dB.Hz", "Best signal of all satellites", 0, 99, 1, True),
    _measure("snr_mean_db_hz", "dB.Hz", "Mean signal of the satellites received", 0, 99, 0.01, True),
    _text(
        "satellites",
        "Each satellite, JSON list of prn, elevation_deg, azimuth_deg, snr_db_hz; u-blox adds state and lock_s",
    ),
    Field("group_complete", "1", "Every sentence of the group came", kind="flag", optional=True, panel=False),
)

PRECISION = (
    _measure("range_rms_m", "m", "Deviation of the ranges, root mean square", 0, 1e6, 0.001),
    _measure("error_major_m", "m", "Deviation along the error ellipse", 0, 1e6, 0.001),
    _measure("error_minor_m", "m", "Deviation across the error ellipse", 0, 1e6, 0.001),
    _measure("error_orientation_deg", "deg", "Direction of the error ellipse, from true north", -180, 360, 0.1),
    _measure("latitude_error_m", "m", "Deviation of the latitude", 0, 1e6, 0.001),
    _measure("longitude_error_m", "m", "Deviation of the longitude", 0, 1e6, 0.001),
    _measure("altitude_error_m", "m", "Deviation of the altitude", 0, 1e6, 0.001),
    _measure("horizontal_accuracy_m", "m", "Horizontal accuracy as the receiver estimates it", 0, 1e7, 0.001),
    _measure("vertical_accuracy_m", "m", "Vertical accuracy as the receiver estimates it", 0, 1e7, 0.001),
    _measure("position_error_m", "m", "Error of the position as the receiver estimates it", 0, 1e7, 0.1),
    _counter("residual_mode", "0: residuals were used for the position, 1: computed after it", 1),
    _text("residuals_m", "Range residuals in the order of the satellites used, m, JSON list"),
    _counter("failed_satellite", "Satellite most likely to have failed", 999),
    _measure("failure_probability", "1", "Probability of not having noticed the failure", 0, 1, 0.001),
    _measure("failure_bias_m", "m", "Estimated bias of the failed satellite", -1e6, 1e6, 0.001),
    _measure("failure_bias_error_m", "m", "Deviation of that bias", 0, 1e6, 0.001),
)

TIMING = (
    _text("utc_time", "Time of day, hh:mm:ss.s, where the stream has not said the date yet"),
    _text("zone_hours", "Local zone, hours, as sent"),
    _text("zone_minutes", "Local zone, minutes, as sent"),
    _measure("gps_time_of_week_s", "s", "Time of week", 0, 604800, 0.01),
    _counter("gps_week", "GPS week since 1980", 99999),
    _text("leap_seconds", "Leap seconds; a D behind them: the firmware's default"),
    _measure("clock_bias_ns", "ns", "Bias of the receiver's clock, nanoseconds", -1e12, 1e12, 1),
    _measure("clock_drift_ns_s", "ns/s", "Drift of the receiver's clock, nanoseconds a second", -1e9, 1e9, 0.001),
    _measure("time_granularity_ns", "ns", "Granularity of the time pulse, nanoseconds", 0, 1e6, 1),
    _text("datum", "Local datum"),
    _text("datum_subdivision", "Subdivision of the local datum"),
    _text("datum_reference", "Reference datum"),
    _measure("latitude_offset_min", "min", "Offset of the datum, minutes of arc, north positive", -60, 60, 1e-5),
    _measure("longitude_offset_min", "min", "Offset of the datum, minutes of arc, east positive", -60, 60, 1e-5),
    _measure("altitude_offset_m", "m", "Offset of the datum", -9999, 9999, 0.1),
)

ROUTE = (
    _measure(
        "cross_track_error_nmi", "[nmi_i]", "Distance off the track; L and R say where to steer", 0, 99999.999, 0.001
    ),
    _state("steer", "Steer left or right to come back to the track", "LR"),
    _state("lock_status", "Cycle lock of the Loran-C receiver: A good, V not", "AV"),
    _text("waypoint", "Name of the waypoint"),
    _text("waypoint_origin", "Name of the waypoint the leg begins at"),
    _text("waypoint_destination", "Name of the waypoint the leg leads to"),
    _measure("waypoint_latitude_deg", "deg", "Latitude of the waypoint", -90, 90, DEGREE_STEP),
    _measure("waypoint_longitude_deg", "deg", "Longitude of the waypoint", -180, 180, DEGREE_STEP),
    _measure("bearing_deg", "deg", "Bearing to the waypoint, from true north", 0, 360, 0.1),
    _measure("bearing_magnetic_deg", "deg", "Bearing to the waypoint, from magnetic north", 0, 360, 0.1),
    _measure("distance_nmi", "[nmi_i]", "Distance to the waypoint", 0, 99999.9, 0.1),
    _measure("closing_speed_kn", "[kn_i]", "Speed towards the waypoint", -9999.9, 9999.9, 0.1),
    _state("arrived", "A: the arrival circle was entered, V: not yet", "AV"),
    _state("passed", "A: the perpendicular at the waypoint was passed, V: not yet", "AV"),
    _text("route", "Name or number of the route"),
    _state("route_kind", "c: the whole route, w: what is left of it", "cw"),
    _counter("sentences", "How many sentences make the message", 99),
    _counter("sentence_number", "Which of them this is", 99),
    _text("waypoints", "Waypoints of the route, JSON list"),
    _measure("arrival_radius_nmi", "[nmi_i]", "Radius of the arrival circle", 0, 999.99, 0.01),
    _measure("bearing_origin_deg", "deg", "Bearing from origin to destination", 0, 360, 0.1),
    _measure("bearing_present_deg", "deg", "Bearing from here to the destination", 0, 360, 0.1),
    _measure("to_steer_deg", "deg", "Heading to steer to the destination", 0, 360, 0.1),
    _state("bearing_origin_reference", "M from magnetic, T from true north", "MT"),
    _state("bearing_present_reference", "M from magnetic, T from true north", "MT"),
    _state("to_steer_reference", "M from magnetic, T from true north", "MT"),
)

WATER = (
    _measure("depth_m", "m", "Depth below the transducer", 0, 99999.9, 0.1),
    _measure("depth_offset_m", "m", "Offset of the transducer: positive to the waterline", -999.9, 999.9, 0.1),
    _measure("water_temperature_c", "Cel", "Water temperature", -99, 999, 0.1),
    _measure("water_distance_total_nmi", "[nmi_i]", "Distance through water, all time", 0, 1e6, 0.001),
    _measure("water_distance_nmi", "[nmi_i]", "Distance through water since reset", 0, 1e6, 0.001),
    _measure("ground_distance_total_nmi", "[nmi_i]", "Distance over ground, all time", 0, 1e6, 0.001),
    _measure("ground_distance_nmi", "[nmi_i]", "Distance over ground since reset", 0, 1e6, 0.001),
    _measure("water_speed_kn", "[kn_i]", "Speed through water, ahead positive", -999.99, 999.99, 0.01),
    _measure("water_speed_km_h", "km/h", "Speed through water as the device converts it", -1999, 1999, 0.01),
    _measure("water_speed_across_kn", "[kn_i]", "Speed through water, starboard positive", -999.99, 999.99, 0.01),
    _measure("ground_speed_along_kn", "[kn_i]", "Speed over ground, ahead positive", -999.99, 999.99, 0.01),
    _measure("ground_speed_across_kn", "[kn_i]", "Speed over ground, starboard positive", -999.99, 999.99, 0.01),
    _state("water_status", "A: the speed through water holds, V: it does not", "AV"),
    _measure("depth_ft", "[ft_i]", "Depth below the transducer, feet", 0, 99999.9, 0.1),
    _measure("depth_fathoms", "[fth_i]", "Depth below the transducer, fathoms", 0, 99999.9, 0.1),
    _measure("depth_range_m", "m", "Range the echo sounder is set to", 0, 99999.9, 0.1),
    _state("ground_status", "A: the speed over ground holds, V: it does not", "AV"),
)

AIR = (
    _measure("wind_angle_deg", "deg", "Wind angle from the bow", 0, 360, 0.1),
    _state("wind_reference", "R relative, T true", "RT"),
    _measure("wind_speed", "1", "Wind speed in wind_speed_unit", 0, 999.9, 0.1),
    _state("wind_speed_unit", "Unit of the wind speed: K km/h, M m/s, N knots, S miles an hour", "KMNS"),
    _measure("wind_direction_deg", "deg", "Wind direction from true north", 0, 360, 0.1),
    _measure("wind_direction_magnetic_deg", "deg", "Wind direction from magnetic north", 0, 360, 0.1),
    _measure("wind_speed_kn", "[kn_i]", "Wind speed", 0, 999.9, 0.1),
    _measure("wind_speed_m_s", "m/s", "Wind speed", 0, 999.9, 0.1),
    _measure("air_temperature_c", "Cel", "Air temperature", -99, 99, 0.1),
)

RADIO = (
    _measure("beacon_strength_db", "dB", "Field strength of the beacon, dB above 1 uV/m", 0, 999, 1),
    _measure("beacon_snr_db", "dB", "Signal to noise ratio of the beacon", 0, 999, 1),
    _measure("beacon_frequency_khz", "kHz", "Frequency of the beacon, kilohertz", 0, 99999.9, 0.1),
    _measure("beacon_bit_rate", "1", "Bit rate of the beacon, bits a second", 0, 99999, 1),
    _state("beacon_frequency_choice", "A: the receiver chooses the frequency, M: chosen by hand", "AM"),
    _state("beacon_bit_rate_choice", "A: the receiver chooses the bit rate, M: chosen by hand", "AM"),
    _measure("beacon_interval_s", "s", "Interval at which the beacon receiver reports", 0, 99999, 1),
    _text("beacon_id", "Identity of the distress beacon a return link message is for"),
    _text("message_code", "Kind of the return link message"),
    _text("message_body", "The return link message"),
    _text("talker_number", "Number of the talker that speaks next"),
    _counter("beacon_channel", "Channel of the beacon receiver", 99),
    _measure("time_difference_a_us", "us", "Loran-C time difference A, microseconds", 0, 99999.9, 0.1),
    _measure("time_difference_b_us", "us", "Loran-C time difference B, microseconds", 0, 99999.9, 0.1),
    _text("text", "Text of the receiver, or a sentence that is not in the table, as it came"),
    _text("text_kind", "Kind of the receiver's text: 00 error, 01 warning, 02 notice, 07 user"),
)

FIELDS = (*POSITION, *FIX, *SKY, *PRECISION, *TIMING, *ROUTE, *WATER, *AIR, *RADIO)
BY_NAME = {field.name: field for field in FIELDS}
LIMITS = {
    field.name: (field.minimum, field.maximum)
    for field in FIELDS
    if field.minimum is not None and field.maximum is not None
}
"""Minimum and maximum of each number."""
