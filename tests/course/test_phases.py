"""Phases of the rubric: which a course has, which a class sees, and what each adds up to."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from autograder.author import analyses
from autograder.course import (
    COURSE_FILE,
    GRADING_FILE,
    RUBRIC_FILE,
    Course,
    CourseError,
    load,
)
from autograder.course.scoring import score_student
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.looked_up import training_setting
from autograder.gradebook.override_lines import Line, OverrideError, OverrideReader
from autograder.gradebook.submission import Submission
from autograder.grading.flags.watched import watched_names
from autograder.integrations.gradebooks.points_column import PartPoints, part_points
from autograder.integrations.push.messages import summary
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.changes import contents_of
from autograder.report.class_csv import by_hand_csv, gradebook_csv
from autograder.report.feedback import feedback
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from autograder.report.history import history_lines
from autograder.report.late_days import requested_days
from autograder.report.publishing import publish
from autograder.report.statistics import class_statistics
from autograder.report.terminal import print_class
from autograder.results.results_json import results_json
from tests.rubrics import add_week_4

ROOT = Path(__file__).resolve().parents[2]
PLANS = {
    1: [PlannedCheck("t.py::a", "week1.linear", "a"), PlannedCheck("t.py::b", "week1.linear", "b")],
    4: [
        PlannedCheck("t.py::a", "week4.conv2d", "a"),
        PlannedCheck("t.py::c", "week4.conv2d", "c"),
        PlannedCheck("t.py::n", "week4.group_norm", "n"),
    ],
}
LINEAR = 400


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The course's files with a week of phase 2, as an author adds one."""
    for file in (COURSE_FILE, GRADING_FILE, RUBRIC_FILE):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    add_week_4(tmp_path)
    return tmp_path


@pytest.fixture
def course(tree: Path) -> Course:
    return load(tree)


def edit(root: Path, file: str, old: str, new: str) -> None:
    text = (root / file).read_text()
    assert old in text
    (root / file).write_text(text.replace(old, new, 1))


def one_phase(root: Path) -> None:
    """Leave the other phases out, in one line."""
    edit(root, COURSE_FILE, "[course]\n", '[course]\nphases = ["phase1"]\n')


# What the files say


def test_the_course_has_three_phases() -> None:
    phases = {phase.id: phase for phase in load(ROOT).phases}
    assert {id: (one.total, one.extra_credit) for id, one in phases.items()} == {
        "phase1": (12_000, 2_000),
        "phase2": (10_000, 1_000),
        "capstone": (6_000, 0),
    }
    second = phases["phase2"].components
    assert [part.points for part in second if not part.extra] == [2700, 2500, 2800, 2000]


def test_a_week_of_phase_2_takes_a_table_and_lines_of_the_rubric(course: Course) -> None:
    assert [week.id for week in course.weeks_of("phase2")] == ["week4"]
    assert [week.id for week in course.weeks_of("phase1")] == ["week1", "week2", "week3", "project"]
    assert course.left_out == ()
    extra = next(part for part in course.components if part.id == "extra_credit2")
    assert (extra.points, extra.most) == (1000, 250)


def test_one_line_leaves_all_other_phases_out(tree: Path) -> None:
    whole = load(tree)
    one_phase(tree)
    course = load(tree)
    assert course.phases == whole.phases[:1]
    assert course.weeks == whole.weeks[:4]
    assert [week.id for week in course.left_out] == ["week4"]
    assert not [item for item in course.items() if item.week == 4]
    for asked in (lambda: course.week(4), lambda: course.week_called("week4")):
        with pytest.raises(CourseError, match=r"no week .*leaves out are: week4"):
            asked()


def test_the_analysis_of_a_week_that_is_left_out_is_not_shipped(tmp_path: Path) -> None:
    folder = tmp_path / analyses.FOLDER
    folder.mkdir(parents=True)
    for name in ("week1_speed.py", "week4_filters.py", "workbench.py"):
        (folder / name).touch()
    assert [one.name for one in analyses.sources(tmp_path)] == [
        "week1_speed.py",
        "week4_filters.py",
    ]
    assert [one.name for one in analyses.sources(tmp_path, {"week4"})] == ["week1_speed.py"]


def test_what_names_a_week_that_is_left_out_is_no_mistake(tree: Path) -> None:
    """The same grading.toml serves both courses: it need not change with the phases."""
    edit(tree, COURSE_FILE, "late_days = 0", 'late_days = 2\nlate_days_spent = "on request"')
    edit(tree, GRADING_FILE, '["week1", "week2", "week3"]', '["week1", "week4"]')
    with (tree / GRADING_FILE).open("a") as file:
        for table in ("[[extension]]\ndue = 2026-10-19T23:59:00Z", "[[late_days]]\ndays = 1"):
            file.write(f'\n{table}\nstudent = "ada"\nweek = "week4"\n')
        file.write('\n[training."week4.digits"]\nepochs = 2\nbatch_size = 8\nlr = 0.5\n')
        file.write("curve = [[0.5, 0], [0.94, 1]]\n")
    assert [one.week for one in load(tree).extensions] == ["week4"]
    one_phase(tree)
    course = load(tree)
    assert course.extensions == ()
    assert watched_names(course)
    assert requested_days(course) == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (
            COURSE_FILE,
            "[course]\n",
            '[course]\nphases = ["phase3"]\n',
            "there is no phase 'phase3'",
        ),
        (COURSE_FILE, "[course]\n", "[course]\nphases = []\n", "course.phases: "),
        (RUBRIC_FILE, "total = 100", "total = 90", "phase2.total: its parts add up to 100 points"),
        (RUBRIC_FILE, "extra_credit = 10", "extra_credit = 8", "phase2.extra_credit: its parts"),
        (RUBRIC_FILE, "to_come = 7.5", "to_come = 7", "add up to 2.5 points, not 3"),
        (RUBRIC_FILE, 'id = "phase2"', 'id = "core"', "more than once: core"),
        (RUBRIC_FILE, 'id = "phase2"', 'id = "week4"', "more than once: week4"),
        (
            RUBRIC_FILE,
            '[{ id = "week4.group_norm", title = "Group norm", points = 2.5, week = 4 }]',
            '[{ id = "week1.group_norm", title = "Group norm", points = 2.5, week = 1 }]',
            "its week has items in phase1, and this one is in phase2",
        ),
        (
            GRADING_FILE,
            "[training.digits]",
            '[training."week9.digits"]',
            "there is no week 'week9'",
        ),
    ],
)
def test_a_mistake_is_named(tree: Path, file: str, old: str, new: str, says: str) -> None:
    edit(tree, file, old, new)
    with pytest.raises(CourseError) as caught:
        load(tree)
    assert caught.value.file == file
    assert says in str(caught.value)


def test_a_rubric_from_before_there_were_phases_says_what_to_do(tree: Path) -> None:
    rubric = tree / RUBRIC_FILE
    rubric.write_text('total = 1\nextra_credit = 0\n\n[[component]]\nid = "a"\npoints = 1\n')
    with pytest.raises(CourseError, match=r"in no phase: put \[\[phase\]\]"):
        load(tree)


def test_a_week_has_training_settings_of_its_own(tree: Path) -> None:
    with (tree / GRADING_FILE).open("a") as file:
        file.write('\n[training."week4.digits"]\nepochs = 2\nbatch_size = 8\nlr = 0.5\n')
        file.write("curve = [[0.5, 0], [0.94, 1]]\n")
    course = load(tree)
    assert training_setting(course, course.week(4), "digits").curve[-1] == (0.94, 1)
    assert training_setting(course, course.week(1), "digits") == course.training["digits"]
    assert training_setting(course, course.week(4), "mnist") == course.training["mnist"]
    with pytest.raises(CourseError, match=r"no settings for the data set 'shakespeare'"):
        training_setting(course, course.week(4), "shakespeare")


# What a class sees


def grade(book: Gradebook, student: str, week: int, *right: bool) -> None:
    """Record which checks of a student's week passed."""
    one = Submission(student, {f"{student}.py": b""}, documents={"answers.md": "0" * 64})
    job = GradingJob(f"{student}{week}", student, week, one.fingerprint, "none")
    book.add_submission(one, week)
    book.plan(job, PLANS[week])
    results = [
        CheckResult(check.id, *((Verdict.PASS, FULL_CREDIT) if good else (Verdict.WRONG, 0)))
        for check, good in zip(PLANS[week], right, strict=True)
    ]
    book.record(job.key, results, 1.0)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    """A class whose first week is graded."""
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("none", "digits", "salt", {})
        grade(book, "ada", 1, True, False)
        grade(book, "bob", 1, True, True)
        yield book


@pytest.fixture
def both(book: Gradebook) -> Gradebook:
    """The class in its second phase, of which Ada handed in a week."""
    grade(book, "ada", 4, True, True, True)
    return book


def of(course: Course, book: Gradebook, student: str = "ada") -> GradedReport:
    [report] = gather(course, book, [student])
    return report


def rows(course: Course, book: Gradebook) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gradebook_csv(course, gather(course, book)))))


def table(course: Course, book: Gradebook, width: int) -> str:
    stream = io.StringIO()
    reports = gather(course, book)
    statistics = class_statistics([report.score for report in reports])
    print_class(Console(file=stream, width=width), reports, statistics, {})
    return stream.getvalue()


def change(course: Course, book: Gradebook, target: str, says: str) -> None:
    line = Line("ada", target, says, "a look by eye", "Dr. X")
    book.add_overrides(OverrideReader(course, book).read([line], "test", "command"))


def test_a_phase_is_not_seen_before_anybody_hands_in_something_of_it(
    course: Course, book: Gradebook
) -> None:
    report = of(course, book)
    assert [phase.id for phase in report.score.shown] == ["phase1"]
    text = feedback(report) + table(course, book, 250) + summary(report, ["week 1"])
    for word in ("Convolution", "Capstone", "Phase", "Extra Credit 2"):
        assert word not in text
    header = rows(course, book)[0]
    assert not {"convolution", "week4.conv2d", "phase2", "capstone"} & header.keys()
    assert [one["id"] for one in json.loads(results_json(report))["phases"]] == ["phase1"]
    assert "week4" not in by_hand_rows(course, book)


def by_hand_rows(course: Course, book: Gradebook) -> str:
    lines = csv.DictReader(io.StringIO(by_hand_csv(course, gather(course, book))))
    return " ".join(line["item"] for line in lines)


def test_before_anything_is_handed_in_the_first_phase_is_seen(course: Course) -> None:
    score = score_student(course, "ada", [], [], open_weeks=())
    assert [phase.id for phase in score.shown] == ["phase1"]
    assert (score.total, score.max_total, score.is_unknown) == (0, 0, False)
    text = feedback(GradedReport(score, "none"))
    assert "Core Implementations (25)" in text
    assert "Convolution" not in text


def test_each_phase_has_totals_of_its_own(course: Course, both: Gradebook) -> None:
    score = of(course, both).score
    first, second, third = score.phases
    assert (first.total, first.max_total) == (200, 5500)
    assert (second.total, second.max_total, second.pending) == (2250, 2700, True)
    assert (third.total, third.max_total, third.is_open) == (0, 0, False)
    assert score.total == first.total + second.total
    assert score.max_total == first.max_total + second.max_total
    extra = next(part for part in second.components if part.extra)
    assert (extra.points, extra.max_points) == (250, 250), "what is to come is not open"


def test_who_handed_in_nothing_of_the_second_phase_has_0_of_it(
    course: Course, both: Gradebook
) -> None:
    second = of(course, both, "bob").score.phases[1]
    assert (second.total, second.max_total, second.pending) == (0, 2700, False)


def test_the_gradebook_has_columns_of_both(course: Course, both: Gradebook) -> None:
    ada, bob = rows(course, both)
    assert (ada["phase1"], ada["phase1_max"], ada["phase1_final"]) == ("2.00", "55.00", "2.00")
    assert (ada["phase2"], ada["phase2_max"], ada["phase2_final"]) == ("22.50", "27.00", "22.50")
    assert (ada["total"], ada["max"], ada["week4.conv2d"]) == ("24.50", "82.00", "20.00")
    assert (bob["phase2"], bob["total"]) == ("0.00", "4.00")
    assert "capstone" not in ada


def test_results_for_programs_have_both(course: Course, both: Gradebook) -> None:
    results = json.loads(results_json(of(course, both)))
    first, second = results["phases"]
    assert (first["id"], first["total"], first["max_total"]) == ("phase1", 2, 55)
    assert (second["total"], second["extra"], second["max_extra"]) == (22.5, 2.5, 2.5)
    assert (second["title"], second["pending"]) == ("Phase 2", True)
    assert results["total"] == 24.5


def test_the_feedback_has_a_line_for_each(course: Course, both: Gradebook) -> None:
    text = feedback(of(course, both))
    assert "| **Phase 1** | **2 of 55 points** |\n" in text
    assert "| **Phase 2** | **20 of 27 points, and 2.5 of 2.5 extra** |\n" in text
    assert text.index("Phase 1") < text.index("| Core Imple") < text.index("Phase 2")
    assert "\n\nPhase 2: Recurrence (25), Attention (28)" in text, "the second phase has begun"
    assert "Capstone" not in text
    said = summary(of(course, both), ["week 4"])
    assert "Phase 2: 20 of 27 points, and 2.5 of 2.5 extra" in said


def test_the_table_has_a_column_for_each(course: Course, both: Gradebook) -> None:
    wide = table(course, both, 250)
    (ada,) = (line.split() for line in wide.splitlines() if line.strip().startswith("ada"))
    assert ada[-2:] == ["*22.50", "*24.50"]
    assert "Checking        1   Convolution        2        2     total" in wide
    (mean,) = (line.split() for line in wide.splitlines() if line.strip().startswith("class mean"))
    assert mean[-2:] == ["11.25", "14.25"]


def test_where_room_is_short_the_table_has_the_phases_alone(
    course: Course, both: Gradebook
) -> None:
    text = table(course, both, 60)
    (ada,) = (line.split() for line in text.splitlines() if line.strip().startswith("ada"))
    assert ada[1:] == ["*2.00", "*22.50", "*24.50"]
    assert "Convolution" not in text
    (ada,) = (x.split() for x in table(course, both, 24).splitlines() if "ada" in x)
    assert ada[1:] == ["*24.50"]


def test_statistics_are_of_each_phase(course: Course, both: Gradebook) -> None:
    found = class_statistics([report.score for report in gather(course, both)])
    assert dict(found.phase_means) == {"phase1": 300, "phase2": 1125}
    assert found.component_means["convolution"] == 1000


def test_a_phase_is_exported(course: Course, both: Gradebook) -> None:
    reports = gather(course, both)
    second = part_points(course, reports, "phase2")
    assert second["ada"] == PartPoints(2250, 2700, ("week4.written",))
    assert second["bob"] == PartPoints(0, 2700)
    assert part_points(course, reports, "phase1")["bob"].points == LINEAR
    assert part_points(course, reports, "total")["ada"].points == 2450
    with pytest.raises(CourseError, match="nothing of 'capstone' yet"):
        part_points(course, reports, "capstone")
    with pytest.raises(CourseError, match="phase1, phase2, capstone"):
        part_points(course, reports, "phase3")


def test_marks_by_hand_count_in_their_phase(course: Course, both: Gradebook) -> None:
    assert "week4.written" in by_hand_rows(course, both)
    both.put_marks([ManualMark("ada", "week4.written", 600)])
    second = of(course, both).score.phases[1]
    assert (second.total, second.pending) == (2850, False)


def test_the_history_says_which_phase_changed(
    course: Course, book: Gradebook, tmp_path: Path
) -> None:
    publish(course, book, gather(course, book), "grade")
    grade(book, "ada", 4, True, False, True)
    publish(course, book, gather(course, book), "grade")
    lines = history_lines(course, tmp_path, "ada")
    first, second = (line for line in lines if "  grade" in line)
    assert first.endswith(": 0 -> 2")
    assert second.endswith(": 2 -> 14.5 (Phase 2: 0 -> 12.5)")


# What a person changes


def test_what_is_given_in_a_week_or_a_phase_counts_in_the_phase(
    course: Course, both: Gradebook
) -> None:
    change(course, both, "week4", "+2")
    change(course, both, "phase2", "+3")
    change(course, both, "total", "+1")
    report = of(course, both)
    first, second, _ = report.score.phases
    assert (first.total, second.total, report.score.total) == (200, 2750, 3050)
    assert part_points(course, [report], "phase2")["ada"].points == 2750
    assert part_points(course, [report], "week4")["ada"].points == 2450
    assert part_points(course, [report], "total")["ada"].points == 3050
    assert "**Changed by a person**: Phase 2: +3 points. Why: a look by eye" in feedback(report)
    assert rows(course, both)[0]["changed"] == "week4 +2; phase2 +3; total +1"
    assert rows(course, both)[0]["phase2"] == "27.50"
    rest = contents_of(course, [report], both.editions)["ada", "total"]
    assert (rest.points, rest.final) == (600, 600)
    assert "+3" in rest.override
    change(course, both, "Phase 2", "undo")
    assert of(course, both).score.phases[1].total == 2450


def test_nobody_has_less_than_nothing_of_a_phase(course: Course, both: Gradebook) -> None:
    change(course, both, "week1", "-1")
    change(course, both, "phase1", "-5")
    score = of(course, both).score
    assert (score.phases[0].total, score.total) == (0, 2250)


def test_who_is_excused_from_a_phase_has_no_maximum_of_it(course: Course, both: Gradebook) -> None:
    change(course, both, "phase1", "excused")
    report = of(course, both)
    assert report.score.max_total == 2700
    assert part_points(course, [report], "phase1")["ada"].excused
    assert rows(course, both)[0]["phase1"] == ""
    assert "| **Phase 1** | **excused** |" in feedback(report)
    assert "excused" in table(course, both, 60)
    assert {one.week for one in report.handed_in} == {"week4"}
    with pytest.raises(OverrideError, match="whether to add or to take"):
        change(course, both, "phase1", "5")


# A course of one phase


def test_a_course_of_one_phase_says_nothing_of_phases(tree: Path, both: Gradebook) -> None:
    """Also where something of the other phase was handed in before."""
    one_phase(tree)
    course = load(tree)
    report = of(course, both)
    assert report.score.total == 200
    assert not any(key.startswith("phase") for key in rows(course, both)[0])
    assert "Phase" not in feedback(report) + table(course, both, 250)
    with pytest.raises(CourseError, match="no such part"):
        part_points(course, [report], "phase2")
    assert "week4" not in by_hand_rows(course, both)
