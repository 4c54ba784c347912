"""The ledger: bounded, for this user only, set aside where it is damaged."""

import logging
import stat
from pathlib import Path

import pytest

from gateway.commands import Entry, Ledger, LedgerUnusable, read
from gateway.commands.ledger import LedgerFull
from gateway.state import LinkRefused

NOW = 1_767_225_600_000_000_000
DAY = 86_400_000_000_000


def entry(name: str, asked_ns: int = NOW, *, key: str | None = None, sent: bool = True, ended: bool = True) -> Entry:
    found = Entry(name, "lamp", "mqtt:main", "senml", "light", {"level_pct": 5.0}, key, "alice", "api", asked_ns)
    found.sent = sent
    found.ended_ns = asked_ns + 1 if ended else None
    return found


def ids(ledger: Ledger) -> list[str]:
    return [each.id for each in ledger.newest(1000)]


def test_what_is_written_is_read_by_others_too(tmp_path: Path) -> None:
    file = tmp_path / "commands.db"
    assert read(file, 10) == []
    ledger = Ledger(file, 30, NOW)
    one = entry("a", ended=False)
    ledger.add(one)
    one.state, one.why, one.ended_ns = "done", "well", NOW + 5
    ledger.change(one)
    ledger.add(entry("b", key="k"))
    assert [each.id for each in read(file, 10)] == ["b", "a"]
    assert read(file, 10, "lamp")[1] == one
    assert read(file, 10, "other") == []
    assert ledger.find("a") == one
    assert ledger.find("c") is None
    assert [each.id for each in ledger.newest(1, before=2)] == ["a"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ledger.close()


def test_a_key_is_that_of_what_was_sent(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "commands.db", 30, NOW)
    ledger.add(entry("a", key="k", sent=False))
    assert ledger.by_key("k") is None
    ledger.add(entry("b", key="k"))
    found = ledger.by_key("k")
    assert found is not None
    assert found.id == "b"
    ledger.close()


def test_what_is_too_old_is_forgotten(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "commands.db", 2, NOW)
    ledger.add(entry("old"))
    ledger.add(entry("young", NOW + DAY))
    ledger.add(entry("new", NOW + 2 * DAY + 1))
    assert ids(ledger) == ["new", "young"]
    ledger.close()


def test_room_is_made_by_what_was_never_sent_then_by_what_is_a_day_old(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "commands.db", 30, NOW, most=4)
    ledger.add(entry("sent"))
    for number in range(3):
        ledger.add(entry(f"refused-{number}", NOW + number, sent=False))
    ledger.add(entry("more", NOW + 10))
    assert ids(ledger) == ["more", "refused-2", "refused-1", "sent"]
    ledger.add(entry("more-2", NOW + 11))
    ledger.add(entry("more-3", NOW + 12))
    assert ids(ledger) == ["more-3", "more-2", "more", "sent"]
    with pytest.raises(LedgerFull, match="4 commands were given in the last day"):
        ledger.add(entry("more-4", NOW + 13))
    ledger.add(entry("more-4", NOW + DAY + 5))
    assert ids(ledger) == ["more-4", "more-3", "more-2", "more"]
    ledger.close()


def test_what_was_under_way_when_the_gateway_ended_has_timed_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "commands.db", 30, NOW)
    ledger.add(entry("a", key="k", ended=False))
    ledger.close()
    ledger = Ledger(tmp_path / "commands.db", 30, NOW + 7)
    found = ledger.by_key("k")
    assert found is not None
    assert (found.state, found.ended_ns) == ("timed_out", NOW + 7)
    assert found.over.is_set()
    ledger.close()


@pytest.mark.parametrize(
    "damage", [b"no database at all, but long enough to be looked at", b"SQLite format 3\x00" + b"x" * 4096]
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes) -> None:
    file = tmp_path / "commands.db"
    file.write_bytes(damage)
    with caplog.at_level(logging.ERROR):
        ledger = Ledger(file, 30, NOW)
    ledger.add(entry("a"))
    assert ids(ledger) == ["a"]
    ledger.close()
    assert (tmp_path / "commands.db.damaged-1767225600").read_bytes() == damage
    assert "its keys do not hold any more" in caplog.text


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnusable, match="expected a file of the gateway's own"):
        Ledger(tmp_path / "nowhere" / "commands.db", 30, NOW)
    (tmp_path / "commands.db").symlink_to(tmp_path / "other")
    with pytest.raises(LinkRefused):
        Ledger(tmp_path / "commands.db", 30, NOW)
    (tmp_path / "text").write_text("x" * 100)
    with pytest.raises(LedgerUnusable, match="cannot be read"):
        read(tmp_path / "text", 10)
