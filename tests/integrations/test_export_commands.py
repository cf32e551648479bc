"""`autograder export ...` from a gradebook of ours to the files of other systems."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.commands.app import main
from autograder.course import load
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from tests.canvas import Canvas
from tests.moodle import Worksheet

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
AUTO = [item for item in COURSE.items(2) if item.kind == "auto"]
MOST = sum(item.points for item in AUTO)
WEEK = "autograd"
"""Week 2's component: all but one point of it is automatic."""


@pytest.fixture(scope="module")
def grades(tmp_path_factory) -> Path:
    """Ada has all of week 2, Ben half of each item; Cleo's results are not all there."""
    out = tmp_path_factory.mktemp("grades")
    plan = [PlannedCheck(item.id, item.id, item.title) for item in AUTO]
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        for name, credit in (("ada", FULL_CREDIT), ("ben", FULL_CREDIT // 2), ("cleo", 0)):
            files = {"autograd.py": name.encode()}
            handed_in = Submission(name, files, received=datetime(2026, 10, 1, tzinfo=UTC))
            gradebook.add_submission(handed_in, 2)
            job = GradingJob(name, name, 2, handed_in.fingerprint, "rung")
            gradebook.plan(job, plan)
            verdict = Verdict.PASS if credit == FULL_CREDIT else Verdict.WRONG
            done = plan if name != "cleo" else plan[:3]
            gradebook.record(name, [CheckResult(c.id, verdict, credit) for c in done], 1.0)
        marks = out / "manual.csv"
        lines = [f"{name},week2.graphs,1,fine" for name in ("ada", "ben", "cleo")]
        marks.write_text("\n".join(["student,item,points,comment", *lines]) + "\n")
        gradebook.import_manual(marks, COURSE)
        gradebook.finish_run()
    return out


def call(*arguments: object, status: int = 0) -> str:
    """Run a command of `export`; return what it prints, or the one line of an error."""
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        main(["export", *map(str, arguments)])
    assert (ended.value.code or 0) == status, errors.getvalue()
    if status:
        [line] = errors.getvalue().strip().splitlines()
        assert line.startswith("autograder: ")
        return line
    return out.getvalue()


@pytest.fixture
def canvas_file(tmp_path) -> Path:
    path = tmp_path / "exported.csv"
    path.write_text(
        "Student,ID,SIS Login ID,Section,Week 2 (7)\n    Points Possible,,,,20\n"
        "A,101,ada,S,\nB,102,ben,S,\nC,103,cleo,S,\n"
    )
    return path


def changes(path: Path) -> dict[str, str]:
    people = {101: ("A", "", "ada"), 102: ("B", "", "ben"), 103: ("C", "", "cleo")}
    people[104] = ("D", "", "dan")
    found = Canvas(people, {7: ("Week 2", "20")}).changes(path.read_bytes())
    return {login: grade for (login, _), grade in found.items()}


@pytest.mark.parametrize("part", ["total", "2", "week2", "autograd"])
def test_canvas(grades, canvas_file, part) -> None:
    before = canvas_file.read_bytes()
    said = call(
        *("canvas", "--template", canvas_file, "--assignment", "Week 2", "--part", part),
        *("--grades", grades),
    )
    filled = canvas_file.with_name("exported.filled.csv")
    assert changes(filled) == {"ada": "20", "ben": "10.5"}
    assert canvas_file.read_bytes() == before
    assert "Week 2 (7): points of 2 student(s) filled in." in said
    assert "not graded completely (--pending so-far fills in the points so far): cleo" in said


def test_canvas_so_far_into_a_file_of_ones_own_choice(grades, canvas_file, tmp_path) -> None:
    out = tmp_path / "out.csv"
    options = ("--grades", grades, "--out", out, "--pending", "so-far")
    call("canvas", "--template", canvas_file, "--assignment", "Week 2 (7)", *options)
    assert changes(out) == {"ada": "20", "ben": "10.5", "cleo": "1"}


def test_what_was_not_taken_is_not_graded_unless_one_says_zero(
    grades, canvas_file, tmp_path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(grades, own)
    with Gradebook.open(own / "gradebook.sqlite") as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        gradebook.add_submission(Submission("dan", refusal="It is damaged."), 2)
        gradebook.put_marks([ManualMark("dan", "week2.graphs", 100, "fine")])
    canvas_file.write_text(f"{canvas_file.read_text()}D,104,dan,S,\n")
    options = ("--template", canvas_file, "--assignment", "Week 2", "--grades", own)
    assert "not graded (--not-taken zero fills in 0): dan" in call("canvas", *options)
    filled = canvas_file.with_name("exported.filled.csv")
    assert changes(filled) == {"ada": "20", "ben": "10.5"}
    call("canvas", *options, "--not-taken", "zero")
    assert changes(filled) == {"ada": "20", "ben": "10.5", "dan": "1"}, "a person's mark counts"
    assert "--not-taken is one of" in call("canvas", *options, "--not-taken", "nil", status=2)


def test_what_was_taken_before_counts_after_a_submission_that_was_not(
    grades, canvas_file, tmp_path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(grades, own)
    with Gradebook.open(own / "gradebook.sqlite") as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        gradebook.add_submission(Submission("ben", refusal="It is damaged."), 2)
    options = ("--template", canvas_file, "--assignment", "Week 2", "--grades", own)
    assert "what was handed in later was not taken: ben" in call("canvas", *options)
    assert changes(canvas_file.with_name("exported.filled.csv")) == {"ada": "20", "ben": "10.5"}


def test_what_counts_is_exported_not_what_the_work_would_be_worth(
    grades, canvas_file, monkeypatch
) -> None:
    weeks = tuple(
        week.model_copy(update={"due": datetime(2026, 9, 29, tzinfo=UTC)}) for week in COURSE.weeks
    )
    late = COURSE.model_copy(update={"weeks": weeks})
    monkeypatch.setattr("autograder.integrations.gradebooks.lms_files.load", lambda root: late)
    call("canvas", "--template", canvas_file, "--assignment", "Week 2", "--grades", grades)
    share = 0.8  # two days late
    found = changes(canvas_file.with_name("exported.filled.csv"))
    assert float(found["ada"]) == pytest.approx(20 * share)


def test_moodle(grades, tmp_path) -> None:
    path = tmp_path / "worksheet.csv"
    head = "Identifier,Full name,Grade,Maximum Grade,Last modified (grade),Feedback comments\n"
    rows = [f"Participant {n},{name},,100.00,-,\n" for n, name in ((1, "Ada"), (2, "Ben"))]
    path.write_text(head + "".join(rows))
    call("moodle", "--template", path, "--grades", grades, "--part", WEEK)
    assignment = Worksheet(100.0, {1: (None, None, ""), 2: (None, None, "")})
    assert assignment.changes(path.with_name("worksheet.filled.csv").read_bytes()) == {
        1: (100.0, "Autograder: 20 of 20 points, here 100 of 100."),
        2: (52.5, "Autograder: 10.5 of 20 points, here 52.5 of 100."),
    }


def test_junit_and_the_files_for_people(grades) -> None:
    assert "gradebook.csv" in call("csv", "--grades", grades)
    assert (grades / "students" / "ada" / "results.json").is_file()
    assert "3 files" in call("junit", "--grades", grades)
    assert b"<testsuite " in (grades / "students" / "ada" / "junit.xml").read_bytes()


def test_classroom50(tmp_path, monkeypatch) -> None:
    results = tmp_path / "results.json"
    item = {"id": "week2.matmul", "title": "Products", "points": 1.5, "max_points": 1.5}
    found = {"schema": "nnf/results/v1", "suite": "public"}
    results.write_text(json.dumps({**found, "items": [{**item, "checks": [{"verdict": "pass"}]}]}))
    for name in ("CLASSROOM", "ASSIGNMENT", "OWNER", "COMMIT_URL", "RELEASE_URL"):
        monkeypatch.setenv(name, name.lower())
    monkeypatch.setenv("SUBMISSION_TAG", "submit/1")
    out = tmp_path / "result.json"
    when = ("--datetime", "2026-10-12T21:40:00+02:00", "--owner", "eve")
    said = call("classroom50", "--results", results, "--out", out, *when)
    assert "2 of 2" in said
    assert json.loads(out.read_text())["owner"] == "eve"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--assignment", "Week 3"], "there is no column 'Week 3'"),
        (["--assignment", "Week 2", "--part", "week9"], "there is no such part"),
        (["--assignment", "Week 2", "--part", "week1"], "there is nothing of 'week1' yet"),
        (["--assignment", "Week 2", "--part", "2", "--part", "3"], "say one for each"),
        (["--assignment", "Week 2", "--pending", "zero"], "--pending is one of leave, so-far"),
        (["--assignment", "Week 2", "--grades", "/nowhere"], "there is no /nowhere/gradebook"),
        (["--assignment", "Week 2", "--template", "/nowhere"], "/nowhere can't be read"),
        (["--assignment", "Week 2", "--out", "/nowhere/x"], "/nowhere/x can't be written"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(
    grades, canvas_file, options, said
) -> None:
    arguments = ["canvas", "--template", canvas_file, "--grades", grades, *options]
    assert said in call(*arguments, status=2)
    assert list(canvas_file.parent.iterdir()) == [canvas_file]


def test_the_list_of_exports_has_a_line_for_each() -> None:
    text = call("--help")
    for name in ("gradescope-zip", "csv", "canvas", "moodle", "classroom50", "junit"):
        assert f" {name} " in text
