"""Public tests of the derivations in derivations.ipynb: small cases, worked out on paper.

Below them each function is compared with exact derivatives for uneven numbers, which say more about
a mistake: by chance, small numbers come out right in more than one way.
"""

import numpy as np
import pytest

from autograder.suite import derivatives, expect

X = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0]])
W = np.array([[1.0, 0.0, 2.0], [-1.0, 1.0, 0.5]])
UPSTREAM = np.array([[1.0, -2.0], [0.5, 3.0]])


@pytest.mark.item("week1.derive_linear")
def test_linear(student):
    """The gradients of y = x W^T + b for two examples, three inputs and two outputs."""
    notebook = student.derivations
    dx = [[3.0, -2.0, 1.0], [-2.5, 3.0, 2.5]]
    dW = [[1.25, 1.5, 0.5], [-0.5, -7.0, 11.0]]
    expect.close("dL/dx", notebook.linear_dx(UPSTREAM, W), dx)
    expect.close("dL/dW", notebook.linear_dW(UPSTREAM, X), dW)
    expect.close("dL/db", notebook.linear_db(UPSTREAM), [1.5, 1.0])


@pytest.mark.item("week1.derive_relu")
def test_relu(student):
    """The gradient of ReLU, for numbers on both sides of 0."""
    upstream, x = np.array([2.0, 3.0, -4.0, 5.0]), np.array([1.0, -1.0, 0.5, 0.0])
    expect.close("dL/dx", student.derivations.relu_dx(upstream, x), [2.0, 0.0, -4.0, 0.0])


@pytest.mark.item("week1.derive_sigmoid")
def test_sigmoid(student):
    """The sigmoid's gradient, from its output: at y = 0.5 a quarter of the upstream one."""
    upstream, y = np.array([4.0, 1.0]), np.array([0.5, 0.2])
    expect.close("dL/dx", student.derivations.sigmoid_dx(upstream, y), [1.0, 0.16])


@pytest.mark.item("week1.derive_tanh")
def test_tanh(student):
    """The gradient of tanh, from its output: at y = 0 all of the upstream one."""
    upstream, y = np.array([4.0, 2.0]), np.array([0.0, -0.5])
    expect.close("dL/dx", student.derivations.tanh_dx(upstream, y), [4.0, 1.5])


@pytest.mark.item("week1.derive_mse")
def test_mse(student):
    """The gradient of a mean over four numbers."""
    p, t = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[0.0, 2.0], [1.0, 1.0]])
    expect.close("dL/dp", student.derivations.mse_dp(p, t), [[0.5, 0.0], [-0.5, -1.0]])


@pytest.mark.item("week1.derive_cross_entropy")
def test_cross_entropy(student):
    """The softmax's Jacobian, and the gradient of the loss for equal logits."""
    notebook = student.derivations
    jacobian = [[0.16, -0.06, -0.1], [-0.06, 0.21, -0.15], [-0.1, -0.15, 0.25]]
    expect.close("dp/dz", notebook.softmax_jacobian(np.array([0.2, 0.3, 0.5])), jacobian)
    z, t = np.zeros((2, 4)), np.eye(4)[[1, 3]]
    expect.close("dL/dz", notebook.cross_entropy_dz(z, t), (0.25 - t) / 2)


# Uneven numbers

ROWS = np.array([[0.513, -1.087, 2.139], [1.471, 2.953, -0.617]])
DOWN = np.array([[2.137, -3.071, 0.519], [-1.093, 4.157, 1.483]])


def probabilities(z):
    """Return the softmax of the last axis; for small numbers."""
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


@pytest.mark.item("week1.derive_linear")
def test_linear_of_uneven_numbers(student):
    """The gradients of y = x W^T + b for uneven numbers."""
    notebook, upstream = student.derivations, DOWN[:, :2]
    dx, dW, db = derivatives.vjp(lambda x, W, b: x @ W.T + b, [ROWS, W, W[:, 0]], upstream)
    expect.close("dL/db", notebook.linear_db(upstream), db)
    expect.close("dL/dW", notebook.linear_dW(upstream, ROWS), dW)
    expect.close("dL/dx", notebook.linear_dx(upstream, W), dx)


@pytest.mark.parametrize(
    ("name", "forward", "by_output"),
    [
        pytest.param(
            "relu_dx", derivatives.relu, False, marks=pytest.mark.item("week1.derive_relu")
        ),
        pytest.param(
            "sigmoid_dx",
            lambda x: 1 / (1 + np.exp(-x)),
            True,
            marks=pytest.mark.item("week1.derive_sigmoid"),
        ),
        pytest.param("tanh_dx", np.tanh, True, marks=pytest.mark.item("week1.derive_tanh")),
    ],
    ids=["relu", "sigmoid", "tanh"],
)
def test_functions_of_uneven_numbers(student, name, forward, by_output):
    """The gradient for uneven numbers."""
    given = forward(ROWS) if by_output else ROWS
    received = getattr(student.derivations, name)(DOWN, given)
    expect.close("dL/dx", received, derivatives.vjp(forward, [ROWS], DOWN)[0])


@pytest.mark.item("week1.derive_mse")
def test_mse_of_uneven_numbers(student):
    """The gradient of the mean squared error for uneven numbers."""
    slopes = derivatives.vjp(lambda p: np.mean((p - DOWN) ** 2), [ROWS], 1.0)[0]
    expect.close("dL/dp", student.derivations.mse_dp(ROWS, DOWN), slopes)


@pytest.mark.item("week1.derive_cross_entropy")
def test_cross_entropy_of_uneven_numbers(student):
    """The gradient of softmax with cross-entropy for uneven numbers."""
    t = np.eye(3)[[2, 0]]
    mean = derivatives.vjp(lambda z: -np.sum(t * np.log(probabilities(z))) / 2, [ROWS], 1.0)[0]
    expect.close("dL/dz", student.derivations.cross_entropy_dz(ROWS, t), mean)
