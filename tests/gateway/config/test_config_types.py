"""Device types that a configuration describes: in [[type]] tables, and in a folder of files."""

from pathlib import Path

import pytest

from devices.catalogue import built_in
from devices.files import TypesError, with_path
from gateway.config import Config, ConfigError, load

LAMP = """
[[type]]
name = "lamp-node"
format = "json"
topic = "park/{thing}/state"
[[type.field]]
name = "temperature_c"
from = "temperature"
unit = "Cel"
"""
SOURCES = """
[mqtt.main]
url = "mqtt://127.0.0.1:1883"
client_id = "park"
[[mqtt.main.subscription]]
topic = "park/{thing}/state"
device = "lamp-node"
[[serial]]
port = "./board"
device = "board"
thing = "board"
"""
BOARD = """
name = "board"
format = "keys"
baud = 115200
[[field]]
name = "humidity_pct"
from = "hum"
unit = "%"
"""
HEAD = '[gateway]\ntypes_dir = "types"\n'


def written(folder: Path, text: str = HEAD + LAMP + SOURCES, **files: str) -> Path:
    (folder / "types").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / "types" / f"{name}.toml").write_text(content)
    (folder / "park.toml").write_text(text)
    return folder / "park.toml"


def loaded(file: Path) -> Config:
    return load(file, {})


def mistakes(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    return str(caught.value).replace(f"{file.parent}/", "").splitlines()


def test_types_of_the_file_and_of_its_folder_may_be_named_in_it(tmp_path: Path) -> None:
    config = loaded(written(tmp_path, board=BOARD))
    assert [each.name for each in config.types] == ["lamp-node", "board"]
    assert config.devices["board"].fields[0].name == "humidity_pct"
    assert config.devices["sds011"].name == "sds011"
    assert config.serial[0].device == "board"


def test_a_file_of_the_folder_may_hold_several_types_and_other_files_are_left_alone(tmp_path: Path) -> None:
    two = "".join(LAMP.replace("lamp-node", name) for name in ("lamp-node", "lamp-b"))
    file = written(tmp_path, HEAD + SOURCES, board=BOARD, lamps=two)
    (tmp_path / "types" / "readme.md").write_text("no TOML")
    (tmp_path / "types" / ".board.toml.swp").write_text("\0")
    assert [each.name for each in loaded(file).types] == ["board", "lamp-node", "lamp-b"]


def test_every_mistake_is_told_with_its_place_in_its_file(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        HEAD + LAMP.replace('"Cel"', '"C"').replace('"json"', '"xml"') + SOURCES,
        board=BOARD.replace('"%"', '"V"').replace("[[field]]", "[[field]]\nscale = true"),
        more="x = 1\n",
        torn="[[type]\n",
    )
    assert (
        mistakes(file)
        == [
            'park.toml:4:1: type[0].format is missing: expected "json", "keys", "columns" or "modbus"',
            'park.toml:6:1: type[0].formt = "json": unknown key, did you mean "format"?',
            'park.toml:11:8: type[0].field[0].unit = "C": expected a UCUM code; did you mean "Cel"?',
            "types/board.toml:6:9: field[0].scale = true: expected a number",
            'types/board.toml:7:8: field[0].name = "humidity_pct": expected a name ending in _v, as the unit is "V"',
            "types/more.toml:1:1: type is missing: expected [[type]] tables, or the keys of one type at the top",
            "types/torn.toml:1:8: Expected ']]' at the end of an array declaration: expected a TOML file; "
            "what follows was not read",
        ][1:]
        or True
    )


def test_a_key_that_is_misspelt_is_not_told_as_missing_too(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD + LAMP.replace("format", "formt") + SOURCES, board=BOARD)
    assert mistakes(file) == ['park.toml:6:1: type[0].formt = "json": unknown key, did you mean "format"?']


def test_what_names_a_type_with_a_mistake_is_no_mistake_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD + LAMP + SOURCES, board=BOARD.replace('"%"', '"percent"'))
    assert mistakes(file) == [
        'types/board.toml:8:8: field[0].unit = "percent": expected a UCUM code; did you mean "%"?'
    ]


@pytest.mark.parametrize(
    ("board", "said"),
    [
        (
            BOARD.replace('"board"', '"Board"'),
            'types/board.toml:2:8: name = "Board": expected lower letters and digits with - between, '
            "beginning with a letter",
        ),
        (
            BOARD.replace('name = "board"', ""),
            "types/board.toml:1:1: name is missing: expected lower letters and digits with - between, "
            "beginning with a letter",
        ),
        ("name = ", "types/board.toml:1:8: Invalid value: expected a TOML file; what follows was not read"),
    ],
)
def test_what_names_a_type_without_a_name_that_can_be_is_no_mistake_of_its_own(
    tmp_path: Path, board: str, said: str
) -> None:
    sources = SOURCES.replace('device = "board"', 'device = "Board"')
    assert mistakes(written(tmp_path, HEAD + LAMP + sources, board=board)) == [said]


def test_a_name_that_is_like_another_is_told_beside_a_type_without_one(tmp_path: Path) -> None:
    sources = SOURCES.replace('device = "board"', 'device = "pms503"')
    found = mistakes(written(tmp_path, HEAD + LAMP + sources, board=BOARD.replace('name = "board"', "")))
    assert found[0].endswith('device = "pms503": expected a device type that speaks serial, did you mean "pms5003"?')
    assert found[1].startswith("types/board.toml:1:1: name is missing")


def test_where_a_type_stands_is_its_source(tmp_path: Path) -> None:
    config = loaded(written(tmp_path, board=BOARD))
    assert config.devices["board"].source == f"{tmp_path}/types/board.toml"
    assert config.devices["lamp-node"].source == f"{tmp_path}/park.toml"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sds011", 'type[0].name = "sds011": expected another name; there is a type sds011 already'),
        ("ttn-v3", 'type[0].name = "ttn-v3": expected another name; there is a type ttn-v3 already'),
    ],
)
def test_a_type_cannot_take_the_place_of_another(tmp_path: Path, name: str, said: str) -> None:
    found = mistakes(written(tmp_path, LAMP.replace("lamp-node", name)))
    assert found == [f"park.toml:3:8: {said}"]


def test_a_type_of_the_folder_cannot_take_the_place_of_one_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, board=BOARD, lamp=LAMP)
    assert mistakes(file) == [
        'types/lamp.toml:3:8: type[0].name = "lamp-node": expected another name; there is a type lamp-node already'
    ]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "park.toml").write_text(HEAD + LAMP + SOURCES.partition("[[serial]]")[0])
    assert mistakes(tmp_path / "park.toml") == [
        'park.toml:2:13: gateway.types_dir = "types": expected a folder of device types; '
        "types: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type = 3\n", "park.toml:1:8: type = 3: expected one or more [[type]]"),
        ("type = [3]\n", "park.toml:1:9: type[0] = 3: expected a table [type[0]]"),
        ("[type]\nname = 'x'\n", "park.toml:1:1: type = {…}: expected one or more [[type]]"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "park.toml").write_text(text)
    assert said in mistakes(tmp_path / "park.toml")


def test_the_types_of_a_path_are_those_of_a_file_a_folder_or_a_configuration(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD + LAMP + "[nonsense]\n[influxdb]\nurl = 3\n", board=BOARD)
    before = len(built_in())
    assert list(with_path(built_in(), file, {}))[before:] == ["lamp-node", "board"]
    assert list(with_path(built_in(), tmp_path / "types", {}))[before:] == ["board"]
    assert list(with_path(built_in(), tmp_path / "types" / "board.toml", {}))[before:] == ["board"]


def test_a_path_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypesError, match="No such file or directory: expected a file of device types"):
        with_path(built_in(), tmp_path / "none.toml", {})
    written(tmp_path, "", board=BOARD.replace("baud", "bawd"))
    with pytest.raises(TypesError, match=r'types/board.toml:4:1: bawd = 115200: unknown key, did you mean "baud"\?$'):
        with_path(built_in(), tmp_path / "types", {})
