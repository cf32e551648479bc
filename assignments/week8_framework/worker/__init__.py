"""What runs in the sandboxes beside a student's framework: loops over its adapter's functions.

A framework's tensors may be anything, so none of them crosses to a suite: drivers build what a test
asks for, and return arrays alone.
"""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Adapter = Any
Step = list[Any]
MOST_BYTES = 1 << 22


def compute(
    adapter: Adapter,
    arrays: list[np.ndarray],
    wants: list[bool],
    program: list[Step],
    upstream: np.ndarray | None,
    passes: int = 1,
) -> list[Any]:
    """Compute with tensors of these arrays; return the last value, and the gradients of the arrays.

    A step of the program is [operation, numbers of operands, options]; what it makes has the next
    number behind the arrays. `upstream` is that of the last one, and goes back `passes` times.
    """
    nodes = [adapter.tensor(x, bool(w)) for x, w in zip(arrays, wants, strict=True)]
    leaves = list(nodes)
    for name, operands, options in program:
        nodes.append(adapter.op(name, *(nodes[number] for number in operands), **_read(options)))
    value = np.array(adapter.value(nodes[-1]))
    if upstream is not None:
        for _ in range(passes):
            adapter.backward(nodes[-1], upstream)
    return [value, [_copied(adapter.grad(leaf)) for leaf in leaves]]


def _read(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with slices, which cross as ["slice", first, end, step]."""
    if "at" not in options:
        return options
    at = options["at"]
    found = tuple(map(_slice, at)) if isinstance(at, tuple) else _slice(at)
    return {**options, "at": found}


def _slice(part: Any) -> Any:
    return slice(*part[1:]) if isinstance(part, list) and part[:1] == ["slice"] else part


def _copied(array: Any) -> Any:
    return None if array is None else np.array(array)


def chain(
    adapter: Adapter, x: np.ndarray, factors: np.ndarray, terms: np.ndarray, upstream: np.ndarray
) -> list[Any]:
    """Return y = ((x f1 + t1) f2 + t2) ..., and its gradient with respect to x."""
    leaf = adapter.tensor(x, True)
    y = leaf
    for factor, term in zip(factors, terms, strict=True):
        y = adapter.op("multiply", y, adapter.tensor(np.array(factor)))
        y = adapter.op("add", y, adapter.tensor(np.array(term)))
    adapter.backward(y, upstream)
    return [np.array(adapter.value(y)), _copied(adapter.grad(leaf))]


def without_graph(adapter: Adapter, x: np.ndarray, factors: np.ndarray) -> list[Any]:
    """Return x times all factors, computed inside no_grad, and the most bytes that it took."""
    leaf = adapter.tensor(x, True)
    own = not tracemalloc.is_tracing()
    if own:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    with adapter.no_grad():
        y = leaf
        for factor in factors:
            y = adapter.op("multiply", y, adapter.tensor(np.full(x.shape, factor)))
    most = tracemalloc.get_traced_memory()[1] - before
    if own:
        tracemalloc.stop()
    return [np.array(adapter.value(y)), int(most)]


def after_no_grad(adapter: Adapter, x: np.ndarray, factor: np.ndarray, upstream: Any) -> Any:
    """Return the gradient of x times a factor, computed behind a block that ended by an error."""
    try:
        with adapter.no_grad():
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    leaf = adapter.tensor(x, True)
    adapter.backward(adapter.op("multiply", leaf, adapter.tensor(factor)), upstream)
    return _copied(adapter.grad(leaf))


def without_upstream(adapter: Adapter, x: np.ndarray, factor: np.ndarray) -> Any:
    """Return the gradient of x times a factor, one number, where none comes from above."""
    leaf = adapter.tensor(x, True)
    adapter.backward(adapter.op("multiply", leaf, adapter.tensor(factor)))
    return _copied(adapter.grad(leaf))


# Layers


def build(adapter: Adapter, spec: Any) -> Any:
    """Return a layer: {"name": ..., and its configuration}.

    Among the `layers` of a sequential, a list is a list of layers, and {"again": k} is once more
    the layer that was made as number k, and {"made": layer} one that was made before.
    """
    return _built(adapter, spec, [])


def _built(adapter: Adapter, spec: Any, made: list[Any]) -> Any:
    if isinstance(spec, list):
        return [_built(adapter, one, made) for one in spec]
    if "made" in spec:
        return spec["made"]
    if "again" in spec:
        return made[spec["again"]]
    config = {key: value for key, value in spec.items() if key != "name"}
    if "layers" in config:
        config["layers"] = [_built(adapter, one, made) for one in config["layers"]]
    made.append(adapter.layer(spec["name"], **config))
    return made[-1]


def weights(adapter: Adapter, layer: Any) -> dict[str, np.ndarray]:
    """Return a layer's parameters by name."""
    return {name: np.array(adapter.value(one)) for name, one in adapter.parameters(layer).items()}


def fill(adapter: Adapter, layer: Any, arrays: dict[str, np.ndarray]) -> None:
    """Put arrays into a layer's parameters, by name."""
    found = adapter.parameters(layer)
    for name, array in arrays.items():
        adapter.assign(found[name], array)


def run(
    adapter: Adapter, layer: Any, x: np.ndarray, upstream: np.ndarray | None = None
) -> dict[str, Any]:
    """Call a layer; return its value, and what `upstream` makes of x and of the parameters."""
    whole = x.dtype.kind in "iu"
    given = x if whole else adapter.tensor(x, upstream is not None)
    y = adapter.call(layer, given)
    found: dict[str, Any] = {"value": np.array(adapter.value(y))}
    if upstream is not None:
        adapter.backward(y, upstream)
        found["x"] = None if whole else _copied(adapter.grad(given))
        for name, one in adapter.parameters(layer).items():
            found[name] = _copied(adapter.grad(one))
    return found


def several(adapter: Adapter, layer: Any, batches: list[np.ndarray]) -> list[np.ndarray]:
    """Return what a layer makes of several batches, one after the other."""
    return [run(adapter, layer, x)["value"] for x in batches]


# Optimizers and schedules


def optimise(
    adapter: Adapter,
    arrays: list[np.ndarray],
    gradients: list[list[np.ndarray | None]],
    how: list[Any],
) -> list[list[np.ndarray]]:
    """Take a step for each list of gradients (None: none); return the parameters after each."""
    leaves = [adapter.tensor(x, True) for x in arrays]
    name, lr, options = how
    optimizer = adapter.optimizer(name, leaves, lr=lr, **options)
    found = []
    for step in gradients:
        adapter.zero_grad(optimizer)
        for leaf, gradient in zip(leaves, step, strict=True):
            if gradient is not None:
                one = adapter.tensor(np.ones_like(gradient))
                adapter.backward(adapter.op("multiply", leaf, one), gradient)
        adapter.step(optimizer)
        found.append([np.array(adapter.value(leaf)) for leaf in leaves])
    return found


def rates(
    adapter: Adapter, lr: float, name: str, options: dict[str, Any], count: int
) -> list[float]:
    """Return an optimizer's rates before a schedule's first epoch, and after each of `count`."""
    leaf = adapter.tensor(np.ones(2), True)
    optimizer = adapter.optimizer("sgd", [leaf], lr=lr)
    schedule = adapter.schedule(name, optimizer, **options)
    found = [float(adapter.rate(optimizer))]
    for _ in range(count):
        adapter.advance(schedule)
        found.append(float(adapter.rate(optimizer)))
    return found


def moved_by_schedule(
    adapter: Adapter, x: np.ndarray, lr: float, gamma: float, gradient: np.ndarray
) -> np.ndarray:
    """Return where a parameter is after a step, an epoch of an exponential schedule, and a step."""
    leaf = adapter.tensor(x, True)
    optimizer = adapter.optimizer("sgd", [leaf], lr=lr)
    schedule = adapter.schedule("exponential", optimizer, gamma=gamma)
    adapter.backward(adapter.op("multiply", leaf, adapter.tensor(np.ones_like(x))), gradient)
    adapter.step(optimizer)
    adapter.advance(schedule)
    adapter.step(optimizer)
    return np.array(adapter.value(leaf))


# Losses


def polynomial(adapter: Adapter, a: float, b: float) -> Callable[[Any, Any], Any]:
    """Return a loss of the suite's own: the mean of a d^4 + b d^2 + d."""

    def loss(prediction: Any, target: Any) -> Any:
        d = adapter.op("subtract", prediction, adapter.tensor(target))
        fourth = adapter.op("multiply", adapter.op("power", d, exponent=4), _number(adapter, a))
        square = adapter.op("multiply", adapter.op("power", d, exponent=2), _number(adapter, b))
        return adapter.op("mean", adapter.op("add", adapter.op("add", fourth, square), d))

    return loss


def _number(adapter: Adapter, value: float) -> Any:
    return adapter.tensor(np.array(value))


def loss(
    adapter: Adapter,
    kind: str | list[float],
    prediction: np.ndarray,
    target: np.ndarray,
    upstream: np.ndarray | None,
) -> list[Any]:
    """Return a loss and its gradient; two numbers are those of `polynomial`."""
    leaf = adapter.tensor(prediction, True)
    chosen = kind if isinstance(kind, str) else polynomial(adapter, *kind)
    found = adapter.loss(chosen, leaf, target)
    value = np.array(adapter.value(found))
    adapter.backward(found, None if upstream is None else np.broadcast_to(upstream, value.shape))
    return [value, _copied(adapter.grad(leaf))]


# The loader


def epochs(
    adapter: Adapter, x: np.ndarray, y: np.ndarray, batch: int, options: dict[str, Any], count: int
) -> list[list[list[np.ndarray]]]:
    """Go through a loader `count` times; return the pairs of batches of each."""
    loader = adapter.loader(x, y, batch, **options)
    return [[[np.array(one), np.array(other)] for one, other in loader] for _ in range(count)]


# Training, checkpoints


def make_optimizer(
    adapter: Adapter, layer: Any, name: str, lr: float, options: dict[str, Any]
) -> Any:
    """Return an optimizer of all parameters of a layer."""
    return adapter.optimizer(name, list(adapter.parameters(layer).values()), lr=lr, **options)


def make_schedule(adapter: Adapter, name: str, optimizer: Any, options: dict[str, Any]) -> Any:
    """Return a schedule."""
    return adapter.schedule(name, optimizer, **options)


def steps(
    adapter: Adapter, layer: Any, optimizer: Any, x: list[np.ndarray], y: list[np.ndarray]
) -> None:
    """Take a step for each batch, by the mean squared error."""
    adapter.mode(layer, True)
    for one, target in zip(x, y, strict=True):
        adapter.zero_grad(optimizer)
        adapter.backward(adapter.loss("mse", adapter.call(layer, adapter.tensor(one)), target))
        adapter.step(optimizer)


def saved(adapter: Adapter, layer: Any, optimizer: Any) -> np.ndarray:
    """Return the bytes of a checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoint.npz"
        adapter.save(str(file), layer, optimizer)
        return np.frombuffer(file.read_bytes()[:MOST_BYTES], np.uint8)


def restored(adapter: Adapter, data: np.ndarray, layer: Any, optimizer: Any) -> None:
    """Load a checkpoint of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoint.npz"
        file.write_bytes(data.tobytes())
        adapter.load(str(file), layer, optimizer)


class Noting:
    """A loss that notes what it is asked: the mean squared error."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.noted: list[list[np.ndarray]] = []

    def __call__(self, prediction: Any, target: Any) -> Any:
        op = self.adapter.op
        self.noted.append([np.array(self.adapter.value(prediction)), np.array(target)])
        d = op("subtract", prediction, self.adapter.tensor(np.array(target)))
        return op("mean", op("multiply", d, d))


def noting(adapter: Adapter) -> Noting:
    """Return a loss that notes predictions and targets."""
    return Noting(adapter)


def notes(loss: Noting) -> list[list[np.ndarray]]:
    """Return what it has noted, [prediction, target] for each step."""
    return loss.noted


def fitted(
    adapter: Adapter, layer: Any, x: np.ndarray, y: np.ndarray, kind: Any, rest: list[Any]
) -> Any:
    """Run the student's training loop with [optimizer, epochs, batch, schedule, seed]."""
    optimizer, count, batch, schedule, seed = rest
    return adapter.fit(layer, x, y, kind, optimizer, count, batch, schedule=schedule, seed=seed)


def fitted_within(
    adapter: Adapter, layer: Any, x: np.ndarray, y: np.ndarray, kind: Any, rest: list[Any]
) -> list[Any]:
    """Run the training loop; return its losses, and the most bytes that it took."""
    own = not tracemalloc.is_tracing()
    if own:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    losses = fitted(adapter, layer, x, y, kind, rest)
    most = tracemalloc.get_traced_memory()[1] - before
    if own:
        tracemalloc.stop()
    return [losses, int(most)]


DRIVERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        compute,
        chain,
        without_graph,
        after_no_grad,
        without_upstream,
        build,
        weights,
        fill,
        run,
        several,
        optimise,
        rates,
        moved_by_schedule,
        loss,
        epochs,
        make_optimizer,
        make_schedule,
        steps,
        saved,
        restored,
        noting,
        notes,
        fitted,
        fitted_within,
    )
}
PROBES: dict[str, object] = {}
