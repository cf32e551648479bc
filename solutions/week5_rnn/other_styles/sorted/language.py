"""A language model of characters, with loops and lists where others have arrays.

    python language.py                   train on Shakespeare, print a sample now and then
    python language.py --help            all options

The first part of the file is yours to fill; the script below it is complete. Texts are arrays of
integers here: character number k of an alphabet of V characters is k. Losses are in nats, as
everywhere; `bits_per_char` gives bits, of which one is ln 2 nats.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rnn import LSTM

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

HELD_OUT = 0.1
"""The share of the text, its end, on which networks are measured."""


def load_text() -> tuple[str, str]:
    """Return Shakespeare's text, all but its end, and the end, which is held out. Given.

    1,115,394 characters, 65 different ones. They lie in the course's `data` package: no network is
    needed.
    """
    # The package is in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    text = data.load("shakespeare")
    end = len(text) - int(HELD_OUT * len(text))
    return text[:end], text[end:]


def alphabet_of(text: str) -> str:
    """Return the different characters of a text, sorted. Given."""
    return "".join(sorted(set(text)))


def encode(text: str, alphabet: str) -> IntArray:
    """Return a text as numbers of characters, shape (len(text),). Given."""
    numbers = {character: number for number, character in enumerate(alphabet)}
    return np.array([numbers[character] for character in text], dtype=np.int64)


def decode(ids: IntArray, alphabet: str) -> str:
    """Return numbers of characters as a text. Given."""
    return "".join(alphabet[number] for number in ids)


class Embedding:
    """A table with a vector for each character: y = W[ids].

    It is a linear layer whose inputs are one-hot rows, without ever building these.

    Attributes:
        W: the vectors, shape (V, D).
        dL_dW: gradient of the loss with respect to W, shape (V, D), set by `backward`.
    """

    W: FloatArray

    def __init__(
        self,
        vocabulary: int,
        size: int,
        *,
        rng: np.random.Generator | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        """Create the table, drawn with deviation 1. `vocabulary` is V, `size` D."""
        self.rows, self.columns = vocabulary, size
        source = rng or np.random.default_rng()
        table = source.standard_normal(vocabulary * size)
        self.W = np.asarray(table.reshape(vocabulary, size), dtype=dtype)

    def forward(self, ids: IntArray) -> FloatArray:
        """Return the vectors of `ids`, of any shape S: shape (*S, D). `ids` is not changed."""
        self.read = np.ravel(ids).copy()
        self.shape = np.shape(ids)
        return np.take(self.W, self.read, axis=0).reshape(*self.shape, self.columns)

    def backward(self, dL_dy: FloatArray) -> None:
        """Set `dL_dW`. Returns nothing, since numbers of characters have no gradient.

        A character that occurs several times gets the sum of what its places get. `dL_dy`: shape
        (*S, D), not changed.
        """
        gradient = np.zeros(self.W.shape, dtype=self.W.dtype)
        order = np.argsort(self.read, kind="stable")
        letters, first = np.unique(self.read[order], return_index=True)
        flat = np.reshape(dL_dy, (-1, self.columns))[order]
        gradient[letters] = np.add.reduceat(flat, first, axis=0)
        self.dL_dW = gradient


def batches(ids: IntArray, batch: int, steps: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the pieces of a text in which it can be read from the beginning to the end.

    The text is cut into `batch` rows of equal length, one below the other. A piece is `steps`
    columns of all rows, and the next piece goes on where it ended: row b of one piece is followed,
    in the text, by row b of the next. So a state may go on from piece to piece.

    Args:
        ids: a text, shape (L,), not changed.
        batch: how many rows, at least 1.
        steps: how many columns in a piece, at least 1.

    Yields:
        Inputs and targets, both of shape (batch, steps): the target of a character is the one that
        follows it in the text. What is too little for a last piece is left out.
    """
    row_length = len(ids) // batch
    first = 0
    while first + steps < row_length:
        x, y = [], []
        for row in range(batch):
            at = row * row_length + first
            x.append(ids[at : at + steps])
            y.append(ids[at + 1 : at + steps + 1])
        yield np.array(x), np.array(y)
        first += steps


def sequence_loss(logits: FloatArray, targets: IntArray) -> tuple[float, FloatArray]:
    """Return the mean cross-entropy over all places, and its gradient.

    Args:
        logits: shape (N, T, V), of any size: neither large nor small ones overflow. Not changed.
        targets: numbers of characters, shape (N, T), not changed.

    Returns:
        The mean of -ln softmax(logits)[target] over the N T places, a Python float; and the
        gradient of that mean with respect to the logits, shape (N, T, V).
    """
    many, length, letters = logits.shape
    z = logits.reshape(many * length, letters)
    z = z - z.max(axis=1)[:, None]
    p = np.exp(z)
    whole = p.sum(axis=1)
    right = np.ravel(targets) + letters * np.arange(many * length)
    loss = float((np.log(whole) - z.ravel()[right]).mean())
    gradient = (p / whole[:, None]).ravel()
    gradient[right] -= 1
    return loss, gradient.reshape(logits.shape) / (many * length)


def clip_gradients(grads: Sequence[FloatArray], limit: float) -> list[FloatArray]:
    """Return the gradients, made shorter where all of them together are longer than `limit`.

    Their length is the Euclidean norm of all entries of all arrays, as if they were one vector. One
    factor serves all arrays, so the direction of the step stays.

    Args:
        grads: arrays of any shapes, not changed; all may be 0.
        limit: positive.

    Returns:
        New arrays in the same order, of the same shapes and dtypes.
    """
    length = np.sqrt(sum(float((grad.astype(np.float64) ** 2).sum()) for grad in grads))
    if length > limit:
        return [(grad * (limit / (length + 1e-6))).astype(grad.dtype) for grad in grads]
    return [grad.copy() for grad in grads]


def sample(logits: FloatArray, temperature: float, rng: np.random.Generator) -> int:
    """Draw a character from softmax(logits / temperature).

    Args:
        logits: shape (V,), of any size, not changed.
        temperature: at least 0. Below 1 likely characters become likelier; at 0 the likeliest is
            always chosen, and of several the first.
        rng: draws.

    Returns:
        The number of a character, a Python int.
    """
    best = max(range(len(logits)), key=lambda one: logits[one])
    if temperature < 1e-6:
        return best
    shares = [float(np.exp((one - logits[best]) / temperature)) for one in logits]
    place, below = rng.random() * sum(shares), 0.0
    for number, share in enumerate(shares):
        below += share
        if place < below:
            return number
    return best


class Adagrad:
    """Steps by gradients that were made comparable: p <- p - lr g / (sqrt(sum of g^2) + 1e-8).

    Given (Duchi, Hazan and Singer, 2011). The sum runs over all steps so far, entry by entry.
    """

    def __init__(self) -> None:
        """Begin with empty sums."""
        self._sums: list[FloatArray] = []

    def step(self, values: Sequence[FloatArray], grads: Sequence[FloatArray], lr: float) -> None:
        """Change the arrays in `values` in place; `grads` has a gradient for each of them."""
        self._sums = self._sums or [np.zeros_like(value) for value in values]
        for value, grad, total in zip(values, grads, self._sums, strict=True):
            total += grad**2
            value -= lr * grad / (np.sqrt(total) + 1e-8)


class CharLSTM:
    """Characters in, logits of the next character out: an embedding, an LSTM, a linear layer.

    Attributes:
        embedding: Embedding(V, D).
        lstm: LSTM(D, H).
        Wy: weights of the logits, shape (H, V).
        by: biases of the logits, shape (V,).
        state: where reading stopped, the LSTM's state and cell, each of shape (N, H); None at the
            beginning of a text.
        optimizer: takes the steps.
    """

    Wy: FloatArray
    by: FloatArray
    state: tuple[FloatArray, FloatArray] | None

    def __init__(
        self,
        vocabulary: int,
        size: int = 32,
        hidden: int = 128,
        *,
        forget_bias: float = 1.0,
        rng: np.random.Generator | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        """Create the network; `vocabulary`, `size` and `hidden` are V, D and H. Given.

        Wy begins at deviation 1 / sqrt(H), by at 0.
        """
        rng = np.random.default_rng() if rng is None else rng
        self.embedding = Embedding(vocabulary, size, rng=rng, dtype=dtype)
        self.lstm = LSTM(size, hidden, forget_bias, rng=rng, dtype=dtype)
        self.Wy = (rng.normal(size=(hidden, vocabulary)) / np.sqrt(hidden)).astype(dtype)
        self.by = np.zeros(vocabulary, dtype)
        self.state = None
        self.optimizer = Adagrad()

    def parameters(self) -> list[FloatArray]:
        """Return the arrays that are trained, in a fixed order. Given."""
        return [self.embedding.W, self.lstm.Wx, self.lstm.Wh, self.lstm.b, self.Wy, self.by]

    def gradients(self) -> list[FloatArray]:
        """Return the gradients of the latest `backward`, in the order of `parameters`. Given."""
        lstm = self.lstm
        return [
            self.embedding.dL_dW,
            *(lstm.dL_dWx, lstm.dL_dWh, lstm.dL_db),
            *(self.dL_dWy, self.dL_dby),
        ]

    def reset(self) -> None:
        """Forget what was read: the next text is another one. Given."""
        self.state = None

    def forward(self, ids: IntArray) -> FloatArray:
        """Read on, from `state`, and keep where reading stops there.

        Args:
            ids: numbers of characters, shape (N, T), not changed. N rows are read side by side.

        Returns:
            The logits of what comes after each of them, shape (N, T, V).
        """
        vectors = list(self.embedding.forward(np.transpose(ids)))
        states = self.lstm.forward(vectors, *(self.state or ()))
        self.states = states
        self.state = [states[-1], self.lstm.c_last]
        return np.stack([h @ self.Wy + self.by for h in states], axis=1)

    def backward(self, dL_dlogits: FloatArray) -> None:
        """Compute all gradients; they end at the beginning of what the latest `forward` read.

        The state that it began with counts as given: what was read before is not changed by it
        (truncated backpropagation through time). `dL_dlogits`: shape (N, T, V), not changed.
        """
        self.dL_dWy, self.dL_dby = np.zeros_like(self.Wy), np.zeros_like(self.by)
        direct = []
        for t, h in enumerate(self.states):
            slope = dL_dlogits[:, t]
            self.dL_dWy += h.T @ slope
            self.dL_dby += slope.sum(0)
            direct.append(slope @ self.Wy.T)
        self.embedding.backward(np.array(self.lstm.backward(direct)))

    def train_step(self, x: IntArray, y: IntArray, lr: float, limit: float = 5.0) -> float:
        """Read a piece of text from where the last one ended, and take one step.

        Args:
            x: inputs, shape (N, T), not changed.
            y: targets, shape (N, T), not changed.
            lr: learning rate, positive.
            limit: the gradients are clipped to this length.

        Returns:
            The mean loss before the step, in nats.
        """
        logits = self.forward(x)
        loss, slope = sequence_loss(logits, y)
        self.backward(slope)
        grads = clip_gradients(self.gradients(), limit)
        self.optimizer.step(self.parameters(), grads, lr)
        return loss

    def bits_per_char(self, ids: IntArray) -> float:
        """Return how many bits each character of a text costs, on average.

        That is the mean of -log2 of the probability that the network gave to the character, over
        all but the first, each after everything before it. The text is read from the beginning, and
        `state` is afterwards what it was before.

        Args:
            ids: a text, shape (L,), L at least 2, not changed.
        """
        kept = self.state
        self.reset()
        logits = self.forward(np.reshape(ids[:-1], (1, -1)))
        self.state = kept
        return sequence_loss(logits, np.reshape(ids[1:], (1, -1)))[0] / float(np.log(2))

    def generate(
        self, start: IntArray, count: int, temperature: float, rng: np.random.Generator
    ) -> IntArray:
        """Write on: `count` characters after the text `start`.

        `state` is afterwards what it was before.

        Args:
            start: a text, shape (L,), L at least 1, not changed. It is read from the beginning.
            count: how many characters, at least 0.
            temperature: as `sample` takes it.
            rng: draws.

        Returns:
            The new characters alone, shape (count,), int64.
        """
        text, kept = [], self.state
        self.reset()
        for one in start:
            logits = self.forward(np.array([[one]]))
        while len(text) < count:
            text.append(sample(logits[0, -1], temperature, rng))
            logits = self.forward(np.array([[text[-1]]]))
        self.state = kept
        return np.array(text, dtype=np.int64)


def train(
    model: CharLSTM,
    ids: IntArray,
    *,
    steps: int = 1600,
    batch: int = 32,
    length: int = 64,
    lr: float = 0.1,
) -> Iterator[float]:
    """Train for so many steps, and yield each one's loss. Given.

    Whenever the text is through it begins anew, and so does the state. With the defaults a network
    of 128 states takes about a minute of one processor for Shakespeare, and comes to 2.28 bits per
    character on text that it never read (seed 0). Counting three letters in a row reaches 2.87
    bits, and counting six 2.22: what such bits prove is that it learns, not that it understands.
    """
    done = 0
    while done < steps:
        model.reset()
        for x, y in batches(ids, batch, length):
            if done == steps:
                return
            yield model.train_step(x, y, lr)
            done += 1


def main() -> None:
    """Train on Shakespeare, and print losses, samples and the bits on the text's end."""
    parser = argparse.ArgumentParser(description="Train a character LSTM on Shakespeare.")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    text, held_out = load_text()
    alphabet = alphabet_of(text + held_out)
    ids = encode(text, alphabet)
    rng = np.random.default_rng(options.seed)
    model = CharLSTM(len(alphabet), hidden=options.hidden, rng=rng)
    begun, losses = time.process_time(), []
    for loss in train(model, ids, steps=options.steps, lr=options.lr):
        losses.append(loss)
        if len(losses) % 200 == 0:
            bits = np.mean(losses[-200:]) / np.log(2.0)
            said = model.generate(encode("\n", alphabet), 200, options.temperature, rng)
            print(f"--- step {len(losses)}: {bits:.2f} bits per character in training")
            print(decode(said, alphabet))
    bits = model.bits_per_char(encode(held_out[:20_000], alphabet))
    print(f"--- {bits:.3f} bits per character on text that it never read")
    print(f"    {time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
