"""The options that commands about a whole class have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import WEEK

CLASS = (
    "Directory or zip file with one folder or archive per student, or what Canvas, Moodle, "
    "Gradescope or Blackboard handed out."
)
GRADES = Path("grades")
SIMULATED = Path("demo-class")

Submissions = Annotated[Path | None, typer.Option(help=CLASS)]
Section = Annotated[
    str | None, typer.Option(help="Only the students that the roster has in this section.")
]
Out = Annotated[Path, typer.Option(help="Where gradebook and reports are written.")]
OnlyWeek = Annotated[str | None, typer.Option("--week", help=f"{WEEK} This one alone.")]
Jobs = Annotated[int, typer.Option(min=0, help="Processes; 0: one for each processor.")]
Unconfined = Annotated[
    bool, typer.Option(help="Run student code WITHOUT a sandbox. Only for code you trust.")
]
