"""The reference of week 2 as a whole: its network is week 1's, and it bears large graphs."""

from __future__ import annotations

import gc
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import data

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
MODULES = {
    "week1_backprop": ("neural_net", "losses", "mnist_mlp"),
    "week2_autograd": ("autograd", "draw_graph", "mnist_autograd"),
}


@pytest.fixture(scope="module")
def solutions():
    """The reference modules of both weeks, by name."""
    with pytest.MonkeyPatch.context() as patch:
        for folder, names in MODULES.items():
            patch.syspath_prepend(str(SOLUTIONS / folder))
            for name in names:
                patch.delitem(sys.modules, name, raising=False)
        every = [name for names in MODULES.values() for name in names]
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in every})
        for name in every:
            del sys.modules[name]


def networks(solutions):
    """The same network twice: week 1's and week 2's, with the same weights."""
    first = solutions.mnist_mlp.TwoLayerMLP(rng=np.random.default_rng(5))
    second = solutions.mnist_autograd.AutogradMLP()
    for old, new in pairs(first, second):
        new.W.data, new.b.data = old.W.T.copy(), old.b.copy()
    return first, second


def pairs(first, second):
    """The linear layers of both; W is (out, in) in week 1 and (in, out) in week 2."""
    return list(zip(first.layers[::2], second.layers[::2], strict=True))


def test_the_gradients_are_those_of_week_1(solutions):
    first, second = networks(solutions)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 784)), rng.integers(0, 10, 64)
    loss = first.loss_fn.forward(first.forward(x), y)
    first.backward(first.loss_fn.backward())
    traced = solutions.mnist_autograd.cross_entropy(second.forward(x), y)
    traced.backward()
    assert traced.item() == pytest.approx(loss, rel=1e-12)
    for old, new in pairs(first, second):
        np.testing.assert_allclose(new.W.grad.T, old.dL_dW, rtol=0, atol=1e-8)
        np.testing.assert_allclose(new.b.grad, old.dL_db, rtol=0, atol=1e-8)
        assert np.abs(old.dL_dW).max() > 1e-3


def test_the_handouts_way_gives_the_same_gradients(solutions):
    """sum(logits * G) with a constant G, the gradient of the loss with respect to the logits."""
    first, second = networks(solutions)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 784)), rng.integers(0, 10, 64)
    first.loss_fn.forward(first.forward(x), y)
    gradient = first.loss_fn.backward()
    first.backward(gradient)
    make = solutions.autograd.Tensor
    out = make(x)
    for layer in second.layers:
        out = layer(out)
    (out * make(gradient)).sum().backward()
    for old, new in pairs(first, second):
        np.testing.assert_allclose(new.W.grad.T, old.dL_dW, rtol=0, atol=1e-12)
        np.testing.assert_allclose(new.b.grad, old.dL_db, rtol=0, atol=1e-12)


def test_100_steps_of_training_are_those_of_week_1(solutions):
    first, second = networks(solutions)
    rng = np.random.default_rng(1)
    for _ in range(100):
        x, y = rng.normal(size=(8, 784)), rng.integers(0, 10, 8)
        losses = first.train_step(x, y, 0.01), second.train_step(x, y, 0.01)
        assert losses[0] == pytest.approx(losses[1], rel=1e-9)
    for old, new in pairs(first, second):
        np.testing.assert_allclose(new.W.data.T, old.W, rtol=0, atol=1e-8)
        np.testing.assert_allclose(new.b.data, old.b, rtol=0, atol=1e-8)


def test_it_reaches_week_1s_accuracy_on_digits(solutions):
    images = data.load("digits")
    mean, deviation = images.x_train.mean(), images.x_train.std()
    x_train, x_test = (
        (part.reshape(len(part), -1) - mean) / deviation for part in (images.x_train, images.x_test)
    )
    rng = np.random.default_rng(0)
    model = solutions.mnist_autograd.AutogradMLP(rng=rng)
    for _ in range(20):
        for batch in np.array_split(rng.permutation(len(x_train)), len(x_train) // 64):
            model.train_step(x_train[batch], images.y_train[batch], 0.01)
    assert model.evaluate(x_test, images.y_test) >= 0.95


def test_a_chain_of_100_000_values(solutions):
    """No recursion anywhere: in computing, in both passes, in zero_grad, in forgetting it."""
    x = solutions.autograd.Value(1.0)
    y = x
    for _ in range(100_000):
        y = y + x
    y.backward()
    assert x.grad == 100_001.0
    y.backward()
    assert x.grad == 200_002.0
    y.zero_grad()
    assert x.grad == 0.0
    del y
    gc.collect()


def test_a_chain_of_20_000_tensors(solutions):
    x = solutions.autograd.Tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + x
    y.backward([1.0, -1.0])
    np.testing.assert_array_equal(x.grad, [20_001.0, -20_001.0])


def test_a_graph_of_many_paths_is_walked_once(solutions):
    """y = y + y sixty times has 2 ** 60 paths: who walks paths instead of nodes never ends."""
    x = solutions.autograd.Value(1.0)
    tensor = solutions.autograd.Tensor(1.0, requires_grad=True)
    y, z = x, tensor
    for _ in range(60):
        y, z = y + y, z + z
    y.backward()
    z.backward()
    assert x.grad == 2.0**60
    assert tensor.grad == 2.0**60


def test_training_steps_do_not_fill_the_memory(solutions):
    """Results and their closures hold each other, so graphs go with the garbage collector alone."""
    _, model = networks(solutions)
    x, y = np.zeros((8, 784)), np.zeros(8, dtype=np.int64)
    gc.collect()
    before = tensors_alive(solutions)
    for _ in range(3):
        model.train_step(x, y, 0.1)
    gc.collect()
    assert tensors_alive(solutions) == before


def tensors_alive(solutions) -> int:
    """How many tensors there are."""
    return sum(type(each) is solutions.autograd.Tensor for each in gc.get_objects())


def test_gradients_are_apart_from_each_other_and_from_what_was_given(solutions):
    """Changing one gradient in place, as clipping does, changes no other."""
    a = solutions.autograd.Tensor([1.0, 2.0], requires_grad=True)
    b = solutions.autograd.Tensor([3.0, 4.0], requires_grad=True)
    upstream = np.array([1.0, -1.0])
    (a + b).backward(upstream)
    a.grad *= 100.0
    np.testing.assert_array_equal(b.grad, [1.0, -1.0])
    np.testing.assert_array_equal(upstream, [1.0, -1.0])


def test_data_is_each_tensors_own(solutions):
    """Updating in place changes neither the array that was given nor a result's operand."""
    given = np.array([[1.0, 2.0], [3.0, 4.0]])
    W = solutions.autograd.Tensor(given, requires_grad=True)
    W.data -= 1.0
    np.testing.assert_array_equal(given, [[1.0, 2.0], [3.0, 4.0]])
    for view in (W.T, W[0], W.reshape(4)):
        view.data -= 1.0
    np.testing.assert_array_equal(W.data, given - 1.0)
