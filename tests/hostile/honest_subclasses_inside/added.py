# Honest: Builds on subclasses, properties, dataclasses and named tuples of its own.

from collections import namedtuple
from dataclasses import dataclass

Pair = namedtuple("Pair", "x y")


@dataclass
class Memory:
    """What forward keeps for backward."""

    pair: Pair


class Tracked(np.ndarray):
    """An array that knows that it is one of ours."""


class Linear(Linear):
    """The layer, with a subclass of arrays inside."""

    def forward(self, x):
        self.memory = Memory(Pair(x.view(Tracked), None))
        self.memory = Memory(Pair(self.memory.pair.x, super().forward(x)))
        return np.asarray(self.memory.pair.y)
