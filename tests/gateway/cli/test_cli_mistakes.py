"""What is said to somebody who has typed the wrong thing: one line, exit code 2, and nothing begun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.main import main

GOOD = '[[serial]]\nport = "/dev/ttyUSB7"\ndevice = "pms5003"\nthing = "lamp-17"\n'
COMMANDS = (
    "expected demo, run, check, devices, decode, learn, tell, commands, simulate, dashboards, serial, spool or bench"
)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("frob", f"frob: {COMMANDS}"),
        ("chek", f'chek: {COMMANDS}; did you mean "check"?'),
        ("spool frob", "spool frob: expected quarantine or salvage"),
        ("dashboards", "dashboards: which command? expected build"),
        (
            "bench",
            "bench: which command? expected ingest, serial, spool, decode, codecs, start, latency, scale, profile or "
            "all",
        ),
        ("spool salvage", "spool salvage FILE is missing; `parkgate spool salvage --help` says more"),
        (
            "decode",
            "--device is missing: expected a device type (`parkgate devices` lists them), or a --port",
        ),
        ("demo --for abc", "demo --for: expected a number"),
        ("demo --things x", "demo --things: expected a whole number"),
        ("spool quarantine --limit 0", "spool quarantine --limit: expected a number greater than or equal to 1"),
        ("run -c a b", "two files, a and b: expected one, as in parkgate run --config FILE"),
        ("check a b", "Got unexpected extra argument(s) (b); `parkgate check --help` says more"),
        ("spool salvage nofile", "FILE nofile: expected a spool file that was set aside (spool.db.damaged-…)"),
    ],
)
def test_what_was_typed(capsys: pytest.CaptureFixture[str], typed: str, said: str) -> None:
    assert main(typed.split()) == 2
    assert capsys.readouterr() == ("", f"parkgate: {said}\n")


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_configuration_with_nothing_to_read(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("")
    assert main([command, "--config", str(file)]) == 2
    said = f"parkgate: {file}:1:1: nothing to read: expected at least one [[serial]] or [mqtt.NAME]\n"
    assert capsys.readouterr() == ("", said)
    assert list(tmp_path.iterdir()) == [file]


def test_the_file_may_stand_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD)
    assert main(["check", str(file)]) == 0
    alone = capsys.readouterr().out
    assert main(["check", "--config", str(file)]) == 0
    assert capsys.readouterr().out == alone
    assert alone.startswith("serial  /dev/ttyUSB7: pms5003, thing lamp-17\n")


@pytest.mark.parametrize(
    ("command", "usual"), [("check", "gateway.toml"), ("run", "gateway.toml"), ("simulate", "fleet.toml")]
)
def test_without_config_it_is_said_where_the_usual_file_was_looked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, usual: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 2
    said = f"parkgate: no {usual} in {tmp_path}: expected one there, or parkgate {command} --config FILE\n"
    assert capsys.readouterr() == ("", said)
    (tmp_path / usual).write_text("a = ")
    assert main([command]) == 2
    said = f"parkgate: {usual}:1:5: Invalid value: expected a TOML file; what follows was not read\n"
    assert capsys.readouterr() == ("", said)


def test_without_config_check_takes_gateway_toml(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gateway.toml").write_text(GOOD)
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("gateway.toml: ok\n")


@pytest.mark.parametrize("command", ["check", "run"])
def test_every_mistake_is_a_line_on_stderr(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD.replace("pms5003", "pms503") + "colour = 3\n[gateway]\nname = 1\n")
    assert main([command, "--config", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": expected")[0].split(": unknown")[0] for line in err.splitlines()] == [
        f'parkgate: {file}:3:10: serial[0].device = "pms503"',
        f"parkgate: {file}:5:1: serial[0].colour = 3",
        f"parkgate: {file}:7:8: gateway.name = 1",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_for_the_other_command_is_known_in_any_encoding(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "any.toml"
    file.write_bytes(GOOD.encode(encoding))
    assert main(["simulate", str(file)]) == 2
    assert "this is a gateway configuration" in capsys.readouterr().err


def test_a_gateway_configuration_is_no_fleet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD)
    assert main(["simulate", str(file)]) == 2
    said = f"parkgate: {file}: this is a gateway configuration; simulate wants a fleet file ([fleet], [[thing]])\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_fleet_is_no_gateway_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[[thing]]\nname = "lamp"\ndevice = "pms5003"\n')
    assert main([command, str(file)]) == 2
    said = f"{file}: this is a fleet file; expected a gateway configuration (parkgate simulate runs fleets)"
    assert capsys.readouterr() == ("", f"parkgate: {said}\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("demo --for 1 --svg file/x.svg", "--svg: file/x.svg: Not a directory; expected a file this user may write"),
        ("demo --for 1 --state-dir file", "--state-dir: file: it is a file; expected a folder this user may write"),
        (
            "demo --for 1 --state-dir file/x",
            "--state-dir: file/x: Not a directory; expected a folder this user may write",
        ),
        ("dashboards build --out file", "--out file: Not a directory; expected a folder this user may write"),
    ],
)
def test_places_that_cannot_be_written_are_said_before_anything_runs(tmp_path: Path, typed: str, said: str) -> None:
    (tmp_path / "file").write_text("mine")
    command = [sys.executable, "-c", "from gateway.cli.main import run; run()", *typed.split()]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"parkgate: {said}"
    assert (tmp_path / "file").read_text() == "mine"


def test_dashboards_read_url_and_database_from_a_gateway(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD + '[influxdb]\nurl = "http://store:8086"\ndatabase = "park"\n')
    assert main(["dashboards", "build", "--out", str(tmp_path / "a"), "--config", str(file)]) == 0
    assert main(["dashboards", "build", "--out", str(tmp_path / "b"), "-c", str(file), "--database", "yard"]) == 0
    first = (tmp_path / "a" / "provisioning" / "datasources" / "parkgate.yaml").read_text()
    second = (tmp_path / "b" / "provisioning" / "datasources" / "parkgate.yaml").read_text()
    assert 'url: "http://store:8086"\n' in first
    assert 'database: "park"\n' in first
    assert 'url: "http://store:8086"\n' in second
    assert 'database: "yard"\n' in second


def test_dashboards_of_a_gateway_without_influxdb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(GOOD)
    assert main(["dashboards", "build", "--out", str(tmp_path / "a"), "--config", str(file)]) == 0
    said = (
        f"{file}: no [influxdb], which Grafana reads; the files say http://127.0.0.1:8086 and parkgate, "
        "--influx-url and --database say otherwise\n"
    )
    assert capsys.readouterr().err == said
