"""The command line on hostile input: `decode` of anything, and the shipped configurations, damaged."""

import json
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.registry import DEVICES
from gateway.cli.main import main
from gateway.config import ConfigError, load
from tests.devices.examples import all_examples
from tests.fuzz.effort import effort

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*(ROOT / "examples").glob("gateway*.toml"), *(ROOT / "deploy").glob("gateway*.toml")])
TAME = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def run_decode(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0 with lines of strict JSON, or exit 2 with one line on stderr."""
    code = main(["decode", *arguments])
    captured = capsys.readouterr()
    assert code in (0, 2), captured.err
    if code == 2:
        assert captured.err.count("\n") == 1, captured.err
    for line in captured.out.split("\n")[:-1] if code == 0 else ():
        event = json.loads(line, parse_constant=_no_constant)
        assert event["event"] in ("reading", "noise", "error")


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


@effort(150)
@given(device=st.sampled_from([each.name for each in DEVICES]), data=st.data())
def test_decode_of_anything(device: str, data: st.DataObject, capsys: pytest.CaptureFixture[str]) -> None:
    examples = [each for each in all_examples() if each.device.name == device]
    how = data.draw(st.sampled_from(["hex", "hextext", "text"]))
    if how == "hex":
        raw = data.draw(st.sampled_from(examples)).data
        at = data.draw(st.integers(0, len(raw)))
        raw = raw[:at] + data.draw(st.binary(max_size=20)) + raw[at + data.draw(st.integers(0, 9)) :]
        words = ["--hex=" + raw.hex()]
    elif how == "hextext":
        words = ["--hex=" + data.draw(st.text(TAME, max_size=40).filter(lambda text: text != "-"))]
    else:
        words = ["--text=" + data.draw(st.text(TAME, max_size=60))]
    if data.draw(st.booleans()):
        words.append("--topic=" + data.draw(st.text(TAME, max_size=20)))
    run_decode(["--device", device, *words], capsys)


@pytest.mark.parametrize(
    "payload",
    [
        '[{"n":"a","vs":"\\ud800"}]',
        '[{"n":"a","v":1e999}]',
        '[{"n":"a","v":NaN}]',
        '[{"n":"a","vs":"\\u2028\\u0085"}]',
        '[{"n":"a","v":1,"t":9199999999}]',
        '[{"n":"a","v":1,"t":-1e300}]',
    ],
)
def test_decode_prints_json_whatever_the_pack_says(payload: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_decode(["--device", "senml", "--text", payload], capsys)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, str) else str(value)


ODD: list[Any] = [
    True, 0, -1, 1 << 62, 1e308, float("inf"), float("nan"), "", " ", "\\n", "${X}", "${", "mqtt://", "http://[::1",
    "a" * 300, "pms5003", "senml", [], {}, [[]], [{}], {"": ""}, "$share//#", "+", "#/#", "127.0.0.1:99999",
    "/dev/null", "COM1",
]  # fmt: skip


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
        return (
            [*value, value[at]] if chance.random() < 0.2 else [*value[:at], bent(value[at], chance), *value[at + 1 :]]
        )
    return chance.choice(ODD)


@effort(300)
@given(which=st.sampled_from(SHIPPED), seed=st.integers(0, 2**32 - 1))
def test_shipped_configurations_bent_anyhow(which: Path, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    chance = random.Random(seed)
    document = tomllib.loads(which.read_text())
    for _ in range(chance.randint(1, 3)):
        document = bent(document, chance)
        if not isinstance(document, dict):
            return
    file = tmp_path_factory.getbasetemp() / "bent.toml"
    file.write_text("\n".join(f"{json.dumps(key)} = {toml(item)}" for key, item in document.items()))
    try:
        load(file, {"X": "x", "INFLUX_TOKEN": "secret-token"})
    except ConfigError as error:
        text = str(error)
        assert text.isprintable()
        assert "secret-token" not in text
        assert str(file) in text
