"""Adam on torch tensors, with weight decay in both of its forms.

`step` may loop over the parameters. Optional, and faster on a GPU, are operations on whole lists:
`torch._foreach_mul_(tensors, number)` does what a loop of `tensor.mul_(number)` over the list does,
entry for entry, in a few kernels where the loop starts one or more per parameter. ResNet-18 has 62.
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

        decoupled:  p <- p - lr weight_decay p            (AdamW: Loshchilov and Hutter, 2019)
        otherwise:  g is replaced by g + weight_decay p   (Adam with an L2 penalty)
        m <- beta1 m + (1 - beta1) g,    starting from m = 0
        v <- beta2 v + (1 - beta2) g^2,  starting from v = 0
        p <- p - lr m_hat / (sqrt(v_hat) + eps)
             with m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t), t = 1 in the first step

    (Kingma and Ba, 2015.) eps stands outside the root, and is added after the correction. t counts
    the steps in which this parameter had a gradient; one t for all parameters is accepted too.

    Attributes:
        params: list of the parameters, in the order in which they were given.
        lr: the learning rate. A scheduler sets it between steps, so every step reads it anew.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled: bool = True,
    ) -> None:
        """Keep the settings, and start every parameter's m, v and t at 0.

        Args:
            params: the parameters: tensors that require gradients. An iterator is fine.
            lr: learning rate, positive.
            betas: (beta1, beta2), for m and for v, each at least 0 and below 1.
            eps: positive; keeps the quotient finite where all gradients were 0.
            weight_decay: not negative; 0 for none.
            decoupled: True for AdamW's weight decay, False to add it to the gradient.

        Raises:
            ValueError: if a setting is out of its range, or if there are no parameters.
        """
        # BEGIN SOLUTION project.optimizer
        self.params: list[Tensor] = [*params]
        if not self.params:
            raise ValueError("an optimizer needs parameters, got an empty list of them")
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"betas must be at least 0 and below 1, got {betas}")
        if not 0.0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay must not be negative, got {weight_decay}")
        self.lr, self.eps = positive("lr", lr), positive("eps", eps)
        self.betas, self.weight_decay, self.decoupled = betas, weight_decay, decoupled
        self.t = [0] * len(self.params)
        self.m = [torch.zeros_like(p, requires_grad=False) for p in self.params]
        self.v = [torch.zeros_like(p, requires_grad=False) for p in self.params]
        # END SOLUTION

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter, in place, by the gradient in its `grad`.

        A parameter whose `grad` is None is skipped: neither it nor its m, v and t change, and
        weight decay does not touch it either. No `grad` is changed.
        """
        # BEGIN SOLUTION project.optimizer
        live = [index for index, p in enumerate(self.params) if p.grad is not None]
        if not live:
            return
        params, m, v = ([tensors[i] for i in live] for tensors in (self.params, self.m, self.v))
        grads = [p.grad for p in params]
        for index in live:
            self.t[index] += 1
        (beta1, beta2), t = self.betas, [self.t[index] for index in live]
        if self.weight_decay and self.decoupled:
            torch._foreach_mul_(params, 1.0 - self.lr * self.weight_decay)
        elif self.weight_decay:
            grads = torch._foreach_add(grads, params, alpha=self.weight_decay)
        torch._foreach_mul_(m, beta1)
        torch._foreach_add_(m, grads, alpha=1.0 - beta1)
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, grads, grads, 1.0 - beta2)
        # sqrt(v_hat) + eps, then p - (lr / (1 - beta1^t)) m / that.
        below = torch._foreach_sqrt(v)
        torch._foreach_div_(below, [math.sqrt(1.0 - beta2**count) for count in t])
        torch._foreach_add_(below, self.eps)
        torch._foreach_addcdiv_(params, m, below, [-self.lr / (1.0 - beta1**n) for n in t])
        # END SOLUTION

    def zero_grad(self) -> None:
        """Forget all gradients: set every parameter's `grad` to None."""
        # BEGIN SOLUTION project.optimizer
        for p in self.params:
            p.grad = None
        # END SOLUTION

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that the optimizer remembers, as a flat dict of tensors.

        It holds what a new optimizer on the same parameters needs to go on as this one would: the
        moments and t, for instance as "t", "m.0", "m.1", ..., "v.0", "v.1", ... No settings: those
        are given to the new optimizer when it is made. Only tensors, since a safetensors file
        takes nothing else.
        """
        # BEGIN SOLUTION project.optimizer
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
        # BEGIN SOLUTION project.optimizer
        mine = self.state_dict()
        if {n: t.shape for n, t in state.items()} != {n: t.shape for n, t in mine.items()}:
            raise ValueError("this is the state of an optimizer on other parameters")
        self.t = state["t"].tolist()
        for index, (m, v) in enumerate(zip(self.m, self.v, strict=True)):
            m.copy_(state[f"m.{index}"])
            v.copy_(state[f"v.{index}"])
        # END SOLUTION
