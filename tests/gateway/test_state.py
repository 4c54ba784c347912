"""The state folder is for the gateway's own user only, and no link in it is followed."""

import asyncio
import logging
import os
import sqlite3
import sys
from pathlib import Path

import pytest

from gateway.app import Gateway, StartError
from gateway.config import SpoolConfig, load
from gateway.intake import Batch, Intake
from gateway.sinks.local.store import LocalSink, LocalStoreError
from gateway.sources.mqtt.filters import AskedFilters
from gateway.spool.aside import bound, set_aside
from gateway.spool.open import SpoolUnusable
from gateway.spool.peek import look
from gateway.spool.salvage import salvage
from gateway.spool.store import Store
from gateway.state import private_folder

NOW_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00:00 UTC
MODES = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of owner, group and others")


def modes(folder: Path) -> dict[str, str]:
    return {file.name: f"{file.stat().st_mode & 0o7777:04o}" for file in sorted(folder.iterdir())}


def configured(tmp_path: Path, more: str = "") -> Gateway:
    file = tmp_path / "gateway.toml"
    file.write_text(
        f"""
        [gateway]
        state_dir = "state"
        listen = "127.0.0.1:0"
        [mqtt.main]
        url = "mqtt://127.0.0.1:9"
        client_id = "gw"
        [[mqtt.main.subscription]]
        topic = "park/{{thing}}"
        device = "senml"
        {more}
        """
    )
    return Gateway(load(file, {}))


async def ended(gateway: Gateway) -> None:
    """Run it for as long as it takes to start and stop."""
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    await gateway.ready.wait()
    stop.set()
    await running


@MODES
async def test_nobody_else_can_read_what_a_gateway_stores(tmp_path: Path) -> None:
    gateway = configured(tmp_path)
    await gateway.sink.open()
    await gateway.sink.write(Batch(1, 1, 1, b"pulse,thing=bed-4 pulse_bpm=71 1"))
    AskedFilters(tmp_path / "state" / "subscriptions.json", "mqtt:main").write(["park/+"])
    state = tmp_path / "state"
    assert f"{state.stat().st_mode & 0o7777:04o}" == "0700"
    assert modes(state) == {
        "parkgate.duckdb": "0600",
        "parkgate.duckdb.wal": "0600",
        "spool.db": "0600",
        "spool.db-shm": "0600",
        "spool.db-wal": "0600",
        "spool.db.lock": "0600",
        "spool.db.reserve": "0600",
        "subscriptions.json": "0600",
    }
    await ended(gateway)


@MODES
async def test_what_an_earlier_version_left_open_is_closed_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    gateway = configured(tmp_path)
    await gateway.sink.open()
    AskedFilters(state / "subscriptions.json", "mqtt:main").write(["park/+"])
    await ended(gateway)
    (state / "spool.db.damaged-20250101T000000Z").write_bytes(b"?")
    (state / "map.geojson").write_text("{}")
    for file in state.iterdir():
        file.chmod(0o644)
    state.chmod(0o755)
    caplog.clear()
    gateway = configured(tmp_path)
    await ended(gateway)
    assert f"{state.stat().st_mode & 0o7777:04o}" == "0700"
    found = modes(state)
    assert found.pop("map.geojson") == "0644", "what is not ours is left alone"
    assert set(found.values()) == {"0600"}
    assert "spool.db.damaged-20250101T000000Z" in found
    said = [record.getMessage() for record in caplog.records if record.name == "parkgate.state"]
    assert said == [
        f"others could look into {state}: now it is for this user only",
        f"others could read spool.db, spool.db.lock, spool.db.reserve, spool.db.damaged-20250101T000000Z in {state}:"
        " now only this user can",
        f"others could read subscriptions.json in {state}: now only this user can",
        f"others could read parkgate.duckdb in {state}: now only this user can",
    ]
    caplog.clear()
    await ended(configured(tmp_path))
    assert not [record for record in caplog.records if record.name == "parkgate.state"]


@MODES
def test_a_folder_that_is_not_for_state_alone_keeps_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    shared, above = tmp_path / "shared", tmp_path / "srv"
    (above / "work").mkdir(parents=True)
    shared.mkdir()
    monkeypatch.chdir(above / "work")
    for folder, mode in ((shared, 0o1777), (above, 0o755)):
        folder.chmod(mode)
        private_folder(folder)
        assert folder.stat().st_mode & 0o7777 == mode
        assert f"others may look into {folder}, which is not for state alone" in caplog.text


@MODES
def test_a_folder_that_is_the_home_of_the_gateways_user_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in the container: state, home and working folder are one."""
    tmp_path.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    private_folder(tmp_path)
    assert f"{tmp_path.stat().st_mode & 0o7777:04o}" == "0700"
    assert caplog.messages == [f"others could look into {tmp_path}: now it is for this user only"]


@pytest.mark.parametrize("name", ["spool.db", "spool.db-wal", "spool.db-shm", "spool.db.lock", "subscriptions.json"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_state_folder_is_refused_in_one_line(tmp_path: Path, name: str, there: bool) -> None:
    target = tmp_path / "elsewhere"
    if there:
        target.write_bytes(b"precious")
    (tmp_path / "state").mkdir()
    link = tmp_path / "state" / name
    link.symlink_to(target)
    with pytest.raises(StartError) as caught:
        configured(tmp_path)
    assert str(caught.value) == (
        f"{link} is a symbolic link to {target}; expected a file of the gateway's own: remove the link "
        "(first move the file here, if it is wanted), or choose another place for it"
    )
    assert target.exists() is there
    assert not there or target.read_bytes() == b"precious"


@pytest.mark.parametrize("ending", ["", ".wal"])
async def test_a_link_in_place_of_the_local_store_is_refused(tmp_path: Path, ending: str) -> None:
    target, link = tmp_path / "elsewhere", tmp_path / f"park.duckdb{ending}"
    link.symlink_to(target)
    sink = LocalSink(tmp_path / "park.duckdb")
    with pytest.raises(LocalStoreError, match=r"is a symbolic link to .*: remove the link"):
        await sink.open()
    assert not target.exists()
    await sink.close()


async def test_a_state_folder_that_is_a_link_is_the_users_choice(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "disk")
    await ended(configured(tmp_path))
    assert (tmp_path / "disk" / "spool.db").is_file()
    assert (tmp_path / "state").is_symlink()


def test_the_spool_command_does_not_follow_a_link(tmp_path: Path) -> None:
    Store(tmp_path / "other.db", SpoolConfig(), NOW_NS).close()
    (tmp_path / "spool.db").symlink_to(tmp_path / "other.db")
    with pytest.raises(SpoolUnusable, match=r"spool\.db is a symbolic link"):
        look(tmp_path / "spool.db", 1_000_000)


@MODES
def test_what_salvage_writes_is_for_this_user_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "spool.db", SpoolConfig(), NOW_NS)
    store.append(Intake(lines=["pulse,thing=bed-4 pulse_bpm=71 1"]), NOW_NS)
    store.close()
    salvage(tmp_path / "spool.db", tmp_path / "found.lp", NOW_NS)
    assert modes(tmp_path)["found.lp"] == "0600"
    assert (tmp_path / "found.lp").read_text() == "pulse,thing=bed-4 pulse_bpm=71 1\n"


# -- damaged spools that were set aside --------------------------------------------------------


def damaged(path: Path, at_s: int, max_bytes: int = 1 << 30, size: int = 8192) -> Path:
    path.write_bytes(bytes(size))
    path.with_name(path.name + "-wal").write_bytes(bytes(4096))
    return set_aside(path, NOW_NS + at_s * 1_000_000_000, max_bytes)


def test_of_damaged_spools_five_stay_and_the_oldest_go_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "spool.db"
    for at_s in (0, 1, 2, 2, 2, 2, 3):
        damaged(path, at_s)
    (tmp_path / "spool.db.damaged-20260101T000000Z.lp").write_text("salvaged")
    assert sorted(file.name for file in tmp_path.glob("*Z*") if not file.name.endswith("-wal")) == [
        "spool.db.damaged-20260101T000000Z.lp",
        "spool.db.damaged-20260101T000002Z",
        "spool.db.damaged-20260101T000002Z-2",
        "spool.db.damaged-20260101T000002Z-3",
        "spool.db.damaged-20260101T000002Z-4",
        "spool.db.damaged-20260101T000003Z",
    ]
    assert len(list(tmp_path.glob("*-wal"))) == 5
    assert caplog.messages == [
        f"removed {path}.damaged-2026010{day}: of damaged spools that were set aside, "
        "5 and 1073741824 bytes stay at most"
        for day in ("1T000000Z", "1T000001Z")
    ]


def test_damaged_spools_are_bounded_in_bytes_but_for_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    for at_s in range(3):
        damaged(path, at_s, max_bytes=2 * 12_288)
    assert [file.name[-3:] for file in sorted(tmp_path.glob("*Z"))] == ["01Z", "02Z"]
    newest = damaged(path, 9, max_bytes=1000, size=100_000)
    assert list(tmp_path.glob("*Z")) == [newest]
    bound(path, 1000)
    assert newest.exists()


def test_the_newest_stays_though_the_clock_has_gone_back(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    for at_s in range(10, 15):
        damaged(path, at_s)
    newest = damaged(path, 0)
    assert newest.exists()
    assert [file.name[-3:] for file in sorted(tmp_path.glob("*Z"))] == ["00Z", "11Z", "12Z", "13Z", "14Z"]


def test_a_pile_of_an_earlier_version_is_bounded_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    for day in range(1, 10):
        (tmp_path / f"spool.db.damaged-2025010{day}T000000Z").write_bytes(bytes(100))
    Store(path, SpoolConfig(), NOW_NS).close()
    assert "".join(file.name[-9] for file in sorted(tmp_path.glob("*Z"))) == "56789"
    assert sqlite3.connect(path).execute("SELECT count(*) FROM row").fetchone() == (0,)


@MODES
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_is_told_whose_the_spool_is(tmp_path: Path) -> None:
    path = tmp_path / "state" / "spool.db"
    Store(path, SpoolConfig(), NOW_NS).close()
    os.seteuid(65534)
    try:
        with pytest.raises(SpoolUnusable) as caught:
            look(path, 1_000_000)
    finally:
        os.seteuid(0)
    assert str(caught.value) == (
        f"spool {path}: permission denied: it is for the gateway's own user only, run this as that user"
    )
