"""The message in which a gateway passes on what a sensor says."""

from msgspec import json as msgjson

from devices.ruuvi.fields import DATA_FORMAT, GATEWAY, MAC, ONLINE, RSSI
from devices.ruuvi.formats import FORMATS
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value

FLAGS = bytes.fromhex("020106")
_AROUND = frozenset((DATA_FORMAT.name, GATEWAY.name, MAC.name, RSSI.name))
_BY_NAME = {known.name: known for known in FORMATS.values()}


def advertisement(fields: dict[str, Value]) -> bytes:
    """The advertisement of a sensor, of the format in `data_format` (5 where there is none)."""
    name = str(fields.get(DATA_FORMAT.name, "5"))
    known = _BY_NAME.get(name)
    if known is None:
        raise EncodeError(f"ruuvi: data format {name!r:.40}, expected one of {', '.join(_BY_NAME)}")
    try:
        mac = bytes.fromhex(str(fields.get(MAC.name, "ff" * 6)).replace(":", ""))
    except ValueError:
        raise EncodeError(f"ruuvi: mac {fields[MAC.name]!r:.40}, expected an address") from None
    said = {key: value for key, value in fields.items() if key not in _AROUND}
    data = b"\xff\x99\x04" + known.encode(said, mac.rjust(6, b"\0"))
    return FLAGS + bytes((len(data),)) + data


def encode(reading: Reading) -> bytes:
    """The message of a gateway; with `online_flag` alone what it says of itself."""
    fields = reading.fields
    if fields.keys() == {ONLINE.name}:
        return b'{"state":"online"}' if fields[ONLINE.name] else b'{"state":"offline"}'
    message: dict[str, object] = {"gw_mac": fields.get(GATEWAY.name, "")}
    if RSSI.name in fields:
        message["rssi"] = int(fields[RSSI.name])
    message["aoa"] = []
    if reading.time_ns is not None:
        message |= {"gwts": reading.time_ns // 10**9, "ts": reading.time_ns // 10**9}
    message |= {"data": advertisement(fields).hex().upper(), "coords": ""}
    return msgjson.encode(message)
