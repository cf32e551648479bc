"""What both recurrent layers promise of `backward`, as helpers of tests.

A layer that comes in has its weights and a sequence; `name` says which gradient is looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor

from .recurrence import STARTS, WEIGHTS, Layer, sequence


def gradients_of(kind: str, but: str = "") -> list[Any]:
    """Return a parameter for each gradient, `but` for one."""
    names = ["x", *WEIGHTS, *STARTS[kind]]
    return [pytest.param(name, id=f"dL_d{name}") for name in names if name != but]


def expect_at_one_step(layer: Layer, place: int, name: str) -> None:
    """The loss uses the state of one step alone; there is no gradient at the others."""
    layer.use(layer.rng.normal(size=layer.shape), [place])
    layer.both()
    layer.expect_gradient(name)


def expect_at_some_steps(layer: Layer, name: str) -> None:
    """The loss uses the states of some steps, and the last one isn't among them."""
    layer.use(layer.rng.normal(size=layer.shape), [0, 2, 3])
    layer.both()
    layer.expect_gradient(name)


def expect_latest_forward(layer: Layer, name: str) -> None:
    """Two forwards, and one backward: it is of the second."""
    layer.draw(steps=3, rows=4)
    layer.forward()
    layer.draw()
    layer.both()
    layer.expect_gradient(name)


def expect_nothing_added_up(layer: Layer, name: str) -> None:
    """After another forward and backward, nothing of the first is left in the gradients."""
    layer.draw(steps=3)
    layer.both()
    layer.draw()
    layer.both()
    layer.expect_gradient(name, right_but_for_a_factor)


def expect_same_again(layer: Layer, name: str) -> None:
    """backward may be called twice, and gives the same."""
    layer.both()
    layer.expect_gradient(name, right_but_for_a_factor)
    first = layer.received(name)
    layer.backward()
    # That the first answer has to do with the right one was seen above.
    expect.repeated(f"dL_d{name}, called twice", first, layer.received(name))


def expect_array_of_gradients(layer: Layer, name: str) -> None:
    """The gradients may come as one array of shape (T, N, H)."""
    layer.forward()
    layer.backward(layer.whole_upstream)
    layer.expect_gradient(name)


def expect_from_zeros(layer: Layer, name: str) -> None:
    """Without a start, gradients are those at a start of zeros."""
    layer.draw(started=False)
    layer.both()
    layer.expect_gradient(name)


def expect_present_weights(layer: Layer, name: str) -> None:
    """Weights that were replaced before forward are what backward uses."""
    layer.both()
    layer.draw_weights()
    layer.both()
    layer.expect_gradient(name)


def relative(label: str, received: Any, wanted: np.ndarray) -> None:
    """Compare in units of the largest entry, however small that is."""
    unit = float(np.abs(wanted).max())
    expect.close(f"{label}, in units of its largest entry", received / unit, wanted / unit)


def expect_from_far(layer: Layer) -> None:
    """What reaches the first input from the last state is small, and right to all its digits."""
    steps = layer.shape[0]
    layer.use(layer.rng.normal(size=layer.shape), [steps - 1])
    layer.both()
    layer.expect_gradient("x", relative, slice(1))


def expect_float32(layer: Layer, names: list[str]) -> None:
    """Gradients of float32 arrays in a layer with float32 weights are float32 arrays."""
    layer.put_weights("float32")
    layer.draw(started=False)
    layer.use(layer.rng.normal(size=layer.shape), [1, 3, 4])
    layer.forward(list(layer.given["x"].astype("float32")))
    layer.backward([None if one is None else one.astype("float32") for one in layer.upstream])
    near = {"rtol": 1e-3, "atol": 1e-3}
    for name in names:
        layer.expect_gradient(
            name, lambda label, got, wanted: right_but_for_a_factor(label, got, wanted, **near)
        )
        parts = list(layer.dx) if name == "x" else [layer.received(name)]
        for part in parts:
            expect.dtype(f"dL_d{name}", part, "float32")


def expect_arguments_kept(layer: Layer) -> None:
    """backward changes neither the gradients that it gets nor the weights."""
    kept = layer.own_array(layer.whole_upstream)
    layer.forward()
    layer.backward(kept)
    layer.expect_gradient("b", right_but_for_a_factor)
    sequence("dL_dx", layer.dx, layer.given["x"].shape)
    expect.unchanged("the gradients", layer.whole_upstream, layer.student.fetch(kept))
    for name in WEIGHTS:
        expect.unchanged(name, layer.given[name], getattr(layer.own, name))
