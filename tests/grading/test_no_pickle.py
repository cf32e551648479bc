"""No module of ours reads pickles, or has a queue or pipe of Python's that would."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNPICKLING = (
    *("pickle", "_pickle", "cPickle", "pickletools", "shelve"),
    *("dill", "cloudpickle", "joblib", "multiprocessing", "concurrent.futures.process"),
)
ALLOWED = {"multiprocessing.util.Finalize"}
"""Runs something when a process ends; it has nothing to do with other processes."""

SAME_RIGHTS = ("autograder/author/week_check.py",)
"""Its processes run what authors write, and give up no rights: no border is crossed."""

NAMES = {"ProcessPoolExecutor", "multiprocessing_context"}
LOADED = {
    *("multiprocessing.connection", "multiprocessing.queues", "multiprocessing.forkserver"),
    *("multiprocessing.resource_tracker", "concurrent.futures.process"),
}


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of all that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def faults(source: str) -> list[str]:
    """Return what a module does that could unpickle something."""
    tree = ast.parse(source)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    dotted = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    modules = [
        name
        for name in imported(tree)
        if any(f"{name}.".startswith(f"{module}.") for module in UNPICKLING)
    ]
    calls = ((names | attributes) & NAMES) | (dotted & {"marshal.load", "marshal.loads"})
    return sorted({*modules, *calls} - ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import multiprocessing",
        "from multiprocessing.connection import Connection",
        "def f():\n    from multiprocessing import Queue",
        "from concurrent.futures import ProcessPoolExecutor\nProcessPoolExecutor()",
        "import concurrent.futures.process",
        "import marshal\nmarshal.loads(b'')",
    ],
)
def test_it_is_seen_where_a_module_could(source) -> None:
    assert faults(source)


def test_no_module_does() -> None:
    """What runs inside a sandbox is left out: what its parent sends it can be trusted there."""
    modules = sorted((ROOT / "autograder").rglob("*.py"))
    modules = [path for path in modules if "worker" not in path.relative_to(ROOT).parts]
    assert len(modules) > 100
    found = {str(path.relative_to(ROOT)): faults(path.read_text()) for path in modules}
    assert sorted(path for path, what in found.items() if what) == list(SAME_RIGHTS)


def test_what_grades_does_not_even_load_them() -> None:
    program = (
        "import sys; from autograder.grading import fork_server, pool, run, single; "
        "from autograder.integrations.push import service; "
        "from autograder.integrations.gradescope import run; "
        "from autograder.commands import grade, export; "
        f"print(sorted({LOADED!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
