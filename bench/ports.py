"""Ptys that speak PMS5003 frames at line rate, with some bytes flipped.

Run as a process of its own (`python -m bench.ports`). It says `ready <path> …` with the names of
its ptys, waits for a line, writes at `baud` for `seconds`, and says `done <good> <bytes>`: the
frames that left it unharmed, and all bytes written.

Every port gets its share each TICK_S; what a port cannot take (nobody reads) is an error, for a
frame that was not written is not a frame that was lost.
"""

import argparse
import os
import pty
import random
import struct
import sys
import time
import tty

TICK_S = 0.02
BITS_A_BYTE = 10
"""8N1: a start bit, eight, a stop bit."""


def frames(rng: random.Random, count: int) -> list[bytes]:
    """`count` PMS5003 frames of believable air: masses rise and counts fall with size."""
    found = []
    for _ in range(count):
        masses = sorted(rng.randint(1, 60) for _ in range(3))
        counts = sorted((rng.randint(1, 4000) for _ in range(6)), reverse=True)
        head = struct.pack(">2sH13H", b"BM", 28, *masses, *masses, *counts, 0x9700)
        found.append(head + struct.pack(">H", sum(head)))
    return found


def stream(rng: random.Random, size: int, flipped: float) -> tuple[bytes, int, list[int]]:
    """At least `size` bytes of frames, each byte flipped with probability `flipped`; the number
    of frames, and the ends of the good ones."""
    out = bytearray()
    ends = []
    stock = frames(rng, 200)
    while len(out) < size:
        frame = bytearray(rng.choice(stock))
        hits = [index for index in range(len(frame)) if rng.random() < flipped]
        for index in hits:
            frame[index] ^= 1 << rng.randrange(8)
        out += frame
        if not hits:
            ends.append(len(out))
    return bytes(out), len(ends), ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ports", type=int, default=64)
    parser.add_argument("--baud", type=int, default=115_200)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--flipped", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    size = int(options.baud / BITS_A_BYTE * options.seconds)
    loads = [stream(rng, size, options.flipped) for _ in range(options.ports)]
    masters, names, slaves = [], [], []
    for _ in range(options.ports):
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        masters.append(master)
        slaves.append(slave)  # held open: the port is there before and after it is read
        names.append(os.ttyname(slave))
    print("ready", *names, flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    written = 0
    while written < size:
        due = min(size, int((time.perf_counter() - began) * options.baud / BITS_A_BYTE))
        for master, (load, _, _) in zip(masters, loads, strict=True):
            part = load[written:due]
            if part and os.write(master, part) != len(part):
                sys.exit("a pty took only part of its bytes: the reader is too slow")
        written = due
        time.sleep(TICK_S)
    good = sum(sum(end <= size for end in ends) for _, _, ends in loads)
    print(f"done {good} {size * options.ports}", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
