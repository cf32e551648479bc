"""Right programs that keep more to themselves than the reference does lose nothing.

A docstring says what may be set from outside. All else may be a property that can only be read, and
code may rest on attributes and methods of its own that no text names.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load
from autograder.reference.misconceptions import solution_files
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
STEP = """            if hasattr(layer, "W"):
                layer.W = layer.W - lr * layer.dL_dW
                layer.b = layer.b - lr * layer.dL_db
"""
OWN_STEP = """            if isinstance(layer, Linear):
                layer.descend(lr)
"""
KEPT = """        self.dL_dW = dL_dy.T @ self._x
        self.dL_db = dL_dy.sum(axis=0)
        return dL_dy @ self.W
"""
OWN_KEPT = """        self._kept = {"W": dL_dy.T @ self._x, "b": dL_dy.sum(axis=0)}
        return dL_dy @ self.W

    @property
    def dL_dW(self):
        return self._kept["W"]

    @property
    def dL_db(self):
        return self._kept["b"]

    def descend(self, lr):
        self.W = self.W - lr * self._kept["W"]
        self.b = self.b - lr * self._kept["b"]
"""
ZEROS = """        self.dL_dW: FloatArray = np.zeros((out_features, in_features))
        self.dL_db: FloatArray = np.zeros(out_features)
"""
READ_ONLY = """

def _layers(self):
    return list(self._layers)


{name}.layers = property(_layers)
"""
GRADIENTS = [
    ("neural_net.py", ZEROS, "        self._kept = {}\n"),
    ("neural_net.py", KEPT, OWN_KEPT),
]
FORMS: dict[str, tuple[int, set[str], list[tuple[str, str, str]], dict[str, str]]] = {
    # The week, the items that are looked at, what is exchanged in which file, what is appended.
    "gradients that may only be read": (
        1,
        {"week1.linear", "week1.mlp", "week1.network", "week1.tools"},
        GRADIENTS,
        {},
    ),
    "steps and norms by the layer's own names": (
        1,
        {"week1.mlp", "week1.network", "week1.tools"},
        [
            *GRADIENTS,
            *((name, STEP, OWN_STEP) for name in ("neural_net.py", "mnist_mlp.py")),
            ("mnist_mlp.py", "layer.dL_dW", 'layer._kept["W"]'),
            ("mnist_mlp.py", "layer.dL_db", 'layer._kept["b"]'),
        ],
        {},
    ),
    "week 1's layers may only be read": (
        1,
        {"week1.mlp", "week1.tools"},
        [("mnist_mlp.py", "self.layers = ", "self._layers = ")],
        {"mnist_mlp.py": "TwoLayerMLP"},
    ),
    "week 2's layers may only be read": (
        2,
        {"week2.network"},
        [("mnist_autograd.py", "self.layers = ", "self._layers = ")],
        {"mnist_autograd.py": "AutogradMLP"},
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_kept_private_costs_nothing(form: str) -> None:
    number, items, changes, read_only = FORMS[form]
    week = COURSE.week(number)
    files = {name: text.decode() for name, text in solution_files(ROOT, week).items()}
    for name, old, new in changes:
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    for name, kind in read_only.items():
        files[name] = files[name].replace(
            "\nif __name__", READ_ONLY.format(name=kind) + "\n\nif __name__"
        )
    session = GradedSession(ROOT / "assignments" / week.folder / "hidden", salt="")
    try:
        only = {check.id for check in session.plan if check.item in items}
        host = LocalHost({name: text.encode() for name, text in files.items()})
        outcomes = session.run(host, only)
    finally:
        session.close()
    assert len(outcomes) > 5
    assert [one.result.message for one in outcomes if one.result.verdict != "pass"] == []
