"""Layers that read sequences (T, N, D) step by step, and give their states (T, N, H).

The engine remembers every step, so backpropagation through time is `backward` as everywhere.
"""

from __future__ import annotations

import numpy as np

from handmade import ops
from handmade.layers import drawn, filled
from handmade.module import Module
from handmade.tensor import Tensor


class RNN(Module):
    """h_t = tanh(x_t Wx + h_{t-1} Wh + b), from zeros; Wx (D, H), Wh (H, H), b (H,)."""

    def __init__(self, input_size: int, hidden_size: int, rng: np.random.Generator) -> None:
        """Draw the weights with variance 1 / fan-in; biases are 0."""
        super().__init__()
        self.Wx = drawn(rng, (input_size, hidden_size), 1.0 / input_size)
        self.Wh = drawn(rng, (hidden_size, hidden_size), 1.0 / hidden_size)
        self.b = filled(hidden_size, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the states h_1 ... h_T as one tensor (T, N, H)."""
        from_inputs = ops.add(ops.matmul(x, self.Wx), self.b)
        h = Tensor(np.zeros_like(from_inputs.data[0]))
        states = []
        for t in range(x.shape[0]):
            h = ops.tanh(ops.add(ops.index(from_inputs, t), ops.matmul(h, self.Wh)))
            states.append(h)
        return ops.stack(states)


class LSTM(Module):
    """Long short-term memory; Wx (D, 4H), Wh (H, 4H), b (4H,) in the blocks i, f, o, g.

    c_t = f c_{t-1} + i g and h_t = o tanh(c_t), from zeros.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        rng: np.random.Generator,
        forget_bias: float = 1.0,
    ) -> None:
        """Draw the weights with variance 1 / fan-in; biases are 0, the forget gate's given."""
        super().__init__()
        self.Wx = drawn(rng, (input_size, 4 * hidden_size), 1.0 / input_size)
        self.Wh = drawn(rng, (hidden_size, 4 * hidden_size), 1.0 / hidden_size)
        self.b = filled(4 * hidden_size, 0.0)
        self.b.data[hidden_size : 2 * hidden_size] = forget_bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the states h_1 ... h_T as one tensor (T, N, H)."""
        size = self.Wh.shape[0]
        i, f, o, g = (slice(k * size, (k + 1) * size) for k in range(4))
        from_inputs = ops.add(ops.matmul(x, self.Wx), self.b)
        h = c = Tensor(np.zeros_like(from_inputs.data[0, :, :size]))
        states = []
        for t in range(x.shape[0]):
            z = ops.add(ops.index(from_inputs, t), ops.matmul(h, self.Wh))
            kept = ops.multiply(ops.sigmoid(ops.index(z, (slice(None), f))), c)
            candidate = ops.tanh(ops.index(z, (slice(None), g)))
            new = ops.multiply(ops.sigmoid(ops.index(z, (slice(None), i))), candidate)
            c = ops.add(kept, new)
            h = ops.multiply(ops.sigmoid(ops.index(z, (slice(None), o))), ops.tanh(c))
            states.append(h)
        return ops.stack(states)
