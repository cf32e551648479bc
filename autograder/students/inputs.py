"""What a test did with a student's code, as lines of Python: the inputs of a check that fails."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle, to_refs, type_name
from autograder.channel.remote import Remote
from autograder.wire.codec import Ref
from autograder.wire.operators import decode_index

MOST_LINES = 40
"""Of a test with more, the last ones are shown: the failure comes after them."""

MOST_ENTRIES, DIGITS = 100, 8
LOOPS = ("drive", "prepare", "converse")
SYMBOLS = {"negative": "-"}


class Recorder:
    """Writes down a test's requests; objects of the student's get names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[int, str] = {}
        self._taken: dict[str, int] = {}

    @property
    def text(self) -> str:
        """The lines; the first ones are left out where there are very many."""
        left_out = len(self.lines) - MOST_LINES
        if left_out <= 0:
            return "\n".join(self.lines)
        return "\n".join([f"# {left_out} lines before these", *self.lines[left_out:]])

    def asked(self, operation: str, arguments: tuple[Any, ...]) -> str:
        """Return the expression of a request; empty for one that hands nothing to the code."""
        if operation == "import":
            return str(arguments[0]).rpartition(".")[2]
        if operation == "get":
            return f"{self._shown(arguments[0])}.{arguments[1]}"
        if operation == "call":
            target, positional, named = arguments
            given = [*map(self._shown, positional)]
            given += [f"{name}={self._shown(value)}" for name, value in named.items()]
            return f"{self._shown(target)}({', '.join(given)})"
        if operation == "operate":
            return self._operation(*arguments)
        if operation in LOOPS:
            return f"{arguments[0]}({', '.join(map(self._shown, arguments[1]))})  # a loop of ours"
        if operation in ("keep", "probe"):
            return self._shown(arguments[0]).strip("'")
        return ""

    def set(self, target: Any, name: str, value: Any) -> None:
        """Write down that an attribute was set."""
        self.lines.append(f"{self._shown(target)}.{name} = {self._shown(value)}")

    def answered(self, operation: str, expression: str, result: Any) -> None:
        """Write a request down, and name the object that it gave."""
        if not expression:
            return
        number = _number(result)
        if operation in ("import", "get", "probe"):
            if number is not None:
                self._names[number] = expression
            return
        if number is None:
            self.lines.append(expression)
            return
        name = self._new_name("x" if operation == "keep" else type_name(result))
        self._names[number] = name
        self.lines.append(f"{name} = {expression}")

    def _operation(self, symbol: str, *operands: Any) -> str:
        if symbol == "[]":
            target, index = operands
            return f"{self._shown(target)}[{_index(decode_index(index))}]"
        if len(operands) == 1:
            return f"{SYMBOLS.get(symbol, symbol)}{self._shown(operands[0])}"
        left, right = map(self._shown, operands)
        return f"{left} {symbol} {right}"

    def _new_name(self, kind: str) -> str:
        name = re.sub(r"\W", "", kind).lower() or "x"
        self._taken[name] = self._taken.get(name, 0) + 1
        return name if self._taken[name] == 1 else f"{name}{self._taken[name]}"

    def _shown(self, value: Any) -> str:
        number = _number(value)
        if number is not None:
            return self._names.get(number, "...")
        if isinstance(value, np.ndarray):
            return shown_array(value)
        if type(value) in (list, tuple):
            inside = ", ".join(map(self._shown, value))
            if type(value) is list:
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        if type(value) is dict:
            pairs = (f"{key!r}: {self._shown(one)}" for key, one in value.items())
            return f"{{{', '.join(pairs)}}}"
        return repr(value.item() if isinstance(value, np.generic) else value)


class RecordedRemote(Remote):
    """Asks a worker as Remote does, and has each request written down in `recorder`."""

    def __init__(self, recorder: Recorder, *arguments: Any):
        super().__init__(*arguments)
        self.recorder = recorder

    def __call__(self, operation: str, *arguments: Any) -> Any:
        if operation == "set":
            self.recorder.set(*arguments)
            return super().__call__(operation, *arguments)
        expression = self.recorder.asked(operation, arguments)
        try:
            result = super().__call__(operation, *arguments)
        except Fault:
            self.recorder.answered("call", expression, None)
            raise
        self.recorder.answered(operation, expression, result)
        return result


def shown_array(array: np.ndarray) -> str:
    """Return an array as Python, or its shape, dtype and range where it has many entries."""
    if array.size > MOST_ENTRIES:
        shape = " x ".join(map(str, array.shape))
        text = f"<{shape} numbers, {array.dtype}"
        if array.dtype.kind in "fiu" and np.isfinite(array).all():
            text += f", from {array.min():.4g} to {array.max():.4g}"
        return f"{text}>"
    with np.printoptions(precision=DIGITS, threshold=MOST_ENTRIES, floatmode="maxprec"):
        text = np.array2string(array, separator=", ", max_line_width=10_000)
    text = re.sub(r"\s*\n\s*", " ", text)
    dtype = "" if array.dtype in (np.float64, np.int64, np.bool_) else f", dtype={array.dtype}"
    return f"array({text}{dtype})"


def _number(value: Any) -> int | None:
    """Return the number of a student's object; None for a value."""
    if isinstance(value, Handle):
        value = to_refs(value)
    return value.number if isinstance(value, Ref) else None


def _index(index: Any) -> str:
    if isinstance(index, tuple):
        return ", ".join(map(_index, index))
    if isinstance(index, slice):
        ends = ["" if end is None else str(end) for end in (index.start, index.stop)]
        step = "" if index.step is None else f":{index.step}"
        return f"{ends[0]}:{ends[1]}{step}"
    if index is Ellipsis:
        return "..."
    return shown_array(index) if isinstance(index, np.ndarray) else repr(index)
