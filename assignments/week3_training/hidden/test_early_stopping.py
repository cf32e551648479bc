"""Hidden tests of regularization.EarlyStopping.

The losses of each test are drawn: what happens in which epoch is fixed, and all losses are moved
and stretched by numbers of the test's own.
"""

import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week3.early_stopping")


class Drawn:
    """Losses moved and stretched by two numbers; `gap` stretches a difference between losses.

    Both are multiples of 1/16, so that 1 and 0.75 differ by exactly the gap of 0.25.
    """

    def __init__(self, rng, *, moved=True):
        self.stretch = int(rng.integers(12, 25)) / 16
        self.move = int(rng.integers(1, 33)) / 16 if moved else 0.0

    def loss(self, loss):
        return self.move + self.stretch * loss

    def losses(self, losses):
        return [self.loss(loss) for loss in losses]

    def gap(self, difference):
        return self.stretch * difference


def stopped_at(stopping, losses):
    """Return the number of the first loss after which `step` says stop, or None."""
    for epoch, loss in enumerate(losses):
        if says_stop(stopping, loss):
            return epoch
    return None


def says_stop(stopping, loss):
    """Return what `step` says, which must be a truth value."""
    answer = stopping.step(loss)
    if type(answer) is not bool:
        expect.equal("step", answer, False)
    return answer


def expect_stop(student, losses, expected, patience, **settings):
    """Compare the epoch of the first True with the expected one; return the object."""
    stopping = student.regularization.EarlyStopping(patience, **settings)
    received = stopped_at(stopping, losses)
    expect.equal(f"epoch at which step says stop, patience {patience}", received, expected)
    return stopping


@pytest.mark.weight(2)
def test_early_stopping_waits_for_patience_epochs(student, rng):
    """With patience 3, step is True at the third epoch in a row without an improvement."""
    drawn = Drawn(rng)
    losses = drawn.losses([5, 4, 3, 3.5, 3.6, 3.4, 3.7, 3.8, 3.9])
    expect_stop(student, losses, 5, 3)
    expect_stop(student, drawn.losses([5, 4, 4.5, 4.6]), 2, 1)
    expect_stop(student, drawn.losses([2.0, 2.5, 2.6, 2.7, 2.8, 2.9]), 4, patience=4)


def test_early_stopping_counts_in_a_row(student, rng):
    """An improvement starts the count anew."""
    drawn = Drawn(rng)
    losses = drawn.losses([5, 5.1, 4, 4.1, 3, 3.1, 2, 2.1, 2.2, 2.3, 2.4, 2.5])
    expect_stop(student, losses, 9, 3)
    losses = drawn.losses([5, 5.1, 5.2, 4, 4.1, 4.2, 3, 3.1, 3.2])
    expect_stop(student, losses, None, 3)


def test_early_stopping_compares_with_the_best(student, rng):
    """An epoch better than the one before, but not better than the best, is no improvement."""
    losses = [3.1, 3.0, 5.0, 4.5, 4.0, 3.5, 3.2, 6.0, 6.5, 7.0, 7.5]
    expect_stop(student, Drawn(rng).losses(losses), 5, 4)


def test_early_stopping_takes_equal_for_no_improvement(student, rng):
    """A loss that stays exactly the same does not improve."""
    stopping, drawn = student.regularization.EarlyStopping(3), Drawn(rng)
    stopping.step(drawn.loss(2.0))
    for epoch in range(1, 4):
        expect.equal(f"step in epoch {epoch}", stopping.step(drawn.loss(1.0)), False)
        expect.equal(f"best_epoch after epoch {epoch}", stopping.best_epoch, 1)
    expect.equal("step in epoch 4", stopping.step(drawn.loss(1.0)), True)


@pytest.mark.weight(2)
def test_early_stopping_min_delta(student, rng):
    """Improvements on the best loss of min_delta or less do not count."""
    drawn = Drawn(rng)
    losses = drawn.losses([1.0, 0.95, 0.97, 0.94, 0.98, 0.99])
    stopping = expect_stop(student, losses, 2, 2, min_delta=drawn.gap(0.1))
    expect.close("best_loss", stopping.best_loss, drawn.loss(1.0))
    losses = drawn.losses([1.0, 1.1, 0.75, 0.7, 0.9, 0.6])
    stopping = expect_stop(student, losses, None, 3, min_delta=drawn.gap(0.25))
    expect.close("best_loss", stopping.best_loss, drawn.loss(0.7))
    expect.equal("best_epoch", stopping.best_epoch, 3)


def test_early_stopping_min_delta_is_no_tolerance(student, rng):
    """A loss that is a little worse is no improvement, however large min_delta is."""
    drawn = Drawn(rng)
    losses = drawn.losses([2.0, 1.0, 1.05, 1.1, 1.15, 1.2])
    stopping = expect_stop(student, losses, 4, 3, min_delta=drawn.gap(0.5))
    expect.close("best_loss", stopping.best_loss, drawn.loss(1.0))


def test_early_stopping_min_delta_is_no_share(student, rng):
    """min_delta is a difference between losses, whether these are large or small."""
    drawn = Drawn(rng, moved=False)
    for given, min_delta, best in (([10.0, 9.4], 0.5, 1), ([0.1, 0.06, 0.07], 0.05, 0)):
        losses, difference = drawn.losses(given), drawn.gap(min_delta)
        stopping = student.regularization.EarlyStopping(2, min_delta=difference)
        for loss in losses:
            stopping.step(loss)
        label = f"best_epoch after losses of {losses} with min_delta {difference}"
        expect.equal(label, stopping.best_epoch, best)


def test_early_stopping_adds_up_small_improvements(student, rng):
    """With min_delta the best loss counts, not the latest: small steps add up to a large one."""
    drawn = Drawn(rng)
    losses = drawn.losses([1.0, 0.95, 0.9, 0.85, 0.8, 0.81])
    stopping = expect_stop(student, losses, None, 3, min_delta=drawn.gap(0.12))
    expect.close("best_loss", stopping.best_loss, drawn.loss(0.85))
    expect.equal("best_epoch", stopping.best_epoch, 3)


def test_early_stopping_knows_the_best_epoch(student, rng):
    """best_loss and best_epoch, counted from 0, belong to the latest improvement."""
    stopping, drawn = student.regularization.EarlyStopping(patience=5), Drawn(rng)
    best = 0
    for epoch, loss in enumerate(drawn.losses([4.0, 5.0, 3.0, 2.5, 2.6, 2.55])):
        expect.equal(f"step in epoch {epoch}", stopping.step(loss), False)
        best = epoch if epoch in (0, 2, 3) else best
        expect.equal(f"best_epoch after epoch {epoch}", stopping.best_epoch, best)
    expect.close("best_loss", stopping.best_loss, drawn.loss(2.5))


def test_early_stopping_can_go_on(student, rng):
    """Whoever goes on hears True again, until an improvement starts the count anew."""
    stopping = student.regularization.EarlyStopping(2)
    losses = Drawn(rng).losses([1.0, 1.1, 0.9, 1.0, 1.1, 1.2, 0.8, 0.9, 0.9])
    answers = ["stop" if says_stop(stopping, loss) else "go" for loss in losses]
    expect.equal("what step says", " ".join(answers), "go go go go stop stop go go stop")
