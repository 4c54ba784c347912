"""The catalogue: built-in types, those of installed packages, and further ones, without a global."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from devices import catalogue as rooms
from devices.catalogue import ALIASES, Catalogue, built_in, installed
from devices.spec.device import StreamDevice
from devices.spec.errors import DescriptionError
from tests.devices.catalogue_page import PAGE, page
from tests.devices.published import VECTORS

SDS011 = built_in()["sds011"]


def packages(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(
        rooms, "entry_points", lambda group: EntryPoints(each for each in points if each.group == group)
    )


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, "parkgate.devices")


def test_a_type_is_imported_when_it_is_asked_for() -> None:
    code = (
        "import sys; from devices.catalogue import built_in; types = built_in(); "
        "before = 'devices.senml' in sys.modules; len(types), 'senml' in types, list(types); "
        "between = 'devices.senml' in sys.modules; types['senml']; "
        "print(before, between, 'devices.senml' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False False True\n"


def test_a_package_brings_a_type(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, point("acme-gas", "tests.devices.test_catalogue:ACME"))
    found = installed()
    assert list(found)[-1] == "acme-gas"
    assert found["acme-gas"] is ACME
    assert len(built_in()) == len(found) - 1


ACME = replace(SDS011, name="acme-gas")


BOOM = "tests.devices.test_catalogue:Boom.boom"


class Raising(type):
    def __getattr__(cls, _name: str) -> object:
        raise ValueError("boom")


class Boom(metaclass=Raising):
    """A module that fails while it is imported, as far as an entry point can tell."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_module:DEVICE", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("tests.devices.test_catalogue:NONE", "cannot be imported: AttributeError: "),
        (BOOM, "cannot be imported: ValueError: boom"),
        ("tests.devices.test_catalogue:SDS011", "its description calls it sds011"),
        ("sys:path", "expected a description, got list"),
    ],
)
def test_a_package_whose_type_is_none_is_named(monkeypatch: pytest.MonkeyPatch, value: str, words: str) -> None:
    packages(monkeypatch, point("acme-gas", value))
    said = f"^device type acme-gas of package {value}: {words}"
    with pytest.raises(DescriptionError, match=said.replace("(", r"\(")):
        installed()["acme-gas"]


def test_a_package_cannot_take_the_place_of_a_type(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, point("sds011", "acme:DEVICE"), point("acme-gas", "tests.devices.test_catalogue:ACME"))
    found = installed()
    assert found["sds011"] is SDS011
    assert found["acme-gas"] is ACME
    assert found.left_out == ("device type sds011 of package acme:DEVICE: parkgate has one of that name, which stays",)
    assert found.plus([replace(SDS011, name="mine")]).left_out == found.left_out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bci_oximeter", "parkgate has one of that name"),
        ("things", "the name is the gateways' own"),
        ("acme_gas", r"package tests.devices.test_catalogue:ACME has one of that name"),
    ],
)
def test_a_name_that_cannot_be_is_refused_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    packages(monkeypatch, point(name, "acme:DEVICE"), point("acme-gas", "tests.devices.test_catalogue:ACME"))
    found = installed()
    assert found["acme-gas"] is ACME
    with pytest.raises(DescriptionError, match=f"^device type {name} of package acme:DEVICE: {words}$"):
        found[name]


def test_of_two_packages_with_one_name_neither_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, point("acme-gas", "a:DEVICE"), point("acme-gas", "b:DEVICE"))
    said = "^device type acme-gas of package b:DEVICE: package a:DEVICE has one of that name, too$"
    with pytest.raises(DescriptionError, match=said):
        installed()["acme-gas"]


def test_a_list_of_packages_that_cannot_be_read_leaves_the_types_of_parkgate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "entry_points", lambda group: int(group))
    found = installed()
    assert len(found) == len(built_in())
    (why,) = found.left_out
    assert why.startswith("the list of installed packages cannot be read: ValueError: ")


def test_no_type_is_stored_where_gateways_tell_of_themselves() -> None:
    with pytest.raises(DescriptionError, match="gateway_event is what gateways say of themselves"):
        built_in().plus([replace(SDS011, name="gateway-event")])


def test_further_types_stand_beside_the_others() -> None:
    more = built_in().plus([ACME])
    assert more["acme-gas"] is ACME
    assert "acme-gas" not in built_in()
    assert more["sds011"].name == "sds011"


@pytest.mark.parametrize("name", ["pms5003", "bci_oximeter", "ttn_v3"])
def test_two_types_never_share_a_measurement(name: str) -> None:
    with pytest.raises(DescriptionError, match=f"^device type {name}: there is a type "):
        built_in().plus([replace(SDS011, name=name)])


def test_no_type_of_that_name() -> None:
    with pytest.raises(KeyError):
        Catalogue({})["lamp"]


def test_the_protocols_of_published_vectors_name_types() -> None:
    types = built_in()
    assert {device for devices in ALIASES.values() for device in devices} <= set(types)
    assert not ALIASES.keys() & set(types)
    lines = VECTORS.read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["protocol"] for line in lines} <= set(types) | ALIASES.keys()


@pytest.mark.parametrize(
    ("name", "links"),
    [
        ("cms50d-plus", [(19200, "O"), (19200, "O"), (115200, "N")]),
        ("cms50e", [(19200, "O"), (19200, "O")]),
    ],
)
def test_an_oximeter_by_its_makers_name(name: str, links: list[tuple[int, str]]) -> None:
    types = built_in()
    found = [types[each] for each in ALIASES[name]]
    assert [(each.serial.baud, each.serial.parity) for each in found if isinstance(each, StreamDevice)] == links


def test_the_page_of_the_catalogue_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make it anew: make catalogue"
