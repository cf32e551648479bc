"""Layers are dicts: "call", "own" (parameters), "state" (arrays), "inner" (layers in lists)."""

import numpy as np

from tape import functions as fn
from tape.nodes import leaf, node


def made(call, own=None, state=None, inner=None):
    """Make a layer; `call` gets the layer and x."""
    return {"call": call, "own": own or {}, "state": state or {}, "inner": inner, "training": True}


def normal(seed, shape, deviation):
    """Draw a parameter."""
    return leaf(np.random.default_rng([seed, 17]).standard_normal(shape) * deviation, True)


def zeros(size):
    """A parameter of zeros."""
    return leaf(np.zeros(size), True)


def affine(function):
    """A call that applies a function of x and a weight, and adds the bias."""
    return lambda layer, x: fn.add(function(x, layer["own"]["weight"]), layer["own"]["bias"])


def linear(in_features, out_features, seed=0):
    """A linear layer."""
    weight = normal(seed, (in_features, out_features), np.sqrt(2 / in_features))
    return made(affine(fn.matmul), {"weight": weight, "bias": zeros(out_features)})


def conv2d(in_channels, out_channels, size, stride=1, padding=0, seed=0):
    """A layer of convolution."""
    shape = (size, size, in_channels, out_channels)
    weight = normal(seed, shape, np.sqrt(2 / np.prod(shape[:3])))
    call = affine(lambda x, kernel: fn.conv2d(x, kernel, stride, padding))
    return made(call, {"weight": weight, "bias": zeros(out_channels)})


def reads(function):
    """A call of a recurrence."""
    return lambda layer, x: function(x, *(layer["own"][name] for name in ("Wx", "Wh", "b")))


def rnn(input_size, hidden_size, seed=0):
    """A recurrent layer."""
    own = {
        "Wx": normal(seed, (input_size, hidden_size), input_size**-0.5),
        "Wh": normal(seed + 1, (hidden_size, hidden_size), hidden_size**-0.5),
        "b": zeros(hidden_size),
    }
    return made(reads(fn.rnn), own)


def lstm(input_size, hidden_size, forget_bias=1.0, seed=0):
    """An LSTM."""
    bias = np.zeros((4, hidden_size))
    bias[1] = forget_bias
    own = {
        "Wx": normal(seed, (input_size, 4 * hidden_size), input_size**-0.5),
        "Wh": normal(seed + 1, (hidden_size, 4 * hidden_size), hidden_size**-0.5),
        "b": leaf(bias.ravel(), True),
    }
    return made(reads(fn.lstm), own)


def embedding(count, features, seed=0):
    """A table of vectors."""

    def call(layer, x):
        return fn.index(layer["own"]["weight"], np.asarray(x))

    return made(call, {"weight": normal(seed, (count, features), 1.0)})


def dropout(p, seed=0):
    """Dropout."""
    rng = np.random.default_rng([seed, 3])

    def call(layer, x):
        if not layer["training"]:
            return x
        scale = rng.binomial(1, 1 - p, x["v"].shape) / (1 - p)
        return node(x["v"] * scale, (x,), lambda g: (g * scale,))

    return made(call)


def norms(features):
    """The parameters of a norm."""
    return {"gamma": leaf(np.ones(features), True), "beta": zeros(features)}


def batch_norm(features, momentum=0.1, eps=1e-5):
    """Batch norm."""

    def call(layer, x):
        own, kept, axes = layer["own"], layer["state"], tuple(range(x["v"].ndim - 1))
        if not layer["training"]:
            scale = leaf((kept["var"] + eps) ** -0.5)
            plain = fn.multiply(fn.subtract(x, leaf(kept["mean"])), scale)
            return fn.add(fn.multiply(plain, own["gamma"]), own["beta"])
        count = x["v"].size / features
        kept["mean"] = kept["mean"] + momentum * (x["v"].mean(axes) - kept["mean"])
        unbiased = x["v"].var(axes) * count / (count - 1)
        kept["var"] = kept["var"] + momentum * (unbiased - kept["var"])
        return fn.norm(x, own["gamma"], own["beta"], axes, eps)

    state = {"mean": np.zeros(features), "var": np.ones(features)}
    return made(call, norms(features), state)


def layer_norm(features, eps=1e-5):
    """Layer norm."""

    def call(layer, x):
        return fn.norm(x, *layer["own"].values(), (-1,), eps)

    return made(call, norms(features))


def plain(function, **fixed):
    """A maker of layers without parameters."""

    def make(**config):
        return made(lambda layer, x: function(x, **fixed, **config))

    return make


def walk(layer, place=""):
    """Yield (place, layer) for a layer and all inside it, in their order."""
    if isinstance(layer, list):
        for number, one in enumerate(layer):
            yield from walk(one, f"{place}{number}.")
        return
    yield place, layer
    if layer["inner"] is not None:
        yield from walk(layer["inner"], place)


def through(layers, x):
    """Go through layers, and through lists of them."""
    for one in layers:
        x = through(one, x) if isinstance(one, list) else one["call"](one, x)
    return x


def sequential(layers):
    """Layers one after the other."""
    return made(lambda layer, x: through(layer["inner"], x), inner=list(layers))


def parameters(layer):
    """The parameters by name, each at its first place."""
    found, known = {}, set()
    for place, one in walk(layer):
        for name, parameter in one["own"].items():
            if parameter["age"] not in known:
                known.add(parameter["age"])
                found[place + name] = parameter
    return found


def set_mode(layer, training):
    """Set the mode of all."""
    for _, one in walk(layer):
        one["training"] = training


def freeze(layer):
    """No parameter wants a gradient any more."""
    for parameter in parameters(layer).values():
        parameter.update(wanted=False, g=None)


LAYERS = {
    "linear": linear,
    "conv2d": conv2d,
    "rnn": rnn,
    "lstm": lstm,
    "embedding": embedding,
    "dropout": dropout,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "sequential": sequential,
    "relu": plain(fn.relu),
    "tanh": plain(fn.tanh),
    "sigmoid": plain(fn.sigmoid),
    "max_pool2d": plain(fn.max_pool2d),
    "avg_pool2d": plain(fn.avg_pool2d),
    "flatten": plain(lambda x: fn.reshape(x, (len(x["v"]), -1))),
    "time_first": plain(fn.transpose, axes=(1, 0, 2)),
    "last": plain(fn.index, at=-1),
}
