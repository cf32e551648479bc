"""What the hidden tests of schedulers.py share: formulas, their legal forms, and epochs.

Schedulers work on a made-up optimizer that has a learning rate and nothing else. WarmupLR's base is
a made-up scheduler, whose learning rates come from a list that the test has drawn.
"""

import itertools

import numpy as np

from autograder.suite import expect

EPOCHS = 100

ITEMS = {
    "StepLR": "week3.step_lr",
    "MultiStepLR": "week3.multi_step_lr",
    "ExponentialLR": "week3.exponential_lr",
    "CosineAnnealingLR": "week3.cosine_lr",
    "WarmupLR": "week3.warmup_lr",
}

SETTINGS = [
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 1, "gamma": 0.97}),
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [30, 80]}),
    ("MultiStepLR", {"milestones": [1, 99], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [5, 6, 41, 70], "gamma": 0.6}),
    ("ExponentialLR", {"gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.95}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 120, "eta_min": 0.05}),
    ("WarmupLR", {"warmup_epochs": 2}),
    ("WarmupLR", {"warmup_epochs": 40}),
    ("WarmupLR", {"warmup_epochs": 5}),
]
TYPICAL = dict(SETTINGS)
"""The last of the settings above, for each kind."""


def rate(kind, epoch, base, settings):
    """Return the learning rate of an epoch; gammas are collected by walking there."""
    gamma = settings.get("gamma", 0.1)
    if kind == "StepLR":
        return base * np.prod([gamma for e in range(epoch) if (e + 1) % settings["step_size"] == 0])
    if kind == "MultiStepLR":
        return base * np.prod([gamma for e in range(epoch) if e + 1 in settings["milestones"]])
    if kind == "ExponentialLR":
        return base * np.prod([gamma] * epoch)
    low, share = settings.get("eta_min", 0.0), epoch / settings["T_max"]
    return low + (base - low) * np.cos(np.pi * share / 2) ** 2 if share < 1 else low


def listed_rates(rng, base):
    """Return what WarmupLR's base says of each of its epochs; of its epoch 0, the base rate."""
    return [float(base), *rng.uniform(0.01, 1.0, EPOCHS - 1).tolist()]


WARMUPS = [
    dict(zip(("from_zero", "counts_all", "peak"), form, strict=True))
    for form in itertools.product((False, True), repeat=3)
    if form[0] or not form[2]
]
"""The legal forms of a warm-up; the stub's comes first.

from_zero: it rises from 0, by epoch / warmup_epochs, and not from one step above.
counts_all: its base scheduler counts the epochs of the warm-up as well.
peak: a rise from 0 goes on for one epoch more, which has the base learning rate.
"""


def warmup_rates(base, length, listed, *, from_zero, counts_all, peak):
    """Return the learning rates of a warm-up; after it those listed, or the base rate (None)."""
    epochs = np.arange(EPOCHS)
    rising = epochs <= length if peak else epochs < length
    rise = base * (epochs if from_zero else epochs + 1) / length
    after = epochs if counts_all else np.maximum(epochs - length, 0)
    return np.where(rising, rise, base if listed is None else np.array(listed)[after])


def warmup(student, base, length, listed, *, by_name=True):
    """Return a WarmupLR, and the optimizer that it works on."""
    optimizer = student.probe("optimizer")(base)
    settings = {"warmup_epochs": length}
    if listed is not None:
        settings["base_scheduler"] = student.probe("listed_rates")(optimizer, listed)
    if by_name:
        return student.schedulers.WarmupLR(optimizer, **settings), optimizer
    return student.schedulers.WarmupLR(optimizer, *settings.values()), optimizer


def warmup_form(student):
    """Find out which of its legal forms WarmupLR has, by twelve epochs: the one that fits most.

    So a mistake in one part of the schedule leaves the rest in the student's form.
    """
    listed = [0.8, *(0.01 * epoch for epoch in range(1, EPOCHS))]
    received = asked(student, *warmup(student, 0.8, 3, listed), range(12))

    def fitting(form):
        expected = warmup_rates(0.8, 3, listed, **form)[:12]
        return int(np.isclose(received, expected, rtol=1e-6, atol=0.0).sum())

    return max(WARMUPS, key=fitting)


def make(student, kind, base, settings):
    """Return a scheduler, and the optimizer that it works on."""
    optimizer = student.probe("optimizer")(base)
    return getattr(student.schedulers, kind)(optimizer, **settings), optimizer


def asked(student, scheduler, optimizer, epochs):
    """Return the optimizer's learning rate after `step(epoch)` for each of these epochs in turn."""
    epochs = [int(epoch) for epoch in epochs]
    answers = student.drive("rates_of", scheduler, optimizer, epochs)
    right = isinstance(answers, list) and len(answers) == len(epochs)
    expect.that("learning rates", right, "there is not one for each epoch.")
    return np.array(
        [
            float(expect.array(f"the optimizer's lr, epoch {epoch}", answer, ()))
            for epoch, answer in zip(epochs, answers, strict=True)
        ]
    )


def prepared(student, rng, kind, settings):
    """Return a scheduler, its optimizer, and the learning rates of the epochs 0 to 99."""
    base = float(rng.uniform(0.1, 1.0))
    if kind != "WarmupLR":
        expected = np.array([rate(kind, epoch, base, settings) for epoch in range(EPOCHS)])
        return *make(student, kind, base, settings), expected
    form, listed, length = warmup_form(student), listed_rates(rng, base), settings["warmup_epochs"]
    expected = warmup_rates(base, length, listed, **form)
    return *warmup(student, base, length, listed), expected


def right(received, expected):
    """Tell whether learning rates are those of the formula."""
    return np.allclose(received, expected, rtol=1e-6, atol=0.0)


def expect_same(label, received, plain, expected, than):
    """`received` is what is expected; or what came plainly, where that is wrong already.

    Which rates these should be is asked by the tests of the formula. `than` says what came plainly.
    """
    if right(plain, expected):
        expect_rates(label, received, expected)
        return
    changes = bool(np.ptp(plain) > 0)
    expect.that(label, changes, "step(epoch) never changes the optimizer's learning rate.")
    expect.that(label, right(received, plain), f"it is another learning rate than {than}.")


def _another(value):
    """Return another value for a setting: one epoch more, or a larger factor or rate."""
    if type(value) is list:
        return [value[0] + 1, *value[1:]]
    return value + (1 if type(value) is int else 0.05)


def expect_settings_count(student, kind, settings):
    """Each setting has an effect on the learning rates; return these, of the epochs 0 to 9."""

    def rates(given):
        return asked(student, *make(student, kind, 0.8, given), range(10))

    plain = rates(settings)
    for name, value in settings.items():
        other = _another(value)
        counts = not right(rates({**settings, name: other}), plain)
        message = f"{name} {value} and {other} lead to the same learning rates."
        expect.that("the optimizer's lr, epochs 0 to 9", counts, message)
    return plain


def expect_rates(label, received, expected):
    """Learning rates agree to a millionth of their own size, however small they are."""
    expect.close(label, received, expected, atol=0.0)
