"""Metadata of a collected test: id, item, title, weight, argument names, and seed."""

from __future__ import annotations

import hashlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import AuthorError
from autograder.records import PlannedCheck

FIXTURES = ("student", "rng", "grade", "settings")
PLAIN = (int, float, str, tuple)


class SuiteError(AuthorError):
    """The suite itself is at fault: it can't be collected, or a test lacks its marker or title."""


def planned(item: pytest.Item) -> PlannedCheck:
    """Read a test's id, item, title and weight. Raises SuiteError when one is missing."""
    arguments(item)
    marker = item.get_closest_marker("item")
    title = (getattr(item.obj, "__doc__", None) or "").strip().partition("\n")[0].strip()  # type: ignore[attr-defined]
    if marker is None or len(marker.args) != 1 or not isinstance(marker.args[0], str):
        problem = f"{item.nodeid} needs one marker pytest.mark.item(...) with an item's id"
        raise SuiteError(problem, 'Write one above it, such as @pytest.mark.item("week1.linear")')
    if not title:
        problem = f"{item.nodeid} needs a docstring: its first line is the check's title"
        raise SuiteError(problem, "Write what is right where the test passes")
    weight = item.get_closest_marker("weight")
    if weight and not (weight.args and isinstance(weight.args[0], int) and weight.args[0] > 0):
        problem = f"{item.nodeid} has a marker pytest.mark.weight(...) without a whole number"
        raise SuiteError(problem, "Give the test's share of its item's points, 1 or more")
    return PlannedCheck(
        id=f"{Path(item.path).stem}::{item.name}",
        item=marker.args[0],
        title=title.rstrip(".") + case_of(item),
        weight=weight.args[0] if weight else 1,
    )


def case_of(item: Any) -> str:
    """Say which case of a parametrized test it is: by its texts and settings, numbers, or id."""
    given = parameters(item).items()
    said = [value for _, value in given if isinstance(value, str)]
    for table in (value for _, value in given if isinstance(value, dict)):
        said += [f"{name} {value}" for name, value in table.items() if type(value) in PLAIN]
    numbers = [f"{name} {value}" for name, value in given if type(value) in PLAIN]
    return f" ({', '.join(said or numbers) or item.callspec.id})" if given else ""


def arguments(item: pytest.Item) -> list[str]:
    """Return the names of a test's arguments. Raises SuiteError for one that no suite provides."""
    if not isinstance(item, pytest.Function):
        raise SuiteError(f"{item.nodeid} is not a test function", "Write it as one")
    names = list(inspect.signature(item.obj).parameters)
    unknown = set(names) - set(FIXTURES) - set(parameters(item))
    if unknown:
        problem = f"{item.nodeid} asks for {', '.join(sorted(unknown))}, which suites don't have"
        raise SuiteError(problem, f"There are these: {', '.join(FIXTURES)}")
    return names


def reason_of(report: str) -> str:
    """Return why pytest could not collect a file, in one line, with the line number if known."""
    errors = [line[1:].strip() for line in report.splitlines() if line.startswith("E ")]
    places = re.findall(r"^(?:E +File \".*\", line |.*\.py:)(\d+)", report, flags=re.MULTILINE)
    why = (errors or report.strip().splitlines() or ["for no known reason"])[-1]
    return f"line {places[-1]}: {why}" if places else why


def parameters(item: pytest.Function) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}


def seed_of(salt: str, check: str, side: str = "") -> int:
    """Return the seed of a check, which depends on the salt and the check's id only.

    The worker gets a different seed: student code can read it and must not learn the inputs.
    """
    return int.from_bytes(hashlib.sha256(f"{salt}|{check}{side}".encode()).digest()[:7], "big")
