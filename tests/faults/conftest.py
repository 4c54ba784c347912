"""The gateway under fault: started with a config, ended with the test."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.running import GatewayProcess
from tests.faults.ground import Running

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
