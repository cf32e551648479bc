"""`autograder export ...` and `autograder gradescope ...`: results for other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.commands.class_options import GRADES, Section
from autograder.commands.instructors import number_of
from autograder.commands.shared import ROOT, WEEK, export_app
from autograder.errors import InputError

gradescope_app = typer.Typer(
    help="Grade where Gradescope runs it.", no_args_is_help=True, pretty_exceptions_enable=False
)

VISIBILITY = "When students see the tests: visible, after_due_date, after_published or hidden."
LATE = "Take the course's rule for late work off the score. Gradescope has a rule of its own."
Week = Annotated[str | None, typer.Option("--week", help=WEEK)]
Seen = Annotated[str, typer.Option("--visibility", help=VISIBILITY)]
Late = Annotated[bool, typer.Option("--late", help=LATE)]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line; `export` is there already."""
    app.add_typer(gradescope_app, name="gradescope")


def visibility_of(name: str) -> Any:
    """Return the setting of that name. Raises InputError where there is none."""
    from autograder.integrations.gradescope.results import Visibility

    if name not in list(Visibility):
        raise InputError(f"--visibility is one of {', '.join(Visibility)}, not {name!r}.")
    return Visibility(name)


@export_app.command("gradescope-zip")
def gradescope_zip(
    out: Annotated[Path, typer.Option(help="The zip file to write.")] = Path("autograder.zip"),
    week: Week = None,
    visibility: Seen = "visible",
    late: Late = False,
) -> None:
    """Build the zip file of a Gradescope autograder."""
    from autograder.course import load
    from autograder.grading.setting import KNOWN_INPUTS, SHIPPED_SALT
    from autograder.integrations.gradescope.upload import write_zip

    files = write_zip(ROOT, out, number_of(week), visibility_of(visibility), late)
    if load(ROOT).salt == SHIPPED_SALT:
        print(KNOWN_INPUTS)
    print(f"{out}: {len(files)} files. It holds the hidden tests and the solutions.")


Grades = Annotated[Path, typer.Option(help="The folder that `grade` wrote.")]
Template = Annotated[Path, typer.Option(help="The file as the system exported it.")]
Filled = Annotated[Path | None, typer.Option(help="Default: TEMPLATE with .filled before .csv.")]
PART = "What goes in: total, a week's number or id, or a phase's or component's id of the rubric."
PENDING = "Of students some of whose points are to come: leave the cell, or so-far."
NOT_TAKEN = "Of students whose submission could not be taken: leave the cell, or zero."
NotTakenName = Annotated[str, typer.Option("--not-taken", help=NOT_TAKEN)]
PendingName = Annotated[str, typer.Option("--pending", help=PENDING)]


@export_app.command("csv")
def csv_files(grades: Grades = GRADES, section: Section = None) -> None:
    """Write gradebook.csv and all that `grade` writes once more.

    With --section, that section's CSV files into GRADES/sections/SECTION.
    """
    from autograder.integrations.gradebooks.lms_files import export_csv, export_section

    written = export_section(ROOT, grades, section) if section else export_csv(ROOT, grades)
    for path in written:
        print(f"Written: {path}")


@export_app.command()
def canvas(
    template: Template,
    assignment: Annotated[
        list[str], typer.Option(help='Column to fill, "Name (123)" or "Name"; may be repeated.')
    ],
    part: Annotated[
        list[str] | None, typer.Option(help=f"{PART} One for each --assignment. Default: total.")
    ] = None,
    grades: Grades = GRADES,
    out: Filled = None,
    pending: PendingName = "leave",
    section: Section = None,
    not_taken: NotTakenName = "leave",
) -> None:
    """Fill points into a gradebook exported by Canvas.

    Each column gets the total, a phase, a week or a component, scaled to its Points Possible. All
    other cells stay byte for byte. Import the written file in Canvas (Grades, Import).
    """
    from autograder.integrations.gradebooks.lms_files import export_canvas

    parts = part or ["total"]
    if len(parts) != len(assignment):
        raise InputError(
            f"{len(assignment)} --assignment and {len(parts)} --part: say one for each."
        )
    columns = list(zip(assignment, parts, strict=True))
    _export(export_canvas, grades, template, out, pending, columns, section, not_taken)


@export_app.command()
def moodle(
    template: Template,
    part: Annotated[str, typer.Option(help=PART)] = "total",
    column: Annotated[
        str | None, typer.Option(help="Column to fill, where TEMPLATE is a whole gradebook.")
    ] = None,
    out_of: Annotated[
        str | None, typer.Option(help="What that column takes at most; points are scaled to it.")
    ] = None,
    grades: Grades = GRADES,
    out: Filled = None,
    pending: PendingName = "leave",
    section: Section = None,
    not_taken: NotTakenName = "leave",
) -> None:
    """Fill grades and comments into a file exported by Moodle.

    TEMPLATE is an assignment's grading worksheet, or the course's gradebook as a plain text file.
    """
    from autograder.integrations.gradebooks.lms_files import export_moodle

    _export(export_moodle, grades, template, out, pending, part, column, out_of, section, not_taken)


def _export(export: Any, grades: Path, template: Path, out: Path | None, *wanted: Any) -> None:
    """Fill a file, and say what was filled in and who is left."""
    target = out or template.with_name(f"{template.stem}.filled{template.suffix}")
    filled = export(ROOT, grades, template, target, *wanted)
    for remark in filled.remarks:
        print(remark)
    for name, students in filled.columns.items():
        print(f"{name}: points of {len(students)} student(s) filled in.")
    print(f"Written: {target}")


@export_app.command()
def junit(grades: Grades = GRADES, section: Section = None) -> None:
    """Write each student's checks as JUnit XML, for CI systems."""
    from autograder.integrations.gradebooks.lms_files import export_junit

    count = export_junit(ROOT, grades, section)
    print(f"{count} files: {grades}/students/*/junit.xml")


@gradescope_app.command("run")
def gradescope_run(
    base: Annotated[Path, typer.Option(help="The folder of Gradescope's.")] = Path("/autograder"),
    week: Week = None,
    visibility: Seen = "visible",
    late: Late = False,
) -> None:
    """Grade BASE/submission and write BASE/results/results.json. Gradescope runs this."""
    from autograder.integrations.gradescope.run import run

    chosen = visibility_of(visibility)
    run(ROOT, base, week=number_of(week), visibility=chosen, late=late)


@gradescope_app.command("prove")
def gradescope_prove() -> None:
    """Prove the weeks that are here, before any submission is. setup.sh runs this."""
    from autograder.integrations.gradescope.run import prove

    prove(ROOT)
