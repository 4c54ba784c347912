"""The place of a payload decoder: what a network server's message gives it, and what it gives back.

Where a server has decoded the payload of an uplink, its values are taken. Where it has not, a codec may: a
function of the raw bytes and of what is known of the device, which answers with named fields, or with
None where it is not meant. Message types take one in `decode(topic, payload, received_ns, codec)`; one that is
wanted although the server has decoded looks at `Raw.decoded` itself.

Fields are named as they are to be stored (names.py, lpp.py). `coded` makes of a type's `decode` one that takes
codecs as the gateway runs them, whose values have only the names that their makers gave them; what such a codec warns
of is the text `codec_warnings_text`. It may raise CodecRefused, a ValueError, which refuses the uplink.

Limits: warnings of MAX_TEXT characters.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import NamedTuple

from devices.lorawan.names import flatten, free_name
from devices.spec import coded as spec
from devices.spec.coded import Raw
from devices.spec.events import Event, Reading, SanityError, Value

__all__ = ["BUILT_IN", "Codec", "Decoded", "Raw", "built_in", "coded", "join", "named", "uplink", "warn"]

MAX_TEXT = 400
BUILT_IN: Mapping[str, str] = {"cayenne-lpp": "lpp"}
"""Codecs that need no JavaScript, and their modules here."""
WARNINGS = "codec_warnings_text"


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


def warn(warnings: Iterable[str], fields: dict[str, Value]) -> None:
    """What a codec, or the payload formatter of a server, warns of, as a text beside the values."""
    said = "; ".join(filter(None, warnings))
    if said:
        fields[free_name(WARNINGS, fields, "_text")] = said[:MAX_TEXT]


def named(said: spec.Coded) -> Decoded:
    """The values of a codec as fields, by the rule for those of a server (names.py); those of a built-in one have
    their names already."""
    if isinstance(said.values, Decoded):
        return said.values
    fields: dict[str, Value] = {}
    wrong: list[str] = []
    flatten(said.values, fields, wrong)
    warn(said.warnings, fields)
    return Decoded(fields, tuple(wrong))


def coded(
    decode: Callable[[str, bytes, int, Codec | None], list[Event]],
) -> Callable[[str, bytes, int, spec.Codec], list[Event]]:
    """The `decode_coded` of a type."""

    def decode_coded(topic: str, payload: bytes, received_ns: int, codec: spec.Codec) -> list[Event]:
        def fields(raw: Raw) -> Decoded | None:
            said = codec(raw)
            return None if said is None else named(said)

        return decode(topic, payload, received_ns, fields)

    return decode_coded


def built_in(name: str, raw: Raw) -> spec.Coded:
    """What the codec of that name in BUILT_IN makes of an uplink."""
    return spec.Coded(import_module(f"devices.lorawan.{BUILT_IN[name]}").codec(raw))


def uplink(raw: Raw, codec: spec.Codec) -> list[Event]:
    """What a payload says by itself: its port, its bytes, and what a codec makes of them."""
    fields: dict[str, Value] = {"f_port": raw.f_port, "payload_hex": raw.data.hex()}
    wrong: list[str] = []
    try:
        said = codec(raw)
    except spec.CodecRefused as refused:
        return [SanityError(str(refused), raw.data)]
    if said is not None:
        join(named(said), fields, wrong)
    return [Reading(fields, field_errors=tuple(wrong))]
