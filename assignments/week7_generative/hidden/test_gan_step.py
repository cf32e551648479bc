"""Hidden tests of GAN's steps: two small networks of the suite's, whose next numbers are known.

A label may be smoothed. Then the gradient has a share of another one besides, which is found here
and may not be large; so no right step fails, and none that goes elsewhere passes. Whose losses are
wrong is judged once more with losses of the suite's in their places.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .gan_formulas import (
    GAN,
    LATENT,
    PIXELS,
    RATE,
    SMOOTHED,
    N,
    Pair,
    draw,
    drawn_pair,
    flat,
    other_rules,
    slopes,
)

pytestmark = pytest.mark.item("week7.gan_step")

NEAR = {"rtol": 2e-3, "atol": 2e-5}
LEAST_MOVED = 1e-3
SHAPES = {
    "generator": [(LATENT, PIXELS), (PIXELS,)],
    "discriminator": [(PIXELS, 6), (6,), (6,), (6,), ()],
}


def by_either_rules(student, rng, test):
    """Run a test with the student's own losses, and where they are wrong with the suite's."""

    def with_others():
        marks = [float(one) for one in rng.uniform(0.5, 2.0, size=3) * (1, -1, 1)]
        names = {"discriminator_loss": marks[:2], "generator_loss": marks[2:]}
        module = student.gan
        own = {name: getattr(module, name) for name in names}
        for name, given in names.items():
            setattr(module, name, student.prepare("gan_marks", *given))
        test(other_rules(marks))
        for name, loss in own.items():  # a test that fails ends its worker
            setattr(module, name, loss)

    expect.any_of(lambda: test(GAN), with_others)


class Game:
    """A GAN of the student's with the suite's networks."""

    def __init__(self, student, rng, lr=0.01, plain=True):
        self.student = student
        self.pair = drawn_pair(rng)
        self.gan = student.prepare("gan_of", student.gan.GAN, self.pair.maker, self.pair.teller, lr)
        if plain:
            student.drive("gan_plain", self.gan, RATE)

    def litter(self, rng):
        """Leave gradients in both networks; return them."""
        left = [[draw(rng, one.shape, 2.0) for one in both] for both in self.numbers_known()]
        self.student.drive("gan_littered", self.gan, *left)
        return left

    def numbers_known(self):
        return self.pair.maker, self.pair.teller

    def step(self, name, *arrays):
        """Take a step, by name; return the loss, or both."""
        given = [self.student.prepare("tensor", one) for one in arrays]
        return self.student.drive("gan_stepped", getattr(self.gan, name), *given), given

    def numbers(self):
        """Return the numbers that both networks have now."""
        received = self.student.drive("gan_numbers", self.gan)
        parts = []
        for (name, shapes), held in zip(SHAPES.items(), received, strict=True):
            parts.append(
                [
                    expect.array(f"the {name}'s numbers", one, shape).astype(float)
                    for one, shape in zip(held, shapes, strict=True)
                ]
            )
        return Pair(*parts)


def batch(rng, count=N):
    """Draw real images, and noise."""
    x = rng.uniform(size=(count, PIXELS)).astype(np.float32)
    return x, draw(rng, (count, LATENT))


def known(pair):
    """Return a pair in float64."""
    return Pair(*([one.astype(float) for one in part] for part in (pair.maker, pair.teller)))


def follows_discriminator(rules, before, after, x, z):
    """Expect that the Teller moved by the gradient of its loss; return the shares of smoothing."""
    x, z = x.astype(float), z.astype(float)
    moved = (flat(before.teller) - flat(after.teller)) / RATE
    plain = slopes(before.of_discriminator(rules, x, z), before.teller)
    each = [slopes(mean, before.teller) for mean in before.means(rules, x, z)]
    sides = np.stack(each, axis=1) if each else np.zeros((len(plain), 0))
    shares, *_ = np.linalg.lstsq(sides, moved - plain, rcond=None)
    shares = np.clip(shares, 0, SMOOTHED)
    label = "the discriminator's numbers after a step of plain gradient descent"
    expected = flat(before.teller) - RATE * (plain + sides @ shares)
    expect.close(label, flat(after.teller), expected, **NEAR)
    return shares, expected


def follows_generator(rules, before, after, z):
    """Expect that the Maker moved by the gradient of its loss."""
    slope = slopes(before.of_generator(rules, z.astype(float)), before.maker)
    label = "the generator's numbers after a step of plain gradient descent"
    expect.close(label, flat(after.maker), flat(before.maker) - RATE * slope, **NEAR)


def a_number(label, received):
    """Expect a float; return it."""
    number = type(received) is float and np.isfinite(received)
    expect.that(label, number, f"expected a float, got {expect.kind_of(received)}.")
    return received


def expect_d_loss(rules, label, received, before, x, z, shares):
    """Expect the discriminator's loss before a step, with its smoothing or without."""
    x, z = x.astype(float), z.astype(float)
    plain = float(before.of_discriminator(rules, x, z)(*before.teller))
    sides = before.means(rules, x, z)
    more = sum(s * float(side(*before.teller)) for s, side in zip(shares, sides, strict=True))
    found = np.array(a_number(label, received))
    expect.any_of(
        lambda: expect.close(label, found, np.array(plain), rtol=1e-4, atol=1e-5),
        lambda: expect.close(label, found, np.array(plain + more), rtol=1e-4, atol=1e-5),
    )


def expect_g_loss(rules, label, received, before, z):
    """Expect the generator's loss before a step."""
    plain = float(before.of_generator(rules, z.astype(float))(*before.maker))
    found = np.array(a_number(label, received))
    expect.close(label, found, np.array(plain), rtol=1e-4, atol=1e-5)


def gone(label, before, after):
    """Expect that numbers have moved by more than rounding."""
    moved = float(np.abs(flat(after) - flat(before)).max())
    expect.that(label, moved > LEAST_MOVED, "it has not moved.")


@pytest.mark.weight(3)
def test_discriminator_step(student, rng):
    """The discriminator moves by the gradient of its loss, in batches of each kind alone."""

    def test(rules):
        game = Game(student, rng)
        x, z = batch(rng)
        loss, _ = game.step("discriminator_step", x, z)
        before = known(game.pair)
        shares, _ = follows_discriminator(rules, before, game.numbers(), x, z)
        label = "the loss that discriminator_step returns"
        expect_d_loss(rules, label, loss, before, x, z, shares)

    by_either_rules(student, rng, test)


@pytest.mark.weight(3)
def test_generator_step(student, rng):
    """The generator moves by the gradient of its loss, which comes through the discriminator."""

    def test(rules):
        game = Game(student, rng)
        _, z = batch(rng)
        loss, _ = game.step("generator_step", z)
        before = known(game.pair)
        follows_generator(rules, before, game.numbers(), z)
        expect_g_loss(rules, "the loss that generator_step returns", loss, before, z)

    by_either_rules(student, rng, test)


@pytest.mark.weight(2)
def test_discriminator_step_leaves_the_generator(student, rng):
    """The discriminator's step moves no number of the generator, and leaves no gradient in it."""

    def test(rules):
        game = Game(student, rng)
        left = game.litter(rng)[0]
        game.step("discriminator_step", *batch(rng))
        before, after = known(game.pair), game.numbers()
        gone("the discriminator", before.teller, after.teller)
        expect.unchanged("the generator's numbers", flat(before.maker), flat(after.maker))
        held = student.drive("gan_gradients", game.gan)[0]
        for one, old in zip(held, left, strict=True):
            if one is not None:
                found = expect.array("a gradient of the generator", one, old.shape)
                kept = np.array_equal(found, old) or not found.any()
                message = "a gradient of the discriminator's loss has come to it."
                expect.that("the generator", kept, message)

    by_either_rules(student, rng, test)


@pytest.mark.weight(2)
def test_generator_step_leaves_the_discriminator(student, rng):
    """The generator's step moves no number of the discriminator."""

    def test(rules):
        game = Game(student, rng)
        game.step("generator_step", batch(rng)[1])
        before, after = known(game.pair), game.numbers()
        gone("the generator", before.maker, after.maker)
        expect.unchanged("the discriminator's numbers", flat(before.teller), flat(after.teller))

    by_either_rules(student, rng, test)


@pytest.mark.weight(2)
def test_only_its_own_gradient(student, rng):
    """A step goes by its own gradient, whatever gradients were there before."""

    def test(rules):
        game = Game(student, rng)
        game.litter(rng)
        x, z = batch(rng)
        game.step("discriminator_step", x, z)
        follows_discriminator(rules, known(game.pair), game.numbers(), x, z)
        game = Game(student, rng)
        game.litter(rng)
        game.step("generator_step", z)
        follows_generator(rules, known(game.pair), game.numbers(), z)

    by_either_rules(student, rng, test)


@pytest.mark.weight(2)
def test_nothing_is_left_for_the_next_step(student, rng):
    """What a step of the generator leaves in the discriminator is not in its next step."""

    def test(rules):
        game = Game(student, rng)
        game.step("generator_step", batch(rng)[1])
        # Where the generator got to is its own affair; what the discriminator makes of that is not.
        between = Pair(game.numbers().maker, known(game.pair).teller)
        x, z = batch(rng)
        game.step("discriminator_step", x, z)
        follows_discriminator(rules, between, game.numbers(), x, z)

    by_either_rules(student, rng, test)


@pytest.mark.weight(3)
def test_train_step(student, rng):
    """train_step: the discriminator first, with z[0], then the generator, with z[1]."""

    def test(rules):
        game = Game(student, rng)
        x, first = batch(rng)
        _, second = batch(rng)
        losses, _ = game.step("train_step", x, np.stack([first, second]))
        before, after = known(game.pair), game.numbers()
        shares, row = follows_discriminator(rules, before, after, x, first)
        # The generator meets a discriminator that has moved: as computed here, not as it says.
        met = Pair(before.maker, shaped(row, before.teller))
        follows_generator(rules, met, after, second)
        pair = isinstance(losses, tuple | list) and len(losses) == 2
        kind = expect.kind_of(losses)
        expect.that("train_step", pair, f"expected the losses of both, got {kind}.")
        expect_d_loss(rules, "the discriminator's loss", losses[0], before, x, first, shares)
        expect_g_loss(rules, "the generator's loss", losses[1], met, second)

    by_either_rules(student, rng, test)


def shaped(row, like):
    """Return the arrays whose entries stand in a row."""
    ends = np.cumsum([one.size for one in like])
    parts = np.split(row, ends[:-1])
    return [part.reshape(one.shape) for part, one in zip(parts, like, strict=True)]


def test_own_optimizers_go_downhill(student, rng):
    """With the optimizers that GAN makes, each loss falls by its own network's step."""

    def test(rules):
        game = Game(student, rng, lr=1e-4, plain=False)
        x, z = batch(rng)
        before = known(game.pair)
        game.step("discriminator_step", x, z)
        after = game.numbers()
        expect.unchanged("the generator's numbers", flat(before.maker), flat(after.maker))
        loss = before.of_discriminator(rules, x.astype(float), z.astype(float))
        falls("the discriminator's loss", loss, before.teller, after.teller)
        game = Game(student, rng, lr=1e-4, plain=False)
        before = known(game.pair)
        game.step("generator_step", z)
        after = game.numbers()
        expect.unchanged("the discriminator's numbers", flat(before.teller), flat(after.teller))
        loss = before.of_generator(rules, z.astype(float))
        falls("the generator's loss", loss, before.maker, after.maker)

    by_either_rules(student, rng, test)


def falls(label, loss, before, after):
    """Expect that a loss is smaller with other numbers."""
    lower = float(loss(*after)) < float(loss(*before))
    expect.that(label, lower, "its step does not make it smaller.")


def test_the_rate_counts(student, rng):
    """With a larger rate both networks move farther."""

    def test(rules):
        moved = [shifts(Game(student, rng, lr, plain=False), rng) for lr in (1e-5, 1e-2)]
        for name, small, large in zip(("generator", "discriminator"), *moved, strict=True):
            expect.that(f"the {name}", small > 0, "it has not moved.")
            expect.that(f"the {name}", large > 10 * small, "its rate does not count.")

    by_either_rules(student, rng, test)


def shifts(game, rng):
    """Return how far both networks move in a step of each."""
    x, z = batch(rng)
    game.step("discriminator_step", x, z)
    game.step("generator_step", z)
    before, after = known(game.pair), game.numbers()
    both = (before.maker, after.maker), (before.teller, after.teller)
    return [float(np.abs(flat(a) - flat(b)).max()) for a, b in both]


def test_arguments_are_kept(student, rng):
    """train_step leaves images and noise as they are."""

    def test(rules):
        game = Game(student, rng)
        x, first = batch(rng)
        z = np.stack([first, batch(rng)[1]])
        _, given = game.step("train_step", x, z)
        follows_discriminator(rules, known(game.pair), game.numbers(), x, first)
        for name, before, handle in zip(("x", "z"), (x, z), given, strict=True):
            expect.unchanged(name, before, student.fetch(handle))

    by_either_rules(student, rng, test)
