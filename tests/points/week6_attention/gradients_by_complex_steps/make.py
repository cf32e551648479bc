"""Gradients that are complex steps."""

from tests.points.week6_attention.rewritten import with_backward

BACKWARD = '''
def attend(Q, K, V, mask):
    """Return attention of complex numbers."""
    scores = Q @ K.swapaxes(-1, -2) / Q.shape[-1] ** 0.5
    seen = np.broadcast_to(np.asarray(True if mask is None else mask, dtype=bool), scores.shape)
    largest = np.where(seen, scores.real, -np.inf).max(axis=-1, keepdims=True)
    powers = np.exp(np.where(seen, scores - np.where(np.isfinite(largest), largest, 0.0), 0.0))
    powers = np.where(seen, powers, 0.0)
    sums = powers.sum(axis=-1, keepdims=True)
    return powers / np.where(sums == 0.0, 1.0, sums) @ V


def stepped(function, array, grad, step=1e-30):
    """Return the gradient of sum(grad * function()) with respect to an array, by a call each."""
    slopes = np.zeros_like(array)
    for index in np.ndindex(*array.shape):
        moved = array.astype(complex)
        moved[index] += 1j * step
        slopes[index] = np.sum(grad * function(moved).imag) / step
    return slopes


def attention_backward(grad, Q, K, V, mask=None):
    """Step along all three."""
    return (
        stepped(lambda one: attend(one, K, V, mask), Q, grad),
        stepped(lambda one: attend(Q, one, V, mask), K, grad),
        stepped(lambda one: attend(Q, K, one, mask), V, grad),
    )
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    return with_backward(BACKWARD)
