"""docker-compose.yml and what it mounts, as far as that can be known without an engine."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import yaml

from gateway import config
from simulators.fleet import file as fleet_file
from tests.servers.process import Process, answers_tcp, find_binary, on_free_port

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
DEPLOY = ROOT / "deploy"


def example() -> dict[str, str]:
    """The variables of .env.example."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def run_config(env_file: Path) -> subprocess.CompletedProcess[str]:
    binary = find_binary("docker-compose") or "docker-compose"
    bare = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    argv = [binary, "--file", str(COMPOSE), "--env-file", str(env_file), "config"]
    return subprocess.run(argv, env=bare, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.services("docker-compose")
def test_compose_takes_the_file_with_the_example_environment() -> None:
    done = run_config(EXAMPLE)
    assert done.returncode == 0, done.stderr
    seen = yaml.safe_load(done.stdout)
    assert sorted(seen["services"]) == ["boards", "gateway", "grafana", "influxdb", "mosquitto", "simulators"]
    assert seen["services"]["grafana"]["environment"]["INFLUX_TOKEN"] == "change-me-influx-token"


@pytest.mark.services("docker-compose")
def test_compose_says_what_to_do_without_an_environment(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    done = run_config(tmp_path / "empty")
    assert done.returncode != 0
    assert "copy .env.example to .env first" in done.stderr


def test_every_variable_is_in_the_example_and_every_example_is_used() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", COMPOSE.read_text()))
    assert used == set(example())


def test_every_mounted_file_exists_and_every_volume_is_named() -> None:
    named = set(yaml.safe_load(COMPOSE.read_text())["volumes"])
    mounts = [mount.split(":") for service in services().values() for mount in service.get("volumes", [])]
    assert len(mounts) == 10
    for source, target, *_ in mounts:
        assert target.startswith("/")
        if source.startswith("./"):
            assert (ROOT / source).exists(), source
        else:
            assert source in named, source


def test_our_services_run_the_image_that_is_built_here() -> None:
    ours = {name: service for name, service in services().items() if service["image"] == "parkgate:local"}
    assert sorted(ours) == ["boards", "gateway", "simulators"]
    assert [name for name, service in services().items() if "build" in service] == ["boards"]
    assert ours["boards"]["build"] == "."
    for name in ("gateway", "simulators"):
        assert ours[name]["pull_policy"] == "never"
        assert ours[name]["depends_on"]["boards"] == {"condition": "service_started"}, "built before it is used"
    assert re.search(r"^USER parkgate$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_what_the_image_is_made_of_exists_and_is_sent_to_the_builder() -> None:
    copied = [
        part
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for part in line.split()[1:-1]
    ]
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == sent
    assert [part for part in copied if not (ROOT / part).exists()] == []


def test_servers_are_pinned_healthy_and_waited_for() -> None:
    for name in ("mosquitto", "influxdb", "grafana"):
        assert re.fullmatch(r"[a-z-]+(/[a-z-]+)?:\d+\.\d+\.\d+", services()[name]["image"])
    assert {name for name, service in services().items() if "healthcheck" not in service} == {"boards"}
    assert services()["gateway"]["depends_on"] == {
        "boards": {"condition": "service_started"},
        "mosquitto": {"condition": "service_healthy"},
        "influxdb": {"condition": "service_healthy"},
    }
    assert services()["grafana"]["depends_on"]["boards"] == {"condition": "service_completed_successfully"}


def test_ports_open_on_loopback_unless_the_environment_says_otherwise() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports == [f"${{BIND:-127.0.0.1}}:{port}:{port}" for port in (1883, 8086, 8080, 3000)]
    assert example()["BIND"] == "127.0.0.1"


def test_the_gateway_config_passes_the_loader() -> None:
    loaded = config.load(DEPLOY / "gateway.toml", example())
    assert loaded.influxdb is not None
    assert (loaded.influxdb.url, loaded.influxdb.database) == ("http://influxdb:8086", "parkgate")
    assert loaded.influxdb.token == "change-me-influx-token"
    assert loaded.gateway.listen == "0.0.0.0:8080"


def test_the_fleet_speaks_what_the_gateway_listens_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MQTT_DEVICE_PASSWORD", "x")
    loaded = config.load(DEPLOY / "gateway.toml", example())
    fleet = fleet_file.load(DEPLOY / "fleet.toml", loaded.devices)
    assert fleet.listen == "0.0.0.0"
    assert {thing.device for thing in fleet.things} == {
        "pms5003", "sds011", "nmea0183", "bci-oximeter", "senml", "ttn-v3", "vda5050",
    }  # fmt: skip
    served = {
        (f"socket://simulators:{thing.port}", thing.name, thing.device) for thing in fleet.things if thing.via == "tcp"
    }
    assert served == {(port.port, port.thing, port.device) for port in loaded.serial}
    patterns = [
        re.compile(re.escape(each.topic).replace(r"\{thing\}", "[^/]+").replace(r"\+", "[^/]+") + "$")
        for broker in loaded.mqtt
        for each in broker.subscriptions
    ]
    for thing in fleet.things:
        if thing.via == "mqtt":
            assert [p.pattern for p in patterns if p.match(thing.topic_name)], thing.topic_name


def test_grafana_reads_what_the_boards_service_writes() -> None:
    """Both see the volume at one path, so the absolute paths in the files hold for both."""
    command = services()["boards"]["command"]
    assert command[:3] == ["dashboards", "build", "--out=/grafana"]
    assert command[3] == "--influx-url=http://influxdb:8086"
    grafana = services()["grafana"]
    assert "boards:/grafana" in services()["boards"]["volumes"]
    assert "boards:/grafana:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_PATHS_PROVISIONING"] == "/grafana/provisioning"
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == "/grafana/dashboards/parkgate-city.json"


def test_no_secret_is_in_the_files() -> None:
    for path in [COMPOSE, *DEPLOY.rglob("*.toml"), DEPLOY / "mosquitto.conf"]:
        for name, value in example().items():
            if "PASSWORD" in name or "TOKEN" in name:
                assert value not in path.read_text(), f"{path}: {name}"
                assert value.startswith("change-me")


def test_the_password_file_is_made_anew_at_every_start() -> None:
    """A file that is there may belong to another user or have a mode that the tool refuses to write."""
    script = services()["mosquitto"]["command"][2].splitlines()
    assert script[1] == "rm -f /mosquitto/data/passwd"
    assert script[2].startswith("mosquitto_passwd -c -b /mosquitto/data/passwd gateway ")


def make_user(passwords: Path, name: str, word: str) -> None:
    binary = find_binary("mosquitto_passwd") or "mosquitto_passwd"
    subprocess.run([binary, "-c", "-b", str(passwords), name, word], check=True, capture_output=True, timeout=30)
    passwords.chmod(0o644)


@pytest.mark.services("mosquitto")
async def test_the_broker_takes_its_config_and_only_known_users(tmp_path: Path) -> None:
    """The file itself, on a port and in a folder of the test's own."""
    make_user(tmp_path / "passwd", "gateway", "word")

    def make(port: int) -> Process:
        text = (DEPLOY / "mosquitto.conf").read_text().replace("/mosquitto/data", str(tmp_path))
        conf = tmp_path / f"{port}.conf"
        conf.write_text(text.replace("listener 1883", f"listener {port} 127.0.0.1") + "user root\n")
        argv = [find_binary("mosquitto") or "mosquitto", "-c", str(conf)]
        process = Process("mosquitto", argv, tmp_path / "log", lambda: answers_tcp(port))
        ports.append(port)
        return process

    ports: list[int] = []
    broker = on_free_port(make)
    try:
        async with aiomqtt.Client("127.0.0.1", ports[-1], username="gateway", password="word"):
            pass
        with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori[sz]ed"):
            async with aiomqtt.Client("127.0.0.1", ports[-1]):
                pass
    finally:
        broker.stop()
    assert "Error" not in broker.log_tail(), broker.log_tail()
