"""How hard the fuzz tests try: the same few hundred cases in every run, or many new ones.

    PARKGATE_FUZZ=20000 .venv/bin/python -m pytest tests/fuzz

tries that many cases in each test, from another beginning each time. Without it the cases are
derived from the test itself and never change.
"""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("PARKGATE_FUZZ", "0"))


def effort(usual: int = 100) -> settings:
    """Settings of one test that tries `usual` cases when nothing else is asked for."""
    return settings(
        max_examples=EXAMPLES or usual,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
