"""Hidden tests of the derivations: the functions of the notebook against exact derivatives.

Expected gradients come from complex steps through the forward formulas: no derivation is in here.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu, vjp

linear = pytest.mark.item("week1.derive_linear")
derive_relu = pytest.mark.item("week1.derive_relu")
derive_sigmoid = pytest.mark.item("week1.derive_sigmoid")
derive_tanh = pytest.mark.item("week1.derive_tanh")
mse = pytest.mark.item("week1.derive_mse")
cross_entropy = pytest.mark.item("week1.derive_cross_entropy")


def sigmoid(x):
    """Return the sigmoid, also of complex numbers near the real line."""
    return 1 / (1 + np.exp(-x))


def softmax(z):
    """Return the softmax of each row, also of complex numbers near the real line."""
    powers = np.exp(z - np.real(z).max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def one_hot(rng, n, classes):
    """Return n one-hot rows in which several classes come up."""
    labels = rng.integers(classes, size=n)
    labels[:2] = 0, classes - 1
    return np.eye(classes)[labels]


def affine(x, W, b):
    """Return the linear layer's output."""
    return x @ W.T + b


def batch(rng, n=5, d=4, m=3):
    """Return x, W, b and an upstream gradient, no two dimensions alike."""
    return (rng.normal(size=shape) for shape in ((n, d), (m, d), m, (n, m)))


def untouched(student, function, **arrays):
    """Call a function and return its result; it must leave the arrays as they are."""
    kept = {name: student.keep(array) for name, array in arrays.items()}
    result = function(*kept.values())
    for name, array in arrays.items():
        expect.unchanged(name, array, student.fetch(kept[name]))
    return result


# The linear layer


@linear
@pytest.mark.weight(2)
def test_linear_dx(student, rng):
    """linear_dx is the gradient with respect to the input, shape (N, D)."""
    x, W, b, upstream = batch(rng)
    expected = vjp(affine, (x, W, b), upstream)[0]
    expect.close("dL/dx", student.derivations.linear_dx(upstream, W), expected)


@linear
@pytest.mark.weight(2)
def test_linear_dW(student, rng):
    """linear_dW is the gradient with respect to the weights, shape (M, D)."""
    x, W, b, upstream = batch(rng)
    expected = vjp(affine, (x, W, b), upstream)[1]
    expect.close("dL/dW", student.derivations.linear_dW(upstream, x), expected)


@linear
@pytest.mark.weight(2)
def test_linear_db(student, rng):
    """linear_db is the gradient with respect to the bias, shape (M,)."""
    x, W, b, upstream = batch(rng)
    expected = vjp(affine, (x, W, b), upstream)[2]
    expect.close("dL/db", student.derivations.linear_db(upstream), expected)


@linear
def test_linear_of_one_example(student, rng):
    """A batch of a single example keeps all shapes: (1, D), (M, D) and (M,)."""
    x, W, b, upstream = batch(rng, n=1)
    dx, dW, db = vjp(affine, (x, W, b), upstream)
    notebook = student.derivations
    expect.close("dL/dx", notebook.linear_dx(upstream, W), dx)
    expect.close("dL/dW", notebook.linear_dW(upstream, x), dW)
    expect.close("dL/db", notebook.linear_db(upstream), db)


@linear
def test_linear_changes_no_argument(student, rng):
    """The functions of the linear layer give the gradients and leave their arguments alone."""
    x, W, b, upstream = batch(rng)
    dx, dW, db = vjp(affine, (x, W, b), upstream)
    notebook = student.derivations
    expect.close("dL/dx", untouched(student, notebook.linear_dx, dL_dy=upstream, W=W), dx)
    expect.close("dL/dW", untouched(student, notebook.linear_dW, dL_dy=upstream, x=x), dW)
    expect.close("dL/db", untouched(student, notebook.linear_db, dL_dy=upstream), db)


# ReLU


@derive_relu
@pytest.mark.weight(2)
def test_relu_dx(student, rng):
    """relu_dx is the gradient with respect to the input, on both sides of 0."""
    x, upstream = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    x.flat[:2] = 1.5, -0.5
    expect.close("dL/dx", student.derivations.relu_dx(upstream, x), vjp(relu, (x,), upstream)[0])


@derive_relu
def test_relu_at_zero(student, rng):
    """At x = 0 the derivative of ReLU is 0 here."""
    x, upstream = np.array([[0.0, -0.0, 2.0]]), rng.uniform(1, 2, size=(1, 3))
    expected = upstream * [[0.0, 0.0, 1.0]]
    expect.close("dL/dx", student.derivations.relu_dx(upstream, x), expected)


@derive_relu
def test_relu_changes_no_argument(student, rng):
    """relu_dx gives the gradient and leaves its arguments alone."""
    x, upstream = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    received = untouched(student, student.derivations.relu_dx, dL_dy=upstream, x=x)
    expect.close("dL/dx", received, vjp(relu, (x,), upstream)[0])


# The sigmoid and tanh


@derive_sigmoid
@pytest.mark.weight(2)
def test_sigmoid_dx(student, rng):
    """sigmoid_dx is the gradient with respect to the input, from the output y."""
    x, upstream = 2 * rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    received = student.derivations.sigmoid_dx(upstream, sigmoid(x))
    expect.close("dL/dx", received, vjp(sigmoid, (x,), upstream)[0])


@derive_sigmoid
def test_sigmoid_saturated(student, rng):
    """Where the sigmoid is saturated, y = 0 or y = 1, no gradient gets through."""
    y, upstream = np.array([0.0, 1.0, 0.5]), rng.normal(size=3)
    received = student.derivations.sigmoid_dx(upstream, y)
    expect.close("dL/dx", received, upstream * [0.0, 0.0, 0.25])


@derive_sigmoid
def test_sigmoid_changes_no_argument(student, rng):
    """sigmoid_dx gives the gradient and leaves its arguments alone."""
    x, upstream = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    function = student.derivations.sigmoid_dx
    received = untouched(student, function, dL_dy=upstream, y=sigmoid(x))
    expect.close("dL/dx", received, vjp(sigmoid, (x,), upstream)[0])


@derive_tanh
@pytest.mark.weight(2)
def test_tanh_dx(student, rng):
    """tanh_dx is the gradient with respect to the input, from the output y."""
    x, upstream = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    received = student.derivations.tanh_dx(upstream, np.tanh(x))
    expect.close("dL/dx", received, vjp(np.tanh, (x,), upstream)[0])


@derive_tanh
def test_tanh_saturated(student, rng):
    """Where tanh is saturated, y = -1 or y = 1, no gradient gets through; at y = 0 all of it."""
    y, upstream = np.array([-1.0, 1.0, 0.0]), rng.normal(size=3)
    received = student.derivations.tanh_dx(upstream, y)
    expect.close("dL/dx", received, upstream * [0.0, 0.0, 1.0])


@derive_tanh
def test_tanh_changes_no_argument(student, rng):
    """tanh_dx gives the gradient and leaves its arguments alone."""
    x, upstream = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    received = untouched(student, student.derivations.tanh_dx, dL_dy=upstream, y=np.tanh(x))
    expect.close("dL/dx", received, vjp(np.tanh, (x,), upstream)[0])


# The losses


def mean_square(p, t):
    """Return the mean squared error."""
    return np.mean((p - t) ** 2)


def mean_cross_entropy(z, t):
    """Return the mean cross-entropy of logits."""
    return -np.sum(t * np.log(softmax(z))) / len(z)


@mse
@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", [(5, 3), (1, 4), (6, 1)])
def test_mse_dp(student, rng, shape):
    """mse_dp is the gradient with respect to the predictions, shape (N, D)."""
    p, t = 2 * rng.normal(size=shape), rng.normal(size=shape)
    expect.close("dL/dp", student.derivations.mse_dp(p, t), vjp(mean_square, (p, t), 1.0)[0])


@mse
def test_mse_changes_no_argument(student, rng):
    """mse_dp gives the gradient and leaves its arguments alone."""
    p, t = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    received = untouched(student, student.derivations.mse_dp, p=p, t=t)
    expect.close("dL/dp", received, vjp(mean_square, (p, t), 1.0)[0])


@cross_entropy
@pytest.mark.weight(2)
def test_softmax_jacobian(student, rng):
    """softmax_jacobian holds dp_i/dz_j in row i and column j, shape (C, C)."""
    z = rng.normal(size=4)
    expected = np.stack([vjp(softmax, (z,), row)[0] for row in np.eye(4)])
    expect.close("dp/dz", student.derivations.softmax_jacobian(softmax(z)), expected)


@cross_entropy
def test_softmax_jacobian_of_two(student, rng):
    """Also of two probabilities, given without the logits that they came from."""
    p = float(rng.uniform(0.1, 0.4))
    expected = p * (1 - p) * np.array([[1.0, -1.0], [-1.0, 1.0]])
    expect.close("dp/dz", student.derivations.softmax_jacobian(np.array([p, 1 - p])), expected)


@cross_entropy
@pytest.mark.weight(2)
@pytest.mark.parametrize("n", [5, 2])
def test_cross_entropy_dz(student, rng, n):
    """cross_entropy_dz is the gradient with respect to the logits, shape (N, C)."""
    z, t = 2 * rng.normal(size=(n, 4)), one_hot(rng, n, 4)
    expected = vjp(mean_cross_entropy, (z, t), 1.0)[0]
    expect.close("dL/dz", student.derivations.cross_entropy_dz(z, t), expected)


@cross_entropy
def test_cross_entropy_of_large_logits(student):
    """Logits of +-1000 neither overflow nor become NaN."""
    z = np.array([[1000.0, -1000.0, 999.0], [-1000.0, -1000.0, -1000.0]])
    t = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    e = np.exp(-1.0)
    p = np.array([[1 / (1 + e), 0.0, e / (1 + e)], [1 / 3, 1 / 3, 1 / 3]])
    expect.close("dL/dz", student.derivations.cross_entropy_dz(z, t), (p - t) / 2)


@cross_entropy
def test_cross_entropy_changes_no_argument(student, rng):
    """The two functions give their results and leave their arguments alone."""
    z, t = rng.normal(size=(5, 4)), one_hot(rng, 5, 4)
    notebook = student.derivations
    received = untouched(student, notebook.cross_entropy_dz, z=z, t=t)
    expect.close("dL/dz", received, vjp(mean_cross_entropy, (z, t), 1.0)[0])
    p = softmax(z[0])
    jacobian = np.stack([vjp(softmax, (z[0],), row)[0] for row in np.eye(4)])
    received = untouched(student, notebook.softmax_jacobian, p=p)
    expect.close("dp/dz", received, jacobian)
