"""The analyses: notebooks written from notebooks/analyses/*.py, and run from top to bottom.

The notebooks run without confinement, on the solutions or on the caller's own code; submissions are
never run this way.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from autograder.errors import AuthorError
from autograder.reference.percent_source import KERNEL, notebook_of, text_of
from autograder.text.files import write_text

FOLDER = Path("notebooks/analyses")
WORKBENCH = "workbench.py"
CELL_SECONDS = 300


class AnalysisError(AuthorError):
    """A notebook can't be made or does not run through. The message names it and the cell."""


def sources(root: Path, left_out: Collection[str] = ()) -> list[Path]:
    """Return the notebooks' sources, in the order of the weeks but without those `left_out`."""
    found = sorted((root / FOLDER).glob("week*.py"))
    return [path for path in found if path.stem.partition("_")[0] not in left_out]


def notebook_from(source: Path) -> nbformat.NotebookNode:
    """Return a source as a notebook without outputs. Raises SourceError where it is none."""
    return notebook_of(source.read_text("utf-8"), source.name)


def write_all(root: Path, out: Path, execute: bool = False) -> list[Path]:
    """Write all notebooks, and what they share, into the folder `out`; return their paths.

    With `execute` they are run first, and an HTML page of each, pictures inside, stands beside
    it. Other files in `out` stay. Raises AnalysisError or SourceError; nothing is written then.
    """
    texts: dict[str, str] = {WORKBENCH: (root / FOLDER / WORKBENCH).read_text("utf-8")}
    for source in sources(root):
        notebook = notebook_from(source)
        if execute:
            run(notebook, source.stem, root / FOLDER)
            texts[f"{source.stem}.html"] = page_of(notebook)
        texts[f"{source.stem}.ipynb"] = text_of(notebook)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_text(out / name, text)
    return [out / name for name in sorted(texts) if name != WORKBENCH]


def run(notebook: nbformat.NotebookNode, name: str, folder: Path) -> None:
    """Run a notebook's cells in a process of their own, in `folder`; outputs come into it.

    Raises:
        AnalysisError: if a cell raises, takes longer than CELL_SECONDS, or takes its process down.
            The message names the notebook, the cell (counted from 1) and what happened.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    reached = [0]
    with tempfile.TemporaryDirectory(prefix="kernel") as private, _plain_environment():
        # Sockets in a private folder, instead of ports that all users of the machine can reach.
        connection = Config(KernelManager={"transport": "ipc", "ip": f"{private}/ipc"})
        client = NotebookClient(
            notebook,
            config=connection,
            kernel_name=KERNEL["name"],
            timeout=CELL_SECONDS,
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=lambda cell, cell_index: reached.append(cell_index + 1),
        )
        try:
            client.execute()
        except CellExecutionError as error:
            what = " ".join(f"{error.ename}: {error.evalue}".split())
            raise AnalysisError(f"{name}, cell {reached[-1]}: {what}") from None
        except CellTimeoutError:
            raise AnalysisError(
                f"{name}, cell {reached[-1]}: no end after {CELL_SECONDS} seconds"
            ) from None
        except DeadKernelError:
            raise AnalysisError(f"{name}, cell {reached[-1]}: its process has died") from None


@contextmanager
def _plain_environment() -> Iterator[None]:
    """Unset MPLBACKEND meanwhile, so that figures are drawn into the notebook."""
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        yield
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


def page_of(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook with its outputs as one HTML page; formulas need a network to be set."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_notebook_node(notebook)
    return page
