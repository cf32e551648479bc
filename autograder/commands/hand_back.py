"""`autograder export files`, and feedback for where students are: LMS, mail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import GRADES, OnlyWeek
from autograder.commands.instructors import number_of
from autograder.commands.shared import ROOT, export_app
from autograder.text.display import one_line

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
        list[Path] | None,
        typer.Option(help="Where documents are; may be repeated. Default: where they were graded."),
    ] = None,
) -> None:
    """Write every student's files as they were graded, as OUT/student/week/file."""
    from autograder.integrations.graded_files import export_files

    done = export_files(ROOT, grades, out, number_of(week), submissions or ())
    _say(done.remarks)
    print(f"{done.files} files of {done.submissions} submissions, as student/week/file.")
    print(f"Written: {out}")


def _handed_back(written: Path, done: object, what: str) -> None:
    """Say who got a letter, and who is left."""
    from autograder.integrations.handing_back.letters import HandedBack

    assert isinstance(done, HandedBack)
    _say(done.remarks)
    waiting = sum("still to come" in letter.line for letter in done.letters.values())
    more = f", of whom {waiting} have points still to come" if waiting else ""
    print(f"Feedback of {len(done.letters)} student(s){more}. {what}")
    print(f"Written: {written}")


@export_app.command("moodle-feedback")
def moodle_feedback(
    submissions: Annotated[
        Path | None, typer.Option(help="What Moodle handed out of this assignment.")
    ] = None,
    worksheet: Annotated[
        Path | None, typer.Option(help="Or the assignment's grading worksheet.")
    ] = None,
    grades: Grades = GRADES,
    out: Annotated[Path, typer.Option(help="The zip file.")] = Path("moodle_feedback.zip"),
) -> None:
    """Put everybody's feedback into a zip file for Moodle's feedback files.

    Upload it in Moodle, at the assignment: 'Upload multiple feedback files in a zip'.
    """
    from autograder.course import load
    from autograder.gradebook.people import known_people
    from autograder.integrations.handing_back.letters import letters_of
    from autograder.integrations.handing_back.moodle_zip import moodle_zip

    course = load(ROOT)
    letters, known = letters_of(course, grades), known_people(grades, course.weeks)
    content, done = moodle_zip(course, letters, worksheet, submissions, known)
    _write(out, content)
    _handed_back(out, done, "Upload it at 'Upload multiple feedback files in a zip'.")


@export_app.command("canvas-feedback")
def canvas_feedback(
    submissions: Annotated[
        Path, typer.Option(help="The submissions of this assignment, as Canvas handed them out.")
    ],
    grades: Grades = GRADES,
    out: Annotated[Path, typer.Option(help="The zip file.")] = Path("canvas_feedback.zip"),
) -> None:
    """Put everybody's feedback into a zip file for Canvas's re-upload of submissions.

    Upload it in Canvas, at the assignment: 'Upload submissions'. Students get a comment with a
    file that has the name of one that they handed in, since Canvas knows files by that name.
    """
    from autograder.course import load
    from autograder.gradebook.people import known_people
    from autograder.integrations.handing_back.canvas_zip import canvas_zip
    from autograder.integrations.handing_back.letters import letters_of

    course = load(ROOT)
    letters, known = letters_of(course, grades), known_people(grades, course.weeks)
    content, done = canvas_zip(course, letters, submissions, known)
    _write(out, content)
    _handed_back(out, done, "Upload it at the assignment, 'Upload submissions'.")


@export_app.command("canvas-comments")
def canvas_comments(
    course: Annotated[int, typer.Option(min=1, help="The course's number in Canvas.")],
    assignment: Annotated[int, typer.Option(min=1, help="The assignment's number in Canvas.")],
    url: Annotated[
        str, typer.Option(envvar="CANVAS_URL", help="Such as https://canvas.school.edu.")
    ],
    grades: Grades = GRADES,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say who would get a comment.")
    ] = False,
) -> None:
    """Comment on everybody's submission in Canvas, with the feedback attached, once.

    The environment's CANVAS_TOKEN holds an access token. What is there already is not sent again;
    who has news gets a new comment.
    """
    from autograder.integrations.handing_back.command import comment_in_canvas

    comment_in_canvas(ROOT, grades, url, course, assignment, dry_run)


@export_app.command("mail")
def mail(
    out: Annotated[Path, typer.Option(help="A new folder for messages and the table.")],
    addresses: Annotated[
        Path | None,
        typer.Option(help="CSV with id, email and name. Else the roster's, or ids that are some."),
    ] = None,
    subject: Annotated[str, typer.Option(help="Of the messages.")] = "Your feedback",
    grades: Grades = GRADES,
) -> None:
    """Write a message for each student, and a table for a mail merge; nothing is sent.

    Mail programs open OUT/messages/STUDENT.eml; OUT/mail_merge.csv has addresses, points and paths.
    """
    from autograder.course import load
    from autograder.integrations.handing_back.letters import letters_of
    from autograder.integrations.handing_back.mail_merge import MESSAGES, TABLE, write_mail

    done = write_mail(letters_of(load(ROOT), grades), addresses, out, subject)
    _handed_back(out / TABLE, done, f"A message for each is in {out / MESSAGES}; nothing was sent.")


def _write(out: Path, content: bytes) -> None:
    from autograder.gradebook.private import PRIVATE
    from autograder.text.files import write_bytes

    write_bytes(out, content, PRIVATE)
