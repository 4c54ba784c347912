"""The codecs of one gateway: which one an uplink is for, what it answers, and how they all do.

    choose(uplink) --> ask(uplink, ...) --> an answer at once (refused, built in), or None: `done` is told later

Every uplink that is not decoded is refused with words that name the codec, the reason, the port and the bytes.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from devices.lorawan.codec import built_in
from devices.spec.coded import MOST_BYTES, CodecRefused, Coded, Raw
from gateway.clock import Clock
from gateway.codecs.index import Prefer
from gateway.codecs.process import ABSENT, CodecProcess, Job, Limits, Said, Verdict
from gateway.codecs.shelf import Look, Script, Shelf

log = logging.getLogger("parkgate.codecs")

ASIDE = "aside"
LOOK_S = 1.0
MOST_WORDS = 400
MOST_WARNINGS = 20
MOST_STRANGERS = 50
"""Kinds of sender without a codec that are named in the log; further ones are not."""

Done = Callable[[Coded | CodecRefused], None]
Asker = Callable[[Raw, int, Done], Coded | CodecRefused | None]


def absent() -> str:
    """What is missing to run codecs, and how it comes; empty where nothing is."""
    return "" if find_spec("quickjs") is not None else ABSENT


class Counts(NamedTuple):
    """What one codec has done, for /metrics and /healthz."""

    name: str
    decoded: int
    refused: int
    warnings: int
    aside: bool


class Codecs:
    """`choose` at any time; `run` until cancelled."""

    def __init__(self, folder: Path, prefer: Prefer, limits: Limits, clock: Clock) -> None:
        self.process = CodecProcess(limits, clock)
        self.shelf = Shelf(folder)
        self._prefer = prefer
        self._clock = clock
        self._strangers: set[str] = set()
        self.take(self.shelf.look(), at_once=True)

    async def run(self) -> None:
        """Keep the process, and look at the folder every LOOK_S."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.process.run(), name="codecs process")
            group.create_task(self._watch(), name="codecs folder")

    async def finish(self, seconds: float) -> None:
        """Wait until everything that was asked is answered, but not longer."""
        waits = {asyncio.ensure_future(self.process.idle()), asyncio.ensure_future(self._clock.sleep(seconds))}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(LOOK_S)
            self.take(await asyncio.to_thread(self.shelf.look))

    def take(self, look: Look, at_once: bool = False) -> None:
        """Go by what the folder held."""
        before = {script.name: script.stamp for script in self.shelf.scripts.values()}
        if not self.shelf.take(look, at_once):
            return
        if self.shelf.problem:
            log.error("codecs: %s", self.shelf.problem)
        for name, script in self.shelf.scripts.items():
            if before and before.get(name) != script.stamp:
                log.info("codec %s: %s", name, "changed" if name in before else "new")

    def choose(self, uplink: Raw, thing: str = "") -> Asker | None:
        """The codec that is to decode an uplink, to be asked: `done` is called once, later, unless the answer
        is there at once. None where there is none, or what the network says stands."""
        if not uplink.data:
            return None
        script = self.shelf.choose(uplink, thing)
        if script is None:
            if not uplink.decoded:
                self._say_stranger(uplink, thing)
            return None
        if uplink.decoded and (script.prefer or self._prefer) == "network":
            return None
        return partial(self._ask, script)

    def _ask(self, script: Script, uplink: Raw, received_ns: int, done: Done) -> Coded | CodecRefused | None:
        if script.builtin:
            script.standing.good(0)
            return built_in(script.builtin, uplink)
        if len(uplink.data) > MOST_BYTES:
            return refusal(script.name, uplink, f"is given at most {MOST_BYTES} bytes, not {len(uplink.data)}")
        if script.standing.aside(self._clock.monotonic()):
            script.standing.skipped()
            return refusal(script.name, uplink, f"is set aside: {script.standing.why}")
        given = question(script, uplink, received_ns)
        self.process.ask(Job(script, given, lambda job, said: self._heard(job, uplink, said, done)))
        return None

    def problems(self) -> list[str]:
        """What is wrong now, a line each."""
        found = [self.shelf.problem] if self.shelf.problem else []
        if self.process.state.startswith("down"):
            found.append(f"codecs: {self.process.state}")
        told = (script.standing.problem(name) for name, script in self.shelf.scripts.items())
        return found + [words for words in told if words]

    def counts(self) -> list[Counts]:
        """Of the codecs that were asked something."""
        return [
            Counts(name, its.decoded, its.refused, its.warnings, its.until is not None)
            for name, its in ((name, script.standing) for name, script in self.shelf.scripts.items())
            if its.decoded or its.refused
        ]

    def _heard(self, job: Job, uplink: Raw, said: Said | Verdict, done: Done) -> None:
        script, now = job.script, self._clock.monotonic()
        its = script.standing
        result = answer(script.name, uplink, said)
        if isinstance(said, Verdict) and said.kind == ASIDE:
            its.skipped()
            done(result)
            return
        if isinstance(result, Coded):
            if its.good(len(result.warnings)):
                log.info("codec %s decodes again", script.name)
            done(result)
            return
        verdict = said if isinstance(said, Verdict) else Verdict("errors", "; ".join(said.errors)[:MOST_WORDS])
        if its.bad(verdict.kind, verdict.why, now):
            log.error("%s", its.problem(script.name))
            done(result)
            for other in self.process.withdraw(script):
                other.done(other, Verdict(ASIDE, f"is set aside: {verdict.why}"))
            return
        done(result)

    def _say_stranger(self, uplink: Raw, thing: str) -> None:
        """Once for each kind of sender that there is no codec."""
        profile = uplink.profile or uplink.profile_id
        kind = profile or uplink.dev_eui or uplink.device or thing
        if kind in self._strangers or len(self._strangers) >= MOST_STRANGERS:
            return
        self._strangers.add(kind)
        words = (("device profile", profile), ("DevEUI", uplink.dev_eui), ("device", uplink.device or thing))
        who = [f"{what} {text!r}" for what, text in words if text]
        log.warning(
            "codecs: there is none in %s for %s; such uplinks are stored as they are", self.shelf.folder, ", ".join(who)
        )


def question(script: Script, uplink: Raw, received_ns: int) -> dict[str, object]:
    """What the process is asked."""
    return {
        "file": str(script.path),
        "stamp": script.stamp,
        "hex": uplink.data.hex(),
        "port": uplink.f_port,
        "ms": received_ns // 1_000_000,
        "entry": script.entry.function,
        "variables": dict(script.entry.variables),
    }


def answer(name: str, uplink: Raw, said: Said | Verdict) -> Coded | CodecRefused:
    """What is made of what a codec said."""
    if isinstance(said, Verdict):
        return refusal(name, uplink, said.why)
    if said.errors:
        return refusal(name, uplink, f"says: {'; '.join(said.errors)}")
    return Coded(said.data, tuple(said.warnings[:MOST_WARNINGS]))


def refusal(name: str, uplink: Raw, why: str) -> CodecRefused:
    """Words that name the codec, the reason, the port and the bytes."""
    shown = uplink.data[:64].hex() + ("…" if len(uplink.data) > 64 else "")
    return CodecRefused(f"codec {name} {why[:MOST_WORDS]}; port {uplink.f_port}, bytes {shown}")
