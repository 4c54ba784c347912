"""Which file of a folder an uplink is for, what its index may say, and how changes are taken."""

from pathlib import Path

import pytest

from devices.spec.coded import Raw
from gateway.codecs.index import IndexMistaken, read_index
from gateway.codecs.shelf import Shelf


def shelf(folder: Path, *names: str, index: str = "") -> Shelf:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("function Decoder(bytes, port) { return {}; }")
    if index:
        (folder / "index.toml").write_text(index)
    found = Shelf(folder)
    look = found.look()
    assert look.problem == ""
    found.take(look, at_once=True)
    return found


def chosen(shelf: Shelf, thing: str = "", **sender: str) -> str | None:
    script = shelf.choose(Raw(b"\x01", 1, **sender), thing)  # type: ignore[arg-type]
    return None if script is None else script.name


def test_a_file_is_named_by_devices_profiles_and_models(tmp_path: Path) -> None:
    found = shelf(
        tmp_path,
        *("24e124136c123456.js", "24E124.js", "24e12471.js", "bin-7.js", "milesight-em500-udl.js"),
        *("0f3e5c1a-9d1b-4c3e-8a70-111111111111.js", "acme/wind.js", "other/wind.js", "acme/rain.js", ".hidden.js"),
        *("node_modules/x.js", "readme.txt", "a/b/c/deep.js", "a/b/c/d/deeper.js"),
    )
    assert len(found.scripts) == 10
    assert chosen(found, dev_eui="24e124136c123456", profile="Milesight EM500-UDL") == "24e124136c123456.js"
    assert chosen(found, dev_eui="24e124136c123457") == "24E124.js"
    assert chosen(found, dev_eui="24e1247100000000") == "24e12471.js"
    assert chosen(found, thing="24E124136C123456") == "24e124136c123456.js"
    assert chosen(found, device="bin-7", profile="Milesight EM500-UDL") == "bin-7.js"
    assert chosen(found, thing="Bin 7") == "bin-7.js"
    assert chosen(found, profile="Milesight EM500-UDL") == "milesight-em500-udl.js"
    assert chosen(found, profile="milesight/EM500-UDL") == "milesight-em500-udl.js"
    assert chosen(found, profile="?", profile_id="0F3E5C1A-9D1B-4C3E-8A70-111111111111") is not None
    assert chosen(found, profile="acme/wind") == "acme/wind.js"
    assert chosen(found, profile="other/wind") == "other/wind.js"
    assert chosen(found, profile="wind") is None  # two are called so
    assert chosen(found, profile="third/rain") == "acme/rain.js"
    assert chosen(found, profile="deep") == "a/b/c/deep.js"
    assert chosen(found, profile="deeper") is None
    assert chosen(found, profile="/", dev_eui="ff00000000000000") is None
    assert chosen(found) is None


INDEX = """
[[codec]]
file = "elsys.js"
profile = ["ERS Eye", "elsys/ers-sound"]
dev_eui = "A8:17:58:FF:FE:00:00:01"

[[codec]]
file = "other.js"
dev_eui = ["a81758fffe0000*", "a81758fffe000001ff*"]
thing = "hall"
prefer = "codec"
function = "Decode"
variables = { offset = "3" }
"""


def test_the_index_comes_before_names(tmp_path: Path) -> None:
    found = shelf(
        tmp_path, "elsys.js", "other.js", "ers-eye.js", "hall.js", index=INDEX.replace(', "a81758fffe000001ff*"', "")
    )
    assert chosen(found, profile="ERS Eye") == "elsys.js"
    assert chosen(found, profile="elsys/ers-sound") == "elsys.js"
    assert chosen(found, dev_eui="a81758fffe000001") == "elsys.js"
    assert chosen(found, dev_eui="a81758fffe000002") == "other.js"
    assert chosen(found, device="hall") == "other.js"
    entry = found.scripts["other.js"].entry
    assert (entry.prefer, entry.function, entry.variables) == ("codec", "Decode", (("offset", "3"),))


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ('[[codec]]\nfile = "x.js"\n', "there is no x.js in this folder"),
        ('[[codec]]\nfile = "a.js"\n', "profile is missing: expected for whom the codec is: profile, dev_eui or thing"),
        ('[[codec]]\nfile = "a.js"\ndev_eui = "12"\n', "expected 16 hex digits, or the first of them with * behind"),
        ('[[codec]]\nfile = "a.js"\nprofile = []\n', "expected the name or id of a device profile, or a list of them"),
        ('[[codec]]\nfile = "a.js"\nthing = 3\n', "expected the name of a device, or a list of them"),
        ('[[codec]]\nfile = "a.js"\nprefer = "me"\n', 'expected "network" or "codec"'),
        ('[[codec]]\nfile = "a.js"\nfunction = "main"\n', "decodeUplink"),
        ('[[codec]]\nfile = "a.js"\nvariables = { x = [1] }\n', "expected a text, a number, true or false"),
        ('[[codec]]\nfile = "a.js"\nthing = "x"\n[[codec]]\nfile = "a.js"\nthing = "y"\n', "a file once only"),
        ("codec = 3", "one or more [[codec]]"),
        ("[[codec]\n", "expected a TOML file"),
    ],
)
def test_mistakes_of_an_index_are_told_with_their_place(tmp_path: Path, index: str, said: str) -> None:
    (tmp_path / "a.js").write_text("")
    (tmp_path / "index.toml").write_text(index)
    with pytest.raises(IndexMistaken) as told:
        read_index(tmp_path / "index.toml")
    assert said in str(told.value)
    assert "index.toml:" in str(told.value)
    look = Shelf(tmp_path).look()
    assert said in look.problem
    assert [name for name, _ in look.files] == ["a.js"]  # names go on to be good


def test_a_change_is_taken_when_two_looks_agree(tmp_path: Path) -> None:
    found = shelf(tmp_path, "a.js")
    first = found.scripts["a.js"]
    assert not found.take(found.look())
    assert not found.take(found.look())
    assert found.scripts["a.js"] is first
    (tmp_path / "a.js").write_text("function")
    assert not found.take(found.look())
    (tmp_path / "a.js").write_text("function Decode() {}")
    assert not found.take(found.look())
    assert found.take(found.look())
    assert found.scripts["a.js"] is not first
    (tmp_path / "b.js").write_text("")
    (tmp_path / "a.js").unlink()
    found.take(found.look())
    assert found.take(found.look())
    assert list(found.scripts) == ["b.js"]
    assert chosen(found, profile="a") is None
    (tmp_path / "index.toml").write_text("[[codec")
    found.take(found.look())
    assert found.take(found.look())
    assert "index.toml:" in found.problem
    (tmp_path / "index.toml").unlink()
    found.take(found.look())
    assert found.take(found.look())
    assert found.problem == ""


def test_a_folder_that_is_gone_is_told_and_comes_back(tmp_path: Path) -> None:
    found = shelf(tmp_path / "x", "a.js")
    (tmp_path / "x").rename(tmp_path / "y")
    found.take(found.look())
    assert found.take(found.look())
    assert found.problem.endswith("No such file or directory: expected a folder of codecs")
    (tmp_path / "y").rename(tmp_path / "x")
    found.take(found.look())
    assert found.take(found.look())
    assert found.problem == ""
    assert chosen(found, profile="a") == "a.js"


MODEL = """
name: ERS Eye
firmwareVersions:
  - version: '1.0'
    profiles:
      EU863-870:
        id: ers-profile
        codec: ers-eye-codec
      US902-928:
        id: ers-us
        codec: ers-eye-codec  # the same
"""
CODEC = """
# Uplink decoder decodes binary data uplink into a JSON object
uplinkDecoder:
  # what it is called
  fileName: elsys.js
  examples:
    - description: x
downlinkEncoder:
  fileName: other.js
"""


@pytest.mark.parametrize("place", ["", "vendor/"])
def test_a_device_repository_names_its_codecs_itself(tmp_path: Path, place: str) -> None:
    found = shelf(tmp_path, f"{place}elsys/elsys.js", f"{place}elsys/other.js", f"{place}third/payload/deep.js")
    (tmp_path / place / "elsys" / "ers-eye.yaml").write_text(MODEL)
    (tmp_path / place / "elsys" / "ers-eye-codec.yaml").write_text(CODEC)
    (tmp_path / place / "third" / "one.yaml").write_text("codec: 'one-codec'\r\ncodec: ../one-codec\r\n")
    (tmp_path / place / "third" / "one-codec.yaml").write_text("uplinkDecoder:\r\n  fileName: payload/deep.js\r\n")
    (tmp_path / place / "third" / "two.yaml").write_text("codec: a\ncodec: b\n")
    for name in "ab":
        (tmp_path / place / "third" / f"{name}.yaml").write_text(f"uplinkDecoder:\n  fileName: {name}.js\n")
    assert chosen(found, profile="elsys/ers-eye") == f"{place}elsys/elsys.js"
    assert chosen(found, profile="third/one") == f"{place}third/payload/deep.js"
    assert chosen(found, profile="third/two") is None
    assert chosen(found, profile="elsys/../elsys/ers-eye") is None
    assert chosen(found, profile="elsys/none") is None
