"""Adam on torch tensors.

`step` may loop over the parameters. Optional, and faster on a GPU, are operations on whole lists:
`torch._foreach_mul_(tensors, number)` does what a loop of `tensor.mul_(number)` over the list does,
entry for entry, in a few kernels where the loop starts one or more per parameter. ResNet-18 has 62.

`train.py` may use any other optimizer of week 3 as well: write it into this file too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor


def positive(name: str, value: float) -> float:
    """Return `value`; raise a ValueError unless it is positive and finite. Given."""
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} must be a positive number, got {value}")
    return value


class Adam:
    """Momentum and a step size for each entry, both with bias correction.

    For each parameter p with gradient g, entry by entry:

        m <- beta1 m + (1 - beta1) g,    starting from m = 0
        v <- beta2 v + (1 - beta2) g^2,  starting from v = 0
        p <- p - lr m_hat / (sqrt(v_hat) + epsilon)
             with m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t), t = 1 in the first step

    (Kingma and Ba, 2015.) epsilon stands outside the root here, and is added after the correction.
    sqrt(v_hat + epsilon) is accepted as well, and so are both corrections in the learning rate.

    Beyond the texts (`project.robustness`), with weight_decay:

        decoupled:  p <- p - lr weight_decay p first      (AdamW: Loshchilov and Hutter, 2019)
        otherwise:  g is replaced by g + weight_decay p   (Adam with an L2 penalty)

    and t counts the steps in which a parameter had a gradient. (One t for all parameters is
    accepted too.)

    Attributes:
        parameters: list of the parameters, in the order in which they were given.
        lr: the learning rate. A scheduler sets it, so every step reads it anew.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled: bool = True,
    ) -> None:
        """Keep the settings, and start every parameter's m, v and t at 0.

        Args:
            parameters: a list of tensors that require gradients. (An iterator of some, and a
                ValueError for none, are beyond: `project.robustness`.)
            lr: learning rate, positive.
            beta1: for m, at least 0 and below 1.
            beta2: for v, at least 0 and below 1.
            epsilon: positive; keeps the quotient finite where all gradients were 0.
            weight_decay: not negative; 0 for none.
            decoupled: True for AdamW's weight decay, False to add it to the gradient.

        Raises:
            ValueError: if a setting is out of its range (`project.robustness`).
        """
        raise NotImplementedError("project.optimizer: fill in Adam.__init__")

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter, in place, by the gradient in its `grad`.

        Beyond the texts (`project.robustness`): a parameter whose `grad` is None is skipped, so
        neither it nor its m, v and t change, and weight decay does not touch it either. No `grad`
        is changed.
        """
        raise NotImplementedError("project.optimizer: fill in Adam.step")

    def zero_grad(self) -> None:
        """Set all gradients to zeros. (To set every `grad` to None is accepted as well.)"""
        raise NotImplementedError("project.optimizer: fill in Adam.zero_grad")

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that the optimizer remembers, as a flat dict of tensors. Beyond the texts.

        It holds what a new optimizer on the same parameters needs to go on as this one would: the
        moments and t, for instance as "t", "m.0", "m.1", ..., "v.0", "v.1", ... No settings: those
        are given to the new optimizer when it is made. Only tensors, since a safetensors file
        takes nothing else.

        Without this method and the next one (delete them then) everything works, but a resumed run
        begins with moments of 0.
        """
        raise NotImplementedError("project.robustness: fill in Adam.state_dict")

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what `state_dict` of an optimizer on parameters of the same shapes returned.

        The tensors are copied, to the device of each parameter; `state` itself is not kept.

        Raises:
            ValueError: if it is the state of an optimizer on other parameters.
        """
        raise NotImplementedError("project.robustness: fill in Adam.load_state_dict")
