"""Things that are asked, under watch: each has its own silence, and its layer says what to look at."""

from pathlib import Path

import pytest

from gateway.stats import DeviceStats
from tests.gateway.watched import World

PORT = "serial:/dev/x"


class Line(World):
    """Two meters on one line, asked every second."""

    def __init__(self, path: Path, **rules: float | bool) -> None:
        super().__init__(path, **rules)
        self.near = self.add("near", 1.0, source=PORT, device="sdm120")
        self.far = self.add("far", 1.0, source=PORT, device="sdm120")
        self.watchdog.port(self.port, 69, asked=True)

    def told(self, thing: str) -> str:
        return next(fault.text for (_, name), fault in self.watchdog.faults.open.items() if name == thing)

    async def fail(self, seconds: int, **each_second: int | str) -> None:
        """Time passes in which `near` answers and `far` has this happen every second."""
        for _ in range(seconds):
            for name, more in each_second.items():
                now = getattr(self.far, name)
                setattr(self.far, name, more if isinstance(more, str) else now + more)
            await self.live(1, {"near": 1.0})


@pytest.mark.parametrize(
    ("happens", "layer", "words"),
    [
        ({"unanswered": 1}, "device", "asked 11 times, no answer; is it powered and wired (A and B swapped?)"),
        (
            {"unanswered": 1, "integrity_errors": 1},
            "integrity",
            "11 answers came and all fail the check; have two devices this unit number?",
        ),
        (
            {"unanswered": 1, "noise_bytes": 9},
            "framing",
            "99 bytes came that are no answer of a sdm120; is the type right",
        ),
        (
            {"sanity_errors": 1, "last_error": "refused with exception 2, illegal data address: …"},
            "sanity",
            "it answers and that is no reading, 11 times; the last: refused with exception 2, illegal data address",
        ),
    ],
)
async def test_the_silence_of_one_is_its_own(tmp_path: Path, happens: dict[str, int], layer: str, words: str) -> None:
    world = Line(tmp_path)
    world.speak("far")
    await world.live(2, {"near": 1.0, "far": 1.0})
    await world.fail(11, **happens)
    assert world.open_layers() == [layer]
    assert words in world.told("far")
    assert world.far.silent
    assert not world.near.silent
    assert world.port.reopened == []  # others on the line answer
    await world.live(2, {"near": 1.0, "far": 1.0})
    assert world.open_layers() == []
    assert [title for _, _, title in world.events()] == ["far is silent", "far: speaks again"]


async def test_where_nobody_answers_the_port_is_opened_again(tmp_path: Path) -> None:
    world = Line(tmp_path)
    await world.live(3, {"near": 1.0, "far": 1.0})
    await world.live(15)
    assert world.open_layers() == ["device", "device"]
    assert len(world.port.reopened) >= 1


async def test_a_port_that_is_gone_is_the_ports_fault(tmp_path: Path) -> None:
    world = Line(tmp_path)
    await world.live(3, {"near": 1.0, "far": 1.0})
    world.port.is_open = False
    await world.live(15)
    assert world.open_layers() == ["port", "port"]
    assert isinstance(world.near, DeviceStats)
