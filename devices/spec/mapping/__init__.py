"""Device types that are a table of data: `[[type]]` in a configuration, a file of one, what `learn` proposes."""

from devices.spec.mapping.build import device_type
from devices.spec.mapping.table import DEFAULT_BAUD, FIELD_KEYS, TYPE_KEYS, TYPE_NAME, MappingError, Mistake

__all__ = ["DEFAULT_BAUD", "FIELD_KEYS", "TYPE_KEYS", "TYPE_NAME", "MappingError", "Mistake", "device_type"]
