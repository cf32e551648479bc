"""A students' tree where less of the operating system can be used than on Linux.

A sitecustomize.py takes away what Windows has not (modules of Unix, fork, sessions, alarms, sockets
that pass descriptors), or lets limits of memory be refused, as macOS does, in every Python that is
started; then all that a student runs is run, in a folder whose path has blanks, umlauts and
parentheses. CI runs the same steps on the systems themselves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.students import portable

POOR = Path(__file__).with_name("poor_system")


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("solved") / "week1"
    portable.solve(out)
    return out


@pytest.fixture
def tree(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / released.name))


def poor(kind: str) -> dict[str, str]:
    """The environment in which every Python lacks what a system has not."""
    return {"PYTHONPATH": str(POOR), "POOR_SYSTEM": kind}


def run(code: str, kind: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={**os.environ, **poor(kind)}, capture_output=True, text=True)


@pytest.mark.parametrize(
    "code",
    [
        "import resource",
        "import fcntl",
        "import os; os.fork",
        "import os; os.setsid",
        "import signal; signal.alarm",
        "import socket; socket.send_fds",
        "import socket; socket.socket().sendmsg",
    ],
)
def test_the_stand_in_for_windows_lacks_what_that_lacks(code: str) -> None:
    done = run(code, "windows")
    assert done.returncode == 1
    assert "Error: " in done.stderr


def test_the_stand_in_for_macos_refuses_to_limit_memory() -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))"
    assert "ValueError" in run(code, "macos").stderr


def steps(tree: Path, solved: Path, environment: dict[str, str]) -> str:
    command = [sys.executable, str(Path(portable.__file__)), str(tree), str(solved)]
    environment = {**os.environ, **environment}
    environment.pop("COURSE_DATA", None)
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_all_that_students_run_works_as_on_windows(tree: Path, solved: Path) -> None:
    assert "all steps hold" in steps(tree, solved, poor("windows"))


@pytest.mark.prove
@pytest.mark.parametrize("kind", ["macos", "linux"])
def test_all_that_students_run_works_elsewhere(tree: Path, solved: Path, kind: str) -> None:
    environment = poor(kind) if kind == "macos" else {}
    assert "all steps hold" in steps(tree, solved, environment)


def test_a_step_that_fails_is_noticed(tree: Path, solved: Path) -> None:
    """With a check path that imports what Windows has not, the steps fail."""
    child = tree / "autograder" / "students" / "child.py"
    child.write_text(child.read_text("utf-8").replace("import json\n", "import json, fcntl\n", 1))
    with pytest.raises(AssertionError, match="fcntl"):
        steps(tree, solved, poor("windows"))
