"""Hidden tests beyond the texts: Adam with weight decay, with a state, with odd parameters.

Where Adam's plain steps are wrong, those that compare numbers compare with its own (adam_sides.py);
they are blocked where it can't take steps.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.by_itself import by_itself

from .adam import adam, expect_paths, gradients_of, optimize, starts_of
from .adam_sides import (
    expect_decay_apart,
    expect_decay_in_gradients,
    expect_same_paths,
    expect_skips,
    plain_steps_fit,
)

pytestmark = pytest.mark.item("project.robustness")
of_adam = pytest.mark.needs("project.optimizer")

NEAR = {"rtol": 1e-4, "atol": 1e-5}
BOTH = pytest.mark.parametrize(
    "decoupled", [True, False], ids=["decoupled=True", "decoupled=False"]
)


@of_adam
@BOTH
def test_weight_decay(student, rng, decoupled):
    """Weight decay in both forms: apart from the gradient (AdamW), and added to it."""
    starts, gradients = starts_of(rng), gradients_of(rng, 20)
    options = {"lr": 0.05, "weight_decay": 0.3, "decoupled": decoupled}
    if not plain_steps_fit(student):
        with by_itself():
            if decoupled:
                expect_decay_apart(student, starts, gradients, 0.05, options)
            else:
                expect_decay_in_gradients(student, starts, gradients, options)
        return
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


@of_adam
def test_weight_decay_by_the_present_learning_rate(student, rng):
    """Weight decay uses the `lr` that the optimizer has at that moment."""
    starts, gradients = starts_of(rng), gradients_of(rng, 5)
    rates = [0.1, 0.1, 0.02, 0.5, 0.0]
    options = {"lr": 0.1, "weight_decay": 0.4}
    if not plain_steps_fit(student):
        with by_itself():
            expect_decay_apart(student, starts, gradients, 0.02, options)
        return
    received = optimize(student, starts, gradients, options, rates)
    expect_paths(received, starts, gradients, rates=rates, **options)


@of_adam
@BOTH
def test_parameters_without_gradients(student, rng, decoupled):
    """A parameter whose grad is None is skipped: it stays, and weight decay leaves it alone."""
    starts, gradients = starts_of(rng), gradients_of(rng, 6)
    for step, given in enumerate(gradients):
        given[1] = None
        if step >= 4:
            given[2] = None
    options = {"lr": 0.05, "weight_decay": 0.3, "decoupled": decoupled}
    received = optimize(student, starts, gradients, options)
    if not plain_steps_fit(student):
        with by_itself():
            expect_skips(received, starts, 1)
        return
    expect_paths(received, starts, gradients, **options)


@of_adam
@BOTH
def test_gradients_are_kept(student, rng, decoupled):
    """A step changes no gradient."""
    options = {"lr": 0.05, "weight_decay": 0.3, "decoupled": decoupled}
    make, starts, gradients = student.optimizers.Adam, starts_of(rng), gradients_of(rng, 3)
    found = student.drive("optimize", make, starts, gradients, options)
    expect.array("path of parameter 0", found["path"][0], (4, *starts[0].shape))
    if plain_steps_fit(student):
        expect_paths(found["path"], starts, gradients, **options)
    with by_itself():
        expect.equal("gradients are as they were before the step", found["kept"], True)


@of_adam
@BOTH
def test_state_dict(student, rng, decoupled):
    """An optimizer that takes over another one's state goes on as that one would have."""
    starts, gradients = starts_of(rng), gradients_of(rng, 12)
    options = {"lr": 0.05, "weight_decay": 0.3, "decoupled": decoupled}
    received = optimize(student, starts, gradients, options, None, 5)
    expect_on(student, received, starts, gradients, options)


def expect_on(student, received, starts, gradients, options):
    """Paths with something unusual about them are the usual ones, rightly or not."""
    if plain_steps_fit(student):
        expect_paths(received, starts, gradients, **options)
        return
    with by_itself():
        own = optimize(student, starts, gradients, options)
        expect_same_paths("compared with the usual way", received, own)


@of_adam
def test_state_of_a_new_optimizer(student, rng):
    """A state taken before the first step can be taken over too."""
    starts, gradients = starts_of(rng), gradients_of(rng, 4)
    received = optimize(student, starts, gradients, {"lr": 0.05}, None, 0)
    expect_on(student, received, starts, gradients, {"lr": 0.05})


@of_adam
def test_state_dict_is_flat(student, rng):
    """state_dict gives tensors by name, nothing else: a safetensors file takes nothing else."""
    starts = starts_of(rng)
    optimizer = student.optimizers.Adam(student.prepare("with_gradients", starts), lr=0.1)
    optimizer.step()
    state = student.prepare("state_dict_of", optimizer)
    expect.equal("types in the state dict", student.drive("kinds_in", state), ["Tensor"])
    sizes = [np.size(value) for value in student.drive("stored", state).values()]
    expect.that(
        "state dict",
        sum(sizes) > 2 * sum(start.size for start in starts),
        "it is too small to hold two moments for each entry, and the number of steps.",
    )


@of_adam
def test_state_is_taken_over_as_a_copy(student):
    """What happens to one optimizer later does not reach the other through a state dict."""
    starts = [np.array([1.0, 2.0], np.float32)]
    gradients = [[np.array([3.0, -1.0], np.float32)]] * 6
    make = student.optimizers.Adam
    found = student.drive("optimize_two", make, starts, gradients, {"lr": 0.05}, 3)
    if not plain_steps_fit(student):
        with by_itself():
            first, second = (expect.array("parameter", one, starts[0].shape) for one in found)
            [path] = optimize(student, starts, gradients, {"lr": 0.05})
            for label, one in (("first", first), ("second", second)):
                # Where it should be is asked by other tests; here, that both go on as one would.
                expect.repeated(f"the {label} optimizer's parameter", path[-1], one, **NEAR)
        return
    wanted = adam(starts[0], [given[0] for given in gradients], lr=0.05)
    expect.close("the first optimizer's parameter", found[0], wanted[-1], **NEAR)
    expect.close("the second optimizer's parameter", found[1], wanted[-1], **NEAR)


@of_adam
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_dtype_of_parameters(student, rng, dtype):
    """Parameters keep their dtype."""
    starts = [start.astype(dtype) for start in starts_of(rng)]
    gradients = [[g.astype(dtype) for g in given] for given in gradients_of(rng, 3)]
    received = optimize(student, starts, gradients, {"lr": 0.05})
    if plain_steps_fit(student):
        expect_paths(received, starts, gradients, lr=0.05)
    with by_itself():
        for path in received:
            expect.dtype("parameter", path, dtype)


@of_adam
def test_parameters_given_as_an_iterator(student, rng):
    """The parameters may come as an iterator, as `model.parameters()` is one."""
    starts, gradients = starts_of(rng), gradients_of(rng, 3)
    received = optimize(student, starts, gradients, {"lr": 0.05}, None, None, "iterator")
    expect_on(student, received, starts, gradients, {"lr": 0.05})


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.0},
        {"lr": -0.1},
        {"lr": 0.1, "beta1": 1.0},
        {"lr": 0.1, "beta2": 1.0},
        {"lr": 0.1, "beta1": -0.1},
        {"lr": 0.1, "epsilon": 0.0},
        {"lr": 0.1, "epsilon": -1e-8},
        {"lr": 0.1, "weight_decay": -0.1},
    ],
    ids=lambda options: "-".join(f"{name} {value}" for name, value in options.items()),
)
def test_refuses_bad_settings(student, rng, options):
    """A setting that is out of its range raises a ValueError."""
    params = student.prepare("with_gradients", starts_of(rng))
    label = f"Adam(parameters, {options})"
    expect.raises(
        label, student.prepare, "ValueError", "made", student.optimizers.Adam, params, options
    )


def test_refuses_no_parameters(student):
    """An optimizer without parameters raises a ValueError."""
    expect.raises("Adam([], 0.1)", student.optimizers.Adam, "ValueError", [], 0.1)
