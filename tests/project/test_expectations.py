"""What suites expect is their own: every received array has a shape, and no answer is expected.

The first half reads the suites. The second runs them with the reference, whose answers are marked
(tests/tainted.py): nothing that a comparison expects may carry a mark.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from autograder import course as courses
from autograder.records import Verdict
from autograder.reference.misconceptions import solution_files
from autograder.suite import expect
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import Outcome
from tests import tainted

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
PLACES = ("assignments/**/hidden", "assignments/**/tests", "assignments/**/suite_tools")
SUITES = sorted(
    {
        path
        for place in (*PLACES, "autograder/suite", "autograder/gpu")
        for folder in ROOT.glob(place)
        for path in folder.rglob("*.py")
        if path != Path(expect.__file__)
    }
)

BY_DESIGN = {
    "week3_training/phase1_project/hidden": {
        # The mean and deviation of the student's `normalise`, found with two images and held to
        # within 0.004 of one of the known ones.
        "test_augmentation::test_normalise",
        "test_loader::test_evaluation_in_order_and_untouched",
    },
    "week3_training/phase1_project/tests": {"test_public_loader::test_normalise"},  # likewise
}
"""Tests in which something received decides only between answers that are all known here."""


# Reading the suites


def calls_of(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Yield the calls of a function of `expect`, by whichever way it is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            by_module = isinstance(function, ast.Attribute) and function.attr == name
            if by_module and ast.unparse(function) == f"expect.{name}":
                yield node
            if isinstance(function, ast.Name) and function.id == name:
                yield node


def shape_in(call: ast.Call) -> ast.expr | None:
    """Return what a call of `array` names as the shape, None if it names none."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "shape"]
    shape = call.args[2] if len(call.args) > 2 else next(iter(named), None)
    nothing = isinstance(shape, ast.Constant) and shape.value is None
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    return None if nothing or starred else shape


def scopes(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield each outermost function of a module, and the module's other statements."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from node.body
        else:
            yield node


def received_names(scope: ast.AST) -> set[str]:
    """Return the names that stand for a received shape, or for something made of one."""
    names: set[str] = set()
    assigned = [node for node in ast.walk(scope) if isinstance(node, ast.Assign)]
    for node in assigned:
        if any(calls_of(node.value, "shape_of")):
            names |= {part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)}
    return names


def shapeless(source: str) -> list[int]:
    """Return the lines in which `array` gets no shape, or one that was received."""
    found = []
    for scope in scopes(ast.parse(source)):
        received = received_names(scope)
        for call in calls_of(scope, "array"):
            shape = shape_in(call)
            used = (
                {part.id for part in ast.walk(shape) if isinstance(part, ast.Name)} if shape else ()
            )
            if shape is None or any(calls_of(shape, "shape_of")) or received & set(used):
                found.append(call.lineno)
    return found


def unexplained(source: str) -> list[int]:
    """Return the lines in which `repeated` is called without a comment before it."""
    lines = source.splitlines()
    calls = calls_of(ast.parse(source), "repeated")
    return [call.lineno for call in calls if not lines[call.lineno - 2].strip().startswith("#")]


def test_the_reader_finds_what_it_should():
    assert shapeless("x = expect.array('x', y)") == [1]
    assert shapeless("x = expect.array('x', y, None)") == [1]
    assert shapeless("x = expect.array('x', y, shape=None)") == [1]
    assert shapeless("x = expect.array(*given)") == [1]
    assert shapeless("x = expect.array('x', y, expect.shape_of('x', y))") == [1]
    assert shapeless("def f():\n    s = expect.shape_of('x', y)\n    array('x', y, s)") == [3]
    assert shapeless("x = expect.array('x', y, (3,))\nz = expect.array('z', y, shape=s)") == []
    assert shapeless("x = np.array(y)") == []
    assert unexplained("expect.repeated('x', y, z)") == [1]
    assert unexplained("# Why.\nexpect.repeated('x', y, z)") == []


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_received_array_has_a_shape_of_the_suites_own(path):
    assert shapeless(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_comparison_of_two_answers_says_why(path):
    assert unexplained(path.read_text("utf-8")) == []


def test_whoever_returns_a_received_array_wants_a_shape():
    """Functions of `expect` that return what came from a worker have no default for its shape."""
    tree = ast.parse((ROOT / "autograder" / "suite" / "expect.py").read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    giving = [one for one in functions if one.returns and "ndarray" in ast.unparse(one.returns)]
    assert {one.name for one in giving} == {"array", "_real"}
    for one in giving:
        assert "shape" in {argument.arg for argument in one.args.args}
        assert not one.args.defaults


# Running them with answers that are marked


def offences(root: Path, folder: str, suite: str) -> dict[str, list[str]]:
    """Return where each test of a suite expects something received, by the test's name.

    Checks that train are left out; the reference has to pass the others.
    """
    [week] = [week for week in COURSE.weeks if week.folder == folder]
    copy = tainted.copied(ROOT, root, folder, suite)
    found: dict[str, list[str]] = {}
    failed: list[tuple[str, str]] = []

    with tainted.marking(root / "assignments") as notes:

        def note(outcome: Outcome) -> None:
            name = outcome.result.check.partition("[")[0]
            if places := notes.take():
                found.setdefault(name, []).extend(places)
            if outcome.result.verdict is not Verdict.PASS:
                failed.append((name, outcome.result.message))

        session = GradedSession(copy, "a salt")
        try:
            only = {check.id for check in session.plan} - session.training
            session.run(LocalHost(solution_files(ROOT, week)), only, note)
        finally:
            session.close()
    assert failed == []
    return found


def suites() -> list[ParameterSet]:
    """Return the suites, with those that take long for `make prove`."""
    return [
        pytest.param(
            week.folder,
            suite,
            id=f"{week.id}-{suite}",
            marks=[pytest.mark.prove] if week.packages else [],
        )
        for week in COURSE.weeks
        for suite in ("hidden", "tests")
    ]


@pytest.mark.parametrize(("folder", "suite"), suites())
def test_nothing_received_is_expected(tmp_path, folder, suite):
    [week] = [week for week in COURSE.weeks if week.folder == folder]
    if week.packages:
        pytest.importorskip("torch").set_num_threads(1)
    name = f"{folder}/{suite}"
    found = offences(tmp_path, folder, suite)
    allowed = BY_DESIGN.get(name, set())
    assert {test: places for test, places in found.items() if test not in allowed} == {}
    assert set(found) == allowed, "take what is mended off the list"


SMALL = '''
import numpy as np
import pytest
from autograder.suite import expect

pytestmark = pytest.mark.item("week2.double")


def test_of_its_own(student, rng):
    """What is expected is the test's own."""
    x = rng.normal(size=3)
    expect.close("double(x)", student.double.double(x), 2 * x)


@pytest.mark.parametrize("way", range(8))
def test_of_answers(student, way):
    """What is expected is made of answers."""
    x = np.ones(3)
    y = expect.array("y", student.double.double(x), (3,))
    n = student.double.count()
    wanted = [
        y, 0 + y, np.sqrt(y * y), np.array([y[0], y[1], y[2]]), np.asarray(list(y)),
        np.full(3, float(y.mean())), np.stack(y.tolist()), 2.0 * x * n,
    ][way]
    expect.close("double(x)", student.double.double(x), wanted)


def test_of_a_way_that_is_not_needed(student):
    """What the second way expects is an answer."""
    x = np.ones(3)
    y = student.double.double(x)
    expect.any_of(lambda: expect.close("y", y, 2 * x), lambda: expect.close("y", y, y))
'''


def test_the_marks_show_what_is_made_of_answers(tmp_path, small, monkeypatch):
    """In the small course, where double(x) is 2 x, and count() 1 in a new process."""
    monkeypatch.setattr(f"{__name__}.ROOT", small)
    monkeypatch.setattr(f"{__name__}.COURSE", courses.load(small))
    file = small / "assignments" / "week2_small" / "hidden" / "test_marks.py"
    file.write_text(SMALL, "utf-8")
    try:
        found = offences(tmp_path, "week2_small", "hidden")
    finally:
        file.unlink()
    assert set(found) == {
        "test_marks::test_of_answers", "test_marks::test_of_a_way_that_is_not_needed"
    }  # fmt: skip
    assert len(found["test_marks::test_of_answers"]) == 8
    assert all(
        place.startswith("week2_small/hidden/test_marks.py:") for place in found.popitem()[1]
    )


def test_marks_stay_on_and_come_off():
    with tainted.marking(ROOT) as notes:
        for value in (np.ones(2), 1.5, 3, [1.0], {"a": np.float64(2)}, np.int64(2)):
            assert tainted.is_marked(tainted.mark(value))
            assert not tainted.is_marked(tainted.unmark(tainted.mark(value)))
        expect.close("y", np.ones(2), tainted.mark(1.0) * np.ones(2))
        assert len(notes.take()) == 1
        expect.close("y", tainted.mark(np.ones(2)), np.ones(2))
        assert notes.take() == []
