"""Every device type for an hour of its own time, over its link, with one fault in a hundred frames.

The double says what it would say in 60 minutes (a clock of its own, as fast as the machine allows), faults are
injected into the bytes, and they cross a real pty or a real broker on their way to the decoder. No value is wrong, and
what is lost is what was injected.
"""

import os
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import paho.mqtt.client as paho
import pytest

from devices.spec.device import Device, MessageDevice, PolledDevice, StreamDevice
from devices.spec.events import Event, Fetch, Publish, Reading
from devices.spec.sequence import audit
from simulators.faults import Armour, Faults, Injector
from simulators.line import Respondent
from simulators.peer import Frame, Instrument
from simulators.ruuvi import GATEWAYS, WEAKER_DB
from simulators.things import ThingSpec, peer
from tests.device_types import BUILT_IN
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import free_port
from tests.simulators.test_every_asked_device import Master, assert_counted, go_rounds, made
from tests.simulators.test_every_device import NOON, assert_is, readings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
HOUR_S = 3600.0
STEP_S = 0.25
FEWEST = 400
"""Frames, of a type that says less in an hour: faults of one in a hundred would befall none."""

TALKING = Faults(seed=60, flip=0.004, partial=0.003, duplicate=0.002, noise=0.005)
ASKED = replace(TALKING, flip=0.002, partial=0.002, duplicate=0.001, missing=0.002, late=0.002, stranger=0.001)

STREAMS = [device for device in BUILT_IN.values() if isinstance(device, StreamDevice)]
MESSAGES = [device for device in BUILT_IN.values() if isinstance(device, MessageDevice)]
POLLED = [device for device in BUILT_IN.values() if isinstance(device, PolledDevice)]


class Wire:
    """A pty, both of its ends here: `cross` carries bytes from the device's end to the gateway's, or back."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)

    def cross(self, data: bytes, *, back: bool = False) -> bytes:
        source, target = (self.slave, self.master) if back else (self.master, self.slave)
        got = b""
        for start in range(0, len(data), 1024):
            piece = data[start : start + 1024]
            assert os.write(source, piece) == len(piece)
            here = b""
            while len(here) < len(piece):
                here += os.read(target, 4096)
            got += here
        return got

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


class Hour:
    """What a double says in an hour, with faults: pieces for the wire, and the readings that have to come out."""

    def __init__(self, device: StreamDevice | MessageDevice) -> None:
        self.device = device
        self.period_s = min(device.expected_every_s, HOUR_S / FEWEST)
        kind = "weather" if device.open_fields and device.name in ("senml", "ttn-v3") else None
        self.instrument: Instrument = peer(ThingSpec("thing-1", device, 60, period_s=self.period_s, kind=kind))
        self.injector = Injector(TALKING, Armour.of(device), "thing-1")
        self.expected: list[Reading] = []
        self.sent = 0
        self.lost = 0

    def said(self) -> Iterator[tuple[Frame, tuple[bytes, ...]]]:
        """Frame by frame; those that carry no reading go out as they are."""
        made: list[Reading] = []

        def encode(reading: Reading) -> bytes:
            made.append(Reading(dict(reading.fields), reading.time_ns, reading.thing, dict(reading.tags)))
            return self.device.encode(reading)

        self.instrument.device = replace(self.device, encode=encode)  # type: ignore[assignment]
        step_s = min(STEP_S, 100 * self.period_s)
        for tick in range(round(HOUR_S / step_s)):
            frames = self.instrument.tick(NOON + tick * step_s)
            if not frames and self.instrument.due_s() is None:
                self.instrument.receive(self.instrument.opening)  # it waits for it, or has fallen asleep
            counted = iter(made[:])
            made.clear()
            for frame in frames:
                if frame.number is None:
                    yield frame, (frame.data,)
                    continue
                reading = next(counted)
                put = self.injector.apply(frame.data)
                self.instrument.delivered(frame)
                self.sent += 1
                self.lost += not put.copies
                if self.device.name == "ruuvi":
                    self.expected.append(reading if put.copies else _of_the_second_gateway(reading))
                elif self.device.name == "meshtastic":  # a packet is known by its number when it comes again
                    self.expected += [reading] * min(put.copies, 1)
                else:
                    self.expected += [reading] * put.copies
                yield frame, put.pieces

    def check(self, events: list[Event]) -> None:
        """No value is wrong, nothing is missing but what was injected."""
        heard = readings(self.device, events)
        for one, reading in zip(heard, self.expected, strict=True):
            assert_is(self.device, one, reading)
        counts = self.injector.counts
        assert self.lost == counts["flip"] + counts["partial"]
        assert self.sent >= FEWEST * 0.9
        assert self.lost > 0
        if self.device.name == "sparkplug-b":  # whose numbers say what is missing, but for what is missing at the end
            assert sum(int(one.fields.get("messages_missed", 0)) for one in heard) in (self.lost, self.lost - 1)
        if len({tuple(sorted(one.tags.items())) for one in heard} | {one.thing for one in heard}) <= 2:
            stored = [self.device.sequence.extract(one.fields) for one in heard]
            result = audit(self.sent, [number for number in stored if number is not None], self.device.sequence.modulus)
            healed = self.device.name == "ruuvi"  # what one gateway loses the other has, and nothing is stored twice
            twice = 0 if self.device.name == "meshtastic" else counts["duplicate"]
            assert (result.lost, result.duplicates) == ((0, 0) if healed else (self.lost, twice))


def _of_the_second_gateway(reading: Reading) -> Reading:
    """A measurement as the gateway that is farther away has heard it."""
    fields = reading.fields | {"gateway_id": GATEWAYS[1], "rssi_dbm": float(reading.fields["rssi_dbm"]) - WEAKER_DB}
    return Reading(fields, reading.time_ns, reading.thing, reading.tags)


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
def test_of_a_stream_no_value_is_wrong_and_the_losses_are_those_injected(device: StreamDevice, wire: Wire) -> None:
    hour = Hour(device)
    decoder, events = device.decoder(), list[Event]()
    waiting = b""
    for _, pieces in hour.said():
        waiting += b"".join(pieces)
        if len(waiting) > 500:
            events += decoder.feed(wire.cross(waiting))
            waiting = b""
    hour.check(events + decoder.feed(wire.cross(waiting)) + decoder.flush())


class Listener:
    """One client that publishes and hears: a message comes back in its turn."""

    def __init__(self, port: int) -> None:
        self.heard: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, "hour", protocol=paho.MQTTv5)
        self.client.max_inflight_messages_set(1000)
        self.client.on_message = lambda _client, _data, message: self.heard.put((message.topic, message.payload))
        ready: SimpleQueue[bool] = SimpleQueue()
        self.client.on_subscribe = lambda *_: ready.put(True)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe([("#", 1), ("$aws/#", 1)])  # a # alone takes no topic that begins with $
        ready.get(timeout=10)

    def cross(self, messages: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        for topic, payload in messages:
            self.client.publish(topic, payload, qos=1)
        return [self.heard.get(timeout=20) for _ in messages]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def listening(directory: Path) -> Iterator[Listener]:
    broker = Mosquitto(directory, free_port())
    broker.start()
    listener = Listener(broker.port)
    try:
        yield listener
    finally:
        listener.close()
        broker.kill()


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listening(tmp_path_factory.mktemp("hour")) as made:
        yield made


@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_of_messages_no_value_is_wrong_and_the_losses_are_those_injected(
    device: MessageDevice, listener: Listener
) -> None:
    hour = Hour(device)
    decoder = device.decoder()
    decoder.connected(True)
    events: list[Event] = []

    def hear(messages: list[tuple[str, bytes]]) -> None:
        for topic, payload in listener.cross(messages):
            said = decoder.decode(topic, payload, int((NOON + HOUR_S) * 1e9))
            events.extend(event for event in said if not isinstance(event, Fetch | Publish))

    first = hour.instrument.presence("ONLINE", NOON)
    births = [*([first] if first else []), *hour.instrument.births()]
    hear([(frame.topic, frame.data) for frame in births])
    waiting: list[tuple[str, bytes]] = []
    for frame, pieces in hour.said():
        waiting += [(frame.topic, piece) for piece in pieces]
        if len(waiting) > 200:
            hear(waiting)
            waiting = []
    hear(waiting)
    hour.check(events)


class WiredMaster(Master):
    """A `Master` whose questions and answers cross a pty."""

    def __init__(self, respondents: list[Respondent], wire: Wire) -> None:
        super().__init__(respondents)
        self._wire = wire

    def say(self, request: bytes) -> bytes:
        return self._wire.cross(super().say(self._wire.cross(request, back=True)))

    def hear(self) -> bytes:
        return self._wire.cross(super().hear())


@pytest.mark.parametrize("device", POLLED, ids=lambda device: device.name)
def test_of_answers_no_value_is_wrong_and_the_losses_are_those_injected(device: PolledDevice, wire: Wire) -> None:
    faults = ASKED if device.units else replace(ASKED, stranger=0.0)
    one = made(device, faults=faults)
    master = WiredMaster([one], wire)
    period_s = min(device.expected_every_s, HOUR_S / FEWEST)
    rounds = round(HOUR_S / period_s)
    seen = go_rounds(master, one, rounds, period_s)
    assert one.injector is not None
    assert one.injector.counts["flip"] > 0
    assert seen > rounds * 0.9
    assert_counted(master, one)


def test_every_type_that_parkgate_brings_is_here() -> None:
    devices: list[Device] = [*STREAMS, *MESSAGES, *POLLED]
    assert {device.name for device in devices} == set(BUILT_IN)
