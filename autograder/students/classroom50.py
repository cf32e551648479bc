"""results.json of the public suites as Classroom 50's result.json (classroom50/result/v1).

Classroom 50 collects whole points, and anybody can fetch a grading bundle without a login.
Therefore only the public suites' results are written, one entry per item, without tests' messages.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from autograder.course.apportion import apportion
from autograder.errors import OutputError
from autograder.text.files import write_bytes

SCHEMA = "classroom50/result/v1"
READS = "nnf/results/v1"
PUBLIC = "public"
MAX_BYTES = 16 * 1024 * 1024
TYPES = ("individual", "group", "team")

ENVIRONMENT = {
    "classroom": ("CLASSROOM",),
    "assignment": ("ASSIGNMENT",),
    "assignment_type": ("ASSIGNMENT_TYPE",),
    "owner": ("OWNER", "USERNAME"),
    "submission": ("SUBMISSION_TAG",),
    "commit": ("COMMIT_URL",),
    "release": ("RELEASE_URL",),
    "review": ("REVIEW_URL", "COMMIT_URL"),
}
"""Environment variables that Classroom 50's runner sets for an autograder."""

OPTIONAL = {"assignment_type": "individual"}


class Classroom50Error(OutputError):
    """result.json can't be made: what is wrong, and what to do. Nothing was written."""


@dataclass(frozen=True)
class Identity:
    """Whose submission it is, and which: the fields of result.json of these names.

    `received` is when it was committed; never now, or grading again would make it late.
    """

    fields: Mapping[str, str]
    received: datetime


def identity(
    given: Mapping[str, str | None], environment: Mapping[str, str], received: str
) -> Identity:
    """Return what the options say, or else the runner's environment.

    Raises Classroom50Error where a field is missing, or `received` is no time with its zone.
    """
    fields = {}
    for name, variables in ENVIRONMENT.items():
        values = (given.get(name), *(environment.get(variable) for variable in variables))
        fields[name] = next(filter(None, values), OPTIONAL.get(name, ""))
        if not fields[name]:
            option = "--" + name.replace("_", "-")
            problem = f"there is no {name}: neither {option} nor ${variables[0]} says it"
            raise Classroom50Error(f"{problem}.")
    if fields["assignment_type"] not in TYPES:
        raise Classroom50Error(f"the assignment's type is one of {', '.join(TYPES)}.")
    if not fields["submission"].startswith("submit/"):
        raise Classroom50Error("the submission is the name of a tag that begins with submit/.")
    try:
        when = datetime.fromisoformat(received)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise Classroom50Error(
            "--datetime is when it was committed, with its zone, as in 2026-10-12T21:40:00+02:00; "
            "`git log -1 --format=%cI` prints it."
        )
    return Identity(fields, when)


def committed_at(folder: Path) -> str:
    """Return when the newest commit of a repository was made, as git prints it; "" without git."""
    command = ["git", "log", "-1", "--format=%cI"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def write_result(
    results: Path, out: Path, who: Identity, extra: Collection[str] = ()
) -> tuple[int, int]:
    """Write result.json, and return score and max-score.

    `results` is the results.json of `autograder ci`. `extra` are the ids of items that are extra
    credit: no score may be above its most there, so they are left out. Raises Classroom50Error
    where `results` isn't what it should be, holds hidden tests' results, or lacks some by our
    fault, and where something can't be read or written.
    """
    try:
        if results.stat().st_size > MAX_BYTES:
            raise Classroom50Error(f"{results} is larger than {MAX_BYTES >> 20} MB.")
        found = json.loads(results.read_bytes())
    except OSError as error:
        raise Classroom50Error(f"{results} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise Classroom50Error(f"{results} is not valid JSON.") from error
    if not isinstance(found, dict) or found.get("schema") != READS:
        raise Classroom50Error(f"{results} is not a results.json of `autograder ci`.")
    if found.get("suite") != PUBLIC:
        raise Classroom50Error(
            f"{results} holds results of hidden tests, which must not get into a public bundle. "
            "Give the results.json of `autograder ci`."
        )
    result = result_of(_items(found, results, extra), who)
    try:
        write_bytes(out, (json.dumps(result, indent=2) + "\n").encode())
    except OSError as error:
        raise Classroom50Error(f"{out} can't be written: {error.strerror}.") from error
    return result["score"], result["max-score"]


def result_of(items: list[Mapping[str, Any]], who: Identity) -> dict[str, Any]:
    """Return result.json. Only the totals are rounded; the items' whole points add up to them."""
    most = [_hundredths(item["max_points"]) for item in items]
    points = [
        min(_hundredths(item["points"]), high) for item, high in zip(items, most, strict=True)
    ]
    # 0 points stay 0; all points of an item give its maximum where the rounded totals allow it.
    scores = _whole(points, [0] * len(points), [-(-one // 100) for one in points])
    ends = [-(-one // 100) for one in most]
    pinned = [
        score if exact == high else end
        for score, exact, high, end in zip(scores, points, most, ends, strict=True)
    ]
    mosts = _whole(most, scores, pinned if sum(pinned) >= _rounded(most) else ends)
    tests = [
        {
            "test-name": f"{item['id']}: {item['title']}",
            "passed": all(check["verdict"] == "pass" for check in item["checks"]),
            "score": score,
            "max-score": high,
            "points": exact / 100,
            "max-points": exact_most / 100,
        }
        for item, score, high, exact, exact_most in zip(
            items, scores, mosts, points, most, strict=True
        )
    ]
    received = who.received.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "schema": SCHEMA,
        **who.fields,
        "datetime": received,
        "score": sum(scores),
        "max-score": sum(mosts),
        "tests": tests,
    }


def _whole(hundredths: list[int], least: list[int], most: list[int]) -> list[int]:
    """Return whole points that add up to the sum of these, rounded half up once."""
    return apportion(_rounded(hundredths), [Fraction(one, 100) for one in hundredths], least, most)


def _rounded(hundredths: list[int]) -> int:
    return (sum(hundredths) + 50) // 100


def _hundredths(points: float) -> int:
    return math.floor(points * 100 + 0.5)


def _items(found: Mapping[str, Any], path: Path, extra: Collection[str]) -> list[Mapping[str, Any]]:
    """Return the items that public tests look at. Raises Classroom50Error where they are none."""
    items = found.get("items")
    if not isinstance(items, list) or not all(map(_is_item, items)):
        raise Classroom50Error(f"{path} is not a results.json of `autograder ci`: its items.")
    if any(check["verdict"] in (None, "infra") for item in items for check in item["checks"]):
        raise Classroom50Error(f"{path} lacks results of some tests, by our fault. Run it again.")
    return [item for item in items if item["checks"] and item["id"] not in extra]


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("id"), str)
        and re.fullmatch(r"[a-z][a-z0-9_.]*", item["id"]) is not None
        and isinstance(item.get("title"), str)
        and all(_is_points(item.get(key)) for key in ("points", "max_points"))
        and isinstance(item.get("checks"), list)
        and all(isinstance(check, dict) and "verdict" in check for check in item["checks"])
    )


def _is_points(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= 10_000
