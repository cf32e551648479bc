"""Hidden tests of the training loop: what it steps through, what it returns, modes."""

import numpy as np
import pytest

from autograder.suite import expect

from .asking import built, drawn, drive, entry, listed, prepare

ENGINE = ("framework.backward", "framework.arithmetic", "framework.shapes", "framework.matmul")
BASE = ("framework.linear", "framework.sgd", "framework.loader", *ENGINE)
pytestmark = [pytest.mark.item("framework.fit"), pytest.mark.needs(*BASE)]

N = 13
WIDE, MOST_BYTES = 2000, 24 << 20
"""A step's graph has at least 3 arrays of 10 x WIDE numbers, 60 of them 29 MB."""
STILL = 1e-13
"""A rate at which nothing moves by what can be seen."""


def network(student, rng):
    """Return a linear layer of the suite's numbers, and these."""
    layer = built(student, {"name": "linear", "in_features": 3, "out_features": 2})
    given = drawn(rng, {"weight": (3, 2), "bias": (2,)})
    drive(student, "fill", layer, given)
    return layer, given


def trained(student, layer, x, y, kind, lr, epochs, batch, **more):
    """Run the student's loop; return its losses."""
    optimizer = prepare(student, "make_optimizer", layer, "sgd", lr, {})
    schedule = None
    if "gamma" in more:
        options = {"gamma": more["gamma"]}
        schedule = prepare(student, "make_schedule", "exponential", optimizer, options)
    rest = [optimizer, epochs, batch, schedule, more.get("seed", 0)]
    losses = listed("what fit returns", drive(student, "fitted", layer, x, y, kind, rest), epochs)
    numbers = all(type(loss) is float for loss in losses)
    expect.that("what fit returns", numbers, "it is no list of numbers.")
    return losses


def descended(given, x, y, lr, epochs, gamma=1.0):
    """Return losses and weights of gradient descent on the whole data."""
    weight, bias, losses = given["weight"], given["bias"], []
    for epoch in range(epochs):
        d = x @ weight + bias - y
        losses.append(float((d**2).mean()))
        rate = lr * gamma**epoch * 2 / d.size
        weight, bias = weight - rate * x.T @ d, bias - rate * d.sum(axis=0)
    return losses, weight, bias


@pytest.mark.weight(2)
@pytest.mark.needs(*BASE, "framework.losses")
def test_whole_batches(student, rng):
    """On batches of all data it is gradient descent: losses and weights of five epochs."""
    layer, given = network(student, rng)
    x, y = rng.normal(size=(N, 3)), rng.normal(size=(N, 2))
    losses = trained(student, layer, x, y, "mse", 0.2, 5, N)
    expected, weight, bias = descended(given, x, y, 0.2, 5)
    expect.close("the losses", np.array(losses), np.array(expected))
    after = drive(student, "weights", layer)
    expect.close("the weights", entry("the parameters", after, "weight"), weight)
    expect.close("the biases", entry("the parameters", after, "bias"), bias)


@pytest.mark.needs(*BASE, "framework.losses", "framework.schedules")
def test_schedule(student, rng):
    """The schedule advances after each epoch."""
    layer, given = network(student, rng)
    x, y = rng.normal(size=(N, 3)), rng.normal(size=(N, 2))
    losses = trained(student, layer, x, y, "mse", 0.3, 4, N, gamma=0.4)
    expected, weight, _ = descended(given, x, y, 0.3, 4, 0.4)
    expect.close("the losses", np.array(losses), np.array(expected))
    after = drive(student, "weights", layer)
    expect.close("the weights", entry("the parameters", after, "weight"), weight)


@pytest.mark.needs(*BASE, "framework.losses")
def test_mean_losses(student, rng):
    """The loss of an epoch is the mean over its examples, whatever the last batch has."""
    layer, given = network(student, rng)
    x, y = rng.normal(size=(N, 3)), rng.normal(size=(N, 2))
    y[4] += 20.0
    losses = trained(student, layer, x, y, "mse", STILL, 3, 6)
    mean = float(((x @ given["weight"] + given["bias"] - y) ** 2).mean())
    expect.close("losses of a layer that hardly moves", np.array(losses), np.full(3, mean))


@pytest.mark.weight(2)
@pytest.mark.needs(*BASE, "framework.loader", "framework.custom_loss")
def test_steps(student, rng):
    """Each epoch goes through each example once, with its target, in a new order, in batches."""
    layer, given = network(student, rng)
    x, y = rng.normal(size=(N, 3)), rng.normal(size=(N, 2))
    loss = student.prepare("noting", student.adapter)
    trained(student, layer, x, y, loss, STILL, 3, 5)
    expected = x @ given["weight"] + given["bias"]
    noted = listed("the steps of 3 epochs", student.drive("notes", loss), 9)
    orders = []
    for epoch in range(3):
        order: list[int] = []
        for pair, size in zip(noted[3 * epoch : 3 * epoch + 3], (5, 5, 3), strict=True):
            prediction = expect.array("a batch's predictions", pair[0], (size, 2))
            target = expect.array("a batch's targets", pair[1], (size, 2))
            rows = [int(np.abs(y - one).sum(axis=1).argmin()) for one in target]
            expect.close("a batch's targets", target, y[rows])
            expect.close("predictions of its inputs", prediction, expected[rows])
            order += rows
        expect.equal("the examples of an epoch", sorted(order), list(range(N)))
        orders.append(tuple(order))
    expect.that("the orders", len(set(orders)) == 3, "two epochs have the same order.")


@pytest.mark.needs(*BASE, "framework.losses", "framework.modules")
def test_memory(student, rng):
    """Graphs of steps that are over are gone: memory does not grow with the number of steps."""
    layers = [
        {"name": "linear", "in_features": 40, "out_features": WIDE},
        {"name": "tanh"},
        {"name": "linear", "in_features": WIDE, "out_features": 2},
    ]
    layer = built(student, {"name": "sequential", "layers": layers})
    given = drawn(rng, {"2.weight": (WIDE, 2), "2.bias": (2,)})
    given |= {"0.weight": np.zeros((40, WIDE)), "0.bias": np.zeros(WIDE)}
    drive(student, "fill", layer, given)
    x, y = rng.normal(size=(600, 40)), rng.normal(size=(600, 2))
    optimizer = prepare(student, "make_optimizer", layer, "sgd", STILL, {})
    rest = [optimizer, 1, 10, None, 0]
    found = listed("fit", drive(student, "fitted_within", layer, x, y, "mse", rest), 2)
    losses = listed("what fit returns", found[0], 1)
    mean = float(((given["2.bias"] - y) ** 2).mean())
    expect.close("the loss of a network that hardly moves", losses[0], mean)
    few = isinstance(found[1], int) and found[1] < MOST_BYTES
    expect.that("memory in 60 steps", few, "it is that of the graphs of many steps.")


@pytest.mark.needs(*BASE, "framework.modules", "framework.dropout", "framework.custom_loss")
def test_modes(student, rng):
    """It trains in training mode, whatever mode comes, and leaves in evaluation mode."""
    layers = [
        {"name": "linear", "in_features": 3, "out_features": 30},
        {"name": "dropout", "p": 0.5},
    ]
    layer = built(student, {"name": "sequential", "layers": layers}, False)
    given = drawn(rng, {"0.weight": (3, 30), "0.bias": (30,)})
    drive(student, "fill", layer, given)
    x, y = rng.normal(size=(N, 3)), rng.normal(size=(N, 30))
    loss = student.prepare("noting", student.adapter)
    trained(student, layer, x, y, loss, STILL, 2, N)
    for pair in listed("the steps of 2 epochs", student.drive("notes", loss), 2):
        prediction = expect.array("predictions in training", pair[0], (N, 30))
        share = float((prediction == 0).mean())
        expect.that("training", 0.3 < share < 0.7, f"a share of {share:.2f} is dropped, not half.")
    received = drive(student, "run", layer, x)["value"]
    expect.close("values afterwards", received, x @ given["0.weight"] + given["0.bias"])
