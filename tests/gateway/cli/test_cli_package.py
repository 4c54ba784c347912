"""A device type that a package brings, beside an installed parkgate: no checkout, no line of ours changed."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.device_types import blocks

COMMAND = Path(sys.executable).with_name("parkgate")
(MODULE,) = [block for block in blocks("python") if 'name="acme-wind"' in block]


def install(folder: Path, module: str = MODULE, points: str = "acme-wind = acme_wind:DEVICE") -> Path:
    """What `pip install` leaves behind of a package with one module."""
    info = folder / "site" / "acme_parkgate-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "site" / "acme_wind.py").write_text(module)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-parkgate\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[parkgate.devices]\n{points}\n")
    return folder


def parkgate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`parkgate` as its user runs it, in `folder`, with the package installed."""
    environ = {**os.environ, "PYTHONPATH": str(folder / "site")}
    return subprocess.run(
        [str(COMMAND), *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_package_brings_a_type_for_every_command(tmp_path: Path) -> None:
    install(tmp_path)
    listed = parkgate(tmp_path, "devices")
    (row,) = [line for line in listed.stdout.splitlines() if line.startswith("acme-wind")]
    assert row.split() == ["acme-wind", "Acme", "wind", "sensor", "serial", "park", "2"]
    decoded = parkgate(tmp_path, "decode", "--device", "acme-wind", "--text", "$WIND,270,3.4*08")
    assert json.loads(decoded.stdout)["fields"] == {"wind_direction_deg": 270.0, "wind_m_s": 3.4}
    (tmp_path / "gateway.toml").write_text('[[serial]]\nport = "./wind"\ndevice = "acme-wind"\nthing = "roof"\n')
    checked = parkgate(tmp_path, "check")
    assert checked.stdout.splitlines()[0] == f"serial  {tmp_path}/wind: acme-wind, thing roof"
    built = parkgate(tmp_path, "dashboards", "build", "--out", "grafana")
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "grafana" / "dashboards" / "parkgate-device-acme-wind.json").is_file()
    (tmp_path / "fleet.toml").write_text('[[thing]]\ndevice = "acme-wind"\n')
    simulated = parkgate(tmp_path, "simulate", "--for", "0.1")
    assert simulated.stdout.splitlines()[0].startswith("acme-wind        acme-wind     every 1 s  /")


WHO = "of package acme-parkgate (acme_wind:DEVICE): "


@pytest.mark.parametrize(
    ("module", "points", "said"),
    [
        (
            "import no_such_module",
            "acme-wind = acme_wind:DEVICE",
            "acme-wind " + WHO + "cannot be imported: ModuleNotFoundError: No module",
        ),
        ("raise ValueError('boom')", "acme-wind = acme_wind:DEVICE", "acme-wind " + WHO + "cannot be imported: Value"),
        ("def f(:", "acme-wind = acme_wind:DEVICE", "acme-wind " + WHO + "cannot be imported: SyntaxError: "),
        ("raise SystemExit", "acme-wind = acme_wind:DEVICE", "acme-wind " + WHO + "cannot be imported: SystemExit"),
        ("DEVICE = 7", "acme-wind = acme_wind:DEVICE", "acme-wind " + WHO + "expected a description, got int"),
        (MODULE, "acme-gust = acme_wind:DEVICE", "acme-gust " + WHO + "its description calls it acme-wind"),
        (MODULE, "ttn_v3 = acme_wind:DEVICE", "ttn_v3 " + WHO + "parkgate has one of that name"),
    ],
)
def test_a_package_that_is_broken_is_named_and_the_other_types_stay(
    tmp_path: Path, module: str, points: str, said: str
) -> None:
    install(tmp_path, module, points)
    listed = parkgate(tmp_path, "devices")
    assert listed.returncode == 0
    assert "pms5003" in listed.stdout
    assert listed.stderr.startswith(f"parkgate: device type {said}")
    assert len(listed.stderr.splitlines()) == 1
    name = points.partition(" ")[0]
    decoded = parkgate(tmp_path, "decode", "--device", name, "--hex", "00")
    assert (decoded.returncode, decoded.stderr) == (2, listed.stderr)
    config = tmp_path / "park.toml"
    config.write_text(f'[[serial]]\nport = "./wind"\ndevice = "{name}"\nthing = "roof"\n')
    checked = parkgate(tmp_path, "check", "park.toml")
    assert checked.returncode == 2
    assert checked.stderr.startswith(
        f'parkgate: park.toml:3:10: serial[0].device = "{name}": expected a device type that can be used; '
        f"device type {said}"
    )


def test_a_package_that_is_broken_is_no_matter_of_what_does_not_use_it(tmp_path: Path) -> None:
    install(tmp_path, "raise ValueError('boom')")
    warning = "parkgate: device type acme-wind " + WHO + "cannot be imported: ValueError: boom\n"
    built = parkgate(tmp_path, "dashboards", "build", "--out", "grafana")
    assert (built.returncode, built.stderr) == (0, warning)
    config = tmp_path / "park.toml"
    config.write_text(
        '[influxdb]\nurl = "http://h:8086"\ntoken = "t"\ndatabase = "park"\n'
        '[[serial]]\nport = "./p"\ndevice = "pms503"\nthing = "a"\n'
    )
    checked = parkgate(tmp_path, "check", "park.toml")
    assert checked.returncode == 2
    assert 'did you mean "pms5003"?' in checked.stderr
    assert "acme-wind" not in checked.stderr
    config.write_text(config.read_text().replace("pms503", "pms5003"))
    assert parkgate(tmp_path, "check", "park.toml").returncode == 0
    built = parkgate(tmp_path, "dashboards", "build", "--out", "grafana", "--config", "park.toml")
    assert (built.returncode, built.stderr) == (0, warning)
    (tmp_path / "fleet.toml").write_text('[[thing]]\ndevice = "acme-wind"\n')
    simulated = parkgate(tmp_path, "simulate", "--for", "0.1")
    assert simulated.returncode == 2
    assert "expected a device type that can be used; device type acme-wind " + WHO in simulated.stderr


def test_a_package_cannot_take_the_name_of_another_type(tmp_path: Path) -> None:
    install(tmp_path, MODULE, "pms5003 = acme_wind:DEVICE")
    why = "device type pms5003 " + WHO + "parkgate has one of that name, which stays"
    listed = parkgate(tmp_path, "devices")
    assert (listed.returncode, listed.stderr) == (0, f"parkgate: {why}\n")
    (tmp_path / "gateway.toml").write_text('[[serial]]\nport = "./p"\ndevice = "pms5003"\nthing = "a"\n')
    checked = parkgate(tmp_path, "check")
    assert checked.returncode == 0
    assert f"warning {why}\n" in checked.stdout


def test_a_port_that_nobody_named_a_type_for_looks_like_a_configured_one(tmp_path: Path) -> None:
    lines = "".join(f"bat={3700 + number},tmp={21 + number / 10:.1f}\r\n" for number in range(20))
    (tmp_path / "gateway.toml").write_text(
        '[[type]]\nname = "lamp-x"\nformat = "keys"\nbaud = 9600\n[[type.field]]\nname = "battery_mv"\nunit = "mV"\n'
        'from = "bat"\n'
    )
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(lines.encode())
            connection.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    told = parkgate(tmp_path, "decode", "--port", f"socket://127.0.0.1:{listener.getsockname()[1]}", "--for", "2")
    listener.close()
    assert "looks like lamp-x" in told.stdout + told.stderr
