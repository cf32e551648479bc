"""Made-up parts: they stand where a student's other parts would, put there by drivers.

So a mistake in one part fails the tests of no other. Student code can read this file, so nothing
in it is the answer to a task: no formula here is one that the assignments ask for.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional


class Shift(nn.Module):
    """Stands for BatchNorm2d: its names and shapes, with another arithmetic.

    y = weight x + bias in training mode, y = weight (x - running_mean) + running_var bias in
    evaluation mode; nothing is divided, and nothing moves the buffers. It takes whatever settings
    it is given. `gamma` and `beta` are other names for weight and bias.
    """

    gamma = property(lambda self: self.weight)
    beta = property(lambda self: self.bias)

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, *_: Any, **__: Any
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        flat = torch.full((4, num_features), 0.0)
        flat[[0, 3]] += 1.0
        for row, name in enumerate(("weight", "bias")):
            setattr(self, name, nn.Parameter(flat[row].clone()))
        for row, name in enumerate(("mean", "var"), start=2):
            self.register_buffer(f"running_{name}", flat[row].clone())

    def forward(self, x: Tensor) -> Tensor:
        weight, bias, mean, var = (
            part.view(1, -1, 1, 1)
            for part in (self.weight, self.bias, self.running_mean, self.running_var)
        )
        return weight * x + bias if self.training else weight * (x - mean) + var * bias


class Mixer(nn.Module):
    """Stands for BasicBlock: cos(x[:, :, ::stride, ::stride] mixed by `weight`), where x is NCHW.

    `weight` has shape (out_channels, in_channels); `made` says with which numbers it was made, the
    stride 1 if none was given. Arguments may have any names. What initialises a block's layers, or
    asks for its expansion, finds something, which takes no part and belongs to no module.
    """

    expansion: ClassVar[int] = 1

    def __init__(self, *sizes: Any, **named: Any) -> None:
        super().__init__()
        given = [*sizes, *named.values()]
        numbers = [int(one) for one in given if isinstance(one, int) and not isinstance(one, bool)]
        before, after, self.stride = [*numbers, 1][:3]
        self.made = [before, after, self.stride]
        self.weight = nn.Parameter(torch.randn(after, before) / before**0.5)
        for name, layer in (("conv1", nn.Conv2d(1, 1, 1)), ("conv2", nn.Conv2d(1, 1, 1))):
            self.__dict__[name] = layer
        for name in ("bn1", "bn2"):
            self.__dict__[name] = Shift(1)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight[:, :, None, None]
        return torch.cos(functional.conv2d(x, kernel, stride=self.stride))


class Pixel(nn.Module):
    """Stands for the network: logits = x[:, :, 16, 16] @ weight + bias - seen, in evaluation mode.

    In training mode `seen` is added instead, and then moves a little. `passes` holds what each
    forward pass was given: [training, whether gradients are recorded, (N, 3) pixels, whether a
    gradient came back]. Once there are `stop_at` passes in training mode, the next one is
    interrupted, as by a kill.
    """

    passes: ClassVar[list[list]] = []
    stop_at: ClassVar[int | None] = None

    def __init__(self, num_classes: int = 10, *_: Any, **__: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(3, num_classes))
        self.bias = nn.Parameter(torch.zeros(num_classes))
        self.register_buffer("seen", torch.zeros(num_classes))

    def forward(self, x: Tensor) -> Tensor:
        pixels = x[:, :, 16, 16]
        if self.training and sum(one[0] for one in self.passes) == self.stop_at:
            raise KeyboardInterrupt
        seen = [self.training, torch.is_grad_enabled(), pixels.detach().clone(), False]
        self.passes.append(seen)
        logits = pixels @ self.weight + self.bias
        if logits.requires_grad:
            logits.register_hook(lambda _: seen.__setitem__(3, True))
        if not self.training:
            return logits - self.seen
        logits = logits + self.seen
        with torch.no_grad():
            self.seen += 0.01
        return logits


class Walker:
    """Stands for an optimizer: p <- p - lr (g + drag), where drag grows by 0.001 in each step."""

    def __init__(self, parameters: list[Tensor], lr: float) -> None:
        self.parameters, self.lr = list(parameters), lr
        self.drag = torch.zeros(())

    @torch.no_grad()
    def step(self) -> None:
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter -= self.lr * (parameter.grad + self.drag)
        self.drag += 0.001

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        return {"drag": self.drag.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.drag = state["drag"].clone()


class Fading:
    """Stands for a schedule: epoch e has the rate at the start times 0.8^e. `asked` lists them."""

    def __init__(self, optimizer: Walker) -> None:
        self.optimizer, self.first = optimizer, optimizer.lr
        self.asked: list[int] = []

    def step(self, epoch: int) -> None:
        self.asked.append(epoch)
        self.optimizer.lr = self.first * 0.8**epoch
