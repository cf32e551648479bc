"""Hidden tests of regularization.EarlyStopping."""

import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week3.early_stopping")


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
def test_early_stopping_waits_for_patience_epochs(student):
    """With patience 3, step is True at the third epoch in a row without an improvement."""
    expect_stop(student, [5, 4, 3, 3.5, 3.6, 3.4, 3.7, 3.8, 3.9], 5, 3)
    expect_stop(student, [5, 4, 4.5, 4.6], 2, 1)
    expect_stop(student, [2.0, 2.5, 2.6, 2.7, 2.8, 2.9], 4, patience=4)


def test_early_stopping_counts_in_a_row(student):
    """An improvement starts the count anew."""
    expect_stop(student, [5, 5.1, 4, 4.1, 3, 3.1, 2, 2.1, 2.2, 2.3, 2.4, 2.5], 9, 3)
    expect_stop(student, [5, 5.1, 5.2, 4, 4.1, 4.2, 3, 3.1, 3.2], None, 3)


def test_early_stopping_compares_with_the_best(student):
    """An epoch better than the one before, but not better than the best, is no improvement."""
    expect_stop(student, [3.0, 5.0, 4.5, 4.0, 3.5, 3.2, 6.0, 6.5, 7.0, 7.5], 4, 4)


def test_early_stopping_takes_equal_for_no_improvement(student):
    """A loss that stays exactly the same does not improve."""
    stopping = student.regularization.EarlyStopping(3)
    for epoch in range(3):
        expect.equal(f"step in epoch {epoch}", stopping.step(1.0), False)
        expect.equal(f"best_epoch after epoch {epoch}", stopping.best_epoch, 0)
    expect.equal("step in epoch 3", stopping.step(1.0), True)


@pytest.mark.weight(2)
def test_early_stopping_min_delta(student):
    """Improvements on the best loss of min_delta or less do not count."""
    losses = [1.0, 0.95, 0.97, 0.94, 0.98, 0.99]
    stopping = expect_stop(student, losses, 2, 2, min_delta=0.1)
    expect.close("best_loss", stopping.best_loss, 1.0)
    stopping = expect_stop(student, [1.0, 1.1, 0.75, 0.7, 0.9, 0.6], None, 3, min_delta=0.25)
    expect.close("best_loss", stopping.best_loss, 0.7)
    expect.equal("best_epoch", stopping.best_epoch, 3)


def test_early_stopping_min_delta_is_no_tolerance(student):
    """A loss that is a little worse is no improvement, however large min_delta is."""
    stopping = expect_stop(student, [1.0, 1.05, 1.1, 1.15, 1.2], 3, 3, min_delta=0.5)
    expect.close("best_loss", stopping.best_loss, 1.0)


def test_early_stopping_min_delta_is_no_share(student):
    """min_delta is a difference between losses, whether these are large or small."""
    for losses, min_delta, best in (([10.0, 9.4], 0.5, 1), ([0.1, 0.06, 0.07], 0.05, 0)):
        stopping = student.regularization.EarlyStopping(2, min_delta=min_delta)
        for loss in losses:
            stopping.step(loss)
        label = f"best_epoch after losses of {losses} with min_delta {min_delta}"
        expect.equal(label, stopping.best_epoch, best)


def test_early_stopping_adds_up_small_improvements(student):
    """With min_delta the best loss counts, not the latest: small steps add up to a large one."""
    stopping = expect_stop(student, [1.0, 0.95, 0.9, 0.85, 0.8, 0.81], None, 3, min_delta=0.12)
    expect.close("best_loss", stopping.best_loss, 0.85)
    expect.equal("best_epoch", stopping.best_epoch, 3)


def test_early_stopping_knows_the_best_epoch(student):
    """best_loss and best_epoch, counted from 0, belong to the latest improvement."""
    stopping = student.regularization.EarlyStopping(patience=5)
    best = 0
    for epoch, loss in enumerate([4.0, 5.0, 3.0, 2.5, 2.6, 2.55]):
        expect.equal(f"step in epoch {epoch}", stopping.step(loss), False)
        best = epoch if epoch in (0, 2, 3) else best
        expect.equal(f"best_epoch after epoch {epoch}", stopping.best_epoch, best)
    expect.close("best_loss", stopping.best_loss, 2.5)


def test_early_stopping_can_go_on(student):
    """Whoever goes on hears True again, until an improvement starts the count anew."""
    stopping = student.regularization.EarlyStopping(2)
    losses = [1.0, 1.1, 0.9, 1.0, 1.1, 1.2, 0.8, 0.9, 0.9]
    answers = ["stop" if says_stop(stopping, loss) else "go" for loss in losses]
    expect.equal("what step says", " ".join(answers), "go go go go stop stop go go stop")
