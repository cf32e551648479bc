"""Hidden tests of gradient_check.py, on functions and layers known to be right or wrong."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.checked import (
    CurveMaker,
    Function,
    MixerMaker,
    doubled,
    in_either_form,
    last_entry,
    negative,
    says_right,
    slightly,
)

numerical = pytest.mark.item("week1.numerical_gradient")
check = pytest.mark.item("week1.gradient_check")
check_weights = pytest.mark.item("week1.gradient_check_weights")


# numerical_gradient


@numerical
@pytest.mark.weight(2)
def test_numerical_gradient_of_a_smooth_function(student, rng):
    """The measured gradient of a smooth function agrees with the true one."""
    x, f = rng.normal(size=(3, 4)), Function(student, rng, (3, 4))
    received = student.gradient_check.numerical_gradient(f.handle, x)
    expect.close("gradient", received, f.measured(x, 0.0), rtol=1e-6, atol=1e-7)


@numerical
@pytest.mark.weight(2)
def test_numerical_gradient_is_central(student, rng):
    """The measured slope of x^3 is 3 x^2 + epsilon^2, as for central differences."""
    x, f = rng.normal(size=(2, 3)), Function(student, rng, (2, 3))
    measure = student.gradient_check.numerical_gradient
    expect.close("gradient", measure(f.handle, x, 0.1), f.measured(x, 0.1))
    expect.close("gradient", measure(f.handle, x, epsilon=0.5), f.measured(x, 0.5))


@numerical
def test_numerical_gradient_moves_one_entry_at_a_time(student, rng):
    """While one entry moves, all others stand where they were."""
    x, f = rng.normal(size=6), Function(student, rng, (6,))
    received = student.gradient_check.numerical_gradient(f.handle, x, 0.5)
    expect.close("gradient", received, f.measured(x, 0.5))


@numerical
def test_numerical_gradient_keeps_x(student, rng):
    """x has its values back afterwards."""
    x, f = rng.normal(size=(3, 4)), Function(student, rng, (3, 4))
    kept = student.keep(x)
    received = student.gradient_check.numerical_gradient(f.handle, kept)
    expect.close("gradient", received, f.measured(x, 0.0), rtol=1e-5, atol=1e-6)
    expect.close("x afterwards", student.fetch(kept), x, rtol=0, atol=1e-9)


# gradient_check

SHAPE = (8, 6)


def expect_check(student, layer, x, wanted, said, **settings):
    """Expect what the student's gradient_check says of a layer."""
    received = student.gradient_check.gradient_check(layer, x, **settings)
    expect.equal(f"gradient_check of {said}", received, wanted)


def refuses(student, rng, fault, said):
    """Expect False for a layer with that fault, and True without it: a constant answer is none."""
    curve, x = CurveMaker(student, rng, SHAPE), rng.normal(size=SHAPE)
    expect_check(student, curve.right(), x, True, "a right layer")
    expect_check(student, curve.wrong(fault), x, False, said)


@check
@pytest.mark.weight(2)
def test_check_accepts_right_layers(student, rng):
    """Layers whose dL_dx is right pass, for outputs of other shapes and for one example too."""
    for n in (4, 1):
        curve, x = CurveMaker(student, rng, (n, 5)), rng.normal(size=(n, 5))
        expect_check(student, curve.right(), x, True, "a right layer")
        expect_check(student, curve.wrong(doubled), x, False, "a layer that is twice too large")
    x = rng.uniform(0.3, 1.2, size=(4, 5))
    for layer in (student.probe("pairs")(), MixerMaker(student, rng, row=False).right()):
        expect_check(student, layer, x, True, "a right layer with fewer outputs")


@check
def test_check_accepts_a_right_layer_with_a_kink(student, rng):
    """A layer with a kink passes where all inputs keep a distance of 0.01 from it."""
    x = rng.normal(size=(10, 8))
    x = np.where(np.abs(x) < 0.01, 0.01, x)
    curve = CurveMaker(student, rng, x.shape, bend=0.8)
    expect_check(student, curve.right(), x, True, "a right layer with a kink")
    expect_check(student, curve.wrong(doubled), x, False, "a layer that is twice too large")


@check
def test_check_refuses_a_wrong_factor(student, rng):
    """A dL_dx that is twice too large or has the wrong sign fails."""
    refuses(student, rng, doubled, "a layer that is twice too large")
    refuses(student, rng, negative, "a layer with the wrong sign")


@check
@pytest.mark.weight(2)
def test_check_refuses_a_single_wrong_entry(student, rng):
    """One wrong entry of dL_dx, the very last, is enough to fail."""
    refuses(student, rng, last_entry, "a layer with one wrong entry")


@check
def test_check_uses_its_tolerance(student, rng):
    """A dL_dx that is wrong by 0.1 % fails by default, and passes with tolerance=0.01."""
    x = rng.normal(size=SHAPE)
    layer = CurveMaker(student, rng, SHAPE).wrong(slightly)
    expect_check(student, layer, x, False, "a layer that is wrong by 0.1 %")
    expect_check(student, layer, x, True, "the same with tolerance 0.01", tolerance=0.01)


@check
def test_check_keeps_x_and_parameters(student, rng):
    """x and the layer's parameters have the same values afterwards."""
    layer, x = MixerMaker(student, rng, row=False).right(), rng.uniform(0.3, 1.2, size=(4, 5))
    W, b, kept = layer.W, layer.b, student.keep(x)
    expect_check(student, layer, kept, True, "a right layer")
    wrong = CurveMaker(student, rng, (4, 5)).wrong(doubled)
    expect_check(student, wrong, kept, False, "a layer that is twice too large")
    expect.close("x afterwards", student.fetch(kept), x, rtol=0, atol=1e-9)
    expect.unchanged("W", W, layer.W)
    expect.unchanged("b", b, layer.b)


# gradient_check_weights


def expect_weights(student, layer, x, wanted, said):
    """Expect what the student's gradient_check_weights says of a layer."""
    label = f"gradient_check_weights of {said}"
    received = student.gradient_check.gradient_check_weights(layer, x)
    expect.equal(label, says_right(label, received), wanted)


def inputs(rng, n=7):
    """Return inputs for a mixer."""
    return rng.uniform(0.3, 1.2, size=(n, 5))


@check_weights
@pytest.mark.weight(2)
def test_check_weights_accepts_a_right_layer(student, rng):
    """A layer whose dL_dW and dL_db are right passes, with several examples and with one."""

    def run(row):
        mixer = MixerMaker(student, rng, row)
        for n in (7, 1):
            expect_weights(student, mixer.right(), inputs(rng, n), True, "a right layer")
        wrong = mixer.wrong(W=doubled, b=doubled)
        expect_weights(student, wrong, inputs(rng), False, "a layer that is twice too large")

    in_either_form(run)


@check_weights
@pytest.mark.weight(2)
def test_check_weights_refuses_wrong_weight_gradients(student, rng):
    """A dL_dW that is twice too large, or has the wrong sign, fails, though dL_db is right."""

    def run(row):
        mixer, x = MixerMaker(student, rng, row), inputs(rng)
        expect_weights(student, mixer.right(), x, True, "a right layer")
        for fault, said in ((doubled, "twice too large"), (negative, "of the wrong sign")):
            expect_weights(student, mixer.wrong(W=fault), x, False, f"a layer with dL_dW {said}")

    in_either_form(run)


@check_weights
def test_check_weights_refuses_a_single_wrong_entry(student, rng):
    """One wrong entry of dL_dW, the very last, is enough to fail."""

    def run(row):
        mixer, x = MixerMaker(student, rng, row), inputs(rng)
        expect_weights(student, mixer.right(), x, True, "a right layer")
        wrong = mixer.wrong(W=last_entry)
        expect_weights(student, wrong, x, False, "a layer with one wrong entry in dL_dW")

    in_either_form(run)


@check_weights
@pytest.mark.weight(2)
def test_check_weights_puts_the_parameters_back(student, rng):
    """W and b have their values back afterwards, whether the check passes or fails."""

    def run(row):
        mixer, x = MixerMaker(student, rng, row), inputs(rng)
        for layer, right in ((mixer.right(), True), (mixer.wrong(W=doubled, b=doubled), False)):
            said = f"a {'right' if right else 'wrong'} layer"
            expect_weights(student, layer, x, right, said)
            expect.close("W afterwards", layer.W, mixer.W, rtol=0, atol=1e-9)
            expect.close("b afterwards", layer.b, mixer.b, rtol=0, atol=1e-9)

    in_either_form(run)


@check_weights
def test_check_weights_keeps_x(student, rng):
    """x has its values back afterwards."""

    def run(row):
        mixer, x = MixerMaker(student, rng, row), inputs(rng)
        kept = student.keep(x)
        expect_weights(student, mixer.right(), kept, True, "a right layer")
        expect_weights(student, mixer.wrong(W=doubled, b=doubled), kept, False, "a wrong layer")
        expect.close("x afterwards", student.fetch(kept), x, rtol=0, atol=1e-9)

    in_either_form(run)
