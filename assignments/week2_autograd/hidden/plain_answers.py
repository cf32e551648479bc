"""An operation's own plain answers, for checks of a side: that uses add up, that a chain is one.

What one operation passes back, right or wrong, is asked of it alone; a graph of several is then
compared with that. Each node's `_backward` is called from here (without_backward.swept), so that
nothing depends on the engine's `backward`. Something has to be right all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.derivatives import vjp
from autograder.suite.expect import Wrong
from autograder.suite.hidden.sides import proportional, something_right
from autograder.suite.student import Student

from ..suite_tools.engine import NAMES, TOLERANCE, constant, tensors, values
from .without_backward import swept

Function = Callable[..., Any]
Arrays = Sequence[Any]


@dataclass
class Plain:
    """Operations of an engine, each asked for its value and for what it passes back.

    `right`: how many answers were right, gradients but for a factor; `wrong`: the first other one.
    """

    student: Student
    tensor: bool = True
    near: dict[str, float] = field(default_factory=lambda: dict(TOLERANCE))
    right: int = 0
    wrong: Wrong | None = None

    def answers(
        self, f: Function, apply: Function, at: Arrays, upstream: Any, fixed: Collection[int] = ()
    ) -> tuple[Any, list[Any]]:
        """Return what `apply` gives at these numbers, and the gradient of each operand.

        `f` is the same in NumPy. Tensors whose places are `fixed` require no gradient.
        """
        make = tensors if self.tensor else values
        operands = [
            constant(self.student, one) if n in fixed else make(self.student, one)[0]
            for n, one in enumerate(at)
        ]
        result = apply(*operands)
        shape, wanted = np.shape(f(*at)), vjp(f, [np.asarray(one) for one in at], upstream)
        data = expect.array("data", result.data, shape)
        swept(self.student, upstream)(result)
        gradients = [
            None if n in fixed else expect.array(f"{NAMES[n]}.grad", one.grad, np.shape(at[n]))
            for n, one in enumerate(operands)
        ]
        self._count("data", data, f(*at), at)
        for n, one in enumerate(gradients):
            if one is not None:
                self._count(f"{NAMES[n]}.grad", one, wanted[n], [upstream])
        return data, gradients

    def _count(self, label: str, received: Any, wanted: Any, given: Arrays) -> None:
        """Note whether something is right that is not what was given: that shows no work."""
        try:
            proportional(label, received, wanted, **self.near)
            alike = (np.shape(one) == np.shape(wanted) for one in given)
            pairs = zip(given, alike, strict=True)
            handed_on = any(same and np.allclose(wanted, one) for one, same in pairs)
            self.right += bool(np.any(wanted)) and not handed_on
        except Wrong as fault:
            self.wrong = self.wrong or fault

    def one_is_right(self) -> None:
        """Fail unless something was right."""
        if not self.right and self.wrong is not None:
            something_right(self._fail)

    def _fail(self) -> None:
        assert self.wrong is not None
        raise self.wrong


def uses_add_up(
    plain: Plain, label: str, f: Function, apply: Function, at: Arrays, up: Any
) -> None:
    """What two uses of the operands pass back is twice what one does."""
    _, once = plain.answers(f, apply, at, up)
    _, twice = plain.answers(
        lambda *one: f(*one) + f(*one), lambda *one: apply(*one) + apply(*one), at, up
    )
    for name, first, both in zip(NAMES, once, twice, strict=False):
        _not_zero(f"{name}.grad of {label}", first)
        # What one use passes back is asked by other tests; here, whether two are added.
        expect.repeated(
            f"{name}.grad of {label}, twice in one graph", np.asarray(2 * first), both, **plain.near
        )


def same_operand(plain: Plain, label: str, f: Function, at: Any, up: Any) -> None:
    """Where both operands are one node, it gets what the two get together."""
    _, (first, second) = plain.answers(f, f, [at, at], up)
    _, [both] = plain.answers(lambda a: f(a, a), lambda a: f(a, a), [at], up)
    _not_zero(f"a.grad of {label}", first)
    # The same: here, whether both are added.
    expect.repeated(f"a.grad of {label}", np.asarray(first + second), both, **plain.near)


def special(
    plain: Plain,
    label: str,
    f: Function,
    apply: Function,
    at: Arrays,
    up: Any,
    ordinary: Callable[[], Any],
) -> None:
    """A special case is right, but for what is wrong in the ordinary case as well.

    That is a factor of a gradient, or a gradient altogether where `ordinary`, a test, fails.
    """
    data, gradients = plain.answers(f, apply, at, up)
    expect.close(f"data of {label}", data, f(*at), **plain.near)
    plain.right += 1
    try:
        for name, received, wanted in zip(NAMES, gradients, vjp(f, at, up), strict=False):
            proportional(f"{name}.grad of {label}", received, wanted, **plain.near)
    except Wrong:
        try:
            ordinary()
        except Wrong:
            return
        raise


def chained(
    plain: Plain, label: str, steps: Sequence[tuple[Function, Function]], at: Any, up: Any
) -> None:
    """A function of a function gives, and passes back, what the two do one after the other."""
    start, data = at, [at]
    for f, apply in steps:
        ones = _kind(plain, np.ones(np.shape(f(at))))
        data.append(_kind(plain, plain.answers(f, apply, data[-1:], ones)[0]))
        at = f(at)
    gradient = up
    for (f, apply), before in zip(reversed(steps), data[-2::-1], strict=True):
        _, [gradient] = plain.answers(f, apply, [before], _kind(plain, gradient))

    def whole(which: int) -> Function:
        def run(one: Any) -> Any:
            for step in steps:
                one = step[which](one)
            return one

        return run

    value, [received] = plain.answers(whole(0), whole(1), [start], up)
    _not_zero(f"a.grad of {label}", gradient)
    # What each function does is asked by other tests; here, whether they go together.
    expect.repeated(f"data of {label}", data[-1], value, **plain.near)
    # The same.
    expect.repeated(f"a.grad of {label}", gradient, received, **plain.near)


def _kind(plain: Plain, number: Any) -> Any:
    """Return a number as a scalar engine takes it, or an array."""
    return number if plain.tensor else float(number)


def _not_zero(label: str, gradient: Any) -> None:
    """What passes back nothing shows nothing."""
    expect.differ(label, gradient, 0, "it is zero.")


def either(plain: Plain, exact: Callable[[], Any], own: Callable[[], Any]) -> None:
    """A test holds for what is right, or else for the engine's own plain answers."""
    try:
        exact()
        plain.right += 1
    except Wrong as fault:
        plain.wrong = plain.wrong or fault
        own()
