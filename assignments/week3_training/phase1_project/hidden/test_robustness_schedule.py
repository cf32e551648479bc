"""Hidden tests beyond the texts: schedules past their end, and settings out of range."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("project.robustness")


def optimizer_of(student, lr):
    return student.probe("optimizer")(lr)


@pytest.mark.needs("project.schedule")
def test_the_cosine_stays_down(student):
    """After T_max the learning rate stays at eta_min: there is no restart."""
    optimizer = optimizer_of(student, 0.2)
    scheduler = student.schedulers.CosineAnnealingLR(optimizer, 5, 0.01)
    received = student.drive("rates_of", scheduler, optimizer, list(range(30)))
    late = np.array([float(expect.array("lr", rate, ())) for rate in received[6:]])
    expect.close("learning rates after T_max", late, np.full(24, 0.01), rtol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [{"T_max": 0}, {"T_max": -3}, {"T_max": 5, "eta_min": -0.1}],
    ids=lambda settings: "-".join(f"{name} {value}" for name, value in settings.items()),
)
def test_refuses_bad_cosines(student, settings):
    """A setting of the cosine that is out of its range raises a ValueError."""
    optimizer = optimizer_of(student, 0.1)
    call = lambda: student.schedulers.CosineAnnealingLR(optimizer, **settings)  # noqa: E731
    expect.raises(f"CosineAnnealingLR(optimizer, {settings})", call, "ValueError")


def test_refuses_a_negative_warm_up(student):
    """A negative number of epochs raises a ValueError."""
    optimizer = optimizer_of(student, 0.1)
    expect.raises(
        "WarmupLR(optimizer, -1)", student.schedulers.WarmupLR, "ValueError", optimizer, -1
    )


@pytest.mark.needs("project.schedule")
def test_a_warm_up_of_no_epochs(student):
    """A warm-up of 0 epochs is over at once: the base scheduler's rates are there from epoch 0."""
    optimizer = optimizer_of(student, 0.1)
    behind = student.probe("listed_rates")(optimizer, [0.5, 0.25])
    scheduler = student.schedulers.WarmupLR(optimizer, 0, behind)
    received = student.drive("rates_of", scheduler, optimizer, [0, 1])
    found = np.array([float(expect.array("lr", rate, ())) for rate in received])
    # Behind a warm-up of no epochs, epoch 0 is the base scheduler's epoch 0, however they count.
    expect.close("learning rates with no warm-up", found, np.array([0.5, 0.25]), rtol=1e-6)
