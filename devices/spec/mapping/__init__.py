"""Device types that are a table of data: `[[type]]` in a configuration, a file of one, what `learn` proposes."""

from devices.spec.mapping.build import device_type
from devices.spec.mapping.forms import loads
from devices.spec.mapping.table import DEFAULT_BAUD, FIELD_KEYS, TYPE_KEYS, TYPE_NAME, MappingError, Mistake
from devices.spec.mapping.value import FLAGS, missing, time_taker

__all__ = [
    "DEFAULT_BAUD",
    "FIELD_KEYS",
    "FLAGS",
    "TYPE_KEYS",
    "TYPE_NAME",
    "MappingError",
    "Mistake",
    "device_type",
    "loads",
    "missing",
    "time_taker",
]
