"""Batch normalisation in place: running statistics are updated in their arrays; column order."""

import numpy as np


class BatchNorm1d:
    """gamma x_hat + beta."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        if num_features < 1:
            raise ValueError(f"num_features is {num_features}")
        if not eps > 0:
            raise ValueError(f"eps is {eps}")
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum is {momentum}")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.gamma, self.beta, self.running_mean, self.running_var = np.zeros((4, num_features))
        self.gamma += 1
        self.running_var += 1
        self.dL_dgamma, self.dL_dbeta = np.zeros((2, num_features))
        self.training = True

    def train(self):
        """Go over to training mode."""
        self.training = True

    def eval(self):
        """Go over to evaluation mode."""
        self.training = False

    def forward(self, x):
        """Return the normalised batch, in column order."""
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(f"shape {x.shape} instead of (N, {self.num_features})")
        self._by_batch, n = self.training, len(x)
        self._x_hat = np.array(x, order="F")
        if not self.training:
            self._x_hat -= self.running_mean
            self._root = np.sqrt(self.running_var + self.eps)
        else:
            if n < 2:
                raise ValueError(f"{n} example is too few for training; call eval()")
            mean = np.einsum("nd->d", x) / n
            self._x_hat -= mean
            squares = np.einsum("nd,nd->d", self._x_hat, self._x_hat)
            self._move(self.running_mean, mean)
            self._move(self.running_var, squares / (n - 1))
            self._root = np.sqrt(squares / n + self.eps)
        self._x_hat /= self._root
        y = self._x_hat * self.gamma
        y += self.beta
        return y.astype(x.dtype, copy=False)

    def _move(self, running, new):
        if self.momentum != 0:
            running *= 1 - self.momentum
            running += self.momentum * new

    def backward(self, dL_dy):
        """Store the parameters' gradients, return dL/dx."""
        shape = self.gamma.shape
        self.dL_dgamma = np.einsum("nd,nd->d", dL_dy, self._x_hat).reshape(shape)
        self.dL_dbeta = np.einsum("nd->d", dL_dy).reshape(shape)
        g = np.multiply(dL_dy, self.gamma, order="F")
        if self._by_batch:
            along = np.einsum("nd,nd->d", g, self._x_hat) / len(g)
            g -= g.mean(axis=0)
            g -= self._x_hat * along
        g /= self._root
        return g.astype(dL_dy.dtype, copy=False)
