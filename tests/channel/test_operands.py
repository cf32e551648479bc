"""Operands compute with objects in the worker; no value ever comes of an object's arithmetic."""

from __future__ import annotations

import operator
from pathlib import Path

import numpy as np
import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.channel.handles import Handle, Operand, operand
from autograder.grading.examiner import sandbox_limits
from autograder.records import Verdict
from autograder.suite import expect
from autograder.suite.hidden.local_host import Local
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.student import Student
from autograder.suite.week_worker import worker_of
from autograder.wire.operators import decode_index, encode_index
from autograder.worker.modules import ModuleSpace

ROOT = Path(__file__).resolve().parents[2]
OWN = worker_of(ROOT, courses.load(ROOT).week(2))
"""The drivers and probes of the week about engines."""

ENGINE = b'''
import numpy as np

class Text:
    """Writes down what was done to it."""
    __array_ufunc__ = None

    def __init__(self, text): self.text = text
    def _two(self, symbol, left, right):
        show = lambda side: side.text if isinstance(side, Text) else repr(np.asarray(side).tolist())
        return Text("(" + show(left) + symbol + show(right) + ")")
    def __add__(self, other): return self._two("+", self, other)
    def __radd__(self, other): return self._two("+", other, self)
    def __sub__(self, other): return self._two("-", self, other)
    def __rsub__(self, other): return self._two("-", other, self)
    def __mul__(self, other): return self._two("*", self, other)
    def __rmul__(self, other): return self._two("*", other, self)
    def __truediv__(self, other): return self._two("/", self, other)
    def __rtruediv__(self, other): return self._two("/", other, self)
    def __pow__(self, other): return self._two("**", self, other)
    def __rpow__(self, other): return self._two("**", other, self)
    def __matmul__(self, other): return self._two("@", self, other)
    def __rmatmul__(self, other): return self._two("@", other, self)
    def __neg__(self): return Text("-" + self.text)
    def __getitem__(self, index): return Text(f"{self.text}[{index!r}]")
    def twice(self): return self + self
    def length(self): return len(self.text)
    @property
    def me(self): return self

class Liar(Text):
    """Gives the expected value, whatever it is asked for."""
    def _two(self, symbol, left, right): return 6.0
    def __neg__(self): return np.ones(3)
    def __getitem__(self, index): return None
'''

BINARY = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "@": operator.matmul,
}
SIDES = {"2.5": 2.5, "3": 3, "[1.0, 2.0]": np.array([1.0, 2.0]), "4.0": np.float64(4.0)}


@pytest.fixture(scope="module")
def local():
    space = ModuleSpace({"engine.py": ENGINE})
    with space.active():
        yield Student(Local(space, 0, OWN.drivers), {})


@pytest.fixture(scope="module")
def confined(confinement, examiner_limits):
    host = SandboxHost(confinement, {"engine.py": ENGINE}, examiner_limits)
    yield host.start(0, own=OWN)
    host.finish(None)
    host.close()


@pytest.fixture(scope="module")
def examiner_limits():
    return sandbox_limits(courses.load(ROOT).week(2).limits)


@pytest.fixture(params=["local", "confined"])
def student(request) -> Student:
    return request.getfixturevalue(request.param)


def text(student: Student, name: str, kind: str = "Text") -> Operand:
    return student.operand(getattr(student.engine, kind)(name))


@pytest.mark.parametrize("symbol", BINARY)
def test_operators_take_operands_in_their_order(student, symbol):
    a, b = text(student, "a"), text(student, "b")
    assert BINARY[symbol](a, b).text == f"(a{symbol}b)"
    assert BINARY[symbol](b, a).text == f"(b{symbol}a)"


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("symbol", BINARY)
def test_operators_take_values_on_either_side(student, symbol, side):
    a = text(student, "a")
    assert BINARY[symbol](a, SIDES[side]).text == f"(a{symbol}{side})"
    assert BINARY[symbol](SIDES[side], a).text == f"({side}{symbol}a)"


def test_a_handle_can_stand_on_either_side_of_an_operand(student):
    a, plain = text(student, "a"), student.engine.Text("plain")
    assert type(plain) is Handle
    assert (a + plain).text == "(a+plain)"
    assert (plain + a).text == "(plain+a)"


def test_negation_calls_and_attributes_give_operands(student):
    a = text(student, "a")
    assert ((-a).twice().me + 1.0).text == "((-a+-a)+1.0)"
    assert a.length() == 1


INDICES = {
    "3": 3,
    "(1, 2)": (1, 2),
    "slice(1, None, 2)": slice(1, None, 2),
    "(slice(None, None, None), None, Ellipsis, 0)": (slice(None), None, Ellipsis, 0),
    "Ellipsis": Ellipsis,
    "None": None,
    "[0, 2]": [0, 2],
}


@pytest.mark.parametrize("written", INDICES)
def test_an_index_arrives_as_it_was_written(student, written):
    assert text(student, "a")[INDICES[written]].text == f"a[{written}]"


def test_arrays_in_an_index_arrive_as_arrays():
    mask = np.array([True, False])
    decoded = decode_index(encode_index((mask, slice(0, 1), np.array([0, 0]))))
    assert decoded[1] == slice(0, 1)
    assert decoded[0].dtype == bool
    assert decoded[2].tolist() == [0, 0]


@pytest.mark.parametrize(
    "use",
    [
        *(lambda a, apply=apply: apply(a, 2.0) for apply in BINARY.values()),
        *(lambda a, apply=apply: apply(np.ones(3), a) for apply in BINARY.values()),
        lambda a: -a,
        lambda a: a[0],
    ],
)
def test_a_value_of_an_objects_own_arithmetic_is_a_wrong_answer(student, use):
    """Otherwise a lying object could compute what a test expects."""
    with pytest.raises(Fault, match=r"gave .+, not an object") as caught:
        use(text(student, "a", "Liar"))
    assert caught.value.verdict is Verdict.WRONG


@pytest.mark.parametrize(
    "use", [bool, len, float, iter, np.asarray, np.sum, lambda a: a == 1.0, lambda a: a < 1.0]
)
def test_an_operand_is_no_more_a_value_than_a_handle(student, use):
    with pytest.raises(Fault) as caught:
        use(text(student, "a"))
    assert caught.value.verdict is Verdict.WRONG


def test_an_operand_is_never_what_a_comparison_expects(student):
    with pytest.raises(expect.Wrong, match="got an object of type Text"):
        expect.close("x", text(student, "a"), 1.0)
    with pytest.raises(Fault):
        expect.close("x", 1.0, text(student, "a"))


def test_a_plain_handle_has_no_operators(student):
    plain = student.engine.Text("a")
    for use in (lambda: plain + 1.0, lambda: np.ones(2) * plain, lambda: -plain, lambda: plain[0]):
        with pytest.raises(Fault):
            use()


def test_only_an_object_can_become_an_operand(student):
    with pytest.raises(Fault, match="expected an object, got a value of type float"):
        student.operand(2.0)
    assert operand(2.0) == 2.0


def test_the_workers_loop_builds_chains_of_any_depth(student):
    a = student.engine.Text("a")
    assert student.operand(student.prepare("chain", a, 3, "+")).text == "(((a+a)+a)+a)"


def test_a_context_can_be_entered_and_left_in_order_or_by_an_error(local):
    space = ModuleSpace(
        {
            "manager.py": b"""
log = []
class Manager:
    def __enter__(self): log.append("in"); return self
    def __exit__(self, kind, error, traceback): log.append(getattr(kind, "__name__", "out"))
"""
        }
    )
    with space.active():
        student = Student(Local(space, 0, OWN.drivers), {})
        manager = student.manager.Manager()
        for failed in (False, True):
            student.probe("enter")(manager)
            student.probe("leave")(manager, failed)
        assert student.manager.log == ["in", "out", "in", "ValueError"]


@pytest.mark.parametrize("empty", [None, ""])
def test_what_a_stub_leaves_empty_is_not_attempted(empty):
    expect.attempted("week3.debugging_lab: name the fault", "something")
    with pytest.raises(Fault) as caught:
        expect.attempted("week3.debugging_lab: name the fault", empty)
    assert caught.value.verdict is Verdict.NOT_ATTEMPTED
