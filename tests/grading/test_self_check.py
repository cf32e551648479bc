"""Nothing of a week is graded before its reference gets everything, and its stubs nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import CantExamineError
from autograder.gradebook.flags import Examined
from autograder.gradebook.submission import Submission
from autograder.grading import proven
from autograder.grading.examiner import Examiner
from autograder.grading.operations import describe, examine_submission
from autograder.grading.pool import open_pool
from autograder.grading.self_check import fault_of
from autograder.grading.setting import Setting
from autograder.records import Verdict
from autograder.sandbox import Unconfined
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession

SUITE = Path("assignments/week2_small/hidden/test_suite.py")
SOLUTION = Path("solutions/week2_small/double.py")
CATALOGUE = Path("solutions/week2_small/misconceptions.toml")
NEW = "its reference and its stubs are graded first"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> Path:
    """A cache in which nothing is proven."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def course(small: Path, tmp_path: Path) -> Path:
    """A copy of the small course."""
    return Path(shutil.copytree(small, tmp_path / "course"))


def pool(root: Path):
    return open_pool(Setting(root, {}, unconfined=True), 1)


MISTAKES = {
    "an undefined name": (
        SUITE,
        ("2 * x)", "2 * y)"),
        [
            "2 of 5 hidden checks fail on the reference",
            "test_double[1] (week2.double)",
            "2 * y",
            "NameError: name 'y' is not",
        ],
    ),
    "a wrong expectation": (
        SUITE,
        ("2 * x)", "3 * x)"),
        ["test_double[3] (week2.double)", "3 * x", "double(x): got"],
    ),
    "a helper called wrongly": (
        SUITE,
        ("student.double.count(), 1)", "student.double.count())"),
        ["test_fresh[1]", "expect.equal(", "missing 1 required positional argument"],
    ),
    "a mistake in the reference": (
        SOLUTION,
        ("return 2.0 * x", "return 2.0 * x + 1"),
        ["test_double[1]", "double(x): got"],
    ),
    "points for stubs": (
        SUITE,
        ('expect.equal("count()", student.double.count(), 1)', "student.double.calls"),
        ["give points to untouched stubs", "test_fresh[1]", "test_fresh[2]"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_authors_mistake_is_refused_with_its_traceback(course, capfd, mistake):
    file, (right, wrong), said = MISTAKES[mistake]
    text = (course / file).read_text()
    assert right in text
    (course / file).write_text(text.replace(right, wrong))
    if mistake == "a mistake in the reference":
        entry = course / CATALOGUE
        entry.write_text(entry.read_text().replace("2.0 * x", "2.0 * x + 1"))
    with pool(course) as one:
        submission = Submission("ann", {"double.py": b""})
        with pytest.raises(CantExamineError, match="is not graded"):
            one.submit(describe, 2).result()
        shown = capfd.readouterr().err
        assert [text for text in said if text not in shown] == []
        # Neither is it looked at again at once, nor can anything be examined.
        with pytest.raises(CantExamineError, match="is not graded"):
            one.submit(examine_submission, submission, 2).result()
        assert capfd.readouterr().err == ""


def test_an_entry_of_the_catalogue_that_fits_nothing_is_refused(course):
    entry = course / CATALOGUE
    entry.write_text(entry.read_text().replace("2.0 * x", "2.5 * x"))
    with pool(course) as one, pytest.raises(CantExamineError, match="double-squares"):
        one.submit(describe, 2).result()


def test_what_is_proven_is_not_looked_at_again_until_it_changes(course, cache, capfd):
    for said in (True, False):
        with pool(course) as one:
            one.submit(describe, 2).result()
        assert (NEW in capfd.readouterr().err) is said
    kept = list((cache / "nnf-autograder" / "proven").iterdir())
    assert len([path for path in kept if path.suffix != ".lock"]) == 1
    suite = course / SUITE
    suite.write_text(suite.read_text().replace("[1, 3]", "[1, 4]"))
    with pool(course) as one:
        one.submit(describe, 2).result()
    assert NEW in capfd.readouterr().err


def test_where_nothing_can_be_kept_it_is_proven_all_the_same(course, cache, capfd):
    cache.write_text("a file, where a folder should be")
    with pool(course) as one:
        plan = one.submit(describe, 2).result()
    assert NEW in capfd.readouterr().err
    assert not proven.is_proven(plan.fingerprint)


# What a test itself raises when a submission is graded.

HEAD = """
import numpy as np
import pytest
from autograder.suite import expect


class Own:
    pass


def helper(one, two):
    return one


@pytest.mark.item("a")
def test_it(student, rng):
    '''It.'''
    got = student.m.f()
    if got == 1:
        return
"""
OURS = {
    "undefined name": "wanted",
    "undefined name in a message": 'expect.that("f", False, f"{wanted}")',
    "no such function": "expect.nearly(got, 1)",
    "no such method": "rng.normally()",
    "no such attribute of an object of ours": "Own().size",
    "called wrongly": "helper(got)",
    "no such module": "import nothing_of_that_name",
    "raised by hand": 'raise RuntimeError("this can\'t be")',
}
STUDENTS = {
    "no number": "got + 1 + np.ones(2).reshape(len(str(got)) + 2)",
    "attribute of a value": "got.shape",
    "type": "got()",
    "entries": "[1, 2][len(str(got))]",
    "division": "1 / (1 - len(str(got)[:1]))",
    "as many arguments as came": "helper(*[got] * 3)",
    "an assertion": "assert got == 1",
}


def outcome(tmp_path: Path, line: str):
    folder = tmp_path / "week9_x" / "hidden"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(f"{HEAD}    {line}\n")
    session = GradedSession(folder, "salt")
    try:
        [found] = session.run(LocalHost({"m.py": b"def f(): return 'no'"}))
    finally:
        session.close()
    return found.result


@pytest.mark.parametrize("kind", OURS)
def test_a_mistake_of_the_tests_own_is_ours_and_the_instructor_reads_it(tmp_path, capsys, kind):
    result = outcome(tmp_path, OURS[kind])
    assert result.verdict == "infra"
    said = capsys.readouterr().err
    assert "test_it::test_it is itself at fault" in said
    assert OURS[kind] in said
    assert "session.py" not in said  # the test's frames, not the engine's around them


@pytest.mark.parametrize("kind", STUDENTS)
def test_what_a_received_value_may_have_caused_is_a_wrong_answer(tmp_path, capsys, kind):
    assert outcome(tmp_path, STUDENTS[kind]).verdict == "wrong"
    assert capsys.readouterr().err == ""


def test_where_only_time_or_a_sandbox_was_missing_it_is_tried_again(course, monkeypatch):
    """A busy machine is no mistake of an author's, and refuses nobody where it goes better."""
    examiner = Examiner(course, 2, Unconfined(), None)
    real, tries = Examiner.examine, []

    def busy(self: Examiner, *arguments: Any, **named: Any) -> Examined:
        tries.append(1)
        examined = real(self, *arguments, **named)
        if len(tries) in slow:
            first, *others = examined.results
            slow_one = replace(first, verdict=Verdict.TIMEOUT, credit=0)
            return replace(examined, results=[slow_one, *others])
        return examined

    monkeypatch.setattr(Examiner, "examine", busy)
    slow: range | tuple[int, ...] = (1,)
    assert fault_of(examiner) == ""
    assert len(tries) == 3  # the reference twice, the stubs
    tries.clear()
    slow = range(10)
    said = fault_of(examiner)
    examiner.close()
    assert "did not come to an end on the reference, 3 times" in said
    assert "This machine may be too busy" in said
