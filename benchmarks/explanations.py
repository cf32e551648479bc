"""Whether explanations are true: single faults planted by a program, and the catalogue itself.

    python -m benchmarks.explanations [--faults 300] [--week week1] [--processes 2] [--strict]
                                      [--only TEXT]

Plants faults by rules that know nothing of the catalogue (benchmarks.planted), runs each week's
hidden suite on them, and lets the failures be explained. An explanation is false if its own
mistake, in each of its forms, is in another class or function than the fault, or gives anything
else in any check of the suite, with inputs that the diagnosis has not seen. Then the same for every
mistake of the catalogue, which has to be named.

The faults that no check notices are listed: each is an equivalence, which equivalent_faults.toml
says with the reason, or shows that a test is missing. Exit status 1 for a false explanation, or
with --strict for a survivor that is not listed.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import re
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autograder import course as courses
from autograder.course import Course, CourseError, Week
from autograder.grading.diagnosis import UNKNOWN, same
from autograder.grading.examiner import Examiner
from autograder.grading.setting import embedded_for
from autograder.records import FULL_CREDIT, Verdict
from autograder.reference.misconceptions import (
    Misconception,
    apply,
    apply_both,
    catalogue_of,
    solution_files,
)
from autograder.sandbox import Unconfined
from autograder.suite.hidden.disclosure import GradedOutcome
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.session import CANT_WORK, NOT_RUN, Outcome
from autograder.suite.signature import Signature, signature
from benchmarks.planted import Planted, all_faults, drawn
from tests.executed import WatchedHost, altered

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = ROOT / "benchmarks" / "equivalent_faults.toml"
FAULTS, SEED = 320, 16
TINY = {"faults": 2, "week": "week1", "catalogued": 2, "processes": 1}

PATIENCE_SECONDS = 240
"""A suite that takes longer with a fault does not come to an end. Whole ones take 6 on a quiet
machine, and explaining a network that fails everywhere up to 60."""

FRESH = "inputs that the diagnosis has not seen"
"""The salt with which an explanation's mistake is compared with the fault."""

AGAIN = "again"
"""The salt of the inputs on which failures are told, which are not those of the verdicts."""

FEWEST_WORDS = 4
"""A message with fewer says nothing that one can act on."""


@dataclass
class Found:
    """What became of a fault: messages of failed checks, explanations, and which are false.

    `told` are the entries by which failed checks are explained, None for a place alone, and `said`
    what the student reads.
    """

    name: str
    week: str
    kind: str
    failed: dict[str, str] = field(default_factory=dict)
    told: dict[str, str | None] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    false: list[str] = field(default_factory=list)
    named: bool = False
    endless: bool = False

    @property
    def survives(self) -> bool:
        """Whether no check noticed it."""
        return not self.failed and not self.endless

    @property
    def silent(self) -> list[str]:
        """The failed checks whose message says nothing that one can act on."""
        return [check for check, message in self.failed.items() if is_silent(message)]


def is_silent(message: str) -> bool:
    """Whether a message says neither what was wrong nor where."""
    return message.startswith((CANT_WORK, NOT_RUN)) or len(message.split()) < FEWEST_WORDS


class Bench:
    """One week's examiner in this process, with the reference's outcomes."""

    def __init__(self, number: int):
        dataset = embedded_for(courses.load(ROOT).week(number))
        self.examiner = Examiner(ROOT, number, Unconfined(), dataset)
        if self.examiner.week.packages:
            import torch

            torch.set_num_threads(1)
        self.session = self.examiner.session
        host = WatchedHost(self.examiner.reference)
        self._host = host
        self._executed: dict[str, set[tuple[str, str]]] = {}

        def note(outcome: Outcome) -> None:
            self._executed[outcome.result.check] = host.executed

        asked = {check.id for check in self.session.plan} - self.session.training
        self.outcomes = {o.result.check: o for o in self.session.run(host, asked, note)}
        self._fresh: dict[str, dict[str, Signature | None]] = {}

    def _reached(self, files: Mapping[str, bytes], file: str) -> set[str]:
        functions = altered(file, self.examiner.reference[file], files[file])
        return {check for check, ran in self._executed.items() if ran & functions}

    def look(self, name: str, kind: str, file: str, where: str, files: dict[str, bytes]) -> Found:
        """Run the suite on files with a fault, explain the failures, and judge that."""
        found = Found(name, self.examiner.week.id, kind)
        host = LocalHost(files, like=self._host)
        only = self._reached(files, file)
        short, long = only - self.session.long, only & self.session.long
        ran = {one.result.check: one for one in self.session.run(host, short)} if short else {}
        if long and all(one.result.verdict is Verdict.PASS for one in ran.values()):
            ran |= {one.result.check: one for one in self.session.run(host, long)}
        self._explain(found, host, ran, only)
        if found.told and long - ran.keys():  # an explanation has to agree with these as well
            ran |= {one.result.check: one for one in self.session.run(host, long)}
            self._explain(found, host, ran, only)
        given: dict[str, Signature | None] | None = None
        by_id = {mistake.id: mistake for mistake in self.examiner.catalogue}
        for told in sorted({id for id in found.told.values() if id}):
            if given is None:
                given = self._ends(host, only, FRESH)
            entries = [by_id[part] for part in told.split("+")]
            alone = len(entries) == 1
            forms = [entry.forms() if alone else entry.written() for entry in entries]
            wrong = ""
            for parts in product(*forms):
                why = self._false(parts, file, where, given)
                wrong = wrong or why
                if not why:
                    break
            else:
                found.false.append(f"{told}: {wrong}")
        return found

    def _explain(
        self, found: Found, host: LocalHost, ran: Mapping[str, Outcome], only: set[str]
    ) -> None:
        """Note what failed, and what is told of it. `only`: the checks that the fault may reach."""
        found.failed, found.told, found.said = {}, {}, {}
        settled = {check: self._settled(host, one) for check, one in ran.items()}
        # Long checks that were not run say nothing: the reference's outcome is not the fault's.
        unknown = only - ran.keys()
        others = {check: one for check, one in self.outcomes.items() if check not in unknown}
        for result in self.examiner.explained(list((others | settled).values())):
            if result.credit < FULL_CREDIT:
                found.failed[result.check] = result.message
                if result.advice:
                    found.told[result.check] = result.misconception
                    found.said[result.check] = result.advice

    def _settled(self, host: LocalHost, outcome: Outcome) -> Outcome:
        """Return an outcome as grading has it: its fault is that of a run with other inputs."""
        if outcome.fault is None:
            return outcome
        [other] = self.session.run(host, {outcome.result.check}, salt=AGAIN)
        return GradedOutcome(outcome.result, other.fault, salt=AGAIN)

    def _ends(self, host: LocalHost, only: set[str], salt: str) -> dict[str, Signature | None]:
        ends: dict[str, Signature | None] = {}
        for one in self.session.run(host, only, salt=salt) if only else ():
            passed = one.result.verdict is Verdict.PASS
            seen = signature(one.fault) if one.fault else None
            ends[one.result.check] = None if passed else seen or UNKNOWN
        return ends

    def _false(
        self,
        parts: Sequence[Misconception],
        file: str,
        where: str,
        given: Mapping[str, Signature | None],
    ) -> str:
        """Say what is false in an explanation of a fault, nothing if it is true."""
        for part in parts:
            # A class's methods share its state: a flag that forward sets decides in backward.
            here = part.where.partition(".")[0] == where.partition(".")[0]
            if f"{part.module}.py" != file or not here:
                return f"it is in {part.module}.py {part.where}"
        files = apply_all(parts, self.examiner.reference)
        if files is None:
            return "its two edits exclude each other"
        only = self._reached(files, file)
        key = " and ".join(part.key for part in parts)
        if key not in self._fresh:
            self._fresh[key] = self._ends(LocalHost(files, like=self._host), only, FRESH)
        claimed = self._fresh[key]
        for check in sorted(given.keys() | claimed.keys()):
            one, other = given.get(check), claimed.get(check)
            alike = one is None and other is None
            if not alike and (one is None or other is None or not _same(one, other)):
                return f"{check} differs"
        return ""


def apply_all(
    parts: Sequence[Misconception], reference: Mapping[str, bytes]
) -> dict[str, bytes] | None:
    """Return the reference's files with one misconception or two; None if both can't be."""
    if len(parts) == 1:
        return apply(parts[0], reference)
    one, other = parts
    return apply_both(one, other, reference)


def _same(one: Signature, other: Signature) -> bool:
    return (UNKNOWN in (one, other) and one == other) or same(one, other)


def _work(channel: Connection, number: int) -> None:
    """Answer what the parent asks, until it closes the channel.

    In a folder of its own: a fault may write where it stands, a checkpoint under its number, say.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        _answer(channel, number)


def _answer(channel: Connection, number: int) -> None:
    bench = Bench(number)
    channel.send(None)
    while True:
        try:
            name, kind, file, where, files = channel.recv()
        except EOFError:
            return
        try:
            channel.send(bench.look(name, kind, file, where, files))
        except Exception as error:  # a mistake of the grader's: the parent raises it again
            channel.send(error)
            raise


class _Worker:
    """A process for one week's faults, replaced when a fault does not come to an end."""

    def __init__(self, week: Week):
        self._week = week
        self._process: Any = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._channel, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, self._week.number), daemon=True)
        self._process.start()
        other.close()
        self._channel.recv()

    def look(self, name: str, kind: str, file: str, where: str, files: dict[str, bytes]) -> Found:
        if self._process is None:
            self._start()
        self._channel.send((name, kind, file, where, files))
        try:
            if self._channel.poll(PATIENCE_SECONDS):
                answer = self._channel.recv()
                if isinstance(answer, Exception):
                    raise RuntimeError(f"{self._week.id} {name}") from answer
                return answer
        except EOFError:  # the process has died of the fault
            pass
        self.close()
        return Found(name, self._week.id, kind, endless=True)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


Task = tuple[str, str, str, str, dict[str, bytes]]


def planted_tasks(week: Week, number: int, seed: int) -> list[Task]:
    """Return the planted faults of a week, drawn evenly from its definitions and the kinds."""
    reference = solution_files(ROOT, week)
    return [
        (one.name, one.kind, one.file, one.where, _with(one, reference))
        for one in drawn(all_faults(week, reference), number, seed)
    ]


def _with(one: Planted, reference: Mapping[str, bytes]) -> dict[str, bytes]:
    return {**reference, one.file: one.source.encode()}


def catalogue_tasks(week: Week, number: int | None) -> list[Task]:
    """Return the mistakes of a week's catalogue, the first ones or all."""
    reference = solution_files(ROOT, week)
    catalogue = catalogue_of(ROOT, courses.load(ROOT), week)[:number]
    return [
        (one.id, "catalogue", f"{one.module}.py", one.where, apply(one, reference))
        for one in catalogue
    ]


def run(tasks: Mapping[str, list[Task]], weeks: Sequence[Week], processes: int) -> list[Found]:
    """Look at all faults, each week's in as many processes as there are."""
    pieces = [
        (week, tasks[week.id][start::processes]) for week in weeks for start in range(processes)
    ]

    def piece(one: tuple[Week, list[Task]]) -> list[Found]:
        week, rows = one
        worker = _Worker(week)
        found = []
        for row in rows:
            found.append(worker.look(*row))
            _tell(found[-1])
        worker.close()
        return found

    with ThreadPoolExecutor(processes) as pool:
        return [found for rows in pool.map(piece, pieces) for found in rows]


def _tell(found: Found) -> None:
    """Say at once what a table only counts."""
    for false in found.false:
        print(f"  FALSE: {found.week} {found.name}\n      told: {false}", flush=True)
    for check in found.silent:
        print(
            f"  says nothing: {check}: {found.failed[check]!r}\n      of {found.name}", flush=True
        )
    if found.endless:
        print(f"  does not come to an end: {found.week} {found.name}", flush=True)
    if found.survives:
        why = known_equivalence(found.week, found.name)
        print(f"  survives: {found.week} {found.name}\n      {why or 'NOT JUDGED'}", flush=True)


@cache
def _equivalences() -> list[tuple[re.Pattern[str], str]]:
    rows = tomllib.loads(EQUIVALENT.read_text("utf-8"))["fault"]
    return [(re.compile(row["matches"]), row["why"]) for row in rows]


def known_equivalence(week: str, name: str) -> str:
    """Say why a fault changes nothing that a docstring promises, if that is known."""
    text = f"{week} {name}"
    return next((why for matches, why in _equivalences() if matches.fullmatch(text)), "")


def table(title: str, found: Sequence[Found]) -> str:
    """Return a table with a line for each kind, and one for all."""
    head = f"{title:28} faults noticed  told place false silent survive unjudged"
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(one.kind if one.kind != "catalogue" else one.week, []).append(one)
    lines = [head]
    for name, ones in [*sorted(groups.items()), ("all", list(found))]:
        count = Counter[str]()
        for one in ones:
            ids = set(one.told.values())
            count["told"] += bool(ids - {None})
            count["place"] += ids == {None}
            count["false"] += bool(one.false)
            count["silent"] += len(one.silent)
            count["survive"] += one.survives
            count["unjudged"] += one.survives and not known_equivalence(one.week, one.name)
        noticed = len(ones) - count["survive"]
        lines.append(
            f"{name:28} {len(ones):6} {noticed:7} {count['told']:5} {count['place']:5} "
            f"{count['false']:5} {count['silent']:6} {count['survive']:7} {count['unjudged']:8}"
        )
    return "\n".join(lines)


def week_named(course: Course, name: str) -> Week:
    """Return the week of a number or an id. SystemExit if there is none."""
    try:
        return course.week(int(name)) if name.isdigit() else course.week_called(name)
    except CourseError as error:
        raise SystemExit(str(error)) from None


def main(
    faults: int = FAULTS,
    week: str | None = None,
    catalogued: int | None = None,
    processes: int = 2,
    strict: bool = False,
    seed: int = SEED,
    only: str = "",
) -> None:
    """Print both tables, what is false, and what nobody noticed."""
    course = courses.load(ROOT)
    weeks = list(course.weeks) if week is None else [week_named(course, week)]
    share = -(-faults // len(weeks))
    found: list[Found] = []
    for one_week in weeks:
        tasks = [task for task in planted_tasks(one_week, share, seed) if only in task[0]]
        found += run({one_week.id: tasks}, [one_week], processes)
        print(table(f"planted, up to {one_week.id}", found), flush=True)
    unjudged = [f for f in found if f.survives and not known_equivalence(f.week, f.name)]
    listed = {w.id: catalogue_tasks(w, catalogued) for w in weeks}
    listed = {week: [task for task in tasks if only in task[0]] for week, tasks in listed.items()}
    named = run(listed, weeks, processes)
    says = {(w.id, m.id): m.says for w in weeks for m in catalogue_of(ROOT, course, w)}
    for one in named:
        told = {part for id in one.told.values() if id for part in id.split("+")}
        one.named = says[one.week, one.name] in {says[one.week, id] for id in told}
    print(table("the catalogue itself", named))
    for one in named:
        if not one.named:
            instead = sorted(id or "the place alone" for id in set(one.told.values()))
            print(f"  not named: {one.week} {one.name}: {', '.join(instead) or 'nothing'}")
    count = sum(one.named for one in named)
    false = sum(bool(one.false) for one in [*found, *named])
    print(f"{count} of {len(named)} kinds are named")
    print(f"false explanations: {false}; survivors not judged: {len(unjudged)}")
    if false or (strict and unjudged):
        sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--faults", type=int, default=FAULTS, help="planted faults, all weeks")
    parser.add_argument("--week", help="one week, by number or id (default: all)")
    parser.add_argument("--catalogued", type=int, help="mistakes of each week's catalogue")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--strict", action="store_true", help="an unjudged survivor is an error")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="only faults and mistakes with this in the name")
    main(**vars(parser.parse_args()))
