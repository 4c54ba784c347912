"""The supervisor: a room that fails is named, waited for and started again; what cannot start is said in one line."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.app import Gateway, StartError
from gateway.config import Config, GatewayConfig, InfluxConfig, LocalConfig, SpoolConfig, load
from gateway.intake import SinkUnusable
from gateway.spool.spool import Spool
from tests.gateway.mqtt_room import until
from tests.gateway.virtual import VirtualClock


def config(state: Path, listen: str = "127.0.0.1:0", influxdb: InfluxConfig | None = None) -> Config:
    local = None if influxdb else LocalConfig(state / "parkgate.duckdb")
    return Config(GatewayConfig("east", state, listen), SpoolConfig(), influxdb, local, (), ())


@contextlib.asynccontextmanager
async def built(gateway: Gateway) -> AsyncIterator[Gateway]:
    """For gateways that are never run."""
    try:
        yield gateway
    finally:
        await gateway.sink.close()
        await gateway.spool.close()


async def test_a_room_that_fails_is_named_and_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def longest(first: float, most: float) -> Iterator[float]:
        assert (first, most) == (0.5, 30.0)
        return iter([0.5, 1.0, 2.0])

    monkeypatch.setattr("gateway.app.backoff", longest)
    clock = VirtualClock()
    starts: list[float] = []

    async def room() -> None:
        starts.append(clock.monotonic())
        if len(starts) < 4:
            raise LookupError("nobody named this")
        await asyncio.Event().wait()

    async with built(Gateway(config(tmp_path), clock=clock)) as gateway:
        kept = asyncio.create_task(gateway._keep("lamp room", room))
        await clock.sleepers(1)
        await clock.advance(3.4)
        assert starts == [0.0, 0.5, 1.5]
        await clock.advance(0.1)
        assert starts == [0.0, 0.5, 1.5, 3.5]
        assert not kept.done()
        said = [record for record in caplog.records if record.name == "parkgate"]
        assert [record.getMessage() for record in said] == ["lamp room failed and is started again"] * 3
        assert all(record.levelno == logging.ERROR for record in said)
        assert all(record.exc_info is not None and record.exc_info[0] is LookupError for record in said)
        kept.cancel()
        with pytest.raises(asyncio.CancelledError):
            await kept


async def test_a_room_that_just_ends_is_started_again_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    starts = 0

    async def room() -> None:
        nonlocal starts
        starts += 1

    async with built(Gateway(config(tmp_path), clock=clock)) as gateway:
        kept = asyncio.create_task(gateway._keep("lamp room", room))
        await clock.sleepers(1)
        await clock.advance(0.5)
        assert starts >= 2
        assert caplog.records == []
        kept.cancel()
        await asyncio.gather(kept, return_exceptions=True)


async def test_a_room_that_raises_does_not_end_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A whole gateway in which the commit loop dies once: what came meanwhile is committed at the end."""
    gateway = Gateway(config(tmp_path))
    real, failed = gateway.pipeline.run, asyncio.Event()

    async def once() -> None:
        if not failed.is_set():
            failed.set()
            raise ZeroDivisionError
        await real()

    gateway.pipeline.run = once  # type: ignore[method-assign]
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    async with asyncio.timeout(20):
        await failed.wait()
        gateway.pipeline.drop("lamp", ["lamp v=1 1"])
        stop.set()
        await running
    assert gateway.stats.stages.spooled == 1
    assert gateway.stats.stages.written == 1
    assert "pipeline failed and is started again" in caplog.text


def test_a_state_folder_that_is_a_file(tmp_path: Path) -> None:
    state = tmp_path / "var"
    state.write_text("")
    with pytest.raises(StartError) as caught:
        Gateway(config(state))
    assert str(caught.value) == (
        f"cannot use gateway.state_dir {state}: File exists; expected a directory this user may write"
    )


async def test_a_spool_that_another_gateway_has(tmp_path: Path) -> None:
    first = Spool.open(tmp_path / "spool.db", SpoolConfig(), VirtualClock())
    with pytest.raises(StartError) as caught:
        Gateway(config(tmp_path))
    assert str(caught.value) == (
        f"spool {tmp_path}/spool.db is in use by another process: stop that gateway, or give this one its own state_dir"
    )
    await first.close()
    async with built(Gateway(config(tmp_path))):
        pass


async def test_an_address_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StartError) as caught:
            await Gateway(config(tmp_path, listen)).run(asyncio.Event())
    said = str(caught.value)
    assert said.startswith(f"cannot listen on gateway.listen {listen}: ")
    assert said.endswith("; expected a free host:port")
    assert "\n" not in said
    Spool.open(tmp_path / "spool.db", SpoolConfig(), VirtualClock())._store.close()  # everything was let go


async def test_a_sink_that_only_a_person_can_mend(tmp_path: Path) -> None:
    gateway = Gateway(config(tmp_path))

    async def unusable() -> None:
        raise SinkUnusable("local store /x: not a DuckDB file")

    gateway.sink.open = unusable  # type: ignore[method-assign]
    with pytest.raises(StartError) as caught:
        await gateway.run(asyncio.Event())
    assert str(caught.value) == "local store /x: not a DuckDB file"
    Spool.open(tmp_path / "spool.db", SpoolConfig(), VirtualClock())._store.close()


async def test_an_influxdb_that_is_away_is_no_reason_not_to_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    gateway = Gateway(config(tmp_path, influxdb=InfluxConfig(url, "park")))
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    async with asyncio.timeout(20):
        await gateway.ready.wait()
        stop.set()
        await running
    assert gateway.stats.stages.written == 0


async def test_health_knows_at_once_of_an_influxdb_that_is_away_at_the_start(tmp_path: Path) -> None:
    """No point has been written, nor will be for ten seconds."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    gateway = Gateway(config(tmp_path, influxdb=InfluxConfig(url, "park")))
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    try:
        await until(lambda: gateway.stats.sink("influxdb").state != "starting", "an answer, or none", 5.0)
        assert gateway.stats.stages.spooled == 0
        assert (
            f"influxdb: down: {url}: nothing listens there; start InfluxDB or correct influxdb.url (connection refused)"
        ) in gateway.health.problems()
    finally:
        stop.set()
        await running


async def test_health_knows_at_once_of_an_influxdb_that_does_not_answer(tmp_path: Path) -> None:
    """The request has ten seconds; ok would be a guess."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        gateway = Gateway(config(tmp_path, influxdb=InfluxConfig(url, "park")))
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(stop))
        try:
            await until(lambda: "influxdb: starting: no answer yet" in gateway.health.problems(), "said", 5.0)
        finally:
            stop.set()
            await running


async def test_a_filling_spool_says_in_the_log_how_long_it_lasts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    async with built(Gateway(config(tmp_path), clock=clock)) as gateway:
        left = iter([None, 33_600.0, 33_000.0])
        monkeypatch.setattr(gateway.spool, "forecast", lambda: next(left, 32_400.0))
        # the gateway's own points ask for the forecast, too
        monkeypatch.setattr(gateway.points, "lines", lambda: [])
        reports = asyncio.create_task(gateway._report())
        for _ in range(3):
            await clock.sleepers(1)
            await clock.advance(10.0)
        await clock.sleepers(1)
        assert [record.getMessage() for record in caplog.records] == ["at today's rate the spool lasts 9 h 20 min"]
        for _ in range(60):
            await clock.sleepers(1)
            await clock.advance(10.0)
        assert len(caplog.records) == 2
        reports.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reports


async def test_a_recording_stands_for_a_port(tmp_path: Path) -> None:
    (tmp_path / "lamp.rec").write_text(
        "# parkgate recording 1\n0.0 424d001c00000008000800000008000800d20046\n"
        "0.1 002d001e00000000970002c5\n"  # a frame of avaldebe/PyPMS, tests/captured_data (MIT)
    )
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'[gateway]\nname = "east"\nstate_dir = "{tmp_path / "var"}"\nlisten = "127.0.0.1:0"\n'
        '[[serial]]\nport = "replay:lamp.rec"\ndevice = "pms5003"\nthing = "lamp-17"\n'
    )
    gateway, stop = Gateway(load(file, {})), asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))
    readings = gateway.stats.devices[(f"serial:replay:{tmp_path}/lamp.rec", "lamp-17")]
    await until(lambda: readings.readings >= 2, "played, and played again")
    stop.set()
    await task
    assert (readings.noise_bytes, readings.integrity_errors) == (0, 0)
