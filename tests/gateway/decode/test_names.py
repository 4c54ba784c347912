"""Two names from outside never become one series, one tag or one field."""

import random

import pytest

from gateway.decode.names import clean_name, clean_tag, storable_tag

T = 1_700_000_000_000_000_000
PAIRS = [
    ("a", "a\\"),
    ("a\\", "a\\\\"),
    ("a", "a "),
    ("a", " a"),
    ("a", "a\t"),
    ("a_", "a\n"),
    ("a\n", "a\r"),
    ("a\x00", "a\x7f"),
    ("a\u2028", "a\u2029"),
    ("a\\,b", "a_,b"),
    ("a\\ b", "a_ b"),
    ("a\\\\b", "a_\\b"),
    ("x" * 256, "x" * 257),
    ("x" * 300 + "a", "x" * 300 + "b"),
    ("\\", " "),
    ("\\", ""),
    ("\ud800", "\ud801"),
    ("time", "time_"),
    ("_x", "x"),
    ("#x", "x"),
    ("__", "unnamed"),
    ("", "unnamed"),
    ("x" * 128, "x" * 129),
    ("a~774276ed46edbe79", "a\\"),  # the second as it is stored
    ("unnamed~a82363d80be6ab49", "__"),
]


@pytest.mark.parametrize("clean", [clean_tag, clean_name])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_names_stay_two(clean, one, other):
    assert clean(one) != clean(other)


@pytest.mark.parametrize("name", ["lamp-01", "a b=c,d", "back\\slash", "é😀", "a~b", "A", "a"])
def test_a_name_that_every_server_takes_stays_as_it_is(name):
    assert clean_tag(name) == name
    assert clean_name(name) == name


def test_names_are_told_apart_by_their_whole_words():
    assert clean_tag("a\\") == "a~774276ed46edbe79"
    assert clean_tag("x" * 65_000) == "x" * 239 + "~c7b1f07a25fcaabb"
    assert clean_tag("") == ""


def test_what_is_clean_is_not_cleaned_again():
    assert storable_tag("a~774276ed46edbe79") == "a~774276ed46edbe79"
    assert storable_tag("a\\") == "a~774276ed46edbe79"


def test_of_20000_hostile_names_no_two_become_one():
    chance = random.Random(20_261_129)
    alphabet = [*"\\\\\\,= \n\t\0#_~a", "\u2028", "\ud800", "time", "unnamed", "~774276ed46edbe79", "_value"]
    names = {"".join(chance.choice(alphabet) for _ in range(chance.randint(0, 7))) for _ in range(20_000)}
    names |= {clean_tag(name) for name in list(names)[:2000]} | {clean_name(name) for name in list(names)[:2000]}
    assert len(names) > 10_000
    assert len({clean_tag(name) for name in names}) == len(names)
    assert len({clean_name(name) for name in names}) == len(names)
