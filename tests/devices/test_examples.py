"""Every literal example of every device decodes to its literal values, and encodes back."""

import re

import pytest

from devices.spec.device import Device
from devices.spec.events import Reading
from tests.device_types import BUILT_IN, CONFIGURED, DEVICES
from tests.devices.examples import HERE, Example, all_examples, check_events, examples_of, parsed


@pytest.mark.parametrize("example", all_examples(), ids=str)
def test_decodes_to_its_events(example: Example) -> None:
    check_events(example.decode(), example.events)


@pytest.mark.parametrize("example", [e for e in all_examples() if e.both_ways], ids=str)
def test_encodes_to_its_bytes(example: Example) -> None:
    readings = [event for event in example.decode() if isinstance(event, Reading)]
    assert b"".join(example.encode(reading) for reading in readings) == example.data


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_every_device_has_examples(device: Device) -> None:
    examples = examples_of(device)
    assert len({example.name for example in examples}) == len(examples)
    assert any("fields" in event for example in examples for event in example.events)
    assert any(example.both_ways for example in examples)


@pytest.mark.parametrize("device", [*BUILT_IN.values(), *CONFIGURED], ids=lambda device: device.name)
def test_the_examples_of_a_device_are_in_a_file_of_its_name(device: Device) -> None:
    assert (HERE / f"{device.name.replace('-', '_')}.toml").is_file()


def test_a_file_without_its_line_in_the_registry_is_named() -> None:
    words = "acme_co9.toml: no device type 'acme-co9'; is the line \"acme_co9\", in BUILT_IN of devices/catalogue.py?"
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        parsed('device = "acme-co9"\n', "acme_co9.toml")
