"""Gradients that are measured."""

from tests.points.week6_attention.rewritten import with_backward

BACKWARD = '''
def measured(function, array, grad, step=1e-5):
    """Return the gradient of sum(grad * function()) with respect to an array, by two calls each."""
    slopes, own = np.zeros_like(array), array.copy()
    for index in np.ndindex(*array.shape):
        sides = []
        for sign in (1.0, -1.0):
            moved = own.copy()
            moved[index] += sign * step
            sides.append(function(moved))
        slopes[index] = np.sum(grad * (sides[0] - sides[1])) / (2.0 * step)
    return slopes


def attention_backward(grad, Q, K, V, mask=None):
    """Measure all three."""
    attend = scaled_dot_product_attention
    return (
        measured(lambda one: attend(one, K, V, mask), Q, grad),
        measured(lambda one: attend(Q, one, V, mask), K, grad),
        measured(lambda one: attend(Q, K, one, mask), V, grad),
    )
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    return with_backward(BACKWARD)
