"""pictures_cifar.py, which is given, draws the filters and activations of a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEEK = "week4_cnn/photographs"
PNG = b"\x89PNG"


def draw(folder: Path, network: Path) -> subprocess.CompletedProcess[str]:
    """Run the script beside a cifar_cnn.py, on the digits, with an untrained network."""
    script = ROOT / "assignments" / WEEK / "pictures_cifar.py"
    for path in (script, network):
        shutil.copy(path, folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COURSE_DATA": str(folder)}
    return subprocess.run(
        [sys.executable, "pictures_cifar.py", "--epochs", "0"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.prove
@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_both_pictures_are_drawn(tmp_path: Path) -> None:
    done = draw(tmp_path, ROOT / "solutions" / WEEK / "cifar_cnn.py")
    assert done.returncode == 0, done.stderr
    for name in ("filters", "activations"):
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(PNG)


@pytest.mark.prove
@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_stubs_are_told_what_is_missing(tmp_path: Path) -> None:
    done = draw(tmp_path, ROOT / "assignments" / WEEK / "cifar_cnn.py")
    assert done.returncode == 1
    assert "nothing to draw yet. cifar.network: fill in" in done.stderr
    assert "Traceback" not in done.stderr
