"""The decimal floats of medical devices (IEEE 11073): FLOAT in 4 bytes, SFLOAT in 2.

Bluetooth calls them medfloat32 and medfloat16.

            exponent            mantissa            little-endian as Bluetooth sends them
    FLOAT   8 bits, top byte    24 bits             01 FE 03 FC   261633 * 10^-4 = 26.1633
    SFLOAT  4 bits, top         12 bits             78 00         120 * 10^0 = 120

    value = mantissa * 10^exponent, both two's complement

With an exponent of 0 five mantissas are no numbers, here for SFLOAT (FLOAT alike, with 24 bits):

    7FF  NaN, no value      800  NRes, not at this resolution      7FE  +INFINITY     802  -INFINITY
    801  reserved

The same mantissas with another exponent are numbers: F7 FF would be 204.7.

The value is decimal, and becomes the double that is nearest to it: 299.9, where 2999 times 0.1 is
299.90000000000003. `shift` moves the decimal point before that, so that kg/m3 become ug/m3 as exactly.

`pack` finds the mantissa and exponent that say a value exactly, the exponent as near to 0 as may be, as devices choose
it; where none says it exactly, the nearest. With `exponent` it is given.

Limits: FLOAT says up to 8388605 * 10^127, SFLOAT up to 2047 * 10^7, and no finer than 10^-128 and 10^-8.

Source: IEEE 11073-20601 (2019), annex F.8; Bluetooth SIG, Personal Health Devices Transcoding White Paper, 2.2.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cached_property
from math import isfinite

from devices.spec.errors import EncodeError


class Special(Enum):
    """What a float says that is no number; the value is the words for it."""

    NAN = "NaN: there is no value"
    NRES = "NRes: the value cannot be said at this resolution"
    POSITIVE = "+INFINITY: the value is above what can be said"
    NEGATIVE = "-INFINITY: the value is below what can be said"
    RESERVED = "a reserved value"


@dataclass(frozen=True)
class MedFloat:
    """One of the two formats: `size` bytes, the low `mantissa` bits of them the mantissa."""

    name: str
    size: int
    mantissa: int

    @cached_property
    def specials(self) -> dict[int, Special]:
        """Mantissas that, with exponent 0, are no numbers."""
        top = 1 << self.mantissa - 1
        return {
            top - 1: Special.NAN,
            -top: Special.NRES,
            top - 2: Special.POSITIVE,
            2 - top: Special.NEGATIVE,
            1 - top: Special.RESERVED,
        }

    def unpack(self, data: bytes, shift: int = 0) -> float | Special:
        """The value in the first bytes of `data`, times 10^shift."""
        raw = int.from_bytes(data[: self.size], "little", signed=True)
        exponent = raw >> self.mantissa
        mantissa = raw - (exponent << self.mantissa)
        if mantissa >> self.mantissa - 1:
            mantissa -= 1 << self.mantissa
        if exponent == 0:
            special = self.specials.get(mantissa)
            if special is not None:
                return special
        return float(f"{mantissa}e{exponent + shift}")

    def pack(self, value: float | Special, exponent: int | None = None, shift: int = 0) -> bytes:
        """The bytes of a value, which is 10^shift times what they say. EncodeError where it is beyond the format."""
        if isinstance(value, Special):
            found = next(mantissa for mantissa, special in self.specials.items() if special is value)
            return self._bytes(found, 0)
        if not isfinite(value):
            raise EncodeError(f"{self.name}: {value} is not a number; the format has words of its own for what is none")
        number = Decimal(repr(value)).scaleb(-shift)
        best: tuple[Decimal, int, int] | None = None
        for power in self._exponents if exponent is None else (exponent,):
            mantissa = round(number.scaleb(-power))
            if self._says(mantissa, power):
                wrong = abs(number - mantissa * Decimal(10) ** power)
                if best is None or wrong < best[0]:
                    best = wrong, mantissa, power
                if not wrong:
                    break
        if best is None or (not best[1] and number):
            raise EncodeError(f"{self.name}: {value:g} is beyond what {self.size} bytes can say")
        return self._bytes(best[1], best[2])

    @cached_property
    def _exponents(self) -> tuple[int, ...]:
        """Every exponent: 0, then those that a value with decimals needs, then those of large ones."""
        top = 1 << 8 * self.size - self.mantissa - 1
        return (0, *range(-1, -top - 1, -1), *range(1, top))

    def _says(self, mantissa: int, exponent: int) -> bool:
        top = 1 << self.mantissa - 1
        return -top <= mantissa < top and not (exponent == 0 and mantissa in self.specials)

    def _bytes(self, mantissa: int, exponent: int) -> bytes:
        raw = (exponent << self.mantissa) + (mantissa & (1 << self.mantissa) - 1)
        return raw.to_bytes(self.size, "little", signed=True)


FLOAT = MedFloat("FLOAT", 4, 24)
SFLOAT = MedFloat("SFLOAT", 2, 12)
