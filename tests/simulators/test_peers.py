"""Commands are answered byte by byte as the manuals say; what has no manual keeps its count.

Requests and answers: Plantower PMS5003 series data manual V2.3, appendix B; Nova Fitness, Laser
Dust Sensor Control Protocol V1.3. The simulated SDS011 has the id 00 00.
"""

from itertools import pairwise

import pytest

from devices.spec.device import MessageDevice
from devices.spec.events import Reading
from simulators.peer import Instrument
from simulators.things import ThingSpec, peer, usual_topic, zoned
from simulators.vda5050 import epoch
from tests.device_types import BY_NAME, DEVICES

NOON = 1_767_326_400.0

PMS_FIRST = "424d001c0009000e00160009000e00160b10039000c0001b000600019700032c"

PMS = {
    "passive": "424de100000170",
    "active": "424de100010171",
    "read": "424de200000171",
    "sleep": "424de400000173",
    "wake": "424de400010174",
}
SDS = {
    "passive": "aab4020101" + "00" * 10 + "ffff02ab",
    "active": "aab4020100" + "00" * 10 + "ffff01ab",
    "read": "aab404" + "00" * 12 + "ffff02ab",
    "sleep": "aab4060100" + "00" * 10 + "ffff05ab",
    "wake": "aab4060101" + "00" * 10 + "ffff06ab",
}


def pms() -> Instrument:
    return warm(peer(ThingSpec("lamp", BY_NAME["pms5003"], seed=7)))


def sds() -> Instrument:
    return warm(peer(ThingSpec("kiosk", BY_NAME["sds011"], seed=7)))


def warm(instrument: Instrument) -> Instrument:
    """One that was switched on four seconds before noon, to which nobody has listened yet."""
    instrument.tick(NOON - 4.0)
    instrument.tick(NOON)
    return instrument


def tell(instrument: Instrument, request: str) -> str:
    return instrument.receive(bytes.fromhex(request)).hex()


def said(instrument: Instrument, start: float, seconds: int) -> int:
    """Frames in that time."""
    return sum(len(instrument.tick(start + k)) for k in range(seconds))


def test_the_first_frame_of_a_seed_is_this_one() -> None:
    instrument = pms()
    assert instrument.tick(NOON) == []
    (frame,) = instrument.tick(NOON + 0.999)
    assert frame.data.hex() == PMS_FIRST
    assert (frame.number, frame.series, frame.topic) == (0, (), "")


def test_pms5003_obeys() -> None:
    instrument = pms()
    assert said(instrument, NOON, 11) == 10
    assert tell(instrument, PMS["passive"]) == "424d0004e1000174"
    assert said(instrument, NOON + 11, 10) == 0
    assert tell(instrument, PMS["read"]) == ""
    assert said(instrument, NOON + 21, 10) == 1
    assert tell(instrument, PMS["active"]) == "424d0004e1010175"
    assert tell(instrument, PMS["read"]) == ""
    assert said(instrument, NOON + 31, 11) == 10
    assert tell(instrument, PMS["sleep"]) == "424d0004e4000177"
    assert said(instrument, NOON + 42, 10) == 0
    assert tell(instrument, PMS["passive"]) == ""
    assert tell(instrument, PMS["wake"]) == ""
    assert said(instrument, NOON + 52, 11) == 10


def test_sds011_obeys() -> None:
    instrument = sds()
    assert tell(instrument, SDS["passive"]) == "aac502010100000004ab"
    assert said(instrument, NOON, 10) == 0
    assert tell(instrument, SDS["read"]) == ""
    assert said(instrument, NOON + 10, 10) == 1
    assert tell(instrument, SDS["sleep"]) == "aac506010000000007ab"
    assert tell(instrument, SDS["read"]) == ""
    assert said(instrument, NOON + 20, 10) == 0
    assert tell(instrument, SDS["wake"]) == "aac506010100000008ab"
    assert said(instrument, NOON + 30, 10) == 0  # still passive
    assert tell(instrument, SDS["active"]) == "aac502010000000003ab"
    assert said(instrument, NOON + 40, 11) == 10


def test_commands_are_found_however_they_are_cut_and_among_noise() -> None:
    instrument = pms()
    request = bytes.fromhex("00ff" + PMS["passive"] + "42")
    assert [instrument.receive(request[at : at + 1]).hex() for at in range(len(request))] == (
        [""] * 8 + ["424d0004e1000174"] + [""]
    )
    assert instrument.receive(bytes.fromhex(PMS["active"] + PMS["passive"])).hex() == (
        "424d0004e1010175" + "424d0004e1000174"
    )
    assert instrument.receive(b"\x42" * 10_000) == b""


def test_a_receiver_says_who_made_it_and_that_it_has_no_fix_yet() -> None:
    one = peer(ThingSpec("cart", BY_NAME["nmea0183"], seed=7))
    one.tick(NOON)
    frames = one.tick(NOON + 0.999)
    assert [frame.data for frame in frames[:4]] == [
        b"$GNTXT,01,01,02,u-blox AG - www.u-blox.com*4E\r\n",
        b"$GNRMC,,V,,,,,,,,,,N*4D\r\n",
        b"$GNGGA,,,,,,0,00,99.99,,,,,,*56\r\n",
        b"$GNVTG,,T,,M,,N,,K,N*32\r\n",
    ]
    assert [frame.number is None for frame in frames] == [True] * 4 + [False] * 4
    assert all(frame.number is not None for frame in one.tick(NOON + 2.0))


def test_an_undelivered_number_is_given_again() -> None:
    instrument = pms()
    instrument.tick(NOON)
    first, second = instrument.tick(NOON + 2.0)
    assert (first.number, second.number) == (0, 1)
    instrument.delivered(first)
    (third,) = instrument.tick(NOON + 3.0)
    assert third.number == 1
    instrument.delivered(third)
    assert instrument.sent == {(): 2}


def test_a_device_that_was_held_up_does_not_catch_up_without_end() -> None:
    instrument = peer(ThingSpec("visitor", BY_NAME["bci-oximeter"], seed=7, period_s=1 / 60))
    instrument.tick(NOON)
    assert len(instrument.tick(NOON + 3600.0)) == 256
    assert len(instrument.tick(NOON + 3601.1)) in (59, 60, 61, 62, 63, 64, 65, 66)


def test_usual_topics() -> None:
    expected = {
        "senml": "park/post-1/senml",
        "ttn-v3": "v3/parkgate/devices/post-1/up",
        "vda5050": "uagv/v2/parkgate/post-1/state",
    }
    for name, topic in expected.items():
        device = BY_NAME[name]
        assert device.link == "mqtt"
        assert usual_topic(device, "post-1") == topic  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("topic", "version", "word"),
    [
        ("uagv/v2/acme/r1/state", '"version":"2.1.0"', '"connectionState":"CONNECTIONBROKEN"'),
        ("vda5050/v3/acme/r1/state", '"version":"3.0.0"', '"connectionState":"CONNECTION_BROKEN"'),
    ],
)
def test_a_robot_says_whether_it_is_connected(topic: str, version: str, word: str) -> None:
    robot = peer(ThingSpec("r1", BY_NAME["vda5050"], seed=7, topic=topic))
    frame = robot.presence("CONNECTION_BROKEN", NOON)
    assert frame is not None
    assert frame.topic == topic.replace("/state", "/connection")
    assert frame.retain
    assert frame.number is None
    text = frame.data.decode()
    assert version in text
    assert word in text
    assert '"serialNumber":"r1"' in text
    robot.tick(NOON)
    assert version in robot.tick(NOON + 1.0)[0].data.decode()


def test_a_blocked_robot_stands_and_its_order_is_the_round_it_is_on() -> None:
    said = epoch(7, "uagv/v2/parkgate/r1/state")
    states = [said(NOON + k / 2)[0].fields for k in range(2 * 2160)]
    blocked = [state for state in states if state["error_count"]]
    assert len(blocked) > 60
    for state in blocked:
        assert (state["driving"], state["vx_m_s"], state["omega_rad_s"]) == (False, 0.0, 0.0)
        assert (state["error_type"], state["error_level"]) == ("obstacleInPath", "WARNING")
    for a, b in pairwise(states):
        if a["error_count"] and b["error_count"]:
            assert (a["x_m"], a["y_m"], a["last_node_id"]) == (b["x_m"], b["y_m"], b["last_node_id"])
    orders = list(dict.fromkeys(str(state["order_id"]) for state in states if state["order_id"]))
    assert len(orders) == 2
    assert int(orders[1].removeprefix("round-")) == int(orders[0].removeprefix("round-")) + 1


def test_things_on_mqtt_can_speak_below_their_zone() -> None:
    specs = [
        ThingSpec("r1", BY_NAME["vda5050"], zone="lake"),
        ThingSpec("lamp", BY_NAME["pms5003"], zone="gate"),
        ThingSpec("post", BY_NAME["senml"]),
    ]
    assert [spec.topic_name for spec in zoned(specs)] == ["lake/uagv/v2/parkgate/r1/state", "", "park/post/senml"]
    (state,) = epoch(1, "lake/uagv/v2/parkgate/r1/state")(NOON)
    assert (state.fields["manufacturer"], state.fields["version"]) == ("parkgate", "2.1.0")


def test_a_node_says_its_birth_where_the_others_are_heard_and_others_say_none() -> None:
    node = peer(ThingSpec("n7", BY_NAME["acme-nodes"]))
    assert [(frame.topic, frame.data, frame.retain) for frame in node.births()] == [
        ("acme/n7/birth", b'{"21": ["water_temperature_c", 0.01]}', True),
        ("acme/n7/state", b"online", True),
    ]
    assert peer(ThingSpec("post", BY_NAME["senml"])).births() == []


FAMILIES = [device for device in DEVICES if isinstance(device, MessageDevice) and device.family is not None]


@pytest.mark.parametrize("device", FAMILIES, ids=lambda device: device.name)
def test_a_simulated_thing_of_a_family_is_understood(device: MessageDevice) -> None:
    """A type of a family whose things do not say what they mean needs `births` in its description."""
    thing = peer(ThingSpec("thing-1", device, period_s=0.5))
    own, decoder = thing.presence("ONLINE", NOON), device.decoder()
    thing.tick(NOON)
    events: list[object] = []
    for frame in [*([own] if own else []), *thing.births(), *thing.tick(NOON + 1.0)]:
        said = decoder.retained if frame.retain else decoder.decode
        events += said(frame.topic, frame.data, int(NOON * 1e9)) if frame.topic else []
    found = [event for event in events if isinstance(event, Reading) and not event.standing and event.fields]
    assert found, f"{device.name}: no reading; `births` of its description says first what its things mean: {events}"
