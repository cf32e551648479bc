"""No checks: whether layers work on whole batches, and whether their gradients are derived.

A loop over the time is what a recurrent layer is. What is noticed here becomes a flag, for a person
to look at, and takes no point.
"""

from dataclasses import replace

import numpy as np
import pytest

from autograder.suite.hidden import conduct

from .formulas_rnn import RIGHT, by_hand
from .recurrence import BLOCKS, STARTS

pytestmark = pytest.mark.flag(conduct.LOOPS)

STEPS, HIDDEN, SYMBOLS = 3, 5, 7


def recurrent(student, rng, kind, batch, features):
    """Return a layer of the student's, what it is given, and gradients of its states."""
    wide = BLOCKS[kind] * HIDDEN
    given = {
        "x": rng.normal(size=(STEPS, batch, features)),
        "Wx": rng.normal(size=(features, wide)) / np.sqrt(features),
        "Wh": rng.normal(size=(HIDDEN, wide)) / np.sqrt(HIDDEN),
        "b": rng.normal(size=wide),
        **{name: np.zeros((batch, HIDDEN)) for name in STARTS[kind]},
    }
    layer = getattr(student.rnn, kind)(features, HIDDEN)
    for name in ("Wx", "Wh", "b"):
        setattr(layer, name, given[name])
    return layer, given, rng.normal(size=(STEPS, batch, HIDDEN))


def as_one(trace):
    """Return a trace whose result is an array, where it was a list of arrays of one shape."""
    several = trace.result
    if type(several) not in (list, tuple) or not several:
        return trace
    if any(type(one) is not np.ndarray or one.shape != several[0].shape for one in several):
        return trace
    return replace(trace, result=np.stack(several))


def watch_forward(student, rng, kind):
    """Look at forward."""

    def run(batch, features):
        layer, given, _ = recurrent(student, rng, kind, batch, features)
        return {f"{kind}.forward": student.trace(layer.forward, list(given["x"]))}

    conduct.on_whole_arrays(run)


def watch_backward(student, rng, kind):
    """Look at backward."""

    def run(batch, features):
        layer, given, upstream = recurrent(student, rng, kind, batch, features)
        student.trace(layer.forward, list(given["x"]))
        trace = as_one(student.trace(layer.backward, list(upstream)))
        exact = by_hand(kind, RIGHT[kind], given, upstream)["x"]
        return {f"{kind}.backward": trace.beside(exact)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week5.rnn")
def test_rnn(student, rng):
    """RNN.forward works on whole batches."""
    watch_forward(student, rng, "RNN")


@pytest.mark.item("week5.rnn_backward")
def test_rnn_backward(student, rng):
    """RNN.backward works on whole batches, and its gradients are derived."""
    watch_backward(student, rng, "RNN")


@pytest.mark.item("week5.lstm")
def test_lstm(student, rng):
    """LSTM.forward works on whole batches."""
    watch_forward(student, rng, "LSTM")


@pytest.mark.item("week5.lstm_backward")
def test_lstm_backward(student, rng):
    """LSTM.backward works on whole batches, and its gradients are derived."""
    watch_backward(student, rng, "LSTM")


@pytest.mark.item("week5.embedding")
def test_embedding(student, rng):
    """The embedding looks up and adds up whole batches."""

    def run(batch, features):
        layer = student.language.Embedding(SYMBOLS, features)
        ids = rng.integers(0, SYMBOLS, size=(batch, STEPS))
        forward = student.trace(layer.forward, ids)
        dL_dy = rng.normal(size=(batch, STEPS, features))
        return {
            "Embedding.forward": forward,
            "Embedding.backward": student.trace(layer.backward, dL_dy),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week5.loss")
def test_sequence_loss(student, rng):
    """The loss of a sequence, and its gradient, are those of whole batches."""

    def run(batch, symbols):
        logits = rng.normal(size=(batch, STEPS, symbols))
        targets = rng.integers(0, symbols, size=(batch, STEPS))
        return {"sequence_loss": student.trace(student.language.sequence_loss, logits, targets)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week5.clipping")
def test_clipping(student, rng):
    """Clipping goes through the arrays, not through their entries."""

    def run(rows, columns):
        grads = [rng.normal(size=(rows, columns)), rng.normal(size=columns)]
        return {"clip_gradients": student.trace(student.language.clip_gradients, grads, 1.0)}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week5.char_lstm")
def test_char_lstm(student, rng):
    """The network reads whole batches, and so do its gradients."""

    def run(batch, hidden):
        model = student.language.CharLSTM(SYMBOLS, 4, hidden)
        ids = rng.integers(0, SYMBOLS, size=(batch, STEPS))
        forward = student.trace(model.forward, ids)
        dL_dlogits = rng.normal(size=(batch, STEPS, SYMBOLS)).astype("float32")
        return {
            "CharLSTM.forward": forward,
            "CharLSTM.backward": student.trace(model.backward, dL_dlogits),
        }

    conduct.on_whole_arrays(run)
