"""Which level of the topic names is the thing, and which the quantity.

    park/lamp-1/state, park/lamp-2/state      the level that differs is the thing: park/{thing}/state
    park/lamp-1/state                         one with a digit, or the one before the last: a guess
    park/lamp-1/temperature, …/humidity       a level whose words are quantities: a `Part` for each of them
    park/lamp-1/north, …/south; lamp-2/…      the same words below each thing: a `Part` for each of them
    park/lamp-1/env, park/lamp-1/power        payloads that name different values: park/{thing}/+

Topics are kept apart only where they would become one field: payloads that name their values differently
go together into one type. Where levels differ and nothing says which is what, they are read as one, and a note
says so. Pure. Limits: MOST_PARTS words of a level.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.learn.keys import quantity_in
from gateway.learn.propose import is_bare

MOST_PARTS = 50
LISTED = 5
_NAME = re.compile(r"[A-Za-z].*\d|[0-9a-fA-F]{6,}")

Places = frozenset[str | int]
"""Where the values of a topic's payloads stand: `Field.from` of the type that would read them."""


@dataclass(frozen=True, slots=True)
class Part:
    """Topics that one type reads: the pattern that takes them all, and the word that names their quantity."""

    pattern: str
    topics: tuple[str, ...]
    called: str = ""


def parts_of(said: Mapping[str, Places]) -> tuple[list[Part], list[str]]:
    """The types that topics need, all of one number of levels, and why: notes for people."""
    topics = sorted(said)
    rows = {topic: topic.split("/") for topic in topics}
    differing = _differing(list(rows.values()))
    found = _quantity_level(rows, differing)
    if found is None or not _merge(said, rows, [found[0]]):
        pattern, why = _side_by_side(said, rows, differing) or pattern_of(topics)
        part = Part(pattern, tuple(topics), _called(pattern))
        return [part], [
            f"topic {pattern}: {why}",
            *_merged(said, rows, pattern),
            *_things(said, rows, pattern),
        ]
    at, why = found
    thing, whose = _thing_level(list(rows.values()), at)
    words = list(dict.fromkeys(row[at] for row in rows.values()))
    notes = [f"level {at + 1} of the topics {why}: a type for each of {_listed(words)}", whose]
    parts = []
    for word in words:
        taken = [topic for topic in topics if rows[topic][at] == word]
        levels = [
            "{thing}" if level == thing else "+" if level in differing and level != at else rows[taken[0]][level]
            for level in range(len(rows[taken[0]]))
        ]
        parts.append(Part("/".join(levels), tuple(taken), word))
        notes += _merged({topic: said[topic] for topic in taken}, rows, parts[-1].pattern)
    return parts, notes


def pattern_of(topics: Sequence[str]) -> tuple[str, str]:
    """A topic pattern that takes all of `topics`, which have one number of levels, and why the thing is where it is."""
    rows = [topic.split("/") for topic in dict.fromkeys(topics)]
    first = rows[0]
    differing = _differing(rows)
    if len(differing) == 1:
        return _with_thing(first, differing[0]), f"level {differing[0] + 1} differs from topic to topic"
    if differing:
        at = _most(rows, differing)
        levels = ["+" if other in differing else level for other, level in enumerate(first)]
        return _with_thing(levels, at), f"level {at + 1} differs most from topic to topic"
    named = [at for at, level in enumerate(first) if _NAME.search(level)]
    if named:
        return _with_thing(first, named[-1]), f"{first[named[-1]]!r} looks like a name; with one topic this is a guess"
    return "/".join(first), "no level looks like a name; the thing is named in the subscription"


def same_shape(topics: Sequence[str]) -> list[str]:
    """The topics with the number of levels that most of them have."""
    counts = [topic.count("/") for topic in topics]
    usual = max(counts, key=counts.count)
    return [topic for topic, count in zip(topics, counts, strict=True) if count == usual]


def _quantity_level(rows: Mapping[str, list[str]], differing: Sequence[int]) -> tuple[int, str] | None:
    """The level that says what is measured, and why it is that."""
    words = {at: {row[at] for row in rows.values()} for at in differing}
    for at in reversed(differing):
        found = [quantity for word in words[at] if (quantity := quantity_in(word))]
        if len(set(found)) > 1 and 2 * len(found) > len(words[at]) <= MOST_PARTS:
            return at, "names quantities"
    if len(differing) != 2:
        return None
    one, other = differing
    if len(rows) != len(words[one]) * len(words[other]):
        return None
    at = one if _are_names(words[other]) and not _are_names(words[one]) else other
    return (at, "has the same words below each thing") if len(words[at]) <= MOST_PARTS else None


def _side_by_side(
    said: Mapping[str, Places], rows: Mapping[str, list[str]], differing: Sequence[int]
) -> tuple[str, str] | None:
    """The pattern where a level parts what one thing measures and its payloads name, as env and power do, and why."""
    for at in reversed(differing):
        words = {row[at] for row in rows.values()}
        others = [other for other in range(len(next(iter(rows.values())))) if other != at]
        if _are_names(words) or _merge(said, rows, [at]):
            continue
        if len(differing) == 1 and not any(_NAME.search(row[other]) for row in rows.values() for other in others):
            continue
        thing, whose = _thing_level(list(rows.values()), at)
        levels = ["+" if other in differing else level for other, level in enumerate(next(iter(rows.values())))]
        return _with_thing(levels, thing or 0), f"{whose}; below {_listed(sorted(words))} no value has the same name"
    return None


def _thing_level(rows: Sequence[list[str]], quantity: int) -> tuple[int | None, str]:
    """The level that names the thing beside the one that names the quantity, and why."""
    differing = [at for at in _differing(rows) if at != quantity]
    if differing:
        at = _most(rows, differing)
        return at, f"level {at + 1} names the thing: it differs from topic to topic"
    others = [at for at in range(len(rows[0])) if at != quantity]
    if not others:
        return None, "no level is left for a name of the thing; it is named in the subscriptions"
    named = [at for at in others if _NAME.search(rows[0][at])]
    at = named[-1] if named else quantity - 1 if quantity else 1
    return at, f"level {at + 1} names the thing, {rows[0][at]!r}: with one of them this is a guess"


def _merged(said: Mapping[str, Places], rows: Mapping[str, list[str]], pattern: str) -> list[str]:
    """What is read as one and may be several."""
    levels = pattern.split("/")
    notes = []
    for at, level in enumerate(levels):
        words = list(dict.fromkeys(rows[topic][at] for topic in said))
        if level == "+" and len(words) > 1 and _merge(said, rows, [at]):
            notes.append(
                f"level {at + 1} differs, too: what comes under {_listed(words)} is read as one and the same; "
                f"where it is not, learn each with a --topic of its own, such as {_such(rows, said, at)}"
            )
    return notes


def _things(said: Mapping[str, Places], rows: Mapping[str, list[str]], pattern: str) -> list[str]:
    """What is taken for things and may be quantities: words over values without a name."""
    at = pattern.split("/").index("{thing}") if "{thing}" in pattern.split("/") else 0
    words = list(dict.fromkeys(rows[topic][at] for topic in said))
    if len(words) < 2 or any(map(_NAME.search, words)) or not _all_bare(said):
        return []
    return [
        f"{_listed(words)} are taken for things; where they are what one thing measures, learn each with a "
        f"--topic of its own, such as {_such(rows, said, at)}"
    ]


def _merge(said: Mapping[str, Places], rows: Mapping[str, list[str]], levels: Sequence[int]) -> bool:
    """Whether topics that differ in these levels would put values into one field."""
    places: dict[tuple[str, ...], set[str | int]] = {}
    for topic, own in said.items():
        places.setdefault(tuple(rows[topic][at] for at in levels), set()).update(own)
    taken: set[str | int] = set()
    for found in places.values():
        same = {"" if is_bare(place) else place for place in found}
        if same & taken:
            return True
        taken |= same
    return False


def _all_bare(said: Mapping[str, Places]) -> bool:
    return all(len(own) == 1 and all(map(is_bare, own)) for own in said.values())


def _called(pattern: str) -> str:
    """The last level that names a quantity, if one does."""
    levels = [level for level in pattern.split("/") if level not in ("{thing}", "+", "#")]
    return next((level for level in reversed(levels) if len(level) > 1 and quantity_in(level)), "")


def _such(rows: Mapping[str, list[str]], said: Mapping[str, Places], at: int) -> str:
    row = rows[next(iter(said))]
    differing = _differing([rows[topic] for topic in said])
    return "'" + "/".join("+" if level in differing and level != at else row[level] for level in range(len(row))) + "'"


def _differing(rows: Sequence[list[str]]) -> list[int]:
    return [at for at in range(len(rows[0])) if len({row[at] for row in rows}) > 1]


def _most(rows: Sequence[list[str]], levels: Sequence[int]) -> int:
    """The level with the most words."""
    return max(levels, key=lambda at: len({row[at] for row in rows}))


def _are_names(words: set[str]) -> bool:
    return all(_NAME.search(word) is not None for word in words)


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - LISTED} more" if len(words) > LISTED else ""
    return ", ".join(words[:LISTED]) + more


def _with_thing(levels: Sequence[str], at: int) -> str:
    return "/".join("{thing}" if other == at else level for other, level in enumerate(levels))
