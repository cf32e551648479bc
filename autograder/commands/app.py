"""The commands, thin: read the options, call the module that does it, print what it says.

Modules are imported inside the commands, so that a command loads only what it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.commands import students
from autograder.commands.classroom import class_app
from autograder.commands.export import gradescope_app
from autograder.commands.shared import export_app
from autograder.course import Week

ROOT = Path(__file__).resolve().parents[2]
SIMULATED = Path("demo-class")
app = typer.Typer(
    help="The autograder of Neural Network Foundations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(class_app, name="class")
app.add_typer(export_app, name="export")
app.add_typer(gradescope_app, name="gradescope")

CLASS = (
    "Directory or zip file with one folder or archive per student, or what Canvas, Moodle, "
    "Gradescope or Blackboard handed out."
)
Submissions = Annotated[Path | None, typer.Option(help=CLASS)]
Out = Annotated[Path, typer.Option(help="Where gradebook and reports are written.")]
WEEK = 'Number of the week, or "project".'
WeekName = Annotated[str, typer.Option("--week", help=WEEK)]
OnlyWeek = Annotated[str | None, typer.Option("--week", help=f"{WEEK} This one alone.")]
Jobs = Annotated[int, typer.Option(min=0, help="Processes; 0: one for each processor.")]


def main() -> None:
    """Run the command line; known errors are one line and exit status 2, never a traceback."""
    students.facts = facts_of
    try:
        app()
    except students.KNOWN_ERRORS as error:
        fail(str(error))


def facts_of(week: Week) -> Mapping[str, Any]:
    """Return what the students' tree is shipped with of a week."""
    from autograder import course as courses
    from autograder.grading.public_suite import shipped_facts

    return shipped_facts(ROOT, courses.load(ROOT), week)


def number_of(week: str | None) -> int | None:
    """Return the number of the week that an option names. Raises CourseError where none is."""
    from autograder import course as courses

    return None if week is None else courses.load(ROOT).week_called(week).number


def fail(message: str, status: int = 2) -> None:
    """Print an error and end the program."""
    print(f"autograder: {message}", file=sys.stderr)
    raise SystemExit(status)


@app.command()
def grade(
    submissions: Submissions = None,
    out: Out = Path("grades"),
    week: OnlyWeek = None,
    jobs: Jobs = 0,
    unconfined: Annotated[
        bool, typer.Option(help="Run student code WITHOUT a sandbox. Only for code you trust.")
    ] = False,
    manual: Annotated[
        Path | None,
        typer.Option(help="CSV with marks given by hand (student,item,points,comment)."),
    ] = None,
    handed_in: Annotated[
        Path | None,
        typer.Option(help="CSV that says when each handed in (student,received,commit)."),
    ] = None,
) -> None:
    """Grade all that a class handed in.

    Without --submissions, write a simulated class of 12 and grade that.
    """
    from autograder.commands import grade as grade_command

    try:
        options = grade_command.Options(
            root=ROOT,
            submissions=submissions,
            out=out,
            week=number_of(week),
            jobs=jobs or os.cpu_count() or 1,
            unconfined=unconfined,
            manual=manual,
            simulated=SIMULATED,
            handed_in=handed_in,
        )
        grade_command.run(options)
    except grade_command.KNOWN_ERRORS as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped. What was finished is kept; the same command goes on from there.", 130)


@app.command()
def formgrader(
    submissions: Submissions = None,
    out: Out = Path("grades"),
    week: OnlyWeek = None,
    port: Annotated[int, typer.Option(min=0, help="Of the page; 0: any free one.")] = 8765,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    collect: Annotated[
        bool, typer.Option("--collect", help="Only take over what was marked.")
    ] = False,
    serve: Annotated[
        bool, typer.Option(help="Open the page; otherwise the course is only prepared.")
    ] = True,
) -> None:
    """Mark what a class wrote in notebooks, in nbgrader's formgrader, and take the marks over."""
    from autograder.integrations.formgrader import command as formgrader_command

    try:
        number = number_of(week)
        formgrader_command.run(
            formgrader_command.Options(
                ROOT, submissions, out, port, browser, number, collect, serve
            )
        )
    except formgrader_command.KNOWN_ERRORS as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped. Marks that were given are kept; the same command takes them over.", 130)


@app.command()
def gpu(
    submissions: Annotated[Path, typer.Option(help=CLASS)],
    out: Out = Path("grades"),
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Other than the course's: a trial.")
    ] = None,
    jobs_per_gpu: Annotated[int, typer.Option(min=1, help="Jobs at once on each GPU.")] = 1,
    device: Annotated[
        str | None, typer.Option(help="cuda, or cpu for a trial. Without it: cuda.")
    ] = None,
    subset: Annotated[
        int | None, typer.Option(min=16, help="So many images only: a trial.")
    ] = None,
    unconfined: Annotated[
        bool, typer.Option(help="Run student code WITHOUT a sandbox. Only for code you trust.")
    ] = False,
) -> None:
    """Train the class's final projects on the GPUs, and measure them.

    --device cpu --epochs 1 --subset 512 tries everything out on any machine, for no points.
    """
    from autograder.commands import gpu as gpu_command

    if device not in (None, gpu_command.CUDA, gpu_command.CPU):
        fail(f"--device is cuda or cpu, not {device!r}.")
    options = gpu_command.Options(
        root=ROOT,
        submissions=submissions,
        out=out,
        epochs=epochs,
        jobs_per_gpu=jobs_per_gpu,
        device=device,
        subset=subset,
        unconfined=unconfined,
    )
    try:
        gpu_command.run(options)
    except gpu_command.KNOWN_ERRORS as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped. Each job goes on from its last checkpoint with the same command.", 130)


students.add_to(app)


@app.command()
def stubs() -> None:
    """Write the students' stubs anew from the solutions."""
    from autograder.reference import gaps as generator

    try:
        changed = generator.write_stubs(ROOT)
    except generator.KNOWN_ERRORS as error:
        fail(str(error))
    for path in changed:
        print(f"written: {path.relative_to(ROOT)}")
    if not changed:
        print("The stubs are up to date.")


@app.command()
def release(
    out: Annotated[Path, typer.Option(help="Where the students' tree is written.")],
) -> None:
    """Write the tree that students get, and prove that nothing else is in it."""
    from autograder.author import release as building

    try:
        files = building.build_release(ROOT, out)
    except building.KNOWN_ERRORS as error:
        fail(str(error))
    print(f"{len(files)} files written to {out}; no solution, hidden test or marker is among them.")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the submissions are written.")] = SIMULATED,
    students: Annotated[int, typer.Option(min=1, help="Size of the class.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed gives the same class.")] = 0,
    week: OnlyWeek = None,
) -> None:
    """Write a simulated class: plausible submissions with known mistakes, of all weeks."""
    from autograder import course as courses
    from autograder.author.simulate import class_folder as simulate

    try:
        course = courses.load(ROOT)
        simulate.write_class(course, ROOT, out, students, seed, only=number_of(week))
    except simulate.KNOWN_ERRORS as error:
        fail(str(error))
    manifest = simulate.manifest_path(out.resolve())
    print(f"{students} submissions in {out}; what was planted: {manifest}")


@app.command()
def notebooks(
    out: Annotated[Path, typer.Option(help="The folder for the notebooks.")],
    execute: Annotated[
        bool, typer.Option("--execute", help="Run them first: pictures inside, and HTML pages.")
    ] = False,
) -> None:
    """Write the notebooks of analyses, one for each week."""
    from autograder.author import analyses

    try:
        for path in analyses.write_all(ROOT, out, execute):
            print(f"written: {path}")
    except analyses.KNOWN_ERRORS as error:
        fail(str(error))


@app.command()
def doctor() -> None:
    """Say which rung of confinement this machine gives, and what a better one needs.

    The exit status is 1 where hidden suites would refuse to run.
    """
    from autograder.sandbox import doctor as examination

    if not examination.run():
        raise SystemExit(1)


# Grading on push.

hooks = typer.Typer(help="Grade what students push to a git server of your own.")
app.add_typer(hooks, name="hook", no_args_is_help=True)

Repositories = Annotated[
    list[Path], typer.Argument(help="Bare repositories (ada.git), or a folder of them.")
]
SPOOL = "Folder between hooks and a service that another user runs. Without it: OUT/push."
SpoolFolder = Annotated[Path | None, typer.Option("--spool", help=SPOOL)]


@hooks.command()
def install(
    repositories: Repositories,
    out: Out = Path("grades"),
    student: Annotated[
        str | None, typer.Option(help="Whose it is. Without it: by the repository's name.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option(help="The branch that counts. Without it: that of HEAD.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help="Gradings a day; 0: no limit. Without it: the course's."),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=1, help="Seconds after which a terminal is let go.")
    ] = 60,
    jobs: Jobs = 0,
    spool: SpoolFolder = None,
) -> None:
    """Have pushes to bare repositories graded, and answered in the pusher's terminal."""
    from autograder.integrations.push import commands, install

    try:
        here = spool or out / "push"
        settings = install.Settings(
            ROOT, None if spool else out.resolve(), here.resolve(), branch, limit, wait, jobs
        )
        for line in commands.install_all(repositories, student, settings):
            print(line)
    except commands.KNOWN_ERRORS as error:
        fail(str(error))


@hooks.command()
def remove(repositories: Repositories) -> None:
    """Take the hook out of repositories; a hook that was there before comes back."""
    from autograder.integrations.push import commands, install

    try:
        for path in install.repositories(repositories):
            print(install.remove(path))
    except commands.KNOWN_ERRORS as error:
        fail(str(error))


@hooks.command()
def status(out: Out = Path("grades"), spool: SpoolFolder = None) -> None:
    """Say what is queued and running, and how many gradings each student has had today."""
    from autograder.integrations.push import commands

    try:
        for line in commands.status(ROOT, out, spool):
            print(line)
    except commands.KNOWN_ERRORS as error:
        fail(str(error))


@hooks.command()
def serve(
    out: Out = Path("grades"),
    spool: SpoolFolder = None,
    jobs: Jobs = 0,
    now: Annotated[
        bool,
        typer.Option("--now", help="Grade all that waits, for another day too, and end."),
    ] = False,
) -> None:
    """Grade what is pushed, until stopped. Hooks start such a service by themselves."""
    from autograder.integrations.push import commands

    try:
        commands.serve(ROOT, out, spool, jobs or os.cpu_count() or 1, now=now)
    except commands.KNOWN_ERRORS as error:
        fail(str(error))
