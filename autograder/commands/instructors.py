"""What instructors' commands share: a week's name, OUT as a folder, and how they are stopped."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

from autograder.commands import stopping
from autograder.commands.shared import ROOT, fail

TERMINATED_STATUS = 143


def number_of(week: str | None) -> int | None:
    """Return the number of the week that an option names. Raises CourseError where none is."""
    from autograder import course as courses

    return None if week is None else courses.load(ROOT).week_called(week).number


def demand_folder(folder: Path) -> None:
    """Raise OSError where a folder neither is there nor can be made, or takes no files.

    Nothing is made: what is refused for another reason later leaves no empty folder.
    """
    nearest = folder.absolute()
    while not os.path.lexists(nearest):
        nearest = nearest.parent
    problem = 0
    if not nearest.is_dir():
        problem = errno.EEXIST if nearest == folder.absolute() else errno.ENOTDIR
    elif os.statvfs(nearest).f_flag & os.ST_RDONLY:
        problem = errno.EROFS
    elif not os.access(nearest, os.W_OK | os.X_OK):
        problem = errno.EACCES
    if problem:
        raise OSError(problem, os.strerror(problem), str(folder))


class Terminated(KeyboardInterrupt):
    """The program was asked to end by SIGTERM: it ends as after Ctrl-C."""


@contextmanager
def when_stopped(message: str, meanwhile: str = "") -> Iterator[None]:
    """Say what Ctrl-C leaves behind, where a command says more than that it was stopped.

    `meanwhile` says at once what is waited for.
    """
    try:
        with stopping.waiting_for(meanwhile) if meanwhile else nullcontext():
            yield
    except Terminated:
        fail(f"stopped. {message}", TERMINATED_STATUS)
    except KeyboardInterrupt:
        fail(f"stopped. {message}", stopping.INTERRUPTED_STATUS)


@contextmanager
def ending_when_terminated() -> Iterator[None]:
    """Make SIGTERM, from `kill` or a batch system, raise Terminated meanwhile."""

    def end(number: int, frame: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
