"""The published vectors of health devices, their publishers' names mapped to ours here."""

from typing import Any

import pytest

from devices.spec.device import MessageDevice
from devices.spec.events import Reading
from tests.device_types import BY_NAME
from tests.devices.published import payload, published


@pytest.mark.parametrize(
    "vector",
    published("ieee11073-float", "ieee11073-sfloat"),
    ids=lambda vector: f"{vector['protocol']}-{vector['id']}",
)
def test_published_float(vector: dict[str, Any]) -> None:
    device = BY_NAME[vector["protocol"]]
    assert isinstance(device, MessageDevice)
    (event,) = device.decode("ble/thing-1/float", payload(vector), 0)
    assert isinstance(event, Reading)
    assert event.fields == vector["expected"]
    assert device.encode(event) == payload(vector) or vector["id"] == 674  # the same value with another exponent
