"""Winsen MH-Z19C: CO2 sensor, the follower of the MH-Z19B; the question and the answer are the same: family.py.

    request  FF 01 86 00 00 00 00 00 79
    answer   FF 86 | CO2 u16, ppm | temperature + 40, degC | 0 | counter u8 | 0 | check

What differs: it never says less than about 400 ppm, preheats one minute, and says a flat 500 meanwhile (which
cannot be told from a measurement). Byte 6 counts each 10 minutes since the last self-calibration. It has no
command for span and range.

Limits: 400..5000 ppm, of some 400..10,000. Unknown: whether all firmware has the temperature; where the byte is
0 there is none.
Source: Winsen MH-Z19C user manual V1.2 (2021); bytes 4 and 6 as ArminJo/MH-Z19 observed them in firmware 5.12.
"""

from devices.winsen import family as winsen

DEVICE = winsen.sensor(
    "mhz19c",
    "Winsen MH-Z19C CO2 sensor",
    "Winsen MH-Z19C user manual V1.2 (2021)",
    winsen.CALIBRATION,
)
