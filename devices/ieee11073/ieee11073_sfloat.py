"""One IEEE 11073 SFLOAT a payload: 2 bytes, 12 bits of mantissa. Format and limits: family.py, spec/medfloat.py."""

from devices.ieee11073 import family
from devices.spec.medfloat import SFLOAT

DEVICE = family.device("ieee11073-sfloat", "IEEE 11073 SFLOAT, 2 bytes", "sfloat", SFLOAT)
