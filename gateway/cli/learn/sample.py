"""What is learned from: what a port says, what a broker brings, what a file holds.

Limits: MOST_LINES lines of a port or a file, MOST_MESSAGES messages of a broker.
"""

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.cli.decode import Port, at_the_right_speed, run_on_port
from gateway.cli.loop import on_signals, run_async
from gateway.cli.usage import UsageError
from gateway.learn import MOST_SAMPLE, look, printable
from textfile import as_utf8, begins_with

if TYPE_CHECKING:
    from devices.spec.device import Device
    from gateway.learn import Look

MOST_LINES = 50
ENOUGH_LINES = 10
MOST_MESSAGES = 200
LONGEST_PAYLOAD = 1 << 20
Data = bytes


@dataclass(slots=True)
class Message:
    topic: str
    payload: bytes
    retained: bool = False


@dataclass(slots=True)
class Sample:
    """`look` at the bytes of a port or a file, or `messages` of a broker. `baud` is the speed that was found; `opened`
    whether the port could be."""

    look: "Look | None" = None
    baud: int | None = None
    opened: bool = True
    messages: list[Message] = field(default_factory=list)


class Gathered:
    """What a port brings, until ENOUGH_LINES are alike or there are enough bytes: a `BytesIntake`."""

    def __init__(self, devices: "Mapping[str, Device]") -> None:
        self.over = asyncio.Event()
        self.looked = asyncio.Event()
        self.look: Look | None = None
        self.baud: int | None = None
        self.opened = False
        self._devices = devices
        self._sample = b""
        self._found = False

    def bytes(self, data: bytes) -> int:
        self._sample = (self._sample + data)[-MOST_SAMPLE:]
        self.look = look(self._sample, self._devices.values())
        self.looked.set()
        enough = any(each.count >= ENOUGH_LINES for each in self.look.guesses if each.shape != "text")
        if self._found and (enough or self.look.size >= MOST_SAMPLE):  # what a board says while it starts is not enough
            self.over.set()
        return 1

    def closed(self) -> None:
        """What has come is kept."""

    def forget(self) -> None:
        self._sample, self.look = b"", None
        self.looked.clear()

    def start(self) -> None:
        self._found = True


def of_port(port: Port, devices: "Mapping[str, Device]") -> Sample:
    """What `port` says for `port.for_s` seconds, or until it is enough. UsageError where nothing comes."""
    found = Sample()

    async def gather() -> None:
        eye = Gathered(devices)
        on_signals(eye.over.set)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(port.for_s):
                await at_the_right_speed(port, eye, None)
        found.look, found.baud, found.opened = eye.look, eye.baud, eye.opened

    run_on_port(gather(), port, logging.WARNING)
    if not found.opened:
        raise UsageError(
            f"{port.name}: it could not be opened in {port.for_s:g} s; `parkgate serial ports` lists ports"
        )
    if found.look is None:
        raise UsageError(f"{port.name}: nothing came in {port.for_s:g} s: is it the right port, and powered?")
    return found


def of_file(name: str, devices: "Mapping[str, Device]") -> Sample:
    """What a file holds: lines as a board printed them, raw bytes, or a recording."""
    from gateway.config import RECORDING
    from gateway.sources.replay import ReplayError, recorded

    path = Path(name)
    try:
        data = path.read_bytes()[: 1 << 20]
        if begins_with(data[:256], RECORDING):
            data = b"".join(piece for _, piece in recorded(path))
    except ReplayError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}") from error
    if not data:
        raise UsageError(f"{name}: it is empty; expected lines as the board prints them")
    data = b"".join(as_utf8([data])).removeprefix(b"\xef\xbb\xbf")
    # a file begins with a whole line, so nothing of it is cut off as of a port; but its end does where it is long
    begin = b"\n" if len(data) <= MOST_SAMPLE - 2 else b""
    data = data[-MOST_SAMPLE + 2 :]
    seen = look(begin + data + b"\n", devices.values())
    return Sample(look=replace(seen, size=len(data), printable=printable(data)))


def of_broker(url: str, topic: str, username: str | None, for_s: float) -> Sample:
    """What a broker brings on a topic filter in `for_s` seconds. UsageError where it cannot be had."""
    if not re.fullmatch(r"mqtts?://[^/\s]+/?", url):
        raise UsageError(f"--mqtt {url}: expected mqtt://host:port or mqtts://host:port")
    return run_async(_messages(url, topic, username, for_s))


async def _messages(url: str, topic: str, username: str | None, for_s: float) -> Sample:
    import aiomqtt

    parts = urlsplit(url)
    tls = parts.scheme == "mqtts"
    found = Sample()
    over = asyncio.Event()
    on_signals(over.set)

    async def gather() -> None:
        client = aiomqtt.Client(
            parts.hostname or "",
            parts.port or (8883 if tls else 1883),
            username=username or parts.username,
            password=os.environ.get("MQTT_PASSWORD") or parts.password,
            tls_params=aiomqtt.TLSParameters() if tls else None,
            timeout=10.0,
        )
        async with client:
            await client.subscribe(topic, qos=0)
            async for message in client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                found.messages.append(Message(str(message.topic), payload[:LONGEST_PAYLOAD], message.retain))
                if len(found.messages) >= MOST_MESSAGES:
                    return

    gathering = asyncio.ensure_future(gather())
    waiting = asyncio.ensure_future(over.wait())
    try:
        await asyncio.wait((gathering, waiting), timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        if gathering.done():
            gathering.result()
    except (aiomqtt.MqttError, OSError) as error:
        raise UsageError(_why(url, error)) from error
    finally:
        waiting.cancel()
        gathering.cancel()
        await asyncio.gather(gathering, return_exceptions=True)
    if not found.messages:
        raise UsageError(f"nothing came on {topic!r} in {for_s:g} s: does it publish, and is the filter right?")
    return found


def _why(url: str, error: Exception) -> str:
    """Why there is no connection, or why it ended."""
    from gateway.network import Far, TlsFiles, in_words

    parts = urlsplit(url)
    tls = TlsFiles(None, None, None) if parts.scheme == "mqtts" else None
    broker = f"broker {parts.hostname}:{parts.port or (8883 if tls else 1883)}"
    below = error if isinstance(error, OSError) else error.__context__  # aiomqtt keeps its text only
    if isinstance(below, OSError):
        far = Far("the broker", parts.hostname or "", "--mqtt", "mqtt://", "mqtts://", tls)
        return f"{broker}: {in_words(below, far)}"
    return f"{broker}: {error}; if it wants a user: --username, and the password in MQTT_PASSWORD"
