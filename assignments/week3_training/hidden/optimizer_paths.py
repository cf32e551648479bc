"""What the hidden tests of optimizers.py share: formulas, their legal forms, and steps.

The formulas are written as sums over all steps so far. The gradients of all steps are one array,
steps along the first axis. Where two forms of an optimizer are legal, `form_of` finds the student's
by a small experiment, and a test then holds everything to that one.
"""

import numpy as np

from autograder.suite import expect

SHAPES = ((2, 4), (2, 4), (3,), (1,))

ITEMS = {
    "SGD": "week3.sgd",
    "SGDMomentum": "week3.momentum",
    "RMSprop": "week3.rmsprop",
    "Adam": "week3.adam",
}

SETTINGS = {
    "SGD": {"lr": 0.1},
    "SGDMomentum": {"lr": 0.1, "momentum": 0.6},
    "RMSprop": {"lr": 0.05, "beta": 0.7, "epsilon": 0.2},
    "Adam": {"lr": 0.05, "beta1": 0.6, "beta2": 0.8, "epsilon": 0.2},
}
"""All settings of each optimizer, in the order in which its constructor takes them."""


def faded(keep, values):
    """Return for every step k the sum of keep^(k - i) values[i] over the steps i up to k."""
    age = np.subtract.outer(np.arange(len(values)), np.arange(len(values)))
    return np.tensordot(np.where(age >= 0, float(keep) ** np.abs(age), 0.0), values, axes=1)


def along(rates, values):
    """Multiply the values of each step by its learning rate."""
    return rates.reshape(-1, *[1] * (values.ndim - 1)) * values


def sgd(g, rates):
    """Return the steps of gradient descent."""
    return -along(rates, g)


def momentum(g, rates, momentum=0.9, lr_in_velocity=False):
    """Return the steps of momentum: v holds gradients, or steps that are as long as lr was then."""
    if lr_in_velocity:
        return -faded(momentum, along(rates, g))
    return -along(rates, faded(momentum, g))


def root(square, epsilon, inside):
    """Return the denominator, with epsilon inside the root or outside."""
    return np.sqrt(square + epsilon) if inside else np.sqrt(square) + epsilon


def rmsprop(g, rates, beta=0.999, epsilon=1e-8, inside=True):
    """Return the steps of RMSprop."""
    return -along(rates, g / root((1 - beta) * faded(beta, g**2), epsilon, inside))


def adam(g, rates, beta1=0.9, beta2=0.999, epsilon=1e-8, inside=False, folded=False, t=None):
    """Return the steps of Adam; `t` numbers the steps, 1, 2, 3, ... if not given.

    With `folded` both corrections are in the learning rate: epsilon is added to the root of v.
    """
    t = np.arange(1, len(g) + 1) if t is None else np.array(t)
    t = t.reshape(-1, *[1] * (g.ndim - 1))
    m_hat = (1 - beta1) * faded(beta1, g) / (1 - beta1**t)
    v_hat = (1 - beta2) * faded(beta2, g**2) / (1 - beta2**t)
    epsilon = epsilon / np.sqrt(1 - beta2**t) if folded else epsilon
    return -along(rates, m_hat / root(v_hat, epsilon, inside))


RULES = {"SGD": sgd, "SGDMomentum": momentum, "RMSprop": rmsprop, "Adam": adam}

FORMS = {
    "SGD": [{}],
    "SGDMomentum": [{"lr_in_velocity": False}, {"lr_in_velocity": True}],
    "RMSprop": [{"inside": True}, {"inside": False}],
    "Adam": [{"inside": False}, {"inside": True}, {"folded": True}],
}
"""The legal forms of each optimizer; the stub's comes first."""


def change(kind, g, lr, **options):
    """Return how far a parameter moves; `lr` is one number, or one for each step."""
    rates = np.broadcast_to(np.asarray(lr, dtype=np.float64), len(g))
    return RULES[kind](g, rates, **options).sum(axis=0)


def form_of(student, kind):
    """Find out which of its legal forms this optimizer has, by two steps; the stub's if none.

    Momentum's learning rate changes before the second one; the adaptive ones have a large epsilon.
    """
    if len(FORMS[kind]) == 1:
        return FORMS[kind][0]
    g, settings = np.array([[1.5, -0.6, 0.9], [0.8, 1.1, -0.7]]), SETTINGS[kind]
    rates = [settings["lr"], settings["lr"] * (3.0 if kind == "SGDMomentum" else 1.0)]
    p = student.probe("parameter")(np.zeros(3))
    drive(make(student, kind, [p], settings), [p], [g], rates)
    received = expect.array("data", p.data, (3,))
    for form in FORMS[kind]:
        expected = change(kind, g, **{**settings, "lr": rates}, **form)
        if np.allclose(received, expected, rtol=1e-6, atol=1e-12):
            return form
    return FORMS[kind][0]


def gradients_of(rng, steps, shape):
    """Return gradients of several steps, of either sign and with sizes from 0.5 to 2."""
    size = rng.uniform(0.5, 2.0, (steps, *shape))
    return np.where(rng.random(size.shape) < 0.5, -size, size)


def parameters(student, rng):
    """Return made-up parameters of several shapes, and their data."""
    starts = [rng.normal(size=shape) for shape in SHAPES]
    return [student.probe("parameter")(start) for start in starts], starts


def make(student, kind, params, settings):
    """Return an optimizer of the student's, with settings by their names."""
    return getattr(student.optimizers, kind)(params, **settings)


def drive(optimizer, params, gradients, rates=None):
    """Do one step for each of the gradients, one array (or list) per parameter; set new rates."""
    for step in range(len(gradients[0])):
        if rates is not None and rates[step] not in rates[max(step - 1, 0) : step]:
            optimizer.lr = rates[step]
        for p, of_steps in zip(params, gradients, strict=True):
            p.grad = of_steps[step]
        optimizer.step()


def expect_change(label, p, start, expected):
    """The data has changed by so much since `start`, from the smallest step to the largest."""
    received = expect.array(f"data of {label}", p.data, start.shape) - start
    expect.close(f"change of {label}", received, expected, atol=1e-12)


def expect_changes(params, starts, gradients, kind, **options):
    """All parameters have moved as the formula of `kind` says."""
    for number, (p, start, g) in enumerate(zip(params, starts, gradients, strict=True)):
        label = f"parameter {number} after {len(g)} step{'s' * (len(g) > 1)}"
        expect_change(label, p, start, change(kind, g, **options))
