"""Week 1 in another hand: tests in classes, with parametrize, by complete numerical gradients."""

import numpy as np
import pytest
from losses import CrossEntropyLoss, MSELoss
from neural_net import Linear, Network, ReLU, Sigmoid, Tanh


def slopes(f, x, h=1e-5):
    """Central differences of f at x."""
    result = np.empty_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        result[i] = (f(up) - f(down)) / (2 * h)
    return result


@pytest.fixture
def rng():
    """A seeded generator for each test."""
    return np.random.default_rng(11)


class TestLinear:
    """Each gradient of Linear by itself."""

    @pytest.fixture(autouse=True)
    def prepare(self, rng):
        """A layer with biases that are not zero, after one forward and backward."""
        self.layer = Linear(3, 2)
        self.layer.b = rng.normal(size=2)
        self.x, self.up = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
        self.y = self.layer.forward(self.x)
        self.dL_dx = self.layer.backward(self.up)

    def loss_with(self, **parameters):
        for name, value in parameters.items():
            setattr(self.layer, name, value)
        return np.sum(self.layer.forward(self.x) * self.up)

    def test_forward(self):
        W, b = self.layer.W, self.layer.b
        expected = [[W[j] @ row + b[j] for j in range(len(b))] for row in self.x]
        np.testing.assert_allclose(self.y, expected)

    def test_inputs(self):
        measured = slopes(lambda x: np.sum(self.layer.forward(x) * self.up), self.x)
        np.testing.assert_allclose(self.dL_dx, measured, rtol=1e-5, atol=1e-8)

    @pytest.mark.parametrize("name", ["W", "b"])
    def test_parameters(self, name):
        mine = getattr(self.layer, "dL_d" + name)
        start = getattr(self.layer, name).copy()
        assert mine.shape == start.shape
        measured = slopes(lambda value: self.loss_with(**{name: value}), start)
        assert mine == pytest.approx(measured, rel=1e-5, abs=1e-8)


class TestActivations:
    """Functions of single entries."""

    @pytest.mark.parametrize("kind", [ReLU, Sigmoid, Tanh])
    def test_slopes(self, kind, rng):
        layer, up = kind(), rng.normal(size=(3, 4))
        x = rng.normal(size=(3, 4))
        x += 0.1 * np.sign(x)
        layer.forward(x)
        mine = layer.backward(up)
        measured = slopes(lambda z: np.sum(layer.forward(z) * up), x)
        np.testing.assert_allclose(mine, measured, rtol=1e-5, atol=1e-8)

    def test_relu_kink(self):
        layer = ReLU()
        layer.forward(np.zeros((1, 3)))
        assert not np.any(layer.backward(np.array([[1.0, -2.0, 3.0]])))


class TestLosses:
    """Values and gradients of both losses."""

    def test_mse(self, rng):
        loss, p, t = MSELoss(), rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
        assert loss.forward(p, t) == pytest.approx(((p - t) ** 2).sum() / 6)
        measured = slopes(lambda z: loss.forward(z, t), p)
        loss.forward(p, t)
        assert loss.backward() == pytest.approx(measured, rel=1e-5, abs=1e-8)

    @pytest.mark.parametrize("one_hot", [False, True])
    def test_cross_entropy(self, rng, one_hot):
        loss, z, t = CrossEntropyLoss(), rng.normal(size=(4, 3)), np.array([2, 0, 1, 1])
        p = np.exp(z) / np.exp(z).sum(axis=1)[:, None]
        target = np.eye(3)[t] if one_hot else t
        assert loss.forward(z, target) == pytest.approx(-np.log(p[range(4), t]).mean())
        measured = slopes(lambda v: loss.forward(v, target), z)
        loss.forward(z, target)
        assert loss.backward() == pytest.approx(measured, rel=1e-5, abs=1e-8)


def test_chain(rng):
    """Linear, ReLU and Linear together."""
    network = Network([Linear(3, 5), ReLU(), Linear(5, 2)])
    x, up = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    network.forward(x)
    mine = network.backward(up)
    measured = slopes(lambda z: np.sum(network.forward(z) * up), x)
    np.testing.assert_allclose(mine, measured, rtol=1e-4, atol=1e-7)
