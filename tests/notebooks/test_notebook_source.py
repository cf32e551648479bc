"""Percent sources become notebooks: the same each time, without outputs, valid."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.reference.percent_source import (
    SourceError,
    code_cells,
    notebook_of,
    percent_cells,
    text_of,
)

SOURCE = '''"""What this file is, for readers of the source."""

# %% [markdown]
# # A title
#
# Text with $x^2$.

# %% tags=["given"]
import numpy as np

x = np.arange(3)

# %%
x.sum()
'''


def test_cells_keep_their_kind_text_and_options():
    notebook = notebook_of(SOURCE, "a.py")
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code"]
    assert notebook.cells[0].source == "# A title\n\nText with $x^2$."
    assert notebook.cells[1].source == "import numpy as np\n\nx = np.arange(3)"
    assert notebook.cells[1].metadata == {"tags": ["given"]}
    assert all(cell.get("outputs", []) == [] for cell in notebook.cells)


def test_the_same_source_gives_the_same_bytes():
    first, second = (text_of(notebook_of(SOURCE, "a.py")) for _ in range(2))
    assert first == second
    nbformat.validate(nbformat.reads(first, as_version=4))


def test_a_source_without_a_cell_is_refused():
    with pytest.raises(SourceError, match=r"a\.py: no cell begins with"):
        notebook_of('"""Only a docstring."""\n', "a.py")


SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
SOURCES = [path for path in sorted(SOLUTIONS.glob("*/*.py")) if "\n# %%" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.name)
def test_code_cells_are_those_of_the_notebook(path):
    """Our own way of splitting a source gives what jupytext gives."""
    source = path.read_text("utf-8")
    cells = enumerate(percent_cells(source, path.name), start=1)
    code = {number: cell.source for number, cell in cells if cell.cell_type == "code"}
    assert code_cells(source, path.name) == code != {}
