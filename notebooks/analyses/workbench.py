"""What the notebooks of analyses share: your modules, the look of pictures, a stopwatch."""

from __future__ import annotations

import ast
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

COURSE_FILE = Path("assignments/course.toml")
SOLUTIONS = "solutions"
CHOICE = "COURSE_MODULES"
QUICK = os.environ.get("COURSE_QUICK") == "1"
"""Whether to run with smaller sizes, so that a test of all notebooks takes a minute."""

BLUE, ORANGE, GREEN, PINK, SKY = COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"]
"""Five colours that can be told apart with any kind of colour vision (Okabe and Ito)."""

LOOK = {
    "axes.grid": True,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.figsize": (9.0, 4.0),
    "grid.color": "0.92",
    "legend.frameon": False,
    "lines.linewidth": 1.9,
}


class NotReadyError(Exception):
    """The notebook can't run yet. Jupyter shows the sentence alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"This notebook can't run yet. {self}"]


def prepare(week: int, needs: dict[str, tuple[str, ...]]) -> Path:
    """Make a week's modules importable, say which they are, and set the look of pictures.

    Args:
        week: its number.
        needs: the tasks that the notebook uses: module's file -> ids, such as "week1.linear".

    Returns:
        The course's folder.

    Raises:
        NotReadyError: if the course is not found, or if one of these tasks has a gap left.
    """
    root = course_folder()
    whose = os.environ.get(CHOICE) or (SOLUTIONS if (root / SOLUTIONS).is_dir() else "assignments")
    if whose not in (SOLUTIONS, "assignments"):
        raise NotReadyError(f"{CHOICE} is {whose!r}; it may be assignments or solutions.")
    folders = sorted(root.glob(f"{whose}/week{week}_*")) + sorted(
        root.glob(f"assignments/week{week}_*")
    )
    gaps = [gap for name, tasks in needs.items() for gap in gaps_of(folders[0] / name, tasks)]
    if gaps:
        raise NotReadyError(
            f"It needs gaps that are not filled in yet: {'; '.join(gaps)}. Fill them in, run "
            f"`make check WEEK={week}` until these tasks are green, then restart the kernel and "
            "run all cells."
        )
    sys.path[:0] = [str(folder) for folder in [*dict.fromkeys(folders), root]]
    mpl.rcParams.update(LOOK)
    print(f"The modules of week {week} come from {folders[0].relative_to(root)}.")
    return root


def course_folder() -> Path:
    """Return the folder of the course: the nearest one, upwards from here, that holds it."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / COURSE_FILE).is_file():
            return folder
    raise NotReadyError(
        f"There is no {COURSE_FILE} in {here} or above: keep the notebook in the course's folder."
    )


def gaps_of(path: Path, tasks: tuple[str, ...]) -> list[str]:
    """Return a phrase for each of the tasks that has a gap left in a module."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NotReadyError(f"The file {path.name} is missing in {path.parent}.") from None
    except SyntaxError as error:
        raise NotReadyError(f"{path.name}, line {error.lineno}, is not valid Python.") from None
    texts = {
        node.value
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Raise)
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    open_tasks = {found[1] for text in texts if (found := re.match(r"(\w+\.\w+):", text))}
    return [f"{task} in {path.name}" for task in tasks if task in open_tasks]


def seconds_of(work: Callable[[], object], at_least: float = 0.04, rounds: int = 5) -> float:
    """Return how long one call of `work` takes, in seconds: the least of several measurements.

    Each measurement repeats the call until it has lasted `at_least` seconds divided by `rounds`.
    Other programs can make a measurement longer but never shorter, so the least is the best.
    """
    work()  # the first call may have to load code and fill caches
    least = float("inf")
    for _ in range(rounds):
        calls, passed, start = 0, 0.0, time.perf_counter()
        while passed < at_least / rounds:
            work()
            calls += 1
            passed = time.perf_counter() - start
        least = min(least, passed / calls)
    return least
