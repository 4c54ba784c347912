"""The catalogue: built-in types, those of installed packages, and further ones, without a global."""

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from devices import catalogue as rooms
from devices.catalogue import Catalogue, built_in, installed
from devices.spec.errors import DescriptionError

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


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_module:DEVICE", "device type acme-gas: cannot be imported: No module named 'no_such_module'"),
        ("tests.devices.test_catalogue:NONE", "device type acme-gas: cannot be imported: "),
        ("tests.devices.test_catalogue:SDS011", "device type acme-gas: its description calls it sds011"),
        ("sys:path", "device type acme-gas: expected a description, got list"),
    ],
)
def test_a_package_whose_type_is_none_is_named(monkeypatch: pytest.MonkeyPatch, value: str, words: str) -> None:
    packages(monkeypatch, point("acme-gas", value))
    with pytest.raises(DescriptionError, match="^" + words.replace("(", r"\(")):
        installed()["acme-gas"]


@pytest.mark.parametrize("name", ["sds011", "bci_oximeter"])
def test_a_package_cannot_take_the_place_of_a_type(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    packages(monkeypatch, point(name, "tests.devices.test_catalogue:SDS011"))
    with pytest.raises(DescriptionError, match="parkgate has one of that name"):
        installed()


def test_no_type_is_stored_where_gateways_tell_of_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DescriptionError, match="gateway_event is what gateways say of themselves"):
        built_in().plus([replace(SDS011, name="gateway-event")])
    packages(monkeypatch, point("things", "tests.devices.test_catalogue:SDS011"))
    with pytest.raises(DescriptionError, match="device type things of package"):
        installed()


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
