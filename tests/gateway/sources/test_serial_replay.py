"""Recordings: what a source hands over can be written down and played back."""

import asyncio
import io
from pathlib import Path

import pytest

from gateway.config import load
from gateway.sources.replay import Recorder, ReplayError, ReplaySource, recorded
from gateway.stats import SourceStats
from tests.gateway.ports import FRAME_08, FRAME_09, VALUES_08, VALUES_09, Remembering
from tests.gateway.virtual import VirtualClock

RECORDING = """\
# parkgate recording 1
0.000000 aac009000900
1.500000 58d943ab

# the port went away
61.500000 aac00800080058d941ab
"""


def written(path: Path, text: str) -> Path:
    file = path / "lamp.rec"
    file.write_text(text)
    return file


def test_what_is_handed_over_is_written_down_first() -> None:
    file, clock, intake = io.StringIO(), VirtualClock(), Remembering()
    recorder = Recorder(intake, file, clock)
    clock.pass_by(100.0)
    assert recorder.bytes(FRAME_09[:6]) == 0
    clock.pass_by(1.5)
    assert recorder.bytes(FRAME_09[6:]) == 1
    recorder.closed()
    assert file.getvalue() == (
        "# parkgate recording 1\n0.000000 aac009000900\n1.500000 58d943ab\n# the port went away\n"
    )
    assert intake.values == [VALUES_09]
    assert intake.closings == 1


async def test_a_recording_is_played_at_its_own_pace(tmp_path: Path) -> None:
    clock, intake, stats = VirtualClock(), Remembering(), SourceStats("replay")
    source = ReplaySource(written(tmp_path, RECORDING), intake, clock, stats)
    assert source.name == f"replay:{tmp_path}/lamp.rec"
    task = asyncio.create_task(source.run())
    await clock.advance(1.4)
    assert intake.raw == FRAME_09[:6]
    await clock.advance(0.1)
    assert intake.values == [VALUES_09]
    await clock.advance(59.9)
    assert len(intake.values) == 1
    await clock.advance(0.1)
    await task
    assert intake.values == [VALUES_09, VALUES_08]
    assert intake.closings == 2  # where the port went away, and at the end
    assert stats.bytes_in == 20
    assert stats.state == "down: the recording has been played"


async def test_twice_as_fast_and_as_fast_as_can_be(tmp_path: Path) -> None:
    file = written(tmp_path, RECORDING)
    clock, intake = VirtualClock(), Remembering()
    task = asyncio.create_task(ReplaySource(file, intake, clock, SourceStats("replay"), speed=2.0).run())
    await clock.advance(30.7)
    assert len(intake.values) == 1
    await clock.advance(0.1)
    await task
    assert len(intake.values) == 2
    intake = Remembering()
    await ReplaySource(file, intake, VirtualClock(), SourceStats("replay"), speed=None).run()
    assert intake.raw == FRAME_09 + FRAME_08


async def test_again_and_again_and_waiting_for_a_file_that_can_be_played(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, clock, intake, stats = written(tmp_path, RECORDING), VirtualClock(), Remembering(), SourceStats("replay")
    task = asyncio.create_task(ReplaySource(file, intake, clock, stats, repeat=True).run())
    await clock.advance(61.5 + 1.0 + 1.5)
    assert intake.values == [VALUES_09, VALUES_08, VALUES_09]
    assert stats.state == "up"
    file.write_text("0.0 zz\n")
    await clock.advance(62.0)
    wrong = f"{file}, line 1: expected seconds and bytes in hex, got '0.0 zz'"
    await clock.advance(10.0)
    assert stats.state == f"down: {wrong}"
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [wrong]
    written(tmp_path, RECORDING)
    await clock.advance(2.5)
    assert stats.state == "up"
    task.cancel()


async def test_stopping_ends_it_before_the_next_piece(tmp_path: Path) -> None:
    clock, intake = VirtualClock(), Remembering()
    source = ReplaySource(written(tmp_path, RECORDING), intake, clock, SourceStats("replay"))
    task = asyncio.create_task(source.run())
    await clock.advance(0.5)
    source.stop_reading()
    await clock.advance(1.0)
    await task
    assert intake.raw == FRAME_09[:6]
    assert intake.closings == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.0 zz\n", "line 1: expected seconds and bytes in hex, got '0.0 zz'"),
        ("0.0\n", "line 1: expected seconds and bytes in hex, got '0.0'"),
        ("1.0 00\n0.5 00\n", "line 2: expected seconds from 1.000000 on and bytes in hex, got '0.5 00'"),
        ("nan 00\n", "line 1: expected seconds from 0.000000 on and bytes in hex, got 'nan 00'"),
        ("0.0 00 00\n", "line 1: expected seconds from 0.000000 on and bytes in hex, got '0.0 00 00'"),
    ],
)
def test_what_is_wrong_with_a_recording_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ReplayError) as caught:
        list(recorded(file))
    assert str(caught.value) == f"{file}, {words}"


def test_a_recording_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"none\.rec: cannot be read: No such file or directory"):
        list(recorded(tmp_path / "none.rec"))
    binary = tmp_path / "binary.rec"
    binary.write_bytes(b"\xaa\xc0")
    with pytest.raises(ReplayError, match=r"binary\.rec: not a recording"):
        list(recorded(binary))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_recording_that_an_editor_has_saved(tmp_path: Path, encoding: str, end: str) -> None:
    file = tmp_path / "lamp.rec"
    text = "# parkgate recording 1\n# Größe\n0.0 424d\n# the port went away\n0.5 001c\n"
    file.write_bytes(text.replace("\n", end).encode(encoding))
    assert list(recorded(file)) == [(0.0, b"BM"), (0.0, b""), (0.5, b"\x00\x1c")]
    (tmp_path / "gateway.toml").write_text('[[serial]]\nport = "replay:lamp.rec"\ndevice = "pms5003"\nthing = "lamp"\n')
    assert load(tmp_path / "gateway.toml", {}).serial[0].port == f"replay:{file}"
