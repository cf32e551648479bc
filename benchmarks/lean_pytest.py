"""The yardstick: one pytest process that loads no plugin which it doesn't need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def lean_pytest(folder: Path, arguments: Sequence[str], path: str = "") -> int:
    """Run pytest in a folder; return how many tests passed. `path` is its PYTHONPATH.

    Raises SystemExit if it ran no test at all.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--tb=short"]
    command += ["-p", "no:cacheprovider", *arguments]
    lean = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **ONE_THREAD, **lean},
        capture_output=True,
        text=True,
        check=False,
    )
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed)", done.stdout)}
    if not counts:
        raise SystemExit(f"pytest ran no test: {done.stdout[-500:]}{done.stderr[-500:]}")
    return counts.get("passed", 0)
