"""What `make prove` keeps: proofs are used again while nothing that they depend on has changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs import imports_of

ROOT = Path(__file__).resolve().parents[2]
QUICKLY = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio"]
CONFTEST = """
import os
import pytest
from tests import proofs

def pytest_configure(config):
    config.pluginmanager.register(proofs.Proofs(config, lambda: os.environ.get("MACHINE", "")))
"""
FILES = {
    "pyproject.toml": "[tool.pytest.ini_options]\n"
    'pythonpath = ["."]\naddopts = ["--import-mode=importlib", "--strict-markers"]\n'
    'markers = ["prove(reads): proved once"]\n',
    "tests/conftest.py": CONFTEST,
    "tests/helper.py": "from course.sums import add\n",
    "course/__init__.py": "",
    "course/sums.py": "def add(a, b):\n    return a + b\n",
    "course/data.txt": "3",
    "course/other.txt": "anything",
    "tests/test_sums.py": """
import pytest
from tests.helper import add
from tests.proofs import Reads

def reads(number):
    return Reads(["course/data.txt"], [f"fact {number // 10}"])

@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("number", [1, 2])
def test_narrow(number):
    assert add(number, 1) == number + 1

@pytest.mark.prove
def test_whole():
    assert add(1, 1) == 2

@pytest.mark.prove
def test_skipped():
    pytest.skip("not here")

def test_of_the_other_tier():
    pass
""",
}


@pytest.fixture
def repository(tmp_path) -> Path:
    """A small repository with the plugin: three proofs, a test that is skipped, and another."""
    shipped = {"tests/proofs.py": (ROOT / "tests" / "proofs.py").read_text()}
    for name, text in (FILES | shipped).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def prove(repository: Path, *options: str, **environment: str) -> tuple[int, int, int]:
    """Run the tier; return the exit status, how many tests passed and how many were left out."""
    without = ("CI", "PROVE_FRESH", "PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")
    kept = {name: value for name, value in os.environ.items() if name not in without}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "prove", *QUICKLY, *options],
        cwd=repository,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    taken = re.search(r"(\d+) proofs were taken", done.stdout)
    assert taken or "made anew" in done.stdout, done.stdout + done.stderr
    return done.returncode, int(passed[1]) if passed else 0, int(taken[1]) if taken else 0


def change(repository: Path, name: str) -> None:
    with (repository / name).open("a") as file:
        file.write("\n")


def test_what_is_proved_is_not_run_again(repository):
    assert prove(repository) == (0, 3, 0)
    assert prove(repository) == (0, 0, 3)


def test_with_nothing_left_to_run_it_succeeds_in_several_processes_too(repository):
    assert prove(repository, "-n", "2") == (0, 3, 0)
    assert prove(repository, "-n", "2") == (0, 0, 3)
    assert prove(repository, "-k", "narrow") == (0, 0, 2)


DEPEND = {
    "course/other.txt": 1,  # read by nothing: only who depends on everything
    "course/data.txt": 3,
    "course/sums.py": 3,  # imported by what a test imports
    "course/__init__.py": 3,
    "tests/test_sums.py": 3,
    "tests/conftest.py": 3,
    "pyproject.toml": 3,
    "tests/test_other.py": 0,  # another test
    ".gitignore": 1,
}
"""How many of the three proofs depend on a file."""


def test_a_change_proves_anew_what_depends_on_it(repository):
    prove(repository)
    for name, again in DEPEND.items():
        change(repository, name)
        assert prove(repository) == (0, again, 3 - again), name


def test_another_machine_or_fact_is_another_proof(repository):
    prove(repository)
    assert prove(repository, MACHINE="rung C") == (0, 3, 0)
    path = repository / "tests" / "test_sums.py"
    path.write_text(path.read_text().replace("// 10", "// 1"))
    assert prove(repository) == (0, 3, 0)


def test_ci_uses_no_proof_and_keeps_none(repository):
    assert prove(repository, CI="true") == (0, 3, 0)
    assert prove(repository) == (0, 3, 0)
    assert prove(repository, CI="true") == (0, 3, 0)
    assert prove(repository, PROVE_FRESH="1") == (0, 3, 0)


def test_a_failure_is_no_proof_and_takes_an_earlier_one_away(repository):
    """Such as of a test that fails now and then: what it proved is in doubt."""
    path = repository / "tests" / "helper.py"
    path.write_text("import os\ndef add(a, b):\n    return a + b + ('WRONG' in os.environ)\n")
    assert prove(repository, WRONG="1") == (1, 0, 0)
    assert prove(repository) == (0, 3, 0)
    assert prove(repository, WRONG="1", PROVE_FRESH="1") == (1, 0, 0)
    assert prove(repository) == (0, 3, 0)


def test_an_old_proof_is_removed(repository):
    prove(repository)
    old = repository / ".proofs" / "0123"
    old.write_text("a test of last year\n")
    os.utime(old, (0, 0))
    assert prove(repository) == (0, 0, 3)
    assert not old.exists()


def test_imports_are_found_wherever_they_stand():
    """Also those inside functions, of a package's own, and by a name that is a module."""
    found = {str(path.relative_to(ROOT)) for path in imports_of(ROOT / "tests" / "conftest.py")}
    assert {"autograder/__init__.py", "autograder/course/__init__.py", "tests/proofs.py"} <= found
    found = imports_of(ROOT / "tests" / "hostile" / "runner.py")
    assert ROOT / "tests" / "hostile" / "corpus.py" in found
