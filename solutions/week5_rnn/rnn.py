"""Recurrent layers: networks that read a sequence step by step and remember what they have read.

Conventions, for every layer in this file:

- A sequence of T steps is a list of T arrays, or one array with the time as its first axis. At each
  step, N sequences with D features each are an array of shape (N, D).
- `forward(x_sequence)` returns the states h_1 ... h_T, a list of T arrays of shape (N, H). It
  starts from zeros, or from the states that are given.
- `backward(grad_sequence)` takes the gradient of the loss with respect to each of these states, as
  the loss uses it *directly*: what a state does to later ones is this method's work. Where the loss
  does not use a state, its entry may be None. The gradients belong to the latest `forward`;
  `backward` may be called again and gives the same result.
- One set of weights serves all steps, so its gradient is a sum over the steps.
- What is given is not changed. float32 in a layer with float32 weights gives float32.
- Whole batches at once: a Python loop runs over the time, and over nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Steps = Sequence[FloatArray] | FloatArray
"""A sequence: a list of T arrays of shape (N, D), or an array of shape (T, N, D)."""
Gradients = Sequence[FloatArray | None] | FloatArray


def sigmoid(z: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-z)), entry by entry. Given.

    Written with tanh, no exp overflows: sigmoid(z) = (1 + tanh(z / 2)) / 2 for every z.
    """
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def stacked(sequence: Steps, size: int) -> FloatArray:
    """Return a sequence as one array of shape (T, N, size). Given.

    Raises:
        ValueError: if it has no step, or a step has another shape.
    """
    steps = np.asarray(sequence) if isinstance(sequence, np.ndarray) else np.stack(list(sequence))
    if steps.ndim != 3 or not len(steps) or steps.shape[2] != size:
        raise ValueError(f"a sequence has shape (T, N, {size}) here, but this has {steps.shape}")
    return steps


def upstream(gradients: Gradients, like: FloatArray) -> list[FloatArray]:
    """Return a gradient for each step, zeros where there is none. `like`: shape (T, N, H). Given.

    Raises:
        ValueError: if there are more or fewer than T, or one has another shape than a state.
    """
    if len(gradients) != len(like):
        raise ValueError(f"{len(gradients)} gradients for {len(like)} steps")
    pairs = zip(gradients, like, strict=True)
    found = [
        np.zeros_like(h) if gradient is None else np.asarray(gradient) for gradient, h in pairs
    ]
    for number, gradient in enumerate(found):
        if gradient.shape != like.shape[1:]:
            shapes = f"{gradient.shape}, a state {like.shape[1:]}"
            raise ValueError(f"the gradient of step {number} has shape {shapes}")
    return found


class Accumulator:
    """Worked example: h_t = h_{t-1} + x_t W, a recurrent layer without a nonlinearity.

    The loss reaches h_t in two ways: directly, and through h_{t+1}. Here dh_{t+1}/dh_t is the
    identity, so what comes from later is added as it is, and `dh` runs from the last step to the
    first. (The state may grow without bound, which is why nobody uses it.)

    Attributes:
        W: weights, shape (D, H).
        dL_dW: gradient of the loss with respect to W, shape (D, H), set by `backward`.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        """Create the layer with weights of 0, to be filled from outside."""
        self.W: FloatArray = np.zeros((input_size, hidden_size))

    def forward(self, x_sequence: Steps) -> list[FloatArray]:
        """Return the states, a list of T arrays (N, H)."""
        self._x = stacked(x_sequence, len(self.W))
        self._h = np.cumsum(self._x @ self.W, axis=0)
        return list(self._h)

    def backward(self, grad_sequence: Gradients) -> list[FloatArray]:
        """Return the gradients with respect to x_1 ... x_T, a list of T arrays (N, D)."""
        direct = upstream(grad_sequence, self._h)
        dh = np.zeros_like(self._h[0])
        self.dL_dW, dx = np.zeros_like(self.W), []
        for t in reversed(range(len(direct))):
            dh = dh + direct[t]
            self.dL_dW = self.dL_dW + self._x[t].T @ dh
            dx.append(dh @ self.W.T)
        return dx[::-1]


class RNN:
    """A simple recurrent layer: h_t = tanh(x_t Wx + h_{t-1} Wh + b)  (Elman, 1990).

    Attributes:
        Wx: weights of the inputs, shape (D, H).
        Wh: weights of the state, shape (H, H).
        b: biases, shape (H,).
        dL_dWx, dL_dWh, dL_db: gradients of the loss, of the shapes of Wx, Wh and b.
        dL_dh0: gradient of the loss with respect to the initial state, shape (N, H).

    Weights may be replaced from outside: `forward` uses the present ones, and they must not be
    replaced between `forward` and its `backward`. The gradients are set by each `backward`.
    """

    Wx: FloatArray
    Wh: FloatArray
    b: FloatArray

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        rng: np.random.Generator | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        """Create the layer. Each weight is drawn with deviation 1 / sqrt(fan-in), biases are 0.

        Args:
            input_size: D, at least 1.
            hidden_size: H, at least 1.
            rng: draws the initial weights; None: an unpredictable one.
            dtype: of the weights, np.float64 or np.float32.
        """
        # BEGIN SOLUTION week5.rnn
        rng = np.random.default_rng() if rng is None else rng
        self.Wx = (rng.normal(size=(input_size, hidden_size)) / np.sqrt(input_size)).astype(dtype)
        self.Wh = (rng.normal(size=(hidden_size, hidden_size)) / np.sqrt(hidden_size)).astype(dtype)
        self.b = np.zeros(hidden_size, dtype)
        # END SOLUTION

    def forward(self, x_sequence: Steps, h0: FloatArray | None = None) -> list[FloatArray]:
        """Return the states h_1 ... h_T.

        Args:
            x_sequence: inputs, T arrays of shape (N, D), not changed.
            h0: the state before the first step, shape (N, H), not changed. None: zeros.

        Returns:
            A list of T arrays of shape (N, H).
        """
        # BEGIN SOLUTION week5.rnn
        self._x = stacked(x_sequence, len(self.Wx))
        from_inputs = self._x @ self.Wx + self.b
        h = np.zeros_like(from_inputs[0]) if h0 is None else np.array(h0)
        states = [h]
        for z in from_inputs:
            states.append(np.tanh(z + states[-1] @ self.Wh))
        self._h = np.stack(states)
        return list(self._h[1:].copy())
        # END SOLUTION

    def backward(self, grad_sequence: Gradients) -> list[FloatArray]:
        """Backpropagate through time.

        Args:
            grad_sequence: the direct gradients of h_1 ... h_T, T arrays of shape (N, H) or None,
                not changed.

        Returns:
            The gradients with respect to x_1 ... x_T, a list of T arrays of shape (N, D). Sets
            `dL_dWx`, `dL_dWh`, `dL_db` and `dL_dh0`.
        """
        # BEGIN SOLUTION week5.rnn_backward
        states, before = self._h[1:], self._h[:-1]
        direct = upstream(grad_sequence, states)
        dz = np.zeros_like(states)
        dh = np.zeros_like(states[0])  # what comes from the step after
        for t in reversed(range(len(states))):
            dz[t] = (direct[t] + dh) * (1.0 - states[t] ** 2)
            dh = dz[t] @ self.Wh.T
        self.dL_dWx = np.einsum("tnd,tnh->dh", self._x, dz, optimize=True)
        self.dL_dWh = np.einsum("tnd,tnh->dh", before, dz, optimize=True)
        self.dL_db = dz.sum(axis=(0, 1))
        self.dL_dh0 = dh
        return list(dz @ self.Wx.T)
        # END SOLUTION


class LSTM:
    """A long short-term memory (Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000).

    Four blocks of H numbers at each step, from one product: z = x_t Wx + h_{t-1} Wh + b, in the
    order input gate, forget gate, output gate, candidate:

        i = sigmoid(z_i)    f = sigmoid(z_f)    o = sigmoid(z_o)    g = tanh(z_g)
        c_t = f * c_{t-1} + i * g
        h_t = o * tanh(c_t)

    The order is CS231n's. PyTorch's is i, f, g, o, with two biases that are added.

    Attributes:
        Wx: weights of the inputs, shape (D, 4H): columns 0 to H - 1 are the input gate's.
        Wh: weights of the state, shape (H, 4H).
        b: biases, shape (4H,).
        c_last: the cell after the last step of the latest `forward`, shape (N, H). With the last
            state it is all that is needed to read on later.
        dL_dWx, dL_dWh, dL_db: gradients of the loss, of the shapes of Wx, Wh and b.
        dL_dh0, dL_dc0: gradients with respect to the initial state and cell, shape (N, H).

    Weights may be replaced from outside, as in `RNN`.
    """

    Wx: FloatArray
    Wh: FloatArray
    b: FloatArray
    c_last: FloatArray

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 1.0,
        *,
        rng: np.random.Generator | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        """Create the layer. Each weight is drawn with deviation 1 / sqrt(fan-in).

        Args:
            input_size: D, at least 1.
            hidden_size: H, at least 1.
            forget_bias: initial bias of the forget gate; all other biases are 0. At 0 the gate is
                half open and memory halves at each step; at 1 it keeps 73 % of it, at 3 95 %.
                (Jozefowicz et al., 2015, advise 1 or 2.)
            rng: draws the initial weights; None: an unpredictable one.
            dtype: of the weights, np.float64 or np.float32.
        """
        # BEGIN SOLUTION week5.lstm
        rng = np.random.default_rng() if rng is None else rng
        wide = 4 * hidden_size
        self.Wx = (rng.normal(size=(input_size, wide)) / np.sqrt(input_size)).astype(dtype)
        self.Wh = (rng.normal(size=(hidden_size, wide)) / np.sqrt(hidden_size)).astype(dtype)
        self.b = np.zeros(wide, dtype)
        self.b[hidden_size : 2 * hidden_size] = forget_bias
        # END SOLUTION

    def forward(
        self,
        x_sequence: Steps,
        h0: FloatArray | None = None,
        c0: FloatArray | None = None,
    ) -> list[FloatArray]:
        """Return the states h_1 ... h_T, and set `c_last`.

        Args:
            x_sequence: inputs, T arrays of shape (N, D), not changed.
            h0: the state before the first step, shape (N, H), not changed. None: zeros.
            c0: the cell before the first step, shape (N, H), not changed. None: zeros.

        Returns:
            A list of T arrays of shape (N, H).
        """
        # BEGIN SOLUTION week5.lstm
        size = len(self.Wh)
        self._x = stacked(x_sequence, len(self.Wx))
        from_inputs = self._x @ self.Wx + self.b
        zeros = np.zeros_like(from_inputs[0, :, :size])
        h, c = (zeros if start is None else np.array(start) for start in (h0, c0))
        states, cells, gates = [h], [c], []
        for z in from_inputs:
            z = z + states[-1] @ self.Wh
            gate, candidate = sigmoid(z[:, : 3 * size]), np.tanh(z[:, 3 * size :])
            i, f, o = np.split(gate, 3, axis=1)
            cells.append(f * cells[-1] + i * candidate)
            states.append(o * np.tanh(cells[-1]))
            gates.append(np.concatenate([gate, candidate], axis=1))
        self._h, self._c, self._gates = np.stack(states), np.stack(cells), np.stack(gates)
        self.c_last = self._c[-1].copy()
        return list(self._h[1:].copy())
        # END SOLUTION

    def backward(self, grad_sequence: Gradients) -> list[FloatArray]:
        """Backpropagate through time.

        A cell c_t reaches the loss in two ways: through h_t, and through c_{t+1}.

        Args:
            grad_sequence: the direct gradients of h_1 ... h_T, T arrays of shape (N, H) or None,
                not changed.

        Returns:
            The gradients with respect to x_1 ... x_T, a list of T arrays of shape (N, D). Sets
            `dL_dWx`, `dL_dWh`, `dL_db`, `dL_dh0` and `dL_dc0`.
        """
        # BEGIN SOLUTION week5.lstm_backward
        direct = upstream(grad_sequence, self._h[1:])
        dz = np.zeros_like(self._gates)
        dh = np.zeros_like(self._h[0])  # what comes from the step after
        dc = np.zeros_like(self._c[0])
        for t in reversed(range(len(direct))):
            i, f, o, g = np.split(self._gates[t], 4, axis=1)
            squashed = np.tanh(self._c[t + 1])
            dh = dh + direct[t]
            dc = dc + dh * o * (1.0 - squashed**2)
            parts = (
                dc * g * i * (1.0 - i),
                dc * self._c[t] * f * (1.0 - f),
                dh * squashed * o * (1.0 - o),
                dc * i * (1.0 - g**2),
            )
            dz[t] = np.concatenate(parts, axis=1)
            dh, dc = dz[t] @ self.Wh.T, dc * f
        self.dL_dWx = np.einsum("tnd,tnh->dh", self._x, dz, optimize=True)
        self.dL_dWh = np.einsum("tnd,tnh->dh", self._h[:-1], dz, optimize=True)
        self.dL_db = dz.sum(axis=(0, 1))
        self.dL_dh0, self.dL_dc0 = dh, dc
        return list(dz @ self.Wx.T)
        # END SOLUTION


def gradient_by_step(layer: RNN | LSTM, x_sequence: Steps, grad_last: FloatArray) -> list[float]:
    """Return how much of the last state's gradient reaches each input. Given.

    The norm of dL/dx_t for each t, divided by that of dL/dx_T, where only the last state counts:
    the last number is 1. What becomes of the first is the question of vanishing gradients.
    """
    steps = len(layer.forward(x_sequence))
    found = layer.backward([*[None] * (steps - 1), grad_last])
    norms = [float(np.linalg.norm(dx)) for dx in found]
    return [norm / norms[-1] for norm in norms]
