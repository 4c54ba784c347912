"""Codecs asked by hand: a few questions, one process for them, its limits in force, and an answer to each."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from devices.spec.coded import MOST_BYTES, Raw
from gateway.clock import SystemClock
from gateway.codecs.index import Entry
from gateway.codecs.process import CodecProcess, Job, Limits, Said, Verdict
from gateway.codecs.room import question
from gateway.codecs.shelf import Script, Shelf

Asked = tuple[Script, Raw | None]
"""A codec, and the uplink that it is to decode; without one: which functions has it?"""


class CodecsUnusable(Exception):
    """Codecs that cannot be run, and why."""


def script_of(file: Path) -> Script:
    """One file, wherever it lies."""
    return Script(file.parent.absolute(), file.name, "", Entry(file.name))


def shelf_of(folder: Path) -> Shelf:
    """A folder as it is now. CodecsUnusable where it, or its index, cannot be read."""
    shelf = Shelf(folder.absolute())
    look = shelf.look()
    if look.problem:
        raise CodecsUnusable(look.problem)
    shelf.take(look, at_once=True)
    return shelf


def answers(asked: Sequence[Asked], limits: Limits, now_ns: int) -> list[Said | Verdict]:
    """What each codec says, in order. CodecsUnusable where none can be run."""
    return asyncio.run(_answers(asked, limits, now_ns))


async def _answers(asked: Sequence[Asked], limits: Limits, now_ns: int) -> list[Said | Verdict]:
    process = CodecProcess(limits, SystemClock())
    found: list[Said | Verdict] = [Verdict("none", "")] * len(asked)
    for place, (script, uplink) in enumerate(asked):
        if uplink is not None and len(uplink.data) > MOST_BYTES:
            found[place] = Verdict("long", f"is given at most {MOST_BYTES} bytes, not {len(uplink.data)}")
            continue
        given = question(script, uplink or Raw(b"", 0), now_ns)
        if uplink is None:
            given["hex"] = None

        def take(_job: Job, said: Said | Verdict, place: int = place) -> None:
            found[place] = said

        process.ask(Job(script, given, take))
    running = asyncio.create_task(process.run(), name="codecs process")
    idle = asyncio.create_task(process.idle(), name="codecs idle")
    try:
        while not idle.done():
            await asyncio.wait({idle}, timeout=0.1)
            if process.state.startswith("down"):
                raise CodecsUnusable(process.state.removeprefix("down: "))
    finally:
        idle.cancel()
        running.cancel()
        await asyncio.gather(running, idle, return_exceptions=True)
    return found


def broken(shelf: Shelf, limits: Limits) -> list[tuple[str, str]]:
    """The files of a folder that are no codecs, and why. CodecsUnusable."""
    scripts = [script for script in shelf.scripts.values() if not script.builtin]
    said = answers([(script, None) for script in scripts], limits, 0)
    return [(script.name, each.why) for script, each in zip(scripts, said, strict=True) if isinstance(each, Verdict)]
