"""A notebook's one source, a Python file in the percent format, as an .ipynb without outputs.

Cells begin with `# %%` (code) or `# %% [markdown]`; whatever options stand behind it become the
cell's metadata. A source is reviewed, linted and changed like any other module; the .ipynb is made
from it, the same one each time.
"""

from __future__ import annotations

import jupytext
import nbformat

PERCENT = "py:percent"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class SourceError(ValueError):
    """A source can't become a notebook. The message gives the file and what to repair."""


def notebook_of(source: str, name: str) -> nbformat.NotebookNode:
    """Return the notebook, format 4.5, that a percent source stands for; `name` is its file's.

    Cells have the ids cell-1, cell-2, ... and no outputs. What stands above the first cell (a
    docstring that says what the source is) stays out. Raises SourceError where there is no cell.
    """
    above, mark, cells = source.partition("# %%")
    if not mark or (above and not above.endswith("\n")):
        raise SourceError(f"{name}: no cell begins with `# %%`")
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    for number, cell in enumerate(jupytext.reads(mark + cells, fmt=PERCENT).cells, start=1):
        markdown = cell.cell_type == "markdown"
        new = nbformat.v4.new_markdown_cell if markdown else nbformat.v4.new_code_cell
        options = {
            key: value for key, value in cell.metadata.items() if not key.startswith("lines_to")
        }
        notebook.cells.append(new(source=cell.source, id=f"cell-{number}", metadata=options))
    nbformat.validate(notebook)
    return notebook


def text_of(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook as the text of its file."""
    return nbformat.writes(notebook) + "\n"
