"""A simulated thing's connection to a broker.

A message counts as taken when the broker has acknowledged it (QoS 1); at most MOST_IN_FLIGHT wait for
that at once on one connection (aiomqtt looks through all of them at each). One whose connection
broke meanwhile is sent again on the next: the broker may then have it twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

import aiomqtt

log = logging.getLogger(__name__)

PUBACK_S = 60.0
MOST_IN_FLIGHT = 8


class MqttLink:
    """One client of a broker; comes back by itself until `run` is cancelled.

    `presence` gives the message (topic, payload, whether it is retained) for CONNECTION_BROKEN, left with the broker
    as the last will of each connection, ONLINE, said first on it, and OFFLINE before an orderly end.
    `births` gives further messages, said on every connection before all others. `listens` are topic
    filters of what it can be told, on every connection, and `heard(topic, payload)` what it says to it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        presence: Callable[[str], tuple[str, bytes, bool]] | None = None,
        births: Callable[[], Iterable[tuple[str, bytes, bool]]] = tuple,
        listens: Callable[[], Iterable[str]] = tuple,
        heard: Callable[[str, bytes], Iterable[tuple[str, bytes, bool]]] = lambda _topic, _payload: (),
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        self._address = (host, port)
        self._client_id = client_id
        self._presence = presence
        self._births = births
        self._listens = listens
        self._heard = heard
        self._login = (username, password)
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self._done = asyncio.Event()
        self._lost = asyncio.Event()
        self._slots = asyncio.Semaphore(MOST_IN_FLIGHT)
        self._sending: set[asyncio.Future[None]] = set()
        self.trouble = ""

    async def run(self) -> None:
        """Hold the connection until `finish`; never gives up on a broker that is away."""
        host, port = self._address
        while not self._done.is_set():
            topic, payload, retain = self._presence("CONNECTION_BROKEN") if self._presence else ("", b"", False)
            will = aiomqtt.Will(topic, payload, 1, retain) if self._presence else None
            try:
                async with aiomqtt.Client(
                    host, port, identifier=self._client_id, will=will, username=self._login[0],
                    password=self._login[1], keepalive=30, max_inflight_messages=1000, timeout=10.0,
                ) as client:  # fmt: skip
                    await self._hold(client)
            except aiomqtt.MqttError as error:
                self._say(error)
                self._up.clear()
                await self._rest(1.0)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send at QoS 1 and wait for the broker's acknowledgement, over as many connections as that takes.

        False when the link was finished before the broker had taken it.
        """
        while True:
            await _either(self._up, self._done)
            client = self._client
            if client is None or not self._up.is_set():
                return False
            async with self._slots:
                sending = asyncio.ensure_future(client.publish(topic, payload, 1, retain, timeout=PUBACK_S))
                self._sending.add(sending)
                try:
                    await asyncio.wait((sending,))
                finally:
                    self._sending.discard(sending)
                    sending.cancel()
            error = None if sending.cancelled() else sending.exception()
            if error is None and not sending.cancelled():
                return True
            if error is not None and not isinstance(error, aiomqtt.MqttError):
                raise error
            if self._client is client:
                self._up.clear()
                self._lost.set()

    @property
    def up(self) -> bool:
        """Whether the broker is there."""
        return self._up.is_set()

    def finish(self) -> None:
        """Say OFFLINE and end; for use when every `publish` has returned."""
        self._done.set()

    async def _hold(self, client: aiomqtt.Client) -> None:
        for filter_ in self._listens():
            await client.subscribe(filter_, 1)
        for topic, payload, retain in [self._presence("ONLINE")] if self._presence else []:
            await client.publish(topic, payload, qos=1, retain=retain)
        for topic, payload, retain in self._births():
            await client.publish(topic, payload, qos=1, retain=retain)
        self._client, self.trouble = client, ""
        self._lost.clear()
        self._up.set()
        listening = asyncio.create_task(self._until_lost(client), name=f"broker[{self._client_id}]")
        ending = asyncio.create_task(_either(self._done, self._lost), name=f"end[{self._client_id}]")
        try:
            await asyncio.wait((listening, ending), return_when=asyncio.FIRST_COMPLETED)
            self._up.clear()
            self._client = None
            if listening.done():
                listening.result()
            elif self._presence and self._done.is_set():
                topic, payload, retain = self._presence("OFFLINE")
                await client.publish(topic, payload, qos=1, retain=retain)
        finally:
            listening.cancel()
            ending.cancel()
            for sending in self._sending:
                sending.cancel()

    async def _until_lost(self, client: aiomqtt.Client) -> None:
        """Obey what the broker brings. Raises MqttError when the connection goes."""
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            for topic, answer, retain in self._heard(message.topic.value, payload):
                await client.publish(topic, answer, 1, retain, timeout=PUBACK_S)

    def _say(self, error: aiomqtt.MqttError) -> None:
        """Once for each time that it goes."""
        host, port = self._address
        if not self.trouble:
            log.warning("%s: broker %s:%s: %s; trying again every second", self._client_id, host, port, error)
        self.trouble = f"broker {host}:{port}: {error}"

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), seconds)


async def _either(*events: asyncio.Event) -> None:
    """Return when one of the events is set."""
    if any(event.is_set() for event in events):
        return
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
