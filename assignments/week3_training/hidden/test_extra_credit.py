"""Hidden tests of extra_credit.py: gradients in depth, statistics of activations, clipping.

Gradients are compared with exact derivatives of the network (autograder.suite.derivatives).
LayerNorm and initialisation are in test_extra_credit_layers.py.
"""

import itertools

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu, vjp
from autograder.suite.hidden.warned import no_warnings

gradient_norms = pytest.mark.item("week3.gradient_norms")
activation_tool = pytest.mark.item("week3.activation_tool")
gradient_clipping = pytest.mark.item("week3.gradient_clipping")


# Gradient norms


def network(weights, activation):
    """Return the function from x to the output of a network with these weights."""

    def run(x):
        for W in weights:
            x = relu(x @ W.T) if activation == "relu" else np.tanh(x @ W.T)
        return x

    return run


def norms_of(weights, x, dL_dy, activation):
    """Return the norm of the gradient with respect to each layer's input."""
    norms = []
    for number in range(len(weights)):
        before, behind = (
            network(weights[:number], activation),
            network(weights[number:], activation),
        )
        [gradient] = vjp(behind, [before(x)], dL_dy)
        norms.append(float(np.sqrt(np.sum(gradient**2))))
    return norms


def check_norms(student, weights, x, dL_dy, activation):
    """Compare the student's list with the right one."""
    received = student.extra_credit.gradient_norms(weights, x, dL_dy, activation)
    expect.that("gradient_norms", isinstance(received, list), "it must return a list of numbers")
    expect.equal("number of norms", len(received), len(weights))
    norms = [expect.array(f"norm {k}", norm, ()) for k, norm in enumerate(received)]
    expect.close("norms", np.array(norms), norms_of(weights, x, dL_dy, activation), atol=0)


def layers(rng, *sizes, scale=1.0):
    """Return random weights for layers of these sizes, inputs first."""
    pairs = itertools.pairwise(sizes)
    return [scale * rng.normal(size=(after, before)) for before, after in pairs]


@gradient_norms
@pytest.mark.weight(2)
def test_gradient_norms_relu(student, rng):
    """Norms through three layers of different sizes with ReLU, first layer first."""
    weights, x = layers(rng, 4, 6, 5, 3), rng.normal(size=(7, 4))
    check_norms(student, weights, x, rng.normal(size=(7, 3)), "relu")


@gradient_norms
@pytest.mark.weight(2)
def test_gradient_norms_tanh(student, rng):
    """Norms through three layers of different sizes with tanh, first layer first."""
    weights, x = layers(rng, 4, 6, 5, 3, scale=0.5), rng.normal(size=(7, 4))
    check_norms(student, weights, x, rng.normal(size=(7, 3)), "tanh")


@gradient_norms
def test_gradient_norms_default(student, rng):
    """Without the name of an activation it is ReLU."""
    weights, x, dL_dy = layers(rng, 3, 5, 4), rng.normal(size=(6, 3)), rng.normal(size=(6, 4))
    received = student.extra_credit.gradient_norms(weights, x, dL_dy)
    expect.that("gradient_norms", isinstance(received, list), "it must return a list of numbers")
    norms = [expect.array(f"norm {k}", norm, ()) for k, norm in enumerate(received)]
    expect.close("norms", np.array(norms), norms_of(weights, x, dL_dy, "relu"))


@gradient_norms
def test_gradient_norms_one_layer(student, rng):
    """A network of one layer gives one norm: that of the gradient with respect to x."""
    weights = layers(rng, 4, 3)
    check_norms(student, weights, rng.normal(size=(5, 4)), rng.normal(size=(5, 3)), "tanh")


@gradient_norms
def test_gradient_norms_square_layers(student, rng):
    """With layers that are all of the same size W and its transpose are still two things."""
    weights, x = layers(rng, 4, 4, 4, 4, 4), rng.normal(size=(5, 4))
    check_norms(student, weights, x, rng.normal(size=(5, 4)), "relu")


@gradient_norms
def test_gradient_norms_deep(student, rng):
    """Thirty layers: small weights let the norms vanish, which must not be rounded away."""
    weights, x = layers(rng, *[5] * 31, scale=0.05), rng.normal(size=(4, 5))
    check_norms(student, weights, x, rng.normal(size=(4, 5)), "tanh")


@gradient_norms
def test_gradient_norms_at_the_kink(student):
    """ReLU's slope at 0 is 0: behind units that are all at 0 no gradient is left."""
    weights = [np.array([[1.0, -1.0], [1.0, 1.0]]), np.array([[1.0, 2.0]])]
    x = np.array([[1.0, 1.0], [0.0, 0.0], [-1.0, -1.0]])  # W_1 x: (0, 2), (0, 0) and (0, -2)
    dL_dy = np.array([[2.0], [3.0], [5.0]])
    received = student.extra_credit.gradient_norms(weights, x, dL_dy, "relu")
    expect.that("gradient_norms", isinstance(received, list), "it must return a list of numbers")
    norms = [expect.array(f"norm {k}", norm, ()) for k, norm in enumerate(received)]
    expect.close("norms", np.array(norms), [np.sqrt(32.0), np.sqrt(20.0)])


@gradient_norms
def test_gradient_norms_arguments(student, rng):
    """gradient_norms changes neither the weights nor x nor dL_dy."""
    arrays = [*layers(rng, 3, 4, 2), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))]
    kept = [student.keep(array) for array in arrays]
    received = student.extra_credit.gradient_norms(kept[:2], kept[2], kept[3], "relu")
    expect.that("gradient_norms", isinstance(received, list), "it must return a list of numbers")
    norms = [expect.array(f"norm {k}", norm, ()) for k, norm in enumerate(received)]
    wanted = norms_of(arrays[:2], *arrays[2:], "relu")
    expect.close("norms", np.array(norms), wanted)
    for label, array, handle in zip(("W_1", "W_2", "x", "dL_dy"), arrays, kept, strict=True):
        expect.unchanged(label, array, student.fetch(handle))


@gradient_norms
def test_gradient_norms_refuses_other_activations(student, rng):
    """An activation other than "relu" and "tanh" is a ValueError."""
    weights, x, dL_dy = layers(rng, 3, 2), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    check_norms(student, weights, x, dL_dy, "relu")
    call = student.extra_credit.gradient_norms
    expect.raises("activation 'cube'", call, "ValueError", weights, x, dL_dy, "cube")


# Statistics of activations


def check_statistics(student, activations, expected):
    """Compare the student's list of dicts with the right one."""
    received = student.extra_credit.activation_statistics(activations)
    expect.that("activation_statistics", isinstance(received, list), "it must return a list")
    expect.equal("number of layers", len(received), len(activations))
    for number, (part, wanted) in enumerate(zip(received, expected, strict=True), start=1):
        expect.that(f"layer {number}", isinstance(part, dict), "there must be a dict for it")
        for name, value in wanted.items():
            expect.close(f"layer {number}, {name}", part.get(name), value)


def rectified(rng, count, units, dead):
    """Return activations of ReLU units, of which the first `dead` are 0 throughout."""
    h = np.maximum(rng.normal(size=(count, units)), 0.0)
    h[0, dead:], h[:, :dead] = 0.5, 0.0
    return h


@activation_tool
@pytest.mark.weight(2)
def test_statistics_mean_and_deviation(student, rng):
    """mean and deviation are over all entries of a layer; the deviation is the root's."""
    activations = [2.0 + 3.0 * rng.normal(size=(9, 4)), -1.0 + 0.2 * rng.normal(size=(9, 6))]
    expected = [
        {"mean": h.mean(), "deviation": np.sqrt(((h - h.mean()) ** 2).mean())} for h in activations
    ]
    check_statistics(student, activations, expected)


@activation_tool
@pytest.mark.weight(2)
def test_statistics_dead(student, rng):
    """dead is the share of units that are 0 or less for every example: here 3 / 8, 0 and 1."""
    activations = [rectified(rng, 10, 8, dead) for dead in (3, 0, 8)]
    check_statistics(student, activations, [{"dead": 3 / 8}, {"dead": 0.0}, {"dead": 1.0}])


@activation_tool
def test_statistics_dead_with_negative_values(student):
    """A unit that is negative throughout is dead as well; one positive value is enough to live."""
    h = np.array([[-1.0, -0.1, 0.0], [-2.0, 0.3, -0.0], [-0.5, -4.0, -1.0]])
    check_statistics(student, [h], [{"dead": 2 / 3}])


@activation_tool
def test_statistics_arguments(student, rng):
    """activation_statistics changes none of the arrays."""
    h = rng.normal(size=(6, 3))
    kept = student.keep(h)
    received = student.extra_credit.activation_statistics([kept])
    expect.that("activation_statistics", isinstance(received, list), "it must return a list")
    expect.equal("number of layers", len(received), 1)
    expect.that("layer 1", isinstance(received[0], dict), "there must be a dict for it")
    expect.close("layer 1, mean", received[0].get("mean"), h.mean())
    expect.unchanged("the activations", h, student.fetch(kept))


# Clipping


def gradients(rng, scale):
    """Return three arrays of different shapes and sizes whose total norm is `scale`."""
    arrays = [rng.normal(size=(4, 3)), 0.1 * rng.normal(size=5), 3.0 * rng.normal(size=(2, 2))]
    total = np.sqrt(sum(np.sum(array**2) for array in arrays))
    return [scale / total * array for array in arrays]


def check_arrays(received, expected):
    """Compare a list of arrays with the right one."""
    expect.that("result", isinstance(received, (list, tuple)), "it must be a list of arrays")
    expect.equal("number of arrays", len(received), len(expected))
    for number, (array, wanted) in enumerate(zip(received, expected, strict=True)):
        expect.close(f"array {number}", array, wanted, rtol=1e-5)


def check_norm(student, arrays, max_norm, factor, total):
    """Clip by norm, and compare the arrays and the norm with the right ones."""
    received = student.extra_credit.clip_by_norm(arrays, max_norm)
    pair = isinstance(received, (list, tuple)) and len(received) == 2
    expect.that("clip_by_norm", pair, "it must return two things: a list of arrays, and a number")
    check_arrays(received[0], [factor * array for array in arrays])
    expect.close("total norm", received[1], total, rtol=1e-5)


@gradient_clipping
def test_clip_by_value(student, rng):
    """clip_by_value brings every entry into the range from -limit to limit, and leaves others."""
    arrays = gradients(rng, 10.0)
    received = student.extra_credit.clip_by_value(arrays, 0.8)
    check_arrays(received, [np.minimum(np.maximum(array, -0.8), 0.8) for array in arrays])


@gradient_clipping
def test_clip_by_value_below_the_limit(student, rng):
    """clip_by_value with a limit that no entry reaches changes nothing."""
    arrays = gradients(rng, 1.0)
    check_arrays(student.extra_credit.clip_by_value(arrays, 2.0), arrays)
    large = [10.0 * array for array in arrays]
    clipped = [np.clip(array, -0.5, 0.5) for array in large]
    check_arrays(student.extra_credit.clip_by_value(large, 0.5), clipped)


@gradient_clipping
@pytest.mark.weight(3)
def test_clip_by_norm(student, rng):
    """clip_by_norm scales all arrays by one factor, by their norm together."""
    check_norm(student, gradients(rng, 12.0), 3.0, 0.25, 12.0)


@gradient_clipping
@pytest.mark.weight(2)
def test_clip_by_norm_below_the_limit(student, rng):
    """Gradients whose total norm is below max_norm stay as they are; the norm is returned."""
    check_norm(student, gradients(rng, 2.0), 5.0, 1.0, 2.0)


@gradient_clipping
def test_clip_by_norm_small_arrays(student, rng):
    """Arrays that are each below max_norm are scaled if together they are above it."""
    arrays = [np.full(4, 0.4), np.full((2, 2), 0.4), np.full(4, -0.4), np.full(4, 0.4)]
    check_norm(student, arrays, 1.0, 1 / 1.6, 1.6)


@gradient_clipping
def test_clip_by_norm_of_zeros(student):
    """Gradients of 0 stay 0, with norm 0 and without a warning; others are scaled."""
    check_norm(student, [np.zeros((3, 2)), np.zeros(4)], 1.0, 1.0, 0.0)
    check_norm(student, [np.zeros((3, 2)), np.full(4, 2.0)], 1.0, 0.25, 4.0)
    no_warnings(student)


@gradient_clipping
@pytest.mark.weight(2)
def test_clipping_changes_no_argument(student, rng):
    """Neither function changes the arrays that it is given."""
    for name, limit in (("clip_by_value", 0.5), ("clip_by_norm", 1.0)):
        arrays = gradients(rng, 8.0)
        kept = [student.keep(array) for array in arrays]
        received = getattr(student.extra_credit, name)(kept, limit)
        result = isinstance(received, (list, tuple)) and len(received) > 0
        expect.that(name, result, "it must return the clipped arrays")
        by_value = [np.clip(array, -limit, limit) for array in arrays]
        by_norm = [limit / 8.0 * array for array in arrays]
        is_value = name == "clip_by_value"
        check_arrays(received if is_value else received[0], by_value if is_value else by_norm)
        for number, (array, handle) in enumerate(zip(arrays, kept, strict=True)):
            expect.unchanged(f"{name}: array {number}", array, student.fetch(handle))


@gradient_clipping
def test_clipping_refuses_limits_that_are_not_positive(student, rng):
    """limit and max_norm must be positive: 0 and -1 are a ValueError."""
    arrays, module = gradients(rng, 2.0), student.extra_credit
    check_arrays(module.clip_by_value(arrays, 5.0), arrays)
    check_norm(student, arrays, 5.0, 1.0, 2.0)
    for limit in (0.0, -1.0):
        expect.raises(f"limit {limit}", module.clip_by_value, "ValueError", arrays, limit)
        expect.raises(f"max_norm {limit}", module.clip_by_norm, "ValueError", arrays, limit)
