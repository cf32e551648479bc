"""What runs inside this week's sandboxes beside the student's code: arrays to tensors and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the first optimizer does, for a second of what would be the student's time
from torch import Tensor, nn

ALLOWED = (
    "torch.optim.Optimizer.__init__",
    "torch.optim.lr_scheduler.LRScheduler.__init__",
    "torch.nn.modules.batchnorm._NormBase.__init__",
    "torch.nn.functional.batch_norm",
    "torch.batch_norm",
    "torch.native_batch_norm",
)
"""Who is here has written these in week 3."""


def tensor(*arrays: np.ndarray) -> Tensor:
    """Return arrays, one behind the other, as a tensor."""
    return torch.from_numpy(np.concatenate(arrays))


def logits(network: nn.Module, images: np.ndarray, device: str) -> np.ndarray:
    """Return the logits of images, uint8 (N, C, H, W), as the student's `normalise` brings them."""
    import cifar_cnn

    with torch.no_grad():
        found = network(cifar_cnn.normalise(torch.from_numpy(images.copy())).to(device))
    return found.detach().float().cpu().numpy()


def outputs(network: Any, x: np.ndarray) -> np.ndarray:
    """Return what a network makes of an array."""
    with torch.no_grad():
        return network(torch.from_numpy(x.copy())).detach().numpy()


def trained(train: Callable[..., Any], network: Any, *how: Any) -> Any:
    """Run the student's training; return what it returns."""
    return train(network, *how)


def mode(module: nn.Module, training: bool) -> None:
    """Put a module into training or evaluation mode."""
    module.train(training)


def state(module: nn.Module) -> dict[str, np.ndarray]:
    """Return parameters and buffers by their names."""
    return {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}


def free(module: nn.Module) -> list[str]:
    """Return the names of what can be trained, and of all modules in training mode."""
    named = [name for name, value in module.named_parameters() if value.requires_grad]
    return [*named, *(f"mode {name}" for name, part in module.named_modules() if part.training)]


def reached(network: nn.Module, x: np.ndarray, upstream: np.ndarray) -> list[bool]:
    """Return for each parameter whether a gradient other than 0 gets there."""
    network.zero_grad()
    (network(torch.from_numpy(x.copy())) * torch.from_numpy(upstream.copy())).sum().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    return [gradient is not None and bool((gradient != 0).any()) for gradient in gradients]


def gradients(network: nn.Module) -> list[np.ndarray]:
    """Return the gradients that the parameters hold, 0 for those that hold none."""
    held = [(parameter, parameter.grad) for parameter in network.parameters()]
    return [np.zeros(tuple(one.shape)) if grad is None else grad.numpy() for one, grad in held]


def fill(network: nn.Module, values: dict[str, np.ndarray]) -> None:
    """Put values into the parameters and buffers of a network, by their names."""
    network.load_state_dict({name: torch.from_numpy(one.copy()) for name, one in values.items()})


def seed(number: int) -> None:
    """Seed PyTorch's own generator."""
    torch.manual_seed(number)


def generator(number: int) -> torch.Generator:
    """Return a generator of PyTorch's."""
    return torch.Generator().manual_seed(number)


class Trunk(nn.Module):
    """Two layers with batch normalisation and dropout, which a network can be made of."""

    def __init__(self, W: np.ndarray, b: np.ndarray) -> None:
        super().__init__()
        self.linear = nn.Linear(W.shape[1], W.shape[0])
        self.norm = nn.BatchNorm1d(W.shape[0])
        self.drop = nn.Dropout(0.5)
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(W))
            self.linear.bias.copy_(torch.from_numpy(b))

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(torch.relu(self.norm(self.linear(x))))


class Network(nn.Module):
    """A trunk and, in a module of its own, a head."""

    def __init__(self, W: np.ndarray, b: np.ndarray, V: np.ndarray, c: np.ndarray) -> None:
        super().__init__()
        self.trunk = Trunk(W, b)
        self.top = nn.Sequential(nn.Identity(), nn.Linear(V.shape[1], V.shape[0]))
        with torch.no_grad():
            self.top[1].weight.copy_(torch.from_numpy(V))
            self.top[1].bias.copy_(torch.from_numpy(c))

    def forward(self, x: Tensor) -> Tensor:
        return self.top(self.trunk(x))


class Ledger(nn.Module):
    """A bias for each class, and a factor for the mean of an image; notes each batch that it gets.

    Of each batch in which gradients are computed: whether it is in training mode, the least and the
    largest number, and the median of each image.
    """

    def __init__(self, bias: np.ndarray) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.from_numpy(bias.copy()))
        self.slope = nn.Parameter(torch.zeros(len(bias)))
        self.noted: list[list[Any]] = []

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            seen = x.detach().float()
            middle = seen.flatten(1).median(dim=1).values.numpy()
            self.noted.append([self.training, float(seen.min()), float(seen.max()), middle])
        return self.bias + self.slope * x.float().mean(dim=(1, 2, 3))[:, None]


def noted(network: Ledger) -> list[list[Any]]:
    """Return what a ledger has noted."""
    return network.noted


def trunk(network: Network) -> Trunk:
    """Return a network's trunk."""
    return network.trunk


def frozen(module: nn.Module) -> None:
    """Freeze a module."""
    module.requires_grad_(False)
    module.eval()


def frozen_trunk(network: Network) -> None:
    """Freeze a network's trunk."""
    frozen(network.trunk)


DRIVERS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        tensor,
        logits,
        trained,
        outputs,
        mode,
        state,
        free,
        reached,
        gradients,
        fill,
        noted,
        seed,
        generator,
        trunk,
        frozen,
        frozen_trunk,
    )
} | {"drawn_network": Network, "ledger": Ledger}
PROBES: dict[str, object] = {}
