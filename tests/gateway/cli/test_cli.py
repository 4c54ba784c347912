"""The command line as its user meets it: what it prints, and the code it ends with."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.decode.command import usual_topic
from gateway.cli.decode.inputs import parse_hex
from gateway.cli.decode.shown import rfc3339
from gateway.cli.main import main

FRAME = "424d001c00000008000800000008000800d20046002d001e00000000970002c5"
"""A PMS5003 capture; avaldebe/PyPMS tests/captured_data/data.csv (MIT)."""

FIELDS = {
    "pm1_0_cf1_ug_m3": 0.0,
    "pm2_5_cf1_ug_m3": 8.0,
    "pm10_cf1_ug_m3": 8.0,
    "pm1_0_ug_m3": 0.0,
    "pm2_5_ug_m3": 8.0,
    "pm10_ug_m3": 8.0,
    "particles_0_3um_per_cm3": 2.1,
    "particles_0_5um_per_cm3": 0.7,
    "particles_1_0um_per_cm3": 0.45,
    "particles_2_5um_per_cm3": 0.3,
    "particles_5_0um_per_cm3": 0.0,
    "particles_10um_per_cm3": 0.0,
    "version": 151,
    "error_code": 0,
}

SENML = (
    '[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1.320067464e+09,"n":"temperature","u":"Cel","v":23.5},'
    '{"n":"boiler_flow","u":"m/s","v":0}]'
)

GOOD = '[[serial]]\nport = "/dev/ttyUSB7"\ndevice = "pms5003"\nthing = "lamp-17"\n'


def decoded(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert main(["decode", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return [json.loads(line) for line in out.splitlines()]


def piped(data: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-c", "from gateway.cli.main import run; run()", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)


def test_decode_prints_a_reading_as_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    (reading,) = decoded(capsys, "--device", "pms5003", "--hex", FRAME)
    assert list(reading)[:4] == ["event", "device", "fields", "time"]
    units = reading.pop("units")
    assert isinstance(units, dict)
    assert units["pm2_5_ug_m3"] == "ug/m3"
    assert units["particles_0_3um_per_cm3"] == "/cm3"
    assert reading == {
        "event": "reading",
        "device": "pms5003",
        "fields": FIELDS,
        "time": None,
        "thing": None,
        "tags": {},
    }


def test_decode_says_as_what_bytes_are_read_that_only_a_topic_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--device", "ble-gatt", "--hex", "0048"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["fields"] == {"heart_rate_bpm": 72.0, "sensor_contact": "NOT_SUPPORTED", "flags": 0}
    assert err == "no --topic: read as if it had come on ble/thing/2a37\n"
    (reading,) = decoded(capsys, "--device", "ble-gatt", "--topic", "2A6E", "--hex", "6408")
    assert reading["fields"] == {"temperature_c": 21.48}


def test_decode_says_noise_and_errors_and_still_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    broken = FRAME[:-1] + "6"
    assert decoded(capsys, "--device", "pms5003", "--hex", f"00 01\n{broken} {FRAME} ff") == [
        {"event": "noise", "bytes": 2, "hex": "0001", "ascii": ".."},
        {
            "event": "error",
            "kind": "integrity",
            "detail": "checksum 0x2c6, computed 0x2c5",
            "bytes": 32,
            "hex": broken,
            "ascii": "BM.................F.-..........",
        },
        {
            "event": "reading",
            "device": "pms5003",
            "fields": FIELDS,
            "time": None,
            "thing": None,
            "tags": {},
            "units": {
                name: "ug/m3" if name.endswith("ug_m3") else "/cm3" if name.endswith("cm3") else "1" for name in FIELDS
            },
        },
        {"event": "noise", "bytes": 1, "hex": "ff", "ascii": "."},
    ]


def test_decode_takes_a_payload_with_its_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert decoded(capsys, "--device", "senml", "--topic", "park/lamp-1/senml", "--text", SENML) == [
        {
            "event": "reading",
            "device": "senml",
            "fields": {"temperature_c": 23.5, "boiler_flow_m_s": 0.0},
            "time": "2011-10-31T13:24:24.000Z",
            "thing": "lamp-1",
            "tags": {},
            "units": {"temperature_c": "Cel", "boiler_flow_m_s": "m/s"},
        }
    ]


def test_decode_without_a_topic_takes_the_thing_from_the_payload(capsys: pytest.CaptureFixture[str]) -> None:
    (reading,) = decoded(capsys, "--device", "senml", "--text", SENML)
    assert reading["thing"] == "urn:dev:ow:10e2073a01080063"


def test_decode_calls_what_is_no_payload_a_sanity_error(capsys: pytest.CaptureFixture[str]) -> None:
    (error,) = decoded(capsys, "--device", "senml", "--text", "hello")
    assert (error["event"], error["kind"], error["bytes"]) == ("error", "sanity", 5)


def test_decode_reads_files_however_they_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    raw, text = tmp_path / "raw.bin", tmp_path / "frame.hex"
    raw.write_bytes(bytes.fromhex(FRAME) * 2)
    text.write_text(f"{FRAME[:32]}\n{FRAME[32:]}\n")
    for arguments, readings in (
        ([str(raw)], 2),
        (["--file", str(raw)], 2),
        (["--hex", str(raw)], 2),
        (["--hex", str(text)], 1),
        ([FRAME], 1),
    ):
        events = decoded(capsys, "--device", "pms5003", *arguments)
        assert [event["event"] for event in events] == ["reading"] * readings, arguments


@pytest.mark.parametrize("arguments", [["-"], ["--file", "-"], ["--hex", "-"], []])
def test_decode_reads_raw_bytes_from_standard_input(arguments: list[str]) -> None:
    done = piped(b"\x00" + bytes.fromhex(FRAME), "decode", "--device", "pms5003", *arguments)
    assert done.stderr == b""
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["noise", "reading"]


def test_decode_reads_hex_text_from_standard_input_when_asked_for_hex() -> None:
    done = piped(FRAME.encode() + b"\n", "decode", "--device", "pms5003", "--hex", "-")
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["reading"]


def test_decode_prints_each_event_while_the_stream_goes_on() -> None:
    command = [sys.executable, "-c", "from gateway.cli.main import run; run()", "decode", "--device", "pms5003", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(bytes.fromhex(FRAME))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["event"] == "reading"
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_a_sentence_given_as_text_needs_no_line_end(capsys: pytest.CaptureFixture[str]) -> None:
    (reading,) = decoded(capsys, "--device", "nmea0183", "--text", "$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K")
    assert (reading["fields"]["course_deg"], reading["fields"]["speed_kn"]) == (54.7, 5.5)


def test_half_a_frame_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    incomplete = "incomplete: it begins as a frame does, and the input ends before the frame does"
    assert decoded(capsys, "--device", "sds011", "--hex", "00 aa c0 d4 04 3a") == [
        {"event": "noise", "bytes": 1, "hex": "00", "ascii": "."},
        {"event": "noise", "detail": incomplete, "bytes": 5, "hex": "aac0d4043a", "ascii": "....:"},
    ]


def test_an_answer_whose_check_does_not_hold_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--device", "rs-ws-n01", "--hex", "07 03 04 01 e0 00 ff dc 78"]) == 0
    captured = capsys.readouterr()
    assert [json.loads(line)["event"] for line in captured.out.splitlines()] == ["noise"]
    assert captured.err == (
        "no answer of unit 1: 9 bytes are as many as one to function 3, registers 0..1 has, but its check does not "
        "hold, or they are something else\n"
    )


def test_a_payload_without_a_codec_is_said_to_be_unread(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--device", "lorawan-payload", "--fport", "5", "--hex", "0102"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["fields"] == {"f_port": 5, "payload_hex": "0102"}
    assert captured.err == (
        "lorawan-payload: no codec was given, so no value is read: --codec FILE.js or --codecs FOLDER\n"
    )


def test_noise_that_lies_together_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert decoded(capsys, "--device", "pms5003", "--hex", "01 02 42 42") == [
        {"event": "noise", "bytes": 4, "hex": "01024242", "ascii": "..BB"}
    ]
    assert decoded(capsys, "--device", "nmea0183", "--text", "GPS") == [
        {"event": "noise", "bytes": 3, "hex": "475053", "ascii": "GPS"}
    ]


def test_a_line_of_json_is_one_line_to_every_reader(capsys: pytest.CaptureFixture[str]) -> None:
    pack = '[{"n":"note","vs":"a\u2028b\u2029c\x85d\x9be\u516c\u5712"}]'
    assert main(["decode", "--device", "senml", "--topic", "park/a/senml", "--text", pack]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    assert '"note_text": "a\\u2028b\\u2029c\\u0085d\\u009be\u516c\u5712"' in out
    assert json.loads(out)["fields"] == {"note_text": "a\u2028b\u2029c\x85d\x9be\u516c\u5712"}


def listening(port: str, *arguments: str) -> "subprocess.Popen[str]":
    """`parkgate decode --port`, started."""
    command = [sys.executable, "-c", "from gateway.cli.main import run; run()", "decode", "--device", "pms5003"]
    return subprocess.Popen(
        [*command, "--port", port, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals on Windows")
def test_decode_listens_to_a_port_as_it_comes_from_the_system() -> None:
    master, slave = os.openpty()  # cooked, with echo: as a port is before anybody has opened it
    port = os.ttyname(slave)
    os.close(slave)
    try:
        with listening(port) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stderr.readline().endswith(f"serial:{port}: open but silent: no bytes yet\n")
            for noise in (b"", b"\x00\x03\x0a"):  # the controls that a cooked terminal would have eaten
                os.write(master, noise + bytes.fromhex(FRAME))
                said = [json.loads(process.stdout.readline()) for _ in range(2 if noise else 1)]
                assert said[-1]["fields"] == FIELDS
            assert said[0] == {"event": "noise", "bytes": 3, "hex": "00030a", "ascii": "..."}
            assert select.select([master], [], [], 0)[0] == []  # nothing is echoed to the device
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert [line.partition("serial: ")[2] for line in err.splitlines()] == [f"serial:{port}: up"]
    finally:
        os.close(master)


def test_what_a_port_says_is_recorded_and_decoded_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lamp.rec"
    server = socket.create_server(("127.0.0.1", 0))
    with server, listening(f"socket://127.0.0.1:{server.getsockname()[1]}", "--record", str(file)) as process:
        assert process.stdout is not None
        device, _ = server.accept()
        with device:
            device.sendall(bytes.fromhex(FRAME))
            live = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    assert process.returncode == 0
    assert sys.platform == "win32" or file.stat().st_mode & 0o7777 == 0o600, "what it says is for this user only"
    lines = file.read_text().splitlines()
    assert lines[0] == "# parkgate recording 1"
    assert "".join(line.split()[1] for line in lines[1:] if not line.startswith("#")) == FRAME.replace(" ", "").lower()
    assert main(["decode", "--device", "pms5003", str(file)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["fields"] == json.loads(live)["fields"] == FIELDS
    assert main(["decode", "--device", "pms5003", "--port", "/dev/x", "--record", str(file)]) == 2
    assert capsys.readouterr().err == f"parkgate: --record: {file} is there already; give another name\n"
    file.write_text("# parkgate recording 1\n0.0 4\n")
    assert main(["decode", "--device", "pms5003", str(file)]) == 2
    assert f"{file}, line 2: expected seconds and bytes in hex, got '0.0 4'" in capsys.readouterr().err


def test_decode_says_that_a_port_is_missing_and_ends_in_time(tmp_path: Path) -> None:
    with listening(str(tmp_path / "usb-none"), "--for", "0.2") as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert f"no port {tmp_path / 'usb-none'}; plug the device in or correct the name" in err


def test_decode_leaves_a_port_when_nobody_reads_what_it_says() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, listening(f"socket://127.0.0.1:{server.getsockname()[1]}") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        device, _ = server.accept()
        with device:
            device.sendall(bytes.fromhex(FRAME))
            assert json.loads(process.stdout.readline())["event"] == "reading"
            process.stdout.close()
            device.sendall(bytes.fromhex(FRAME))
            assert process.wait(timeout=30) == 1
        assert "Traceback" not in process.stderr.read()


WRONG = [
    (["decode", "--device", "pms500", "--hex", "00"], 'no device type "pms500"; did you mean "pms5003"?'),
    (["decode", "--device", "zzz", "--hex", "00"], 'no device type "zzz"; `parkgate devices` lists them'),
    (
        ["decode", "--device", "pms5003", "--hex", "4z"],
        '--hex: expected hex digits or the name of a file, got "4z": "z" is no hex digit',
    ),
    (
        ["decode", "sds011", "--hex", "00"],
        "sds011 is a device type, which stands behind --device: --device sds011",
    ),
    (["decode", "--device", "pms5003", "--hex", "424"], '--hex: expected an even number of hex digits, got "424"'),
    (["decode", "--device", "pms5003", "no-such-file"], '"no-such-file": No such file or directory'),
    (
        ["decode", "--device", "pms5003", "--hex", "00", "--text", "a"],
        "give one input only: --hex, --text, --file, FILE or --port",
    ),
    (
        ["decode", "--device", "pms5003", "--port", "/dev/x", "-"],
        "give one input only: --hex, --text, --file, FILE or --port",
    ),
    (
        ["decode", "--device", "senml", "--port", "/dev/x"],
        "--port: senml speaks MQTT, not serial; give a payload with --text or FILE",
    ),
    (
        ["decode", "--device", "pms5003", "--hex", "00", "--for", "3"],
        "--baud, --parity, --for and --record go with --port PORT",
    ),
    (
        ["decode", "--device", "pms5003", "--port", "/dev/x", "--for", "0"],
        "--for: expected seconds, more than 0, got 0",
    ),
    (["decode", "--device", "pms5003", "--port", "/dev/x", "--parity", "e"], '--parity: expected N, E or O, got "e"'),
    (["devices", "wmbus"], 'no device type "wmbus"; did you mean "wmbusmeters"?'),
    (["devices", "sds19"], 'no device type "sds19"; did you mean "sds198"?'),
    (
        ["run", "--config", "no-such.toml"],
        "no-such.toml: No such file or directory: expected a configuration file that can be read",
    ),
]


@pytest.mark.parametrize(("arguments", "line"), WRONG)
def test_a_mistake_gets_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr() == ("", f"parkgate: {line}\n")


@pytest.mark.parametrize(
    "arguments", [["decode"], ["frobnicate"], ["check"], ["devices", "--frob"], ["dashboards", "x"]]
)
def test_a_wrong_command_line_gets_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("parkgate: ")
    assert err.count("\n") == 1


def test_verbose_shows_the_traceback_and_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--verbose", "devices", "zzz"]) == 2
    first = capsys.readouterr().err
    assert first.startswith("Traceback")
    assert first.endswith('parkgate: no device type "zzz"; `parkgate devices` lists them\n')
    assert main(["devices", "zzz", "--verbose"]) == 2
    assert capsys.readouterr().err.startswith("Traceback")


def test_a_failure_nobody_foresaw_is_one_line_too() -> None:
    program = (
        "import gateway.cli.devices as d; from gateway.cli import main as m\n"
        "def broken(name, config): raise KeyError('odd')\n"
        "d.find = broken; m.run()"
    )
    done = subprocess.run([sys.executable, "-c", program, "devices", "x"], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"parkgate: KeyError: 'odd'\n")


def test_check_says_what_the_file_means(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD)
    assert main(["check", "--config", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "serial  /dev/ttyUSB7: pms5003, thing lamp-17",
        f"sink    local store {tmp_path}/var/parkgate.duckdb",
        f"state   {tmp_path}/var, health on 127.0.0.1:8080",
        f"{file}: ok",
    ]


def test_check_names_file_key_value_and_what_was_expected(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD.replace("pms5003", "pms503"))
    assert main(["check", "--config", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f'parkgate: {file}:3:10: serial[0].device = "pms503": expected a device type that speaks serial, '
        'did you mean "pms5003"?\n'
    )


def test_devices_lists_every_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "title", "link", "domain", "fields"]
    names = [row.split()[0] for row in rows]
    assert names[:3] == ["hpma115c0", "hpma115s0", "mcu680"]
    assert names[-1] == "vda5050"
    assert set(names) >= {"pms5003", "sds011", "nmea0183", "bci-oximeter", "senml", "ttn-v3", "vda5050"}


def test_devices_describes_one_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "pms5003"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pms5003"
    assert lines[2].split() == ["link", "serial,", "9600", "baud,", "8N1"]
    (row,) = [line for line in lines if line.split()[:1] == ["pm2_5_ug_m3"]]
    assert row.split()[:7] == ["pm2_5_ug_m3", "µg/m³", "ug/m3", "measure", "0", "..", "65535"]


def test_another_name_of_a_type_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "lorawan-payload"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == ["lorawan-payload is another name of ttn-v3", "", "ttn-v3"]


def test_devices_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "pms5003", "--json"]) == 0
    device = json.loads(capsys.readouterr().out)
    assert (device["link"], device["baud"], device["parity"]) == ("serial", 9600, "N")
    assert device["fields"][4]["name"] == "pm2_5_ug_m3"
    assert device["fields"][4]["unit"] == "ug/m3"
    assert main(["devices", "--json"]) == 0
    assert "senml" in {device["name"] for device in json.loads(capsys.readouterr().out)}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "parkgate 0.1.0\n"


def test_a_bare_command_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    for command in ("demo", "run", "check", "devices", "decode", "simulate", "dashboards"):
        assert f"\n  {command} " in out


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -c 'from gateway.cli.main import run; run()' decode --device pms5003 - | head -1"
    done = subprocess.run(
        ["bash", "-c", command], input=b"\x00" * 4_000_000, capture_output=True, check=False, timeout=60
    )
    assert done.stdout.startswith(b'{"event": "noise", "bytes": 65536, "hex": "00')
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1198434911000000000, "2007-12-23T18:35:11.000Z"),
        (1198434911120000000, "2007-12-23T18:35:11.120Z"),
        (1198434911120450000, "2007-12-23T18:35:11.120450Z"),
        (1198434911000000001, "2007-12-23T18:35:11.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (10**30, None),
    ],
)
def test_times_are_rfc_3339_in_utc(time_ns: int, text: str | None) -> None:
    assert rfc3339(time_ns) == text


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("42 4D", b"BM"),
        ("0x42, 0x4d", b"BM"),
        ("42:4d", b"BM"),
        ("\\x42\\x4d\n", b"BM"),
        ("", b""),
        ("4", None),
        ("g0", None),
    ],
)
def test_hex_is_read_as_people_write_it(text: str, data: bytes | None) -> None:
    assert parse_hex(text) == data


def test_a_topic_name_for_payloads_given_without_one() -> None:
    assert usual_topic("v3/+/devices/{thing}/up") == "v3/-/devices/thing/up"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_decode_reads_a_text_as_an_editor_has_saved_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, encoding: str
) -> None:
    payload, sentences, digits = tmp_path / "payload.json", tmp_path / "log.nmea", tmp_path / "frame.txt"
    payload.write_bytes('[{"bn":"a:","n":"temperature","u":"Cel","v":21.5}]'.encode(encoding))
    sentences.write_bytes("$GPHDT,274.07,T*03\r\n".encode(encoding))
    digits.write_bytes("AA C0 D4 04 3A 0A A1 60 1D AB\r\n".encode(encoding))
    assert main(["decode", "--device", "senml", str(payload)]) == 0
    assert json.loads(capsys.readouterr().out)["fields"] == {"temperature_c": 21.5}
    assert main(["decode", "--device", "nmea0183", str(sentences)]) == 0
    assert json.loads(capsys.readouterr().out)["fields"]["heading_deg"] == 274.07
    assert main(["decode", "--device", "sds011", "--hex", str(digits)]) == 0
    assert json.loads(capsys.readouterr().out)["event"] == "reading"
