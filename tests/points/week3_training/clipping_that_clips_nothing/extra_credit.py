"""Tools that return what they are given."""


def clip_by_value(gradients, limit):
    """Return the gradients."""
    return list(gradients)


def clip_by_norm(gradients, max_norm):
    """Return the gradients, and a norm."""
    return list(gradients), 0.0


def gradient_norms(weights, x, dL_dy, activation="relu"):
    """Return as many numbers as there are layers."""
    return [0.0 for _ in weights]


def activation_statistics(activations):
    """Return as many dicts as there are layers."""
    return [{"mean": 0.0, "deviation": 0.0, "dead": 0.0} for _ in activations]
