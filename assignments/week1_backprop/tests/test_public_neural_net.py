"""Public tests of the layers in neural_net.py.

`student.neural_net` is your module. `rng` is a seeded NumPy generator, so that every run uses the
same numbers. The first line of each docstring is the title that `make check` prints. Your Linear
may hold W as (out, in) or (in, out), and b as (out,) or (1, out): a new layer shows which, and
`form` converts.
"""

import numpy as np
import pytest

from autograder.suite import derivatives, expect

from ..suite_tools.by_hand import of_network, of_training
from ..suite_tools.layout import layout_of
from ..suite_tools.layout import linear as linear_with
from ..suite_tools.made_up import CLASSES, LR

linear = pytest.mark.item("week1.linear")
relu = pytest.mark.item("week1.relu")
leaky_relu = pytest.mark.item("week1.leaky_relu")
sigmoid = pytest.mark.item("week1.sigmoid")
tanh = pytest.mark.item("week1.tanh")
softmax = pytest.mark.item("week1.softmax")
network = pytest.mark.item("week1.network")
tools = pytest.mark.item("week1.tools")
robustness = pytest.mark.item("week1.robustness")

X = np.array([[0.513, -1.087, 2.139], [1.471, 2.953, -0.617]])
UPSTREAM = np.array([[2.137, -3.071, 0.519], [-1.093, 4.157, 1.483]])
SMALL = UPSTREAM[:, :2]
LARGE = np.array([[1000.0, -1000.0, 0.5]])


def through(forward, *arrays, upstream=UPSTREAM):
    """Return the gradients with respect to each of `arrays`, measured to the last digit."""
    return derivatives.vjp(forward, arrays, upstream)


def through_linear(W, b, dL_dy=SMALL):
    """Return dL/dx, dL/dW and dL/db of the linear layer."""
    return through(lambda x, W, b: x @ W.T + b, X, W, b, upstream=dL_dy)


def logistic(x):
    """Return the sigmoid; for small numbers."""
    return 1 / (1 + np.exp(-x))


def expect_no_warnings(student):
    """Fail if the student's code made NumPy warn, of an overflow for example."""
    warned = dict.fromkeys(text for text in student.warnings() if "RuntimeWarning" in text)
    expect.that("warnings", not warned, f"your code warned: {'; '.join(warned)}")


# Linear


def small_linear(student):
    """Return a Linear(3, 2) with known parameters, its form, W of shape (2, 3) and b."""
    W, b = np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]), np.array([10.0, -20.0])
    return *linear_with(student, W, b), W, b


@linear
def test_linear_initial_parameters(student):
    """A new Linear(3, 2) has weights of shape (2, 3) or (3, 2) and two biases of zero."""
    biases = layout_of(student).biases(np.zeros(2))
    expect.close("b", student.neural_net.Linear(3, 2).b, biases)


@linear
def test_linear_initial_variance(student):
    """The initial weights have variance 2 / in_features."""
    shape = layout_of(student).weights(np.zeros((300, 200))).shape
    W = expect.array("W", student.neural_net.Linear(200, 300).W, shape)
    expect.close("variance of W", float(np.var(W)), 2 / 200, rtol=0.05)


@tools
def test_linear_generator(student):
    """With the keyword rng, the same seed gives the same weights."""
    generator = student.probe("generator")
    first, again = (student.neural_net.Linear(4, 3, rng=generator(1)).W for _ in range(2))
    # Which weights a seed gives is up to the student.
    expect.repeated("W from the same seed", first, again)


@linear
def test_linear_forward(student):
    """Linear.forward is x W^T + b."""
    layer, _, W, b = small_linear(student)
    expect.close("forward output", layer.forward(X), X @ W.T + b)


@linear
def test_linear_input_gradient(student):
    """Linear.backward returns dL/dx."""
    layer, _, W, b = small_linear(student)
    layer.forward(X)
    expect.close("dL_dx", layer.backward(SMALL), through_linear(W, b)[0])


@linear
def test_linear_weight_gradient(student):
    """Linear.backward stores dL_dW."""
    layer, form, W, b = small_linear(student)
    layer.forward(X)
    layer.backward(SMALL)
    expect.close("dL_dW", layer.dL_dW, form.weights(through_linear(W, b)[1]))


@linear
def test_linear_bias_gradient(student):
    """Linear.backward stores dL_db."""
    layer, form, W, b = small_linear(student)
    layer.forward(X)
    layer.backward(SMALL)
    expect.close("dL_db", layer.dL_db, form.biases(through_linear(W, b)[2]))


@linear
def test_linear_square(student, rng):
    """In a square layer, W and its transpose are not exchanged."""
    W, b = rng.normal(size=(3, 3)), rng.normal(size=3)
    layer, _ = linear_with(student, W, b)
    expect.close("forward output", layer.forward(X), X @ W.T + b)
    expect.close("dL_dx", layer.backward(UPSTREAM), through_linear(W, b, UPSTREAM)[0])


@linear
def test_linear_gradients_do_not_accumulate(student):
    """The next Linear.backward replaces the stored gradients."""
    layer, form, W, b = small_linear(student)
    for _ in range(2):
        layer.forward(X)
        layer.backward(SMALL)
    _, dL_dW, dL_db = through_linear(W, b)
    expect.close("dL_dW after two backwards", layer.dL_dW, form.weights(dL_dW))
    expect.close("dL_db after two backwards", layer.dL_db, form.biases(dL_db))


# Activations


@relu
def test_relu_forward(student):
    """ReLU.forward is max(0, x)."""
    expect.close("forward output", student.neural_net.ReLU().forward(X), np.where(X > 0, X, 0))


@relu
def test_relu_gradient(student):
    """ReLU.backward returns dL/dx."""
    layer = student.neural_net.ReLU()
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), through(derivatives.relu, X)[0])


@relu
def test_relu_at_zero(student):
    """At x = 0 ReLU's gradient is 0."""
    layer = student.neural_net.ReLU()
    layer.forward(np.array([[0.0, 1.0, -1.0]]))
    expect.close("dL_dx", layer.backward(np.array([[5.0, 6.0, 7.0]])), [[0, 6.0, 0]])


@leaky_relu
def test_leaky_relu_forward(student):
    """LeakyReLU(0.1).forward is x where x > 0, and 0.1 x elsewhere."""
    layer = student.neural_net.LeakyReLU(0.1)
    expect.close("forward output", layer.forward(X), np.where(X > 0, X, 0.1 * X))


@leaky_relu
def test_leaky_relu_gradient(student):
    """LeakyReLU(0.1).backward returns dL/dx."""
    layer = student.neural_net.LeakyReLU(0.1)
    layer.forward(X)
    expected = through(lambda x: 0.1 * x + 0.9 * derivatives.relu(x), X)[0]
    expect.close("dL_dx", layer.backward(UPSTREAM), expected)


@sigmoid
def test_sigmoid_forward(student):
    """Sigmoid.forward is 1 / (1 + exp(-x))."""
    received = student.neural_net.Sigmoid().forward(X)
    expect.close("forward output", received, 1 / (1 + np.exp(-X)))


@sigmoid
def test_sigmoid_gradient(student):
    """Sigmoid.backward returns dL/dx."""
    layer = student.neural_net.Sigmoid()
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), through(logistic, X)[0])


@robustness
@pytest.mark.needs("week1.sigmoid")
def test_sigmoid_does_not_warn(student):
    """Sigmoid of +-1000 overflows nowhere: NumPy gives no warning."""
    expected = np.array([[1.0, 0.0, 1 / (1 + np.exp(-0.5))]])
    expect.close("forward output", student.neural_net.Sigmoid().forward(LARGE), expected)
    expect_no_warnings(student)


@tanh
def test_tanh_forward(student):
    """Tanh.forward is tanh(x)."""
    expect.close("forward output", student.neural_net.Tanh().forward(X), np.tanh(X))


@tanh
def test_tanh_gradient(student):
    """Tanh.backward returns dL/dx."""
    layer = student.neural_net.Tanh()
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), through(np.tanh, X)[0])


# Softmax


def rows_of_softmax(x):
    """Return the softmax of each row."""
    exponentials = np.exp(x - np.real(x).max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@softmax
def test_softmax_forward(student):
    """Each row of Softmax.forward is exp(x) divided by its sum over the row."""
    expect.close("forward output", student.neural_net.Softmax().forward(X), rows_of_softmax(X))


@softmax
def test_softmax_of_large_scores(student):
    """Softmax of +-1000 is right in every row."""
    x = np.array([[1000.0, -1000.0, 999.0], [-1000.0, -1001.0, -999.0]])
    expect.close("forward output", student.neural_net.Softmax().forward(x), rows_of_softmax(x))


@softmax
def test_softmax_gradient(student):
    """Softmax.backward returns dL/dx, through the whole Jacobian of each row."""
    layer = student.neural_net.Softmax()
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), through(rows_of_softmax, X)[0])


# Network: with made-up layers in it, or with your own, whose weights are set.


@network
def test_network_forward(student, rng):
    """Network.forward hands every layer's output to the next layer."""

    def check(network, parts):
        x = rng.normal(size=(4, parts.features))
        expect.close("forward output", network.forward(x), parts.logits(x))

    of_network(student, rng, check)


@network
def test_network_backward(student, rng):
    """Network.backward goes through the layers last to first; each stores its gradients."""

    def check(network, parts):
        x, dL_dy = rng.normal(size=(4, parts.features)), rng.normal(size=(4, CLASSES))
        network.forward(x)
        network.backward(dL_dy)
        parts.compare(parts.gradients(x, dL_dy), gradients=True)

    of_network(student, rng, check)


@network
def test_network_train_step(student, rng):
    """Network.train_step changes W to W - lr dL_dW and b to b - lr dL_db; it returns the loss."""

    def check(case):
        received = case.network.train_step(case.x, case.y, LR)
        if received is not None:
            expect.close("loss", received, case.value())
        case.parts.compare(case.after_a_step())

    of_training(student, rng, check)


@network
def test_network_of_another_batch(student, rng):
    """A Network runs twice, with batches of other sizes: backward belongs to the latest forward."""

    def check(network, parts):
        for count in (5, 2):
            x, dL_dy = rng.normal(size=(count, parts.features)), rng.normal(size=(count, CLASSES))
            kept, upstream = student.keep(x), student.keep(dL_dy)
            expect.close(f"output of {count} examples", network.forward(kept), parts.logits(x))
            received = network.backward(upstream)
            if received is not None:  # what is stored in the layers is what counts
                expect.close(f"dL_dx of {count} examples", received, parts.inputs(x, dL_dy))
            parts.compare(parts.gradients(x, dL_dy), gradients=True)
            expect.unchanged("x", x, student.fetch(kept))
            expect.unchanged("loss_grad", dL_dy, student.fetch(upstream))

    of_network(student, rng, check)
