"""The process that codecs run in, when it dies, lies, hangs or is not there: who is blamed, and what goes on."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.codecs import child, hand, process, room
from gateway.codecs.index import Entry
from gateway.codecs.process import CodecProcess, Job, Limits, Said, Verdict
from gateway.codecs.shelf import Script
from gateway.codecs.standing import Standing
from tests.gateway.mqtt_room import until

WORKER = """
import json, os, signal, sys, time
say = lambda value: (sys.stdout.write(json.dumps(value) + "\\n"), sys.stdout.flush())
{start}
say({{"hello": "ready"}})
for line in sys.stdin:
    job = json.loads(line)
    what = os.path.basename(job["file"])
    if what == "segv": os.kill(os.getpid(), signal.SIGSEGV)
    if what == "exit": sys.exit(3)
    if what == "stop": os.kill(os.getpid(), signal.SIGSTOP)
    if what == "garbage": print("{{{{{{", flush=True); continue
    if what == "other": say({{"id": job["id"] + 5, "answer": {{}}}}); continue
    if what == "endless":
        while True: sys.stdout.write("x" * 65536)
    if what == "once" and not os.path.exists(job["file"]):
        open(job["file"], "w").close()
        os.kill(os.getpid(), signal.SIGSEGV)
    say({{"id": job["id"], "answer": {{"data": what}}}})
"""

Ask = Callable[..., list[Said | Verdict | None]]


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., CodecProcess]]:
    """Starts a codec process whose program is written here; `start` is what it does before it greets."""
    tasks: list[asyncio.Task[None]] = []

    def begin(start: str = "") -> CodecProcess:
        program = tmp_path / "program.py"
        program.write_text(textwrap.dedent(WORKER).format(start=start))
        monkeypatch.setattr(child, "WORKER", program)
        made = CodecProcess(Limits(), SystemClock())
        tasks.append(asyncio.create_task(made.run()))
        return made

    yield begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def ask(asked: CodecProcess, folder: Path, *names: str) -> list[Said | Verdict | None]:
    """What will be said of a job for each name, in its place."""
    found: list[Said | Verdict | None] = [None] * len(names)
    for place, name in enumerate(names):
        script = Script(folder, name, "", Entry(name))

        def done(_job: Job, said: Said | Verdict, place: int = place) -> None:
            assert found[place] is None
            found[place] = said

        asked.ask(Job(script, {"file": str(folder / name)}, done))
    return found


async def test_answers_come_in_order_and_the_process_is_kept(
    running: Callable[..., CodecProcess], tmp_path: Path
) -> None:
    made = running()
    assert (made.pid, made.state) == (None, "idle")
    found = ask(made, tmp_path, *map(str, range(40)))
    await made.idle()
    assert found == [Said(str(number)) for number in range(40)]
    assert (made.starts, made.state) == (1, "up")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("segv", "ended the codec process 2 times: SIGSEGV, which QuickJS does mostly for lack of memory"),
        ("exit", "ended the codec process 2 times: exit code 3"),
    ],
)
async def test_one_that_ends_the_process_twice_is_blamed_and_no_other(
    running: Callable[..., CodecProcess], tmp_path: Path, name: str, why: str
) -> None:
    made = running()
    found = ask(made, tmp_path, "a", "b", name, "c", "d")
    await made.idle()
    assert found == [Said("a"), Said("b"), Verdict("crash", why), Said("c"), Said("d")]
    assert made.starts == 3


async def test_one_that_ends_it_once_is_not_blamed(running: Callable[..., CodecProcess], tmp_path: Path) -> None:
    made = running()
    found = ask(made, tmp_path, "a", "once", "b")
    await made.idle()
    assert found == [Said("a"), Said("once"), Said("b")]
    assert made.starts == 2


async def test_what_is_no_answer_is_not_taken_for_one(running: Callable[..., CodecProcess], tmp_path: Path) -> None:
    made = running()
    found = ask(made, tmp_path, "a", "garbage", "b")
    await made.idle()
    assert found == [Said("a"), Verdict("thrown", "answered what is no JSON"), Said("b")]
    assert made.starts == 1


@pytest.mark.parametrize("name", ["other", "endless"])
async def test_a_process_that_cannot_be_believed_is_ended(
    running: Callable[..., CodecProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(process, "KILLS", 3)
    made = running()
    found = ask(made, tmp_path, "a", name, "b")
    await made.idle()
    assert found[0] == Said("a")
    assert found[2] == Said("b")
    assert found[1] == Verdict("crash", "ended the codec process 3 times: killed, for lack of memory or by hand")


async def test_a_process_that_is_not_heard_is_ended(
    running: Callable[..., CodecProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "WALL_S", 0.3)
    monkeypatch.setattr(process, "LOOK_S", 0.05)
    made = running()
    found = ask(made, tmp_path, "a", "stop", "b")
    await made.idle()
    assert found == [
        Said("a"),
        Verdict("crash", "ended the codec process 2 times: nothing heard for 0.3 s"),
        Said("b"),
    ]


async def test_one_that_does_not_begin_is_tried_again_and_said(
    running: Callable[..., CodecProcess], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mark = tmp_path / "mark"
    made = running(f"open({str(mark)!r}, 'a').write('x')\nif os.path.getsize({str(mark)!r}) < 4: sys.exit(1)")
    found = ask(made, tmp_path, "a")
    await made.idle()
    assert found == [Said("a")]
    assert made.starts == 4
    assert caplog.text.count("the codec process ended (exit code 1); 1 uplinks wait for the next") == 3


async def test_a_process_without_quickjs_says_so(running: Callable[..., CodecProcess], tmp_path: Path) -> None:
    made = running('say({"hello": "absent"}); sys.exit(0)')
    found = ask(made, tmp_path, "a")
    await until(lambda: made.state.startswith("down: QuickJS is not installed"), "it is said")
    assert found == [None]


async def test_a_process_that_cannot_be_started_says_so(
    running: Callable[..., CodecProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child.sys, "executable", str(tmp_path / "nothing"))
    made = running()
    ask(made, tmp_path, "a")
    await until(lambda: made.state == "down: the codec process cannot be started: No such file or directory", "said")


async def test_nothing_is_left_when_it_is_cancelled(running: Callable[..., CodecProcess], tmp_path: Path) -> None:
    running()  # for its program
    made = CodecProcess(Limits(), SystemClock())
    task = asyncio.create_task(made.run())
    ask(made, tmp_path, "a")
    await made.idle()
    pid = made.pid
    assert pid is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def test_by_hand_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program.py"
    program.write_text(WORKER.format(start='say({"hello": "absent"}); sys.exit(0)'))
    monkeypatch.setattr(child, "WORKER", program)
    with pytest.raises(hand.CodecsUnusable, match=r"QuickJS is not installed.*`pip install quickjs`"):
        hand.answers([(Script(tmp_path, "x", "", Entry("x")), None)], Limits(), 0)
    monkeypatch.setattr(room, "find_spec", lambda _name: None)
    assert room.absent().startswith("QuickJS is not installed")


def test_a_codec_is_set_aside_tried_again_ever_more_rarely_and_comes_back() -> None:
    standing = Standing()
    assert [standing.bad(kind, "why", 0.0) for kind in ("time", "thrown", "time", "memory", "crash")] == [False] * 4 + [
        True
    ]
    assert standing.aside(59.9)
    assert not standing.aside(60.0)  # one may try
    assert standing.aside(60.1)  # and no other meanwhile
    assert not standing.bad("time", "again", 61.0)
    assert standing.aside(61.0 + 119.9)
    assert not standing.aside(61.0 + 120.0)
    for _ in range(10):
        standing.bad("time", "again", 200.0)
    assert standing.aside(200.0 + 3599.0)
    assert not standing.aside(200.0 + 3600.0)
    assert "set aside" in standing.problem("x.js")
    assert standing.good(1)
    assert not standing.aside(0.0)
    assert standing.problem("x.js") == ""
    for _ in range(100):
        assert not standing.bad("thrown", "it threw", 0.0)
    assert standing.problem("x.js") == "codec x.js: none of the last 100 uplinks could be decoded: it threw"
    assert not standing.aside(0.0)


def test_a_gateway_without_codecs_does_not_hold_them_in_memory() -> None:
    words = (
        "import sys, gateway.app, gateway.cli.run; print([m for m in sys.modules if 'codecs.' in m or 'quickjs' in m])"
    )
    found = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout
    assert [name for name in found.strip("[]\n").split(", ") if "gateway" in name or "quickjs" in name] == []
