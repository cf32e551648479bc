"""Recurrent layers as the examiner computes them: the right ones, and ones with a known mistake.

A layer is a cell, which is called at each step. All cells are analytic, so gradients of the whole
layer, whatever its mistake, come from complex steps through it (`autograder.suite.derivatives`).
`by_hand` has the written out formulas of backpropagation through time. Of the right way they are
the gradients (`tests/weeks/test_week5_formulas_rnn.py` holds them against complex steps), and many
times faster; of a wrong way they are what a right `backward` gives at the states that a wrong
`forward` left it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.suite.derivatives import relu, vjp

Array = Any
Weights = Mapping[str, Array]
"""Wx, Wh and b."""
Given = Mapping[str, Array]
"""x (T, N, D), Wx, Wh, b, h0, and c0 where there is a cell."""


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), of real or complex numbers of any size."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


@dataclass(frozen=True)
class Step:
    """What a cell gives: the state h, and in an LSTM the cell c and the four blocks.

    roles: i, f, o, g as they were used; columns: the blocks in the order of their columns.
    """

    h: Array
    c: Array = None
    roles: tuple[Array, ...] = ()
    columns: tuple[Array, ...] = ()


Cell = Callable[[Array, Array, Array, Weights], Step]
"""From x_t, h_{t-1}, c_{t-1} and the weights."""


@dataclass(frozen=True)
class Way:
    """A way to compute a layer.

    ignores: starts that are taken for zeros; exchanged: h0 and c0 are taken for each other;
    forgets: what goes on from the start at each step, "h" or "c"; backwards: in time; recurs: its
    gradients run through the time as the right ones do. Those of the others are easier, and no
    answer to what is asked.
    """

    cell: Cell
    ignores: tuple[str, ...] = ()
    exchanged: bool = False
    forgets: tuple[str, ...] = ()
    backwards: bool = False
    recurs: bool = True

    def start(self, given: Given) -> tuple[Array, Array]:
        """Return h_0 and c_0; an RNN's c_0 is None."""
        h, c = (
            np.zeros_like(given[name]) if name in self.ignores else given.get(name)
            for name in ("h0", "c0")
        )
        return (c, h) if self.exchanged else (h, c)

    def steps(self, given: Given) -> list[Step]:
        """Return what each step gives, the first at place 0."""
        start, found = self.start(given), []
        h, c = start
        for x in given["x"][::-1] if self.backwards else given["x"]:
            found.append(self.cell(x, h, c, given))
            h = start[0] if "h" in self.forgets else found[-1].h
            c = start[1] if "c" in self.forgets else found[-1].c
        return found

    def states(self, given: Given) -> Array:
        """Return h_1 ... h_T, shape (T, N, H)."""
        return np.stack([step.h for step in self.steps(given)])

    def gradient(self, given: Given, upstream: Array, name: str) -> np.ndarray:
        """Return the gradient with respect to one of the arrays that are given."""
        found = vjp(lambda one: self.states({**given, name: one}), [given[name]], upstream)
        return found[0]


def elman(
    squash: Callable[[Array], Array] = np.tanh,
    weight: Callable[[Array], Array] = lambda Wh: Wh,
    bias: float = 1.0,
    outside: str = "",
) -> Cell:
    """Return the cell of an RNN; the defaults are the right ones.

    outside: what is added behind the function that squashes, "h" or "b".
    """

    def cell(x: Array, h: Array, c: Array, w: Weights) -> Step:
        terms = {"x": x @ w["Wx"], "h": h @ weight(w["Wh"]), "b": bias * w["b"]}
        inside = sum(term for name, term in terms.items() if name != outside)
        return Step(squash(inside) + (terms[outside] if outside else 0.0))

    return cell


def memory(
    order: str = "ifog",
    shows: Callable[[Array, Array, Array], Array] = lambda o, c, before: o * np.tanh(c),
    enters: Callable[[Array, Array], Array] = np.multiply,
    stays: Callable[[Array, Array, Array], Array] = lambda f, i, c: f * c,
    candidate: Callable[[Array], Array] = np.tanh,
    bias: Callable[[Array], Array] = lambda b: b,
    gate: Callable[[Array], Array] = sigmoid,
    recurrent: float = 1.0,
) -> Cell:
    """Return the cell of an LSTM; the defaults are the right ones."""

    def cell(x: Array, h: Array, c: Array, w: Weights) -> Step:
        z = x @ w["Wx"] + recurrent * (h @ w["Wh"]) + bias(w["b"])
        found = {
            name: candidate(block) if name == "g" else gate(block)
            for name, block in zip(order, np.split(z, 4, axis=1), strict=True)
        }
        i, f, o, g = roles = tuple(found[name] for name in "ifog")
        new = stays(f, i, c) + enters(i, g)
        return Step(shows(o, new, c), new, roles, tuple(found.values()))

    return cell


def one_bias(b: Array) -> Array:
    """Return the input gate's bias for all gates, and the candidate's own."""
    first, *_, last = np.split(b, 4)
    return np.concatenate([first, first, first, last])


RIGHT = {"RNN": Way(elman()), "LSTM": Way(memory())}

WRONG: dict[str, dict[str, Way]] = {
    "RNN": {
        "no bias": Way(elman(bias=0.0)),
        "the bias twice": Way(elman(bias=2.0)),
        "sigmoid": Way(elman(sigmoid)),
        "nothing squashed": Way(elman(lambda z: z)),
        "Wh transposed": Way(elman(weight=lambda Wh: Wh.T)),
        "Wh not used": Way(elman(weight=lambda Wh: 0.0 * Wh), recurs=False),
        "the state outside of tanh": Way(elman(outside="h")),
        "the bias outside of tanh": Way(elman(outside="b")),
        "negative states cut off": Way(elman(relu)),
        "the start ignored": Way(elman(), ignores=("h0",), recurs=False),
        "the start at each step": Way(elman(), forgets=("h",), recurs=False),
        "from the end": Way(elman(), backwards=True),
    },
    "LSTM": {
        "no tanh of the cell": Way(memory(shows=lambda o, c, before: o * c)),
        "sigmoid of the cell": Way(memory(shows=lambda o, c, before: o * sigmoid(c))),
        "all of the cell": Way(memory(shows=lambda o, c, before: np.tanh(c))),
        "the cell before": Way(memory(shows=lambda o, c, before: o * np.tanh(before))),
        "Wh not used": Way(memory(recurrent=0.0), recurs=False),
        "h0 and c0 exchanged": Way(memory(), exchanged=True),
        "f, i": Way(memory("fiog")),
        "i, f, g, o": Way(memory("ifgo")),
        "f, i, g, o": Way(memory("figo")),
        "i, o, f": Way(memory("iofg")),
        "one bias": Way(memory(bias=one_bias)),
        "no bias": Way(memory(bias=lambda b: 0.0 * b)),
        "i + g": Way(memory(enters=np.add)),
        "g alone": Way(memory(enters=lambda i, g: g)),
        "1 - i": Way(memory(stays=lambda f, i, c: (1.0 - i) * c)),
        "c alone": Way(memory(stays=lambda f, i, c: c)),
        "nothing stays": Way(memory(stays=lambda f, i, c: 0.0 * c), recurs=False),
        "sigmoid of the candidate": Way(memory(candidate=sigmoid)),
        "nothing squashed in the candidate": Way(memory(candidate=lambda z: z)),
        "gates by tanh": Way(memory(gate=np.tanh)),
        "h0 ignored": Way(memory(), ignores=("h0",), recurs=False),
        "c0 ignored": Way(memory(), ignores=("c0",), recurs=False),
        "both ignored": Way(memory(), ignores=("h0", "c0"), recurs=False),
        "h0 at each step": Way(memory(), forgets=("h",), recurs=False),
        "c0 at each step": Way(memory(), forgets=("c",), recurs=False),
        "from the end": Way(memory(), backwards=True),
    },
}
"""Mistakes in `forward` with which a `backward` may agree: it is judged by itself."""


def by_hand(
    kind: str, way: Way, given: Given, upstream: Array, blocks: str = "roles"
) -> dict[str, np.ndarray]:
    """Return all gradients by the right formulas, at the states of a way that may be wrong.

    blocks: what is taken for i, f, o and g, a step's "roles" or "columns".
    """
    steps, (h0, c0) = way.steps(given), way.start(given)
    cells = [c0, *(step.c for step in steps)]
    dz, dh, dc = [], np.zeros_like(h0), np.zeros_like(h0)
    for t in reversed(range(len(steps))):
        dh = dh + upstream[t]
        if kind == "RNN":
            slope = dh * (1.0 - steps[t].h ** 2)
        else:
            gates = getattr(steps[t], blocks)
            slope, dc = _gates_back(gates, (cells[t], cells[t + 1]), dh, dc)
        dz.append(slope)
        dh = slope @ given["Wh"].T
    z, x, h = np.stack(dz[::-1]), given["x"], np.stack([h0, *(step.h for step in steps[:-1])])
    found = {
        "x": z @ given["Wx"].T,
        "Wx": np.tensordot(x, z, axes=([0, 1], [0, 1])),
        "Wh": np.tensordot(h, z, axes=([0, 1], [0, 1])),
        "b": z.sum(axis=(0, 1)),
        "h0": dh,
    }
    return found if kind == "RNN" else {**found, "c0": dc}


def _gates_back(
    gates: tuple[Array, ...], cells: tuple[Array, Array], dh: Array, dc: Array
) -> tuple[Array, Array]:
    """Return the gradient of z, and what reaches the cell before; `cells`: c_{t-1} and c_t."""
    i, f, o, g = gates
    bent = np.tanh(cells[1])
    dc = dc + dh * o * (1.0 - bent) * (1.0 + bent)
    slopes = [
        dc * g * i * (1.0 - i),
        dc * cells[0] * f * (1.0 - f),
        dh * bent * o * (1.0 - o),
        dc * i * (1.0 - g) * (1.0 + g),
    ]
    return np.concatenate(slopes, axis=1), dc * f
