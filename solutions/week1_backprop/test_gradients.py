"""Your own tests of the gradients of week 1, one behaviour each.

They are graded by what they find: each should pass on a correct implementation (one that doesn't is
left out, which costs), and among them they should fail on as many wrong ones as possible. So a test
must look at the whole result, on inputs that leave a mistake no place to hide, and demand only what
the docstrings promise.

Every test is a function whose name starts with `test_`, and needs NumPy and the layers alone.
The measuring below is given, and does not use your gradient_check.py: a mistake there
would otherwise spoil all your tests.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from losses import CrossEntropyLoss, MSELoss
from neural_net import Layer, Linear, ReLU, Sigmoid, Square, Tanh

FloatArray = npt.NDArray[np.floating]


def assert_is_gradient(
    gradient: FloatArray, f: Callable[[FloatArray], float], x: FloatArray
) -> None:
    """Assert that `gradient` is the gradient of the scalar function `f` at `x`. Given.

    First the shape, then the slopes along three random directions of length 1, against central
    differences of f. The step is 1e-4: keep x further than that from kinks.
    """
    assert gradient.shape == x.shape, f"shape {gradient.shape}, but x has {x.shape}"
    rng = np.random.default_rng(2)
    for _ in range(3):
        v = rng.normal(size=x.shape)
        v /= np.linalg.norm(v)
        measured = (f(x + 1e-4 * v) - f(x - 1e-4 * v)) / 2e-4
        claimed = np.sum(gradient * v)
        assert abs(claimed - measured) <= 1e-6 * max(1.0, abs(measured)), (
            f"slope {claimed}, but measured {measured}"
        )


def assert_dL_dx(layer: Layer, x: FloatArray) -> None:
    """Assert that `layer.backward` returns dL/dx, for a random upstream gradient. Given."""
    upstream = np.random.default_rng(3).normal(size=layer.forward(x).shape)
    gradient = layer.backward(upstream)
    assert_is_gradient(gradient, lambda z: float(np.sum(upstream * layer.forward(z))), x)


def batch(*shape: int) -> FloatArray:
    """Return an array of normal random numbers, the same for the same shape. Given."""
    return np.random.default_rng(4).normal(size=shape)


def test_square() -> None:
    """Worked example: dL/dx of Square, against slopes and against its formula."""
    layer, x = Square(), batch(5, 3)
    assert_dL_dx(layer, x)
    layer.forward(np.array([[3.0, -1.0, 0.0]]))
    gradient = layer.backward(np.array([[2.0, 5.0, 7.0]]))
    assert np.allclose(gradient, [[12.0, -10.0, 0.0]])


def test_linear_dL_dx() -> None:
    """What Linear.backward returns is the gradient with respect to the input."""
    # BEGIN SOLUTION week1.student_tests
    layer = Linear(4, 3)
    layer.forward(batch(2, 4))
    assert_dL_dx(layer, batch(5, 4))
    # END SOLUTION


def test_linear_dL_dW() -> None:
    """What Linear.backward stores in dL_dW is the gradient with respect to the weights."""
    # BEGIN SOLUTION week1.student_tests
    layer, x, upstream = Linear(4, 3), batch(5, 4), batch(5, 3)
    layer.forward(batch(2, 4))
    layer.forward(x)
    layer.backward(upstream)

    def loss(weights: FloatArray) -> float:
        layer.W = weights
        return float(np.sum(upstream * layer.forward(x)))

    assert_is_gradient(layer.dL_dW, loss, layer.W)
    # END SOLUTION


def test_linear_dL_db() -> None:
    """What Linear.backward stores in dL_db is the gradient with respect to the biases."""
    # BEGIN SOLUTION week1.student_tests
    layer, x, upstream = Linear(4, 3), batch(5, 4), batch(5, 3)
    layer.forward(x)
    layer.backward(upstream)

    def loss(biases: FloatArray) -> float:
        layer.b = biases
        return float(np.sum(upstream * layer.forward(x)))

    assert_is_gradient(layer.dL_db, loss, layer.b)
    # END SOLUTION


def test_linear_forward() -> None:
    """Linear.forward is x W^T + b, for weights and biases that are not 0."""
    # BEGIN SOLUTION week1.student_tests
    layer, x = Linear(4, 3), batch(5, 4)
    layer.W, layer.b = batch(3, 4), np.array([1.0, -2.0, 3.0])
    assert np.allclose(layer.forward(x), x @ layer.W.T + layer.b)
    # END SOLUTION


def test_relu_away_from_zero() -> None:
    """ReLU's value and gradient where it has a slope."""
    # BEGIN SOLUTION week1.student_tests
    x = batch(5, 3)
    x, layer = np.where(np.abs(x) < 0.1, 0.5, x), ReLU()
    assert np.array_equal(layer.forward(x), np.where(x > 0, x, 0))
    assert_dL_dx(layer, -x[:2])
    # END SOLUTION


def test_relu_at_zero() -> None:
    """At x = 0 ReLU passes no gradient on, whatever the upstream gradient is."""
    # BEGIN SOLUTION week1.student_tests
    layer = ReLU()
    assert np.array_equal(layer.forward(np.array([[0.0, 0.0, 2.0]])), [[0.0, 0.0, 2.0]])
    assert np.array_equal(layer.backward(np.array([[3.0, -4.0, 5.0]])), [[0.0, 0.0, 5.0]])
    # END SOLUTION


def test_sigmoid() -> None:
    """Sigmoid's value and gradient."""
    # BEGIN SOLUTION week1.student_tests
    x = batch(5, 3)
    layer = Sigmoid()
    assert np.allclose(layer.forward(x), 1.0 / (1.0 + np.exp(-x)))
    assert_dL_dx(layer, batch(3, 2))
    # END SOLUTION


def test_tanh() -> None:
    """Tanh's value and gradient."""
    # BEGIN SOLUTION week1.student_tests
    x = batch(5, 3)
    layer = Tanh()
    assert np.allclose(layer.forward(x), np.tanh(x))
    assert_dL_dx(layer, batch(3, 2))
    # END SOLUTION


def test_mse_loss() -> None:
    """MSELoss is the mean over all elements, and backward is its gradient."""
    # BEGIN SOLUTION week1.student_tests
    loss, pred, target = MSELoss(), batch(5, 3), np.arange(15.0).reshape(5, 3) / 10.0
    assert np.isclose(loss.forward(pred, target), np.mean((pred - target) ** 2))
    assert_is_gradient(loss.backward(), lambda p: loss.forward(p, target), pred)
    # END SOLUTION


def test_cross_entropy_loss() -> None:
    """CrossEntropyLoss is the mean over the batch, and backward is its gradient."""
    # BEGIN SOLUTION week1.student_tests
    loss, logits, target = CrossEntropyLoss(), batch(5, 3), np.array([0, 2, 1, 1, 2])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(probabilities[np.arange(5), target]))
    assert np.isclose(loss.forward(logits, target), expected)
    assert_is_gradient(loss.backward(), lambda z: loss.forward(z, target), logits)
    # END SOLUTION


def test_cross_entropy_loss_with_one_hot_targets() -> None:
    """One-hot targets give the loss and the gradient that class indices give."""
    # BEGIN SOLUTION week1.student_tests
    logits, target = batch(5, 3), np.array([0, 2, 1, 1, 2])
    by_index, by_row = CrossEntropyLoss(), CrossEntropyLoss()
    assert np.isclose(by_row.forward(logits, np.eye(3)[target]), by_index.forward(logits, target))
    assert np.allclose(by_row.backward(), by_index.backward())
    # END SOLUTION


def test_linear_relu_linear() -> None:
    """Gradients pass through Linear, ReLU and Linear one after the other."""
    # BEGIN SOLUTION week1.student_tests
    layers, x, upstream = [Linear(4, 6), ReLU(), Linear(6, 3)], batch(5, 4), batch(5, 3)

    def loss(inputs: FloatArray) -> float:
        for layer in layers:
            inputs = layer.forward(inputs)
        return float(np.sum(upstream * inputs))

    loss(x)
    gradient = upstream
    for layer in reversed(layers):
        gradient = layer.backward(gradient)
    assert_is_gradient(gradient, loss, x)
    # END SOLUTION
