"""What Gradescope is told of a submission, by its own rules: points, texts, limits and lateness."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder.course import load
from autograder.course.apportion import apportion
from autograder.course.scoring import CheckScore, item_points, score_student
from autograder.integrations.gradescope import results as shape
from autograder.integrations.gradescope.metadata import (
    MetadataError,
    graded_on_that_day,
    read_metadata,
)
from autograder.integrations.gradescope.results import GradingStatus, Visibility, apportion_points
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from tests import gradescope

COURSE = load(Path(__file__).resolve().parents[2])
PLAN = [
    PlannedCheck("a", "week1.linear", "The gradient is summed."),
    PlannedCheck("b", "week1.linear", "Shapes.", 2),
    PlannedCheck("c", "week1.accuracy", "The network is accurate."),
]
PASSED = CheckResult("a", Verdict.PASS, FULL_CREDIT)
WRONG = CheckResult("b", Verdict.WRONG, message="<b>no</b>\x1b[31m \ud800", advice="You average.")
TRAINED = CheckResult(
    "c",
    Verdict.WRONG,
    2500,
    "Test accuracy 93 %.",
    detail={"accuracy": [0.5, 0.9345], "shown": 0.93},
)


def results(*found: CheckResult, running: bool = False, kept=None, **more):
    score = score_student(COURSE, "ada", PLAN, found, open_weeks={1}, kept=kept)
    standing = GradingStatus({1}, running, "rung C", **more)
    return gradescope.read(shape.as_json(shape.results_of(COURSE, score, standing)))


# Points.


def test_the_tests_of_an_item_add_up_to_its_points_exactly() -> None:
    rng = random.Random(0)
    for _ in range(3000):
        most = rng.choice([50, 75, 133, rng.randint(1, 900)])
        checks = []
        for number in range(rng.randint(1, 9)):
            credit = rng.choice([0, FULL_CREDIT, None, rng.randint(0, FULL_CREDIT)])
            result = None if credit is None else CheckResult(f"{number}", Verdict.WRONG, credit)
            checks.append(
                CheckScore(PlannedCheck(f"{number}", "x", "t", rng.randint(0, 4)), result)
            )
        points, weights = item_points(most, checks), [check.planned.weight for check in checks]
        shares = apportion_points(points, most, checks)
        if not sum(weights):
            assert shares == [(0, 0)] * len(checks)
            continue
        assert [sum(column) for column in zip(*shares, strict=True)] == [points, most]
        for (score, high), check, weight in zip(shares, checks, weights, strict=True):
            assert 0 <= score <= high
            assert abs(high - most * weight / sum(weights)) < 1
            credit = check.result.credit if check.result else 0
            assert credit != FULL_CREDIT or score == high
            assert credit or score == 0


def test_what_can_not_be_shared_out_is_refused() -> None:
    with pytest.raises(ValueError, match="can't be shared out"):
        apportion(3, [], [], [])


def test_each_check_is_a_test_with_what_a_student_may_read() -> None:
    found = results(PASSED, WRONG, TRAINED)
    assert found["score"] == 1.96  # 4 / 3 and a quarter of 2.5, each rounded once
    assert gradescope.hundredths(found) == 196
    assert gradescope.hundredths(found, "max_score") == 400 + 250
    first, second, third = found["tests"]
    assert (first["status"], second["status"], third["status"]) == ("passed", "failed", "failed")
    assert first["score"] == first["max_score"] == 1.33
    assert second["output"] == (
        "Wrong answer.\n\n<b>no</b>\\x1b[31m \\ud800\n\nWhat probably happened: You average."
    )
    assert {test["output_format"] for test in found["tests"]} == {"text"}
    assert found["output_format"] == "text"
    assert [test["number"] for test in found["tests"]] == ["1.1", "1.2", "2.1"]
    assert found["leaderboard"] == [{"name": "Accuracy", "value": 0.93, "order": "desc"}]
    assert gradescope.shown_score(found) == 1.96
    assert "marked separately: " in found["output"]


def test_while_it_runs_what_is_there_counts_and_the_rest_is_zero() -> None:
    found = results(PASSED, running=True)
    assert (found["score"], len(found["tests"])) == (1.33, 3)
    assert found["tests"][1]["output"] == "Not graded yet."
    assert found["output"].startswith("Grading has begun and is not finished.")
    assert gradescope.read(shape.as_json(shape.started()))["score"] == 0


def test_our_fault_hides_the_score_from_the_student() -> None:
    lost = CheckResult("b", Verdict.INFRA, message="The grader failed.")
    found = results(PASSED, lost, TRAINED)
    assert gradescope.shown_score(found) is None
    assert "1 check could not be graded. This is our fault" in found["output"]
    found = gradescope.read(shape.as_json(shape.withheld("no rung works")))
    assert gradescope.shown_score(found) is None
    assert "our fault" in found["output"]
    assert "no rung works" not in found["output"]


@pytest.mark.parametrize("visibility", list(Visibility))
def test_visibility_is_the_instructors_to_choose(visibility) -> None:
    found = results(PASSED, WRONG, TRAINED, visibility=visibility)
    assert {test["visibility"] for test in found["tests"]} == {visibility}
    hidden = visibility is not Visibility.VISIBLE
    assert (gradescope.shown_score(found) is None) == hidden


def test_late_work_keeps_its_tests_and_loses_of_its_score() -> None:
    found = results(PASSED, WRONG, TRAINED, kept={1: 8000}, remarks=("week1 was late",))
    assert gradescope.hundredths(found) == 196
    assert found["score"] == 1.56  # 0.8 of 1.33 is 1.06, of 0.63 0.50
    assert "week1 was late" in found["output"]


# The metadata.


def metadata(path: Path, **changes) -> Path:
    content = {
        "id": 123456,
        "created_at": "2026-10-02T01:00:00.365935-07:00",
        "assignment": {"due_date": "2026-10-01T23:00:00.000000-07:00", "total_points": "40.0"},
        "users": [{"email": "ada@uni.example", "id": 1, "name": "Ada L"}],
        "previous_submissions": [],
    }
    path.write_text(json.dumps(content | changes))
    return path


def test_who_and_when(tmp_path) -> None:
    found = read_metadata(metadata(tmp_path / "m.json"))
    assert found.student == "ada@uni.example"
    assert found.received == datetime(2026, 10, 2, 8, 0, 0, 365935, UTC)
    assert found.due == datetime(2026, 10, 2, 6, tzinfo=UTC)
    assert found.earlier == ()
    mates = [
        {"name": "Ada", "assignment": {"due_date": "2026-10-03T23:00:00-07:00"}},
        {"name": "Ben"},
    ]
    found = read_metadata(metadata(tmp_path / "m.json", users=mates))
    assert found.due == datetime(2026, 10, 4, 6, tzinfo=UTC)
    found = read_metadata(metadata(tmp_path / "m.json", users=[], assignment={}))
    assert (found.student, found.due) == ("student", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": "yesterday", "users": [3], "previous_submissions": [None, {}, 4]},
        {"created_at": None, "users": None, "previous_submissions": None, "assignment": []},
        {"previous_submissions": [{"submission_time": "x", "results": []}]},
    ],
)
def test_what_is_odd_in_it_is_left_out(tmp_path, changes) -> None:
    assert read_metadata(metadata(tmp_path / "m.json", **changes)).earlier == ()


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000])
def test_what_is_no_metadata_is_said(tmp_path, content) -> None:
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(MetadataError, match=r"m\.json"):
        read_metadata(tmp_path / "m.json")
    with pytest.raises(MetadataError, match="can't be read"):
        read_metadata(tmp_path / "none.json")


def earlier(when: str, state: str | None = "graded", score: float = 1.0) -> dict:
    found = {} if state is None else {"extra_data": {"state": state}}
    return {"submission_time": when, "score": score, "results": found}


def test_gradings_are_counted_by_the_submissions_own_day(tmp_path) -> None:
    times = [
        earlier("2026-10-01T23:30:00-07:00"),  # the 2nd in UTC
        earlier("2026-10-02T00:30:00-07:00", None),
        earlier("2026-10-02T00:40:00-07:00", "limited"),
        earlier("2026-10-02T00:50:00-07:00", "failed"),
        earlier("2026-10-02T00:55:00-07:00", "running"),
        earlier("2026-10-02T02:00:00-07:00"),  # later: this one is graded once more
        earlier("2026-09-30T02:00:00-07:00"),
    ]
    found = read_metadata(metadata(tmp_path / "m.json", previous_submissions=times))
    assert graded_on_that_day(found, UTC) == 3
    assert graded_on_that_day(found, ZoneInfo("America/Los_Angeles")) == 2
    unknown = read_metadata(metadata(tmp_path / "m.json", created_at=None))
    assert graded_on_that_day(unknown, UTC) == 0


def test_earlier_results_are_repeated_whole_and_only_what_results_may_hold() -> None:
    former = results(PASSED, WRONG, TRAINED)
    new = gradescope.read(shape.as_json(shape.repeated(former, 1.96, "Not graded.", "10:00")))
    assert (new["score"], new["output"]) == (1.96, "Not graded.")
    assert new["extra_data"]["state"] == "limited"
    kept = ("name", "score", "max_score", "status", "output", "number", "tags", "visibility")
    assert [[test[key] for key in kept] for test in new["tests"]] == [
        [test[key] for key in kept] for test in former["tests"]
    ]
    odd = {
        "tests": [3, {"name": 4, "status": "x", "visibility": "y", "score": "z", "evil": 1}],
        "visibility": "secret",
        "leaderboard": [1, {"name": "a", "value": [1]}],
    }
    new = gradescope.read(shape.as_json(shape.repeated(odd, 0.5, "Not graded.", "10:00")))
    assert new["tests"] == [{"name_format": "text", "output_format": "text"}]
    for broken in ({"tests": 3}, {"tests": {"a": 1}, "leaderboard": 5}):
        gradescope.read(shape.as_json(shape.repeated(broken, 0.5, "Not graded.", "10:00")))
