"""Drivers for the project's tests: modules, gradients, optimizers and whole epochs, by name.

What they return is not believed any further than "the student's code gave this".
"""

from __future__ import annotations

import importlib
import itertools
import sys
import zlib
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch.nn import functional

from .probes import Fading, Mixer, Pixel, Shift, Walker

MOST_BATCHES = 200


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


def shapes(module: Any) -> dict[str, dict[str, list[int]]]:
    """Return the shapes of a module's parameters and of what else is in its state dict."""
    parameters = {name: list(p.shape) for name, p in module.named_parameters()}
    state = {name: list(p.shape) for name, p in module.state_dict().items()}
    rest = {name: shape for name, shape in state.items() if name not in parameters}
    trained = {name: list(p.shape) for name, p in module.named_parameters() if p.requires_grad}
    return {"parameters": trained, "buffers": rest}


def state_of(module: Any) -> dict[str, Any]:
    """Return copies of a module's parameters and buffers by name."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def fill(module: Any, values: dict[str, np.ndarray]) -> None:
    """Copy values into parameters and buffers of a module."""
    state = module.state_dict()
    for name, value in values.items():
        if name not in state:
            raise AttributeError(f"no parameter or buffer is called {name}")
        state[name].copy_(tensor(value))


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


def randomise(module: Any, seed: int) -> dict[str, list[int]]:
    """Fill every floating-point parameter and buffer by its name; return names and shapes."""
    found = {}
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            found[name] = list(value.shape)
            value.copy_(tensor(drawn(name, value.shape, seed)))
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
    gradients = {name: p.grad for name, p in module.named_parameters()}
    return {"y": y, "dx": leaf.grad, "gradients": gradients}


def projections(
    module: Any, x: np.ndarray, upstream: np.ndarray, training: bool, seed: int
) -> dict[str, Any]:
    """Return the sum of every parameter's gradient times numbers drawn by the parameter's name."""
    found = pullback(module, x, upstream, training)["gradients"]
    return {name: None if g is None else projected(name, g, seed) for name, g in found.items()}


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


def convolutions(module: Any) -> dict[str, Any]:
    """Return what each nn.Conv2d in a module was made with."""
    return {
        name: {
            "channels": [part.in_channels, part.out_channels],
            "kernel": list(part.kernel_size),
            "stride": list(part.stride),
            "bias": part.bias is not None,
        }
        for name, part in module.named_modules()
        if isinstance(part, torch.nn.Conv2d)
    }


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


# Made-up parts in the place of the student's own


def with_parts(norm: bool, block: bool) -> ModuleType:
    """Import models.resnet with made-up parts: in place of BatchNorm2d, and of BasicBlock too."""
    if norm:
        importlib.import_module("models.layers").BatchNorm2d = Shift
    resnet = _fresh("models.resnet")
    if block:
        resnet.BasicBlock = Mixer
    return resnet


def _pixel() -> type[Pixel]:
    """Return the made-up network, which has seen nothing yet."""
    Pixel.passes.clear()
    Pixel.stop_at = None
    return Pixel


def with_network() -> ModuleType:
    """Import train with a made-up, tiny network in the place of ResNet18."""
    importlib.import_module("models.resnet").ResNet18 = _pixel()
    for name in ("training.trainer", "training.metrics"):
        _fresh(name)
    return _fresh("train")


def _fresh(name: str) -> ModuleType:
    """Import a module anew, so that it sees what has been put into others."""
    sys.modules.pop(name, None)
    return importlib.import_module(name)


def made_parts(module: Any) -> dict[str, list[Any]]:
    """Return where made-up parts are in a module, and with which arguments blocks were made."""
    kinds = (Shift, Mixer)
    return {
        name: list(getattr(part, "made", []))
        for name, part in module.named_modules()
        if isinstance(part, kinds)
    }


def trio(lr: float, values: dict[str, np.ndarray]) -> list[Any]:
    """Return a made-up network with such weights, an optimizer and a schedule, as handles."""
    network = _pixel()(len(values["bias"]))
    fill(network, values)
    optimizer = Walker(network.parameters(), lr)
    return [network, optimizer, Fading(optimizer)]


def forward_passes() -> list[list[Any]]:
    """Return what the made-up network's forward passes were given (see Pixel)."""
    return Pixel.passes


def interrupted(train: ModuleType, options: list[str], passes: int) -> bool:
    """Run train.main(options) until the made-up network has trained on so many batches, no longer.

    Tells whether that came to pass.
    """
    network = _pixel()
    network.stop_at = passes
    try:
        train.main(options)
    except KeyboardInterrupt:
        return True
    finally:
        network.stop_at = None
    return False


def main_of(train: ModuleType, options: list[str]) -> None:
    """Run train.main(options), which may take as long as training does."""
    train.main(options)


# Optimizers, loaders


def optimize(
    make: Any,
    starts: list[np.ndarray],
    gradients: list[list[Any]],
    options: dict[str, Any],
    rates: list[float] | None = None,
    moved_at: int | None = None,
) -> dict[str, Any]:
    """Take len(gradients) steps with given gradients (None for none); return the paths.

    After `moved_at` steps a new optimizer goes on from the state dict, through safetensors' format.
    Returns {"path": for each parameter, (steps + 1, ...), "same": whether the parameters are
    leaves that require gradients still, and the gradients as they were}.
    """
    params = [tensor(start).requires_grad_() for start in starts]
    optimizer = make(iter(params), **options)
    path = [[p.detach().clone() for p in params]]
    same = True
    for step, given in enumerate(gradients):
        if step == moved_at:
            state = stored(optimizer.state_dict())
            optimizer = make(iter(params), **options)
            optimizer.load_state_dict(state)
        if rates is not None:
            optimizer.lr = rates[step]
        for p, gradient in zip(params, given, strict=True):
            p.grad = None if gradient is None else tensor(gradient)
        optimizer.step()
        for p, gradient in zip(params, given, strict=True):
            same = same and p.is_leaf and p.requires_grad and _kept(p.grad, gradient)
        path.append([p.detach().clone() for p in params])
    return {"path": [np.stack(moves) for moves in zip(*path, strict=True)], "same": same}


def _kept(received: Any, gradient: np.ndarray | None) -> bool:
    if received is None or gradient is None:
        return received is None and gradient is None
    return bool(np.array_equal(received.detach().numpy(), gradient))


def optimize_two(
    make: Any,
    starts: list[np.ndarray],
    gradients: list[list[np.ndarray]],
    options: dict[str, Any],
    moved_at: int,
) -> list[Any]:
    """Let a second optimizer take over the first one's very state; then both go on, in turn.

    Returns the first parameter as each of them leaves it.
    """
    pairs = []
    params = [tensor(start).requires_grad_() for start in starts]
    pairs.append((make(params, **options), params))
    for step, given in enumerate(gradients):
        if step == moved_at:
            copies = [p.detach().clone().requires_grad_() for p in params]
            second = make(copies, **options)
            second.load_state_dict(pairs[0][0].state_dict())
            pairs.append((second, copies))
        for optimizer, moved in pairs:
            for p, gradient in zip(moved, given, strict=True):
                p.grad = tensor(gradient)
            optimizer.step()
    return [moved[0].detach() for _, moved in pairs]


def made(make: Any, params: list[Any], options: dict[str, Any]) -> Any:
    """Return make(params, **options)."""
    return make(params, **options)


def with_gradients(starts: list[np.ndarray]) -> list[Any]:
    """Return parameters that have gradients, of ones."""
    params = [tensor(start).requires_grad_() for start in starts]
    for p in params:
        p.grad = p.detach() * 0 + 1
    return params


def gradients_in(params: list[Any]) -> list[Any]:
    """Return the parameters' gradients."""
    return [p.grad for p in params]


def parameters(module: Any) -> list[Any]:
    """Return a module's parameters."""
    return list(module.parameters())


def state_dict_of(owner: Any) -> dict[str, Any]:
    """Return owner.state_dict(), as something to keep in the worker."""
    return owner.state_dict()


def stored(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state dict as it comes back from a safetensors file."""
    return load(save({str(name): value for name, value in state.items()}))


def kinds_in(state: dict[str, Any]) -> list[str]:
    """Return the names of the types of a dict's values, each once."""
    return sorted({type(value).__name__ for value in state.values()})


def overfit(model: Any, optimizer: Any, pairs: list[list[np.ndarray]], steps: int) -> list[float]:
    """Train with cross-entropy on some batches in turn; return the losses, for the report."""
    model.train()
    losses = []
    for _, (x, y) in zip(range(steps), itertools.cycle(batches(pairs)), strict=False):
        loss = functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def epoch(loader: Any) -> dict[str, Any]:
    """Iterate over a loader once: {"x", "y": joined, "sizes": of the batches, "dtypes": found}."""
    pairs = list(itertools.islice(iter(loader), MOST_BATCHES))
    if not pairs:
        return {"x": None, "y": None, "sizes": [], "dtypes": []}
    return {
        "x": torch.cat([x for x, _ in pairs]).contiguous(),
        "y": torch.cat([y for _, y in pairs]).contiguous(),
        "sizes": [len(x) for x, _ in pairs],
        "dtypes": sorted({f"{x.dtype} {y.dtype}" for x, y in pairs}),
    }


def length(owner: Any) -> int:
    """Return len(owner)."""
    return len(owner)


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
        convolutions,
        count,
        requires_grad,
        spread,
        with_parts,
        with_network,
        made_parts,
        trio,
        forward_passes,
        interrupted,
        optimize,
        optimize_two,
        made,
        with_gradients,
        gradients_in,
        state_dict_of,
        parameters,
        main_of,
        stored,
        kinds_in,
        overfit,
        epoch,
        length,
    )
}
