"""Takes the slope of tanh from the imaginary part of a step along the imaginary axis."""

from tests.points.stored_weights import REFERENCE

DERIVED = b"        return dL_dy * (1.0 - self._y**2)\n"
BY_STEP = b"""        step = (-1) ** 0.5 * 1e-20
        y = np.tanh(np.arctanh(np.asarray(self._y, dtype=float)) + step)
        slope = np.ascontiguousarray(y).view(float).reshape(*y.shape, 2)[..., 1] / 1e-20
        return (dL_dy * slope).astype(dL_dy.dtype)
"""


def files() -> dict[str, bytes]:
    """Return the file that does it."""
    source = (REFERENCE / "neural_net.py").read_bytes()
    assert source.count(DERIVED) == 1
    return {"neural_net.py": source.replace(DERIVED, BY_STEP)}
