"""Public tests of mnist_mlp.py, on a network of three inputs, hidden units and classes.

The network is compared with its own layers, called one by one in a second copy.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week1.mlp")
needs_layers = pytest.mark.needs("week1.linear", "week1.relu", "week1.cross_entropy")

X = np.array([[0.5, -1.0, 2.0], [1.5, 3.0, -0.5], [-2.0, 0.4, 1.0]])
Y = np.array([2, 0, 1])
PARAMETERS = (
    np.array([[1.0, 0.5, -0.3], [-0.7, 0.2, 0.9], [0.4, -0.6, 0.8]]),
    np.array([0.1, -0.2, 0.3]),
    np.array([[0.6, -0.4, 0.2], [0.3, 0.7, -0.5], [-0.8, 0.1, 0.9]]),
    np.array([-0.1, 0.2, 0.0]),
)


def small(student):
    """Return a network of 3 inputs, 3 hidden units and 3 classes with known parameters."""
    model = student.mnist_mlp.TwoLayerMLP(3, 3, 3)
    model.layer1.W, model.layer1.b, model.layer2.W, model.layer2.b = PARAMETERS
    return model


def test_batches(student):
    """The batches of an epoch have every example once; the last one has what is left."""
    generator = student.probe("generator")(0)
    received = student.mnist_mlp.minibatch_indices(10, 4, generator)
    expect.that("minibatch_indices", isinstance(received, list), "it must return a list of arrays")
    received = [expect.array(f"batch {number}", part) for number, part in enumerate(received)]
    sizes = np.array([len(part) for part in received])
    expect.equal("sizes of the batches", sizes, np.array([4, 4, 2]))
    expect.equal("all indices, sorted", np.sort(np.concatenate(received)), np.arange(10))


@needs_layers
def test_default_sizes(student):
    """TwoLayerMLP() turns rows of 784 numbers into 10 logits."""
    logits = student.mnist_mlp.TwoLayerMLP().forward(np.ones((2, 784)))
    expect.array("logits", logits, (2, 10))


@needs_layers
def test_forward(student):
    """forward runs layer1, activation and layer2."""
    copy = small(student)
    expected = copy.layer2.forward(copy.activation.forward(copy.layer1.forward(X)))
    expected = expect.array("layer2.forward", expected, (3, 3))
    expect.close("logits", small(student).forward(X), expected)


@needs_layers
def test_backward(student):
    """backward goes back through layer2, activation and layer1."""
    copy, model = small(student), small(student)
    logits = copy.layer2.forward(copy.activation.forward(copy.layer1.forward(X)))
    copy.loss.forward(logits, Y)
    upstream = copy.layer2.backward(copy.loss.backward())
    copy.layer1.backward(copy.activation.backward(upstream))
    model.loss.forward(model.forward(X), Y)
    model.backward()
    expected = expect.array("layer1.dL_dW", copy.layer1.dL_dW)
    expect.close("layer1.dL_dW", model.layer1.dL_dW, expected)


@needs_layers
def test_update_parameters(student):
    """update_parameters changes W to W - lr dL_dW and b to b - lr dL_db in both layers."""
    model, step = small(student), np.full((3, 3), 2.0)
    model.layer1.dL_dW, model.layer1.dL_db = step, step[0]
    model.layer2.dL_dW, model.layer2.dL_db = 3 * step, 3 * step[0]
    model.update_parameters(0.5)
    expect.close("layer1.W", model.layer1.W, PARAMETERS[0] - 1)
    expect.close("layer1.b", model.layer1.b, PARAMETERS[1] - 1)
    expect.close("layer2.W", model.layer2.W, PARAMETERS[2] - 3)
    expect.close("layer2.b", model.layer2.b, PARAMETERS[3] - 3)


@needs_layers
def test_train_step(student):
    """train_step returns the loss before the update, and then updates the parameters."""
    copy, model = small(student), small(student)
    value = expect.array("loss.forward", copy.loss.forward(copy.forward(X), Y), ())
    expect.close("loss", model.train_step(X, Y, 0.1), value)
    moved = not np.array_equal(expect.array("layer1.W", model.layer1.W), PARAMETERS[0])
    expect.that("layer1.W", moved, "it is the same as before the step")


@needs_layers
def test_predict_and_evaluate(student):
    """predict returns the class with the largest logit, evaluate the share of right ones."""
    model = small(student)
    best = expect.array("logits", model.forward(X), (3, 3)).argmax(axis=1)
    expect.equal("predict", model.predict(X), best)
    labels = np.array([best[0], best[1], (best[2] + 1) % 3])
    expect.close("accuracy", model.evaluate(X, labels), 2 / 3)


@needs_layers
def test_gradient_norms(student):
    """gradient_norms returns the Euclidean norm of every stored gradient, by layer and name."""
    model = small(student)
    model.layer1.dL_dW, model.layer1.dL_db = np.full((3, 3), 2.0), np.array([3.0, 4.0, 0.0])
    model.layer2.dL_dW, model.layer2.dL_db = np.full((3, 3), 1.0), np.zeros(3)
    received = model.gradient_norms()
    expect.that("gradient_norms", isinstance(received, dict), "it must return a dict")
    wanted = {"layer1": {"W": 6.0, "b": 5.0}, "layer2": {"W": 3.0, "b": 0.0}}
    for layer, norms in wanted.items():
        part = received.get(layer)
        expect.that(layer, isinstance(part, dict), f"gradient_norms has no dict at {layer!r}")
        for name, norm in norms.items():
            expect.close(f"{layer}, {name}", part.get(name), norm)
