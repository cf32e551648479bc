"""What a run would do and why: said before it is done, and nothing is done for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course import Course
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.grading import preview as previews
from autograder.grading.fingerprint import digest, job_key, parts_of_week
from autograder.grading.preview import (
    Reason,
    WeekPreview,
    Why,
    changes,
    duration,
    graded_again,
    lines,
    preview,
)
from autograder.grading.run import Setting, grade_class
from autograder.records import CheckResult, PlannedCheck, Verdict

ROOT = Path(__file__).resolve().parents[2]
CHECK = PlannedCheck("test_suite::test_double[1]", "week2.double", "Every entry is doubled")
PASS = CheckResult(CHECK.id, Verdict.PASS, 10_000)
RUNG = "B (bubblewrap)"
ADA = Submission("ada", {"double.py": b"1"})


@pytest.fixture
def root(small: Path, tmp_path: Path) -> Path:
    """The small course, for edits."""
    return Path(shutil.copytree(small, tmp_path / "course"))


@pytest.fixture
def course(root: Path) -> Course:
    return courses.load(root)


@pytest.fixture
def book(tmp_path: Path):
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        gradebook.start_run(RUNG, "none", "s", {})
        yield gradebook


def graded(
    root: Path,
    book: Gradebook,
    *submissions: Submission,
    seconds: float = 10.0,
    finished: bool = True,
    kept: bool = True,
) -> None:
    """Do in the gradebook what grading submissions of week 2 does."""
    course = courses.load(root)
    parts = parts_of_week(root, course, course.week(2), RUNG, None)
    for one in submissions:
        key = job_key(one, 2, digest(parts))
        book.add_submission(one, 2)
        job = GradingJob(key, one.student, 2, one.fingerprint, RUNG)
        book.plan(job, [CHECK], parts if kept else None)
        if finished:
            book.record(key, [PASS], seconds)


def look(root: Path, book: Gradebook, *submissions: Submission) -> WeekPreview:
    [one] = preview(root, courses.load(root), {}, RUNG, {2: submissions}, book)
    return one


def reason(root: Path, book: Gradebook, submission: Submission) -> Reason | None:
    reasons = list(look(root, book, submission).to_run)
    return reasons[0] if reasons else None


def test_what_has_its_results_would_not_run(root, book) -> None:
    assert reason(root, book, ADA) == Reason(Why.NEW)
    graded(root, book, ADA)
    assert reason(root, book, ADA) is None
    assert reason(root, book, replace(ADA, student="ben")) == Reason(Why.NEW)
    assert reason(root, book, Submission("ada", {"double.py": b"2"})) == Reason(Why.CHANGED)


def test_who_handed_in_nothing_before_hands_in_for_the_first_time(root, book) -> None:
    graded(root, book, Submission("ada"))
    assert reason(root, book, ADA) == Reason(Why.NEW)


def test_what_was_interrupted_is_said_to_be(root, book) -> None:
    graded(root, book, ADA, finished=False)
    assert reason(root, book, ADA) == Reason(Why.UNFINISHED)
    hidden = root / "assignments/week2_small/hidden/test_suite.py"
    hidden.write_text(hidden.read_text() + "\nx = 1\n")
    assert reason(root, book, ADA) == Reason(Why.UNFINISHED), "not `again`: it has no result"


def test_the_reason_names_what_changed(root, book) -> None:
    graded(root, book, ADA)
    hidden = root / "assignments/week2_small/hidden/test_suite.py"
    old = hidden.read_text()
    hidden.write_text(old.replace('"""Every entry', '"""Each and every entry') + "# A comment.\n")
    assert reason(root, book, ADA) is None
    hidden.write_text(old.replace("2 * x", "2.0 * x"))
    assert reason(root, book, ADA) == Reason(Why.AGAIN, "hidden tests changed (test_suite.py)")
    hidden.write_text(old)
    assert reason(root, book, ADA) is None
    grading = root / "assignments/grading.toml"
    grading.write_text('salt = "another"\n')
    settings = root / "assignments/course.toml"
    settings.write_text(settings.read_text().replace("file_mb = 4", "file_mb = 5", 1))
    assert reason(root, book, ADA) == Reason(
        Why.AGAIN, "salt changed; settings changed (limits.file_mb: 4 before, 5 now)"
    )


def test_the_latest_result_of_the_same_files_is_compared(root, book) -> None:
    """Who goes back to earlier files after a change of the tests is told of the change."""
    graded(root, book, ADA)
    graded(root, book, replace(ADA, files={"double.py": b"2"}))
    solution = root / "solutions/week2_small/double.py"
    solution.write_text(solution.read_text() + "\nx = 1\n")
    assert reason(root, book, ADA) == Reason(Why.AGAIN, "reference changed (double.py)")


def test_results_of_an_earlier_version_say_that_nothing_is_known(root, book) -> None:
    graded(root, book, ADA, kept=False)
    solution = root / "solutions/week2_small/double.py"
    solution.write_text(solution.read_text() + "\nx = 1\n")
    said = "what they depended on when they were graded is not known"
    assert reason(root, book, ADA) == Reason(Why.AGAIN, said)


def test_changes_are_told_by_kind() -> None:
    before = {
        "code: autograder/worker/main.py": "1",
        "code: autograder/worker/gone.py": "1",
        "versions: numpy": "1.26.4",
        "confinement": "D (not confined)",
        "data set: digits": "1",
        "settings: watched": "a" * 32,
    }
    before |= {f"hidden tests: test_{n}.py": "1" for n in range(6)}
    now = {
        "code: autograder/worker/main.py": "2",
        "code: autograder/worker/more.py": "1",
        "versions: numpy": "2.4.6",
        "confinement": "A (bubblewrap)",
        "data set: mnist": "1",
        "settings: watched": "b" * 32,
    }
    now |= {f"hidden tests: test_{n}.py": "2" for n in range(6)}
    assert changes(before, now).split("; ") == [
        "the code in autograder/worker/ changed (gone.py: gone, main.py, more.py: new)",
        "confinement changed (D (not confined) before, A (bubblewrap) now)",
        "data set changed (digits: gone, mnist: new)",
        "hidden tests changed (test_0.py, test_1.py, test_2.py, test_3.py and 2 more)",
        "settings changed (watched)",
        "versions changed (numpy: 1.26.4 before, 2.4.6 now)",
    ]


def test_how_long_it_takes_comes_from_what_it_took(root, book, course) -> None:
    many = [Submission(f"s{n}", {"double.py": b"%d" % n}) for n in range(9)]
    unknown = lines([look(root, book, *many)], 2)
    assert unknown[0] == (
        "Week 2: 9 of 9 submissions would run, for an unknown time: none of this week was ever "
        "graded into this folder; one training may take up to 60 s (training_seconds)."
    )
    assert unknown[1] == "  9 not graded before: s0, s1, s2, s3, s4 and 4 more"
    assert "not known" in unknown[2]
    graded(root, book, many[0], seconds=20.0)
    graded(root, book, many[1], seconds=40.0)
    graded(root, book, Submission("none"), seconds=0.5)
    said = lines([look(root, book, *many, Submission("nothing"))], 2)
    assert said[0] == (
        "Week 2: 8 of 10 submissions would run, in about 2 min (30.0 s each before, 2 at once)."
    )
    assert said[-1] == "In all about 2 min."
    assert (
        "in about 30 s (30.0 s each before, 1 at once)" in lines([look(root, book, many[2])], 8)[0]
    )
    assert "they hold no files" in lines([look(root, book, Submission("nothing"))], 2)[0]
    assert lines([look(root, book, *many[:2])], 2) == [
        "Week 2: nothing would run, all 2 submissions have results."
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (45, "45 s"), (100, "2 min"), (3000, "50 min"), (7800, "2 h 10 min")],
)
def test_times_are_said_as_a_person_says_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_run_says_in_one_line_why_jobs_run_again(root, book) -> None:
    ben = replace(ADA, student="ben")
    graded(root, book, ADA, ben)
    hidden = root / "assignments/week2_small/hidden/test_suite.py"
    hidden.write_text(hidden.read_text() + "\nx = 1\n")
    new = Submission("cyd", {"double.py": b"3"})
    assert graded_again([look(root, book, ADA, ben, new)]) == [
        "2 submissions of week 2 are graded again: hidden tests changed (test_suite.py)."
    ]
    assert graded_again([look(root, book, ADA)]) == [
        "1 submission of week 2 is graded again: hidden tests changed (test_suite.py)."
    ]
    assert graded_again([look(root, book, new)]) == []


def test_names_are_shown_as_text(root, book) -> None:
    bad = Submission("a\x1b[31mda\n", {"double.py": b"1"})
    assert all(
        "\x1b" not in line and "\n" not in line for line in lines([look(root, book, bad)], 1)
    )


@pytest.mark.prove
def test_a_run_keeps_what_its_preview_said(root, course, tmp_path, confinement, monkeypatch):
    """The preview and the examiners work out the same keys; a title changes without a run."""
    path = tmp_path / "gradebook.sqlite"
    one = Submission("ada", {"double.py": (root / "solutions/week2_small/double.py").read_bytes()})
    seen: list = []

    def grade() -> None:
        seen.clear()
        with Gradebook.open(path) as gradebook:
            setting = Setting(root, {})
            grade_class(courses.load(root), setting, {2: [one]}, gradebook, 1, seen.append)

    def would_run() -> int:
        with Gradebook.copy_of(path) as gradebook:
            name = confinement.name
            [week] = preview(root, courses.load(root), {}, name, {2: [one]}, gradebook)
            return week.count

    assert would_run() == 1
    grade()
    assert [progress.student for progress in seen] == ["", "ada"]
    assert would_run() == 0
    hidden = root / "assignments/week2_small/hidden/test_suite.py"
    hidden.write_text(hidden.read_text().replace("Every entry is doubled", "Entries are doubled"))
    assert would_run() == 0
    grade()
    assert [progress.student for progress in seen] == [""], "nothing was run"
    with Gradebook.open(path) as gradebook:
        titles = {check.title for check in gradebook.planned("ada", 2)}
        assert "Entries are doubled (size 1)" in titles
        assert not [title for title in titles if title.startswith("Every entry is doubled")]
        job = gradebook.job("ada", 2)
        assert "hidden tests: test_suite.py" in gradebook.dependencies(job.key)
    hidden.write_text(hidden.read_text().replace("2 * x", "2.0 * x"))
    assert would_run() == 1
    # What the examiner had read isn't what lies there now: then nothing is kept that may be wrong.
    monkeypatch.setattr(
        "autograder.grading.run.fingerprint.parts_of_week", lambda *given: {"salt": "another"}
    )
    grade()
    with Gradebook.open(path) as gradebook:
        assert gradebook.dependencies(gradebook.job("ada", 2).key) is None


def test_the_command_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "ada"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "assignments/week2_autograd/autograd.py", folder)
    arguments = ["grade", "--dry-run", "--submissions", str(tmp_path / "in"), "--week", "2"]
    arguments += ["--out", str(tmp_path / "out"), "--unconfined", "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "Week 2: 1 of 1 submission would run, for an unknown time" in said
    assert "1 not graded before: ada" in said
    assert "A dry run: nothing was run, nothing written." in said
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["ada", "autograd.py", "in"]


def test_a_dry_run_of_the_simulated_class_writes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "autograder", "grade", "--dry-run", "--week", "2"),
            *("--unconfined", "--out", str(tmp_path / "out")),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Week 2: 12 of 12 submissions would run" in " ".join(done.stdout.split())
    assert list(tmp_path.iterdir()) == []


def test_every_reason_has_words() -> None:
    assert {previews._in_words(Reason(why)) for why in Why} == {
        "not graded before",
        "handed in anew with other files",
        "begun before, without a whole result",
        "again, since ",
    }
