"""Moves each number along the imaginary axis."""

from tests.points.week5_rnn.rewritten import SMALL, with_methods

BACKWARD = """
gates = {starts}
arrays = {"Wx": self.Wx, "Wh": self.Wh, "b": self.b, "x": self._x.copy(), **gates}
direct, found = np.stack(upstream(grad_sequence, self._h[1:])), {}
for name, array in arrays.items():
    moved = {one: other.astype(complex) for one, other in arrays.items()}
    found[name] = np.zeros_like(array)
    for place in np.ndindex(*array.shape):
        moved[name][place] += 1e-40j
        layer = type(self)(1, 1)
        layer.Wx, layer.Wh, layer.b = moved["Wx"], moved["Wh"], moved["b"]
        states = layer.forward(moved["x"], *(moved[one] for one in gates))
        found[name][place] = np.sum(np.stack(states).imag * direct) / 1e-40
        moved[name][place] = array[place]
    if name != "x":
        setattr(self, f"dL_d{name}", found[name])
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
