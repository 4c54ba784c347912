"""BerryMed BM1000 and its variants on USB: five bytes, 100 Hz.

    bit 4 of byte 0: no signal      bit 5 of byte 0: probe unplugged      bit 4 of byte 2: no finger

Frame, special values and limits: family.py. Link: 115200 baud 8N1 over USB; over Bluetooth the same bytes come in
notifications of four frames, through a transparent UART, which is not read here.

Unknown: the rate of the bar graph. Newer firmware may speak a protocol of 20 bytes instead.

Source: BCI Protocol V1.2 (Shanghai Berry Electronic Tech), as read by atick-faisal/berry-oximeter (MIT) and
adafruit/Adafruit_CircuitPython_BLE_BerryMed_Pulse_Oximeter (MIT).
"""

from devices.bci import family as bci
from devices.spec.device import SerialSettings

DEVICE = bci.device(
    "berrymed",
    "BerryMed pulse oximeter (BCI, 5 bytes)",
    SerialSettings(baud=115200),
    100,
    (
        bci.flag("no_signal", "No signal"),
        bci.flag("probe_unplugged", "The probe is unplugged"),
        bci.flag("no_finger", "No finger in the probe"),
    ),
    ("no_signal", "probe_unplugged", "no_finger"),
    "BCI Protocol V1.2; atick-faisal/berry-oximeter (MIT)",
)
