"""Functions are taken out of cells whole, with what they need and nothing else."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from autograder.notebooks.cells import Cell
from autograder.notebooks.functions import NotebookModule, extract_functions

DOUBLE = "def double(x):\n    return 2 * x\n"


def taken(*cells: str) -> NotebookModule:
    """Return the module that code cells make of which `double` is asked."""
    numbered = [Cell(number, "code", text) for number, text in enumerate(cells, start=1)]
    return extract_functions(numbered, {"double": "week1.double"}, "derivations.ipynb")


def call(module: NotebookModule, *arguments: Any) -> Any:
    """Run a module made of cells of ours, and its function `double`."""
    names: dict[str, Any] = {}
    exec(module.source, names)
    return names["double"](*arguments)


PYTHON_LIKE_MAGICS = {
    "a question in a docstring": 'def double(x):\n    """Twice?\n\n    Yes."""\n    return 2 * x\n',
    "an exclamation in a docstring": 'def double(x):\n    """\n    !\n    """\n    return 2 * x\n',
    "a remainder on its own line": "def double(x):\n    return (2 * x\n        % 1000)\n",
    "a question in a comment": "def double(x):\n    # why two?\n    return 2 * x\n",
}


@pytest.mark.parametrize("name", PYTHON_LIKE_MAGICS)
def test_python_that_looks_like_a_magic_stays_as_it_is(name):
    module = taken(PYTHON_LIKE_MAGICS[name])
    assert PYTHON_LIKE_MAGICS[name].strip() in module.source
    assert not module.notices
    assert call(module, 21) == 42


@pytest.mark.parametrize(
    "line",
    [
        "%matplotlib inline",
        "%timeit double(1)",
        "!ls",
        "files = !ls",
        "out, rest = %who",
        "?double",
        "double?",
        "double??",
        "np.zeros?",
    ],
)
def test_a_line_for_ipython_is_left_out(line):
    module = taken(f"{line}\n{DOUBLE}")
    assert not module.notices
    assert line not in module.source
    assert call(module, 21) == 42


def test_a_mistake_beside_a_magic_is_named_by_its_own_line():
    module = taken("%time\n\ndef double(x):\n    return (2 * x\n")
    (notice,) = module.notices
    assert "cell 1 is not valid Python (line 4: '(' was never closed)" in notice
    with pytest.raises(SyntaxError, match=r"cell 1 of derivations\.ipynb .* line 4"):
        call(module, 1)


def test_of_an_import_of_several_only_what_is_needed_is_taken():
    cell = "import math, no_such_library_for_plots as plt\n"
    module = taken(cell, "def double(x):\n    return math.prod([2, x])\n")
    assert "no_such_library" not in module.source
    assert call(module, 21) == 42


def test_a_name_that_is_deleted_is_there_all_the_same():
    module = taken("TWO = 2\n\ndef double(x):\n    return TWO * x\n", "del TWO, double\n")
    assert call(module, 21) == 42


def test_what_a_function_needs_comes_along_and_nothing_else():
    module = taken(
        "import math\nprint('here')\nFACTOR = twice(1)\nOTHER = 1 / 0\n",
        "def twice(x):\n    return x + x\n",
        "def double(x, by=2):\n    return helper(x) * by\n",
        "while True:\n    pass\n",
        "def helper(x):\n    return x * float(ONE)\n\nONE = '1'\n",
    )
    bound = {getattr(node, "name", None) for node in ast.parse(module.source).body}
    assert bound == {"double", "helper", None}
    for left_out in ("print", "OTHER", "FACTOR", "twice", "while", "math"):
        assert left_out not in module.source
    assert [line for line in module.source.splitlines() if line.startswith("#")] == [
        "# cell 3 of derivations.ipynb",
        "# cell 5 of derivations.ipynb",
    ]
    assert call(module, 21) == 42


def test_a_function_without_a_cell_is_as_the_stub_left_it():
    module = taken("import math\n")
    assert module.notices == (
        "derivations.ipynb does not define double: the cell was deleted, renamed or is no code.",
    )
    with pytest.raises(NotImplementedError, match=r"week1\.double: fill in double"):
        call(module, 1)
