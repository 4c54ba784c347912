"""Device types that are a table of data: `[[type]]` in a configuration, a file of one, what `learn` proposes."""

from devices.spec.mapping.build import audited, described, device_type
from devices.spec.mapping.forms import loads
from devices.spec.mapping.reader import Rows
from devices.spec.mapping.table import (
    DEFAULT_BAUD,
    FIELD_KEYS,
    TYPE_KEYS,
    TYPE_NAME,
    FieldRow,
    MappingError,
    Mistake,
    field_row,
    field_tables,
    heading,
    once,
    serial_settings,
)
from devices.spec.mapping.value import FLAGS, missing, time_taker

__all__ = [
    "DEFAULT_BAUD",
    "FIELD_KEYS",
    "FLAGS",
    "TYPE_KEYS",
    "TYPE_NAME",
    "FieldRow",
    "MappingError",
    "Mistake",
    "Rows",
    "audited",
    "described",
    "device_type",
    "field_row",
    "field_tables",
    "heading",
    "loads",
    "missing",
    "once",
    "serial_settings",
    "time_taker",
]
