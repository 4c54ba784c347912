"""What holds for the project as a whole: the floor plan, and that the papers tell the truth."""

import ast
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from devices.spec.device import Domain
from devices.spec.events import Reading
from gateway.cli.main import main
from gateway.config import load
from tests.device_types import BUILT_IN, DEVICES, SHOWN
from tests.devices import examples

ROOT = Path(__file__).parent.parent
PAPERS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
ENVIRON = {
    "INFLUX_TOKEN": "t",
    "TTN_API_KEY": "k",
    "GATEWAY_NAME": "gateway-0",
    "MQTT_PASSWORD": "p",
    "PARKGATE_API_TOKEN": "0123456789abcdef",
}

COMMANDS = {
    "demo": ["--for", "--things", "--seed"],
    "run": ["--config"],
    "check": ["--config"],
    "devices": ["--config", "--json"],
    "decode": ["--device", "--config", "--topic", "--hex", "--text"],
    "simulate": ["--config"],
    "spool": ["--config", "--json"],
    "spool quarantine": ["--config", "--limit"],
    "spool salvage": [],
    "dashboards build": ["--out"],
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the files that belong to the project are not known")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_imports_keep_to_the_floor_plan() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_and_the_command_line_agree(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([*command.split(), "--help"]) == 0
    helped = capsys.readouterr().out
    lines = (ROOT / "README.md").read_text().splitlines()
    (row,) = [line for line in lines if re.match(rf"\| `parkgate {command}(?! [a-z])", line)]
    for option in COMMANDS[command]:
        assert option in helped
        assert option in row


def test_every_command_of_the_readme_exists(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"parkgate ([a-z]+)(?= |`|$)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert main([]) == 0
    offered = set(re.findall(r"^  ([a-z]+)  ", capsys.readouterr().out, re.MULTILINE))
    assert {"demo", "run", "check", "devices", "decode", "simulate", "dashboards"} <= offered
    assert named & {"check", "run", "devices"} == {"check", "run", "devices"}
    assert named - offered <= {"is"}, "the README names a command that is not there"


def blocks() -> list[tuple[str, str]]:
    found = []
    for paper in PAPERS:
        for number, match in enumerate(
            re.finditer(r"^( *)```toml\n(.*?)^ *```", paper.read_text(), re.DOTALL | re.MULTILINE)
        ):
            if "[[example]]" not in match[2]:  # that is an example of what a device says
                found.append((f"{paper.relative_to(ROOT)}:{number}", textwrap.dedent(match[2])))
    return found


@pytest.mark.parametrize(("name", "text"), blocks(), ids=[name for name, _ in blocks()])
def test_every_configuration_in_the_papers_is_a_good_one(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    config = load(file, ENVIRON)
    assert config.serial or config.mqtt


def test_the_example_configuration_is_a_good_one() -> None:
    config = load(ROOT / "examples" / "gateway.toml", ENVIRON)
    assert [item.device for item in config.serial] == ["pms5003", "nmea0183", "bci-oximeter"]
    assert {item.device for broker in config.mqtt for item in broker.subscriptions} == {"ttn-v3", "vda5050", "senml"}


def test_every_key_is_described() -> None:
    from gateway import config

    text = (ROOT / "docs" / "configuration.md").read_text()
    for kind in (
        config.GatewayConfig,
        config.SpoolConfig,
        config.InfluxConfig,
        config.LocalConfig,
        config.MqttConfig,
        config.SubscriptionConfig,
        config.SerialConfig,
        config.ThingConfig,
        config.WillConfig,
    ):
        for key in kind.__dataclass_fields__:
            if key not in ("name", "subscriptions", "things"):
                assert f"`{key}`" in text or f"{key} = " in text, f"{kind.__name__}.{key}"


def fenced(paper: str, language: str, words: str) -> str:
    """The one code block of a paper in which `words` stand."""
    text = (ROOT / paper).read_text()
    (found,) = [block for block in re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.M) if words in block]
    return str(found)


def test_the_device_in_the_papers_works() -> None:
    rooms: dict[str, Any] = {}
    exec(compile(fenced("docs/devices.md", "python", "acme-co2"), "docs/devices.md", "exec"), rooms)
    device = rooms["DEVICE"]
    decoder = device.decoder()
    events = decoder.feed(bytes.fromhex("00aa01f415e055 aa01f415e155 aa1389 15 8f 55")) + decoder.flush()
    assert [type(event).__name__ for event in events] == ["Noise", "Reading", "IntegrityError", "SanityError"]
    assert events[1].fields == {"co2_ppm": 500.0, "temperature_c": 21.0}
    assert events[3].detail == "co2_ppm: 5001.0 is outside 0..5000"
    assert device.encode(Reading({"co2_ppm": 500.0, "temperature_c": -21.0})).hex() == "aa01f4eb1e55"
    assert device.sequence.modulus == 64


def test_a_device_in_the_papers_is_tested_like_any_other() -> None:
    assert {"acme-co2", "acme-wind", "acme-level"} <= {device.name for device in DEVICES}
    for device in SHOWN:
        assert len(examples.examples_of(device)) >= 2


def test_the_papers_name_every_domain() -> None:
    text = (ROOT / "docs" / "devices.md").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("**`domain`**")]
    assert re.findall(r"`([a-z]+)`", line)[1:] == list(get_args(Domain))


def test_what_the_gateway_says_of_itself_is_described() -> None:
    from gateway.stats import StageStats

    text = (ROOT / "docs" / "health.md").read_text()
    source = (ROOT / "gateway" / "web" / "metrics.py").read_text()
    metrics = re.findall(r'^ +\("([a-z_]+)", "(?:counter|gauge|[a-z_]+)", "', source, re.MULTILINE)
    metrics += re.findall(r'rows\.append\(\("([a-z_]+)", "gauge"', source)
    assert len(metrics) > 18
    for name in metrics:
        assert f"`parkgate_{name}`" in text, name
    for stage in StageStats.__slots__:
        assert f"| `{stage}` |" in text, stage
    for measurement in [*re.findall(r'Series\("([a-z_]+)"', source), "gateway_event"]:
        assert f"| `{measurement}` |" in text, measurement


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_links_between_the_papers_lead_somewhere(paper: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)[#)]", paper.read_text()):
        assert (paper.parent / target).exists(), target


def test_the_change_log_names_every_device_type_and_command() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    commands = {"check", "dashboards build", "decode", "demo", "devices", "run", "simulate", "spool"}
    assert len(BUILT_IN) > 10
    for name in (*BUILT_IN, *COMMANDS, "bench"):
        assert f"`{name}`" in text, name
    assert commands <= COMMANDS.keys()


def test_make_without_a_target_says_what_there_is() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    offered = re.findall(r"^make (\S+)  ", done.stdout, re.MULTILINE)
    assert ["help", *offered] == targets.split()


def test_pins_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert len(lines) > 20
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.+]*", line), line


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[<>=!;\[ ]", line)[0].lower().replace("_", "-") for line in wanted}
    pinned = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    assert names <= pinned


PRIVATE = re.compile(rb"/(?:home|Users|root)/[a-z]|https?://[^\s\"'<>)]*/(?:simple|wheels|artifactory|nexus)/")


def test_no_file_names_this_machine_or_a_package_index() -> None:
    for file in tracked():
        if file != Path(__file__) and file.suffix not in (".png", ".bin"):
            found = PRIVATE.search(file.read_bytes())
            assert found is None, f"{file.relative_to(ROOT)}: {found.group()!r}"


def test_modules_and_tests_keep_to_their_sizes() -> None:
    for file in tracked():
        if file.suffix == ".py":
            limit = 700 if "tests" in file.parts else 400
            lines = len(file.read_text().splitlines())
            assert lines <= limit, f"{file.relative_to(ROOT)} has {lines} lines"


def test_classes_and_functions_keep_to_their_sizes() -> None:
    seen = 0
    for file in tracked():
        if file.suffix != ".py" or "tests" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            seen += 1
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            where = f"{file.relative_to(ROOT)}:{node.lineno}: {node.name}"
            if isinstance(node, ast.ClassDef):
                methods = sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body)
                assert methods <= 15, f"{where} has {methods} methods"
                assert lines <= 250, f"{where} has {lines} lines"
            else:
                assert lines <= 60, f"{where} has {lines} lines"
    assert seen > 1000
