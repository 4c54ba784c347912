"""What may be told to whom, as the configuration says it, and what is wrong with one that does not."""

from pathlib import Path

import pytest

from gateway.config import Config, ConfigError, allows, load

PORT = '[[serial]]\nport = "/dev/ttyUSB0"\ndevice = "{device}"\nthing = "kiosk"\ncommands = {commands}\n'
BROKER = """[mqtt.main]
url = "mqtt://127.0.0.1"
client_id = "park"
[[mqtt.main.subscription]]
topic = "{topic}"
device = "{device}"
commands = {commands}
"""


def read(path: Path, text: str) -> Config:
    (path / "gateway.toml").write_text(text)
    return load(path / "gateway.toml", {})


def port(commands: str, device: str = "sds011") -> str:
    return PORT.format(device=device, commands=commands)


def broker(commands: str, device: str = "vda5050", topic: str = "uagv/v2/+/{thing}/state") -> str:
    return BROKER.format(device=device, commands=commands, topic=topic)


def test_nothing_is_allowed_by_default(tmp_path: Path) -> None:
    config = read(tmp_path, port('["sleep"]').replace('commands = ["sleep"]\n', ""))
    assert config.serial[0].commands == ()
    assert not config.commands_allowed
    assert (config.commands.brokers, config.commands.per_minute, config.commands.keep_days) == ((), 30, 30.0)


def test_by_list_and_by_thing(tmp_path: Path) -> None:
    config = read(tmp_path, port('["sleep", "wake", "sleep"]'))
    assert config.commands_allowed
    assert allows(config.serial[0].commands, "kiosk") == ("sleep", "wake")
    config = read(tmp_path, broker('{ "robot-1" = ["start-pause"], "robot-2" = [] }'))
    (subscription,) = config.mqtt[0].subscriptions
    assert allows(subscription.commands, "robot-1") == ("start-pause",)
    assert allows(subscription.commands, "robot-2") == ()
    assert allows(subscription.commands, "robot-3") == ()
    config = read(
        tmp_path, broker('["start-pause"]') + '[commands]\nbrokers = ["main"]\nper_minute = 5\nkeep_days = 1.5\n'
    )
    assert allows(config.mqtt[0].subscriptions[0].commands, "robot-3") == ("start-pause",)
    assert (config.commands.brokers, config.commands.per_minute, config.commands.keep_days) == (("main",), 5, 1.5)
    line = '[[serial]]\nport = "/dev/ttyUSB1"\n[[serial.thing]]\ndevice = "mhz19b"\nthing = "office"\n'
    config = read(tmp_path, line + 'commands = ["range"]\n')
    assert config.serial[0].things[0].commands == ("range",)
    assert config.commands_allowed
    config = read(tmp_path, port('["range"]', "mhz19b"))
    assert (config.serial[0].commands, config.serial[0].things[0].commands) == ((), ("range",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (port('["slep"]'), "expected commands of sds011; 'slep' is none: did you mean \"sleep\"?"),
        (port('["dance"]'), "expected commands of sds011; 'dance' is none: it can be told "),
        (port('"sleep"'), "expected a list of commands, such as "),
        (port("[1]"), "expected a list of commands, such as "),
        (port('{ kiosk = ["sleep"] }'), "expected a list of commands, such as "),
        (port('["x"]', "pms3003"), "expected no commands: pms3003 can be told nothing"),
        (broker('{ "robot-1" = "start-pause" }'), "expected a list of commands, such as "),
        (broker('{ "robot-1" = ["start-pasue"] }'), 'did you mean "start-pause"?'),
        (broker("true"), 'or a table of such lists by thing: { "robot-1" = […] }'),
        (
            broker('["set"]', "zigbee2mqtt", "$share/g/zigbee2mqtt/#"),
            "expected no commands on a shared subscription: another gateway may get the answer",
        ),
        (broker("[]") + '[commands]\nbrokers = ["mian"]\n', "expected names of brokers; there is no [mqtt.mian]"),
        (broker("[]") + '[commands]\nbrokers = "main"\n', 'expected a list of names of brokers, such as "main"'),
        (
            '[gateway]\nname = "park east"\n' + broker("[]") + '[commands]\nbrokers = ["main"]\n',
            "expected no broker while gateway.name is 'park east'",
        ),
        (broker("[]") + "[commands]\nper_minute = 0\n", "expected a whole number from 1 to 6000"),
        (broker("[]") + "[commands]\nkeep_days = 0.5\n", "expected a number from 1 to 3650"),
        (broker("[]") + "[commands]\nrate = 1\n", "unknown key, expected one of brokers, per_minute, keep_days"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert words in str(error.value), str(error.value)


def test_a_recording_is_told_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.rec").write_text("# parkgate recording\n0.0 aa\n")
    with pytest.raises(ConfigError, match="expected no commands: a recording obeys nobody"):
        read(tmp_path, port('["sleep"]').replace("/dev/ttyUSB0", "replay:x.rec"))
