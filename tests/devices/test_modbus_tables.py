"""Register maps as tables: what they mean without being told, and every mistake with its key."""

import contextlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import devices
from devices.catalogue import PROFILES, built_in
from devices.files import TypesError, with_path
from devices.modbus import profile
from devices.spec.device import PolledDevice
from devices.spec.errors import DescriptionError
from devices.spec.events import Empty, Reading
from devices.spec.mapping import MappingError
from devices.spec.mapping import device_type as of_texts
from devices.spec.polled import Exchange
from devices.tables import device_type
from gateway.config import ConfigError, load

GOOD = """
name = "acme-level"
format = "modbus"
[[field]]
name = "water_level_m"
register = 0
scale = 0.001
unit = "m"
"""


def made(text: str) -> PolledDevice:
    device = device_type(tomllib.loads(text))
    assert isinstance(device, PolledDevice)
    return device


def mistakes(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        device_type(tomllib.loads(text))
    return [str(mistake) for mistake in caught.value.mistakes]


def test_what_a_table_does_not_say_is_usual() -> None:
    device = made(GOOD)
    assert (device.serial.baud, device.serial.bits, device.serial.parity, device.serial.stop) == (9600, 8, "N", 1)
    assert (device.unit, device.units, device.expected_every_s, device.domain) == (1, range(1, 248), 10.0, "park")
    assert (device.timing.timeout_s, device.timing.silence_s, device.timing.late_s) == (0.5, 0.01, 1.0)
    (question,) = device.questions
    assert question.request(1).hex() == "010300000001840a"
    (field,) = device.fields
    assert (field.minimum, field.maximum, field.step, field.optional) == (0.0, 65.535, 0.001, True)
    assert field.description == "Water level"


@pytest.mark.parametrize(
    ("keys", "low", "high"),
    [
        ('type = "i16"', -32.768, 32.767),
        ('type = "u32"', 0.0, 4294967.295),
        ('type = "i16"\noffset = 40', 7.232, 72.767),
        ("minimum = 0.5", 0.5, 65.535),
        ("maximum = 9", 0.0, 9.0),
    ],
)
def test_a_whole_number_has_the_range_of_its_registers(keys: str, low: float, high: float) -> None:
    (field,) = made(GOOD + keys).fields
    assert (field.minimum, field.maximum) == (low, high)


def test_a_negative_scale_turns_the_range_over() -> None:
    (field,) = made(GOOD.replace("0.001", "-2")).fields
    assert (field.minimum, field.maximum, field.step) == (-131070.0, 0.0, 2.0)


def test_a_float_has_no_range_but_what_is_said() -> None:
    (field,) = made(GOOD + 'type = "f32"\nmaximum = 7').fields
    assert (field.minimum, field.maximum, field.step) == (None, 7.0, 0.001)


def test_what_fields_share_is_said_once_and_one_may_differ() -> None:
    text = (
        'name = "x"\nformat = "modbus"\nfunction = 4\ntype = "u32"\norder = "low"\nunit = 7\nparity = "E"\n'
        '[[field]]\nname = "a"\nregister = 10\n[[field]]\nname = "b"\nregister = 12\ntype = "u16"\nfunction = 3\n'
    )
    device = made(text)
    assert [question.name for question in device.questions] == [
        "function 3, registers 12..12",
        "function 4, registers 10..11",
    ]
    assert (device.unit, device.serial.parity) == (7, "E")
    frame = device.questions[1].answer(7, {"a": 65538.0})
    assert frame[3:7].hex() == "00020001"


def test_raw_numbers_that_mean_none_may_be_written_as_their_bits() -> None:
    device = made(GOOD + 'type = "i16"\nabsent = [0x8000, -1]')
    assert isinstance(Exchange(device.questions[0], 1).feed(bytes.fromhex("0103028000d984"))[0], Empty)
    (event,) = Exchange(device.questions[0], 1).feed(bytes.fromhex("01030206597bde"))
    assert isinstance(event, Reading)
    assert event.fields == {"water_level_m": 1.625}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("register = 0", "", "field[0].register is missing: expected a register from 0 to 65535 as on the wire"),
        ("register = 0", "register = 400001", "field[0].register = 400001: expected a register from 0 to 65535"),
        ("register = 0", "register = true", "field[0].register = true: expected a register from 0 to 65535"),
        ("register = 0", "regster = 0", 'field[0].regster = 0: unknown key, did you mean "register"?'),
        (
            "register = 0",
            'register = 65535\ntype = "u32"',
            "field[0].register = 65535: expected a register below 65535",
        ),
        ("scale = 0.001", "scale = 0", "field[0].scale = 0: expected a number other than 0"),
        ('unit = "m"', 'unit = "metres"', 'field[0].unit = "metres": expected a UCUM code; did you mean "m"?'),
        ('unit = "m"', 'unit = "m3/hour"', 'field[0].unit = "m3/hour": expected a UCUM code; did you mean "m3/h"?'),
        ('unit = "m"', 'unit = "V"', 'field[0].name = "water_level_m": expected a name ending in _v'),
        ('unit = "m"', 'unit = "m"\ntype = "u8"', 'field[0].type = "u8": expected "u16", "i16", "u32"'),
        ('unit = "m"', 'unit = "m"\nfunction = 6', "field[0].function = 6: expected a whole number from 3 to 4"),
        ('unit = "m"', 'unit = "m"\norder = "big"', 'field[0].order = "big": expected "high" or "low"'),
        ('unit = "m"', 'unit = "m"\nbit = 3', "field[0].bit = 3: expected no such key but with kind"),
        ('unit = "m"', 'unit = "m"\nabsent = "none"', 'field[0].absent = "none": expected raw numbers of the type u16'),
        (
            'unit = "m"',
            'unit = "m"\nabsent = 70000',
            "field[0].absent = 70000: expected raw numbers of the type u16, 0",
        ),
        ('unit = "m"', 'unit = "m"\nabsent = 0.5', "field[0].absent = 0.5: expected raw numbers of the type u16"),
        ('unit = "m"', 'unit = "m"\nfrom = "a"', 'field[0].from = "a": unknown key'),
        ('format = "modbus"', 'format = "modbus"\ntopic = "a/b"', 'topic = "a/b": unknown key'),
        ('format = "modbus"', 'format = "modbus"\nbits = 7', "bits = 7: unknown key"),
        ('format = "modbus"', 'format = "modbus"\nunit = 0', "unit = 0: expected a whole number from 1 to 247"),
        ('format = "modbus"', 'format = "modbus"\nmost = 126', "most = 126: expected a whole number from 1 to 125"),
        ('format = "modbus"', 'format = "modbus"\ntimeout_s = 0', "timeout_s = 0: expected a number from 0.001 to 60"),
        ('format = "modbus"', 'format = "modbus"\nparity = "X"', 'parity = "X": expected "N", "E" or "O"'),
        ("acme-level", "Acme", 'name = "Acme": expected lower letters and digits'),
    ],
)
def test_a_mistake_is_named_with_its_key(old: str, new: str, said: str) -> None:
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new))
    assert len(found) == 1, found
    assert found[0].startswith(said), found


def test_fields_that_share_registers_are_named_unless_they_are_flags_of_one_number() -> None:
    flag = '[[field]]\nname = "{}"\nregister = {}\nkind = "flag"\nbit = {}\n'
    both = 'name = "x"\nformat = "modbus"\n' + flag.format("a", 3, 0) + flag.format("b", 3, 1)
    assert len(made(both).questions) == 1
    assert mistakes(both.replace("bit = 1", "bit = 0")) == [
        "field[1].register = 3: expected registers that field[0] does not have"
    ]
    wide = '[[field]]\nname = "c"\nregister = 2\ntype = "u32"\n'
    assert mistakes(both + wide) == ["field[2].register = 2: expected registers that field[0] does not have"]
    other = wide.replace('"u32"', '"u32"\nfunction = 4')
    assert len(made(both + other).questions) == 2


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('kind = "text"', 'field[0].kind = "text": expected measure, counter, state or flag: registers hold numbers'),
        ('kind = "state"', "field[0].states is missing: expected the words that may come, two at least"),
        ('kind = "counter"\ntype = "f32"', 'field[0].kind = "counter": expected "measure", as type is "f32"'),
    ],
)
def test_a_kind_that_registers_cannot_have_is_named(keys: str, said: str) -> None:
    found = mistakes(f'name = "x"\nformat = "modbus"\n[[field]]\nname = "a"\nregister = 0\n{keys}\n')
    assert found[0].startswith(said), found


def test_a_type_without_fields_and_a_number_longer_than_a_question_are_named() -> None:
    assert mistakes('name = "x"\nformat = "modbus"') == ["field is missing: expected at least one [[type.field]]"]
    assert mistakes(GOOD.replace("[[field]]", "most = 2\n[[field]]") + 'type = "u64"') == [
        'field[0].type = "u64": expected a type of at most 2 registers, as most is 2'
    ]


TYPE = '[[type]]\nname = "pump"\nformat = "modbus"\n[[type.field]]\nname = "flow_l_min"\nregister = 4\nunit = "L/min"\n'
LINE = '[[serial]]\nport = "./line"\n[[serial.thing]]\ndevice = "pump"\nthing = "pump-1"\nunit = 3\n'


def test_a_configuration_may_hold_one_and_ask_it(tmp_path: Path) -> None:
    (tmp_path / "park.toml").write_text(TYPE + LINE)
    config = load(tmp_path / "park.toml", {})
    (thing,) = config.serial[0].things
    assert (thing.device, thing.unit) == ("pump", 3)
    assert config.devices["pump"].source == f"{tmp_path}/park.toml"


def test_what_asks_a_type_with_a_mistake_is_no_mistake_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "park.toml").write_text(TYPE.replace("register = 4", "register = -1") + LINE)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "park.toml", {})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path}/park.toml:6:12: type[0].field[0].register = -1: expected a register from 0")


def test_a_file_of_a_folder_may_be_one(tmp_path: Path) -> None:
    (tmp_path / "level.toml").write_text(GOOD)
    assert with_path(built_in(), tmp_path, {})["acme-level"].fields[0].unit == "m"
    (tmp_path / "level.toml").write_text(GOOD.replace("acme-level", "sdm120"))
    with pytest.raises(TypesError, match="there is a type sdm120 already"):
        with_path(built_in(), tmp_path, {})


def test_what_reads_texts_says_that_this_is_none() -> None:
    with pytest.raises(MappingError, match='format = "modbus": a table of texts is expected here'):
        of_texts(tomllib.loads(GOOD))


def test_every_profile_is_in_the_catalogue() -> None:
    folder = Path(devices.__file__).parent / "modbus" / "profiles"
    assert sorted(file.stem for file in folder.iterdir()) == sorted(PROFILES)
    for name in PROFILES:
        text = (folder / f"{name}.toml").read_text()
        assert "# Source: " in text
        assert "# Limits: " in text
        assert max(map(len, text.splitlines())) <= 120


def test_a_profile_is_read_when_its_type_is_used() -> None:
    code = (
        "import sys; from devices.catalogue import built_in; types = built_in(); len(types), list(types); "
        "before = 'devices.modbus.profile' in sys.modules; types['sdm630']; "
        "print(before, 'devices.modbus.profile' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False True\n"


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(profile, "PROFILES", tmp_path)
    with pytest.raises(DescriptionError, match=r"^device type sdm630: its profile cannot be read: "):
        built_in()["sdm630"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(("u16", "f32", "V")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(profile.FIELD_KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    table=st.dictionaries(st.sampled_from(profile.TYPE_KEYS), VALUES),
    fields=st.lists(st.dictionaries(st.sampled_from(profile.FIELD_KEYS), VALUES), max_size=3),
)
def test_whatever_stands_in_a_table_is_a_type_or_its_mistakes(
    table: dict[str, object], fields: list[dict[str, object]]
) -> None:
    with contextlib.suppress(MappingError):
        assert profile.device_type({"name": "x", "format": "modbus", "field": fields, **table}).questions
