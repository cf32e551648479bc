"""The engine knows no week: no code in autograder/ names one, its folder, modules or classes.

Docstrings and comments may: "neural_net.py:57" says at once what a place looks like.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course import Week

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "autograder"
WEEKS = courses.load(ROOT).weeks

ALLOWED = {
    ("reference/gaps.py", "week1"): "an example in the message about a task's id",
    ("suite/collected_test.py", "week1"): "an example in the message about a missing marker",
    ("students/command_line.py", "week1"): "an example in the help of --task",
    ("author/release_files/check.py", "week1"): "examples in the help",
    ("author/release_files/check.py", "week1_backprop"): "an example in a message",
    ("author/release_files/check.py", "mnist_mlp.py"): "an example in a message",
    ("author/release_files/colab.py", "week1"): "the first task, as an example",
    ("author/handouts.py", "week1"): "an example in the message about a handout's headings",
    ("author/handout_pages.py", "pictures"): "the folder of a handout's pictures",
    ("commands/override.py", "week1"): "an example in the message about missing arguments",
    ("gradebook/people.py", "losses"): "a table of the journal: what was lost at intake",
    ("course/loading.py", "extra_credit"): "a key of rubric.toml",
    ("integrations/formgrader/pictures.py", "pictures"): "a field of the engine's own cells",
    ("reference/percent_source.py", "language"): "a field of a notebook's metadata",
    ("report/class_page.py", "Total"): "the heading of a column of points",
    ("report/curves.py", "train"): "a column of curves: train_loss, train_accuracy",
    ("worker/tensors.py", "Tensor"): "PyTorch's class",
    ("worker/tensors.py", "Parameter"): "PyTorch's class",
}
"""File in autograder/ and name -> why it may stand there."""


def names_of(week: Week) -> set[str]:
    """Return what a week's ids, folders, modules, notebook's functions and classes are called."""
    names = {week.id, week.folder, *week.folder.split("/")}
    for file in (*week.modules, *week.given):
        stem = file.removesuffix(".py")
        if not stem.endswith("__init__"):
            names |= {file, stem.replace("/", "."), stem.rpartition("/")[2]}
    for notebook in week.notebooks:
        names |= set(notebook.functions)
    for name in week.modules:
        tree = ast.parse((ROOT / "solutions" / week.folder / name).read_text("utf-8"))
        names |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    return names


NAMES = {name for week in WEEKS for name in names_of(week)}
TELLING = {name for name in NAMES if re.search(r"[\d_./]", name)}
"""Names that mean nothing else; "tensor", "train" and the like are looked for by themselves."""

PATTERN = re.compile(
    r"(?<![\w.])(" + "|".join(sorted(map(re.escape, TELLING), key=len, reverse=True)) + r")(?!\w)"
)


def spoken(source: str) -> Iterator[str]:
    """Yield the texts that are no docstrings, what is imported, and attributes' names."""
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is str and id(node) not in said:
            yield node.value
        elif isinstance(node, ast.Attribute) and node.attr[:1].isupper():
            yield node.attr
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def named_in(source: str) -> set[str]:
    """Return which names of weeks a module's code speaks of."""
    found = set()
    for text in spoken(source):
        found |= set(PATTERN.findall(text)) | ({text} & NAMES)
    return found


def test_the_search_finds_what_it_should():
    assert {"week1", "week2_autograd", "lab_3.py", "resnet", "train", "ResNet18"} <= NAMES
    for code, name in (
        ('x = "week1.linear"', "week1"),
        ('build = student.module("models.resnet").ResNet18', "models.resnet"),
        ("build = network.ResNet18", "ResNet18"),
        ("import neural_net", "neural_net"),
        ("from models.layers import BatchNorm2d", "models.layers"),
        ('f(f"{folder}/week2_autograd/x")', "week2_autograd"),
        ('name = "train"', "train"),
    ):
        assert name in named_in(code), code
    assert named_in('"""Like week1.linear."""\nx = "training"  # in lab_1.py') == set()


@pytest.mark.parametrize(
    "path", sorted(ENGINE.rglob("*.py")), ids=lambda path: path.relative_to(ENGINE).as_posix()
)
def test_no_module_of_the_engine_names_a_week(path):
    file = path.relative_to(ENGINE).as_posix()
    unexplained = {
        name for name in named_in(path.read_text("utf-8")) if (file, name) not in ALLOWED
    }
    assert not unexplained, f"{file}: move it to the week's folder, or explain it in ALLOWED"


def test_every_explanation_is_needed():
    needed = {
        (path.relative_to(ENGINE).as_posix(), name)
        for path in ENGINE.rglob("*.py")
        for name in named_in(path.read_text("utf-8"))
    }
    assert set(ALLOWED) <= needed
