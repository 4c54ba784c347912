"""A board that nobody has described: from `parkgate learn` to a stored reading, by the documented commands."""

import contextlib
import os
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from gateway.cli.learn.add import HEAD
from tests.e2e.running import GatewayProcess
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import wait_until

PARKGATE = [sys.executable, "-c", "from gateway.cli.main import run; run()"]


@contextlib.contextmanager
def every_50_ms(act: Callable[[], object]) -> Iterator[None]:
    """Act again and again, as a board prints its lines, until this is left."""
    over = threading.Event()

    def loop() -> None:
        while not over.wait(0.05):
            act()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def board(line: bytes) -> Iterator[str]:
    """A pty on which a board prints `line` again and again; the port's name."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)

    def print_line() -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(master, line)

    try:
        with every_50_ms(print_line):
            yield os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


def learned(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`parkgate learn … --write` in an empty folder, then `parkgate check`."""
    folder.mkdir()
    done = subprocess.run(
        [*PARKGATE, "learn", *arguments, "--write"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    checked = subprocess.run(
        [*PARKGATE, "check", "gateway.toml"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stderr
    return done


def stored(folder: Path, sql: str) -> list[tuple[object, ...]]:
    """Run the gateway of the folder until something is stored, end it, and ask its store."""
    running = GatewayProcess(folder, (folder / "gateway.toml").read_text().removeprefix(HEAD))
    try:
        running.start()
        wait_until(lambda: running.health()["stages"]["written"] >= 40, "readings in the store", 60.0)
    finally:
        running.stop()
    (store,) = folder.rglob("*.duckdb")
    with duckdb.connect(str(store), read_only=True) as file:
        return file.execute(sql).fetchall()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals on Windows")
@pytest.mark.parametrize(
    ("line", "columns", "row"),
    [
        (b"temp=21.5,hum=40\r\n", "temperature_c, humidity_pct", (21.5, 40.0)),
        (b'{"t":21.5,"h":40}\n', "temperature_c, humidity_pct", (21.5, 40.0)),
        (b"21.5;40\n", "value_1, value_2", (21.5, 40.0)),
    ],
)
def test_a_board_that_prints_lines_is_stored(tmp_path: Path, line: bytes, columns: str, row: tuple[float, ...]) -> None:
    with board(line) as port:
        done = learned(tmp_path / "bench", "--port", port, "--name", "lamp-node", "--thing", "lamp-1")
        assert "[[type]]\n" in done.stdout
        assert "# lamp_node,thing=lamp-1 " in done.stdout
        found = stored(tmp_path / "bench", f"SELECT DISTINCT thing, {columns} FROM lamp_node")
    assert found == [("lamp-1", *row)]


def test_a_board_that_publishes_json_is_stored(tmp_path: Path, mosquitto: Mosquitto) -> None:
    import paho.mqtt.client as paho

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="lamp-1")
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    topic = f"{tmp_path.name}/lamp-1/state"
    try:
        with every_50_ms(lambda: client.publish(topic, b'{"temperature":21.5}')):
            done = learned(
                tmp_path / "bench", "--mqtt", mosquitto.url, "--topic", f"{tmp_path.name}/#",
                "--name", "lamp-node", "--for", "2",
            )  # fmt: skip
            assert f'topic = "{tmp_path.name}/{{thing}}/state"' in done.stdout
            found = stored(tmp_path / "bench", "SELECT DISTINCT thing, temperature_c FROM lamp_node")
    finally:
        client.loop_stop()
    assert found == [("lamp-1", 21.5)]
