"""A handle can be passed on, asked for attributes and called; as a value it is a wrong answer.

The lying objects here live in this process, behind `Local`, which puts everything through the
codec: what a test gets is what it would get from a sandbox.
"""

from __future__ import annotations

import operator

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle, make_handle, to_refs, type_name
from autograder.records import Verdict
from autograder.suite import expect
from autograder.suite.hidden.local_host import Local
from autograder.suite.student import Student
from autograder.wire import codec
from autograder.worker.modules import ModuleSpace

LIES = b'''
import numpy as np

class Yes:
    """Agrees with everything."""
    shape, dtype, size, ndim = (2,), np.dtype("f8"), 2, 1
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __hash__(self): return 0
    def __bool__(self): return True
    def __len__(self): return 2
    def __float__(self): return 1.0
    __int__ = __index__ = lambda self: 1
    def __iter__(self): return iter([1.0, 1.0])
    def __getitem__(self, key): return 1.0
    def __array__(self, *args, **kwargs): return np.ones(2)
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(2)
    def __array_function__(self, *args, **kwargs): return True
    def __call__(self, *args): return self
    def sum(self, *args, **kwargs): return 2.0
    mean = max = min = item = tolist = astype = sum

class LyingArray(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(self.shape)
    def __array_function__(self, *args, **kwargs): return True

class LyingFloat(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = lambda self, *a: 0.0

class LyingInt(int):
    def __eq__(self, other): return True

class LyingText(str):
    def __eq__(self, other): return True

class LyingTuple(tuple):
    def __eq__(self, other): return True

class LyingList(list):
    def __eq__(self, other): return True
    def __len__(self): return 0

class LyingDict(dict):
    def __eq__(self, other): return True

class Named(type):
    def __instancecheck__(cls, other): return True
    __name__ = property(lambda cls: "\\x1b[31m" + "x" * 500)

class Disguised(metaclass=Named):
    __class__ = property(lambda self: np.ndarray)

class OwnName:
    pass
OwnName.__name__ = "\\x1b[2J" + "y" * 500

lies = {
    "an object that agrees": Yes(),
    "an ndarray subclass": np.ones(2).view(LyingArray),
    "a float subclass": LyingFloat(1.0),
    "an int subclass": LyingInt(1),
    "a str subclass": LyingText("a"),
    "a tuple subclass": LyingTuple((1, 2)),
    "a list subclass": LyingList([1, 2]),
    "a dict subclass": LyingDict(a=1),
    "an object array": np.array([1.0, None], dtype=object),
    "a structured array": np.ones(2, dtype=[("x", "f8")]),
    "a record array": np.rec.array([(1.0,)], dtype=[("x", "f8")]),
    "a masked array": np.ma.masked_array([1.0, 2.0], mask=[False, True]),
    "a matrix": np.ones((2, 1)).view(np.matrix),
    "a text array": np.array(["1.0", "2.0"]),
    "a date array": np.array([1, 2], dtype="datetime64[s]"),
    "a long double array": np.ones(2, dtype=np.longdouble),
    "a complex number": 1 + 0j,
    "a set": {1.0},
    "a generator": (1.0 for _ in range(2)),
    "a memoryview": memoryview(b"12"),
    "a class": Yes,
    "a disguised object": Disguised(),
}
same = lambda thing: lambda other: other is thing
'''


@pytest.fixture(scope="module")
def student():
    space = ModuleSpace({"lies.py": LIES})
    with space.active():
        yield Student(Local(space, seed=0), {})


@pytest.fixture(scope="module")
def names(student) -> list[str]:
    return list(student.lies.lies)


@pytest.fixture
def handle(student) -> Handle:
    return student.lies.Yes()


@pytest.fixture(params=range(22))
def lie(request, student, names):
    """Each of the lying objects, as it arrives."""
    assert len(names) == 22
    return student.lies.lies[names[request.param]]


# Lies


def test_every_lie_arrives_as_a_handle(lie):
    assert type(lie) is Handle


@pytest.mark.parametrize("shape", [(2,), (), (2, 1), (1,)])
def test_no_lie_is_close_to_anything(lie, shape):
    with pytest.raises(expect.Wrong, match=r"^x: expected (an array|a number), got an object"):
        expect.close("x", lie, np.ones(shape))


@pytest.mark.parametrize(
    "expected", [1, 1.0, True, None, "a", (1, 2), [1, 2], {"a": 1}, np.ones(2)], ids=repr
)
def test_no_lie_equals_anything(lie, expected):
    with pytest.raises(expect.Wrong):
        expect.equal("x", lie, expected)
    with pytest.raises((expect.Wrong, Fault)):
        expect.equal("x", (lie,), (expected,))


def test_a_lie_is_no_array_has_no_dtype_and_is_not_unchanged(lie):
    with pytest.raises(expect.Wrong, match="got an object of type"):
        expect.array("x", lie, ())
    with pytest.raises(expect.Wrong, match="got an object of type"):
        expect.dtype("x", lie, np.float64)
    with pytest.raises(expect.Wrong, match="changed the shape or type"):
        expect.unchanged("x", np.ones(2), lie)
    with pytest.raises(TypeError):
        expect.that("x", lie, "it must hold")


def test_a_lie_inside_a_list_or_dict_stays_a_handle(student):
    student.lies.nested = [student.lies.Yes(), {"a": (student.lies.Yes(),)}]
    first, second = student.lies.nested
    assert type(first) is type(second["a"][0]) is Handle


# What a handle refuses

UNARY = [bool, len, iter, float, int, operator.index, operator.neg, np.asarray, complex, list, sum]
UNARY += [max, sorted, round, abs, operator.pos, operator.invert, hash, range, str.upper, tuple]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
BINARY = ["add", "sub", "mul", "truediv", "matmul", "pow", "floordiv", "and_", "or_", "xor"]
OPERATORS = [getattr(operator, name) for name in COMPARISONS + BINARY]
NUMPY = [np.sum, np.mean, np.max, np.argmax, np.abs, np.exp, np.isfinite, np.all, np.sort, np.shape]
NUMPY += [np.transpose, np.ravel, np.squeeze, np.round, np.array, np.linalg.norm, np.prod, np.size]
ANYTHING = [1, 2.0, "text", None, True, (1, 2), np.ones(2), np.float64(1)]


@pytest.mark.parametrize("function", UNARY + NUMPY, ids=lambda function: function.__name__)
def test_no_function_takes_a_handle_for_a_value(handle, function):
    with pytest.raises((Fault, TypeError)):
        function(handle)


@pytest.mark.parametrize("compare", OPERATORS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("other", ANYTHING, ids=repr)
def test_no_operator_takes_a_handle(handle, compare, other):
    for pair in ((handle, other), (other, handle)):
        with pytest.raises((Fault, TypeError)):
            compare(*pair)


@pytest.mark.parametrize(
    "compare", [np.array_equal, np.allclose, np.testing.assert_allclose, np.dot, np.vdot, np.isin]
)
def test_no_comparison_of_numpy_takes_a_handle(handle, compare):
    for pair in ((handle, np.ones(2)), (np.ones(2), handle)):
        with pytest.raises((Fault, TypeError)):
            compare(*pair)


def test_the_message_says_what_came_instead(handle):
    with pytest.raises(Fault) as caught:
        bool(handle == 1)
    assert caught.value.verdict is Verdict.WRONG
    assert caught.value.message == "Your code gave an object of type Yes, not a value."


def test_two_handles_are_not_compared_either(student):
    with pytest.raises(Fault):
        bool(student.lies.Yes() == student.lies.Yes())


def test_membership_indexing_and_loops_are_refused(handle):
    with pytest.raises(Fault):
        _ = 1.0 in handle
    with pytest.raises(Fault):
        _ = handle in [1, 2]
    with pytest.raises(Fault):
        _ = handle[0]
    with pytest.raises(Fault):
        next(value for value in handle)
    with pytest.raises(TypeError):
        handle[0] = 1
    with pytest.raises(TypeError):
        _ = {handle: 1}


@pytest.mark.parametrize(
    "name", ["__array_interface__", "__array_struct__", "__dict__", "__fspath__"]
)
def test_special_attributes_are_never_asked_for(handle, name):
    with pytest.raises(AttributeError):
        getattr(handle, name)


# What it can do


def test_attributes_calls_and_passing_on(student):
    thing = student.lies.Yes()
    thing.note = 5
    assert thing.note == 5
    thing.other = thing
    assert student.lies.same(thing)(thing.other) is True
    assert student.lies.same(thing)(student.lies.Yes()) is False
    assert thing.sum(axis=0) == 2.0
    assert type(thing(1, 2)) is Handle


def test_texts_about_a_handle_name_its_type_only(student, handle):
    assert repr(handle) == str(handle) == f"{handle}" == "<Yes object>"
    assert repr(student.lies.lies["a disguised object"]) == "<Disguised object>"


def test_ugly_type_names_are_cleaned_and_cut(student):
    name = type_name(student.lies.OwnName())
    assert "\x1b" not in name
    assert len(name) == 60


def test_a_handle_crosses_as_its_reference():
    ask = lambda *request: None  # noqa: E731 - a backend that is never asked
    handle = make_handle(ask)(codec.Ref(7, "Thing"))
    value = [handle, (handle, 1), {"a": handle}]
    ref = codec.Ref(7, "Thing")
    assert to_refs(value) == [ref, (ref, 1), {"a": ref}]
    array = np.ones(2)
    assert to_refs(array) is array


def test_a_reference_from_the_other_side_becomes_a_handle_that_asks():
    asked = []

    def ask(*request):
        asked.append(request)
        return 3

    handle = make_handle(ask)(codec.Ref(7, "Thing"))
    assert handle.attribute == 3
    handle.attribute = 4
    assert handle(1, key=2) == 3
    assert [request[0] for request in asked] == ["get", "set", "call"]
    assert [request[1] is handle for request in asked] == [True] * 3
    assert asked[1][2:] == ("attribute", 4)
    assert asked[2][2:] == ([1], {"key": 2})


@pytest.mark.parametrize("name", ["", "\n", "\x00"])
def test_a_handle_without_a_type_name_has_one_for_messages(name):
    handle = make_handle(lambda *request: None)(codec.Ref(0, name))
    assert type_name(handle).strip()
