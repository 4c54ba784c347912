"""What the gateway says of itself, to the letter: `/metrics`, `/healthz`, and its own points."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config import SpoolConfig, WatchdogConfig
from gateway.intake import Intake
from gateway.pipeline import Pipeline
from gateway.spool.spool import Spool
from gateway.stats import DeviceStats, SinkStats, SourceStats, StageStats, Stats
from gateway.watch.disk import DiskWatch
from gateway.watch.watchdog import Watchdog
from gateway.web.health import Health
from gateway.web.metrics import metrics
from gateway.web.points import OwnPoints
from tests.gateway.virtual import VirtualClock

START_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00:00 UTC


@pytest.fixture
async def health(tmp_path: Path) -> AsyncIterator[Health]:
    """A gateway that has just been started and has brought nothing."""
    clock, stats = VirtualClock(), Stats()
    spool = Spool.open(tmp_path / "spool.db", SpoolConfig(max_bytes=100_000), clock)
    pipeline = Pipeline(spool, clock, stats)
    watchdog = Watchdog("east", WatchdogConfig(), pipeline, clock, stats)
    yield Health("east", "0.0", stats, spool, pipeline, watchdog, clock, clock.monotonic(), DiskWatch((), clock))
    await spool.close()


async def busy(health: Health, clock: VirtualClock) -> None:
    """Some of everything; then 2.5 s pass, and 20 s in which the spool fills."""
    stats = health.stats
    stats.stages = health.pipeline.stages = StageStats(10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    stats.sources = {
        "mqtt:main": SourceStats("mqtt:main", "up", 2, 100, 0),
        "serial:/dev/x": SourceStats("serial:/dev/x", "down: no such device", 1),
    }
    stats.sinks = {"influxdb": SinkStats("influxdb", "up", 3, 1, 0.5, 0.125), "idle": SinkStats("idle")}
    stats.devices = {
        ("mqtt:main", "lamp"): DeviceStats(
            "mqtt:main", "senml", "lamp", {"zone": "lake"}, (48.5, 11.25), last_seen_ns=START_NS + 500_000_000,
            readings=7, empty=9, field_errors=8,
            noise_bytes=6, integrity_errors=5, sanity_errors=4, dropped=3, clock_errors=2,
        ),
        ("serial:/dev/x", 'a "b"\\'): DeviceStats("serial:/dev/x", "pms5003", 'a "b"\\'),
    }  # fmt: skip
    await health.spool.append(Intake(lines=["m v=1 1"]))  # 7 bytes, charged 71
    clock.pass_by(22.5)
    await health.spool.append(Intake(lines=["m v=1 1"] * 10))  # 79 bytes, charged 143


IDLE = """\
# HELP parkgate_points_total Messages and points by stage.
# TYPE parkgate_points_total counter
parkgate_points_total{stage="received"} 0.0
parkgate_points_total{stage="decoded"} 0.0
parkgate_points_total{stage="spooled"} 0.0
parkgate_points_total{stage="written"} 0.0
parkgate_points_total{stage="rejected"} 0.0
parkgate_points_total{stage="dropped"} 0.0
parkgate_points_total{stage="redelivered"} 0.0
parkgate_points_total{stage="quarantined"} 0.0
parkgate_points_total{stage="unkept"} 0.0
parkgate_points_total{stage="retained"} 0.0
# HELP parkgate_spool_points Points waiting in the spool.
# TYPE parkgate_spool_points gauge
parkgate_spool_points 0.0
# HELP parkgate_spool_bytes Bytes waiting in the spool.
# TYPE parkgate_spool_bytes gauge
parkgate_spool_bytes 0.0
# HELP parkgate_spool_oldest_seconds Age of the oldest point in the spool.
# TYPE parkgate_spool_oldest_seconds gauge
parkgate_spool_oldest_seconds 0.0
# HELP parkgate_spool_forecast_seconds Time until the spool or its disk is full at the present rate.
# TYPE parkgate_spool_forecast_seconds gauge
# HELP parkgate_quarantine_items Items in the quarantine.
# TYPE parkgate_quarantine_items gauge
parkgate_quarantine_items 0.0
# HELP parkgate_quarantine_bytes Bytes of the quarantine.
# TYPE parkgate_quarantine_bytes gauge
parkgate_quarantine_bytes 0.0
# HELP parkgate_quarantine_given_up_total Items that went for newer ones.
# TYPE parkgate_quarantine_given_up_total counter
parkgate_quarantine_given_up_total 0.0
# HELP parkgate_disk_free_bytes What this user may still write on the disk of the folder.
# TYPE parkgate_disk_free_bytes gauge
# HELP parkgate_disk_size_bytes The whole disk of the folder.
# TYPE parkgate_disk_size_bytes gauge
# HELP parkgate_source_up 1 where the port or broker connection is up.
# TYPE parkgate_source_up gauge
# HELP parkgate_source_connects_total Times the port or broker was opened.
# TYPE parkgate_source_connects_total counter
"""

BUSY = r"""
parkgate_points_total{stage="received"} 10.0
parkgate_points_total{stage="decoded"} 9.0
parkgate_points_total{stage="spooled"} 8.0
parkgate_points_total{stage="written"} 7.0
parkgate_points_total{stage="rejected"} 6.0
parkgate_points_total{stage="dropped"} 5.0
parkgate_points_total{stage="redelivered"} 4.0
parkgate_points_total{stage="quarantined"} 3.0
parkgate_points_total{stage="unkept"} 2.0
parkgate_points_total{stage="retained"} 1.0
parkgate_spool_points 11.0
parkgate_spool_bytes 214.0
parkgate_spool_oldest_seconds 22.5
parkgate_spool_forecast_seconds 10491.518691588784
parkgate_quarantine_items 0.0
parkgate_quarantine_bytes 0.0
parkgate_quarantine_given_up_total 0.0
parkgate_source_up{source="mqtt:main"} 1.0
parkgate_source_up{source="serial:/dev/x"} 0.0
parkgate_source_connects_total{source="mqtt:main"} 2.0
parkgate_source_connects_total{source="serial:/dev/x"} 1.0
parkgate_source_refused_total{source="mqtt:main"} 0.0
parkgate_source_refused_total{source="serial:/dev/x"} 0.0
parkgate_sink_up{sink="influxdb"} 1.0
parkgate_sink_up{sink="idle"} 0.0
parkgate_sink_batches_total{sink="influxdb"} 3.0
parkgate_sink_batches_total{sink="idle"} 0.0
parkgate_sink_retries_total{sink="influxdb"} 1.0
parkgate_sink_retries_total{sink="idle"} 0.0
parkgate_sink_remade_total{sink="influxdb"} 0.0
parkgate_sink_remade_total{sink="idle"} 0.0
parkgate_sink_write_seconds_total{sink="influxdb"} 0.5
parkgate_sink_write_seconds_total{sink="idle"} 0.0
parkgate_silent_things 0.0
parkgate_silence_faults{layer="port"} 0.0
parkgate_silence_faults{layer="connection"} 0.0
parkgate_silence_faults{layer="subscription"} 0.0
parkgate_silence_faults{layer="flow"} 0.0
parkgate_silence_faults{layer="framing"} 0.0
parkgate_silence_faults{layer="integrity"} 0.0
parkgate_silence_faults{layer="sanity"} 0.0
parkgate_silence_faults{layer="device"} 0.0
parkgate_silence_events_total 0.0
parkgate_heals_total{action="resubscribe"} 0.0
parkgate_heals_total{action="reconnect"} 0.0
parkgate_heals_total{action="reopen"} 0.0
parkgate_readings_total{source="mqtt:main",device="senml",thing="lamp"} 7.0
parkgate_readings_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_empty_total{source="mqtt:main",device="senml",thing="lamp"} 9.0
parkgate_empty_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_field_errors_total{source="mqtt:main",device="senml",thing="lamp"} 8.0
parkgate_field_errors_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_noise_bytes_total{source="mqtt:main",device="senml",thing="lamp"} 6.0
parkgate_noise_bytes_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_integrity_errors_total{source="mqtt:main",device="senml",thing="lamp"} 5.0
parkgate_integrity_errors_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_sanity_errors_total{source="mqtt:main",device="senml",thing="lamp"} 4.0
parkgate_sanity_errors_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_unanswered_total{source="mqtt:main",device="senml",thing="lamp"} 0.0
parkgate_unanswered_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_clock_errors_total{source="mqtt:main",device="senml",thing="lamp"} 2.0
parkgate_clock_errors_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_dropped_points_total{source="mqtt:main",device="senml",thing="lamp"} 3.0
parkgate_dropped_points_total{source="serial:/dev/x",device="pms5003",thing="a \"b\"\\"} 0.0
parkgate_last_seen_timestamp_seconds{source="mqtt:main",device="senml",thing="lamp"} 1767225600.5
"""


def clock_of(health: Health) -> VirtualClock:
    assert isinstance(health.clock, VirtualClock)
    return health.clock


async def test_metrics_of_a_gateway_that_has_nothing(health: Health) -> None:
    assert metrics(health).startswith(IDLE)
    assert metrics(health).endswith("\n")


async def test_metrics_to_the_letter(health: Health) -> None:
    await busy(health, clock_of(health))
    text = metrics(health)
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert sorted(samples) == sorted(BUSY.strip().splitlines())
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families)) == 32
    counters = [line.split()[2] for line in text.splitlines() if line.endswith(" counter")]
    assert all(name.endswith("_total") for name in counters)


async def test_the_report_to_the_letter(health: Health) -> None:
    assert health.report() == {
        "status": "ok",
        "name": "east",
        "version": "0.0",
        "uptime_s": 0.0,
        "problems": [],
        "things": {"seen": 0, "online": 0},
        "stages": dict.fromkeys(
            ("received", "decoded", "spooled", "written", "rejected", "dropped", "redelivered", "quarantined", "unkept",
             "retained"), 0
        ),
        "spool": {
            "state": "ok",
            "points": 0,
            "bytes": 0,
            "oldest_s": None,
            "forecast_s": None,
            "forecast": "the spool is not filling, or for less than 10 s",
        },
        "quarantine": {"items": 0, "bytes": 0, "given_up": 0},
        "disks": [],
        "devices": [],
    }  # fmt: skip
    await busy(health, clock_of(health))
    clock_of(health).pass_by(1.0)  # what is online is counted once a second
    report = health.report()
    assert (report["status"], report["uptime_s"]) == ("degraded", 23.5)
    assert report["problems"] == ["serial:/dev/x: down: no such device"]
    assert report["things"] == {"seen": 2, "online": 1}
    assert report["spool"] == {
        "state": "ok",
        "points": 11,
        "bytes": 214,
        "oldest_s": 23.5,
        "forecast_s": 10958,
        "forecast": "at today's rate the spool lasts 3 h 2 min",
    }
    assert report["devices"] == [
        {"source": "mqtt:main", "device": "senml", "thing": "lamp", "last_seen_s": 23.0, "readings": 7, "empty": 9,
         "field_errors": 8, "noise_bytes": 6, "integrity_errors": 5, "sanity_errors": 4, "unanswered": 0,
         "clock_errors": 2, "dropped": 3},
        {"source": "serial:/dev/x", "device": "pms5003", "thing": 'a "b"\\', "last_seen_s": None, "readings": 0,
         "empty": 0, "field_errors": 0, "noise_bytes": 0, "integrity_errors": 0, "sanity_errors": 0, "unanswered": 0,
         "clock_errors": 0, "dropped": 0},
    ]  # fmt: skip
    assert "devices" not in health.report(devices=False)


async def test_what_is_wrong_is_listed(health: Health) -> None:
    sink = health.stats.sink("influxdb")
    assert health.problems() == [], "a sink that starts is no trouble"
    sink.state = "refused: 401"
    assert health.report()["status"] == "degraded"
    health.pipeline.state = "disk full: no room"
    assert health.problems() == ["disk full: no room", "influxdb: refused: 401"]
    assert health.report()["status"] == "failing"


async def test_ready_is_who_takes_data(health: Health) -> None:
    assert health.unready() == [], "without sources there is nothing to wait for"
    port, broker = health.stats.source("serial:/dev/x"), health.stats.source("mqtt:main")
    assert health.unready() == ["serial:/dev/x: starting", "mqtt:main: starting"]
    port.state, broker.state = "down: no port /dev/x", "connecting to h:1883"
    assert health.unready() == ["serial:/dev/x: down: no port /dev/x", "mqtt:main: connecting to h:1883"]
    port.state = "open but silent: no bytes yet"
    assert health.unready() == [], "one that is open is enough"
    port.state, broker.state = "down: unplugged", "up, but 1 of 2 subscriptions refused"
    assert health.unready() == []
    health.pipeline.state = "disk full: no room"
    assert health.unready() == ["disk full: no room"]


async def test_a_round_of_points_to_the_letter(health: Health) -> None:
    assert OwnPoints(health).lines() == [
        "gateway,gateway=east received=0i,decoded=0i,spooled=0i,written=0i,rejected=0i,dropped=0i,redelivered=0i,"
        "quarantined=0i,unkept=0i,retained=0i,spool_points=0i,spool_bytes=0i,spool_oldest_s=0.0,things_online=0i "
        "1767225600000000000"
    ]
    await busy(health, clock_of(health))
    own, *things = OwnPoints(health).lines()
    head, _, forecast = own.partition(",spool_forecast_s=")
    assert head == (
        "gateway,gateway=east received=10i,decoded=9i,spooled=8i,written=7i,rejected=6i,dropped=5i,redelivered=4i,"
        "quarantined=3i,unkept=2i,retained=1i,spool_points=11i,spool_bytes=214i,spool_oldest_s=22.5"
    )
    assert float(forecast.partition(",")[0]) == pytest.approx(10_491.5187, abs=0.001)
    assert forecast.partition(",")[2] == "write_latency_s=0.125,things_online=1i 1767225622500000000"
    assert things == [
        "gateway_device,device=senml,gateway=east,source=mqtt:main,thing=lamp,zone=lake "
        "readings=7i,empty=9i,field_errors=8i,noise_bytes=6i,integrity_errors=5i,sanity_errors=4i,unanswered=0i,clock_errors=2i,dropped=3i,"
        "last_seen_age_s=22.0 1767225622500000000",
        "things,device=senml,thing=lamp,zone=lake online=true,latitude_deg=48.5,longitude_deg=11.25 "
        "1767225622500000000",
        'gateway_device,device=pms5003,gateway=east,source=serial:/dev/x,thing=a\\ "b"~5ee80913301ff15c '
        "readings=0i,empty=0i,field_errors=0i,noise_bytes=0i,integrity_errors=0i,sanity_errors=0i,unanswered=0i,"
        "clock_errors=0i,dropped=0i 1767225622500000000",
        'things,device=pms5003,thing=a\\ "b"~5ee80913301ff15c online=false 1767225622500000000',
    ]


async def test_a_silent_thing_is_not_online(health: Health) -> None:
    lamp = DeviceStats("mqtt:main", "senml", "lamp")
    health.stats.devices = {("mqtt:main", "lamp"): lamp}
    assert health.online(lamp) is False
    lamp.last_seen_ns = START_NS
    assert health.online(lamp) is True
    assert health.things_online() == 1
    lamp.silent = True
    assert health.online(lamp) is False
    assert health.things_online() == 1, "within the same second"
    clock_of(health).pass_by(1.0)
    assert health.things_online() == 0


async def test_very_many_things_take_turns(health: Health) -> None:
    health.stats.devices = {("s", f"t{n}"): DeviceStats("s", "senml", f"t{n}") for n in range(2500)}
    points = OwnPoints(health)
    rounds = [[line for line in points.lines() if line.startswith("things,")] for _ in range(4)]
    assert [len(each) for each in rounds] == [1000, 1000, 500, 1000]
    assert rounds[0][0] == "things,device=senml,thing=t0 online=false 1767225600000000000"
    assert rounds[2][-1] == "things,device=senml,thing=t2499 online=false 1767225600000000000"
    assert rounds[3] == rounds[0]
    assert len(health.report()["devices"]) == 1000  # type: ignore[arg-type]
