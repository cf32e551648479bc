"""What tests of Adam look at where its plain steps are wrong already: their own side alone.

Where it should lead is a matter of the tests of its path. The others compare with the optimizer's
own plain steps then, which have to be led by the gradients.
"""

import numpy as np

from autograder.suite import expect

from .adam import NEAR, PLACES, adam, gradients_of, optimize, starts_of

PLAIN = {"lr": 0.05, "beta1": 0.8, "beta2": 0.95}


def plain_steps_fit(student):
    """Tell whether three steps follow the formula, epsilon at any of its places.

    Where they don't, expect gradients to count, those of the first step in the last one too.
    """
    rng = np.random.default_rng(6)
    starts, gradients = starts_of(rng), gradients_of(rng, 3)
    paths = optimize(student, starts, gradients, PLAIN)
    if any(_fits(paths, starts, gradients, place) for place in PLACES):
        return True
    for row, factor, said in ((2, 0.3, "third"), (0, -1.0, "first")):
        other = [*gradients]
        other[row] = [np.float32(factor) * g for g in gradients[row]]
        moves = [path[3] - path[2] for path in optimize(student, starts, other, PLAIN)]
        own = [path[3] - path[2] for path in paths]
        message = f"the third step is the same with {said} gradients {factor:g} times as large."
        counts = not any(np.allclose(one, two, **NEAR) for one, two in zip(own, moves, strict=True))
        expect.that("parameters", counts, message)
    return False


def _fits(paths, starts, gradients, place):
    """Tell whether all parameters are where the formula leads them."""
    wanted = [
        adam(start, [given[n] for given in gradients], place=place, **PLAIN)
        for n, start in enumerate(starts)
    ]
    return all(np.allclose(path, one, **NEAR) for path, one in zip(paths, wanted, strict=True))


def expect_same_paths(label, received, own):
    """Paths are those of another optimizer, whose plain steps they should be."""
    for n, (path, one) in enumerate(zip(received, own, strict=True)):
        # Where they should lead is asked by the tests of the path.
        expect.repeated(f"parameter {n} after each step, {label}", one, path, **NEAR)


def expect_settings_count(student, names, *, by_position):
    """Each of the named settings has an effect; by position it is the same as by name."""
    rng = np.random.default_rng(7)
    starts, gradients = starts_of(rng), gradients_of(rng, 3)
    settings = {"lr": 0.05, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.5}
    plain = optimize(student, starts, gradients, settings)
    for name in names:
        other = optimize(student, starts, gradients, settings | {name: settings[name] / 2})
        counts = not np.allclose(other[0], plain[0], **NEAR)
        message = f"{name} {settings[name]} and {settings[name] / 2} lead to the same place."
        expect.that("parameter 0", counts, message)
    if by_position:
        received = optimize(student, starts, gradients, list(settings.values()))
        expect_same_paths("settings by position and by name", received, plain)


def expect_usual_settings(student, starts, gradients):
    """Without settings the path is the one with the usual settings by name, which count."""
    expect_settings_count(student, ["beta1", "beta2"], by_position=False)
    usual = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    own = optimize(student, starts, gradients, usual)
    received = optimize(student, starts, gradients, {"lr": 0.01})
    expect_same_paths("without settings and with the usual ones", received, own)


def expect_zeros_count(student, starts, gradients, options):
    """Steps with gradients of zeros go on by what came before; an entry with no others stays."""
    [path] = optimize(student, starts, gradients, options)
    expect.close("the entry whose gradients are all 0", path[:, 0], np.full(5, starts[0][0]))
    coasts = path[2, 1] != path[1, 1] and path[4, 1] != path[3, 1]
    expect.that("the other entry", coasts, "it stays in a step with a gradient of 0.")


def expect_rates_count(student, starts, gradients, rates):
    """A learning rate that is set before a step counts in that step, and in none before it."""
    plain = optimize(student, starts, gradients, {"lr": 0.1})
    received = optimize(student, starts, gradients, {"lr": 0.1}, rates)
    for n, (path, own) in enumerate(zip(received, plain, strict=True)):
        # The first two rates are the optimizer's own; where they lead is asked elsewhere.
        expect.repeated(f"parameter {n} before its rate is changed", own[:3], path[:3], **NEAR)
        differ = not np.allclose(path[3] - path[2], own[3] - own[2], **NEAR)
        message = "its step is the same with another learning rate, set just before it."
        expect.that(f"parameter {n}", differ, message)


def expect_decay_apart(student, starts, gradients, rate, options):
    """One step with decoupled weight decay is one without, less rate * weight_decay * start."""
    rates, decay = [rate], options["weight_decay"]
    plain = optimize(student, starts, gradients[:1], {"lr": options["lr"]}, rates)
    received = optimize(student, starts, gradients[:1], options, rates)
    for n, (start, path, own) in enumerate(zip(starts, received, plain, strict=True)):
        label = f"what weight decay adds to the first step of parameter {n}"
        expect.close(label, path[1] - own[1], -rate * decay * start, rtol=1e-3, atol=1e-5)


def expect_decay_in_gradients(student, starts, gradients, options):
    """One step with the penalty is one without, with weight_decay * start in the gradients."""
    received = optimize(student, starts, gradients[:1], options)
    decay = np.float32(options["weight_decay"])
    given = [g + decay * start for g, start in zip(gradients[0], starts, strict=True)]
    own = optimize(student, starts, [given], {"lr": options["lr"]})
    expect_same_paths("weight decay, and the same in the gradients", received, own)


def expect_skips(paths, starts, skipped):
    """The parameter without gradients stays, and the others move."""
    for n, (path, start) in enumerate(zip(paths, starts, strict=True)):
        if n == skipped:
            expect.close(f"parameter {n}, without gradients", path, np.stack([start] * len(path)))
        else:
            moved = not np.allclose(path[1], start, rtol=0, atol=0)
            expect.that(f"parameter {n}", moved, "it has a gradient, and has not moved.")
