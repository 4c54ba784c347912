"""The configuration: what a good file gives, and the one line that a bad one gets."""

from pathlib import Path

import pytest

from devices.spec.device import Device, MessageDevice, SerialSettings, StreamDevice
from devices.spec.events import Event, Reading
from devices.spec.field import Field
from devices.spec.sequence import Sequence
from gateway.config import (
    Config,
    ConfigError,
    GatewayConfig,
    InfluxConfig,
    LocalConfig,
    MqttConfig,
    SerialConfig,
    SpoolConfig,
    SubscriptionConfig,
    WatchdogConfig,
    WillConfig,
    load,
)


class _Deaf:
    def feed(self, data: bytes) -> list[Event]:
        return []

    def flush(self) -> list[Event]:
        return []


def _nothing(reading: Reading) -> bytes:
    return b""


def _stream(name: str) -> Device:
    return StreamDevice(
        name=name,
        title=name,
        domain="air",
        source="made for this test",
        fields=(Field("pm2_5_ug_m3", "ug/m3", "fine dust"),),
        expected_every_s=1.0,
        sequence=Sequence(()),
        serial=SerialSettings(9600),
        decoder=_Deaf,
        encode=_nothing,
    )


def _message(name: str) -> Device:
    return MessageDevice(
        name=name,
        title=name,
        domain="park",
        source="made for this test",
        fields=(),
        expected_every_s=60.0,
        sequence=Sequence(()),
        topic="t/{thing}",
        decode=lambda topic, payload, received_ns: [],
        encode=_nothing,
    )


DEVICES = {
    "pms5003": _stream("pms5003"),
    "sds011": _stream("sds011"),
    "senml": _message("senml"),
    "ttn-v3": _message("ttn-v3"),
}

FULL = """
[gateway]
name = "park-east"
state_dir = "var"
listen = "[::1]:0"
api_token = "${API}0123456789abcdef"

[spool]
max_bytes = 1048576
max_age_s = 3600
quarantine_bytes = 65536

[watchdog]
factor = 3
min_silence_s = 20
heal = false
pause_s = 30

[influxdb]
url = "https://influx.example:8086/"
database = "parkgate"
token = "${INFLUX_TOKEN}"
api = "v2"
org = "park"
retention = "30d"
batch_points = 1000
in_flight = 1
timeout_s = 5
gzip = true

[mqtt.main]
url = "mqtt://${BROKER}:1884"
client_id = "park-east"
protocol = "3.1.1"
username = "gate"
password = "a$${b}${PIECE}"
keepalive_s = 20
session_expiry_s = 0
receive_maximum = 100
max_payload = 2048
max_things = 50
will = { topic = "gateway/park-east", payload = "", qos = 0, retain = false }

[[mqtt.main.subscription]]
topic = "$share/gates/v3/+/devices/{thing}/up"
device = "ttn-v3"
expected_every_s = 900
qos = 0
location = [22, 114.5]
tags = { zone = "lake" }

[[mqtt.main.subscription]]
topic = "senml/#"
device = "senml"
thing = "pond"

[[serial]]
port = "socket://10.0.0.4:4001"
device = "pms5003"
thing = "lamp-17"
location = [22.4270, 114.2110]
tags = { zone = "lake" }
baud = 19200
expected_every_s = 0
parity = "O"

[[serial]]
port = "COM3"
device = "sds011"
thing = "lamp-18"
"""

MQTT = '[mqtt.main]\nurl = "mqtt://h"\nclient_id = "c"\n'
SUBSCRIPTION = '[[mqtt.main.subscription]]\ntopic = "a/{thing}"\ndevice = "senml"\n'
SERIAL = '[[serial]]\nport = "/dev/ttyUSB0"\ndevice = "pms5003"\nthing = "lamp-1"\n'
SECOND = '[[serial]]\nport = "/dev/ttyUSB1"\ndevice = "sds011"\nthing = "lamp-2"\n'
INFLUX = '[influxdb]\nurl = "http://h:8086"\ndatabase = "d"\n'


def read(folder: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    file = folder / "gateway.toml"
    file.write_text(text)
    return load(file, environ or {}, DEVICES)


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    environ = {"API": "-", "INFLUX_TOKEN": "s3cret", "BROKER": "broker.example", "PIECE": "!"}
    assert read(tmp_path, FULL, environ) == Config(
        gateway=GatewayConfig(
            name="park-east", state_dir=tmp_path / "var", listen="[::1]:0", api_token="-0123456789abcdef"
        ),
        spool=SpoolConfig(max_bytes=1048576, max_age_s=3600.0, quarantine_bytes=65536),
        influxdb=InfluxConfig(
            url="https://influx.example:8086",
            database="parkgate",
            token="s3cret",
            api="v2",
            org="park",
            retention="30d",
            batch_points=1000,
            in_flight=1,
            timeout_s=5.0,
            gzip=True,
        ),
        local=None,
        mqtt=(
            MqttConfig(
                name="main",
                url="mqtt://broker.example:1884",
                client_id="park-east",
                subscriptions=(
                    SubscriptionConfig(
                        topic="$share/gates/v3/+/devices/{thing}/up",
                        device="ttn-v3",
                        qos=0,
                        location=(22.0, 114.5),
                        tags={"zone": "lake"},
                        expected_every_s=900.0,
                    ),
                    SubscriptionConfig(topic="senml/#", device="senml", thing="pond"),
                ),
                protocol="3.1.1",
                username="gate",
                password="a${b}!",
                keepalive_s=20,
                session_expiry_s=0,
                receive_maximum=100,
                max_payload=2048,
                max_things=50,
                will=WillConfig(topic="gateway/park-east", payload="", qos=0, retain=False),
            ),
        ),
        serial=(
            SerialConfig(
                port="socket://10.0.0.4:4001",
                device="pms5003",
                thing="lamp-17",
                location=(22.427, 114.211),
                tags={"zone": "lake"},
                baud=19200,
                parity="O",
                expected_every_s=0.0,
            ),
            SerialConfig(port="COM3", device="sds011", thing="lamp-18"),
        ),
        watchdog=WatchdogConfig(factor=3.0, min_silence_s=20.0, heal=False, pause_s=30.0),
    )


def test_an_empty_file_is_the_defaults_and_a_local_store(tmp_path: Path) -> None:
    config = read(tmp_path, "")
    assert config.gateway == GatewayConfig("parkgate", tmp_path / "var", "127.0.0.1:8080")
    assert config.spool == SpoolConfig(1073741824, 604800.0, 67108864)
    assert config.influxdb is None
    assert config.local == LocalConfig(tmp_path / "var" / "parkgate.duckdb")
    assert config.mqtt == ()
    assert config.serial == ()


def test_with_influxdb_there_is_no_local_store(tmp_path: Path) -> None:
    assert read(tmp_path, INFLUX).local is None


def test_the_local_store_may_lie_elsewhere(tmp_path: Path) -> None:
    assert read(tmp_path, "[local]\n").local == LocalConfig(tmp_path / "var" / "parkgate.duckdb")
    assert read(tmp_path, '[local]\npath = "/srv/store.duckdb"\n').local == LocalConfig(Path("/srv/store.duckdb"))


def test_relative_paths_start_at_the_file_whatever_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (tmp_path / "ca.pem").write_text("")
    text = '[mqtt.main]\nurl = "mqtts://h"\nclient_id = "c"\nca_file = "ca.pem"\n' + SUBSCRIPTION
    assert read(tmp_path, text).mqtt[0].ca_file == tmp_path / "ca.pem"


def test_one_thing_may_be_fed_by_several_topics_of_one_type(tmp_path: Path) -> None:
    text = MQTT + "".join(
        f'[[mqtt.main.subscription]]\ntopic = "robot/7/{kind}"\ndevice = "senml"\nthing = "robot-7"\n'
        for kind in ("state", "connection")
    )
    assert [item.thing for item in read(tmp_path, text).mqtt[0].subscriptions] == ["robot-7", "robot-7"]


STRONG = 'a token of 16 characters or more without blanks, as "${PARKGATE_API_TOKEN}" (`openssl rand -hex 32`)'

BAD = [
    # TOML itself
    ("a = ", "1:5: Invalid value: expected a TOML file; what follows was not read"),
    ("a = 1\na = 2\n", "2:6: Cannot overwrite a value: expected a TOML file; what follows was not read"),
    ("a = " + "[" * 5000, " nested too deeply: expected a TOML file"),
    # unknown keys
    (
        "[gatway]\n",
        '1:2: gatway = {}: unknown key, did you mean "gateway"?',
    ),
    (
        "colour = 3\n",
        "1:1: colour = 3: unknown key, "
        "expected one of gateway, spool, local, influxdb, mqtt, serial, watchdog, commands, type, codecs",
    ),
    ('[gateway]\nnam = "x"\n', '2:1: gateway.nam = "x": unknown key, did you mean "name"?'),
    (
        '[influxdb]\nurl = "http://h"\ndatabase = "d"\npasword = "hunter2"\n',
        '4:1: influxdb.pasword = (hidden): unknown key, did you mean "password"?',
    ),
    (
        INFLUX + 'api_token = "hunter2"\n',
        '4:1: influxdb.api_token = (hidden): unknown key, did you mean "token"?',
    ),
    (
        SERIAL + "speed = 9600\n",
        "5:1: serial[0].speed = 9600: unknown key, "
        "expected one of port, device, thing, location, tags, baud, parity, expected_every_s, commands, unit, every_s, "
        "timeout_s",
    ),
    (
        SERIAL + SECOND + 'baude = "9600"\n',
        '9:1: serial[1].baude = "9600": unknown key, did you mean "baud"?',
    ),
    (
        '[gateway]\n"two words" = 1\n',
        '2:1: gateway."two words" = 1: unknown key, expected one of name, state_dir, listen, api_token, types_dir',
    ),
    (
        '[gateway]\n"a\\nb" = 1\n',
        '2:1: gateway."a\\\\nb" = 1: unknown key, expected one of name, state_dir, listen, api_token, types_dir',
    ),
    # wrong types and shapes
    ("gateway = 3\n", "1:11: gateway = 3: expected a table [gateway]"),
    ("serial = 3\n", "1:10: serial = 3: expected one or more [[serial]]"),
    ('[serial]\nport = "/dev/ttyUSB0"\n', "1:1: serial = {…}: expected one or more [[serial]]"),
    ("serial = [3]\n", "1:11: serial[0] = 3: expected a table [serial[0]]"),
    ("mqtt = true\n", "1:8: mqtt = true: expected tables [mqtt.NAME]"),
    (
        '[mqtt]\nurl = "mqtt://h"\n',
        '2:7: mqtt.url = "mqtt://h": expected a name for the broker: [mqtt.main], with url in it',
    ),
    (
        '[mqtt."a b"]\nurl = "mqtt://h"\nclient_id = "c"\n'
        '[[mqtt."a b".subscription]]\ntopic = "a/{thing}"\ndevice = "senml"\n',
        '1:1: mqtt."a b" = {…}: expected a name of letters, digits, _ and - for the broker, as in [mqtt.main]',
    ),
    ("[gateway]\nname = 7\n", "2:8: gateway.name = 7: expected the name of this gateway"),
    ('[gateway]\nname = ""\n', '2:8: gateway.name = "": expected the name of this gateway, not an empty text'),
    (
        '[gateway]\nname = "a\\tb"\n',
        '2:8: gateway.name = "a\\tb": expected the name of this gateway, without control characters',
    ),
    (
        "[spool]\nmax_bytes = true\n",
        "2:13: spool.max_bytes = true: expected a whole number from 65536 to 1125899906842624",
    ),
    (
        "[spool]\nmax_bytes = 1e9\n",
        "2:13: spool.max_bytes = 1000000000.0: expected a whole number from 65536 to 1125899906842624",
    ),
    ('[spool]\nmax_age_s = "7d"\n', '2:13: spool.max_age_s = "7d": expected a number from 1 to 3.16224e+08'),
    ("[spool]\nmax_age_s = nan\n", "2:13: spool.max_age_s = nan: expected a number from 1 to 3.16224e+08"),
    (INFLUX + "gzip = 1\n", "4:8: influxdb.gzip = 1: expected true or false"),
    (INFLUX + 'password = 1234\nusername = "u"\n', "4:12: influxdb.password = (hidden): expected the user's password"),
    # out of range
    ('[gateway]\nlisten = "8080"\n', '2:10: gateway.listen = "8080": expected an address such as "127.0.0.1:8080"'),
    (
        '[gateway]\nlisten = "0.0.0.0:65536"\n',
        '2:10: gateway.listen = "0.0.0.0:65536": expected an address such as "127.0.0.1:8080"',
    ),
    *(
        (f'[gateway]\napi_token = "{weak}"\n', f"2:13: gateway.api_token = (hidden): expected {STRONG}")
        for weak in ("short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdeü")
    ),
    ('[gateway]\nlisten = "::1:80"\n', '2:10: gateway.listen = "::1:80": expected an address such as "127.0.0.1:8080"'),
    (INFLUX + "in_flight = 0\n", "4:13: influxdb.in_flight = 0: expected a whole number from 1 to 16"),
    (
        INFLUX + 'retention = "month"\n',
        '4:13: influxdb.retention = "month": expected a duration such as "30d", "4w", "1d12h" or "INF"',
    ),
    (
        INFLUX + 'retention = "30m"\n',
        '4:13: influxdb.retention = "30m": expected a duration such as "30d", "4w", "1d12h" or "INF"',
    ),
    (INFLUX + 'api = "v4"\n', '4:7: influxdb.api = "v4": expected "v1", "v2" or "v3"'),
    (
        MQTT + "keepalive_s = 0\n" + SUBSCRIPTION,
        "4:15: mqtt.main.keepalive_s = 0: expected a whole number from 1 to 65535",
    ),
    (MQTT + "protocol = 5\n" + SUBSCRIPTION, '4:12: mqtt.main.protocol = 5: expected "5" or "3.1.1"'),
    (MQTT + SUBSCRIPTION + "qos = 2\n", "7:7: mqtt.main.subscription[0].qos = 2: expected a whole number from 0 to 1"),
    ("[watchdog]\nfactor = 1\n", "2:10: watchdog.factor = 1: expected a number from 1.5 to 1000"),
    ("[watchdog]\nheal = 1\n", "2:8: watchdog.heal = 1: expected true or false"),
    (
        SERIAL + "expected_every_s = -1\n",
        "5:20: serial[0].expected_every_s = -1: expected a number from 0 to 3.16224e+07",
    ),
    (SERIAL + "baud = 5\n", "5:8: serial[0].baud = 5: expected a whole number from 50 to 4000000"),
    (SERIAL + 'parity = "even"\n', '5:10: serial[0].parity = "even": expected "N", "E" or "O"'),
    # places
    (
        SERIAL + "location = [114.2, 22.4]\n",
        "5:12: serial[0].location = [114.2, 22.4]: expected [latitude, longitude] in degrees, "
        "from -90 to 90 and from -180 to 180, latitude first",
    ),
    (SERIAL + "location = [22.4]\n", "5:12: serial[0].location = [22.4]: expected [latitude, longitude] in degrees"),
    (
        SERIAL + 'location = ["22.4", 1]\n',
        '5:12: serial[0].location = ["22.4", 1]: expected [latitude, longitude] in degrees, '
        "from -90 to 90 and from -180 to 180",
    ),
    (
        SERIAL + "location = [1, -180.1]\n",
        "5:12: serial[0].location = [1, -180.1]: expected [latitude, longitude] in degrees, "
        "from -90 to 90 and from -180 to 180",
    ),
    # tags
    (SERIAL + 'tags = "lake"\n', '5:8: serial[0].tags = "lake": expected a table of texts such as { zone = "lake" }'),
    (SERIAL + "tags = { zone = 3 }\n", "5:17: serial[0].tags.zone = 3: expected a text"),
    (
        SERIAL + 'tags = { thing = "x" }\n',
        '5:18: serial[0].tags.thing = "x": expected another tag name; '
        '"device", "source", "thing" or "time" are taken by the gateway',
    ),
    (
        SERIAL + 'tags = { pm2_5_ug_m3 = "x" }\n',
        '5:24: serial[0].tags.pm2_5_ug_m3 = "x": expected another tag name; pms5003 has a field of that name',
    ),
    # device types
    (
        '[[serial]]\nport = "COM1"\ndevice = "pms503"\nthing = "t"\n',
        '3:10: serial[0].device = "pms503": expected a device type that speaks serial, did you mean "pms5003"?',
    ),
    (
        '[[serial]]\nport = "COM1"\ndevice = "xyz"\nthing = "t"\n',
        '3:10: serial[0].device = "xyz": expected a device type that speaks serial, such as "pms5003" or "sds011"',
    ),
    (
        '[[serial]]\nport = "COM1"\ndevice = "senml"\nthing = "t"\n',
        '3:10: serial[0].device = "senml": expected a device type that speaks serial; '
        "senml speaks mqtt and belongs under [[mqtt.NAME.subscription]]",
    ),
    (
        MQTT + '[[mqtt.main.subscription]]\ntopic = "a"\ndevice = "pms5003"\n',
        '6:10: mqtt.main.subscription[0].device = "pms5003": expected a device type that speaks mqtt; '
        "pms5003 speaks serial and belongs under [[serial]]",
    ),
    # missing keys
    (
        '[influxdb]\nurl = "http://h"\n',
        "1:1: influxdb.database is missing: expected the database (the bucket on 2.x and 3)",
    ),
    ('[influxdb]\ndatabase = "d"\n', "1:1: influxdb.url is missing: expected a URL such as http://127.0.0.1:8086"),
    (
        INFLUX + 'api = "v2"\ntoken = "t"\n',
        '1:1: influxdb.org is missing: expected the organisation, which api = "v2" needs',
    ),
    (INFLUX + 'username = "u"\n', "1:1: influxdb.password is missing: expected username and password together"),
    (
        INFLUX + 'username = "u"\npassword = "p"\ntoken = "t"\n',
        "6:9: influxdb.token = (hidden): expected either token, or username with password, not both",
    ),
    (
        '[mqtt.main]\nurl = "mqtt://h"\n' + SUBSCRIPTION,
        "1:1: mqtt.main.client_id is missing: expected the fixed client id of this gateway",
    ),
    (MQTT, "1:1: mqtt.main.subscription is missing: expected at least one [[mqtt.main.subscription]]"),
    (
        '[[serial]]\ndevice = "pms5003"\nthing = "t"\n',
        "1:1: serial[0].port is missing: expected a path such as /dev/serial/by-id/…, COM3, usb:serial=…, "
        "socket://host:port or rfc2217://host:port",
    ),
    (
        '[[serial]]\nport = "COM1"\ndevice = "pms5003"\n',
        "1:1: serial[0].thing is missing: expected the name of the thing",
    ),
    (INFLUX + "[local]\n", "4:1: local = {}: expected either [influxdb] or [local], not both"),
    # URLs and ports
    (
        '[influxdb]\nurl = "127.0.0.1:8086"\ndatabase = "d"\n',
        '2:7: influxdb.url = "127.0.0.1:8086": expected a URL such as http://127.0.0.1:8086',
    ),
    (
        '[influxdb]\nurl = "http://u:hunter2@h"\ndatabase = "d"\n',
        '2:7: influxdb.url = "http://…@h": expected a URL such as http://127.0.0.1:8086, '
        "with the user and the password in keys of their own",
    ),
    (
        '[mqtt.main]\nurl = "ws://h"\nclient_id = "c"\n' + SUBSCRIPTION,
        '2:7: mqtt.main.url = "ws://h": expected a URL such as mqtt://host:1883 or mqtts://host:8883',
    ),
    (
        '[mqtt.main]\nurl = "mqtt://h:99999"\nclient_id = "c"\n' + SUBSCRIPTION,
        '2:7: mqtt.main.url = "mqtt://h:99999": expected a URL such as mqtt://host:1883 or mqtts://host:8883',
    ),
    (
        '[[serial]]\nport = "ttyUSB0"\ndevice = "pms5003"\nthing = "t"\n',
        '2:8: serial[0].port = "ttyUSB0": expected a path such as /dev/serial/by-id/…, COM3, usb:serial=…, '
        "socket://host:port or rfc2217://host:port; a path relative to this file needs a slash, as ./ttyUSB0",
    ),
    (
        '[[serial]]\nport = "replay:none.rec"\ndevice = "pms5003"\nthing = "t"\n',
        '2:8: serial[0].port = "replay:none.rec": expected replay: and a recording, as '
        "`parkgate decode --port … --record FILE` writes it",
    ),
    (
        '[[serial]]\nport = "tcp://h:1"\ndevice = "pms5003"\nthing = "t"\n',
        '2:8: serial[0].port = "tcp://h:1": expected a path such as /dev/serial/by-id/…, COM3, usb:serial=…, '
        "socket://host:port or rfc2217://host:port",
    ),
    (
        MQTT + 'ca_file = "ca.pem"\n' + SUBSCRIPTION,
        '4:11: mqtt.main.ca_file = "ca.pem": expected an mqtts:// URL where certificates are given',
    ),
    # the environment
    (
        INFLUX + 'token = "${NO_SUCH_TOKEN}"\n',
        "4:9: influxdb.token = (hidden): expected the environment variable NO_SUCH_TOKEN to be set",
    ),
    (
        '[gateway]\nname = "${NO_SUCH_NAME}"\n',
        '2:8: gateway.name = "${NO_SUCH_NAME}": expected the environment variable NO_SUCH_NAME to be set',
    ),
    (
        '[gateway]\nname = "${A-B}"\n',
        '2:8: gateway.name = "${A-B}": expected ${NAME} with the name of an environment variable ($${ for a plain ${)',
    ),
    # used twice
    (
        SERIAL + SECOND.replace("ttyUSB1", "ttyUSB0"),
        '6:8: serial[1].port = "/dev/ttyUSB0": expected a value of its own; serial[0] has the same port',
    ),
    (
        SERIAL + SECOND.replace("/dev/ttyUSB1", "/dev/../dev/ttyUSB0"),
        '6:8: serial[1].port = "/dev/../dev/ttyUSB0": expected a value of its own; serial[0] has the same port',
    ),
    (
        SERIAL + SECOND.replace("lamp-2", "lamp-1"),
        '8:9: serial[1].thing = "lamp-1": expected a value of its own; serial[0] has it',
    ),
    (
        MQTT + SUBSCRIPTION.replace("a/{thing}", "a") + 'thing = "lamp-1"\n' + SERIAL,
        '11:9: serial[0].thing = "lamp-1": expected a value of its own; mqtt.main.subscription[0] has it',
    ),
    (
        MQTT + SUBSCRIPTION.replace("a/{thing}", "a/#") + SUBSCRIPTION.replace("a/{thing}", "a/b/{thing}"),
        '8:9: mqtt.main.subscription[1].topic = "a/b/{thing}": expected topic filters that do not overlap: '
        "mqtt.main.subscription[0] brings some of the same messages",
    ),
    (
        MQTT + SUBSCRIPTION + SUBSCRIPTION.replace("{thing}", "+"),
        '8:9: mqtt.main.subscription[1].topic = "a/+": expected a topic filter once only; '
        "mqtt.main.subscription[0] has the same",
    ),
    (
        MQTT + SUBSCRIPTION + (MQTT + SUBSCRIPTION).replace("main", "spare"),
        '9:13: mqtt.spare.client_id = "c": expected a value of its own; mqtt.main has it at the same broker',
    ),
    (
        MQTT + SUBSCRIPTION + 'thing = "x"\n',
        '7:9: mqtt.main.subscription[0].thing = "x": expected no thing where the topic says {thing}',
    ),
]


@pytest.mark.parametrize(("text", "line"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/gateway.toml:{line}"


BAD_TOPICS = [
    ("a/#/b", 'a topic filter with "#" only as the whole last level'),
    ("a/b#", 'a topic filter with "#" only as the whole last level'),
    ("a+/b", 'a topic filter with "+" only as a whole level'),
    ("a/{thing}-x", 'a topic filter with "{thing}" only as a whole level'),
    ("{thing}/{thing}", 'a topic filter with "{thing}" once'),
    ("a/{device}", 'a topic filter in which the only name in braces is "{thing}", not "{device}"'),
    ("$share/g", "a shared subscription $share/GROUP/FILTER"),
    ("$share//a", "a shared subscription $share/GROUP/FILTER"),
    ("$share/g+/a", "a shared subscription $share/GROUP/FILTER"),
    ("$share/g/", "a shared subscription $share/GROUP/FILTER"),
    ("", 'an MQTT topic filter such as "park/{thing}/up", not an empty text'),
]


@pytest.mark.parametrize(("topic", "expected"), BAD_TOPICS)
def test_topic_filters_follow_the_rules_of_mqtt(tmp_path: Path, topic: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, MQTT + f'[[mqtt.main.subscription]]\ntopic = "{topic}"\ndevice = "senml"\n')
    assert (
        str(caught.value)
        == f'{tmp_path}/gateway.toml:5:9: mqtt.main.subscription[0].topic = "{topic}": expected {expected}'
    )


@pytest.mark.parametrize("topic", ["#", "+", "/", "a//b", "+/{thing}/#", "$share/g/#", "$SYS/broker/{thing}"])
def test_topic_filters_that_mqtt_allows(tmp_path: Path, topic: str) -> None:
    config = read(tmp_path, MQTT + f'[[mqtt.main.subscription]]\ntopic = "{topic}"\ndevice = "senml"\n')
    assert config.mqtt[0].subscriptions[0].topic == topic


@pytest.mark.parametrize(
    ("port", "found"), [("ports/lamp-17", "ports/lamp-17"), ("./lamp-17", "lamp-17"), ("../lamp-17", "../lamp-17")]
)
def test_a_relative_port_starts_at_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: str, found: str
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "gateway.toml").write_text(f'[[serial]]\nport = "{port}"\ndevice = "pms5003"\nthing = "a"\n')
    monkeypatch.chdir(tmp_path)
    (entry,) = load(Path("etc/gateway.toml"), {}).serial
    assert entry.port == f"{tmp_path}/etc/{found}"


def test_a_port_and_a_link_to_it_are_the_same_port(tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to(tmp_path / "tty7")
    text = f'[[serial]]\nport = "{tmp_path}/tty7"\ndevice = "pms5003"\nthing = "a"\n'
    text += f'[[serial]]\nport = "{tmp_path}/by-id"\ndevice = "sds011"\nthing = "b"\n'
    with pytest.raises(ConfigError, match=r"serial\[1\]\.port = .* serial\[0\] has the same port"):
        read(tmp_path, text)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml", {}, DEVICES)
    assert str(caught.value) == (
        f"{tmp_path}/none.toml: No such file or directory: expected a configuration file that can be read"
    )


def test_bytes_that_are_not_text_are_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_bytes(b'[gateway]\nname = "\xff"\n')
    with pytest.raises(
        ConfigError, match=r"gateway\.toml:2:9: byte 0xff is not UTF-8 .*: expected a TOML file, saved as UTF-8$"
    ):
        load(file, {}, DEVICES)


def test_a_secret_from_the_environment_never_shows(tmp_path: Path) -> None:
    text = '[influxdb]\nurl = "${SECRET_URL}"\ndatabase = "d"\n'
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, {"SECRET_URL": "ftp://hunter2"})
    assert "hunter2" not in str(caught.value)
    assert 'influxdb.url = "${SECRET_URL}"' in str(caught.value)
