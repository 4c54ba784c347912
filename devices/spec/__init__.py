"""The words a device type is described with."""
