"""A codec that needs no JavaScript: named by the index, answered at once, by a gateway and by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.lorawan import lpp
from devices.lorawan.names import number_name
from gateway.cli.main import main
from gateway.codecs.index import IndexMistaken, read_index
from tests.gateway.codecs.park import QUICK, park, topic, uplink
from tests.gateway.mqtt_room import Publisher, until
from tests.servers.mosquitto import Mosquitto

TWO_TEMPERATURES = bytes.fromhex("03670110056700ff")
INDEX = '[[codec]]\nbuiltin = "cayenne-lpp"\nprofile = ["LPP nodes", "acme/lpp"]\ndev_eui = "70b3d5*"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "codecs"
    made.mkdir()
    (made / "index.toml").write_text(INDEX)
    (made / "acme-quick.js").write_text(QUICK)
    return made


async def test_an_uplink_is_decoded_at_once(
    start_mosquitto: Callable[..., Mosquitto], tmp_path: Path, folder: Path
) -> None:
    broker = start_mosquitto()
    async with park(tmp_path, broker.url, folder) as here:
        await here.up()
        publisher = Publisher(broker.port)
        publisher.send(topic("post-1"), uplink("post-1", TWO_TEMPERATURES, 9, model="acme/lpp"))
        (line,) = await here.stored("post-1")
        assert line.rsplit(" ", 1)[0] == (
            'device_id="post-1",f_port=9i,f_cnt=0i,payload_hex="03670110056700ff",temperature_3_c=27.2,temperature_5_c=25.5'
        )
        publisher.send(topic("bin-7"), uplink("bin-7", b"\x2a", model="acme/quick"))
        await here.stored("bin-7")
        await until(lambda: here.due == [], "all is acknowledged")
        counts = {each.name: each.decoded for each in here.codecs.counts()}
        assert counts == {"cayenne-lpp": 1, "acme-quick.js": 1}


def test_by_hand_and_with_words_about_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    payload = ("--sender", "70b3d57ed0000001", "--hex", "03670110" + "05f9")
    assert main(["decode", "-d", "lorawan-payload", "--codecs", str(folder), *payload]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fields"] == {"f_port": 0, "payload_hex": "0367011005f9", "temperature_3_c": 27.2}
    assert said["units"]["temperature_3_c"] == "Cel"
    assert said["field_errors"] == ["byte 5: type 249 on channel 5 is not known; nothing behind it is read"]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ('[[codec]]\nbuiltin = "lpp"\nprofile = "x"\n', "cayenne-lpp"),
        ('[[codec]]\nbuiltin = "cayenne-lpp"\n', "for whom the codec is: profile, dev_eui or thing"),
        ('[[codec]]\nbuiltin = "cayenne-lpp"\nfile = "a.js"\nprofile = "x"\n', "no such key beside builtin"),
        (INDEX + INDEX, "a codec once only; a key takes a list"),
    ],
)
def test_mistakes_of_an_index(tmp_path: Path, index: str, words: str) -> None:
    (tmp_path / "index.toml").write_text(index)
    with pytest.raises(IndexMistaken, match=words):
        read_index(tmp_path / "index.toml")


def test_names_of_lpp_are_as_the_rule_of_names_has_them() -> None:
    for kind in lpp.TYPES.values():
        for part in kind.parts:
            name = lpp.field_name(kind, part, 12)
            assert number_name(name) == name
