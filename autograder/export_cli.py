"""The commands of `autograder export` and `autograder gradescope`, thin like those of cli.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

export_app = typer.Typer(
    help="Write results for other systems.", no_args_is_help=True, pretty_exceptions_enable=False
)
gradescope_app = typer.Typer(
    help="Grade where Gradescope runs it.", no_args_is_help=True, pretty_exceptions_enable=False
)

VISIBILITY = "When students see the tests: visible, after_due_date, after_published or hidden."
LATE = "Take the course's rule for late work off the score. Gradescope has a rule of its own."
Week = Annotated[str | None, typer.Option("--week", help='Number of the week, or "project".')]
Seen = Annotated[str, typer.Option("--visibility", help=VISIBILITY)]
Late = Annotated[bool, typer.Option("--late", help=LATE)]


def visibility_of(name: str) -> Any:
    """Return the setting of that name; end the program where there is none."""
    from autograder.cli import fail
    from autograder.export.gradescope_results import Visibility

    if name not in list(Visibility):
        fail(f"--visibility is one of {', '.join(Visibility)}, not {name!r}.")
    return Visibility(name)


@export_app.command("gradescope-zip")
def gradescope_zip(
    out: Annotated[Path, typer.Option(help="The zip file to write.")] = Path("autograder.zip"),
    week: Week = None,
    visibility: Seen = "visible",
    late: Late = False,
) -> None:
    """Build the zip file that is uploaded to Gradescope as the autograder of an assignment."""
    from autograder.cli import ROOT, fail, number_of
    from autograder.course import CourseError, load
    from autograder.export.gradescope_zip import ZipError, write_zip
    from autograder.grade_command import KNOWN_INPUTS, SHIPPED_SALT

    try:
        files = write_zip(ROOT, out, number_of(week), visibility_of(visibility), late)
        if load(ROOT).salt == SHIPPED_SALT:
            print(KNOWN_INPUTS)
    except (CourseError, ZipError) as error:
        fail(str(error))
    print(f"{out}: {len(files)} files. It holds the hidden tests and the solutions.")


@gradescope_app.command("run")
def gradescope_run(
    base: Annotated[Path, typer.Option(help="The folder of Gradescope's.")] = Path("/autograder"),
    week: Week = None,
    visibility: Seen = "visible",
    late: Late = False,
) -> None:
    """Grade BASE/submission and write BASE/results/results.json. Gradescope runs this."""
    from autograder.cli import ROOT, fail, number_of
    from autograder.course import CourseError
    from autograder.export.gradescope_run import Options, run

    try:
        run(Options(ROOT, base, number_of(week), visibility_of(visibility), late))
    except (CourseError, OSError) as error:
        fail(str(error))
