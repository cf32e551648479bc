"""A submission's modules, importable from memory by their bare names and by nothing else."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import Any


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
        self.sources = {name.removesuffix(".py"): source for name, source in sources.items()}
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
            path = f"{self.folder}/{name}.py"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as of a "\\d": nothing that a test asked for
                self.code[name] = compile(self.sources[name], path, "exec", dont_inherit=True)
        return self.code[name]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self.sources:
            return None
        origin = f"{self.folder}/{name}.py"
        return importlib.machinery.ModuleSpec(name, self, origin=origin)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        module.__file__ = f"{self.folder}/{name}.py"
        exec(self._compile(name), module.__dict__)

    def loaded(self) -> set[str]:
        """Return the names of these modules that have been imported while they are active."""
        return {name for name in self.sources if name in sys.modules}

    def install(self) -> None:
        """Make the modules importable from now on; they go before everything else."""
        sys.meta_path.insert(0, self)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the modules importable for a while, then leave no trace of them in this process."""
        before = {name: sys.modules.pop(name) for name in self.sources if name in sys.modules}
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            for name in self.sources:
                sys.modules.pop(name, None)
            sys.modules.update(before)
