"""`autograder grade`: all that a class handed in, or a simulated class."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from autograder.commands.class_options import (
    GRADES,
    SIMULATED,
    Jobs,
    OnlyWeek,
    Out,
    Section,
    Submissions,
    Unconfined,
)
from autograder.commands.instructors import ending_when_terminated, number_of, when_stopped
from autograder.commands.shared import ROOT

GIVEN_UP = (
    "What is being examined is given up, which takes a few seconds; then the reports are written "
    "with what is finished."
)


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(grade)


def grade(
    submissions: Submissions = None,
    out: Out = GRADES,
    week: OnlyWeek = None,
    jobs: Jobs = 0,
    unconfined: Unconfined = False,
    manual: Annotated[
        Path | None,
        typer.Option(help="CSV with marks given by hand (student,item,points,comment)."),
    ] = None,
    overrides: Annotated[
        Path | None,
        typer.Option(help="CSV with what a person changes (student,item,points,reason[,author])."),
    ] = None,
    handed_in: Annotated[
        Path | None,
        typer.Option(help="CSV that says when each handed in (student,received,commit)."),
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(help="CSV of the class: id,name,email,section,group,lms ids,aliases."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say what would run, why and how long; write nothing."),
    ] = False,
    student: Annotated[
        list[str] | None, typer.Option(help="Grade this student; may be repeated.")
    ] = None,
    section: Section = None,
    only: Annotated[
        str | None,
        typer.Option(help="infra: grade what has a failure of ours in its last results."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Grade on the nodes of this Dask scheduler: tls://host:8786."),
    ] = None,
    insecure_network: Annotated[
        bool,
        typer.Option(
            "--insecure-network",
            help="Use a scheduler without TLS: whoever reaches it may run programs on the nodes.",
        ),
    ] = False,
    here: Annotated[
        bool, typer.Option("--here", help="Grade on this machine, whatever [cluster] says.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            help="Grade what was handed in or changed since: 2026-10-12T21:40:00+02:00, or a date."
        ),
    ] = None,
) -> None:
    """Grade all that a class handed in, or some: --student, --section, --only, --since combine.

    The reports always cover the whole class. Without --submissions, write a simulated class of 12
    and grade that. With --scheduler, or a table [cluster] in assignments/grading.toml, the nodes of
    a cluster examine it.
    """
    from autograder.author.simulate.small_class import simulate
    from autograder.commands.instructors import demand_folder
    from autograder.grading.choice import choice_of
    from autograder.grading.class_run import grade_submissions
    from autograder.grading.cluster.opening import nodes_of
    from autograder.integrations.formgrader.marks import collect_marks, demand_marks

    goes_on = "What was finished is kept; the same command goes on from there."
    with when_stopped(goes_on, GIVEN_UP), ending_when_terminated(), ExitStack() as stack:
        number = number_of(week)
        choice = choice_of(ROOT, student or (), only, since, section)
        cluster = None if here else nodes_of(ROOT, scheduler, insecure_network)
        demand_marks(ROOT, out)
        if not dry_run:
            demand_folder(out)
        folder = submissions or SIMULATED
        if submissions is None:
            if dry_run:
                place = stack.enter_context(TemporaryDirectory(prefix="autograder-"))
                folder = Path(place) / "class"
            simulate(ROOT, folder, number, kept=not dry_run)
        grade_submissions(
            ROOT,
            folder,
            out,
            week=number,
            jobs=jobs or os.cpu_count() or 1,
            unconfined=unconfined,
            manual=manual,
            overrides=overrides,
            handed_in=handed_in,
            roster=roster,
            own_code=submissions is None,
            dry_run=dry_run,
            collect_marks=collect_marks,
            choice=choice,
            cluster=cluster,
        )
