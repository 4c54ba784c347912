"""The board of one device type, made from its description alone.

A field becomes: measure or counter, a line; state or flag, a timeline; text, a column. Fields
with `panel=False` are left to the table of the latest values' neighbours. A type with open
fields shows its newest readings whole, since not every field is known beforehand.
"""

import re

from dashboards.board import Heading, Slot, board, thing_variables
from dashboards.overrides import column, override
from dashboards.panels import Json, Look, state_timeline, table, text, timeseries
from dashboards.queries import latest, newest_rows, quoted, states, trend
from devices.spec.device import DeviceType
from devices.spec.field import Field
from devices.spec.units import UNITS

MAX_COLUMNS = 12
WRITTEN = {
    "spo2": "SpO2",
    "co2": "CO2",
    "no2": "NO2",
    "o3": "O3",
    "cf1": "(CF=1)",
    "gps": "GPS",
    "hdop": "HDOP",
    "vdop": "VDOP",
    "pdop": "PDOP",
    "snr": "SNR",
    "rssi": "RSSI",
    "id": "ID",
    "fcnt": "frame counter",
    "avg": "average",
    "pm": "PM",
    "uv": "UV",
    "utc": "UTC",
    "rh": "RH",
    "ec": "EC",
    "ph": "pH",
}
_MICRONS = re.compile(r"(?<=_)(\d+)(?:_(\d))?um(?![a-z])")
_SIZE = re.compile(r"(?<![a-z0-9])pm(\d+)(?:_(\d))?(?![0-9])")
NOT_MEDICAL = (
    "Testbed data, not for clinical use. Not a medical device: for demonstration and research only, never for "
    "diagnosis or alarms."
)


def uid(device_name: str) -> str:
    """The uid of a device type's board, stable over versions."""
    return f"parkgate-device-{device_name}"


def label(field: Field) -> str:
    """A field's name for people: without the unit suffix; `pm2_5_ug_m3` reads "PM2.5"."""
    suffix = UNITS[field.unit].suffix
    stem = field.name.removesuffix("_" + suffix) if suffix else field.name
    stem = _SIZE.sub(lambda found: f"PM{found[1]}" + (f".{found[2]}" if found[2] else ""), stem)
    stem = _MICRONS.sub(lambda found: found[1] + (f".{found[2]}" if found[2] else "") + " µm", stem)
    words = [WRITTEN.get(word, word) for word in stem.split("_") if word]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def labels(fields: tuple[Field, ...]) -> dict[str, str]:
    """Field name to label, with the unit's symbol behind labels that would be equal."""
    out: dict[str, str] = {}
    plain = [label(field) for field in fields]
    for field, words in zip(fields, plain, strict=True):
        symbol = UNITS[field.unit].symbol
        out[field.name] = f"{words} ({symbol})" if plain.count(words) > 1 and symbol else words
    return out


def describe(field: Field) -> str:
    """The text behind a panel's "i": description and the range the device can say."""
    symbol = UNITS[field.unit].symbol
    sentence = field.description.rstrip(".") + "."
    if field.minimum is None or field.maximum is None:
        return sentence
    return f"{sentence} The device can say {field.minimum:g} to {field.maximum:g}{' ' + symbol if symbol else ''}."


def field_panel(device: DeviceType, field: Field, title: str) -> Slot:
    """The panel of one field that is not text."""
    source, look = quoted(device.measurement), Look.of(field)
    if field.kind in ("state", "flag"):
        panel = state_timeline(title, describe(field), [states(source, field.name)], look, device.expected_every_s)
        return Slot(panel, 12, 7)
    function = "max" if field.kind == "counter" else "mean"
    query = trend(source, field.name, function)
    return Slot(timeseries(title, describe(field), [query], look, device.expected_every_s), 12, 8)


def latest_values(device: DeviceType, names: dict[str, str]) -> Slot:
    """Every thing of the type with its latest values."""
    shown = [field for field in device.fields if field.panel][:MAX_COLUMNS]
    query = latest(quoted(device.measurement), [(field.name, names[field.name]) for field in shown])
    columns = [column(names[field.name], Look.of(field)) for field in shown]
    panel = table(
        "Latest values",
        f"One row a thing of type {device.name}: the newest value of each field in the time range.",
        [query],
        [override("thing", custom__width=160), *columns],
        hidden=("Time",),
        sort=("thing", False),
    )
    return Slot(panel, 24, 7)


def build(device: DeviceType) -> Json:
    """The derived board of `device`."""
    names = labels(device.fields)
    shown = [field for field in device.fields if field.panel]
    parts: list[Slot | Heading] = []
    if device.domain == "health":
        parts.append(Slot(text("Not a medical device", NOT_MEDICAL, f"**{NOT_MEDICAL}**"), 24, 2))
    if shown:
        parts.append(latest_values(device, names))
    curves = [field for field in shown if field.kind in ("measure", "counter")]
    bars = [field for field in shown if field.kind in ("state", "flag")]
    for heading, group in (("Values over time", curves), ("States over time", bars)):
        if group:
            parts.append(Heading(heading))
            parts.extend(field_panel(device, field, names[field.name]) for field in group)
    if device.open_fields or any(field.kind == "text" for field in shown):
        parts.append(Heading("As stored"))
        parts.append(Slot(newest_readings(device), 24, 9))
    return board(
        uid(device.name),
        device.title,
        f"Every {device.title}: latest values, curves and states. Derived from the device type {device.name}.",
        parts,
        thing_variables(quoted(device.measurement)),
        tags=("device", device.domain),
        since="now-1h",
    )


def newest_readings(device: DeviceType) -> Json:
    """The newest readings with every field they brought."""
    return table(
        "Newest readings",
        f"The newest 100 readings of {device.name} with every field they brought, newest first.",
        [newest_rows(quoted(device.measurement), 100)],
        [override("Time", custom__width=180)],
    )
