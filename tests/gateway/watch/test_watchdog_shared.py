"""Several things on one port, under watch: the silence of one is its own, that of all is the port's."""

from pathlib import Path

from tests.gateway.watched import World

PORT = "serial:/dev/x"


class Link(World):
    """A radio with two vehicles behind it."""

    def __init__(self, path: Path, **rules: float | bool) -> None:
        super().__init__(path, **rules)
        self.own = self.add("mast", 1.0, source=PORT, device="mavlink")
        self.watchdog.port(self.port, 280)
        for name in ("mast-1-1", "mast-2-1"):
            self.add(name, 1.0, source=PORT, device="mavlink").port = self.own

    def speak(self, thing: str, readings: int = 1) -> None:
        super().speak(thing, readings)
        self.own.others += readings
        self.own.last_seen_ns = self.clock.now_ns()

    def told(self, thing: str) -> str:
        return next(fault.text for (_, name), fault in self.watchdog.faults.open.items() if name == thing)


async def test_the_port_is_heard_when_one_of_its_things_is(tmp_path: Path) -> None:
    world = Link(tmp_path)
    await world.live(60, {"mast-1-1": 1.0, "mast-2-1": 1.0})
    assert world.events() == []
    assert world.watchdog.silent == 0


async def test_the_silence_of_one_is_its_own_and_costs_the_others_nothing(tmp_path: Path) -> None:
    world = Link(tmp_path)
    await world.live(20, {"mast-1-1": 1.0, "mast-2-1": 1.0})
    await world.live(100, {"mast-1-1": 1.0})
    assert world.events() == [("mast-2-1", "device", "mast-2-1 is silent")]
    assert world.told("mast-2-1").endswith("; others on its port speak")
    assert world.port.reopened == []
    await world.live(2, {"mast-1-1": 1.0, "mast-2-1": 1.0})
    assert world.events()[1:] == [("mast-2-1", "device", "mast-2-1: speaks again")]


async def test_where_nobody_speaks_the_ports_own_thing_says_why_and_has_it_opened_again(tmp_path: Path) -> None:
    world = Link(tmp_path)
    await world.live(20, {"mast-1-1": 1.0, "mast-2-1": 1.0})
    for _ in range(14):
        world.own.integrity_errors += 1
        world.port.last_bytes_monotonic = world.clock.monotonic()
        await world.live(1)
    assert "frames came and all fail the check" in world.told("mast")
    assert world.told("mast-1-1").endswith("; nothing comes from anybody on the port, see mast")
    assert world.port.reopened == [31.0]


async def test_a_port_that_is_gone_is_the_fault_of_all(tmp_path: Path) -> None:
    world = Link(tmp_path)
    await world.live(20, {"mast-1-1": 1.0, "mast-2-1": 1.0})
    world.port.is_open = False
    await world.live(30)
    assert world.open_layers() == ["port", "port", "port"]
    assert world.watchdog.silent == 3
