"""The import of a submission's modules from memory, by their own names.

A file in a folder is a module of a package: models/resnet.py is models.resnet.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import Any

RELATIVE = re.compile(rb"^[ \t]*from[ \t]+\.", re.MULTILINE)


def module_name(file: str) -> str:
    """Return the name by which a file of a submission is imported."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _beside(tree: ast.Module) -> ast.Module:
    """Make `from .a import b` mean a file beside this one, which is in no package here."""
    for owner in ast.walk(tree):
        for field, body in ast.iter_fields(owner):
            for at, node in enumerate(body) if isinstance(body, list) else ():
                if isinstance(node, ast.ImportFrom) and node.level:
                    node.level = 0
                    if node.module is None:
                        getattr(owner, field)[at] = ast.copy_location(ast.Import(node.names), node)
    return tree


def _above(name: str) -> list[str]:
    """Return the packages that a module lies in: a and a.b for a.b.c."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


class ModuleSpace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads modules from a mapping of file names to sources.

    `folder` is the apparent folder of the files in tracebacks and `__file__`. Compiled code is
    kept, so a process forked after `compile_all` imports without compiling; code compiled by
    `like`, which has the same folder, is reused for modules with equal sources.
    """

    def __init__(
        self,
        sources: Mapping[str, bytes],
        folder: str = "/submission",
        like: ModuleSpace | None = None,
    ):
        self.folder = folder
        self.sources = {module_name(file): source for file, source in sources.items()}
        self.packages = {package for name in self.sources for package in _above(name)}
        self.packages |= {module_name(file) for file in sources if file.endswith("/__init__.py")}
        self.code: dict[str, CodeType] = {}
        if like is not None:
            same = (name for name in like.code if like.sources[name] == self.sources.get(name))
            self.code = {name: like.code[name] for name in same}

    def compile_all(self) -> None:
        """Compile every module that compiles; the others fail when they are imported."""
        for name in self.sources:
            try:
                self._compile(name)
            except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
                continue  # reported when a test imports the module

    def _compile(self, name: str) -> CodeType:
        if name not in self.code:
            path = self._path(name)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as for an invalid escape "\\d"
                text = self.sources[name]
                is_alone = "." not in name and name not in self.packages
                source = (
                    _beside(ast.parse(text, path)) if is_alone and RELATIVE.search(text) else text
                )
                self.code[name] = compile(source, path, "exec", dont_inherit=True)
        return self.code[name]

    def _path(self, name: str) -> str:
        inside = "/__init__" if name in self.packages else ""
        return f"{self.folder}/{name.replace('.', '/')}{inside}.py"

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in self.packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if name not in self.sources:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=self._path(name))

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name in self.sources:
            module.__file__ = self._path(name)
            exec(self._compile(name), module.__dict__)

    def install(self) -> None:
        """Make the modules importable from now on, with precedence over all others."""
        sys.meta_path.insert(0, self)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the modules importable within the context, then restore sys.modules."""
        before = self._taken()
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            self._taken()
            sys.modules.update(before)

    def forget(self) -> None:
        """Import every module afresh from now on, as a new process would."""
        self._taken()

    def _taken(self) -> dict[str, ModuleType]:
        """Remove the modules with the names of a submission's from sys.modules; return them.

        Everything below a package is removed with it, since a submission may have a package with
        the name of one that this process has imported.
        """
        tops = {name.partition(".")[0] for name in self.sources}
        return {
            name: sys.modules.pop(name)
            for name in list(sys.modules)
            if name.partition(".")[0] in tops
        }
