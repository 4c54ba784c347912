"""Codecs by hand and in `check`: what a person sees of one, and of a file that is none."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.main import main
from tests.gateway.codecs.park import uplink

NEW = """
function decodeUplink(input) {
  console.log("port", input.fPort, { bytes: input.bytes });
  if (input.fPort === 9) return { errors: ["unknown FPort"] };
  return { data: { temperature: input.bytes[0] / 2, battery_mv: 3300 }, warnings: ["low"] };
}
"""
OLD = "function Decoder(bytes, port) { return { port: port, sum: bytes[0] + bytes[1], of: 'old' }; }\n"
OLDER = (
    "function Decode(fPort, bytes, variables) { return { port: fPort, off: bytes[0] + Number(variables.offset) }; }\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "codecs"
    made.mkdir()
    (made / "acme-new.js").write_text(NEW)
    (made / "24e124.js").write_text(OLD)
    (made / "older.js").write_text(OLDER)
    whom = 'profile = ["Acme Old", "acme/old"]\nprefer = "codec"\nvariables = { offset = "40" }'
    (made / "index.toml").write_text(f'[[codec]]\nfile = "older.js"\n{whom}\n')
    return made


def decoded(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, Any], str]:
    """The one event that `decode` prints, and what stands on stderr."""
    assert main(["decode", *words]) == 0
    out, err = capsys.readouterr()
    (line,) = out.splitlines()
    return json.loads(line), err


def raw(*words: str) -> tuple[str, ...]:
    return ("-d", "lorawan-payload", *words)


def test_a_payload_with_one_codec(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codec = str(folder / "acme-new.js")
    event, err = decoded(capsys, *raw("--codec", codec, "--fport", "85", "--hex", "2b 00"))
    assert event["event"] == "reading"
    assert event["fields"] == {
        "f_port": 85,
        "payload_hex": "2b00",
        "temperature_c": 21.5,
        "battery_mv": 3300.0,
        "codec_warnings_text": "low",
    }
    assert (event["units"]["temperature_c"], event["units"]["battery_mv"]) == ("Cel", "mV")
    assert err == 'acme-new.js: port 85 {"bytes":[43,0]}\n'
    event, _ = decoded(capsys, *raw("--codec", codec, "--hex", "2b00", "--fport", "9"))
    assert (event["event"], event["kind"]) == ("error", "sanity")
    assert event["detail"] == "codec acme-new.js says: unknown FPort; port 9, bytes 2b00"
    event, _ = decoded(capsys, *raw("--codec", str(folder / "24e124.js"), "--hex", "0105"))
    assert event["fields"] == {"f_port": 0, "payload_hex": "0105", "port": 0.0, "sum": 6.0, "of_text": "old"}
    event, err = decoded(capsys, *raw("--hex", "0105"))
    assert event["fields"] == {"f_port": 0, "payload_hex": "0105"}
    assert err == "lorawan-payload: no codec was given, so no value is read: --codec FILE.js or --codecs FOLDER\n"


def test_a_payload_with_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = raw("--codecs", str(folder), "--hex", "0202", "--sender")
    assert decoded(capsys, *given, "24:E1:24:13:6C:12:34:56")[0]["fields"]["sum"] == 4.0
    assert decoded(capsys, *given, "acme old")[0]["fields"]["off"] == 42.0
    assert decoded(capsys, *given, "Acme New")[0]["fields"]["temperature_c"] == 1.0
    event, err = decoded(capsys, *given, "acme-newt")
    assert event["fields"] == {"f_port": 0, "payload_hex": "0202"}
    assert err == f"{folder}: no codec for acme-newt; is acme-new meant?\n"
    _, err = decoded(capsys, *given[:-1])
    assert err == f"{folder}: no codec where nothing says whose payload it is: give --sender\n"


def test_messages_of_a_network_server(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = tmp_path / "uplink.json"
    message.write_bytes(uplink("x", b"\x02", 3, model="acme/new"))
    event, _ = decoded(capsys, "-d", "ttn-v3", "--codecs", str(folder), str(message))
    assert event["fields"]["temperature_c"] == 1.0
    message.write_bytes(uplink("x", b"\x02", 3, model="acme/new", decoded={"temperature": 7}))
    event, _ = decoded(capsys, "-d", "ttn-v3", "--codecs", str(folder), str(message))
    assert event["fields"]["temperature_c"] == 7.0
    event, _ = decoded(capsys, "-d", "ttn-v3", "--codec", str(folder / "acme-new.js"), str(message))
    assert event["fields"]["temperature_c"] == 1.0
    message.write_bytes(uplink("x", b"\x02", 3, model="acme/old", decoded={"off": 7}))
    event, _ = decoded(capsys, "-d", "ttn-v3", "--codecs", str(folder), str(message))  # the index prefers the codec
    assert event["fields"]["off"] == 42.0
    messages = [uplink(f"x{n}", bytes((n,)), 3, model="acme/new" if n % 2 else "?") for n in range(4)]
    message.write_bytes(b"[" + b",".join(messages) + b"]")
    assert main(["decode", "-d", "ttn-v3", "--codecs", str(folder), str(message)]) == 0
    rows = [json.loads(line)["fields"] for line in capsys.readouterr().out.splitlines()]
    assert [row.get("temperature_c") for row in rows] == [None, 0.5, None, 1.5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-d", "ttn-v3", "--fport", "3", "--text", "{}"), "--fport goes with -d lorawan-payload"),
        (("-d", "senml", "--codec", "x.js", "--text", "{}"), "senml has no payloads that codecs read"),
        (("-d", "pms5003", "--codecs", ".", "--hex", "00"), "pms5003 has no payloads that codecs read"),
        (raw("--codec", "nowhere.js", "--hex", "00"), "--codec: there is no file nowhere.js"),
        (raw("--codecs", "nowhere", "--hex", "00"), "No such file or directory: expected a folder of codecs"),
        (raw("--codec", "a.js", "--codecs", ".", "--hex", "00"), "--codec FILE.js or --codecs FOLDER, not both"),
        (raw("--sender", "x", "--hex", "00"), "--sender goes with -d lorawan-payload and --codecs FOLDER"),
        (raw("--fport", "256", "--hex", "00"), "--fport"),
    ],
)
def test_misuse_is_told(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", *words]) == 2
    assert said in capsys.readouterr().err


CONFIG = """
[gateway]
state_dir = "var"
[codecs]
dir = "codecs"
{more}
[mqtt.main]
url = "mqtt://127.0.0.1"
client_id = "park"
[[mqtt.main.subscription]]
topic = "v3/+/devices/{{thing}}/up"
device = "ttn-v3"
"""


def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str = "") -> tuple[int, str, str]:
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.format(more=more))
    code = main(["check", "--config", str(file)])
    out, err = capsys.readouterr()
    return code, out.replace(f"{tmp_path}/", ""), err.replace(f"{tmp_path}/", "")


def test_check_names_what_is_no_codec(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = checked(tmp_path, capsys)
    assert (code, err) == (0, "")
    assert "codecs  codecs: 3 files, 1 in the index\n" in out
    assert "warning codec" not in out
    (folder / "typo.js").write_text("function decodeUplink(input) {\n  var x = ;\n}\n")
    (folder / "other.js").write_text("function decode(bytes) {}\n")
    (folder / "throws.js").write_text("\nvar x = y.z;\nfunction Decoder(b, p) {}\n")
    (folder / "loops.js").write_text("for (;;) {}\n")
    (folder / "regex.js").write_text('/^(a+)+$/.test("a".repeat(40) + "b");\n')
    code, out, err = checked(tmp_path, capsys)
    assert (code, err) == (0, "")
    assert re.findall("warning codec (.*)", out) == [
        "codecs/loops.js took more than 0.25 s of processor time",
        "codecs/other.js has none of the functions decodeUplink, Decoder and Decode",
        "codecs/regex.js took more than 0.25 s of processor time, in one step (a regular expression?)",
        "codecs/throws.js ReferenceError: 'y' is not defined (line 2)",
        "codecs/typo.js SyntaxError: unexpected token in expression: ';' (line 2)",
    ]
    (folder / "older.js").write_text("var x;")
    code, _, err = checked(tmp_path, capsys)
    assert code == 2
    assert "codecs/older.js has none of the functions decodeUplink, Decoder and Decode" in err
    assert err.startswith("parkgate: gateway.toml:5:")


def test_mistakes_of_the_table_and_the_index(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = checked(tmp_path, capsys, 'prefer = "me"\ntime_limit_s = 0\nmemory_limit = 3\nfoo = 1')
    assert code == 2
    assert re.findall(r"gateway\.toml:(\d+):\d+: codecs\.(\w+)", err) == [
        ("6", "prefer"),
        ("7", "time_limit_s"),
        ("8", "memory_limit"),
        ("9", "foo"),
    ]
    (folder / "index.toml").write_text('[[codec]]\nfile = "gone.js"\nthing = "x"\n')
    code, _, err = checked(tmp_path, capsys)
    assert code == 2
    assert 'codec[0].file = "gone.js": expected the file of a codec; there is no gone.js in this folder' in err
    code, _, err = checked(tmp_path, capsys, 'dir2 = "x"')
    assert code == 2
    (tmp_path / "codecs").rename(tmp_path / "elsewhere")
    code, _, err = checked(tmp_path, capsys)
    assert code == 2
    assert 'codecs.dir = "codecs": expected a folder of codecs; there is none at codecs' in err
