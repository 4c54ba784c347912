"""Time grows with the bytes, not with their square: a 1 MB payload of any shape is soon dealt with.

Process time of the decoder alone, the better of two runs (streams: a tenth of the bytes). Ten
times the bytes may take RATIO
times as long (ten is linear, a hundred is quadratic); times below FLOOR_S say nothing. No
payload of 1 MB may take CEILING_S.
"""

import random
import time
from collections.abc import Callable
from functools import partial

import pytest

from devices.spec.device import MessageDevice, PolledDevice, StreamDevice
from devices.spec.polled import Exchange, Question
from tests.device_types import DEVICES
from tests.devices.examples import all_examples
from tests.fuzz.test_stream_bytes import hostile_streams

pytestmark = pytest.mark.slow  # over every type: for make faults

SMALL, LARGE = 100_000, 1_000_000
RATIO = 35.0
FLOOR_S = 0.02
CEILING_S = 8.0
T = 1_700_000_000_000_000_000

Work = Callable[[bytes], object]


def taken(work: Work, data: bytes) -> float:
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        work(data)
        best = min(best, time.process_time() - began)
        if not FLOOR_S < best < 1.0:
            break
    return best


def check_linear(work: Work, small: bytes, large: bytes, what: str) -> None:
    short = max(taken(work, small), FLOOR_S)
    long = taken(work, large)
    assert long < CEILING_S, f"{what}: {long:.1f} s"
    assert long / short < RATIO, f"{what}: {len(small)} bytes {short:.3f} s, {len(large)} bytes {long:.3f} s"


def filled(unit: bytes, size: int) -> bytes:
    return unit * (size // len(unit) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("device", [d for d in DEVICES if isinstance(d, StreamDevice)], ids=lambda d: d.name)
def test_streams(device: StreamDevice) -> None:
    def work(data: bytes) -> None:
        decoder = device.decoder()
        decoder.feed(data)
        decoder.flush()

    noise = random.Random(3).randbytes(4096)
    for unit in [*hostile_streams(device), noise]:
        check_linear(work, filled(unit, SMALL // 10), filled(unit, LARGE // 10), f"{device.name} {unit[:20]!r}")


@pytest.mark.slow
@pytest.mark.parametrize("device", [d for d in DEVICES if isinstance(d, PolledDevice)], ids=lambda d: d.name)
def test_answers(device: PolledDevice) -> None:
    def overheard(data: bytes) -> None:
        decoder = device.decoder()
        decoder.feed(data)
        decoder.flush()

    noise = random.Random(3).randbytes(4096)
    for question in device.questions:

        def waiting(data: bytes, question: Question = question) -> None:
            exchange = Exchange(question, device.unit)
            for start in range(0, len(data), 512):
                exchange.feed(data[start : start + 512])
            exchange.end()

        request = question.request(device.unit)
        answer = next(one.data for one in all_examples() if one.device is device and one.both_ways)
        broken = bytes([*answer[:-1], answer[-1] ^ 1])
        for unit in (request[:-1] or request, answer[:3], answer[:-1], broken, noise):
            for work in (overheard, waiting):
                check_linear(work, filled(unit, SMALL // 50), filled(unit, LARGE // 50), f"{device.name} {unit[:20]!r}")


SHAPES: dict[str, Callable[[int], bytes]] = {
    "open arrays": lambda size: b"[" * size,
    "open objects": lambda size: filled(b'{"a":', size),
    "arrays in a pack": lambda size: b'[{"n":' + b"[" * size,
    "one long string": lambda size: b'[{"n":"' + b"a" * size + b'","v":1}]',
    "one long base name": lambda size: b'[{"bn":"' + filled(b"a:", size) + b'","n":"x","v":1}]',
    "a long urn": lambda size: b'[{"bn":"urn:dev:mac:' + filled(b"a_", size) + b'","v":1}]',
    "underscores": lambda size: b'[{"n":"' + b"_" * size + b'","v":1}]',
    "escapes": lambda size: b'[{"n":"' + filled(b"\\u0041", size) + b'","v":1}]',
    "one long unit": lambda size: b'[{"n":"x","u":"' + filled(b"A%", size) + b'","v":1}]',
    "one long number": lambda size: b'[{"n":"x","v":' + b"9" * size + b"}]",
    "one long fraction": lambda size: b'[{"n":"x","v":0.' + b"1" * size + b"}]",
    "one long time": lambda size: b'{"timestamp":"' + b"2" * size + b'","headerId":1,"version":"2"}',
    "blanks": lambda size: b" " * size + b"[]",
    "blanks between": lambda size: b"[" + b" " * size + b"]",
    "records": lambda size: b"[" + filled(b'{"n":"a","v":1},', size)[:-1] + b"]",
    "records, names that differ": lambda size: (
        b"[" + b",".join(b'{"n":"n%d","v":1}' % number for number in range(size // 18)) + b"]"
    ),
    "records, times that differ": lambda size: (
        b"[" + b",".join(b'{"n":"a","t":%d,"v":1}' % number for number in range(size // 24)) + b"]"
    ),
    "records of texts": lambda size: b"[" + filled(b'{"n":"a","vs":"x"},', size)[:-1] + b"]",
    "lines": lambda size: filled(b"{}\n", size),
    "empty messages": lambda size: b"[" + filled(b"{},", size)[:-1] + b"]",
    "keys": lambda size: b"{" + b",".join(b'"k%d":1' % number for number in range(size // 10)) + b"}",
    "the same key": lambda size: b"{" + filled(b'"a":1,', size)[:-1] + b"}",
    "CBOR arrays": lambda size: b"\x81" * size,
    "CBOR maps": lambda size: b"\x81" + b"\xa1\x00" * (size // 2),
    "CBOR of indefinite length": lambda size: b"\x9f" * size,
    "CBOR bignum": lambda size: b"\x81\xa1\x02\xc2\x5a" + size.to_bytes(4, "big") + b"\xff" * size,
    "CBOR fraction": lambda size: b"\x81\xa1\x02\xc4\x82\x1a\x00\x0f\x00\x00\xc2\x5a" + size.to_bytes(4, "big")
    + b"\xff" * size,
    "CBOR claims": lambda size: b"\x9a\xff\xff\xff\xff" + b"\xa0" * size,
    "CBOR text in pieces": lambda size: b"\x81\xa1\x00\x7f" + b"\x61a" * (size // 2) + b"\xff",
    "CBOR records": lambda size: b"\x9f" + b"\xa2\x00\x61a\x02\x01" * (size // 6) + b"\xff",
    "a decoded payload": lambda size: (
        b'{"end_device_ids":{"device_id":"d"},"uplink_message":{"f_port":1,"decoded_payload":{'
        + b",".join(b'"k%d":1' % number for number in range(size // 10))
        + b"}}}"
    ),
    "one name in a decoded payload": lambda size: (
        b'{"end_device_ids":{"device_id":"d"},"uplink_message":{"f_port":1,"decoded_payload":{"'
        + filled(b"Temp_", size)
        + b'":1}}}'
    ),
    "gateways": lambda size: (
        b'{"end_device_ids":{"device_id":"d"},"uplink_message":{"f_port":1,"rx_metadata":['
        + filled(b'{"rssi":-1},', size)[:-1]
        + b"]}}"
    ),
    "a raw payload": lambda size: (
        b'{"end_device_ids":{"device_id":"d"},"uplink_message":{"f_port":1,"frm_payload":"' + b"A" * size + b'"}}'
    ),
}  # fmt: skip
MESSAGES = [device for device in DEVICES if isinstance(device, MessageDevice)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_payloads(device: MessageDevice, shape: str) -> None:
    topic = device.topic.replace("{thing}", "t").replace("+", "x")
    make = SHAPES[shape]
    check_linear(partial(_decoded, device, topic), make(SMALL), make(LARGE), f"{device.name}: {shape}")


@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_examples_blown_up(device: MessageDevice) -> None:
    """Every array and text of an example, a thousand times as long."""
    examples = [each for each in all_examples() if each.device is device and each.data[:1] in b"[{"]
    if not examples:
        pytest.skip("its payloads are bytes, not JSON")
    for example in examples[:12]:
        for mark in (b"[", b'"'):
            at = example.data.find(mark, len(example.data) // 2)
            if at < 0:
                continue
            inner = example.data[at + 1 : at + 2]
            small, large = (
                example.data[: at + 1] + (inner + b",") * (size // 2) + example.data[at + 1 :]
                for size in (SMALL, LARGE)
            )
            check_linear(partial(_decoded, device, example.topic), small, large, str(example))


def _decoded(device: MessageDevice, topic: str, data: bytes) -> object:
    return device.decode(topic, data, T)


def test_a_topic_of_65535_bytes_is_soon_matched() -> None:
    from gateway.routes import matcher

    patterns = ["park/{thing}", "park/{thing}/#", "+/+/{thing}/+/x", "#", "v3/+/devices/{thing}/up"]
    topics = ["park/" + "a" * 65_530, "/" * 65_535, "park" + "/a" * 32_765, "v3/" + "devices/" * 8_000]
    for pattern in patterns:
        match = matcher(pattern).match
        began = time.process_time()
        for topic in topics:
            match(topic)
        assert time.process_time() - began < 0.5, pattern
