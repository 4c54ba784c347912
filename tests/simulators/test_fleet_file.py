"""A fleet file: what it makes, and one line for whatever is wrong with it."""

from pathlib import Path

import pytest

from simulators.faults import Faults
from simulators.fleet.fleet import FleetError, load, park
from simulators.things import FIRST
from tests.device_types import BY_NAME

ROOT = Path(__file__).parents[2]


def written(path: Path, text: str) -> Path:
    file = path / "fleet.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_fleet_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM_PASSWORD", "open sesame")
    config = load(
        written(
            tmp_path,
            """
            [fleet]
            broker = "mqtt://127.0.0.1:18830"
            username = "sim"
            password = "${SIM_PASSWORD}"
            port_dir = "ports"
            listen = "0.0.0.0"

            [[thing]]
            name = "lamp"
            device = "pms5003"
            count = 2
            period_s = 0.5
            zone = "lake"
            location = [22.427, 114.211]
            faults = "flip=1%"

            [[thing]]
            name = "bed"
            device = "senml"
            kind = "soil"
            seed = 5
            """,
        ),
        BY_NAME,
    )
    assert config.broker == ("127.0.0.1", 18830)
    assert config.login == ("sim", "open sesame")
    assert config.port_dir == tmp_path / "ports"
    assert config.listen == "0.0.0.0"
    first, second, bed = config.things
    assert [first.name, second.name, bed.name] == ["lamp-01", "lamp-02", "bed"]
    assert (first.via, bed.via) == ("pty", "mqtt")
    assert (first.period_s, first.zone, first.location) == (0.5, "lake", (22.427, 114.211))
    assert first.seed != second.seed
    assert first.faults == Faults(seed=first.seed, flip=0.01)
    assert (bed.seed, bed.kind, bed.topic_name) == (5, "soil", "park/bed/senml")


THING = '[fleet]\nbroker = "mqtt://h:1"\n[[thing]]\nname = "a"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[thing]]\n", "thing[0].device: expected one of bci-oximeter, "),
        (THING + 'device = "pms5004"', "thing[0].device = 'pms5004': expected one of bci-oximeter, "),
        (THING + 'device = "pms5003"\nperiod_s = -1', "thing[0].period_s = -1: expected seconds from 0.001 to 86400"),
        (THING + 'device = "pms5003"\nperiods = 1', "thing[0].periods = 1: expected one of the keys name, device"),
        (THING + 'device = "pms5003"\nlink = "mqtt"', "thing[0].link = 'mqtt': expected pty or tcp for pms5003"),
        (THING + 'device = "pms5003"\nkind = "soil"', "thing[0].kind = 'soil': expected no kind for pms5003"),
        (THING + 'device = "senml"\nkind = "soup"', "thing[0].kind = 'soup': expected one of air, "),
        (THING + 'device = "senml"\ncount = 0', "thing[0].count = 0: expected a whole number from 1 to 100000"),
        (THING + 'device = "senml"\nfaults = "flip=x"', "thing[0].faults = 'flip=x': expected rates such as"),
        (THING + 'device = "senml"\nlocation = [99, 0]', "thing[0].location = [99, 0]: expected [latitude, longitude]"),
        (
            THING + 'device = "senml"\n[[thing]]\nname = "a"\ndevice = "senml"',
            "thing[1].name = 'a': expected a name not",
        ),
        ('[[thing]]\nname = "a"\ndevice = "senml"', "fleet.broker: expected mqtt://host:port, as a speaks MQTT"),
        ('[fleet]\nbroker = "http://x"\n[[thing]]', "fleet.broker = 'http://x': expected mqtt://host:port"),
        ('[fleet]\nusername = "${NO_SUCH_NAME}"\n[[thing]]\ndevice = "pms5003"', "expected the environment variable"),
        (
            '[fleet]\nlisten = "gateway"\n[[thing]]\ndevice = "pms5003"',
            "fleet.listen = 'gateway': expected an IP address",
        ),
        ("[fleet]", "thing: expected at least one [[thing]] table"),
        ("[fleets]", "fleets = {}: expected one of the keys fleet, thing"),
        ("[[[", "not TOML: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(FleetError) as caught:
        load(file, BY_NAME)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert words in message
    assert "\n" not in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"none\.toml: cannot be read: No such file or directory"):
        load(tmp_path / "none.toml", BY_NAME)


def test_the_example_is_a_fleet() -> None:
    config = load(ROOT / "examples" / "fleet.toml", BY_NAME)
    assert config.listen == "127.0.0.1"
    assert {thing.device for thing in config.things} == set(FIRST)


def test_a_park_has_one_of_each_and_keeps_to_64_ports() -> None:
    seven = park(7, 1, BY_NAME)
    assert [spec.device for spec in seven] == [
        "pms5003", "sds011", "nmea0183", "bci-oximeter", "senml", "ttn-v3", "vda5050",
    ]  # fmt: skip
    many = park(1000, 1, BY_NAME)
    assert len({spec.name for spec in many}) == 1000
    assert sum(spec.via == "pty" for spec in many) == 64
    assert many[:7] == seven
    assert park(7, 1, BY_NAME) == seven
    assert park(7, 2, BY_NAME) != seven
    assert {spec.zone for spec in many} == {"lake", "gate", "hill", "plaza"}
    for spec in many:
        assert spec.location is not None
        assert abs(spec.location[0] - 22.4270) < 0.002
        assert abs(spec.location[1] - 114.2110) < 0.002
