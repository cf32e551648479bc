"""The types hold: mypy has nothing to say of what pyproject.toml names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.prove
def test_mypy_has_nothing_to_say(tmp_path: Path) -> None:
    # Whether an ignore is needed depends on which of the optional packages are installed.
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
