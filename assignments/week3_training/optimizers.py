"""Optimizers: how parameters move along their gradients.

Conventions, for every optimizer in this file:

- A parameter is any object with `data`, a float array of at least one axis, and `grad`, an array of
  the same shape: the `Parameter` below, or a Tensor of week 2.
- `step()` moves every parameter once, by the gradient that it has now. A gradient of zeros is a
  gradient like any other. `data` may be replaced or changed in place, as you like.
- The learning rate is read from `self.lr` at every step, since schedulers change it.
- What an optimizer remembers belongs to one parameter of one optimizer, has the parameter's shape,
  and starts at 0.
- Everything happens entry by entry: squares, roots and quotients of arrays are those of entries.

Beyond the texts (`week3.robustness`):

- A parameter whose `grad` is None is skipped: neither its data nor what the optimizer remembers of
  it changes.
- `step()` never changes a gradient, and keeps no gradient's array either: the caller may write the
  next gradient into the same array. `data` may be replaced from outside between two steps.
- float32 stays float32: if a parameter and its gradient are float32, so is its data afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


class Trainable(Protocol):
    """What an optimizer needs of a parameter."""

    data: FloatArray
    grad: FloatArray | None


@dataclass(eq=False)
class Parameter:
    """A parameter and its gradient, for use without an automatic differentiation engine. Given.

    Two parameters are equal only if they are the same object, so a parameter can be a key of a
    dict.
    """

    data: FloatArray
    grad: FloatArray | None = None


def positive(name: str, value: float) -> float:
    """Return `value`; raise a ValueError unless it is positive and finite. Given."""
    if not 0.0 < value < float("inf"):
        raise ValueError(f"{name} must be a positive number, got {value}")
    return value


def coefficient(name: str, value: float) -> float:
    """Return `value`; raise a ValueError unless 0 <= value < 1. Given."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value}")
    return value


class Optimizer(ABC):
    """What every optimizer has: parameters, a learning rate, `zero_grad` and `step`. Given.

    Attributes:
        parameters: the parameters, in the order in which they were given.
        lr: the learning rate. It may be changed between steps.
    """

    def __init__(self, parameters: Iterable[Trainable], lr: float) -> None:
        """Keep the parameters and the learning rate.

        Raises:
            ValueError: if there are no parameters, or if `lr` is not a positive number.
        """
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("an optimizer needs at least one parameter, got none")
        self.lr = positive("lr", lr)

    def zero_grad(self) -> None:
        """Set every parameter's gradient to zeros. (To set it to None is accepted too.)"""
        for parameter in self.parameters:
            parameter.grad = np.zeros_like(parameter.data)

    @abstractmethod
    def step(self) -> None:
        """Move every parameter that has a gradient."""


class Rprop(Optimizer):
    """Worked example: resilient backpropagation, which looks at the gradient's sign only.

    Every entry has a scale of its own. It grows while the gradient keeps its sign, and shrinks
    when the sign changes, since the minimum was stepped over then:

        scale <- 1.2 scale where the sign is the last one's, 0.5 scale where it is the opposite
        data  <- data - lr scale sign(grad)

    (Riedmiller and Braun, 1993, without their bounds on the scale and their step back.) Look at how
    it remembers: one array for each parameter, made once, and changed in place by `step`.
    """

    def __init__(self, parameters: Iterable[Trainable], lr: float = 0.01) -> None:
        """Start with scale 1, and with no last sign. `lr`: the size of the first step."""
        super().__init__(parameters, lr)
        self.scales = [np.ones_like(p.data) for p in self.parameters]
        self.signs = [np.zeros_like(p.data) for p in self.parameters]

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for p, scale, last in zip(self.parameters, self.scales, self.signs, strict=True):
            if p.grad is None:
                continue
            sign = np.sign(p.grad)
            scale[sign * last > 0] *= 1.2
            scale[sign * last < 0] *= 0.5
            last[...] = sign
            p.data = p.data - self.lr * scale * sign


class SGD(Optimizer):
    """Gradient descent.

    data <- data - lr grad

    Beyond the texts (`week3.options`): with weight decay,

    data <- data - lr (grad + weight_decay data)

    which is the gradient of weight_decay / 2 times the sum of squares, added to the gradient before
    the learning rate multiplies both, as in torch.optim.SGD.
    """

    def __init__(
        self, parameters: Iterable[Trainable], lr: float, weight_decay: float = 0.0
    ) -> None:
        """Keep the settings.

        Args:
            parameters: the parameters to move.
            lr: learning rate, positive.
            weight_decay: strength of the pull towards 0; at least 0.

        Raises:
            ValueError: if a setting is out of its range, or if there are no parameters.
        """
        super().__init__(parameters, lr)
        if not 0.0 <= weight_decay < float("inf"):
            raise ValueError(f"weight_decay must be 0 or a positive number, got {weight_decay}")
        self.weight_decay = weight_decay

    def step(self) -> None:
        """Move every parameter; one whose grad is None stays, and does not decay either."""
        raise NotImplementedError("week3.sgd: fill in SGD.step")


class SGDMomentum(Optimizer):
    """Gradient descent with momentum, the heavy ball (Polyak, 1964).

    v <- momentum v + grad, starting from v = 0
    data <- data - lr v, with the new v

    There is no dampening: the gradient enters v whole, not multiplied by 1 - momentum. With a
    constant gradient g the velocity grows to g / (1 - momentum): momentum = 0.9 makes steps ten
    times longer. The learning rate stays outside v, so a new one counts for the whole step at once.
    Both as in torch.optim.SGD.

    The other form is accepted too: v <- momentum v - lr grad, data <- data + v. The two differ only
    while the learning rate changes.
    """

    def __init__(self, parameters: Iterable[Trainable], lr: float, momentum: float = 0.9) -> None:
        """Keep the settings, and start every parameter's velocity at 0.

        Args:
            parameters: the parameters to move.
            lr: learning rate, positive.
            momentum: how much of the velocity is left after a step, 0 <= momentum < 1.

        Raises:
            ValueError: if a setting is out of its range, or if there are no parameters.
        """
        super().__init__(parameters, lr)
        self.momentum = coefficient("momentum", momentum)
        raise NotImplementedError("week3.momentum: fill in SGDMomentum.__init__")

    def step(self) -> None:
        """Move every parameter; one whose grad is None does not coast on."""
        raise NotImplementedError("week3.momentum: fill in SGDMomentum.step")


class RMSprop(Optimizer):
    """Gradient descent with a step size for each entry, from the mean of its squared gradients.

    s <- beta s + (1 - beta) grad^2, starting from s = 0
    data <- data - lr grad / sqrt(s + epsilon), with the new s

    epsilon stands inside the root here. Outside it, grad / (sqrt(s) + epsilon) as in
    torch.optim.RMSprop, is accepted too. There is no bias correction (Hinton, 2012, lecture notes):
    the first step is lr / sqrt(1 - beta) long, 32 times lr with the default beta, whatever the size
    of the gradient.
    """

    def __init__(
        self,
        parameters: Iterable[Trainable],
        lr: float,
        beta: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        """Keep the settings, and start every parameter's mean square at 0.

        Args:
            parameters: the parameters to move.
            lr: learning rate, positive.
            beta: how much of the mean is left after a step, 0 <= beta < 1.
            epsilon: positive; keeps the quotient finite where all gradients were 0.

        Raises:
            ValueError: if a setting is out of its range, or if there are no parameters.
        """
        super().__init__(parameters, lr)
        self.beta = coefficient("beta", beta)
        self.epsilon = positive("epsilon", epsilon)
        self.squares = [np.zeros_like(p.data) for p in self.parameters]

    def step(self) -> None:
        """Move every parameter; one whose grad is None is skipped."""
        raise NotImplementedError("week3.rmsprop: fill in RMSprop.step")


class Adam(Optimizer):
    """Momentum and a step size for each entry, both with bias correction (Kingma and Ba, 2015).

    m <- beta1 m + (1 - beta1) grad, starting from m = 0
    v <- beta2 v + (1 - beta2) grad^2, starting from v = 0
    m_hat = m / (1 - beta1^t)
    v_hat = v / (1 - beta2^t), where t is 1 in the first step
    data <- data - lr m_hat / (sqrt(v_hat) + epsilon)

    m and v themselves stay uncorrected. epsilon stands outside the root and is added after the
    correction: algorithm 1 of the paper, and torch.optim.Adam. Two other forms are accepted:
    sqrt(v_hat + epsilon), and both corrections in the learning rate (the end of section 2).

    t counts the steps in which this parameter had a gradient, as in PyTorch; one t for the whole
    optimizer, which also counts steps that the parameter was skipped in, is accepted too.
    """

    def __init__(
        self,
        parameters: Iterable[Trainable],
        lr: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        """Keep the settings, and start every parameter's m, v and count of steps at 0.

        Args:
            parameters: the parameters to move.
            lr: learning rate, positive.
            beta1: how much of m is left after a step, 0 <= beta1 < 1.
            beta2: how much of v is left after a step, 0 <= beta2 < 1.
            epsilon: positive; keeps the quotient finite where all gradients were 0.

        Raises:
            ValueError: if a setting is out of its range, or if there are no parameters.
        """
        super().__init__(parameters, lr)
        self.beta1 = coefficient("beta1", beta1)
        self.beta2 = coefficient("beta2", beta2)
        self.epsilon = positive("epsilon", epsilon)
        raise NotImplementedError("week3.adam: fill in Adam.__init__")

    def step(self) -> None:
        """Move every parameter; one whose grad is None is skipped."""
        raise NotImplementedError("week3.adam: fill in Adam.step")
