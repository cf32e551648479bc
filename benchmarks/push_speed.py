"""Seconds from the start of a real `git push` until the public answer, and until the score.

Bare repositories on this machine, the hook in each, and week 1 of the course as it is pushed by a
student who has solved it, without the training (`mnist_mlp.py` has an open gap there). Cold: no
service runs yet. Warm: the one that the first push has started. Then ten students at once. The
goals are 3 s and 15 s.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from autograder.author.simulate.student_week import Author
from autograder.course import load
from autograder.reference.gaps import render
from tests.pushing import Clone, Server

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = re.compile(r"hidden tests? (were|was) not run|Hidden tests: queued")
SCORE = re.compile(r"\d[\d.]* (?:of|/) \d[\d.]* points|Feedback", re.IGNORECASE)
AT_ONCE = 10


@dataclass
class Seconds:
    """When the first lines of each answer were there, after the push began."""

    public: float = 0.0
    score: float = 0.0
    said: str = ""


def timed(push: subprocess.Popen[str], started: float) -> Seconds:
    """Read a push to its end and note when what was said."""
    found = Seconds()
    assert push.stdout
    for line in push.stdout:
        found.said += line
        now = time.perf_counter() - started
        if not found.public and PUBLIC.search(line):
            found.public = now
        found.score = now  # the score is the last thing that is said
    push.wait()
    if push.returncode or not found.public:
        raise SystemExit(f"the push was not answered as expected:\n{found.said}")
    return found


def work_of(number: int) -> dict[str, str]:
    """Return week 1 as student `number` pushes it: solved, apart from the training."""
    course = load(ROOT)
    week = course.week(1)
    author = Author(course, ROOT, week, seed=number)
    files, _ = author.write(number, "full")
    source = (ROOT / "solutions" / week.folder / "mnist_mlp.py").read_text("utf-8")
    files["mnist_mlp.py"] = render(source, "mnist_mlp.py", lambda gap: gap.task == "week1.mlp")
    texts = {name: text for name, text in files.items() if isinstance(text, str)}
    texts["neural_net.py"] += f"\n# Student {number}.\n"
    return {f"assignments/{week.folder}/{name}": text for name, text in texts.items()}


def push(clone: Clone) -> Seconds:
    started = time.perf_counter()
    return timed(clone.begin(), started)


def main() -> None:
    """Push once cold, three times warm and ten times at once, and print the seconds."""
    with tempfile.TemporaryDirectory() as place:
        server = Server(Path(place), ROOT, {"wait": 600})
        clones = [server.student(f"student{number}") for number in range(AT_ONCE)]
        works = [work_of(number) for number in range(AT_ONCE)]
        try:
            clones[0].commit(works[0])
            cold = push(clones[0])
            print("\nThe first push, answered in the pusher's terminal:")
            print(cold.said)
            warm = []
            for again in range(3):
                name = next(name for name in works[0] if name.endswith("losses.py"))
                clones[0].commit({name: works[0][name] + f"\n# Attempt {again}.\n"})
                warm.append(push(clones[0]))
            for clone, files in zip(clones[1:], works[1:], strict=True):
                clone.commit(files)
            clones[0].commit({next(iter(works[0])): works[0][next(iter(works[0]))] + "\n# x\n"})
            many = all_at_once(clones)
        finally:
            server.stop()
    print(f"{'':24}{'public answer':>16}{'score':>10}")
    print(f"{'cold, no service yet':24}{cold.public:14.2f} s{cold.score:8.2f} s")
    for label, found in (("warm, of 3", warm), (f"{AT_ONCE} at once", many)):
        for what, pick in (("median", statistics.median), ("longest", max)):
            public, score = (pick([getattr(one, k) for one in found]) for k in ("public", "score"))
            print(f"{f'{label}: {what}':24}{public:14.2f} s{score:8.2f} s")


def all_at_once(clones: list[Clone]) -> list[Seconds]:
    """Push from all clones in the same moment; return the seconds of each."""
    found: list[Seconds] = []
    threads = [
        threading.Thread(target=lambda clone=clone: found.append(push(clone))) for clone in clones
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) < len(clones):
        raise SystemExit("some pushes were not answered")
    return found


if __name__ == "__main__":
    main()
