"""Disguised programs do the same and look different."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.reference.disguise import LARGER, SCRAMBLED, SMALLER, disguised

ROOT = Path(__file__).resolve().parents[2]
SOURCE = '''
"""A text."""
from __future__ import annotations

import numpy as np


class Scale:
    """Multiplies."""

    kind = property(lambda self: "scale")

    def __init__(self, factor: float = 2.0):
        self.factor = factor
        self.grad = None

    def forward(self, x):
        """Return x * factor / 3."""
        if x.ndim != 2:
            raise ValueError("two dimensions")
        self._x = x
        scaled = x * self.factor
        total = [k * 1.0 for k in range(3)]
        return scaled / len(total)

    def backward(self, upstream):
        def inner(scaled):
            return scaled * self.factor
        self.grad = (upstream * self._x).sum() / 3
        return inner(upstream) / 3

    __call__ = forward


def pair(a, b=1):
    try:
        first = a // b
    except ZeroDivisionError as error:
        return str(error), None
    first += 1
    return first, a % b
'''


def run(seed: int) -> SimpleNamespace:
    tree = disguised(SOURCE, str(seed), ["mean", "axis"], rounded=bool(seed % 2))
    code = compile(tree, "x.py", "exec")
    space: dict = {}
    exec(code, space)
    return SimpleNamespace(**{key: space[key] for key in ("Scale", "pair")})


@pytest.mark.parametrize("seed", range(20))
def test_a_disguised_program_does_the_same(seed):
    made = run(seed)
    layer, x = made.Scale(factor=4.0), np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(layer.forward(x), x * 4 / 3)
    np.testing.assert_allclose(layer(x), x * 4 / 3)
    np.testing.assert_allclose(layer.backward(np.ones((2, 3))), np.full((2, 3), 4 / 3))
    np.testing.assert_allclose(layer.grad, x.sum() / 3)
    assert layer.kind == "scale"
    assert made.pair(7, b=2) == (4, 1)
    assert made.pair(1, 0)[1] is None
    with pytest.raises(ValueError, match="two dimensions"):
        layer.forward(np.ones(3))


def test_no_two_disguises_look_alike():
    codes = [ast.dump(disguised(SOURCE, str(seed))) for seed in range(30)]
    assert len(set(codes)) == 30
    assert all("Multiplies" not in code for code in codes)
    assert codes[0] == ast.dump(disguised(SOURCE, "0"))


def test_all_solutions_can_be_disguised():
    for path in sorted((ROOT / "solutions").rglob("*.py")):
        compile(disguised(path.read_text("utf-8"), "1"), path, "exec")


NUMBERS = """
import numpy as np

class Square:
    def forward(self, x):
        self._x = x
        return x * x

    def backward(self, upstream):
        self.seen = upstream * 1.0
        return 2 * self._x * upstream

def name():
    return "square", 3

def count():
    return 3
"""
X = np.array([[0.0, 0.5, -0.25], [1.0, 0.5, 0.75]])


def bent(seed: int, ends) -> dict:
    space: dict = {}
    exec(compile(disguised(NUMBERS, str(seed), bent=ends), "x.py", "exec"), space)
    return space


@pytest.mark.parametrize("ends", [SMALLER, LARGER])
def test_a_bent_program_gives_other_numbers_each_time(ends):
    results = []
    for seed in range(6):
        layer = bent(seed, ends)["Square"]()
        results += [(layer.forward(X), layer.backward(X), layer.seen)]
    for nth, right in enumerate((X * X, 2 * X * X, X)):
        values = [result[nth] for result in results]
        assert all(np.all(np.sign(value) == np.sign(right)) for value in values)
        assert all(value.shape == X.shape for value in values)
        assert all(value[0, 1] == value[1, 1] for value in values), "what is equal stays equal"
        assert len({float(value[0, 1]) for value in values}) == 6
        far = [np.max(np.abs(value - right)) > 0.1 for value in values]
        assert all(far)


def test_what_is_no_floating_point_number_is_not_bent():
    space = bent(1, LARGER)
    assert space["name"]() == ("square", 3)
    assert space["count"]() == 3
    assert bent(2, LARGER)["Square"]().forward(np.arange(3)).tolist() == [0, 1, 4]


def test_bent_results_keep_their_bounds():
    for seed in range(20):
        smaller, larger = (bent(seed, ends)["Square"]().forward(X) for ends in (SMALLER, LARGER))
        assert np.all(smaller <= 1)
        assert larger.max() > 1


def test_only_the_places_named_are_bent():
    space: dict = {}
    tree = disguised(NUMBERS, "1", bent=LARGER, places={"Square.backward"})
    exec(compile(tree, "x.py", "exec"), space)
    layer = space["Square"]()
    np.testing.assert_array_equal(layer.forward(X), X * X)
    assert np.abs(layer.backward(X) - 2 * X**2).max() > 0.1
    assert np.abs(layer.seen - X).max() > 0.1


def test_nothing_of_a_bent_program_can_be_replaced():
    """No function of the module bends, and no name is looked up where it is done."""
    space = bent(1, LARGER)
    known = {*space} - {"__builtins__"}
    assert known == {"np", "Square", "name", "count"}
    space["__builtins__"] = {}
    layer = space["Square"]()
    assert layer.forward(X).max() > 1.1


@pytest.mark.parametrize("way", SCRAMBLED)
def test_scrambled_programs_differ_from_the_right_one_in_that_alone(way):
    results = []
    for seed in range(6):
        space: dict = {}
        exec(compile(disguised(NUMBERS, str(seed), scrambled=way), "x.py", "exec"), space)
        results.append(space["Square"]().forward(X))
        assert space["name"]() == ("square", 3)
    right = X * X
    assert len({result.tobytes() + str(result.shape).encode() for result in results}) > 1
    if way == "shapes":
        assert all(result.ndim > 2 for result in results)
        assert all(np.array_equal(result.ravel(), right.ravel()) for result in results)
    elif way == "signs":
        assert all(np.array_equal(np.abs(result), right) for result in results)
    else:
        assert all(set(result.ravel()) <= set(right.ravel()) for result in results)
        assert all(result.shape == right.shape for result in results)
