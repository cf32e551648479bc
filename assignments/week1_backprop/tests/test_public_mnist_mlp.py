"""Public tests of mnist_mlp.py.

`layers` and `loss_fn` of your network are replaced by made-up ones, of which the tests know what
they compute; or your own layers get weights that the tests know.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.batches import indices
from ..suite_tools.by_hand import of_mlp
from ..suite_tools.made_up import CLASSES, LR

mlp = pytest.mark.item("week1.mlp")
tools = pytest.mark.item("week1.tools")


@tools
def test_batches(student):
    """The batches of an epoch have every example once; the last one has what is left."""
    generator = student.probe("generator")(0)
    received = student.mnist_mlp.minibatch_indices(10, 4, generator)
    expect.that("minibatch_indices", isinstance(received, list), "it must return a list of arrays")
    received = [indices(f"batch {number}", part, 10) for number, part in enumerate(received)]
    sizes = np.array([len(part) for part in received])
    expect.equal("sizes of the batches", sizes, np.array([4, 4, 2]))
    expect.equal("all indices, sorted", np.sort(np.concatenate(received)), np.arange(10))


@tools
def test_batches_are_shuffled(student):
    """The examples come in an order drawn from rng, a new one in each epoch."""
    generator, orders = student.probe("generator")(0), []
    for _ in range(2):
        received = student.mnist_mlp.minibatch_indices(60, 25, generator)
        expect.that("minibatch_indices", isinstance(received, list), "it must return a list.")
        parts = [indices(f"batch {number}", part, 60) for number, part in enumerate(received)]
        orders.append(np.concatenate([np.zeros(0, int), *parts]))
        expect.equal("all indices, sorted", np.sort(orders[-1]), np.arange(60))
        shuffled = not np.array_equal(orders[-1], np.arange(60))
        expect.that("the order of an epoch", shuffled, "the examples come as they are, unshuffled.")
    again = np.array_equal(*orders)
    expect.that("the order of the next epoch", not again, "it is that of the first epoch.")


@tools
@pytest.mark.needs("week1.linear")
def test_generator_is_handed_on(student):
    """TwoLayerMLP(rng) hands its generator to both layers: the same seed, the same weights."""
    models = [student.mnist_mlp.TwoLayerMLP(student.probe("generator")(1)) for _ in range(2)]
    for number in (0, 2):
        first, again = (model.layers[number].W for model in models)
        # Which weights a seed gives is up to the student.
        expect.repeated(f"layers[{number}].W from the same seed", first, again)


@mlp
@pytest.mark.needs("week1.linear", "week1.relu")
def test_sizes(student):
    """TwoLayerMLP() has three layers; it turns rows of 784 numbers into 10 logits."""
    model = student.mnist_mlp.TwoLayerMLP()
    expect.array("logits", model.forward(np.ones((2, 784))), (2, 10))
    layers = model.layers
    several = isinstance(layers, list | tuple) and len(layers) == 3
    expect.that("layers", several, "expected a list of three: Linear, ReLU and Linear.")


@mlp
def test_forward(student, rng):
    """forward runs all layers, first to last."""

    def check(case):
        expect.close("logits", case.network.forward(case.x), case.parts.logits(case.x))

    of_mlp(student, rng, check)


@mlp
def test_backward(student, rng):
    """backward goes back through all layers, last to first; each stores its gradients."""

    def check(case):
        dL_dy = rng.normal(size=(len(case.x), CLASSES))
        case.network.forward(case.x)
        case.network.backward(dL_dy)
        case.parts.compare(case.parts.gradients(case.x, dL_dy), gradients=True)

    of_mlp(student, rng, check)


@mlp
def test_update_parameters(student, rng):
    """update_parameters changes W to W - lr dL_dW and b to b - lr dL_db in both layers."""

    def check(case):
        dL_dy = rng.normal(size=(len(case.x), CLASSES))
        case.network.forward(case.x)
        case.network.backward(dL_dy)
        case.network.update_parameters(LR)
        case.parts.compare(case.parts.after(case.x, dL_dy, LR))

    of_mlp(student, rng, check)


@mlp
def test_train_step(student, rng):
    """train_step returns the loss before the update, and then updates the parameters."""

    def check(case):
        expect.close("loss", case.network.train_step(case.x, case.y, LR), case.value())
        case.parts.compare(case.after_a_step())

    of_mlp(student, rng, check)


@mlp
def test_predict_and_evaluate(student, rng):
    """predict returns the class with the largest logit, evaluate the share of right ones."""

    def check(case):
        best = case.parts.logits(case.x).argmax(axis=1)
        expect.equal("predict", case.network.predict(case.x), best)
        labels = np.where(np.arange(len(best)) == 0, (best + 1) % CLASSES, best)
        received = case.network.evaluate(case.x, labels)
        share = (len(best) - 1) / len(best)
        expect.any_of(
            lambda: expect.close("accuracy", received, share),
            lambda: expect.close("accuracy", received, 100.0 * share),
        )

    of_mlp(student, rng, check)


@tools
def test_gradient_norms(student, rng):
    """gradient_norms returns the Euclidean norms of the stored gradients, layer by layer."""

    def check(case):
        upstream = rng.normal(size=(len(case.x), CLASSES))
        gradients = case.parts.store_gradients(case.x, upstream)
        received = case.network.gradient_norms()
        several = isinstance(received, list) and len(received) == 2
        expect.that("gradient_norms", several, "expected a list of two, one for each Linear layer.")
        for number, (norms, gradient) in enumerate(zip(received, gradients, strict=True)):
            for name in "Wb":
                label = f"gradient_norms()[{number}][{name!r}]"
                named = isinstance(norms, dict) and name in norms
                expect.that(label, named, "there is none.")
                expect.close(label, norms[name], float(np.sqrt(np.sum(gradient[name] ** 2))))

    of_mlp(student, rng, check)
