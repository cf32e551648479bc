"""Notebooks (.ipynb, without outputs) made from Python files in the percent format.

Cells begin with `# %%` (code) or `# %% [markdown]`; options behind it become the cell's metadata.
The source is reviewed, linted and changed like any other module; the same source always gives the
same .ipynb.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from autograder.course import Notebook
from autograder.errors import AuthorError
from autograder.notebooks.cells import Cell
from autograder.notebooks.functions import extract_functions

if TYPE_CHECKING:
    import nbformat

PERCENT = "py:percent"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class SourceError(AuthorError):
    """A source can't become a notebook. The message gives the file and what to repair."""


def notebook_of(
    source: str, name: str, points: Mapping[str, int] | None = None
) -> nbformat.NotebookNode:
    """Return the notebook, format 4.5, of a percent source; errors call the source `name`.

    Cells have the ids cell-1, cell-2, ... and no outputs. Text above the first cell (the source's
    docstring) is left out. A cell with the option item="week1.mse" is the answer to that item: it
    gets nbgrader's metadata with the item's `points`, in hundredths. Raises SourceError where there
    is no cell, and for an item that isn't in `points`.
    """
    import nbformat  # takes seconds to load, and most runs have no notebook to make

    points = points or {}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    for number, cell in enumerate(percent_cells(source, name), start=1):
        markdown = cell.cell_type == "markdown"
        new = nbformat.v4.new_markdown_cell if markdown else nbformat.v4.new_code_cell
        options = {
            key: value for key, value in cell.metadata.items() if not key.startswith("lines_to")
        }
        if item := options.pop("item", None):
            if item not in points:
                raise SourceError(f"{name}: cell {number} answers {item!r}, which is no item")
            options["nbgrader"] = answer_cell(item, points[item])
        notebook.cells.append(new(source=cell.source, id=f"cell-{number}", metadata=options))
    nbformat.validate(notebook)
    return notebook


def percent_cells(source: str, name: str) -> list[nbformat.NotebookNode]:
    """Return the cells of a percent source. Raises SourceError where there are none."""
    import jupytext

    above, marker, cells = source.partition("# %%")
    if not marker or (above and not above.endswith("\n")):
        raise SourceError(f"{name}: no cell begins with `# %%`")
    return jupytext.reads(marker + cells, fmt=PERCENT).cells


def code_cells(source: str, name: str) -> dict[int, str]:
    """Return the code cells of a percent source, by their numbers from 1 on.

    They are those of `percent_cells`, read without the packages for notebooks, which take seconds
    to load. Raises SourceError where there are no cells.
    """
    _, *parts = re.split(r"(?m)^# %%(.*)\n", source)
    if not parts:
        raise SourceError(f"{name}: no cell begins with `# %%`")
    cells = enumerate(zip(parts[::2], parts[1::2], strict=True), start=1)
    return {
        number: text.strip("\n")
        for number, (options, text) in cells
        if not options.strip().startswith("[markdown]")
    }


def solution_module(source: str, notebook: Notebook) -> str:
    """Return the module of a notebook's percent source, made as for a student's notebook."""
    cells = code_cells(source, notebook.module).items()
    numbered = [Cell(number, "code", text) for number, text in cells]
    return extract_functions(numbered, notebook.functions, notebook.file).source


def grade_id(item: str) -> str:
    """Return nbgrader's id of the cell that answers an item; its ids hold no dots."""
    return item.replace(".", "-")


def answer_cell(item: str, points: int) -> dict[str, object]:
    """Return nbgrader's metadata, schema 3, of a cell that students fill in and that is graded."""
    return {
        "grade": True,
        "grade_id": grade_id(item),
        "locked": False,
        "points": points / 100,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }


def text_of(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook as the text of its file."""
    import nbformat

    return nbformat.writes(notebook) + "\n"
