"""The place of a payload decoder: what a network server's message gives it, and what it gives back.

Where a server has decoded the payload of an uplink, its values are taken. Where it has not, a codec may: a
function of the raw bytes and of what is known of the device, which answers with named fields, or with
None where it is not meant. Message types take one in `decode(topic, payload, received_ns, codec)`.

A codec raises nothing. Fields are named as they are to be stored (names.py, lpp.py).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from devices.lorawan.names import free_name
from devices.spec.events import Value


class Raw(NamedTuple):
    """An uplink that its server has not decoded; "" where the message does not say.

    `dev_eui` is lower hex. `profile` is what the server calls the kind of device: the device profile of ChirpStack,
    `brand/model` of The Things Stack.
    """

    data: bytes
    f_port: int
    dev_eui: str = ""
    device: str = ""
    profile: str = ""


class Decoded(NamedTuple):
    """The fields of a payload, and what is wrong with the values left out of them."""

    fields: Mapping[str, Value]
    errors: tuple[str, ...] = ()


Codec = Callable[[Raw], Decoded | None]


def join(decoded: Decoded, fields: dict[str, Value], wrong: list[str]) -> None:
    """Put what a codec says beside what the network says; nothing is overwritten."""
    for name, value in decoded.fields.items():
        fields[free_name(name, fields)] = value
    wrong.extend(decoded.errors)
