"""Characteristics of scales and glucose meters.

    2A9D weight             flags | u16 | clock | user | body mass index u16, height u16
    2A9C body composition   flags u16 | fat u16, 0.1 % | clock | user | metabolism u16, kJ | muscle u16, 0.1 %
                            | muscle, fat free, soft lean, water, each a mass u16 | impedance u16, 0.1 Ohm
                            | weight u16 | height u16
    2A18 glucose            flags | sequence u16 | clock | minutes later i16 | SFLOAT, type and place u8 | status u16

Masses are 0.005 kg or 0.01 lb, heights 0.001 m or 0.1 in, as flag 0 says; each unit has a field of its own, and
`measurement_units`, `weight_unit`, `height_unit`, `muscle_mass_unit` name it in the words of bluetooth-sig.
`FFFF` for the weight of 2A9D or the share of fat is a measurement that failed. Glucose is kg/L or mol/L on the
wire, and is stored as meters show it: mg/dL and mmol/L. Its time is the clock and the minutes behind it.

Unknown: a body composition may come in two packets (flag 12); each is a reading of its own here.

Sources: Bluetooth SIG, GATT Specification Supplement (2026); Weight Scale Service 1.0, Body Composition Service 1.0.
"""

from devices.ble_gatt.bits import Bits, InFlags, Words
from devices.ble_gatt.characteristic import Characteristic
from devices.ble_gatt.clocks import Clock, Minutes
from devices.ble_gatt.health import USER
from devices.ble_gatt.parts import Med, Number, Part
from devices.spec.field import Field

FAILED = (0xFFFF,)


def _measure(name: str, unit: str, words: str, step: float, most: float, panel: bool = False) -> Field:
    return Field(name, unit, words, minimum=0, maximum=most, step=step, optional=True, panel=panel)


def _mass(stem: str, words: str, panel: bool = False) -> tuple[Field, Field]:
    """Of scales in kg, and of scales in lb."""
    return (
        _measure(f"{stem}_kg", "kg", words, 0.005, 327.67, panel),
        _measure(f"{stem}_lb", "[lb_av]", f"{words}, of a scale that says pounds", 0.01, 655.34),
    )


WEIGHT = _mass("weight", "Body weight", panel=True)
HEIGHT = (
    _measure("height_m", "m", "Body height", 0.001, 65.535),
    _measure("height_in", "[in_i]", "Body height, of a scale that says inches", 0.1, 6553.5),
)
BMI = _measure("body_mass_index_kg_m2", "kg/m2", "Body mass index", 0.1, 6553.5)
FAT = _measure("body_fat_pct", "%", "Share of fat in the body", 0.1, 100, panel=True)
METABOLISM = _measure("basal_metabolism_kj", "kJ", "Basal metabolism", 1, 65535)
MUSCLE = _measure("muscle_pct", "%", "Share of muscle in the body", 0.1, 100)
MASSES = (
    _mass("muscle_mass", "Mass of the muscles"),
    _mass("fat_free_mass", "Mass of the body without fat"),
    _mass("soft_lean_mass", "Mass of the body without fat and bones"),
    _mass("body_water_mass", "Mass of the water in the body"),
)
IMPEDANCE = _measure("impedance_ohm", "Ohm", "Electrical impedance of the body", 0.1, 6553.5)


def _unit(name: str, words: str, *states: str) -> Field:
    return Field(name, "1", words, kind="state", optional=True, states=states, panel=False)


UNITS = _unit("measurement_units", "The units that the scale speaks", "METRIC", "IMPERIAL")
WEIGHT_UNIT = _unit("weight_unit", "What the weight is in", "KG", "LB")
HEIGHT_UNIT = _unit("height_unit", "What the height is in", "METERS", "INCHES")
MUSCLE_UNIT = _unit("muscle_mass_unit", "What the mass of the muscles is in", "KG", "LB")

SEQUENCE = Field(
    "sequence_number",
    "1",
    "Number of the record in the glucose meter",
    kind="counter",
    minimum=0,
    maximum=65535,
    step=1,
    optional=True,
    panel=False,
)
GLUCOSE_MG = _measure("glucose_mg_dl", "mg/dL", "Glucose", 1, 2e5, panel=True)
GLUCOSE_MMOL = _measure("glucose_mmol_l", "mmol/L", "Glucose, of a meter that says mol/L", 0.1, 1e4)
FLUIDS = (
    "capillary whole blood",
    "capillary plasma",
    "venous whole blood",
    "venous plasma",
    "arterial whole blood",
    "arterial plasma",
    "undetermined whole blood",
    "undetermined plasma",
    "interstitial fluid",
    "control solution",
)
FLUID = Field("glucose_type", "1", "What was measured", kind="state", optional=True, states=FLUIDS, panel=False)
SITES = ("finger", "alternate site", "earlobe", "control solution")
SITE = Field("sample_location", "1", "Where it was taken", kind="state", optional=True, states=SITES, panel=False)
METER_STATUS = Field("meter_status", "1", "What the meter says of itself", kind="text", optional=True, panel=False)
METER_WORDS = (
    "battery_low",
    "sensor_malfunction",
    "sample_insufficient",
    "strip_insertion_error",
    "strip_type_incorrect",
    "result_too_high",
    "result_too_low",
    "temperature_too_high",
    "temperature_too_low",
    "read_interrupted",
    "device_fault",
    "time_fault",
)


def _units(fields: tuple[Field, Field], divisors: tuple[int, int], bit: int, failed: bool = False) -> tuple[Part, ...]:
    """A quantity in its two units, there where flag `bit` is set (0: always)."""
    absent = FAILED if failed else ()
    return tuple(
        Number(field, 2, divisor, absent=absent, when=(1 | bit, unit | bit))
        for unit, (field, divisor) in enumerate(zip(fields, divisors, strict=True))
    )


def _named(field: Field, bit: int = 0) -> tuple[Part, ...]:
    """The word for the unit of what is there where flag `bit` is set (0: always)."""
    return tuple(InFlags(field, word, when=(1 | bit, unit | bit)) for unit, word in enumerate(field.states))


_MASS, _HEIGHT = (200, 100), (1000, 10)

BODY = (
    Characteristic(
        0x2A9D,
        "weight_measurement",
        (
            *_units(WEIGHT, _MASS, 0, failed=True),
            Clock(when=(2, 2)),
            Number(USER, 1, absent=(255,), when=(4, 4)),
            Number(BMI, 2, 10, when=(8, 8)),
            *_units(HEIGHT, _HEIGHT, 8),
            *_named(UNITS),
            *_named(WEIGHT_UNIT),
            *_named(HEIGHT_UNIT, 8),
        ),
        flags=1,
    ),
    Characteristic(
        0x2A9C,
        "body_composition_measurement",
        (
            Number(FAT, 2, 10, absent=FAILED),
            Clock(when=(2, 2)),
            Number(USER, 1, absent=(255,), when=(4, 4)),
            Number(METABOLISM, 2, when=(8, 8)),
            Number(MUSCLE, 2, 10, when=(16, 16)),
            *(part for place, fields in enumerate(MASSES) for part in _units(fields, _MASS, 32 << place)),
            Number(IMPEDANCE, 2, 10, when=(512, 512)),
            *_units(WEIGHT, _MASS, 1024),
            *_units(HEIGHT, _HEIGHT, 2048),
            *_named(UNITS),
            *_named(MUSCLE_UNIT, 32),
        ),
        flags=2,
        others=4096,
    ),
    Characteristic(
        0x2A18,
        "glucose_measurement",
        (
            Number(SEQUENCE, 2),
            Clock(),
            Minutes(when=(1, 1)),
            Med(GLUCOSE_MG, shift=5, when=(6, 2)),
            Med(GLUCOSE_MMOL, shift=3, when=(6, 6)),
            Bits(
                1, ((0, 4, FLUID, ("", *FLUIDS)), (4, 4, SITE, ("", *SITES, *[""] * 10, "not available"))), when=(2, 2)
            ),
            Words(METER_STATUS, 2, METER_WORDS, when=(8, 8)),
        ),
        flags=1,
        others=16,
    ),
)
