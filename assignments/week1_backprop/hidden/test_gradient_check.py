"""Hidden tests of gradient_check, on functions and layers that are known to be right or wrong."""

import numpy as np
import pytest

from autograder.suite import expect

numerical = pytest.mark.item("week1.numerical_gradient")
check = pytest.mark.item("week1.gradient_check")
check_weights = pytest.mark.item("week1.gradient_check_weights")


# numerical_gradient


def measure(student, function, x, *args, **kwargs):
    """Run the student's numerical_gradient on a probe function."""
    module = student.gradient_check
    return module.numerical_gradient(student.probe(function), x, *args, **kwargs)


def waves_gradient(x):
    """Return the gradient of the probe `waves`, the sum of sin(x_i) (i + 1)."""
    return np.cos(x) * (1.0 + np.arange(x.size).reshape(x.shape))


@numerical
@pytest.mark.weight(2)
def test_numerical_gradient_of_a_smooth_function(student, rng):
    """The measured gradient of a smooth function agrees with the true one to 8 digits."""
    x = rng.normal(size=(3, 4))
    expect.close("gradient", measure(student, "waves", x), waves_gradient(x), rtol=1e-7)


@numerical
@pytest.mark.weight(2)
def test_numerical_gradient_is_central(student, rng):
    """The measured slope of x^3 is 3 x^2 + epsilon^2, as for central differences."""
    x = rng.normal(size=(2, 3))
    expect.close("gradient", measure(student, "cubes", x, 0.1), 3 * x**2 + 0.01)
    expect.close("gradient", measure(student, "cubes", x, epsilon=0.5), 3 * x**2 + 0.25)


@numerical
def test_numerical_gradient_moves_one_entry_at_a_time(student, rng):
    """While one entry moves, all others stand where they were."""
    x = rng.normal(size=6)
    a = np.arange(36.0).reshape(6, 6) % 7 - 2
    expected = (a + a.T) @ x + np.array([3.0, 0, 0, 0, 0, 0])
    expect.close("gradient", measure(student, "quadratic_form", x, 0.5), expected)


@numerical
def test_numerical_gradient_of_three_dimensions(student, rng):
    """f gets an array of x's own shape, and so does the gradient."""
    x = rng.normal(size=(2, 3, 2))
    expected = np.stack([x[1] ** 2, 2 * x[0] * x[1]])
    expect.close("gradient", measure(student, "halves", x), expected, rtol=1e-6)


@numerical
def test_numerical_gradient_of_other_dtypes(student):
    """Integer and float32 inputs are moved by epsilon like any others: it works in float64."""
    x = np.array([[1, -2, 3], [0, 5, -1]])
    for label, dtype in (("integers", np.int64), ("float32", np.float32)):
        received = measure(student, "waves", x.astype(dtype))
        expect.close(f"gradient at {label}", received, waves_gradient(x), rtol=1e-6)
        expect.dtype(f"gradient at {label}", received, np.float64)


@numerical
def test_numerical_gradient_keeps_x(student, rng):
    """x is exactly the same afterwards."""
    x = rng.normal(size=(3, 4))
    kept = student.keep(x)
    expect.close("gradient", measure(student, "waves", kept), waves_gradient(x))
    expect.unchanged("x", x, student.fetch(kept))


# gradient_check


def verdict(student, layer, x, *args, **kwargs):
    """Run the student's gradient_check."""
    return student.gradient_check.gradient_check(layer, x, *args, **kwargs)


def refuses(student, rng, fault):
    """Expect False for a layer with that fault, and True without it: a constant answer is none."""
    bump, x = student.probe("bump"), rng.normal(size=(8, 6))
    expect.equal("gradient_check of a right layer", verdict(student, bump(), x), True)
    received = verdict(student, bump(fault=fault), x)
    expect.equal(f"gradient_check, fault {fault}", received, False)


def accepts(student, name, x, **settings):
    """Expect True for a right layer, and False for the same one with a doubled gradient."""
    layer = student.probe(name)
    expect.equal("gradient_check of a right layer", verdict(student, layer(**settings), x), True)
    wrong = layer(fault="doubled", **settings)
    expect.equal("gradient_check, fault doubled", verdict(student, wrong, x), False)


@check
@pytest.mark.weight(2)
def test_check_accepts_right_layers(student, rng):
    """Layers whose dL_dx is right pass, for outputs of other shapes and for one example too."""
    for n in (4, 1):
        accepts(student, "bump", rng.normal(size=(n, 5)))
    for name in ("pairs", "swing"):
        received = verdict(student, student.probe(name)(), rng.normal(size=(4, 5)))
        expect.equal("gradient_check of a right layer", received, True)


@check
def test_check_accepts_a_right_layer_with_a_kink(student, rng):
    """A layer with a kink passes where all inputs keep a distance of 0.01 from it."""
    x = rng.normal(size=(10, 8))
    x = np.where(np.abs(x) < 0.01, 0.01, x)
    accepts(student, "bent", x)


@check
def test_check_refuses_a_wrong_factor(student, rng):
    """A dL_dx that is twice too large or has the wrong sign fails."""
    refuses(student, rng, "doubled")
    refuses(student, rng, "sign")


@check
@pytest.mark.weight(2)
def test_check_refuses_a_single_wrong_entry(student, rng):
    """One wrong entry of dL_dx, the very last, is enough to fail."""
    refuses(student, rng, "entry")


@check
@pytest.mark.weight(2)
def test_check_refuses_a_layer_that_ignores_its_upstream_gradient(student, rng):
    """A layer that is right only where dL/dy is all ones fails."""
    refuses(student, rng, "upstream")


@check
def test_check_refuses_another_shape(student, rng):
    """A dL_dx with its axes exchanged, or of NaN, fails, and raises nothing."""
    refuses(student, rng, "shape")
    refuses(student, rng, "nan")


@check
def test_check_uses_its_tolerance(student, rng):
    """A dL_dx that is wrong by 0.1 % fails by default, and passes with tolerance=0.01."""
    x, layer = rng.normal(size=(8, 6)), student.probe("bump")(fault="slightly")
    expect.equal("gradient_check", verdict(student, layer, x), False)
    expect.equal("gradient_check, tolerance 0.01", verdict(student, layer, x, tolerance=0.01), True)


@check
def test_check_is_relative(student, rng):
    """Right gradients of about a million pass, wrong ones of about a millionth fail."""
    x, layer = rng.normal(size=(4, 5)), student.probe("bump")
    right, wrong = layer(scale=1e6), layer(fault="doubled", scale=1e-6)
    expect.equal("gradient_check, large", verdict(student, right, x), True)
    expect.equal("gradient_check, small", verdict(student, wrong, x), False)


@check
def test_check_of_a_gradient_that_is_zero(student, rng):
    """A layer with a constant output and a gradient of 0 passes: 0 and 0 agree."""
    x = rng.normal(size=(4, 5))
    received = verdict(student, student.probe("constant")(), x)
    expect.equal("gradient_check of a right layer", received, True)
    received = verdict(student, student.probe("bump")(fault="doubled"), x)
    expect.equal("gradient_check, fault doubled", received, False)


@check
def test_check_keeps_x_and_parameters(student, rng):
    """x and the layer's parameters are exactly the same afterwards."""
    layer, x = student.probe("swing")(), rng.normal(size=(4, 5))
    W, b, kept = layer.W, layer.b, student.keep(x)
    expect.equal("gradient_check of a right layer", verdict(student, layer, kept), True)
    wrong = student.probe("bump")(fault="doubled")
    expect.equal("gradient_check, fault doubled", verdict(student, wrong, kept), False)
    expect.unchanged("x", x, student.fetch(kept))
    expect.unchanged("W", W, layer.W)
    expect.unchanged("b", b, layer.b)


# gradient_check_weights


def weights_verdict(student, layer, x, *args, **kwargs):
    """Run the student's gradient_check_weights."""
    return student.gradient_check.gradient_check_weights(layer, x, *args, **kwargs)


def refuses_weights(student, rng, **faults):
    """Expect False for a layer with these faults, and True without them."""
    swing, x = student.probe("swing"), rng.normal(size=(7, 5))
    right = weights_verdict(student, swing(), x)
    expect.equal("gradient_check_weights of a right layer", right, True)
    received = weights_verdict(student, swing(**faults), x)
    label = f"gradient_check_weights, faults {', '.join(f'{k}: {v}' for k, v in faults.items())}"
    expect.equal(label, received, False)


@check_weights
@pytest.mark.weight(2)
def test_check_weights_accepts_a_right_layer(student, rng):
    """A layer whose dL_dW and dL_db are right passes, with several examples and with one."""
    for n in (7, 1):
        received = weights_verdict(student, student.probe("swing")(), rng.normal(size=(n, 5)))
        expect.equal("gradient_check_weights of a right layer", received, True)
    refuses_weights(student, rng, weight_fault="doubled", bias_fault="doubled")


@check_weights
def test_check_weights_refuses_wrong_weight_gradients(student, rng):
    """A dL_dW that is twice too large, or wrong in one entry, fails, though dL_db is right."""
    refuses_weights(student, rng, weight_fault="doubled")
    refuses_weights(student, rng, weight_fault="entry")


@check_weights
@pytest.mark.weight(2)
def test_check_weights_refuses_wrong_bias_gradients(student, rng):
    """A dL_db that is twice too large, or wrong in one entry, fails, though dL_dW is right."""
    refuses_weights(student, rng, bias_fault="doubled")
    refuses_weights(student, rng, bias_fault="entry")


@check_weights
@pytest.mark.weight(2)
def test_check_weights_refuses_gradients_that_ignore_the_upstream_one(student, rng):
    """A dL_dW or dL_db that is right only where dL/dy is all ones fails."""
    refuses_weights(student, rng, weight_fault="upstream")
    refuses_weights(student, rng, bias_fault="upstream")


@check_weights
def test_check_weights_refuses_another_shape(student, rng):
    """A dL_db of shape (1, D) for biases of shape (D,) fails."""
    refuses_weights(student, rng, bias_fault="shape")


@check_weights
def test_check_weights_uses_its_tolerance(student, rng):
    """Gradients that are wrong by 0.1 % fail by default, and pass with tolerance=0.01."""
    x = rng.normal(size=(7, 5))
    layer = student.probe("swing")(weight_fault="slightly", bias_fault="slightly")
    expect.equal("gradient_check_weights", weights_verdict(student, layer, x), False)
    received = weights_verdict(student, layer, x, tolerance=0.01)
    expect.equal("gradient_check_weights, tolerance 0.01", received, True)


@check_weights
def test_check_weights_is_relative(student, rng):
    """Right gradients of about a million pass, wrong ones of about a millionth fail."""
    x = rng.normal(size=(7, 5))
    large = student.probe("swing")(scale=1e6)
    small = student.probe("swing")(scale=1e-6, weight_fault="doubled")
    expect.equal("gradient_check_weights, large", weights_verdict(student, large, x), True)
    expect.equal("gradient_check_weights, small", weights_verdict(student, small, x), False)


@check_weights
@pytest.mark.weight(2)
def test_check_weights_puts_the_parameters_back(student, rng):
    """W and b have their values back afterwards, whether the check passes or fails."""
    for faults in ({}, {"weight_fault": "doubled", "bias_fault": "doubled"}):
        layer = student.probe("swing")(**faults)
        W, b = layer.W, layer.b
        received = weights_verdict(student, layer, rng.normal(size=(7, 5)))
        label = f"gradient_check_weights of a {'wrong' if faults else 'right'} layer"
        expect.equal(label, received, not faults)
        expect.close("W afterwards", layer.W, W, rtol=0, atol=1e-12)
        expect.close("b afterwards", layer.b, b, rtol=0, atol=1e-12)


@check_weights
def test_check_weights_keeps_x(student, rng):
    """x is exactly the same afterwards."""
    x = rng.normal(size=(7, 5))
    kept, swing = student.keep(x), student.probe("swing")
    for label, layer in (("right", swing()), ("wrong", swing(bias_fault="doubled"))):
        received = weights_verdict(student, layer, kept)
        expect.equal(f"gradient_check_weights of a {label} layer", received, label == "right")
    expect.unchanged("x", x, student.fetch(kept))
