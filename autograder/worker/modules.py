"""A submission's modules, importable from memory by their own names and by nothing else.

A file in a folder is a module of a package: models/resnet.py is models.resnet.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import Any


def module_name(file: str) -> str:
    """Return the name by which a file of a submission is imported."""
    return file.removesuffix(".py").replace("/", ".")


def _above(name: str) -> list[str]:
    """Return the packages that a module lies in: a and a.b for a.b.c."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


class ModuleSpace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads modules from a mapping of file names to sources.

    `folder` is where the files seem to lie: tracebacks and `__file__` name it. Compiled code is
    kept, so a process forked from one that has called `compile_all` imports without compiling;
    what `like`, with the same folder, has compiled already is taken over where sources are equal.
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
                continue  # said where it belongs: when a test imports the module

    def _compile(self, name: str) -> CodeType:
        if name not in self.code:
            path = self._path(name)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as of a "\\d": nothing that a test asked for
                self.code[name] = compile(self.sources[name], path, "exec", dont_inherit=True)
        return self.code[name]

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name.replace('.', '/')}.py"

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in self.packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if name not in self.sources:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=self._path(name))

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name not in self.packages:
            module.__file__ = self._path(name)
            exec(self._compile(name), module.__dict__)

    def loaded(self) -> set[str]:
        """Return the files, without ".py", that have been imported while they are active."""
        return {name.replace(".", "/") for name in self.sources if name in sys.modules}

    def install(self) -> None:
        """Make the modules importable from now on; they go before everything else."""
        sys.meta_path.insert(0, self)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the modules importable for a while, then leave no trace of them in this process."""
        before = self._taken()
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            self._taken()
            sys.modules.update(before)

    def _taken(self) -> dict[str, ModuleType]:
        """Take out of sys.modules what goes by one of these modules' names; return it.

        With a package goes all that is below it: a submission may have a package of a name that
        this process knows already.
        """
        tops = {name.partition(".")[0] for name in self.sources}
        return {
            name: sys.modules.pop(name)
            for name in list(sys.modules)
            if name.partition(".")[0] in tops
        }
