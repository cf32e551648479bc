"""Hidden tests of mnist_mlp: minibatch_indices and TwoLayerMLP.

The network is compared with its own parts, called one by one in a second copy with the same
parameters: a mistake in Linear, ReLU or CrossEntropyLoss is the same on both sides and must not
show here again. Where gradients flow, all sizes and the batch are 5, for the same reason.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week1.mlp")
needs_layers = pytest.mark.needs("week1.linear", "week1.relu", "week1.cross_entropy")

SIZE = 5
LR = 0.3


def parameters(rng):
    """Return W and b of both layers of a square network."""
    return [0.7 * rng.normal(size=shape) for shape in ((SIZE, SIZE), SIZE) * 2]


def square(student, values):
    """Return a network of 5 inputs, 5 hidden units and 5 classes with these parameters."""
    model = student.mnist_mlp.TwoLayerMLP(SIZE, SIZE, SIZE)
    model.layer1.W, model.layer1.b, model.layer2.W, model.layer2.b = values
    return model


def batch(rng):
    """Return inputs and labels for the square network."""
    return rng.normal(size=(SIZE, SIZE)), rng.integers(0, SIZE, size=SIZE)


def by_hand(student, values, x, y):
    """Return a copy after its parts have been run on a batch one by one, and the loss."""
    copy = square(student, values)
    logits = copy.layer2.forward(copy.activation.forward(copy.layer1.forward(x)))
    value = copy.loss.forward(logits, y)
    upstream = copy.layer2.backward(copy.loss.backward())
    copy.layer1.backward(copy.activation.backward(upstream))
    return copy, value


def gradients(model):
    """Return the stored gradients, with the names that a message needs."""
    received = {
        f"{layer}.{name}": expect.array(f"{layer}.{name}", getattr(getattr(model, layer), name))
        for layer in ("layer1", "layer2")
        for name in ("dL_dW", "dL_db")
    }
    for label, gradient in received.items():
        expect.that(label, bool(np.any(gradient)), "the gradient is zero everywhere")
    return received


# minibatch_indices


def batches(student, count, size, generator):
    """Return the student's batches as a list of integer arrays."""
    received = student.mnist_mlp.minibatch_indices(count, size, generator)
    expect.that("minibatch_indices", isinstance(received, list), "it must return a list of arrays")
    return [expect.array(f"batch {number}", part) for number, part in enumerate(received)]


def test_batches_use_every_example_once(student):
    """In the batches of an epoch every example occurs exactly once."""
    received = batches(student, 20, 6, student.probe("generator")(1))
    expect.equal("all indices, sorted", np.sort(np.concatenate(received)), np.arange(20))


def test_batches_have_the_right_sizes(student):
    """20 examples in batches of 6 make batches of 6, 6, 6 and 2; 12 in batches of 4 make three."""
    for count, size, wanted in ((20, 6, [6, 6, 6, 2]), (12, 4, [4, 4, 4])):
        received = batches(student, count, size, student.probe("generator")(2))
        sizes = np.array([len(part) for part in received])
        expect.equal("sizes of the batches", sizes, np.array(wanted))


def test_batches_are_shuffled_anew(student):
    """The order is random, and another one in the next epoch."""
    generator = student.probe("generator")(4)
    first = np.concatenate(batches(student, 50, 50, generator))
    second = np.concatenate(batches(student, 50, 50, generator))
    sorted_order = np.array_equal(first, np.arange(50))
    expect.that("order of the examples", not sorted_order, "the examples are not shuffled")
    repeated = np.array_equal(first, second)
    expect.that("order of the examples", not repeated, "two epochs had the same order")


# TwoLayerMLP


def classifier(student, rng):
    """Return a network for 6 inputs and 3 classes, 12 examples, and its logits for them."""
    model, x = student.mnist_mlp.TwoLayerMLP(6, 4, 3), rng.normal(size=(12, 6))
    model.layer1.W, model.layer2.W = rng.normal(size=(4, 6)), rng.normal(size=(3, 4))
    model.layer1.b, model.layer2.b = rng.normal(size=4), np.array([0.1, 0.0, -0.1])
    logits = expect.array("logits", model.forward(x), (12, 3))
    expect.that("logits", float(np.ptp(logits)) > 0, "all logits are the same")
    return model, x, logits


@needs_layers
def test_default_sizes(student, rng):
    """TwoLayerMLP() has 784 inputs, 128 hidden units and 10 classes."""
    model, x = student.mnist_mlp.TwoLayerMLP(), rng.normal(size=(2, 784))
    expect.array("output of layer1", model.layer1.forward(x), (2, 128))
    expect.array("logits", model.forward(x), (2, 10))


@needs_layers
@pytest.mark.weight(2)
def test_forward(student, rng):
    """forward runs layer1, activation and layer2, and returns logits."""
    values, (x, _) = parameters(rng), batch(rng)
    copy = square(student, values)
    expected = copy.layer2.forward(copy.activation.forward(copy.layer1.forward(x)))
    expected = expect.array("layer2.forward", expected, (SIZE, SIZE))
    expect.that("layer2.forward", float(np.ptp(expected)) > 0, "all outputs are the same")
    expect.close("logits", square(student, values).forward(x), expected)


@needs_layers
@pytest.mark.weight(2)
def test_backward(student, rng):
    """backward goes back through layer2, activation and layer1."""
    values, (x, y) = parameters(rng), batch(rng)
    copy, _ = by_hand(student, values, x, y)
    model = square(student, values)
    model.loss.forward(model.forward(x), y)
    model.backward()
    received = gradients(model)
    for label, expected in gradients(copy).items():
        expect.close(label, received[label], expected)


@needs_layers
def test_backward_changes_no_parameter(student, rng):
    """backward computes gradients and changes no parameter: that is update_parameters' task."""
    values, (x, y) = parameters(rng), batch(rng)
    model = square(student, values)
    model.loss.forward(model.forward(x), y)
    model.backward()
    received = (model.layer1.W, model.layer1.b, model.layer2.W, model.layer2.b)
    for label, before, after in zip(("W1", "b1", "W2", "b2"), values, received, strict=True):
        expect.unchanged(label, before, after)


@needs_layers
@pytest.mark.weight(2)
def test_update_parameters(student, rng):
    """update_parameters changes W to W - lr dL_dW in both layers."""
    values, steps = parameters(rng), parameters(rng)
    model = square(student, values)
    model.layer1.dL_dW, model.layer1.dL_db, model.layer2.dL_dW, model.layer2.dL_db = steps
    model.update_parameters(LR)
    expect.close("layer1.W", model.layer1.W, values[0] - LR * steps[0])
    expect.close("layer2.W", model.layer2.W, values[2] - LR * steps[2])


@needs_layers
def test_update_parameters_includes_biases(student, rng):
    """update_parameters changes b to b - lr dL_db in both layers."""
    values, steps = parameters(rng), parameters(rng)
    model = square(student, values)
    model.layer1.dL_dW, model.layer1.dL_db, model.layer2.dL_dW, model.layer2.dL_db = steps
    model.update_parameters(LR)
    expect.close("layer1.b", model.layer1.b, values[1] - LR * steps[1])
    expect.close("layer2.b", model.layer2.b, values[3] - LR * steps[3])


@needs_layers
def test_train_step_returns_the_loss(student, rng):
    """train_step returns the loss that the batch had before the update."""
    values, (x, y) = parameters(rng), batch(rng)
    _, value = by_hand(student, values, x, y)
    value = expect.array("loss.forward", value, ())
    expect.that("loss.forward", bool(value), "the loss of random predictions is 0")
    expect.close("loss", square(student, values).train_step(x, y, LR), value)


@needs_layers
@pytest.mark.weight(2)
def test_train_step_learns(student, rng):
    """train_step moves all parameters against their gradients, by lr."""
    values, (x, y) = parameters(rng), batch(rng)
    copy, _ = by_hand(student, values, x, y)
    model = square(student, values)
    model.train_step(x, y, LR)
    received = (model.layer1.W, model.layer1.b, model.layer2.W, model.layer2.b)
    names = ("layer1.W", "layer1.b", "layer2.W", "layer2.b")
    steps = gradients(copy).values()
    for label, before, step, after in zip(names, values, steps, received, strict=True):
        expect.close(label, after, before - LR * step)


@needs_layers
def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x nor y."""
    x, y = batch(rng)
    kept_x, kept_y = student.keep(x), student.keep(y)
    square(student, parameters(rng)).train_step(kept_x, kept_y, LR)
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("y", y, student.fetch(kept_y))


@needs_layers
@pytest.mark.weight(2)
def test_predict(student, rng):
    """predict returns, for each row, the class with the largest logit, as integers (N,)."""
    model, x, logits = classifier(student, rng)
    received = expect.array("predict", model.predict(x), (12,))
    expect.that("predict", received.dtype.kind in "iu", f"dtype {received.dtype} is no integer")
    expect.equal("predict", received, logits.argmax(axis=1))


@needs_layers
def test_evaluate(student, rng):
    """evaluate returns the share of right predictions: 9 of 12 are 0.75."""
    model, x, logits = classifier(student, rng)
    y = logits.argmax(axis=1)
    y[:3] = (y[:3] + 1) % 3
    expect.close("accuracy", model.evaluate(x, y), 0.75)


@needs_layers
def test_gradient_norms(student, rng):
    """gradient_norms returns the Euclidean norm of dL_dW and dL_db of each layer."""
    steps = parameters(rng)
    model = square(student, parameters(rng))
    model.layer1.dL_dW, model.layer1.dL_db, model.layer2.dL_dW, model.layer2.dL_db = steps
    received = model.gradient_norms()
    expect.that("gradient_norms", isinstance(received, dict), "it must return a dict")
    norms = [float(np.sqrt(np.sum(step**2))) for step in steps]
    wanted = {"layer1": norms[:2], "layer2": norms[2:]}
    for layer, (weights, biases) in wanted.items():
        part = received.get(layer)
        expect.that(layer, isinstance(part, dict), f"gradient_norms has no dict at {layer!r}")
        expect.close(f"{layer}, W", part.get("W"), weights)
        expect.close(f"{layer}, b", part.get("b"), biases)
