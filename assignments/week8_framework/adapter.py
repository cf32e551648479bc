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

# Import your own package here, and list what it has:
OPS: dict[str, Callable[..., Any]] = {}


# Tensors


def tensor(array: np.ndarray, requires_grad: bool = False) -> Any:
    """Return a tensor that holds an array; `requires_grad`: whether `grad` is wanted of it."""
    raise NotImplementedError("framework.backward: fill in tensor")


def value(tensor: Any) -> np.ndarray:
    """Return the array that a tensor holds, with its shape and dtype."""
    raise NotImplementedError("framework.backward: fill in value")


def grad(tensor: Any) -> np.ndarray | None:
    """Return the gradient of a leaf that wants one, an array of its shape and dtype.

    All `backward` since it was made, or since `zero_grad`, are added up in it. None before the
    first one, and for a tensor that wants none.
    """
    raise NotImplementedError("framework.backward: fill in grad")


def assign(tensor: Any, array: np.ndarray) -> None:
    """Replace the array that a leaf holds (a parameter, say) by another one of its shape."""
    raise NotImplementedError("framework.backward: fill in assign")


def backward(tensor: Any, upstream: np.ndarray | None = None) -> None:
    """Add the gradient of sum(upstream * tensor) to what every leaf that wants one has.

    `upstream` is an array of the tensor's shape; None, where the tensor has one entry, means 1.
    A graph may be used in several ways by one tensor, be 5,000 operations deep, and be gone through
    again: a second `backward` adds the same once more.
    """
    raise NotImplementedError("framework.backward: fill in backward")


def no_grad() -> AbstractContextManager[Any]:
    """Return a context manager inside which no graph is kept: `with no_grad(): ...`.

    What is computed inside wants no gradient, and memory is free again when nothing holds it.
    """
    raise NotImplementedError("framework.backward: fill in no_grad")


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
    raise NotImplementedError("framework.arithmetic: fill in op")


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
    raise NotImplementedError("framework.linear: fill in layer")


def parameters(layer: Any) -> dict[str, Any]:
    """Return the parameters, tensors by name: each once, and all that a step is to move.

    In a sequential the names are the places: "0.weight" for its first layer, "2.1.bias" for the
    second layer of a list that stands third. A layer that stands at two places has the names of
    the first one alone.
    """
    raise NotImplementedError("framework.linear: fill in parameters")


def call(layer: Any, x: Any) -> Any:
    """Return what a layer makes of a tensor (embedding: of an array of whole numbers)."""
    raise NotImplementedError("framework.linear: fill in call")


def mode(layer: Any, training: bool) -> None:
    """Put a layer and all layers inside it into training or evaluation mode."""
    raise NotImplementedError("framework.modules: fill in mode")


def freeze(layer: Any) -> None:
    """Let a layer's parameters, those inside too, want no gradient: no step moves them any more."""
    raise NotImplementedError("framework.modules: fill in freeze")


# Losses, optimizers, schedules


def loss(kind: str | Callable[[Any, Any], Any], prediction: Any, target: np.ndarray) -> Any:
    """Return a loss, a tensor with one entry.

    - "mse": the mean over all entries of (prediction - target)^2; `target` has the same shape.
    - "cross_entropy": logits (N, K) and N whole numbers: the mean of -log softmax(logits)[target].
      Logits of 1000 and -1000 are fine.
    - a function of the prediction, a tensor, and the target, an array: its result.
    """
    raise NotImplementedError("framework.losses: fill in loss")


def optimizer(name: str, parameters: Iterable[Any], lr: float, **options: Any) -> Any:
    """Return an optimizer of these parameters.

    - "sgd": `momentum` (0.0), `weight_decay` (0.0). velocity <- momentum velocity + gradient,
      parameter <- parameter - lr velocity.
    - "adam": `betas` (0.9, 0.999), `eps` (1e-8), `weight_decay` (0.0). As in week 3, with bias
      correction, eps outside the root.

    weight_decay * parameter is added to each gradient. A parameter without a gradient stays as it
    is.
    """
    raise NotImplementedError("framework.sgd: fill in optimizer")


def step(optimizer: Any) -> None:
    """Move the parameters once, by the gradients that they have. Gradients stay as they are."""
    raise NotImplementedError("framework.sgd: fill in step")


def zero_grad(optimizer: Any) -> None:
    """Let the gradients of an optimizer's parameters begin anew: they are None."""
    raise NotImplementedError("framework.sgd: fill in zero_grad")


def rate(optimizer: Any) -> float:
    """Return an optimizer's present learning rate."""
    raise NotImplementedError("framework.schedules: fill in rate")


def schedule(name: str, optimizer: Any, **options: Any) -> Any:
    """Return a schedule of an optimizer, whose rate is now lr. After k calls of `advance` it is

    - "step": lr gamma^(k // size); `size`, `gamma` (0.1).
    - "exponential": lr gamma^k; `gamma`.
    - "cosine": half a cosine from lr down to lowest * lr at k = epochs, where it stays; `epochs`,
      `lowest` (0.0).
    """
    raise NotImplementedError("framework.schedules: fill in schedule")


def advance(schedule: Any) -> None:
    """Tell a schedule that an epoch is over: it sets its optimizer's rate."""
    raise NotImplementedError("framework.schedules: fill in advance")


# Data, checkpoints, the loop


def loader(
    x: np.ndarray, y: np.ndarray, batch: int, shuffle: bool = True, seed: int = 0
) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Return what can be gone through again and again: `for x_batch, y_batch in loader`.

    Each time every example comes once, x[n] with y[n], in batches of `batch`, the last one with
    what is left over. With `shuffle` each time in another order, which `seed` decides: the same
    seed, the same orders. Without it in the order of x.
    """
    raise NotImplementedError("framework.loader: fill in loader")


def save(path: str, layer: Any, optimizer: Any = None) -> None:
    """Write a checkpoint to exactly this path: one npz or safetensors file, nothing pickled.

    It holds what a run needs to go on as if it had not stopped: parameters, running statistics, and
    all that the optimizer remembers.
    """
    raise NotImplementedError("framework.checkpoints: fill in save")


def load(path: str, layer: Any, optimizer: Any = None) -> None:
    """Read a checkpoint into a layer and an optimizer that were made as the saved ones were."""
    raise NotImplementedError("framework.checkpoints: fill in load")


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
    raise NotImplementedError("framework.fit: fill in fit")
