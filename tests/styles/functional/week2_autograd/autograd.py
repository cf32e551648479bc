"""The engine as functions: an operation is a function of arrays that returns value and way back."""

import math
from functools import partial, partialmethod
from numbers import Real

import numpy as np


def topological_order(root):
    """Return operands before results, by a generator that walks with a stack of iterators."""

    def walk():
        seen, stack = {id(root)}, [(root, iter(root._prev))]
        while stack:
            node, operands = stack[-1]
            new = next((one for one in operands if id(one) not in seen), None)
            if new is None:
                stack.pop()
                yield node
            else:
                seen.add(id(new))
                stack.append((new, iter(new._prev)))

    return list(walk())


# Operations on plain numbers: a value, and the local gradients.

NUMBERS = {
    "+": lambda x, y: (x + y, lambda: (1.0, 1.0)),
    "*": lambda x, y: (x * y, lambda: (y, x)),
    "relu": lambda x: (x if x > 0 else 0.0, lambda: (1.0 if x > 0 else 0.0,)),
    "exp": lambda x: with_slope_of_output(math.exp(x), lambda y: y),
    "log": lambda x: (math.log(positive(x, "log of")), lambda: (1 / x,)),
    "tanh": lambda x: with_slope_of_output(math.tanh(x), lambda y: 1 - y**2),
    "sigmoid": lambda x: with_slope_of_output((1 + math.tanh(x / 2)) / 2, lambda y: y - y**2),
}


def positive(x, what):
    """Return x, or refuse it."""
    if x <= 0:
        raise ValueError(f"{what} {x}: it must be positive")
    return x


def with_slope_of_output(y, slope):
    """Return a value whose local gradient is a function of it."""
    return y, lambda: (slope(y),)


def constant_power(x, p):
    """Return x ** p and its slope, where p belongs to the operation."""
    if x < 0 and not float(p).is_integer():
        raise ValueError(f"{x} ** {p}: the base is negative")
    return x**p, lambda: (p * x ** (p - 1) if p != 0 else 0.0,)


def power(x, y):
    """Return x ** y and both slopes."""
    z = positive(x, "power of") ** y
    return z, lambda: (y * z / x, z * math.log(x))


def node_of(op, function, *operands):
    """Apply an operation to values and link the result to them."""
    number, locals_ = function(*(operand.data for operand in operands))
    out = Value(number, operands, op)

    def _backward():
        for operand, local in zip(operands, locals_(), strict=True):
            operand.grad += out.grad * local

    out._backward = _backward
    return out


def as_value(x):
    """Return a Value as it is, a number as a leaf."""
    if isinstance(x, Value):
        return x
    if isinstance(x, Real):
        return Value(x)
    raise TypeError(f"a {type(x).__name__} is no number")


def derived(cls, lift):
    """Give a class the operators that are made of the others."""
    cls.__neg__ = lambda self: self * -1
    cls.__sub__ = lambda self, other: self + lift(other) * -1
    cls.__rsub__ = lambda self, other: lift(other) + self * -1
    cls.__truediv__ = lambda self, other: self * lift(other) ** -1
    cls.__rtruediv__ = lambda self, other: lift(other) * self**-1
    cls.__rpow__ = lambda self, other: lift(other) ** self


class Value:
    """A number that knows how it was computed; a thin class around the functions."""

    __array_ufunc__ = None

    def __init__(self, data, _children=(), _op=""):
        self.data, self.grad = float(data), 0.0
        self._prev, self._op, self._backward = set(_children), _op, lambda: None

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def _unary(self, op):
        return node_of(op, NUMBERS[op], self)

    def _binary(self, other, op):
        return node_of(op, NUMBERS[op], self, as_value(other))

    def _swapped(self, other, op):
        return node_of(op, NUMBERS[op], as_value(other), self)

    relu, exp = partialmethod(_unary, "relu"), partialmethod(_unary, "exp")
    log, tanh = partialmethod(_unary, "log"), partialmethod(_unary, "tanh")
    sigmoid = partialmethod(_unary, "sigmoid")
    __add__, __mul__ = partialmethod(_binary, op="+"), partialmethod(_binary, op="*")
    __radd__, __rmul__ = partialmethod(_swapped, op="+"), partialmethod(_swapped, op="*")

    def __pow__(self, p):
        if isinstance(p, Value):
            return node_of("**", power, self, p)
        return node_of("**", partial(constant_power, p=p), self)

    def backward(self):
        """Compute all gradients."""
        order = topological_order(self)
        for node in filter(lambda node: node._prev, order):
            node.grad = 0.0
        self.grad += 1.0
        [node._backward() for node in order[::-1]]

    def zero_grad(self):
        """Set all gradients to 0."""
        for node in topological_order(self):
            node.grad = 0.0


derived(Value, as_value)


# Operations on arrays: a value, and for each operand the way of a gradient back.


def unbroadcast(gradient, shape):
    """Sum until the shape fits."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, length in enumerate(shape):
        if length == 1 != gradient.shape[axis]:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


def array_power(x, p):
    """Return x ** p for a number p."""
    return x**p, (lambda g: g * p * x ** (p - 1) if p else 0.0 * g,)


def power_of_arrays(x, y):
    """Return x ** y for two arrays."""
    if (x <= 0).any():
        raise ValueError("every entry of the base must be positive")
    z = np.exp(y * np.log(x))
    return z, (lambda g: g * y * z / x, lambda g: g * z * np.log(x))


def product(x, y):
    """Return x @ y by NumPy's rules."""
    if min(x.ndim, y.ndim) == 0:
        raise ValueError(f"@ takes no numbers: {x.shape} @ {y.shape}")
    a, b = np.atleast_2d(x), (y.reshape(-1, 1) if y.ndim == 1 else y)
    try:
        z = np.matmul(a, b)
    except ValueError as error:
        raise ValueError(f"shapes do not go together: {x.shape} @ {y.shape}") from error
    turned = partial(np.swapaxes, axis1=-2, axis2=-1)

    def back(g):
        return g.reshape(z.shape)

    shape = (*z.shape[:-2], *([] if x.ndim == 1 else z.shape[-2:-1]),
             *([] if y.ndim == 1 else z.shape[-1:]))  # fmt: skip
    return z.reshape(shape), (
        lambda g: unbroadcast(back(g) @ turned(b), a.shape).reshape(x.shape),
        lambda g: unbroadcast(turned(a) @ back(g), b.shape).reshape(y.shape),
    )


def total(x, axis, keepdims):
    """Return the sum over axes."""
    kept = np.sum(x, axis=axis, keepdims=True)
    y = kept if keepdims else np.sum(x, axis=axis)
    return y, (lambda g: np.reshape(g, kept.shape) + np.zeros(x.shape),)


def largest(x, axis, keepdims):
    """Return the largest entries; ties share."""
    top = np.max(x, axis=axis, keepdims=True)
    ties = np.equal(x, top).astype(float)
    ties /= np.sum(ties, axis=axis, keepdims=True)
    y = top if keepdims else np.max(x, axis=axis)
    return y, (lambda g: np.reshape(g, top.shape) * ties,)


def reshaped(x, shape):
    """Return x in another shape."""
    try:
        return x.reshape(shape), (lambda g: g.reshape(x.shape),)
    except ValueError as error:
        raise ValueError(f"{x.shape} does not go into {shape}") from error


def permuted(x, axes):
    """Return x with its axes in another order."""
    back = sorted(range(x.ndim), key=lambda i: axes[i] % x.ndim)
    return x.transpose(axes), (lambda g: g.transpose(back),)


def picked(x, index):
    """Return the entries at an index."""

    def back(g):
        spread = np.zeros_like(x)
        np.add.at(spread, index, g)
        return spread

    return x[index], (back,)


ARRAYS = {
    "+": lambda x, y: (x + y, (lambda g: g, lambda g: g)),
    "*": lambda x, y: (x * y, (lambda g: g * y, lambda g: g * x)),
    "relu": lambda x: (x * (x > 0), (lambda g: g * (x > 0),)),
    "exp": lambda x: (lambda y: (y, (lambda g: g * y,)))(np.exp(x)),
    "log": lambda x: (np.log(x), (lambda g: g / x,)),
    "tanh": lambda x: (lambda y: (y, (lambda g: g * (1 - y**2),)))(np.tanh(x)),
}


class no_grad:
    """Within it, results remember nothing."""

    open_blocks = 0

    def __enter__(self):
        type(self).open_blocks += 1

    def __exit__(self, *problem):
        type(self).open_blocks -= 1
        return False


def tensor_of(op, function, *operands):
    """Apply an operation to tensors and link the result to them."""
    array, ways = function(*(operand.data for operand in operands))
    if no_grad.open_blocks > 0 or not any(operand.requires_grad for operand in operands):
        return Tensor(array)
    out = Tensor(array, True, operands, op)

    def _backward():
        for operand, way in zip(operands, ways, strict=True):
            if operand.requires_grad:
                share = unbroadcast(way(out.grad), operand.shape)
                operand.grad = share + (0.0 if operand.grad is None else operand.grad)

    out._backward = _backward
    return out


def as_tensor(x):
    """Return a Tensor as it is, anything else as a leaf."""
    return x if isinstance(x, Tensor) else Tensor(x)


def one_tuple(arguments):
    """Return the ints of f(1, 2) and f((1, 2))."""
    return tuple(arguments[0]) if arguments and np.ndim(arguments[0]) else arguments


class Tensor:
    """An array that knows how it was computed; a thin class around the functions."""

    __array_ufunc__ = None

    def __init__(self, data, requires_grad=False, _children=(), _op=""):
        self.data, self.grad = np.array(data, dtype=np.float64), None
        self.requires_grad, self._prev, self._op = requires_grad, set(_children), _op
        self._backward = lambda: None

    def __getattr__(self, name):
        if name in ("shape", "ndim", "size", "item"):
            return getattr(self.data, name)
        raise AttributeError(name)

    def __repr__(self):
        return f"Tensor({self.data.tolist()})"

    def _apply(self, *others, op, swapped=False):
        operands = (self, *map(as_tensor, others))
        return tensor_of(op, ARRAYS[op], *(operands[::-1] if swapped else operands))

    relu, exp = partialmethod(_apply, op="relu"), partialmethod(_apply, op="exp")
    log, tanh = partialmethod(_apply, op="log"), partialmethod(_apply, op="tanh")
    __add__, __mul__ = partialmethod(_apply, op="+"), partialmethod(_apply, op="*")
    __radd__ = partialmethod(_apply, op="+", swapped=True)
    __rmul__ = partialmethod(_apply, op="*", swapped=True)

    def __matmul__(self, other):
        return tensor_of("@", product, self, as_tensor(other))

    def __rmatmul__(self, other):
        return as_tensor(other) @ self

    def __pow__(self, p):
        if isinstance(p, Real):
            return tensor_of("**", partial(array_power, p=p), self)
        return tensor_of("**", power_of_arrays, self, as_tensor(p))

    def sum(self, axis=None, keepdims=False):
        """Return the sum over axes."""
        return tensor_of("sum", partial(total, axis=axis, keepdims=keepdims), self)

    def max(self, axis=None, keepdims=False):
        """Return the largest entries."""
        return tensor_of("max", partial(largest, axis=axis, keepdims=keepdims), self)

    def mean(self, axis=None, keepdims=False):
        """Return the mean over axes."""
        added = self.sum(axis, keepdims)
        return added * (added.size / self.size)

    def reshape(self, *shape):
        """Return the entries in another shape."""
        return tensor_of("reshape", partial(reshaped, shape=one_tuple(shape)), self)

    def transpose(self, *axes):
        """Return the axes in another order."""
        axes = one_tuple(axes) or range(self.ndim)[::-1]
        return tensor_of("transpose", partial(permuted, axes=tuple(axes)), self)

    T = property(transpose)

    def __getitem__(self, index):
        return tensor_of("[]", partial(picked, index=index), self)

    def backward(self, gradient=None):
        """Compute all gradients."""
        if not self.requires_grad:
            raise RuntimeError("backward of a tensor that requires no gradient")
        if gradient is None:
            if self.size != 1:
                raise ValueError(f"a tensor of shape {self.shape} needs a gradient")
            gradient = np.ones(self.shape)
        first = np.array(gradient, dtype=np.float64)
        if first.shape != self.shape:
            raise ValueError(f"gradient {first.shape}, tensor {self.shape}")
        order = topological_order(self)
        for node in order:
            if node._prev:
                node.grad = None
        self.grad = first if self.grad is None else self.grad + first
        for node in reversed(order):
            node._backward()

    def zero_grad(self):
        """Forget the gradient."""
        self.grad = None


derived(Tensor, as_tensor)
