"""`parkgate check` reads certificates as connecting will; the words of a will."""

from pathlib import Path

import pytest

from gateway.cli.main import main
from gateway.config import WillConfig, load
from tests.gateway.authority import Authority

PARK = """
[mqtt.main]
url = "mqtts://127.0.0.1:8883"
client_id = "park-east"
{keys}
[[mqtt.main.subscription]]
topic = "park/{{thing}}/up"
device = "senml"
"""


def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: str) -> tuple[int, str]:
    """Exit code and what stands on stderr, without the directory."""
    file = tmp_path / "park.toml"
    file.write_text(PARK.format(keys=keys))
    code = main(["check", "--config", str(file)])
    return code, capsys.readouterr().err.replace(f"{tmp_path}/", "")


KEY = "a PEM file of the certificate's key, not encrypted"


def test_check_reads_the_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = Authority(tmp_path, "ca")
    authority.issue("gateway", "DNS:gateway")
    other = Authority(tmp_path, "other")
    other.issue("gateway", "DNS:gateway")
    good = 'ca_file = "ca/ca.pem"\ncert_file = "ca/gateway.pem"\nkey_file = "ca/gateway.key"'
    assert checked(tmp_path, capsys, good) == (0, "")
    wrong_key = 'cert_file = "ca/gateway.pem"\nkey_file = "other/gateway.key"'
    assert checked(tmp_path, capsys, wrong_key) == (
        2,
        'parkgate: park.toml:6:12: mqtt.main.key_file = "other/gateway.key": this key does not belong to the '
        f"certificate in cert_file ca/gateway.pem (KEY_VALUES_MISMATCH); expected {KEY}\n",
    )
    authority.encrypt("gateway")
    locked = 'cert_file = "ca/gateway.pem"\nkey_file = "ca/gateway.locked.key"'
    assert checked(tmp_path, capsys, locked) == (
        2,
        f'parkgate: park.toml:6:12: mqtt.main.key_file = "ca/gateway.locked.key": a key behind a password; '
        f"expected {KEY}\n",
    )
    alone = 'cert_file = "ca/gateway.pem"'
    assert checked(tmp_path, capsys, alone) == (
        2,
        'parkgate: park.toml:2:1: mqtt.main.key_file = "ca/gateway.pem": no private key in it, and key_file '
        f"is not set; expected {KEY}\n",
    )


def test_check_tells_of_both_certificates_and_of_what_else_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("not PEM")
    code, said = checked(tmp_path, capsys, 'ca_file = "notes.txt"\ncert_file = "notes.txt"\nkeepalive_s = 0')
    assert code == 2
    assert [line.partition(" = ")[0] for line in said.splitlines()] == [
        "parkgate: park.toml:5:11: mqtt.main.ca_file",
        "parkgate: park.toml:6:13: mqtt.main.cert_file",
        "parkgate: park.toml:7:15: mqtt.main.keepalive_s",
    ]


def test_check_names_files_that_are_no_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("not PEM")
    (tmp_path / "folder").mkdir()
    assert checked(tmp_path, capsys, 'ca_file = "notes.txt"') == (
        2,
        'parkgate: park.toml:5:11: mqtt.main.ca_file = "notes.txt": not a usable PEM file '
        "(NO_CERTIFICATE_OR_CRL_FOUND); expected a PEM file of certificates\n",
    )
    for keys, key, column in (('ca_file = "folder"', "ca_file", 11), ('cert_file = "folder"', "cert_file", 13)):
        code, said = checked(tmp_path, capsys, keys)
        assert code == 2
        assert said.startswith(f'parkgate: park.toml:5:{column}: mqtt.main.{key} = "folder": ')
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "will"),
    [
        ('{ topic = "gw" }', WillConfig("gw", "offline", 1, True, "online")),
        ('{ topic = "gw", birth = "here" }', WillConfig("gw", "offline", 1, True, "here")),
        ('{ topic = "gw", payload = "", birth = "" }', WillConfig("gw", "", 1, True, "")),
    ],
)
def test_the_words_of_a_will(tmp_path: Path, text: str, will: WillConfig) -> None:
    file = tmp_path / "park.toml"
    file.write_text(PARK.format(keys=f"will = {text}"))
    assert load(file, {}).mqtt[0].will == will


def test_a_birth_message_is_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(tmp_path, capsys, 'will = { topic = "gw", birth = 1 }') == (
        2,
        "parkgate: park.toml:5:32: mqtt.main.will.birth = 1: expected a text\n",
    )


@pytest.mark.parametrize(
    ("head", "warned"),
    [('listen = "0.0.0.0:8080"', 1), ('listen = "0.0.0.0:8080"\napi_token = "0123456789abcdef"', 0), ("", 0)],
)
def test_check_warns_of_an_api_that_answers_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], head: str, warned: int
) -> None:
    file = tmp_path / "gateway.toml"
    serial = '[[serial]]\nport = "/dev/x"\ndevice = "pms5003"\nthing = "lamp"\n'
    file.write_text(f'[gateway]\nstate_dir = "state"\n{head}\n{serial}')
    assert main(["check", str(file)]) == 0
    said = "warning listen = '0.0.0.0:8080' is not loopback, so the API answers nobody, here neither, until it "
    assert (
        capsys.readouterr().out.count(said + 'has a token: set api_token = "${PARKGATE_API_TOKEN}" in [gateway]\n')
        == warned
    )


@pytest.mark.parametrize(
    ("register", "said"),
    [
        (40001, "register 40001 is an address on the wire; 40001 of a manual is register 0 of function 3"),
        (30072, "register 30072 is an address on the wire; 30072 of a manual is register 71 of function 4"),
        (40000, ""),
        (0, ""),
    ],
)
def test_check_warns_of_a_register_that_may_be_a_number_of_a_manual(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], register: int, said: str
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[gateway]\nstate_dir = "state"\n'
        '[[type]]\nname = "tank"\nformat = "modbus"\n'
        f'[[type.field]]\nname = "level_m"\nregister = {register}\nunit = "m"\n'
        '[[serial]]\nport = "/dev/x"\n[[serial.thing]]\nthing = "tank-1"\ndevice = "tank"\n'
    )
    assert main(["check", str(file)]) == 0
    warned = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning type")]
    assert warned == ([f"warning type tank: {said}"] if said else [])
