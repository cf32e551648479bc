"""Seconds from the start of a `git push` to its answers: the public part, and the score.

The reference of week 1 is pushed to a bare repository on this machine, with its hook: cold (no
service runs), warm, and ten students at once. The score's time contains the training of week 1; it
is shown without that too, by what the gradebook says that training took.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import course as courses
from autograder.gradebook import Gradebook
from tests.pushing import Clone, Server

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, AT_ONCE, AGAIN = 3, 10, 5
PUBLIC, SCORE = "hidden tests were not run", "Hidden tests: graded"
GOALS = (3.0, 15.0)


@dataclass
class Times:
    """Seconds from the beginning of a push until the public answer and until the score."""

    public: float
    score: float
    training: float = 0.0


def measure(clone: Clone) -> Times:
    """Push, and note when the two answers stood in the terminal."""
    seen: dict[str, float] = {}
    started = time.perf_counter()
    push = clone.begin()
    assert push.stdout is not None
    for line in push.stdout:
        for mark in (PUBLIC, SCORE):
            if mark in line:
                seen.setdefault(mark, time.perf_counter() - started)
    if push.wait() != 0 or seen.keys() != {PUBLIC, SCORE}:
        raise SystemExit(f"the push was not answered: {sorted(seen)}")
    return Times(seen[PUBLIC], seen[SCORE])


def prepare(clone: Clone, number: int) -> None:
    """Commit the reference, which differs from every other push in a comment."""
    week = courses.load(ROOT).week(1)
    folder = ROOT / "solutions" / week.folder
    files = {name: (folder / name).read_text("utf-8") for name in week.sources}
    name = week.sources[0]
    files[name] += f"\n# {clone.folder.name} {number}\n"
    clone.commit({f"{week.folder}/{name}": text for name, text in files.items()})


def training_seconds(server: Server, student: str) -> float:
    """Return how long the training of week 1 took in a student's last grading."""
    with Gradebook.open(server.out / "gradebook.sqlite") as book:
        items = {check.id: check.item for check in book.planned(student, 1)}
        results = book.results(student, 1)
    return sum(one.seconds for one in results if items[one.check] == "week1.accuracy")


def one_by_one(server: Server, clone: Clone, *, cold: bool) -> list[Times]:
    """Push several times; cold: no service runs at the beginning of a push."""
    found = []
    for number in range(ROUNDS if cold else AGAIN):
        if cold:
            server.stop()
        prepare(clone, time.time_ns() + number)
        times = measure(clone)
        times.training = training_seconds(server, clone.folder.name)
        found.append(times)
    return found


def at_once(server: Server) -> list[Times]:
    """Have ten students push at the same time, to a service that is warm."""
    clones = [server.student(f"at-once-{number}") for number in range(AT_ONCE)]
    for clone in clones:
        prepare(clone, 0)
    found: list[Times] = []
    threads = [threading.Thread(target=lambda c=c: found.append(measure(c))) for c in clones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) != AT_ONCE:
        raise SystemExit(f"{AT_ONCE - len(found)} pushes were not answered")
    return found


def report(name: str, found: Sequence[Times]) -> None:
    """Print the median and the longest of each."""
    columns = {
        "public answer": [times.public for times in found],
        "score": [times.score for times in found],
    }
    if any(times.training for times in found):
        columns["score without training"] = [times.score - times.training for times in found]
    for column, seconds in columns.items():
        middle, most = statistics.median(seconds), max(seconds)
        print(f"  {name:12} {column:24} median {middle:5.1f} s, longest {most:5.1f} s")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name), ROOT, {"jobs": 0, "wait": 600})
        clone = server.student("ada")
        load = os.getloadavg()[0]
        print(
            f"git push of week 1's reference, {os.cpu_count()} processors, load {load:.1f} "
            f"before; goals: {GOALS[0]:.0f} s and {GOALS[1]:.0f} s without training"
        )
        try:
            report("cold", one_by_one(server, clone, cold=True))
            report("warm", one_by_one(server, clone, cold=False))
            report(f"{AT_ONCE} at once", at_once(server))
        finally:
            server.stop()
        print(f"  load at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
