"""Mistakes against the rules of the handouts are red in `check`, not in grading alone.

They are some of benchmarks/mistakes/, which says for each mistake what may be said of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import course as courses
from autograder.records import FULL_CREDIT
from autograder.reference.misconceptions import catalogue_of, solution_files
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.session import SuiteSession
from benchmarks.written_mistakes import is_true, verify, written

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)

AGAINST_RULES = {
    "week1": (
        "linear-x-kept-from-the-first-forward",
        "relu-x-of-the-first-forward",
        "sigmoid-first-output",
        "softmax-max-in-place",
        "cross-entropy-max-in-place",
        "mse-difference-in-place",
        "relu-upstream-in-place",
        "check-unseeded",
        "batches-without-shuffling",
        "batches-order-fixed",
        "mlp-rng-not-handed-on",
        "mlp-rng-for-one-layer",
        "linear-loop-over-the-batch",
        "linear-loop-in-backward",
        "softmax-jacobian-loop",
        "cross-entropy-loop",
        "relu-float64",
        "relu-forward-float64",
        "sigmoid-float64",
        "linear-weights-kept-at-the-start",
    ),
    "week2": (
        "tensor-shared-gradient-arrays",
        "tensor-shared-arrays-added-in-place",
        "no-grad-swallows",
        "network-rng-of-its-own",
    ),
    "week3": (
        "batch-norm-first-batch",
        "batch-norm-loop-over-features",
        "momentum-keeps-the-gradients-array",
        "sgd-decay-in-the-gradient",
        "flip-in-place",
    ),
}
RULES = ("rules", "gradient_check", "mnist_mlp", "backward", "optimizers", "regularization")
"""What the files of public tests are called that look at rules."""


@pytest.fixture(scope="module", params=AGAINST_RULES)
def public(request):
    week = COURSE.week_called(request.param)
    session = SuiteSession(ROOT / "assignments" / week.folder / "tests", salt="")
    yield week, session
    session.close()


def failed(session: SuiteSession, files: dict[str, bytes]) -> list[str]:
    """Return which public tests of rules fail on these files."""
    only = {
        check.id for check in session.plan if check.id.partition("::")[0].endswith(names_of_rules())
    }
    outcomes = session.run(LocalHost(files), only)
    return [one.result.check for one in outcomes if one.result.credit < FULL_CREDIT]


def names_of_rules() -> tuple[str, ...]:
    return tuple(f"test_public_{name}" for name in RULES)


def test_a_mistake_against_a_rule_is_red_in_check(public):
    week, session = public
    reference = solution_files(ROOT, week)
    assert failed(session, reference) == []
    mistakes = {one.id: one.edit for one in written(week)}
    for name in AGAINST_RULES[week.id]:
        edit = mistakes[name]
        file = f"{edit.module}.py"
        text = edit.apply(reference[file].decode())
        assert failed(session, {**reference, file: text.encode()}), f"{week.id} {name} is green"


@pytest.mark.parametrize("week", COURSE.weeks, ids=lambda week: week.id)
def test_every_written_mistake_has_its_place_and_names_entries_that_exist(week):
    mistakes = written(week)
    if week.id in ("week1", "week2", "week3", "project"):
        assert len(mistakes) >= 15
    verify(week, mistakes)
    assert len({one.id for one in mistakes}) == len(mistakes)
    known = {entry.id for entry in catalogue_of(ROOT, COURSE, week)}
    unknown = {one.id: {*one.told} - known for one in mistakes if {*one.told} - known}
    assert unknown == {}


def test_there_are_as_many_as_were_asked_for():
    assert sum(len(written(week)) for week in COURSE.weeks) >= 160


def test_two_words_are_true_if_both_are():
    assert is_true("one+other", ("other", "one"))
    assert not is_true("one+other", ("one",))
