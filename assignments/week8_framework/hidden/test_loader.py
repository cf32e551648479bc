"""Hidden tests of the loader: each example once, pairs intact, orders, the last batch."""

import numpy as np
import pytest

from autograder.suite import expect

from .asking import drive, listed

pytestmark = pytest.mark.item("framework.loader")

COUNT, BATCH = 22, 5
SIZES = [5, 5, 5, 5, 2]


def data(rng, count=COUNT):
    """Draw examples that can be told from each other, and targets that are the suite's."""
    x = rng.normal(size=(count, 3, 2))
    return x, rng.normal(size=(count, 2))


def read(student, x, y, batch, options, rounds=1):
    """Return the order of the examples in each round, after a look at pairs and sizes."""
    received = drive(student, "epochs", x, y, batch, options, rounds)
    places = {one.tobytes(): number for number, one in enumerate(x)}
    orders = []
    for pairs in listed("the epochs", received, rounds):
        order: list[int] = []
        sizes = [min(batch, len(x) - start) for start in range(0, len(x), batch)]
        for pair, size in zip(listed("an epoch", pairs, len(sizes)), sizes, strict=True):
            inputs, targets = listed("a batch", pair, 2)
            inputs = expect.array("the inputs of a batch", inputs, (size, *x.shape[1:]))
            rows = [places.get(np.ascontiguousarray(one).tobytes(), -1) for one in inputs]
            expect.that("the inputs of a batch", -1 not in rows, "one of them is no example.")
            expect.close("the targets of a batch", targets, y[rows], rtol=0, atol=0)
            order += rows
        expect.equal("the examples of an epoch, sorted", sorted(order), list(range(len(x))))
        orders.append(order)
    return orders


def test_each_once(student, rng):
    """Each example once in an epoch, with its own target, and a last batch that is smaller."""
    x, y = data(rng)
    read(student, x, y, BATCH, {"shuffle": True, "seed": 3}, 2)


@pytest.mark.parametrize("batch", [1, 11, 22, 40])
def test_batches(student, rng, batch):
    """Batches of one, batches that come out even, and one that is larger than the data."""
    x, y = data(rng)
    order = read(student, x, y, batch, {"shuffle": True, "seed": 1})[0]
    expect.that("the order", order != list(range(COUNT)), "it is that of the data.")


def test_in_order(student, rng):
    """Without shuffling the order is that of the data, each time."""
    x, y = data(rng)
    for order in read(student, x, y, BATCH, {"shuffle": False}, 2):
        expect.equal("the order", order, list(range(COUNT)))


@pytest.mark.weight(2)
def test_new_orders(student, rng):
    """Each epoch has an order of its own, and none is that of the data."""
    x, y = data(rng, 40)
    orders = read(student, x, y, 8, {"shuffle": True, "seed": 7}, 4)
    different = {tuple(order) for order in [*orders, list(range(40))]}
    expect.that("the orders of 4 epochs", len(different) == 5, "two are the same.")


def test_seeds(student, rng):
    """The same seed gives the same orders, another seed others."""
    x, y = data(rng, 40)
    found = [read(student, x, y, 8, {"shuffle": True, "seed": s}, 2) for s in (2, 2, 5)]
    expect.that("orders of one seed", found[0] == found[1], "they differ.")
    expect.that("orders of other seeds", found[0] != found[2], "they are the same.")


def test_arguments(student, rng):
    """The data stays as it is, and batches come in the dtype of the data."""
    x, _ = data(rng)
    labels = rng.integers(0, 9, size=COUNT)
    kept = [student.keep(array) for array in (x, labels)]
    received = drive(student, "epochs", *kept, BATCH, {"shuffle": True, "seed": 4}, 1)
    pairs = listed("an epoch", listed("the epochs", received, 1)[0], len(SIZES))
    for pair, size in zip(pairs, SIZES, strict=True):
        inputs, targets = listed("a batch", pair, 2)
        expect.array("the inputs of a batch", inputs, (size, 3, 2))
        expect.dtype("the targets of a batch", targets, "int64")
        matches = [(x == one).all(axis=(1, 2)).argmax() for one in inputs]
        expect.equal("the targets of a batch", targets, labels[matches])
    expect.unchanged("x", x, student.fetch(kept[0]))
    expect.unchanged("y", labels, student.fetch(kept[1]))
