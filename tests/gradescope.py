"""Gradescope's rules for results.json, strictly: what its documentation doesn't name is refused."""

from __future__ import annotations

import json
from typing import Any

VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")
FORMATS = ("text", "html", "simple_format", "md", "ansi")

TOP = {
    "score": "number",
    "execution_time": "number",
    "output": "text",
    "output_format": FORMATS,
    "test_output_format": FORMATS,
    "test_name_format": FORMATS,
    "visibility": VISIBILITY,
    "stdout_visibility": VISIBILITY,
    "extra_data": "object",
    "tests": "list",
    "leaderboard": "list",
}
TEST = {
    "score": "number",
    "max_score": "number",
    "status": ("passed", "failed"),
    "name": "text",
    "name_format": FORMATS,
    "number": "text",
    "output": "text",
    "output_format": FORMATS,
    "tags": "texts",
    "visibility": VISIBILITY,
    "extra_data": "object",
}
ENTRY = {"name": "text", "value": "value", "order": ("asc", "desc")}


def read(content: bytes) -> dict[str, Any]:
    """Read results.json as Gradescope does. Raises AssertionError where it breaks a rule."""
    results = json.loads(content, parse_constant=_refuse)
    _check(results, TOP, "results.json")
    tests = results.get("tests", [])
    for number, test in enumerate(tests):
        _check(test, TEST, f"tests[{number}]")
        if "score" in test:
            assert 0 <= test["score"] <= test.get("max_score", test["score"]), test
    for entry in results.get("leaderboard", []):
        _check(entry, ENTRY, "leaderboard")
        assert {"name", "value"} <= entry.keys()
    assert "score" in results or (tests and all("score" in test for test in tests))
    return results


def shown_score(results: dict[str, Any]) -> float | None:
    """Return the score that the student sees; None where a hidden test hides it."""
    default = results.get("visibility", "visible")
    if any(test.get("visibility", default) != "visible" for test in results.get("tests", ())):
        return None
    return results["score"]


def hundredths(results: dict[str, Any], key: str = "score") -> int:
    """Return the sum of the tests' scores (or max_scores), exactly."""
    return sum(round(100 * test[key]) for test in results["tests"] if key in test)


def _check(found: Any, rules: dict[str, Any], where: str) -> None:
    assert isinstance(found, dict), where
    assert found.keys() <= rules.keys(), f"{where}: {found.keys() - rules.keys()}"
    for key, value in found.items():
        assert _fits(value, rules[key]), f"{where}: {key}: {value!r}"


def _fits(value: Any, rule: Any) -> bool:
    if isinstance(rule, tuple):
        return value in rule
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "number": number,
        "text": isinstance(value, str),
        "value": number or isinstance(value, str),
        "object": isinstance(value, dict),
        "list": isinstance(value, list),
        "texts": isinstance(value, list) and all(isinstance(one, str) for one in value),
    }[rule]


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
