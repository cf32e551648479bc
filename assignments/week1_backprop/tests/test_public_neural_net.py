"""Public tests of the layers in neural_net.py.

`student.neural_net` is your module. `rng` is a seeded NumPy generator, so that every run uses the
same numbers. The first line of each docstring is the title that `make check` prints.
"""

import numpy as np
import pytest

from autograder.suite import expect

linear = pytest.mark.item("week1.linear")
relu = pytest.mark.item("week1.relu")
leaky_relu = pytest.mark.item("week1.leaky_relu")
sigmoid = pytest.mark.item("week1.sigmoid")
tanh = pytest.mark.item("week1.tanh")
softmax = pytest.mark.item("week1.softmax")
network = pytest.mark.item("week1.network")

X = np.array([[0.5, -1.0, 2.0], [1.5, 3.0, -0.5]])
UPSTREAM = np.array([[2.0, -3.0, 0.5], [-1.0, 4.0, 1.5]])
LARGE = np.array([[1000.0, -1000.0, 0.5]])


def expect_no_warnings(student):
    """Fail if the student's code made NumPy warn, of an overflow for example."""
    warned = [text for text in student.warnings() if "RuntimeWarning" in text]
    expect.that("warnings", not warned, f"your code warned: {'; '.join(warned)}")


# Linear


def small_linear(student):
    """Return a Linear(3, 2) with known parameters, and these."""
    layer = student.neural_net.Linear(3, 2)
    W, b = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]), np.array([10.0, -20.0])
    layer.W, layer.b = W, b
    return layer, W, b


@linear
def test_linear_initial_parameters(student):
    """A new Linear(3, 2) has weights of shape (2, 3) and two biases of zero."""
    layer = student.neural_net.Linear(3, 2)
    expect.array("W", layer.W, (2, 3))
    expect.close("b", layer.b, np.zeros(2))


@linear
def test_linear_initial_variance(student):
    """The initial weights have variance 2 / in_features."""
    generator = student.probe("generator")(1)
    W = expect.array("W", student.neural_net.Linear(200, 300, rng=generator).W, (300, 200))
    expect.close("variance of W", float(np.var(W)), 2 / 200, rtol=0.05)


@linear
def test_linear_forward(student):
    """Linear.forward is x W^T + b."""
    layer, W, b = small_linear(student)
    expect.close("forward output", layer.forward(X), X @ W.T + b)


@linear
def test_linear_input_gradient(student):
    """Linear.backward returns dL/dx = dL/dy W."""
    layer, W, _ = small_linear(student)
    layer.forward(X)
    dL_dy = UPSTREAM[:, :2]
    expect.close("dL_dx", layer.backward(dL_dy), dL_dy @ W)


@linear
def test_linear_weight_gradient(student):
    """Linear.backward stores dL_dW = dL/dy^T x."""
    layer, _, _ = small_linear(student)
    layer.forward(X)
    layer.backward(UPSTREAM[:, :2])
    expect.close("dL_dW", layer.dL_dW, UPSTREAM[:, :2].T @ X)


@linear
def test_linear_bias_gradient(student):
    """Linear.backward stores dL_db: dL/dy added up over the batch."""
    layer, _, _ = small_linear(student)
    layer.forward(X)
    layer.backward(UPSTREAM[:, :2])
    expect.close("dL_db", layer.dL_db, UPSTREAM[:, :2].sum(axis=0))


@linear
def test_linear_square(student, rng):
    """In a square layer, W and its transpose are not exchanged."""
    layer = student.neural_net.Linear(3, 3)
    W, b = rng.normal(size=(3, 3)), rng.normal(size=3)
    layer.W, layer.b = W, b
    expect.close("forward output", layer.forward(X), X @ W.T + b)
    expect.close("dL_dx", layer.backward(UPSTREAM), UPSTREAM @ W)


@linear
def test_linear_gradients_do_not_accumulate(student):
    """A second Linear.backward replaces the stored gradients."""
    layer, _, _ = small_linear(student)
    layer.forward(X)
    layer.backward(UPSTREAM[:, :2])
    layer.backward(UPSTREAM[:, :2])
    expect.close("dL_dW after two backwards", layer.dL_dW, UPSTREAM[:, :2].T @ X)
    expect.close("dL_db after two backwards", layer.dL_db, UPSTREAM[:, :2].sum(axis=0))


# Activations


@relu
def test_relu_forward(student):
    """ReLU.forward is max(0, x)."""
    expect.close("forward output", student.neural_net.ReLU().forward(X), np.where(X > 0, X, 0))


@relu
def test_relu_gradient(student):
    """ReLU.backward passes dL/dy on where x > 0, and 0 elsewhere."""
    layer = student.neural_net.ReLU()
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), np.where(X > 0, UPSTREAM, 0))


@relu
def test_relu_at_zero(student):
    """At x = 0 ReLU's gradient is 0."""
    layer = student.neural_net.ReLU()
    layer.forward(np.array([[0.0, 1.0, -1.0]]))
    expect.close("dL_dx", layer.backward(np.array([[5.0, 6.0, 7.0]])), [[0, 6.0, 0]])


@relu
def test_relu_keeps_its_input(student):
    """ReLU.forward does not change x."""
    kept = student.keep(X)
    received = student.neural_net.ReLU().forward(kept)
    expect.close("forward output", received, np.where(X > 0, X, 0))
    expect.unchanged("x", X, student.fetch(kept))


@leaky_relu
def test_leaky_relu_forward(student):
    """LeakyReLU(0.1).forward is x where x > 0, and 0.1 x elsewhere."""
    layer = student.neural_net.LeakyReLU(0.1)
    expect.close("forward output", layer.forward(X), np.where(X > 0, X, 0.1 * X))


@leaky_relu
def test_leaky_relu_gradient(student):
    """LeakyReLU(0.1).backward multiplies dL/dy by 1 where x > 0, and by 0.1 elsewhere."""
    layer = student.neural_net.LeakyReLU(0.1)
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), np.where(X > 0, UPSTREAM, 0.1 * UPSTREAM))


@leaky_relu
def test_leaky_relu_float32(student):
    """LeakyReLU keeps float32, forward and backward."""
    layer = student.neural_net.LeakyReLU()
    expect.dtype("forward output", layer.forward(X.astype(np.float32)), np.float32)
    expect.dtype("dL_dx", layer.backward(UPSTREAM.astype(np.float32)), np.float32)


@sigmoid
def test_sigmoid_forward(student):
    """Sigmoid.forward is 1 / (1 + exp(-x))."""
    received = student.neural_net.Sigmoid().forward(X)
    expect.close("forward output", received, 1 / (1 + np.exp(-X)))


@sigmoid
def test_sigmoid_gradient(student):
    """Sigmoid.backward multiplies dL/dy by y (1 - y)."""
    layer, y = student.neural_net.Sigmoid(), 1 / (1 + np.exp(-X))
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), UPSTREAM * y * (1 - y))


@sigmoid
def test_sigmoid_of_large_numbers(student):
    """Sigmoid of +-1000 is 1 and 0, without warnings."""
    expected = np.array([[1.0, 0.0, 1 / (1 + np.exp(-0.5))]])
    expect.close("forward output", student.neural_net.Sigmoid().forward(LARGE), expected)
    expect_no_warnings(student)


@tanh
def test_tanh_forward(student):
    """Tanh.forward is tanh(x)."""
    expect.close("forward output", student.neural_net.Tanh().forward(X), np.tanh(X))


@tanh
def test_tanh_gradient(student):
    """Tanh.backward multiplies dL/dy by 1 - y^2."""
    layer = student.neural_net.Tanh()
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), UPSTREAM * (1 - np.tanh(X) ** 2))


@tanh
def test_tanh_of_large_numbers(student):
    """Tanh of +-1000 is 1 and -1, without warnings."""
    expect.close("forward output", student.neural_net.Tanh().forward(LARGE), np.tanh(LARGE))
    expect_no_warnings(student)


# Softmax


def rows_of_softmax(x):
    """Return the softmax of each row."""
    exponentials = np.exp(x - x.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@softmax
def test_softmax_forward(student):
    """Each row of Softmax.forward is exp(x) divided by its sum over the row."""
    expect.close("forward output", student.neural_net.Softmax().forward(X), rows_of_softmax(X))


@softmax
def test_softmax_of_large_scores(student):
    """Softmax of +-1000 is right in every row, without warnings."""
    x = np.array([[1000.0, -1000.0, 999.0], [-1000.0, -1001.0, -999.0]])
    expect.close("forward output", student.neural_net.Softmax().forward(x), rows_of_softmax(x))
    expect_no_warnings(student)


@softmax
def test_softmax_gradient(student):
    """Softmax.backward multiplies by the whole Jacobian of each row, diag(y) - y y^T."""
    layer = student.neural_net.Softmax()
    layer.forward(X)
    pairs = zip(rows_of_softmax(X), UPSTREAM, strict=True)
    expected = np.array([(np.diag(y) - np.outer(y, y)) @ dL_dy for y, dL_dy in pairs])
    expect.close("dL_dx", layer.backward(UPSTREAM), expected)


# Network, on two made-up layers; y = sin(x) + x^2 / 2, then products of neighbouring columns.


def sine_and_pairs(student):
    """Return a network of the two made-up layers."""
    return student.neural_net.Network([student.probe("bump")(), student.probe("pairs")()])


@network
def test_network_forward(student):
    """Network.forward hands every layer's output to the next layer."""
    hidden = np.sin(X) + X**2 / 2
    expected = hidden[:, :-1] * hidden[:, 1:]
    expect.close("forward output", sine_and_pairs(student).forward(X), expected)


@network
def test_network_backward(student):
    """Network.backward goes through the layers last to first."""
    first, last = student.probe("bump")(), student.probe("pairs")()
    last.forward(first.forward(X))
    expected = first.backward(last.backward(UPSTREAM[:, :2]))
    whole = sine_and_pairs(student)
    whole.forward(X)
    expect.close("dL_dx", whole.backward(UPSTREAM[:, :2]), expected)


@network
@pytest.mark.needs("week1.linear")
def test_network_train_step(student, rng):
    """Network.train_step changes W to W - lr dL_dW and b to b - lr dL_db; it returns the loss."""
    layer, copy = student.neural_net.Linear(2, 2), student.neural_net.Linear(2, 2)
    W, b, x, y = (rng.normal(size=shape) for shape in ((2, 2), 2, (2, 2), (2, 2)))
    layer.W, layer.b, copy.W, copy.b = W, b, W, b
    loss = student.probe("cosine_loss")()
    value = loss.forward(copy.forward(x), y)
    copy.backward(loss.backward())
    whole = student.neural_net.Network([layer])
    expect.close("loss", whole.train_step(x, y, student.probe("cosine_loss")(), 0.5), value)
    dL_dW, dL_db = expect.array("dL_dW", copy.dL_dW), expect.array("dL_db", copy.dL_db)
    expect.close("W", layer.W, W - 0.5 * dL_dW)
    expect.close("b", layer.b, b - 0.5 * dL_db)
