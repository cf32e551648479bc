"""Hidden tests of layers inside layers: names, shared parameters, nested lists, modes, freezing."""

import numpy as np
import pytest

from autograder.suite import expect

from .asking import built, drawn, drive, entry, prepare

ENGINE = ("framework.backward", "framework.arithmetic", "framework.shapes", "framework.matmul")
BASE = ("framework.linear", *ENGINE)
pytestmark = [pytest.mark.item("framework.modules"), pytest.mark.needs(*BASE)]


def linear(size, out, seed=0):
    """Return the configuration of a linear layer."""
    return {"name": "linear", "in_features": size, "out_features": out, "seed": seed}


def names_of(found):
    """Return sorted names."""
    return sorted(found) if isinstance(found, dict) else found


NESTED = {
    "name": "sequential",
    "layers": [
        linear(3, 4),
        {"name": "tanh"},
        [linear(4, 5, 1), [{"name": "tanh"}, linear(5, 2, 2)]],
        {"name": "sequential", "layers": [{"name": "tanh"}, linear(2, 3, 3)]},
    ],
}
SHAPES = {"0": (3, 4), "2.0": (4, 5), "2.1.1": (5, 2), "3.1": (2, 3)}


def test_nested(student, rng):
    """Layers in lists in lists, and in a sequential: names, values, and gradients of all."""
    layer = built(student, NESTED)
    shapes = {}
    for place, shape in SHAPES.items():
        shapes |= {f"{place}.weight": shape, f"{place}.bias": shape[1:]}
    given = drawn(rng, shapes)
    found = drive(student, "weights", layer)
    expect.equal("the names of the parameters", names_of(found), sorted(shapes))
    drive(student, "fill", layer, given)
    x, upstream = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    answer = drive(student, "run", layer, x, upstream)
    y, inputs = x, []
    for place in SHAPES:
        inputs.append(np.tanh(y) if inputs else y)
        y = inputs[-1] @ given[f"{place}.weight"] + given[f"{place}.bias"]
    expect.close("the value of nested layers", answer["value"], y)
    gradient = upstream
    for place, before in reversed(list(zip(SHAPES, inputs, strict=True))):
        label = f"the gradient of {place}.weight"
        expect.close(label, entry("the gradients", answer, f"{place}.weight"), before.T @ gradient)
        gradient = gradient @ given[f"{place}.weight"].T * (1 - before**2)


@pytest.mark.needs(*BASE, "framework.losses", "framework.sgd")
def test_shared(student, rng):
    """A layer at two places: its parameters are there once, and take one step."""
    spec = {
        "name": "sequential",
        "layers": [linear(3, 3), {"name": "tanh"}, {"again": 0}],
    }
    layer = built(student, spec)
    given = drawn(rng, {"0.weight": (3, 3), "0.bias": (3,)})
    found = drive(student, "weights", layer)
    expect.equal("the names of the parameters", names_of(found), sorted(given))
    drive(student, "fill", layer, given)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    optimizer = prepare(student, "make_optimizer", layer, "sgd", 0.1, {})
    drive(student, "steps", layer, optimizer, [x], [y])
    weight, bias = given["0.weight"], given["0.bias"]
    hidden = np.tanh(x @ weight + bias)
    error = 2 * (hidden @ weight + bias - y) / 15
    inner = error @ weight.T * (1 - hidden**2)
    after = drive(student, "weights", layer)
    step = hidden.T @ error + x.T @ inner
    expect.close("weights after a step", entry("", after, "0.weight"), weight - 0.1 * step)


@pytest.mark.needs(*BASE, "framework.dropout")
def test_modes(student, rng):
    """Modes reach layers inside: in lists, in sequentials, and back again."""
    first, second = ({"name": "dropout", "p": 0.5, "seed": seed} for seed in (1, 2))
    spec = {
        "name": "sequential",
        "layers": [linear(3, 40), [[first]], {"name": "sequential", "layers": [[second]]}],
    }
    layer = built(student, spec, False)
    given = drawn(rng, {"0.weight": (3, 40), "0.bias": (40,)})
    drive(student, "fill", layer, given)
    x = rng.normal(size=(6, 3))
    expected = x @ given["0.weight"] + given["0.bias"]
    expect.close("in evaluation", drive(student, "run", layer, x)["value"], expected)
    student.adapter.mode(layer, True)
    y = expect.array("in training", drive(student, "run", layer, x)["value"], (6, 40))
    share = float((y == 0).mean())
    dropped = 0.6 < share < 0.9
    expect.that(
        "in training", dropped, f"two dropouts of a half leave a share of {share:.2f} at 0."
    )
    student.adapter.mode(layer, False)
    expect.close("in evaluation", drive(student, "run", layer, x)["value"], expected)


@pytest.mark.needs(*BASE, "framework.losses", "framework.sgd")
def test_frozen(student, rng):
    """A frozen part takes no step, and lets gradients through to what lies before it."""
    first, second = linear(3, 4), {"name": "sequential", "layers": [[linear(4, 2, 1)]]}
    part = built(student, second)
    whole = prepare(student, "build", {"name": "sequential", "layers": [first, {"made": part}]})
    given = drawn(rng, {"0.weight": (3, 4), "0.bias": (4,), "1.0.0.weight": (4, 2)})
    given["1.0.0.bias"] = rng.normal(size=2)
    drive(student, "fill", whole, given)
    student.adapter.freeze(part)
    optimizer = prepare(student, "make_optimizer", whole, "sgd", 0.1, {"weight_decay": 0.1})
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    drive(student, "steps", whole, optimizer, [x], [y])
    after = drive(student, "weights", whole)
    hidden = x @ given["0.weight"] + given["0.bias"]
    error = 2 * (hidden @ given["1.0.0.weight"] + given["1.0.0.bias"] - y) / 10
    step = x.T @ (error @ given["1.0.0.weight"].T) + 0.1 * given["0.weight"]
    expect.close("what is not frozen", entry("", after, "0.weight"), given["0.weight"] - 0.1 * step)
    for name in ("1.0.0.weight", "1.0.0.bias"):
        expect.close("what is frozen", entry("the parameters", after, name), given[name])
