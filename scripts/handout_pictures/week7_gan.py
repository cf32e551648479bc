"""The pictures of week 7's chapter on GANs: one that learns, and one that is made to collapse."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from handout_pictures.week7 import SOLUTION, WEEK7, _png

PARTS, STEPS, SIZE, SHOWN = 5, 250, 64, 12


def _watched(rate_of_generator: float | None) -> Any:
    """Train a GAN on the digits in parts; return what the same noise became after each.

    rate_of_generator: where the generator moves at another rate than its opponent.
    """
    import torch

    for folder in (SOLUTION, SOLUTION.parents[1]):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    import gan as solution

    import data

    found = data.load("digits").x_train
    images = torch.from_numpy(found.reshape(len(found), -1).astype(np.float32) / 255.0)
    torch.manual_seed(0)
    gan = solution.GAN(solution.Generator(), solution.Discriminator())
    if rate_of_generator is not None:
        gan.generator_optimizer = torch.optim.Adam(gan.generator.parameters(), rate_of_generator)
    seen = []
    for part in range(PARTS):
        solution.train(gan, images, STEPS, SIZE, seed=part)
        seen.append(solution.generate(gan.generator, SHOWN, gan.generator.latent, seed=3))
    return torch.cat(seen)


def learning() -> bytes:
    """Draw the same noise after 250 to 1,250 steps."""
    return _png(_watched(None), SHOWN)


def collapsed() -> bytes:
    """Draw the same, with a generator that moves twenty times as fast as its opponent."""
    return _png(_watched(0.01), SHOWN)


PICTURES: dict[tuple[str, str], Callable[[], str | bytes]] = {
    (WEEK7, "gan_learning.png"): learning,
    (WEEK7, "gan_collapsed.png"): collapsed,
}
