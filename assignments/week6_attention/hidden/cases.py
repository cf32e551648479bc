"""Queries, keys, values and masks that the hidden tests of attention go through.

All sizes of a case differ where they can: what is exchanged shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

Array = np.ndarray


@dataclass(frozen=True)
class Case:
    """Sizes, and what kind of mask there is: "" for none."""

    leading: tuple[int, ...]
    queries: int
    keys: int
    features: int
    columns: int
    kind: str = ""

    def Q(self, rng: np.random.Generator) -> Array:
        """Draw queries."""
        return rng.normal(size=(*self.leading, self.queries, self.features))

    def K(self, rng: np.random.Generator) -> Array:
        """Draw keys."""
        return rng.normal(size=(*self.leading, self.keys, self.features))

    def V(self, rng: np.random.Generator) -> Array:
        """Draw values."""
        return rng.normal(size=(*self.leading, self.keys, self.columns))

    def grad(self, rng: np.random.Generator) -> Array:
        """Draw a gradient of the result."""
        return rng.normal(size=(*self.leading, self.queries, self.columns))

    def drawn(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Draw queries, keys and values."""
        return self.Q(rng), self.K(rng), self.V(rng)

    def mask(self, rng: np.random.Generator) -> list[Array]:
        """Draw a mask as a list of arguments, which is empty where there is none.

        Each of its rows shows two keys at least and hides one at least, but for the causal one.
        """
        if not self.kind:
            return []
        if self.kind == "causal":
            return [np.tri(self.queries, self.keys, dtype=bool)]
        shape = (
            {
                "each": (*self.leading, self.queries, self.keys),
                "all": (self.queries, self.keys),
                "keys": (self.keys,),
                "padding": (self.leading[0], *(1 for _ in self.leading), self.keys),
            }[self.kind]
            if self.leading
            else (self.queries, self.keys)
        )
        return [holes(rng, shape)]


def holes(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw a mask whose rows show two keys or more, and hide one or more."""
    places = rng.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1)
    return places < rng.integers(2, shape[-1], size=(*shape[:-1], 1))


PLAIN = Case((), 4, 5, 6, 3)
"""The plainest one: no leading axes, no mask."""
MASKED = Case((2,), 4, 6, 5, 3, "each")
"""A mask of its own for each query of a batch."""

CASES = {
    "no leading axes": PLAIN,
    "a batch": Case((2,), 5, 4, 3, 6),
    "a batch and heads": Case((2, 3), 4, 6, 5, 7),
    "one query": Case((3,), 1, 5, 4, 2),
    "one feature": Case((2,), 3, 5, 1, 4),
    "a mask for each query": MASKED,
    "a mask of its own for each head": Case((2, 3), 4, 5, 6, 7, "each"),
    "one mask for the whole batch": Case((3,), 4, 5, 6, 2, "all"),
    "a mask of keys alone": Case((2,), 3, 6, 4, 5, "keys"),
    "padding that differs in the batch": Case((2, 3), 4, 5, 7, 6, "padding"),
    "a causal mask": Case((2,), 5, 5, 6, 3, "causal"),
}


def each(table: dict) -> list:
    """Return a parameter for each case of a table."""
    return [pytest.param(case, id=name) for name, case in table.items()]
