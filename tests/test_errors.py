"""The tree of errors: its drawing is true, and every error survives being copied and pickled."""

from __future__ import annotations

import ast
import copy
import errno
import importlib
import os
import pickle
import re
from pathlib import Path

import pytest

from autograder import errors
from autograder.errors import AutograderError, FileError

PACKAGE = Path(errors.__file__).parent
DRAWING = (PACKAGE.parent / "docs" / "errors.md").read_text("utf-8")
APART = {
    "AbandonedError",
    "Changed",
    "CodecError",
    "Fault",
    "Noticed",
    "Stopped",
    "Terminated",
    "TooManyLinesError",
    "WeekWorkerError",
    "Wrong",
}
OWN_ARGUMENTS = {
    "CourseError": ("course.toml", "week", "there is no week 9", "Choose 1"),
    "ManualError": (Path("manual.csv"), ["line 2: no student", "line 3: no item"]),
    "StubError": ("double.py", 3, "not valid Python"),
}
"""For classes whose constructors take more than a problem and a remedy."""


def drawn() -> dict[str, tuple[str, str]]:
    """Return each class of the drawing: the class above it, and the module behind it."""
    tree: dict[str, tuple[str, str]] = {}
    above = ["AutograderError"]
    for line in DRAWING.splitlines():
        match = re.fullmatch(r"([│ ]*)[├└]── (\w+) *(.*)", line)
        if match:
            depth = len(match[1]) // 4 + 1
            del above[depth:]
            module = match[3] if re.fullmatch(r"[a-z_.]+\.[a-z_.0-9]+", match[3]) else "errors"
            tree[match[2]] = (above[-1], module)
            above.append(match[2])
    return tree


def defined() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Return every class of the package by its name: the names of its bases, and its modules."""
    classes: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for path in PACKAGE.rglob("*.py"):
        if "release_files" in path.parts:  # what students get, beside the package
            continue
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = tuple(ast.unparse(base).rpartition(".")[2] for base in node.bases)
                classes.setdefault(node.name, []).append((bases, module))
    return classes


def is_error(name: str, classes: dict[str, list[tuple[tuple[str, ...], str]]]) -> bool:
    builtin = getattr(__import__("builtins"), name, None)
    if isinstance(builtin, type):
        return issubclass(builtin, BaseException)
    bases = {base for bases, _ in classes.get(name, []) for base in bases} - {name}
    return any(is_error(base, classes) for base in bases)


def test_the_drawing_names_every_error_under_its_base_and_in_its_module() -> None:
    classes = defined()
    found = {name: places for name, places in classes.items() if is_error(name, classes)}
    for name in APART:
        assert found.pop(name)
        assert re.search(rf"\b{name}\b", DRAWING)
    del found["AutograderError"]
    assert {name: [(bases[0], module)] for name, [(bases, module)] in found.items()} == {
        name: [place] for name, place in drawn().items()
    }


@pytest.mark.parametrize("name", drawn())
def test_an_error_survives_copying_and_pickling(name: str) -> None:
    module = importlib.import_module(f"autograder.{drawn()[name][1]}")
    error = getattr(module, name)(*OWN_ARGUMENTS.get(name, ("the problem", "The remedy")))
    assert isinstance(error, AutograderError)
    assert str(error)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("there is no week 9",), "there is no week 9"),
        (("there is no week 9.",), "there is no week 9."),
        (("there is no week 9", "Choose 1"), "there is no week 9. Choose 1."),
        (("Is that so?", "Ask!"), "Is that so? Ask!"),
    ],
)
def test_problem_and_remedy_are_sentences(arguments: tuple[str, ...], text: str) -> None:
    assert str(AutograderError(*arguments)) == text


def test_a_refusal_of_the_system_names_the_file_and_what_to_do() -> None:
    refused = FileError.of(OSError(errno.EROFS, os.strerror(errno.EROFS), "grades"))
    assert str(refused) == (
        "grades can't be written: its file system is read-only. Name another one."
    )
    full = FileError.of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert str(full).startswith("a file can't be written: the disk is full. Make room.")


@pytest.mark.parametrize("number", [errno.EBADF, errno.ECONNRESET, errno.ENOENT, errno.EACCES])
def test_what_names_no_file_is_a_mistake_of_ours(number: int) -> None:
    assert FileError.of(OSError(number, os.strerror(number))) is None
