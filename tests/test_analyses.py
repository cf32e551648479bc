"""The notebooks of analyses: they run, show their pictures, and what their texts claim holds."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import nbformat
import pytest

from autograder.notebooks import analyses
from autograder.notebooks.analyses import AnalysisError
from autograder.notebooks.source import notebook_of

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {source.stem: source for source in analyses.sources(ROOT)}
DRAWS = ("plt.show()", "draw(", "draw_walk(", "draw_curves(")
SMALLEST_PNG, SMALLEST_WIDTH = 8_000, 500
WEEK1, WEEK2 = "week1_speed_precision_depth", "week2_graphs_and_their_cost"

# What the texts say and no clock decides, as expressions over the notebook's own variables.
CLAIMS = {
    WEEK1: """
np.isinf(errors["naive", "float32", -1][GAPS > 104]).all()
np.isinf(errors["shifted", "float32", -1][GAPS > 104]).all()
np.isinf(errors["naive", "float32", 1][GAPS > 79]).all()
np.isfinite(errors["shifted", "float32", 1]).all()
(errors["log-softmax", "float32", -1] < 1e-6).all()
(errors["log-softmax", "float32", 1][GAPS > 17.5] == 1).all()
(errors["log-softmax", "float64", 1][GAPS > 37.5] == 1).all()
(errors["log1p", "float64", 1] < 1e-15).all() and (errors["log1p", "float64", -1] < 1e-15).all()
np.allclose(curves["your CrossEntropyLoss"], curves["float64"], rtol=1e-5)
set(last) == {"naive", "shifted"} and last["naive"] < last["shifted"]
7 < scales[last["naive"]] * logits.max() / 12 < 88.7 / 12 * 1.1
max(curves["$p + 10^{-12}$"]) < 0.1 * curves["float64"][-1]
np.allclose(factors["ReLU"], fine_gains / np.sqrt(2), rtol=0.05)
all(0.9 < norms["Tanh", g][0] ** (1 / 19) < 1.1 for g in (1.0, float(np.sqrt(2))))
(factors["Sigmoid"] < fine_gains / 4).all() and norms["Sigmoid", 1.0][0] < 1e-11
np.isnan(trained[r"ReLU, $\\sigma = 2$"]).tolist() == [True]
abs(trained[r"ReLU, $\\sigma = 0.5$"][-1] - np.log(10)) < 0.05
abs(trained[r"Sigmoid, $\\sigma = 4$"][-1] - np.log(10)) < 0.05
trained[r"Tanh, $\\sigma = 1$"][-1] < 1 and trained[r"ReLU, $\\sigma = \\sqrt{2}$"][-1] < 1.8
set(thread_times) >= {1}
""",
    WEEK2: """
(a.grad.shape, b.grad.shape) == ((2, 3), ())
abs(small.data - parts["y"].item()) < 1e-12
value_nodes == formula and set(tensor_nodes) == {10}
nodes_of == [n + 1 for n in doublings] and paths_of == [2**n for n in doublings] == slopes
gradients[(3,)].tolist() == [0, 2.5, 7] and gradients[(2, 1)].ravel().tolist() == [6, 3.5]
gradients[()] == 9.5
count(loss) == 13
all(abs(p["w1"].grad) < 0.02 for p, z in zip(neurons, before_tanh) if abs(z) > 3)
""",
}


def cell_of(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source)


def images_of(cell: nbformat.NotebookNode) -> list[bytes]:
    """Return a cell's pictures as bytes: PNG decoded, SVG as text."""
    found = []
    for output in cell.outputs:
        shown = output.get("data", {})
        if "image/png" in shown:
            found.append(base64.b64decode(shown["image/png"]))
        elif "image/svg+xml" in shown:
            found.append(shown["image/svg+xml"].encode())
    return found


def looks_like_a_picture(data: bytes) -> bool:
    """Tell whether a picture is of a size that shows something."""
    if data.startswith(b"\x89PNG"):
        width = int.from_bytes(data[16:20])
        return len(data) > SMALLEST_PNG and width > SMALLEST_WIDTH
    return data.startswith(b"<svg") and data.count(b"<rect") > 3


@pytest.mark.parametrize("name", SOURCES)
def test_it_runs_and_what_it_says_holds(name, monkeypatch):
    monkeypatch.setenv("COURSE_QUICK", "1")
    monkeypatch.delenv("COURSE_MODULES", raising=False)
    notebook = analyses.notebook_from(SOURCES[name])
    claims = CLAIMS[name].strip().splitlines()
    notebook.cells += [cell_of(f"assert {claim.replace(chr(92) * 2, chr(92))}") for claim in claims]
    analyses.run(notebook, name, ROOT / analyses.FOLDER)
    pictures = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        streams = [o.name for o in cell.outputs if o.output_type == "stream"]
        assert "stderr" not in streams, cell.outputs
        found = images_of(cell)
        pictures += len(found)
        assert all(looks_like_a_picture(data) for data in found), cell.source
        drawn = [line for line in cell.source.split("\n") if line.startswith(DRAWS)]
        assert len(found) >= len(drawn), cell.source
    assert pictures >= 5


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


def test_where_one_fails_nothing_is_written(small, tmp_path):
    (small / analyses.FOLDER / "week2_broken.py").write_text("# %%\nraise ValueError('no')\n")
    with pytest.raises(AnalysisError, match=r"^week2_broken, cell 1: ValueError: no$"):
        analyses.write_all(small, tmp_path / "out", execute=True)
    assert not (tmp_path / "out").exists()


def test_no_notebook_with_outputs_is_in_the_repository():
    listing = ["git", "ls-files", "-z", "*.ipynb"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        assert not name.startswith("notebooks/"), "notebooks/ holds sources alone"
        cells = nbformat.read(ROOT / name, as_version=4).cells
        assert not [cell for cell in cells if cell.get("outputs")], name
