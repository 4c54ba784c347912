"""Raw payloads as network servers write them: base64, in each form that the JSON mapping of proto3 allows."""

import binascii

from devices.lorawan.names import PayloadRefused
from devices.spec.events import Value


def raw(base64: str, name: str, fields: dict[str, Value], wrong: list[str], label: str = "frm_payload") -> None:
    """Put the payload into `fields` as hex; into `wrong` why it is left out."""
    try:
        fields[name] = raw_bytes(base64).hex()
    except PayloadRefused as refused:
        wrong.append(f"{label}: {refused}")


def raw_bytes(base64: str) -> bytes:
    """The bytes of a payload. PayloadRefused where it is no base64."""
    try:
        return binascii.a2b_base64(base64, strict_mode=True)
    except ValueError:
        return _of_other_form(base64)


def _of_other_form(base64: str) -> bytes:
    """URL-safe, and without padding."""
    standard = base64.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return binascii.a2b_base64(standard + "=" * (-len(standard) % 4), strict_mode=True)
    except ValueError:
        raise PayloadRefused(f"expected base64, got {base64[:40]!r}") from None
