"""Every device type that talks is simulated: the same seed says the same, and faults cost what they cost.

Those that are asked: test_every_asked_device.py.
"""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest

from devices.spec.device import Device, MessageDevice, PolledDevice, StreamDevice
from devices.spec.events import Event, Reading, SanityError, Value
from devices.spec.sequence import audit
from simulators.faults import Armour, Faults, Injector
from simulators.peer import Frame, Instrument, series_of
from simulators.things import ThingSpec, peer
from tests.device_types import DEVICES

TALKERS = [device for device in DEVICES if not isinstance(device, PolledDevice)]
NOON = 1_767_326_400.0  # 2026-01-02 12:00 in UTC+8
FRAMES = 400

everyone = pytest.mark.parametrize("device", TALKERS, ids=lambda device: device.name)
UNASKED: dict[str, dict[str, Value]] = {
    "sds011": {"device_id": "0000"},
    "sds018": {"device_id": "0000"},
    "sds021": {"device_id": "0000"},
    "sds198": {"device_id": "0000"},
    "nmea0183": {"satellites_tracked": 8, "group_complete": True},
    "ttn-v3": {"device_id": "thing-1"},
    "chirpstack-v4": {"dev_eui": "thing-1"},
    "owntracks": {"online_flag": True},
    "rtl-433": {"model_text": "thing-1"},
    "meshtastic": {"packet_type": "telemetry", "gateway_text": "!125bb40d"},
    "ble-gatt": {"flags": 30},  # contact, energy, intervals
    "vda5050": {"serial_number": "thing-1", "action_count": 0, "action_failed_count": 0},
}
"""Fields that come out without being put in, where they do, and what they are."""
DERIVED = {
    "messages_missed",
    "speed_m_s",
    "snr_max_db_hz",
    "snr_mean_db_hz",
    "received_count",
    "lost_count",
    "battery_pct",
}
FAULTY = Faults(seed=7, flip=0.05, partial=0.04, duplicate=0.03, noise=0.06)


def thing(device: Device, seed: int = 7) -> Instrument:
    kind = "weather" if device.open_fields and device.name in ("senml", "ttn-v3") else None
    instrument = peer(ThingSpec("thing-1", device, seed, period_s=1.0, kind=kind))
    instrument.receive(instrument.opening)
    return instrument


def frames(device: Device, count: int = FRAMES, seed: int = 7) -> Iterator[Frame]:
    """`count` frames, each delivered before the next."""
    return (frame for frame, _ in told(device, count, seed))


def told(device: Device, count: int = FRAMES, seed: int = 7) -> Iterator[tuple[Frame, Reading]]:
    """`count` frames, each with the reading that the simulated device made it of."""
    instrument, now, said = thing(device, seed), NOON, 0
    made: list[Reading] = []

    def encode(reading: Reading) -> bytes:
        made.append(deepcopy(reading))
        return device.encode(reading)

    instrument.device = replace(device, encode=encode)
    while said < count:
        due = [frame for frame in instrument.tick(now) if frame.number is not None]
        if not due:
            instrument.receive(instrument.opening)  # it may have fallen asleep
        for frame, reading in zip(due, made, strict=True):
            instrument.delivered(frame)
            said += 1
            yield frame, reading
            if said == count:
                return
        made.clear()
        now += 0.5


def hear(device: Device, frame_topic: str, pieces: list[bytes]) -> list[Event]:
    """What a decoder makes of `pieces`: a stream in random cuts, or one message each."""
    if isinstance(device, MessageDevice):
        return [event for piece in pieces for event in device.decode(frame_topic, piece, int(NOON * 1e9))]
    assert isinstance(device, StreamDevice)
    decoder, stream, rng, events = device.decoder(), b"".join(pieces), random.Random(1), []
    while stream:
        cut = rng.randint(1, 40)
        events += decoder.feed(stream[:cut])
        stream = stream[cut:]
    return events + decoder.flush()


def readings(device: Device, events: list[Event]) -> list[Reading]:
    """Those that carry an audit number; a group of sentences that lost one of them is not one."""
    found = [event for event in events if isinstance(event, Reading)]
    return [one for one in found if device.sequence.extract(one.fields) is not None]


def assert_is(device: Device, heard: Reading, made: Reading) -> None:
    """All that was said came out, numbers within one raw step of their field; what else came out is derived."""
    steps = {field.name: field.step or 1e-9 for field in device.fields}
    for name, value in made.fields.items():
        found = heard.fields[name]
        if isinstance(value, bool | int) or isinstance(found, str | bool):
            same = json.loads(str(found)) == json.loads(str(value)) if str(value).startswith("[") else found == value
            assert same, f"{name}: {found!r} for {value!r}"
        else:
            assert isinstance(value, float), name
            assert abs(found - value) <= steps[name] * (1 + 1e-6), f"{name}: {found!r} for {value!r}"
    derived = {name: value for name, value in heard.fields.items() if name not in made.fields}
    knots = made.fields.get("speed_kn")
    if knots is not None and "speed_m_s" in derived:
        assert derived["speed_m_s"] == pytest.approx(float(knots) * 1852 / 3600, abs=0.001)
    if "satellites" in made.fields:
        levels = [row["snr_db_hz"] for row in json.loads(str(made.fields["satellites"]))]
        assert derived["snr_max_db_hz"] == max(levels)
        assert derived["snr_mean_db_hz"] == pytest.approx(sum(levels) / len(levels), abs=0.01)
    unasked = {name: value for name, value in derived.items() if name not in DERIVED}
    assert unasked.items() <= UNASKED.get(device.name, {}).items()
    assert heard.tags.items() >= made.tags.items()
    if heard.time_ns is not None and made.time_ns is not None:
        assert abs(heard.time_ns - made.time_ns) <= 10_000_000


@everyone
def test_the_same_seed_says_the_same_bytes_and_another_seed_others(device: Device) -> None:
    once = [frame.data for frame in frames(device, 50)]
    assert once == [frame.data for frame in frames(device, 50)]
    assert once != [frame.data for frame in frames(device, 50, seed=8)]
    assert len(set(once)) > 1


@everyone
def test_what_is_said_is_understood_and_the_count_has_no_gap(device: Device) -> None:
    said = list(frames(device))
    heard = readings(device, hear(device, said[0].topic, [frame.data for frame in said]))
    assert len(heard) == len(said)
    for series in {frame.series for frame in said}:
        numbers = [frame.number for frame in said if frame.series == series]
        assert numbers == list(range(len(numbers)))
        stored = [device.sequence.extract(one.fields) for one in heard if series_of(device, one) == series]
        result = audit(len(numbers), [number for number in stored if number is not None], device.sequence.modulus)
        assert (result.stored, result.lost, result.duplicates) == (len(numbers), 0, 0)


@everyone
def test_with_faults_on_no_value_is_wrong_and_the_losses_are_those_injected(device: Device) -> None:
    injector = Injector(FAULTY, Armour.of(device), "thing-1")
    pieces: list[bytes] = []
    expected: list[Reading] = []
    topic = ""
    for frame, reading in told(device):
        wire = injector.apply(frame.data)
        pieces += wire.pieces
        expected += [reading] * wire.copies
        topic = frame.topic
    heard = readings(device, hear(device, topic, pieces))
    for one, reading in zip(heard, expected, strict=True):
        assert_is(device, one, reading)
    lost = injector.counts["flip"] + injector.counts["partial"]
    assert lost > 0
    assert injector.counts["noise"] > 0 or injector.armour is Armour.BARE
    assert len(heard) == FRAMES - lost + injector.counts["duplicate"]


@pytest.mark.parametrize("device", [one for one in DEVICES if isinstance(one, MessageDevice)], ids=lambda one: one.name)
def test_half_a_payload_is_refused_with_words(device: MessageDevice) -> None:
    injector = Injector(Faults(seed=3, partial=1.0), Armour.WHOLE)
    for frame in frames(device, 50):
        (broken,) = injector.apply(frame.data).pieces
        (event,) = hear(device, frame.topic, [broken])
        assert isinstance(event, SanityError)
        assert event.detail


# A group of NMEA sentences that lost one of them is still told, without a count: its bytes are in a reading.
BY_THE_BYTE = [one for one in DEVICES if isinstance(one, StreamDevice) and one.name != "nmea0183"]


@pytest.mark.parametrize("device", BY_THE_BYTE, ids=lambda one: one.name)
def test_every_byte_of_a_faulty_stream_is_accounted_for(device: StreamDevice) -> None:
    injector = Injector(FAULTY, Armour.of(device), "thing-1")
    good = 0
    pieces: list[bytes] = []
    for frame in frames(device, 200):
        wire = injector.apply(frame.data)
        pieces += wire.pieces
        good += len(frame.data) * wire.copies
    refused = sum(0 if isinstance(event, Reading) else len(event.data) for event in hear(device, "", pieces))
    assert refused == len(b"".join(pieces)) - good
