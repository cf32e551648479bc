"""check.py of a students' tree: it finds a Python, makes .venv once, and passes commands on.

`python -m venv` and pip are replaced by stand-ins that note what they were asked for.
"""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "autograder" / "author" / "release_files"


class Tree:
    """A tree with check.py alone, loaded as a module whose programs are stand-ins."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        (folder / "assignments").mkdir(parents=True)
        for name in ("course.toml",):
            (folder / "assignments" / name).write_bytes((ROOT / "assignments" / name).read_bytes())
        (folder / "check.py").write_bytes((FILES / "check.py").read_bytes())
        for name in ("requirements.txt", "requirements-torch.txt", "requirements-jupyter.txt"):
            (folder / name).write_text(f"# {name}\n", "utf-8")
        self.folder, self.calls, self.fails = folder, list[list[str]](), ""
        self.names: dict[str, Any] = runpy.run_path(str(folder / "check.py"), run_name="check")
        # Its functions look into the dict that they were defined in.
        self.globals: dict[str, Any] = self.names["main"].__globals__
        self.globals["missing_here"] = lambda need: [need]
        self.globals["subprocess"] = SimpleNamespace(call=self._call)
        self.python = self.globals["PYTHON"]
        monkeypatch.chdir(folder)

    def _call(self, command: list[str], **more: Any) -> int:
        words = [str(word) for word in command]
        self.calls.append(words)
        if self.fails and self.fails in words:
            return 1
        if "venv" in words:
            self.python.parent.mkdir(parents=True, exist_ok=True)
            self.python.touch()
        return 0

    def run(self, *arguments: str) -> list[str]:
        """Run check.py; return what was done, in a word or two each."""
        self.calls.clear()
        self.globals["main"](list(arguments))
        return [self._said(words) for words in self.calls]

    @staticmethod
    def _said(words: list[str]) -> str:
        if "venv" in words:
            return "venv"
        if "pip" in words:
            return f"pip {Path(words[-1]).name}"
        return " ".join(words[words.index("-P") + 1 :])


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(tmp_path / "Kurs für alle (1)", monkeypatch)


def test_the_first_call_makes_the_environment_and_the_next_does_not(tree: Tree) -> None:
    check = "-m autograder check 1"
    assert tree.run("1") == ["venv", "pip requirements.txt", check]
    assert tree.run("1") == [check]
    assert not (tree.folder / ".venv.lock").exists()


def test_a_python_that_has_all_is_used_as_it_is(tree: Tree) -> None:
    tree.globals["missing_here"] = lambda need: []
    assert tree.run("1") == ["-m autograder check 1"]
    assert tree.calls[0][0] == sys.executable
    assert not (tree.folder / ".venv").exists()


def test_the_project_alone_brings_pytorch(tree: Tree) -> None:
    tree.run("setup")
    torch, check = "pip requirements-torch.txt", "-m autograder check"
    assert tree.run("--task", "week1.relu") == [f"{check} --task week1.relu"]
    assert tree.run("--task", "project.blocks") == [torch, f"{check} --task project.blocks"]
    assert tree.run("project") == [f"{check} project"]


def test_the_folder_says_which_week_is_meant(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.run("setup")
    inside = tree.folder / "assignments/week3_training/phase1_project"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside.parent)
    assert tree.run() == ["-m autograder check"]
    monkeypatch.chdir(inside)
    assert tree.run() == ["pip requirements-torch.txt", "-m autograder check"]


@pytest.mark.parametrize(
    ("typed", "done"),
    [
        (("check", "2", "--watch"), "-m autograder check 2 --watch"),
        (("handin", "1"), "-m autograder hand-in 1"),
        (("data", "mnist"), "-m data download mnist"),
        (("export", "classroom50"), "-m autograder export classroom50"),
    ],
)
def test_commands_are_passed_on(tree: Tree, typed: tuple[str, ...], done: str) -> None:
    tree.run("setup")
    assert tree.run(*typed) == [done]


def test_new_pins_are_installed_and_an_interrupted_set_up_goes_on(tree: Tree) -> None:
    tree.fails = "pip"
    with pytest.raises(SystemExit):
        tree.run("1")
    assert not (tree.folder / ".venv.lock").exists()
    tree.fails = ""
    assert tree.run("1")[-2:] == ["pip requirements.txt", "-m autograder check 1"]
    (tree.folder / "requirements.txt").write_text("# newer\n", "utf-8")
    assert tree.run("1") == ["pip requirements.txt", "-m autograder check 1"]


def test_a_moved_tree_gets_another_environment(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.run("setup")
    moved = tmp_path / "elsewhere"
    tree.folder.rename(moved)
    (moved / "assignments" / "course.toml").unlink()
    (moved / "assignments").rmdir()
    kept = (moved / ".venv" / ".ready").read_text("utf-8")
    other = Tree(moved, monkeypatch)
    assert kept == (moved / ".venv" / ".ready").read_text("utf-8")
    assert other.run("1")[0] == "venv"


def test_no_virtual_environment_is_said_with_what_mends_it(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    tree.fails = "venv"
    with pytest.raises(SystemExit) as ended:
        tree.run("1")
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "apt-get install -y python3" in said
    assert "setup --here" in said


@pytest.mark.parametrize("typed", [("setup", "tensorflow"), ("run",), ("run", "nothing.py")])
def test_what_is_not_there_is_one_line(
    tree: Tree, typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tree.globals["main"](list(typed)) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_old_python_looks_for_a_newer_one(tree: Tree) -> None:
    """Python 3.8 can read it: no newer syntax, and newer modules only where they are used."""

    text = (tree.folder / "check.py").read_text("utf-8")
    top = list(ast.parse(text, feature_version=(3, 8)).body)
    names = [name.name for node in top if isinstance(node, ast.Import) for name in node.names]
    assert "tomllib" not in names
    assert "suitable_python()" in text[text.index('if __name__ == "__main__"') :]


def test_a_lock_of_a_process_that_is_gone_stops_nobody(tree: Tree) -> None:
    (tree.folder / ".venv.lock").write_text("99999999", "utf-8")
    assert tree.run("setup") == ["venv", "pip requirements.txt"]
