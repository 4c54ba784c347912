"""Messages read part by part: what is left out, what refuses, how numbers may be written."""

from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from devices.spec.json_parts import PartRefused, Reader, loads, plain


class Inner(Struct):
    count: Annotated[int, Meta(ge=0, le=255)]
    level: float | None = None


class Outer(Struct, rename="camel"):
    the_name: str
    port: int | None = None
    inner: Inner | None = None
    entries: list[Inner] | None = None
    by_name: dict[str, Inner] | None = None
    anything: dict[str, Any] | None = None


def read(text: str, reader: Reader | None = None) -> tuple[Outer, tuple[str, ...]]:
    return (reader or Reader()).read(loads(text.encode()), Outer)


@pytest.mark.parametrize("written", ["7", "7.0", "7e0", "700e-2"])
def test_whole_numbers_may_have_a_point(written: str) -> None:
    made, wrong = read(f'{{"theName":"a","inner":{{"count":{written},"level":{written}}}}}')
    assert made.inner == Inner(7, 7.0)
    assert wrong == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"port":"7"', ("Expected `int | null`, got `str` - at `$.port`",)),
        ('"port":7.5', ("Expected `int | null`, got `float` - at `$.port`",)),
        ('"inner":{"level":1}', ("Object missing required field `count` - at `$.inner`",)),
        ('"inner":{"count":256}', ("Expected `int` <= 255 - at `$.inner.count`",)),
        ('"inner":[]', ("Expected `object`, got `array` - at `$.inner`",)),
        ('"entries":[{"count":1},{"count":-1}]', ("Expected `int` >= 0 - at `$.entries[1].count`",)),
        ('"byName":3', ("Expected `object`, got `int` - at `$.byName`",)),
        ('"anything":[1]', ("Expected `object | null`, got `array` - at `$.anything`",)),
    ],
)
def test_an_optional_part_is_left_out_and_named(text: str, words: tuple[str, ...]) -> None:
    made, wrong = read(f'{{"theName":"a",{text}}}')
    assert made == Outer("a")
    assert wrong == words


def test_an_optional_value_inside_takes_only_itself() -> None:
    made, wrong = read('{"theName":"a","inner":{"count":1,"level":"high"},"port":null}')
    assert made == Outer("a", inner=Inner(1))
    assert wrong == ("Expected `float | null`, got `str` - at `$.inner.level`",)


def test_a_number_that_no_double_holds_is_out_of_range() -> None:
    for number in ("1e999", "-1e999", "9" * 400):
        made, wrong = read(f'{{"theName":"a","inner":{{"count":1,"level":{number}}}}}')
        assert made == Outer("a", inner=Inner(1))
        assert len(wrong) == 1
        assert wrong[0].endswith("- at `$.inner.level`")


@pytest.mark.parametrize("text", ["{}", '{"theName":1}', '{"theName":null}', "[]", "null"])
def test_what_is_required_refuses(text: str) -> None:
    with pytest.raises(PartRefused):
        read(text)


def test_a_label_with_a_default_can_be_held() -> None:
    with pytest.raises(PartRefused, match=r"\$\.port"):
        read('{"theName":"a","port":"x"}', Reader(required={Outer: frozenset({"port"})}))


def test_each_bad_entry_alone_is_left_out() -> None:
    text = '{"theName":"a","entries":[{"count":1},4,{"count":2}],"byName":{"x":{"count":3},"y":{}}}'
    made, wrong = read(text, Reader(each=True))
    assert made.entries == [Inner(1), Inner(2)]
    assert made.by_name == {"x": Inner(3)}
    assert wrong == (
        "Expected `object`, got `int` - at `$.entries[1]`",
        "Object missing required field `count` - at `$.byName[y]`",
    )


def test_numbers_as_texts_are_taken_where_the_protocol_has_them() -> None:
    made, wrong = read('{"theName":"5","port":"12","inner":{"count":"7","level":"-0.5"}}', Reader(texts=True))
    assert made == Outer("5", port=12, inner=Inner(7, -0.5))
    assert wrong == ()
    for text in ("NaN", "Infinity", "", "1_0", "1e999", "seven"):
        made, wrong = read(f'{{"theName":"a","inner":{{"count":1,"level":"{text}"}}}}', Reader(texts=True))
        assert (made.inner, len(wrong)) == (Inner(1), 1)


@pytest.mark.parametrize("text", ['{"a":NaN}', '{"a":-Infinity}', "{", '{"a":1} x', ""])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="JSON is malformed"):
        loads(text.encode())


def test_a_byte_order_mark_is_ignored_and_wide_text_named() -> None:
    assert plain("﻿[1]".encode()) == b"[1]"
    assert plain(b"[1]") == b"[1]"
    assert plain(b"") == b""
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        with pytest.raises(ValueError, match=f"JSON: {encoding[:6].upper()} text, expected UTF-8"):
            plain('[{"n":1}]'.encode(encoding))
