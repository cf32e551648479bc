"""`autograder ci`: selection of weeks, runs, and output in all formats for CI systems."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from autograder import course as courses
from autograder.course import Course, Week
from autograder.errors import CantRunError
from autograder.results.junit import junit_xml
from autograder.results.results_json import results_json
from autograder.students.check import print_run
from autograder.students.ci.github import step_summary, workflow_commands
from autograder.students.ci.gitlab import FILE as CODE_QUALITY
from autograder.students.ci.gitlab import code_quality
from autograder.students.ci.outcome import CiOutcome, outcome
from autograder.students.public_run import (
    Facts,
    Files,
    Shipped,
    has_begun,
    read_files,
    read_shipped,
    run_public,
)
from autograder.students.screen import Screen
from autograder.text.display import one_line
from autograder.text.files import write_bytes, write_text

JUNIT, RESULTS = "junit.xml", "results.json"
REPOSITORY = ("GITHUB_REPOSITORY", "CI_PROJECT_PATH")
COMMIT = ("GITHUB_SHA", "CI_COMMIT_SHA")
CHECKOUT = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
GITHUB, SUMMARY = "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"


class CiError(CantRunError):
    """The public tests could not be run, or their outcome could not be written."""


@dataclass(frozen=True)
class _Chosen:
    week: Week
    files: Files
    shipped: Shipped


def run(
    root: Path,
    *,
    weeks: Sequence[str] = (),
    threshold: float = 100,
    out: Path,
    environment: Mapping[str, str] = os.environ,
    make: Facts | None = None,
) -> bool:
    """Run the public suites and write everything; return whether the threshold is reached.

    weeks: names of weeks; none: all that have been begun.
    threshold: the share of the public tests' points, in percent, that makes the run a success.
    out: the folder for the files that programs read.
    make: computes tests/diagnosis.json's content where that file does not exist.

    Raises CiError where a week can't be run here, where nothing could be run by our own fault, and
    where a file can't be written.
    """
    course = courses.load(root)
    chosen, not_begun = _choose(course, root, weeks, make)
    for one in chosen:
        _demand_packages(one.week)
    runs = [run_public(root, course, c.week, c.files, c.shipped) for c in chosen]
    base = Path(_first(environment, CHECKOUT) or root).resolve()
    found = outcome(course, runs, not_begun, threshold, root.resolve(), base)
    try:
        _write(found, out, environment)
    except OSError as error:
        problem = f"{error.filename or out} can't be written: {error.strerror}"
        raise CiError(f"{problem}. Name another folder with --out.") from error
    _print(found, environment)
    if found.our_fault and not found.points[1]:
        raise CiError("no test could be run, which is our fault. Run it again, or ask.")
    return found.passed


def needs(root: Path, make: Facts | None = None) -> str:
    """Return what has to be installed for the weeks that have been begun: "core" or "torch"."""
    chosen, _ = _choose(courses.load(root), root, (), make)
    return "torch" if any(one.week.packages for one in chosen) else "core"


def _choose(
    course: Course, root: Path, weeks: Sequence[str], make: Facts | None
) -> tuple[list[_Chosen], list[str]]:
    """Return the weeks to run, and the names of weeks that consist of stubs only."""
    asked = {course.week_called(name).number for name in weeks}
    chosen, not_begun = [], []
    for week in course.weeks:
        if asked and week.number not in asked:
            continue
        files = read_files(root, week)
        shipped = read_shipped(root, week, make)
        if asked or has_begun(files, shipped):
            chosen.append(_Chosen(week, files, shipped))
        else:
            not_begun.append(week.name)
    return chosen, not_begun


def _demand_packages(week: Week) -> None:
    missing = [name for name in week.packages if not _is_installed(name)]
    if missing:
        problem = f"{week.name} needs {', '.join(missing)}, which is not installed here"
        raise CiError(f"{problem}: run `python check.py setup torch` first.")


def _is_installed(distribution: str) -> bool:
    try:
        return bool(metadata.version(distribution))
    except metadata.PackageNotFoundError:
        return False


def _write(found: CiOutcome, out: Path, environment: Mapping[str, str]) -> None:
    """Write the files for programs, and the summary where the runner asks for one."""
    student = one_line(_first(environment, REPOSITORY) or "local")
    report = found.report(student, _first(environment, COMMIT))
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / JUNIT, junit_xml(report, found.not_run))
    write_text(out / RESULTS, results_json(report, _more(found)))
    remarks = [remark for week in found.weeks for remark in week.remarks]
    write_text(out / CODE_QUALITY, code_quality(remarks))
    if environment.get(SUMMARY):
        # Other steps may have written to it, so it is added to, in one piece.
        with open(environment[SUMMARY], "ab", buffering=0) as summary:
            summary.write(step_summary(found).encode())


def _more(found: CiOutcome) -> dict[str, object]:
    points, most = found.points
    return {
        "suite": "public",
        "hidden_tests_not_run": found.hidden_tests,
        "not_begun": list(found.not_begun),
        "public": {
            "points": points / 100,
            "max_points": most / 100,
            "percent": round(found.percent, 2),
            "threshold": found.threshold,
            "passed": found.passed,
        },
    }


def _print(found: CiOutcome, environment: Mapping[str, str]) -> None:
    """Print what a person reads, and on GitHub the annotations."""
    screen = Screen()
    for week in found.weeks:
        print_run(screen, week.run)
        screen.line()
    if found.not_begun:
        screen.line(f"Not begun: {', '.join(found.not_begun)}.")
    screen.line(found.summary(), "bold")
    if environment.get(GITHUB) == "true":
        remarks = [remark for week in found.weeks for remark in week.remarks]
        for line in workflow_commands(remarks):
            print(line)
    sys.stdout.flush()


def _first(environment: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)
