"""Parts whose formulas and numbers stay in the examiner: layers, losses, functions.

In the worker a part is a number. Each call of it becomes a question, which is answered here; so
student code can find out what a part computes by calling it, and not otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite.student import Student

from .layout import Layout


class Formula(Protocol):
    """What a part computes. Both methods raise ValueError for arrays that they can't work with."""

    forwards: int
    backwards: int

    def forward(self, *arrays: np.ndarray) -> Any:
        """Return the output for the arguments of the call, and W and b as the layer has them."""
        ...

    def backward(self, *arrays: np.ndarray) -> Any:
        """Return the gradient of the latest output: dL/dx, or [dL/dx, dL/dW, dL/db]."""
        ...


class Asked:
    """The parts of one test, and the calls of student code that may ask them."""

    def __init__(self, student: Student) -> None:
        self._student = student
        self._formulas: list[Formula] = []

    def part(self, formula: Formula, **parameters: np.ndarray) -> Handle:
        """Return a part in the worker, with parameters W and b or without any."""
        self._formulas.append(formula)
        return self._student.prepare("part", len(self._formulas) - 1, parameters)

    def become(self, layer: Handle, formula: Formula) -> None:
        """Let a layer of the student's compute a formula, and keep all else that it has."""
        self._formulas.append(formula)
        self._student.drive("become", layer, len(self._formulas) - 1)

    def call(self, function: Handle, *args: Any, **kwargs: Any) -> Any:
        """Call a function of the student's that may call parts; return its result."""
        return self._student.converse(self._answer, "begin", function, list(args), kwargs)

    def _answer(self, question: Any) -> Any:
        """Return the answer to a question of the worker's, a text where there is none."""
        if type(question) is not list or len(question) < 2 or isinstance(question[0], Handle):
            return "this is no call of a layer"
        number, step, *arrays = question
        known = type(number) is int and 0 <= number < len(self._formulas) and step in (0, 1)
        if not known or not all(type(a) is np.ndarray and a.dtype.kind in "biuf" for a in arrays):
            return "arguments have to be arrays of real numbers"
        formula = self._formulas[number]
        if step and not formula.forwards:
            return "backward of a layer comes after its forward"
        try:
            if step:
                formula.backwards += 1
                return formula.backward(*(array.astype(np.float64) for array in arrays))
            formula.forwards += 1
            return formula.forward(*(array.astype(np.float64) for array in arrays))
        except (ValueError, TypeError) as error:
            return f"these arguments don't fit: {error}"

    @property
    def backwards(self) -> int:
        """The number of calls of `backward` that all parts have had."""
        return sum(formula.backwards for formula in self._formulas)

    def asking(self, model: Handle) -> Asking:
        """Return an object of the student's whose methods may call parts."""
        return Asking(self, model)


class Asking:
    """An object of the student's: its methods run with `Asked.call`."""

    def __init__(self, asked: Asked, model: Handle) -> None:
        self._asked, self._model = asked, model

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._model, name)
        return lambda *args: self._asked.call(method, *args)


def fitting(x: np.ndarray, shape: Sequence[int | None]) -> np.ndarray:
    """Return x. Raises ValueError if it has another shape; None stands for any length."""
    if len(x.shape) != len(shape) or any(
        length not in (None, given) for length, given in zip(shape, x.shape, strict=True)
    ):
        wanted = tuple("N" if length is None else length for length in shape)
        raise ValueError(f"expected an array of shape {wanted}, got {x.shape}")
    return x


class Counted:
    """The numbers of calls that a formula has had."""

    forwards = 0
    backwards = 0


class Polynomial(Counted):
    """f(x) = sum(cubic * x^3 + waves * sin(x)) + x^T form x, for x of the shape of `cubic`.

    A central difference of the cubic part is off by exactly cubic * epsilon^2. In the last term x
    stands for all its entries in a row.
    """

    def __init__(self, cubic: np.ndarray, waves: np.ndarray, form: np.ndarray) -> None:
        self._cubic, self._waves, self._form = cubic, waves, form

    def forward(self, x: np.ndarray) -> float:
        """Return f(x)."""
        flat = np.ravel(fitting(x, self._cubic.shape))
        return float(
            np.sum(self._cubic * x**3 + self._waves * np.sin(x)) + flat @ self._form @ flat
        )

    def backward(self) -> Any:
        """Raise: a function has none."""
        raise ValueError("a function has no backward")

    def measured(self, x: np.ndarray, epsilon: float) -> np.ndarray:
        """Return the central difference with `epsilon`; with 0, the exact gradient."""
        share = np.sin(epsilon) / epsilon if epsilon else 1.0
        form = ((self._form + self._form.T) @ np.ravel(x)).reshape(x.shape)
        return self._cubic * (3 * x**2 + epsilon**2) + self._waves * share * np.cos(x) + form


class CosineLoss(Counted):
    """L = sum of cos(c y - d t) / N, a loss that notices when its arguments are swapped.

    Targets t are class indices, or arrays of the shape of the predictions y.
    """

    def __init__(self, c: float, d: float) -> None:
        self._c, self._d = c, d

    def forward(self, y: np.ndarray, t: np.ndarray) -> float:
        """Return the loss."""
        fitting(y, (None, None))
        hot = np.arange(y.shape[1]) == t[:, np.newaxis] if t.ndim == 1 else t
        self._phase = self._c * y - self._d * fitting(hot * 1.0, y.shape)
        return float(np.sum(np.cos(self._phase)) / len(y))

    def backward(self) -> np.ndarray:
        """Return dL/dy."""
        return -self._c * np.sin(self._phase) / len(self._phase)


class Curve(Counted):
    """y = p0 sin(x) + p1 x + p2 |x| + p3, entry by entry; each p may be an array of x's shape.

    `factors`, ones where the layer is right, are multiplied to the gradient. `share` of the
    upstream gradient is used, ones for the rest; `order` is that of the axes of the result.
    """

    def __init__(
        self, p: Any, factors: Any = 1.0, share: float = 1.0, order: tuple[int, int] = (0, 1)
    ) -> None:
        self._p, self._factors, self._share, self._order = p, factors, share, order

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output, of the shape of x."""
        p, self._x = self._p, fitting(x, (None, None))
        return p[0] * np.sin(x) + p[1] * x + p[2] * np.abs(x) + p[3]

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Return dL/dx, or what a wrong layer takes for it."""
        p, x = self._p, self._x
        slope = p[0] * np.cos(x) + p[1] + p[2] * np.where(x < 0.0, -1.0, 1.0)
        upstream = self._share * fitting(dL_dy, x.shape) + (1.0 - self._share)
        return np.ascontiguousarray((upstream * slope * self._factors).transpose(self._order))


class Pairs(Counted):
    """y[:, k] = c[k] x[:, k] x[:, k + 1]: fewer outputs than inputs; wrong with a `factor`."""

    def __init__(self, c: np.ndarray, factor: float = 1.0) -> None:
        self._c, self._factor = c, factor

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the products of neighbours, shape (N, D - 1) for x of shape (N, D)."""
        self._x = fitting(x, (None, len(self._c) + 1))
        return self._c * x[:, :-1] * x[:, 1:]

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Return dL/dx, shape (N, D)."""
        upstream = self._factor * self._c * fitting(dL_dy, (len(self._x), len(self._c)))
        result = np.zeros_like(self._x)
        result[:, :-1] += upstream * self._x[:, 1:]
        result[:, 1:] += upstream * self._x[:, :-1]
        return result


FLAT = Layout(transposed=False, axes=(-1,))


class Mixer(Counted):
    """y = size (sin(c x + d) W^T + b^2), a layer with W of shape (M, D) and b of (M,), in a form.

    `w` and `v`, ones where the layer is right, are multiplied to the gradients of W and b; `share`
    is as for `Curve`, for these gradients.
    """

    def __init__(
        self,
        sizes: tuple[int, int],
        c: float,
        d: float,
        form: Layout = FLAT,
        *,
        size: float = 1.0,
        w: Any = 1.0,
        v: Any = 1.0,
        share: float = 1.0,
    ) -> None:
        self.sizes, self._c, self._d, self._form = sizes, c, d, form
        self._w, self._v, self._size, self._share = w, v, size, share

    def forward(self, x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the output, shape (N, M) for x of shape (N, D), and W and b in the form."""
        outputs, inputs = self.sizes
        self._W = fitting(self._form.back(W), (outputs, inputs))
        self._b = fitting(self._form.back(b), (outputs,))
        self._phase = self._c * fitting(x, (None, inputs)) + self._d
        return self._size * (np.sin(self._phase) @ self._W.T + self._b**2)

    def backward(self, dL_dy: np.ndarray) -> list[np.ndarray]:
        """Return dL/dx, dL/dW and dL/db, the last two in the form."""
        fitting(dL_dy, (len(self._phase), self.sizes[0]))
        upstream = self._size * (self._share * dL_dy + (1.0 - self._share))
        W = (upstream.T @ np.sin(self._phase)) * self._w
        b = 2.0 * self._b * upstream.sum(axis=0) * self._v
        x = self._size * self._c * (dL_dy @ self._W) * np.cos(self._phase)
        return [x, self._form.weights(W), self._form.biases(b)]
