"""What is said of mistakes that students make: by `check`, and by grading.

    python -m benchmarks mistakes
    python -m benchmarks.written_mistakes [--week week1] [--mistake NAME] [--processes 2] [--all]

The mistakes are those of benchmarks/mistakes/<week>.toml, written without looking at the catalogue:
each is a small edit of the solution, as an entry of the catalogue is, with the ids of the entries
that are true of it (`told`; others are wrong words). Of each it is counted

- whether `check` sees it, that is, a public test fails, and whether it explains that by what the
  students' tree brings, sealed;
- whether grading sees it (a check fails, or what is noticed is for a person to look at), and
  whether the explanation there is a true one, a wrong one, or none.

What is seen in one place alone, has no word or a wrong one, is listed; with --all every mistake is.
Exit status 1 where a word is wrong, or a mistake is seen nowhere.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder import course as courses
from autograder.course import Week
from autograder.grading.public_suite import shipped_facts
from autograder.records import FULL_CREDIT, CheckResult
from autograder.reference.misconceptions import Misconception, MisconceptionError, solution_files
from autograder.students.public_run import Files, PublicRun, Shipped
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.session import SuiteSession
from benchmarks.explanations import Bench

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(__file__).resolve().parent / "mistakes"
TINY = {"week": "week1", "mistake": "relu-mask", "processes": 1}

PATIENCE_SECONDS, OF_A_JOB = 300, 600
"""What takes longer comes to no end; where there is a training job, networks are trained."""


@dataclass(frozen=True)
class Written:
    """A mistake: the solution with an edit, and the entries of the catalogue that are true of it.

    `unseen` says why a mistake has no consequence that can be seen, where that is so.
    """

    id: str
    edit: Misconception
    told: tuple[str, ...]
    unseen: str = ""


@dataclass
class Seen:
    """What was said of one mistake: the titles of failed checks, and the entries that were told."""

    week: str
    mistake: str
    public: list[str] = field(default_factory=list)
    public_told: set[str] = field(default_factory=set)
    graded: list[str] = field(default_factory=list)
    graded_told: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    trouble: str = ""

    @property
    def nowhere(self) -> bool:
        """Whether neither `check` nor grading noticed it."""
        return not (self.public or self.graded or self.trouble)


def written(week: Week) -> list[Written]:
    """Read the mistakes of a week; an edit that has no place raises MisconceptionError."""
    file = FOLDER / f"{week.id}.toml"
    rows = tomllib.loads(file.read_text("utf-8"))["mistake"] if file.is_file() else []
    found = []
    for row in rows:
        names = ("id", "module", "where", "replace", "by")
        item = f"{week.id}.quality"  # an edit needs one; it says nothing here
        edit = Misconception(**{name: row[name] for name in names}, fails=[item], says="-")
        found.append(Written(row["id"], edit, tuple(row.get("told", ())), row.get("unseen", "")))
    return found


class Grader:
    """One week's public suite, with what is shipped beside it, and its hidden suite."""

    def __init__(self, number: int):
        self.course = courses.load(ROOT)
        self.week = self.course.week(number)
        self._shipped = shipped_facts(ROOT, self.course, self.week)
        folder = ROOT / "assignments" / self.week.folder / "tests"
        self._public = SuiteSession(folder, salt="")
        self._bench = Bench(number)

    def look(self, one: Written) -> Seen:
        """Run both suites on the solution with a mistake; collect what they say."""
        reference, file = self._bench.examiner.reference, f"{one.edit.module}.py"
        text = one.edit.apply(reference[file].decode(), verify=False)
        files = {**reference, file: text.encode()}
        seen = Seen(self.week.id, one.id)
        checked = self._check(files)
        seen.public_told = {
            name
            for one in checked
            if one.advice and one.misconception
            for name in (
                {one.misconception}
                if one.misconception in self._by_id
                else self._entries(one.advice)
            )
        }
        seen.public = [one.check for one in checked if one.credit < FULL_CREDIT]
        found = self._bench.look(one.id, "written", file, one.edit.where, files)
        flags = self._bench.session.watch(LocalHost(files)) if not found.failed else []
        seen.graded = [*found.failed, *(f"for a person: {flag.rule}" for flag in flags)]
        seen.graded_told = {
            name
            for check, told in found.told.items()
            for name in (self._entries(found.said[check]) if told is None else {told})
        }
        told = seen.public_told | seen.graded_told
        seen.wrong = sorted(name for name in told if not is_true(name, one.told))
        if found.endless:
            seen.trouble = "does not come to an end"
        return seen

    @property
    def _by_id(self) -> dict[str, str]:
        return {entry.id: entry.says for entry in self._bench.examiner.catalogue}

    def _entries(self, text: str) -> set[str]:
        """Return the entries whose text stands in what is said; none for a place alone."""
        return {name for name, says in self._by_id.items() if says in text}

    def _check(self, files: Mapping[str, bytes]) -> Sequence[CheckResult]:
        outcomes = self._public.run(LocalHost(files))
        known = self._shipped
        shipped = Shipped(known["hidden_tests"], known["wrong_answers"], {}, {})
        modules = Files(dict(files))
        run = PublicRun(
            self.course, self.week, modules, shipped, self._public.plan, outcomes, printed={}
        )
        return run.results


def is_true(name: str, told: Sequence[str]) -> bool:
    """Whether an explanation is one of those that are true; of several, whether all are."""
    return all(part in told for part in name.split("+"))


def _work(channel: Any, number: int) -> None:
    """Answer what the parent asks, until it closes the channel."""
    grader = Grader(number)
    by_id = {one.id: one for one in written(grader.week)}
    channel.send(None)
    while True:
        try:
            name = channel.recv()
        except EOFError:
            return
        channel.send(grader.look(by_id[name]))


class _Worker:
    """A process for one week, replaced where a mistake ends it or does not come to an end."""

    def __init__(self, week: Week):
        self._week = week
        self._process: Any = None

    def look(self, name: str) -> Seen:
        """Return what is said of a mistake."""
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._channel, other = context.Pipe()
            arguments = (other, self._week.number)
            self._process = context.Process(target=_work, args=arguments, daemon=True)
            self._process.start()
            other.close()
            self._channel.recv()
        self._channel.send(name)
        trouble = "does not come to an end"
        try:
            if self._channel.poll(OF_A_JOB if self._week.job else PATIENCE_SECONDS):
                return self._channel.recv()
        except EOFError:
            trouble = "ends the process"
        self.close()
        return Seen(self._week.id, name, trouble=trouble)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


Report = Callable[[Seen], None]


def look(week: Week, names: Sequence[str], processes: int, report: Report) -> list[Seen]:
    """Look at mistakes of a week, in several processes; `report` gets each as it is known."""

    def piece(part: Sequence[str]) -> list[Seen]:
        worker, found = _Worker(week), list[Seen]()
        try:
            for name in part:
                found.append(worker.look(name))
                report(found[-1])
        finally:
            worker.close()
        return found

    parts = [names[start::processes] for start in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        return [one for rows in pool.map(piece, filter(None, parts)) for one in rows]


COLUMNS = ("mistakes", "check saw", "named", "graded saw", "named", "wrong word", "not seen")


def table(found: Sequence[Seen], unseen: Mapping[tuple[str, str], str]) -> str:
    """Return a line of numbers for each week, and one for all."""
    lines = [f"{'':10}" + "".join(f"{name:>12}" for name in COLUMNS)]
    weeks = dict.fromkeys(one.week for one in found)
    for week in [*weeks, "all"]:
        ones = [one for one in found if week in (one.week, "all")]
        count = Counter[str]()
        for one in ones:
            count["public"] += bool(one.public)
            count["public told"] += bool(one.public_told)
            count["graded"] += bool(one.graded)
            count["graded told"] += bool(one.graded_told)
            count["wrong"] += bool(one.wrong)
            count["nowhere"] += one.nowhere and (one.week, one.mistake) not in unseen
        names = ("public", "public told", "graded", "graded told", "wrong", "nowhere")
        numbers = [len(ones), *(count[name] for name in names)]
        lines.append(f"{week:10}" + "".join(f"{number:12}" for number in numbers))
    return "\n".join(lines)


def said(one: Seen) -> str:
    """Return what was said of one mistake, in a few lines."""
    lines = [f"{one.week} {one.mistake}" + (f": {one.trouble}" if one.trouble else "")]
    for where, checks, told in (
        ("check", one.public, one.public_told),
        ("grading", one.graded, one.graded_told),
    ):
        short = ", ".join(check.rpartition("::")[2] for check in checks[:4])
        more = f" and {len(checks) - 4} more" if len(checks) > 4 else ""
        lines.append(f"    {where}: {short + more or 'passes'} -> {sorted(told) or 'no word'}")
    return "\n".join([*lines, *(f"    WRONG WORD: {name}" for name in one.wrong)])


def main(week: str = "", mistake: str = "", processes: int = 2, all: bool = False) -> None:
    """Print what was said of each mistake that is not fully told, and the table."""
    course = courses.load(ROOT)
    weeks = [course.week_called(week)] if week else course.weeks
    found, unseen = list[Seen](), dict[tuple[str, str], str]()

    def report(seen: Seen) -> None:
        if all or seen.wrong or not (seen.public_told or seen.graded_told):
            print(said(seen), flush=True)

    for one in weeks:
        mistakes = [entry for entry in written(one) if mistake in entry.id]
        verify(one, mistakes)
        unseen |= {(one.id, entry.id): entry.unseen for entry in mistakes if entry.unseen}
        found += look(one, [entry.id for entry in mistakes], processes, report)
    print(f"\n{table(found, unseen)}")
    if any(one.wrong or (one.nowhere and (one.week, one.mistake) not in unseen) for one in found):
        sys.exit(1)


def verify(week: Week, mistakes: Sequence[Written]) -> None:
    """Raise a MisconceptionError with every edit that has no place in its solution."""
    files, faults = solution_files(ROOT, week), []
    for one in mistakes:
        try:
            one.edit.apply(files[f"{one.edit.module}.py"].decode())
        except (MisconceptionError, KeyError) as error:
            faults.append(str(error))
    if faults:
        raise MisconceptionError("\n".join(faults))


def command() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--week", default="", help="this week alone: its number or its id")
    parser.add_argument("--mistake", default="", help="mistakes whose id holds this text")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="say of every mistake what was said")
    main(**vars(parser.parse_args()))


if __name__ == "__main__":
    command()
