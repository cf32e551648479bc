"""What runs beside language.py: parts of a network that the examiner speaks, and long loops.

The embedding and the LSTM of a network, and two functions that it calls, can be the examiner's:
each call becomes a question, which the examiner answers (`hidden/stand_ins_text.py` is the other
end). What they compute is not known here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np

Ask = Callable[[list[Any]], Any]

MODULES = ("language", "rnn")
MOST_PIECES = 500

_open: list[Ask] = []
"""What asks the examiner, while a function of the student's runs."""


def _asked(question: list[Any]) -> Any:
    """Return the examiner's answer. Raises ValueError where it is a text."""
    if not _open:
        raise RuntimeError("this part works only while the test calls your function")
    answer = _open[-1](question)
    if type(answer) is str:
        raise ValueError(answer)
    return answer


class Table:
    """Stands in for an Embedding."""

    def __init__(self, vocabulary: int, size: int, **more: Any) -> None:
        self.W = np.zeros((vocabulary, size))

    def forward(self, ids: Any) -> Any:
        """Return the vectors of ids."""
        return _asked(["embedding", "forward", np.asarray(ids), self.W])

    def backward(self, dL_dy: Any) -> None:
        """Set dL_dW."""
        self.dL_dW = _asked(["embedding", "backward", np.asarray(dL_dy)])

    __call__ = forward


class Recurrent:
    """Stands in for an LSTM."""

    def __init__(self, input_size: int, hidden_size: int, *rest: Any, **more: Any) -> None:
        wide = 4 * hidden_size
        self.Wx, self.Wh = np.zeros((input_size, wide)), np.zeros((hidden_size, wide))
        self.b = np.zeros(wide)

    def forward(self, x_sequence: Any, h0: Any = None, c0: Any = None) -> list[Any]:
        """Return the states; set c_last."""
        starts = [None if start is None else np.array(start) for start in (h0, c0)]
        held = [self.Wx, self.Wh, self.b]
        answer = _asked(["lstm", "forward", _stacked(x_sequence), *held, *starts])
        states, self.c_last = answer
        return list(states)

    def backward(self, grad_sequence: Any) -> list[Any]:
        """Return the gradients of the inputs; set those of the parameters."""
        answer = _asked(["lstm", "backward", _stacked(grad_sequence)])
        dx, self.dL_dWx, self.dL_dWh, self.dL_db, self.dL_dh0, self.dL_dc0 = answer
        return list(dx)

    __call__ = forward


def _stacked(sequence: Any) -> np.ndarray:
    """Return a list of arrays, or an array, as one array; what is None becomes zeros."""
    if isinstance(sequence, np.ndarray):
        return sequence
    known = [one for one in sequence if one is not None]
    return np.stack([np.zeros_like(known[0]) if one is None else one for one in sequence])


def _loss(logits: Any, targets: Any) -> Any:
    """Stands in for sequence_loss."""
    loss, gradient = _asked(["sequence_loss", np.asarray(logits), np.asarray(targets)])
    return loss, gradient


def _clipped(grads: Any, limit: Any) -> Any:
    """Stands in for clip_gradients."""
    return _asked(["clip_gradients", [np.asarray(one) for one in grads], float(limit)])


PARTS: dict[str, Any] = {"Embedding": Table, "LSTM": Recurrent}
FUNCTIONS: dict[str, Any] = {"sequence_loss": _loss, "clip_gradients": _clipped}


class _Exchanged:
    """While it is entered, names of the student's modules stand for something of ours.

    They do wherever one of the modules has them, whatever it calls them.
    """

    def __init__(self, parts: dict[str, Any]) -> None:
        self._parts = parts
        self._changed: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> None:
        held = [sys.modules[name] for name in MODULES if name in sys.modules]
        for name, part in self._parts.items():
            own = next((getattr(m, name) for m in held if hasattr(m, name)), None)
            places = [(m, key) for m in held for key, value in vars(m).items() if value is own]
            for module, key in places if own is not None else []:
                self._changed.append((module, key, own))
                setattr(module, key, part)

    def __exit__(self, *failure: object) -> None:
        for module, key, own in self._changed:
            setattr(module, key, own)


def text_network(make: Callable[..., Any], sizes: list[int], weights: list[np.ndarray]) -> Any:
    """Return a network of the student's, made by `make`, whose parts are the examiner's."""
    with _Exchanged(PARTS):
        model = make(*sizes, dtype=np.float64)
    parts = [(Table, "embedding", sizes[:2]), (Recurrent, "lstm", sizes[1:])]
    for kind, name, size in parts:
        if not isinstance(getattr(model, name), kind):
            setattr(model, name, kind(*size))
    write_text_weights(model, weights)
    return model


def write_text_weights(model: Any, weights: list[np.ndarray]) -> None:
    """Give a network these weights, in the order of `parameters`."""
    table, Wx, Wh, b, Wy, by = (array.copy() for array in weights)
    model.embedding.W = table
    model.lstm.Wx, model.lstm.Wh, model.lstm.b = Wx, Wh, b
    model.Wy, model.by = Wy, by


def read_text_weights(model: Any) -> list[Any]:
    """Return a network's weights, in the order of `parameters`."""
    lstm = model.lstm
    return [model.embedding.W, lstm.Wx, lstm.Wh, lstm.b, model.Wy, model.by]


def text_gradients(model: Any) -> list[Any]:
    """Return a network's gradients, in the order of `parameters`."""
    lstm = model.lstm
    found = [lstm.dL_dWx, lstm.dL_dWh, lstm.dL_db, model.dL_dWy, model.dL_dby]
    return [model.embedding.dL_dW, *found]


def in_parts(ask: Ask, function: Callable[..., Any], args: list[Any]) -> list[Any]:
    """Call a function of the student's while the examiner answers for parts; return [result]."""
    _open.append(ask)
    try:
        with _Exchanged(FUNCTIONS):
            return [function(*args)]
    finally:
        _open.clear()


def written_on(
    ask: Ask, model: Any, start: np.ndarray, count: int, temperature: float, seed: int
) -> list[Any]:
    """Call a network's generate with a generator of ours while the examiner answers for parts."""
    rng = np.random.default_rng(seed)
    return in_parts(ask, model.generate, [start, count, temperature, rng])


def text_pieces(cut: Callable[..., Iterable[Any]], ids: Any, batch: int, steps: int) -> list[Any]:
    """Return the pieces that `cut` yields, as lists [x, y]; no more than MOST_PIECES."""
    pieces = islice(cut(ids, batch, steps), MOST_PIECES)
    return [[np.array(x), np.array(y)] for x, y in pieces]


def characters(
    draw: Callable[..., Any], logits: np.ndarray, temperature: float, seed: int, count: int
) -> list[Any]:
    """Return `count` characters that `draw` gives, from one generator."""
    rng = np.random.default_rng(seed)
    return [draw(logits, temperature, rng) for _ in range(count)]


def read_text(model: Any, ids: np.ndarray, rows: int, steps: int, lr: float) -> float:
    """Train once through a text that is cut into rows; return the mean of the losses."""
    length = (len(ids) - 1) // rows
    model.reset()
    losses = []
    for start in steps * np.arange(length // steps):
        columns = np.arange(start, start + steps) + length * np.arange(rows)[:, None]
        losses.append(float(model.train_step(ids[columns], ids[columns + 1], lr)))
    return float(np.mean(losses))


def write_text(model: Any, start: np.ndarray, count: int, temperature: float, seed: int) -> Any:
    """Return what a network writes on."""
    return model.generate(start, count, temperature, np.random.default_rng(seed))


DRIVERS: dict[str, Callable[..., object]] = {
    "text_network": text_network,
    "write_text_weights": write_text_weights,
    "read_text_weights": read_text_weights,
    "text_gradients": text_gradients,
    "in_parts": in_parts,
    "written_on": written_on,
    "text_pieces": text_pieces,
    "characters": characters,
    "read_text": read_text,
    "write_text": write_text,
}
PROBES: dict[str, object] = {}
