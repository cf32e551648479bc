"""The order of the rooms: what import-linter checks, and that its list has every room."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")
ROOT_MODULES = {"__init__.py", "__main__.py", "errors.py", "records.py"}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in a folder, by the contracts in pyproject.toml."""
    command = [LINT, "--no-cache", "--config", ROOT / "pyproject.toml"]
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_rooms_import_downwards_only() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("text/display.py", "from autograder.course import load"),
        ("worker/dispatch.py", "from autograder.records import Verdict"),
        ("students/check.py", "from autograder.gradebook.journal import Gradebook"),
        ("grading/rules.py", "from autograder.integrations.git import Git"),
    ],
)
def test_an_import_upwards_is_noticed(tmp_path: Path, module: str, line: str) -> None:
    shutil.copytree(
        ROOT / "autograder", tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = tmp_path / "autograder" / module
    path.write_text(path.read_text("utf-8") + f"\n{line}\n", "utf-8")
    assert lint(tmp_path).returncode == 1


def test_every_room_has_its_place_and_the_root_holds_no_more_modules() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in settings["contracts"] if one["type"] == "layers")
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    package = ROOT / "autograder"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert rooms <= placed
    assert {path.name for path in package.glob("*.py")} == ROOT_MODULES
