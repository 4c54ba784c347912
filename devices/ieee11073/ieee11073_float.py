"""One IEEE 11073 FLOAT a payload: 4 bytes, 24 bits of mantissa. Format and limits: family.py, spec/medfloat.py."""

from devices.ieee11073 import family
from devices.spec.medfloat import FLOAT

DEVICE = family.device("ieee11073-float", "IEEE 11073 FLOAT, 4 bytes", "float", FLOAT)
