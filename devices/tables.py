"""A device type out of a table, whatever its format: texts of a board, or the registers of a meter."""

from devices.spec.device import Device
from devices.spec.mapping import device_type as of_texts

MODBUS = "modbus"


def device_type(table: object, source: str = "the configuration") -> Device:
    """The device type of a table (`[[type]]`, parsed), which stands in `source`. MappingError with every mistake."""
    if isinstance(table, dict) and table.get("format") == MODBUS:
        from devices.modbus import profile

        return profile.device_type(table, source)
    return of_texts(table, source)


def stand_in(name: object, table: dict[str, object]) -> Device:
    """A type of that name and of the link of a table that cannot be used. MappingError where the name is wrong, too."""
    if table.get("format") == MODBUS:
        return device_type({"name": name, "format": MODBUS, "field": [{"name": "value", "register": 0}]})
    link = {"topic": "{thing}"} if "topic" in table else {"baud": 115200}
    return device_type({"name": name, "format": "json", **link, "field": [{"name": "value"}]})
