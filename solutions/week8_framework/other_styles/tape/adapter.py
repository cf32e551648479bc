"""The adapter of a framework without classes."""

import numpy as np

from tape import functions as fn
from tape import learning, network, nodes

OPS = {
    "add": fn.add,
    "subtract": fn.subtract,
    "multiply": fn.multiply,
    "divide": fn.divide,
    "power": fn.power,
    "exp": fn.exp,
    "log": fn.log,
    "tanh": fn.tanh,
    "sigmoid": fn.sigmoid,
    "relu": fn.relu,
    "matmul": fn.matmul,
    "sum": fn.total,
    "mean": fn.mean,
    "max": fn.largest,
    "reshape": fn.reshape,
    "transpose": fn.transpose,
    "index": fn.index,
    "concatenate": fn.concatenate,
    "conv2d": fn.conv2d,
    "max_pool2d": fn.max_pool2d,
    "avg_pool2d": fn.avg_pool2d,
}
tensor = nodes.leaf
backward = nodes.backward
no_grad = nodes.silence
parameters = network.parameters
mode = network.set_mode
freeze = network.freeze
step = learning.step
zero_grad = learning.zero_grad
advance = learning.advance
save = learning.save
load = learning.load
loader = learning.Batches


def value(tensor):
    """Return a tensor's array."""
    return tensor["v"]


def grad(tensor):
    """Return a tensor's gradient."""
    return tensor["g"]


def assign(tensor, array):
    """Replace a tensor's array."""
    tensor["v"] = np.array(array)


def op(name, *tensors, **options):
    """Return the result of an operation."""
    return OPS[name](*tensors, **options)


def layer(name, **config):
    """Return a layer."""
    return network.LAYERS[name](**config)


def call(layer, x):
    """Return what a layer makes of x."""
    return layer["call"](layer, x)


def loss(kind, prediction, target):
    """Return a loss."""
    return learning.LOSSES.get(kind, kind)(prediction, target)


def optimizer(name, parameters, lr, **options):
    """Return an optimizer."""
    return learning.optimizer(name, parameters, lr, **options)


def rate(optimizer):
    """Return the learning rate."""
    return optimizer["lr"]


def schedule(name, optimizer, **options):
    """Return a schedule."""
    return learning.SCHEDULES[name](optimizer, **options)


def fit(layer, x, y, kind, optimizer, epochs, batch, schedule=None, seed=0):
    """Train a layer."""
    batches = learning.Batches(x, y, batch, True, seed)
    return learning.fit(layer, batches, lambda p, t: loss(kind, p, t), optimizer, epochs, schedule)
