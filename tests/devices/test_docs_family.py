"""The family that docs/devices.md shows whole, taken from the page as it stands."""

from devices.spec.device import MessageDevice
from devices.spec.events import Empty, Fetch, Publish, Reading, SanityError
from tests.device_types import BY_NAME

T = 1_700_000_000_000_000_000


def shown() -> MessageDevice:
    device = BY_NAME["acme-nodes"]
    assert isinstance(device, MessageDevice)
    return device


def test_the_family_of_the_docs_keeps_data_until_their_birth() -> None:
    nodes = shown().decoder()
    assert list(nodes.connected(True)) == [Fetch("acme/+/birth"), Fetch("acme/+/state")]
    assert list(nodes.decode("acme/n7/data", b'{"22": 80}', T)) == [
        Empty("waits for a birth", b'{"22": 80}', "n7"),
        Publish("acme/n7/rebirth", b"1"),
    ]
    born, reading = nodes.retained("acme/n7/birth", b'{"22": ["humidity_pct", 0.5]}', T + 5)
    assert isinstance(born, Empty)
    assert reading == Reading({"humidity_pct": 40.0}, T, "n7")
    (reading,) = nodes.decode("acme/n7/data", b'{"22": 90, "23": 1}', T + 9)
    assert reading == Reading({"humidity_pct": 45.0}, None, "n7", field_errors=("23: the birth does not name it",))
    (state,) = nodes.retained("acme/n7/state", b"offline", T)
    assert state == Reading({"online_flag": False}, None, "n7", standing=True)


def test_the_family_of_the_docs_is_bounded_and_says_what_it_gives_up() -> None:
    nodes = shown().decoder()
    refused = []
    for number in range(150):
        refused += [each for each in nodes.decode(f"acme/n{number}/data", b"{}", T) if isinstance(each, SanityError)]
    assert len(refused) == 50
    assert len(nodes.flush()) == 100


def test_one_message_alone_and_its_payload_back() -> None:
    device = shown()
    (reading,) = device.decode("acme/n7/data", b'{"21":2150}', T)
    assert isinstance(reading, Reading)
    assert reading.fields == {"water_temperature_c": 21.5}
    assert device.encode(reading) == b'{"21":2150}'
