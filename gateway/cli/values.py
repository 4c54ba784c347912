"""Names and values of fields as people read them in a terminal."""

import re

from devices.spec.device import Device
from devices.spec.events import Value
from devices.spec.units import UNITS

PLACE = ("latitude_deg", "longitude_deg")

_DECIMAL = re.compile(r"(?<=\d)_(?=\d)")


def value_text(device: Device, name: str, value: Value) -> str:
    """`21.5 °C`, by the field's unit and step."""
    field = next((field for field in device.fields if field.name == name), None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    places = 1 if abs(value) < 1000 else 0
    if name in PLACE:
        places = 5
    elif field is not None and value.is_integer() and (field.step or 1.0 if field.unit == "1" else field.step) == 1.0:
        places = 0  # counted, or said in whole steps
    symbol = UNITS[field.unit].symbol if field is not None else ""
    return f"{value:.{places}f} {symbol}".rstrip()


def short(name: str, device: Device) -> str:
    """A field's name without the ending that its unit already says: `pm2_5_ug_m3` is `pm2.5`."""
    field = next((field for field in device.fields if field.name == name), None)
    suffix = UNITS[field.unit].suffix if field is not None else ""
    plain = name.removesuffix("_" + suffix) if suffix else name
    return _DECIMAL.sub(".", plain).replace("_", " ")
