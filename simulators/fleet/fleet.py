"""Many simulated things at once: on ptys, on TCP and on a broker.

    fleet = Fleet(park(7, seed=1), broker=("127.0.0.1", 1883))
    await fleet.open()          # serial ports exist from here on: fleet.ports["lamp-01"]
    await fleet.run(20.0)       # or until stop(); ends with every counted reading really out
    fleet.ledger                # what was sent
    await fleet.close()         # the ports go away

Serial things speak only while somebody listens; nothing else would be sent as far as an audit
is concerned. A thing on MQTT waits for the broker's acknowledgement of each message before the
next. Each thing is one task; all live in one TaskGroup.

Limits: a serial thing looks at its port every 50 to 250 ms, one that speaks more often than that
when it has something to say: 60 Hz go out frame by frame, as far as the machine is not busy. A
stop waits 5 s for the broker and 2 s for readers of ptys, then ends all the same. Robots
(`vda5050`) have a connection each, for their last will; all other things share one.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devices.spec.device import Device
from simulators.faults import Armour, Injector
from simulators.fleet.file import FleetConfig, FleetError, load
from simulators.ledger import Entry, Ledger
from simulators.links import MqttLink, PtyLink, TcpLink
from simulators.peer import Frame, Instrument
from simulators.things import ThingSpec, park, peer, zoned

__all__ = ["Fleet", "FleetConfig", "FleetError", "Ledger", "ThingSpec", "load", "park", "run", "zoned"]

LOOK_S, MOST_LOOK_S = 0.05, 0.25
BROKER_GRACE_S = 5.0
READER_GRACE_S = 2.0
UNPLUGGED_S = 0.5


class Fleet:
    """`specs` on their links. `port_dir` gets the symlinks of the ptys (default: a temporary one); `listen` is
    the address that TCP ports are opened on."""

    def __init__(
        self,
        specs: Sequence[ThingSpec],
        *,
        broker: tuple[str, int] | None,
        port_dir: Path | None = None,
        login: tuple[str, str] | None = None,
        listen: str = "127.0.0.1",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.specs = tuple(specs)
        self.ports: dict[str, str] = {}
        self.ledger = Ledger()
        self._broker = broker
        self._login = login
        self._listen = listen
        self._port_dir = port_dir
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._now = now
        self._stop = asyncio.Event()
        self._peers: dict[str, Instrument] = {}
        self._wires: dict[str, PtyLink | TcpLink] = {}
        self._brokers: dict[str, MqttLink] = {}
        for spec in self.specs:
            if spec.via == "mqtt" and broker is None:
                raise FleetError(f"thing {spec.name}: {spec.device} speaks MQTT and the fleet has no broker")
            injector = Injector(spec.faults, Armour.of(spec.type), spec.name) if spec.faults.any else None
            self.ledger.things[spec.name] = Entry(spec.name, spec.device, spec.type.sequence.modulus, injector=injector)
            self._peers[spec.name] = peer(spec)

    async def open(self) -> None:
        """Make the serial ports. FleetError where that cannot be done here."""
        for spec in self.specs:
            if spec.via == "mqtt":
                continue
            receive = self._peers[spec.name].receive
            try:
                wire = await self._plug(spec, receive)
            except OSError as error:
                await self.close()
                raise FleetError(f"thing {spec.name}: cannot make its port: {error}") from error
            self._wires[spec.name] = wire
            self.ports[spec.name] = wire.port

    async def run(self, for_s: float | None = None) -> None:
        """Let all things speak for `for_s` seconds, or until `stop`. Being cancelled stops cleanly too."""
        if self.specs and not self._wires and any(spec.via != "mqtt" for spec in self.specs):
            await self.open()
        timer = asyncio.get_running_loop().call_later(for_s, self.stop) if for_s is not None else None
        body = asyncio.create_task(self._run(), name="fleet")
        try:
            await asyncio.shield(body)
        except asyncio.CancelledError:
            self.stop()
            await asyncio.wait((body,), timeout=BROKER_GRACE_S + READER_GRACE_S + 1.0)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if not body.done():
                body.cancel()

    def stop(self) -> None:
        """Every thing ends after what it is just saying; what no broker takes is given up."""
        self._stop.set()
        for link in self._brokers.values():
            if link.up:
                asyncio.get_running_loop().call_later(BROKER_GRACE_S, link.finish)
            else:
                link.finish()

    async def close(self) -> None:
        """The serial ports go away, with what their readers have not fetched."""
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    @property
    def trouble(self) -> str:
        """Why nothing goes out to the broker, or an empty string."""
        return next((link.trouble for link in self._brokers.values() if link.trouble), "")

    async def _plug(self, spec: ThingSpec, receive: Callable[[bytes], bytes]) -> PtyLink | TcpLink:
        if spec.via == "tcp":
            server = TcpLink(receive, self._listen, int(spec.port or 0))
            await server.open()
            return server
        pty = PtyLink(receive, self._symlink(spec))
        pty.plug()
        return pty

    def _symlink(self, spec: ThingSpec) -> Path:
        if spec.port is not None:
            return Path(str(spec.port))
        if self._port_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="parkgate-ports-")
            self._port_dir = Path(self._temporary.name)
        self._port_dir.mkdir(parents=True, exist_ok=True)
        return self._port_dir / spec.name

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as links:
            async with asyncio.TaskGroup() as things:
                for spec in self.specs:
                    if spec.via == "mqtt":
                        link = self._link_of(spec, links)
                        things.create_task(self._speak_mqtt(spec, link), name=f"thing[{spec.name}]")
                    else:
                        things.create_task(self._speak_serial(spec), name=f"thing[{spec.name}]")
            for link in self._brokers.values():
                link.finish()
        await self._until_read()

    def _link_of(self, spec: ThingSpec, group: asyncio.TaskGroup) -> MqttLink:
        assert self._broker is not None
        device = self._peers[spec.name]
        own = device.presence("ONLINE", self._now()) is not None
        key = spec.name if own else "fleet"
        if key not in self._brokers:

            def presence(word: str) -> tuple[str, bytes]:
                frame = device.presence(word, self._now())
                assert frame is not None
                return frame.topic, frame.data

            host, port = self._broker
            user, password = self._login or (None, None)
            link = MqttLink(
                host, port, f"sim-{key}", presence=presence if own else None, username=user, password=password
            )
            self._brokers[key] = link
            group.create_task(link.run(), name=f"broker[{key}]")
        return self._brokers[key]

    async def _speak_mqtt(self, spec: ThingSpec, link: MqttLink) -> None:
        device, entry = self._peers[spec.name], self.ledger.things[spec.name]
        while not self._stop.is_set():
            for frame in device.tick(self._now()):
                pieces, copies = _spoil(entry, frame)
                for piece in pieces:
                    if not await link.publish(frame.topic, piece, retain=frame.retain):
                        return
                device.delivered(frame)
                entry.count(frame, copies, sum(map(len, pieces)))
            await self._rest(device)

    async def _speak_serial(self, spec: ThingSpec) -> None:
        device, entry, wire = self._peers[spec.name], self.ledger.things[spec.name], self._wires[spec.name]
        while not self._stop.is_set():
            heard = wire.listening() and wire.flush()
            for frame in device.tick(self._now()):
                if not heard:
                    continue
                pieces, copies = _spoil(entry, frame)
                out = b"".join(pieces)
                heard = wire.write(out) and await self._written(wire)
                if heard:
                    device.delivered(frame)
                    entry.count(frame, copies, len(out))
                    if entry.injector is not None and entry.injector.unplugs():
                        await self._replug(wire, entry, entry.injector.half(frame.data))
                        heard = False
            await self._rest(device, serial=True)

    async def _written(self, wire: PtyLink | TcpLink) -> bool:
        """Wait until the frame is out; False when the reader went away or does not read at a stop."""
        while not wire.flush():
            if not wire.listening() or self._stop.is_set():
                return False
            await asyncio.sleep(0.01)
        return True

    async def _replug(self, wire: PtyLink | TcpLink, entry: Entry, half: bytes) -> None:
        """Pull the cable once what was said has been read, and plug it in again a little later."""
        await _read_out(wire)
        wire.unplug(half)
        entry.replugs += 1
        await asyncio.sleep(UNPLUGGED_S)
        wire.plug()
        self.ports[entry.thing] = wire.port

    async def _rest(self, device: Instrument, serial: bool = False) -> None:
        """Until the device has something to say, or the stop; on a serial link never for long."""
        due = device.due_s()
        wait = due - self._now() if due is not None else MOST_LOOK_S
        if serial:
            wait = min(max(wait, min(LOOK_S, device.period_s / 4.0)), MOST_LOOK_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), max(wait, 0.001))

    async def _until_read(self) -> None:
        await asyncio.gather(*(_read_out(wire) for wire in self._wires.values()))


def _spoil(entry: Entry, frame: Frame) -> tuple[tuple[bytes, ...], int]:
    return entry.injector.apply(frame.data) if entry.injector is not None else ((frame.data,), 1)


async def _read_out(wire: PtyLink | TcpLink) -> None:
    """Wait until the reader has fetched all, twice in a row, or for 2 s."""
    empty = 0
    for _ in range(int(READER_GRACE_S / 0.01)):
        empty = empty + 1 if wire.flush() and wire.unread() == 0 else 0
        if empty >= 3:
            return
        await asyncio.sleep(0.01)


async def run(path: Path, devices: Mapping[str, Device], for_s: float | None = None) -> None:
    """`parkgate simulate`: the fleet of a file, until cancelled; says where its ports are."""
    config = load(path, devices)
    fleet = Fleet(
        config.things, broker=config.broker, port_dir=config.port_dir, login=config.login, listen=config.listen
    )
    await fleet.open()
    try:
        for spec in fleet.specs:
            where = fleet.ports.get(spec.name) or f"mqtt topic {spec.topic_name}"
            faults = f"  faults: {spec.faults}" if spec.faults.any else ""
            print(f"{spec.name:<16} {spec.device:<13} every {spec.period_s:.3g} s  {where}{faults}", flush=True)
        await fleet.run(for_s)
    finally:
        await fleet.close()
        for entry in fleet.ledger.things.values():
            print(f"{entry.thing:<16} sent {entry.sent.total()}, spoiled {entry.spoiled.total()}, "
                  f"doubled {entry.doubled.total()}, noise {entry.noise}, unplugged {entry.replugs}",
                  flush=True)  # fmt: skip
