"""Payloads that only their maker's codec can read: what a type says of one, and what it is told.

LoRaWAN carries a few bytes whose meaning is nobody's standard; makers publish JavaScript that reads them. A
`MessageDevice` of such messages gives a `decode_coded`: its `decode`, with a function that it asks about each uplink

    codec(Raw(data, f_port, dev_eui, ...)) -> Coded(values, warnings)   what the codec makes of it
                                              None                      there is none: as without
                                              CodecRefused, raised      it cannot be read: a SanityError

A message is decoded twice. First the gateway looks which codecs it needs, and answers None; when their answers are
there, which may take long, it is decoded again, with them. So a type stays a function of what it is given.
"""

from collections.abc import Callable
from typing import NamedTuple

MOST_BYTES = 512
"""Longer payloads are given to no codec. LoRaWAN has at most 242 bytes."""


class Raw(NamedTuple):
    """The bytes of an uplink, and what its message says of who sent it; "" where it says nothing.

    `dev_eui` is lower hex. `profile` is what the server calls the kind of device: the device profile of ChirpStack,
    `brand/model` of The Things Stack; `profile_id` is its id, where it has one. `decoded`: the server has decoded the
    payload itself, and that stands where the codec answers None.
    """

    data: bytes
    f_port: int
    dev_eui: str = ""
    device: str = ""
    profile: str = ""
    profile_id: str = ""
    decoded: bool = False


class Coded(NamedTuple):
    """What a codec answers: JSON values, an object mostly; None where it has nothing to say."""

    values: object
    warnings: tuple[str, ...] = ()


class CodecRefused(ValueError):
    """A codec cannot read an uplink; the text says which, why, and what it was given."""


Codec = Callable[[Raw], Coded | None]
