"""Sensirion SCD30: CO2, temperature and humidity over Modbus RTU, holding registers (function 3).

    27        1 where there is a measurement that was not read yet
    28..2D    CO2 in ppm, temperature in degC, relative humidity in %: f32, high word first

19200 baud, 8N1, unit 61 (97; it cannot be changed), TTL of 3 V; the pin SEL at the supply selects Modbus. It
measures by itself, every 2 s as delivered, and goes on after a loss of power. All three are 0 before the first
measurement, and the first CO2 is 0; CO2 is no number where the sensor has none: then it is absent. Where nothing new
was measured it says the last values again: `data_ready_flag` is false then, as for ever where it was stopped.

    25 u16    seconds between two measurements, 2..1800
    34        1: start anew
    36 u16    measure, at an air pressure in mbar, 700..1400, 0 where it is not known
    37        1: measure no more
    38 u16    altitude in m, used where the pressure is not known
    39 u16    ppm of the air around it, 400..2000: forced recalibration
    3A u16    self-calibration, 1 on, 0 off: needs 7 days, an hour of fresh air in each
    3B u16    0.01 degC by which the temperature is too high

All but the last readings are kept without power. A value that was written is read back.

Limits: 400..10,000 ppm by the data sheet, 0..40,000 on the wire; temperature of its element (SHT31) -45..130 degC.
Pauses of up to 150 ms for its own calibration, once a day.
Source: Sensirion SCD30 interface description 1.0 (May 2020), 1.2 and 1.4.
"""

from dataclasses import replace

from devices.modbus import rtu
from devices.modbus.write import written
from devices.particulate import CO2_LEVELS
from devices.spec.command import Argument, Heard, PolledCommand, Request, Step
from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.events import Empty, Reading
from devices.spec.field import Field
from devices.spec.polled import Answer, Question, Verdict
from devices.spec.register import Register
from devices.spec.sequence import Bits, Sequence

CO2 = Field(
    "co2_ppm",
    "[ppm]",
    "Carbon dioxide",
    minimum=1,
    maximum=40000,
    step=0.01,
    optional=True,
    thresholds=CO2_LEVELS,
)
TEMPERATURE = Field(
    "temperature_c", "Cel", "Temperature at the sensor", minimum=-45, maximum=130, step=0.01, optional=True
)
HUMIDITY = Field("humidity_pct", "%", "Relative humidity", minimum=0, maximum=100, step=0.01, optional=True)
READY = Field(
    "data_ready_flag",
    "1",
    "There was a measurement that had not been read yet",
    kind="flag",
    optional=True,
    panel=False,
)

MEASURED = (
    Register(0x28, CO2, "f32", absent=(0,)),
    Register(0x2A, TEMPERATURE, "f32"),
    Register(0x2C, HUMIDITY, "f32"),
)
WARMING_UP = "nothing measured yet: every value is zero"


def _measured() -> Question:
    """The question for the values; zero throughout is none."""
    (question,) = rtu.questions(MEASURED, 3)

    def judge(unit: int, data: bytes) -> Verdict:
        verdict = question.judge(unit, data)
        if isinstance(verdict, Answer) and isinstance(verdict.event, Reading) and not any(data[3 : question.size - 2]):
            return Answer(verdict.size, Empty(WARMING_UP, data[: verdict.size]))
        return verdict

    return replace(question, judge=judge)


def _fixed(address: int) -> Step:
    """A 1 that is written to `address`, where nothing is to be read back."""
    field = Field("one", "1", "Always 1", minimum=1, maximum=1.5, step=1)
    inner = written(Register(address, field))[0]
    one = {field.name: 1.0}

    def parse(heard: Heard | None) -> Heard | None:
        return None if heard is None else Heard(heard.size, {})

    return Step(
        request=Request(
            lambda _arguments, to: inner.request.pack(one, to),
            lambda data, to: parse(inner.request.parse(data, to)),
        ),
        judge=lambda _arguments, unit, data: inner.judge(one, unit, data),
        answer=lambda _arguments, unit: inner.answer(one, unit),
        size=inner.size,
    )


INTERVAL = Field("interval_s", "s", "Time between two measurements", minimum=2, maximum=1800, step=1)
PRESSURE = Field("pressure_hpa", "hPa", "Pressure of the air, 0 where it is not known", minimum=0, maximum=1400, step=1)
ALTITUDE = Field("altitude_m", "m", "Altitude above the sea", minimum=0, maximum=65535, step=1)
SPAN = Field("span_ppm", "[ppm]", "What the air around it has had for two minutes", minimum=400, maximum=2000, step=1)
OFFSET = Field("offset_k", "K", "What it says too much, by its own heat", minimum=0, maximum=655.35, step=0.01)
SELF_CALIBRATION = Field("on", "1", "Take the least of some days as fresh air", kind="flag")

COMMANDS = (
    PolledCommand(
        name="interval",
        description="Measure every so many seconds",
        arguments=(Argument(INTERVAL),),
        steps=written(Register(0x25, INTERVAL)),
    ),
    PolledCommand(
        name="start",
        description="Measure, also after a loss of power, at this pressure",
        arguments=(Argument(PRESSURE, default=0.0),),
        steps=written(Register(0x36, PRESSURE))[:1],
    ),
    PolledCommand(name="stop", description="Measure no more, also after a loss of power", steps=(_fixed(0x37),)),
    PolledCommand(
        name="altitude",
        description="Say how high it is, where no pressure was said",
        arguments=(Argument(ALTITUDE),),
        steps=written(Register(0x38, ALTITUDE)),
    ),
    PolledCommand(
        name="calibrate",
        description="Take the air around it as so many ppm",
        arguments=(Argument(SPAN),),
        steps=written(Register(0x39, SPAN)),
    ),
    PolledCommand(
        name="self-calibration",
        description="Let it find fresh air by itself: where there is an hour of it each day",
        arguments=(Argument(SELF_CALIBRATION),),
        steps=written(Register(0x3A, SELF_CALIBRATION)),
    ),
    PolledCommand(
        name="temperature-offset",
        description="Take so much off the temperature",
        arguments=(Argument(OFFSET),),
        steps=written(Register(0x3B, OFFSET, scale=0.01)),
    ),
    PolledCommand(name="restart", description="Start anew, as after power on", steps=(_fixed(0x34),)),
)

DEVICE = PolledDevice(
    name="scd30",
    title="Sensirion SCD30 CO2, temperature and humidity sensor (Modbus)",
    domain="air",
    source="Sensirion SCD30 interface description 1.0 (May 2020)",
    fields=(CO2, TEMPERATURE, HUMIDITY, READY),
    expected_every_s=10.0,
    sequence=Sequence((Bits.of(TEMPERATURE, 4), Bits.of(HUMIDITY, 4))),
    serial=SerialSettings(baud=19200),
    questions=(*rtu.questions((Register(0x27, READY),), 3), _measured()),
    timing=rtu.TIMING,
    units=rtu.UNITS,
    unit=0x61,
    commands=COMMANDS,
)
