"""The device types for tests over all of them: those that parkgate brings, and some that are made from a table."""

import tomllib
from pathlib import Path

from devices.catalogue import built_in
from devices.spec.mapping import device_type

TABLES = tomllib.loads((Path(__file__).parent / "configured_types.toml").read_text())["type"]
CONFIGURED = tuple(device_type(table) for table in TABLES)
BUILT_IN = built_in()
BY_NAME = BUILT_IN.plus(CONFIGURED)
DEVICES = tuple(BY_NAME.values())
