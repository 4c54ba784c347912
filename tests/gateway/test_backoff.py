"""Waits grow, are spread over their whole range, and never end."""

import random
from itertools import islice

import pytest

from gateway.backoff import backoff


class Most:
    """Draws the upper end."""

    def uniform(self, low: float, high: float) -> float:
        assert low == 0.0
        return high


class Least(Most):
    def uniform(self, low: float, high: float) -> float:
        return low


def test_the_ceiling_doubles_up_to_the_most() -> None:
    waits = backoff(rng=Most())  # type: ignore[arg-type]
    assert list(islice(waits, 9)) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    waits = backoff(3.0, 5.0, Most())  # type: ignore[arg-type]
    assert list(islice(waits, 4)) == [3.0, 5.0, 5.0, 5.0]


def test_a_wait_is_never_nothing() -> None:
    assert list(islice(backoff(rng=Least()), 3)) == [0.001, 0.001, 0.001]  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
def test_each_wait_is_drawn_from_its_whole_range(seed: int) -> None:
    rng = random.Random(seed)
    drawn = [list(islice(backoff(0.5, 30.0, rng), 8)) for _ in range(400)]
    for number, ceiling in enumerate((0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0)):
        waits = [each[number] for each in drawn]
        assert min(waits) >= 0.001
        assert max(waits) <= ceiling
        assert min(waits) < 0.05 * ceiling
        assert max(waits) > 0.95 * ceiling
        assert 0.4 * ceiling < sum(waits) / 400 < 0.6 * ceiling


def test_it_never_gives_up() -> None:
    waits = backoff(rng=random.Random(1))
    last = list(islice(waits, 10_000))[-1]
    assert 0.001 <= last <= 30.0
    assert 0.001 <= next(waits) <= 30.0


def test_two_gateways_do_not_wait_alike() -> None:
    assert list(islice(backoff(), 10)) != list(islice(backoff(), 10))
