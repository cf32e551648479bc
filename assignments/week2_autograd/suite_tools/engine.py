"""How suites examine an autograd engine: one operation on fresh operands, value and gradients.

An operation is written once, for NumPy and for the student's objects alike (`lambda a, b: a + b`),
or twice where the two are called differently (`np.exp`, and `lambda a: a.exp()` as `apply`).

What an operation is given is no leaf: it is made of one, by a node of the test's own that has
another number than its operand and that passes its gradient on times a factor. So gradients come
out right only if `backward` goes through the graph and calls what every node keeps (`_backward`).
For engines that keep something else, they are results of `+` and `*` whose data is replaced.

`backward()` of the engine takes no argument: dL/dL is 1. So that the upstream gradient of what is
examined is another one than 1, the graph goes on after it: by a product with known numbers, or, if
that fails, by other ways that use other operations; a suite may add a last one. A mistake in one
operation can so spoil its own checks alone. What is expected is computed here for each way.
"""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle, Operand
from autograder.records import Verdict
from autograder.suite import expect
from autograder.suite.derivatives import vjp
from autograder.suite.student import Student

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}
"""Both sides work in float64, so they agree up to rounding."""

SINGLE_PRECISION = {"rtol": 1e-4, "atol": 1e-4}
"""For engines whose tensors hold float32, whatever they are made of."""

NAMES = "abcdef"
"""What operands are called in labels."""

UPSTREAM = 0.7
THREE = 3.0
"""The upstream gradient of r in r + r + r."""

Function = Callable[..., Any]
End = Callable[[Operand], Any]
"""Goes on from a result to a single number, and runs backward from there."""

Last = Callable[[Student, Any], End]
"""Makes an end that gives an upstream gradient. It is tried when all others have failed."""

_tolerances: weakref.WeakKeyDictionary[Student, dict[str, float]] = weakref.WeakKeyDictionary()


def values(student: Student, *numbers: float) -> list[Operand]:
    """Return a leaf of the student's scalar engine for each number."""
    return [student.operand(student.autograd.Value(number)) for number in numbers]


def tensors(student: Student, *arrays: Any, requires_grad: bool = True) -> list[Operand]:
    """Return a leaf of the student's array engine for each array."""
    make = student.autograd.Tensor
    return [student.operand(make(array, requires_grad=requires_grad)) for array in arrays]


def constant(student: Student, array: Any) -> Operand:
    """Return a Tensor that requires no gradient."""
    return student.operand(student.autograd.Tensor(array))


class Fed(Operand):
    """A node that is made of a leaf; its `grad` is what came to the leaf, without the factor."""

    __slots__ = ("_factor", "_leaf")

    def __init__(self, node: Handle, leaf: Handle, factor: float) -> None:
        read = object.__getattribute__
        super().__init__(read(node, "_ref"), read(node, "_ask"))
        object.__setattr__(self, "_leaf", leaf)
        object.__setattr__(self, "_factor", factor)

    def __getattr__(self, name: str) -> Any:
        if name != "grad":
            return super().__getattr__(name)
        received = self._leaf.grad
        number = type(received) in (int, float)
        numbers = type(received) is np.ndarray and received.dtype.kind in "fiu"
        return received / self._factor if number or numbers else received


Feed = Callable[..., list[Operand]]
"""Returns an operand for each of the arrays given: a `Fed` in one of two ways."""


def through_nodes(
    student: Student, arrays: Sequence[Any], rng: np.random.Generator, tensor: bool
) -> list[Operand]:
    """Return nodes of the test's own between leaves and what is examined."""
    make = student.autograd.Tensor if tensor else student.autograd.Value
    factors = [float(one) for one in rng.uniform(0.5, 2.0, len(arrays))]
    starts = [_other(array, rng) for array in arrays]
    more = [True] if tensor else []
    received = student.drive("fed", make, starts, [*arrays], factors, more)
    made = isinstance(received, tuple) and [type(one) for one in received] == [list, list]
    expect.that("operands", made, "they can't be made of the numbers and a tuple of operands.")
    leaves, nodes = received
    handles = [isinstance(one, Handle) for one in (*leaves, *nodes)] == [True] * (2 * len(arrays))
    expect.that("operands", handles, "they can't be made of the numbers and a tuple of operands.")
    return [Fed(*one) for one in zip(nodes, leaves, factors, strict=True)]


def through_squares(
    student: Student, arrays: Sequence[Any], rng: np.random.Generator, tensor: bool
) -> list[Operand]:
    """Return squares of leaves plus zero; the data of both is replaced before it is used."""
    fed: list[Operand] = []
    for array in arrays:
        start, zero = _other(array, rng), np.zeros(np.shape(array))
        [leaf] = tensors(student, start) if tensor else values(student, start)
        between = leaf + (constant(student, zero) if tensor else values(student, 0.0)[0])
        half = float(rng.uniform(0.25, 1.0))
        between.data = np.full(zero.shape, half) if tensor else half
        node = between * between
        node.data = array
        fed.append(Fed(node, leaf, 2.0 * half))
    return fed


def _other(array: Any, rng: np.random.Generator) -> Any:
    """Return numbers of the same shape that have nothing to do with those given."""
    drawn = rng.uniform(0.5, 2.5, np.shape(array))
    return drawn if type(array) is np.ndarray else float(drawn)


def with_feeds(
    student: Student, tensor: bool, look: Callable[[Feed], Any], plain: bool = True
) -> Any:
    """Call `look` with operands that nodes of the test's own make, or else squares.

    `look(feed)` gets a function of (arrays, rng) that returns operands. With `plain`, leaves will
    do for an engine that obeys a node in the simplest graph: that it goes wrong where operands have
    been computed themselves is the business of the tests of `backward`.
    """
    try:
        return look(partial(through_nodes, student, tensor=tensor))
    except Fault as fault:
        if fault.verdict is Verdict.NOT_ATTEMPTED:
            raise
        if not _obeys(student, tensor):
            return look(partial(through_squares, student, tensor=tensor))
        if not plain:
            raise
    leaves = tensors if tensor else values
    return look(lambda arrays, rng: leaves(student, *arrays))


_obeying: weakref.WeakKeyDictionary[Student, dict[bool, bool]] = weakref.WeakKeyDictionary()


def _obeys(student: Student, tensor: bool) -> bool:
    """Tell whether a node of the test's own passes its gradient on, in the simplest graph."""
    known = _obeying.setdefault(student, {})
    if tensor not in known:
        one = np.asarray(1.0) if tensor else 1.0
        try:
            [node] = through_nodes(student, [one], np.random.default_rng(), tensor)
            node.backward()
            expect.close("grad", node.grad, one)
            known[tensor] = True
        except Fault:
            known[tensor] = False
    return known[tensor]


def tolerance_of_tensors(student: Student) -> dict[str, float]:
    """Return how near a student's tensors must come: it is seen once whether they hold float32."""
    if student not in _tolerances:
        held = constant(student, np.array([1.0 / 3.0])).data
        single = type(held) is np.ndarray and held.dtype == np.float32
        _tolerances[student] = SINGLE_PRECISION if single else TOLERANCE
    return _tolerances[student]


def check_values(
    student: Student,
    label: str,
    f: Function,
    *numbers: float,
    apply: Function | None = None,
    last: Last | None = None,
) -> None:
    """Compare a scalar operation's value, and its gradients for an upstream gradient of not 1."""

    def way(feed: Feed, end: End, upstream: float) -> None:
        operands = feed(numbers, _secret(*numbers))
        result = (apply or f)(*operands)
        _check(label, f, numbers, operands, result, end, upstream, TOLERANCE)

    def look(feed: Feed) -> None:
        ends = [
            lambda: way(feed, lambda r: (r * values(student, UPSTREAM)[0]).backward(), UPSTREAM),
            lambda: way(feed, lambda r: (r + r + r).backward(), THREE),
        ]
        if last is not None:
            ends.append(lambda: way(feed, last(student, UPSTREAM), UPSTREAM))
        expect.any_of(*ends)

    with_feeds(student, False, look)


def check_tensors(
    student: Student,
    label: str,
    f: Function,
    arrays: Sequence[Any],
    upstream: Any,
    apply: Function | None = None,
    last: Last | None = None,
) -> None:
    """Compare an array operation's value and gradients. `upstream` has the shape of the result."""

    def way(feed: Feed, end: End, weights: Any) -> None:
        operands = feed(arrays, _secret(*arrays))
        result = (apply or f)(*operands)
        tolerance = tolerance_of_tensors(student)
        _check(label, f, arrays, operands, result, end, weights, tolerance)

    by_fed_ends(student, upstream, way, last=last)


def _secret(*arrays: Any) -> np.random.Generator:
    """Return a generator whose seed are the numbers of a test, which it draws itself."""
    return np.random.default_rng([zlib.crc32(np.asarray(array).tobytes()) for array in arrays])


def by_any_end(
    student: Student,
    upstream: Any,
    way: Callable[[End, np.ndarray], None],
    last: Last | None = None,
) -> None:
    """Call `way(end, upstream gradient)` with each end of `weighted_ends`; one has to pass."""
    weights = np.asarray(upstream)
    ends = weighted_ends(student, weights)
    ends += [(last(student, weights), weights)] if last is not None else []
    expect.any_of(*(lambda end=end, weights=weights: way(end, weights) for end, weights in ends))


def by_fed_ends(
    student: Student,
    upstream: Any,
    way: Callable[[Feed, End, np.ndarray], None],
    plain: bool = True,
    last: Last | None = None,
) -> None:
    """Call `way(feed, end, upstream gradient)` with each end; `with_feeds` says what feeds are."""

    def look(feed: Feed) -> None:
        by_any_end(student, upstream, partial(way, feed), last)

    with_feeds(student, True, look, plain)


def weighted_ends(student: Student, upstream: np.ndarray) -> list[tuple[End, np.ndarray]]:
    """Return ways to run backward from a result, each with the upstream gradient that it gives.

    Through * and sum; through @ (and reshape where the result is no matrix), or + for a single
    number. For engines that have none of these yet: through * alone, where backward begins with
    ones, and with the upstream gradient itself, where backward takes it.
    """

    def product(r: Operand) -> Operand:
        return r * constant(student, upstream)

    if upstream.ndim == 0:
        ends = [(lambda r: product(r).backward(), upstream)]
        ends.append((lambda r: (r + r + r).backward(), np.asarray(THREE)))
        return [*ends, (lambda r: r.backward(upstream), upstream)]
    matrix = upstream.reshape(-1, upstream.shape[-1]) if upstream.ndim > 1 else upstream[:, None]
    column, row = matrix[:, :1], matrix[:1]

    def between_vectors(r: Operand) -> Operand:
        r = r if upstream.ndim == 2 else r.reshape(*matrix.shape)
        return constant(student, column.T) @ r @ constant(student, row.T)

    return [
        (lambda r: product(r).sum().backward(), upstream),
        (lambda r: between_vectors(r).backward(), (column @ row).reshape(upstream.shape)),
        (lambda r: product(r).backward(), upstream),
        (lambda r: r.backward(upstream), upstream),
    ]


def _check(
    label: str,
    f: Function,
    at: Sequence[Any],
    leaves: list[Operand],
    result: Any,
    end: End,
    upstream: Any,
    tolerance: dict[str, float],
) -> None:
    expect.close(f"data of {label}", result.data, f(*at), **tolerance)
    end(result)
    for number, gradient in enumerate(vjp(f, at, upstream)):
        expect.close(f"{NAMES[number]}.grad of {label}", leaves[number].grad, gradient, **tolerance)


def used_twice(check: Callable[[Function, Function], None], f: Function, apply: Function) -> None:
    """Call `check` with f(...) + f(...), or with f(...) * f(...) if that fails.

    Each is a graph in which the operands of f are used by two nodes, so gradients must be added.
    """

    def way(join: Function) -> None:
        check(lambda *at: join(f(*at), f(*at)), lambda *at: join(apply(*at), apply(*at)))

    expect.any_of(lambda: way(lambda x, y: x + y), lambda: way(lambda x, y: x * y))


def refuses(label: str, call: Callable[[], Any], *named: Any) -> None:
    """`call()` raises a ValueError whose message names these numbers or shapes."""
    expect.raises(label, call, "ValueError")
    try:
        call()
    except Fault as fault:
        text = fault.message.partition("\n")[0]
    plain = text.replace(" ", "")
    missing = [str(one) for one in named if str(one).replace(" ", "") not in plain]
    message = f"the message does not name {' and '.join(missing)}; it is {text!r}."
    expect.that(f"the exception of {label}", not missing, message)


def shapes_text(*arrays: Any) -> str:
    """Return the shapes of arrays for a label: `(3, 1) and (1, 4)`."""
    return " and ".join(str(np.shape(array)) for array in arrays)
