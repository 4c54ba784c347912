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

from devices.spec.device import Device, PolledDevice, StreamDevice
from simulators import zigbee2mqtt
from simulators.faults import Armour, Injector
from simulators.fleet.asked import AskedPort
from simulators.fleet.brokers import BROKER_GRACE_S, BrokerLinks
from simulators.fleet.file import FleetConfig, FleetError, load
from simulators.fleet.port import READER_GRACE_S, Wire, read_out, replug, written
from simulators.ledger import Entry, Ledger
from simulators.line import Line
from simulators.links import MqttLink, PtyLink, TcpLink
from simulators.peer import Frame, Instrument
from simulators.things import ThingSpec, park, peer, respondent, zoned

__all__ = ["Fleet", "FleetConfig", "FleetError", "Ledger", "ThingSpec", "load", "park", "run", "zoned"]

LOOK_S, MOST_LOOK_S = 0.05, 0.25


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
        self._brokers = BrokerLinks(broker, login, now, self._told)
        self._listen = listen
        self._port_dir = port_dir
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._now = now
        self._stop = asyncio.Event()
        self._peers: dict[str, Instrument] = {}
        self._wires: dict[str, Wire] = {}
        self._asked: dict[str, list[ThingSpec]] = {}
        self._lines: dict[str, AskedPort] = {}
        self._woken: dict[Instrument, asyncio.Event] = {}
        for spec in self.specs:
            if spec.via == "mqtt" and broker is None:
                raise FleetError(f"thing {spec.name}: {spec.device} speaks MQTT and the fleet has no broker")
            injector = Injector(spec.faults, Armour.of(spec.type), spec.name) if spec.faults.any else None
            self.ledger.things[spec.name] = Entry(spec.name, spec.device, spec.type.sequence.modulus, injector=injector)
            if isinstance(spec.type, PolledDevice):
                self._asked.setdefault(spec.line or spec.name, []).append(spec)
            else:
                self._peers[spec.name] = peer(spec)
        zigbee2mqtt.join(self._peers.values())

    async def open(self) -> None:
        """Make the serial ports. FleetError where that cannot be done here."""
        for name, specs in self._asked.items():
            self._lines[name] = line = self._line(specs)
            await self._make(name, specs, line.receive)
        for spec in self.specs:
            if spec.name in self._peers and spec.via != "mqtt":
                await self._make(spec.name, [spec], self._peers[spec.name].receive)

    def _line(self, specs: list[ThingSpec]) -> AskedPort:
        """The devices on one line, with the faults that befall their answers."""
        devices = [respondent(spec) for spec in specs]
        for device in devices:
            device.injector = self.ledger.things[device.name].injector
        return AskedPort(Line(devices), self.ledger.things, self._now)

    async def _make(self, name: str, specs: list[ThingSpec], receive: Callable[[bytes], bytes]) -> None:
        try:
            wire = self._wires[name] = await self._plug(name, specs, receive)
        except OSError as error:
            await self.close()
            raise FleetError(f"thing {specs[0].name}: cannot make its port: {error}") from error
        for spec in specs:
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
        for woken in self._woken.values():
            woken.set()
        self._brokers.stop()

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
        return self._brokers.trouble

    async def _plug(self, name: str, specs: list[ThingSpec], receive: Callable[[bytes], bytes]) -> Wire:
        port = next((spec.port for spec in specs if spec.port is not None), None)
        if specs[0].via == "tcp":
            server = TcpLink(receive, self._listen, int(port or 0))
            await server.open()
            return server
        pty = PtyLink(receive, self._symlink(name, port))
        pty.plug()
        return pty

    def _symlink(self, name: str, port: str | int | None) -> Path:
        if port is not None:
            return Path(str(port))
        if self._port_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="parkgate-ports-")
            self._port_dir = Path(self._temporary.name)
        self._port_dir.mkdir(parents=True, exist_ok=True)
        return self._port_dir / name

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as links:
            async with asyncio.TaskGroup() as things:
                for name, line in self._lines.items():
                    things.create_task(line.speak(self._wires[name], self._stop), name=f"line[{name}]")
                for spec in self.specs:
                    if spec.name not in self._peers:
                        continue
                    if spec.via == "mqtt":
                        link = self._brokers.link_of(spec.name, self._peers[spec.name], links)
                        things.create_task(self._speak_mqtt(spec, link), name=f"thing[{spec.name}]")
                    else:
                        things.create_task(self._speak_serial(spec), name=f"thing[{spec.name}]")
            self._brokers.finish()
        await asyncio.gather(*(read_out(wire) for wire in self._wires.values()))

    async def _speak_mqtt(self, spec: ThingSpec, link: MqttLink) -> None:
        device, entry = self._peers[spec.name], self.ledger.things[spec.name]
        while not self._stop.is_set():
            for frame in device.tick(self._now()):
                # retained messages come from the bridge: the faults of a device do not change them
                pieces, copies = ((frame.data,), 1) if frame.retain else _spoil(entry, frame)
                for piece in pieces:
                    if not await link.publish(frame.topic, piece, retain=frame.retain):
                        return
                device.delivered(frame)
                entry.count(frame, copies, sum(map(len, pieces)))
            await self._rest(device)

    async def _speak_serial(self, spec: ThingSpec) -> None:
        device, entry, wire = self._peers[spec.name], self.ledger.things[spec.name], self._wires[spec.name]
        line_end = spec.type.line_end if isinstance(spec.type, StreamDevice) else b""
        heard = False
        while not self._stop.is_set():
            before, heard = heard, wire.listening() and wire.flush()
            if heard and not before and line_end:
                wire.write(line_end)  # as a board begins that starts when its port is opened: the next line is whole
            for frame in device.tick(self._now()):
                if not heard:
                    continue
                pieces, copies = _spoil(entry, frame)
                out = b"".join(pieces)
                heard = wire.write(out) and await written(wire, self._stop)
                if heard:
                    device.delivered(frame)
                    entry.count(frame, copies, len(out))
                    if entry.injector is not None and entry.injector.unplugs():
                        await replug(wire, entry, entry.injector.half(frame.data))
                        self.ports[spec.name] = wire.port
                        heard = False
            await self._rest(device, serial=True)

    async def _rest(self, device: Instrument, serial: bool = False) -> None:
        """Until the device has something to say, or the stop; on a serial link never for long."""
        due = device.due_s()
        wait = due - self._now() if due is not None else MOST_LOOK_S
        if serial:
            wait = min(max(wait, min(LOOK_S, device.period_s / 4.0)), MOST_LOOK_S)
        woken = self._woken.setdefault(device, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), max(wait, 0.001))
        woken.clear()

    def _told(self, device: Instrument) -> None:
        """It was told something over MQTT, and has to speak at once."""
        self._woken.setdefault(device, asyncio.Event()).set()


def _spoil(entry: Entry, frame: Frame) -> tuple[tuple[bytes, ...], int]:
    return entry.injector.apply(frame.data) if entry.injector is not None else ((frame.data,), 1)


def _pace(spec: ThingSpec) -> str:
    if not isinstance(spec.type, PolledDevice):
        return f"every {spec.period_s:.3g} s"
    unit = spec.type.unit if spec.unit is None else spec.unit
    return f"when asked, unit {unit}" if spec.type.units else "when asked"


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
            print(f"{spec.name:<16} {spec.device:<13} {_pace(spec)}  {where}{faults}", flush=True)
        await fleet.run(for_s)
    finally:
        await fleet.close()
        for entry in fleet.ledger.things.values():
            print(f"{entry.thing:<16} sent {entry.sent.total()}, spoiled {entry.spoiled.total()}, "
                  f"doubled {entry.doubled.total()}, noise {entry.noise}, unplugged {entry.replugs}",
                  flush=True)  # fmt: skip
