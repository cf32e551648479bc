"""Checks week 3's reference optimizers and schedulers against PyTorch's, where definitions agree.

They agree in: SGD with weight decay; momentum without dampening; Adam without weight decay; StepLR,
MultiStepLR and ExponentialLR; CosineAnnealingLR up to T_max; and WarmupLR, which is LinearLR
followed by the base scheduler in a SequentialLR.

They differ in:

- RMSprop: epsilon stands inside the root in the reference, outside it in PyTorch. Where it counts
  for nothing they agree.
- CosineAnnealingLR after T_max: the reference stays at eta_min, PyTorch goes on along the cosine.
- Learning rates are computed by a formula here, by a recursion there: equal up to rounding only.
- PyTorch accepts a learning rate of 0 and an epsilon of 0; the reference refuses them.
- `zero_grad` fills gradients with 0 in the reference and sets them to None in PyTorch.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).resolve().parents[2] / "solutions" / "week3_training"
SHAPES = ((3,), (2, 4), (3,))
BASE = 0.4
EPOCHS = 100


def reference(name: str) -> ModuleType:
    """Import a module of week 3's reference under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"week3_reference_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


optimizers, schedulers = reference("optimizers"), reference("schedulers")

TINY = 1e-30
"""An epsilon that counts for nothing, wherever it stands."""

# Name here, settings here; name there, settings there.
OPTIMIZERS = [
    ("SGD", {"lr": 0.1}, "SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.3}, "SGD", {"lr": 0.05, "weight_decay": 0.3}),
    ("SGDMomentum", {"lr": 0.05}, "SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGDMomentum", {"lr": 0.1, "momentum": 0.5}, "SGD", {"lr": 0.1, "momentum": 0.5}),
    ("RMSprop", {"lr": 0.01, "epsilon": TINY}, "RMSprop", {"alpha": 0.999, "eps": TINY}),
    (
        "RMSprop",
        {"lr": 0.01, "beta": 0.8, "epsilon": TINY},
        "RMSprop",
        {"alpha": 0.8, "eps": TINY},
    ),
    ("Adam", {"lr": 1e-3}, "Adam", {}),
    ("Adam", {"lr": 0.05, "epsilon": 0.1}, "Adam", {"lr": 0.05, "eps": 0.1}),
    ("Adam", {"lr": 1e-3, "beta1": 0.6, "beta2": 0.8}, "Adam", {"betas": (0.6, 0.8)}),
]


def both_paths(ours: str, settings: dict, theirs: str, their_settings: dict, steps: int) -> None:
    """Do the same steps with both; the second parameter has no gradient in every third step.

    The learning rate changes at step 5.
    """
    rng = np.random.default_rng(steps)
    here = [optimizers.Parameter(rng.normal(size=shape)) for shape in SHAPES]
    there = [torch.nn.Parameter(torch.tensor(p.data)) for p in here]
    first = getattr(optimizers, ours)(here, **settings)
    second = getattr(torch.optim, theirs)(there, **their_settings)
    for step in range(steps):
        if step == 5:
            first.lr *= 0.3
            second.param_groups[0]["lr"] *= 0.3
        for place, (p, q) in enumerate(zip(here, there, strict=True)):
            skipped = place == 1 and step % 3 == 0
            p.grad = None if skipped else rng.normal(size=p.data.shape)
            q.grad = None if skipped else torch.tensor(p.grad)
        first.step()
        second.step()
    for p, q in zip(here, there, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 10, 100])
@pytest.mark.parametrize(("ours", "settings", "theirs", "their_settings"), OPTIMIZERS)
def test_optimizers_take_the_same_path(ours, settings, theirs, their_settings, steps):
    both_paths(ours, settings, theirs, their_settings, steps)


def test_optimizers_have_the_same_default_settings():
    """Where both have a default; the learning rate has none here, and RMSprop has another mean."""
    p = torch.nn.Parameter(torch.zeros(1))
    rms, adam = torch.optim.RMSprop([p]).defaults, torch.optim.Adam([p]).defaults
    here = [optimizers.Parameter(np.zeros(1))]
    assert optimizers.RMSprop(here, 0.1).epsilon == rms["eps"]
    ours = optimizers.Adam(here, 0.1)
    assert (ours.beta1, ours.beta2, ours.epsilon) == (*adam["betas"], adam["eps"])


class Rate:
    """Stands for an optimizer where only its learning rate matters."""

    def __init__(self) -> None:
        self.lr = BASE


def torch_rates(make) -> list[float]:
    """Return the learning rates of 100 epochs under the PyTorch scheduler that `make` makes."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    scheduler = make(optimizer)
    rates = []
    for _ in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            # SequentialLR passes an epoch to its schedulers, which PyTorch itself discourages.
            warnings.filterwarnings("ignore", "The epoch parameter", UserWarning)
            scheduler.step()
    return rates


def our_rates(make) -> list[float]:
    """Return the learning rates of 100 epochs under the reference's scheduler."""
    optimizer = Rate()
    scheduler = make(optimizer)
    rates = []
    for epoch in range(EPOCHS):
        scheduler.step(epoch)
        rates.append(optimizer.lr)
    return rates


SCHEDULERS = [
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [30, 80]}),
    ("MultiStepLR", {"milestones": [41, 5, 70], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.95}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 120, "eta_min": 0.05}),
]


@pytest.mark.parametrize(("name", "settings"), SCHEDULERS)
def test_schedulers_give_the_same_learning_rates(name, settings):
    theirs = torch_rates(lambda o: getattr(torch.optim.lr_scheduler, name)(o, **settings))
    ours = our_rates(lambda o: getattr(schedulers, name)(o, **settings))
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_cosine_stays_where_pytorch_rises_again():
    """The same up to T_max. After it, PyTorch follows the formula, the other legal convention."""
    theirs = torch_rates(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=30, eta_min=0.1)
    )
    ours = our_rates(lambda o: schedulers.CosineAnnealingLR(o, T_max=30, eta_min=0.1))
    np.testing.assert_allclose(ours[:31], theirs[:31], rtol=1e-10)
    assert ours[31:] == [0.1] * (EPOCHS - 31)
    goes_on = 0.25 + 0.15 * np.cos(np.pi * np.arange(EPOCHS) / 30)
    np.testing.assert_allclose(theirs, goes_on, rtol=1e-10)


@pytest.mark.parametrize("length", [2, 5, 40])
def test_warmup_is_a_linear_rise_and_then_the_base_scheduler(length):
    """LinearLR reaches the base rate after total_iters steps, here in the last warm-up epoch."""

    def make(optimizer):
        parts = torch.optim.lr_scheduler
        rise = parts.LinearLR(optimizer, start_factor=1 / length, total_iters=length - 1)
        base = parts.StepLR(optimizer, step_size=10, gamma=0.5)
        return parts.SequentialLR(optimizer, [rise, base], milestones=[length])

    ours = our_rates(
        lambda o: schedulers.WarmupLR(o, length, schedulers.StepLR(o, step_size=10, gamma=0.5))
    )
    np.testing.assert_allclose(ours, torch_rates(make), rtol=1e-10)


def test_schedulers_drive_the_optimizers_of_this_week():
    """A scheduler and an optimizer of the reference together move as PyTorch's pair does."""
    rng = np.random.default_rng(0)
    here = optimizers.Parameter(rng.normal(size=(2, 3)))
    there = torch.nn.Parameter(torch.tensor(here.data))
    first = optimizers.Adam([here], lr=0.1)
    second = torch.optim.Adam([there], lr=0.1)
    ours = schedulers.CosineAnnealingLR(first, T_max=20)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(second, T_max=20)
    for epoch in range(20):
        ours.step(epoch)
        here.grad = rng.normal(size=(2, 3))
        there.grad = torch.tensor(here.grad)
        for part in (first, second, theirs):
            part.step()
    np.testing.assert_allclose(here.data, there.detach().numpy(), rtol=1e-10, atol=1e-12)
