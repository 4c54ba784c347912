"""Things that are asked, in the configuration: several on one line, and what cannot stand together on one."""

from pathlib import Path

import pytest

from gateway.config import ConfigError, SerialConfig, ThingConfig, load

LINE = """
[[serial]]
port = "/dev/ttyUSB0"
baud = 9600
parity = "E"

[[serial.thing]]
device = "sdm120"
thing = "meter-1"
unit = 7
every_s = 2
timeout_s = 0.3
expected_every_s = 60
location = [22.4, 114.2]
tags = { zone = "lake" }

[[serial.thing]]
device = "soil-7in1"
thing = "bed-1"
"""


def ports(tmp_path: Path, text: str) -> tuple[SerialConfig, ...]:
    file = tmp_path / "park.toml"
    file.write_text(text)
    return load(file, {}).serial


def mistakes(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with the file, each without the name of the file and the place."""
    with pytest.raises(ConfigError) as caught:
        ports(tmp_path, text)
    return [line.split(": ", 1)[1] for line in str(caught.value).splitlines()]


def test_several_things_on_one_line(tmp_path: Path) -> None:
    (port,) = ports(tmp_path, LINE)
    assert (port.port, port.device, port.thing, port.baud, port.parity) == ("/dev/ttyUSB0", "", "", 9600, "E")
    assert port.things == (
        ThingConfig("sdm120", "meter-1", 7, 2.0, 0.3, (22.4, 114.2), {"zone": "lake"}, 60.0),
        ThingConfig("soil-7in1", "bed-1", 1),
    )


def test_one_thing_alone_is_written_as_ever(tmp_path: Path) -> None:
    (port,) = ports(
        tmp_path,
        '[[serial]]\nport = "/dev/ttyUSB0"\ndevice = "sdm120"\nthing = "meter-1"\nunit = 3\nevery_s = 5\n'
        'tags = { zone = "lake" }\n',
    )
    assert (port.device, port.thing) == ("sdm120", "meter-1")
    assert port.things == (ThingConfig("sdm120", "meter-1", 3, 5.0, tags={"zone": "lake"}),)
    (port,) = ports(tmp_path, '[[serial]]\nport = "/dev/ttyUSB0"\ndevice = "mhz19b"\nthing = "office"\n')
    assert port.things == (ThingConfig("mhz19b", "office", 0),)


def test_a_device_that_talks_has_no_things(tmp_path: Path) -> None:
    (port,) = ports(tmp_path, '[[serial]]\nport = "/dev/ttyUSB0"\ndevice = "pms5003"\nthing = "lamp"\n')
    assert port.things == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            LINE.replace('device = "soil-7in1"', 'device = "pms5003"'),
            ['serial[0].thing[1].device = "pms5003": expected a device type that is asked; pms5003 talks by itself, '
             "on a port of its own"],
        ),
        (
            LINE.replace('device = "soil-7in1"', 'device = "mhz19b"').replace("parity", "#"),
            ['serial[0].thing[1].device = "mhz19b": expected a device type with a unit number; mhz19b has none and '
             "is alone on its port"],
        ),
        (
            LINE.replace("baud = 9600", ""),
            ['serial[0].thing[1].device = "soil-7in1": expected a device type at 2400 baud 8E1, as serial[0].thing[0], '
             "or baud and parity in [[serial]]"],
        ),
        (
            LINE.replace("unit = 7", "unit = 1"),
            ["serial[0].thing[1].unit is missing: expected a number of its own on this line; serial[0].thing[0] has 1"],
        ),
        (LINE.replace("unit = 7", "unit = 0"), ["serial[0].thing[0].unit = 0: expected a whole number from 1 to 247"]),
        (LINE.replace("unit = 7", "unit = 248"),
         ["serial[0].thing[0].unit = 248: expected a whole number from 1 to 247"]),
        (LINE.replace('"bed-1"', '"meter-1"'), ['serial[0].thing[1].thing = "meter-1": expected a value of its own; '
                                                "serial[0].thing[0] has it"]),
        (LINE.replace("every_s = 2", "every_s = 0"),
         ["serial[0].thing[0].every_s = 0: expected a number from 0.05 to 86400"]),
        (LINE.replace("timeout_s = 0.3", 'timeout_s = "1s"'),
         ['serial[0].thing[0].timeout_s = "1s": expected a number from 0.01 to 60']),
        (LINE.replace('parity = "E"', 'device = "sdm120"\nunit = 3'), [
            'serial[0].device = "sdm120": expected device in each [[serial.thing]]',
            "serial[0].unit = 3: expected unit in each [[serial.thing]]",
        ]),
        (LINE.replace("tags =", "tag ="), ['serial[0].thing[0].tag = {…}: unknown key, did you mean "tags"?']),
        ('[[serial]]\nport = "/dev/x"\nthing = []\n', ["serial[0].thing = []: expected at least one [[serial.thing]]"]),
        ('[[serial]]\nport = "/dev/x"\ndevice = "pms5003"\nthing = "lamp"\nevery_s = 3\n', [
            "serial[0].every_s = 3: expected no every_s: pms5003 talks by itself and is not asked"]),
        ('[[serial]]\nport = "/dev/x"\ndevice = "mhz19b"\nthing = "lamp"\nunit = 3\n', [
            "serial[0].unit = 3: expected no unit: mhz19b has none and is alone on its port"]),
        ('[[serial.thing]]\ndevice = "sdm120"\nthing = "meter"\n', [
            "serial = {…}: expected [[serial]] with a port above the first [[serial.thing]]"]),
        ('[[serial]]\nport = "/dev/x"\n', [
            "serial[0].device is missing: expected a device type and the name of its thing, or of what is asked tables "
            "[[serial.thing]]"]),
    ],
)  # fmt: skip
def test_what_cannot_stand_on_one_line_is_told(tmp_path: Path, text: str, told: list[str]) -> None:
    assert mistakes(tmp_path, text) == told


def test_all_mistakes_of_a_line_are_told_at_once(tmp_path: Path) -> None:
    text = (
        '[[serial]]\nport = "/dev/x"\n[[serial.thing]]\ndevice = "sdm1200"\n'
        '[[serial.thing]]\ndevice = "soil-7in1"\nthing = "bed"\nunit = 999\nlocation = [1]\n'
    )
    assert [line.split(":")[0].split(" ")[0] for line in mistakes(tmp_path, text)] == [
        "serial[0].thing[0].thing",
        "serial[0].thing[0].device",
        "serial[0].thing[1].unit",
        "serial[0].thing[1].location",
    ]


def test_a_recording_holds_one_device(tmp_path: Path) -> None:
    (tmp_path / "line.rec").write_text("# parkgate recording\n0.0 00\n")
    assert mistakes(tmp_path, LINE.replace("/dev/ttyUSB0", "replay:line.rec"))[0].endswith(
        "expected a port where things are asked; a recording holds what one device said"
    )
