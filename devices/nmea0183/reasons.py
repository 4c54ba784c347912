"""Why an item of an NMEA sentence cannot be read: what the compiled readers of the rows raise."""

from devices.nmea0183.fields import LIMITS


def outside(name: str, text: str) -> ValueError:
    low, high = LIMITS[name]
    return ValueError(f"{name} {text} is outside {low}..{high}")


def other_unit(name: str, unit: str, expected: str) -> ValueError:
    return ValueError(f"{name}: unit {unit!r}, expected {expected!r}")


def other_letter(name: str, text: str, letters: str) -> ValueError:
    return ValueError(f"{name}: {text!r}, expected one of {', '.join(letters)}")


def other_side(name: str, side: str, letters: str) -> ValueError:
    return ValueError(f"{name}: side {side!r}, expected {letters[0]} or {letters[1]}")


def no_angle(name: str, text: str, limit: int) -> ValueError:
    if 0.0 <= float(text) <= 100 * limit:
        return ValueError(f"{name}: {text} has 60 minutes or more")
    return ValueError(f"{name}: {text} is not ddmm.mmmm up to {limit} degrees")


class NothingSaid(Exception):
    """A whole sentence that has no value in it: nothing is wrong with it."""


class HalfPosition(ValueError):
    """A latitude or longitude without its letter, or without the other one."""


def no_letter(name: str, text: str, letters: str) -> HalfPosition:
    return HalfPosition(f"{name}: {text} without {letters[0]} or {letters[1]} says no place")


def half_position(name: str, text: str) -> HalfPosition:
    return HalfPosition(f"{name}: {text} alone is no position")


REASONS = {
    made.__name__: made for made in (outside, other_unit, other_letter, other_side, no_angle, no_letter, half_position)
}
