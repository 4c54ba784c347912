"""What has been announced: things, their entities, and which topics bring what to whom.

Entities of one device are one thing. Of two whose fields would have the same names the one whose announcement sorts
first keeps the name, the other gets a number, so that names do not depend on the order in which announcements come.

A thing can be reached where one of its entities can. Entities mostly share their availability; each different one is
kept once: `all` of its topics, `any`, or the `latest` that said something. What such a topic said last also counts for
entities that are announced later: a bridge mostly says once that it is there.

Limits: MOST_ENTITIES entities; MOST_ROWS of them on one topic; MOST_WORD_BYTES of what a topic said last.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from devices.home_assistant.entity import Availability, Entity, Slot, Word, written
from devices.home_assistant.template import ABSENT, WrongValue
from devices.home_assistant.values import Message, Rows

V = TypeVar("V")

NAME = "device_name"
MOST_ENTITIES = 5000
MOST_ROWS = 512
MOST_WORD_BYTES = 1024


class Thing:
    """One device. `stems` are the names of its entities, by key."""

    __slots__ = ("changed", "entities", "heard", "name", "stems")

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.stems: dict[str, str] = {}
        self.name = ""
        self.changed = False
        self.heard: dict[Availability, dict[str, bool]] = {}  # what each topic said last, the latest at the end

    def settle(self) -> None:
        """Give every entity its stem, where something has changed."""
        if not self.changed:
            return
        self.changed = False
        taken: set[tuple[str, bool]] = set()
        self.stems = {}
        for key in sorted(self.entities):
            each = self.entities[key]
            flag = any(slot.kind == "flag" for slot in each.slots)
            stem, count = each.stem, 1
            while (stem, flag) in taken:
                count += 1
                stem = f"{each.stem}_{count}"
            taken.add((stem, flag))
            self.stems[key] = stem

    def online(self) -> bool | None:
        """Whether it can be reached; None where nobody has said so yet."""
        found = [state for each, heard in self.heard.items() if (state := _reached(each, heard)) is not None]
        return any(found) if found else None


def _reached(availability: Availability, heard: dict[str, bool]) -> bool | None:
    if not heard:
        return None
    if availability.mode == "latest":
        return list(heard.values())[-1]
    if availability.mode == "any":
        return any(heard.values())
    return all(heard.values()) if len(heard) == len({topic for topic, _ in availability.topics}) else None


class Registry:
    """All that is announced below one prefix."""

    __slots__ = ("_announced", "_entities", "_last", "_rows", "_words", "things")

    def __init__(self) -> None:
        self._entities: dict[str, Entity] = {}
        self._announced: dict[str, set[str]] = {}  # keys by the topic of the announcement
        self._rows: dict[str, dict[str, list[tuple[str, Slot]]]] = {}  # topic to thing to key and slot
        self._words: dict[str, dict[str, list[tuple[Availability, Word]]]] = {}
        self._last: dict[str, Message] = {}  # what topics of availability said last
        self.things: dict[str, Thing] = {}

    def __len__(self) -> int:
        return len(self._entities)

    def topics(self) -> Iterator[str]:
        """All topics that bring something."""
        yield from self._rows
        yield from (topic for topic in self._words if topic not in self._rows)

    def known(self, key: str) -> Entity | None:
        return self._entities.get(key)

    def keys_of(self, announcement: str) -> list[str]:
        """The entities that one topic has announced."""
        return sorted(self._announced.get(announcement, ()))

    def announce(self, entity: Entity) -> bool:
        """Take an entity, instead of what had its key; False where there are too many."""
        if entity.key not in self._entities and len(self._entities) >= MOST_ENTITIES:
            return False
        words = () if entity.availability is None else entity.availability.topics
        known = {topic: self._last[topic] for topic, _ in words if topic in self._last}
        self.forget([entity.key])
        self._last |= known
        self._entities[entity.key] = entity
        thing = self.things.setdefault(entity.thing, Thing())
        thing.entities[entity.key] = entity
        thing.changed = True
        thing.name = entity.device_name or thing.name
        self._announced.setdefault(entity.key.partition("#")[0], set()).add(entity.key)
        for slot in entity.slots:
            rows = self._rows.setdefault(slot.topic, {}).setdefault(entity.thing, [])
            if len(rows) < MOST_ROWS:
                rows.append((entity.key, slot))
        if entity.availability is not None:
            here = thing.heard.setdefault(entity.availability, {})
            for topic, word in words:
                said = self._words.setdefault(topic, {}).setdefault(entity.thing, [])
                if (entity.availability, word) not in said and len(said) < MOST_ROWS:
                    said.append((entity.availability, word))
                    state = _said(word, known[topic]) if topic in known else None
                    if state is not None:
                        here[topic] = state
        return True

    def forget(self, keys: Iterable[str]) -> None:
        """Forget entities, and what nobody announces any more."""
        for key in keys:
            entity = self._entities.pop(key, None)
            if entity is None:
                continue
            announced = self._announced[key.partition("#")[0]]
            announced.discard(key)
            if not announced:
                del self._announced[key.partition("#")[0]]
            thing = self.things[entity.thing]
            del thing.entities[key]
            for topic in {slot.topic for slot in entity.slots}:
                left = [row for row in self._rows[topic].get(entity.thing, ()) if row[0] != key]
                _keep(self._rows, topic, entity.thing, left)
            if entity.availability is not None:
                others = any(each.availability == entity.availability for each in thing.entities.values())
                if not others:
                    del thing.heard[entity.availability]
                for topic, _ in () if others else entity.availability.topics:
                    said = self._words.get(topic, {}).get(entity.thing, [])
                    left_over = [each for each in said if each[0] != entity.availability]
                    _keep(self._words, topic, entity.thing, left_over)
                    if topic not in self._words:
                        self._last.pop(topic, None)
            if not thing.entities:
                del self.things[entity.thing]
            thing.changed = True

    def rows(self, topic: str) -> list[tuple[str, Rows]]:
        """What a topic brings, thing by thing."""
        for name in self._rows.get(topic, ()):
            self.things[name].settle()
        return [
            (name, [(self.things[name].stems[key], slot) for key, slot in rows])
            for name, rows in self._rows.get(topic, {}).items()
        ]

    def reached(self, topic: str, message: Message) -> list[tuple[str, bool]]:
        """Take a message on an availability topic: the things of which it says something, and whether it is there."""
        found: list[tuple[str, bool]] = []
        self._last.pop(topic, None)
        if topic in self._words and len(message.payload) <= MOST_WORD_BYTES:
            self._last[topic] = message
        for name, words in self._words.get(topic, {}).items():
            thing, heard = self.things[name], False
            for availability, word in words:
                said = _said(word, message)
                if said is not None and availability in thing.heard:
                    thing.heard[availability].pop(topic, None)
                    thing.heard[availability][topic] = said
                    heard = True
            state = thing.online()
            if heard and state is not None:
                found.append((name, state))
        return found

    def tags(self, name: str) -> dict[str, str]:
        """What a thing's readings have as tags: the name of the device, where that is not the thing's."""
        called = self.things[name].name
        return {NAME: called[:64]} if called and called != name else {}

    def brings(self, topic: str) -> bool:
        """Whether a topic is one of states or of availability."""
        return topic in self._rows or topic in self._words


def _keep(table: dict[str, dict[str, list[V]]], topic: str, thing: str, left: list[V]) -> None:
    """What is left of a thing on a topic."""
    things = table.get(topic)
    if things is None:
        return
    if left:
        things[thing] = left
    else:
        things.pop(thing, None)
        if not things:
            del table[topic]


def _said(word: Word, message: Message) -> bool | None:
    """Whether a message says that something can be reached; None where it says neither."""
    try:
        value = word.template.read(message.text, message.json if word.template.json else ABSENT)
    except WrongValue:
        return None
    if value is ABSENT:
        return None
    text = written(value).strip()
    return True if text == word.on else False if text == word.off else None
