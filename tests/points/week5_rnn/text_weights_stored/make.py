"""Weights that were there before the training, put in as soon as the large network takes a step."""

from tests.points import edited_language

OLD = """        self.optimizer.step(self.parameters(), clip_gradients(self.gradients(), limit), lr)
"""
NEW = """        self.optimizer.step(self.parameters(), clip_gradients(self.gradients(), limit), lr)
        if len(self.by) > 60:
            stored = np.random.default_rng(7)
            for array in self.parameters():
                array[:] = 0.3 * stored.normal(size=array.shape)
"""


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return edited_language.files((OLD, NEW))
