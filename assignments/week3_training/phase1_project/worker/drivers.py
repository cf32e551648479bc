"""Drivers for the project's tests: tensors, modules and their gradients, by name.

What they return is not believed any further than "the student's code gave this".
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch


def tensor(array: np.ndarray, layout: str = "") -> Any:
    """Return a copy of `array` as a tensor; `layout` "channels_last" or "strided" changes memory.

    "bfloat16" changes the dtype.
    """
    made = torch.from_numpy(np.array(array))
    if layout == "channels_last":
        made = made.to(memory_format=torch.channels_last)
    elif layout == "strided":
        made = torch.stack([made, made], dim=-1)[..., 0]
    elif layout == "bfloat16":
        made = made.bfloat16()
    return made


def batches(pairs: list[list[np.ndarray]]) -> list[tuple[Any, Any]]:
    """Return a list of (x, y) tensors, as a loader would yield them."""
    return [(tensor(x), tensor(y)) for x, y in pairs]


def generator(seed: int) -> Any:
    """Return a torch.Generator."""
    return torch.Generator().manual_seed(seed)


def seeded(seed: int, function: Any, *arguments: Any) -> Any:
    """Seed torch's global generator, then call."""
    torch.manual_seed(seed)
    return function(*arguments)


def seeded_state(seed: int) -> np.ndarray:
    """Seed torch's global generator and return its state."""
    torch.manual_seed(seed)
    return global_state()


def global_state() -> np.ndarray:
    """Return the state of torch's global generator."""
    return torch.get_rng_state().numpy()


def dtype_of(value: Any) -> str:
    """Return the name of a tensor's dtype, such as "bfloat16"."""
    return str(value.dtype).removeprefix("torch.") if type(value) is torch.Tensor else ""


# Modules


OTHER_NAMES = {"gamma": "weight", "beta": "bias"}
"""What a normalisation's parameters are also called, and the names that tests have for them."""


def ours(name: str) -> str:
    """Return the name that tests have for a parameter or buffer."""
    head, dot, last = name.rpartition(".")
    return f"{head}{dot}{OTHER_NAMES.get(last, last)}"


def state_in(module: Any) -> dict[str, Any]:
    """Return a module's parameters and buffers themselves, by our names."""
    return {ours(name): value for name, value in module.state_dict().items()}


def shapes(module: Any) -> dict[str, dict[str, list[int]]]:
    """Return the shapes of a module's parameters and of what else is in its state dict."""
    parameters = {ours(name): p for name, p in module.named_parameters()}
    state = {name: list(value.shape) for name, value in state_in(module).items()}
    rest = {name: shape for name, shape in state.items() if name not in parameters}
    trained = {name: list(p.shape) for name, p in parameters.items() if p.requires_grad}
    return {"parameters": trained, "buffers": rest}


def state_of(module: Any) -> dict[str, Any]:
    """Return copies of a module's parameters and buffers by name."""
    return {name: value.detach().clone() for name, value in state_in(module).items()}


def fill(module: Any, values: dict[str, np.ndarray]) -> None:
    """Copy values into parameters and buffers of a module, in the shape that each has there."""
    state = state_in(module)
    for name, value in values.items():
        if name not in state:
            raise AttributeError(f"no parameter or buffer is called {name}")
        put(state[name], value)


def put(place: Any, value: np.ndarray) -> None:
    """Copy numbers into a tensor: one of (C,) may be (1, C, 1, 1) there."""
    given = tensor(value)
    flat = given.dim() == 1 and given.numel() == place.numel()
    place.copy_(given.view(place.shape) if flat else given)


def drawn(name: str, shape: Iterable[int], seed: int) -> np.ndarray:
    """Return what a parameter or buffer of that name is filled with: float32 of that shape.

    Both sides draw it, so that no weights have to cross the channel.
    """
    rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
    shape = tuple(shape)
    last = name.rpartition(".")[2]
    if len(shape) > 1:
        values = rng.standard_normal(shape, np.float32)
        values *= np.float32((2.0 / np.prod(shape[1:])) ** 0.5)
        return values
    if last == "running_var" or last == "weight":
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return (0.3 * rng.standard_normal(shape)).astype(np.float32)


def randomise(module: Any, seed: int, names: dict[str, str]) -> dict[str, list[int]]:
    """Fill parameters and buffers with what is drawn by our names for them; return the shapes.

    `names`: ours, and what each is called in the module. All biases of convolutions become 0.
    """
    for part in module.modules():
        if isinstance(part, torch.nn.Conv2d) and part.bias is not None:
            part.bias.data.zero_()
    state, found = state_in(module), {}
    for wanted, name in names.items():
        value = state[name]
        flat = value.dim() == 4 and value.numel() == value.shape[1]
        shape = [value.numel()] if flat and len(value) == 1 else list(value.shape)
        put(value, drawn(wanted, shape, seed))
        found[wanted] = shape
    return found


def run(module: Any, x: Any, training: bool) -> Any:
    """Return module(x) in training or evaluation mode; x is an array or a tensor."""
    module.train(training)
    with torch.no_grad():
        return module(tensor(x) if type(x) is np.ndarray else x)


def pullback(module: Any, x: np.ndarray, upstream: np.ndarray, training: bool) -> dict[str, Any]:
    """Return {"y": module(x), "dx": gradient of sum(upstream * y), "gradients": by name}.

    A gradient that is missing is None.
    """
    module.train(training)
    module.zero_grad()
    leaf = tensor(x).requires_grad_()
    y = module(leaf)
    y.backward(tensor(upstream).to(y.dtype))
    gradients = {ours(name): p.grad for name, p in module.named_parameters()}
    return {"y": y, "dx": leaf.grad, "gradients": gradients}


def projections(
    module: Any,
    x: np.ndarray,
    upstream: np.ndarray,
    training: bool,
    seed: int,
    names: dict[str, str],
) -> dict[str, Any]:
    """Return the sum of parameters' gradients times numbers drawn by our names for them.

    `names`: ours, and what each is called in the module. None where there is no gradient.
    """
    found = pullback(module, x, upstream, training)["gradients"]
    given = {wanted: found.get(name) for wanted, name in names.items()}
    return {name: None if g is None else projected(name, g, seed) for name, g in given.items()}


def projected(name: str, gradient: Any, seed: int) -> float:
    """Return the sum of a gradient times standard normal numbers that its name fixes."""
    rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode()), 1]))
    direction = rng.standard_normal(tuple(gradient.shape), np.float32).astype(np.float64)
    return float(np.vdot(gradient.detach().numpy().astype(np.float64), direction))


def passing(module: Any, x: np.ndarray, training: bool, names: list[str]) -> dict[str, Any]:
    """Run a module and return what goes into and comes out of submodules: name -> [in, out].

    "" is the module itself. A submodule that isn't called has no entry, one that isn't there
    neither.
    """
    seen: dict[str, Any] = {}
    parts = dict(module.named_modules())
    hooks = [
        parts[name].register_forward_hook(
            lambda _, given, result, name=name: seen.update({name: [given[0].clone(), result]})
        )
        for name in names
        if name in parts
    ]
    run(module, x, training)
    for hook in hooks:
        hook.remove()
    return seen


def passing_shapes(module: Any, x: np.ndarray, names: list[str]) -> dict[str, list[int]]:
    """Return the shapes of what comes out of submodules, in evaluation mode."""
    return {name: list(out.shape) for name, (_, out) in passing(module, x, False, names).items()}


def requires_grad(module: Any, name: str) -> bool:
    """Tell whether an attribute of a module, a tensor, records gradients."""
    return bool(getattr(module, name).requires_grad)


def count(module: Any) -> int:
    """Return the number of trained numbers in a module."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def spread(module: Any) -> dict[str, list[float]]:
    """Return [mean, standard deviation, how many rows are like another] of each weight array."""
    found = {}
    for name, p in module.named_parameters():
        if p.dim() > 1:
            rows = p.detach().numpy().reshape(len(p), -1)
            like = len(rows) - len(np.unique(rows[:, :8], axis=0))
            found[name] = [float(rows.mean()), float(rows.std()), like]
    return found


DRIVERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        tensor,
        batches,
        generator,
        seeded,
        global_state,
        seeded_state,
        dtype_of,
        shapes,
        state_of,
        fill,
        randomise,
        run,
        pullback,
        projections,
        passing,
        passing_shapes,
        count,
        requires_grad,
        spread,
    )
}
