"""The cells of a handed-in notebook, read from hostile bytes; nothing is run, outputs are dropped.

Formats 2 to 4 are read, with the irregularities that occur in practice: cells without metadata,
lists of lines or one string, nonsensical counters. A file of more than a few megabytes, which is
nearly all pictures, is parsed in a process of its own with limits, since a JSON text of 50 MB can
take gigabytes of memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import InputError
from autograder.text.display import one_line

MAX_NOTEBOOK_BYTES = 60 * 1024 * 1024
MAX_BYTES_IN_PROCESS = 2 * 1024 * 1024
"""Larger notebooks are parsed in a process of their own."""
MAX_CELLS = 2_000
MAX_CHARACTERS = 1024 * 1024
"""Maximum number of characters of all cells together, without outputs."""
MAX_PARSE_SECONDS = 20
MAX_PARSE_BYTES = 1024**3
NEEDED = ("SYSTEMROOT",)
"""Variables of the environment without which Python does not start on Windows."""

Values = dict[str, Any]
"""A cell as JSON has it: what stands in a file, or the fields of a `Cell`."""


class NotebookError(InputError):
    """What was handed in can't be read as a notebook; the message says why, for the student."""


@dataclass(frozen=True)
class Cell:
    """One cell: its number from 1 on, "code" or "markdown", its text, and nbgrader's id for it."""

    number: int
    kind: str
    source: str
    grade_id: str | None = None


def read_cells(content: bytes) -> list[Cell]:
    """Return the cells of a notebook's file in their order.

    Raises NotebookError where it is no notebook, is damaged or goes beyond the limits.
    """
    return [Cell(**values) for values in read_values(content, parse, "autograder.notebooks.cells")]


def read_values(
    content: bytes, parse: Callable[[bytes], list[Values]], module: str
) -> list[Values]:
    """Return what `parse` gives for a notebook's file; of a large one in a process of its own.

    That runs `module`, which is to call `answer_with(parse)`. Raises NotebookError.
    """
    if not content.strip():
        raise NotebookError("it is empty")
    if len(content) > MAX_NOTEBOOK_BYTES:
        limit = MAX_NOTEBOOK_BYTES // 1024**2
        raise NotebookError(f"it is larger than {limit} MB; clear its outputs and save it again")
    return (
        _parse_in_process(content, module)
        if len(content) > MAX_BYTES_IN_PROCESS
        else parse(content)
    )


def _nothing(raw: Values) -> Values:
    return {}


def parse(content: bytes, more: Callable[[Values], Values] = _nothing) -> list[Values]:
    """Return the fields of each cell, and those that `more` makes of it. Raises NotebookError."""
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NotebookError("it is not UTF-8 text, so it is no notebook") from error
    except RecursionError as error:
        raise NotebookError("it is nested too deeply to be a notebook") from error
    except ValueError as damage:
        detail = one_line(str(damage), 80)
        raise NotebookError(f"it is not a whole notebook ({detail}); save it again") from damage
    raw_cells = enumerate(_raw_cells(notebook), start=1)
    cells = [_cell(number, raw, more) for number, raw in raw_cells]
    if len(cells) > MAX_CELLS:
        raise NotebookError(f"it has more than {MAX_CELLS} cells")
    if sum(len(cell["source"]) for cell in cells) > MAX_CHARACTERS:
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


def _cell(number: int, raw: Any, more: Callable[[Values], Values]) -> Values:
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
    return {
        "number": number,
        "kind": "code" if kind == "code" else "markdown",
        "source": source,
        "grade_id": grade_id if isinstance(grade_id, str) else None,
        **more(raw),
    }


def _parse_in_process(content: bytes, module: str) -> list[Values]:
    """Parse in a process whose time and memory are limited."""
    # Its processor time is limited in there; a stop of this process costs nobody anything.
    done = subprocess.run(
        [sys.executable, "-P", "-m", module],
        input=content,
        capture_output=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        env={
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "LC_ALL": "C.UTF-8",
            **{name: os.environ[name] for name in NEEDED if name in os.environ},
        },
    )
    if done.returncode:
        raise NotebookError("it takes too much memory or time to read; clear its outputs")
    answer = json.loads(done.stdout)
    if isinstance(answer, str):
        raise NotebookError(answer)
    return answer


def answer_with(parse: Callable[[bytes], list[Values]]) -> None:
    """Read a notebook from standard input; print its cells, or why there are none, as JSON."""
    _limit_this_process()
    try:
        answer: Any = parse(sys.stdin.buffer.read())
    except NotebookError as error:
        answer = str(error)
    print(json.dumps(answer))


def _limit_this_process() -> None:
    """Limit memory and time, where the system has such limits. Graders' systems, Linux, do."""
    try:
        import resource
    except ImportError:
        return  # Windows, where students read their own notebooks
    limits = ((resource.RLIMIT_AS, MAX_PARSE_BYTES), (resource.RLIMIT_CPU, MAX_PARSE_SECONDS))
    for limit, most in limits:
        try:
            resource.setrlimit(limit, (most, most))
        except (ValueError, OSError):
            if sys.platform == "linux":
                raise


if __name__ == "__main__":
    answer_with(parse)
