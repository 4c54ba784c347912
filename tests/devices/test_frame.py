"""Framers: starts inside payloads, lengths, trailers, checks, ends of streams."""

import pytest

from devices.spec.checksum import fletcher16, sum8, sum16, xor8
from devices.spec.errors import DescriptionError
from devices.spec.events import Event, IntegrityError, Noise, Reading
from devices.spec.frame import BinaryFramer, Check, Frame, Length, PatternFramer
from tests.devices.examples import merged


def keep(frame: bytes) -> Event:
    return Reading({"frame": frame.hex()})


SHORT = Frame(b"\xaa\x01", 6, keep, Check(sum8, 2, -2, -2), b"\xab")
LONG = Frame(b"\xaa\x02", Length(2, "B", 5, frozenset({1, 4, 8})), keep, Check(sum16, 0, -2, -2, 2, "little"))


def framer() -> BinaryFramer:
    return BinaryFramer((SHORT, LONG))


def told(data: bytes, decoder: BinaryFramer | PatternFramer | None = None) -> list[tuple[str, str]]:
    """Kind and bytes of each event of a stream that ends after `data`."""
    decoder = decoder or framer()
    events = merged(decoder.feed(data) + decoder.flush())
    return [
        ("frame", str(event.fields["frame"])) if isinstance(event, Reading) else (kind(event), event.data.hex())
        for event in events
    ]


def kind(event: Event) -> str:
    return {Noise: "noise", IntegrityError: "integrity"}[type(event)]


def test_checksums_of_known_bytes() -> None:
    assert sum8(bytes.fromhex("d4043a0aa160")) == 0x1D
    assert sum16(bytes.fromhex("424de2000001")) == 0x0172
    assert xor8(b"GPRMC,225446,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E") == 0x68
    assert xor8(b"") == 0
    # u-blox M8 protocol specification: UBX-CFG-MSG poll of NMEA GGA
    assert fletcher16(bytes.fromhex("06010200f000")) == 0xF911


def test_frames_of_two_kinds_back_to_back() -> None:
    data = bytes.fromhex("aa01 0304 07ab aa02 01 99 4601")
    assert told(data) == [("frame", "aa01030407ab"), ("frame", "aa0201994601")]


def test_a_start_inside_a_payload_is_payload() -> None:
    assert told(bytes.fromhex("aa01 aa01 abab")) == [("frame", "aa01aa01abab")]


def test_a_frame_inside_a_broken_one_is_found() -> None:
    data = bytes.fromhex("aa01 03 aa01 0304 07ab")
    assert told(data) == [("integrity", "aa0103"), ("frame", "aa01030407ab")]


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_start_repeated_before_a_frame_is_noise(times: int) -> None:
    frame = "aa01030407ab"
    assert told(bytes.fromhex("aa01" * times + frame)) == [("noise", "aa01" * times), ("frame", frame)]
    assert told(bytes.fromhex("aa02" * times + frame)) == [("noise", "aa02" * times), ("frame", frame)]
    assert told(bytes.fromhex("aa" * times + frame)) == [("noise", "aa" * times), ("frame", frame)]


def test_a_wrong_trailer_and_a_wrong_checksum_are_told_apart() -> None:
    events = framer().feed(bytes.fromhex("aa01030407acaa01030408ab"))
    assert [event.detail for event in events if isinstance(event, IntegrityError)] == [
        "trailer ac, expected ab",
        "checksum 0x8, computed 0x7",
    ]


def test_a_length_that_cannot_be_is_refused_at_once() -> None:
    decoder = framer()
    events = decoder.feed(bytes.fromhex("aa02ff"))
    assert events == [IntegrityError("length 255, expected 1 or 4 or 8", bytes.fromhex("aa02ff"))]
    assert decoder.flush() == []


def test_the_length_decides_the_size() -> None:
    assert told(bytes.fromhex("aa02 04 01020304 ba00")) == [("frame", "aa020401020304ba00")]


def test_half_a_start_waits_for_the_other_half() -> None:
    decoder = framer()
    assert decoder.feed(b"\x00\xaa") == [Noise(b"\x00")]
    assert decoder.feed(bytes.fromhex("01030407ab")) == [Reading({"frame": "aa01030407ab"})]


def test_what_waits_at_the_end_is_searched_once_more() -> None:
    inner = "aa01030407ab"
    assert told(bytes.fromhex("aa0208" + inner)) == [("noise", "aa0208"), ("frame", inner)]


def test_an_empty_feed_says_nothing() -> None:
    decoder = framer()
    assert decoder.feed(b"") == []
    assert decoder.flush() == []


def test_starts_have_to_differ() -> None:
    with pytest.raises(DescriptionError, match="differ"):
        BinaryFramer((SHORT, SHORT))


def pattern() -> PatternFramer:
    return PatternFramer((rb"[\xf0\xf1]", rb"[\x80-\xff]", rb"[\x00-\x7f]"), keep)


def test_bits_that_fit_make_a_frame() -> None:
    assert told(bytes.fromhex("f08061f1d060"), pattern()) == [("frame", "f08061"), ("frame", "f1d060")]


def test_a_pattern_frame_cut_short_is_noise() -> None:
    assert told(bytes.fromhex("f080f08061"), pattern()) == [("noise", "f080"), ("frame", "f08061")]
    assert told(bytes.fromhex("f080"), pattern()) == [("noise", "f080")]


def test_a_pattern_frame_may_begin_anywhere_in_what_waits() -> None:
    decoder = pattern()
    assert decoder.feed(b"\xf0\xf0") == []
    assert decoder.feed(b"\xf0") == [Noise(b"\xf0")]
    assert decoder.feed(b"\x61") == [Reading({"frame": "f0f061"})]


def test_what_is_not_possible_is_no_frame_and_costs_none() -> None:
    check = Check(of=lambda data: sum(data) & 0xFF, first=0, last=-1, at=-1)
    frame = Frame(b"\xaa", 4, lambda data: Reading({"value": data[1]}), check, possible=lambda data: data[1] < 0x80)
    good, never = check.sealed(b"\xaa\x10\x00"), check.sealed(b"\xaa\x90\xaa")
    framer = BinaryFramer((frame,))
    events = framer.feed(good + never[:3] + good[1:] + never + good) + framer.flush()
    assert [event.fields["value"] for event in events if isinstance(event, Reading)] == [0x10, 0x10, 0x10]
    broken = [event.detail for event in events if isinstance(event, IntegrityError)]
    assert "no frame can be so, though its check holds" in broken
