"""The framer of lines: their ends, what is no text, lines that never end, half a first line, checks."""

import pytest

from devices.spec.checksum import inverted_sum8, negated_sum8, negated_sum16, xor8
from devices.spec.events import Event, IntegrityError, Noise, Reading, SanityError
from devices.spec.line import LineCheck, LineFramer
from tests.devices.examples import merged


def read(text: str, line: bytes) -> Event:
    return Reading({"text": text}) if text != "bad" else SanityError("bad", line)


def told(framer: LineFramer, *pieces: bytes) -> list[object]:
    """The text of each reading, and the events that are none; noise that lies together as one."""
    events = [event for piece in pieces for event in framer.feed(piece)] + framer.flush()
    return [event.fields["text"] if isinstance(event, Reading) else event for event in merged(events)]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_lines_end_in_cr_lf_or_both_however_they_are_cut(end: bytes, size: int) -> None:
    data = b"one" + end + b"two" + end + end + b"three" + end
    assert told(LineFramer(read), *(data[at : at + size] for at in range(0, len(data), size))) == [
        "one",
        "two",
        "three",
    ]


def test_a_line_that_ends_in_cr_is_given_at_once_when_the_stream_is_known_to_have_no_lf() -> None:
    framer = LineFramer(read)
    assert framer.feed(b"one\r") == []
    assert framer.feed(b"two\r") == [Reading({"text": "one"}), Reading({"text": "two"})]
    assert framer.feed(b"three\r") == [Reading({"text": "three"})]


def test_a_stray_cr_does_not_cost_the_lines_behind_it() -> None:
    assert told(LineFramer(read), b"10 %\r20 %\r\none\r\ntwo\r\n") == ["10 %", "20 %", "one", "two", Noise(b"\n")]


def test_blank_lines_cost_nothing_and_belong_to_the_line_behind_them() -> None:
    assert told(LineFramer(read), b"\r\n\r\none\r\n\n\nbad\r\n") == ["one", SanityError("bad", b"\n\nbad\r\n")]


def test_nul_bytes_before_a_line_are_noise_and_the_line_counts() -> None:
    assert told(LineFramer(read), b"\0\0one\r\n\0\r\n\0two\n") == [
        Noise(b"\0\0"), "one", Noise(b"\0\r\n\0"), "two",
    ]  # fmt: skip


@pytest.mark.parametrize("line", [b"21.\x005", b"\x8221.5", b"21\xb0C", b"a\x07b", b"\xff\xfe"])
def test_what_is_no_text_is_noise_as_a_whole_line(line: bytes) -> None:
    assert told(LineFramer(read), b"one\n" + line + b"\ntwo\n") == ["one", Noise(line + b"\n"), "two"]


def test_a_byte_order_mark_is_taken_off_and_letters_of_any_script_stay() -> None:
    assert told(LineFramer(read), b"\xef\xbb\xbfone\n21.5 \xc2\xb0C\n") == ["one", "21.5 °C"]
    assert told(LineFramer(read, encoding="latin-1"), b"21.5 \xb0C\n") == ["21.5 °C"]


@pytest.mark.parametrize("size", [1, 7, 4096, 10_000])
def test_a_line_that_never_ends_is_noise_of_which_no_more_than_a_longest_line_is_kept(size: int) -> None:
    data = b"x" * 9000 + b"\r\none\n"
    framer = LineFramer(read)
    events: list[Event] = []
    fed = 0
    for at in range(0, len(data), size):
        fed += len(data[at : at + size])
        events += framer.feed(data[at : at + size])
        assert fed - sum(len(event.data) for event in events if isinstance(event, Noise)) <= max(4096, size)
    assert merged(events + framer.flush())[0] == Noise(b"x" * 9000 + b"\r")
    assert told(LineFramer(read, longest=16), b"0123456789\n", b"0123456789abcdefgh\nend\n") == [
        "0123456789", Noise(b"0123456789abcdefgh\n"), "end",
    ]  # fmt: skip


def test_a_line_of_the_longest_length_is_whole_and_one_byte_more_is_not() -> None:
    assert told(LineFramer(read, longest=5), b"1234\n12345\n") == ["1234", Noise(b"12345\n")]


def test_half_a_line_at_the_end_of_the_stream_is_noise() -> None:
    assert told(LineFramer(read), b"one\ntwo") == ["one", Noise(b"two")]


def test_half_a_first_line_of_a_port_that_is_joined_is_noise() -> None:
    framer = LineFramer(read, joined=lambda line: line.startswith("$"))
    assert told(framer, b"5;40\r\n21.5;40\r\n") == [Noise(b"5;40\r\n"), "21.5;40"]


@pytest.mark.parametrize("first", [b"$21.5;40\n", b"\n21.5;40\n", b"\0\n21.5;40\n"])
def test_a_first_line_that_must_be_whole_counts(first: bytes) -> None:
    framer = LineFramer(read, joined=lambda line: line.startswith("$"))
    assert told(framer, first)[-1] == first.strip(b"\0\n").decode()


CHECKED = LineCheck(xor8, first=1)


def test_a_check_decides_also_over_a_first_line_and_a_line_without_its_end() -> None:
    framer = LineFramer(read, check=CHECKED, joined=lambda line: False)
    assert told(framer, b"$A*41\r\n$B*41\r\nno mark\r\n$b*62") == [
        "$A",
        IntegrityError("checksum 41, computed 42", b"$B*41\r\n"),
        Noise(b"no mark\r\n"),
        "$b",
    ]
    assert CHECKED.sealed(b"$A") == b"$A*41"
    assert told(LineFramer(read, check=LineCheck(xor8, b"#", 4)), b"AB#0003\nAB#0004\n") == [
        "AB", IntegrityError("checksum 0004, computed 0003", b"AB#0004\n"),
    ]  # fmt: skip


def test_a_check_may_be_written_in_either_case() -> None:
    assert told(LineFramer(read, check=LineCheck(xor8)), b"j*6a\nj*6A\n") == ["j", "j"]


def test_negated_and_inverted_sums() -> None:
    assert negated_sum8(bytes.fromhex("01860000000000")) == 0x79  # MH-Z19B: FF 01 86 00 00 00 00 00 79
    assert negated_sum8(bytes.fromhex("110300060001")) == 0xE5
    assert negated_sum8(b"\0") == 0
    assert negated_sum16(bytes.fromhex("0001")) == 0xFFFF
    assert inverted_sum8(bytes.fromhex("00000201 03".replace(" ", ""))) == 0xF9  # SHDLC: start measurement
    assert inverted_sum8(b"") == 0xFF
