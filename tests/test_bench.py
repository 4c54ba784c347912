"""The benchmarks run, and what they print for other programs keeps its form. Figures are not judged here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sys.executable).with_name("parkgate")


def bench(*words: str) -> Any:
    """The one JSON object that is alone on standard output."""
    done = subprocess.run([COMMAND, "bench", *words, "--json"], capture_output=True, text=True, timeout=100.0)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.services("mosquitto", "influxd")
@pytest.mark.parametrize("qos", [0, 1])
def test_ingest_loses_nothing_and_prints_its_figures(qos: int) -> None:
    figures = bench("ingest", "--qos", str(qos), "--count", "3000", "--things", "50")
    assert list(figures) == [
        "qos", "null_msgs_per_s", "gateway_msgs_per_s", "ratio", "cpu_us_per_msg", "rss_mb",
        "sent", "stored", "lost", "duplicates",
    ]  # fmt: skip
    assert [figures[key] for key in ("qos", "sent", "stored", "lost", "duplicates")] == [qos, 3000, 3000, 0, 0]


@pytest.mark.services("influxd")
def test_serial_loses_no_good_frame() -> None:
    figures = bench("serial", "--ports", "4", "--seconds", "1")
    assert figures["lost"] == 0
    assert figures["stored"] == figures["readings"] >= figures["good_frames"] > 500


def test_a_wrong_word_is_said_in_one_line() -> None:
    done = subprocess.run([COMMAND, "bench", "ingest", "--protocol", "4"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "parkgate: --protocol 4: expected 5 or 3.1.1\n"
