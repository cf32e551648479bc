"""The students' command line: check, ci, hand-in, export classroom50. The standard library's alone.

check.py in a students' tree hands its arguments to it; the whole repository's command line offers
the same commands.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from autograder import course as courses
from autograder.course import Course, Week
from autograder.errors import AutograderError, FileError
from autograder.students.public_run import Facts
from autograder.students.selection import Selection, SelectionError
from autograder.text.display import many_lines

ROOT = Path(__file__).resolve().parents[2]
USAGE_STATUS = 2
INTERRUPTED = 130
WEEK = 'number of the week, or "project"'


def main(arguments: Sequence[str] | None = None, make: Facts | None = None) -> None:
    """Run one command and end the program. What a person can put right is a line, and status 2.

    `make` computes what a week's tests/diagnosis.json holds, where that file does not exist.
    """
    try:
        status = run(arguments, make)
    except AutograderError as error:
        status = refuse(str(error))
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:  # as of `check | head`: there is nobody to read the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:
        refusal = FileError.of(error)
        if refusal is None:
            raise
        status = refuse(str(refusal))
    raise SystemExit(status)


def refuse(message: str) -> int:
    """Print why a command can't be carried out; return the exit status."""
    print(f"autograder: {many_lines(message)}", file=sys.stderr)
    return USAGE_STATUS


def run(arguments: Sequence[str] | None = None, make: Facts | None = None) -> int:
    """Carry out one command; return its exit status."""
    options = parser().parse_args(arguments)
    carry_out: Callable[[argparse.Namespace, Facts | None], int] = options.carry_out
    return carry_out(options, make)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; `carry_out` of what it gives does the work."""
    whole = argparse.ArgumentParser(
        prog="autograder", description="The students' commands of Neural Network Foundations."
    )
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    _add_check(commands.add_parser("check", help="run the public tests on your own files"))
    _add_hand_in(commands.add_parser("hand-in", help="write the archive to hand in"))
    _add_ci(commands.add_parser("ci", help="run the public tests of all weeks that were begun"))
    exports = commands.add_parser("export", help="write results for other systems")
    formats = exports.add_subparsers(metavar="FORMAT", required=True)
    _add_classroom50(formats.add_parser("classroom50", help="Classroom 50's result.json"))
    return whole


# --- check ----------------------------------------------------------------------------------


def _add_week(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "number", nargs="?", metavar="WEEK", help=f"{WEEK}; without it: where you are"
    )
    command.add_argument("--week", help=argparse.SUPPRESS)


def _add_check(command: argparse.ArgumentParser) -> None:
    _add_week(command)
    tell = command.add_argument
    tell("--task", action="append", default=[], metavar="ID", help="only this task: week1.linear")
    tell("--test", action="append", default=[], metavar="NAME", help="only tests called like this")
    tell("--watch", action="store_true", help="check again whenever a file of the week changes")
    tell("--debug", action="store_true", help="in this process: breakpoint() in your code works")
    tell("--inputs", action="store_true", help="show what your code was called with where it fails")
    tell("--hint", metavar="ID", help="show the hints that you have seen for this task, or one")
    tell("--more", action="store_true", help="with --hint: one hint more")
    command.set_defaults(carry_out=_check)


def _check(options: argparse.Namespace, make: Facts | None) -> int:
    from autograder.students import check, hints
    from autograder.students.screen import Screen
    from autograder.students.watching import watch

    course = courses.load(ROOT)
    week = week_of(course, options.week or options.number, options.task)
    if options.hint is not None:
        hints.run(ROOT, course, week, options.hint, more=options.more)
        return 0
    selection = Selection(tuple(options.task), tuple(options.test))
    how = check.How(selection, debug=options.debug, inputs=options.inputs)

    def run_once() -> None:
        check.run(ROOT, week.number, make, how)

    if options.watch:
        watch(ROOT / "assignments" / week.folder, run_once, Screen(), time.sleep)
    else:
        run_once()
    return 0


def week_of(course: Course, name: str | None, tasks: Sequence[str] = ()) -> Week:
    """Return the week that is meant: the named one, the tasks', the folder's, or the first.

    Raises CourseError where it has no such week, SelectionError for a task in its place.
    """
    if name is not None and "." in name:
        raise SelectionError(f"{name!r} is no week", f"For one task say `--task {name}`")
    if name is not None:
        return course.week_called(name.removeprefix("week") if name[4:].isdigit() else name)
    for task in tasks:
        for week in course.weeks:
            if task.startswith(f"{week.id}."):
                return week
    inside = [week for week in course.weeks if _is_inside(ROOT / "assignments" / week.folder)]
    deepest = sorted(inside, key=lambda week: len(week.folder))
    return deepest[-1] if deepest else course.weeks[0]


def _is_inside(folder: Path) -> bool:
    return Path.cwd().resolve().is_relative_to(folder)


# --- the others -----------------------------------------------------------------------------


def _add_hand_in(command: argparse.ArgumentParser) -> None:
    _add_week(command)
    command.add_argument(
        "--out", type=Path, help="the archive; without it week<N>.zip in the course's folder"
    )
    command.set_defaults(carry_out=_hand_in)


def _hand_in(options: argparse.Namespace, make: Facts | None) -> int:
    from autograder.students import hand_in

    course = courses.load(ROOT)
    week = week_of(course, options.week or options.number)
    hand_in.run(ROOT, week.id, options.out, make)
    return 0


def _add_ci(command: argparse.ArgumentParser) -> None:
    tell = command.add_argument
    tell("--week", action="append", help=f"{WEEK}; may be repeated; without it: all begun")
    tell("--threshold", type=_percent, default=100.0, help="percent of the points to reach")
    tell("--out", type=Path, default=Path("ci-results"), help="where files for programs go")
    tell("--needs", action="store_true", help="print what has to be installed; no more")
    command.set_defaults(carry_out=_ci)


def _percent(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("must be from 0 to 100")
    return value


def _ci(options: argparse.Namespace, make: Facts | None) -> int:
    """Write junit.xml, results.json and gl-code-quality-report.json; on GitHub a summary too."""
    from autograder.students.ci import command

    if options.needs:
        print(command.needs(ROOT, make))
        return 0
    weeks, threshold, out = options.week or (), options.threshold, options.out
    return 0 if command.run(ROOT, weeks=weeks, threshold=threshold, out=out, make=make) else 1


CLASSROOM50 = (
    *("classroom", "assignment", "assignment_type", "owner"),
    *("submission", "commit", "release", "review"),
)
"""What Classroom 50 knows of a submission."""


def _add_classroom50(command: argparse.ArgumentParser) -> None:
    tell = command.add_argument
    tell("--results", type=Path, default=Path("ci-results/results.json"), help="of `autograder ci`")
    tell("--out", type=Path, default=Path("result.json"), help="the file to write")
    tell("--datetime", help="when it was committed; without it: ask git")
    for name in CLASSROOM50:
        tell(f"--{name.replace('_', '-')}", help=f"without it ${name.upper()} or the like")
    command.set_defaults(carry_out=_classroom50)


def _classroom50(options: argparse.Namespace, make: Facts | None) -> int:
    from autograder.students import classroom50 as writing

    given = {name: getattr(options, name) for name in CLASSROOM50}
    when = options.datetime or writing.committed_at(Path.cwd())
    who = writing.identity(given, os.environ, when)
    parts = courses.load(ROOT).components
    extra = [item.id for part in parts if part.extra for item in part.items]
    score, most = writing.write_result(options.results, options.out, who, extra)
    print(f"{options.out}: {score} of {most}, by the public tests alone.")
    return 0
