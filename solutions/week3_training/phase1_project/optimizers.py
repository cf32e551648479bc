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
        # BEGIN SOLUTION project.optimizer
        self.parameters: list[Tensor] = [*parameters]
        if not self.parameters:
            raise ValueError("an optimizer needs parameters, got an empty list of them")
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"{name} must be at least 0 and below 1, got {beta}")
        if not 0.0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay must not be negative, got {weight_decay}")
        self.lr, self.epsilon = positive("lr", lr), positive("epsilon", epsilon)
        self.beta1, self.beta2 = beta1, beta2
        self.weight_decay, self.decoupled = weight_decay, decoupled
        self.t = [0] * len(self.parameters)
        self.m = [torch.zeros_like(p, requires_grad=False) for p in self.parameters]
        self.v = [torch.zeros_like(p, requires_grad=False) for p in self.parameters]
        # END SOLUTION

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter, in place, by the gradient in its `grad`.

        Beyond the texts (`project.robustness`): a parameter whose `grad` is None is skipped, so
        neither it nor its m, v and t change, and weight decay does not touch it either. No `grad`
        is changed.
        """
        # BEGIN SOLUTION project.optimizer
        live = [index for index, p in enumerate(self.parameters) if p.grad is not None]
        if not live:
            return
        kept = (self.parameters, self.m, self.v)
        params, m, v = ([tensors[index] for index in live] for tensors in kept)
        grads = [p.grad for p in params]
        for index in live:
            self.t[index] += 1
        t = [self.t[index] for index in live]
        if self.weight_decay and self.decoupled:
            torch._foreach_mul_(params, 1.0 - self.lr * self.weight_decay)
        elif self.weight_decay:
            grads = torch._foreach_add(grads, params, alpha=self.weight_decay)
        torch._foreach_mul_(m, self.beta1)
        torch._foreach_add_(m, grads, alpha=1.0 - self.beta1)
        torch._foreach_mul_(v, self.beta2)
        torch._foreach_addcmul_(v, grads, grads, 1.0 - self.beta2)
        # sqrt(v_hat) + epsilon, then p - (lr / (1 - beta1^t)) m / that.
        below = torch._foreach_sqrt(v)
        torch._foreach_div_(below, [math.sqrt(1.0 - self.beta2**count) for count in t])
        torch._foreach_add_(below, self.epsilon)
        factors = [-self.lr / (1.0 - self.beta1**count) for count in t]
        torch._foreach_addcdiv_(params, m, below, factors)
        # END SOLUTION

    def zero_grad(self) -> None:
        """Set all gradients to zeros. (To set every `grad` to None is accepted as well.)"""
        # BEGIN SOLUTION project.optimizer
        for gradient in [p.grad for p in self.parameters if p.grad is not None]:
            gradient.zero_()
        # END SOLUTION

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that the optimizer remembers, as a flat dict of tensors. Beyond the texts.

        It holds what a new optimizer on the same parameters needs to go on as this one would: the
        moments and t, for instance as "t", "m.0", "m.1", ..., "v.0", "v.1", ... No settings: those
        are given to the new optimizer when it is made. Only tensors, since a safetensors file
        takes nothing else.

        Without this method and the next one (delete them then) everything works, but a resumed run
        begins with moments of 0.
        """
        # BEGIN SOLUTION project.robustness
        moments = {"m": self.m, "v": self.v}
        named = {f"{n}.{i}": tensor for n in moments for i, tensor in enumerate(moments[n])}
        return {"t": torch.tensor(self.t), **named}
        # END SOLUTION

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what `state_dict` of an optimizer on parameters of the same shapes returned.

        The tensors are copied, to the device of each parameter; `state` itself is not kept.

        Raises:
            ValueError: if it is the state of an optimizer on other parameters.
        """
        # BEGIN SOLUTION project.robustness
        mine = self.state_dict()
        if {n: t.shape for n, t in state.items()} != {n: t.shape for n, t in mine.items()}:
            raise ValueError("this is the state of an optimizer on other parameters")
        self.t = state["t"].tolist()
        for index, (m, v) in enumerate(zip(self.m, self.v, strict=True)):
            m.copy_(state[f"m.{index}"])
            v.copy_(state[f"v.{index}"])
        # END SOLUTION
