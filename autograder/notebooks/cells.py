"""The cells of a handed-in notebook, read from hostile bytes; nothing is run, outputs are dropped.

Pictures are read only for a person who marks (see pictures.py).

Formats 2 to 4 are read, with the irregularities that occur in practice: cells without metadata,
lists of lines or one string, nonsensical counters. A file of more than a few megabytes, which is
nearly all pictures, is parsed in a process of its own with limits, since a JSON text of 50 MB can
take gigabytes of memory.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder.errors import InputError
from autograder.notebooks.pictures import Picture, PictureCollector
from autograder.text.display import one_line

MAX_NOTEBOOK_BYTES = 60 * 1024 * 1024
MAX_BYTES_IN_PROCESS = 2 * 1024 * 1024
"""Larger notebooks are parsed in a process of their own."""
MAX_CELLS = 2_000
MAX_CHARACTERS = 1024 * 1024
"""Maximum number of characters of all cells together, without outputs."""
MAX_PARSE_SECONDS = 20
MAX_PARSE_BYTES = 1024**3
PICTURES_OPTION = "--pictures"


class NotebookError(InputError):
    """What was handed in can't be read as a notebook; the message says why, for the student."""


@dataclass(frozen=True)
class Cell:
    """One cell: its number from 1 on, "code" or "markdown", its text, and nbgrader's id for it.

    `pictures` is filled only on request; `left_out` counts pictures that can't be shown.
    """

    number: int
    kind: str
    source: str
    grade_id: str | None = None
    pictures: tuple[Picture, ...] = ()
    left_out: int = 0


def read_cells(content: bytes, *, pictures: bool = False) -> list[Cell]:
    """Return the cells of a notebook's file in their order, with their pictures if asked.

    Raises NotebookError where it is no notebook, is damaged or goes beyond the limits.
    """
    if not content.strip():
        raise NotebookError("it is empty")
    if len(content) > MAX_NOTEBOOK_BYTES:
        limit = MAX_NOTEBOOK_BYTES // 1024**2
        raise NotebookError(f"it is larger than {limit} MB; clear its outputs and save it again")
    if len(content) > MAX_BYTES_IN_PROCESS:
        return _parse_in_process(content, pictures)
    return _parse(content, pictures)


def _parse(content: bytes, pictures: bool) -> list[Cell]:
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NotebookError("it is not UTF-8 text, so it is no notebook") from error
    except RecursionError as error:
        raise NotebookError("it is nested too deeply to be a notebook") from error
    except ValueError as error:
        detail = one_line(str(error), 80)
        raise NotebookError(f"it is not a whole notebook ({detail}); save it again") from error
    collector = PictureCollector() if pictures else None
    raw_cells = enumerate(_raw_cells(notebook), start=1)
    cells = [_cell(number, raw, collector) for number, raw in raw_cells]
    if len(cells) > MAX_CELLS:
        raise NotebookError(f"it has more than {MAX_CELLS} cells")
    if sum(len(cell.source) for cell in cells) > MAX_CHARACTERS:
        raise NotebookError(f"its cells hold more than {MAX_CHARACTERS // 1024} KB of text")
    return cells


def _raw_cells(notebook: Any) -> list[Any]:
    """Return the list of cells as parsed; formats up to 3 have it in worksheets."""
    if isinstance(notebook, dict):
        cells = notebook.get("cells")
        if isinstance(cells, list):
            return cells
        sheets = notebook.get("worksheets")
        if isinstance(sheets, list):
            lists = (sheet.get("cells") for sheet in sheets if isinstance(sheet, dict))
            return [cell for cells in lists if isinstance(cells, list) for cell in cells]
    raise NotebookError("it is JSON, but no notebook: it has no list of cells")


def _cell(number: int, raw: Any, collector: PictureCollector | None) -> Cell:
    raw = raw if isinstance(raw, dict) else {}
    kind = raw.get("cell_type")
    text = raw.get("source", raw.get("input", ""))  # format 3 calls a code cell's text its input
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    source = text if isinstance(text, str) else ""
    source = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    metadata = raw.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return Cell(
        number,
        "code" if kind == "code" else "markdown",
        source,
        grade_id if isinstance(grade_id, str) else None,
        *(collector.collect(raw) if collector else ((), 0)),
    )


def _parse_in_process(content: bytes, pictures: bool) -> list[Cell]:
    """Parse in a process with limited time and memory."""
    command = [sys.executable, "-P", "-m", "autograder.notebooks.cells"]
    command += [PICTURES_OPTION] if pictures else []
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=2 * MAX_PARSE_SECONDS,
            check=False,
            cwd=Path(__file__).resolve().parents[2],
            env={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode:
        raise NotebookError("it takes too much memory or time to read; clear its outputs")
    answer = json.loads(done.stdout)
    if isinstance(answer, str):
        raise NotebookError(answer)
    return [
        Cell(**cell | {"pictures": tuple(Picture(**fields) for fields in cell["pictures"])})
        for cell in answer
    ]


def main() -> None:
    """Read a notebook from standard input; print its cells, or an error message, as JSON.

    With the argument PICTURES_OPTION, print its pictures too.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MAX_PARSE_BYTES, MAX_PARSE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_PARSE_SECONDS, MAX_PARSE_SECONDS))
    try:
        answer: Any = [
            asdict(cell) for cell in _parse(sys.stdin.buffer.read(), PICTURES_OPTION in sys.argv)
        ]
    except NotebookError as error:
        answer = str(error)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
