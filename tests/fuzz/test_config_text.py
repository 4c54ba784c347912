"""Any configuration file whatever is a configuration or a line a mistake for its author, and shows no secret."""

import random
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigError, load
from tests.fuzz.effort import effort
from tests.gateway.config.test_config import DEVICES, FULL

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*(ROOT / "examples").glob("gateway*.toml"), *(ROOT / "deploy").glob("gateway*.toml")])
SECRET = "secret-token"
WORDS = st.sampled_from(
    [
        *("gateway", "spool", "local", "influxdb", "mqtt", "serial", "watchdog", "main", "subscription"),
        *("name", "state_dir", "listen", "url", "database", "token", "username", "password", "api", "org", "timeout_s"),
        *("device", "thing", "location", "tags", "baud", "topic", "qos", "protocol", "will", "ca_file", "client_id"),
        *("max_bytes", "max_age_s", "max_things", "max_payload", "receive_maximum", "keepalive_s", "port"),
    ]
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["pms5003", "senml", "mqtt://h", "http://[", "http://h:x", "~nobody/x", "${A}", "${", "v2", "COM1"]
    ),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.floats(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=6)),
    max_leaves=20,
)
ODD: list[Any] = [
    True, 0, -1, 1 << 62, 1e308, float("inf"), float("nan"), "", " ", "\\n", "${X}", "${", "mqtt://", "http://[::1",
    "a" * 300, "pms5003", "senml", [], {}, [[]], [{}], {"": ""}, "$share//#", "+", "#/#", "127.0.0.1:99999",
    "/dev/null", "COM1",
]  # fmt: skip


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


def toml(value: Any) -> str:
    """A value as TOML, inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


def document(value: dict[str, Any]) -> bytes:
    return "\n".join(f"{quoted(key)} = {toml(item)}" for key, item in value.items()).encode()


def survives(text: bytes, file: Path, **more: Any) -> None:
    """Loads, or is told in lines of which each names the file, and none a secret."""
    file.write_bytes(text)
    try:
        load(file, {"A": "a", "X": "x", "INFLUX_TOKEN": SECRET}, **more)
    except ConfigError as error:
        for told in str(error).split("\n"):
            assert told.isprintable(), told
            assert told.startswith(f"{file}:"), told
            assert SECRET not in told


@effort(100)
@given(value=st.dictionaries(WORDS, VALUES, max_size=6))
def test_any_values(tmp_path: Path, value: dict[str, Any]) -> None:
    survives(document(value), tmp_path / "fuzz.toml", devices=DEVICES)


@effort(100)
@given(text=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, text: bytes) -> None:
    survives(text, tmp_path / "fuzz.toml", devices=DEVICES)


@effort(100)
@given(start=st.integers(0, len(FULL.encode()) - 1), length=st.integers(0, 12), new=st.binary(max_size=8))
def test_a_good_file_with_bytes_changed(tmp_path: Path, start: int, length: int, new: bytes) -> None:
    good = FULL.encode()
    survives(good[:start] + new + good[start + length :], tmp_path / "fuzz.toml", devices=DEVICES)


def bent(value: Any, chance: random.Random) -> Any:
    """One part replaced, doubled, renamed or left out."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        how = chance.random()
        if how < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        if how < 0.2:
            return {**value, key.swapcase(): value[key]}
        return {**value, key: bent(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        if chance.random() < 0.2:
            return [*value, value[at]]
        return [*value[:at], bent(value[at], chance), *value[at + 1 :]]
    return chance.choice(ODD)


@effort(300)
@given(which=st.sampled_from(SHIPPED), seed=st.integers(0, 2**32 - 1))
def test_shipped_files_bent_anyhow(tmp_path: Path, which: Path, seed: int) -> None:
    chance = random.Random(seed)
    value: Any = tomllib.loads(which.read_text())
    for _ in range(chance.randint(1, 3)):
        value = bent(value, chance)
    if isinstance(value, dict):
        survives(document(value), tmp_path / "bent.toml")
