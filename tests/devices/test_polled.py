"""What every polled device gets for nothing: echoes, noise, prefixes, flips, late answers, round trips."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.modbus import rtu
from devices.spec.device import PolledDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Noise, Reading, SanityError
from devices.spec.field import Field
from devices.spec.polled import Exchange, Overheard, Question
from devices.spec.register import Register
from tests.device_types import DEVICES
from tests.devices.examples import Example, merged, polled_examples
from tests.devices.readings import values

POLLED = [device for device in DEVICES if isinstance(device, PolledDevice)]
QUESTIONS = [(device, question) for device in POLLED for question in device.questions if question.fields]
"""But for those that only wake a device, of which nothing is to be told."""
EXAMPLES = polled_examples()
WHOLE = [example for example in EXAMPLES if example.both_ways]
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EVERY_QUESTION = pytest.mark.parametrize(
    ("device", "question"), QUESTIONS, ids=[f"{device.name}: {question.name}" for device, question in QUESTIONS]
)


def heard(exchange: Exchange, pieces: Iterable[bytes]) -> list[Event]:
    """The events of an answer that came in these pieces, and of the end of patience."""
    events = [event for piece in pieces for event in exchange.feed(piece)]
    return merged(events + exchange.end())


def wrong_bytes(events: list[Event]) -> int:
    return sum(len(event.data) for event in events if not isinstance(event, Reading))


def one_by_one(data: bytes) -> Iterator[bytes]:
    return (bytes([byte]) for byte in data)


def test_every_polled_device_has_an_example_of_each_question() -> None:
    for device in POLLED:
        asked = {example.question for example in WHOLE if example.device is device}
        brings = {number for number, question in enumerate(device.questions) if question.fields}
        assert asked >= brings, device.name


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.request], ids=str)
def test_asks_with_its_literal_bytes(example: Example) -> None:
    assert example.exchange().request == example.request


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_byte_by_byte_gives_the_same(example: Example) -> None:
    assert heard(example.exchange(), one_by_one(example.data)) == heard(example.exchange(), [example.data])


@pytest.mark.parametrize("example", WHOLE, ids=str)
def test_echo_and_noise_around_cost_nothing(example: Example) -> None:
    alone = heard(example.exchange(), [example.data])
    request = example.exchange().request
    for stream in (
        b"\x00\x00\x0a" + example.data + b"\x00\x00\x00",
        request + example.data,
        b"\x55" + request + b"\x00" + example.data,
    ):
        for pieces in ([stream], list(one_by_one(stream))):
            exchange = example.exchange()
            events = heard(exchange, pieces)
            assert exchange.answered
            assert [event for event in events if isinstance(event, Reading)] == alone
            assert exchange.echoed == (request in stream)
            assert wrong_bytes(events) == len(stream) - len(example.data) - (len(request) if exchange.echoed else 0)


@pytest.mark.parametrize("example", WHOLE, ids=str)
def test_every_prefix_yields_nothing(example: Example) -> None:
    for length in range(len(example.data)):
        exchange = example.exchange()
        events = heard(exchange, [example.data[:length]])
        assert not exchange.answered, length
        assert wrong_bytes(events) == length


@pytest.mark.parametrize("example", [one for one in WHOLE if getattr(one.device, "checked", False)], ids=str)
def test_every_flipped_bit_is_refused(example: Example) -> None:
    for bit in range(8 * len(example.data)):
        flipped = bytearray(example.data)
        flipped[bit // 8] ^= 1 << bit % 8
        exchange = example.exchange()
        events = heard(exchange, [bytes(flipped)])
        assert not exchange.answered, f"bit {bit % 8} of byte {bit // 8}"
        assert wrong_bytes(events) == len(example.data)


@pytest.mark.parametrize("example", [one for one in WHOLE if len(getattr(one.device, "units", ())) > 1], ids=str)
def test_what_one_unit_says_is_never_anothers(example: Example) -> None:
    assert isinstance(example.device, PolledDevice)
    for device, question in QUESTIONS:
        for unit in (example.unit + 1, 247):
            if device.units:
                exchange = Exchange(question, unit)
                assert wrong_bytes(heard(exchange, [example.data])) == len(example.data)
                assert not exchange.answered


@pytest.mark.parametrize("example", WHOLE, ids=str)
def test_the_answer_to_one_question_is_never_that_to_another(example: Example) -> None:
    assert isinstance(example.device, PolledDevice)
    for number, question in enumerate(example.device.questions):
        if number != example.question and question.fields:
            exchange = Exchange(question, example.unit)
            assert wrong_bytes(heard(exchange, [example.data])) == len(example.data)
            assert not exchange.answered


@pytest.mark.parametrize("example", WHOLE, ids=str)
def test_what_comes_after_the_answer_is_noise(example: Example) -> None:
    exchange = example.exchange()
    assert exchange.feed(example.data)
    assert wrong_bytes(exchange.feed(example.data)) == len(example.data)


@pytest.mark.parametrize("example", WHOLE, ids=str)
def test_an_answer_behind_the_beginning_of_another_is_found(example: Example) -> None:
    exchange = example.exchange()
    events = heard(exchange, [example.data[:3], example.data])
    assert exchange.answered
    assert wrong_bytes(events) == 3


@EVERY_QUESTION
@RELAXED
@given(data=st.data())
def test_random_readings_come_back(device: PolledDevice, question: Question, data: st.DataObject) -> None:
    required = {field.name: values(field) for field in question.fields if not field.optional}
    optional = {field.name: values(field) for field in question.fields if field.optional}
    fields = data.draw(st.fixed_dictionaries(required, optional=optional))
    unit = data.draw(st.sampled_from(device.units)) if device.units else 0
    try:
        frame = question.answer(unit, fields)
    except EncodeError:
        return
    assert len(frame) <= question.size
    (found,) = heard(Exchange(question, unit), [frame])
    if not fields:
        assert isinstance(found, Empty), found
        return
    assert isinstance(found, Reading), found
    assert found.fields.keys() == fields.keys()
    steps = {field.name: field.step for field in device.fields}
    for name, value in fields.items():
        if isinstance(value, str):
            assert found.fields[name] == value
            continue
        assert found.fields[name] == pytest.approx(value, rel=1.2e-7, abs=(steps[name] or 0) / 2), name  # f32 rounds


@EVERY_QUESTION
@RELAXED
@given(seed=st.integers(0, 2**32 - 1), garbage=st.binary(max_size=200))
def test_the_cut_does_not_matter(device: PolledDevice, question: Question, seed: int, garbage: bytes) -> None:
    chance = random.Random(seed)
    answers = [one.data for one in WHOLE if one.device is device and device.questions[one.question] is question]
    stream = bytearray(garbage[:50] + chance.choice((b"", question.request(device.unit))) + garbage[50:100])
    stream += chance.choice(answers) + garbage[100:]
    for _ in range(chance.randrange(0, 3)):
        stream[chance.randrange(len(stream))] ^= 1 << chance.randrange(8)
    data, pieces = bytes(stream), []
    while stream:
        size = chance.choice((1, 1, 2, 3, 7, 40))
        pieces.append(bytes(stream[:size]))
        del stream[:size]
    whole, cut = Exchange(question, device.unit), Exchange(question, device.unit)
    assert heard(whole, [data]) == heard(cut, pieces)
    assert (whole.answered, whole.echoed) == (cut.answered, cut.echoed)


@EVERY_QUESTION
@RELAXED
@given(data=st.binary(max_size=2000))
def test_garbage_is_accounted_for(device: PolledDevice, question: Question, data: bytes) -> None:
    exchange = Exchange(question, device.unit)
    events = heard(exchange, [data])
    if not any(isinstance(event, Reading) for event in events):
        echoes = data.count(exchange.request)
        assert wrong_bytes(events) == len(data) - echoes * len(exchange.request)


@EVERY_QUESTION
def test_what_waits_is_bounded(device: PolledDevice, question: Question) -> None:
    exchange = Exchange(question, device.unit)
    start = next(one.data for one in WHOLE if one.device is device and device.questions[one.question] is question)
    for _ in range(2000):
        exchange.feed(start[:-1])
    assert wrong_bytes(exchange.end()) <= max(question.size, len(exchange.request))


@pytest.mark.parametrize("device", POLLED, ids=lambda device: device.name)
def test_a_recording_of_answers_is_read_without_their_questions(device: PolledDevice) -> None:
    answers = [example for example in WHOLE if example.device is device and example.unit == device.unit]
    stream = b"\x00" + b"\x55".join(example.exchange().request + example.data for example in answers)
    for pieces in ([stream], list(one_by_one(stream))):
        decoder = Overheard(device.questions, device.unit)
        events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()
        expected = [event for example in answers for event in example.decode()]
        assert [event for event in events if isinstance(event, Reading)] == expected
        assert wrong_bytes(events) == len(answers)


def test_a_refusal_ends_the_exchange_with_its_name() -> None:
    device = next(device for device in POLLED if device.name == "sdm120")
    exchange = Exchange(device.questions[0], 1)
    assert exchange.feed(bytes.fromhex("018402")) == []
    (event,) = exchange.feed(bytes.fromhex("c2c1"))
    assert exchange.answered
    assert isinstance(event, SanityError)
    assert event.detail == (
        "refused with exception 2, illegal data address: the device has no such registers; is it of this type?"
    )


def test_fields_of_a_question_are_fields_of_its_device() -> None:
    for device, question in QUESTIONS:
        assert all(isinstance(field, Field) for field in question.fields)
        assert set(question.fields) <= set(device.fields)


STRANGE = bytes.fromhex("020404449a51ecc046")  # the energy of unit 2, its CRC computed apart from this code


@pytest.mark.parametrize("pieces", [[STRANGE], list(one_by_one(STRANGE))])
def test_what_another_unit_says_is_told_by_its_reason(pieces: list[bytes]) -> None:
    device = next(device for device in POLLED if device.name == "sdm120")
    exchange = Exchange(device.questions[2], 1)
    events = [event for piece in pieces for event in exchange.feed(piece)]
    assert events == [Noise(STRANGE, "an answer of unit 2, not of unit 1")]
    assert events[0].detail == "an answer of unit 2, not of unit 1"
    assert not exchange.answered


def test_an_answer_in_which_every_value_is_absent_has_nothing_to_report() -> None:
    device = next(device for device in POLLED if device.name == "acme-level")
    field = replace(device.fields[1], optional=True)
    (question,) = rtu.questions((Register(1, field, "i16", scale=0.1, absent=(0x7FFF,)),), 3)
    exchange = Exchange(question, 1)
    answer = bytes.fromhex("0103027fffd834")
    assert exchange.feed(answer) == [Empty("every value is absent", answer)]
    assert exchange.answered
