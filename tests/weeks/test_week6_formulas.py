"""What week 6's hidden suites expect, against complex steps, PyTorch, and sums written out."""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "assignments/week6_attention/hidden/formulas.py"
SHAPES = ((2, 3, 4, 6), (2, 3, 5, 6), (2, 3, 5, 7))
KINDS = ("none", "holes", "keys", "numbers", "empty rows")


@pytest.fixture(scope="module")
def formulas():
    spec = importlib.util.spec_from_file_location("week6_formulas", FILE)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


def drawn():
    """Return queries, keys, values and an upstream gradient."""
    rng = np.random.default_rng(6)
    arrays = [rng.normal(size=shape) for shape in SHAPES]
    return *arrays, rng.normal(size=(2, 3, 4, 7))


def mask_of(kind):
    """Return a mask; None for none."""
    holes = np.random.default_rng(1).random((2, 3, 4, 5)) < 0.6
    holes[..., 0] = True
    if kind == "empty rows":
        holes[:, 1, 2] = holes[0, 0, 0] = False
    return {
        "none": None,
        "keys": np.array([True, False, True, True, False]),
        "numbers": holes.astype(np.int64),
    }.get(kind, holes)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_sums_of_exponentials(formulas, kind):
    Q, K, _, _ = drawn()
    seen = np.broadcast_to(True if mask_of(kind) is None else mask_of(kind), (2, 3, 4, 5))
    wanted = np.zeros((2, 3, 4, 5))
    for place in np.ndindex(2, 3, 4):
        keys = [j for j in range(5) if seen[(*place, j)]]
        powers = [math.exp(float(Q[place] @ K[(*place[:2], j)]) / math.sqrt(6)) for j in keys]
        for j, power in zip(keys, powers, strict=True):
            wanted[(*place, j)] = power / sum(powers)
    found = formulas.weights(Q, K, mask_of(kind))
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_by_formulas_are_those_of_complex_steps(formulas, kind):
    Q, K, V, grad = drawn()
    found = formulas.backward(grad, Q, K, V, mask_of(kind))
    exact = formulas.backward_of(formulas.RIGHT, grad, Q, K, V, mask_of(kind))
    for one, other in zip(found, exact, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_what_all_values_have_in_common_changes_no_gradient_of_a_score(formulas):
    """A difference of two results loses it, at the best of steps."""
    Q, K, V, grad = drawn()
    mask = mask_of("holes")
    near = formulas.backward(grad, Q, K, V, mask)
    far = formulas.backward(grad, Q, K, V + 1e7, mask)
    for one, other in zip(near, far, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)
    errors = []
    for step in 10.0 ** -np.arange(1, 9):
        move = np.zeros_like(Q)
        move[0, 0, 0, 0] = step
        sides = [formulas.output(Q + m, K, V + 1e7, mask) for m in (move, -move)]
        slope = np.sum(grad * (sides[0] - sides[1])) / (2 * step)
        errors.append(abs(slope - near[0][0, 0, 0, 0]))
    assert min(errors) > 1e-7 + 1e-6 * abs(near[0][0, 0, 0, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_way_is_pytorchs(formulas, kind):
    torch = pytest.importorskip("torch")
    Q, K, V, grad = drawn()
    tensors = [torch.tensor(one, requires_grad=True) for one in (Q, K, V)]
    allowed = mask_of(kind)
    if allowed is not None:
        allowed = torch.tensor(np.broadcast_to(allowed, (2, 3, 4, 5)).astype(bool))
    result = torch.nn.functional.scaled_dot_product_attention(*tensors, allowed)
    ours = formulas.output(Q, K, V, mask_of(kind))
    np.testing.assert_allclose(ours, result.detach(), rtol=1e-10, atol=1e-13)
    result.backward(torch.tensor(grad))
    for one, theirs in zip(formulas.backward(grad, Q, K, V, mask_of(kind)), tensors, strict=True):
        np.testing.assert_allclose(one, theirs.grad, rtol=1e-9, atol=1e-12)


def test_the_wrong_ways_are_wrong_and_differ(formulas):
    """With an empty row, no two of them give the same result, and none gives zeros alone."""
    Q, K, V, _ = drawn()
    ways = [formulas.RIGHT, *formulas.WRONG.values()]
    results = [formulas.output(Q, K, V, mask_of("empty rows"), way) for way in ways]
    assert all(np.abs(one).max() > 0.1 for one in results)
    for number, one in enumerate(results):
        for other in results[:number]:
            assert np.abs(one - other).max() > 1e-3


def test_large_scores_overflow_nowhere(formulas):
    Q, K, V, grad = drawn()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for mask in map(mask_of, KINDS):
            for one in (
                formulas.output(1e5 * Q, K, V, mask),
                *formulas.backward(grad, 1e5 * Q, K, V, mask),
            ):
                assert np.isfinite(one).all()


def test_positions(formulas):
    table = formulas.sinusoidal_positions(30, 7)
    for t in (0, 1, 29):
        wanted = [f(t / 10000 ** (2 * i / 7)) for i in range(4) for f in (math.sin, math.cos)]
        np.testing.assert_allclose(table[t], wanted[:7], rtol=1e-12, atol=1e-15)
    assert formulas.causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
