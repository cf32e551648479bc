"""What the hidden tests of the project compare with: block and network as functions, in torch.

They take numbers by name, as `drawn` gives them on both sides of the channel. Batch normalisation
is written out here; the made-up parts of `worker/probes.py` are repeated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..suite_tools import roles
from ..worker.drivers import drawn
from . import lists
from .forms import BLOCK, RIGHT, BlockForm, Form

Numbers = dict[str, Tensor]
Names = dict[str, str]
Shapes = dict[str, tuple[int, ...]]
Norm = Callable[[Tensor, Numbers, str, bool], Tensor]


def filled(student: Any, module: Any, wanted: Shapes, seed: int = 5) -> tuple[Numbers, Names]:
    """Fill a module with numbers of ours; return these, as float64 with gradients, and the names.

    `wanted` has our names; what is called how in the student's module is found by what each layer
    is and by the order in which they were made (roles.py).
    """
    names = roles.names_of(roles.layers_of(student, module), wanted)
    found = student.drive("randomise", module, seed, names)
    for name, shape in wanted.items():
        lists.equal(f"shape of {name}", found[name], list(shape))
    numbers = {name: double(drawn(name, shape, seed)) for name, shape in wanted.items()}
    return numbers, names


def shift(x: Tensor, p: Numbers, name: str, training: bool) -> Tensor:
    """Return what the made-up part in the place of BatchNorm2d gives."""
    weight, bias, mean, var = _four(p, name)
    return weight * x + bias if training else weight * (x - mean) + var * bias


def batch_norm(x: Tensor, p: Numbers, name: str, training: bool) -> Tensor:
    """Return what BatchNorm2d gives."""
    weight, bias, mean, var = _four(p, name)
    if training:
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        var = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
    return weight * (x - mean) / torch.sqrt(var + 1e-5) + bias


def _four(p: Numbers, name: str) -> list[Tensor]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return [p[f"{name}.{part}"].view(1, -1, 1, 1) for part in parts]


def norm_shapes(name: str, channels: int) -> Shapes:
    """Return the names and shapes of a normalisation's parameters and buffers."""
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts}


def block_shapes(c_in: int, c_out: int, stride: int, prefix: str = "") -> Shapes:
    """Return the names and shapes of a block's parameters and buffers."""
    found = {
        f"{prefix}conv1.weight": (c_out, c_in, 3, 3),
        **norm_shapes(f"{prefix}bn1", c_out),
        f"{prefix}conv2.weight": (c_out, c_out, 3, 3),
        **norm_shapes(f"{prefix}bn2", c_out),
    }
    if stride != 1 or c_in != c_out:
        found[f"{prefix}shortcut.0.weight"] = (c_out, c_in, 1, 1)
        found |= norm_shapes(f"{prefix}shortcut.1", c_out)
    return found


def block(
    x: Tensor,
    p: Numbers,
    stride: int,
    training: bool,
    norm: Norm,
    prefix: str = "",
    form: BlockForm = BLOCK,
) -> Tensor:
    """Return what a BasicBlock of that form gives."""
    inner = functional.conv2d(x, p[f"{prefix}conv1.weight"], stride=stride, padding=1)
    inner = norm(inner, p, f"{prefix}bn1", training)
    inner = torch.clamp_min(inner, 0.0) if form.first_relu else inner
    inner = functional.conv2d(inner, p[f"{prefix}conv2.weight"], padding=1)
    inner = norm(inner, p, f"{prefix}bn2", training)
    if f"{prefix}shortcut.0.weight" in p:
        x = functional.conv2d(x, p[f"{prefix}shortcut.0.weight"], stride=stride)
        x = norm(x, p, f"{prefix}shortcut.1", training)
    if form.short == "relu":
        x = torch.clamp_min(x, 0.0)
    inner = torch.clamp_min(inner, 0.0) if form.last == "before" else inner
    ways = {"left out": inner, "subtracted": inner - x, "subtracted from": x - inner}
    out = ways[form.short] if form.short in ways else inner + x
    return torch.clamp_min(out, 0.0) if form.last == "after" else out


def network_shapes(classes: int, *, mixers: bool, form: Form = RIGHT) -> Shapes:
    """Return the names and shapes of the network's numbers, with made-up blocks or real ones."""
    found = {"conv1.weight": (64, 3, form.kernel, form.kernel), **norm_shapes("bn1", 64)}
    for name, c_in, c_out, stride in form.blocks:
        if mixers:
            found[f"{name}.weight"] = (c_out, c_in)
        else:
            found |= block_shapes(c_in, c_out, stride, f"{name}.")
    return found | {"fc.weight": (classes, 512), "fc.bias": (classes,)}


def stem(x: Tensor, p: Numbers, training: bool, norm: Norm, form: Form = RIGHT) -> Tensor:
    """Return what goes into layer1."""
    padding = form.kernel // 2
    out = functional.conv2d(x, p["conv1.weight"], stride=form.stride, padding=padding)
    out = norm(out, p, "bn1", training)
    out = torch.clamp_min(out, 0.0) if form.relu else out
    return functional.max_pool2d(out, *form.pool) if form.pool else out


def averages(
    x: Tensor, p: Numbers, training: bool, norm: Norm, *, mixers: bool, form: Form = RIGHT
) -> Tensor:
    """Return what goes into the linear layer."""
    out = stem(x, p, training, norm, form)
    for name, _, _, stride in form.blocks:
        if mixers:
            kernel = p[f"{name}.weight"][:, :, None, None]
            out = torch.cos(functional.conv2d(out, kernel, stride=stride))
        else:
            out = block(out, p, stride, training, norm, f"{name}.")
    if form.pooled == "max":
        return out.amax(dim=(2, 3))
    factors = {"mean": 1.0, "sum": float(out[0, 0].numel()), "twice": 2.0, "half": 0.5}
    return out.mean(dim=(2, 3)) * factors[form.pooled]


def network(
    x: Tensor, p: Numbers, training: bool, norm: Norm, *, mixers: bool, form: Form = RIGHT
) -> Tensor:
    """Return the logits."""
    features = averages(x, p, training, norm, mixers=mixers, form=form)
    logits = features @ p["fc.weight"].T + p["fc.bias"]
    ends = {"softmax": lambda: torch.softmax(logits, dim=1), "relu": lambda: logits.clamp_min(0.0)}
    return ends[form.end]() if form.end else logits


def double(array: np.ndarray) -> Tensor:
    """Return an array as a float64 tensor that records gradients."""
    return torch.from_numpy(array.astype(np.float64)).requires_grad_()


def values(tensor: Tensor) -> np.ndarray:
    """Return a tensor's numbers."""
    return tensor.detach().numpy()
