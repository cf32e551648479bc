"""`check --watch`: a check again after each change of the week's files, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from autograder.students.screen import Screen

LOOK_SECONDS = 0.3
SUFFIXES = (".py", ".ipynb")


def watch(
    folder: Path, check: Callable[[], None], screen: Screen, wait: Callable[[float], None]
) -> None:
    """Check now, and again whenever a source in `folder` changes. `wait` is time.sleep."""
    try:
        while True:
            before = seen(folder)
            screen.clear()
            check()
            screen.line()
            screen.line(f"{time.strftime('%H:%M:%S')}: waiting for changes. Ctrl-C ends it.", "dim")
            while seen(folder) == before:
                wait(LOOK_SECONDS)
            wait(LOOK_SECONDS)  # an editor may still be writing
    except KeyboardInterrupt:
        screen.line()


def seen(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the time and the size of each source in a folder."""
    found = {}
    for path in folder.rglob("*"):
        if path.suffix in SUFFIXES:
            try:
                status = path.stat()
            except OSError:  # it has just been replaced
                continue
            found[str(path)] = (status.st_mtime_ns, status.st_size)
    return found
