"""Layers on the engine, and week 1's network made of them: nobody writes a backward pass.

    python mnist_autograd.py             train for 5 epochs, save the loss curve and a graph
    python mnist_autograd.py --help      all options

First come the layers, then what goes beyond the assignment's source texts: the cross-entropy as an
operation of the engine, and a network that trains itself. The script at the end is complete, and
uses all of it. Importing this module needs NumPy and autograd.py alone: all else is imported where
it is used.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

import autograd  # for what goes beyond the texts, where it is used
import numpy as np
import numpy.typing as npt
from autograd import Tensor

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]


class Layer(ABC):
    """What every layer can do. Compare with week 1: there is no `backward` any more."""

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """Return the output for the batch `x`, traced by the engine."""

    def parameters(self) -> list[Tensor]:
        """Return the tensors that training changes; none, unless a layer says otherwise."""
        return []

    def forward(self, x: Tensor) -> Tensor:
        """Return `self(x)`, under the name that it has in week 1. Given."""
        return self(x)


class LinearAutograd(Layer):
    """A fully connected layer: y = x W + b.

    W of shape (in_dim, out_dim) is the convention here. W of shape (out_dim, in_dim), as in many
    libraries, is accepted as well: y = x W^T + b; so is b of shape (1, out_dim). What counts is
    that a layer keeps to one of them.

    Attributes:
        W: weights, a Tensor of shape (in_dim, out_dim) that requires a gradient.
        b: biases, a Tensor of shape (out_dim,) that requires a gradient.
    """

    W: Tensor
    b: Tensor

    def __init__(self, in_dim: int, out_dim: int, rng: np.random.Generator | None = None) -> None:
        """Create the layer: small random weights, and biases that are zero.

        Beyond the texts (week2.network): He initialisation, as in week 1. Every entry of `W` comes
        from a normal distribution with mean 0 and variance 2 / in_dim (He et al., 2015), drawn from
        `rng`; where that is None, from a fresh `np.random.default_rng()`.

        Args:
            in_dim: size of one input row, at least 1.
            out_dim: size of one output row, at least 1.
            rng: where the weights come from.
        """
        rng = np.random.default_rng() if rng is None else rng
        # BEGIN SOLUTION week2.layers
        deviation = np.sqrt(2.0 / in_dim)
        self.W = Tensor(rng.normal(0.0, deviation, size=(in_dim, out_dim)), requires_grad=True)
        self.b = Tensor(np.zeros(out_dim), requires_grad=True)
        # END SOLUTION

    def __call__(self, x: Tensor) -> Tensor:
        """Return x W + b: shape (N, in_dim) -> (N, out_dim)."""
        # BEGIN SOLUTION week2.layers
        return x @ self.W + self.b
        # END SOLUTION

    def parameters(self) -> list[Tensor]:
        """Return W and b: the tensors themselves, not copies."""
        # BEGIN SOLUTION week2.layers
        return [self.W, self.b]
        # END SOLUTION


class ReLUAutograd(Layer):
    """The rectified linear unit as a layer: y = max(0, x), entry by entry."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return max(0, x), of x's shape."""
        # BEGIN SOLUTION week2.layers
        return x.relu()
        # END SOLUTION


# Beyond the texts


def cross_entropy(logits: Tensor, labels: npt.ArrayLike) -> Tensor:
    """Return the mean over the batch of -log softmax(logits)[label], as a tensor of shape ().

    It can be made of the engine's operations, or be one node of the graph, with the gradient that
    you derived in week 1. With m the largest logit of a row,
    log softmax(z)_t = (z_t - m) - log sum_j exp(z_j - m), so logits of +-1000 are no problem.

    Args:
        logits: shape (N, C), N at least 1.
        labels: class indices, integers from 0 to C - 1, shape (N,), not changed.

    Raises:
        ValueError: if the shapes are others, or if a label is no class.
    """
    # BEGIN SOLUTION week2.network
    labels = np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not labels.size:
        raise ValueError(f"logits of shape {logits.shape} with labels of shape {labels.shape}")
    if labels.dtype.kind not in "iu" or np.any((labels < 0) | (labels >= logits.shape[1])):
        raise ValueError(f"labels must be integers from 0 to {logits.shape[1] - 1}")
    shifted = logits.data - logits.data.max(axis=1, keepdims=True)
    log_prob = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    one_hot = np.arange(logits.shape[1]) == labels[:, np.newaxis]
    out = Tensor._result(-log_prob[one_hot].mean(), (logits,), "cross_entropy")

    def _backward() -> None:
        autograd.accumulate(logits, out.grad * (np.exp(log_prob) - one_hot) / len(labels))

    if out.requires_grad:
        out._backward = _backward
    return out
    # END SOLUTION


class AutogradMLP:
    """Linear, ReLU, linear; trained with the cross-entropy of the logits.

    Attributes:
        layers: [LinearAutograd, ReLUAutograd, LinearAutograd], from the inputs to the hidden
            units, and from those to one logit for each class.
    """

    layers: list[Layer]

    def __init__(
        self,
        input_size: int = 784,
        hidden_size: int = 128,
        num_classes: int = 10,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Create the three layers that the class's docstring names, in that order.

        Args:
            input_size: numbers in one example.
            hidden_size: hidden units.
            num_classes: classes, and logits.
            rng: handed to both linear layers for their initial weights.
        """
        # BEGIN SOLUTION week2.network
        self.layers = [
            LinearAutograd(input_size, hidden_size, rng=rng),
            ReLUAutograd(),
            LinearAutograd(hidden_size, num_classes, rng=rng),
        ]
        # END SOLUTION

    def parameters(self) -> list[Tensor]:
        """Return the parameters of all layers, in the layers' order."""
        # BEGIN SOLUTION week2.network
        return [parameter for layer in self.layers for parameter in layer.parameters()]
        # END SOLUTION

    def forward(self, x: FloatArray) -> Tensor:
        """Return the logits of a batch: array (N, input_size) -> Tensor (N, num_classes). Given."""
        out = Tensor(x)
        for layer in self.layers:
            out = layer(out)
        return out

    def train_step(self, x: FloatArray, y: IntArray, lr: float) -> float:
        """Train on one batch: loss, gradients, and p <- p - lr dL/dp for every parameter p.

        The gradients are those of this batch alone. `backward` adds to what is there, so old
        gradients have to be cleared first: set every `grad` to what it is before the first
        `backward` of your engine.

        Args:
            x: inputs, shape (N, input_size), not changed.
            y: class indices, shape (N,), not changed.
            lr: learning rate, positive.

        Returns:
            The batch's mean loss before the update.
        """
        # BEGIN SOLUTION week2.network
        loss = cross_entropy(self.forward(x), y)
        for parameter in self.parameters():
            parameter.grad = None
        loss.backward()
        for parameter in self.parameters():
            parameter.data -= lr * parameter.grad
        return float(loss.data)
        # END SOLUTION

    def predict(self, x: FloatArray) -> IntArray:
        """Return the class with the largest logit for each row of `x`: integers, shape (N,).

        Builds no graph: it runs within `no_grad`. Given.
        """
        with autograd.no_grad():
            return self.forward(x).data.argmax(axis=1)

    def evaluate(self, x: FloatArray, y: IntArray) -> float:
        """Return the accuracy: the share of rows of `x` whose prediction is right, from 0 to 1.

        `x`: shape (N, input_size). `y`: the true class indices, shape (N,). Given.
        """
        return float(np.mean(self.predict(x) == y))


# The training script. Nothing below needs to be filled.


def load_images() -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Return x_train, y_train, x_test, y_test: MNIST, or digits if it isn't there.

    Images are rows, with the mean of the training pixels taken off and divided by their deviation.
    """
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    images = data.load_or_digits("mnist")
    print(f"{images.name}: {len(images.x_train)} training images, {len(images.x_test)} test images")
    mean, deviation = images.x_train.mean(), images.x_train.std()
    x_train, x_test = (
        (part.reshape(len(part), -1) - mean) / deviation for part in (images.x_train, images.x_test)
    )
    return x_train, images.y_train, x_test, images.y_test


def plot_losses(losses: list[float], path: Path) -> None:
    """Save the loss of every batch as a curve, with a running mean over 50 batches."""
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(7, 4), layout="constrained")).subplots()
    axes.plot(losses, color="0.8", label="batch")
    width = min(50, len(losses))
    mean = np.convolve(losses, np.ones(width) / width, mode="valid")
    axes.plot(np.arange(len(mean)) + width - 1, mean, label=f"mean of {width}")
    axes.set(xlabel="batch", ylabel="cross-entropy", title="Training loss", ylim=(0, None))
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    figure.savefig(partial, dpi=120, format="png")
    os.replace(partial, path)
    print(f"saved {path}")


def picture_of_a_step(model: AutogradMLP, x: FloatArray, y: IntArray, path: Path) -> None:
    """Save the graph of the loss of one batch, as the engine sees it, with its gradients."""
    from draw_graph import draw_graph

    for parameter in model.parameters():  # `grad` as it is at the beginning, None or zeros
        parameter.grad = Tensor(parameter.data, requires_grad=True).grad
    loss = cross_entropy(model.forward(x), y)
    loss.backward()
    names = dict(zip(("W1", "b1", "W2", "b2"), model.parameters(), strict=True))
    draw_graph(loss, path, names={**names, "L": loss})
    print(f"saved {path}")


def train(options: argparse.Namespace) -> None:
    """Train an AutogradMLP as the options say; print both accuracies after each epoch."""
    from tqdm import tqdm

    x_train, y_train, x_test, y_test = load_images()
    rng = np.random.default_rng(options.seed)
    model = AutogradMLP(input_size=x_train.shape[1], rng=rng)
    count = -(-len(x_train) // options.batch_size)
    losses: list[float] = []
    for epoch in range(1, options.epochs + 1):
        batches = np.array_split(rng.permutation(len(x_train)), count)
        start = time.perf_counter()
        for batch in tqdm(batches, desc=f"epoch {epoch}", unit="batch", leave=False):
            losses.append(model.train_step(x_train[batch], y_train[batch], options.lr))
        seconds = time.perf_counter() - start
        print(
            f"epoch {epoch}: train accuracy {model.evaluate(x_train, y_train):.4f}, "
            f"test accuracy {model.evaluate(x_test, y_test):.4f}, {seconds:.1f} s"
        )
    plot_losses(losses, options.out / "loss_curve_autograd.png")
    part = slice(options.batch_size)
    picture_of_a_step(model, x_train[part], y_train[part], options.out / "training_step.svg")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description="Train a two-layer network with autograd.")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--seed", type=int, default=0, help="for weights and batches")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for pictures")
    options = parser.parse_args()
    if min(options.epochs, options.batch_size) < 1 or options.lr <= 0:
        parser.error("--epochs and --batch-size must be at least 1, and --lr positive")
    train(options)


if __name__ == "__main__":
    main()
