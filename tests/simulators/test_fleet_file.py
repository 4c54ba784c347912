"""A fleet file: what it makes, and one line for whatever is wrong with it."""

from pathlib import Path

import pytest

from devices.spec.events import Reading
from simulators.faults import Faults
from simulators.fleet.fleet import FleetError, load, park
from simulators.things import FIRST
from tests.device_types import BUILT_IN

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
        BUILT_IN,
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
        ("[[thing]]\n", "1:1: thing[0].device is missing: expected a device type, as `parkgate devices` lists them"),
        (
            THING + 'device = "pms5004"',
            '5:10: thing[0].device = "pms5004": expected a device type, did you mean "pms5003"?',
        ),
        (
            THING + 'device = "xyz"',
            '5:10: thing[0].device = "xyz": expected one of "',
        ),
        (
            THING + 'device = "pms5003"\nperiod_s = -1',
            "6:12: thing[0].period_s = -1: expected a number from 0.001 to 86400",
        ),
        (
            THING + 'device = "pms5003"\nperiods = 1',
            '6:1: thing[0].periods = 1: unknown key, did you mean "period_s"?',
        ),
        (THING + 'device = "pms5003"\nlink = "mqtt"', '6:8: thing[0].link = "mqtt": expected pty or tcp for pms5003'),
        (THING + 'device = "pms5003"\nkind = "soil"', '6:8: thing[0].kind = "soil": expected no kind for pms5003'),
        (THING + 'device = "senml"\nkind = "soup"', '6:8: thing[0].kind = "soup": expected one of air, '),
        (THING + 'device = "senml"\ncount = 0', "6:9: thing[0].count = 0: expected a whole number from 1 to 100000"),
        (THING + 'device = "senml"\nfaults = "flip=x"', '6:10: thing[0].faults = "flip=x": expected rates such as'),
        (
            THING + 'device = "senml"\nlocation = [99, 0]',
            "6:12: thing[0].location = [99, 0]: expected [latitude, longitude] in degrees",
        ),
        (
            THING + 'device = "senml"\n[[thing]]\nname = "a"\ndevice = "senml"',
            '7:8: thing[1].name = "a": expected a name not used before; thing[0] is called a',
        ),
        (
            '[[thing]]\nname = "a"\ndevice = "senml"',
            "1:1: fleet.broker is missing: expected mqtt://host:port, as a speaks MQTT",
        ),
        (
            '[fleet]\nbroker = "http://x"\n[[thing]]\ndevice = "senml"',
            '2:10: fleet.broker = "http://x": expected mqtt://host:port',
        ),
        (
            '[fleet]\nusername = "${NO_SUCH_NAME}"\n[[thing]]\ndevice = "pms5003"',
            '2:12: fleet.username = "${NO_SUCH_NAME}": expected the environment variable NO_SUCH_NAME to be set',
        ),
        (
            '[fleet]\npassword = "${NO_SUCH_NAME}"\n[[thing]]\ndevice = "pms5003"',
            "1:1: fleet.username is missing: expected a user's name beside the password",
        ),
        (
            '[fleet]\nlisten = "gateway"\n[[thing]]\ndevice = "pms5003"',
            '2:10: fleet.listen = "gateway": expected an IP address',
        ),
        ("[fleet]", "1:1: thing is missing: expected at least one [[thing]] table"),
        ('[fleets]\n[[thing]]\ndevice = "pms5003"', '1:2: fleets = {}: unknown key, did you mean "fleet"?'),
        ('thing = [1, { device = "pms5003" }]', "1:10: thing[0] = 1: expected a table [thing[0]]"),
        ("[[[", "1:3: Invalid initial character for a key part: expected a TOML file; what follows was not read"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(FleetError) as caught:
        load(file, BUILT_IN)
    message = str(caught.value)
    assert message.startswith(f"{file}:{words}")
    assert "\n" not in message


def test_every_mistake_of_a_fleet_is_told_in_its_order(tmp_path: Path) -> None:
    text = """\
[fleet]
broker = "http://h"
password = "${NO_SUCH_PASSWORD}"
username = "sim"
seed = -1

[[thing]]
name = "two words"
device = "pms5004"
period_s = 0
location = [1]

[[thing]]
name = "a"
device = "senml"
kind = "soup"
count = 3
topic = "t"

[[thing]]
device = "sds011"
link = "tcp"
port = "/tmp/x"
faults = "flip=2"
colour = 3
"""
    file = written(tmp_path, text)
    with pytest.raises(FleetError) as caught:
        load(file, BUILT_IN)
    assert [line.removeprefix(f"{file}:") for line in str(caught.value).split("\n")] == [
        '2:10: fleet.broker = "http://h": expected mqtt://host:port',
        "3:12: fleet.password = (hidden): expected the environment variable NO_SUCH_PASSWORD to be set",
        "5:8: fleet.seed = -1: expected a whole number from 0 to 2147483648",
        "8:8: thing[0].name = \"two words\": expected 1 to 64 letters, digits, '-', '_' or '.', "
        "beginning with a letter or digit",
        '9:10: thing[0].device = "pms5004": expected a device type, did you mean "pms5003"?',
        "10:12: thing[0].period_s = 0: expected a number from 0.001 to 86400",
        "11:12: thing[0].location = [1]: expected [latitude, longitude] in degrees",
        '16:8: thing[1].kind = "soup": expected one of air, bin, noise, parking, people, soil, water, weather',
        "17:9: thing[1].count = 3: expected 1 where port or topic is given",
        '23:8: thing[2].port = "/tmp/x": expected a whole number from 0 to 65535',
        '24:10: thing[2].faults = "flip=2": expected rates such as "flip=1% noise=0.5%" '
        "(flip is 2.0, expected a probability from 0 to 1)",
        "25:1: thing[2].colour = 3: unknown key, expected one of name, device, count, seed, period_s, link, port, "
        "topic, kind, zone, location, faults, line, unit",
    ]


@pytest.mark.parametrize(
    ("device", "topic", "expected"),
    [
        (
            "wmbusmeters",
            "wmbusmeters/#",
            'the one topic that meter publishes on, without + and #, as "wmbusmeters/meter"',
        ),
        ("senml", "park/+/senml", 'the one topic that meter publishes on, without + and #, as "park/meter/senml"'),
        ("sparkplug-b", "spBv1.0/pumps/FOO/n1", 'a topic of sparkplug-b, as "spBv1.0/parkgate/NDATA/meter"'),
    ],
)
def test_a_topic_that_nothing_is_published_on(tmp_path: Path, device: str, topic: str, expected: str) -> None:
    text = f'[fleet]\nbroker = "h"\n[[thing]]\nname = "meter"\ndevice = "{device}"\ntopic = "{topic}"\n'
    file = written(tmp_path, text)
    with pytest.raises(FleetError) as caught:
        load(file, BUILT_IN)
    assert str(caught.value) == f'{file}:6:9: thing[0].topic = "{topic}": expected {expected}'


@pytest.mark.parametrize("topic", ["spBv1.0/pumps/NDATA/n1", "spBv1.0/pumps/DDATA/n1/d1"])
def test_topics_of_a_node_and_of_a_device(tmp_path: Path, topic: str) -> None:
    text = f'[fleet]\nbroker = "h"\n[[thing]]\ndevice = "sparkplug-b"\ntopic = "{topic}"\n'
    (thing,) = load(written(tmp_path, text), BUILT_IN).things
    assert thing.topic_name == topic


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_fleet_may_come_from_any_editor(tmp_path: Path, encoding: str, end: str) -> None:
    file = tmp_path / "fleet.toml"
    text = '# Größe\n[[thing]]\nname = "lamp"\ndevice = "pms5003"\nzone = "池"\n'
    file.write_bytes(text.replace("\n", end).encode(encoding))
    (thing,) = load(file, BUILT_IN).things
    assert (thing.name, thing.zone) == ("lamp", "池")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"none\.toml: No such file or directory: expected a fleet file that can be"):
        load(tmp_path / "none.toml", BUILT_IN)


def test_the_example_is_a_fleet() -> None:
    config = load(ROOT / "examples" / "fleet.toml", BUILT_IN)
    assert config.listen == "127.0.0.1"
    assert {thing.device for thing in config.things} == set(FIRST)


def test_a_park_has_one_of_each_and_keeps_to_64_ports() -> None:
    seven = park(7, 1, BUILT_IN)
    assert [spec.device for spec in seven] == [
        "pms5003", "sds011", "nmea0183", "bci-oximeter", "senml", "ttn-v3", "vda5050",
    ]  # fmt: skip
    many = park(1000, 1, BUILT_IN)
    assert len({spec.name for spec in many}) == 1000
    assert sum(spec.via == "pty" for spec in many) == 64
    assert many[:7] == seven
    assert park(7, 1, BUILT_IN) == seven
    assert park(7, 2, BUILT_IN) != seven
    assert {spec.zone for spec in many} == {"lake", "gate", "hill", "plaza"}
    for spec in many:
        assert spec.location is not None
        assert abs(spec.location[0] - 22.4270) < 0.002
        assert abs(spec.location[1] - 114.2110) < 0.002


TYPE = '[[type]]\nname = "lamp-x"\nformat = "json"\nbaud = 9600\n[[type.field]]\nname = "odd"\n'


def test_a_fleet_may_bring_device_types_and_name_those_of_a_gateway(tmp_path: Path) -> None:
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "lamp.toml").write_text(
        'name = "lamp-y"\nformat = "json"\nbaud = 9600\n[[field]]\nname = "a"\n'
    )
    (tmp_path / "gateway.toml").write_text('[gateway]\ntypes_dir = "types"\n' + TYPE.replace("lamp-x", "lamp-z"))
    things = "".join(f'[[thing]]\ndevice = "lamp-{letter}"\n' for letter in "xyz")
    config = load(written(tmp_path, f'[fleet]\ntypes = "gateway.toml"\n{TYPE}{things}'), BUILT_IN)
    assert [thing.device for thing in config.things] == ["lamp-x", "lamp-y", "lamp-z"]
    assert config.things[0].type.encode(Reading({"odd": 1.0})) == b'{"odd":1}\r\n'


def test_mistakes_in_types_are_told_with_their_places_and_without_an_echo(tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text(TYPE.replace("lamp-x", "lamp-z").replace('"odd"', '"Odd"'))
    file = written(
        tmp_path,
        f'[fleet]\ntypes = "more.toml"\n{TYPE.replace("9600", "1")}'
        '[[thing]]\ndevice = "lamp-x"\n[[thing]]\ndevice = "lamp-z"\n',
    )
    with pytest.raises(FleetError) as caught:
        load(file, BUILT_IN)
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        f"{file.name}:6:8: type[0].baud = 1: expected a whole number from 50 to 4000000",
        'more.toml:6:8: type[0].field[0].name = "Odd": expected lower letters, digits and _, beginning with a letter',
    ]


def test_types_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        FleetError, match=r'2:9: fleet.types = "none": expected a gateway.s configuration, or a file or'
    ):
        load(written(tmp_path, '[fleet]\ntypes = "none"\n[[thing]]\ndevice = "pms5003"\n'), BUILT_IN)
