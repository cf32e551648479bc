"""The cells of a notebook that a student handed in: hostile bytes, never run, outputs dropped.

Only a person who marks sees pictures (see pictures.py); whoever else reads cells gets none.

Formats 2 to 4 are read, and what people really hand in: cells without metadata, lists of lines or
one string, counters that are nonsense. A file of more than a few megabytes, which is nearly all
pictures, is parsed in a process of its own with limits, since a JSON text of 50 MB can ask for
gigabytes.
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
from autograder.notebooks.pictures import Collector, Picture
from autograder.text.display import one_line

MAX_NOTEBOOK_BYTES = 60 * 1024 * 1024
PARSED_HERE = 2 * 1024 * 1024
MAX_CELLS = 2_000
MAX_TEXT = 1024 * 1024
"""Characters of all cells together, without outputs."""
PARSE_SECONDS = 20
PARSE_BYTES = 1024**3
PICTURES = "--pictures"


class NotebookError(InputError):
    """What was handed in can't be read as a notebook; the message says why, for the student."""


@dataclass(frozen=True)
class Cell:
    """One cell: its place from 1 on, "code" or "markdown", its text, and nbgrader's id for it.

    `pictures` are there where they were asked for; `left_out` counts those that can't be shown.
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
    if len(content) > PARSED_HERE:
        return _read_apart(content, pictures)
    return _parse(content, pictures)


def _parse(content: bytes, pictures: bool) -> list[Cell]:
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NotebookError("it is not UTF-8 text, so it is no notebook") from error
    except RecursionError as error:
        raise NotebookError("it is nested too deeply to be a notebook") from error
    except ValueError as damage:
        said = one_line(str(damage), 80)
        raise NotebookError(f"it is not a whole notebook ({said}); save it again") from damage
    collector = Collector() if pictures else None
    raw_cells = enumerate(_raw_cells(notebook), start=1)
    cells = [_cell(number, raw, collector) for number, raw in raw_cells]
    if len(cells) > MAX_CELLS:
        raise NotebookError(f"it has more than {MAX_CELLS} cells")
    if sum(len(cell.source) for cell in cells) > MAX_TEXT:
        raise NotebookError(f"its cells hold more than {MAX_TEXT // 1024} KB of text")
    return cells


def _raw_cells(notebook: Any) -> list[Any]:
    """Return what stands in the list of cells; format 3 and older have it in worksheets."""
    if isinstance(notebook, dict):
        cells = notebook.get("cells")
        if isinstance(cells, list):
            return cells
        sheets = notebook.get("worksheets")
        if isinstance(sheets, list):
            lists = (sheet.get("cells") for sheet in sheets if isinstance(sheet, dict))
            return [cell for found in lists if isinstance(found, list) for cell in found]
    raise NotebookError("it is JSON, but no notebook: it has no list of cells")


def _cell(number: int, raw: Any, collector: Collector | None) -> Cell:
    raw = raw if isinstance(raw, dict) else {}
    kind = raw.get("cell_type")
    text = raw.get("source", raw.get("input", ""))  # format 3 calls a code cell's text its input
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    source = text if isinstance(text, str) else ""
    source = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    metadata = raw.get("metadata")
    ours = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = ours.get("grade_id") if isinstance(ours, dict) else None
    return Cell(
        number,
        "code" if kind == "code" else "markdown",
        source,
        grade_id if isinstance(grade_id, str) else None,
        *(collector.of(raw) if collector else ((), 0)),
    )


def _read_apart(content: bytes, pictures: bool) -> list[Cell]:
    """Parse in a process whose time and memory are limited."""
    command = [sys.executable, "-P", "-m", "autograder.notebooks.cells"]
    command += [PICTURES] if pictures else []
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=2 * PARSE_SECONDS,
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
        Cell(**cell | {"pictures": tuple(Picture(**one) for one in cell["pictures"])})
        for cell in answer
    ]


def main() -> None:
    """Read a notebook from standard input; print its cells, or why there are none, as JSON.

    With the argument PICTURES, its pictures too.
    """
    resource.setrlimit(resource.RLIMIT_AS, (PARSE_BYTES, PARSE_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PARSE_SECONDS, PARSE_SECONDS))
    try:
        answer: Any = [
            asdict(cell) for cell in _parse(sys.stdin.buffer.read(), PICTURES in sys.argv)
        ]
    except NotebookError as error:
        answer = str(error)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
