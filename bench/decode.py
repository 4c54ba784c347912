"""Readings a second of every device type, beside the library that does the same where one exists.

Stream types decode 4 KiB chunks of their published examples glued together, framing and
resynchronisation included; the library gets ready-cut frames, which is in its favour. So is that pymodbus is asked for
numbers only, one a field as its documentation has it: scale, names and limits are left out. Message types decode one
payload a call; a JSON parser alone, or protobuf, does less and is no comparison.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pynmea2
from cayennelpp import LppFrame
from dsmr_parser import telegram_specifications
from dsmr_parser.exceptions import InvalidChecksumError, ParseError
from dsmr_parser.parsers import TelegramParser
from pms import SensorWarning
from pms.core import Sensor
from pymavlink.dialects.v20 import common as mavlink
from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from devices.catalogue import PROFILES, built_in
from devices.spec.device import SerialDevice
from devices.spec.events import Event, Reading
from tests.devices.examples import Example, all_examples

CHUNK = 4096
PYPMS = {
    "pms3003": "PMS3003", "pms5003": "PMSx003", "pms5003t": "PMS5003T", "sds011": "SDS01x", "sds198": "SDS198",
    "pms5003s": "PMS5003S", "pms5003st": "PMS5003ST", "pms7003": "PMSx003", "pmsa003": "PMSx003", "sds018": "SDS01x",
    "sds021": "SDS01x", "mcu680": "MCU680", "sps30": "SPS30", "hpma115s0": "HPMA115S0", "hpma115c0": "HPMA115C0",
    "mhz19b": "MHZ19B", "mhz19c": "MHZ19B",
}  # fmt: skip

DSMR = {"dsmr": telegram_specifications.V5, "dsmr-v2": telegram_specifications.V2_2}
MODBUS = frozenset((*PROFILES, "scd30"))
FLOATS = frozenset(("sdm120", "sdm230", "sdm630", "scd30"))
PDUS = DecodePDU(False)
FRAMER = FramerRTU(PDUS)
REFUSALS = (
    SensorWarning, pynmea2.ParseError, ModbusException, mavlink.MAVError, ParseError, InvalidChecksumError, ValueError,
)  # fmt: skip


def _inputs(name: str) -> list[Example]:
    """The examples of a type that give nothing but whole readings."""
    chosen = [example for example in all_examples() if example.device.name == name]
    return [example for example in chosen if all(map(_is_whole, example.decode()))]


def _is_whole(event: Event) -> bool:
    return isinstance(event, Reading) and not event.field_errors


def _best(work: Callable[[], int], seconds: float) -> float:
    """Readings a second, the best of three timings."""
    rates = []
    for _ in range(3):
        began, readings = time.process_time(), 0
        while time.process_time() - began < seconds / 3:
            readings += work()
        rates.append(readings / (time.process_time() - began))
    return max(rates)


def _own(examples: list[Example]) -> Callable[[], int]:
    device = examples[0].device
    if isinstance(device, SerialDevice):
        lines = device.name == "nmea0183"  # whose published sentences have lost their ends
        stream = b"".join(example.data.rstrip(b"\r\n") + b"\r\n" if lines else example.data for example in examples)
        stream *= 50
        chunks = [stream[pos : pos + CHUNK] for pos in range(0, len(stream), CHUNK)]
        make = device.decoder

        def work() -> int:
            decoder = make()
            return sum(isinstance(event, Reading) for chunk in chunks for event in decoder.feed(chunk))

        return work
    decode = device.decode

    def messages() -> int:
        return sum(
            len(decode(example.topic, example.data, example.received_ns)) for _ in range(50) for example in examples
        )

    return messages


def _library(name: str) -> tuple[str, Callable[[bytes], object]] | None:
    """The library that reads frames of this type, and its call for one frame."""
    if name in PYPMS:
        sensor = Sensor[PYPMS[name]]
        return "pypms", lambda frame: sensor.decode(frame, time=0)
    if name in MODBUS:
        kind = ModbusClientMixin.DATATYPE.FLOAT32 if name in FLOATS else ModbusClientMixin.DATATYPE.INT16
        return "pymodbus", partial(_pymodbus, kind)
    if name in DSMR:
        parser = TelegramParser(DSMR[name])
        return "dsmr_parser", lambda telegram: parser.parse(telegram.decode("ascii"))
    if name == "mavlink":
        return "pymavlink", _pymavlink
    if name == "cayenne-lpp":
        return "pycayennelpp", _pycayennelpp
    if name == "nmea0183":
        return "pynmea2", _pynmea2
    return None


def _pymodbus(kind: ModbusClientMixin.DATATYPE, frame: bytes) -> object:
    """The numbers in an answer, checked."""
    used, _, _, said = FRAMER.decode(frame)
    pdu = PDUS.decode(said) if used else None
    if pdu is None:
        raise ValueError("no frame of Modbus RTU")
    words, size = pdu.registers, kind.value[1]
    read = ModbusClientMixin.convert_from_registers
    return [read(words[pos : pos + size], kind) for pos in range(0, len(words), size)]


def _pycayennelpp(payload: bytes) -> object:
    try:
        return LppFrame.from_bytes(payload)
    except AttributeError as error:
        raise ValueError("a type that pycayennelpp does not know") from error


def _pymavlink(frame: bytes) -> object:
    """The values of a message of either version; each frame is the first of a link."""
    messages = mavlink.MAVLink(None).parse_buffer(frame)
    if not messages:
        raise ValueError("no frame of MAVLink")
    return messages


def _pynmea2(frame: bytes) -> object:
    """Parse a sentence and read its values: pynmea2 converts them when they are asked for."""
    message = pynmea2.parse(frame.decode("ascii"))
    values = [getattr(message, field[1]) for field in getattr(message, "fields", ())]
    if hasattr(message, "latitude"):
        values += [message.latitude, message.longitude]
    return values


def _every(call: Callable[[bytes], object], frames: list[bytes]) -> Callable[[], int]:
    return lambda: len([call(frame) for frame in frames])


def _readings(examples: list[Example]) -> float:
    """Readings in an example, on the average: a telegram may have several."""
    return sum(len(example.decode()) for example in examples) / len(examples)


def _reads(call: Callable[[bytes], object], example: Example) -> bool:
    """Whether the library knows this frame: it does not know every sentence or answer."""
    try:
        call(example.data)
    except REFUSALS:
        return False
    return True


def decode(seconds: float = 1.5) -> dict[str, Any]:
    rows = []
    for device in built_in().values():
        examples = _inputs(device.name)
        if not examples:
            continue
        library = _library(device.name)
        if library is not None:
            examples = [example for example in examples if not example.several and _reads(library[1], example)]
        own = _best(_own(examples), seconds)
        row: dict[str, Any] = {"device": device.name, "readings_per_s": round(own)}
        if library is not None:
            name, call = library
            other = _best(_every(call, [example.data for example in examples] * 20), seconds) * _readings(examples)
            row |= {"library": name, "library_per_s": round(other), "ratio": round(own / other, 2)}
        rows.append(row)
    return {"types": rows}
