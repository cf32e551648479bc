"""Optimizers: how parameters move along their gradients, and what is remembered of earlier steps.

All that an optimizer remembers is in `state`, one dict of arrays for each parameter, and `steps`:
so a checkpoint saves every optimizer in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from handmade.tensor import Tensor


class Optimizer:
    """Base of all optimizers.

    Attributes:
        parameters: what is moved, each once.
        lr: the learning rate; schedules change it.
        steps: how many steps were taken.
        state: what is remembered, for each parameter arrays by name.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float = 0.0) -> None:
        """Keep the parameters; weight_decay * parameter is added to every gradient."""
        self.parameters = list({id(one): one for one in parameters}.values())
        self.lr, self.weight_decay, self.steps = lr, weight_decay, 0
        self.state: list[dict[str, np.ndarray]] = [{} for _ in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for one in self.parameters:
            one.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        self.steps += 1
        for one, memory in zip(self.parameters, self.state, strict=True):
            if one.grad is not None and one.requires_grad:
                gradient = one.grad + self.weight_decay * one.data
                one.data = one.data - self.lr * self.direction(gradient, memory)

    def direction(self, gradient: np.ndarray, memory: dict[str, np.ndarray]) -> np.ndarray:
        """Return where a parameter moves, for its gradient and what is remembered of it."""
        raise NotImplementedError(f"{type(self).__name__} has no direction")

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return all that a checkpoint needs, by name."""
        arrays = {"steps": np.array(self.steps), "lr": np.array(self.lr)}
        for number, memory in enumerate(self.state):
            arrays |= {f"{number}.{name}": array.copy() for name, array in memory.items()}
        return arrays

    def load_arrays(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what `state_arrays` returned."""
        self.steps, self.lr = int(arrays["steps"]), float(arrays["lr"])
        self.state = [{} for _ in self.parameters]
        for key, array in arrays.items():
            number, _, name = key.partition(".")
            if name:
                self.state[int(number)][name] = array.copy()


class SGD(Optimizer):
    """Gradient descent; with momentum: velocity <- momentum velocity + gradient."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        """Keep the share of the velocity that stays from step to step."""
        super().__init__(parameters, lr, weight_decay)
        self.momentum = momentum

    def direction(self, gradient: np.ndarray, memory: dict[str, np.ndarray]) -> np.ndarray:
        """Return the velocity."""
        if self.momentum == 0.0:
            return gradient
        velocity = memory.get("velocity", np.zeros_like(gradient))
        memory["velocity"] = self.momentum * velocity + gradient
        return memory["velocity"]


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015), with bias correction; eps stands outside the root."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        """Keep how slowly the two running means forget."""
        super().__init__(parameters, lr, weight_decay)
        self.betas, self.eps = betas, eps

    def direction(self, gradient: np.ndarray, memory: dict[str, np.ndarray]) -> np.ndarray:
        """Return the corrected mean gradient over the root of the corrected mean square."""
        nothing = np.zeros_like(gradient)
        first, second = self.betas
        m = memory["m"] = first * memory.get("m", nothing) + (1 - first) * gradient
        v = memory["v"] = second * memory.get("v", nothing) + (1 - second) * gradient**2
        mean = m / (1 - first**self.steps)
        square = v / (1 - second**self.steps)
        return mean / (np.sqrt(square) + self.eps)
