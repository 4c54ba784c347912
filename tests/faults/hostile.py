"""What the hostile tests share: a publisher of given messages, memory by /proc, what the store knows."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.e2e.load import Publisher
from tests.e2e.running import influx_query
from tests.faults.ground import Running, stored_count, until
from tests.servers.process import ServerError

MEASUREMENTS = {"senml", "gateway", "gateway_device", "things", "events"}


class Speaker(Publisher):
    """Publishes given (topic, payload) at QoS 1; `run` returns when the broker has taken all."""

    def __init__(self, port: int, messages: Sequence[tuple[str, bytes]], client_id: str = "hostile") -> None:
        super().__init__(port, client_id=client_id)
        self._messages = messages

    def message(self, number: int) -> tuple[str, bytes]:
        return self._messages[number]

    async def say(self, window: int = 50) -> None:
        await self.run(len(self._messages), window=window)


def number(value: float, name: str = "level") -> bytes:
    """A SenML pack of one number, without thing and time; the load beside it sends "temperature" and "seq"."""
    return json.dumps([{"n": name, "v": value}]).encode()


def text(value: str, name: str = "mood") -> bytes:
    return json.dumps([{"n": name, "vs": value}]).encode()


def peak_mb(running: Running) -> float:
    """The most memory the gateway process ever held, in MiB (VmHWM, Linux)."""
    for line in Path(f"/proc/{running.process.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM in /proc")


async def counted(running: Running, **stages: int) -> Any:
    """Wait until each stage has counted at least so much; the stages of that report."""

    def there() -> bool:
        found = running.process.health()["stages"]
        return all(found[stage] >= least for stage, least in stages.items())

    try:
        await until(there, f"stages {stages}", 60.0)
    except ServerError as late:
        raise AssertionError(f"{late}: {(await running.health())['stages']}") from None
    return (await running.health())["stages"]


def words(url: str, query: str) -> set[str]:
    """The first column of a SHOW query, of all its series."""
    return {str(row[0]) for series in influx_query(url, query) for row in series["values"]}


def stored(url: str, field: str) -> dict[str, list[Any]]:
    """By thing, the values of a field in time order."""
    series = influx_query(url, f'SELECT "{field}" FROM "senml" GROUP BY "thing"')
    return {row["tags"]["thing"]: [value for _, value in row["values"]] for row in series}


async def holds(url: str, field: str, expected: dict[str, list[Any]]) -> None:
    """Wait until the store has so many values of a field, then they have to be the expected ones."""
    count = sum(map(len, expected.values()))

    def there() -> bool:
        return stored_count(url, field=field) >= count

    try:
        await until(there, f"{count} values of {field}", 60.0)
    except ServerError as late:
        print(late)
    found = stored(url, field)
    assert found == expected, found
