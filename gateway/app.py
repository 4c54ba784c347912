"""One running gateway: builds every room from the config, starts and stops them in order.

    sources -> pipeline -> spool -> delivery -> sink

Stopping (SIGTERM, SIGINT): sources stop reading; codecs get CODECS_S seconds to answer; what has
arrived is committed and acknowledged; broker connections are closed; the sink gets FLUSH_S seconds
to take what the spool holds; what it does not take stays in the spool for the next start.

This is the only place that decides restart or stop: `_keep` restarts a room that failed for a
reason nobody named, and it is the only broad `except` in the project.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from aiohttp.web import AppRunner

from devices.catalogue import left_out
from devices.spec.device import MessageDevice, PolledDevice, StreamDevice
from gateway import __version__
from gateway.backoff import backoff
from gateway.clock import Clock, SystemClock
from gateway.commands import BrokerReach, CommandRoom, LedgerUnusable, LineReach, PortReach, Reach, Tap
from gateway.config import Config, MqttConfig, SerialConfig
from gateway.decode import BrokerIntake, Known, KnownThings, PortIntake, Subscription, ThingIntake, clean_tag
from gateway.intake import Sink, SinkUnusable
from gateway.pipeline import Pipeline
from gateway.sinks.delivery import Delivery, Probe
from gateway.sources.mqtt import AskedFilters, make_mqtt_source
from gateway.sources.replay import ReplaySource
from gateway.sources.serial import Asked, PolledSource, SerialSource
from gateway.spool import Spool, SpoolUnusable, does_not_fit, say_forecast
from gateway.state import LinkRefused, private_folder, refuse_links
from gateway.stats import Stats
from gateway.watch import DiskWatch, Watchdog
from gateway.web import PERIOD_S, Api, CommandApi, Health, Latest, OwnPoints, Page, serve

if TYPE_CHECKING:
    from gateway.codecs import Codecs

log = logging.getLogger("parkgate")

SUBSCRIPTIONS = "subscriptions.json"
THINGS = "things.json"
FLUSH_S = 5.0
CODECS_S = 2.0
FORECAST_S = 7 * 86400.0
FORECAST_EVERY_S = 600.0
"""A spool that will be full within a week is said in the log, every ten minutes while it fills, and at once
when a quarter of what was said is left."""


class Source(Protocol):
    @property
    def name(self) -> str: ...
    async def run(self) -> None: ...
    def stop_reading(self) -> None: ...
    async def close(self) -> None: ...


class StartError(Exception):
    """The gateway cannot start; the text is for the person who started it."""


class Gateway:
    """`run(stop)` runs until `stop` is set. Raises StartError before anything has started."""

    def __init__(self, config: Config, *, clock: Clock | None = None, pages: Mapping[str, Page] | None = None) -> None:
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.pages = pages or {}
        self.stats = Stats()
        self.ready = asyncio.Event()
        self.codecs = _codecs(config, self.clock)
        try:
            private_folder(config.gateway.state_dir)
            refuse_links(config.gateway.state_dir / name for name in (SUBSCRIPTIONS, THINGS))
            self.spool = Spool.open(config.gateway.state_dir / "spool.db", config.spool, self.clock)
        except (SpoolUnusable, LinkRefused) as fault:
            raise StartError(str(fault)) from fault
        except OSError as fault:
            raise StartError(
                f"cannot use gateway.state_dir {config.gateway.state_dir}: {fault.strerror or fault}; "
                "expected a directory this user may write"
            ) from fault
        self.pipeline = Pipeline(self.spool, self.clock, self.stats)
        self.sink, probe = self._sink()
        points, in_flight = (
            (config.influxdb.batch_points, config.influxdb.in_flight) if config.influxdb else (20_000, 1)
        )
        self.delivery = Delivery(
            self.spool,
            self.sink,
            self.stats,
            self.clock,
            batch_points=points,
            in_flight=in_flight,
            tee=self.pipeline.tee,
            probe=probe,
        )
        self.watchdog = Watchdog(config.gateway.name, config.watchdog, self.pipeline, self.clock, self.stats)
        folders = [config.gateway.state_dir] + ([config.local.path.parent] if config.local else [])
        self.disks = DiskWatch(folders, self.clock)
        self.known = KnownThings(config.gateway.state_dir / THINGS)
        self.brokers: dict[str, BrokerIntake] = {}
        self.reaches: list[Reach] = []
        self.sources: list[Source] = [self._broker(broker) for broker in config.mqtt]
        self.sources += [self._port(port) for port in config.serial]
        self.health = Health(
            config.gateway.name,
            __version__,
            self.stats,
            self.spool,
            self.pipeline,
            self.watchdog,
            self.clock,
            self.clock.monotonic(),
            self.disks,
            self.codecs,
        )
        self.points = OwnPoints(self.health)
        try:
            self.commands = CommandRoom(config, self.reaches, self.pipeline)
        except (LedgerUnusable, LinkRefused) as fault:
            raise StartError(str(fault)) from fault
        self.health.commands = self.commands

    def _api(self) -> Api:
        tee = self.pipeline.tee
        return Api(self.config, self.stats, tee, self.clock, Latest(tee, self.clock), self.watchdog)

    def _sink(self) -> tuple[Sink, Probe | None]:
        # imported here: a gateway that writes to InfluxDB need not hold DuckDB in memory
        if self.config.influxdb is not None:
            from gateway.sinks.influxdb import InfluxSink

            sink = InfluxSink(self.config.influxdb, self.clock, self.stats.sink("influxdb"))
            return sink, sink.probe
        from gateway.sinks.local import LocalSink

        assert self.config.local is not None  # the config loader gives one of the two
        return LocalSink(self.config.local.path), None  # `open` has seen that it can be used

    def _port(self, port: SerialConfig) -> Source:
        name = f"serial:{port.port}"
        stats = self.stats.source(name)
        if port.things and port.recording is None:
            return self._asked(port, name)
        device = self.config.devices[port.device]
        if isinstance(device, PolledDevice):
            device = device.overheard(port.things[0].unit)
        assert isinstance(device, StreamDevice)  # the config loader has checked it
        intake = PortIntake(self.pipeline, port, device, name)
        if port.recording is not None:
            return ReplaySource(port.recording, intake, self.clock, stats, repeat=True)
        source = SerialSource(port, device, intake, self.clock, stats)
        self.watchdog.port(source, device.longest_frame)
        self.reaches.append(PortReach(source, intake, device, port.commands))
        return source

    def _asked(self, port: SerialConfig, name: str) -> Source:
        """A line on which devices are asked."""
        things = []
        for each in port.things:
            device = self.config.devices[each.device]
            assert isinstance(device, PolledDevice)  # the config loader has checked it
            things.append(
                Asked(
                    device=device,
                    unit=each.unit,
                    every_s=device.expected_every_s if each.every_s is None else each.every_s,
                    timeout_s=device.timing.timeout_s if each.timeout_s is None else each.timeout_s,
                    intake=ThingIntake(self.pipeline, each, device, name),
                )
            )
        source = PolledSource(port, things, self.clock, self.stats.source(name))
        self.watchdog.port(source, max(thing.device.longest_frame for thing in things), asked=True)
        named = zip((clean_tag(each.thing) for each in port.things), things, port.things, strict=True)
        self.reaches.append(LineReach(source, {name: (asked, each.commands) for name, asked, each in named}))
        return source

    def _broker(self, broker: MqttConfig) -> Source:
        name = f"mqtt:{broker.name}"
        subscriptions = []
        for subscription in broker.subscriptions:
            device = self.config.devices[subscription.device]
            assert isinstance(device, MessageDevice)  # the config loader has checked it
            subscriptions.append(Subscription(subscription, device, self.codecs))
        known = self.known.read(name, self.clock.now_ns())
        intake = self.brokers[name] = BrokerIntake(self.pipeline, broker, subscriptions, name, known)
        asked = AskedFilters(self.config.gateway.state_dir / SUBSCRIPTIONS, broker.session)
        tap = Tap(intake)
        told = any(each.commands for each in broker.subscriptions)
        source = make_mqtt_source(
            broker, tap if told else intake, self.clock, self.stats.source(name), intake.connected, asked, intake.asks
        )
        self.watchdog.broker(source, broker)
        self.reaches.append(BrokerReach(name, broker, intake, tap, source.talk, self.stats))
        return source

    async def _open(self) -> AppRunner:
        """The store and the web server, before anything starts. Raises StartError."""
        listen = self.config.gateway.listen
        try:
            await self.sink.open()
        except SinkUnusable as fault:
            await self._shut()
            raise StartError(str(fault)) from fault
        try:
            return await serve(listen, self.health, self._api(), self.pages, commands=CommandApi(self.commands.desk))
        except OSError as fault:
            await self._shut()
            raise StartError(
                f"cannot listen on gateway.listen {listen}: {fault.strerror or fault}; expected a free host:port"
            ) from fault

    async def _shut(self) -> None:
        await self.commands.close()
        await self.sink.close()
        await self.spool.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop in order. Raises StartError before anything has started."""
        web = await self._open()
        try:
            async with asyncio.TaskGroup() as group:
                commits = group.create_task(self._keep("pipeline", self.pipeline.run), name="pipeline")
                delivery = group.create_task(self._keep("delivery", self.delivery.run), name=f"sink[{self.sink.name}]")
                health = group.create_task(self._keep("health", self._report), name="health")
                watchdog = group.create_task(self._keep("watchdog", self.watchdog.run), name="watchdog")
                disks = group.create_task(self._keep("disks", self.disks.run), name="disks")
                codecs = [
                    group.create_task(self._keep("codecs", each.run), name="codecs") for each in (self.codecs,) if each
                ]
                told = [group.create_task(self._keep(name, run), name=name) for name, run in self.commands.rooms]
                readers = [
                    group.create_task(self._keep(source.name, source.run), name=f"source[{source.name}]")
                    for source in self.sources
                ]
                unfit = does_not_fit(self.spool.path, self.config.spool)
                for words in (*left_out(self.config.devices), *((unfit,) if unfit else ())):
                    log.warning("%s", words)
                self.ready.set()
                count = "1 source" if len(readers) == 1 else f"{len(readers)} sources"
                log.info("gateway %s runs: %s into %s", self.config.gateway.name, count, self.sink.name)
                await stop.wait()
                await _ended(*told)
                log.info("stopping: reading ends, what has arrived is committed")
                for source in self.sources:
                    source.stop_reading()
                if self.codecs is not None:
                    await self.codecs.finish(CODECS_S)
                for intake in self.brokers.values():
                    intake.end()
                await _ended(*codecs)
                await _ended(watchdog, disks, health, commits)
                await self.pipeline.finish()
                await _ended(*readers)
                for source in self.sources:
                    await source.close()
                self.known.write(self._known())
                await _ended(delivery)
                await self.delivery.finish(FLUSH_S)
        finally:
            await web.cleanup()
            left = self.spool.depth().points
            await self._shut()
        log.info("stopped; %d points wait in the spool", left)

    async def _report(self) -> None:
        """The gateway's own points; and, while the spool fills, how long it lasts."""
        said, last = -FORECAST_EVERY_S, FORECAST_S
        while True:
            await self.clock.sleep(PERIOD_S)
            self.pipeline.drop("gateway", self.points.lines())
            due = [name for name, intake in self.brokers.items() if intake.things.settle(self.clock.now_ns())]
            if due:
                await asyncio.to_thread(self.known.write, self._known())
            forecast, now = self.spool.forecast(), self.clock.monotonic()
            if forecast is None or forecast >= FORECAST_S:
                continue
            if now - said >= FORECAST_EVERY_S or forecast < last / 4:
                log.warning("%s", say_forecast(forecast, self.spool.filling.outlook().by))
                said, last = now, forecast

    def _known(self) -> dict[str, list[Known]]:
        return {name: intake.things.known() for name, intake in self.brokers.items()}

    async def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a room; when it fails for an unknown reason say so in full and start it again."""
        waits = backoff(0.5, 30.0)
        while True:
            try:
                await run()
            except Exception:  # the one supervisor
                log.exception("%s failed and is started again", name)
            await self.clock.sleep(next(waits))


def _codecs(config: Config, clock: Clock) -> "Codecs | None":
    """The codecs of the configuration; StartError where they cannot be run."""
    if config.codecs is None:
        return None
    # imported here: a gateway without codecs need not hold what runs them in memory
    from gateway.codecs import Codecs, Limits, absent

    missing = absent()
    if missing:
        raise StartError(f"codecs.dir {config.codecs.dir}: {missing}")
    limits = Limits(config.codecs.time_limit_s, config.codecs.memory_limit)
    return Codecs(config.codecs.dir, config.codecs.prefer, limits, clock)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel and wait; a task finishes what it must not leave half done."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run_gateway(config: Config, pages: Mapping[str, Page] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 0 when it stopped in order. Raises StartError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        else:
            loop.add_signal_handler(number, stop.set)
    gateway = Gateway(config, pages=pages)
    # what has been built so far stays; and readings make no cycles, so the collector need not
    # look after every few hundred of them (4 % of the time at full load)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        await gateway.run(stop)
    finally:
        gc.unfreeze()  # or DuckDB, still held when the interpreter ends, reports leaks
    return 0


def run(config: Config, pages: Mapping[str, Page] | None = None) -> int:
    """`run_gateway` on uvloop where it is installed, else on asyncio's own loop."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(run_gateway(config, pages))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
