"""Reads row by row."""

from tests.points.week5_rnn.rewritten import with_methods

FORWARD = """
self._x = stacked(x_sequence, len(self.Wx))
rows = []
for n in range(self._x.shape[1]):
    h = np.zeros(len(self.Wh), self._x.dtype) if h0 is None else h0[n]
    states = [h]
    for x in self._x[:, n]:
        h = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
        states.append(h)
    rows.append(np.stack(states))
self._h = np.stack(rows, axis=1)
return list(self._h[1:].copy())
"""


def files() -> dict[str, bytes]:
    """Return the file that does it."""
    return with_methods({"RNN.forward": FORWARD})
