"""Handles: references to objects in the worker, by which tests read attributes and call them.

A test can pass a handle as an argument, read or set its attributes, and call it. In place of a
value (in arithmetic, a comparison, as a truth value) a handle is a wrong answer, since an object's
own methods could return any expected result. An operand, made of a handle for tests of operators,
has operators too; their results are operands, never values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.text.display import clean
from autograder.wire import codec
from autograder.wire.operators import encode_index


class Backend(Protocol):
    """Performs one operation on the student's objects and returns a value or a Handle."""

    def __call__(self, operation: str, *arguments: Any) -> Any: ...

    def converse(
        self, answer: Callable[[Any], Any], driver: str, arguments: list[Any]
    ) -> list[Any]:
        """Run a driver that asks questions; return a list with its result."""
        ...


class Handle:
    """An object in the worker. `repr` names its type only."""

    __slots__ = ("_ask", "_ref")
    __array_ufunc__ = None

    def __init__(self, ref: codec.Ref, ask: Backend):
        object.__setattr__(self, "_ref", ref)
        object.__setattr__(self, "_ask", ask)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("set", self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("call", self, list(args), kwargs)

    def __repr__(self) -> str:
        return f"<{type_name(self)} object>"

    def _no_value(self, *args: Any, **kwargs: Any) -> Any:
        """Raise Fault (WRONG); Operand replaces this method by operators."""
        text = f"Your code gave an object of type {type_name(self)}, not a value."
        raise Fault(Verdict.WRONG, text)

    __bool__ = __len__ = __iter__ = __getitem__ = __float__ = __int__ = __index__ = _no_value
    __array__ = __array_function__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_value
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _no_value
    __truediv__ = __rtruediv__ = __matmul__ = __rmatmul__ = __pow__ = __rpow__ = _no_value
    __hash__ = None  # type: ignore[assignment]  # so that hash() raises TypeError


def _binary(symbol: str) -> Callable[[Any, Any], Operand]:
    return lambda self, other: self._operate(symbol, self, other)


def _reversed(symbol: str) -> Callable[[Any, Any], Operand]:
    return lambda self, other: self._operate(symbol, other, self)


class Operand(Handle):
    """A handle with the operators + - * / ** @, negation and indexing, for values and handles.

    Handles among its attributes and the results of its calls are operands too. An operator that
    returns a plain value is a wrong answer (Fault): values must not come from an object's own
    operators.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        return operand(super().__getattr__(name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return operand(super().__call__(*args, **kwargs))

    def _operate(self, symbol: str, *operands: Any) -> Operand:
        result = operand(object.__getattribute__(self, "_ask")("operate", symbol, *operands))
        if type(result) is not Operand:
            given = "None" if result is None else f"a value of type {type(result).__name__}"
            where = "Indexing" if symbol == "[]" else f"The operator {symbol}"
            text = f"{where} on an object of type {type_name(self)} gave {given}, not an object."
            raise Fault(Verdict.WRONG, text)
        return result

    def __neg__(self) -> Operand:
        return self._operate("negative", self)

    def __getitem__(self, index: Any) -> Operand:
        return self._operate("[]", self, encode_index(index))

    __add__, __radd__ = _binary("+"), _reversed("+")
    __sub__, __rsub__ = _binary("-"), _reversed("-")
    __mul__, __rmul__ = _binary("*"), _reversed("*")
    __truediv__, __rtruediv__ = _binary("/"), _reversed("/")
    __pow__, __rpow__ = _binary("**"), _reversed("**")
    __matmul__, __rmatmul__ = _binary("@"), _reversed("@")


def operand(value: Any) -> Any:
    """Return the operand for a handle's object; values are returned as they are."""
    if not isinstance(value, Handle):
        return value
    read = object.__getattribute__
    return Operand(read(value, "_ref"), read(value, "_ask"))


def type_name(handle: Handle) -> str:
    """Return the name of the type of a handle's object, safe to print."""
    return clean(object.__getattribute__(handle, "_ref").type_name, 60).strip() or "unknown"


def to_refs(value: Any) -> Any:
    """Replace the handles in a value by the references that cross the channel."""
    if isinstance(value, Handle):
        return object.__getattribute__(value, "_ref")
    if type(value) in (list, tuple):
        return type(value)(to_refs(part) for part in value)
    if type(value) is dict:
        return {key: to_refs(part) for key, part in value.items()}
    return value


def make_handle(ask: Backend) -> Callable[[codec.Ref], Handle]:
    """Return the function that converts references to handles that use `ask`."""
    return lambda ref: Handle(ref, ask)
