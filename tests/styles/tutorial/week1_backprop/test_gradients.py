"""Gradient checks and the tests that use them."""

import numpy as np
from neural_net import CrossEntropyLoss, Linear, MSELoss, ReLU, Sigmoid, Tanh


def numerical_gradient(f, x, epsilon=1e-5):
    """Central differences, one entry after the other."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[index] += epsilon
        down[index] -= epsilon
        gradient[index] = (f(up) - f(down)) / (2 * epsilon)
    return gradient


def max_relative_error(analytic, numeric):
    """Return the largest relative error."""
    denominator = np.maximum(np.abs(analytic) + np.abs(numeric), 1e-8)
    return float(np.max(np.abs(analytic - numeric) / denominator))


def gradient_check(layer, x, tolerance=1e-5):
    """Check the gradient with respect to the inputs."""
    np.random.seed(42)
    grad = np.random.randn(*layer.forward(x).shape)
    analytic = layer.backward(grad)
    error = max_relative_error(
        analytic, numerical_gradient(lambda z: np.sum(layer.forward(z) * grad), x)
    )
    print(f"inputs: max relative error {error:.2e}")
    return error < tolerance


def gradient_check_weights(layer, x):
    """Check the gradients with respect to weights and biases; return the largest error."""
    np.random.seed(43)
    grad = np.random.randn(*layer.forward(x).shape)
    layer.backward(grad)
    errors = []
    for name in ("W", "b"):
        start, analytic = getattr(layer, name), getattr(layer, "dL_d" + name).copy()

        def total(values, name=name):
            setattr(layer, name, values)
            return np.sum(layer.forward(x) * grad)

        errors.append(max_relative_error(analytic, numerical_gradient(total, start)))
        setattr(layer, name, start)
        print(f"{name}: max relative error {errors[-1]:.2e}")
    return max(errors)


def data(*shape):
    """Random numbers of both signs, not near 0."""
    np.random.seed(sum(shape))
    x = np.random.randn(*shape)
    return np.where(np.abs(x) < 0.1, 0.3, x)


def test_linear_forward():
    """x @ W + b."""
    layer = Linear(4, 3)
    layer.b = np.array([[1.0, -2.0, 3.0]])
    x = data(5, 4)
    assert layer.W.shape == (4, 3)
    assert np.allclose(layer.forward(x), x @ layer.W + layer.b)


def test_linear_inputs():
    """dL/dx of Linear."""
    assert gradient_check(Linear(4, 3), data(5, 4))


def test_linear_weights():
    """dL/dW and dL/db of Linear."""
    layer = Linear(4, 3)
    assert gradient_check_weights(layer, data(5, 4)) < 1e-5
    assert layer.dL_dW.shape == (4, 3)
    assert layer.dL_db.shape == (1, 3)


def test_activations():
    """ReLU, Sigmoid and Tanh."""
    for layer in (ReLU(), Sigmoid(), Tanh()):
        assert gradient_check(layer, data(5, 4))


def test_relu():
    """Values of ReLU, the gradient at 0, and the input that stays as it is."""
    layer, x = ReLU(), np.array([[-1.0, 0.0, 2.0]])
    assert np.allclose(layer.forward(x), [[0.0, 0.0, 2.0]])
    assert np.allclose(x, [[-1.0, 0.0, 2.0]])
    assert np.allclose(layer.backward(np.array([[3.0, 4.0, 5.0]])), [[0.0, 0.0, 5.0]])


def test_mse():
    """Squares added up over the features, averaged over the batch."""
    loss, p, t = MSELoss(), data(4, 3), data(3, 4).T
    assert np.isclose(loss.forward(p, t), np.sum((p - t) ** 2) / 4)
    analytic = loss.backward()
    numeric = numerical_gradient(lambda z: MSELoss().forward(z, t), p)
    assert max_relative_error(analytic, numeric) < 1e-5


def test_cross_entropy():
    """Value and gradient, for indices and one-hot rows."""
    z, t = data(4, 3), np.array([2, 0, 1, 1])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    for target in (t, np.eye(3)[t]):
        loss = CrossEntropyLoss()
        assert np.isclose(loss.forward(z, target), -np.log(p[np.arange(4), t]).mean())
        analytic = loss.backward()
        numeric = numerical_gradient(lambda v, c=target: CrossEntropyLoss().forward(v, c), z)
        assert max_relative_error(analytic, numeric) < 1e-5


if __name__ == "__main__":
    for test in (test_linear_inputs, test_linear_weights, test_activations):
        test()
