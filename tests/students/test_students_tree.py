"""The students' tree in use: pytest anywhere, make, git, and the notebook that fetches it."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WEEKS = ("week1_backprop", "week2_autograd")
SETTINGS = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins that students don't have
}


@pytest.fixture
def tree(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / released.name))


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **SETTINGS}
    # ARGS and the like of the `make` that runs these tests are none of the tree's `make`.
    for name in ("PYTHONPATH", "ARGS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL"):
        environment.pop(name, None)
    return subprocess.run(
        [*command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def collected(folder: Path, *arguments: str) -> Iterator[str]:
    done = run(folder, sys.executable, "-m", "pytest", "-q", "--collect-only", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    yield from re.findall(r"^(\S+\.py)::", done.stdout, re.M)


def test_pytest_finds_public_and_own_tests_in_the_root_and_in_any_folder(tree: Path) -> None:
    for week in WEEKS:
        (tree / "assignments" / week / "test_mine.py").write_text("def test_mine():\n    pass\n")
    files = set(collected(tree))
    assert {f"assignments/{week}/test_mine.py" for week in WEEKS} <= files
    assert "assignments/week1_backprop/test_gradients.py" in files
    assert any("/tests/test_public_" in name for name in files)
    inside = set(collected(tree / "assignments" / WEEKS[0]))
    assert {name.rpartition("/")[2] for name in inside} >= {"test_mine.py", "test_gradients.py"}
    assert not any(WEEKS[1] in name for name in inside)
    (only,) = set(collected(tree / "assignments" / WEEKS[1] / "tests", "test_public_tensor.py"))
    assert only.endswith("test_public_tensor.py")


def test_modules_of_the_same_name_are_those_of_the_tests_week(tree: Path) -> None:
    test = "import helper\n\n\ndef test_it():\n    import helper as again\n"
    for week in WEEKS:
        folder = tree / "assignments" / week
        (folder / "helper.py").write_text(f"NAME = {week!r}\n")
        lines = f"    assert helper is again\n    assert helper.NAME == {week!r}\n"
        (folder / "test_same.py").write_text(test + lines)
    names = [f"assignments/{week}/test_same.py" for week in WEEKS]
    done = run(tree, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names)
    assert "2 passed" in done.stdout, done.stdout


def test_an_untouched_stub_is_red_and_says_what_to_fill_in(tree: Path) -> None:
    test = "assignments/week1_backprop/tests/test_public_neural_net.py"
    done = run(tree, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test)
    assert done.returncode == 1
    assert " passed" not in done.stdout
    assert "not attempted: week1.relu: fill in ReLU.forward" in done.stdout
    assert "Traceback" not in done.stdout
    assert "warning" not in done.stdout.lower(), "no marker is unknown"


def test_a_failure_names_the_line_in_the_students_own_file(tree: Path) -> None:
    stub = tree / "assignments/week1_backprop/neural_net.py"
    gap = 'raise NotImplementedError("week1.relu: fill in ReLU.forward")'
    text = stub.read_text("utf-8")
    assert gap in text
    stub.write_text(text.replace(gap, "return 1 / 0"), "utf-8")
    line = text[: text.index(gap)].count("\n") + 1
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "test_relu_forward")
    for more in ((), ("--in-process",)):
        done = run(tree / "assignments", sys.executable, *command, *more)
        assert f"assignments/week1_backprop/neural_net.py:{line}" in done.stdout
        assert "ZeroDivisionError" in done.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_does_the_same_in_a_folder_with_blanks(tree: Path) -> None:
    by_make = run(tree, "make", "check", "WEEK=2", f"PYTHON={sys.executable}")
    direct = run(tree, sys.executable, "check.py", "2")
    assert by_make.returncode == 0, by_make.stderr
    assert by_make.stdout == direct.stdout
    assert "7 hidden tests were not run" in direct.stdout


def test_git_takes_nothing_that_commands_and_scripts_write(tree: Path) -> None:
    project = "assignments/week3_training/phase1_project"
    written = (
        *(".venv/bin/python", ".venv.lock", "data/cache/mnist.npz", "ci-results/junit.xml"),
        *("week1.zip", "figures/weights.png", "assignments/week1_backprop/figures/loss.png"),
        *(f"{project}/runs/1/metrics.jsonl", f"{project}/out/checkpoint.safetensors"),
        *(f"{project}/events.out.tfevents.1.host", "project.zip", f"{project}/model.pt"),
    )
    kept = ("assignments/week1_backprop/utils.py", f"{project}/data/cifar10_loader.py", "a.png")
    run(tree, "git", "init", "-q")
    ignored = run(tree, "git", "check-ignore", *written, *kept).stdout.splitlines()
    assert set(ignored) == set(written)


def test_the_notebook_fetches_the_tree_and_checks_from_a_cell(tree: Path, tmp_path: Path) -> None:
    """Its cells are run as one script, where only the notebook is there."""
    archive = shutil.make_archive(str(tmp_path / "course"), "zip", tree.parent, tree.name)
    cells = json.loads((tree / "colab.ipynb").read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    code = "\n".join(sources).replace('ADDRESS = ""', f"ADDRESS = {Path(archive).as_uri()!r}")
    alone = tmp_path / "content"
    alone.mkdir()
    (alone / "cells.py").write_text(code, "utf-8")
    done = run(alone, sys.executable, "cells.py")
    assert done.returncode == 0, done.stderr
    assert "Everything is there" in done.stdout
    assert re.search(r"^ +week1\.relu +0 / 1 +not attempted", done.stdout, re.M)
    assert (alone / "neural-network-foundations" / "week1.zip").is_file()


def test_settings_of_editors_and_containers_are_json_with_comments(tree: Path) -> None:
    for name in (".devcontainer/devcontainer.json", ".vscode/settings.json"):
        lines = (tree / name).read_text("utf-8").splitlines()
        held = json.loads("\n".join(line for line in lines if not line.startswith("//")))
        assert held
    assert "check.py setup" in (tree / ".devcontainer/devcontainer.json").read_text("utf-8")


UNIX = {"resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog", "readline"}
FORKS = re.compile(r"\bos\.(fork|forkpty|setsid|posix_spawn)\b|\bsignal\.(alarm|setitimer)\b")


def unguarded(source: str) -> list[str]:
    """Return the imports of modules that only Unix has, but for those in a `try`."""
    tree = ast.parse(source)
    tried = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in node.body
    }
    found = []
    for node in ast.walk(tree):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [name for name in names if name in UNIX and id(node) not in tried]
    return found + FORKS.findall(source)


def test_no_file_of_the_tree_needs_what_only_unix_has(released: Path) -> None:
    assert unguarded("import resource") == unguarded("from resource import x") == ["resource"]
    assert unguarded("try:\n    import resource\nexcept ImportError:\n    pass") == []
    files = sorted(released.rglob("*.py"))
    assert len(files) > 100
    found = {str(path): unguarded(path.read_text("utf-8")) for path in files}
    assert {name: names for name, names in found.items() if names} == {}
