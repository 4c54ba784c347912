"""An MQTT broker inside the demo's own process, on loopback and a free port.

amqtt speaks MQTT 3.1.1 only, so the demo's gateway connects by `protocol = "3.1.1"`. The socket
is ours and handed to amqtt as an external listener, because amqtt does not say which port it
was given.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

LISTENER = "default"
CLOSE_S = 3.0


@asynccontextmanager
async def embedded_broker() -> AsyncIterator[int]:
    """A running broker; the value is its port on 127.0.0.1."""
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    config = BrokerConfig(
        listeners={LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )
    broker = Broker(config)
    await broker.start()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await broker.stream_connected(reader, writer, LISTENER)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        async with asyncio.timeout(CLOSE_S):
            await broker.shutdown()
