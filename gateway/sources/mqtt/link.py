"""What the two MQTT sources share: one connection as the reconnect loop sees it, and words.

A `Link` is one connection to a broker from its CONNACK to its end; the codec behind it is
`session.py` (MQTT 5) or `session311.py` (3.1.1 through aiomqtt). The words are for the
person reading a log or a status page: what happened, and what to do about it.

Source: MQTT 5.0 (OASIS, 2019), section 2.4 reason codes; MQTT 3.1.1, table 3.1.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.network import Far, TlsFileUnusable, about_tls, in_words, tls_context
from gateway.sources.mqtt.copies import Copies

log = logging.getLogger("parkgate.mqtt")

ANSWER_S = 10.0
"""How long a broker may take for TCP, TLS and CONNACK together, and for a SUBACK."""

GOODBYE_S = 2.0
"""How long the orderly end of a connection may take before it is cut."""


class ConnectionEnded(Exception):
    """A connection is over, or did not come about; the message says why, for people.

    `at_fault` marks an end that connecting again will probably repeat (refused, malformed,
    taken over): the backoff is not reset. `least_wait_s` is waited at least.
    """

    def __init__(self, why: str, *, at_fault: bool = False, least_wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.at_fault = at_fault
        self.least_wait_s = least_wait_s


class TlsEnded(ConnectionEnded):
    """The end of a connection whose reason is known to lie in TLS."""


class Wanted(NamedTuple):
    """One subscription to ask for. `fetch`: what the broker keeps is to come though it has come before.

    `number` is the subscription's identifier where copies are to be told apart (`copies`), else 0.
    """

    filter: str
    qos: int
    fetch: bool = False
    number: int = 0


class Link(Protocol):
    """One living connection."""

    session_present: bool
    copies: Copies

    @property
    def last_message(self) -> float | None:
        """When the last message came, by the clock's monotonic(); None before the first."""
        ...

    async def serve(self) -> None:
        """Keep the connection alive until it ends; then raise ConnectionEnded."""
        ...

    async def subscribe(self, wanted: Sequence[Wanted]) -> list[int]:
        """Subscribe and wait for the answer: a reason code each (0 to 2: the QoS granted)."""
        ...

    async def unsubscribe(self, filters: Sequence[str]) -> list[int]:
        """Give subscriptions back and wait for the answer: a reason code each (below 0x80: given back)."""
        ...

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        """Publish at QoS 0 or 1, without waiting for an answer."""
        ...

    def stop_reading(self) -> None:
        """Hand over nothing more, for good. Acknowledgements can still be sent."""
        ...

    def end(self, end: ConnectionEnded) -> None:
        """End the connection from this side, for this reason."""
        ...

    async def close(self) -> None:
        """Have the will published, send DISCONNECT after what is still to be sent, and close."""
        ...


class Address(NamedTuple):
    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address(url: str) -> Address:
    """The address in mqtt://host[:1883] or mqtts://host[:8883]."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError(f"broker address {url!r}: expected mqtt://host:port or mqtts://host:port")
    tls = parts.scheme == "mqtts"
    return Address(parts.hostname, parts.port or (8883 if tls else 1883), tls)


def tls_of(config: MqttConfig) -> ssl.SSLContext | None:
    """The TLS of one connection, read anew each time; None where there is none. Raises ConnectionEnded."""
    try:
        return None if config.tls is None else tls_context(config.tls)
    except TlsFileUnusable as fault:
        raise TlsEnded(str(fault), at_fault=True) from fault


def unreachable(config: MqttConfig, error: OSError) -> ConnectionEnded:
    """An OSError of connecting, in words."""
    why = f"{address(config.url)}: {in_words(error, _broker(config))}"
    return TlsEnded(why, at_fault=True) if isinstance(error, ssl.SSLError) else ConnectionEnded(why)


def broken(config: MqttConfig, error: BaseException, *, answered: bool) -> ConnectionEnded:
    """The end of a connection by an error. `answered`: after the broker's first answer."""
    if isinstance(error, ssl.SSLError):
        return unreachable(config, error)
    words = in_words(error, _broker(config), answered=answered).removeprefix("the connection broke").lstrip()
    return ConnectionEnded(f"the connection broke: {words}" if words else "the connection broke")


def closed_words(config: MqttConfig) -> str:
    """The end of a connection that the broker gives no reason for."""
    # mosquitto 2.0.11 says nothing to a client whose id another one has taken
    return (
        "the broker closed the connection without a word; if this repeats, "
        f"see whether another client uses client_id {config.client_id!r}"
    )


def refused_by_tls(config: MqttConfig, words: str) -> ConnectionEnded | None:
    """The end of a connection by a TLS alert that a library tells only in a log line; None where it tells none."""
    if config.tls is None or "[SSL: " not in words:
        return None
    return TlsEnded(f"{address(config.url)}: {about_tls('', words, _broker(config))}", at_fault=True)


def unanswered(config: MqttConfig, why: str) -> ConnectionEnded:
    """The end of a connection that the broker did not answer CONNECT on, `why` being what is known of it."""
    if config.tls is None:
        hint = "if the port is for TLS: mqtts://"
    elif config.cert_file is None:
        hint = "if the broker wants a client certificate: cert_file and key_file"
    else:
        hint = "see whether the broker accepts the certificate in cert_file"
    hints = ['if the broker speaks no MQTT 5: protocol = "3.1.1"'] if config.protocol == "5" else []
    hints += [] if "certificate" in why or "port for TLS" in why else [hint]
    return ConnectionEnded("; ".join([f"CONNECT was not answered: {why}", *hints]), at_fault=True)


def _broker(config: MqttConfig) -> Far:
    return Far("the broker", address(config.url).host, "the url", "mqtt://", "mqtts://", config.tls)


def connack_words(code: int, config: MqttConfig, detail: str | None) -> str:
    """Why the broker refused the connection, and what to look at. `code` as in MQTT 5."""
    user = f"user {config.username!r}" if config.username else "no user name given"
    words = {
        0x84: 'the broker does not speak this version of MQTT; try protocol = "3.1.1"',
        0x85: f"client_id {config.client_id!r} is not allowed there",
        0x86: f"wrong user name or password ({user})",
        0x87: f"not authorized ({user}, client_id {config.client_id!r})",
        0x88: "the broker says that it is unavailable",
        0x89: "the broker says that it is busy",
        0x8A: f"client_id {config.client_id!r} is banned there",
        0x90: "the will's topic is not allowed there",
        0x97: "a quota of the broker is used up",
        0x9A: "the broker does not keep retained messages; set retain = false in the will",
        0x9B: "the broker does not offer the will's QoS",
        0x9C: "the broker says to use another server",
        0x9D: "the broker has moved to another address",
        0x9F: "the broker limits how often clients may connect",
    }.get(code, f"reason code 0x{code:02x}")
    return f"refused: {words}" + (f" ({detail})" if detail else "")


def disconnect_words(code: int, config: MqttConfig, detail: str | None) -> str:
    """Why the broker ended the connection. `code` as in MQTT 5."""
    words = {
        0x00: "the broker closed the connection",
        0x81: "the broker calls a packet of ours malformed",
        0x82: "the broker calls a packet of ours a protocol error",
        0x87: "the broker withdrew the authorization",
        0x89: "the broker says that it is busy",
        0x8B: "the broker is shutting down",
        0x8D: "the broker heard nothing from us within the keep alive time",
        0x8E: f"another client uses client_id {config.client_id!r}; each gateway needs its own",
        0x93: "the broker says that its receive maximum was exceeded",
        0x97: "a quota of the broker is used up",
        0x98: "an administrator of the broker ended the connection",
    }.get(code, f"the broker ended the connection, reason code 0x{code:02x}")
    return words + (f" ({detail})" if detail else "")


def suback_words(code: int) -> str:
    """Why a subscription was refused. `code` as in MQTT 5; 3.1.1 has only 0x80."""
    return {
        0x80: "refused without a reason",
        0x83: "refused by a rule of the broker",
        0x87: "not authorized",
        0x8F: "not a valid topic filter there",
        0x97: "quota used up",
        0x9E: "shared subscriptions are not offered",
        0xA2: "wildcards are not offered",
    }.get(code, f"reason code 0x{code:02x}")


async def first_of(clock: Clock, seconds: float | None, *futures: "asyncio.Future[Any]") -> None:
    """Wait until one of the futures is done, at most `seconds` of `clock`. They are left as they are."""
    if seconds is None:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        return
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({timer, *futures}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()


async def first_event(clock: Clock, event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, at most `seconds`."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await first_of(clock, seconds, waiting)
    finally:
        waiting.cancel()
