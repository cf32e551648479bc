"""The class as CSV: points, answers to be marked by hand, leaderboard and flags."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from autograder.course import Course, Phase
from autograder.course.scoring import ComponentScore, ItemScore, PhaseScore
from autograder.records import FULL_CREDIT
from autograder.report.changed_words import cell
from autograder.report.graded import GradedReport, Row
from autograder.report.lateness_words import in_words
from autograder.report.not_handed_in import NOTHING_HANDED_IN
from autograder.report.points_words import is_excused
from autograder.tables.formulas import guard_formula


def gradebook_csv(course: Course, reports: Sequence[GradedReport]) -> str:
    """Return the class as CSV: a line for each student.

    Its columns: student, section (where a roster has any), component ids, item ids, then each
    phase's id, ID_max and ID_final, total, max, pending, final, late, changed. They are of those
    phases that the class sees; where the course has one phase alone, its totals are the course's
    and have no columns of their own.

    Points have two decimals; those of a component that is not open are blank, and so are those of
    its items, and what was not graded yet. `pending` names the items whose points may still grow,
    separated by spaces. All points but `final` and ID_final are before deductions for lateness.
    `late` names each late week, how late it was and the share that it keeps: "week1:2 days:0.8";
    before the share stand the late days spent on it. A week that Canvas marks as late, and of which
    nothing says when it came, is "week1:late in Canvas (to be decided):1". `changed` names what a
    person changed: "week1.linear 1.5 -> 4; total +5". An excused item is blank.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    phases = _phases(course, reports)
    components = [part.id for phase in phases for part in phase.components]
    items = [item.id for phase in phases for item in phase.items]
    totals = [phase.id for phase in phases] if len(course.phases) > 1 else []
    of_phases = [f"{id}{of}" for id in totals for of in ("", "_max", "_final")]
    sectioned = any(report.section for report in reports)
    who = ["student", *(["section"] * sectioned)]
    last = ["total", "max", "pending", "final", "late", "changed"]
    writer.writerow([*who, *components, *items, *of_phases, *last])
    for report in reports:
        score = report.score
        parts: dict[str, ComponentScore | ItemScore] = {one.id: one for one in score.items}
        parts |= {one.id: one for one in score.components}
        cells = [_cell(parts.get(id)) for id in (*components, *items)]
        for phase in score.phases:
            if phase.id in totals:
                cells += _phase_cells(phase)
        total, final = ("" if score.is_unknown else _points(p) for p in (score.total, score.final))
        pending = " ".join(item.id for item in score.items if item.pending)
        section = [guard_formula(report.section)] * sectioned
        row = [guard_formula(score.student), *section, *cells, total, _points(score.max_total)]
        writer.writerow([*row, pending, final, _late(report), guard_formula(cell(report))])
    return buffer.getvalue()


def _cell(part: ComponentScore | ItemScore | None) -> str:
    """Return a component's or an item's points; blank where it is not open, or nothing is known."""
    if part is None or part.is_unknown or is_excused(part):
        return ""
    if isinstance(part, ComponentScore) and not part.is_open:
        return ""
    return _points(part.points)


def _late(report: GradedReport) -> str:
    """Return each late week with how late it was and the share that it keeps."""
    late = (
        f"{week.week}:{in_words(week.late)}{_spent(week.days)}:{week.kept / FULL_CREDIT:.4g}"
        for week in report.late
    )
    undecided = (f"{week}:late in Canvas (to be decided):1" for week in report.undecided)
    return "; ".join([*late, *undecided])


def _phases(course: Course, reports: Sequence[GradedReport]) -> list[Phase]:
    """Return the phases that the class sees, in the rubric's order."""
    shown = {phase.id for report in reports for phase in report.score.shown}
    return [one for one in course.phases if one.id in shown] or list(course.phases[:1])


def _phase_cells(phase: PhaseScore) -> list[str]:
    """Return a phase's total, maximum and points that count; blank where nothing is known."""
    if phase.is_unknown or is_excused(phase):
        return ["", _points(phase.max_total), ""]
    return [_points(phase.total), _points(phase.max_total), _points(phase.final)]


def _spent(days: int) -> str:
    return f" ({days} late day{'' if days == 1 else 's'} spent)" if days else ""


def by_hand_csv(course: Course, reports: Sequence[GradedReport]) -> str:
    """Return the items marked by hand as CSV, which can be handed back as it is, filled in.

    Sorted by item, with all students below each. `documents` are the names of the files handed in
    for it, separated by spaces, and `answer` is their digest; points are blank where there is no
    mark yet, or none for this answer. Where there are no documents either, the student has 0 points
    and nothing waits.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    columns = ["item", "title", "student", "documents", "points", "max", "comment", "answer"]
    writer.writerow(columns)
    by_item = [{score.id: score for score in report.score.items} for report in reports]
    for item in (item for item in course.items() if item.kind == "manual"):
        for report, scores in zip(reports, by_item, strict=True):
            score = scores.get(item.id)
            if score is None or is_excused(score):
                continue
            # What a mark gives, below what a person changed: the list may be handed back.
            score = next((c.was for c in report.changes if c.was and c.target == item.id), score)
            documents = guard_formula(" ".join(report.documents.get(item.id, ())))
            unmarked = score.pending or score.reason == NOTHING_HANDED_IN
            points = "" if unmarked else _points(score.points)
            comment = "" if unmarked else guard_formula(score.comment)
            row = [item.id, item.title, guard_formula(report.score.student), documents, points]
            writer.writerow([*row, _points(item.points), comment, report.answers.get(item.id, "")])
    return buffer.getvalue()


def flags_csv(reports: Sequence[GradedReport]) -> str:
    """Return the flags as CSV: student, week, rule, item, place, evidence."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["student", "week", "rule", "item", "place", "evidence"])
    for report in reports:
        for week, flag in report.flags:
            texts = (flag.rule, flag.item or "", flag.place, flag.evidence)
            writer.writerow([guard_formula(report.score.student), week, *map(guard_formula, texts)])
    return buffer.getvalue()


def leaderboard_csv(rows: Iterable[Row]) -> str:
    """Return the leaderboard as CSV: place, student, accuracy, seconds, verdict, doubts.

    `accuracy` is that on the test images, in 0..1; blank where there is no network to measure.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["place", "student", "accuracy", "seconds", "verdict", "doubts"])
    for place, row in enumerate(rows, start=1):
        accuracy = "" if row.accuracy is None else f"{row.accuracy:.4f}"
        verdict = str(row.result.verdict) if row.result else ""
        doubts = guard_formula(" ".join(row.doubts))
        writer.writerow(
            [place, guard_formula(row.student), accuracy, f"{row.seconds:.0f}", verdict, doubts]
        )
    return buffer.getvalue()


def _points(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"
