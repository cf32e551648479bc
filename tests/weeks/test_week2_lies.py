"""Engines that lie instead of computing gain no point of week 2 from the hidden suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import course as courses
from autograder.grading.examiner import solution_files
from autograder.records import Verdict
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEK = COURSE.week(2)

EVERYTHING = """
    def _same(self, *args, **kwargs): return self._answer()
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _same
    __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __getitem__ = _same
    relu = exp = log = tanh = sigmoid = sum = mean = max = reshape = transpose = _same
    backward = zero_grad = lambda self, *args, **kwargs: None
    __eq__ = __ge__ = __le__ = lambda self, other: True
    __hash__ = lambda self: 0
    __array_ufunc__ = None
    _prev, _op, requires_grad, shape, T = (), "", True, (), property(lambda self: self)
"""

LIES = {
    # The result of an operator is a plain number: with the test's own numbers it would be right.
    "numbers instead of objects": f"""
import numpy as np

class Value(float):
{EVERYTHING}
    data = grad = property(lambda self: float(self))
    def _answer(self): return float.__add__(self, 0.0)
    def __add__(self, other): return float.__add__(self, other)
    def __mul__(self, other): return float.__mul__(self, other)
    __radd__, __rmul__ = __add__, __mul__
""",
    # Everything is one object, whose numbers are zero.
    "zeros everywhere": f"""
import numpy as np

class Value:
{EVERYTHING}
    data = grad = 0.0
    def __init__(self, *args, **kwargs): pass
    def _answer(self): return self
""",
    # Its numbers equal, exceed and approximate every other.
    "numbers that equal everything": f"""
import numpy as np

class Agreeing(np.ndarray):
    __eq__ = __le__ = __lt__ = lambda self, other: np.True_
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(self.shape)

class Value:
{EVERYTHING}
    def __init__(self, data, *args, **kwargs):
        self.data = self.grad = np.asarray(data, dtype=float).view(Agreeing)
    def _answer(self): return self
""",
    # NaN, which compares with nothing, in data and gradient.
    "not a number": f"""
import numpy as np

class Value:
{EVERYTHING}
    def __init__(self, data, *args, **kwargs):
        self.data = self.grad = np.full(np.shape(data), np.nan)
    def _answer(self): return self
""",
}
REST = """
Tensor = Value

class no_grad:
    open_blocks = 0
    def __enter__(self): return self
    def __exit__(self, *error): return True

def accumulate(operand, contribution): pass
"""


@pytest.fixture(scope="module")
def session():
    made = GradedSession(ROOT / "assignments" / WEEK.folder / "hidden", COURSE.salt)
    yield made
    made.close()


@pytest.mark.parametrize("lie", LIES)
def test_an_engine_that_lies_gets_no_item_full_but_what_needs_no_engine(session, lie):
    files = {**solution_files(ROOT, WEEK), "autograd.py": (LIES[lie] + REST).encode()}
    untrained = [check for check in session.plan if check.item != "week2.accuracy"]
    outcomes = session.run(LocalHost(files), only={check.id for check in untrained})
    verdicts: dict[str, list[Verdict]] = {}
    for check, outcome in zip(untrained, outcomes, strict=True):
        verdicts.setdefault(check.item, []).append(outcome.result.verdict)
    assert Verdict.INFRA not in {verdict for found in verdicts.values() for verdict in found}
    for item, found in verdicts.items():
        share = found.count(Verdict.PASS) / len(found)
        if item == "week2.draw_graph":  # the reference's, nearly always on nodes of the tests' own
            assert share > 0.9
        else:  # the reference's layers are tried on tensors of the tests' own, too
            assert share <= (0.3 if item == "week2.layers" else 0.1), (item, share)
