"""Losses, optimizers, schedules, batches, checkpoints and the loop."""

import json
import math
import struct

import numpy as np

from tape import functions as fn
from tape.network import parameters, set_mode, walk
from tape.nodes import backward, leaf, node


def mse(prediction, target):
    """The mean squared error, as one node."""
    d = prediction["v"] - target
    return node(np.array([(d * d).mean()]), (prediction,), lambda g: (g.item() * 2 * d / d.size,))


def cross_entropy(logits, target):
    """The mean cross-entropy, made of operations."""
    largest = leaf(logits["v"].max(1, keepdims=True))
    moved = fn.subtract(logits, largest)
    sums = fn.log(fn.total(fn.exp(moved), axis=1))
    chosen = fn.index(moved, (np.arange(len(target)), np.asarray(target)))
    return fn.mean(fn.subtract(sums, chosen))


LOSSES = {"mse": mse, "cross_entropy": cross_entropy}


def optimizer(rule, parameters, lr, weight_decay=0.0, **options):
    """An optimizer: a dict of the rule, its parameters and a memory for each."""
    listed = list(parameters)
    memory = [{"count": np.zeros(())} for _ in listed]
    how = {"rule": rule, "lr": lr, "decay": weight_decay, "options": options}
    return {**how, "parameters": listed, "memory": memory}


def sgd(memory, g, momentum=0.0):
    """Momentum."""
    memory["velocity"] = g + momentum * memory.get("velocity", 0.0)
    return memory["velocity"]


def adam(memory, g, betas=(0.9, 0.999), eps=1e-8):
    """Adam, with a count for each parameter."""
    count, (first, second) = float(memory["count"]), betas
    memory["m"] = memory.get("m", 0.0) * first + g * (1 - first)
    memory["v"] = memory.get("v", 0.0) * second + g * g * (1 - second)
    deviation = np.sqrt(memory["v"]) / math.sqrt(1 - second**count)
    return memory["m"] / (1 - first**count) / (deviation + eps)


RULES = {"sgd": sgd, "adam": adam}


def step(it):
    """Move all parameters that have a gradient."""
    for parameter, memory in zip(it["parameters"], it["memory"], strict=True):
        if parameter["g"] is not None:
            memory["count"] = memory["count"] + 1
            g = parameter["g"] + it["decay"] * parameter["v"]
            way = RULES[it["rule"]](memory, g, **it["options"])
            parameter["v"] = parameter["v"] - it["lr"] * way


def zero_grad(it):
    """Forget gradients."""
    for parameter in it["parameters"]:
        parameter["g"] = None


def schedule(factor, it):
    """A schedule: a dict that counts epochs."""
    return {"factor": factor, "of": it, "first": it["lr"], "epochs": 0}


def advance(it):
    """An epoch is over."""
    it["epochs"] += 1
    it["of"]["lr"] = it["first"] * it["factor"](it["epochs"])


def cosine(it, epochs, lowest=0.0):
    """Half a cosine."""

    def factor(k):
        return lowest + (1 - lowest) * math.cos(math.pi / 2 * min(k, epochs) / epochs) ** 2

    return schedule(factor, it)


SCHEDULES = {
    "step": lambda it, size, gamma=0.1: schedule(lambda k: gamma ** (k // size), it),
    "exponential": lambda it, gamma: schedule(lambda k: gamma**k, it),
    "cosine": cosine,
}


class Batches:
    """The one class: what can be gone through again and again."""

    def __init__(self, x, y, batch, shuffle=True, seed=0):
        """Keep the data."""
        self.data, self.batch, self.shuffle = (x, y), batch, shuffle
        self.rng = np.random.default_rng([seed, 99])

    def __iter__(self):
        """Yield the batches of an epoch."""
        count = len(self.data[0])
        order = self.rng.permutation(count) if self.shuffle else np.arange(count)
        for rows in np.array_split(order, range(self.batch, count, self.batch)):
            yield tuple(array[rows] for array in self.data)


def arrays_of(layer, it):
    """All arrays of a checkpoint, as places where they stand: name -> (dict, key)."""
    places = {f"parameter {name}": (one, "v") for name, one in parameters(layer).items()}
    for place, one in walk(layer):
        places |= {f"state {place}{name}": (one["state"], name) for name in one["state"]}
    for number, memory in enumerate(it["memory"] if it else ()):
        places |= {f"memory {number} {name}": (memory, name) for name in memory}
    return places


def save(path, layer, it=None):
    """Write a safetensors file: the length of a header, the header, the arrays."""
    header, blocks, at = {}, [], 0
    for name, (holder, key) in arrays_of(layer, it).items():
        data = np.ascontiguousarray(holder[key], dtype="<f8").tobytes()
        shape, offsets = list(np.shape(holder[key])), [at, at + len(data)]
        header[name] = {"dtype": "F64", "shape": shape, "data_offsets": offsets}
        blocks.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))


def load(path, layer, it=None):
    """Read a safetensors file."""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    places = arrays_of(layer, it)
    for name, entry in json.loads(data[8:start]).items():
        low, high = (start + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[low:high], "<f8").reshape(entry["shape"]).copy()
        if name in places:
            holder, key = places[name]
            holder[key] = array
        elif it:
            _, number, key = name.split(" ")
            it["memory"][int(number)][key] = array


def fit(layer, batches, loss, it, epochs, plan=None):
    """The loop."""
    set_mode(layer, True)
    history = []
    for _ in range(epochs):
        sums = np.zeros(2)
        for x, y in batches:
            zero_grad(it)
            given = leaf(x) if np.issubdtype(x.dtype, np.floating) else x
            found = loss(layer["call"](layer, given), y)
            backward(found)
            step(it)
            sums += len(x) * float(found["v"].item()), len(x)
        history.append(float(sums[0] / sums[1]))
        if plan:
            advance(plan)
    set_mode(layer, False)
    return history
