"""Value templates: parsed for what is plain in them, never evaluated as templates.

    {{ value }}   {{ value_json.a.b[0]['c'] }}   {{ value_json.x | float / 10 }}   {{ (value_json.x * 0.1) | round(1) }}

    expression := sum of products of factors, with + - * / and parentheses
    factor     := [-] primary { | filter }           a filter binds tighter than arithmetic, as in Jinja
    primary    := value | value_json path | number | 'text' | ( expression )
    path       := .name | .0 | [0] | ['name'] | .get('name') ...

| filter | |
|---|---|
| float, int | a number; what is none is left out (a default in brackets is not made up in its place) |
| round, round(n) | as Python rounds |
| default(x), d(x) | x where the path is not there |
| is_defined | the path, or nothing |
| upper, lower, trim, string, abs | |

Everything else is refused with a word: conditions, comparisons, statements, loops, calls, filters of times, text
around.

A path that is not there, and null, have no value: nothing is said, and nothing is wrong.

Limits: templates of LONGEST characters, MOST_PARTS parts.
Source: home-assistant.io, "MQTT": "Using value templates"; Jinja, "Template Designer Documentation".
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

LONGEST = 500
MOST_PARTS = 40

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.\d+|\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<mark>\*\*|//|==|!=|<=|>=|.))",
    re.DOTALL,
)
_WORDS = frozenset(("if", "else", "and", "or", "not", "in", "is", "for", "true", "false", "none"))


class TemplateRefused(ValueError):
    """A template that is more than plain; the text says what was met."""


class Absent:
    """No value: a path that is not there."""


ABSENT = Absent()


class WrongValue(ValueError):
    """A value that the template cannot take; the text says what was expected."""


Read = Callable[[str, Any], Any]
"""The payload as text and as JSON (ABSENT where it is none), to a value."""


class Template(NamedTuple):
    """`read` gives its value, or ABSENT; raises WrongValue. `json`: it needs a payload that is JSON."""

    read: Read
    json: bool


def _plain(text: str, _json: Any) -> Any:
    return text


PLAIN = Template(_plain, False)
"""Without any template the payload is the value."""


@lru_cache(4096)
def parse(text: str) -> Template:
    """The meaning of a template. TemplateRefused where it is not plain."""
    if len(text) > LONGEST:
        raise TemplateRefused(f"{len(text)} characters, at most {LONGEST} are read")
    inner = text.strip()
    if "{%" in inner:
        raise TemplateRefused("a statement {% … %}")
    if not (inner.startswith("{{") and inner.endswith("}}")) or inner.count("{{") != 1:
        raise TemplateRefused("text around {{ … }}")
    body = inner[2:-2].removeprefix("-").removesuffix("-")
    return _Parser(body).whole()


class _Parser:
    """One template, read from left to right."""

    def __init__(self, body: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        self._json = False
        at, end = 0, len(body.rstrip())
        while at < end:
            found = _TOKEN.match(body, at, end)
            if found is None or found.lastgroup is None:
                raise TemplateRefused(f"{body[at : at + 20]!r}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        if len(self._tokens) > 4 * MOST_PARTS:
            raise TemplateRefused(f"more than {4 * MOST_PARTS} parts")

    def whole(self) -> Template:
        read = self._sum(0)
        if self._at < len(self._tokens):
            self._refuse()
        return Template(read, self._json)

    def _next(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self, mark: str) -> bool:
        if self._next() == mark and self._kind() == "mark":
            self._at += 1
            return True
        return False

    def _refuse(self) -> NoReturn:
        met = self._next()
        if not met:
            raise TemplateRefused("it ends too soon")
        kind = "the word" if met in _WORDS else "the mark" if self._kind() == "mark" else "the name"
        raise TemplateRefused(f"{kind} {met[:30]!r}")

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            self._refuse()

    def _sum(self, depth: int) -> Read:
        if depth > 8:
            raise TemplateRefused("brackets in brackets")
        left = self._product(depth)
        while (mark := self._next()) in ("+", "-") and self._kind() == "mark":
            self._at += 1
            left = _arithmetic(mark, left, self._product(depth))
        return left

    def _product(self, depth: int) -> Read:
        left = self._factor(depth)
        while (mark := self._next()) in ("*", "/") and self._kind() == "mark":
            self._at += 1
            left = _arithmetic(mark, left, self._factor(depth))
        return left

    def _factor(self, depth: int) -> Read:
        negative = self._take("-")
        read = self._primary(depth)
        while self._take("|"):
            read = self._filter(read)
        return _arithmetic("-", _constant(0), read) if negative else read

    def _primary(self, depth: int) -> Read:
        kind, word = self._kind(), self._next()
        if self._take("("):
            read = self._sum(depth + 1)
            self._expect(")")
            return read
        if kind in ("number", "text"):
            self._at += 1
            return _constant(_literal(kind, word))
        if kind == "name" and word == "value":
            self._at += 1
            return _plain
        if kind == "name" and word == "value_json":
            self._at += 1
            self._json = True
            return _path(self._steps())
        self._refuse()

    def _steps(self) -> tuple[str | int, ...]:
        steps: list[str | int] = []
        while True:
            if self._take("."):
                if self._next() == "get":
                    self._at += 1
                    self._expect("(")
                    steps.append(self._key())
                    self._expect(")")
                elif self._kind() in ("name", "number") and "." not in self._next():
                    steps.append(_literal(self._kind(), self._next()))
                    self._at += 1
                else:
                    self._refuse()
            elif self._take("["):
                steps.append(self._key())
                self._expect("]")
            else:
                return tuple(steps)

    def _key(self) -> str | int:
        kind, word = self._kind(), self._next()
        if kind not in ("text", "number") or (kind == "number" and "." in word):
            self._refuse()
        self._at += 1
        found = _literal(kind, word)
        return found if isinstance(found, str) else int(found)

    def _filter(self, read: Read) -> Read:
        name = self._next()
        make = _FILTERS.get(name)
        if make is None or self._kind() != "name":
            raise TemplateRefused(f"the filter {name[:30]!r}")
        self._at += 1
        given: list[Any] = []
        if self._take("("):
            while not self._take(")"):
                negative = self._take("-")
                kind, word = self._kind(), self._next()
                if kind not in ("number", "text"):
                    self._refuse()
                self._at += 1
                value = _literal(kind, word)
                given.append(-value if negative and not isinstance(value, str) else value)
                if not self._take(",") and self._next() != ")":
                    self._refuse()
        if len(given) > 1:
            raise TemplateRefused(f"the filter {name} with {len(given)} arguments")
        return make(read, given[0] if given else None)


def _literal(kind: str, word: str) -> Any:
    if kind == "number":
        return float(word) if "." in word else int(word[:18])
    return word[1:-1] if kind == "text" else word


def _constant(value: Any) -> Read:
    return lambda _text, _json: value


def _path(steps: tuple[str | int, ...]) -> Read:
    def read(_text: str, found: Any) -> Any:
        for step in steps:
            if isinstance(found, Mapping):
                found = found.get(str(step), ABSENT)
            elif isinstance(found, list) and isinstance(step, int) and step < len(found):
                found = found[step]
            else:
                return ABSENT
        return ABSENT if found is None else found

    return read


def _number(value: Any) -> float:
    """A number, or a text that is one."""
    if not isinstance(value, bool) and isinstance(value, int | float | str):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            found = float("nan")
        if found - found == 0.0:
            return found
    raise WrongValue(f"expected a number, got {str(value)[:40]!r}")


def _arithmetic(mark: str, left: Read, right: Read) -> Read:
    def read(text: str, said: Any) -> Any:
        one, other = left(text, said), right(text, said)
        if one is ABSENT or other is ABSENT:
            return ABSENT
        a, b = _number(one), _number(other)
        if mark == "/" and b == 0.0:
            raise WrongValue("a division by zero")
        # one of two that are written in decimals is meant in decimals: 215 * 0.1 is 21.5
        return round(a + b if mark == "+" else a - b if mark == "-" else a * b if mark == "*" else a / b, 9)

    return read


def _each(work: Callable[[Any], Any]) -> Callable[[Read, Any], Read]:
    """A filter that does something with a value that is there."""

    def make(read: Read, given: Any) -> Read:
        del given

        def filtered(text: str, said: Any) -> Any:
            value = read(text, said)
            return ABSENT if value is ABSENT else work(value)

        return filtered

    return make


def _round(read: Read, given: Any) -> Read:
    places = given if isinstance(given, int) and abs(given) < 16 else 0
    return _each(lambda value: round(_number(value), places))(read, None)


def _default(read: Read, given: Any) -> Read:
    def filtered(text: str, said: Any) -> Any:
        value = read(text, said)
        return given if value is ABSENT and given is not None else value

    return filtered


_FILTERS: Mapping[str, Callable[[Read, Any], Read]] = {
    "float": _each(_number),
    "int": _each(lambda value: int(_number(value))),
    "round": _round,
    "default": _default,
    "d": _default,
    "is_defined": _each(lambda value: value),
    "upper": _each(lambda value: str(value).upper()),
    "lower": _each(lambda value: str(value).lower()),
    "trim": _each(lambda value: str(value).strip()),
    "string": _each(lambda value: value),
    "abs": _each(lambda value: abs(_number(value))),
}
