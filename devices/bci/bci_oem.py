"""BCI boards and modules that other makers build in: five bytes, 60 Hz, at the original speed.

    bit 4 of byte 0: searching for too long      bit 5 of byte 0: SpO2 dropping      bit 4 of byte 2: sensor error

The flags carry the names of Contec's, which are the same bits. Frame, special values and limits: family.py.
Link: 4800 baud 8N1, as Setocare ST-T130 and modules without a name speak. Their signal strength ends at 8.

Source: gagistech/bedsidemon, protocol of the Setocare ST-T130-U01; a translated module manual (picbasic.co.uk, 2008).
"""

from devices.bci import family as bci
from devices.spec.device import SerialSettings

DEVICE = bci.device(
    "bci-oem",
    "Pulse oximeter module (BCI, 5 bytes, 4800 baud)",
    SerialSettings(baud=4800),
    60,
    bci.CONTEC_FLAGS,
    ("finger_out", "probe_error"),
    "gagistech/bedsidemon, protocol of the Setocare ST-T130-U01",
)
