"""`parkgate decode` of a type with state: several messages, in order."""

import json
import subprocess
import sys

LIST = (
    'zigbee2mqtt/bridge/devices [{"ieee_address":"0x01","friendly_name":"living room","definition":'
    '{"exposes":[{"type":"numeric","property":"temperature","unit":"°C","access":1}]}}]\n'
)


def parkgate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from gateway.cli.main import run; run()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def readings(out: str) -> list[tuple[str, dict[str, object], dict[str, str]]]:
    rows = [json.loads(line) for line in out.splitlines()]
    return [(row["thing"], row["fields"], row["units"]) for row in rows if row["event"] == "reading"]


def test_lines_of_topic_and_payload_are_decoded_in_order(tmp_path):
    file = tmp_path / "heard.txt"
    file.write_text(
        'zigbee2mqtt/living room {"temperature": 20}\n' + LIST + "zigbee2mqtt/living room/availability online\n"
    )
    result = parkgate("decode", "-d", "zigbee2mqtt", str(file))
    assert result.returncode == 0
    assert readings(result.stdout) == [
        ("bridge", {"device_count": 1.0}, {"device_count": "1"}),
        ("living room", {"temperature_c": 20.0}, {"temperature_c": "Cel"}),
        ("living room", {"available_flag": True}, {"available_flag": "1"}),
    ]


def test_one_message_is_decoded_with_those_before_it(tmp_path):
    file = tmp_path / "heard.txt"
    file.write_text(LIST)
    topic = ("--topic", "zigbee2mqtt/living room")
    result = parkgate("decode", "-d", "zigbee2mqtt", *topic, "--text", '{"temperature": 22}', "--with", str(file))
    assert readings(result.stdout) == [("living room", {"temperature_c": 22.0}, {"temperature_c": "Cel"})]


def test_one_message_alone_is_what_it_says_by_itself():
    result = parkgate("decode", "-d", "zigbee2mqtt", "--topic", "zigbee2mqtt/plug", "--text", '{"temperature": 22}')
    assert readings(result.stdout) == [("plug", {"temperature_c": 22.0}, {"temperature_c": "Cel"})]
    assert len(result.stdout.splitlines()) == 1


def test_another_base_topic_is_named_by_the_filter(tmp_path):
    file = tmp_path / "heard.txt"
    file.write_text(LIST.replace("zigbee2mqtt/", "home/z2m/") + 'home/z2m/living room {"temperature": 1}\n')
    result = parkgate("decode", "-d", "zigbee2mqtt", "--topic", "home/z2m/#", str(file))
    assert readings(result.stdout)[1:] == [("living room", {"temperature_c": 1.0}, {"temperature_c": "Cel"})]


def test_mistakes_are_said_in_one_line(tmp_path):
    file = tmp_path / "heard.txt"
    file.write_text("nonsense\n")
    for arguments, words in (
        ((str(file),), 'the input, line 1: expected a topic, a blank and a payload, got "nonsense"'),
        (("--text", "{}"), "--topic is missing: a message of zigbee2mqtt is told by its topic, as in zigbee2mqtt/#"),
    ):
        result = parkgate("decode", "-d", "zigbee2mqtt", *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr == f"parkgate: {words}\n"
    result = parkgate("decode", "-d", "senml", "--text", "[]", "--with", str(file))
    assert result.stderr == "parkgate: --with: messages of senml each speak for themselves\n"
