"""Notebooks as students really hand them in: each gets its verdict, and none stops the class."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.grading.examiner import Examiner
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.intake.reading import read_class
from autograder.records import CheckResult
from autograder.report.feedback import feedback
from autograder.report.gather import gather
from autograder.suite.hidden.sandbox_host import SandboxHost
from tests.notebook_class import CASES, PARTS, ROOT, write_class

COURSE = load(ROOT)

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def submissions(tmp_path_factory) -> dict[str, Submission]:
    """The whole class, taken in."""
    folder = tmp_path_factory.mktemp("notebooks") / "class"
    write_class(folder)
    taken = read_class(folder, [COURSE.week(1)], COURSE.weeks).submissions[1]
    return {submission.student: submission for submission in taken}


@pytest.fixture(scope="module")
def results(submissions, confinement) -> dict[str, dict[str, list[CheckResult]]]:
    """What the checks of the derivations give: student -> part -> results."""
    examiner = Examiner(ROOT, 1, confinement, None)
    items = {check.id: check.item.removeprefix("week1.derive_") for check in examiner.plan}
    only = {check.id for check in examiner.session.plan if check.item.startswith("week1.derive_")}
    found = {}
    for name, one in submissions.items():
        host = SandboxHost(confinement, one.files, examiner.limits, examiner.week.modules)
        outcomes = examiner.session.run(host, only=only)
        host.close()
        parts: dict[str, list[CheckResult]] = {part: [] for part in PARTS}
        for outcome in outcomes:
            parts[items[outcome.result.check]].append(outcome.result)
        found[name] = parts
    examiner.close()
    return found


def test_nobody_is_missing(submissions):
    assert set(submissions) == set(CASES)
    assert len(CASES) >= 20


@pytest.mark.parametrize("name", CASES)
def test_each_gets_its_verdict_and_a_word(submissions, results, name):
    case = CASES[name]
    assert submissions[name].refusal is None
    for part in PARTS:
        verdicts = {str(result.verdict) for result in results[name][part]}
        if part in case.lost:
            assert case.lost[part] in verdicts, verdicts
        else:
            assert verdicts == {"pass"}, [result.message for result in results[name][part]]
    notices = " ".join(submissions[name].notices)
    assert case.says in notices, notices
    if not case.lost and not case.says:
        assert "derivations" not in notices, notices


def test_the_message_names_the_cell_and_the_line_or_what_is_wrong_with_the_file(results):
    said = " ".join(result.message for result in results["cell-no-python"]["relu"])
    assert "of derivations.ipynb is not valid Python, line 6: '(' was never closed" in said
    said = " ".join(result.message for result in results["empty-file"]["mse"])
    assert "derivations.ipynb can't be read: it is empty" in said


def test_a_class_of_them_is_graded_to_its_end(submissions, tmp_path):
    """All of grading, for a few: points, documents to mark, and what the student reads."""
    some = ("another-style", "cell-split", "bomb", "nothing")
    taken = {1: [submissions[name] for name in some]}
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        setting = Setting(ROOT, {1: "digits"})
        grade_class(COURSE, setting, taken, gradebook, 1, lambda progress: None)
        reports = {report.score.student: report for report in gather(COURSE, gradebook)}
    assert set(reports) == set(some)
    points = {
        name: sum(i.points for i in report.score.items if i.id.startswith("week1.derive_"))
        for name, report in reports.items()
    }
    assert points == {"another-style": 800, "cell-split": 700, "bomb": 0, "nothing": 0}
    assert not any(i.pending for i in reports["bomb"].score.items if ".derive_" in i.id)
    assert "can't be read: it takes too much memory or time" in feedback(reports["bomb"])
    marked_by = {
        name: report.documents.get("week1.written_mse") for name, report in reports.items()
    }
    file = ("derivations.ipynb",)
    assert marked_by == {"another-style": file, "cell-split": file, "bomb": file, "nothing": None}


def test_a_photograph_takes_the_place_of_what_is_written(tmp_path: Path):
    student = tmp_path / "ada"
    student.mkdir()
    (student / "derivations.jpg").write_bytes(b"\xff\xd8\xff")
    (student / "derivations.ipynb").write_bytes(CASES["honest"].make())
    submission = read_class(tmp_path, [COURSE.week(1)]).submissions[1][0]
    assert set(submission.documents) == {"derivations.ipynb", "derivations.jpg"}
    assert set(submission.files) == {"derivations.py"}


def test_of_several_notebooks_the_one_with_the_right_name_counts(tmp_path: Path):
    student = tmp_path / "ada"
    student.mkdir()
    (student / "derivations (2).ipynb").write_bytes(CASES["empty-file"].make())
    (student / "derivations.ipynb").write_bytes(CASES["honest"].make())
    submission = read_class(tmp_path, [COURSE.week(1)]).submissions[1][0]
    assert b"can't be read" not in submission.files["derivations.py"]
    assert any("is there 2 times: took derivations.ipynb" in one for one in submission.notices)
