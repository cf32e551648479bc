"""Asks forward twice for each number."""

from tests.points.week5_rnn.rewritten import SMALL, with_methods

BACKWARD = """
gates = {starts}
arrays = {"Wx": self.Wx, "Wh": self.Wh, "b": self.b, "x": self._x.copy(), **gates}
direct = np.stack(upstream(grad_sequence, self._h[1:]))

def loss() -> float:
    return float(np.sum(np.stack(self.forward(arrays["x"], *gates.values())) * direct))

found = {}
for name, array in arrays.items():
    found[name] = np.zeros_like(array)
    for place in np.ndindex(*array.shape):
        kept = array[place]
        array[place] = kept + 1e-5
        above = loss()
        array[place] = kept - 1e-5
        found[name][place] = (above - loss()) / 2e-5
        array[place] = kept
    if name != "x":
        setattr(self, f"dL_d{name}", found[name])
loss()
return list(found["x"])
"""
RNN = '{"h0": self._h[0].copy()}'
LSTM = '{"h0": self._h[0].copy(), "c0": self._c[0].copy()}'


def files() -> dict[str, bytes]:
    """Return the file that does it."""
    return with_methods(
        {
            "RNN.backward": BACKWARD.replace("{starts}", RNN),
            "LSTM.backward": BACKWARD.replace("{starts}", LSTM),
        },
        only=SMALL,
    )
