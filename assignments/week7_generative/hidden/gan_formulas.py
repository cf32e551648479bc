"""The losses of both players and the two small networks of the suites, in NumPy.

What a step has to make of the networks' numbers is computed here, exactly, by complex steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.suite.derivatives import vjp

Arrays = list[np.ndarray]
Loss = Callable[..., Any]

N, LATENT, PIXELS, HIDDEN = 7, 3, 11, 6
"""Images in a batch, and the sizes of the two networks: all different."""

RATE = 0.3
"""The rate of the plain gradient descent that stands in for the optimizers."""

SMOOTHED = 0.35
"""Up to this share of a label may be smoothed away; 0.1 is usual, 1 would be the wrong label."""

EPS = 1e-5


def softplus(x: Any) -> Any:
    """Return ln(1 + exp(x)), for complex numbers too; large ones must not come here."""
    return np.log1p(np.exp(x))


def d_loss(real: Any, fake: Any) -> Any:
    """Return the discriminator's loss."""
    return softplus(-real).mean() + softplus(fake).mean()


def g_loss(fake: Any) -> Any:
    """Return the generator's loss, which does not saturate."""
    return softplus(-fake).mean()


def made(z: Any, W: Any, b: Any) -> Any:
    """Return the images that the worker's Maker makes."""
    return 1 / (1 + np.exp(-(z @ W + b)))


def told(x: Any, W: Any, gamma: Any, beta: Any, v: Any, c: Any) -> Any:
    """Return the logits of the worker's Teller in training mode: each batch has its statistics."""
    seen = x @ W
    apart = seen - seen.mean(axis=0)
    normal = apart / np.sqrt((apart * apart).mean(axis=0) + EPS)
    return np.tanh(gamma * normal + beta) @ v + c


@dataclass(frozen=True)
class Rules:
    """The losses of both players; `d` of real and of generated logits, `g` of generated ones.

    smoothed: whether labels can be smoothed.
    """

    d: Callable[[Any, Any], Any]
    g: Callable[[Any], Any]
    smoothed: bool


GAN = Rules(d_loss, g_loss, smoothed=True)


def other_rules(marks: list[float]) -> Rules:
    """Return another game, by three marks: of real images, of generated ones, of the generator."""
    real, fake, wished = marks
    return Rules(
        lambda r, f: ((r - real) ** 2).mean() + ((f - fake) ** 2).mean(),
        lambda f: ((f - wished) ** 2).mean(),
        smoothed=False,
    )


@dataclass(frozen=True)
class Pair:
    """The numbers of a Maker and of a Teller."""

    maker: Arrays
    teller: Arrays

    def of_discriminator(self, rules: Rules, x: np.ndarray, z: np.ndarray) -> Loss:
        """Return its loss as a function of the Teller's numbers."""
        fake = made(z, *self.maker)
        return lambda *numbers: rules.d(told(x, *numbers), told(fake, *numbers))

    def of_generator(self, rules: Rules, z: np.ndarray) -> Loss:
        """Return its loss as a function of the Maker's numbers."""
        return lambda *numbers: rules.g(told(made(z, *numbers), *self.teller))

    def means(self, rules: Rules, x: np.ndarray, z: np.ndarray) -> list[Loss]:
        """Return the means of both kinds of logits as functions of the Teller's numbers.

        With a share s of a label smoothed away, the loss has s times such a mean besides.
        """
        fake = made(z, *self.maker)
        sides: list[Loss] = [
            lambda *numbers: told(x, *numbers).mean(),
            lambda *numbers: -told(fake, *numbers).mean(),
        ]
        return sides if rules.smoothed else []


def slopes(loss: Loss, numbers: Arrays) -> np.ndarray:
    """Return the gradients of a loss for all numbers, in one row."""
    return flat(vjp(loss, numbers, 1.0))


def flat(arrays: Arrays) -> np.ndarray:
    """Return all entries in one row."""
    return np.concatenate([np.ravel(one) for one in arrays])


def drawn_pair(rng: np.random.Generator, scale: float = 1.0) -> Pair:
    """Draw the numbers of both networks, float32."""
    maker = [(LATENT, PIXELS), (PIXELS,)]
    teller = [(PIXELS, HIDDEN), (HIDDEN,), (HIDDEN,), (HIDDEN,), ()]
    return Pair(*([draw(rng, shape, scale) for shape in shapes] for shapes in (maker, teller)))


def draw(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> np.ndarray:
    """Draw float32 numbers from a normal distribution."""
    return np.asarray(scale * rng.normal(size=shape), dtype=np.float32)
