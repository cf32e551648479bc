"""What is exported can be read back, opens safely in a spreadsheet, and is written whole."""

from __future__ import annotations

import csv
import errno
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import load
from autograder.course.points import parse_points
from autograder.course.scoring import score_student
from autograder.gradebook.flags import Flag
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.class_csv import by_hand_csv, flags_csv, gradebook_csv
from autograder.report.class_files import write_class, write_student
from autograder.report.graded import GradedReport
from autograder.report.statistics import class_statistics
from autograder.results.results_json import SCHEMA, results_json
from autograder.tables.formulas import FORMULA_STARTS, guard_formula
from autograder.text import files as atomic

COURSE = load(Path(__file__).resolve().parents[2])
PLAN = [
    PlannedCheck("t::a", "week1.mse", "The loss is a mean."),
    PlannedCheck("t::b", "week1.mse", "The gradient is divided by the size."),
    PlannedCheck("t::c", "week1.relu", "ReLU is 0 at 0."),
]
RESULTS = [
    CheckResult("t::a", Verdict.PASS, FULL_CREDIT, seconds=0.123456),
    CheckResult("t::b", Verdict.WRONG, message="off by \ud800 2, \x1b[31m"),
]
MARKS = [ManualMark("ada", "week1.written_linear", 175, "fine")]


def report(student: str = "ada") -> GradedReport:
    return GradedReport(score_student(COURSE, student, PLAN, RESULTS, MARKS), "bubblewrap")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_csv_has_a_row_per_student_and_a_column_per_component_and_item() -> None:
    ada, ben = rows_of(gradebook_csv(COURSE, [report(), report("ben")]))
    phases = [phase for phase in COURSE.phases if phase.items]
    columns = [part.id for phase in phases for part in phase.components]
    columns += [item.id for item in COURSE.items()]
    columns += [f"{phase.id}{end}" for phase in phases for end in ("", "_max", "_final")]
    columns += ["total", "max", "pending", "final"]
    assert list(ada) == ["student", *columns, "late", "changed"]
    assert (ada["final"], ada["late"]) == ("2.50", "")
    assert (ada["student"], ben["student"]) == ("ada", "ben")
    assert ada["week1.mse"] == "0.75"
    assert ada["week1.written_linear"] == "1.75"
    assert ada["derivations"] == "1.75"
    assert ada["core"] == "0.75"
    assert ada["total"] == "2.50"
    assert ada["max"] == f"{report().score.max_total / 100:.2f}"
    assert "week1.relu" in ada["pending"].split(" ")
    assert "week1.written_linear" not in ada["pending"].split(" ")
    assert all(
        ada[part.id] == "" for part in COURSE.components if part.id in ada and not part.is_open
    )


def test_items_add_up_to_components_and_components_to_the_total() -> None:
    (row,) = rows_of(gradebook_csv(COURSE, [report()]))
    for part in COURSE.components:
        if part.is_open:
            added = sum(parse_points(row[item.id] or "0") for item in part.items)
            assert added == parse_points(row[part.id] or "0")
    shown = [row[part.id] for part in COURSE.phases[0].components if row[part.id]]
    assert sum(map(parse_points, shown)) == parse_points(row["total"])


def test_what_was_not_graded_yet_is_blank_and_no_zero() -> None:
    nothing = GradedReport(score_student(COURSE, "ben", PLAN, [], open_weeks={1}), "none")
    ada, ben = rows_of(gradebook_csv(COURSE, [report(), nothing]))
    assert (ada["week1.relu"], ada["week1.mse"]) == ("", "0.75")
    assert {ben[key] for key in ("week1.relu", "core", "total", "final")} == {""}
    assert "week1.relu" in ben["pending"].split(" ")
    statistics = class_statistics([report().score, nothing.score])
    assert statistics.mean == report().score.final, "who was not graded counts in no mean"


def test_a_week_that_is_not_open_has_blank_cells_and_no_points() -> None:
    score = score_student(COURSE, "ada", PLAN, RESULTS, MARKS, open_weeks={1})
    (row,) = rows_of(gradebook_csv(COURSE, [GradedReport(score, "bubblewrap")]))
    later = [item.id for item in COURSE.phases[0].items if item.week != 1]
    assert not set(row) & {item.id for phase in COURSE.phases[1:] for item in phase.items}
    assert later
    assert {row[id] for id in later} == {row["autograd"], row["project"]} == {""}
    assert row["max"] == "55.00"
    assert not set(later) & set(row["pending"].split(" "))


def test_what_is_marked_by_hand_is_listed_item_by_item() -> None:
    score = score_student(COURSE, "ada", PLAN, RESULTS, MARKS, open_weeks={1})
    documents = {"week1.written_mse": ("derivations.ipynb", "more.pdf")}
    ada = GradedReport(score, "bubblewrap", documents=documents)
    rows = rows_of(by_hand_csv(COURSE, [ada, report("=ben")]))
    columns = ["item", "title", "student", "documents", "points", "max", "comment", "answer"]
    assert list(rows[0]) == columns
    first = [(row["item"], row["student"], row["points"], row["max"]) for row in rows[:2]]
    assert first == [
        ("week1.written_linear", "ada", "1.75", "2.00"),
        ("week1.written_linear", "'=ben", "", "2.00"),
    ]
    (mse,) = (row for row in rows if row["item"] == "week1.written_mse" and row["student"] == "ada")
    assert (mse["documents"], mse["points"]) == ("derivations.ipynb more.pdf", "")
    by_hand = {item.id for item in COURSE.items() if item.kind == "manual"}
    assert {row["item"] for row in rows} == by_hand
    assert {row["item"] for row in rows if row["student"] == "ada"} == {
        id for id in by_hand if id.startswith("week1.")
    }


@pytest.mark.parametrize(
    "id", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=cmd|' /C calc'!A0", '"=1']
)
def test_no_cell_is_a_formula(id: str) -> None:
    (row,) = rows_of(gradebook_csv(COURSE, [report(id)]))
    assert not row["student"].lstrip().startswith(FORMULA_STARTS)
    assert row["student"].isprintable()


def test_usual_ids_stay_as_they_are() -> None:
    for id in ("ada", "Zo\u00eb", "a,b", 'a"b', "a.b@c-d"):
        (row,) = rows_of(gradebook_csv(COURSE, [report(id)]))
        assert row["student"] == guard_formula(id) == id


def test_the_json_has_exactly_the_documented_fields() -> None:
    results = json.loads(results_json(report()))
    heads = ["schema", "student", "total", "max_total", "extra", "max_extra", "final"]
    assert list(results) == [*heads, "phases", "handed_in", "confinement", "items"]
    phase, *_ = results["phases"]
    assert list(phase) == ["id", "title", *heads[2:], "pending"]
    assert (phase["id"], phase["total"]) == ("phase1", 2.5)
    assert (results["final"], results["handed_in"]) == (2.5, [])
    assert results["schema"] == SCHEMA == "nnf/results/v1"
    assert (results["student"], results["confinement"]) == ("ada", "bubblewrap")
    assert results["total"] == 2.5
    assert results["max_total"] == report().score.max_total / 100
    assert [item["id"] for item in results["items"]] == [item.id for item in COURSE.items()]
    for item in results["items"]:
        assert list(item) == ["id", "title", "points", "max_points", "final", "pending", "checks"]
        for check in item["checks"]:
            assert list(check) == ["id", "title", "verdict", "message", "explanation"]
    mse = next(item for item in results["items"] if item["id"] == "week1.mse")
    assert (mse["points"], mse["max_points"], mse["pending"]) == (0.75, 1.5, False)
    assert [check["verdict"] for check in mse["checks"]] == ["pass", "wrong"]
    assert mse["checks"][1]["message"] == RESULTS[1].message
    assert mse["checks"][1]["explanation"] == RESULTS[1].advice


def test_the_json_has_a_line_for_each_check_and_breaks_no_message() -> None:
    odd = ', {"id": "x"} {"id": ' + '"} , {"id": '
    results = [CheckResult("t::a", Verdict.WRONG, message=odd), RESULTS[1]]
    score = score_student(COURSE, "ada", PLAN, results, MARKS)
    text = results_json(GradedReport(score, "bubblewrap"))
    found = json.loads(text)
    checks = {check["id"]: check for item in found["items"] for check in item["checks"]}
    assert checks["t::a"]["message"] == odd
    (line,) = [line for line in text.splitlines() if '"t::b"' in line]
    assert '"t::a"' not in line
    assert "    " not in text, "a class has hundreds of thousands of checks"


def test_a_check_without_a_record_has_no_verdict() -> None:
    results = json.loads(results_json(report()))
    relu = next(item for item in results["items"] if item["id"] == "week1.relu")
    assert relu["pending"] is True
    assert relu["checks"] == [
        {
            "id": "t::c",
            "title": "ReLU is 0 at 0.",
            "verdict": None,
            "message": "",
            "explanation": None,
        }
    ]


def test_points_in_the_json_are_exact_to_two_decimals() -> None:
    for hundredths in range(12_001):
        assert f"{hundredths / 100:.2f}" == f"{hundredths // 100}.{hundredths % 100:02d}"
        assert json.loads(json.dumps(hundredths / 100)) * 100 == pytest.approx(hundredths)


def test_the_files_are_where_they_belong(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    written = write_class(COURSE, [report(), report("ben")], out)
    assert written.gradebook == out / "gradebook.csv"
    assert written.students == out / "students"
    assert written.by_hand == out / "by_hand.csv"
    assert written.flags == out / "flags.csv"
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert found == [
        "by_hand.csv",
        "flags.csv",
        "gradebook.csv",
        "students/ada/feedback.html",
        "students/ada/feedback.md",
        "students/ada/results.json",
        "students/ben/feedback.html",
        "students/ben/feedback.md",
        "students/ben/results.json",
    ]
    assert json.loads((out / "students/ben/results.json").read_bytes())["student"] == "ben"
    assert "# Feedback for ben" in (out / "students/ben/feedback.md").read_text("utf-8")
    assert len(rows_of(written.gradebook.read_text("utf-8"))) == 2


FLAGS = (
    ("week1", Flag("loops-over-batch", "Linear.forward: 263 lines", "week1.linear", "a.py:57")),
    ("week2", Flag("imports", '=cmd|" /C calc"!A0\nsecond line')),
)


def test_flags_are_a_row_each_and_no_formula() -> None:
    ada = replace(report(), flags=FLAGS)
    first, second = rows_of(flags_csv([report("ben"), ada]))
    assert first == {
        "student": "ada",
        "week": "week1",
        "rule": "loops-over-batch",
        "item": "week1.linear",
        "place": "a.py:57",
        "evidence": "Linear.forward: 263 lines",
    }
    assert second["evidence"].startswith("'=cmd")
    assert "\n" not in second["evidence"]
    assert rows_of(flags_csv([report()])) == []


def test_no_file_that_a_student_gets_holds_a_flag(tmp_path: Path) -> None:
    for name, flags in (("with", FLAGS), ("without", ())):
        write_class(COURSE, [replace(report(), flags=flags)], tmp_path / name)
    for name in ("results.json", "feedback.md", "feedback.html"):
        with_flags, without = (
            (tmp_path / folder / "students" / "ada" / name).read_bytes()
            for folder in ("with", "without")
        )
        assert with_flags == without


def test_a_write_that_fails_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_class(COURSE, [report()], tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full_disk(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_class(COURSE, [report("ben"), report()], tmp_path)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("id", ["", ".", "..", "../ada", "/ada", "a/b", "a\\b", "a\0b"])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, id: str) -> None:
    with pytest.raises(ValueError, match="can't be the name of a folder"):
        write_student(report(id), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
