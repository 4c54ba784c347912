"""Soil probe "7 in 1" (CWT-Soil-NPKPHCTH and others with its registers), Modbus RTU, holding registers (function 3).

    0 moisture 0.1 %   1 temperature i16 0.1 degC   2 conductivity uS/cm   3 pH 0.1   4 N   5 P   6 K, mg/kg

RS-485, 4800 baud 8N1 as delivered (some 9600), unit 1. Probes with fewer electrodes have the
first registers of the same map and refuse the rest.

Limits: temperature -40..80 degC, conductivity 0..20,000 uS/cm, pH 3..9. N, P and K are computed from
the conductivity by the probe: indications, not measurements. In the air moisture is 0 and pH means nothing.
Source: ComWinTop CWT-SOIL series manual; DFRobot SEN0604 (same registers 0..3), communication protocol.
"""

from devices.modbus import rtu
from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.field import Field
from devices.spec.register import Register
from devices.spec.sequence import Bits, Sequence

MOISTURE = Field("soil_moisture_pct", "%", "Volumetric water content of the soil", minimum=0, maximum=100, step=0.1)
TEMPERATURE = Field(
    "soil_temperature_c", "Cel", "Temperature of the soil", minimum=-45, maximum=115, step=0.1, optional=True
)
CONDUCTIVITY = Field(
    "soil_conductivity_us_cm", "uS/cm", "Electrical conductivity of the soil", minimum=0, maximum=20000, step=1
)
PH = Field("soil_ph", "[pH]", "Acidity of the soil", minimum=0, maximum=14, step=0.1, optional=True)
NITROGEN, PHOSPHORUS, POTASSIUM = (
    Field(
        f"{name}_mg_kg",
        "mg/kg",
        f"{name.capitalize()}, computed from the conductivity: an indication",
        minimum=0,
        maximum=9999,
        step=1,
        optional=True,
    )
    for name in ("nitrogen", "phosphorus", "potassium")
)

REGISTERS = (
    Register(0, MOISTURE, scale=0.1),
    Register(1, TEMPERATURE, "i16", scale=0.1),
    Register(2, CONDUCTIVITY),
    Register(3, PH, scale=0.1),
    Register(4, NITROGEN),
    Register(5, PHOSPHORUS),
    Register(6, POTASSIUM),
)

DEVICE = PolledDevice(
    name="soil-7in1",
    title="Soil probe 7 in 1 (RS-485)",
    domain="park",
    source="ComWinTop CWT-SOIL series manual; DFRobot SEN0604, communication protocol",
    fields=(MOISTURE, TEMPERATURE, CONDUCTIVITY, PH, NITROGEN, PHOSPHORUS, POTASSIUM),
    expected_every_s=30.0,
    sequence=Sequence((Bits.of(CONDUCTIVITY, 6),)),
    serial=SerialSettings(baud=4800),
    questions=rtu.questions(REGISTERS, 3),
    timing=rtu.TIMING,
    units=rtu.UNITS,
    unit=1,
)
