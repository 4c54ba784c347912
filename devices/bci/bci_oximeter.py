"""Contec CMS50D+ before firmware 4.6, and CMS50E: five bytes, 60 Hz.

    bit 4 of byte 0: finger out      bit 5 of byte 0: SpO2 dropping      bit 4 of byte 2: probe error

Frame, special values and limits: family.py. Link: 19200 baud 8O1. Firmware 4.6 and later of the CMS50D+ speaks
another protocol at 115200 baud: contec_v7.py. What such an oximeter has stored: contec_recorded.py.

Source: atbrask/CMS50Dplus (BSD-2-Clause).
"""

from devices.bci import family as bci
from devices.spec.device import SerialSettings

DEVICE = bci.device(
    "bci-oximeter",
    "Pulse oximeter (BCI, 5 bytes)",
    SerialSettings(baud=19200, parity="O"),
    60,
    bci.CONTEC_FLAGS,
    ("finger_out", "probe_error"),
    "atbrask/CMS50Dplus (BSD-2-Clause), atick-faisal/berry-oximeter (MIT)",
)
