"""Modbus RTU: a register that is written, and read back.

    one register    unit | 06 | address u16 | value u16 | CRC-16             answered by the same bytes
    several         unit | 10 | address u16 | count u16 | bytes n | n bytes | CRC-16
                    answered by unit | 10 | address u16 | count u16 | CRC-16
    refusal         unit | 86 or 90 | code | CRC-16

The answer to function 6 is the echo of its request, which many adapters give back by themselves: it proves nothing.
So what was written is read back (function 3), and only that makes it done.

Limits: a value of one to four registers. A device that keeps what is written in flash wears out by it: 100,000 times.
Source: Modbus application protocol V1.1b3 (6.6, 6.12, 7); Modbus over serial line V1.02.
"""

from struct import Struct

from devices.modbus.rtu import EXCEPTIONS, questions, refusal, sealed
from devices.spec.checksum import crc16_modbus
from devices.spec.command import Arguments, Heard, Request, Step, To
from devices.spec.events import Empty, Reading, SanityError
from devices.spec.polled import Answer, NotMine, Verdict
from devices.spec.register import Register

_ONE, _SEVERAL = 0x06, 0x10
_HEAD = Struct(">BBHH")
_REFUSAL = 5


def written(register: Register, *, several: bool | None = None) -> tuple[Step, Step]:
    """The steps of a command that sets `register` to the argument of its field's name, and reads it back.

    `several`: with function 16 also where it is one register; by default where there are more.
    """
    name = register.field.name
    function = _SEVERAL if (register.count > 1 if several is None else several) else _ONE

    def request(arguments: Arguments, to: To) -> bytes:
        data = register.write(arguments[name])
        if function == _ONE:
            return sealed(_HEAD.pack(to.unit, function, register.address, int.from_bytes(data, "big")))
        head = _HEAD.pack(to.unit, function, register.address, register.count)
        return sealed(head + bytes((len(data),)) + data)

    def parse(data: bytes, to: To) -> Heard | None:
        first = 4 if function == _ONE else 7
        size = first + 2 * register.count + 2
        if len(data) < size or data[:2] != bytes((to.unit, function)):
            return None
        value = register.read(data[first : size - 2])
        if value is None or register.outside(value) or request({name: value}, to) != data[:size]:
            return None
        return Heard(size, {name: value})

    def answer(arguments: Arguments, unit: int) -> bytes:
        if function == _ONE:
            return request(arguments, To(unit=unit))
        return sealed(_HEAD.pack(unit, function, register.address, register.count))

    def judge(arguments: Arguments, unit: int, data: bytes) -> Verdict:
        expected = answer(arguments, unit)
        if data.startswith(expected):
            return Answer(len(expected), Empty("written", expected))
        if data[:2] == bytes((unit, function | 0x80))[: len(data)]:
            if len(data) < _REFUSAL:
                return None
            code = data[2]
            if data[:_REFUSAL] != refusal(unit, function, code):
                stored, computed = int.from_bytes(data[3:5], "little"), crc16_modbus(data[:3])
                return NotMine(_REFUSAL, f"checksum {stored:#06x}, computed {computed:#06x}")
            words = EXCEPTIONS.get(code, "not an exception of the protocol")
            return Answer(_REFUSAL, SanityError(f"refused with exception {code}, {words}", data[:_REFUSAL]))
        return None if expected.startswith(data) else NotMine()

    return Step(request=Request(request, parse), judge=judge, answer=answer, size=8), _read_back(register)


def _read_back(register: Register) -> Step:
    """What stands in the register; a refusal where that is not what was written."""
    (question,) = questions((register,), 3)
    name = register.field.name

    def parse(data: bytes, to: To) -> Heard | None:
        request = question.request(to.unit)
        return Heard(len(request), {}) if data.startswith(request) else None

    def judge(arguments: Arguments, unit: int, data: bytes) -> Verdict:
        verdict = question.judge(unit, data)
        if not isinstance(verdict, Answer) or not isinstance(verdict.event, Reading):
            return verdict
        found = verdict.event.fields.get(name)
        if found is None or register.write(found) != register.write(arguments[name]):
            text = f"{name} is {found} after it was set to {arguments[name]}"
            return Answer(verdict.size, SanityError(text, data[: verdict.size]))
        return verdict

    return Step(
        request=Request(lambda _arguments, to: question.request(to.unit), parse),
        judge=judge,
        answer=lambda arguments, unit: question.answer(unit, {name: arguments[name]}),
        size=question.size,
    )
