"""The harness itself: a broker starts, answers, keeps its port over a restart and ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.mosquitto import Mosquitto
from tests.servers.process import Process, ServerError, answers_tcp, free_port


def test_answers_keeps_its_port_and_ends(start_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = start_mosquitto(persistence=True)
    first = broker.process.pid
    assert answers_tcp(broker.port)
    broker.restart(hard=True)
    assert broker.process.pid != first
    assert answers_tcp(broker.port)
    broker.stop()
    assert not answers_tcp(broker.port)
    assert not broker.process.running


def test_save_writes_the_queues(fresh_mosquitto: Mosquitto) -> None:
    fresh_mosquitto.save()
    assert (fresh_mosquitto.directory / "mosquitto.db").exists()


def test_shared_broker_is_up(mosquitto: Mosquitto) -> None:
    assert answers_tcp(mosquitto.port)


def test_a_server_that_ends_says_why(start_mosquitto: Callable[..., Mosquitto]) -> None:
    with pytest.raises(ServerError, match="Unknown configuration variable"):
        start_mosquitto(config=["no_such_setting true"])


def test_a_missing_answer_is_an_error(tmp_path: Path) -> None:
    process = Process("sleeper", ["sleep", "60"], tmp_path / "log", lambda: answers_tcp(free_port()))
    with pytest.raises(ServerError, match="did not answer within"):
        process.start(seconds=0.2)
    assert not process.running
