"""A class on paper: results that no program ran, of any number of students, in a gradebook.

They look like those of a real class: students differ in how much they can, items in how hard they
are; mistakes are those of the catalogues; files are the solutions', so that pages find places in
them. It is for tests and benchmarks of what is written about classes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

from autograder.course import Course, Item, Week, load
from autograder.gradebook.flags import Flag
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.people import Loss, keep_people
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.reference.places import Place, item_places, places_of_mistakes

ROOT = Path(__file__).resolve().parents[1]
BOOK = "gradebook.sqlite"
WEEKS = (1, 2, 3)
CHECKS_OF_AN_ITEM = 8
DUE = datetime(2026, 10, 1, 18, tzinfo=UTC)
SECTIONS = ("A", "B", "C")
FIRST = ("Ada", "Bela", "Chen", "Dana", "Emil", "Fay", "Goran", "Hana", "Ida", "Jonas")
LAST = ("Abe", "Brown", "Costa", "Diaz", "Eze", "Fink", "Garcia", "Haddad", "Ivanov", "Jones")
MESSAGES = (
    "dL_db: 3 of 12 entries differ; the largest difference is at [2, 0]: got {0}, expected {1}.",
    "forward output: expected shape (4, 3), got (3, 4).",
    "forward output: got {0}, expected {1}.",
    "loss: expected a number, got None (is a `return`, or an assignment, missing?).",
)


def ids(students: int) -> list[str]:
    """Return the ids of a class of this size."""
    return [f"s{n:04}-{FIRST[n % 10]}-{LAST[n // 10 % 10]}".lower() for n in range(students)]


def paper_course() -> Course:
    """Return the course, with due dates."""
    course = load(ROOT)
    weeks = (
        week.model_copy(update={"due": DUE}) if week.number in WEEKS else week
        for week in course.weeks
    )
    return course.model_copy(update={"weeks": tuple(weeks)})


def fill(out: Path, students: int | Sequence[str], seed: int = 0) -> Course:
    """Write the gradebook of a class, and its roster, into `out`; return the course."""
    out.mkdir(parents=True, exist_ok=True)
    names = ids(students) if isinstance(students, int) else list(students)
    course = paper_course()
    dice = random.Random(seed)
    able = {name: min(0.98, max(0.02, dice.gauss(0.75, 0.2))) for name in names}
    if all(re.fullmatch(r"[\w.@+-]+", name) for name in names):
        rows = [f"{name},{SECTIONS[n % 3]}" for n, name in enumerate(names)]
        (out / "roster.csv").write_text("\n".join(["id,section", *rows]) + "\n", "utf-8")
    with Gradebook.open(out / BOOK) as book:
        book.start_run("none", "digits", course.salt, {})
        for week in map(course.week, WEEKS):
            _grade(book, course, week, able, dice)
        _mark(book, course, names, dice)
        losses = [
            Loss(name, "renamed", "`losses (1).py` was taken for losses.py.", "week1", "x")
            for name in names[::9]
        ]
        keep_people(book, "class", (), losses)
        book.finish_run()
    return course


def _grade(
    book: Gradebook, course: Course, week: Week, able: dict[str, float], dice: random.Random
) -> None:
    plan = list(plan_of(course, week))
    hard = {item.id: dice.uniform(-0.25, 0.2) for item in course.items(week.number)}
    submissions, jobs = {}, {}
    for name in able:
        one = _submission(name, week, dice)
        key = sha256(f"{name} {week.number} {one.fingerprint}".encode()).hexdigest()
        submissions[name] = one
        jobs[name] = GradingJob(key, name, week.number, one.fingerprint, "none")
    book.add_submissions(submissions.values(), week.number)
    book.plan_all(jobs.values(), plan, {})
    for name, job in jobs.items():
        results = list(_results(week, plan, able[name], hard, dice))
        flags = [
            Flag("loops-over-batch", "A loop over the batch.", plan[0].item, "neural_net.py:57")
        ]
        book.record(job.key, results, dice.uniform(2, 6), flags if dice.random() < 0.05 else [])


def plan_of(course: Course, week: Week) -> Iterator[PlannedCheck]:
    """Yield the made-up checks of a week."""
    for item in course.items(week.number):
        if item.kind == "auto":
            for n in range(CHECKS_OF_AN_ITEM):
                title = f"`{item.title}` does what its docstring says, part {n + 1}"
                yield PlannedCheck(f"hidden/test_{item.id}.py::test_{n}", item.id, title)


def _submission(name: str, week: Week, dice: random.Random) -> Submission:
    files = {}
    for module in week.modules:
        path = ROOT / "solutions" / week.folder / module
        files[module] = path.read_bytes() + f"\n# {name}\n".encode()
    documents = {names[0]: "0" * 64 for names in week.documents if dice.random() < 0.9}
    late = timedelta(hours=dice.expovariate(1 / 20) - 30)
    return Submission(name, files, documents=documents, received=DUE + late)


@cache
def _mistakes(folder: str, places: tuple[Place, ...]) -> list[str]:
    return [id for id, place in places_of_mistakes(ROOT, folder).items() if place in places]


def mistakes_of(week: Week, item: str) -> list[str]:
    """Return the ids of the misconceptions that are about an item's definitions."""
    return _mistakes(week.folder, tuple(item_places(ROOT, week, item)))


def _results(
    week: Week,
    plan: Sequence[PlannedCheck],
    able: float,
    hard: dict[str, float],
    dice: random.Random,
) -> Iterator[CheckResult]:
    """Yield a student's results: an item is begun or not, and has one mistake at most."""
    for start in range(0, len(plan), CHECKS_OF_AN_ITEM):
        checks = plan[start : start + CHECKS_OF_AN_ITEM]
        item = checks[0].item
        chance = able - hard[item]
        if dice.random() > chance + 0.25:
            for check in checks:
                yield CheckResult(check.id, Verdict.NOT_ATTEMPTED, message=f"{item}: fill in f")
            continue
        is_right = dice.random() < chance
        own = mistakes_of(week, item)
        mistake = dice.choice(own) if own and dice.random() < 0.6 else None
        numbers = [f"{dice.randrange(8)}.5", "-0.992502"]
        message = dice.choice(MESSAGES).format(*numbers)
        for check in checks:
            seconds = dice.expovariate(100)
            if is_right or dice.random() < 0.6:
                yield CheckResult(check.id, Verdict.PASS, FULL_CREDIT, seconds=seconds)
                continue
            said = f"Your {mistake} is `x`, and $x^2$ is asked for." if mistake else None
            yield CheckResult(
                *(check.id, Verdict.WRONG, 0, message, seconds), misconception=mistake, advice=said
            )


def _mark(book: Gradebook, course: Course, names: Sequence[str], dice: random.Random) -> None:
    """Mark half of what a person marks of week 1."""
    manual: list[Item] = [item for item in course.items(1) if item.kind == "manual"]
    marks = [
        ManualMark(name, item.id, dice.randrange(item.points + 1), "Clear; the last step is short.")
        for name in names[::2]
        for item in manual
    ]
    book.put_marks(marks)
