"""Classroom 50's result.json: valid by its rules, whole points rounded once, public tests alone."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import load
from autograder.course.scoring import score_student
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.results.results_json import results_json
from autograder.results.student import StudentReport
from autograder.students.classroom50 import (
    Classroom50Error,
    Identity,
    committed_at,
    identity,
    result_of,
    write_result,
)

COURSE = load(Path(__file__).resolve().parents[2])
ITEMS = [f"week1.{name}" for name in ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax")]
"""Worth 4, 1, 1, 1, 1 and 2 points."""

ENVIRONMENT = {
    "CLASSROOM": "nnf",
    "ASSIGNMENT": "week1",
    "ASSIGNMENT_TYPE": "individual",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/2026-10-12T19-40-00Z-a1b2c3d",
    "COMMIT_URL": "https://github.example/o/r/commit/a1b2c3d",
    "RELEASE_URL": "https://github.example/o/r/releases/tag/submit%2F2026",
}
TEXT = {"type": "string", "minLength": 1}
WHOLE = {"type": "integer", "minimum": 0}
WHEN = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        *("schema", "classroom", "assignment", "assignment_type", "owner", "submission"),
        *("commit", "release", "review", "datetime", "score", "max-score", "tests"),
    ],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        "assignment_type": {"enum": ["individual", "group", "team"]},
        **dict.fromkeys(["classroom", "assignment", "owner", "commit", "release", "review"], TEXT),
        "submission": {"type": "string", "pattern": "^submit/"},
        "datetime": WHEN,
        "graded_at": WHEN,
        "score": WHOLE,
        "max-score": WHOLE,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {
                    "test-name": TEXT,
                    "passed": {"type": "boolean"},
                    "score": WHOLE,
                    "max-score": WHOLE,
                },
            },
        },
    },
}
"""The published contract, written down here; what it can't say is checked by `collected`."""


def collected(path: Path) -> dict[str, Any]:
    """Read a result as Classroom 50's collector does: it refuses what breaks the contract."""
    result = json.loads(path.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    assert result["score"] <= result["max-score"]
    assert all(test["score"] <= test["max-score"] for test in result["tests"])
    assert result["score"] == sum(test["score"] for test in result["tests"])
    assert result["max-score"] == sum(test["max-score"] for test in result["tests"])
    assert (result["classroom"], result["owner"]) == ("nnf", "ada")
    return result


def ci_results(path: Path, suite: str | None = "public", **verdicts: Verdict) -> Path:
    """Write a results.json as `autograder ci` does: two checks for each of some items."""
    items = [COURSE.item(id) for id in ITEMS]
    planned, results = [], []
    for item in items:
        verdict = verdicts.get(item.id.partition(".")[2], Verdict.PASS)
        for number in range(2):
            check = f"{item.id}::{number}"
            planned.append(PlannedCheck(check, item.id, f"Secret title {number}"))
            worst = verdict if number else Verdict.PASS
            credit = FULL_CREDIT if worst is Verdict.PASS else 0
            results.append(CheckResult(check, worst, credit, "secret message"))
    score = score_student(COURSE, "ada", planned, results, open_weeks={1})
    more = {"suite": suite} if suite else None
    path.write_text(results_json(StudentReport(score, "none"), more))
    return path


def who(**given: str) -> Identity:
    return identity(given, ENVIRONMENT, "2026-10-12T21:40:00+02:00")


def test_a_result_goes_through_the_collectors_rules(tmp_path) -> None:
    out = tmp_path / "result.json"
    assert write_result(ci_results(tmp_path / "results.json"), out, who()) == (10, 10)
    result = collected(out)
    assert result["datetime"] == "2026-10-12T19:40:00Z"
    assert result["review"] == result["commit"] == ENVIRONMENT["COMMIT_URL"]
    assert [test["test-name"].partition(":")[0] for test in result["tests"]] == ITEMS
    assert all(test["passed"] for test in result["tests"])


def test_points_are_rounded_once_and_the_items_add_up_to_that(tmp_path) -> None:
    out = tmp_path / "result.json"
    names = ("relu", "leaky_relu", "sigmoid")
    wrong = dict.fromkeys(names, Verdict.WRONG)
    assert write_result(ci_results(tmp_path / "results.json", **wrong), out, who()) == (8, 10)
    tests = {test["test-name"].partition(":")[0]: test for test in collected(out)["tests"]}
    assert sorted(tests[f"week1.{name}"]["score"] for name in names) == [0, 1, 1]
    assert all(tests[f"week1.{name}"]["points"] == 0.5 for name in names)
    assert not any(tests[f"week1.{name}"]["passed"] for name in names)


@settings(deadline=None)
@given(
    st.lists(
        st.integers(0, 900).flatmap(lambda most: st.tuples(st.integers(0, most), st.just(most))),
        max_size=12,
    )
)
def test_any_points_make_a_valid_result(points) -> None:
    items = [
        {"id": "a.b", "title": "t", "points": p / 100, "max_points": m / 100, "checks": []}
        for p, m in points
    ]
    result = result_of(items, who())
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    for test, (earned, most) in zip(result["tests"], points, strict=True):
        assert 0 <= test["score"] <= test["max-score"]
        assert abs(100 * test["score"] - earned) < 100
        assert abs(100 * test["max-score"] - most) < 100
    assert result["max-score"] == (sum(m for _, m in points) + 50) // 100
    assert result["score"] == (sum(p for p, _ in points) + 50) // 100


def test_who_has_an_item_whole_has_its_most_and_nothing_earned_is_nothing(tmp_path) -> None:
    """Rounding up goes to items of which something was earned."""
    points = {"a": (0, 200), "b": (150, 150), "c": (350, 350), "d": (150, 150), "e": (0, 50)}
    items = [
        {"id": name, "title": "t", "points": p / 100, "max_points": m / 100, "checks": []}
        for name, (p, m) in points.items()
    ]
    tests = result_of(items, who())["tests"]
    assert sum(test["score"] for test in tests) == 7
    assert sum(test["max-score"] for test in tests) == 9
    assert [test["score"] for test in tests][::4] == [0, 0]
    assert all(test["score"] == test["max-score"] for test in tests[1:4])


def test_no_text_of_a_test_gets_into_what_is_public(tmp_path) -> None:
    out = tmp_path / "result.json"
    write_result(ci_results(tmp_path / "results.json", relu=Verdict.WRONG), out, who())
    assert "ecret" not in out.read_text()


@pytest.mark.parametrize("suite", [None, "hidden"])
def test_results_of_hidden_tests_are_refused(tmp_path, suite) -> None:
    results = ci_results(tmp_path / "results.json", suite)
    with pytest.raises(Classroom50Error, match="must not get into a public bundle"):
        write_result(results, tmp_path / "result.json", who())
    assert not (tmp_path / "result.json").exists()


def test_extra_credit_is_left_out_and_our_fault_is_no_result(tmp_path) -> None:
    out = tmp_path / "result.json"
    results = ci_results(tmp_path / "results.json")
    assert write_result(results, out, who(), ["week1.linear"]) == (6, 6)
    out.unlink()
    with pytest.raises(Classroom50Error, match="by our fault"):
        write_result(ci_results(results, relu=Verdict.INFRA), out, who())
    assert not out.exists()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"schema": "nnf/results/v1", "suite": "public"}', '{"schema": "x"}', "[" * 9]
    + [
        json.dumps({"schema": "nnf/results/v1", "suite": "public", "items": items})
        for items in ([1], [{"id": "../x"}], {"a": 1})
    ],
)
def test_what_is_no_result_is_one_sentence(tmp_path, content) -> None:
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(Classroom50Error, match=re.escape(str(tmp_path / "results.json"))) as caught:
        write_result(tmp_path / "results.json", tmp_path / "result.json", who())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "result.json").exists()


def test_whose_it_is_comes_from_options_or_the_runner() -> None:
    assert who(owner="ben").fields["owner"] == "ben"
    assert who().received == datetime.fromisoformat("2026-10-12T19:40:00+00:00")
    for name in ("CLASSROOM", "OWNER", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL"):
        rest = {key: value for key, value in ENVIRONMENT.items() if key != name}
        with pytest.raises(Classroom50Error, match=re.escape(f"${name} says it")):
            identity({}, rest, "2026-10-12T21:40:00+02:00")
    with pytest.raises(Classroom50Error, match="individual, group, team"):
        who(assignment_type="x")
    with pytest.raises(Classroom50Error, match="begins with submit/"):
        who(submission="v1")
    for when in ("", "yesterday", "2026-10-12T21:40:00"):
        with pytest.raises(Classroom50Error, match="with its zone"):
            identity({}, ENVIRONMENT, when)


def test_the_time_is_the_commits_own(tmp_path) -> None:
    assert committed_at(tmp_path) == ""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    when = "2026-10-12T21:40:00+02:00"
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x", "--allow-empty"],
        cwd=tmp_path,
        check=True,
        env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": when},
    )
    assert committed_at(tmp_path) == when
