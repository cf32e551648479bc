"""The one file with a fixed form: it hands what the grader asks for on to your own framework.

Your framework may look as you like, with names and files of your own choice. Everything that asks
for something in it, public tests, grader and your own tests, calls the functions below. They only
forward: one to a few lines each, at most 150 lines of code in all (docstrings don't count). What is
computed is computed in your package.

Conventions, as in weeks 1 to 5:

- An *array* is a NumPy array, a *tensor* whatever your framework makes of one, a *layer* likewise:
  the grader looks into none of them, and asks these functions.
- float64 stays float64, and float32 stays float32 where everything that takes part is float32.
- No function changes an array that it is given.
- Images are (N, H, W, C), kernels (Kh, Kw, Ci, Co), sequences (T, N, D).
- A part that is missing costs its own points alone: leave the `raise` for names that you lack, or
  let a KeyError say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

# BEGIN SOLUTION framework.backward
import handmade.checkpoint
import handmade.fit
from handmade import conv, layers, losses, module, norms, ops, optimizers, recurrent, schedules
from handmade.loader import Loader
from handmade.tensor import Tensor
from handmade.tensor import no_grad as without_graph

OPS: dict[str, Callable[..., Tensor]] = {
    "add": ops.add,
    "subtract": ops.subtract,
    "multiply": ops.multiply,
    "divide": ops.divide,
    "power": ops.power,
    "exp": ops.exp,
    "log": ops.log,
    "tanh": ops.tanh,
    "sigmoid": ops.sigmoid,
    "relu": ops.relu,
    "matmul": ops.matmul,
    "sum": ops.sum,
    "mean": ops.mean,
    "max": ops.max_of,
    "reshape": ops.reshape,
    "transpose": ops.transpose,
    "index": ops.index,
    "concatenate": lambda *tensors, axis=0: ops.concatenate(tensors, axis),
    "conv2d": conv.conv2d,
    "max_pool2d": conv.max_pool2d,
    "avg_pool2d": conv.avg_pool2d,
}
DRAWN: dict[str, Callable[..., module.Module]] = {
    "linear": layers.Linear,
    "conv2d": layers.Conv2d,
    "rnn": recurrent.RNN,
    "lstm": recurrent.LSTM,
    "embedding": layers.Embedding,
    "dropout": layers.Dropout,
}
PLAIN: dict[str, Callable[..., module.Module]] = {
    "batch_norm": norms.BatchNorm,
    "layer_norm": norms.LayerNorm,
    "max_pool2d": lambda **config: layers.Pool2d(conv.max_pool2d, **config),
    "avg_pool2d": lambda **config: layers.Pool2d(conv.avg_pool2d, **config),
    "relu": lambda: layers.Apply(ops.relu),
    "tanh": lambda: layers.Apply(ops.tanh),
    "sigmoid": lambda: layers.Apply(ops.sigmoid),
    "flatten": lambda: layers.Apply(layers.flatten),
    "time_first": lambda: layers.Apply(layers.time_first),
    "last": lambda: layers.Apply(layers.last),
    "sequential": module.Sequential,
}
LOSSES = {"mse": losses.mse, "cross_entropy": losses.cross_entropy}
OPTIMIZERS: dict[str, Callable[..., optimizers.Optimizer]] = {
    "sgd": optimizers.SGD,
    "adam": optimizers.Adam,
}
SCHEDULES: dict[str, Callable[..., schedules.Schedule]] = {
    "step": schedules.step,
    "exponential": schedules.exponential,
    "cosine": schedules.cosine,
}
# INSTEAD
# # Import your own package here, and list what it has:
# OPS: dict[str, Callable[..., Any]] = {}
# END SOLUTION


# Tensors


def tensor(array: np.ndarray, requires_grad: bool = False) -> Any:
    """Return a tensor that holds an array; `requires_grad`: whether `grad` is wanted of it."""
    # BEGIN SOLUTION framework.backward
    return Tensor(array, requires_grad)
    # END SOLUTION


def value(tensor: Any) -> np.ndarray:
    """Return the array that a tensor holds, with its shape and dtype."""
    # BEGIN SOLUTION framework.backward
    return tensor.data
    # END SOLUTION


def grad(tensor: Any) -> np.ndarray | None:
    """Return the gradient of a leaf that wants one, an array of its shape and dtype.

    All `backward` since it was made, or since `zero_grad`, are added up in it. None before the
    first one, and for a tensor that wants none.
    """
    # BEGIN SOLUTION framework.backward
    return tensor.grad
    # END SOLUTION


def assign(tensor: Any, array: np.ndarray) -> None:
    """Replace the array that a leaf holds (a parameter, say) by another one of its shape."""
    # BEGIN SOLUTION framework.backward
    tensor.data = array.copy()
    # END SOLUTION


def backward(tensor: Any, upstream: np.ndarray | None = None) -> None:
    """Add the gradient of sum(upstream * tensor) to what every leaf that wants one has.

    `upstream` is an array of the tensor's shape; None, where the tensor has one entry, means 1.
    A graph may be used in several ways by one tensor, be 5,000 operations deep, and be gone through
    again: a second `backward` adds the same once more.
    """
    # BEGIN SOLUTION framework.backward
    tensor.backward(upstream)
    # END SOLUTION


def no_grad() -> AbstractContextManager[Any]:
    """Return a context manager inside which no graph is kept: `with no_grad(): ...`.

    What is computed inside wants no gradient, and memory is free again when nothing holds it.
    """
    # BEGIN SOLUTION framework.backward
    return without_graph()
    # END SOLUTION


def op(name: str, *tensors: Any, **options: Any) -> Any:
    """Return the result of an operation on tensors, a tensor. Names and options:

    - add, subtract, multiply, divide: two tensors, broadcast as NumPy does.
    - power: one tensor; `exponent`, a number. exp, log, tanh, sigmoid, relu: one tensor. The
      derivative of relu at 0 is 0.
    - matmul: two tensors of two axes or more; leading axes broadcast.
    - sum, mean, max: one tensor; `axis` a number, a tuple or None for all (the default), `keepdims`
      (False). Where several entries are the largest, they share the gradient, or one has it.
    - reshape: `shape`, in which one length may be -1. transpose: `axes`, None for the reverse.
    - index: `at`, a number, a slice, an integer array or a tuple of these, as in NumPy. An entry
      that is taken twice gets the gradients of both.
    - concatenate: one tensor or more; `axis` (0).
    - conv2d: images and a kernel, no bias; `stride` (1), `padding` (0, zeros on each side). A
      cross-correlation; windows have to fit.
    - max_pool2d, avg_pool2d: images; `size`, `stride` (None: `size`); no padding. With ties as max.
    """
    # BEGIN SOLUTION framework.arithmetic
    return OPS[name](*tensors, **options)
    # END SOLUTION


# Layers


def layer(name: str, **config: Any) -> Any:
    """Return a new layer, in training mode. Names, configuration, and parameters by name:

    - linear: `in_features`, `out_features`; weight (in, out), bias (out,): x weight + bias over
      the last axis. Weights are drawn with variance 2 / in_features, biases are 0.
    - conv2d: `in_channels`, `out_channels`, `size`, `stride` (1), `padding` (0);
      weight (size, size, in, out), bias (out,). Variance 2 / (size * size * in_channels).
    - rnn: `input_size`, `hidden_size`; Wx (D, H), Wh (H, H), b (H,): h_t = tanh(x_t Wx + h Wh + b).
      (T, N, D) to all states (T, N, H), from zeros.
    - lstm: `input_size`, `hidden_size`, `forget_bias` (1.0); Wx (D, 4H), Wh (H, 4H), b (4H,) in the
      blocks i, f, o, g of week 5. At first b is 0 but for the block f, which is `forget_bias`.
    - embedding: `count`, `features`; weight (count, features). An *array* of whole numbers (...) to
      (..., features).
    - dropout: `p`. In training it sets entries to 0 with probability p and divides the others by
      1 - p; in evaluation it changes nothing.
    - batch_norm: `features`, `momentum` (0.1), `eps` (1e-5); gamma, beta (features,), at first 1
      and 0. Over all axes but the last, with the biased variance. In training running statistics
      become (1 - momentum) running + momentum batch, from 0 and 1, with the unbiased variance.
      In evaluation they are used.
    - layer_norm: `features`, `eps` (1e-5); gamma, beta. Over the last axis, biased variance.
    - relu, tanh, sigmoid; max_pool2d, avg_pool2d: `size`, `stride` (None); flatten: (N, ...) to
      (N, everything); time_first: (N, T, D) to (T, N, D); last: (T, N, H) to its last step (N, H).
    - sequential: `layers`, a list of layers, and of lists of layers, nested as anybody likes: all
      of them one after the other.

    What is drawn takes `seed`, a whole number: the same seed, the same numbers; other seeds others.
    """
    # BEGIN SOLUTION framework.linear
    seed = config.pop("seed", 0)
    if name in DRAWN:
        return DRAWN[name](**config, rng=np.random.default_rng(seed))
    return PLAIN[name](**config)
    # END SOLUTION


def parameters(layer: Any) -> dict[str, Any]:
    """Return the parameters, tensors by name: each once, and all that a step is to move.

    In a sequential the names are the places: "0.weight" for its first layer, "2.1.bias" for the
    second layer of a list that stands third. A layer that stands at two places has the names of
    the first one alone.
    """
    # BEGIN SOLUTION framework.linear
    return layer.named_parameters()
    # END SOLUTION


def call(layer: Any, x: Any) -> Any:
    """Return what a layer makes of a tensor (embedding: of an array of whole numbers)."""
    # BEGIN SOLUTION framework.linear
    return layer(x)
    # END SOLUTION


def mode(layer: Any, training: bool) -> None:
    """Put a layer and all layers inside it into training or evaluation mode."""
    # BEGIN SOLUTION framework.modules
    layer.train(training)
    # END SOLUTION


def freeze(layer: Any) -> None:
    """Let a layer's parameters, those inside too, want no gradient: no step moves them any more."""
    # BEGIN SOLUTION framework.modules
    layer.freeze()
    # END SOLUTION


# Losses, optimizers, schedules


def loss(kind: str | Callable[[Any, Any], Any], prediction: Any, target: np.ndarray) -> Any:
    """Return a loss, a tensor with one entry.

    - "mse": the mean over all entries of (prediction - target)^2; `target` has the same shape.
    - "cross_entropy": logits (N, K) and N whole numbers: the mean of -log softmax(logits)[target].
      Logits of 1000 and -1000 are fine.
    - a function of the prediction, a tensor, and the target, an array: its result.
    """
    # BEGIN SOLUTION framework.losses
    return (LOSSES[kind] if isinstance(kind, str) else kind)(prediction, target)
    # END SOLUTION


def optimizer(name: str, parameters: Iterable[Any], lr: float, **options: Any) -> Any:
    """Return an optimizer of these parameters.

    - "sgd": `momentum` (0.0), `weight_decay` (0.0). velocity <- momentum velocity + gradient,
      parameter <- parameter - lr velocity.
    - "adam": `betas` (0.9, 0.999), `eps` (1e-8), `weight_decay` (0.0). As in week 3, with bias
      correction, eps outside the root.

    weight_decay * parameter is added to each gradient. A parameter without a gradient stays as it
    is.
    """
    # BEGIN SOLUTION framework.sgd
    return OPTIMIZERS[name](parameters, lr=lr, **options)
    # END SOLUTION


def step(optimizer: Any) -> None:
    """Move the parameters once, by the gradients that they have. Gradients stay as they are."""
    # BEGIN SOLUTION framework.sgd
    optimizer.step()
    # END SOLUTION


def zero_grad(optimizer: Any) -> None:
    """Let the gradients of an optimizer's parameters begin anew: they are None."""
    # BEGIN SOLUTION framework.sgd
    optimizer.zero_grad()
    # END SOLUTION


def rate(optimizer: Any) -> float:
    """Return an optimizer's present learning rate."""
    # BEGIN SOLUTION framework.schedules
    return optimizer.lr
    # END SOLUTION


def schedule(name: str, optimizer: Any, **options: Any) -> Any:
    """Return a schedule of an optimizer, whose rate is now lr. After k calls of `advance` it is

    - "step": lr gamma^(k // size); `size`, `gamma` (0.1).
    - "exponential": lr gamma^k; `gamma`.
    - "cosine": half a cosine from lr down to lowest * lr at k = epochs, where it stays; `epochs`,
      `lowest` (0.0).
    """
    # BEGIN SOLUTION framework.schedules
    return SCHEDULES[name](optimizer, **options)
    # END SOLUTION


def advance(schedule: Any) -> None:
    """Tell a schedule that an epoch is over: it sets its optimizer's rate."""
    # BEGIN SOLUTION framework.schedules
    schedule.advance()
    # END SOLUTION


# Data, checkpoints, the loop


def loader(
    x: np.ndarray, y: np.ndarray, batch: int, shuffle: bool = True, seed: int = 0
) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Return what can be gone through again and again: `for x_batch, y_batch in loader`.

    Each time every example comes once, x[n] with y[n], in batches of `batch`, the last one with
    what is left over. With `shuffle` each time in another order, which `seed` decides: the same
    seed, the same orders. Without it in the order of x.
    """
    # BEGIN SOLUTION framework.loader
    return Loader(x, y, batch, shuffle, seed)
    # END SOLUTION


def save(path: str, layer: Any, optimizer: Any = None) -> None:
    """Write a checkpoint to exactly this path: one npz or safetensors file, nothing pickled.

    It holds what a run needs to go on as if it had not stopped: parameters, running statistics, and
    all that the optimizer remembers.
    """
    # BEGIN SOLUTION framework.checkpoints
    handmade.checkpoint.save(path, layer, optimizer)
    # END SOLUTION


def load(path: str, layer: Any, optimizer: Any = None) -> None:
    """Read a checkpoint into a layer and an optimizer that were made as the saved ones were."""
    # BEGIN SOLUTION framework.checkpoints
    handmade.checkpoint.load(path, layer, optimizer)
    # END SOLUTION


def fit(
    layer: Any,
    x: np.ndarray,
    y: np.ndarray,
    kind: str | Callable[[Any, Any], Any],
    optimizer: Any,
    epochs: int,
    batch: int,
    schedule: Any = None,
    seed: int = 0,
) -> list[float]:
    """Train a layer, and return the mean loss of each epoch, over its examples.

    Each step: a batch of a shuffled loader, call, loss (`kind` as in `loss`), backward, one step of
    the optimizer; the layer gets tensors, or arrays where x holds whole numbers. The schedule
    advances after each epoch. It trains in training mode and leaves the layer in evaluation mode.
    No step's graph stays in memory when the next one begins.
    """
    # BEGIN SOLUTION framework.fit
    batches = Loader(x, y, batch, seed=seed)
    return handmade.fit.fit(
        layer, batches, lambda p, t: loss(kind, p, t), optimizer, epochs, schedule
    )
    # END SOLUTION
