"""A class's notebooks as students really hand them in: whole ones and every kind of broken one."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from autograder.course import load
from autograder.reference.gaps import render
from autograder.reference.percent_source import notebook_of, text_of

ROOT = Path(__file__).resolve().parent.parent
FILE = "derivations.ipynb"
PARTS = ("linear", "relu", "sigmoid", "tanh", "mse", "cross_entropy")
Notebook = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What one student hands in, and what has to come of it.

    `lost` maps the parts that have no points to the verdict of their checks; `says` is in the
    notices; `file` is the name under which it comes, None where nothing does.
    """

    make: Callable[[], bytes]
    lost: dict[str, str]
    says: str = ""
    file: str | None = FILE


def solved() -> Notebook:
    """Return the solution's notebook as JSON."""
    source = (ROOT / "solutions/week1_backprop/derivations.py").read_text("utf-8")
    points = {item.id: item.points for item in load(ROOT).items()}
    text = render(source, "derivations.py", lambda gap: False)
    return json.loads(text_of(notebook_of(text, "derivations.py", points)))


def code(source: str) -> dict[str, Any]:
    """Return a code cell."""
    empty: dict[str, Any] = {"metadata": {}, "outputs": [], "execution_count": None}
    return {"cell_type": "code", "source": source, **empty}


def where(notebook: Notebook, text: str) -> int:
    """Return the place of the one cell that defines a function."""
    (place,) = (
        number
        for number, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and f"def {text}(" in "".join(cell["source"])
    )
    return place


def source_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def edited(edit: Callable[[Notebook], Any]) -> Callable[[], bytes]:
    """Return what makes the solution's notebook with an edit."""

    def make() -> bytes:
        notebook = solved()
        edit(notebook)
        return json.dumps(notebook).encode()

    return make


def _deleted(notebook: Notebook) -> None:
    del notebook["cells"][where(notebook, "linear_dW")]


def _imports_deleted(notebook: Notebook) -> None:
    (place,) = (
        n for n, cell in enumerate(notebook["cells"]) if source_of(cell) == "import numpy as np"
    )
    del notebook["cells"][place]


def _copied(notebook: Notebook) -> None:
    """The cell is there twice, metadata and all; the first one has a mistake."""
    place = where(notebook, "sigmoid_dx")
    first = copy.deepcopy(notebook["cells"][place])
    first["source"] = source_of(first).replace("(1 - y)", "(1 + y)")
    notebook["cells"].insert(place, first)


def _split(notebook: Notebook) -> None:
    cells, place = notebook["cells"], where(notebook, "tanh_dx")
    head, body = source_of(cells[place]).split("    return")
    cells[place : place + 1] = [code(head.split('"""')[0]), code("    return" + body)]


def _renamed(notebook: Notebook) -> None:
    cell = notebook["cells"][where(notebook, "mse_dp")]
    cell["source"] = source_of(cell).replace("def mse_dp", "def mse_dP")


def _out_of_order(notebook: Notebook) -> None:
    """A helper is defined below its use; everything else stands upside down too."""
    cell = notebook["cells"][where(notebook, "relu_dx")]
    cell["source"] = "def relu_dx(dL_dy, x):\n    return dL_dy * positive(x) * ONE\n"
    notebook["cells"].append(code("def positive(x):\n    return (x > 0) * ONE\n\nONE = 1.0\n"))
    notebook["cells"].reverse()


def _huge_output(notebook: Notebook) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "loss: 0.1234\n" * 4_000_000}
    notebook["cells"][1]["outputs"] = [output]


def _endless(notebook: Notebook) -> None:
    notebook["cells"].insert(1, code("while True:\n    pass\n"))
    notebook["cells"].append(code("raise SystemExit\n"))


def _without_metadata(notebook: Notebook) -> None:
    """As some editors write it: no ids, no metadata, each source one string."""
    for cell in notebook["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}
        cell["source"] = source_of(cell)
    notebook["metadata"] = {"colab": {"provenance": []}}


def _nonsense(notebook: Notebook) -> None:
    for number, cell in enumerate(notebook["cells"]):
        cell["execution_count"] = ["?", -5, "seven", None, 10**30][number % 5]
        cell["id"] = "the same everywhere"
    notebook["cells"] += [None, 7, {"cell_type": "code"}, {"source": {"a": 1}}, {}]
    notebook["nbformat_minor"] = "five"


def _no_code(notebook: Notebook) -> None:
    cell = notebook["cells"][where(notebook, "mse_dp")]
    cell["cell_type"] = "markdown"


def _no_python(notebook: Notebook) -> None:
    cell = notebook["cells"][where(notebook, "relu_dx")]
    cell["source"] = source_of(cell).replace("dL_dy * (x > 0)", "dL_dy * (x > 0")


def _magics(notebook: Notebook) -> None:
    notebook["cells"].insert(0, code("%matplotlib inline\n!pip install numpy\nimport torch\n"))
    notebook["cells"].insert(1, code("%%html\n<b>hello</b>\n"))
    notebook["cells"].append(code("np.array?\nplt.plot([1, 2])\n1 / 0\n"))
    for cell in notebook["cells"]:
        if "def linear_dx" in source_of(cell):
            cell["source"] = "%%time\n" + source_of(cell)


def _version_3() -> bytes:
    notebook = nbformat.reads(json.dumps(solved()), as_version=4)
    return nbformat.writes(nbformat.convert(notebook, 3), version=3).encode()


def _as_module() -> bytes:
    return (ROOT / "tests/styles/compact/week1_backprop/derivations.py").read_bytes()


def _another_style() -> bytes:
    """Notebook of somebody who writes everything otherwise, with plots and prints in between."""
    text = _as_module().decode()
    cells = [code(part) for part in re.split(r"# cell \d+ of .*\n", text)]
    cells.insert(2, code("import matplotlib.pyplot as plt\nplt.plot(linear_dW)\nprint('hi')\n"))
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 0}).encode()


ALL = dict.fromkeys(PARTS, "raised")
NONE = dict.fromkeys(PARTS, "not-attempted")

CASES: dict[str, Case] = {
    "honest": Case(edited(lambda notebook: None), {}),
    "another-style": Case(_another_style, {}),
    "cell-deleted": Case(
        edited(_deleted), {"linear": "not-attempted"}, "does not define linear_dx, linear_dW and"
    ),
    "imports-deleted": Case(edited(_imports_deleted), {}),
    "cell-copied": Case(edited(_copied), {}, "sigmoid_dx is defined in cells"),
    "cell-split": Case(edited(_split), {"tanh": "raised"}, "has to stand whole in one cell"),
    "function-renamed": Case(
        edited(_renamed), {"mse": "not-attempted"}, "no function mse_dp; is mse_dP meant?"
    ),
    "out-of-order": Case(edited(_out_of_order), {}),
    "output-of-50-mb": Case(edited(_huge_output), {}),
    "endless-cell": Case(edited(_endless), {}),
    "nothing": Case(lambda: b"", NONE, "None of the files of week 1 was found", None),
    "version-3": Case(_version_3, {}),
    "without-metadata": Case(edited(_without_metadata), {}),
    "nonsense-in-it": Case(edited(_nonsense), {}),
    "code-as-markdown": Case(edited(_no_code), {"mse": "not-attempted"}, "does not define mse_dp"),
    "cell-no-python": Case(
        edited(_no_python), {"relu": "raised"}, "is not valid Python (line 6: '(' was never closed)"
    ),
    "magics": Case(edited(_magics), {}),
    "truncated": Case(
        lambda: edited(lambda notebook: None)()[:5000], ALL, "it is not a whole notebook"
    ),
    "empty-file": Case(lambda: b" \n", ALL, "derivations.ipynb can't be read: it is empty."),
    "no-notebook": Case(lambda: b"PK\x03\x04\xff\xfe", ALL, "it is not UTF-8 text"),
    "other-json": Case(lambda: b'{"a": 1}', ALL, "it is JSON, but no notebook"),
    "nested": Case(lambda: b"[" * 100_000, ALL, "nested too deeply"),
    "bomb": Case(
        lambda: b'{"cells": [' + b"[],{}," * 8_000_000 + b"0]}", ALL, "too much memory or time"
    ),
    "second-download": Case(edited(lambda notebook: None), {}, file="derivations (1).ipynb"),
    "copy": Case(edited(lambda notebook: None), {}, file="Derivations-Copy1.ipynb"),
    "as-module": Case(_as_module, {}, "derivations.py was taken", "derivations.py"),
}


def write_class(folder: Path, cases: Mapping[str, Case] = CASES) -> None:
    """Write a class into `folder`: one student for each case, named after it."""
    for name, case in cases.items():
        student = folder / name
        student.mkdir(parents=True)
        if case.file:
            (student / case.file).write_bytes(case.make())
