"""Nodes: dicts with a number. Who was made later has a larger one, so no order has to be found."""

import itertools
from contextlib import contextmanager

import numpy as np

ages = itertools.count()
state = {"record": True}


def leaf(array, wanted=False):
    """Make a node that was not computed."""
    return {"v": np.asarray(array), "g": None, "wanted": wanted, "from": (), "age": next(ages)}


def node(array, parents, back):
    """Make a node that was computed; `back` gives a gradient for each parent."""
    out = leaf(array)
    if state["record"] and any(parent["wanted"] for parent in parents):
        out.update(wanted=True, back=back)
        out["from"] = tuple(parents)
    return out


@contextmanager
def silence():
    """Record nothing inside."""
    before = state["record"]
    state["record"] = False
    try:
        yield
    finally:
        state["record"] = before


def backward(root, seed=None):
    """Send a gradient back, from the youngest node to the oldest."""
    start = np.ones_like(root["v"]) if seed is None else np.array(seed, dtype=root["v"].dtype)
    found, todo = {root["age"]: root}, [root]
    while todo:
        for parent in todo.pop()["from"]:
            if parent["wanted"] and parent["age"] not in found:
                found[parent["age"]] = parent
                todo.append(parent)
    flow = {root["age"]: start}
    for age in sorted(found, reverse=True):
        one, g = found[age], flow.pop(age)
        if not one["from"]:
            if one["wanted"]:
                one["g"] = np.array(g) if one["g"] is None else one["g"] + g
            continue
        for parent, part in zip(one["from"], one["back"](g), strict=True):
            if parent["wanted"]:
                key = parent["age"]
                flow[key] = flow[key] + part if key in flow else part
