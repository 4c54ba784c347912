"""The published wire vectors, where the folder that holds them lies beside this checkout.

Their field names are the publishers'; each device's test maps them explicitly.
"""

import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "vectors.jsonl"


def published(*protocols: str) -> list[dict[str, Any]]:
    """All vectors of these protocols, in the order of the file; none where there is no file."""
    if not VECTORS.exists():
        return []
    vectors = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    return [vector for vector in vectors if vector["protocol"] in protocols]


def payload(vector: dict[str, Any]) -> bytes:
    """The payload as published: bytes in hex, or JSON."""
    if "input_hex" in vector:
        return bytes.fromhex(vector["input_hex"])
    return json.dumps(vector["input_json"]).encode()
