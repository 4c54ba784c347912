"""All mistakes of a configuration, each once and in place; and files as any editor leaves them."""

from pathlib import Path

import pytest

from gateway.config import ConfigError, load
from tests.gateway.config.test_config import DEVICES, INFLUX, MQTT, SECOND, SERIAL, SUBSCRIPTION


def complaints(folder: Path, text: str | bytes, environ: dict[str, str] | None = None) -> list[str]:
    """The lines that a file gets, without its name."""
    file = folder / "gateway.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {}, DEVICES)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).split("\n")]


def test_every_mistake_of_a_file_is_told_in_its_order(tmp_path: Path) -> None:
    text = """\
[[serial]]
port = "ttyUSB0"
device = "pms503"
location = [99, 0]

[gateway]
name = 7
colour = "red"

[influxdb]
database = "d"
token = "${NO_SUCH_TOKEN}"
batch_points = 0

[mqtt.main]
url = "mqtt://h"
client_id = ""
will = { qos = 3, topic = "a/#" }

[[mqtt.main.subscription]]
topic = "a/#/b"
device = "senml"
tags = { zone = 3, thing = "x" }

[[mqtt.main.subscription]]
qos = 7

[watchdog]
heal = "yes"
"""
    assert complaints(tmp_path, text) == [
        "1:1: serial[0].thing is missing: expected the name of the thing",
        '2:8: serial[0].port = "ttyUSB0": expected a path such as /dev/serial/by-id/…, COM3, usb:serial=…, '
        "socket://host:port or rfc2217://host:port; a path relative to this file needs a slash, as ./ttyUSB0",
        '3:10: serial[0].device = "pms503": expected a device type that speaks serial, did you mean "pms5003"?',
        "4:12: serial[0].location = [99, 0]: expected [latitude, longitude] in degrees, "
        "from -90 to 90 and from -180 to 180, latitude first",
        "7:8: gateway.name = 7: expected the name of this gateway",
        '8:1: gateway.colour = "red": unknown key, expected one of name, state_dir, listen, api_token, types_dir',
        "10:1: influxdb.url is missing: expected a URL such as http://127.0.0.1:8086",
        "12:9: influxdb.token = (hidden): expected the environment variable NO_SUCH_TOKEN to be set",
        "13:16: influxdb.batch_points = 0: expected a whole number from 1 to 50000",
        '17:13: mqtt.main.client_id = "": expected the fixed client id of this gateway, not an empty text',
        "18:16: mqtt.main.will.qos = 3: expected a whole number from 0 to 1",
        '18:27: mqtt.main.will.topic = "a/#": expected an MQTT topic name, without "+" and "#"',
        '21:9: mqtt.main.subscription[0].topic = "a/#/b": expected a topic filter with "#" only as the whole '
        "last level",
        "23:17: mqtt.main.subscription[0].tags.zone = 3: expected a text",
        '23:28: mqtt.main.subscription[0].tags.thing = "x": expected another tag name; '
        '"device", "source", "thing" or "time" are taken by the gateway',
        '25:1: mqtt.main.subscription[1].topic is missing: expected an MQTT topic filter such as "park/{thing}/up"',
        "25:1: mqtt.main.subscription[1].device is missing: expected a device type that speaks mqtt",
        "26:7: mqtt.main.subscription[1].qos = 7: expected a whole number from 0 to 1",
        '29:8: watchdog.heal = "yes": expected true or false',
    ]


ECHOES = [
    # a key that is misspelled is not missing as well
    (
        '[mqtt.main]\nurll = "mqtt://h"\nclientid = "c"\n'
        + SUBSCRIPTION.replace("main.subscription", "main.subscriptions"),
        [
            '2:1: mqtt.main.urll = "mqtt://h": unknown key, did you mean "url"?',
            '3:1: mqtt.main.clientid = "c": unknown key, did you mean "client_id"?',
            '4:13: mqtt.main.subscriptions = […]: unknown key, did you mean "subscription"?',
        ],
    ),
    (
        INFLUX + 'username = "u"\npasswort = "p"\n',
        ['5:1: influxdb.passwort = (hidden): unknown key, did you mean "password"?'],
    ),
    # what is wrong is there
    (INFLUX + 'username = 3\npassword = "p"\n', ["4:12: influxdb.username = 3: expected the user's name"]),
    ("influxdb = 3\n[local]\n", ["1:12: influxdb = 3: expected a table [influxdb]"]),
    (
        MQTT + "subscription = 3\n",
        ["4:16: mqtt.main.subscription = 3: expected one or more [[mqtt.main.subscription]]"],
    ),
    (
        MQTT + "subscription = [3]\n",
        ["4:17: mqtt.main.subscription[0] = 3: expected a table [mqtt.main.subscription[0]]"],
    ),
    # nothing is compared with what is wrong
    (
        '[mqtt.main]\nurl = "ws://h"\nclient_id = "c"\nca_file = "gateway.toml"\n' + SUBSCRIPTION,
        ['2:7: mqtt.main.url = "ws://h": expected a URL such as mqtt://host:1883 or mqtts://host:8883'],
    ),
    (
        SERIAL.replace("lamp-1", "") + SECOND.replace("lamp-2", ""),
        [
            '4:9: serial[0].thing = "": expected the name of the thing, not an empty text',
            '8:9: serial[1].thing = "": expected the name of the thing, not an empty text',
        ],
    ),
    (
        SERIAL.replace("/dev/ttyUSB0", "a") + SECOND.replace("/dev/ttyUSB1", "a"),
        [
            '2:8: serial[0].port = "a": expected a path such as /dev/serial/by-id/…, COM3, usb:serial=…, '
            "socket://host:port or rfc2217://host:port; a path relative to this file needs a slash, as ./a",
            '6:8: serial[1].port = "a": expected a path such as /dev/serial/by-id/…, COM3, usb:serial=…, '
            "socket://host:port or rfc2217://host:port; a path relative to this file needs a slash, as ./a",
        ],
    ),
    (
        MQTT + SUBSCRIPTION.replace("a/{thing}", "a+") + SUBSCRIPTION.replace("a/{thing}", "a+"),
        [
            '5:9: mqtt.main.subscription[0].topic = "a+": expected a topic filter with "+" only as a whole level',
            '8:9: mqtt.main.subscription[1].topic = "a+": expected a topic filter with "+" only as a whole level',
        ],
    ),
    (
        MQTT
        + SUBSCRIPTION.replace("a/{thing}", "a").replace("senml", "sneml")
        + 'thing = "t"\n'
        + SUBSCRIPTION.replace("a/{thing}", "b")
        + 'thing = "t"\n',
        [
            '6:10: mqtt.main.subscription[0].device = "sneml": expected a device type that speaks mqtt, '
            'did you mean "senml"?'
        ],
    ),
    # the keys of a broker without a name are one mistake
    (
        '[mqtt]\nurl = "mqtt://h"\nclient_id = "c"\nwill = { topic = "t" }\n'
        '[[mqtt.subscription]]\ntopic = "a"\ndevice = "senml"\n',
        ['2:7: mqtt.url = "mqtt://h": expected a name for the broker: [mqtt.main], with url in it'],
    ),
]


@pytest.mark.parametrize(("text", "lines"), ECHOES, ids=range(len(ECHOES)))
def test_what_follows_from_a_mistake_is_not_told(tmp_path: Path, text: str, lines: list[str]) -> None:
    assert complaints(tmp_path, text) == lines


def test_entries_keep_their_index_beside_one_that_is_no_table(tmp_path: Path) -> None:
    assert complaints(tmp_path, 'serial = [3, { port = "COM1", device = "pms5003" }]\n') == [
        "1:11: serial[0] = 3: expected a table [serial[0]]",
        "1:14: serial[1].thing is missing: expected the name of the thing",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_may_come_from_any_editor(tmp_path: Path, encoding: str, end: str) -> None:
    text = '# 公园\n[gateway]\nname = "Löwenpark"\n' + SERIAL
    file = tmp_path / "gateway.toml"
    file.write_bytes(text.replace("\n", end).encode(encoding))
    config = load(file, {}, DEVICES)
    assert (config.gateway.name, config.serial[0].thing) == ("Löwenpark", "lamp-1")
    wrong = text.replace("lamp-1", "").replace("\n", end).encode(encoding)
    assert complaints(tmp_path, wrong) == [
        '7:9: serial[0].thing = "": expected the name of the thing, not an empty text'
    ]


WINDOWS = "; a Windows path stands in single quotes, as 'C:\\folder'"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (r'"C:\Users\x"', "2:18: Invalid hex value" + WINDOWS),
        (r'"C:\park\var"', "2:18: Unescaped '\\' in a string" + WINDOWS),
        ('"D:\\"', "2:18: Unterminated string" + WINDOWS),
    ],
)
def test_backslashes_of_a_windows_path_get_a_hint(tmp_path: Path, value: str, line: str) -> None:
    (said,) = complaints(tmp_path, f"[gateway]\nstate_dir = {value}")
    assert said == f"{line}: expected a TOML file; what follows was not read"


def test_a_windows_path_that_happens_to_be_escapes_gets_a_hint_too(tmp_path: Path) -> None:
    assert complaints(tmp_path, '[gateway]\nstate_dir = "C:\\temp\\new"\n') == [
        '2:13: gateway.state_dir = "C:\\temp\\new": expected a folder for the spool and the quarantine, '
        "without control characters" + WINDOWS
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name = “park”", '1:8: Invalid value, "“" (left double quotation mark) cannot stand here'),
        (
            "na\u00a0me = 1",
            "1:3: Expected '=' after a key in a key/value pair, \"\\xa0\" (no-break space) cannot stand here",
        ),
        (
            "größe = 1",
            "1:3: Expected '=' after a key in a key/value pair, "
            '"ö" (latin small letter o with diaeresis) cannot stand here',
        ),
    ],
)
def test_a_character_that_cannot_stand_there_is_named(tmp_path: Path, text: str, line: str) -> None:
    (said,) = complaints(tmp_path, text)
    assert said == f"{line}: expected a TOML file; what follows was not read"


def test_the_environment_as_a_windows_editor_leaves_it(tmp_path: Path) -> None:
    text = INFLUX + 'token = "${TOKEN}"\n'
    assert complaints(tmp_path, text, {"TOKEN": "hunter2\r"}) == [
        "4:9: influxdb.token = (hidden): expected the environment variable TOKEN without a carriage return at its end, "
        "as a file with Windows line ends leaves it"
    ]
    assert complaints(tmp_path, text, {"\ufeffTOKEN": "hunter2"}) == [
        "4:9: influxdb.token = (hidden): expected the environment variable TOKEN, "
        "which is set with a byte order mark before its name"
    ]


def test_a_home_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert complaints(tmp_path, '[gateway]\nstate_dir = "~nobody-has-this-name/var"\n') == [
        '2:13: gateway.state_dir = "~nobody-has-this-name/var": expected a path below a home that is there'
    ]
