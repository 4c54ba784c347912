"""The fields of the messages that are described, in the units of other types: degrees, metres, volts.

Every reading has the first four; the rest is there as its message says it. Ranges are what the message has room for,
of floats what a vehicle can do.
"""

from devices.spec.field import Field, Threshold


def _words(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}_{name}" for name in names.split())


STATES = _words("MAV_STATE", "UNINIT BOOT CALIBRATING STANDBY ACTIVE CRITICAL EMERGENCY POWEROFF FLIGHT_TERMINATION")
FIXES = _words("GPS_FIX_TYPE", "NO_GPS NO_FIX 2D_FIX 3D_FIX DGPS RTK_FLOAT RTK_FIXED STATIC PPP")
SEVERITIES = _words("MAV_SEVERITY", "EMERGENCY ALERT CRITICAL ERROR WARNING NOTICE INFO DEBUG")
FUNCTIONS = _words("MAV_BATTERY_FUNCTION", "UNKNOWN ALL PROPULSION AVIONICS PAYLOAD")
CHEMISTRIES = _words("MAV_BATTERY_TYPE", "UNKNOWN LIPO LIFE LION NIMH")
CHARGES = _words(
    "MAV_BATTERY_CHARGE_STATE", "UNDEFINED OK LOW CRITICAL EMERGENCY FAILED UNHEALTHY CHARGING"
)  # fmt: skip
BATTERY_MODES = _words("MAV_BATTERY_MODE", "UNKNOWN AUTO_DISCHARGING HOT_SWAP")

U8, U16, U32 = 0xFF, 0xFFFF, 0xFFFF_FFFF
CELLS = 14


def _counter(name: str, description: str, maximum: int, *, optional: bool = True) -> Field:
    return Field(name, "1", description, kind="counter", minimum=0, maximum=maximum, step=1, optional=optional,
                 panel=False)  # fmt: skip


def _flag(name: str, description: str, *, panel: bool = False) -> Field:
    return Field(name, "1", description, kind="flag", optional=True, panel=panel)


def _state(name: str, description: str, states: tuple[str, ...], *, panel: bool = True) -> Field:
    return Field(name, "1", description, kind="state", states=states, optional=True, panel=panel)


def _measure(name: str, unit: str, description: str, minimum: float, maximum: float, step: float, *,
             panel: bool = True, thresholds: tuple[Threshold, ...] = ()) -> Field:  # fmt: skip
    return Field(name, unit, description, minimum=minimum, maximum=maximum, step=step, optional=True, panel=panel,
                 thresholds=thresholds)  # fmt: skip


SEQ = _counter("seq", "Number of the message, counted by its sender over all that it says", U8, optional=False)
SYSTEM = _counter("system_id", "System (vehicle, ground station) that says it", U8, optional=False)
COMPONENT = _counter("component_id", "Component of the system", U8, optional=False)
WIRE = Field("wire_version", "1", "MAVLink 1 or 2", kind="counter", minimum=1, maximum=2, step=1, panel=False)

MESSAGES = (
    # any message
    _flag("signed", "The message is signed; the signature is not verified"),
    _counter("link_id", "Link that it was signed for", U8),
    _counter("signature_timestamp", "When it was signed, 10 µs since 2015", (1 << 48) - 1),
    _measure("time_boot_ms", "ms", "Time since the system booted", 0, U32, 1, panel=False),
    _measure("time_us", "us", "Time since 1970, or since the system booted", 0, float(1 << 53), 1, panel=False),
    # the link
    Field("received_count", "1", "Messages of the component since this was last said", kind="counter",
          minimum=0, maximum=1 << 31, step=1, optional=True),
    Field("lost_count", "1", "Messages of the component that are missing since then", kind="counter",
          minimum=0, maximum=1 << 31, step=1, optional=True),
    # HEARTBEAT
    Field("vehicle_type", "1", "What it is, a word of MAV_TYPE", kind="text", optional=True),
    Field("autopilot", "1", "Whose autopilot it is, a word of MAV_AUTOPILOT", kind="text", optional=True, panel=False),
    _state("system_status", "State of the system", STATES),
    _counter("base_mode", "Mode flags as one number", U8),
    _flag("armed", "The motors may run", panel=True),
    _flag("manual_input", "Steered by remote control"),
    _flag("simulated", "Hardware in the loop: what it says is simulated"),
    _flag("stabilized", "Attitude is stabilized"),
    _flag("guided", "Told by a ground station where to go"),
    _flag("auto", "Drives or flies its mission by itself"),
    _flag("test_mode", "In a mode for tests"),
    _flag("custom_mode_used", "The mode of the autopilot's own counts"),
    _counter("custom_mode", "Mode by the autopilot's own numbers", U32),
    _counter("mavlink_version", "Version that the heartbeat says", U8),
    # SYS_STATUS
    _counter("sensors_present", "Sensors that are there, bits of MAV_SYS_STATUS_SENSOR", U32),
    _counter("sensors_enabled", "Sensors in use", U32),
    _counter("sensors_health", "Sensors that work, or have worked", U32),
    Field("sensors_failed", "1", "Sensors in use that do not work", kind="text", optional=True),
    _measure("load_pct", "%", "Load of the main loop", 0.0, 6553.5, 0.1),
    _measure("battery_v", "V", "Battery voltage", 0.0, 983.0, 0.001),
    _measure("battery_a", "A", "Battery current, out of it above zero", -327.68, 327.67, 0.01),
    _measure("battery_pct", "%", "Battery charge", 0, 127, 1,
             thresholds=(Threshold(0.0, "bad"), Threshold(20.0, "poor"), Threshold(40.0, "good"))),
    _measure("drop_rate_pct", "%", "Packets that the system itself loses", 0.0, 655.35, 0.01),
    _counter("comm_errors", "Packets that it has lost", U16),
    *(_counter(f"errors_{n}", f"Errors of the autopilot's own kind {n}", U16) for n in range(1, 5)),
    _counter("sensors_present_extended", "Further sensors that are there", U32),
    _counter("sensors_enabled_extended", "Further sensors in use", U32),
    _counter("sensors_health_extended", "Further sensors that work", U32),
    # GPS_RAW_INT and GLOBAL_POSITION_INT
    _state("fix_type", "Kind of satellite fix", FIXES),
    _measure("latitude_deg", "deg", "Latitude, WGS 84", -90.0, 90.0, 1e-7),
    _measure("longitude_deg", "deg", "Longitude, WGS 84", -180.0, 180.0, 1e-7),
    _measure("altitude_m", "m", "Altitude above mean sea level", -2_147_483.0, 2_147_483.0, 0.001),
    _measure("relative_altitude_m", "m", "Altitude above home", -2_147_483.0, 2_147_483.0, 0.001),
    _measure("ellipsoid_altitude_m", "m", "Altitude above the ellipsoid", -2_147_483.0, 2_147_483.0, 0.001,
             panel=False),
    _measure("hdop", "1", "Horizontal dilution of precision", 0.0, 655.34, 0.01),
    _measure("vdop", "1", "Vertical dilution of precision", 0.0, 655.34, 0.01, panel=False),
    _measure("speed_m_s", "m/s", "Speed over ground", -1000.0, 1000.0, 0.001),
    _measure("course_deg", "deg", "Course over ground", 0.0, 360.0, 0.01),
    Field("satellites_visible", "1", "Satellites in view", kind="counter", minimum=0, maximum=254, step=1,
          optional=True),
    _measure("horizontal_accuracy_m", "m", "Uncertainty of the position", 0.0, 4_294_967.295, 0.001, panel=False),
    _measure("vertical_accuracy_m", "m", "Uncertainty of the altitude", 0.0, 4_294_967.295, 0.001, panel=False),
    _measure("speed_accuracy_m_s", "m/s", "Uncertainty of the speed", 0.0, 4_294_967.295, 0.001, panel=False),
    _measure("heading_accuracy_deg", "deg", "Uncertainty of the heading", 0.0, 42_949.67295, 0.00001, panel=False),
    _measure("antenna_yaw_deg", "deg", "Heading by two antennas, north is 360", 0.01, 360.0, 0.01, panel=False),
    _measure("vx_m_s", "m/s", "Speed north", -327.68, 327.67, 0.01, panel=False),
    _measure("vy_m_s", "m/s", "Speed east", -327.68, 327.67, 0.01, panel=False),
    _measure("vz_m_s", "m/s", "Speed down", -327.68, 327.67, 0.01, panel=False),
    _measure("heading_deg", "deg", "Where it points", -360.0, 360.0, 0.01),
    # ATTITUDE
    _measure("roll_rad", "rad", "Roll, right side down above zero", -6.2832, 6.2832, 1e-6),
    _measure("pitch_rad", "rad", "Pitch, nose up above zero", -6.2832, 6.2832, 1e-6),
    _measure("yaw_rad", "rad", "Yaw, clockwise from north", -6.2832, 6.2832, 1e-6),
    _measure("roll_speed_rad_s", "rad/s", "Rate of roll", -100.0, 100.0, 1e-5, panel=False),
    _measure("pitch_speed_rad_s", "rad/s", "Rate of pitch", -100.0, 100.0, 1e-5, panel=False),
    _measure("yaw_speed_rad_s", "rad/s", "Rate of yaw", -100.0, 100.0, 1e-5, panel=False),
    # VFR_HUD
    _measure("airspeed_m_s", "m/s", "Speed through the air", -1000.0, 1000.0, 0.001),
    _measure("throttle_pct", "%", "Throttle", 0, 65535, 1),
    _measure("climb_m_s", "m/s", "Rate of climb", -1000.0, 1000.0, 0.001),
    # BATTERY_STATUS
    _counter("battery_id", "Number of the battery", U8),
    _state("battery_function", "What the battery is for", FUNCTIONS, panel=False),
    _state("battery_type", "Chemistry of the battery", CHEMISTRIES, panel=False),
    _measure("temperature_c", "Cel", "Temperature of the battery", -327.68, 327.66, 0.01),
    *(_measure(f"cell_{n}_v", "V", f"Voltage of cell {n}", 0.0, 65.534, 0.001, panel=False)
      for n in range(1, CELLS + 1)),
    _measure("consumed_mah", "mA.h", "Charge consumed", 0, float((1 << 31) - 1), 1),
    _measure("consumed_j", "J", "Energy consumed", 0, 100.0 * ((1 << 31) - 1), 100),
    _measure("time_remaining_s", "s", "Time that the battery lasts", -float(1 << 31), float((1 << 31) - 1), 1),
    _state("charge_state", "State of charge", CHARGES),
    _state("battery_mode", "What the battery does now", BATTERY_MODES, panel=False),
    _counter("battery_faults", "Faults of the battery, bits of MAV_BATTERY_FAULT", U32),
    # STATUSTEXT
    _state("severity", "How bad it is", SEVERITIES),
    Field("text", "1", "What the system says", kind="text", optional=True),
)  # fmt: skip

FIELDS = (SEQ, SYSTEM, COMPONENT, WIRE, *MESSAGES)
BY_NAME = {field.name: field for field in FIELDS}
