"""Faults are seeded, printable, counted; and an injector hurts only as much as it says."""

import pytest

from simulators.faults import Armour, Faults, Injected, Injector

FRAME = bytes.fromhex("aac00900090058d943ab")


def test_a_line_says_it_all_and_can_be_read_back() -> None:
    faults = Faults(seed=7, flip=0.01, noise=0.005)
    assert str(faults) == "seed=7 flip=1% noise=0.5%"
    assert Faults.parse("seed=7 flip=1% noise=0.5%") == faults
    assert Faults.parse("partial=0.25 unplug=2%") == Faults(seed=0, partial=0.25, unplug=0.02)
    assert str(Faults(flip=1e-8)) == "seed=0 flip=1e-06%"
    assert Faults.parse("seed=0 flip=1e-06%") == Faults(flip=1e-8)
    assert str(Faults()) == "seed=0"
    assert not Faults(seed=3).any


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("flipp=1%", "'flipp=1%' is not one of seed=N, flip=P%, partial=P%"),
        ("flip", "'flip' is not one of"),
        ("seed=1%", "'seed=1%' is not one of seed=N, flip=P%, partial=P%"),
        ("seed=1.5", "'seed=1.5' is not one of seed=N"),
        ("flip=1.2.3", "'flip=1.2.3' is not one of seed=N"),
        ("flip=200%", "flip is 2.0, expected a probability from 0 to 1"),
        ("flip=60% partial=60%", "flip, partial, duplicate, missing, late and stranger add up to more than 1"),
    ],
)
def test_what_is_wrong_with_a_line_is_named(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"expected|not one of|add up") as caught:
        Faults.parse(line)
    assert words in str(caught.value)


def test_without_faults_nothing_changes() -> None:
    injector = Injector(Faults(seed=1), Armour.CHECKED)
    for _ in range(100):
        assert injector.apply(FRAME) == ((FRAME,), 1)
    assert not injector.unplugs()
    assert injector.counts == {}


def test_a_flip_turns_one_bit() -> None:
    injector = Injector(Faults(seed=1, flip=1.0), Armour.CHECKED)
    seen = set()
    for _ in range(300):
        (hurt,), copies = injector.apply(FRAME)
        assert copies == 0
        assert len(hurt) == len(FRAME)
        assert sum((a ^ b).bit_count() for a, b in zip(hurt, FRAME, strict=True)) == 1
        seen.add(hurt)
    assert len(seen) > 70
    assert injector.counts == {"flip": 300}


def test_a_break_keeps_the_beginning() -> None:
    injector = Injector(Faults(seed=1, partial=1.0), Armour.CHECKED)
    lengths = set()
    for _ in range(200):
        (hurt,), copies = injector.apply(FRAME)
        assert copies == 0
        assert FRAME.startswith(hurt)
        lengths.add(len(hurt))
    assert lengths == {1, 2, 3, 4, 5, 6, 7, 8, 9}


def test_the_end_of_a_line_is_not_worth_breaking() -> None:
    line = b"$GPHDT,271.2,T*21\r\n"
    broken = Injector(Faults(seed=1, partial=1.0), Armour.CHECKED)
    flipped = Injector(Faults(seed=1, flip=1.0), Armour.CHECKED)
    for _ in range(300):
        assert len(broken.apply(line).pieces[0]) < len(b"$GPHDT,271.2,T*21")
        hurt = flipped.apply(line).pieces[0]
        assert hurt.endswith(b"\r\n")
        assert hurt.upper() != line


def test_duplicates_and_noise() -> None:
    assert Injector(Faults(duplicate=1.0), Armour.CHECKED).apply(FRAME) == ((FRAME, FRAME), 2)
    injector = Injector(Faults(seed=2, noise=1.0), Armour.CHECKED)
    total = 0
    for _ in range(100):
        (noise, frame), copies = injector.apply(FRAME)
        assert (frame, copies) == (FRAME, 1)
        assert 1 <= len(noise) <= 24
        total += len(noise)
    assert injector.counts == {"noise": 100, "noise bytes": total}
    assert injector.log[0] == Injected("noise", 0, injector.log[0].detail)
    assert injector.log[-1].frame == 99


def test_streams_without_a_check_lose_only_their_shape() -> None:
    frame = bytes.fromhex("8545036248")
    injector = Injector(Faults(seed=5, flip=0.3, partial=0.3, noise=0.5), Armour.SHAPED)
    before_broken = False
    for _ in range(500):
        pieces, copies = injector.apply(frame)
        if before_broken:
            assert (pieces, copies) == ((frame,), 1)
        if len(pieces) == 2:
            assert max(pieces[0]) < 0x80
        hurt = pieces[-1]
        if copies == 0 and len(hurt) == len(frame):
            (at,) = (k for k in range(5) if hurt[k] != frame[k])
            assert hurt[at] ^ frame[at] == 0x80
        before_broken = copies == 0
    assert injector.counts["flip"] > 50
    assert injector.counts["partial"] > 50


def test_payloads_break_and_do_not_flip() -> None:
    payload = b'[{"n":"seq","v":1}]'
    (hurt,), copies = Injector(Faults(seed=5, flip=1.0), Armour.WHOLE).apply(payload)
    assert copies == 0
    assert len(hurt) < len(payload)
    assert payload.startswith(hurt)


def test_the_same_seed_and_name_do_the_same() -> None:
    faults = Faults(seed=9, flip=0.2, partial=0.2, duplicate=0.2, noise=0.2, unplug=0.1)
    one, same, other = (Injector(faults, Armour.CHECKED, name) for name in ("a", "a", "b"))
    for _ in range(200):
        assert one.apply(FRAME) == same.apply(FRAME)
        other.apply(FRAME)
        assert one.unplugs() == same.unplugs()
        other.unplugs()
    assert list(one.log) == list(same.log)
    assert list(one.log) != list(other.log)
    assert one.counts["unplug"] > 5
