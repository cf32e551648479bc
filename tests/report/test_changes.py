"""What changed in a class's points is said with its cause, and nothing is replaced silently."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from autograder.commands.app import main
from autograder.course import Course, load
from autograder.course.model import HandingIn
from autograder.course.points import format_points
from autograder.gradebook.author import VARIABLE, author_here
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.asked_again import TO_BE_MARKED_AGAIN
from autograder.report.changes import Why
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from autograder.report.publishing import AS_FOUND, Published, keep_as_found, publish
from autograder.report.writing import write_reports
from tests.rubrics import with_items

COURSE = load(Path(__file__).resolve().parents[2])
ITEM = next(item for item in COURSE.items(1) if item.kind == "auto")
WRITTEN = next(item for item in COURSE.items(1) if item.kind == "manual")
CHECK = PlannedCheck("t::a", ITEM.id, ITEM.title)
FULL, HALF, NOTHING = FULL_CREDIT, FULL_CREDIT // 2, 0


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "my grades"


@pytest.fixture
def book(out: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gradebook]:
    """Ada and Ben have half of an item, and reports say so."""
    monkeypatch.setenv(VARIABLE, "grace")
    with Gradebook.open(out / "gradebook.sqlite") as book:
        grade(book, HALF)
        grade(book, HALF, student="ben")
        report(book, out)
        yield book


def grade(
    book: Gradebook,
    credit: int | None,
    files: bytes = b"1",
    suite: str = "1",
    student: str = "ada",
    parts: dict[str, str] | None = None,
    received: datetime | None = None,
) -> None:
    """Grade a submission; without a credit the grader fails."""
    book.start_run("none", "digits", "salt", {})
    papers = {"derivations.ipynb": "the digest of its content"}
    one = Submission(student, {"a.py": files}, documents=papers, received=received)
    book.add_submission(one, 1)
    job = GradingJob(f"{student} {files!r} {suite}", student, 1, one.fingerprint, "none")
    book.plan(
        job, [CHECK], parts or {"hidden tests: test_layers.py": suite, "versions: numpy": "2"}
    )
    verdict = Verdict.INFRA if credit is None else Verdict.WRONG
    book.record(job.key, [CheckResult(CHECK.id, verdict, credit or 0)], 1.0)


def report(book: Gradebook, out: Path, course: Course = COURSE, **words: str) -> Published:
    """Write reports; `words` are overrides by the student's id."""
    reports = [
        replace(one, overrides={ITEM.id: words.get(one.score.student, "")})
        for one in gather(course, book)
    ]
    return publish(course, book, reports, "grade", out)


def found(published: Published) -> list[tuple[str, str, int | None, int | None, list[str]]]:
    return [
        (one.student, one.item, one.before, one.after, [str(cause) for cause in one.causes])
        for one in published.changes
    ]


def with_points(item: str, points: int) -> Course:
    """Return the course where an item gives other points."""
    return with_items(
        COURSE, lambda one: one.model_copy(update={"points": points}) if one.id == item else one
    )


def test_nothing_changes_where_nothing_does(book: Gradebook, out: Path) -> None:
    published = report(book, out)
    assert published.changes == []
    first, second = book.editions.all()
    made = datetime.fromisoformat(first.made)
    assert published.lines(out / "changes.csv", UTC) == [
        f"No points differ from those in report 1 of {made:%Y-%m-%d %H:%M:%S} UTC."
    ]
    assert book.editions.contents(first.number) == book.editions.contents(second.number)
    assert (first.author, first.command) == ("grace", "grade")
    rows = "SELECT count(*) FROM counted WHERE edition = ?"
    assert book._value(rows, second.number) == 0, "what is the same is kept once"
    publish(COURSE, book, gather(COURSE, book), "push")
    assert len(book.editions.all()) == 2, "a push that changes nothing is no report"


HALF_OF_IT, ALL_OF_IT = ITEM.points // 2, ITEM.points


def test_a_new_submission(book: Gradebook, out: Path) -> None:
    grade(book, FULL, b"2")
    assert found(report(book, out)) == [("ada", ITEM.id, HALF_OF_IT, ALL_OF_IT, ["new submission"])]


def test_a_changed_test_is_named(book: Gradebook, out: Path) -> None:
    grade(book, NOTHING, suite="2")
    expected = ["changed test: test_layers.py"]
    assert found(report(book, out)) == [("ada", ITEM.id, HALF_OF_IT, 0, expected)]


def test_a_grader_of_another_version_is_no_changed_test(book: Gradebook, out: Path) -> None:
    parts = {"hidden tests: test_layers.py": "1", "versions: numpy": "3"}
    grade(book, FULL, suite="numpy 3", parts=parts)
    expected = ["changed grader: numpy"]
    assert found(report(book, out)) == [("ada", ITEM.id, HALF_OF_IT, ALL_OF_IT, expected)]


def test_other_points_in_the_rubric(book: Gradebook, out: Path) -> None:
    course = with_points(ITEM.id, 2 * ITEM.points)
    changes = found(report(book, out, course))
    assert [change[:4] for change in changes] == [
        (name, ITEM.id, HALF_OF_IT, ITEM.points) for name in ("ada", "ben")
    ]
    assert all(change[4][0].startswith("changed points: ") for change in changes)
    first, second = (book.editions.rubric(one.number)[ITEM.id] for one in book.editions.all())
    assert (first, second) == (ITEM.points, 2 * ITEM.points), "both are kept"


def test_a_mark_with_its_author_and_time(
    book: Gradebook, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    for author, points in (("grace", 100), ("ben", 50), ("ben", None)):
        monkeypatch.setenv(VARIABLE, author)
        if points is None:
            book.put_marks([], [("ada", WRITTEN.id)])
        else:
            book.put_marks([ManualMark("ada", WRITTEN.id, points, "Well.")])
        given += found(report(book, out))
    changes = [change[:4] for change in given]
    assert changes == [
        ("ada", WRITTEN.id, was, now) for was, now in ((None, 100), (100, 50), (50, None))
    ]
    causes = [cause for change in given for cause in change[4]]
    starts = ("mark: given by grace on 2", "mark: given by ben on 2", "mark: withdrawn by ben on 2")
    assert all(cause.startswith(start) for cause, start in zip(causes, starts, strict=True))
    history = book.mark_history("ada")
    assert [(one.points, one.author) for one in history] == [
        *((100, "grace"), (50, "ben"), (None, "ben"))
    ]
    assert all(one.given for one in history)


def test_a_mark_that_is_given_once_more_is_no_news(book: Gradebook) -> None:
    for _ in range(2):
        book.put_marks([ManualMark("ada", WRITTEN.id, 100, "Well.")])
        book.put_marks([], [("ben", WRITTEN.id)])
    assert [one.points for one in book.mark_history("ada")] == [100]
    assert book.mark_history("ben") == [], "there was none to withdraw"


def test_a_mark_for_an_answer_that_was_replaced_counts_until_there_is_another(
    book: Gradebook, out: Path
) -> None:
    mark = ManualMark("ada", WRITTEN.id, 100)
    book.put_marks([mark], answers=book.answers_now(COURSE, [mark]))
    report(book, out)
    book.start_run("none", "digits", "salt", {})
    papers = {"derivations.ipynb": "another digest"}
    book.add_submission(Submission("ada", {"a.py": b"1"}, documents=papers), 1)
    assert found(report(book, out)) == []
    [ada] = gather(COURSE, book, ["ada"])
    [item] = [one for one in ada.score.items if one.id == WRITTEN.id]
    assert (item.points, item.pending, item.reason) == (100, True, TO_BE_MARKED_AGAIN)
    book.put_marks([mark], answers=book.answers_now(COURSE, [mark]))
    assert found(report(book, out)) == [], "it is the same mark, for the answer of now"
    book.put_marks([replace(mark, points=50)], answers=book.answers_now(COURSE, [mark]))
    [change] = found(report(book, out))
    assert change[:4] == ("ada", WRITTEN.id, 100, 50)
    assert [one.points for one in book.mark_history("ada")] == [100, 100, 50]


def test_an_override_says_who_and_why(book: Gradebook, out: Path) -> None:
    reports = gather(COURSE, book)
    words = "4 by grace, 2026-11-30: her tests are right"

    def decided(one: GradedReport) -> GradedReport:
        """What a person's decision makes of Ada's item."""
        score = one.score.with_items(
            lambda item: replace(item, points=item.max_points) if item.id == ITEM.id else item
        )
        return replace(one, score=score, overrides={ITEM.id: words})

    changed = publish(COURSE, book, [decided(reports[0]), reports[1]], "grade", out)
    expected = [f"override: {words}"]
    assert found(changed) == [("ada", ITEM.id, HALF_OF_IT, ALL_OF_IT, expected)]
    back = publish(COURSE, book, reports, "grade", out)
    expected = [f"override: taken back: {words}"]
    assert found(back) == [("ada", ITEM.id, ALL_OF_IT, HALF_OF_IT, expected)]


def test_lateness(book: Gradebook, out: Path) -> None:
    due = datetime(2026, 10, 12, tzinfo=UTC)
    grade(book, HALF, received=due + timedelta(days=10))
    assert found(report(book, out)) == []
    weeks = tuple(
        week.model_copy(update={"due": due}) if week.number == 1 else week for week in COURSE.weeks
    )
    rule = HandingIn(late=((0, 1.0), (5, 0.5)))
    late = COURSE.model_copy(update={"weeks": weeks, "handing_in": rule})
    expected = ["lateness: 100 % -> 50 % of the points stay"]
    was = HALF_OF_IT
    assert found(report(book, out, late)) == [("ada", ITEM.id, was, (was + 1) // 2, expected)]


def test_several_causes_at_once_are_all_named(book: Gradebook, out: Path) -> None:
    grade(book, FULL, b"2", suite="2")
    course = with_points(ITEM.id, 2 * ITEM.points)
    ada, ben = report(book, out, course).changes
    assert [cause.why for cause in ada.causes] == [Why.SUBMISSION, Why.TEST, Why.POINTS]
    assert [cause.why for cause in ben.causes] == [Why.POINTS]


def test_a_failure_of_ours_changes_nothing_and_is_kept(book: Gradebook, out: Path) -> None:
    grade(book, None, suite="2")
    assert found(report(book, out)) == []
    grade(book, FULL, suite="2")
    [change] = found(report(book, out))
    assert change == ("ada", ITEM.id, HALF_OF_IT, ALL_OF_IT, ["changed test: test_layers.py"])
    [replaced] = book.replaced_results("ada b'1' 2")
    assert replaced.result.verdict is Verdict.INFRA
    assert replaced.replaced
    grade(book, FULL, suite="2")
    assert len(book.replaced_results("ada b'1' 2")) == 1, "the same result once more is no news"


def test_an_item_that_the_rubric_has_no_more(book: Gradebook, out: Path) -> None:
    course = with_items(COURSE, lambda one: one if one.id != ITEM.id else None)
    changes = found(report(book, out, course))
    assert [change[:4] for change in changes] == [
        (name, ITEM.id, HALF_OF_IT, None) for name in ("ada", "ben")
    ]
    assert changes[0][4] == ["changed points: the rubric has no such item any more"]


def test_one_students_reports_leave_the_others(book: Gradebook, out: Path) -> None:
    """As on a push."""
    grade(book, FULL, b"2")
    [ada] = gather(COURSE, book, ["ada"])
    published = publish(COURSE, book, [ada], "push")
    assert [change[0] for change in found(published)] == ["ada"]
    assert found(report(book, out)) == [], "Ben's are as they were"


def test_a_submission_that_was_not_taken_leaves_the_last_one(book: Gradebook, out: Path) -> None:
    book.start_run("none", "digits", "salt", {})
    bad = Submission("ada", refusal="ada.zip is damaged")
    book.add_submission(bad, 1)
    book.plan(GradingJob("bad", "ada", 1, bad.fingerprint, "none"), [CHECK])
    book.record("bad", [CheckResult(CHECK.id, Verdict.NOT_ATTEMPTED)], 0.0)
    assert found(report(book, out)) == []
    ada = gather(COURSE, book)[0]
    assert ada.refusals == ("ada.zip is damaged",)
    [item] = [item for item in ada.score.items if item.id == ITEM.id]
    assert (item.points, item.reason) == (
        *(
            HALF_OF_IT,
            "these points are of an earlier submission, since the last one was not taken",
        ),
    )


def test_a_journal_of_an_earlier_version_is_compared_with_what_it_had(tmp_path: Path) -> None:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        keep_as_found(COURSE, book)
        assert book.editions.last() is None, "nothing was there"
        grade(book, HALF)
        keep_as_found(COURSE, book)
        grade(book, FULL, b"2")
        keep_as_found(COURSE, book)
        assert [one.command for one in book.editions.all()] == [AS_FOUND]
        assert found(report(book, tmp_path)) == [
            ("ada", ITEM.id, HALF_OF_IT, ALL_OF_IT, ["new submission"])
        ]


# What is said.


def test_the_end_of_a_run_and_its_file(book: Gradebook, out: Path) -> None:
    grade(book, FULL, b"2")
    grade(book, HALF, student="=cy")
    console = Console(file=io.StringIO(), width=200)
    write_reports(console, COURSE, book, gather(COURSE, book), out, "grade")
    said = console.file.getvalue()
    points = f"{HALF_OF_IT / 100:g} -> {ALL_OF_IT / 100:g}"
    for line in (
        "Points changed of 1 of 3 students, against those in report 1 of ",
        f"  ada: {points}: {ITEM.id} {points} (new submission)\n",
        "  new submission: 1 student\n",
        "Graded for the first time: 1 item of 1 student.\n",
        f"Every change, with its cause: {out}/changes.csv\n",
    ):
        assert line in said
    with (out / "changes.csv").open(newline="") as stream:
        cy, ada = csv.DictReader(stream)
    assert list(ada.values()) == [
        *("ada", ITEM.id, f"{HALF_OF_IT / 100:.2f}", f"{ALL_OF_IT / 100:.2f}"),
        *("new submission", "", f"{HALF_OF_IT / 100:.2f}", f"{ALL_OF_IT / 100:.2f}"),
    ]
    assert (cy["student"], cy["before"], cy["cause"]) == ("'=cy", "", "first graded")
    assert (out / "changes.csv").stat().st_mode & 0o777 == 0o600


def call(*arguments: object, status: int = 0) -> str:
    """Run a command; return what it prints, or the line of its error."""
    printed, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(printed), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    assert (ended.value.code or 0) == status, errors.getvalue()
    return errors.getvalue() if status else printed.getvalue()


def test_the_commands(book: Gradebook, out: Path, tmp_path: Path) -> None:
    grade(book, FULL, b"2")
    write_reports(Console(file=io.StringIO()), COURSE, book, gather(COURSE, book), out, "grade")
    before = {path: path.read_bytes() for path in out.glob("*.csv")}
    grade(book, NOTHING, b"3")
    points = f"{HALF_OF_IT / 100:g} -> {ALL_OF_IT / 100:g}"
    lines = call("diff", "--grades", out).splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert all(line.endswith("  grade, by grace") for line in lines)
    for names in (("1", "2"), ("1",), ("1", out), (f"{out}@1", f"{out}@2")):
        assert f"  ada: {points}: {ITEM.id}" in call("diff", *names, "--grades", out)
    table = tmp_path / "a b.csv"
    call("diff", "2", "now", "--grades", out, "--csv", table)
    [row] = csv.DictReader(table.read_text().splitlines())
    assert (row["student"], row["before"], row["after"]) == (
        "ada",
        f"{ALL_OF_IT / 100:.2f}",
        "0.00",
    )
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    assert "No points differ" in call("diff", "2", tomorrow, "--grades", out)
    shown = call("show", "--grades", out)
    assert "class mean" in shown
    assert f"ada: {ALL_OF_IT / 100:g} -> 0: {ITEM.id}" in shown
    assert {path: path.read_bytes() for path in out.glob("*.csv")} == before, "nothing is written"
    history = call("show", "--grades", out, "--student", "ada")
    assert f"grade, by grace: {points}\n" in history
    for arguments, said in (
        (("diff", "7"), "has no report 7. It has these: 1 to 2."),
        (("diff", "2020-01-01"), "has no report of 2020-01-01"),
        (("diff", "nonsense"), "'nonsense' is no report, no time and no folder"),
        (("show", "--student", "zoe"), "no student 'zoe' in the gradebook"),
    ):
        assert said in call(*arguments, "--grades", out, status=2)
    assert "there is no" in call("show", "--grades", tmp_path / "none", status=2)


def test_two_folders_are_compared_by_what_counted(
    book: Gradebook, out: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    with Gradebook.open(other / "gradebook.sqlite") as second:
        grade(second, HALF)
        grade(second, FULL, suite="2", student="ben")
        report(second, other)
    said = call("diff", out, other)
    assert f"ben: {HALF_OF_IT / 100:g} -> {ALL_OF_IT / 100:g}" in said
    assert "(changed test)" in said
    assert "ada" not in said


def test_the_author_is_who_runs_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, " Grace Hopper ")
    assert author_here() == "Grace Hopper"
    monkeypatch.delenv(VARIABLE)

    def nobody() -> str:
        raise KeyError("no such user")

    assert author_here()
    monkeypatch.setattr("getpass.getuser", nobody)
    assert author_here().startswith("user ")


def test_the_command_for_overrides_writes_what_changed(book: Gradebook, out: Path) -> None:
    call("override", "ada", ITEM.id, format_points(ITEM.points), "--reason", "Right", "--out", out)
    with (out / "changes.csv").open(newline="") as stream:
        [row] = csv.DictReader(stream)
    assert (row["student"], row["item"], row["cause"]) == ("ada", ITEM.id, "override")
    assert (row["before"], row["after"]) == (f"{HALF_OF_IT / 100:.2f}", f"{ALL_OF_IT / 100:.2f}")
    assert "Right; grace" in row["why"]
    assert "(override)" in call("diff", "1", "2", "--grades", out)
    call("override", "ada", ITEM.id, "undo", "--reason", "Not so", "--out", out)
    [change] = found(report(book, out)) or [None]
    assert change is None, "the command has written the reports that it changed"
    assert [one.command for one in book.editions.all()] == [
        "grade",
        "override",
        "override",
        "grade",
    ]
