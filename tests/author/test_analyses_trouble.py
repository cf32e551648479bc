"""The notebooks of analyses where something is missing: gaps, PyTorch, a cell that fails."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.author import analyses
from autograder.author.analyses import AnalysisError
from autograder.reference.percent_source import notebook_of

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {source.stem: source for source in analyses.sources(ROOT)}
WEEK1 = "week1_speed_precision_depth"


def cell_of(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source)


@pytest.mark.parametrize("name", SOURCES)
def test_over_stubs_it_says_what_to_fill_in(name, monkeypatch):
    monkeypatch.setenv("COURSE_MODULES", "assignments")
    notebook = analyses.notebook_from(SOURCES[name])
    with pytest.raises(AnalysisError, match=f"^{name}, cell 3: NotReadyError: It needs gaps"):
        analyses.run(notebook, name, ROOT / analyses.FOLDER)
    (output,) = notebook.cells[2].outputs
    (sentence,) = output.traceback
    assert sentence.startswith("This notebook can't run yet. It needs gaps that are not filled in")
    assert f"Fill them in, run `make check WEEK={name[4]}`" in sentence
    assert f"week{name[4]}." in sentence


def test_week_1_needs_no_pytorch(monkeypatch, tmp_path):
    missing = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    (tmp_path / "torch.py").write_text(missing)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    notebook = analyses.notebook_from(SOURCES[WEEK1])
    first = next(i for i, cell in enumerate(notebook.cells) if "by_batch = {" in cell.source)
    notebook.cells = [*notebook.cells[: first + 1], cell_of("assert list(LIBRARIES) == ['NumPy']")]
    analyses.run(notebook, WEEK1, ROOT / analyses.FOLDER)
    said = [o.text for cell in notebook.cells for o in cell.get("outputs", [])]
    assert any("PyTorch is not installed: part 1 shows NumPy alone" in text for text in said)


TROUBLES = {
    "1 / 0": r"x, cell 3: ZeroDivisionError: division by zero$",
    "import os; os._exit(1)": r"x, cell 3: its process has died$",
    "while True: pass": r"x, cell 3: no end after 1 seconds$",
}


@pytest.mark.prove
@pytest.mark.parametrize("code", TROUBLES)
def test_an_error_names_the_notebook_and_the_cell(code, monkeypatch, tmp_path):
    monkeypatch.setattr(analyses, "CELL_SECONDS", 1)
    source = f"# %% [markdown]\n# Text\n\n# %%\nx = 1\n\n# %%\n{code}\n"
    with pytest.raises(AnalysisError, match=TROUBLES[code]):
        analyses.run(notebook_of(source, "x.py"), "x", tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A root with one small notebook."""
    folder = tmp_path / analyses.FOLDER
    folder.mkdir(parents=True)
    (folder / analyses.WORKBENCH).write_text("ANSWER = 42\n")
    (folder / "week1_small.py").write_text(
        "# %%\nfrom workbench import ANSWER\n\nprint('found', ANSWER)\n"
    )
    return tmp_path


@pytest.mark.prove
def test_notebooks_are_written_without_outputs_or_run(small, tmp_path):
    out = tmp_path / "out"
    assert analyses.write_all(small, out) == [out / "week1_small.ipynb"]
    (cell,) = nbformat.read(out / "week1_small.ipynb", as_version=4).cells
    assert cell.outputs == []
    written = analyses.write_all(small, out, execute=True)
    assert [path.name for path in written] == ["week1_small.html", "week1_small.ipynb"]
    (cell,) = nbformat.read(out / "week1_small.ipynb", as_version=4).cells
    assert cell.outputs[0].text == "found 42\n"
    assert "found 42" in (out / "week1_small.html").read_text()


@pytest.mark.prove
def test_where_one_fails_nothing_is_written(small, tmp_path):
    (small / analyses.FOLDER / "week2_broken.py").write_text("# %%\nraise ValueError('no')\n")
    with pytest.raises(AnalysisError, match=r"^week2_broken, cell 1: ValueError: no$"):
        analyses.write_all(small, tmp_path / "out", execute=True)
    assert not (tmp_path / "out").exists()
