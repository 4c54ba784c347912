"""Commands asked for over MQTT: a request on a topic of the gateway, the answer on the topic that the request names.

    parkgate/<gateway>/cmd/<thing>      {"command": "sleep", "arguments": {...}, "key": ..., "by": ...}
    the response topic (MQTT 5)         {"id": ..., "state": "accepted" | "done" | "refused" | "timed_out", "why": ...}
    parkgate/<gateway>/reply/<thing>    where the request names none, and over 3.1.1

The correlation data of MQTT 5 comes back with each answer; over 3.1.1 a `correlation` in the request does. A command
that takes longer than SOON_S is answered twice: accepted, and then what became of it.

The connection is one of its own, with a session that ends with it: a command that was published while the gateway was
away is not obeyed later, nor is a retained one. Who may publish on these topics is for the broker to decide; the
gateway cannot tell one client from another, and `by` is what a client says of itself. The answer goes to the topic that
the request names, with the rights that the gateway has at the broker.

Limits: MOST_AT_ONCE requests at once, further ones wait; payloads of MOST_BYTES; response topics of MOST_TOPIC bytes.
Source: MQTT 5.0 (OASIS, 2019), 4.10 request / response.
"""

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import msgspec
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.commands.asked import Ask, Refused, Why
from gateway.commands.desk import Desk
from gateway.config import MqttConfig
from gateway.network import TlsFileUnusable, tls_context

log = logging.getLogger("parkgate.commands")

SOON_S = 1.0
MOST_WAIT_S = 3700.0
MOST_AT_ONCE = 16
MOST_BYTES = 1 << 14
MOST_TOPIC = 512
QUEUE = 64
ANSWER_S = 10.0

_QUIET = logging.getLogger("parkgate.commands.paho")
_QUIET.addFilter(lambda record: record.exc_info is not None)
"""What paho tells at each try is said here in our words."""


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    command: str
    arguments: dict[str, Any] = {}
    key: str | None = None
    by: str = ""
    source: str | None = None
    correlation: str = ""


_decoder = msgspec.json.Decoder(_Payload)


class Requests:
    """Those at one broker. `trouble` is why none can come, or nothing."""

    def __init__(self, config: MqttConfig, gateway: str, desk: Desk, clock: Clock) -> None:
        self.name = f"commands[mqtt:{config.name}]"
        self.trouble = "not connected yet"
        self.prefix = f"parkgate/{gateway}"
        self._config = config
        self._desk = desk
        self._clock = clock
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._retained: set[str] = set()

    async def run(self) -> None:
        """Take requests until cancelled; comes back whatever happens to the broker."""
        waits = backoff()
        while True:
            try:
                async with self._client() as client:
                    await client.subscribe(f"{self.prefix}/cmd/#", 1)
                    self._say("")
                    waits = backoff()
                    await self._serve(client)
            except (aiomqtt.MqttError, TlsFileUnusable, OSError) as error:
                self._say(str(error) or type(error).__name__)
            await self._clock.sleep(next(waits))

    def _client(self) -> aiomqtt.Client:
        config = self._config
        parts = urlsplit(config.url)
        tls = None if config.tls is None else tls_context(config.tls)
        modern = config.protocol == "5"
        return aiomqtt.Client(
            parts.hostname or "",
            parts.port or (8883 if tls else 1883),
            identifier=f"{config.client_id}-commands",
            username=config.username,
            password=config.password,
            protocol=aiomqtt.ProtocolVersion.V5 if modern else aiomqtt.ProtocolVersion.V311,
            clean_session=None if modern else True,
            clean_start=True if modern else paho.MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=config.keepalive_s,
            timeout=ANSWER_S,
            max_queued_incoming_messages=QUEUE,
            tls_context=tls,
            logger=_QUIET,
        )

    async def _serve(self, client: aiomqtt.Client) -> None:
        answering: set[asyncio.Task[None]] = set()
        try:
            async for message in client.messages:
                await self._room.acquire()
                task = asyncio.create_task(self._answer(client, message), name=f"{self.name} {message.topic}"[:100])
                answering.add(task)
                task.add_done_callback(answering.discard)
                task.add_done_callback(lambda _task: self._room.release())
        finally:
            for task in answering:  # what was asked for goes on; its answer has nowhere to go
                task.cancel()

    async def _answer(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        """Do what one message asks for, and answer it."""
        try:
            thing = message.topic.value.removeprefix(f"{self.prefix}/cmd/")
            if message.retain:
                self._old(message.topic.value)
                return
            said = _Said(message)
            topic = said.response if said.response else f"{self.prefix}/reply/{thing}"
            try:
                entry = await self._desk.ask(said.ask(thing, f"mqtt:{self._config.name}"))
            except Refused as refusal:
                why = {"state": "refused", "why": str(refusal), "sent": False}
                await said.answer(client, topic, {"thing": thing, "command": said.command, **why})
                return
            await self._desk.ended(entry, SOON_S)
            if not entry.ended:
                await said.answer(client, topic, entry.shown())
                await self._desk.ended(entry, MOST_WAIT_S)
            await said.answer(client, topic, entry.shown())
        except aiomqtt.MqttError as error:
            log.warning("%s: an answer could not be sent: %s; it is in the ledger", self.name, error)

    def _old(self, topic: str) -> None:
        if topic not in self._retained and len(self._retained) < QUEUE:
            self._retained.add(topic)
            log.warning("%s: a retained command on %r is not obeyed; publish it without retain", self.name, topic[:200])

    def _say(self, trouble: str) -> None:
        """Once for each time that it goes, and when it is there."""
        if trouble == self.trouble:
            return
        self.trouble = trouble
        if trouble:
            log.warning("%s: down: %s", self.name, trouble)
        else:
            log.info("%s: up, on %s/cmd/<thing>", self.name, self.prefix)


class _Said:
    """One request as far as it can be read; `wrong` is why it cannot."""

    def __init__(self, message: aiomqtt.Message) -> None:
        self.wrong = ""
        self._payload = _Payload("")
        properties = message.properties
        response = getattr(properties, "ResponseTopic", "")
        self._correlation: bytes = getattr(properties, "CorrelationData", b"")
        self._modern = properties is not None
        usable = 0 < len(response.encode()) <= MOST_TOPIC and "+" not in response and "#" not in response
        self.response = response if usable and not response.startswith("$") else ""
        data = message.payload if isinstance(message.payload, bytes) else b""
        try:
            if len(data) > MOST_BYTES:
                raise msgspec.DecodeError(f"a payload of {len(data)} bytes, expected at most {MOST_BYTES}")
            self._payload = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            self.wrong = f'{wrong}; expected JSON such as {{"command": "sleep", "arguments": {{}}}}'

    @property
    def command(self) -> str:
        return self._payload.command

    def ask(self, thing: str, via: str) -> Ask:
        """What is asked for. Raises Refused where that cannot be read."""
        payload = self._payload
        key = payload.key
        if self.wrong:
            raise Refused(Why.ARGUMENTS, self.wrong)
        if key is not None and not (1 <= len(key) <= 200 and key.isprintable()):
            raise Refused(Why.ARGUMENTS, "key: expected a text of 1 to 200 characters")
        by = " ".join(payload.by.split())[:100] or "somebody"
        return Ask(thing, payload.command, payload.arguments, key, by, via, payload.source)

    async def answer(self, client: aiomqtt.Client, topic: str, words: dict[str, object]) -> None:
        """Publish an answer, with the correlation that the request had."""
        if self._payload.correlation:
            words = {**words, "correlation": self._payload.correlation}
        properties = None
        if self._modern and self._correlation:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = self._correlation
        await client.publish(topic, msgspec.json.encode(words), 1, properties=properties, timeout=ANSWER_S)
