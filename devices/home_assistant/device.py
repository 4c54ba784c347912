"""Home Assistant's MQTT discovery, as a reader: tools announce what their topics mean, and are believed.

    homeassistant/<component>/[<node>/]<object>/config    retained: one entity (`entity`)
    homeassistant/device/[<node>/]<object>/config         retained: a device with its components (`cmps`)
    <any topic>                                           states; availability, online | offline

| message | reading |
|---|---|
| an announcement | `entity_count` of its thing, standing, where that has changed; `online_flag` where that is known |
| a state | for each thing that it says something of, all values in it; without a time |
| availability | `online_flag` of each thing, standing (`registry`) |
| homeassistant/status, and what nobody has announced | nothing to report |

Announcements are fetched with every connection, and with them the topics that they name, wherever these are: `filters`
folds them into few. What the configured filter takes anyway is not fetched once more. An empty announcement deletes its
entities; a component of a device that has its platform alone deletes that one.

The thing is the device's first identifier (`entity`); its name, where that is another, is the tag `device_name`. Where
the subscription has wildcards before the prefix, what they stand for comes before the thing.

A slot that cannot be read (a template that is more than plain, an encoding) is a `SanityError` of its announcement that
names it, once; the others are read. A message on a topic below the prefix that is not announced yet is kept, MOST_KEPT
of them and MOST_KEPT_BYTES at most, and read when it is; what is still unknown WAIT_S later is refused with its bytes
once (unless it was retained), and from then on passed over.

A retained state is old and is not stored.

`decode` of one message alone reads a state by what most tools mean (`values.COMMON`).

Limits: MOST_COMPONENTS of one device; those of `registry`, `filters`, `template`, `waiting`.

Source: home-assistant.io, "MQTT" (discovery, availability, templates) and the pages of its components.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.home_assistant.abbreviations import written_out
from devices.home_assistant.encode import births, encode
from devices.home_assistant.entity import Entity, entity
from devices.home_assistant.fields import FIELDS, ONLINE, TEMPERATURE
from devices.home_assistant.filters import Filters
from devices.home_assistant.registry import MOST_ENTITIES, Registry
from devices.home_assistant.slots import SILENT, SPECS
from devices.home_assistant.values import Message, read, read_common
from devices.home_assistant.waiting import Kept, Waiting
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Ask, Empty, Event, Fetch, Reading, SanityError
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.names import Values
from devices.spec.sequence import Bits
from devices.spec.sequence import Sequence as Count

MOST_COMPONENTS = 1000

_SHARED = ("state_topic", "command_topic", "qos", "encoding", "availability", "availability_topic", "availability_mode",
           "availability_template", "payload_available", "payload_not_available")  # fmt: skip

Told = Event | Ask


class Family:
    """The state of one subscription."""

    __slots__ = ("_base", "_filters", "_waiting", "registry")

    def __init__(self, pattern: str) -> None:
        levels = pattern.split("/")
        while len(levels) > 1 and levels[-1] in ("#", "+"):
            levels.pop()
        self._base = levels
        self.registry = Registry()
        self._filters = Filters()
        self._waiting = Waiting()

    def connected(self, new_session: bool) -> list[Ask]:  # noqa: ARG002
        base = "/".join(self._base)
        fetched = [f"{base}/+/+/config", f"{base}/+/+/+/config"]
        outside = [topic for topic in self.registry.topics() if not self._inside(topic)]
        return [Fetch(each) for each in (*fetched, *self._filters.again(outside))]

    def decode(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=False)

    def retained(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=True)

    def flush(self) -> list[Event]:
        return self._waiting.flush()

    def _inside(self, topic: str) -> bool:
        """Whether a topic is below the prefix."""
        levels = topic.split("/")
        count = len(self._base)
        return len(levels) > count and all(
            own in ("+", level) for own, level in zip(self._base, levels[:count], strict=True)
        )

    def _message(self, topic: str, payload: bytes, received_ns: int, retained: bool) -> Sequence[Told]:
        inside = self._inside(topic)
        levels = topic.split("/")
        if inside and levels[-1] == "config" and len(levels) - len(self._base) in (3, 4):
            return [*self._announcement(topic, levels, payload), *self._due(received_ns)]
        if self.registry.brings(topic):
            return self._heard(topic, Message(payload), retained, None)
        if not inside or levels[len(self._base) :] == ["status"] or topic in self._waiting.passed:
            return [Empty("nobody has announced this topic", payload)]
        return [
            Empty("waits for an announcement of this topic", payload),
            *self._waiting.keep(Kept(topic, payload, received_ns, retained)),
        ]

    def _heard(self, topic: str, message: Message, retained: bool, time_ns: int | None) -> list[Told]:
        """The readings of availability, or of a state, or of what is both: one for each thing."""
        if not message.payload:
            return [Empty(DELETED, message.payload)]
        told: list[Told] = []
        for name, state in self.registry.reached(topic, message):
            told.append(self._reading(name, Values(), None, standing=state))
        states = self.registry.rows(topic)
        for name, rows in states:
            values = Values()
            if not retained:
                read(values, rows, message)
            if values.fields or values.errors or retained:
                told.append(self._reading(name, values, time_ns))
        if message.error and states and not told:
            return [SanityError(f"{topic[:100]}: {message.error}", message.payload)]
        return told or [Empty("no values" if states else "nothing to report", message.payload)]

    def _reading(self, name: str, values: Values, time_ns: int | None, *, standing: bool | None = None) -> Reading:
        if standing is not None:
            values.put(ONLINE.name, standing)
        return Reading(
            values.fields, time_ns, name, self.registry.tags(name), tuple(values.errors), standing=standing is not None
        )

    def _announcement(self, topic: str, levels: list[str], payload: bytes) -> list[Told]:
        own = levels[len(self._base) :]
        component, node, name = own[0], own[1] if len(own) == 4 else "", own[-2]
        if not payload.strip():
            things = {each.thing for key in self.registry.keys_of(topic) if (each := self.registry.known(key))}
            self.registry.forget(self.registry.keys_of(topic))
            return [Empty(DELETED, payload), *(self._count(each) for each in sorted(things))]
        try:
            config = written_out(json_object(payload))
        except JsonRefused as error:
            return [SanityError(f"{topic[:100]}: {error}", payload)]
        wild = [level for level, base in zip(levels, self._base, strict=False) if base == "+"]
        prefix = "".join(f"{level}/" for level in wild)
        if component == "device":
            return self._device(topic, (node, name), prefix, config, payload)
        if component in SILENT or component not in SPECS:
            return [Empty(f"announces a {component[:40]}: nothing that is measured", payload)]
        return self._take([entity(topic, component, (node, name), config)], prefix, payload)

    def _device(
        self, topic: str, ids: tuple[str, str], prefix: str, config: Mapping[str, Any], payload: bytes
    ) -> list[Told]:
        """A device with its components, which share what it says for all."""
        components = config.get("components")
        if not isinstance(components, dict):
            return [SanityError(f"{topic[:100]}: expected components", payload)]
        shared = {key: config[key] for key in (*_SHARED, "device") if key in config}
        base = {"~": config["~"]} if isinstance(config.get("~"), str) else {}
        found: list[Entity] = []
        for own, said in list(components.items())[:MOST_COMPONENTS]:
            if not isinstance(said, dict):
                continue
            whole = written_out(base | said)
            component = whole.get("platform")
            key = f"{topic}#{own}"
            if len(said) == 1 or not isinstance(component, str):
                self.registry.forget([key])
            elif component in SPECS:
                found.append(entity(key, component, (ids[0] or ids[1], own), shared | whole))
        return self._take(found, prefix, payload)

    def _take(self, found: list[Entity], prefix: str, payload: bytes) -> list[Told]:
        told: list[Told] = []
        changed: dict[str, None] = {}
        for each in found:
            new = each._replace(thing=prefix + each.thing) if prefix else each
            if self.registry.known(new.key) == new:
                continue
            if new.refused:
                words = f"{new.thing}: {new.component} {new.stem}: {'; '.join(new.refused)}"
                told.append(SanityError(words[:400], payload))
            if not self.registry.announce(new):
                told.append(SanityError(f"more than {MOST_ENTITIES} entities", payload))
                break
            changed[new.thing] = None
            told += self._fetch(new)
        if self._filters.full:
            topic = next(iter(self._filters.full))
            self._filters.full.clear()
            told.append(SanityError(f"topic {topic[:100]!r} is not fetched: too many filters", payload))
        counted: list[Told] = [self._count(name) for name in changed]
        return [*(counted or [Empty("an announcement", payload, found[0].thing if found else None)]), *told]

    def _count(self, name: str) -> Told:
        thing = self.registry.things.get(name)
        values = Values()
        values.put("entity_count", float(len(thing.entities)) if thing else 0.0)
        if thing is None:
            return Reading(values.fields, thing=name, standing=True)
        state = thing.online()
        if state is not None:
            values.put(ONLINE.name, state)
        return Reading(values.fields, None, name, self.registry.tags(name), standing=True)

    def _fetch(self, new: Entity) -> list[Told]:
        topics = {slot.topic for slot in new.slots}
        if new.availability is not None:
            topics |= {topic for topic, _ in new.availability.topics}
        asks: list[Told] = []
        for topic in sorted(topics):
            self._waiting.passed.pop(topic, None)
            if not self._inside(topic):
                asks += [Fetch(each) for each in self._filters.add(topic)]
        return asks

    def _due(self, received_ns: int) -> list[Told]:
        """What has waited and can be read now, and what has waited too long."""
        told: list[Told] = []
        for kept in self._waiting.due(self.registry.brings):
            heard = self._heard(kept.topic, Message(kept.payload), kept.retained, kept.received_ns)
            told += [each for each in heard if not kept.retained or (isinstance(each, Reading) and each.standing)]
        return told + self._waiting.late(received_ns)


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:
    """What one message says without any announcement: a state, by what most tools mean."""
    levels = topic.split("/")
    if levels[-1] == "config" or not payload.strip():
        told = Family(DEVICE.topic).decode(topic, payload, received_ns)
        return [event for event in told if not isinstance(event, Fetch)]  # type: ignore[misc]  # it asks for nothing else
    thing = levels[-2] if len(levels) > 1 else None
    if levels[-1] in ("availability", "status", "LWT") and payload in (b"online", b"offline"):
        return [Reading({ONLINE.name: payload == b"online"}, thing=thing, standing=True)]
    message, values = Message(payload), Values()
    if message.error or payload[:1] not in b"{[" or not isinstance(message.json, dict):
        return [SanityError(f"{topic[:100]}: {message.error or 'expected a JSON object'}", payload)]
    read_common(values, message.json)
    if not values.fields and not values.errors:
        return [Empty("no values", payload, thing)]
    return [Reading(values.fields, thing=thing, field_errors=tuple(values.errors))]


DEVICE = MessageDevice(
    name="home-assistant",
    title="What announces itself to Home Assistant",
    domain="park",
    source="home-assistant.io: MQTT discovery, availability, templates, and the pages of the components",
    fields=FIELDS,
    expected_every_s=300.0,
    sequence=Count((Bits.of(TEMPERATURE, 6),)),
    open_fields=True,
    topic="homeassistant/#",
    says_on="homeassistant/sensor/{thing}/state",
    decode=decode,
    encode=encode,
    family=Family,
    births=births,
)
