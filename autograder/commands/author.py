"""The commands of the course's authors: stubs, release, a simulated class, notebooks, handouts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from autograder.commands import students
from autograder.commands.class_options import SIMULATED, OnlyWeek
from autograder.commands.instructors import number_of
from autograder.commands.shared import ROOT
from autograder.course import Week, load


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line; this is the whole repository."""
    students.facts = facts_of
    for command in (stubs, release, demo, notebooks, handouts):
        app.command()(command)


def facts_of(week: Week) -> Mapping[str, Any]:
    """Return what the students' tree is shipped with of a week."""
    from autograder.grading.public_suite import shipped_facts

    return shipped_facts(ROOT, load(ROOT), week)


def stubs() -> None:
    """Write the students' stubs anew from the solutions."""
    from autograder.reference import gaps

    changed = gaps.write_stubs(ROOT)
    for path in changed:
        print(f"written: {path.relative_to(ROOT)}")
    if not changed:
        print("The stubs are up to date.")


def release(
    out: Annotated[Path, typer.Option(help="Where the students' tree is written.")],
    address: Annotated[
        str, typer.Option(help="Where students will get it, for Colab: a .zip or a git repository.")
    ] = "",
) -> None:
    """Write the tree that students get, and prove that nothing else is in it."""
    from autograder import course as courses
    from autograder.author.release import build_release

    files = build_release(ROOT, out, address)
    print(f"{len(files)} files written to {out}; no solution, hidden test or marker is among them.")
    first, *later = (phase for phase in courses.load(ROOT).phases if phase.items)
    if later:
        print(
            f"What {later[0].title} gives its students holds parts that {first.title} asks for. "
            f'While {first.title} runs, hand that out alone: phases = ["{first.id}"] below '
            f"[course] in {courses.COURSE_FILE}."
        )


def demo(
    out: Annotated[Path, typer.Option(help="Where the submissions are written.")] = SIMULATED,
    students: Annotated[int, typer.Option(min=1, help="Size of the class.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed gives the same class.")] = 0,
    week: OnlyWeek = None,
) -> None:
    """Write a simulated class: plausible submissions with known mistakes, of phase 1."""
    from autograder import course as courses
    from autograder.author.simulate.class_folder import manifest_path, write_class

    write_class(courses.load(ROOT), ROOT, out, students, seed, only=number_of(week))
    manifest = manifest_path(out.resolve())
    print(f"{students} submissions in {out}; what was planted: {manifest}")


def notebooks(
    out: Annotated[Path, typer.Option(help="The folder for the notebooks.")],
    execute: Annotated[
        bool, typer.Option("--execute", help="Run them first: pictures inside, and HTML pages.")
    ] = False,
) -> None:
    """Write the notebooks of analyses, one for each week."""
    from autograder.author import analyses

    for path in analyses.write_all(ROOT, out, execute):
        print(f"written: {path}")


def handouts(
    out: Annotated[Path, typer.Option(help="The folder for the pages.")],
) -> None:
    """Write the handouts as HTML pages, each complete in itself: pictures, formulas, no scripts."""
    from autograder.author import handout_pages

    for path in handout_pages.write_all(ROOT, out):
        print(f"written: {path}")
