"""`parkgate decode` at a terminal, and at a port of which nobody has said what is on it."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.decode.lines import Lines
from gateway.cli.decode.shown import shown
from gateway.cli.main import main
from tests.device_types import BY_NAME

COMMAND = [sys.executable, "-c", "from gateway.cli.main import run; run()", "decode"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals on Windows")


@contextlib.contextmanager
def port() -> Iterator[tuple[int, str]]:
    """A raw pty: the device's side and the name of the other."""
    master, slave = os.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    try:
        yield master, name
    finally:
        os.close(master)
        os.close(slave)


def watched(said: bytes, *arguments: str, lines: int) -> tuple[list[dict[str, Any]], str]:
    """The first `lines` lines of `decode --port`, of a port that says `said` again and again; and stderr."""
    with port() as (master, name):
        os.set_blocking(master, False)
        process = subprocess.Popen(
            [*COMMAND, "--port", name, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        found: list[dict[str, Any]] = []
        try:
            os.write(master, said)  # opening discards what came before; so it is said until it is heard
            while len(found) < lines:
                found.append(json.loads(_next_line(process, master, said)))
        finally:
            process.terminate()
            _, err = process.communicate(timeout=30)
    return found, err


def _next_line(process: subprocess.Popen[str], master: int, said: bytes) -> str:
    import select

    assert process.stdout is not None
    for _ in range(300):
        if select.select([process.stdout], [], [], 0.1)[0]:
            return process.stdout.readline()
        with contextlib.suppress(BlockingIOError):
            os.write(master, said)
    raise AssertionError("it said nothing in 30 s")


@pytest.mark.parametrize(
    ("said", "shape", "words", "text"),
    [
        (b"temp=21.5,hum=40\r\n", "keys", "looks like key=value with keys temp, hum", "temp=21.5,hum=40"),
        (b'{"t":21.5,"h":40}\n', "json", "looks like JSON with keys t, h", '{"t":21.5,"h":40}'),
        (b"21.5;40\n", "columns", "looks like 2 columns between ';'", "21.5;40"),
        (b"hello\r", "text", "printable lines", "hello"),
    ],
)
def test_a_port_that_nobody_has_named_is_shown_as_text(said: bytes, shape: str, words: str, text: str) -> None:
    (guess, first), err = watched(said * 3, lines=2)
    assert guess == {"event": "guess", "words": words, "device": None, "shape": shape}
    assert first == {"event": "text", "bytes": len(text), "text": text}
    assert "at 9600 baud: " in err
    assert ("`parkgate learn --port " in err) == (shape != "text")
    assert "Traceback" not in err


ALIKE = ("pms5003", "pms5003t", "pms7003", "pmsa003", "pms5003s", "hpma115s0")
PMS5003 = "424d001c00000008000800000008000800d20046002d001e00000000970002c5"


def test_a_known_type_is_recognised_and_its_bytes_are_shown() -> None:
    (*guesses, first), err = watched(bytes.fromhex(PMS5003), "--baud", "9600", lines=len(ALIKE) + 1)
    assert tuple(guess["device"] for guess in guesses) == ALIKE  # the same frame: the person decides
    assert f"{', '.join(ALIKE[:-1])} and {ALIKE[-1]}: their frames are the same, only you can tell which it is\n" in err
    assert guesses[0]["words"].startswith("looks like pms5003 (")
    assert first["event"] == "bytes"
    assert first["hex"].startswith("424d001c")
    assert first["ascii"].startswith("BM..")


def test_bytes_that_make_sense_at_no_speed_are_shown_as_bytes() -> None:
    (first,), err = watched(bytes([0, 0x81, 0xFF, 0xFE]) * 300, lines=1)
    assert first["event"] == "bytes"
    assert first["hex"].startswith("0081fffe")
    assert "at 9600 baud: " in err
    assert "at 230400 baud: " in err
    assert "it makes no sense at any speed tried" in err


def test_text_without_line_ends_is_shown_as_text() -> None:
    (first,), err = watched(b"temp=21.5,hum=40 " * 80, "--baud", "9600", lines=1)
    assert first["event"] == "text"
    assert first["text"].startswith("temp=21.5,hum=40 temp=21.5")
    assert "bytes no whole line came, ended by CR or LF; shown as it comes\n" in err
    assert "no sense" not in err


def test_bytes_that_make_no_sense_at_the_speed_that_was_given_say_that_speed() -> None:
    (first,), err = watched(bytes([0, 0x81, 0xFF, 0xFE]) * 300, "--baud", "9600", lines=1)
    assert first["event"] == "bytes"
    assert "it makes no sense at 9600 baud; shown as bytes. Another speed (without --baud several are tried) or" in err
    assert "any speed tried" not in err


def test_a_silent_port_says_that_nothing_came() -> None:
    with port() as (_, name):
        done = subprocess.run(
            [*COMMAND, "--port", name, "--for", "0.5"], capture_output=True, text=True, check=False, timeout=60
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "nothing came; some devices speak only when they are asked: --device NAME --unit N"
    )


def test_a_port_that_never_was_there_is_not_said_to_be_silent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", "--port", str(tmp_path / "none"), "--for", "0.2"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert f"no port {tmp_path / 'none'}; plug the device in or correct the name" in said


def line(device: str, data: bytes) -> list[str]:
    type_ = BY_NAME[device]
    decoder = type_.decoder()  # type: ignore[union-attr]
    events = decoder.feed(data) + decoder.flush()
    lines = Lines(live=False)
    return [lines.line(shown(event, type_, None), event, type_).plain for event in events]


def test_a_reading_is_one_short_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert line("pms5003", bytes.fromhex(PMS5003)) == ["pms5003  pm1.0 0 µg/m³  pm2.5 8 µg/m³  pm10 8 µg/m³  +11"]
    monkeypatch.setenv("COLUMNS", "200")
    assert line("sds011", bytes.fromhex("aac0d4043a0aa1601dab")) == [
        "sds011  pm2.5 123.6 µg/m³  pm10 261.8 µg/m³  device id A160"
    ]


def test_noise_and_errors_are_shown_with_their_bytes() -> None:
    assert line("pms5003", b"AT\r\n\x00BM\x00\x42") == [
        "noise, 5 bytes  AT...  41 54 0d 0a 00",
        "integrity: length 66, expected 4 or 28, 3 bytes  BM.  42 4d 00",
        "noise, 1 byte  B  42",
    ]


def test_json_in_a_terminal_where_it_is_asked_for() -> None:
    for more, wanted in (((), b"+11"), (("--json",), b'"event": "reading"')):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, "--device", "pms5003", "--hex", PMS5003, *more], stdout=slave, stderr=subprocess.PIPE
        )
        os.close(slave)
        said = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while chunk := os.read(master, 4096):
                said += chunk
        assert process.wait(30) == 0
        os.close(master)
        assert wanted in said, said


@pytest.mark.parametrize(
    ("protocol", "said", "device"),
    [
        # captures of PyPMS (MIT), as in tests/devices/published.jsonl
        ("plantower", "424d001400010001000100010001000100000000005100fa", "pms3003"),
        ("plantower", "424d001c00000008000800000008000800d20046002d001e00000000970002c5", "pms5003"),
        ("plantower", "424d001c0015002400240014002100240dc8041f00e4000e00d400e09a000599", "pms5003t"),
        ("novasds", "aac0d4043a0aa1601dab", "sds011"),
        ("honeywell-hpma", "4005040030003156", "hpma115s0"),
        ("honeywell-hpma", "400d0400040007000900170000000084", "hpma115c0"),
        ("bosch-mcu680", "5a5a3f0f09790ac5018b8500190000a4830005a9", "mcu680"),
        ("winsen-mhz", "ff86027c42000000ba", "mhz19b"),
        ("senml-json", b'[{"n":"temperature","u":"Cel","v":21.5}]'.hex(), "senml"),
    ],
)
def test_a_protocol_names_the_type_that_speaks_it(
    capsys: pytest.CaptureFixture[str], protocol: str, said: str, device: str
) -> None:
    from gateway.cli.main import main

    assert main(["decode", "--device", protocol, "--hex", said]) == 0
    event = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (event["event"], event["device"]) == ("reading", device)
