"""Adam by running means, with the corrections in the learning rate."""

import math

import torch


class Adam:
    """Memory in dicts, by the number of the parameter."""

    def __init__(
        self, parameters, lr, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, decoupled=True
    ):
        self.parameters, self.lr = list(parameters), lr
        if not self.parameters:
            raise ValueError("there are no parameters")
        if not (0 < lr < math.inf and 0 < epsilon < math.inf and 0 <= weight_decay < math.inf):
            raise ValueError(f"lr {lr}, epsilon {epsilon}, weight_decay {weight_decay}")
        if not (0 <= beta1 < 1 and 0 <= beta2 < 1):
            raise ValueError(f"betas {beta1}, {beta2} are not in [0, 1)")
        self.betas, self.epsilon = (beta1, beta2), epsilon
        self.weight_decay, self.decoupled = weight_decay, decoupled
        self.m, self.v = ([torch.zeros_like(p) for p in self.parameters] for _ in range(2))
        self.t = [0] * len(self.parameters)

    @torch.no_grad()
    def step(self):
        """Move every parameter in place."""
        beta1, beta2 = self.betas
        for i, p in enumerate(self.parameters):
            if p.grad is None:
                continue
            g = p.grad
            if self.decoupled:
                p.mul_(1 - self.lr * self.weight_decay)
            else:
                g = g + self.weight_decay * p
            self.t[i] += 1
            self.m[i].lerp_(g, 1 - beta1)
            self.v[i].lerp_(g * g, 1 - beta2)
            rate = self.lr * math.sqrt(1 - beta2 ** self.t[i]) / (1 - beta1 ** self.t[i])
            p.addcdiv_(self.m[i], self.v[i].sqrt() + self.epsilon, value=-rate)

    def zero_grad(self):
        """Forget all gradients."""
        for p in self.parameters:
            p.grad = None

    def state_dict(self):
        """Return the memory as tensors."""
        moments = {
            f"{name}.{i}": value for name in "mv" for i, value in enumerate(vars(self)[name])
        }
        return {"t": torch.tensor(self.t), **moments}

    def load_state_dict(self, state):
        """Take over the memory of another one."""
        mine = self.state_dict()
        shapes = {name: value.shape for name, value in mine.items()}
        if shapes != {name: value.shape for name, value in state.items()}:
            raise ValueError("this is the state of an optimizer on other parameters")
        self.t = state["t"].tolist()
        for name in mine.keys() - {"t"}:
            mine[name].copy_(state[name])
