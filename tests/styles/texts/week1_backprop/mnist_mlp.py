"""Two-layer network for MNIST."""

import numpy as np
from losses import CrossEntropyLoss
from neural_net import Linear, ReLU


class TwoLayerMLP:
    """784 inputs, 128 hidden units with ReLU, 10 outputs."""

    def __init__(self):
        """Create the layers and the loss."""
        self.layers = [Linear(784, 128), ReLU(), Linear(128, 10)]
        self.loss_fn = CrossEntropyLoss()

    def forward(self, x):
        """Return the logits."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dL_dy):
        """Backpropagate through all layers."""
        for layer in reversed(self.layers):
            dL_dy = layer.backward(dL_dy)

    def update_parameters(self, lr):
        """Gradient descent on all parameters."""
        for layer in self.layers:
            if isinstance(layer, Linear):
                layer.W -= lr * layer.dL_dW
                layer.b -= lr * layer.dL_db

    def train_step(self, x_batch, y_batch, lr):
        """Train on one batch and return its loss."""
        logits = self.forward(x_batch)
        loss = self.loss_fn.forward(logits, y_batch)
        self.backward(self.loss_fn.backward())
        self.update_parameters(lr)
        return loss

    def predict(self, x):
        """Return the predicted classes."""
        return np.argmax(self.forward(x), axis=1)

    def evaluate(self, x, y):
        """Return the accuracy."""
        return np.mean(self.predict(x) == y)


def train(model, x_train, y_train, x_test, y_test, epochs=5, batch_size=64, lr=0.01):
    """Train the network; print loss and accuracies after each epoch; return all losses."""
    losses = []
    for epoch in range(epochs):
        order = np.random.permutation(len(x_train))
        for start in range(0, len(x_train), batch_size):
            batch = order[start : start + batch_size]
            losses.append(model.train_step(x_train[batch], y_train[batch], lr))
        print(
            f"Epoch {epoch + 1}/{epochs}: loss {losses[-1]:.4f}, "
            f"train {model.evaluate(x_train, y_train):.4f}, "
            f"test {model.evaluate(x_test, y_test):.4f}"
        )
    return losses
