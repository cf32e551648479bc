"""The right forward pass, and nothing behind it."""

from tests.points.week6_attention.rewritten import with_backward

BACKWARD = '''
def attention_backward(grad, Q, K, V, mask=None):
    """Return zeros for queries and keys, and equal shares of the gradient for the values."""
    share = grad.mean(axis=-2, keepdims=True) + np.zeros_like(V)
    return np.zeros_like(Q), np.zeros_like(K), share.astype(V.dtype)
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    return with_backward(BACKWARD)
