"""results.json: one student's scores and checks for other programs, in a fixed schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autograder.course.lateness import HandedIn
from autograder.course.scoring import CheckScore, ItemScore, PhaseScore, StudentScore
from autograder.records import FULL_CREDIT, Verdict
from autograder.results.student import StudentReport

SCHEMA = "nnf/results/v1"


def results_json(report: StudentReport, more: Mapping[str, Any] | None = None) -> str:
    """Return the student's results as JSON in ASCII, points as numbers with up to two decimals.

    `total` and `points` are before deductions for lateness, `final` is after them. A check
    without a record has the verdict null. Messages may quote student code: characters with a
    meaning in HTML are escaped, for pages that embed the file. A check's `explanation`, null where
    none is known, says what probably happened. `extra` credit counts in `total`, not in
    `max_total`. `phases` are those that the class sees, each with totals of its own. `more` are
    further fields at the top, which say of which suites the results are:
    `suite` is "public" where hidden tests were not run, and `hidden_tests_not_run` says how many. A
    line is a check, mostly.
    """
    score = report.score
    results = {
        "schema": SCHEMA,
        "student": score.student,
        **_totals(score),
        "phases": [
            {"id": phase.id, "title": phase.title, **_totals(phase), "pending": phase.pending}
            for phase in score.shown
        ],
        "handed_in": [_handed_in(one) for one in report.handed_in],
        "confinement": report.confinement,
        "items": [_item(item) for item in score.items],
        **(more or {}),
    }
    text = json.dumps(results, allow_nan=False).replace(', {"id": ', ',\n{"id": ') + "\n"
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _totals(score: StudentScore | PhaseScore) -> dict[str, Any]:
    extra = [part for part in score.components if part.extra and part.is_open]
    return {
        "total": score.total / 100,
        "max_total": score.max_total / 100,
        "extra": sum(part.points for part in extra) / 100,
        "max_extra": sum(part.max_points for part in extra) / 100,
        "final": score.final / 100,
    }


def _handed_in(one: HandedIn) -> dict[str, Any]:
    return {
        "week": one.week,
        "due": one.due.isoformat() if one.due else None,
        "received": one.received.isoformat() if one.received else None,
        "commit": one.commit,
        "late_seconds": round(one.late.total_seconds()),
        "late_days": one.days,
        "kept": one.kept / FULL_CREDIT,
    }


def _item(item: ItemScore) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "points": item.points / 100,
        "max_points": item.max_points / 100,
        "final": item.final / 100,
        "pending": item.pending,
        "checks": [_check(check) for check in item.checks],
    }


def _check(check: CheckScore) -> dict[str, Any]:
    result = check.result
    return {
        "id": check.planned.id,
        "title": check.planned.title,
        "verdict": str(result.verdict) if result else None,
        "message": result.message if result and result.verdict is not Verdict.INFRA else "",
        "explanation": (result.advice or None) if result else None,
    }
