"""Which folders that sandboxes need are closed to the user that they run as, and what opens them.

That is asked only once no confinement has worked: a clone or an environment that was made under
umask 027 or 077 is the usual reason.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.sandbox.runtime import host_runtime, staged

OURS = Path(__file__).resolve().parent.parent


def why_closed() -> str:
    """Return which folders other users can't read, and the command for it; "" if they can.

    Only root's sandboxes run as another user.
    """
    if os.geteuid() != 0:
        return ""
    sources = [Path(mount.source) for mount in host_runtime().mounts]
    closed = sorted({_top(source) for source in sources if _is_closed(source)})
    barred = [] if staged() else sorted(_barred(sources))
    if not closed and not barred:
        return ""
    shown = ", ".join(str(path) for path in (*closed, *barred))
    commands = []
    if closed:
        commands.append(f"chmod -R o+rX {_quoted(closed)}")
    if barred:
        commands.append(f"chmod o+x {_quoted(barred)}")
    return (
        f"{shown} can't be read by other users, and sandboxes run as one "
        f"(was it made under umask 027 or 077?). This opens it: {' && '.join(commands)}"
    )


def _quoted(paths: Iterable[Path]) -> str:
    return " ".join(shlex.quote(str(path)) for path in paths)


def _top(source: Path) -> Path:
    """Return the folder to open for a source: all of ours, or all packages beside it."""
    if source.is_relative_to(OURS):
        return OURS
    for folder in source.parents:
        if folder.name in ("site-packages", "dist-packages"):
            return folder
    return source


def _is_closed(source: Path) -> bool:
    """Whether anything in a file or folder is closed to those who are neither owner nor group."""
    return any(not _open(path) for path in (source, *_below(source)))


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        if "__pycache__" in folders:
            folders.remove("__pycache__")  # what can't be read there is compiled anew
        yield from (Path(place, name) for name in (*folders, *files))


def _open(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:  # a link that leads nowhere
        return True
    needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
    return mode & needed == needed


def _barred(sources: Iterable[Path]) -> set[Path]:
    """Return the folders above these that other users can't enter."""
    above = {folder for source in sources for folder in source.absolute().parents}
    return {folder for folder in above if not folder.stat().st_mode & stat.S_IXOTH}
