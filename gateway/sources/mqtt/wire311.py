"""The messages of one MQTT 3.1.1 connection: paho's in, acknowledgements out, and when to read.

aiomqtt's message queue is unbounded and its messages carry no duplicate flag, so paho's own
`on_message` is set, and its `manual_ack_set` and `ack` hold acknowledgements back until the commit.

`pause` stops reading the socket; paho then misses PINGRESP and connects again after the keep
alive time. What comes after `stop_reading` or the end is read and dropped: closing with unread data
would reset the connection, and the broker might never see the last acknowledgements.

Source: paho-mqtt 2.1 client.py.
"""

import asyncio
import ssl
from typing import Any

import paho.mqtt.client as paho

from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import MessageIntake
from gateway.sources.mqtt.link import ConnectionEnded
from gateway.sources.mqtt.receive import HEAD_BYTES
from gateway.stats import SourceStats


class Wire311:
    """What passes over `client`; an `Acknowledger`."""

    def __init__(
        self, client: paho.Client, config: MqttConfig, intake: MessageIntake, clock: Clock, stats: SourceStats
    ) -> None:
        self.ended: asyncio.Future[ConnectionEnded] = asyncio.get_running_loop().create_future()
        self.last_message: float | None = None
        self._paho = client
        self._max_payload = config.max_payload
        self._intake = intake
        self._clock = clock
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._chunk_open = False
        self._paused = False
        self._stopped = False
        client.manual_ack_set(True)
        client.on_message = self._on_message

    def acknowledge(self, packet_ids: list[int]) -> None:
        for packet_id in packet_ids:
            self._paho.ack(packet_id, 1)

    def pause(self) -> None:
        self._paused = True
        self._flow()

    def resume(self) -> None:
        self._paused = False
        self._flow()

    def stop_reading(self) -> None:
        self._stopped = True
        self._flow()

    def end(self, end: ConnectionEnded) -> None:
        """End the connection for this reason, unless it has ended; what still comes is dropped."""
        if not self.ended.done():
            self.ended.set_result(end)

    def drain(self) -> None:
        """Read on, whatever was paused, now that the connection has ended."""
        self._flow()

    def _flow(self) -> None:
        socket = self._paho.socket()
        if socket is None:
            return
        self._loop.remove_reader(socket)
        if self.ended.done() or not (self._paused or self._stopped):
            self._loop.add_reader(socket, self._read)

    def _read(self) -> None:
        """What aiomqtt's own reader does, for the time after a pause."""
        self._paho.loop_read()
        socket = self._paho.socket()
        while socket is not None and isinstance(socket, ssl.SSLSocket) and socket.pending():
            self._paho.loop_read()
            socket = self._paho.socket()

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:  # noqa: ARG002
        if self._stopped or self.ended.done():
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._stats.malformed += 1
            self.end(ConnectionEnded("malformed data from the broker: a topic name not in UTF-8", at_fault=True))
            return
        payload = bytes(message.payload)
        self._stats.bytes_in += len(payload) + len(topic)
        packet_id = message.mid if message.qos else None
        if len(payload) > self._max_payload:
            self._intake.oversize(self, topic, payload[:HEAD_BYTES], len(payload), packet_id, message.dup)
        else:
            self._intake.message(self, topic, payload, packet_id, message.dup, message.retain)
        self.last_message = self._clock.monotonic()
        if not self._chunk_open:
            self._chunk_open = True
            self._loop.call_soon(self._chunk_end)

    def _chunk_end(self) -> None:
        self._chunk_open = False
        self._intake.chunk_end(self)
