"""`check` tries a student's own tests on the student's own code with faults around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import course as courses
from autograder.author.prove import other_solutions
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.reference.gaps import stubs_of
from autograder.reference.misconceptions import solution_files
from autograder.students import own_quality, own_tests
from autograder.students.faults import PUT, read_faults
from autograder.students.public_run import Shipped, own_plan

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEK = COURSE.week(1)
TESTS = ROOT / "assignments" / WEEK.folder / "tests"
ITEM = "week1.student_tests"
REFERENCE = solution_files(ROOT, WEEK)


def tried(files: dict[str, bytes], begun: bool = True) -> tuple[CheckResult, CheckResult]:
    own, faults = own_tests.try_tests(ITEM, WEEK, TESTS, files, begun)
    return own, faults


def with_tests(source: str) -> dict[str, bytes]:
    return {**REFERENCE, "test_gradients.py": source.encode()}


ONE = """
import numpy as np
from neural_net import ReLU

def test_relu():
    layer = ReLU()
    layer.forward(np.array([[1.0, -2.0], [3.0, -4.0]]))
    assert np.array_equal(layer.backward(np.full((2, 2), 5.0)), [[5.0, 0.0], [5.0, 0.0]])
"""


def test_the_examples_notice_every_fault_and_nearly_all_in_another_style():
    """A layer that keeps nothing in attributes can't be given what the first call has kept."""
    own, faults = tried(REFERENCE)
    assert (own.verdict, faults.verdict) == (Verdict.PASS, Verdict.PASS), faults.message
    other = other_solutions(ROOT, WEEK, REFERENCE)["functional"].files
    own, faults = tried({**other, "test_gradients.py": REFERENCE["test_gradients.py"]})
    # Its squared error is the sum over the features: the other form that is right.
    assert own.message.startswith("1 of your 13 tests fails on your own code, test_mse_loss")
    assert faults.credit >= 0.9 * FULL_CREDIT, faults.message


def test_what_is_noticed_is_counted_and_what_is_not_is_named():
    own, faults = tried(with_tests(ONE))
    assert own.verdict is Verdict.PASS
    known = read_faults(TESTS)
    assert f"Your tests notice 2 of {len(known)}. Not if Linear.backward returns twice" in (
        faults.message
    )
    assert "ReLU.backward works with the batch of the first forward" not in faults.message
    assert faults.credit == round(FULL_CREDIT * 2 / len(known))


def test_tests_with_fixtures_are_run_by_pytest():
    source = f"import pytest\n{ONE}\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_n(n):\n"
    own, faults = tried(with_tests(f"{source}    assert n\n"))
    assert own.verdict is Verdict.PASS
    assert "Your tests notice 2 of" in faults.message


def test_a_test_that_fails_on_ones_own_code_is_named_and_notices_nothing():
    own, faults = tried(with_tests("def test_wrong():\n    assert 1 == 2\n"))
    assert "1 of your 1 tests fails on your own code, test_wrong" in own.message
    assert (own.credit, faults.verdict) == (0, Verdict.BLOCKED)


def test_tests_that_always_pass_notice_nothing():
    _, faults = tried(with_tests("def test_nothing():\n    assert True\n"))
    assert faults.credit == 0
    assert f"notice 0 of {len(read_faults(TESTS))}" in faults.message


def test_a_test_that_comes_to_no_end_with_a_fault_is_ended(monkeypatch):
    monkeypatch.setattr(own_tests, "SECONDS", 8.0)
    endless = ONE.replace("    assert", "    while layer.backward(np.ones((2, 2)))[1, 0] == 0.0:\n")
    endless = endless.replace("== 0.0:\n", "== 0.0:\n        pass\n    assert")
    own, faults = tried(with_tests(endless))
    assert own.verdict is Verdict.PASS
    assert "Your tests notice 2 of" in faults.message


def test_no_python_and_untouched_stubs():
    assert [one.message for one in tried(with_tests("def"))] == [
        "test_gradients.py is not valid Python."
    ] * 2
    stub = stubs_of(ROOT)[ROOT / "assignments" / WEEK.folder / "test_gradients.py"]
    for files, begun in ((with_tests(stub), False), ({}, False)):
        assert {one.verdict for one in tried(files, begun)} == {Verdict.NOT_ATTEMPTED}


def test_every_fault_is_of_a_known_kind_and_says_where_it_is():
    faults = read_faults(TESTS)
    assert {fault["kind"] for fault in faults} <= PUT.keys()
    for fault in faults:
        assert fault["on"].rpartition(".")[2] in fault["says"] or fault.get("of") in fault["says"]


# Quality


def test_check_says_what_grading_says_of_quality():
    gaps = {"week1.relu": [["neural_net.py", "ReLU.forward"]]}
    gaps |= {"week1.tools": [["mnist_mlp.py", "minibatch_indices"]]}  # beyond the texts
    plan = own_quality.plan(COURSE, WEEK, gaps)
    assert [check.id for check in plan] == ["quality::neural_net.py"]
    source = b'"""A module."""\nimport os\nimport re\nimport sys\n\n\ndef f():\n    return 1\n'
    [result] = own_quality.measure(plan, {"neural_net.py": source}, {})
    assert "3 finding(s)" in result.message
    assert "Without a docstring: f." in result.message
    assert result.verdict is Verdict.WRONG


def test_without_ruff_docstrings_still_count_and_it_is_said(monkeypatch):
    monkeypatch.setattr(own_quality, "ruff_command", lambda folder: ["/nowhere/ruff", folder])
    plan = own_quality.plan(COURSE, WEEK, {"week1.relu": [["neural_net.py", "ReLU.forward"]]})
    [result] = own_quality.measure(plan, {"neural_net.py": b"import os\n"}, {})
    assert "ruff, which grading asks as well, is not installed here" in result.message


@pytest.mark.parametrize("number", [week.number for week in COURSE.weeks])
def test_nothing_of_a_week_is_left_to_grading_alone_but_what_trains(number):
    """Each automatic item has a public check; of the accuracy the handout says how to see it."""
    from autograder.reference.stub_facts import stub_facts

    week = COURSE.week(number)
    facts = stub_facts(ROOT, COURSE, week)
    shipped = Shipped(0, {}, facts["gaps"], facts["stubs"])
    seen = {check.item for check in own_plan(COURSE, week, shipped)}
    assert f"{week.id}.quality" in seen
