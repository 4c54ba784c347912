"""With PARKGATE_FUZZ the number of cases decides how long a test takes, not a time limit."""

from pathlib import Path

import pytest

from tests.fuzz.effort import EXAMPLES

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not EXAMPLES:
        return
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(0))
