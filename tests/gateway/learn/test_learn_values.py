"""What a board prints beside its readings, and values that say more than their keys."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from devices.catalogue import built_in
from devices.spec.events import Reading
from gateway.cli.learn.command import Wish
from gateway.cli.learn.messages import Broker, from_messages
from gateway.cli.learn.sample import Gathered, Message
from gateway.learn import propose, shape_of
from tests.gateway.learn.test_learn import SERIAL, fields, proposed, read_back, run

COMMENTS_AND_BOOT = [
    (
        ["# hello", "temp=21.5,hum=40", "Ready!", "temp=21.6,hum=41"],
        [("temp", "temperature_c", "Cel"), ("hum", "humidity_pct", "%")],
    ),
    (
        ["ets Jan  8 2013,rst cause:2, boot mode:(3,6)", "load 0x40, len 1384, room 16", '{"t":1}', '{"t":2}'],
        [("t", "temperature_c", "Cel")],
    ),
    (["Booting v1.2", "System ready", "// c", "21.5 40", "21.6 41"], [(1, "value_1", "1"), (2, "value_2", "1")]),
    (["Hello, world", "t,hum", "21.5,40", "21.6,41"], [("t", "temperature_c", "Cel"), ("hum", "humidity_pct", "%")]),
    (
        ["boot: 3, mode: 1", "temp=1;hum=2", "temp=2;hum=3"],
        [("temp", "temperature_c", "Cel"), ("hum", "humidity_pct", "%")],
    ),
]


@pytest.mark.parametrize(("texts", "rows"), COMMENTS_AND_BOOT)
def test_comments_and_boot_lines_do_not_disturb(texts: list[str], rows: list[tuple[object, object, object]]) -> None:
    assert fields(proposed(texts)) == rows


@pytest.mark.parametrize(
    ("texts", "how", "rows", "reading"),
    [
        (
            ["[21.5,40]"],
            {"format": "json"},
            [("[0]", "value_1", "1"), ("[1]", "value_2", "1")],
            {"value_1": 21.5, "value_2": 40.0},
        ),
        (
            ['[{"t":1},5]'],
            {"format": "json"},
            [("[0].t", "value_1_temperature_c", "Cel"), ("[1]", "value_2", "1")],
            {"value_1_temperature_c": 1.0, "value_2": 5.0},
        ),
        (
            ['{"t":"21,5"}'],
            {"format": "json", "decimal": ","},
            [("t", "temperature_c", "Cel")],
            {"temperature_c": 21.5},
        ),
        (['{"t":21.5,"h":nan}'], {"format": "json"}, [("t", "temperature_c", "Cel")], {"temperature_c": 21.5}),
        (
            ["temp=21,5"],
            {"format": "keys", "separator": ";", "decimal": ","},
            [("temp", "temperature_c", "Cel")],
            {"temperature_c": 21.5},
        ),
        (
            ["$LMP,20.5,40*4C", "$LMP,20.6,41*4E"],
            {"format": "columns", "separator": ",", "prefix": "$LMP,", "check": "xor8"},
            [(1, "value_1", "1"), (2, "value_2", "1")],
            {"value_1": 20.5, "value_2": 40.0},
        ),
        (
            ["rpm=1200 rpm,hr=71 bpm,fan=300 RPM"],
            {"format": "keys"},
            [("rpm", "speed_rpm", "{rev}/min"), ("hr", "pulse_bpm", "/min"), ("fan", "fan_rpm", "{rev}/min")],
            {"speed_rpm": 1200.0, "pulse_bpm": 71.0, "fan_rpm": 300.0},
        ),
        (
            ["lamp=on,door=NO,x=nan,temp=1"],
            {"format": "keys"},
            [("lamp", "lamp", "flag"), ("door", "door", "flag"), ("temp", "temperature_c", "Cel")],
            {"lamp": True, "door": False, "temperature_c": 1.0},
        ),
        (
            ['{"a\\"b":1,"c\\\\d":2}'],
            {"format": "json"},
            [('["a\\"b"]', "a_b", "1"), ('["c\\\\d"]', "c_d", "1")],
            {"a_b": 1.0, "c_d": 2.0},
        ),
    ],
)
def test_what_the_type_language_reads_is_proposed(
    texts: list[str], how: dict[str, Any], rows: list[tuple[object, object, object]], reading: dict[str, Any]
) -> None:
    event, *_ = read_back(texts, how, rows, "\n")
    assert isinstance(event, Reading)
    assert event.fields == reading


@pytest.mark.parametrize(
    ("texts", "time", "rows"),
    [
        (
            ['{"t":1,"ts":null}', '{"t":1,"ts":0}', '{"t":2,"ts":1714564800}'],
            ("ts", "s"),
            [("t", "temperature_c", "Cel")],
        ),
        (['{"t":1714564800,"p":101325}'], ("t", "s"), [("p", "pressure_pa", "Pa")]),
        (["2024-05-01T12:00:00Z,21.5"], (1, "rfc3339"), [(2, "value_2", "1")]),
        (["1714564800000;21.5"], (1, "ms"), [(2, "value_2", "1")]),
        (["[1714564800,21.5]"], ("[0]", "s"), [("[1]", "value_2", "1")]),
    ],
)
def test_a_time_is_told_from_all_values(
    texts: list[str], time: tuple[object, str], rows: list[tuple[object, object, object]]
) -> None:
    table = proposed(texts)
    assert (table["time"]["from"], table["time"]["unit"]) == time
    assert fields(table) == rows


def test_what_is_left_out_is_said() -> None:
    texts = ['{"t":21.5,"h":null}', '{"t":21.5}']
    proposal = propose("board", shape_of(texts), texts, SERIAL)
    assert proposal is not None
    assert proposal.notes == (
        "t: temperature_c in °C (usual for temperature)",
        "h: left out, no value of it came",
    )


def test_latin_1_is_proposed_and_previewed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_bytes(b"temp=21.5 \xb0C,hum=40\ntemp=21.6 \xb0C,hum=41\n")
    code, out, err = run(capsys, "lines.txt")
    assert code == 0
    (table,) = tomllib.loads(out)["type"]
    assert table["encoding"] == "latin-1"
    assert "# board,thing=board-1 temperature_c=21.5,humidity_pct=40.0 " in out
    assert "2 of 2 lines or payloads are readings with it" in err


def test_latin_1_payloads() -> None:
    messages = [Message("park/lamp-1", b'{"temp":"21.5 \xb0C"}')]
    found = from_messages(messages, Broker("mqtt://127.0.0.1", None, "park/#"), Wish(None, None, {}, built_in()))
    assert tomllib.loads(found.sections[0])["type"][0]["encoding"] == "latin-1"
    assert found.lines[0].startswith("board,thing=lamp-1 temperature_c=21.5 ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "temp=1," * 1500,
            "nothing is proposed: what came looks like keys, but a type of it would read none of it: "
            "a line without an end within 4096 bytes",
        ),
        (
            "[" * 3000 + "1" + "]" * 3000,
            "lines that begin as JSON does, but expected JSON that is not nested so deeply",
        ),
        ("null\nnull\n", "lines, but no numbers with or without names in them, such as 'null'"),
    ],
)
def test_what_reads_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text(text)
    code, out, err = run(capsys, "lines.txt", "--write")
    assert (code, out) == (2, "")
    assert err.startswith(f"parkgate: {words}")
    assert err.count("\n") == 1
    assert not Path("gateway.toml").exists()


def test_a_time_that_is_not_believed_is_shown_as_it_would_be_stored(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text('{"ts":86400,"t":1}\n{"ts":4102444000,"t":2}\n{"ts":1714564800,"t":3}\n')
    _, out, _ = run(capsys, "lines.txt")
    one, two, three = (line for line in out.splitlines() if line.startswith("# board,"))
    assert "1970-01-02T00:00:00.000Z, is before 2000: stored with the time of receipt)" in one
    assert "2099-12-31T23:46:40.000Z, is more than an hour ahead: stored with the time of receipt)" in two
    assert three == "# board,thing=board-1 temperature_c=3.0 1714564800000000000"


def test_a_sentence_that_only_its_check_explains_is_no_known_type(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("$LMP,20.5,40*4C\n$LMP,20.6,41*4E\n")
    assert run(capsys, "lines.txt", "--write", "--name", "lamp-node")[0] == 0
    code, out, err = run(capsys, "lines.txt")
    assert code == 0
    assert tomllib.loads(out)["serial"][0]["device"] == "lamp-node"
    assert "looks like lamp-node (2 frames" in err
    assert "nmea0183" not in err
    assert "# lamp_node,thing=lamp-node-1 value_1=20.5,value_2=40.0 " in out


def test_readings_of_a_known_type_are_shown() -> None:
    messages = [Message("park/post-1", b'[{"n":"temperature","u":"Cel","v":21.5}]')]
    found = from_messages(messages, Broker("mqtt://127.0.0.1", None, "park/#"), Wish(None, None, {}, built_in()))
    assert found.lines[0].startswith("senml,thing=post-1 temperature_c=21.5 ")


def test_a_known_type_is_recognised_between_comments(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("# one\ntemp=1,hum=2\n# two\ntemp=2,hum=2\n# three\ntemp=3,hum=2\n")
    assert run(capsys, "lines.txt", "--write", "--name", "lamp-node")[0] == 0
    _, out, err = run(capsys, "lines.txt")
    assert err.startswith("looks like lamp-node (3 frames")
    assert "# lamp_node,thing=lamp-node-1 temperature_c=1.0,humidity_pct=2.0 " in out


def test_what_a_board_says_while_it_starts_is_not_enough() -> None:
    eye = Gathered(built_in())
    eye.start()
    boot = b"".join(b"step%d: %d\n" % (number, number) for number in range(20))
    eye.bytes(b"\n" + boot)
    assert not eye.over.is_set()
    eye.bytes(b'{"t":21.5}\n' * 10)
    assert eye.over.is_set()
    assert eye.look is not None
    assert [guess.shape for guess in eye.look.guesses] == ["json"]


def test_a_long_file_begins_in_the_middle_of_a_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("1234.5;40\n" * 2000)
    _, out, _ = run(capsys, "lines.txt")
    shown = [line for line in out.splitlines() if line.startswith("# board,")]
    assert [line.split()[2] for line in shown] == ["value_1=1234.5,value_2=40.0"] * 3


def test_a_word_in_place_of_a_number_makes_no_text_of_it() -> None:
    texts = ["temp=init,hum=40", *["temp=21.5,hum=40"] * 4]
    assert fields(proposed(texts)) == [("temp", "temperature_c", "Cel"), ("hum", "humidity_pct", "%")]
    assert fields(proposed(["mode=eco,hum=40", "mode=1,hum=40"]))[0] == ("mode", "mode", "text")


def test_colours_are_left_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text("\x1b[0;32mtemp=21.5,hum=40\x1b[0m\n" * 2)
    code, out, _ = run(capsys, "lines.txt")
    assert code == 0
    assert [(row["from"], row["unit"]) for row in tomllib.loads(out)["type"][0]["field"]] == [
        ("temp", "Cel"),
        ("hum", "%"),
    ]
    assert "# board,thing=board-1 temperature_c=21.5,humidity_pct=40.0 " in out
