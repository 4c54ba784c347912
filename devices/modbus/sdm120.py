"""Eastron SDM120: energy meter for one phase, Modbus RTU, input registers (function 4).

    0 V   6 A   12 W   18 VA   30 power factor   70 Hz   72 kWh imported   74 kWh exported   342 kWh in all

All are f32, high word first, in three questions; the registers between are read along. Power is
negative while energy is exported. RS-485, 2400 baud 8N1 as delivered (menu: up to 9600), unit 1.

Limits: 45 A, 100 A at the most for a moment; at most 80 registers a question. The meter renews its
values about once a second; an answer at 2400 baud takes 0.3 s.
Source: Eastron SDM120 Modbus protocol V2.4; Smart Meter Modbus protocol implementation.
"""

from devices.modbus import rtu
from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.field import Field
from devices.spec.polled import Timing
from devices.spec.register import Register
from devices.spec.sequence import Bits, Sequence

VOLTAGE = Field("voltage_v", "V", "Voltage between line and neutral", minimum=0, maximum=300, step=0.01)
CURRENT = Field("current_a", "A", "Current", minimum=0, maximum=120, step=0.001)
POWER = Field("power_w", "W", "Active power, negative while exporting", minimum=-30000, maximum=30000, step=0.1)
APPARENT = Field(
    "apparent_power_va",
    "V.A",
    "Apparent power, with the sign of the active power",
    minimum=-30000,
    maximum=30000,
    step=0.1,
)
FACTOR = Field(
    "power_factor", "1", "Active over apparent power, with its sign", minimum=-1.01, maximum=1.01, step=0.001
)
FREQUENCY = Field("mains_frequency_hz", "Hz", "Frequency of the mains", minimum=0, maximum=70, step=0.01, optional=True)
IMPORTED = Field(
    "energy_import_kwh", "kW.h", "Active energy taken from the mains", minimum=0, maximum=100000, step=0.01
)
EXPORTED = Field("energy_export_kwh", "kW.h", "Active energy given to the mains", minimum=0, maximum=100000, step=0.01)
TOTAL = Field("energy_kwh", "kW.h", "Active energy imported and exported", minimum=0, maximum=100000, step=0.01)

REGISTERS = (
    Register(0, VOLTAGE, "f32"),
    Register(6, CURRENT, "f32"),
    Register(12, POWER, "f32"),
    Register(18, APPARENT, "f32"),
    Register(30, FACTOR, "f32"),
    Register(70, FREQUENCY, "f32"),
    Register(72, IMPORTED, "f32"),
    Register(74, EXPORTED, "f32"),
    Register(342, TOTAL, "f32"),
)

DEVICE = PolledDevice(
    name="sdm120",
    title="Eastron SDM120 energy meter",
    domain="park",
    source="Eastron SDM120 Modbus protocol V2.4",
    fields=(VOLTAGE, CURRENT, POWER, APPARENT, FACTOR, FREQUENCY, IMPORTED, EXPORTED, TOTAL),
    expected_every_s=10.0,
    sequence=Sequence((Bits.of(VOLTAGE, 6),)),
    serial=SerialSettings(baud=2400),
    questions=rtu.questions(REGISTERS, 4, most=80, gap=10),
    timing=Timing(timeout_s=1.0, silence_s=0.06, late_s=1.0),
    units=rtu.UNITS,
    unit=1,
)
