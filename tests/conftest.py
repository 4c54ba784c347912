"""Fixtures shared by all rooms: real servers, and what happens where one is not installed.

A test says which servers it needs by using a fixture (`mosquitto`, `fresh_influxd`, ...) or by
`@pytest.mark.services("mosquitto", "influxd")` where it starts its own; `docker-compose`, which
reads the compose files, is asked for in the same way. Where a binary is missing those tests are
skipped and the summary says so in one line; with PARKGATE_REQUIRE_SERVICES=1 they fail instead.
"""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import find_binary, on_free_port

# The same cases every time, however slow the machine: a red run is then a change, not luck.
# PARKGATE_FUZZ=20000 tries new ones (tests/fuzz/effort.py).
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

SERVERS = ("mosquitto", "influxd")
PACKAGES = {"mosquitto": "mosquitto", "influxd": "influxdb", "docker-compose": "docker-compose", "faketime": "faketime"}
"""Binary to Debian package."""

WANTING = pytest.StashKey[set[str]]()
NOT_INSTALLED = "not installed"


@pytest.fixture(autouse=True)
def _logs_go_where_they_went() -> Iterator[None]:
    """A command run in this process logs to the stderr of its own test, and not in those behind it."""
    yield
    for handler in logging.root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            logging.root.removeHandler(handler)
    logging.captureWarnings(False)


def _needs(item: pytest.Item) -> set[str]:
    """The binaries a test needs, by its fixtures and its marker."""
    fixtures = getattr(item, "fixturenames", ())
    needs = {name for name in SERVERS for fixture in fixtures if name in fixture}
    if "time_of_day" in fixtures:
        needs.add("faketime")
    for marker in item.iter_markers("services"):
        needs |= set(marker.args or SERVERS)
    return needs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    present = {name: find_binary(name) is not None for name in PACKAGES}
    for item in items:
        needs = _needs(item)
        if needs and item.get_closest_marker("services") is None:
            item.add_marker(pytest.mark.services(*sorted(needs)))
        item.stash[WANTING] = {name for name in needs if not present[name]}


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanting: set[str] = item.stash.get(WANTING, set())
    if not wanting:
        return
    missing = sorted(wanting)
    named = " and ".join(missing)
    if os.environ.get("PARKGATE_REQUIRE_SERVICES") == "1":
        packages = " ".join(PACKAGES[name] for name in missing)
        pytest.fail(f"{named} missing and PARKGATE_REQUIRE_SERVICES=1; apt-get install {packages}", pytrace=False)
    pytest.skip(f"{NOT_INSTALLED}: {named}")


def _missing(report: pytest.TestReport) -> str | None:
    """The missing binaries that a skipped test names, else None."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _, found, names = report.longrepr[2].partition(f"{NOT_INSTALLED}: ")
        return names if found else None
    return None


def pytest_report_teststatus(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
    if isinstance(report, pytest.TestReport) and _missing(report):
        return NOT_INSTALLED, "s", "SKIPPED"
    return None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line: what is missing, how many tests that skips, from where, what to install."""
    reports: list[pytest.TestReport] = terminalreporter.stats.get(NOT_INSTALLED, [])
    if not reports:
        return
    missing = sorted({name for report in reports for name in (_missing(report) or "").split(" and ")})
    files = sorted({report.nodeid.partition("::")[0] for report in reports})
    verb = "is" if len(missing) == 1 else "are"
    terminalreporter.write_line(
        f"{' and '.join(missing)} {verb} missing: {len(reports)} tests skipped ({', '.join(files)}); "
        f"apt-get install {' '.join(PACKAGES[name] for name in missing)}",
        yellow=True,
    )


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One broker for the whole run, without persistence. Keep to topics and client ids of your own."""
    server = on_free_port(lambda port: Mosquitto(tmp_path_factory.mktemp("mosquitto"), port))
    yield server
    server.stop()


@pytest.fixture
def start_mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Start a broker of this test's own, with the options of `Mosquitto`; ended with the test."""
    started: list[Mosquitto] = []

    def start(**options: Any) -> Mosquitto:
        directory = tmp_path / f"mosquitto-{len(started)}"
        server = on_free_port(lambda port: Mosquitto(directory, port, **options))
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def fresh_mosquitto(start_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """A broker of this test's own, with persistence: it may be stopped, killed and restarted."""
    return start_mosquitto(persistence=True)


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """One influxd for the whole run, without auth. Keep to a database of your own."""
    server = on_free_port(lambda port: Influxd(tmp_path_factory.mktemp("influxd"), port))
    yield server
    server.stop()


@pytest.fixture
def start_influxd(tmp_path: Path) -> Iterator[Callable[..., Influxd]]:
    """Start an influxd of this test's own, with the options of `Influxd`; ended with the test."""
    started: list[Influxd] = []

    def start(**options: Any) -> Influxd:
        directory = tmp_path / f"influxd-{len(started)}"
        server = on_free_port(lambda port: Influxd(directory, port, **options))
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def fresh_influxd(start_influxd: Callable[..., Influxd]) -> Influxd:
    """An influxd of this test's own: it may be stopped, killed and restarted."""
    return start_influxd()
