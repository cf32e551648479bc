"""The network stands in neural_net.py; here are its batches."""

import numpy as np
from neural_net import TwoLayerMLP

__all__ = ["TwoLayerMLP", "minibatch_indices"]


def minibatch_indices(count, batch_size, rng):
    """Deal the examples out into batches."""
    order = np.argsort(rng.random(count))
    ends = range(0, count, batch_size)
    return [np.sort(order[start : start + batch_size]) for start in ends]
