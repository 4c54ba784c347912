"""A listened-to line of Modbus RTU against pymodbus: its random questions, answers and refusals, cut anyhow."""

import random
from typing import Any

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers

from devices.spec.device import StreamDevice
from devices.spec.events import Noise, Reading
from tests.device_types import BY_NAME
from tests.devices.published import published

FRAMER = FramerRTU(DecodePDU(False))


def line() -> StreamDevice:
    device = BY_NAME["modbus-rtu"]
    assert isinstance(device, StreamDevice)
    return device


def heard(data: bytes, pieces: random.Random | None = None) -> list[Any]:
    decoder = line().decoder()
    events = []
    while data:
        size = pieces.randint(1, 40) if pieces else len(data)
        events += decoder.feed(data[:size])
        data = data[size:]
    return events + decoder.flush()


Told = tuple[ModbusPDU, str, dict[str, Any]]


def numbered(name: str, first: int, values: list[Any]) -> dict[str, Any]:
    return {f"{name}_{first + index}": value for index, value in enumerate(values)}


def conversation(rng: random.Random, unit: int) -> list[Told]:
    """What a master and a unit say, and which fields that brings."""
    count = rng.randint(1, 60)
    first = rng.randint(0, 65535 - count)
    words = [rng.randrange(65536) for _ in range(count)]
    coils = [rng.random() < 0.5 for _ in range(count)]
    whole = coils + [False] * (-count % 8)
    at: dict[str, Any] = {"dev_id": unit, "address": first}
    asked = {"address": first, "count": count}
    one = {"dev_id": unit, "address": first}
    match rng.randrange(8):
        case 0:
            return [
                (registers.ReadHoldingRegistersRequest(**at, count=count), "question", asked),
                (registers.ReadHoldingRegistersResponse(dev_id=unit, registers=words), "answer",
                 numbered("holding", first, words)),
            ]  # fmt: skip
        case 1:
            return [
                (registers.ReadInputRegistersRequest(**at, count=count), "question", asked),
                (registers.ReadInputRegistersResponse(dev_id=unit, registers=words), "answer",
                 numbered("input", first, words)),
            ]  # fmt: skip
        case 2:
            return [
                (bits.ReadCoilsRequest(**at, count=count), "question", asked),
                (bits.ReadCoilsResponse(dev_id=unit, bits=whole), "answer", numbered("coil", first, coils)),
            ]
        case 3:
            return [
                (bits.ReadDiscreteInputsRequest(**at, count=count), "question", asked),
                (bits.ReadDiscreteInputsResponse(dev_id=unit, bits=whole), "answer",
                 numbered("discrete", first, coils)),
            ]  # fmt: skip
        case 4:
            value = words[0]
            return [
                (registers.WriteSingleRegisterRequest(**one, registers=[value]), "question",
                 {"address": first, f"written_holding_{first}": value}),
                (registers.WriteSingleRegisterResponse(**one, registers=[value]), "answer",
                 {"address": first, f"holding_{first}": value}),
            ]  # fmt: skip
        case 5:
            return [
                (registers.WriteMultipleRegistersRequest(**at, registers=words), "question",
                 {**asked, **numbered("written_holding", first, words)}),
                (registers.WriteMultipleRegistersResponse(**at, count=count), "answer", asked),
            ]  # fmt: skip
        case 6:
            return [
                (bits.WriteMultipleCoilsRequest(**at, bits=coils), "question",
                 {**asked, **numbered("written_coil", first, coils)}),
                (bits.WriteMultipleCoilsResponse(**at, count=count), "answer", asked),
            ]  # fmt: skip
        case _:
            code = rng.choice((1, 2, 3, 4, 6, 11))
            return [
                (registers.ReadHoldingRegistersRequest(**at, count=count), "question", asked),
                (ExceptionResponse(3, code, unit), "refusal", {"exception_code": code}),
            ]


@pytest.mark.parametrize("seed", range(20))
def test_a_line(seed: int) -> None:
    rng = random.Random(seed)
    units = [rng.randrange(256) for _ in range(4)]
    said = [told for _ in range(50) for told in conversation(rng, rng.choice(units))]
    events = heard(b"".join(FRAMER.buildFrame(pdu) for pdu, _, _ in said), rng)
    assert len(events) == len(said)
    for event, (pdu, message, fields) in zip(events, said, strict=True):
        assert isinstance(event, Reading)
        assert event.tags == {"unit": str(pdu.dev_id)}
        plain = {name: value for name, value in event.fields.items() if not name.endswith("_f32")}
        assert plain == {"message": message, "function_code": pdu.function_code & 0x7F, **fields}


@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_is_read_by_pymodbus(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        for pdu, message, fields in conversation(rng, rng.randrange(256)):
            wanted = FRAMER.buildFrame(pdu)
            fields = {"message": message, "function_code": pdu.function_code & 0x7F, **fields}
            made = Reading(fields, tags={"unit": str(pdu.dev_id)})
            assert line().encode(made) == wanted


@pytest.mark.parametrize("vector", published("modbus-crc16"), ids=lambda vector: vector["device"])
def test_the_check(vector: dict[str, Any]) -> None:
    data, check = bytes.fromhex(vector["input_hex"]), bytes.fromhex(vector["check"])
    (alone,) = heard(data)
    assert isinstance(alone, Noise)
    assert alone.detail.endswith(f"is {check.hex(' ')}")
    (whole,) = heard(data + check)
    assert isinstance(whole, Reading)
    assert whole.fields == {"message": "unknown", "function_code": data[1], "data_hex": data[2:].hex()}
