"""Where keys and values stand in a TOML text, form by form; and in any text that tomllib takes."""

import random
import tomllib
from typing import Any

import pytest

from textfile import Places, Steps

FORMS: list[tuple[str, Steps, tuple[int, int], tuple[int, int]]] = [
    # text, key path, where the key stands, where its value begins
    ("a = 1", ("a",), (1, 1), (1, 5)),
    ("a=1", ("a",), (1, 1), (1, 3)),
    ("\t a\t=  1", ("a",), (1, 3), (1, 8)),
    ("# a = 1\n\na = 1 # b = 2\nb = 3", ("b",), (4, 1), (4, 5)),
    ("1 = 2", ("1",), (1, 1), (1, 5)),
    ("a-b_C = 1", ("a-b_C",), (1, 1), (1, 9)),
    # quoted and dotted keys
    ('"a b" = 1', ("a b",), (1, 1), (1, 9)),
    ("'a\"b' = 1", ('a"b',), (1, 1), (1, 9)),
    ('"a\\"b=" = 1', ('a"b=',), (1, 1), (1, 11)),
    ('"\\u00e9" = 1', ("é",), (1, 1), (1, 12)),
    ('"" = 1', ("",), (1, 1), (1, 6)),
    ('"a.b" = 1', ("a.b",), (1, 1), (1, 9)),
    ("a.b.c = 1", ("a", "b", "c"), (1, 5), (1, 9)),
    ("a.b.c = 1", ("a", "b"), (1, 3), (1, 3)),
    ("a.b.c = 1", ("a",), (1, 1), (1, 1)),
    ("a . 'b c' . d = 1", ("a", "b c", "d"), (1, 13), (1, 17)),
    ("3.14 = 1", ("3", "14"), (1, 3), (1, 8)),
    # tables
    ("[a]\nb = 1", ("a",), (1, 2), (1, 1)),
    ("[a]\nb = 1", ("a", "b"), (2, 1), (2, 5)),
    ("[ a . b ]\nc = 1", ("a", "b"), (1, 7), (1, 1)),
    ('[a."b]".c]\nd = 1', ("a", "b]", "c", "d"), (2, 1), (2, 5)),
    ("[a.b]\n[a]\nc = 1", ("a",), (2, 2), (2, 1)),
    ("[a.b]\n[a.c]\n", ("a",), (1, 2), (1, 1)),
    ("[a]\nb.c = 1\nb.d = 2", ("a", "b", "d"), (3, 3), (3, 7)),
    ("  [a]  # [b]\n  b = 1", ("a", "b"), (2, 3), (2, 7)),
    # arrays of tables
    ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a",), (1, 3), (1, 1)),
    ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 0, "b"), (2, 1), (2, 5)),
    ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1), (3, 3), (3, 1)),
    ("[[a]]\nb = 1\n[[a]]\nb = 2", ("a", 1, "b"), (4, 1), (4, 5)),
    ("[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2", ("a", 1, "b", "c"), (6, 1), (6, 5)),
    ("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\nc = 2", ("a", 0, "b", 1, "c"), (4, 1), (4, 5)),
    ("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\nc = 2", ("a", 1, "b", 0, "c"), (7, 1), (7, 5)),
    ("[m.x]\n[[m.x.s]]\nt = 1\n[[m.x.s]]\nt = 2", ("m", "x", "s", 1, "t"), (5, 1), (5, 5)),
    ("[[ a . 'b' ]]\nc = 1", ("a", "b", 0, "c"), (2, 1), (2, 5)),
    # arrays
    ("a = [1, 2]", ("a", 1), (1, 9), (1, 9)),
    ("a = [\n  1, # one ]\n  2,\n]\nb = 3", ("a", 1), (3, 3), (3, 3)),
    ("a = [\n  1, # one ]\n  2,\n]\nb = 3", ("b",), (5, 1), (5, 5)),
    ("a = [[1], ['x]', 2]]\nb = 1", ("a", 1, 1), (1, 18), (1, 18)),
    ("a = [[1], ['x]', 2]]\nb = 1", ("b",), (2, 1), (2, 5)),
    ("a = []\nb = 1", ("b",), (2, 1), (2, 5)),
    ("a = [{ b = 1 }, { b = 2 }]", ("a", 1, "b"), (1, 19), (1, 23)),
    ("a = [\n { b = 1 },\n { b = 2 },\n]", ("a", 1), (3, 2), (3, 2)),
    # inline tables
    ("a = { b = 1, c = 2 }", ("a", "c"), (1, 14), (1, 18)),
    ("a = { b = 1, c = 2 }", ("a",), (1, 1), (1, 5)),
    ("a = {b.c=1,'d e'={f=2}}", ("a", "d e", "f"), (1, 19), (1, 21)),
    ("a = {b.c=1,'d e'={f=2}}", ("a", "b", "c"), (1, 8), (1, 10)),
    ("a = {}\nb = 1", ("b",), (2, 1), (2, 5)),
    ("a.b = { c = [1, { d = 2 }] }", ("a", "b", "c", 1, "d"), (1, 19), (1, 23)),
    # strings that hold what elsewhere means something
    ('a = "# [b] = \\" 1"\nb = 2', ("b",), (2, 1), (2, 5)),
    ("a = 'C:\\'\nb = 2", ("b",), (2, 1), (2, 5)),
    ('a = """\nb = 1\n\\""" = 2\n"""\nb = 3', ("b",), (5, 1), (5, 5)),
    ("a = '''\nb = 1 \\'''\nb = 3", ("b",), (3, 1), (3, 5)),
    ('a = """x"""""\nb = 3', ("b",), (2, 1), (2, 5)),
    ("a = '''x''''\nb = 3", ("b",), (2, 1), (2, 5)),
    ('a = ""\nb = 3', ("b",), (2, 1), (2, 5)),
    ('a = """"""\nb = 3', ("b",), (2, 1), (2, 5)),
    ('a = [ """x\n,]""", "]" ]\nb = 3', ("a", 1), (2, 8), (2, 8)),
    # other values
    ("a = 1979-05-27 07:32:00 # x\nb = 3", ("b",), (2, 1), (2, 5)),
    ("a = [1979-05-27 07:32:00, -inf, +nan, 0xf]", ("a", 3), (1, 39), (1, 39)),
    ("a = { b = true}\nc = 1", ("c",), (2, 1), (2, 5)),
    ("\"é\" = 'é'", ("é",), (1, 1), (1, 7)),
    # what is not there stands where the table around it does
    ("[a]\nb = 1", ("a", "c"), (1, 2), (1, 1)),
    ("[a]\nb = 1", ("z", "c"), (1, 1), (1, 1)),
    ("", ("z",), (1, 1), (1, 1)),
    ("a = 1\r\nb = 2\r\n", ("b",), (2, 1), (2, 5)),
]


@pytest.mark.parametrize(("text", "steps", "key", "value"), FORMS, ids=range(len(FORMS)))
def test_each_form_of_toml(text: str, steps: Steps, key: tuple[int, int], value: tuple[int, int]) -> None:
    tomllib.loads(text)
    places = Places(text)
    assert (places.key(steps), places.value(steps)) == (key, value)


def paths(value: Any, steps: Steps = ()) -> set[Steps]:
    """Every key path of a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {steps} - {()} | {path for key, item in inner for path in paths(item, (*steps, key))}


NAMES = ("a", "b-1", '"c d"', "'e.f'", '"g\\"h"', "7", '"\\u0069"')
SCALARS = (
    "1", "-2.5e3", "true", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "07:32:00", "0xff", "nan", '""', "''",
    '"x # ] } = , \\" \\\\"', "'\\'", '"""\n[z]\ny = 1\n"""', "'''[[z]]\n# '' '''", '"""a""b"""', '""""q"""""', '"é"',
)  # fmt: skip


def made(chance: random.Random) -> str:
    """A text of TOML's forms, anyhow; most are TOML."""

    def key() -> str:
        dot = chance.choice([".", " . ", "."])
        return dot.join(chance.choice(NAMES) for _ in range(chance.choice([1, 1, 1, 2, 3])))

    def gap() -> str:
        return chance.choice(["", " ", "\n", " # ], x = [\n", "\n\n\t"])

    def value(deep: int) -> str:
        kind = chance.random()
        if deep < 3 and kind < 0.2:
            items = [f"{gap()}{value(deep + 1)}{gap()}" for _ in range(chance.randrange(4))]
            return "[" + ",".join(items) + (chance.choice(["", ",", ",\n"]) if items else "") + "]"
        if deep < 3 and kind < 0.4:
            items = [f" {key()} = {value(deep + 1)}" for _ in range(chance.randrange(4))]
            return "{" + ",".join(items) + " }"
        return chance.choice(SCALARS)

    lines = []
    for _ in range(chance.randrange(1, 12)):
        form = chance.choice(
            ["{k} = {v}", "{k} = {v}", "{k}={v} # c", "[{k}]", "[[{k}]]", "  [ {k} ] # [c]", "# c", ""]
        )
        lines.append(form.replace("{k}", key()).replace("{v}", value(0)))
    return "\n".join(lines)


def test_every_key_of_any_text_is_found_and_no_other() -> None:
    tried = 0
    for seed in range(2000):
        text = made(random.Random(seed))
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        tried += 1
        places = Places(text)
        assert places.all() == paths(document), text
        lines = text.split("\n")
        for steps in places.all():
            key, value = places.key(steps), places.value(steps)
            if isinstance(steps[-1], str):
                written = lines[key.line - 1][key.column - 1 :]
                assert written.startswith(tuple(name for name in NAMES if tomllib.loads(f"{name}=0") == {steps[-1]: 0}))
            assert lines[value.line - 1][value.column - 1] not in " \t=#"
    assert tried > 500
