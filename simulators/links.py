"""The only place where the simulators touch the world: pty, TCP and MQTT.

A pty is a real terminal to whoever opens it, so a gateway reads it like any serial port. Linux
and macOS have them, Windows has not (`NoPty` says so). What a link promises is that it knows
what went out:

- A frame counts as written when its last byte is in the kernel. What the kernel does not take
  now (its buffer holds about 4 KiB) is kept and goes out first next time; until then no further
  frame is taken, so a reader that is away never blocks anybody.
- Nothing is sent while nobody listens. On a pty, opening is seen by the hang-up state going
  away, and the reader's discarding of old input when it has set the port up by packet mode
  (TIOCPKT, `man tty_ioctl`); a reader that discards nothing counts as listening after 0.5 s.
- `unread` says how much the reader has not fetched yet, so that the port is not closed on it.
- An MQTT message counts as taken when the broker has acknowledged it (QoS 1); at most 8 wait for
  that at once on one connection (aiomqtt looks through all of them at each).

Unknown: the state of a frame whose link broke while it was being sent. MQTT sends it again on
the next connection (the broker may then have it twice), a pty gives its number to the next one.
"""

import asyncio
import contextlib
import logging
import os
import select
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import aiomqtt

log = logging.getLogger(__name__)

SETTLE_S = 0.5
MOST_COMMAND = 4096
PUBACK_S = 60.0
MOST_IN_FLIGHT = 8

if sys.platform != "win32":
    import fcntl
    import termios
    import tty

    FLUSHED = termios.TIOCPKT_FLUSHREAD


class NoPty(OSError):
    """This system has no pseudo terminals."""

    def __init__(self) -> None:
        super().__init__('simulated serial ports need a pty, which Windows has not; use link = "tcp" there')


class PtyLink:
    """One serial port, the device's side. `by_id` is a symlink that follows it through replugs.

    `on_bytes` gets what the reader wrote and gives what to answer.
    """

    def __init__(self, on_bytes: Callable[[bytes], bytes], by_id: Path | None = None) -> None:
        self._on_bytes = on_bytes
        self._by_id = by_id
        self._master: int | None = None
        self._slave = ""
        self._kept = b""
        self._opened_at: float | None = None
        self._settled = False
        self._reading = False

    @property
    def port(self) -> str:
        """What the reader opens; stays the same over a replug where there is a `by_id`."""
        return str(self._by_id) if self._by_id else self._slave

    @property
    def device(self) -> str:
        """The terminal behind it, another one after each replug."""
        return self._slave

    def plug(self) -> None:
        """Make the port; a symlink by the same name is replaced in one step."""
        if sys.platform == "win32":
            raise NoPty
        master, slave = os.openpty()
        self._slave = os.ttyname(slave)
        tty.setraw(slave, termios.TCSANOW)
        os.set_blocking(master, False)
        fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 1))
        os.close(slave)
        self._master = master
        if self._by_id:
            fresh = self._by_id.with_name(self._by_id.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self._slave)
            fresh.replace(self._by_id)

    def unplug(self, half: bytes = b"") -> None:
        """The cable is pulled, after `half` a frame got out."""
        if self._master is None:
            return
        with contextlib.suppress(OSError):
            os.write(self._master, self._kept + half)
        self._deafen()
        if self._by_id:
            self._by_id.unlink(missing_ok=True)
        os.close(self._master)
        self._master, self._kept = None, b""

    close = unplug

    def listening(self) -> bool:
        """Whether somebody has the port open and is done setting it up."""
        if self._master is None or self._hung_up():
            self._readable()  # what the last reader left behind is not the next one's
            self._deafen()
            return False
        loop = asyncio.get_running_loop()
        if self._opened_at is None:
            self._opened_at = loop.time()
            tty.setraw(self._master, termios.TCSANOW)  # a flush would look like the reader's
        if not self._reading:
            self._reading = True
            loop.add_reader(self._master, self._readable)
        self._readable()
        if not self._settled and self._opened_at is not None:
            self._settled = loop.time() - self._opened_at >= SETTLE_S
        return self._settled

    def write(self, data: bytes) -> bool:
        """Send `data` as a whole, now or bit by bit; False when it cannot even be kept."""
        if self._master is None or not self.flush():
            return False
        self._kept = data
        self.flush()
        return True

    def flush(self) -> bool:
        """Whether everything given to `write` is in the kernel, after another try."""
        if self._kept and self._master is not None:
            with contextlib.suppress(BlockingIOError):
                self._kept = self._kept[os.write(self._master, self._kept) :]
        return not self._kept

    def unread(self) -> int:
        """Bytes that the reader has not fetched yet, or 0 where nobody has the port open."""
        if self._master is None or self._hung_up():
            return 0
        slave = os.open(self._slave, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return len(self._kept) + int(struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, b"\0\0\0\0"))[0])
        finally:
            os.close(slave)

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._master or 0, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def _readable(self) -> None:
        """Take what the reader wrote, and packet mode's news about it."""
        while self._master is not None:
            try:
                packet = os.read(self._master, MOST_COMMAND)
            except BlockingIOError:
                return
            except OSError:
                self._deafen()
                return
            if packet[:1] == b"\0":
                answer = self._on_bytes(packet[1:])
                if answer:
                    self.write(answer)
            elif packet and packet[0] & FLUSHED:
                self._settled = True
            elif not packet:
                self._deafen()
                return

    def _deafen(self) -> None:
        if self._reading and self._master is not None:
            asyncio.get_running_loop().remove_reader(self._master)
        self._reading, self._settled, self._opened_at, self._kept = False, False, None, b""


class TcpLink:
    """A serial server: the device's bytes to one TCP client at a time (`socket://host:port`)."""

    def __init__(self, on_bytes: Callable[[bytes], bytes], host: str = "127.0.0.1", port: int = 0) -> None:
        self._on_bytes = on_bytes
        self._host, self._asked_port = host, port
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def port(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"socket://[{host}]:{port}" if ":" in host else f"socket://{host}:{port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, self._asked_port)

    def listening(self) -> bool:
        return self._writer is not None and not self._writer.is_closing()

    def write(self, data: bytes) -> bool:
        """False when nobody listens or the client is more than 64 KiB behind."""
        if self._writer is None or self._writer.is_closing():
            return False
        if self._writer.transport.get_write_buffer_size() > 1 << 16:
            return False
        self._writer.write(data)
        return True

    def flush(self) -> bool:
        return True

    def unread(self) -> int:
        """Bytes that have not left this side yet."""
        return self._writer.transport.get_write_buffer_size() if self._writer is not None else 0

    def unplug(self, half: bytes = b"") -> None:
        """Drop the client, after `half` a frame got out; it may come again at once."""
        if self._writer is not None:
            self._writer.write(half)
            self._writer.close()
            self._writer = None

    def plug(self) -> None:
        """The server has been listening all along."""

    def close(self) -> None:
        self.unplug()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.listening():
            writer.close()
            return
        self._writer = writer
        try:
            while data := await reader.read(MOST_COMMAND):
                answer = self._on_bytes(data)
                if answer:
                    writer.write(answer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None


class MqttLink:
    """One client of a broker; comes back by itself until `run` is cancelled.

    `presence` gives the retained message (topic, payload) for ONLINE, said on every connection,
    OFFLINE before an orderly end, and CONNECTION_BROKEN, left with the broker as the last will.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        presence: Callable[[str], tuple[str, bytes]] | None = None,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        self._address = (host, port)
        self._client_id = client_id
        self._presence = presence
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
            will = aiomqtt.Will(*self._presence("CONNECTION_BROKEN"), 1, True) if self._presence else None
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
        """Send at QoS 1 and wait for the broker's word, over as many connections as it takes.

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
        """Say goodbye and end; for use when every `publish` has returned."""
        self._done.set()

    async def _hold(self, client: aiomqtt.Client) -> None:
        if self._presence:
            await client.publish(*self._presence("ONLINE"), qos=1, retain=True)
        self._client, self.trouble = client, ""
        self._lost.clear()
        self._up.set()
        listening = asyncio.create_task(_until_lost(client), name=f"broker[{self._client_id}]")
        ending = asyncio.create_task(_either(self._done, self._lost), name=f"end[{self._client_id}]")
        try:
            await asyncio.wait((listening, ending), return_when=asyncio.FIRST_COMPLETED)
            self._up.clear()
            self._client = None
            if listening.done():
                listening.result()
            elif self._presence and self._done.is_set():
                await client.publish(*self._presence("OFFLINE"), qos=1, retain=True)
        finally:
            listening.cancel()
            ending.cancel()
            for sending in self._sending:
                sending.cancel()

    def _say(self, error: aiomqtt.MqttError) -> None:
        """Once for each time that it goes."""
        host, port = self._address
        if not self.trouble:
            log.warning("%s: broker %s:%s: %s; trying again every second", self._client_id, host, port, error)
        self.trouble = f"broker {host}:{port}: {error}"

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), seconds)


async def _until_lost(client: aiomqtt.Client) -> None:
    """Raises MqttError when the connection goes; what the broker sends meanwhile is ignored."""
    async for _ in client.messages:
        pass


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
