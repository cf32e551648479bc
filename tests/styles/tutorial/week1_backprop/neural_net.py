"""A small neural network library: layers, losses, networks."""

import numpy as np


class Layer:
    """Base class of all layers."""

    def forward(self, inputs):
        """Compute the output of the layer."""
        raise NotImplementedError

    def backward(self, grad):
        """Compute the gradient with respect to the inputs."""
        raise NotImplementedError

    def update(self, lr):
        """Update the parameters, if there are any."""


class Linear(Layer):
    """Fully connected layer: y = x @ W + b."""

    def __init__(self, in_features, out_features):
        """He initialization: uniform weights with the variance 2 / in_features."""
        limit = np.sqrt(6.0 / in_features)
        self.W = np.random.uniform(-limit, limit, (in_features, out_features))
        self.b = np.zeros((1, out_features))
        self.inputs = None
        self.dL_dW = np.zeros_like(self.W)
        self.dL_db = np.zeros_like(self.b)

    def forward(self, inputs):
        """Return x @ W + b."""
        self.inputs = inputs
        return inputs @ self.W + self.b

    def backward(self, grad):
        """Store the gradients of W and b, and return that of the inputs."""
        self.dL_dW = self.inputs.T @ grad
        self.dL_db = np.sum(grad, axis=0, keepdims=True)
        return grad @ self.W.T

    def update(self, lr):
        """Gradient descent."""
        self.W -= lr * self.dL_dW
        self.b -= lr * self.dL_db


class ReLU(Layer):
    """max(0, x)."""

    def forward(self, inputs):
        """Return max(0, x)."""
        self.mask = inputs > 0
        return inputs * self.mask

    def backward(self, grad):
        """Return the gradient where the input was positive."""
        grad = grad.copy()
        grad[~self.mask] = 0
        return grad


class LeakyReLU(Layer):
    """x where it is not negative, a fraction of it elsewhere."""

    def __init__(self, negative_slope=0.01):
        """Keep the slope."""
        self.negative_slope = negative_slope

    def forward(self, inputs):
        """Return the output."""
        self.slope = np.where(inputs >= 0, 1.0, self.negative_slope)
        return inputs * self.slope

    def backward(self, grad):
        """Return the gradient."""
        return grad * self.slope


class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""

    def forward(self, inputs):
        """Return the sigmoid; inputs are clipped so that nothing overflows."""
        self.output = 1.0 / (1.0 + np.exp(-np.clip(inputs, -500, 500)))
        return self.output

    def backward(self, grad):
        """Return the gradient."""
        return grad * self.output * (1.0 - self.output)


class Tanh(Layer):
    """The hyperbolic tangent."""

    def forward(self, inputs):
        """Return tanh(x)."""
        self.output = np.tanh(inputs)
        return self.output

    def backward(self, grad):
        """Return the gradient."""
        return grad * (1.0 - self.output**2)


class Softmax(Layer):
    """Probabilities of each row."""

    def forward(self, inputs):
        """Return exp(x) / sum(exp(x)), shifted by the maximum."""
        shifted = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = shifted / shifted.sum(axis=1, keepdims=True)
        return self.output

    def backward(self, grad):
        """Return the gradient, row by row through the Jacobian."""
        jacobians = self.output[:, :, None] * (np.eye(grad.shape[1]) - self.output[:, None, :])
        return np.einsum("nij,ni->nj", jacobians, grad)


class MSELoss:
    """Squared error, added up over the features, averaged over the batch."""

    def forward(self, y_pred, y_true):
        """Return the loss."""
        self.diff = y_pred - y_true
        return np.sum(self.diff**2) / self.diff.shape[0]

    def backward(self):
        """Return the gradient."""
        return 2.0 * self.diff / self.diff.shape[0]


class HuberLoss:
    """Huber loss, added up over the features, averaged over the batch."""

    def __init__(self, delta=1.0):
        """Keep delta."""
        self.delta = delta

    def forward(self, y_pred, y_true):
        """Return the loss."""
        self.diff = y_pred - y_true
        size = np.abs(self.diff)
        inner = np.minimum(size, self.delta)
        return np.sum(0.5 * inner**2 + self.delta * (size - inner)) / self.diff.shape[0]

    def backward(self):
        """Return the gradient."""
        return np.clip(self.diff, -self.delta, self.delta) / self.diff.shape[0]


class CrossEntropyLoss:
    """Softmax with cross-entropy."""

    def forward(self, logits, targets):
        """Return the mean loss over the batch."""
        if targets.ndim == 1:
            one_hot = np.zeros_like(logits)
            one_hot[np.arange(len(targets)), targets] = 1.0
            targets = one_hot
        self.targets = targets
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        self.log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        return -np.sum(targets * self.log_probs) / logits.shape[0]

    def backward(self):
        """Return the gradient with respect to the logits."""
        return (np.exp(self.log_probs) - self.targets) / self.targets.shape[0]


class Network:
    """A chain of layers, trained on the mean squared error."""

    def __init__(self, layers):
        """Keep the layers."""
        self.layers = layers
        self.criterion = MSELoss()

    def forward(self, x):
        """Return the output of the last layer."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, loss_grad):
        """Pass the gradient back."""
        for layer in self.layers[::-1]:
            loss_grad = layer.backward(loss_grad)
        return loss_grad

    def train_step(self, x, y, lr):
        """One step on the targets y, of the shape of the output; return the loss."""
        loss = self.criterion.forward(self.forward(x), y)
        self.backward(self.criterion.backward())
        for layer in self.layers:
            layer.update(lr)
        return loss


class TwoLayerMLP:
    """784 - 128 - ReLU - 10."""

    def __init__(self):
        """Create the layers under names of their own, and as a list."""
        self.fc1, self.relu, self.fc2 = Linear(784, 128), ReLU(), Linear(128, 10)
        self.layers = [self.fc1, self.relu, self.fc2]
        self.loss_fn = CrossEntropyLoss()

    def forward(self, x):
        """Return the logits."""
        return self.fc2.forward(self.relu.forward(self.fc1.forward(x)))

    def backward(self, dL_dy):
        """Compute all gradients."""
        self.fc1.backward(self.relu.backward(self.fc2.backward(dL_dy)))

    def update_parameters(self, lr):
        """Update both layers."""
        for layer in self.layers:
            layer.update(lr)

    def train_step(self, x_batch, y_batch, lr):
        """One step of training."""
        loss = self.loss_fn.forward(self.forward(x_batch), y_batch)
        self.backward(self.loss_fn.backward())
        self.update_parameters(lr)
        return loss

    def predict(self, x):
        """Return the most probable classes."""
        return np.argmax(Softmax().forward(self.forward(x)), axis=1)

    def evaluate(self, x, y):
        """Return the accuracy in percent."""
        return 100.0 * np.mean(self.predict(x) == y)
