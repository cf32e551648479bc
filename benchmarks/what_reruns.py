"""The weeks that are graded again after a change: python -m benchmarks.what_reruns

Makes each change in a copy of this repository, works out what the results of each week and of the
training job depend on, and prints which of them have changed. Nothing is graded. Exit status 1 if
a change re-runs anything other than expected.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder import course as courses
from autograder.gpu.depends import parts_of_job
from autograder.gpu.images import Images
from autograder.gpu.job import Plan
from autograder.gradebook.looked_up import training_setting
from autograder.grading.fingerprint import HOME, Parts, parts_of_week
from autograder.grading.preview import changes as changes_of
from autograder.grading.setting import embedded_for
from autograder.grading.training_check import CHECK
from autograder.sandbox import Limits
from autograder.suite.collected_test import seed_of
from autograder.suite.week_worker import worker_of

COPIED = ("autograder", "assignments", "solutions", "data")
JOB = "training job"
COMMENT = "\n# A comment.\n"
CODE = "\n\nADDED = 1\n"
Edit = Callable[[str], str]


@dataclass(frozen=True)
class Change:
    """A change of one file, and what has to run again for it.

    `again` holds ids of weeks and JOB; ALL stands for all of them.
    """

    what: str
    file: str
    edit: Edit
    again: frozenset[str] = frozenset()


def added(text: str) -> Edit:
    """Return an edit that adds text at the end, to a file that may be new."""
    return lambda source: source + text


def replaced(old: str, new: str) -> Edit:
    """Return an edit that replaces the first occurrence of a text that must be there."""

    def edit(source: str) -> str:
        if old not in source:
            raise ValueError(f"there is no {old!r}")
        return source.replace(old, new, 1)

    return edit


def in_table_of(week: str, old: str, new: str) -> Edit:
    """Return an edit of course.toml that replaces the first `old` after a week's id."""

    def edit(source: str) -> str:
        at = source.index(f'id = "{week}"')
        return source[:at] + replaced(old, new)(source[at:])

    return edit


def points_moved(source: str) -> str:
    """Give half a point of one item of the rubric to the next."""
    relu, sigmoid = "ReLU, as a function", "the sigmoid, as a function"
    more = replaced(f'{relu}", points = 0.5', f'{relu}", points = 1')(source)
    return replaced(f'{sigmoid}", points = 1', f'{sigmoid}", points = 0.5')(more)


ROOT = Path(__file__).resolve().parents[1]
ALL = frozenset(week.id for week in courses.load(ROOT).weeks) | {JOB}
SUITES = ALL - {JOB}
WEEK2, TRAINED = frozenset(("week2",)), frozenset(("week1", "week2"))
COURSE, GRADING = "assignments/course.toml", "assignments/grading.toml"
HIDDEN = "assignments/week2_autograd/hidden/test_matmul.py"

CHANGES = (
    Change("a comment in a report", "autograder/report/terminal.py", added(COMMENT)),
    Change("code in a report", "autograder/report/terminal.py", added(CODE)),
    Change("code in an exporter", "autograder/integrations/gradebooks/canvas.py", added(CODE)),
    Change("code in the push service", "autograder/integrations/push/service.py", added(CODE)),
    Change("code in an LMS reader", "autograder/intake/lms.py", added(CODE)),
    Change("code in doctor", "autograder/sandbox/doctor.py", added(CODE)),
    Change("code in a command", "autograder/commands/app.py", added(CODE)),
    Change("code in the gradebook", "autograder/gradebook/journal.py", added(CODE)),
    Change("code of the simulated class", "autograder/author/analyses.py", added(CODE)),
    Change("a comment in the worker", "autograder/worker/dispatch.py", added(COMMENT)),
    Change("code in the worker", "autograder/worker/dispatch.py", added(CODE), ALL),
    Change("code in what both sides speak", "autograder/wire/codec.py", added(CODE), ALL),
    Change("code in the sandbox", "autograder/sandbox/limits.py", added(CODE), ALL),
    Change("code in expect", "autograder/suite/expect.py", added(CODE), ALL),
    Change(
        "code in a rule that raises flags",
        "autograder/grading/flags/source.py",
        added(CODE),
        SUITES,
    ),
    Change("code in the diagnosis", "autograder/grading/diagnosis.py", added(CODE), SUITES),
    Change(
        "code of the training job, and of measuring a network as it does",
        "autograder/gpu/assess.py",
        added(CODE),
        frozenset((JOB, "cifar")),
    ),
    Change("a hidden test of week 2", HIDDEN, added(CODE), WEEK2),
    Change("a docstring of a hidden test", HIDDEN, replaced('    """', '    """In other words: ')),
    Change("a comment in a hidden test", HIDDEN, added(COMMENT)),
    Change(
        "a helper of week 2's hidden tests",
        "assignments/week2_autograd/suite_tools/more.py",
        added(CODE),
        WEEK2,
    ),
    Change("week 2's own driver", "assignments/week2_autograd/worker/more.py", added(CODE), WEEK2),
    Change("the reference of week 2", "solutions/week2_autograd/autograd.py", added(CODE), WEEK2),
    Change(
        "a misconception of week 2",
        "solutions/week2_autograd/misconceptions_reductions.toml",
        replaced('says = """', 'says = """Look: '),
        WEEK2,
    ),
    Change(
        "a comment in week 2's misconceptions",
        "solutions/week2_autograd/misconceptions_reductions.toml",
        added(COMMENT),
    ),
    Change(
        "a public test of week 2",
        "assignments/week2_autograd/tests/test_public_tensor.py",
        added(CODE),
    ),
    Change("a handout", "assignments/week2_autograd/README.md", added("\nMore.\n")),
    Change("a stub", "assignments/week2_autograd/autograd.py", added(CODE)),
    Change("points of the rubric", "assignments/rubric.toml", points_moved),
    Change(
        "a title of the rubric",
        "assignments/rubric.toml",
        replaced('", points', ', or so", points'),
    ),
    Change(
        "a due date",
        COURSE,
        in_table_of("week2", "title =", "due = 2026-10-12T23:59:00+02:00\ntitle ="),
    ),
    Change("a week's title", COURSE, in_table_of("week2", 'title = "', 'title = "New: ')),
    Change(
        "a limit of week 2",
        COURSE,
        in_table_of("week2", "test_seconds = ", "test_seconds = 1"),
        WEEK2,
    ),
    Change(
        "how long a training may take",
        COURSE,
        in_table_of("project", "minutes = ", "minutes = 1"),
        frozenset((JOB,)),
    ),
    Change(
        "how to train on the digits",
        GRADING,
        replaced("[training.digits]\nepochs = ", "[training.digits]\nepochs = 1"),
        TRAINED,
    ),
    Change(
        "what an accuracy of the project is worth",
        GRADING,
        replaced("[0.50, 0.25], [0.80", "[0.50, 0.26], [0.80"),
        frozenset((JOB,)),
    ),
    Change("the salt", GRADING, replaced('salt = "', 'salt = "another '), ALL),
)


def depends(root: Path) -> dict[str, Parts]:
    """Return what everything depends on, in a repository that lies in `root`, by a week's id."""
    course = courses.load(root)
    parts = {}
    for week in course.weeks:
        dataset = embedded_for(week)
        parts[week.id] = parts_of_week(root, course, week, "A", dataset, home=root)
        if week.job is not None:
            few = np.zeros((2, 32, 32, 3), np.uint8)
            plan = Plan(
                week=week,
                job=week.job,
                limits=Limits(**week.limits.model_dump()),
                images=Images("none", few, few[:, 0, 0, 0], few, few[:, 0, 0, 0]),
                data=root,
                epochs=week.job.epochs,
                device="cuda",
                threads=1,
                seed=seed_of(course.salt, CHECK),
                curve=training_setting(course, week, week.job.data),
                worker=worker_of(root, week),
            )
            parts[JOB] = parts_of_job(root, plan, confined=True, home=root)
    return parts


def copy_repository(root: Path) -> None:
    """Copy what results may depend on into a new folder, without the cache of data sets."""
    ignored = shutil.ignore_patterns("__pycache__", "cache")
    for name in COPIED:
        shutil.copytree(HOME / name, root / name, ignore=ignored)


def run_again(root: Path, change: Change, before: dict[str, Parts]) -> tuple[set[str], str]:
    """Apply a change, return what must run again and the message for it, and undo it."""
    path = root / change.file
    old = path.read_text("utf-8") if path.exists() else None
    new = change.edit(old or "")
    if new == old:
        raise ValueError(f"{change.what}: the edit changes nothing in {change.file}")
    made = not path.parent.exists()
    path.parent.mkdir(exist_ok=True)
    path.write_text(new, "utf-8")
    try:
        after = depends(root)
    finally:
        if old is None:
            path.unlink()
        else:
            path.write_text(old, "utf-8")
        if made:
            path.parent.rmdir()
    again = {name for name in before if before[name] != after[name]}
    said = {changes_of(before[name], after[name]) for name in again}
    return again, " | ".join(sorted(said))


TINY = {"changes": CHANGES[:1] + CHANGES[-1:]}


def main(changes: Sequence[Change] = CHANGES) -> None:
    """Print the table. Raises SystemExit if a change re-runs anything other than expected."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        root = Path(folder)
        copy_repository(root)
        before = depends(root)
        print(f"{'a change in':44}{'runs again':34}what the instructor is told")
        for change in changes:
            again, said = run_again(root, change, before)
            names = "everything" if again == set(before) else ", ".join(sorted(again)) or "nothing"
            mark = "" if again == change.again else "  WRONG"
            wrong += bool(mark)
            print(f"{change.what:44}{names:34}{said}{mark}")
    if wrong:
        raise SystemExit(f"{wrong} of {len(changes)} changes run again what they should not")


if __name__ == "__main__":
    main()
