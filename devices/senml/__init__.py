"""SenML packs, RFC 8428, in JSON and CBOR."""

from devices.senml.device import DEVICE

__all__ = ["DEVICE"]
