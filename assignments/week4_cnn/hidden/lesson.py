"""A step of the student's network with layers of the examiner's in the place of its own."""

import numpy as np

from autograder.suite import expect

from .own_training import cross_entropy
from .stand_ins import CLASSES, IMAGE, Chain

LR = 0.3


class Lesson:
    """A network of the student's with the examiner's layers, and a batch."""

    def __init__(self, student, rng, count=4):
        self.chain = Chain(student, rng)
        self.model = self.chain.network()
        self.x, self.y = rng.normal(size=(count, *IMAGE)), rng.integers(0, CLASSES, size=count)

    def held(self, name, numbers):
        """Return an attribute of the layers that have parameters, by keys such as "0.W"."""
        return {
            key: expect.array(f"layers[{key[0]}].{name}", found, numbers[key].shape)
            for key in sorted(numbers)
            if key != "x" and key[-1] == name[-1]
            for found in [getattr(self.chain.layers[int(key[0])], name)]
        }

    def loss(self):
        """Return the loss of the batch, and the gradients by the layers' present parameters."""
        loss, slope = cross_entropy(self.chain.logits(self.x), self.y)
        return loss, self.chain.gradients(self.x, slope)

    def start(self, name):
        """Return the parameters before the step, by keys such as "0.W"."""
        return {f"{n}.{name}": getattr(self.chain.formulas[n], name) for n in self.chain.mixes}

    def step(self, *batch):
        """Call train_step; return what it returns."""
        return self.chain.call(self.model, "train_step", *(batch or (self.x, self.y)), LR)


def moved(at):
    """Expect a step along the gradient of the last layer's biases, of any length."""
    key = f"{at.chain.mixes[-1]}.b"
    slope, now = at.loss()[1][key], at.held("b", at.start("b"))[key]
    step = now - at.start("b")[key]
    along = np.vdot(step, slope) ** 2 >= 0.999 * np.vdot(step, step) * np.vdot(slope, slope) > 0
    expect.that("b", bool(along), "no step along the gradient was taken.")
