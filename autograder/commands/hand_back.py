"""`autograder export files`, and feedback for where students are: LMS, mail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import GRADES, OnlyWeek
from autograder.commands.instructors import number_of
from autograder.commands.shared import ROOT, export_app
from autograder.text.display import one_line

FROM = "The class folder or zip file that was graded; may be repeated."
LONGEST = 300

Grades = Annotated[Path, typer.Option(help="The folder that `grade` wrote.")]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line; `export` is there already."""


def _say(remarks: list[str]) -> None:
    for remark in remarks:
        print(one_line(remark, LONGEST))


@export_app.command()
def files(
    out: Annotated[Path, typer.Option(help="A new folder for student/week/file.")],
    grades: Grades = GRADES,
    week: OnlyWeek = None,
    submissions: Annotated[
        list[Path] | None, typer.Option(help=f"{FROM} Needed for documents alone.")
    ] = None,
) -> None:
    """Write every student's files as they were graded, as OUT/student/week/file."""
    from autograder.integrations.graded_files import export_files

    done = export_files(ROOT, grades, out, number_of(week), submissions or ())
    _say(done.remarks)
    print(f"Written: {done.files} files of {done.submissions} submissions, {out}/student/week/file.")
