"""`autograder class init`: writing the workflow that grades a class into a private repository."""

from __future__ import annotations

from pathlib import Path

from autograder.errors import OutputError
from autograder.integrations.github.roster_file import HEADER
from autograder.text.files import write_text

TEMPLATE = "autograder/integrations/github/workflow_files/grade-class.yml"
WORKFLOW = ".github/workflows/grade-class.yml"
ROSTER = "roster.csv"


class WorkflowError(OutputError):
    """Something else is in the way; nothing was written."""


def install(root: Path, target: Path) -> list[Path]:
    """Write the workflow, and an empty roster where there is none, into the repository `target`.

    Returns the paths of the files written. Raises WorkflowError for a folder that is no repository,
    and where another workflow of that name exists.
    """
    if not (target / ".git").exists():
        raise WorkflowError(f"{target} is not the top of a git repository.")
    text = (root / TEMPLATE).read_text("utf-8")
    workflow, roster = target / WORKFLOW, target / ROSTER
    if workflow.exists() and workflow.read_text("utf-8") != text:
        raise WorkflowError(f"{workflow} is there already, and differs. Move it away first.")
    contents = {workflow: text, roster: ",".join(HEADER) + "\n"}
    written = [path for path in contents if not path.exists()]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, contents[path])
    return written
