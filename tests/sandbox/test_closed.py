"""A clone or an environment that other users can't read is named, with the command for it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from autograder.sandbox import choose, closed
from autograder.sandbox.runtime import Mount, Runtime


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone and an environment below a folder with a blank in its name, as root sees them."""
    root = tmp_path / "a clone"
    for name in ("autograder/wire", "autograder/worker", "lib/site-packages/numpy"):
        (root / name).mkdir(parents=True)
        (root / name / "code.py").write_text("x = 1\n")
        (root / name / "code.py").chmod(0o644)
    for folder in (tmp_path, *tmp_path.rglob("*"), *tmp_path.parents):
        if folder.is_dir() and folder.is_relative_to(tmp_path.parent):
            folder.chmod(0o755)
    names = ("autograder/wire", "autograder/worker", "lib/site-packages/numpy")
    runtime = Runtime(tuple(Mount(str(root / name), f"/{name}") for name in names), ())
    monkeypatch.setattr(closed, "host_runtime", lambda: runtime)
    monkeypatch.setattr(closed, "OURS", root / "autograder")
    monkeypatch.setattr(closed, "staged", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return root


def close(folder: Path, mask: int) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o777 & ~mask)


def test_nothing_is_said_where_everybody_can_read(tree: Path) -> None:
    assert closed.why_closed() == ""


@pytest.mark.parametrize("mask", [0o027, 0o077])
@pytest.mark.parametrize("name", ["autograder", "lib/site-packages"])
def test_the_folder_is_named_and_the_command_opens_it(tree: Path, mask: int, name: str) -> None:
    close(tree / name, mask)
    said = closed.why_closed()
    assert said.startswith(f"{tree / name} can't be read")
    command = said.partition("This opens it: ")[2]
    assert command == f"chmod -R o+rX {shlex.quote(str(tree / name))}"
    subprocess.run(command, shell=True, check=True)
    assert closed.why_closed() == ""


def test_a_closed_folder_above_is_named_where_root_may_not_mount(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed, "staged", lambda: False)
    tree.chmod(0o700)
    command = closed.why_closed().partition("This opens it: ")[2]
    assert command.startswith("chmod o+x ")
    assert command.endswith(shlex.quote(str(tree)))  # pytest's own folders are closed too


def test_others_than_root_run_sandboxes_as_themselves(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(tree, 0o077)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert closed.why_closed() == ""


def test_it_is_what_a_grading_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    close(tree / "autograder", 0o077)
    tried = choose.Tried("A", None, "the sandbox did not get ready")
    monkeypatch.setattr(choose, "try_rungs", lambda *given: iter([tried]))
    with pytest.raises(choose.NotConfinedError, match=r"chmod -R o\+rX '.*/a clone/autograder'"):
        choose.choose()
