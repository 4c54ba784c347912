"""The command line on hostile input: `decode` of anything."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.main import main
from tests.device_types import DEVICES
from tests.devices.examples import all_examples
from tests.fuzz.effort import effort

EXAMPLES = all_examples()  # once: reading them takes longer than the command
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
        assert event["event"] in ("reading", "empty", "noise", "error")


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


@effort(150)
@given(device=st.sampled_from([each.name for each in DEVICES]), data=st.data())
def test_decode_of_anything(device: str, data: st.DataObject, capsys: pytest.CaptureFixture[str]) -> None:
    examples = [each for each in EXAMPLES if each.device.name == device]
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
