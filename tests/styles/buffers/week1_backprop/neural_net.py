"""Layers that work in buffers of their own, stored in column order; weights are (in, out)."""

import numpy as np


class Buffers:
    """Arrays that are made once for each name, shape and dtype, and written again after that."""

    def __init__(self):
        self._held = {}

    def like(self, name, shape, dtype):
        """Return the buffer of this name, with whatever stands in it."""
        held = self._held.get(name)
        if held is None or held.shape != tuple(shape) or held.dtype != dtype:
            held = self._held[name] = np.empty(shape, dtype=dtype, order="F")
        return held

    def copy_of(self, name, array):
        """Write an array into the buffer of this name."""
        held = self.like(name, array.shape, array.dtype)
        held[...] = array
        return held

    def __getitem__(self, name):
        return self._held[name]


class Layer:
    """Base class: has buffers."""

    def __init__(self):
        self._buffers = Buffers()

    def _kept(self, name, array):
        return self._buffers.copy_of(name, array)


class Square(Layer):
    """y = x ** 2."""

    def forward(self, x):
        """Return the squares."""
        self._kept("x", x)
        return np.multiply(x, x)

    def backward(self, dL_dy):
        """Return dL/dx."""
        gradient = dL_dy * self._buffers["x"]
        gradient *= 2
        return gradient


class Linear(Layer):
    """y = x W + b with W of shape (in_features, out_features) and b of shape (1, out_features)."""

    def __init__(self, in_features, out_features, rng=None):
        super().__init__()
        rng = rng or np.random.default_rng()
        self.W = np.asfortranarray(rng.normal(size=(in_features, out_features)))
        self.W *= np.sqrt(2 / in_features)
        self.b = np.zeros((1, out_features))
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x):
        """Return x W + b."""
        self._kept("x", x)
        y = np.einsum("ij,jk->ik", x, self.W, optimize=True)
        y += self.b
        return np.asfortranarray(y)

    def backward(self, dL_dy):
        """Write both gradients into their buffers, return dL/dx."""
        x = self._buffers["x"]
        dtype = np.result_type(x, dL_dy)
        self.dL_dW = self._buffers.like("dW", (x.shape[1], dL_dy.shape[1]), dtype)
        np.matmul(x.T, dL_dy, out=self.dL_dW)
        self.dL_db = self._buffers.like("db", (1, dL_dy.shape[1]), dtype)
        self.dL_db.fill(0)
        self.dL_db += dL_dy.sum(axis=0, keepdims=True)
        return np.einsum("ik,jk->ij", dL_dy, self.W, order="F")


class LeakyReLU(Layer):
    """x, or alpha x below 0."""

    def __init__(self, alpha=0.01):
        super().__init__()
        self.alpha = alpha

    def forward(self, x):
        """Copy x and shrink what is negative."""
        below = self._kept("below", x <= 0)
        y = x.copy(order="F")
        np.multiply(y, self.alpha, out=y, where=below)
        return y

    def backward(self, dL_dy):
        """Copy the gradient and shrink it in the same places."""
        gradient = dL_dy.copy(order="F")
        np.multiply(gradient, self.alpha, out=gradient, where=self._buffers["below"])
        return gradient


class ReLU(LeakyReLU):
    """max(0, x)."""

    def __init__(self):
        super().__init__(alpha=0)


class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""

    def forward(self, x):
        """Take exp(-|x|), and the complement where x is negative."""
        y = np.abs(x)
        np.negative(y, out=y)
        np.exp(y, out=y)
        np.divide(np.where(x < 0, y, 1), y + 1, out=y)
        self._kept("y", y)
        return y

    def backward(self, dL_dy):
        """Return dL/dy y (1 - y)."""
        y = self._buffers["y"]
        gradient = 1 - y
        gradient *= y
        gradient *= dL_dy
        return gradient


class Tanh(Layer):
    """The hyperbolic tangent."""

    def forward(self, x):
        """Return tanh x."""
        return self._kept("y", np.tanh(x)).copy()

    def backward(self, dL_dy):
        """Return dL/dy (1 - y^2)."""
        slope = self._buffers["y"] ** 2
        np.subtract(1, slope, out=slope)
        return np.multiply(dL_dy, slope, order="F")


class Softmax(Layer):
    """Probabilities of each row."""

    def forward(self, x):
        """Shift, exponentiate and divide in one buffer."""
        y = self._kept("y", x)
        y -= y.max(axis=-1, keepdims=True)
        np.exp(y, out=y)
        y /= np.einsum("ij->i", y)[:, None]
        return y.copy(order="F")

    def backward(self, dL_dy):
        """Return y (g - sum of g y)."""
        y = self._buffers["y"]
        gradient = np.array(dL_dy, order="F")
        gradient -= np.einsum("ij,ij->i", y, dL_dy)[:, None]
        gradient *= y
        return gradient


class Network(Layer):
    """Layers in a row; parameters are changed in place of a copy."""

    def __init__(self, layers, loss_fn=None):
        super().__init__()
        from losses import CrossEntropyLoss

        self.layers = list(layers)
        self.loss_fn = CrossEntropyLoss() if loss_fn is None else loss_fn

    def forward(self, x):
        """Go through all layers."""
        y = x
        for number in range(len(self.layers)):
            y = self.layers[number].forward(y)
        return y

    def backward(self, loss_grad):
        """Go back through all layers."""
        gradient = loss_grad
        for number in range(len(self.layers) - 1, -1, -1):
            gradient = self.layers[number].backward(gradient)
        return gradient

    def train_step(self, x, y, lr):
        """Do one step and return the loss before it."""
        loss = self.loss_fn.forward(self.forward(x), y)
        self.backward(self.loss_fn.backward())
        for layer in self.layers:
            if hasattr(layer, "W"):
                layer.W -= lr * layer.dL_dW
                layer.b -= lr * layer.dL_db
        return loss
