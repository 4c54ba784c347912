"""The types that docs/devices.md shows whole are code as this repository wants it: typed, and clean to the linter."""

import subprocess
import sys
from pathlib import Path

from tests.device_types import ROOT, blocks


def test_the_types_of_the_papers_pass_the_type_checker_and_the_linter(tmp_path: Path) -> None:
    files = []
    for number, block in enumerate(each for each in blocks("python") if "DEVICE = " in each or "COMMANDS = " in each):
        file = tmp_path / f"acme_{number}.py"
        file.write_text(f'"""Shown in docs/devices.md."""\n\n{block}')
        files.append(str(file))
    assert len(files) >= 8
    for command in (
        ["mypy", "--strict", "--config-file", "pyproject.toml"],
        ["ruff", "check", "--config", "pyproject.toml"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, *files], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
