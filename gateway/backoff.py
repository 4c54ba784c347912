"""How long to wait before trying again: full jitter, doubling, never giving up.

Source: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
"""

import random
from collections.abc import Iterator


def backoff(first: float = 0.5, most: float = 30.0, rng: random.Random | None = None) -> Iterator[float]:
    """Endless waits in seconds, each uniform in (0, min(most, first * 2**n)].

    Make a new one when the far side has proved good (the first good frame, an accepted
    batch), not when it merely opened.
    """
    draw = (rng or random.Random()).uniform
    ceiling = first
    while True:
        yield max(draw(0.0, ceiling), 0.001)
        ceiling = min(most, ceiling * 2)
