"""Layers with slots and read-only properties; what a pass needs is kept as one tuple."""

import numpy as np


class Layer:
    """Base class: keeps the latest pass, and hands an upstream gradient to the formulas."""

    __slots__ = ("__memory",)

    def __init__(self):
        self.__memory = None

    @property
    def memory(self):
        """What the latest forward pass has kept."""
        if self.__memory is None:
            raise RuntimeError("call forward before backward")
        return self.__memory

    def remember(self, *arrays):
        """Keep arrays for backward."""
        self.__memory = arrays


class Square(Layer):
    """y = x ** 2."""

    __slots__ = ()

    def forward(self, x):
        """Return the squares."""
        self.remember(x.copy())
        return np.square(x)

    def backward(self, dL_dy):
        """Return dL/dx."""
        (x,) = self.memory
        return 2 * x * dL_dy


class Linear(Layer):
    """y = x W^T + b; the gradients can be read, not set."""

    __slots__ = ("__bias", "__gradients", "__sizes", "__weights")

    def __init__(self, in_features, out_features, *, rng=None):
        super().__init__()
        generator = rng if rng is not None else np.random.default_rng()
        self.__sizes = in_features, out_features
        self.__weights = generator.standard_normal((out_features, in_features))
        self.__weights *= (2 / in_features) ** 0.5
        self.__bias = np.zeros((out_features,))
        self.__gradients = np.zeros_like(self.__weights), np.zeros_like(self.__bias)

    @property
    def in_features(self):
        """Size of an input row."""
        return self.__sizes[0]

    @property
    def out_features(self):
        """Size of an output row."""
        return self.__sizes[1]

    @property
    def W(self):
        """The weights."""
        return self.__weights

    @W.setter
    def W(self, weights):
        self.__weights = np.asarray(weights)

    @property
    def b(self):
        """The biases."""
        return self.__bias

    @b.setter
    def b(self, bias):
        self.__bias = np.asarray(bias)

    @property
    def dL_dW(self):
        """The gradient of the weights, read-only."""
        return self.__gradients[0]

    @property
    def dL_db(self):
        """The gradient of the biases, read-only."""
        return self.__gradients[1]

    def forward(self, x):
        """Return x W^T + b."""
        self.remember(x.copy())
        return np.dot(x, self.W.T) + self.b

    def backward(self, dL_dy):
        """Set both gradients, return dL/dx."""
        (x,) = self.memory
        self.__gradients = np.dot(x.T, dL_dy).T, np.add.reduce(dL_dy, 0)
        return np.dot(dL_dy, self.W)


class ReLU(Layer):
    """max(0, x)."""

    __slots__ = ()

    def forward(self, x):
        """Return x where it is positive."""
        positive = x > 0
        self.remember(positive)
        return np.where(positive, x, np.zeros_like(x))

    def backward(self, dL_dy):
        """Let the gradient through where the input was positive."""
        (positive,) = self.memory
        return np.where(positive, dL_dy, np.zeros_like(dL_dy))


class LeakyReLU(Layer):
    """x, or alpha x below 0."""

    __slots__ = ("__alpha",)

    def __init__(self, alpha=0.01):
        super().__init__()
        self.__alpha = alpha

    @property
    def alpha(self):
        """The slope below 0."""
        return self.__alpha

    def forward(self, x):
        """Return x times its slope."""
        slope = np.ones_like(x)
        slope[x <= 0] = self.alpha
        self.remember(slope)
        return x * slope

    def backward(self, dL_dy):
        """Multiply by the slope."""
        (slope,) = self.memory
        return dL_dy * slope


class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""

    __slots__ = ()

    def forward(self, x):
        """Compute each half by the form that is safe there."""
        y, above = np.empty_like(x), x >= 0
        y[above] = 1 / (1 + np.exp(-x[above]))
        small = np.exp(x[~above])
        y[~above] = small / (1 + small)
        self.remember(y.copy())
        return y

    def backward(self, dL_dy):
        """Return dL/dy y (1 - y)."""
        (y,) = self.memory
        return dL_dy * (y - y * y)


class Tanh(Layer):
    """The hyperbolic tangent."""

    __slots__ = ()

    def forward(self, x):
        """Return tanh x."""
        y = np.tanh(x)
        self.remember(y.copy())
        return y

    def backward(self, dL_dy):
        """Return dL/dy (1 - y^2) as a product."""
        (y,) = self.memory
        return dL_dy * ((1 - y) * (1 + y))


class Softmax(Layer):
    """Probabilities of each row."""

    __slots__ = ()

    def forward(self, x):
        """Shift by the maximum of the row."""
        y = np.exp(x - np.amax(x, -1)[..., None])
        y /= np.sum(y, -1)[..., None]
        self.remember(y.copy())
        return y

    def backward(self, dL_dy):
        """Return y (g - sum of g y)."""
        (y,) = self.memory
        weighted = y * dL_dy
        return weighted - y * weighted.sum(-1, keepdims=True)


class Network(Layer):
    """Layers in a row; loss and layers can be replaced."""

    __slots__ = ("layers", "loss_fn")

    def __init__(self, layers, loss_fn=None):
        super().__init__()
        if loss_fn is None:
            from losses import CrossEntropyLoss as Default

            loss_fn = Default()
        self.layers, self.loss_fn = [*layers], loss_fn

    def forward(self, x):
        """Go through all layers."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, loss_grad):
        """Go back through all layers."""
        for layer in self.layers[::-1]:
            loss_grad = layer.backward(loss_grad)
        return loss_grad

    def train_step(self, x, y, lr):
        """Do one step of gradient descent and return the loss before it."""
        loss = self.loss_fn.forward(self.forward(x), y)
        self.backward(self.loss_fn.backward())
        for layer in filter(lambda one: hasattr(one, "W"), self.layers):
            layer.W, layer.b = layer.W - lr * layer.dL_dW, layer.b - lr * layer.dL_db
        return loss
