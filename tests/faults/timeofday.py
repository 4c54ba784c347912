"""The time of day of one process, stepped while it runs; what measures time goes on undisturbed.

libfaketime (Debian package `faketime`, 0.9.10) is loaded into the process and reads an offset in
seconds from a file at every look at the clock (2 us instead of 0.05). `time.time`, the logs and
SQLite's own dates are stepped; `time.monotonic`, timers, waits on locks and uvloop are not:

    FAKETIME_TIMESTAMP_FILE           the file with the offset, "+3600"; replaced whole, never half read
    FAKETIME_NO_CACHE                 it is read every time, not every ten seconds
    FAKETIME_DONT_FAKE_MONOTONIC      only the time of day (older releases: DONT_FAKE_MONOTONIC)
    FAKETIME_FORCE_MONOTONIC_FIX      "0": otherwise Debian's build ends each wait of a thread for the
                                      interpreter's lock at once, and a gateway with little to do
                                      spins on a whole core (measured: 94 % instead of 11 %)

The dynamic linker says nothing and goes on where the library cannot be loaded, so a test has to
see stepped times in what the process did.
Source: README of libfaketime 0.9.10.
"""

from pathlib import Path

PLACES = ("lib/*/faketime/libfaketime.so.1", "lib*/faketime/libfaketime.so.1")
"""Below /usr: Debian's and others'."""


def library() -> Path:
    """libfaketime as it is installed here."""
    found = next((path for place in PLACES for path in sorted(Path("/usr").glob(place))), None)
    assert found is not None, f"no libfaketime.so.1 below /usr ({', '.join(PLACES)}), although faketime is installed"
    return found


class TimeOfDay:
    """`env` is for the process; `step` moves its time of day at once."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.offset_s = 0
        self.env = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }
        self.step(0)

    def step(self, seconds: int) -> None:
        self.offset_s += seconds
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.offset_s:+d}\n")
        new.replace(self._file)
