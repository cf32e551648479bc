"""Adam in another correct style: a loop over the parameters, in place, and one count of steps."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor


def check(right: bool, text: str) -> None:
    """Raise a ValueError unless `right`."""
    if not right:
        raise ValueError(text)


class Adam:
    """Adam, or AdamW where `decoupled`; t counts the steps of the whole optimizer."""

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
        """Keep the settings; ValueError for what is out of range."""
        check(lr > 0, f"lr must be above 0: {lr}")
        check(min(beta1, beta2) >= 0, f"betas must not be below 0: {beta1}, {beta2}")
        check(max(beta1, beta2) < 1, f"betas must be below 1: {beta1}, {beta2}")
        check(epsilon > 0, f"epsilon must be above 0: {epsilon}")
        check(weight_decay >= 0, f"weight_decay must not be below 0: {weight_decay}")
        self.parameters = [*parameters]
        check(bool(self.parameters), "no parameters")
        self.lr = lr
        self._betas, self._eps = (beta1, beta2), epsilon
        self._decay, self._decoupled = weight_decay, decoupled
        self._steps = 0
        self._first = [p.detach().clone().zero_() for p in self.parameters]
        self._second = [p.detach().clone().zero_() for p in self.parameters]

    def step(self) -> None:
        """Move all parameters that have gradients."""
        self._steps += 1
        with torch.no_grad():
            for place, p in enumerate(self.parameters):
                if p.grad is not None:
                    self._move(p, p.grad, self._first[place], self._second[place])

    def _move(self, p: Tensor, gradient: Tensor, first: Tensor, second: Tensor) -> None:
        """Change a parameter and its moments in place."""
        beta1, beta2 = self._betas
        if self._decay and self._decoupled:
            p -= self.lr * self._decay * p
        elif self._decay:
            gradient = gradient + self._decay * p
        first += (1 - beta1) * (gradient - first)
        second += (1 - beta2) * (gradient * gradient - second)
        m = first / (1 - math.pow(beta1, self._steps))
        v = second / (1 - math.pow(beta2, self._steps))
        p -= self.lr * m / (torch.sqrt(v) + self._eps)

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for p in self.parameters:
            p.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of the moments, and the steps."""
        state = {"steps": torch.tensor([self._steps])}
        for place in range(len(self.parameters)):
            state[f"first_{place}"] = self._first[place].clone()
            state[f"second_{place}"] = self._second[place].clone()
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Copy such a state; ValueError if it belongs to other parameters."""
        check(len(state) == 1 + 2 * len(self.parameters), "a state of other parameters")
        for place, p in enumerate(self.parameters):
            for kind in ("first", "second"):
                found = state.get(f"{kind}_{place}")
                check(found is not None and found.shape == p.shape, "a state of other parameters")
        self._steps = int(state["steps"].item())
        for place, p in enumerate(self.parameters):
            self._first[place] = state[f"first_{place}"].clone().to(p)
            self._second[place] = state[f"second_{place}"].clone().to(p)
