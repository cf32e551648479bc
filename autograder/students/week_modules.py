"""Which week's modules a test imports: two weeks may have modules of the same name.

`pytest` runs the tests of all weeks in one process. While a test file of a week is imported, and
while one of its tests runs, the week's folder comes first on the search path, and modules that
another folder's files of the same names have made are put aside.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

HELPERS = ("tests", "suite_tools", "worker")
"""Folders of a week that are ours: they are never imported by these names."""


class WeekModules:
    """Switches between the weeks' folders; `current` is the one whose modules are imported."""

    def __init__(self) -> None:
        self.current: Path | None = None
        self._aside: dict[Path | None, dict[str, ModuleType]] = {}

    def switch(self, folder: Path | None) -> None:
        """Let `folder`, or none, be the one that modules are imported from."""
        if folder == self.current:
            return
        self._leave()
        self._enter(folder)
        importlib.invalidate_caches()

    def _leave(self) -> None:
        if self.current is None:
            return
        self._aside[self.current] = _taken(names_in(self.current))
        sys.modules.update(self._aside.pop(None, {}))
        if str(self.current) in sys.path:
            sys.path.remove(str(self.current))
        self.current = None

    def _enter(self, folder: Path | None) -> None:
        if folder is None:
            return
        self._aside[None] = _taken(names_in(folder))
        sys.modules.update(self._aside.pop(folder, {}))
        sys.path.insert(0, str(folder))
        self.current = folder


def names_in(folder: Path) -> set[str]:
    """Return the names of the modules and packages in a week's folder."""
    files = {path.stem for path in folder.glob("*.py")}
    folders = {path.name for path in folder.iterdir() if any(path.glob("*.py"))}
    return (files | folders).difference(HELPERS)


def _taken(names: set[str]) -> dict[str, ModuleType]:
    """Remove the modules of these names, and what lies below them, from sys.modules."""
    found = [name for name in sys.modules if name.partition(".")[0] in names]
    return {name: sys.modules.pop(name) for name in found}
