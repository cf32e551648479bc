"""`autograder gpu`: the training job of the final project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.class_options import CLASS, GRADES, Out, Unconfined
from autograder.commands.instructors import when_stopped
from autograder.commands.shared import ROOT


def add_to(app: typer.Typer) -> None:
    """Put these commands into the command line."""
    app.command()(gpu)


def gpu(
    submissions: Annotated[Path, typer.Option(help=CLASS)],
    out: Out = GRADES,
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
    unconfined: Unconfined = False,
) -> None:
    """Train the class's final projects on the GPUs, and measure them.

    --device cpu --epochs 1 --subset 512 tries everything out on any machine, for no points.
    """
    from autograder.commands.instructors import demand_folder
    from autograder.gpu.class_run import train_class

    goes_on = "Each job goes on from its last checkpoint with the same command."
    with when_stopped(goes_on, "The trainings that run are ended; their checkpoints are kept."):
        demand_folder(out)
        train_class(
            ROOT,
            submissions,
            out,
            epochs=epochs,
            jobs_per_gpu=jobs_per_gpu,
            device=device,
            subset=subset,
            unconfined=unconfined,
        )
