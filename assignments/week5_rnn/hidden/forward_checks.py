"""What both recurrent layers promise of `forward` and of their first weights, as helpers of tests.

What the layers compute differs, so each has tests of its own; what they promise beside is alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor
from autograder.suite.student import Student

from .recurrence import Layer, sequence

LABEL = "states"


def expect_states(layer: Layer, received: Any, wanted: np.ndarray | None = None) -> None:
    """Compare the states with the right ones."""
    wanted = layer.states() if wanted is None else wanted
    expect.close(LABEL, sequence(LABEL, received, layer.shape), wanted)


def expect_read_again(layer: Layer) -> None:
    """Sequences after the first, with as many rows or more, are read from zeros too."""
    layer.draw(steps=3, rows=2)
    layer.forward()
    for rows in (2, 5):
        layer.draw(steps=4, rows=rows, started=False)
        expect_states(layer, layer.forward())


def expect_present_weights(layer: Layer) -> None:
    """Weights that were replaced are what forward uses."""
    layer.forward()
    layer.draw_weights()
    expect_states(layer, layer.forward())


def expect_float32(layer: Layer) -> None:
    """float32 weights and inputs give float32 states, with a start and without one."""
    layer.put_weights("float32")
    for started in (True, False):
        layer.draw(started=started)
        starts = [one.astype("float32") for one in layer.starts]
        received = layer.forward(list(layer.given["x"].astype("float32")), *starts)
        parts = list(received) if type(received) in (list, tuple, np.ndarray) else []
        states = sequence(LABEL, received, layer.shape)
        right_but_for_a_factor(LABEL, states, layer.states(), rtol=1e-3, atol=1e-4)
        for part in parts:
            expect.dtype(LABEL, part, "float32")


def expect_arguments_kept(layer: Layer) -> None:
    """forward changes neither the sequence nor where it starts from."""
    kept_x = layer.own_array(layer.given["x"])
    kept_starts = [layer.own_array(one) for one in layer.starts]
    received = sequence(LABEL, layer.forward(kept_x, *kept_starts), layer.shape)
    right_but_for_a_factor(LABEL, received, layer.states())
    expect.unchanged("x", layer.given["x"], layer.student.fetch(kept_x))
    for start, kept in zip(layer.starts, kept_starts, strict=True):
        expect.unchanged("where it starts from", start, layer.student.fetch(kept))


def expect_first_weights(student: Student, kind: str, blocks: int) -> None:
    """Wx and Wh are drawn with mean 0 and deviation 1 / sqrt(fan-in)."""
    size, hidden = 90, 40
    layer = getattr(student.rnn, kind)(size, hidden)
    for name, fan_in in (("Wx", size), ("Wh", hidden)):
        received = expect.array(name, getattr(layer, name), (fan_in, blocks * hidden))
        drawn = received.astype(np.float64) * np.sqrt(fan_in)
        count = drawn.size
        # Five deviations of the estimates: once in a million right layers.
        expect.close(f"deviation of {name}, times sqrt(fan-in)", _root(drawn), 1.0, rtol=0.12)
        expect.close(f"mean of {name}", float(drawn.mean()), 0.0, rtol=0, atol=5 / np.sqrt(count))


def _root(drawn: np.ndarray) -> float:
    return float(np.sqrt(np.mean(drawn**2)))


def expect_weights_from_generator(student: Student, kind: str) -> None:
    """The same generator gives the same weights, another one others."""
    make, generator = getattr(student.rnn, kind), student.probe("generator")
    layers = [make(3, 2, rng=generator(seed)) for seed in (5, 5, 6)]
    for name in ("Wx", "Wh"):
        first, again, other = (getattr(layer, name) for layer in layers)
        expect.differ(name, first, 0, "all weights start at 0.")
        # Which weights a seed gives is up to the student; another one has to give others.
        expect.repeated(f"{name} from the same seed", first, again)
        expect.differ(f"{name} from another seed", first, other, "two seeds gave the same weights.")


def expect_dtype_of_weights(student: Student, kind: str) -> None:
    """The layer is created with the dtype that is asked for, float64 if none is."""
    make = getattr(student.rnn, kind)
    single = make(3, 4, dtype=student.probe("float32"))
    double, again = make(3, 4), make(3, 4)
    # Constants of the right dtype would be nobody's weights.
    for name in ("Wx", "Wh"):
        arrays = getattr(double, name), getattr(again, name)
        expect.differ(name, *arrays, "two layers begin with the same weights.")
    for asked, layer in (("float32", single), ("float64", double)):
        for name in ("Wx", "Wh", "b"):
            expect.dtype(name, getattr(layer, name), asked)
