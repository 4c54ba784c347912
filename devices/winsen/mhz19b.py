"""Winsen MH-Z19B: CO2 sensor, asked and answering in 9 bytes: family.py.

    request  FF 01 86 00 00 00 00 00 79
    answer   FF 86 | CO2 u16, ppm | temperature + 40, degC | status | u16 | check

While it starts, and only then, bytes 6..7 say 15000: no measurement. During the three minutes of preheating
after that it gives values like any other (many clones a flat 400, 410 or 500), which cannot be told from
measurements.

    command  as in family.py, and
             FF 01 88 | ppm u16, then 0  | check            the air around it is of so many ppm
             FF 01 99 | 0 0 0 | ppm u16  | check            range

Limits: 0..5000 ppm (0..10,000 in some ranges).
Source: Winsen MH-Z19B user manual V1.0 (2016); captures of PyPMS (MIT); the status bytes and the range
command as in ESPEasy P049 and revspace.nl/MHZ19.
"""

from devices.spec.command import Argument, PolledCommand, framed
from devices.spec.field import Field
from devices.spec.payload import Item, Payload
from devices.winsen import family as winsen

SPAN = Field("span_ppm", "[ppm]", "What the air around it has had for 20 minutes", minimum=1000, maximum=5000, step=1)
RANGE = Field("range_ppm", "[ppm]", "End of the range", minimum=1000, maximum=10000, step=1)
_TO_SPAN = framed(b"\xff\1\x88", Payload(">", 3, (Item("H", SPAN), Item("B"), Item("H"))), winsen.CHECK)
_TO_RANGE = framed(b"\xff\1\x99", Payload(">", 3, (Item("B"), Item("H"), Item("H", RANGE))), winsen.CHECK)

COMMANDS = (
    *winsen.CALIBRATION,
    PolledCommand(
        name="calibrate-span",
        description="Take the air around it as so many ppm, after the zero",
        arguments=(Argument(SPAN),),
        answers="maybe",
        steps=(winsen.step(0x88, _TO_SPAN),),
    ),
    PolledCommand(
        name="range",
        description="Measure up to so many ppm (2000, 5000, some sensors 10000)",
        arguments=(Argument(RANGE),),
        answers="maybe",
        steps=(winsen.step(0x99, _TO_RANGE),),
    ),
)

DEVICE = winsen.sensor(
    "mhz19b",
    "Winsen MH-Z19B CO2 sensor",
    "Winsen MH-Z19B user manual V1.0 (2016); captures of PyPMS (MIT)",
    COMMANDS,
)
