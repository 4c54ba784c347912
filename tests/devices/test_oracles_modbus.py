"""Modbus RTU against pymodbus: its frames and its numbers, on random registers and random values, both ways.

The maps are read from the profiles and the tables of the tests here, apart from the code that makes types of them.
"""

import math
import random
import struct
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
)

import devices
from devices.spec.device import PolledDevice
from devices.spec.events import Empty, Reading, SanityError
from devices.spec.polled import Exchange, Question
from tests.device_types import BY_NAME, TABLES

PROFILES = sorted((Path(devices.__file__).parent / "modbus" / "profiles").glob("*.toml"))
SCD30 = {
    "name": "scd30", "function": 3, "type": "f32", "format": "modbus",
    "field": [
        {"name": "data_ready_flag", "register": 0x27, "type": "u16", "kind": "flag"},
        {"name": "co2_ppm", "register": 0x28, "absent": 0},
        {"name": "temperature_c", "register": 0x2A},
        {"name": "humidity_pct", "register": 0x2C},
    ],
}  # fmt: skip
"""Of the interface description, 1.4.4 and 1.4.5: the type is written in Python."""
MAPS = [
    *(tomllib.loads(file.read_text()) for file in PROFILES),
    *(one for one in TABLES if one["format"] == "modbus"),
    SCD30,
]
EVERY_MAP = pytest.mark.parametrize("table", MAPS, ids=[one["name"] for one in MAPS])
TYPES = {
    "u16": ModbusClientMixin.DATATYPE.UINT16, "i16": ModbusClientMixin.DATATYPE.INT16,
    "u32": ModbusClientMixin.DATATYPE.UINT32, "i32": ModbusClientMixin.DATATYPE.INT32,
    "u64": ModbusClientMixin.DATATYPE.UINT64, "i64": ModbusClientMixin.DATATYPE.INT64,
    "f32": ModbusClientMixin.DATATYPE.FLOAT32, "f64": ModbusClientMixin.DATATYPE.FLOAT64,
}  # fmt: skip
REQUESTS = {3: ReadHoldingRegistersRequest, 4: ReadInputRegistersRequest}
ANSWERS = {3: ReadHoldingRegistersResponse, 4: ReadInputRegistersResponse}


def of(table: dict[str, Any]) -> PolledDevice:
    device = BY_NAME[table["name"]]
    assert isinstance(device, PolledDevice)
    return device


def asked(question: Question, unit: int) -> tuple[int, int, int]:
    """Function, first register and count of a question, as pymodbus reads its bytes."""
    framer = FramerRTU(DecodePDU(True))
    used, device_id, _, pdu = framer.decode(question.request(unit))
    assert (used, device_id) == (8, unit)
    request = DecodePDU(True).decode(pdu)
    assert request is not None
    assert isinstance(request, REQUESTS[request.function_code])
    return request.function_code, request.address, request.count


def numbers(table: dict[str, Any], function: int, first: int, registers: Sequence[int]) -> dict[str, Any]:
    """What pymodbus makes of the registers, by field: raw numbers."""
    found = {}
    for field in table["field"]:
        key = {**table, **field}
        at = field["register"] - first
        kind = TYPES[key.get("type", "u16")]
        size = kind.value[1]
        if key.get("function", 3) == function and at >= 0 and at + size <= len(registers):
            words = list(registers[at : at + size])
            if key.get("byte_order") == "little":
                words = [word >> 8 | (word & 0xFF) << 8 for word in words]
            if key.get("order") == "low":
                raw = ModbusClientMixin.convert_from_registers(words, kind, word_order="little")
            else:
                raw = ModbusClientMixin.convert_from_registers(words, kind)
            found[field["name"]] = raw
    return found


def value_of(field: dict[str, Any], raw: float) -> Any:
    """The stored value of a raw number, None where it means none."""
    absent = field.get("absent", [])
    if raw in (absent if isinstance(absent, list) else [absent]) or not math.isfinite(raw):
        return None
    match field.get("kind", "measure"):
        case "flag":
            return bool(raw) if "bit" not in field else bool(int(raw) >> field["bit"] & 1)
        case "state":
            return field["states"][int(raw)] if 0 <= raw < len(field["states"]) else "?"
    return raw * field.get("scale", 1) + field.get("offset", 0)


def believable(device: PolledDevice, fields: dict[str, Any]) -> dict[str, Any]:
    """Those that the device can say."""
    listed = {field.name: field for field in device.fields}
    out = {}
    for name, value in fields.items():
        field = listed[name]
        if isinstance(value, str) and value in field.states:
            out[name] = value
        elif value is not None and not isinstance(value, str):
            low = -math.inf if field.minimum is None else field.minimum
            high = math.inf if field.maximum is None else field.maximum
            if low <= value <= high:
                out[name] = value
    return out


def drawn(rng: random.Random, table: dict[str, Any], first: int, count: int) -> list[int]:
    """Random registers, many of them small, and where floats stand, floats of a meter."""
    registers = [rng.choice((rng.randrange(0x10000), rng.randrange(500), 0, 0xFFFF, 0x7FFF)) for _ in range(count)]
    for field in table["field"]:
        at = field["register"] - first
        if {**table, **field}.get("type") == "f32" and 0 <= at < count - 1:
            data = struct.pack(">f", rng.choice((rng.uniform(-10, 400), rng.uniform(0, 1e6), 0.0, math.nan)))
            registers[at : at + 2] = struct.unpack(">HH", data)
    return registers


def rounds(table: dict[str, Any], times: int) -> Iterator[tuple[PolledDevice, Question, random.Random]]:
    rng = random.Random(table["name"])
    device = of(table)
    for _ in range(times):
        for question in device.questions:
            yield device, question, rng


@EVERY_MAP
def test_what_pymodbus_answers_we_read(table: dict[str, Any]) -> None:
    read = 0
    for device, question, rng in rounds(table, 60):
        unit = rng.choice(device.units)
        function, first, count = asked(question, unit)
        registers = drawn(rng, table, first, count)
        pdu = ANSWERS[function](registers=registers)
        frame = FramerRTU(DecodePDU(False)).encode(bytes((function,)) + pdu.encode(), unit, 0)
        raws = numbers(table, function, first, registers)
        fields = {field["name"]: field for field in table["field"]}
        theirs = {name: value_of(fields[name], raw) for name, raw in raws.items()}
        assert theirs.keys() == {field.name for field in question.fields}
        mine = believable(device, theirs)
        (event,) = Exchange(question, unit).feed(frame)
        missing = [one.name for one in question.fields if not one.optional and one.name not in mine]
        if missing:
            assert isinstance(event, SanityError), (event, theirs)
            continue
        if isinstance(event, Empty):
            assert all(value is None for value in theirs.values())
            continue
        assert isinstance(event, Reading)
        assert event.fields.keys() == mine.keys()
        for name, value in mine.items():
            expected = value if isinstance(value, str | bool) else pytest.approx(value, rel=1e-6, abs=1e-9)
            assert event.fields[name] == expected, name
        assert len(event.field_errors) == sum(value is not None for value in theirs.values()) - len(mine)
        read += 1
    assert read > 10


@EVERY_MAP
def test_what_we_answer_pymodbus_reads(table: dict[str, Any]) -> None:
    for device, question, rng in rounds(table, 30):
        unit = rng.choice(device.units)
        function, first, count = asked(question, unit)
        said: dict[str, Any] = {}
        for field in question.fields:
            if field.kind == "flag":
                said[field.name] = rng.random() < 0.5
            elif field.kind == "state":
                said[field.name] = rng.choice(field.states)
            else:
                low, high = field.minimum or 0.0, 1000.0 if field.maximum is None else field.maximum
                steps = rng.randint(0, int((high - low) / (field.step or 0.01)))
                value = round(low + steps * (field.step or 0.01), 6)
                said[field.name] = int(value) if field.kind == "counter" else value
        frame = question.answer(unit, said)
        used, device_id, _, pdu = FramerRTU(DecodePDU(False)).decode(frame)
        assert (used, device_id) == (len(frame), unit)
        answer = DecodePDU(False).decode(pdu)
        assert answer is not None
        assert isinstance(answer, ANSWERS[function])
        assert len(answer.registers) == count
        fields = {field["name"]: field for field in table["field"]}
        for name, raw in numbers(table, function, first, answer.registers).items():
            value = value_of(fields[name], raw)
            step = next(field.step for field in device.fields if field.name == name)
            expected = said[name] if isinstance(value, str | bool) else pytest.approx(said[name], rel=1e-6, abs=step)
            assert value == expected, name


@EVERY_MAP
def test_what_we_refuse_pymodbus_reads_as_a_refusal(table: dict[str, Any]) -> None:
    for question in of(table).questions:
        assert question.refuse is not None
        frame = question.refuse(17)
        used, device_id, _, pdu = FramerRTU(DecodePDU(False)).decode(frame)
        assert (used, device_id) == (5, 17)
        answer = DecodePDU(False).decode(pdu)
        assert answer is not None
        assert answer.isError()
        assert answer.exception_code == 2
