"""The commands that students have too: check, ci, hand-in, export classroom50."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.commands.shared import ROOT, WeekName, export_app

facts: Any = None
"""A public_run.Facts; set where the whole repository is."""


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(check)
    app.command()(ci)
    app.command("hand-in")(hand_in)
    export_app.command()(classroom50)


def check(
    week: WeekName = "1",
    hint: Annotated[
        str | None,
        typer.Option(help="Show the hints for this task so far; a number may follow: relu:2."),
    ] = None,
    more: Annotated[bool, typer.Option("--more", help="With --hint: one hint more.")] = False,
) -> None:
    """Run the public tests on your own files, where they are."""
    from autograder import course as courses
    from autograder.students import check as checking
    from autograder.students import hints

    course = courses.load(ROOT)
    if hint is not None:
        hints.run(ROOT, course, week, hint, more=more)
        return
    checking.run(ROOT, course.week_called(week).number, facts)


def ci(
    week: Annotated[
        list[str] | None,
        typer.Option(help='Number of a week, or "project"; may be repeated. Default: all begun.'),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of the public tests' points to reach.")
    ] = 100,
    out: Annotated[Path, typer.Option(help="Where the files for programs are written.")] = Path(
        "ci-results"
    ),
    needs: Annotated[
        bool, typer.Option("--needs", help="Print what scripts/setup.sh has to install; no more.")
    ] = False,
) -> None:
    """Run the public tests of all weeks that have been begun, for a CI system.

    Writes junit.xml, results.json and gl-code-quality-report.json; on GitHub also a summary and
    annotations. The exit status is 1 where the threshold is not reached, 2 for an error.
    """
    from autograder.students.ci import command

    if needs:
        print(command.needs(ROOT, facts))
    elif not command.run(ROOT, weeks=week or (), threshold=threshold, out=out, make=facts):
        raise SystemExit(1)


def hand_in(
    week: WeekName = "1",
    out: Annotated[Path | None, typer.Option(help="The archive. Default: week<N>.zip.")] = None,
) -> None:
    """Put your files of a week into one archive, and say what is missing in it."""
    from autograder.students import hand_in as handing_in

    handing_in.run(ROOT, week, out)


def classroom50(
    results: Annotated[Path, typer.Option(help="results.json of `autograder ci`.")] = Path(
        "ci-results/results.json"
    ),
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("result.json"),
    when: Annotated[
        str | None, typer.Option("--datetime", help="When it was committed. Default: ask git.")
    ] = None,
    classroom: str | None = None,
    assignment: str | None = None,
    assignment_type: str | None = None,
    owner: str | None = None,
    submission: str | None = None,
    commit: str | None = None,
    release: str | None = None,
    review: str | None = None,
) -> None:
    """Write Classroom 50's result.json, by the public tests.

    Without the options, $CLASSROOM, $ASSIGNMENT, $OWNER, $SUBMISSION_TAG, $COMMIT_URL, $RELEASE_URL
    and $REVIEW_URL are taken.
    """
    from autograder.course import load
    from autograder.students import classroom50 as writing

    given = {
        "classroom": classroom,
        "assignment": assignment,
        "assignment_type": assignment_type,
        "owner": owner,
        "submission": submission,
        "commit": commit,
        "release": release,
        "review": review,
    }
    who = writing.identity(given, os.environ, when or writing.committed_at(Path.cwd()))
    extra = [item.id for part in load(ROOT).components if part.extra for item in part.items]
    score, most = writing.write_result(results, out, who, extra)
    print(f"{out}: {score} of {most}, by the public tests alone.")
