"""The commands `autograder hook install`, `status` and `serve`, without their options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from autograder import course as courses
from autograder.errors import InputError
from autograder.intake.week_files import some
from autograder.integrations.push import install as installing
from autograder.integrations.push import lost, service
from autograder.integrations.push.ledger import FILE, Ledger
from autograder.integrations.push.spool import Spool, SpoolError
from autograder.integrations.push.status import status as status_of

NOTHING = "There is nothing to release: no push that ended by our fault counts."


def install_all(
    paths: Sequence[Path],
    student: str | None,
    *,
    root: Path,
    out: Path | None,
    spool: Path,
    branch: str | None = None,
    limit: int | None = None,
    wait: int = installing.WAIT_SECONDS,
    jobs: int = 0,
) -> Iterator[str]:
    """Put the hook into repositories; yield what was done with each. See `install.install`."""
    bare = installing.repositories(paths)
    students = installing.students_of(bare, student)
    if out is not None:
        installing.make_private(out, bare[0])
    else:
        Spool(spool).make(like=bare[0])
    for path, name in students.items():
        new = not installing.has_hook(path)
        done = installing.install(
            path,
            name,
            root=root,
            out=out,
            spool=spool,
            branch=branch,
            limit=limit,
            wait=wait,
            jobs=jobs,
        )
        seen = lost.tip_of(path, branch or "") if new else ""
        lost.note(spool, lost.Known(name, path, branch or "", limit, seen), like=path)
        yield done


def status(root: Path, out: Path, spool: Path | None) -> list[str]:
    """Return what is queued and running, as lines."""
    return status_of(courses.load(root), out, Spool(spool or out / "push"))


def release(
    root: Path, out: Path, spool: Path | None, students: Sequence[str], *, again: bool
) -> list[str]:
    """Let pushes that ended by our fault count no more; return what was done, as lines.

    `students` are all for an empty one. With `again` the newest push of each is queued once more,
    if it is one of them. Raises SpoolError without a spool, InputError for a student of whom there
    is no such push.
    """
    where = Spool(spool or out / "push")
    where.waiting()
    path = out / "push" / FILE
    if not path.exists():
        return [NOTHING]
    with closing(Ledger(path)) as ledger:
        failed = [push for push in ledger.failed() if not students or push.student in students]
        unknown = sorted(set(students) - {push.student for push in failed})
        if unknown:
            problem = f"no push of {some(unknown)} ended by our fault and counts"
            raise InputError(f"{problem}. `autograder hook status` lists them.")
        newest = {push.number for push in ledger.newest_of_each()}
        zone = courses.load(root).handing_in.zone
        lines = []
        for push in failed:
            is_queued = again and push.number in newest
            (ledger.release if is_queued else ledger.uncount)(push)
            when = f"{push.received.astimezone(zone):%Y-%m-%d %H:%M}"
            then = ", and is graded again" if is_queued else ""
            lines.append(f"{push.student}: {push.short} of {when} counts no more{then}.")
    if not failed:
        return [NOTHING]
    if again and where.holder() is None:
        lines.append("No service runs: the next push starts one, or `autograder hook serve --now`.")
    return lines


def serve(root: Path, out: Path, spool: Path | None, jobs: int, *, now: bool) -> None:
    """Run a service until it is stopped, or with `now` until nothing waits any more.

    With `now`, also that is graded which waits for another day, or failed. Raises SpoolError where
    a service runs already; with `now`, that one does it.
    """
    installing.make_private(out)
    where = Spool(spool.resolve() if spool else out.resolve() / "push")
    where.make()
    if now:
        where.ask_for_release()
    try:
        if service.run(root, out.resolve(), where.path, jobs, idle=0.0 if now else None):
            return
    except service.Stopped:
        print("Stopped. What was running is taken up by the next service.", flush=True)
        os._exit(0)  # threads still wait for examiners, which end with this process
    if not now:
        problem = f"a service reads {where.path} already"
        raise SpoolError(f"{problem}. `autograder hook status` shows what it does.")
    print("The service that runs grades all that waits.")
