"""A week is added to a copy of the course, without touching a line of autograder/.

It has everything that a week can bring: modules, items, a driver, a probe, a data set of its own
for its threshold, a hidden and a public suite with a helper for both, and a catalogue.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder import course as courses
from autograder.author import release
from autograder.channel.faults import Fault
from autograder.course import CourseError
from autograder.grading.examiner import Examiner
from autograder.grading.setting import datasets_here
from autograder.integrations.gradescope.upload import write_zip
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.reference.gaps import make_stub
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost

ROOT = Path(__file__).resolve().parents[2]
WEEK = "week9"
FOLDER = "week9_dots"

COURSE = """

[[week]]
number = 9
id = "week9"
folder = "week9_dots"
title = "Dots"
modules = ["stretch.py", "learner.py"]
data = "hidden/dots.npz"

[week.limits]
request_seconds = 5
test_seconds = 20
training_seconds = 60
memory_mb = 1024
training_memory_mb = 1024
processes = 16
output_kb = 64
file_mb = 4
"""
SETTINGS = """

[training."hidden/dots.npz"]
epochs = 3
batch_size = 20
lr = 0.5
curve = [[0.60, 0], [0.95, 1]]
"""
RUBRIC = """

[[phase.component]]
id = "dots"
title = "Dots"
points = 10
kind = "auto"
items = [
    { id = "week9.stretch", title = "Stretching", points = 4, week = 9 },
    { id = "week9.accuracy", title = "Accuracy", points = 5, week = 9 },
    { id = "week9.quality", title = "Quality", points = 1, week = 9 },
]
"""
STRETCH = '''"""Stretches numbers, and what functions make of them."""

from collections.abc import Callable

import numpy as np


def stretch(x: np.ndarray) -> np.ndarray:
    """Return 2 * x; float64 in, float64 out, the same shape."""
    # BEGIN SOLUTION week9.stretch
    return 2.0 * x
    # END SOLUTION


def stretched(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return 2 * f(x), where f takes and returns an array."""
    # BEGIN SOLUTION week9.stretch
    return stretch(f(x))
    # END SOLUTION
'''
LEARNER = '''"""Tells two kinds of dots apart by a line between them."""

import numpy as np


class Line:
    """Says 1 where w . x + b > 0: w has shape (D,), b is a number."""

    def __init__(self, size: int) -> None:
        self.w, self.b = np.zeros(size), 0.0

    def train_step(self, x: np.ndarray, y: np.ndarray, lr: float) -> float:
        """Take a step down the mean logistic loss of x (N, D), y (N,); return that loss."""
        # BEGIN SOLUTION week9.accuracy
        p = 1.0 / (1.0 + np.exp(-(x @ self.w + self.b)))
        self.w -= lr * x.T @ (p - y) / len(x)
        self.b -= lr * float(np.mean(p - y))
        return float(-np.mean(np.log(np.where(y == 1, p, 1.0 - p))))
        # END SOLUTION
'''
DRIVERS = '''"""A driver and a probe of this week."""

from .shapes import tent


def repeat(function, x, times):
    """Return function(function(... x)), so many times."""
    for _ in range(times):
        x = function(x)
    return x


DRIVERS = {"repeat": repeat}
PROBES = {"tent": tent}
'''
SHAPES = '''"""A function that no task asks for."""

import numpy as np


def tent(x):
    """Return 1 - |x|."""
    return 1.0 - np.abs(x)
'''
TOOLS = '''"""What both suites of this week use."""

from autograder.suite import expect


def check_stretch(student, x):
    expect.close("stretch(x)", student.stretch.stretch(x), 2.0 * x)
'''
HIDDEN = '''"""Hidden tests of the dots."""

import numpy as np
import pytest

from autograder.records import FULL_CREDIT
from autograder.suite import expect

from ..suite_tools.checks import check_stretch
from . import lists

stretch = pytest.mark.item("week9.stretch")


@stretch
@pytest.mark.parametrize("size", lists.SIZES)
def test_stretch(student, rng, size):
    """Every entry is doubled."""
    check_stretch(student, rng.normal(size=size))


@stretch
def test_again_and_again(student, rng):
    """Stretching many times multiplies by a power of two."""
    x = rng.normal(size=3)
    answer = student.drive("repeat", student.stretch.stretch, x, 5)
    expect.close("stretch, five times", answer, 32.0 * x)


@stretch
def test_of_a_function(student, rng):
    """What a function gives is stretched."""
    x = rng.normal(size=4)
    answer = student.stretch.stretched(student.probe("tent"), x)
    expect.close("stretched(f, x)", answer, 2.0 - 2.0 * np.abs(x))


@pytest.mark.item("week9.accuracy")
@pytest.mark.training
def test_accuracy(student, settings, grade):
    """The line tells new dots apart."""
    data = settings.data
    model = student.learner.Line(2)
    x, y = student.keep(data.x_train), student.keep(data.y_train)
    for epoch in range(settings.epochs):
        student.drive("train_epoch", model, x, y, settings.batch_size, settings.lr, epoch)
    w = expect.array("w", model.w, (2,))
    right = (data.x_test @ w + float(model.b) > 0) == (data.y_test == 1)
    share = settings.credit(float(right.mean())) / FULL_CREDIT
    grade(share, f"{right.mean():.0%} of new dots", data=settings.name)
'''
LISTS = '"""Sizes for the hidden tests alone."""\n\nSIZES = (1, 3, 7)\n'
PUBLIC = '''"""Public tests of the dots."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.checks import check_stretch


@pytest.mark.item("week9.stretch")
def test_a_known_stretch(student):
    """Known numbers are doubled."""
    check_stretch(student, np.array([1.2345, 3.0719, 0.5813]))


@pytest.mark.item("week9.stretch")
def test_twice(student):
    """Stretched twice, 1 becomes 4."""
    received = student.drive("repeat", student.stretch.stretch, np.ones(1), 2)
    expect.close("repeat(stretch, x, 2)", received, np.array([4.0]))
'''
CATALOGUE = """
[[misconception]]
id = "stretch-adds"
module = "stretch"
where = "stretch"
replace = "2.0 * x"
by = "2.0 + x"
fails = ["week9.stretch"]
says = "You add 2 instead of multiplying by it."
"""
FILES = {
    f"assignments/{FOLDER}/README.md": "# Dots\n",
    f"assignments/{FOLDER}/worker/__init__.py": DRIVERS,
    f"assignments/{FOLDER}/worker/shapes.py": SHAPES,
    f"assignments/{FOLDER}/suite_tools/checks.py": TOOLS,
    f"assignments/{FOLDER}/hidden/test_dots.py": HIDDEN,
    f"assignments/{FOLDER}/hidden/lists.py": LISTS,
    f"assignments/{FOLDER}/tests/test_public_dots.py": PUBLIC,
    f"solutions/{FOLDER}/stretch.py": STRETCH,
    f"solutions/{FOLDER}/learner.py": LEARNER,
    f"solutions/{FOLDER}/misconceptions.toml": CATALOGUE,
}
COPIED = ("assignments", "solutions", "autograder", "data", "notebooks", "scripts")
COPIED += ("pyproject.toml", "requirements.txt", "requirements-torch.txt")
COPIED += ("requirements-jupyter.txt",)
OTHERS = (1, 2, 3)


def dots(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two clouds of dots in the plane, (count, 2), and which of them each dot is of."""
    y = rng.integers(0, 2, count)
    return rng.normal(size=(count, 2)) + np.where(y, 3.0, -3.0)[:, np.newaxis], y


def copy_of_the_course(root: Path) -> None:
    """Copy what a course is made of."""
    left = shutil.ignore_patterns("__pycache__", "cache")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=left)
        else:
            shutil.copyfile(source, root / name)


def add_the_week(root: Path) -> None:
    """Add the week: its own files, and a few lines in the three files of the course."""
    for name, text in FILES.items():
        assert name.startswith(("assignments/", "solutions/"))
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    rng = np.random.default_rng(3)
    (x_train, y_train), (x_test, y_test) = dots(rng, 200), dots(rng, 100)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    np.savez(root / f"assignments/{FOLDER}/hidden/dots.npz", **arrays)
    for file, more in (("course", COURSE), ("grading", SETTINGS), ("rubric", RUBRIC)):
        path = root / f"assignments/{file}.toml"
        path.write_text(path.read_text() + more)
    rubric = root / "assignments/rubric.toml"
    # What is appended is in the last phase.
    assert rubric.read_text().count("\ntotal = 60\n") == 1
    rubric.write_text(rubric.read_text().replace("\ntotal = 60\n", "\ntotal = 70\n"))


def fingerprints(root: Path, confinement: Any) -> dict[int, str]:
    """Return what the results of the weeks that were there before depend on."""
    found = {}
    for number in OTHERS:
        examiner = Examiner(root, number, confinement, "digits" if number < 3 else None)
        found[number] = examiner.fingerprint
        examiner.close()
    return found


@pytest.fixture(scope="module")
def before() -> dict[int, str]:
    """The fingerprints of the other weeks before the new one is there; see `root`."""
    return {}


@pytest.fixture(scope="module")
def root(tmp_path_factory, confinement, before) -> Path:
    """A copy of the course with one more week."""
    root = tmp_path_factory.mktemp("course")
    copy_of_the_course(root)
    before.update(fingerprints(root, confinement))
    add_the_week(root)
    return root


@pytest.fixture(scope="module")
def examiner(root, confinement) -> Iterator[Examiner]:
    week = courses.load(root).week(9)
    made = Examiner(root, 9, confinement, datasets_here([week])[9])
    yield made
    made.close()


def stub_files(examiner: Examiner) -> dict[str, bytes]:
    return {
        name: make_stub(source.decode(), name).encode()
        for name, source in examiner.reference.items()
    }


def credits_of(results: list[CheckResult]) -> dict[str, int]:
    return {result.check: result.credit for result in results}


def test_the_reference_gets_everything(examiner):
    examined = examiner.examine(examiner.reference)
    assert [(r.check, r.message) for r in examined.results if r.credit < FULL_CREDIT] == []
    assert examined.flags == []
    items = {check.item for check in examiner.plan}
    assert items == {"week9.stretch", "week9.accuracy", "week9.quality"}
    [accuracy] = [r for r in examined.results if "accuracy" in r.check]
    assert accuracy.detail["data"] == "hidden/dots.npz"


def test_stubs_get_nothing(examiner):
    results = examiner.examine(stub_files(examiner)).results
    assert not any(credits_of(results).values())
    assert {r.verdict for r in results} <= {Verdict.NOT_ATTEMPTED, Verdict.BLOCKED}


def test_its_misconception_is_caught_and_explained(examiner):
    wrong = STRETCH.replace("return 2.0 * x", "return x + 2.0").encode()
    results = examiner.examine({**examiner.reference, "stretch.py": wrong}).results
    credit = credits_of(results)
    explained = {r.check for r in results if r.misconception == "stretch-adds"}
    stretches = {check.id for check in examiner.session.plan if check.item == "week9.stretch"}
    assert explained == stretches
    assert not any(credit[check] for check in stretches)
    assert credit["test_dots::test_accuracy"] == FULL_CREDIT


def test_code_of_ours_finds_the_same_drivers_in_this_process(examiner):
    outcomes = examiner.session.run(LocalHost(examiner.reference))
    assert {outcome.result.verdict for outcome in outcomes} == {Verdict.PASS}


WALK = b"""
import os
MACHINE = ("proc", "sys", "dev", "usr", "lib", "lib64", "runtime")
def finds(*names):
    tops = [f"/{top}" for top in os.listdir("/") if top not in MACHINE]
    walks = (walk for top in tops for walk in os.walk(top))
    return sorted(name for _, _, files in walks for name in files if name in names)
"""


def test_its_sandboxes_hold_its_drivers_and_no_test_data(examiner, confinement):
    host = SandboxHost(confinement, {"walk.py": WALK}, examiner.limits)
    student = host.start(0, own=examiner.session.worker)
    names = ("shapes.py", "dots.npz", "test_dots.py", "checks.py", "learner.py", "schedules.py")
    assert student.walk.finds(*names) == (["shapes.py"] if confinement.rung in "AB" else [])
    host.close()


@pytest.mark.parametrize("number", OTHERS)
def test_other_weeks_know_nothing_of_it(root, confinement, number):
    other = Examiner(root, number, confinement, None)
    host = SandboxHost(confinement, {"walk.py": WALK}, other.limits)
    try:
        assert "repeat" not in other.session.worker.drivers.drivers
        student = host.start(0, own=other.session.worker)
        with pytest.raises(Fault, match="there is no driver 'repeat'"):
            student.drive("repeat", 1, 1, 1)
        with pytest.raises(Fault, match="there is no probe 'tent'"):
            student.probe("tent")
        assert student.walk.finds("shapes.py", "dots.npz") == []
    finally:
        host.close()
        other.close()


def test_the_other_weeks_results_stay_valid(root, before, confinement):
    assert fingerprints(root, confinement) == before


@pytest.mark.parametrize(
    "file",
    [
        f"assignments/{FOLDER}/worker/shapes.py",
        f"assignments/{FOLDER}/suite_tools/checks.py",
        f"assignments/{FOLDER}/hidden/lists.py",
    ],
)
def test_a_change_in_its_own_files_is_its_own(root, before, confinement, file):
    def own() -> str:
        made = Examiner(root, 9, confinement, "hidden/dots.npz")
        found = made.fingerprint
        made.close()
        return found

    text, first = (root / file).read_text(), own()
    try:
        (root / file).write_text(text + "\nCHANGED = True\n")
        assert own() != first
        made = Examiner(root, 1, confinement, "digits")
        assert made.fingerprint == before[1]
        made.close()
    finally:
        (root / file).write_text(text)


def test_a_helper_that_changed_is_seen_by_the_next_session_of_one_process(root, confinement):
    path = root / f"assignments/{FOLDER}/hidden/lists.py"
    try:
        path.write_text(LISTS.replace("(1, 3, 7)", "(2,)"))
        made = Examiner(root, 9, confinement, None)
        names = [check.id for check in made.session.plan if "test_stretch[" in check.id]
        made.close()
    finally:
        path.write_text(LISTS)
    assert names == ["test_dots::test_stretch[2]"]


@pytest.fixture
def edited(root) -> Iterator[Callable[[str, str, str], None]]:
    """Edit a file of the course for a while."""
    kept: dict[Path, bytes] = {}

    def edit(name: str, old: str, new: str) -> None:
        path = root / name
        kept.setdefault(path, path.read_bytes())
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))

    yield edit
    for path, content in kept.items():
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "assignments/course.toml",
            'data = "hidden/dots.npz"',
            'data = "hidden/dotz.npz"',
            "week9.data: there is no file assignments/week9_dots/hidden/dotz.npz",
        ),
        (
            "assignments/course.toml",
            'data = "hidden/dots.npz"',
            'data = "tests/dots.npz"',
            "data: must be a data set's name, or a file such as",
        ),
        (
            "assignments/course.toml",
            'data = "hidden/dots.npz"',
            'worker = ["week9_dots/drivers"]',
            "week9.worker: there is no folder assignments/week9_dots/drivers",
        ),
        (
            f"assignments/{FOLDER}/worker/__init__.py",
            'PROBES = {"tent": tent}',
            "",
            f"assignments/{FOLDER}/worker/__init__.py: PROBES: is missing",
        ),
        (
            f"assignments/{FOLDER}/worker/__init__.py",
            '{"repeat": repeat}',
            '{"train_epoch": repeat}',
            "DRIVERS: the name 'train_epoch' is taken: it is the engine's own",
        ),
    ],
)
def test_an_authors_mistake_names_file_key_and_remedy(
    root, confinement, edited, name, old, new, said
):
    edited(name, old, new)
    if "dotz" in new:
        edited("assignments/grading.toml", "hidden/dots.npz", "hidden/dotz.npz")
    with pytest.raises(CourseError) as raised:
        Examiner(root, 9, confinement, courses.load(root).week(9).data)
    assert said in str(raised.value)


def in_the_tree(tree: Path, *arguments: str) -> str:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.prove
def test_students_get_its_drivers_and_helpers_and_nothing_hidden(root, tmp_path, monkeypatch):
    real, nothing = release.shipped_facts, {"hidden_tests": 0, "wrong_answers": {}}
    monkeypatch.setattr(  # the other weeks' are not looked at here, and take minutes
        release, "shipped_facts", lambda r, c, w: real(r, c, w) if w.id == WEEK else nothing
    )
    tree = tmp_path / "students"
    files = release.build_release(root, tree)
    own = {file.removeprefix(f"assignments/{FOLDER}/") for file in files if FOLDER in file}
    assert own == {
        "README.md",
        "stretch.py",
        "learner.py",
        "worker/__init__.py",
        "worker/shapes.py",
        "suite_tools/checks.py",
        "tests/test_public_dots.py",
        "tests/diagnosis.json",
    }
    assert "not attempted" in in_the_tree(tree, "autograder", "check", "--week", WEEK)
    for name, source in (("stretch", STRETCH), ("learner", LEARNER)):
        (tree / f"assignments/{FOLDER}/{name}.py").write_text(source)
    assert "4 / 4" in in_the_tree(tree, "autograder", "check", "--week", WEEK)
    wrong = STRETCH.replace("return 2.0 * x", "return x + 2.0")
    (tree / f"assignments/{FOLDER}/stretch.py").write_text(wrong)
    assert "You add 2 instead" in in_the_tree(tree, "autograder", "check", "--week", WEEK)


def test_what_is_uploaded_to_gradescope_holds_its_drivers_and_data(root, tmp_path):
    names = set(write_zip(root, tmp_path / "autograder.zip", only=9))
    own = ("worker/shapes.py", "suite_tools/checks.py", "hidden/dots.npz", "hidden/lists.py")
    assert {f"assignments/{FOLDER}/{name}" for name in own} <= names
    assert not {name for name in names if "week2_autograd" in name}
    third = set(write_zip(root, tmp_path / "three.zip", only=3))
    assert "assignments/shared/schedules/__init__.py" in third
