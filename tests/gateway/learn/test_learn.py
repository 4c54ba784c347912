"""What is proposed for lines and payloads of boards that nobody has described."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from devices.catalogue import built_in
from devices.spec.device import MessageDevice, StreamDevice
from devices.spec.events import Event, Reading
from devices.spec.mapping import device_type
from gateway.cli.learn.add import port_from
from gateway.cli.learn.command import Wish
from gateway.cli.learn.messages import Broker, from_messages
from gateway.cli.learn.sample import Message
from gateway.config import load
from gateway.learn import look, pattern_of, propose, same_shape, shape_of, table_text

SERIAL = {"baud": 115200}


def proposed(texts: list[str], link: dict[str, Any] | None = None) -> dict[str, Any]:
    proposal = propose("board", shape_of(texts), texts, link or SERIAL)
    assert proposal is not None
    return proposal.table


def fields(table: dict[str, Any]) -> list[tuple[object, object, object]]:
    return [(row["from"], row["name"], row.get("unit", row.get("kind"))) for row in table["field"]]


def read_back(
    texts: list[str], how: dict[str, Any], rows: list[tuple[object, object, object]], line_end: str
) -> list[Event]:
    """What the type that is proposed for the lines, by `how` and `rows`, makes of them."""
    table = proposed(texts)
    assert {key: value for key, value in table.items() if key != "field"} == {"name": "board", **how, **SERIAL}
    assert fields(table) == rows
    device = device_type(table)
    assert isinstance(device, StreamDevice)
    return device.decoder().feed("".join(f"{text}{line_end}" for text in texts).encode())


@pytest.mark.parametrize(
    ("texts", "how", "rows", "reading"),
    [
        (
            ["temp=21.5,hum=40"],
            {"format": "keys"},
            [("temp", "temperature_c", "Cel"), ("hum", "humidity_pct", "%")],
            {"temperature_c": 21.5, "humidity_pct": 40.0},
        ),
        (
            ["T: 21.5 C  H: 40 %"],
            {"format": "keys", "separator": " ", "assign": ":"},
            [("T", "temperature_c", "Cel"), ("H", "humidity_pct", "%")],
            {"temperature_c": 21.5, "humidity_pct": 40.0},
        ),
        (
            ["dist=12 cm;tempF=70"],
            {"format": "keys", "separator": ";"},
            [("dist", "distance_cm", "cm"), ("tempF", "temperature_f", "[degF]")],
            {"distance_cm": 12.0, "temperature_f": 70.0},
        ),
        (
            ['{"t":21.5,"h":null,"env":{"co2":412,"ok":true},"fw":"1.2b"}'],
            {"format": "json"},
            [
                ("t", "temperature_c", "Cel"),
                ("env.co2", "env_co2_ppm", "[ppm]"),
                ("env.ok", "env_ok", "flag"),
                ("fw", "fw", "text"),
            ],
            {"temperature_c": 21.5, "env_co2_ppm": 412.0, "env_ok": True, "fw": "1.2b"},
        ),
        (
            ['{"site":"north","readings":[{"pm25":7,"lat":22.4},{"pm25":8}]}'],
            {"format": "json", "each": "readings"},
            [("$.site", "site", "text"), ("pm25", "pm2_5_ug_m3", "ug/m3"), ("lat", "latitude_deg", "deg")],
            {"site": "north", "pm2_5_ug_m3": 7.0, "latitude_deg": 22.4},
        ),
        (
            ["21.5;40"],
            {"format": "columns"},
            [(1, "value_1", "1"), (2, "value_2", "1")],
            {"value_1": 21.5, "value_2": 40.0},
        ),
        (
            ["t;h", "21,5;40,0"],
            {"format": "columns", "columns": ["t", "h"], "decimal": ","},
            [("t", "temperature_c", "Cel"), ("h", "humidity_pct", "%")],
            {"temperature_c": 21.5, "humidity_pct": 40.0},
        ),
        (["21.5"], {"format": "columns", "separator": " "}, [(1, "value_1", "1")], {"value_1": 21.5}),
        (
            ["temp=21.5,temperature=22"],
            {"format": "keys"},
            [("temp", "temperature_c", "Cel"), ("temperature", "temperature_2_c", "Cel")],
            {"temperature_c": 21.5, "temperature_2_c": 22.0},
        ),
    ],
)
def test_lines_become_a_type_that_reads_them(
    texts: list[str], how: dict[str, Any], rows: list[tuple[object, object, object]], reading: dict[str, Any]
) -> None:
    found = [event for event in read_back(texts, how, rows, "\r\n") if isinstance(event, Reading)]
    assert found[0].fields == reading


@pytest.mark.parametrize(
    ("text", "place", "unit", "time_ns"),
    [
        ('{"t":1,"ts":1700000000}', "ts", "s", 1_700_000_000_000_000_000),
        ('{"t":1,"timestamp":1700000000123}', "timestamp", "ms", 1_700_000_000_123_000_000),
        ('{"t":1,"time":"2023-11-14T22:13:20Z"}', "time", "rfc3339", 1_700_000_000_000_000_000),
    ],
)
def test_a_time_is_taken_for_one(text: str, place: str, unit: str, time_ns: int) -> None:
    table = proposed([text])
    assert table["time"] == {"from": place, "unit": unit}
    device = device_type(table)
    assert isinstance(device, StreamDevice)
    (event,) = device.decoder().feed(text.encode() + b"\n")
    assert isinstance(event, Reading)
    assert (event.time_ns, event.fields) == (time_ns, {"temperature_c": 1.0})


def test_milliseconds_since_the_start_are_no_time() -> None:
    table = proposed(['{"t":1,"time":123456}'])
    assert "time" not in table
    assert fields(table)[1] == ("time", "time_value", "1")


def test_an_identity_in_the_payload_is_the_thing_over_mqtt() -> None:
    table = proposed(['{"t":1,"device":"lamp-1"}'], {"topic": "park/state"})
    assert table["thing"] == "device"
    device = device_type(table)
    assert isinstance(device, MessageDevice)
    (event,) = device.decode("park/state", b'{"t":2,"device":"lamp-2"}', 0)
    assert isinstance(event, Reading)
    assert (event.thing, event.fields) == ("lamp-2", {"temperature_c": 2.0})


def test_a_unit_that_is_not_known_is_asked_for() -> None:
    texts = ["batt=3.7,dist=120"]
    proposal = propose("board", shape_of(texts), texts, SERIAL)
    assert proposal is not None
    assert [(question.key, question.example) for question in proposal.questions] == [("batt", "3.7"), ("dist", "120")]
    answered = proposal.answered({0: "V", 1: "mm"})
    assert answered.questions == ()
    assert fields(answered.table) == [("batt", "battery_v", "V"), ("dist", "distance_mm", "mm")]
    assert fields(proposal.table) == [("batt", "battery", "1"), ("dist", "distance", "1")]
    with pytest.raises(ValueError, match="'furlong' is no unit that is known"):
        proposal.answered({0: "furlong"})


def test_what_is_proposed_is_toml_that_says_the_same() -> None:
    table = proposed(['{"t":21.5,"a b":1,"ts":1700000000}'])
    text = table_text("type", table)
    assert tomllib.loads(text)["type"] == [table]
    assert '[[type.field]]\nname = "a_b"' in text


@pytest.mark.parametrize(
    ("topics", "pattern"),
    [
        (["park/lamp-1/state", "park/lamp-2/state"], "park/{thing}/state"),
        (["park/lamp-1/state"], "park/{thing}/state"),
        (["a/x/b/1", "a/y/b/2", "a/z/b/1"], "a/{thing}/b/+"),
        (["weather"], "weather"),
        (["home/0C4314F45E57/data"], "home/{thing}/data"),
    ],
)
def test_the_level_that_names_the_thing(topics: list[str], pattern: str) -> None:
    assert pattern_of(topics)[0] == pattern


def test_topics_of_another_shape_are_left_out() -> None:
    assert same_shape(["a/1", "a/2", "a/1/x"]) == ["a/1", "a/2"]


def test_text_without_numbers_is_not_mapped() -> None:
    texts = ["hello world", "booting"]
    assert propose("board", shape_of(texts), texts, SERIAL) is None


def test_a_sample_that_begins_in_the_middle_of_a_line() -> None:
    seen = look(b"1.5,hum=40\r\ntemp=21.5,hum=40\r\ntemp=21.5,hu", built_in().values())
    assert seen.lines == ("temp=21.5,hum=40",)
    assert [guess.shape for guess in seen.guesses] == ["keys"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    from gateway.cli.main import main

    code = main(["learn", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give one of --port PORT, --mqtt URL --topic FILTER, or a FILE of lines"),
        (["lines.txt", "--port", "/dev/x"], "give one of --port PORT, --mqtt URL --topic FILTER, or a FILE of lines"),
        (["--mqtt", "mqtt://127.0.0.1"], "--mqtt URL and --topic FILTER go together, as in --mqtt mqtt://127.0.0.1"),
        (["--mqtt", "park", "--topic", "a/#"], "--mqtt park: expected mqtt://host:port or mqtts://host:port"),
        (
            ["--mqtt", "mqtt://127.0.0.1:1", "--topic", "a/#"],
            "broker 127.0.0.1:1: nothing listens there; start the broker or correct --mqtt (connection refused)",
        ),
        (["none.txt"], "none.txt: No such file or directory"),
        (["empty.txt"], "empty.txt: it is empty; expected lines as the board prints them"),
        (["words.txt"], "lines, but no numbers with or without names in them, such as 'hello world'"),
        (["lines.txt", "--name", "pms5003"], "--name pms5003: there is a device type of that name already; leave out"),
        (
            ["--port", "/dev/no", "--name", "Bad Name"],
            "--name Bad Name: expected lower letters and digits",
        ),
        (["--port", "/dev/a", "--config", "good.toml"], "--port /dev/a: the configuration reads that port already"),
        (
            ["--port", "/dev/b", "--thing", "lamp", "--config", "good.toml"],
            "--thing lamp: the configuration has a thing of that name already",
        ),
        (["--port", "./b", "--config", "sub/good.toml"], "--port ./b: the configuration reads that port already"),
        (["--port", "ttyX0"], "--port ttyX0: there is none here; expected a path such as /dev/ttyX0 or ./ttyX0"),
        (["two.bin"], "2 bytes, and 0% of them are text: no type that is known, and no lines"),
        (["lines.txt", "--config", "bad.toml"], "bad.toml:1:9: "),
    ],
)
def test_a_mistake_is_one_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("temp=21.5\ntemp=21.6\n")
    Path("words.txt").write_text("hello world\nboot ok\n")
    Path("empty.txt").write_text("")
    Path("bad.toml").write_text("[gateway\n")
    Path("good.toml").write_text('[[serial]]\nport = "/dev/a"\ndevice = "pms5003"\nthing = "lamp"\n')
    Path("two.bin").write_bytes(b"\xff\x01")
    Path("sub").mkdir()
    Path("sub/good.toml").write_text('[[serial]]\nport = "../b"\ndevice = "pms5003"\nthing = "lamp"\n')
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"parkgate: {words}")
    assert err.count("\n") == 1


def test_nothing_is_written_where_the_whole_would_be_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("temp=21.5\ntemp=21.6\n")
    before = '[[serial]]\nport = "/dev/x"\ndevice = "no-such-type"\nthing = "lamp"\n'
    Path("gateway.toml").write_text(before)
    code, _, err = run(capsys, "lines.txt", "--write")
    assert code == 2
    assert "parkgate: nothing was added to gateway.toml: " in err
    assert "gateway.toml:3:10: serial[0].device" in err
    assert Path("gateway.toml").read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gateway.toml", "lines.txt"]


def test_what_is_added_stands_behind_what_was_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("temp=21.5\ntemp=21.6\n")
    assert run(capsys, "lines.txt", "--write", "--baud", "9600")[0] == 0
    assert run(capsys, "lines.txt", "--write", "--baud", "9600")[0] == 0
    text = Path("gateway.toml").read_text()
    assert [row["name"] for row in tomllib.loads(text)["type"]] == ["board", "board-2"]
    assert text.startswith('[gateway]\nname = "bench"\n')


def test_a_type_of_a_file_is_read_once_its_port_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("temp=21.5\ntemp=21.6\n")
    _, out, err = run(capsys, "lines.txt", "--write")
    assert '# [[serial]]\n# port = "/dev/serial/by-id/…"\n# device = "board"\n# thing = "board-1"\n' in out
    assert "next: say the port in its [[serial]] and take the # away there, then parkgate check gateway.toml" in err
    Path("gateway.toml").write_text(Path("gateway.toml").read_text().replace("# ", "").replace("…", "usb-board"))
    assert load(Path("gateway.toml"), {}).serial[0].port == "/dev/serial/by-id/usb-board"


@pytest.mark.parametrize(
    ("port", "config", "said"),
    [
        ("./p3", "gateway.toml", "./p3"),
        ("sub/p3", "sub/gateway.toml", "./p3"),
        ("p3", "gateway.toml", "./p3"),
        ("./p3", "sub/gateway.toml", "{here}/p3"),
        ("/dev/ttyUSB0", "sub/gateway.toml", "/dev/ttyUSB0"),
        ("COM3", "sub/gateway.toml", "COM3"),
        ("socket://127.0.0.1:4001", "sub/gateway.toml", "socket://127.0.0.1:4001"),
    ],
)
def test_a_port_is_said_as_the_file_that_names_it_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: str, config: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p3").touch()
    assert port_from(Path(config), port) == said.format(here=tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
def test_a_configuration_keeps_its_encoding_and_its_line_ends(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = '[gateway]\r\nname = "Grünau"\r\n\r\n[[serial]]\r\nport = "/dev/a"\r\ndevice = "pms5003"\r\nthing = "a"'
    Path("gateway.toml").write_bytes(before.encode(encoding))
    Path("lines.txt").write_text("temp=21.5\ntemp=21.6\n")
    assert run(capsys, "lines.txt", "--write")[0] == 0
    data = Path("gateway.toml").read_bytes()
    assert data.startswith(before.encode(encoding))
    after = data.decode(encoding).removeprefix(before)
    assert after.startswith('\r\n\r\n[[type]]\r\nname = "board"\r\n')
    assert after.count("\n") == after.count("\r\n")
    assert [each.name for each in load(Path("gateway.toml"), {}).types] == ["board"]


def test_lines_in_utf_16_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_bytes("temp=21.5\r\ntemp=21.6\r\n".encode("utf-16"))
    code, out, _ = run(capsys, "lines.txt")
    assert (code, "# board,thing=board-1 temperature_c=21.5" in out) == (0, True)


BRIDGE = (
    b'[{"ieee_address":"0x03","type":"EndDevice","friendly_name":"hall","definition":{"exposes":['
    b'{"type":"numeric","property":"temperature","unit":"\xc2\xb0C","access":1}]}}]'
)


@pytest.mark.parametrize(
    ("messages", "device", "topic"),
    [
        (
            [Message("home/hall", b'{"temperature":21.5}'), Message("home/bridge/devices", BRIDGE, True)],
            "zigbee2mqtt",
            "home/#",
        ),
        ([Message("home/hall", b'{"temperature":21.5}')], "board", "home/hall"),
        ([Message("park/post-1", b'[{"n":"temperature","u":"Cel","v":21.5}]')], "senml", "park/{thing}"),
    ],
)
def test_messages_of_a_known_type_need_no_new_one(messages: list[Message], device: str, topic: str) -> None:
    wish = Wish(None, None, {}, built_in())
    found = from_messages(messages, Broker("mqtt://127.0.0.1", None, "home/#"), wish)
    (subscription,) = tomllib.loads(found.sections[-1])["mqtt"]["bench"]["subscription"]
    assert (subscription["device"], subscription["topic"]) == (device, topic)


def test_a_board_of_a_configured_type_gets_a_port_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("temp=21.5,hum=40\n" * 5)
    assert run(capsys, "lines.txt", "--write", "--name", "lamp-node")[0] == 0
    code, out, err = run(capsys, "lines.txt")
    assert code == 0
    assert tomllib.loads(out)["serial"] == [
        {"port": "/dev/serial/by-id/…", "device": "lamp-node", "thing": "lamp-node-1"}
    ]
    assert "looks like lamp-node" in err
