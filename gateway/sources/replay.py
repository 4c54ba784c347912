"""Playing back what a port once said, byte by byte and pause by pause.

A recording is a text file, one line for each piece that was read:

    # parkgate recording 1
    0.000000 424d001c0009000e00160009
    0.021513 000e00160b14039800c80018000400049700033e

seconds since the beginning (never smaller than before), then the bytes in hex. Empty lines and
lines that begin with `#` are passed over, but for `# the port went away`: a frame that was begun
there is not ended. `Recorder` writes such a file from what a source hands over, on its way to the
intake; `ReplaySource` plays it to an intake as a serial source would.

Limits: a line of at most 1 MiB, that is 512 KiB of bytes; the file is read line by line and may
be of any size, in any encoding that `textfile` knows, with any line ends. The times of day of the recording are not
kept: played back, the bytes arrive now.
"""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from gateway.clock import Clock
from gateway.config import RECORDING
from gateway.intake import BytesIntake
from gateway.stats import SourceStats
from textfile import open_text

HEADER = f"{RECORDING} 1"
GONE = "# the port went away"
LONGEST_LINE = 1 << 20
REPEAT_S = 1.0

log = logging.getLogger("parkgate.replay")


class ReplayError(ValueError):
    """A recording that cannot be played; the text names file and line and what was expected."""


class Recorder:
    """A `BytesIntake` that hands everything on to `intake` and writes it to `file` first."""

    def __init__(self, intake: BytesIntake, file: TextIO, clock: Clock) -> None:
        self._intake = intake
        self._file = file
        self._clock = clock
        self._began: float | None = None
        print(HEADER, file=file)

    def bytes(self, data: bytes) -> int:
        now = self._clock.monotonic()
        if self._began is None:
            self._began = now
        print(f"{now - self._began:.6f} {data.hex()}", file=self._file)
        return self._intake.bytes(data)

    def closed(self) -> None:
        print(GONE, file=self._file)
        self._intake.closed()


class ReplaySource:
    """Plays `path` into `intake`; `run` ends with the file, after `closed`.

    `speed` 2.0 halves every pause, None leaves the pauses out. With `repeat` it begins again
    REPEAT_S after its end, and with a file that cannot be played it waits until it can.
    """

    def __init__(
        self,
        path: Path,
        intake: BytesIntake,
        clock: Clock,
        stats: SourceStats,
        *,
        speed: float | None = 1.0,
        repeat: bool = False,
    ) -> None:
        self.name = f"replay:{path}"
        self._path = path
        self._intake = intake
        self._clock = clock
        self._stats = stats
        self._speed = speed
        self._repeat = repeat
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """ReplayError where the file is no recording, unless it is to be repeated; what stood before
        that line has been played."""
        self._stats.connects += 1
        if not self._repeat:
            await self._play()
            return
        while not self._stopped.is_set():
            try:
                await self._play()
            except ReplayError as error:
                if self._stats.state != f"down: {error}":
                    log.warning("%s", error)
                self._stats.state = f"down: {error}"
            await self._clock.sleep(REPEAT_S)

    async def _play(self) -> None:
        began = self._clock.monotonic()
        for seconds, data in recorded(self._path):
            self._stats.state = "up"
            if self._speed is not None:
                wait = began + seconds / self._speed - self._clock.monotonic()
                if wait > 0.0:
                    await self._clock.sleep(wait)
            else:
                await asyncio.sleep(0)
            if self._stopped.is_set():
                return
            if not data:
                self._intake.closed()
                continue
            self._stats.bytes_in += len(data)
            self._intake.bytes(data)
        self._intake.closed()
        if not self._repeat:
            self._stats.state = "down: the recording has been played"
        level = logging.DEBUG if self._repeat else logging.INFO
        log.log(level, "%s: played to its end, %d bytes", self.name, self._stats.bytes_in)

    def stop_reading(self) -> None:
        self._stopped.set()

    async def close(self) -> None:
        self._stopped.set()


def recorded(path: Path) -> Iterator[tuple[float, bytes]]:
    """(seconds since the beginning, bytes) of each line; no bytes where the port went away.

    ReplayError names the line that is wrong.
    """
    last = 0.0
    try:
        with open_text(path) as file:
            number = 0
            while line := file.readline(LONGEST_LINE):
                number += 1
                if line.strip() == GONE:
                    yield last, b""
                if not line.strip() or line.startswith("#"):
                    continue
                last, data = _read(line, last, f"{path}, line {number}")
                yield last, data
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ReplayError(f"{path}: not a recording: expected text of seconds and hex") from error


def _read(line: str, last: float, where: str) -> tuple[float, bytes]:
    words = line.split()
    try:
        seconds, data = float(words[0]), bytes.fromhex(words[1])
    except (ValueError, IndexError):
        raise ReplayError(f"{where}: expected seconds and bytes in hex, got {line[:40].strip()!r}") from None
    if len(words) > 2 or not last <= seconds < 1e9:
        raise ReplayError(f"{where}: expected seconds from {last:.6f} on and bytes in hex, got {line[:40].strip()!r}")
    return seconds, data
