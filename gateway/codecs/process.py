"""The process that codecs run in, from this side: kept alive, asked, and taken at its word.

    Job --> waiting --(up to IN_FLIGHT)--> sent --answers come in the order of the questions--> done(answer)
               ^                            |
               '------ the process ended ---'

It is started with the first job. When it ends, what it had not answered is asked again of the next one, started at
once, or after a pause (full jitter, up to 30 s) where the last one answered nothing. Whose job was at its head is
blamed only where there is no doubt: SIGPROF is its limit of processor time; otherwise the job is tried again, and
blamed for the second process that ends over it (for the 20th that is killed from outside, the kernel's memory killer
being one who kills).

A job has WALL_S by the clock, processor time or not; so has a process to begin. How many jobs wait is bounded by who
brings them (`gateway.decode`).
"""

import asyncio
import logging
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.codecs.child import Child
from gateway.codecs.shelf import Script

log = logging.getLogger("parkgate.codecs")

IN_FLIGHT = 8
WALL_S = 15.0
LOOK_S = 0.5
DEATHS, KILLS = 2, 20
"""Processes that end over one job until it is blamed; of those that are killed."""

ABSENT = "QuickJS is not installed, which runs codecs: expected the package quickjs, as `pip install quickjs` brings it"


CRASHES = frozenset(("SIGSEGV", "SIGBUS", "SIGABRT"))


class Limits(NamedTuple):
    """What a call of a codec may take."""

    time_s: float = 0.25
    memory: int = 16 << 20


class Said(msgspec.Struct):
    """What a codec answered."""

    data: Any = None
    warnings: list[str] = []
    errors: list[str] = []
    printed: list[str] = []
    functions: list[str] = []


class Verdict(NamedTuple):
    """Why a codec did not answer, and what kind of failure that is."""

    kind: str
    why: str


class _Line(msgspec.Struct):
    id: int = -1
    answer: Said | None = None
    refused: str = ""
    kind: str = ""
    hello: str = ""


_line = msgspec.json.Decoder(_Line)


class Job:
    """One question to one codec. `done` is called on the event loop, once."""

    __slots__ = ("deaths", "done", "given", "kills", "script")

    def __init__(
        self, script: Script, given: Mapping[str, object], done: Callable[["Job", Said | Verdict], None]
    ) -> None:
        self.script = script
        self.given = given
        self.done = done
        self.deaths = 0
        self.kills = 0


class CodecProcess:
    """`ask` at any time; `run` until cancelled. `state` is "idle", "up" or what is wrong."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.state = "idle"
        self.starts = 0
        self._limits = limits
        self._clock = clock
        self._waiting: deque[Job] = deque()
        self._sent: deque[Job] = deque()
        self._numbers = iter(range(1 << 62))
        self._first = 0  # the number of the job at the head of what is sent
        self._since = 0.0  # when that was asked
        self._child: Child | None = None
        self._greeted = False
        self._answered = False  # since the process began
        self._ending = False  # it has said that it will
        self._late = False  # it was not heard for too long
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def waiting(self) -> int:
        """Jobs without an answer."""
        return len(self._waiting) + len(self._sent)

    def ask(self, job: Job) -> None:
        self._waiting.append(job)
        self._idle.clear()
        self._woken.set()
        self._pump()

    def withdraw(self, script: Script) -> list[Job]:
        """Take back the jobs of a script that were not sent yet."""
        found = [job for job in self._waiting if job.script is script]
        if found:
            self._waiting = deque(job for job in self._waiting if job.script is not script)
        if not self.waiting:
            self._idle.set()
        return found

    async def idle(self) -> None:
        """Wait until nothing waits for an answer."""
        await self._idle.wait()

    async def run(self) -> None:
        """Keep a process while there is something to ask; end it when cancelled."""
        waits = backoff(0.1, 30.0)
        while True:
            if not self.waiting:
                self._woken.clear()
                await self._woken.wait()
            code = await self._serve()
            self._ended(code)
            if self._answered or self._ending:
                waits = backoff(0.1, 30.0)
            else:
                await self._clock.sleep(next(waits))

    async def _serve(self) -> int | None:
        """One process from its start to its end; its exit code, None where it did not begin."""
        self._greeted = self._answered = self._ending = self._late = False
        self._since = self._clock.monotonic()
        self._child = child = Child(self._heard)
        try:
            await child.begin((repr(self._limits.time_s), str(self._limits.memory)))
        except OSError as error:
            self._child = None
            self._say(f"down: the codec process cannot be started: {error.strerror or error}")
            return None
        self.starts += 1
        late = asyncio.create_task(self._see_late(child), name="codecs late")
        try:
            await asyncio.wait({child.over})
        finally:
            late.cancel()
            await child.end()
            self._child = None
        return child.code

    async def _see_late(self, child: Child) -> None:
        """End a process that does not answer, whatever it does."""
        while True:
            await self._clock.sleep(LOOK_S)
            busy = self._sent or not self._greeted
            if busy and self._clock.monotonic() - self._since > WALL_S:
                self._late = True
                child.kill()
                return

    def _pump(self) -> None:
        """Send what may be sent."""
        if not self._greeted or self._ending or self._child is None:
            return
        lines = b""
        while self._waiting and len(self._sent) < IN_FLIGHT:
            job = self._waiting.popleft()
            number = next(self._numbers)
            if not self._sent:
                self._first, self._since = number, self._clock.monotonic()
            self._sent.append(job)
            lines += msgspec.json.encode({"id": number, **job.given}) + b"\n"
        if lines:
            self._child.send(lines)

    def _heard(self, data: bytes) -> None:
        """A line of the process; empty where it is endless."""
        if self._ending or self._child is None:
            return
        try:
            line = _line.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            line = _Line(self._first if data else -1, refused="answered what is no JSON", kind="thrown")
        if line.hello == "ready":
            self._greeted = True
            self._say("up")
        elif line.hello:
            self._say(f"down: {ABSENT}")
        elif self._sent and line.id == self._first:
            self._answer(line)
        else:
            self._child.kill()
            return
        self._pump()

    def _answer(self, line: _Line) -> None:
        self._answered = True
        job = self._sent.popleft()
        self._first, self._since = self._first + 1, self._clock.monotonic()
        if line.kind in ("time", "memory"):
            self._ending = True
            _put_back(self._sent, self._waiting)
        self._tell(job, line.answer if line.answer is not None else Verdict(line.kind, line.refused))

    def _tell(self, job: Job, said: Said | Verdict) -> None:
        job.done(job, said)
        if not self.waiting:
            self._idle.set()

    def _ended(self, code: int | None) -> None:
        """The process is gone: whose fault was it?"""
        if self.state == "up":
            self.state = "idle"
        if self._ending or code is None:
            return
        job = self._sent[0] if self._sent else None
        _put_back(self._sent, self._waiting)
        how = f"nothing heard for {WALL_S:g} s" if self._late else _how(code)
        log.warning("codecs: the codec process ended (%s); %d uplinks wait for the next", how, self.waiting)
        if job is None:
            return
        said = None
        if code == -getattr(signal, "SIGPROF", 0):
            limit = f"took more than {self._limits.time_s:g} s of processor time, in one step (a regular expression?)"
            said = Verdict("time", limit)
        elif code == -getattr(signal, "SIGKILL", 0) and not self._late:
            job.kills += 1
            if job.kills >= KILLS:
                said = Verdict("crash", f"ended the codec process {KILLS} times: killed, for lack of memory or by hand")
        else:
            job.deaths += 1
            if job.deaths >= DEATHS:
                said = Verdict("crash", f"ended the codec process {DEATHS} times: {how}")
        if said is not None:
            self._waiting.popleft()
            self._tell(job, said)

    def _say(self, state: str) -> None:
        if state != self.state and state.startswith("down"):
            log.error("codecs: %s", state)
        self.state = state


def _put_back(sent: deque[Job], waiting: deque[Job]) -> None:
    """What was sent and not answered is asked again, before all else."""
    waiting.extendleft(reversed(sent))
    sent.clear()


def _how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    names: Iterator[str] = (each.name for each in signal.Signals if each.value == -code)
    name = next(names, f"signal {-code}")
    return f"{name}, which QuickJS does mostly for lack of memory" if name in CRASHES else name
