"""Seconds from the start of a real `git push` until the public answer, and until the score.

Bare repositories on this machine, the hook in each, and week 1 of the course as it is pushed by a
student who has solved it, without the training (`mnist_mlp.py` has an open gap there). Cold: no
service runs yet. Warm: the one that the push before has started. Then ten students at once.
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
from benchmarks.rows import Row
from tests.pushing import Clone, Server

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = re.compile(r"hidden tests? (were|was) not run|Hidden tests: queued")
SCORE = re.compile(r"\d[\d.]* (?:of|/) \d[\d.]* points|Feedback", re.IGNORECASE)
AT_ONCE = 10
ROUNDS = 3
"""Each round is three gradings of one student, of whom the course takes ten a day."""

TINY = {"at_once": 1, "rounds": 1}
PUBLIC_GOAL, SCORE_GOAL, LAST_GOAL = 1.5, 3.0, 8.0
Works = list[dict[str, str]]


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


def main(at_once: int = AT_ONCE, rounds: int = ROUNDS) -> list[Row]:
    """Print the seconds of cold and warm pushes and of many; return the rows of the goals."""
    with tempfile.TemporaryDirectory() as place:
        server = Server(Path(place), ROOT, {"wait": 600})
        clones = [server.student(f"student{number}") for number in range(at_once)]
        works = [work_of(number) for number in range(at_once)]
        try:
            cold, warm = one_by_one(server, clones[0], works[0], rounds)
            many = [at_the_same_time(clones, works, turn) for turn in range(rounds)]
        finally:
            server.stop()
    print("The first push, answered in the pusher's terminal:")
    print(cold[0].said)
    last = [max(one.score for one in turn) for turn in many]
    print(f"{'':24}{'public answer':>16}{'score':>10}   ({rounds} rounds)")
    for label, found in (("cold, no service yet", cold), ("warm", warm)):
        for what, pick in (("median", statistics.median), ("longest", max)):
            public, score = (pick([getattr(one, k) for one in found]) for k in ("public", "score"))
            print(f"{f'{label}: {what}':30}{public:8.2f} s{score:8.2f} s")
    public = statistics.median(max(one.public for one in turn) for turn in many)
    print(f"{f'{at_once} at once: the last one':30}{public:8.2f} s{statistics.median(last):8.2f} s")
    answered, scored = (
        statistics.median(getattr(one, k) for one in cold) for k in ("public", "score")
    )
    return [
        Row("a cold push until the public answer", answered, PUBLIC_GOAL),
        Row("a cold push until the score", scored, SCORE_GOAL),
        Row(f"{at_once} pushes at once, the last score", statistics.median(last), LAST_GOAL),
    ]


def one_by_one(
    server: Server, clone: Clone, work: dict[str, str], rounds: int
) -> tuple[list[Seconds], list[Seconds]]:
    """Push by turns cold, to no service, and warm; the service is ended before each cold push."""
    cold: list[Seconds] = []
    warm: list[Seconds] = []
    for turn in range(rounds):
        server.stop()
        for found in (cold, warm):
            clone.commit(changed(work, f"turn {turn}, {'warm' if found is warm else 'cold'}"))
            found.append(push(clone))
    return cold, warm


def at_the_same_time(clones: list[Clone], works: Works, turn: int) -> list[Seconds]:
    """Push something new from all clones in the same moment; return the seconds of each."""
    for clone, work in zip(clones, works, strict=True):
        clone.commit(changed(work, f"at once, turn {turn}"))
    return all_at_once(clones)


def changed(work: dict[str, str], remark: str) -> dict[str, str]:
    """Return the files with a comment in one of them, so that nothing of them is known."""
    return {
        name: f"{text}\n# {remark}.\n" if name.endswith("losses.py") else text
        for name, text in work.items()
    }


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
