"""Payloads of JSON whose keys are not known beforehand, read with one kind of refusal.

A byte order mark is passed over. Nesting as deep as Python recurses.
"""

from typing import Any

import msgspec
from msgspec import json as msgjson

from devices.spec.json_parts import plain


class JsonRefused(ValueError):
    """What is no JSON, or not the JSON that was expected; the text says why."""


def json_value(payload: bytes) -> Any:
    """Any JSON. JsonRefused where it is none."""
    try:
        return msgjson.decode(plain(payload))
    except RecursionError:
        raise JsonRefused("JSON: nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise JsonRefused(f"JSON: {error}"[:200]) from None


def json_object(payload: bytes) -> dict[str, Any]:
    """A JSON object. JsonRefused where it is none."""
    found = json_value(payload)
    if not isinstance(found, dict):
        raise JsonRefused(f"expected an object of values, got {type(found).__name__}")
    return found
