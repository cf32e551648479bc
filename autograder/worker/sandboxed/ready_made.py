"""Ready-made parts of PyTorch, refused where they act: at its dispatcher, and in its Python code.

The grader sends a list of what to refuse beside the week's drivers. Each operator on it gets
kernels that only raise an error, for every backend and every way of dispatch that it has. So it
makes no difference by which name student code calls it, from a script, from another operator, in a
backward pass, in another thread or without gradients, and nothing else becomes slower. What PyTorch
has of it in Python (its optimizers, decompositions of operators) gets other code, and its files
can't be loaded again. Nothing here is undone: student code comes later, in these processes.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from types import CodeType, FrameType, FunctionType
from typing import Any, NoReturn

LIST = "refused.json"
"""The file with the list, in the folder of the week's drivers; none where nothing is refused."""

PASSED_ON = frozenset(("debug", "Tracer", "Functionalize", "ADInplaceOrView", "PythonDispatcher"))
"""Kernels that do nothing but pass a call on to others."""

STANDARD = os.path.join(os.path.dirname(os.__file__), "")
"""The folder of the standard library, which may hold that of the packages."""

KERNEL = re.compile(r"^(\w+)(?:\[alias\])?: registered at", re.MULTILINE)


def refuse(folder: str) -> None:
    """Refuse what the list in `folder` names, if there is one and torch has been imported.

    The list holds tables: "operators", a pattern for names of operators ("aten::native_norm.out");
    "code", pairs of a folder or file of torch and a pattern for names of functions defined there;
    "unread", folders and files of torch that nobody needs, and nobody may read; "instead", what is
    to be done instead. Patterns are searched for.
    """
    path = os.path.join(folder, LIST)
    if "torch" not in sys.modules or not os.path.isfile(path):
        return
    with open(path, encoding="utf-8") as file:
        tables = json.load(file)
    _refuse_operators(tables)
    _refuse_code(tables)


def _refuse_operators(tables: Iterable[dict[str, Any]]) -> None:
    """Replace the kernels of all operators that a table names."""
    torch = sys.modules["torch"]
    names = sorted(torch._C._dispatch_get_all_op_names())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of kernels that are replaced
        for table in tables:
            wanted = re.compile(table["operators"])
            for name in filter(wanted.search, names):
                _refuse_operator(torch, name, table["instead"])


def _refuse_operator(torch: Any, name: str, instead: str) -> None:
    space, _, short = name.partition("::")
    library = torch._C._dispatch_library("IMPL", space, "", __file__, 0)
    said = short.partition(".")[0]
    for key in KERNEL.findall(torch._C._dispatch_dump(name)):
        if key not in PASSED_ON:
            library.impl(short, key, _refusal(f"torch's {said}", instead))
    _keep_for_ever(library)


def _keep_for_ever(owner: Any) -> None:
    """Let nothing end an object: its end would bring the old kernels back.

    No Python object leads to it either, so student code can't find it.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(owner))


def _refusal(what: str, instead: str) -> Callable[..., NoReturn]:
    message = message_of(what, instead)

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(message)

    return refuse


def message_of(what: str, instead: str) -> str:
    """Return what the caller of something refused is told."""
    return f"{what} is not to be used in this assignment: {instead}."


# What PyTorch has in Python


def _refuse_code(tables: Iterable[dict[str, Any]]) -> None:
    """Give the functions that the tables name other code, and close the files they come from."""
    root = os.path.join(os.path.dirname(sys.modules["torch"].__file__ or ""), "")
    rules, closed = [], set()
    for table in tables:
        closed |= {os.path.join(root, place) for place in table["unread"]}
        for place, names in table["code"]:
            _load(root, place)
            rules.append((os.path.join(root, place), re.compile(names), table["instead"]))
    gc.unfreeze()  # what is frozen is not listed
    functions = [one for one in gc.get_objects() if type(one) is FunctionType]
    for function in functions:
        code = function.__code__
        for place, names, instead in rules if code.co_filename.startswith(root) else ():
            if code.co_filename.startswith(place) and names.search(code.co_name):
                what = f"{function.__module__}.{function.__qualname__}"
                function.__code__ = _refusing(code, message_of(what, instead))
                closed.add(code.co_filename)
    _close(root, closed)


def _load(root: str, place: str) -> None:
    """Import a package of torch, where this version has it, so that its functions are there."""
    if os.path.isfile(os.path.join(root, place, "__init__.py")):
        importlib.import_module("torch." + place.strip("/").replace("/", "."))


def _refusing(code: CodeType, message: str) -> CodeType:
    """Return code that raises an error, for a function with the free variables of `code`."""
    names = [f"v{number}" for number in range(len(code.co_freevars))]
    held = f"        ({', '.join(names)},)\n" if names else ""
    before = f"    {' = '.join(names)} = None\n" if names else ""
    text = f"def outer():\n{before}    def refuse(*args, **kwargs):\n"
    text += f"        raise RuntimeError({message!r})\n{held}    return refuse\n"
    space: dict[str, Any] = {}
    exec(compile(text, __file__, "exec"), space)  # our own text
    made: CodeType = space["outer"]().__code__
    return made


def _close(root: str, places: Iterable[str]) -> None:
    """Let nobody but torch (`root`) read these files and folders, nor load them again.

    torch.compile reads all files of torch, to know its version by them.
    """
    closed = tuple(place.removesuffix("py") for place in places)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and type(arguments[0]) is str:
            path = os.path.realpath(arguments[0]).replace("/__pycache__/", "/")
            if path.startswith(closed) and not _torch_reads(root):
                name = os.path.basename(path)
                raise PermissionError(f"{name} of PyTorch is not to be read in this assignment.")

    sys.addaudithook(hear)


def _torch_reads(root: str) -> bool:
    """Tell whether a file is opened by torch's code, as a text and not to be loaded."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib") and frame.f_code.co_name == "get_code":
            return False
        if not file.startswith(("<frozen ", STANDARD)) or file.startswith(root):
            return file.startswith(root)
        frame = frame.f_back
    return False
