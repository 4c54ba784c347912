"""The device types that parkgate brings, for tests over all of them."""

from devices.catalogue import built_in

BY_NAME = built_in()
DEVICES = tuple(BY_NAME.values())
