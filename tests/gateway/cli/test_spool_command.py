"""`parkgate spool` from a person's side."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.spool import app
from gateway.cli.usage import UsageError
from gateway.config import SpoolConfig
from gateway.intake import Intake, Quarantined
from gateway.spool.open import SpoolUnusable
from gateway.spool.store import Store

NOW_NS = 1_767_225_600_000_000_000  # 2026-01-01 00:00:00 UTC


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text(f'[gateway]\nname = "park"\nstate_dir = "{tmp_path / "var"}"\n[spool]\nmax_bytes = 1000000\n')
    return file


def filled(path: Path) -> Store:
    store = Store(path, SpoolConfig(max_bytes=1_000_000), NOW_NS)
    refused = Quarantined(NOW_NS, "main", "senml", "lamp-1", "decode", "sanity", "not JSON", b"{oops")
    store.append(Intake(lines=["m v=1 1"] * 125, quarantined=[refused]), NOW_NS)
    store.append(Intake(lines=["m v=1 2"] * 125), NOW_NS + 100_000_000_000)
    return store


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_depth_is_shown_while_a_gateway_runs(tmp_path: Path, config: Path) -> None:
    path = tmp_path / "var" / "spool.db"
    store = filled(path)
    lines = said("--config", str(config)).splitlines()
    assert lines[0] == f"spool       {path}, written by a running gateway"
    assert lines[1] == "waiting     250 points in 2 rows, 2.1 KB of 1.0 MB (0.2 %)"
    assert lines[2].startswith("oldest      2026-01-01T00:00:00Z, ")
    assert lines[3] == (
        "forecast    lasts 13 h 2 min at the gross rate (these rows, none delivered); /healthz has the net rate"
    )
    assert lines[4] == "quarantine  1 items, 69 B"
    assert lines[5].startswith("disk        ")
    assert len(lines) == 6
    store.close()
    assert said("--config", str(config)).splitlines()[0] == f"spool       {path}, no gateway is running on it"
    assert sorted(file.name for file in path.parent.iterdir()) == ["spool.db", "spool.db.lock", "spool.db.reserve"]


def test_the_depth_as_json(tmp_path: Path, config: Path) -> None:
    filled(tmp_path / "var" / "spool.db").close()
    found = json.loads(said("--config", str(config), "--json"))
    assert (found["points"], found["rows"], found["bytes"], found["max_bytes"]) == (250, 2, 2126, 1_000_000)
    assert found["oldest_ns"] == NOW_NS
    assert found["lasts_s"] == pytest.approx(46_936.7, abs=0.1)
    assert (found["in_use"], found["damaged"]) == (False, [])


def test_the_quarantine_is_listed(tmp_path: Path, config: Path) -> None:
    filled(tmp_path / "var" / "spool.db").close()
    lines = said("quarantine", "--config", str(config)).splitlines()
    assert len(lines) == 1
    item = json.loads(lines[0])
    assert item["time"] == "2026-01-01T00:00:00Z"
    assert (item["thing"], item["reason"], item["data"], item["text"]) == ("lamp-1", "not JSON", "7b6f6f7073", "{oops")


def test_a_damaged_file_is_named_and_salvaged_into_the_spool_beside(tmp_path: Path, config: Path) -> None:
    path = tmp_path / "var" / "spool.db"
    filled(path).close()
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)
    Store(path, SpoolConfig(), NOW_NS).close()
    aside = f"{path}.damaged-20260101T000000Z"
    assert said("--config", str(config)).splitlines()[-1] == f"set aside   {aside}: parkgate spool salvage {aside}"
    assert said("salvage", aside).splitlines() == [
        f"250 points in 2 rows written to {path}",
        "2 rows were found in bare pages: some may have been delivered before",
        "part of the file could not be read: what stood there is lost",
    ]
    store = Store(path, SpoolConfig(), NOW_NS)
    assert store.file.totals.rows.points == 250
    with pytest.raises(SpoolUnusable, match=r"in use by another process.*; or write the points to a text file: --to"):
        said("salvage", aside)
    store.close()
    said("salvage", aside, "--to", str(tmp_path / "found.lp"))
    assert (tmp_path / "found.lp").read_text() == "m v=1 1\n" * 125 + "m v=1 2\n" * 125


def test_without_config_it_is_gateway_toml_in_the_working_folder(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "var" / "spool.db").close()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(
        UsageError, match=r"no gateway\.toml in .*/elsewhere: expected one there, or parkgate spool --c"
    ):
        said()
    with pytest.raises(UsageError, match=r"or parkgate spool quarantine --config FILE$"):
        said("quarantine")
    monkeypatch.chdir(tmp_path)
    assert config.name == "gateway.toml"
    assert "spool.db" in said()
    assert '"source"' in said("quarantine")


def test_the_option_may_stand_before_the_command(tmp_path: Path, config: Path) -> None:
    filled(tmp_path / "var" / "spool.db").close()
    assert said("--config", str(config), "quarantine") == said("quarantine", "--config", str(config)) != ""


def test_mistakes_are_said(tmp_path: Path, config: Path) -> None:
    with pytest.raises(SpoolUnusable, match=r"there is no spool at .*/var/spool\.db: the gateway makes it"):
        said("--config", str(config))
    with pytest.raises(UsageError, match=r"FILE x: expected a spool file"):
        said("salvage", "x", "--to", "found.txt")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "spool.db").write_bytes(b"nonsense" * 1000)
    with pytest.raises(SpoolUnusable, match=r"is damaged \(file is not a database\): the gateway sets it aside when"):
        said("--config", str(config))
