"""Statistics of a class are those that NumPy computes from the results.json of its students."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pytest

from autograder.gradebook.journal import Gradebook
from autograder.report.class_files import write_class
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from autograder.report.item_statistics import (
    check_statistics,
    correlation,
    distribution,
    item_statistics,
    who_has_what,
)
from tests import paper_class

NO_WORK = ("not-attempted", "blocked", "infra", None)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[GradedReport], list[dict]]:
    """A class of 40, and its results.json."""
    out = tmp_path_factory.mktemp("class")
    course = paper_class.fill(out, 40, seed=3)
    with Gradebook.open(out / paper_class.BOOK) as book:
        reports = gather(course, book)
        files = write_class(course, reports, out)
    told = [
        json.loads((files.students / one.score.student / "results.json").read_text())
        for one in reports
    ]
    return reports, told


def known_items(told: list[dict]) -> list[dict[str, dict]]:
    """Return what each student's file says of the items whose points are known."""
    return [{one["id"]: one for one in each["items"] if not one["pending"]} for each in told]


def test_items_are_those_of_numpy(graded) -> None:
    reports, told = graded
    students = known_items(told)
    totals = np.array([sum(i["points"] for i in each.values()) for each in students])
    most = np.array([sum(i["max_points"] for i in each.values()) for each in students])
    seen = 0
    for one in item_statistics(reports):
        own = [(n, each[one.id]) for n, each in enumerate(students) if one.id in each]
        assert one.known == len(own)
        assert one.waiting == len(students) - len(own)
        if not own:
            assert one.mean is None
            continue
        if not one.begun and one.waiting:
            assert one.mean is None
            assert one.passed is None
            continue
        shares = np.array([item["points"] / item["max_points"] for _, item in own])
        assert one.mean == pytest.approx(np.mean(shares))
        assert one.passed == pytest.approx(np.mean(shares >= 1 - 1e-12))
        begun = [
            (n, item)
            for n, item in own
            if item["points"]
            or (item["checks"] and any(c["verdict"] not in NO_WORK for c in item["checks"]))
            or (not item["checks"] and _handed_in(reports[n], one.id))
        ]
        assert one.begun == len(begun)
        where = np.array([n for n, _ in begun], dtype=int)
        points = np.array([item["points"] for _, item in begun])
        rest = (totals[where] - points) / (most[where] - [i["max_points"] for _, i in begun])
        if len(begun) >= 3 and np.ptp(points) and np.ptp(rest) > 1e-9:
            assert one.discrimination == pytest.approx(np.corrcoef(points, rest)[0, 1], abs=1e-9)
            seen += 1
        else:
            assert one.discrimination is None
    assert seen > 20, "there is something to compare"


def _handed_in(report: GradedReport, item: str) -> bool:
    return bool(report.documents.get(item)) or item in report.marks


def test_quartiles_and_bins_are_those_of_numpy(graded) -> None:
    reports, told = graded
    totals = [round(100 * each["final"]) for each in told]
    most = reports[0].score.max_total
    spread = distribution(totals, most)
    assert spread is not None
    wanted = np.quantile(totals, [0, 0.25, 0.5, 0.75, 1])
    said = (spread.least, spread.lower, spread.median, spread.upper, spread.highest)
    assert said == pytest.approx(wanted)
    assert spread.mean == pytest.approx(np.mean(totals))
    counts, _ = np.histogram(np.clip(totals, 0, most), bins=len(spread.bins), range=(0, most))
    assert list(spread.bins) == counts.tolist()
    assert distribution([], most) is None
    assert distribution([5], 10).median == 5  # type: ignore[union-attr]


def test_checks_and_misconceptions_are_counted_as_in_the_files(graded) -> None:
    reports, told = graded
    failed: dict[str, set[str]] = defaultdict(set)
    messages: dict[tuple[str, str], set[str]] = defaultdict(set)
    explained: dict[str, set[str]] = defaultdict(set)
    for each in told:
        for check in (check for item in each["items"] for check in item["checks"]):
            if check["verdict"] not in (*NO_WORK, "pass"):
                failed[check["id"]].add(each["student"])
                messages[check["id"], check["message"]].add(each["student"])
            if check["explanation"]:
                explained[check["explanation"]].add(each["student"])
    checks = check_statistics(reports)
    assert {one.id: one.failed for one in checks if one.failed} == {
        id: len(students) for id, students in failed.items()
    }
    assert [one.failed for one in checks] == sorted((one.failed for one in checks), reverse=True)
    for one in checks:
        by_message: dict[str, set[str]] = defaultdict(set)
        for each in one.messages:
            by_message[each.message] |= {*each.students}
        assert all(by_message[text] == messages[one.id, text] for text in by_message)
    found: dict[str, set[str]] = defaultdict(set)
    for each in who_has_what(reports):
        found[each.advice] |= {*each.students}
    assert found == explained


def test_a_correlation_needs_something_that_varies() -> None:
    assert correlation([(1, 1), (2, 2)]) is None
    assert correlation([(1, 1), (1, 2), (1, 3)]) is None
    assert correlation([(1, 3), (2, 2), (3, 1)]) == pytest.approx(-1)
