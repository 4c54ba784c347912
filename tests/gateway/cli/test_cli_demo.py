"""`parkgate demo` as a newcomer runs it: one process, real bytes, an audit at the end."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import duckdb
import pytest

from gateway.cli.demo.broker import embedded_broker
from gateway.cli.demo.store import TypeTotals, audited
from gateway.cli.demo.view import short, value_text, values_text
from gateway.cli.main import main
from simulators.ledger import Entry, Ledger
from tests.device_types import BY_NAME

SEVEN = ("pms5003", "sds011", "nmea0183", "bci-oximeter", "senml", "ttn-v3", "vda5050")
PROGRAM = "from gateway.cli.main import run; run()"


@pytest.fixture
def ended() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes in this list are ended after the test."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def start(ended: list["subprocess.Popen[str]"], *arguments: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "demo", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ended.append(process)
    return process


def test_the_demo_ends_by_itself_with_nothing_lost(ended: list["subprocess.Popen[str]"], tmp_path: Path) -> None:
    store = tmp_path / "kept"
    demo = start(ended, "--for", "9", "--things", "9", "--seed", "3", "--state-dir", str(store))
    out, err = demo.communicate(timeout=100)
    assert demo.returncode == 0, err
    totals = json.loads(out.splitlines()[-1])
    assert list(totals) == ["things", "sent", "stored", "lost", "duplicates", "quarantined"]
    assert totals["things"] == 9
    assert totals["sent"] > 300  # the oximeter alone says 60 a second
    assert totals["stored"] == totals["sent"]
    assert (totals["lost"], totals["duplicates"]) == (0, 0)
    assert totals["quarantined"] == 0
    for name in SEVEN:
        assert f"parkgate demo: {name}: " in err
    with duckdb.connect(str(store / "parkgate.duckdb"), read_only=True) as kept:
        for table in ("pms5003", "sds011", "nmea0183", "bci_oximeter", "senml", "ttn_v3", "vda5050"):
            (rows,) = kept.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
            assert rows > 0, table
            zones = {zone for (zone,) in kept.execute(f"SELECT DISTINCT zone FROM {table}").fetchall()}
            assert zones <= {"lake", "gate", "hill", "plaza"}, table
    again = start(ended, "--for", "1", "--state-dir", str(store))
    assert again.communicate(timeout=60) == (
        "",
        f"parkgate: --state-dir: {store} holds a store already; the audit needs an empty one\n",
    )
    assert again.returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process on Windows")
def test_ctrl_c_ends_it_with_the_audit(ended: list["subprocess.Popen[str]"]) -> None:
    demo = start(ended, "--things", "7")
    assert demo.stderr is not None
    for _ in range(2):  # until it has said twice how it goes, each of them has spoken
        while "stored" not in (line := demo.stderr.readline()):
            assert line, "the demo ended before it said anything"
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    assert demo.returncode == 0, err
    totals = json.loads(out.splitlines()[-1])
    assert (totals["things"], totals["lost"], totals["duplicates"]) == (7, 0, 0)
    assert "Traceback" not in err


def test_the_picture_needs_no_network(ended: list["subprocess.Popen[str]"], tmp_path: Path) -> None:
    demo = start(ended, "--for", "2", "--things", "7", "--svg", str(tmp_path / "demo.svg"))
    _, err = demo.communicate(timeout=60)
    assert demo.returncode == 0, err
    picture = (tmp_path / "demo.svg").read_text()
    assert picture.startswith("<svg")
    assert "visitor-01" in picture
    assert "@font-face" not in picture
    assert 'url("http' not in picture


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--for", "0"], "--for: expected seconds, more than 0, got 0"),
        (["--things", "0"], "--things: expected a number from 1 to 10000, got 0"),
    ],
)
def test_numbers_out_of_range(capsys: pytest.CaptureFixture[str], arguments: list[str], line: str) -> None:
    assert main(["demo", *arguments]) == 2
    assert capsys.readouterr() == ("", f"parkgate: {line}\n")


async def test_the_embedded_broker_carries_messages_and_closes() -> None:
    async with (
        asyncio.timeout(20),
        embedded_broker() as port,
        aiomqtt.Client("127.0.0.1", port) as reader,
        aiomqtt.Client("127.0.0.1", port) as writer,
    ):
        await reader.subscribe("park/+/senml", qos=1)
        await writer.publish("park/a/senml", b"\x00\xff", qos=1)
        message = await anext(aiter(reader.messages))
    assert (str(message.topic), message.payload) == ("park/a/senml", b"\x00\xff")
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


def store_of(folder: Path, rows: list[tuple[str, str, int]]) -> Path:
    """A store with VDA 5050 rows: time, thing, header number."""
    file = folder / "parkgate.duckdb"
    with duckdb.connect(str(file)) as store:
        store.execute("CREATE TABLE vda5050(time TIMESTAMP_NS, thing VARCHAR, kind VARCHAR, header_id BIGINT)")
        if rows:
            store.executemany("INSERT INTO vda5050 VALUES (?, ?, NULL, ?)", rows)
    return file


def at(second: int) -> str:
    return f"2026-01-01 00:00:{second:02d}"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([0, 1, 2, 3], TypeTotals(things=1, sent=4, stored=4, lost=0, duplicates=0)),
        ([0, 1, 3], TypeTotals(things=1, sent=4, stored=3, lost=1, duplicates=0)),
        ([0, 1, 1, 2, 3], TypeTotals(things=1, sent=4, stored=5, lost=0, duplicates=1)),
        ([], TypeTotals(things=0, sent=4, stored=0, lost=4, duplicates=0)),
    ],
)
def test_the_audit_counts_what_the_store_holds(tmp_path: Path, stored: list[int], expected: TypeTotals) -> None:
    ledger = Ledger({"robot-01": Entry("robot-01", "vda5050", BY_NAME["vda5050"].sequence.modulus)})
    ledger.things["robot-01"].sent[()] = 4
    rows = [(at(second), "robot-01", number) for second, number in enumerate(stored)]
    assert audited(store_of(tmp_path, rows), ledger, BY_NAME) == {"vda5050": expected}


def test_the_audit_of_a_store_without_the_table_says_all_is_lost(tmp_path: Path) -> None:
    ledger = Ledger({"lamp-01": Entry("lamp-01", "pms5003", 1024)})
    ledger.things["lamp-01"].sent[()] = 3
    assert audited(store_of(tmp_path, []), ledger, BY_NAME) == {"pms5003": TypeTotals(0, 3, 0, 3, 0)}


def test_values_are_shown_as_people_read_them() -> None:
    pms5003 = BY_NAME["pms5003"]
    assert short("pm2_5_ug_m3", pms5003) == "pm2.5"
    assert value_text(pms5003, "pm2_5_ug_m3", 8.0) == "8 µg/m³"
    assert value_text(BY_NAME["sds011"], "pm2_5_ug_m3", 8.0) == "8.0 µg/m³"
    assert value_text(pms5003, "version", 151) == "151"
    shown = values_text(pms5003, {"version": 151, "pm10_ug_m3": 12.0, "pm2_5_ug_m3": 8.0}).plain
    assert shown == "pm2.5 8 µg/m³  pm10 12 µg/m³  "
    nmea = BY_NAME["nmea0183"]
    place = {"hdop": 0.9, "longitude_deg": 114.2112719, "latitude_deg": 22.42701, "course_deg": 271.5}
    assert values_text(nmea, place).plain == "latitude 22.42701 °  longitude 114.21127 °  hdop 0.9  course 271.5 °  "
    assert value_text(BY_NAME["senml"], "people_count", 2.0) == "2"
    senml = BY_NAME["senml"]
    assert (
        values_text(senml, {"parking_occupied": False, "odd_thing": 1.5}).plain
        == "parking occupied no  odd thing 1.5  "
    )
