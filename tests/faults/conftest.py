"""The gateway under fault: started with a config, ended with the test; and its time of day."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.running import GatewayProcess
from tests.faults.ground import Running
from tests.faults.timeofday import TimeOfDay, library

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Start]:
    """`await gateway(config)`: start a gateway process, subscribed unless `subscribed` is False."""
    started: list[GatewayProcess] = []

    async def start(config: str, *, subscribed: bool = True, env: dict[str, str] | None = None) -> Running:
        process = GatewayProcess(tmp_path / f"gateway-{len(started)}", config, env)
        started.append(process)
        running = Running(process)
        await running.start()
        if subscribed:
            await running.subscribed()
        return running

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def time_of_day(tmp_path: Path) -> TimeOfDay:
    """For one process: `await gateway(config, env=time_of_day.env)`."""
    return TimeOfDay(library(), tmp_path / "time-of-day")
