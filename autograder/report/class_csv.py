"""The class as CSV: points by student, what is marked by hand, the leaderboard, and the flags."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from autograder.course import Course
from autograder.course.lateness import in_words
from autograder.records import FULL_CREDIT
from autograder.report.graded import GradedReport, Row
from autograder.text.display import one_line

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def gradebook_csv(course: Course, reports: Sequence[GradedReport]) -> str:
    """Return the class as CSV: student, component ids, item ids, total, max, pending, final, late.

    Points have two decimals; those of a component that is not open are blank, and so are those of
    its items. `pending` names the items whose points may still grow, separated by spaces. All
    points but `final` are what the work is worth; `final` is what counts after `late`, which names
    each late week, how late it was and the share that it keeps: "week1:2 days:0.8".
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    components = [part.id for part in course.components]
    items = [item.id for item in course.items()]
    writer.writerow(["student", *components, *items, "total", "max", "pending", "final", "late"])
    for report in reports:
        score = report.score
        parts = [_points(part.points) if part.is_open else "" for part in score.components]
        pending = " ".join(item.id for item in score.items if item.pending)
        earned = {item.id: _points(item.points) for item in score.items}
        points = [earned.get(id, "") for id in items]
        totals = [_points(score.total), _points(score.max_total)]
        late = "; ".join(
            f"{one.week}:{in_words(one.late)}:{one.kept / FULL_CREDIT:.4g}" for one in report.late
        )
        ends = [pending, _points(score.final), late]
        writer.writerow([guard(score.student), *parts, *points, *totals, *ends])
    return out.getvalue()


def by_hand_csv(course: Course, reports: Sequence[GradedReport]) -> str:
    """Return what a person marks as CSV: item, title, student, documents, points, max.

    One item after the other, all students below it. `documents` are the names of the files handed
    in for it, separated by spaces; points are blank where there is no mark yet.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["item", "title", "student", "documents", "points", "max"])
    for item in course.items():
        for report in reports:
            scores = (score for score in report.score.items if score.id == item.id)
            score = next(scores, None)
            if item.kind != "manual" or score is None:
                continue
            documents = guard(" ".join(report.documents.get(item.id, ())))
            points = "" if score.pending else _points(score.points)
            row = [item.id, item.title, guard(report.score.student), documents, points]
            writer.writerow([*row, _points(item.points)])
    return out.getvalue()


def flags_csv(reports: Sequence[GradedReport]) -> str:
    """Return what a person should look at as CSV: student, week, rule, item, place, evidence."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", "week", "rule", "item", "place", "evidence"])
    for report in reports:
        for week, flag in report.flags:
            texts = (flag.rule, flag.item or "", flag.place, flag.evidence)
            writer.writerow([guard(report.score.student), week, *map(guard, texts)])
    return out.getvalue()


def leaderboard_csv(rows: Iterable[Row]) -> str:
    """Return a class's training job as CSV: place, student, accuracy, seconds, verdict, doubts.

    `accuracy` is that of the test images, in 0..1; blank where there is no network to measure.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["place", "student", "accuracy", "seconds", "verdict", "doubts"])
    for place, row in enumerate(rows, start=1):
        accuracy = "" if row.accuracy is None else f"{row.accuracy:.4f}"
        verdict = str(row.result.verdict) if row.result else ""
        doubts = guard(" ".join(row.doubts))
        writer.writerow(
            [place, guard(row.student), accuracy, f"{row.seconds:.0f}", verdict, doubts]
        )
    return out.getvalue()


def _points(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def guard(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: such text gets an apostrophe first."""
    # Judged before cleaning and after it: a tab in front is a formula's start too.
    shown = one_line(text)
    if text.startswith(FORMULA_STARTS) or shown.lstrip().startswith(FORMULA_STARTS):
        return "'" + shown
    return shown
