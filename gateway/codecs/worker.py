"""The process that codecs run in: jobs in on standard input, answers out on standard output, a line of JSON each.

    in   {"id": 7, "file": "/…/em500.js", "stamp": "…", "hex": "01755c", "port": 85, "ms": 1700000000000}
    out  {"id": 7, "answer": {"data": {"battery": 92}, "warnings": [], "errors": [], "printed": []}}
         {"id": 8, "refused": "TypeError: not a function (line 12)", "kind": "thrown"}

Started as a file of its own, without the rest of parkgate: 15 MB, 40 ms. It imports nothing but the standard library
and QuickJS, has no environment, opens no file but codecs, and ends when its input does.

Each codec has a QuickJS runtime of its own with a limit of memory, made when it is first used and kept for the next
uplink; the file itself is run afresh for each (`prelude.js`). What is thrown in a runtime that has served before is
tried once more in a new one. Limits: `time_s` of processor time a call, ended by QuickJS between two of its own
instructions; twice of it, in the middle of one (a regular expression that backtracks), ended by SIGPROF, which takes
the process with it. `memory` bytes; a result of 64 KiB; a file of 1 MiB; MOST_LOADED codecs at once.
After a codec has run out of time or memory the process ends, having said so: what is left of that runtime is not
trusted, QuickJS of 2021 crashes in it now and then.

Kinds of refusal: "thrown", "broken" (no codec: it cannot be read, parsed or run, or has none of the functions),
"time", "memory", "long".
"""

import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HELLO, ABSENT = "ready", "absent"
MOST_LOADED = 200
LONGEST_FILE = 1 << 20
LONGEST_WORDS = 300
STACK_BYTES = 512 << 10
ADDRESS_BYTES = 2 << 30
"""Of the whole process: no codec gets that far by itself."""

_FRAME = re.compile(r"(.*) \(<input>(?::(\d+))?\)")
_PLACE = re.compile(r"<input>:(\d+)")
_OTHERS = re.compile(r"\beval\b|\bFunction\s*\(")
"""Text run as code has lines of its own, which nothing tells from those of the file."""

_MODULE = (  # what stands in a module, and what the same is in a program
    (r"^([ \t]*)export\s+default\s+(?=(?:async\s+)?function\s*[\w$]|class\s+[\w$])", r"\1"),
    (r"^([ \t]*)export\s+default\s+", r"\1module.exports = "),
    (r"^([ \t]*)export\s+(?=function|const|let|var|class|async)", r"\1"),
    (r"^[ \t]*export\s*\{[^}]*\}\s*;?", ""),
)
_EXTRAS = re.compile(
    r"Buffer|Text(?:De|En)coder|atob|btoa|structuredClone|toLocale|\.at\(|hasOwn\b|findLast|toReversed|toSorted"
)
_RICH = re.compile(r"(?:Int|Float|Uint|Clamped)\w*Array|\bMap\b|\bSet\b|Buffer|DataView|BigInt|\d+n\b|TextEncoder")
_NAMES = ("decodeUplink", "Decoder", "Decode")
_TAIL = "\n;return [" + ",".join(f'typeof {name}==="function"?{name}:null' for name in _NAMES) + "];})"


class Refused(Exception):
    """Why there is no answer; `kind` is one of those above."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class Limits(NamedTuple):
    """Of one call."""

    time_s: float
    memory: int


class Around(NamedTuple):
    """What a codec finds around it: the text of `prelude.js`, and of `extras.js`."""

    prelude: str
    extras: str


class Loaded:
    """One codec in a runtime of its own: the one place that knows QuickJS."""

    def __init__(self, source: str, limits: Limits, around: Around) -> None:
        import quickjs

        self._failed: type[Exception] = quickjs.JSException
        self._limits = limits
        self._source = source
        self._lines = source.rstrip("\n").count("\n") + 1
        ours = "\n" * (source.count("\n") + 2)  # no line of the file has the number of one of ours
        self._context = quickjs.Context()
        self._context.set_memory_limit(limits.memory)
        self._context.set_max_stack_size(STACK_BYTES)
        self._run = self._context.eval(ours + around.prelude)
        if _EXTRAS.search(source):
            self._context.eval(ours + around.extras)
        self._rich = _RICH.search(source) is not None
        self._context.set_time_limit(limits.time_s)
        self._make = self._compiled(source)
        self.served = 0

    def call(self, data: bytes | None, port: int = 0, ms: float = 0.0, variables: str = "", entry: str = "") -> str:
        """What the codec says, as JSON; without data, which functions it has. Refused."""
        self.served += 1
        try:
            listed = None if data is None else str([*data])
            told = self._run(self._make, listed, port, ms, variables, entry, self._rich)
        except self._failed as fault:
            raise self._refused(fault, "thrown") from None
        except UnicodeDecodeError as fault:
            raise Refused("thrown", f"its answer is no text: {fault}") from None
        kind, body = (told[:1], told[1:]) if isinstance(told, str) else ("", "")
        if kind == "=":
            return body
        if kind == "?":
            raise _none(body)
        if kind == "#":
            raise Refused("long", f"answered {body} characters, at most 65536 are taken")
        raise Refused("thrown", f"threw {body}")

    def _compiled(self, source: str) -> object:
        """The file as the body of a function; of a module its `export` words are left out."""
        try:
            return self._context.eval("(function(){" + source + _TAIL)
        except self._failed as fault:
            first = self._refused(fault, "broken")
        program = _program(source)
        if first.kind == "broken" and program != source:
            with contextlib.suppress(self._failed):
                return self._context.eval("(function(){" + program + _TAIL)
        if first.kind == "broken" and "SyntaxError" in str(first):
            # as a plain program, which is read to its end before any of it is run: a brace too many is found where it
            # stands, and what is ours begins behind the end
            try:
                self._context.eval("throw 0;" + program)
            except self._failed as fault:
                if str(fault).startswith("SyntaxError"):
                    raise self._refused(fault, "broken") from None
        raise first

    def _refused(self, fault: Exception, kind: str) -> Refused:
        text = str(fault)
        head, _, trace = text.partition("\n    at ")
        head = " ".join(head.split())
        if "interrupted" in head:
            return Refused("time", f"took more than {self._limits.time_s:g} s of processor time")
        if "out of memory" in head or head == "null" or head.startswith("(Failed obtaining"):
            return Refused("memory", f"took more than {self._limits.memory / (1 << 20):g} MiB of memory")
        line = self._line_read(trace) if kind == "broken" else self._line_run(trace)
        return Refused(kind, head[:LONGEST_WORDS] + (f" (line {line})" if line else ""))

    def _line_read(self, trace: str) -> int | None:
        """The line that could not be parsed; of a file that breaks off its last one."""
        place = _PLACE.search(trace)
        return min(int(place[1]), self._lines) if place else None

    def _line_run(self, trace: str) -> int | None:
        """The innermost line of the file that was being run; None where that cannot be known.

        QuickJS names no line for a function that is written in one: it is the one where its name is declared, if that
        is done once.
        """
        if _OTHERS.search(self._source):
            return None
        for frame in map(_FRAME.fullmatch, trace.split("\n    at ")):
            if frame is None or (frame[2] and int(frame[2]) > self._lines):
                continue  # built in, text that was parsed, or ours
            if frame[1].startswith("parkgate_"):
                return None
            if frame[2]:
                return int(frame[2])
            declared = self._declared(frame[1])
            if declared is not None:
                return declared
        return None

    def _declared(self, name: str) -> int | None:
        if self._lines == 1:
            return 1
        word = re.escape(name)
        found = [*re.finditer(rf"\bfunction\s+{word}\s*\(|\b{word}\s*(?:=(?!=)|:)", self._source)]
        return self._source.count("\n", 0, found[0].start()) + 1 if len(found) == 1 else None


def _program(source: str) -> str:
    """A module without its `export` words, line by line the same."""
    for pattern, instead in _MODULE:
        found = [*re.finditer(pattern, source, re.M)]
        for match in reversed(found):
            lines = "\n" * match[0].count("\n")
            source = source[: match.start()] + match.expand(instead) + lines + source[match.end() :]
    return source


class Codecs:
    """The codecs that are loaded, least recently used first, or why they cannot be."""

    def __init__(self, limits: Limits, around: Around) -> None:
        self._limits = limits
        self._around = around
        self._loaded: dict[str, tuple[str, Loaded | Refused]] = {}

    def answer(self, job: dict[str, Any]) -> str:
        """What the codec of a job says, as JSON; without bytes, which functions it has. Refused."""
        file, stamp = job["file"], job["stamp"]
        if job.get("hex") is None:
            told = self._get(file, stamp, anew=True).call(None)
            if '"functions":[]' in told:
                raise _none("")
            return told
        variables = json.dumps(job["variables"]) if job.get("variables") else ""
        # whole numbers go over as 32 bits
        given = (bytes.fromhex(job["hex"]), job["port"], float(job["ms"]), variables, job.get("entry", ""))
        codec = self._get(file, stamp)
        try:
            return codec.call(*given)
        except Refused as refused:
            if refused.kind != "thrown" or codec.served == 1:
                raise
        return self._get(file, stamp, anew=True).call(*given)

    def _get(self, file: str, stamp: str, anew: bool = False) -> Loaded:
        known = self._loaded.pop(file, None)
        if known is None or known[0] != stamp or anew:
            while len(self._loaded) >= MOST_LOADED:
                del self._loaded[next(iter(self._loaded))]
            known = (stamp, self._load(Path(file)))
        self._loaded[file] = known
        if isinstance(known[1], Refused):
            raise known[1]
        return known[1]

    def _load(self, file: Path) -> Loaded | Refused:
        try:
            with file.open("rb") as opened:
                raw = opened.read(LONGEST_FILE + 1)
        except OSError as error:
            return Refused("broken", f"cannot be read: {error.strerror or error}")
        if len(raw) > LONGEST_FILE:
            return Refused("broken", f"is longer than {LONGEST_FILE >> 20} MiB")
        source = raw.decode("utf-8-sig", "replace").replace("\0", "\ufffd")
        if source.startswith("#!"):
            source = "//" + source
        try:
            return Loaded(source, self._limits, self._around)
        except Refused as refused:
            return refused


def _none(entry: str) -> Refused:
    wanted = f"no function {entry}" if entry else "none of the functions decodeUplink, Decoder and Decode"
    return Refused("broken", f"has {wanted}")


def _bounded(limits: Limits) -> Callable[[bool], None]:
    """Bound the process; what is answered puts the hard limit of a call in force and takes it back."""
    try:
        import resource
    except ImportError:  # not on Windows: there whoever started this process ends it
        return lambda _on: None
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    hard = 2 * limits.time_s + 0.05
    return lambda on: signal.setitimer(signal.ITIMER_PROF, hard if on else 0.0) and None


def main() -> None:
    """Answer until standard input ends. Arguments: seconds and bytes of one call."""
    limits = Limits(float(sys.argv[1]), int(sys.argv[2]))
    say = sys.stdout.buffer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this
    try:
        import quickjs  # noqa: F401  # seen here, used above
    except ImportError as error:
        say.write(json.dumps({"hello": ABSENT, "why": str(error)}).encode() + b"\n")
        return
    if hasattr(time, "tzset"):  # not on Windows
        time.tzset()
    guard = _bounded(limits)
    here = Path(__file__).parent
    codecs = Codecs(limits, Around((here / "prelude.js").read_text("utf-8"), (here / "extras.js").read_text("utf-8")))
    say.write(json.dumps({"hello": HELLO}).encode() + b"\n")
    say.flush()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        head, refused = f'{{"id":{job["id"]:d},', None
        guard(True)
        try:
            out = f'{head}"answer":{codecs.answer(job)}}}'
        except Refused as fault:
            refused = fault
        except MemoryError:
            refused = Refused("memory", "took more memory than the process has")
        guard(False)
        if refused is not None:
            out = f'{head}"refused":{json.dumps(str(refused))},"kind":"{refused.kind}"}}'
        say.write(out.encode("utf-8", "replace") + b"\n")
        say.flush()
        if refused is not None and refused.kind in ("time", "memory"):
            os._exit(0)


if __name__ == "__main__":
    main()
