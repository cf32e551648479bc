"""`autograder hook status`: the service, the queue, today's gradings, the last pushes."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path

from autograder.course import Course
from autograder.intake.week_files import some
from autograder.integrations.push.ledger import FILE, Ledger, Push
from autograder.integrations.push.spool import Spool
from autograder.text.display import one_line


def status(course: Course, out: Path, spool: Spool) -> list[str]:
    """Return the lines to print. Raises SpoolError without a spool, LedgerError for a bad one."""
    zone = course.handing_in.zone
    holder = spool.holder()
    lines = ["No service runs: the next push starts one."]
    if holder is not None:
        lines = [f"The service runs (process {holder or '?'})."]
    arrived = spool.waiting()
    if arrived:
        lines.append(f"Arrived and not read yet: {len(arrived)}")
    path = out / "push" / FILE
    if not path.exists():
        return [*lines, "Nothing has been pushed yet."]
    ledger = Ledger(path)
    try:
        waiting = ledger.open_pushes()
        lines += [f"Not over: {len(waiting)}", *(_line(push, zone) for push in waiting)]
        today = datetime.now(UTC).astimezone(zone).date()
        counts = ledger.counts(today)
        lines.append(f"Gradings of {today}: {sum(counts.values())}")
        lines += [f"  {one_line(name, 40)}: {number}" for name, number in sorted(counts.items())]
        failed = ledger.failed()
        if failed:
            names = some(sorted({one_line(push.student, 40) for push in failed}))
            lines.append(f"Ended by our fault, and counted until they are released: {len(failed)}")
            lines.append(f"  of {names}; `autograder hook release` releases them")
        lines.append("Last pushes:")
        lines += [_line(push, zone) for push in ledger.latest(10)]
    finally:
        ledger.close()
    return lines


def _line(push: Push, zone: tzinfo) -> str:
    when = push.received.astimezone(zone)
    return (
        f"  {when:%Y-%m-%d %H:%M:%S}  {one_line(push.student, 30):20}  {push.short}  {push.state}"
    )
