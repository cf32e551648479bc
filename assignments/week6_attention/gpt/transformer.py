"""A small GPT: a language model of characters, made of attention (PyTorch).

    python transformer.py                train on Shakespeare, print samples and bits
    python transformer.py --help         all options

The first part of the file is yours to fill; the script below it is complete. `nn.Linear`,
`nn.Embedding`, `nn.Dropout`, softmax and the optimizers are PyTorch's. Attention and layer
normalisation are yours: `nn.MultiheadAttention`, `nn.Transformer...`, `nn.LayerNorm`, the functions
`layer_norm` and `scaled_dot_product_attention`, and PyTorch's other normalisations are not to be
used.

A batch of N texts is an int64 tensor of shape (N, T): character number k of an alphabet of V
characters is k. Inside the network each place has a vector of d numbers: shape (N, T, d). Masks are
boolean, and True means "may attend", as in attention.py.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional


class LayerNorm(nn.Module):
    """Layer normalisation (Ba, Kiros and Hinton, 2016): each vector by its own mean and variance.

        y = weight * (x - mean) / sqrt(var + eps) + bias

    Mean and variance run over the last axis, the d numbers of one place. The variance is the biased
    one: the sum of squares is divided by d. Unlike batch normalisation it does the same in training
    and in evaluation, and no place knows of another.

    Attributes:
        weight: nn.Parameter, shape (d,), ones at first.
        bias: nn.Parameter, shape (d,), zeros at first.
        eps: a small number, inside the root.
    """

    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, d: int, eps: float = 1e-5) -> None:
        """Create the parameters for vectors of d numbers."""
        super().__init__()
        raise NotImplementedError("gpt.layer_norm: fill in LayerNorm.__init__")

    def forward(self, x: Tensor) -> Tensor:
        """Return y, of the shape of `x`: (..., d), not changed."""
        raise NotImplementedError("gpt.layer_norm: fill in LayerNorm.forward")


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each on its own part of the columns.

    Queries, keys and values each go through a linear layer first. What comes out, d_model columns,
    is cut into `num_heads` blocks of d_model / num_heads neighbouring columns: head 0 has the first
    block. Each head is a scaled dot-product attention, with the scale of *its* number of columns.
    Their results are put side by side again, in the same order, and go through `out_proj`.

    Attributes:
        q_proj, k_proj, v_proj, out_proj: nn.Linear(d_model, d_model), each with its bias.
        num_heads: how many heads.
    """

    q_proj: nn.Linear
    k_proj: nn.Linear
    v_proj: nn.Linear
    out_proj: nn.Linear
    num_heads: int

    def __init__(self, d_model: int, num_heads: int) -> None:
        """Create the four layers.

        Raises:
            ValueError: if `num_heads` does not divide `d_model`.
        """
        super().__init__()
        if d_model % num_heads:
            raise ValueError(f"{d_model} columns can't be shared by {num_heads} heads")
        raise NotImplementedError("gpt.heads: fill in MultiHeadAttention.__init__")

    def weights(self, query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return how much each query takes from each value, in each head.

        The pictures of the experiments are made of it, and `forward` can use it.

        Args:
            query: shape (N, Tq, d_model), not changed.
            key: shape (N, Tk, d_model), not changed.
            mask: as `forward` takes it.

        Returns:
            Shape (N, num_heads, Tq, Tk). Rows add to 1, and are exactly 0 where the mask is False;
            a row that is False everywhere is zeros, and gives no NaN as a gradient either.
        """
        raise NotImplementedError("gpt.heads: fill in MultiHeadAttention.weights")

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Attend.

        Args:
            query: shape (N, Tq, d_model), not changed.
            key: shape (N, Tk, d_model), not changed.
            value: shape (N, Tk, d_model), not changed.
            mask: boolean, True where a query may attend to a key, the same for all heads;
                broadcasts to (N, Tq, Tk). None: everywhere.

        Returns:
            Shape (N, Tq, d_model). Where a query may attend to nothing all heads give zeros, and
            what is left is the bias of `out_proj`.
        """
        raise NotImplementedError("gpt.heads: fill in MultiHeadAttention.forward")

    def _split(self, x: Tensor) -> Tensor:
        """Return (N, T, d_model) as (N, num_heads, T, d_model / num_heads)."""
        raise NotImplementedError("gpt.heads: fill in MultiHeadAttention._split")


class TransformerBlock(nn.Module):
    """A block in the form of GPT-2 (pre-norm): attention, then two linear layers at each place.

        x = x + attention(norm1(x))
        x = x + down(gelu(up(norm2(x))))

    Both parts add something to what came in. The normalised vectors are for the parts alone: what
    is added to is x itself. GELU is `functional.gelu`, in its exact form or by tanh. `nn.Dropout`
    may act on what each part adds; in evaluation mode there is none.

    Attributes:
        norm1, norm2: LayerNorm(d_model).
        attention: MultiHeadAttention(d_model, num_heads).
        up: nn.Linear(d_model, d_ff), with its bias.
        down: nn.Linear(d_ff, d_model), with its bias.
    """

    norm1: LayerNorm
    attention: MultiHeadAttention
    norm2: LayerNorm
    up: nn.Linear
    down: nn.Linear

    def __init__(self, d_model: int, num_heads: int, d_ff: int) -> None:
        """Create the parts."""
        super().__init__()
        raise NotImplementedError("gpt.block: fill in TransformerBlock.__init__")

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return shape (N, T, d_model).

        Args:
            x: shape (N, T, d_model), not changed: queries, keys and values are all made of it.
            mask: boolean, True where a place may attend to another; broadcasts to (N, T, T). None:
                everywhere.
        """
        raise NotImplementedError("gpt.block: fill in TransformerBlock.forward")


class MiniGPT(nn.Module):
    """Characters in, logits of the next character out, at every place at once.

    The vector of each character and that of its place are added, then come the blocks, a last layer
    normalisation, and a linear layer. No place attends to a later one, so the logits at a place are
    a prediction: they don't depend on what follows.

    A new network knows nothing: its loss is near ln V. So weights of linear layers and embeddings
    are drawn with a small deviation, GPT-2's 0.02, and biases begin at 0.

    Attributes:
        tokens: nn.Embedding(V, d_model), the vectors of characters.
        positions: nn.Embedding(context, d_model), the vectors of places, learnt.
        blocks: nn.ModuleList of TransformerBlock(d_model, heads, 4 * d_model).
        norm: LayerNorm(d_model).
        head: nn.Linear(d_model, V), with its bias; it shares nothing with `tokens`.
        context: how many characters the network can look at.
    """

    tokens: nn.Embedding
    positions: nn.Embedding
    blocks: nn.ModuleList
    norm: LayerNorm
    head: nn.Linear
    context: int

    def __init__(self, vocab: int, context: int, d_model: int, heads: int, layers: int) -> None:
        """Create the parts; `vocab` is V."""
        super().__init__()
        raise NotImplementedError("gpt.mini_gpt: fill in MiniGPT.__init__")

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits of what comes after each character, shape (N, T, V).

        Args:
            ids: int64, shape (N, T), T from 1 to `context`, not changed. The first character stands
                at place 0, however many there are.

        Raises:
            ValueError: if T is larger than `context`.
        """
        steps = ids.shape[1]
        if steps > self.context:
            raise ValueError(f"{steps} characters are more than the context of {self.context}")
        raise NotImplementedError("gpt.mini_gpt: fill in MiniGPT.forward")


def next_character(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """Draw a character from softmax(logits / temperature), for each row.

    Args:
        logits: shape (N, V), of any size, not changed.
        temperature: at least 0. At 0 the likeliest is always chosen, and of several the first.
        generator: draws.

    Returns:
        Numbers of characters, int64, shape (N,).
    """
    raise NotImplementedError("gpt.generate: fill in next_character")


def generate(
    model: nn.Module, ids: Tensor, steps: int, temperature: float, generator: torch.Generator
) -> Tensor:
    """Write on: `steps` characters after each of the texts.

    Every character is drawn from what the network says after all before it, or after the last
    `context` of them where there are more. The network is in evaluation mode meanwhile, and
    afterwards in the mode in which it was; nothing of it changes, and no gradients are kept.

    Args:
        model: MiniGPT, or another network with `context` that takes ids and gives logits as it.
        ids: the texts to go on from, int64, shape (N, L), L at least 1 and also more than
            `context`, not changed.
        steps: how many characters, at least 0.
        temperature: as `next_character` takes it.
        generator: draws: the same one, the same texts.

    Returns:
        The new characters alone, int64, shape (N, steps).
    """
    raise NotImplementedError("gpt.generate: fill in generate")


def windows(ids: Tensor, count: int, length: int, generator: torch.Generator) -> Tensor:
    """Return pieces of a text from places drawn at random, int64, shape (count, length). Given.

    `ids`: a text, shape (L,), L at least `length`.
    """
    starts = torch.randint(len(ids) - length + 1, (count, 1), generator=generator)
    return ids[starts + torch.arange(length)]


def train(
    model: nn.Module, ids: Tensor, steps: int, batch: int = 48, lr: float = 0.004, seed: int = 0
) -> list[float]:
    """Train the network on a text; return the loss of each step, before it.

    A step goes by the gradients of one batch of pieces of the text, of `context` characters each:
    the loss is the mean cross-entropy of its logits over all places, where the target of a place is
    the character that follows it in the text. So a piece of `windows` has one character more.
    Optimizer, schedule and clipping are yours to choose. The network is asked once in each step, in
    training mode, and is in evaluation mode afterwards. The same seed, with the same network, gives
    the same result.

    Args:
        model: MiniGPT, or another network with `context`; it is changed.
        ids: the text, int64, shape (L,), L larger than `context`, not changed.
        steps: how many.
        batch: pieces in one step.
        lr: the largest learning rate.
        seed: decides the pieces.
    """
    generator = torch.Generator().manual_seed(seed)
    raise NotImplementedError("gpt.trained: fill in train")


def _share(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step: a short rise, then half a cosine."""
    raise NotImplementedError("gpt.trained: fill in _share")


def bits_per_char(model: MiniGPT, ids: Tensor) -> float:
    """Return how many bits each character of a text costs, on average. Given.

    The text is cut into pieces of `context` characters, each read for itself: a character is
    predicted from those before it in its piece, on average from half the context. What is too
    little for a last piece is left out. `ids`: int64, shape (L,), L larger than `context`.
    """
    count = (len(ids) - 1) // model.context
    inputs, targets = (
        ids[start : start + count * model.context].view(count, model.context) for start in (0, 1)
    )
    total = 0.0
    with torch.no_grad():
        for x, y in zip(inputs.split(200), targets.split(200), strict=True):
            logits = model(x).flatten(0, 1)
            total += functional.cross_entropy(logits, y.flatten(), reduction="sum").item()
    return total / targets.numel() / math.log(2.0)


HELD_OUT = 0.1
"""The share of the text, its end, on which networks are measured."""


def load_text() -> tuple[str, str]:
    """Return Shakespeare's text, all but its end, and the end, which is held out. Given."""
    # The course's `data` package lies in the repository's root, three folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    import data

    text = data.load("shakespeare")
    end = len(text) - int(HELD_OUT * len(text))
    return text[:end], text[end:]


def encode(text: str, alphabet: str) -> Tensor:
    """Return a text as numbers of characters, int64, shape (len(text),). Given."""
    numbers = {character: number for number, character in enumerate(alphabet)}
    return torch.tensor([numbers[character] for character in text], dtype=torch.int64)


def decode(ids: Tensor, alphabet: str) -> str:
    """Return numbers of characters, of shape (L,), as a text. Given."""
    return "".join(alphabet[number] for number in ids.tolist())


def samples(model: MiniGPT, alphabet: str, seed: int) -> Iterator[str]:
    """Yield a heading and a text for each of three temperatures. Given."""
    generator = torch.Generator().manual_seed(seed)
    start = encode("\n", alphabet)[None]
    for temperature in (0.5, 0.8, 1.2):
        written = generate(model, start, 300, temperature, generator)[0]
        yield f"--- temperature {temperature}:\n{decode(written, alphabet)}"


def main() -> None:
    """Train on Shakespeare, and print losses, samples and the bits on the text's end. Given."""
    parser = argparse.ArgumentParser(description="Train a small GPT on Shakespeare.")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--context", type=int, default=32)
    parser.add_argument("--width", type=int, default=64, help="d_model")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--lr", type=float, default=0.004)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    text, held_out = load_text()
    alphabet = "".join(sorted(set(text + held_out)))
    model = MiniGPT(len(alphabet), options.context, options.width, options.heads, options.layers)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count} parameters, {len(text)} characters to learn from, {len(alphabet)} different")
    begun = time.process_time()
    ids = encode(text, alphabet)
    losses = train(model, ids, options.steps, options.batch, options.lr, options.seed)
    for part in torch.tensor(losses).split(max(1, options.steps // 10)):
        print(f"{part.mean() / math.log(2.0):.2f} bits per character in training")
    bits = bits_per_char(model, encode(held_out, alphabet))
    print(f"{bits:.3f} bits on text that it never read, after ", end="")
    print(f"{time.process_time() - begun:.0f} s of CPU")
    for sample in samples(model, alphabet, options.seed):
        print(sample)


if __name__ == "__main__":
    main()
