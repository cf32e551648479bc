"""No checks: whether layers and optimizers work on whole arrays, and derive their gradients.

What is noticed here becomes a flag, for a person to look at, and takes no point.
"""

import numpy as np
import pytest

from autograder.suite.hidden import conduct

pytestmark = pytest.mark.flag(conduct.LOOPS)

OPTIMIZERS = {
    "SGD": "week3.sgd",
    "SGDMomentum": "week3.momentum",
    "RMSprop": "week3.rmsprop",
    "Adam": "week3.adam",
}
TINY = 1e-30
"""An eps that counts for nothing, wherever it stands."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.item(i), id=n) for n, i in OPTIMIZERS.items()]
)
def test_optimizer(student, rng, name):
    """A step moves whole arrays; it may go through the parameters one by one."""

    def run(rows, columns):
        data, grad = rng.normal(size=(rows, columns)), rng.normal(size=(rows, columns))
        p = student.probe("parameter")(data, grad)
        optimizer = getattr(student.optimizers, name)([p], lr=0.1)
        optimizer.step()
        return {f"{name}.step": student.trace(optimizer.step)}

    conduct.on_whole_arrays(run)


def normalisation_gradient(x, g, axis):
    """Return dL/dx of (x - mean) / deviation over an axis, for the upstream gradient g."""
    centred, deviation = x - x.mean(axis, keepdims=True), x.std(axis, keepdims=True)
    x_hat = centred / deviation
    through_variance = x_hat * (g * x_hat).mean(axis, keepdims=True)
    return (g - g.mean(axis, keepdims=True) - through_variance) / deviation


@pytest.mark.item("week3.batch_norm_forward")
def test_batch_norm_forward(student, rng):
    """Batch normalisation works on whole batches."""

    def run(batch, features):
        layer = student.batch_norm.BatchNorm1d(features, momentum=0.0)
        x = rng.normal(size=(batch, features))
        return {"BatchNorm1d.forward": student.trace(layer.forward, x)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.batch_norm_modes")
def test_batch_norm_modes(student, rng):
    """Running statistics are those of whole batches."""

    def run(batch, features):
        layer = student.batch_norm.BatchNorm1d(features)
        x = rng.normal(size=(batch, features))
        training = student.trace(layer.forward, x)
        layer.eval()
        evaluation = student.trace(layer.forward, x)
        return {
            "BatchNorm1d.forward in training": training,
            "BatchNorm1d.forward in evaluation": evaluation,
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.batch_norm_backward")
def test_batch_norm_backward(student, rng):
    """The gradient of batch normalisation is derived, and works on whole batches."""

    def run(batch, features):
        layer = student.batch_norm.BatchNorm1d(features, eps=TINY, momentum=0.0)
        gamma = rng.uniform(0.5, 2, size=features)
        layer.gamma = gamma
        x, dL_dy = rng.normal(size=(batch, features)), rng.normal(size=(batch, features))
        student.trace(layer.forward, x)
        exact = normalisation_gradient(x, gamma * dL_dy, 0)
        return {"BatchNorm1d.backward": student.trace(layer.backward, dL_dy).beside(exact)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.layer_norm")
def test_layer_norm(student, rng):
    """Layer normalisation works on whole batches and derives its gradient."""

    def run(batch, features):
        layer = student.extra_credit.LayerNorm(features, eps=TINY)
        gamma = rng.uniform(0.5, 2, size=features)
        layer.gamma = gamma
        x, dL_dy = rng.normal(size=(batch, features)), rng.normal(size=(batch, features))
        forward = student.trace(layer.forward, x)
        exact = normalisation_gradient(x, gamma * dL_dy, 1)
        backward = student.trace(layer.backward, dL_dy).beside(exact)
        return {"LayerNorm.forward": forward, "LayerNorm.backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.dropout")
def test_dropout(student, rng):
    """Dropout draws for whole arrays."""

    def run(batch, features):
        layer = student.regularization.Dropout(0.5)
        x, dL_dy = rng.normal(size=(batch, features)), rng.normal(size=(batch, features))
        forward = student.trace(layer.forward, x)
        return {
            "Dropout.forward": forward,
            "Dropout.backward": student.trace(layer.backward, dL_dy),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.l2")
def test_l2(student, rng):
    """The penalty goes through the arrays one by one, not through their entries."""

    def run(rows, columns):
        penalty, weights = student.regularization.L2(0.1), [rng.normal(size=(rows, columns))]
        return {
            "L2.penalty": student.trace(penalty.penalty, weights),
            "L2.gradients": student.trace(penalty.gradients, weights),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.gradient_norms")
def test_gradient_norms(student, rng):
    """gradient_norms goes through the layers, not through the batch."""

    def run(batch, features):
        weights = [rng.normal(size=(3, features)), rng.normal(size=(2, 3))]
        x, dL_dy = rng.normal(size=(batch, features)), rng.normal(size=(batch, 2))
        norms = student.trace(student.extra_credit.gradient_norms, weights, x, dL_dy)
        return {"gradient_norms": norms}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.activation_tool")
def test_activation_statistics(student, rng):
    """activation_statistics goes through the layers, not through the batch."""

    def run(batch, units):
        activations = [rng.normal(size=(batch, units)), rng.normal(size=(batch, 3))]
        tool = student.extra_credit.activation_statistics
        return {"activation_statistics": student.trace(tool, activations)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week3.gradient_clipping")
def test_clipping(student, rng):
    """Clipping goes through the arrays one by one, not through their entries."""

    def run(rows, columns):
        gradients = [rng.normal(size=(rows, columns))]
        extra = student.extra_credit
        return {
            "clip_by_value": student.trace(extra.clip_by_value, gradients, 0.5),
            "clip_by_norm": student.trace(extra.clip_by_norm, gradients, 0.5),
        }

    conduct.on_whole_arrays(run)
