"""Core layers of a neural network, written from scratch in NumPy."""

import numpy as np


class Linear:
    """Fully connected layer: y = x W^T + b."""

    def __init__(self, in_features, out_features):
        """Initialize the weights with He initialization and the biases with zeros."""
        self.W = np.random.randn(out_features, in_features) * np.sqrt(2.0 / in_features)
        self.b = np.zeros(out_features)
        self.x = None
        self.dL_dW = None
        self.dL_db = None

    def forward(self, x):
        """Compute y = x W^T + b for x of shape (batch, in_features)."""
        self.x = x
        return np.dot(x, self.W.T) + self.b

    def backward(self, dL_dy):
        """Compute the gradients of weights and biases; return dL/dx."""
        self.dL_dW = np.dot(dL_dy.T, self.x)
        self.dL_db = np.sum(dL_dy, axis=0)
        return np.dot(dL_dy, self.W)


class ReLU:
    """Rectified linear unit: y = max(0, x)."""

    def __init__(self):
        """Create the layer."""
        self.x = None

    def forward(self, x):
        """Return max(0, x)."""
        self.x = x
        return np.maximum(0, x)

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy * (self.x > 0).astype(float)


class LeakyReLU:
    """Leaky rectified linear unit."""

    def __init__(self, alpha=0.01):
        """Create the layer with the slope alpha for negative inputs."""
        self.alpha = alpha
        self.x = None

    def forward(self, x):
        """Return x where it is positive, alpha x elsewhere."""
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy * np.where(self.x > 0, 1.0, self.alpha)


class Sigmoid:
    """Sigmoid: y = 1 / (1 + exp(-x))."""

    def __init__(self):
        """Create the layer."""
        self.y = None

    def forward(self, x):
        """Return the sigmoid of x, in the form that is stable on each side."""
        self.y = np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))
        return self.y

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy * self.y * (1 - self.y)


class Tanh:
    """Hyperbolic tangent."""

    def __init__(self):
        """Create the layer."""
        self.y = None

    def forward(self, x):
        """Return tanh(x)."""
        self.y = np.tanh(x)
        return self.y

    def backward(self, dL_dy):
        """Return dL/dx."""
        return dL_dy * (1 - self.y**2)


class Softmax:
    """Softmax over the classes of each row."""

    def __init__(self):
        """Create the layer."""
        self.y = None

    def forward(self, x):
        """Return the probabilities; subtract the maximum for numerical stability."""
        exp_x = np.exp(x - np.max(x, axis=1, keepdims=True))
        self.y = exp_x / np.sum(exp_x, axis=1, keepdims=True)
        return self.y

    def backward(self, dL_dy):
        """Return dL/dx."""
        return self.y * (dL_dy - np.sum(dL_dy * self.y, axis=1, keepdims=True))


class Network:
    """A sequence of layers."""

    def __init__(self, layers):
        """Keep the layers."""
        self.layers = layers

    def forward(self, x):
        """Pass x through all layers."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, loss_grad):
        """Pass the gradient back through all layers."""
        for layer in reversed(self.layers):
            loss_grad = layer.backward(loss_grad)

    def train_step(self, x, y, lr):
        """Forward, softmax cross-entropy, backward and update; return the loss."""
        logits = self.forward(x)
        n = x.shape[0]
        exp_z = np.exp(logits - np.max(logits, axis=1, keepdims=True))
        probs = exp_z / np.sum(exp_z, axis=1, keepdims=True)
        loss = -np.mean(np.log(probs[np.arange(n), y] + 1e-12))
        grad = probs.copy()
        grad[np.arange(n), y] -= 1
        self.backward(grad / n)
        for layer in self.layers:
            if isinstance(layer, Linear):
                layer.W -= lr * layer.dL_dW
                layer.b -= lr * layer.dL_db
        return loss
