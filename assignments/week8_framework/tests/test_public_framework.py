"""Public tests: one worked number for each part; the first five are a framework's beginning."""

import numpy as np
import pytest

from autograder.suite import expect


def drive(student, driver, *arguments):
    """Run a driver on the adapter."""
    return student.drive(driver, student.adapter, *arguments)


def gradients(student, label, arrays, program, upstream, passes=1):
    """Return the value of a computation, and the gradients of its arrays."""
    arrays = [np.array(array, dtype=float) for array in arrays]
    wants = [True] * len(arrays)
    upstream = None if upstream is None else np.array(upstream, dtype=float)
    found = drive(student, "compute", arrays, wants, program, upstream, passes)
    two = isinstance(found, list) and len(found) == 2
    expect.that(label, two, f"expected a value and gradients, got {expect.kind_of(found)}.")
    return found[0], found[1]


def layer_of(student, spec, **weights):
    """Build a layer with these weights."""
    layer = student.prepare("build", student.adapter, spec)
    arrays = {name: np.array(one, dtype=float) for name, one in weights.items()}
    drive(student, "fill", layer, arrays)
    return layer


# The first five: the framework of the handout's first chapter passes them.


@pytest.mark.item("framework.backward")
def test_1_product(student):
    """1. The gradients of 2 times 5, where 3 comes from above."""
    value, found = gradients(student, "2 * 5", [[2.0], [5.0]], [["multiply", [0, 1], {}]], [3.0])
    expect.close("2 * 5", value, np.array([10.0]))
    expect.close("the gradient of 2", found[0], np.array([15.0]))
    expect.close("the gradient of 5", found[1], np.array([6.0]))


@pytest.mark.item("framework.backward")
def test_2_diamond(student):
    """2. A tensor that is used twice: x x + x at 3."""
    program = [["multiply", [0, 0], {}], ["add", [1, 0], {}]]
    value, found = gradients(student, "x x + x", [[3.0]], program, [1.0])
    expect.close("x x + x at 3", value, np.array([12.0]))
    expect.close("its gradient", found[0], np.array([7.0]))


@pytest.mark.item("framework.backward")
def test_3_twice(student):
    """3. A second way back adds the same once more."""
    program = [["multiply", [0, 1], {}]]
    _, found = gradients(student, "2 * 5", [[2.0], [5.0]], program, [1.0], passes=2)
    expect.close("the gradient of 2 after two passes", found[0], np.array([10.0]))


@pytest.mark.item("framework.backward")
def test_4_deep(student):
    """4. A chain of 5,000 operations."""
    factors, terms = np.full(2500, 1.001), np.full(2500, 0.0)
    found = drive(student, "chain", np.array([1.0]), factors, terms, np.array([1.0]))
    expect.close("1.001 to the power of 2,500", found[0], np.array([1.001**2500]))
    expect.close("the gradient at the beginning", found[1], np.array([1.001**2500]))


@pytest.mark.item("framework.backward")
def test_5_no_grad(student):
    """5. Inside no_grad nothing piles up."""
    found = drive(student, "without_graph", np.ones((100, 100)), np.full(200, 1.01))
    expect.close("ones times 1.01, 200 times", found[0], np.full((100, 100), 1.01**200))
    few = found[1] < 30 * 80_000
    expect.that("memory inside no_grad", few, f"it is that of {found[1] // 80_000} arrays.")


# One of each part.


@pytest.mark.item("framework.arithmetic")
def test_broadcasting(student):
    """A row that is added to two rows: its gradient has its shape."""
    arrays = [[[1.0, 2.0], [3.0, 4.0]], [10.0, 20.0]]
    upstream = [[1.0, 2.0], [3.0, 5.0]]
    value, found = gradients(student, "add", arrays, [["add", [0, 1], {}]], upstream)
    expect.close("the sum", value, np.array([[11.0, 22.0], [13.0, 24.0]]))
    expect.close("the gradient of the row", found[1], np.array([4.0, 7.0]))


@pytest.mark.item("framework.arithmetic")
@pytest.mark.parametrize(
    ("name", "options", "value", "slope"),
    [
        ("exp", {}, 7.3890561, 7.3890561),
        ("log", {}, 0.69314718, 0.5),
        ("tanh", {}, 0.96402758, 0.070650825),
        ("sigmoid", {}, 0.88079708, 0.10499359),
        ("power", {"exponent": 3}, 8.0, 12.0),
    ],
)
def test_functions(student, name, options, value, slope):
    """A function at 2: its value, and its slope."""
    found, slopes = gradients(student, name, [[2.0]], [[name, [0], options]], [1.0])
    expect.close(f"{name} at 2", found, np.array([value]), rtol=1e-6)
    expect.close(f"the slope of {name} at 2", slopes[0], np.array([slope]), rtol=1e-6)


@pytest.mark.item("framework.shapes")
def test_mean_of_rows(student):
    """The means of two rows of three: each entry gets a third."""
    x = [[1.0, 2.0, 6.0], [4.0, 4.0, 7.0]]
    program = [["mean", [0], {"axis": 1}]]
    value, found = gradients(student, "mean", [x], program, [3.0, 6.0])
    expect.close("the means", value, np.array([3.0, 5.0]))
    expect.close("the gradient", found[0], np.array([[1.0] * 3, [2.0] * 3]))


@pytest.mark.item("framework.matmul")
def test_matmul(student):
    """A product of matrices, and the gradient of the first."""
    arrays = [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]]
    value, found = gradients(student, "matmul", arrays, [["matmul", [0, 1], {}]], [[1.0, 10.0]])
    expect.close("the product", value, np.array([[13.0, 16.0]]))
    expect.close("the gradient of the first", found[0], np.array([[43.0, 65.0]]))


@pytest.mark.item("framework.convolution")
def test_conv2d(student):
    """A kernel of 2 x 2 on an image of 3 x 3."""
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    kernel = np.array([[1.0, 10.0], [100.0, 1000.0]]).reshape(2, 2, 1, 1)
    upstream = np.ones((1, 2, 2, 1))
    value, found = gradients(student, "conv2d", [x, kernel], [["conv2d", [0, 1], {}]], upstream)
    expect.close("the values", value.reshape(2, 2), np.array([[4310.0, 5421.0], [7643.0, 8754.0]]))
    expect.close("the kernel's gradient", found[1].reshape(2, 2), np.array([[8.0, 12], [20, 24]]))


@pytest.mark.item("framework.linear")
def test_linear(student):
    """A linear layer of two inputs and one output."""
    spec = {"name": "linear", "in_features": 2, "out_features": 1}
    layer = layer_of(student, spec, weight=[[2.0], [-1.0]], bias=[0.5])
    found = drive(student, "run", layer, np.array([[3.0, 4.0]]), np.array([[2.0]]))
    expect.close("its value", found["value"], np.array([[2.5]]))
    expect.close("the gradient of the weights", found["weight"], np.array([[6.0], [8.0]]))


@pytest.mark.item("framework.rnn")
def test_rnn(student):
    """Two steps of an RNN with one state."""
    spec = {"name": "rnn", "input_size": 1, "hidden_size": 1}
    layer = layer_of(student, spec, Wx=[[1.0]], Wh=[[0.5]], b=[0.0])
    found = drive(student, "run", layer, np.array([[[1.0]], [[-1.0]]]))
    expect.close("its states", found["value"].reshape(2), np.array([0.76159416, -0.55057282]))


@pytest.mark.item("framework.lstm")
def test_lstm(student):
    """One step of an LSTM with one state: the blocks are i, f, o, g."""
    spec = {"name": "lstm", "input_size": 1, "hidden_size": 1}
    weights = {"Wx": [[1.0, 9.0, 2.0, 3.0]], "Wh": [[0.0] * 4], "b": [0.0] * 4}
    layer = layer_of(student, spec, **weights)
    found = drive(student, "run", layer, np.array([[[1.0]]]))
    expect.close("its state", found["value"].reshape(1), np.array([0.54741426]))


@pytest.mark.item("framework.norms")
def test_batch_norm(student):
    """Batch norm of three numbers, with an eps of 1."""
    layer = layer_of(student, {"name": "batch_norm", "features": 1, "eps": 1.0})
    found = drive(student, "run", layer, np.array([[1.0], [2.0], [6.0]]))
    expect.close(
        "values", found["value"].reshape(3), np.array([-0.84016805, -0.42008403, 1.26025208])
    )


@pytest.mark.item("framework.losses")
def test_losses(student):
    """The mean squared error and the cross-entropy of two examples."""
    found = drive(student, "loss", "mse", np.array([1.0, 4.0]), np.array([2.0, 2.0]), None)
    expect.close("the mean squared error", found[0].reshape(()), 2.5)
    logits = np.array([[0.0, 0.0], [1.0, 3.0]])
    found = drive(student, "loss", "cross_entropy", logits, np.array([0, 1]), None)
    expect.close("the cross-entropy", found[0].reshape(()), 0.41003759)


@pytest.mark.item("framework.adam")
def test_adam(student):
    """The first step of Adam is the learning rate, whatever the gradient's size."""
    start, step = [np.array([1.0, 2.0])], [np.array([0.001, -70.0])]
    found = drive(student, "optimise", start, [step], ["adam", 0.1, {}])
    expect.close("after a step", found[0][0], np.array([0.9, 2.1]), rtol=1e-4)


@pytest.mark.item("framework.sgd")
def test_momentum(student):
    """Two steps with momentum 0.5 and the gradient 1."""
    found = drive(
        student, "optimise", [np.array([1.0])], [[np.ones(1)]] * 2, ["sgd", 0.1, {"momentum": 0.5}]
    )
    expect.close("after a step", found[0][0], np.array([0.9]))
    expect.close("after two", found[1][0], np.array([0.75]))


@pytest.mark.item("framework.loader")
def test_loader(student):
    """Five examples in batches of two: three batches, all in order."""
    x, y = np.arange(5.0), np.arange(5) * 10
    (epoch,) = drive(student, "epochs", x, y, 2, {"shuffle": False}, 1)
    expect.equal("the number of batches", len(epoch), 3)
    expect.close("the last inputs", epoch[-1][0], np.array([4.0]))
    expect.close("the last targets", epoch[-1][1], np.array([40]))
