"""Characteristics of health devices: heart rate, blood pressure, pulse oximeters, thermometers.

    2A37 heart rate           flags | u8 or u16 | energy u16 | intervals u16, 1/1024 s ...
    2A35 blood pressure       flags | systolic, diastolic, mean SFLOAT | clock | pulse SFLOAT | user | status u16
    2A36 cuff pressure        the same, the first value alone; 2B34, 2B35: with seconds for the clock
    2A5E SpO2, spot check     flags | SpO2, pulse SFLOAT | clock | status u16 | sensor u24 | amplitude SFLOAT
    2A5F SpO2, continuous     flags | SpO2, pulse SFLOAT | fast | slow | status u16 | sensor u24 | amplitude SFLOAT
    2A1C, 2A1E thermometer    flags | FLOAT | clock | where it was taken
    2A38, 2A1D                where the sensor is worn, where the temperature is taken: u8

Flag 0 tells the units (mmHg or kPa, Celsius or Fahrenheit); each has a field of its own, as on the wire. What an
oximeter declares invalid or unavailable is left out, and so is a rate of 0 without a finger or skin contact. A user is
the number of a slot in the device, 255 nobody known.

Unknown: Bluetooth leaves to the device how it recovers from values that are NaN. The energy is in kJ by the Heart
Rate Service 1.0; the supplement says joule.

Sources: Bluetooth SIG, GATT Specification Supplement (2026); Pulse Oximeter Service 1.0.1, tables 3.2 to 3.7; Heart
Rate Service 1.0.
"""

from devices.ble_gatt.bits import Bits, InFlags, Words
from devices.ble_gatt.characteristic import Characteristic
from devices.ble_gatt.clocks import Clock, Seconds
from devices.ble_gatt.parts import Fill, Found, Intervals, Med, Number, Part, temperature
from devices.pressure import DIASTOLIC_LEVELS, PULSE_LEVELS, SYSTOLIC_LEVELS
from devices.spec.field import Field, Threshold


def _optional(
    name: str,
    unit: str,
    words: str,
    most: float,
    step: float = 1,
    thresholds: tuple[Threshold, ...] = (),
    panel: bool = True,
) -> Field:
    return Field(
        name, unit, words, minimum=0, maximum=most, step=step, optional=True, thresholds=thresholds, panel=panel
    )


def _flag(name: str, words: str, panel: bool = False) -> Field:
    return Field(name, "1", words, kind="flag", optional=True, panel=panel)


HEART_RATE = _optional("heart_rate_bpm", "/min", "Heart rate; an adult's at rest is 60 to 100", 65535, 1, PULSE_LEVELS)
CONTACT = Field(
    "sensor_contact",
    "1",
    "Whether the sensor touches skin, or cannot tell",
    kind="state",
    optional=True,
    states=("NOT_SUPPORTED", "NOT_DETECTED", "DETECTED"),
)
ENERGY = _optional("energy_expended_kj", "kJ", "Energy expended since the last reset", 65535)
INTERVAL = _optional("rr_interval_s", "s", "Time between two beats, the mean of this message", 65535 / 1024, 1 / 1024)
INTERVALS = Field(
    "rr_intervals_s", "1", "Times between beats, oldest first, s, JSON list", kind="text", optional=True, panel=False
)
LOCATION = Field(
    "body_sensor_location",
    "1",
    "Where the sensor is worn",
    kind="state",
    optional=True,
    states=("other", "chest", "wrist", "finger", "hand", "ear lobe", "foot"),
    panel=False,
)
USER = Field(
    "user_id",
    "1",
    "Number of the user in the device",
    kind="counter",
    minimum=0,
    maximum=254,
    optional=True,
    panel=False,
)
PULSE = _optional("pulse_rate_bpm", "/min", "Pulse rate; an adult's at rest is 60 to 100", 2045, 1, PULSE_LEVELS)
SYSTOLIC = _optional("systolic_mmhg", "mm[Hg]", "Systolic blood pressure", 2045, 1, SYSTOLIC_LEVELS)
DIASTOLIC = _optional("diastolic_mmhg", "mm[Hg]", "Diastolic blood pressure", 2045, 1, DIASTOLIC_LEVELS)
MEAN = _optional("mean_arterial_mmhg", "mm[Hg]", "Mean arterial pressure", 2045)
CUFF = _optional("cuff_pressure_mmhg", "mm[Hg]", "Pressure in the cuff while it measures", 2045)
KPA = tuple(
    _optional(f"{name}_kpa", "kPa", f"{words}, of a device that says kPa", 273, 0.1, panel=False)
    for name, words in (
        ("systolic", "Systolic blood pressure"),
        ("diastolic", "Diastolic blood pressure"),
        ("mean_arterial", "Mean arterial pressure"),
        ("cuff_pressure", "Pressure in the cuff"),
    )
)
PULSE_RANGE = Field(
    "pulse_range",
    "1",
    "The pulse in the range that the monitor can measure",
    kind="state",
    optional=True,
    states=("within", "above", "below"),
    panel=False,
)
PRESSURE_STATUS = (
    (0, 1, _flag("body_movement", "The body moved during the measurement"), ()),
    (1, 1, _flag("cuff_loose", "The cuff was too loose"), ()),
    (2, 1, _flag("irregular_pulse", "The pulse was irregular"), ()),
    (3, 2, PULSE_RANGE, ("within", "above", "below", "")),
    (5, 1, _flag("position_improper", "The position for the measurement was improper"), ()),
)

_SPO2 = (Threshold(0, "bad"), Threshold(90, "poor"), Threshold(95, "good"))
SPO2 = _optional("spo2_pct", "%", "Oxygen saturation of the blood", 100, 1, _SPO2)
AVERAGES = tuple(
    _optional(f"{name}_{speed}_{suffix}", unit, f"{words}, {speed} average", most, panel=False)
    for speed in ("fast", "slow")
    for name, suffix, unit, words, most in (
        ("spo2", "pct", "%", "SpO2", 100),
        ("pulse_rate", "bpm", "/min", "Pulse", 2045),
    )
)
AMPLITUDE = _optional("pulse_amplitude_pct", "%", "Pulse amplitude index", 2045, 0.1)
PLX_STATUS = Field(
    "measurement_status", "1", "What the oximeter says of the measurement", kind="text", optional=True, panel=False
)
PLX_SENSOR = Field(
    "sensor_status", "1", "What the oximeter says of its sensor", kind="text", optional=True, panel=False
)
PLX_STATUS_WORDS = (
    *("", "", "", "", ""),
    "measurement_ongoing",
    "early_estimate",
    "validated",
    "fully_qualified",
    "from_storage",
    "demonstration",
    "testing",
    "calibration_ongoing",
    "unavailable",
    "questionable",
    "invalid",
)
PLX_SENSOR_WORDS = (
    "display_update_ongoing",
    "equipment_malfunction",
    "signal_processing_irregular",
    "inadequate_signal",
    "poor_signal",
    "low_perfusion",
    "erratic_signal",
    "non_pulsatile_signal",
    "questionable_pulse",
    "signal_analysis_ongoing",
    "sensor_interference",
    "sensor_unconnected_to_user",
    "unknown_sensor",
    "sensor_displaced",
    "sensor_malfunction",
    "sensor_disconnected",
)
OXIMETRY = ("spo2_pct", "pulse_rate_bpm", *(field.name for field in AVERAGES))

TEMPERATURE_C = Field(
    "body_temperature_c", "Cel", "Body temperature", minimum=-50, maximum=150, step=0.01, optional=True
)
TEMPERATURE_F = Field(
    "body_temperature_f",
    "[degF]",
    "Body temperature, of a thermometer that says Fahrenheit",
    minimum=-58,
    maximum=302,
    step=0.01,
    optional=True,
    panel=False,
)
PASSING_C = Field(
    "intermediate_temperature_c",
    "Cel",
    "Temperature while the thermometer still measures",
    minimum=-50,
    maximum=150,
    step=0.01,
    optional=True,
    panel=False,
)
PASSING_F = Field(
    "intermediate_temperature_f",
    "[degF]",
    "Temperature while the thermometer still measures",
    minimum=-58,
    maximum=302,
    step=0.01,
    optional=True,
    panel=False,
)
PLACES = ("armpit", "body", "ear", "finger", "gastrointestinal tract", "mouth", "rectum", "toe", "tympanum")
PLACE = Field(
    "temperature_type", "1", "Where the temperature was taken", kind="state", optional=True, states=PLACES, panel=False
)


def _void_heart(found: Found) -> None:
    if not found.fields.get("heart_rate_bpm") and found.fields.get("sensor_contact") == "NOT_DETECTED":
        found.fields.pop("heart_rate_bpm", None)


def _void_oximetry(found: Found) -> None:
    status = str(found.fields.get("measurement_status", "")).split()
    sensor = str(found.fields.get("sensor_status", "")).split()
    void = "invalid" in status or "unavailable" in status
    loose = "sensor_unconnected_to_user" in sensor or "sensor_disconnected" in sensor
    if not void and not loose:
        return
    found.errors.clear()
    found.beyond.clear()
    for name in OXIMETRY:
        if void or not found.fields.get(name):
            found.fields.pop(name, None)


_USER = Number(USER, 1, absent=(255,), when=(8, 8))
_PULSE_AND_ALL = (Med(PULSE, when=(4, 4)), _USER, Bits(2, PRESSURE_STATUS, when=(16, 16)))
_PRESSURES = (
    *(Med(field, when=(1, 0)) for field in (SYSTOLIC, DIASTOLIC, MEAN)),
    *(Med(field, when=(1, 1)) for field in KPA[:3]),
)
_CUFF = (Med(CUFF, when=(1, 0)), Med(KPA[3], when=(1, 1)), Fill(bytes.fromhex("ff07ff07")))
_STAMP = Clock(when=(2, 2))
_SINCE_2000 = 0x40
_SECONDS = Seconds((2, 2), _SINCE_2000)
_FACING = Seconds((32, 32), _SINCE_2000, taken=False)


def _oximetry(bit: int) -> tuple[Part, ...]:
    """Status, sensor status and amplitude, from flag `bit` on."""
    return (
        Words(PLX_STATUS, 2, PLX_STATUS_WORDS, when=(bit, bit)),
        Words(PLX_SENSOR, 3, PLX_SENSOR_WORDS, when=(2 * bit, 2 * bit)),
        Med(AMPLITUDE, when=(4 * bit, 4 * bit)),
    )


def _thermometer(celsius: Field, fahrenheit: Field) -> tuple[Part, ...]:
    return (
        temperature(celsius, (1, 0)),
        temperature(fahrenheit, (1, 1)),
        _STAMP,
        Bits(1, ((0, 8, PLACE, ("", *PLACES)),), when=(4, 4)),
    )


HEALTH = (
    Characteristic(
        0x2A37,
        "heart_rate_measurement",
        (
            Number(HEART_RATE, 1, when=(1, 0)),
            Number(HEART_RATE, 2, when=(1, 1), least=256),
            InFlags(CONTACT, "NOT_SUPPORTED", when=(4, 0)),
            InFlags(CONTACT, "NOT_DETECTED", when=(6, 4), aside=False),
            InFlags(CONTACT, "DETECTED", when=(6, 6), aside=False),
            Number(ENERGY, 2, when=(8, 8)),
            Intervals(INTERVAL, INTERVALS, when=(16, 16)),
        ),
        flags=1,
        others=2,
        void=_void_heart,
    ),
    Characteristic(0x2A38, "body_sensor_location", (Bits(1, ((0, 8, LOCATION, LOCATION.states),)),)),
    Characteristic(0x2A35, "blood_pressure_measurement", (*_PRESSURES, _STAMP, *_PULSE_AND_ALL), flags=1),
    Characteristic(0x2A36, "intermediate_cuff_pressure", (*_CUFF, _STAMP, *_PULSE_AND_ALL), flags=1),
    Characteristic(
        0x2B34,
        "enhanced_blood_pressure_measurement",
        (*_PRESSURES, _SECONDS, *_PULSE_AND_ALL, _FACING),
        flags=1,
        others=_SINCE_2000,
    ),
    Characteristic(
        0x2B35,
        "enhanced_intermediate_cuff_pressure",
        (*_CUFF, _SECONDS, *_PULSE_AND_ALL, _FACING),
        flags=1,
        others=_SINCE_2000,
    ),
    Characteristic(
        0x2A5E,
        "plx_spot_check_measurement",
        (Med(SPO2), Med(PULSE), Clock(when=(1, 1), unset=16), *_oximetry(2)),
        flags=1,
        others=16,
        void=_void_oximetry,
    ),
    Characteristic(
        0x2A5F,
        "plx_continuous_measurement",
        (
            *(Med(SPO2), Med(PULSE)),
            *(Med(field, when=(1, 1)) for field in AVERAGES[:2]),
            *(Med(field, when=(2, 2)) for field in AVERAGES[2:]),
            *_oximetry(4),
        ),
        flags=1,
        void=_void_oximetry,
    ),
    Characteristic(0x2A1C, "temperature_measurement", _thermometer(TEMPERATURE_C, TEMPERATURE_F), flags=1),
    Characteristic(0x2A1E, "intermediate_temperature", _thermometer(PASSING_C, PASSING_F), flags=1),
    Characteristic(0x2A1D, "temperature_type", (Bits(1, ((0, 8, PLACE, ("", *PLACES)),)),)),
)
"""In the order in which one is taken that says given fields."""
