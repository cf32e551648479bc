"""The umask of whoever grades changes nothing: other users, the sandboxes, must reach files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_every_rung_works_under_any_umask(umask: int) -> None:
    """Each in a process of its own: what is made available is made once."""

    def ladder(mask: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "autograder", "doctor"],
            cwd=ROOT,
            umask=mask,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        lines = [line.split() for line in done.stdout.splitlines()]
        return [line[0] for line in lines if line[1:] == ["works"]]

    usual = ladder(0o022)
    if not usual and os.environ.get("CI") != "true":
        pytest.skip("this machine confines nothing: `autograder doctor` says why")
    assert ladder(umask) == usual
