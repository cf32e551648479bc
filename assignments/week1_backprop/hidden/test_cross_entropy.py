"""Hidden tests of losses.CrossEntropyLoss.

Two tests ask what the loss and its gradient are. The others look at their own sides: to them a sum
over the batch, of the loss or of the gradient, is right too, and so is any factor that an ordinary
batch has as well.
"""

import zlib
from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.expect import Wrong
from autograder.suite.hidden.sides import proportional, something_right

from .cross_entropy import cross_entropy

pytestmark = pytest.mark.item("week1.cross_entropy")


def batch(rng, n=5, classes=4):
    """Return logits and class indices; every class up to n occurs."""
    return 2 * rng.normal(size=(n, classes)), rng.permutation(np.arange(n) % classes)


def own_factors(student, rng):
    """Return what the loss and the gradient of an ordinary batch are multiplied by; 0 if nothing.

    A factor counts where a second batch has it too.
    """
    found = []
    for _ in range(2):
        z, target = batch(rng)
        value, gradient = cross_entropy(z, target)
        loss = student.losses.CrossEntropyLoss()
        received = float(expect.array("loss", loss.forward(z, target), ()))
        dL_dlogits = expect.array("dL_dlogits", loss.backward(), z.shape)
        factor = float(np.vdot(gradient, dL_dlogits) / np.vdot(gradient, gradient))
        like_it = np.allclose(dL_dlogits, factor * gradient, rtol=1e-6, atol=1e-8)
        found.append((received / value, factor if like_it else 0.0))
    return [
        one if np.isclose(one, other, rtol=1e-9) else 0.0 for one, other in zip(*found, strict=True)
    ]


def compare(student, label, received, expected, count, **within):
    """Compare a value or a gradient of the mean over `count` examples, or of their sum."""

    def with_own_factor():
        rng = np.random.default_rng(zlib.crc32(np.asarray(expected).tobytes()))
        factor = own_factors(student, rng)[int(np.ndim(expected) > 0)]
        expect.that(label, factor != 0.0, "it is wrong in an ordinary batch too.")
        # The factor is asked by the tests of the value and of the gradient.
        expect.repeated(label, factor * expected, received, **within)

    expect.any_of(
        lambda: expect.close(label, received, expected, **within),
        lambda: expect.close(label, received, count * expected, **within),
        with_own_factor,
    )


def check(student, z, target, form=None, text=""):
    """Compare the loss and its gradient, with targets of another form where that is given.

    What is wrong in an ordinary batch too is not asked, if the other one is right.
    """
    wanted = cross_entropy(z, target)
    loss = student.losses.CrossEntropyLoss()
    received = loss.forward(z, target if form is None else form), loss.backward()
    ways = [
        partial(compare, student, f"{name}{text}", has, one, len(z))
        for name, has, one in zip(("loss", "dL_dlogits"), received, wanted, strict=True)
    ]
    something_right(*ways)
    for number, way in enumerate(ways):
        try:
            way()
        except Wrong:
            rng = np.random.default_rng(zlib.crc32(z.tobytes()))
            if own_factors(student, rng)[number]:
                raise


def answers(student, *batches):
    """Return the loss and the gradient of the last of some batches, all with one loss."""
    loss = student.losses.CrossEntropyLoss()
    for one in batches:
        received = loss.forward(*one), loss.backward()
    return received


def like_plain(student, plain, again, wanted, which=(0, 1), **within):
    """Expect the loss, the gradient or both of `again` to be right, or what they are for `plain`.

    Both are batches as for `answers`. In the second case one of the two has to be right.
    """
    received, count, labels = answers(student, *again), len(wanted[1]), ("loss", "dL_dlogits")

    def exactly(factor):
        for number in which:
            expect.close(labels[number], received[number], factor * wanted[number], **within)

    def the_same():
        first = answers(student, *plain)
        something_right(
            lambda: proportional("dL_dlogits", first[1], wanted[1]),
            lambda: expect.close("loss", first[0], wanted[0]),
            lambda: expect.close("loss", first[0], count * wanted[0]),
        )
        for number in which:
            # What they should be is asked by the tests of the value and of the gradient.
            expect.repeated(labels[number], first[number], received[number], **within)

    expect.any_of(lambda: exactly(1), lambda: exactly(count), the_same)


@pytest.mark.weight(5)
def test_value(student, rng):
    """forward is the mean of log(sum exp(z)) - z[target] over the batch."""
    z, target = batch(rng)
    received = student.losses.CrossEntropyLoss().forward(z, target)
    expect.close("loss", received, cross_entropy(z, target)[0])


@pytest.mark.weight(5)
def test_gradient(student, rng):
    """backward returns dL/dlogits, of the mean over the batch."""
    z, target = batch(rng)
    loss = student.losses.CrossEntropyLoss()
    loss.forward(z, target)
    expect.close("dL_dlogits", loss.backward(), cross_entropy(z, target)[1])


@pytest.mark.weight(2)
def test_value_with_one_hot_targets(student, rng):
    """forward takes one-hot targets too, with the same loss as class indices."""
    z, target = batch(rng)
    hot = np.eye(4)[target]
    like_plain(student, [(z, target)], [(z, hot)], cross_entropy(z, target), which=[0])


@pytest.mark.weight(2)
def test_gradient_with_one_hot_targets(student, rng):
    """backward after one-hot targets is the same as after class indices."""
    z, target = batch(rng)
    hot = np.eye(4, dtype=np.int64)[target]
    like_plain(student, [(z, target)], [(z, hot)], cross_entropy(z, target), which=[1])


def test_as_many_examples_as_classes(student, rng):
    """A batch with as many examples as classes is no special case, in either form of targets."""
    z, target = batch(rng, 4, 4)
    for label, form in (("indices", target), ("one-hot", np.eye(4)[target])):
        check(student, z, target, form, f", {label}")


def test_batches_of_many_and_one(student, rng):
    """Ten classes work with more examples than that, and with a single one."""
    for n in (12, 1):
        check(student, *batch(rng, n, 10))


def test_confident_and_right(student):
    """Where the right class leads by 2000, an example adds nothing to the loss of the others."""
    z, target = np.array([[1000.0, -1000.0, -1000.0], [0.5, 0.5, 0.5]]), np.array([0, 2])
    received = student.losses.CrossEntropyLoss().forward(z, target)
    compare(student, "loss", received, float(np.log(3)) / 2, 2)


def test_large_logits_that_tie(student):
    """Where all logits are 1000, the loss is log(C)."""
    received = student.losses.CrossEntropyLoss().forward(np.full((2, 3), 1000.0), np.array([0, 2]))
    compare(student, "loss of equal logits", received, float(np.log(3)), 2)


@pytest.mark.weight(2)
def test_confident_and_wrong(student):
    """Where the right class trails by 2000, the loss is 2000, and the gradient is right too."""
    z, target = np.array([[1000.0, -1000.0, -1000.0], [-1000.0, -1000.0, 1000.0]]), np.array([2, 0])
    check(student, z, target)


@pytest.mark.weight(2)
def test_rows_of_very_different_sizes(student, rng):
    """Adding a number to all logits of a row changes nothing, though rows lie 1000s apart."""
    z, target = batch(rng, 3)
    moved = z + np.array([[1000.0], [-1000.0], [0.0]])
    wanted = cross_entropy(z, target)
    # Logits near 1000 have lost the digits behind the tenth.
    like_plain(student, [(z, target)], [(moved, target)], wanted, rtol=1e-9)


def test_latest_batch(student, rng):
    """backward belongs to the latest forward."""
    earlier, latest = batch(rng, 7, 4), batch(rng, 2, 3)
    like_plain(student, [latest], [earlier, latest], cross_entropy(*latest))


def test_arguments_stay_as_they_were(student, rng):
    """Neither logits nor targets are changed, in either form of targets."""
    z, target = batch(rng)
    for form in (target, np.eye(4)[target]):
        kept_z, kept_target = student.keep(z), student.keep(form)
        loss = student.losses.CrossEntropyLoss()
        value, gradient = cross_entropy(z, target)
        received = loss.forward(kept_z, kept_target), loss.backward()
        something_right(  # what computes nothing keeps everything
            partial(compare, student, "loss", received[0], value, len(z)),
            partial(proportional, "dL_dlogits", received[1], gradient),
        )
        expect.unchanged("logits", z, student.fetch(kept_z))
        expect.unchanged("targets", form, student.fetch(kept_target))
