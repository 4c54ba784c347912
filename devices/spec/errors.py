"""Errors of the descriptions themselves. Decoders raise none: they answer with events."""


class DescriptionError(ValueError):
    """A device type that contradicts itself; raised while the description is built."""


class EncodeError(ValueError):
    """A reading that the device could not have sent: unknown field, or a value out of range."""


class ArgumentError(ValueError):
    """An argument that a device cannot be told: unknown, missing, or out of range. The text is for who said it."""
