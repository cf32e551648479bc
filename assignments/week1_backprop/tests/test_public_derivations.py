"""Public tests of the derivations in derivations.ipynb: small cases, worked out on paper."""

import numpy as np
import pytest

from autograder.suite import expect

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
    """The gradient gets through where x is above 0, and only there."""
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
