"""`autograder author check`: every proof of every week, shown with its time."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.author import handouts, prove
from autograder.author.handouts import Handout
from autograder.author.prove import Proof, StuckError
from autograder.author.simulate.student_week import has_content
from autograder.course import Week, load
from autograder.course.points import format_points
from autograder.errors import AutograderError
from autograder.grading.examiner import Examiner
from autograder.grading.setting import RefusedError, datasets_here, why_not_here
from autograder.reference.gaps import check_stubs, stub_modules
from autograder.reference.misconceptions import catalogue_of
from autograder.sandbox import Confinement, Unconfined
from autograder.sandbox.choose import choose
from autograder.sandbox.runtime import installed
from autograder.text.display import one_line

AUTHORS_FAULTS = (AutograderError, OSError)
"""Exceptions raised if a week's files can't be read."""

LONGEST_FAULT = 600
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
ITEMS_FIT = "every item has a check, and every check an item"
EDITS_FIT = "each misconception is an edit that fits the solution"
NOTHING_PROVEN = "not proven, since the proof before it does not come to an end"

Claims = dict[str, Callable[[], list[str]]]
"""Claims about a week -> functions that return the faults of each."""


class WeekProver:
    """Proves one week, claim by claim. Raises one of AUTHORS_FAULTS where it can't be read."""

    def __init__(self, root: Path, number: int, confinement: Confinement):
        self.root = root
        self.course = load(root)
        self.week = self.course.week(number)
        if self.week.packages:
            _one_thread_of_torch()
        dataset = datasets_here([self.week])[number]
        self.examiner = Examiner(root, number, confinement, dataset)
        self._stuck = False
        gc.freeze()  # exempt existing objects from the many full garbage collections of suites

    @property
    def foundations(self) -> tuple[str, str]:
        """The claims that must hold before misconceptions can be proven."""
        return f"the solution {self._gets_all}", EDITS_FIT

    @property
    def _gets_all(self) -> str:
        return f"gets all {format_points(prove.full_points(self.examiner))} points"

    @cached_property
    def first(self) -> Claims:
        """The claims about the week, without those about its misconceptions."""
        root, week, examiner, full = self.root, self.week, self.examiner, self._gets_all
        others = prove.other_solutions(root, week, examiner.reference)
        return {
            "the stubs are what the solutions give": partial(check_stubs, root, week),
            ITEMS_FIT: partial(prove.items_and_checks_apart, examiner),
            **self._handout,
            f"the solution {full}": partial(prove.points_lost, examiner, examiner.reference),
            **{
                f"another solution ({name}) {prove.promised(examiner, other)}": partial(
                    prove.points_lost, examiner, other.files, texts_alone=other.texts_alone
                )
                for name, other in others.items()
            },
            "untouched stubs get nothing, and count as not attempted": lambda: prove.points_given(
                examiner, self._stubs, prove.NOTHING
            ),
            **{
                f"stubs with `{instead}` in each gap get nothing": partial(self._filled, instead)
                for instead in ("return None", "pass")
            },
            "the solution passes the public tests": partial(prove.public_tests_failed, examiner),
            "public tests take untouched stubs for not attempted": lambda: (
                prove.public_tests_attempted(examiner, self._stubs)
            ),
            EDITS_FIT: self._edits_fit,
        }

    @property
    def _handout(self) -> Claims:
        """The claims about what students read."""
        handout = Handout(self.root, self.course, self.week)
        most, rungs = handouts.MOST_WORDS, handouts.LEAST_RUNGS
        return {
            f"the first task comes before {most} words are read": partial(
                handouts.late_first_task, handout
            ),
            "the handout gives each task a section, its time and a checkpoint": partial(
                handouts.unfinished_sections, handout
            ),
            f"each task has {rungs} hints or more": partial(handouts.missing_hints, handout),
            "the handout ends with questions and a reading list": partial(
                handouts.missing_closing, handout
            ),
            "handout, hints and titles give away no formula that is asked for": lambda: (
                handouts.given_away(handout, self.examiner.plan)
            ),
        }

    @cached_property
    def mistakes(self) -> Claims:
        """The claims about each misconception."""
        seen = prove.Mistakes(self.examiner)
        return {
            f"{form.key} fails {', '.join(form.fails)} alone, and is explained": partial(
                seen.faults, form
            )
            for mistake in self.examiner.catalogue
            for form in mistake.written()
        }

    @cached_property
    def _stubs(self) -> dict[str, bytes]:
        stubs = stub_modules(self.root, self.course, self.week)
        return {name: text.encode() for name, text in stubs.items()}

    def _filled(self, instead: str) -> list[str]:
        files = {
            name: prove.without_raises(text.decode(), instead).encode()
            for name, text in self._stubs.items()
        }
        return prove.points_given(self.examiner, files)

    def _edits_fit(self) -> list[str]:
        catalogue_of(self.root, self.course, self.week, verify=True)
        return []

    def prove(self, claim: str) -> Proof:
        """Prove a claim; an error that prevents the proof becomes a fault of it."""
        started = time.perf_counter()
        try:
            find = self.first.get(claim) or self.mistakes[claim]
            faults = [NOTHING_PROVEN] if self._stuck else find()
        except StuckError as error:
            self._stuck = True
            faults = [str(error)]
        except AUTHORS_FAULTS as error:
            faults = [str(error)]
        return Proof(claim, tuple(prove.listed(faults)), time.perf_counter() - started)

    def close(self) -> None:
        """End the suite's session, where it can be ended."""
        gc.unfreeze()
        if not self._stuck:
            self.examiner.close()


def _one_thread_of_torch() -> None:
    import torch

    torch.set_num_threads(1)


def check(
    console: Console, root: Path, number: int | None, jobs: int, *, unconfined: bool = False
) -> bool:
    """Prove one week, or all that are there; print each proof, and tell whether all hold.

    Raises an AutograderError where there is nothing to prove, or it can't be done here.
    """
    course = load(root)
    weeks = [week for week in course.weeks if number in (None, week.number)]
    if not weeks:
        course.week(number or 0)  # raises
    packages = {name for week in weeks for name in week.packages if installed(name)}
    confinement = Unconfined() if unconfined else choose(0, tuple(sorted(packages)))
    held = True
    for week in weeks:
        if number is None and not _can_be_proven(console, root, week, confinement):
            continue
        if problem := why_not_here(week, confinement.rung):
            raise RefusedError(f"{problem}.")
        held &= _check_week(console, root, week, confinement, jobs)
    return held


def _can_be_proven(console: Console, root: Path, week: Week, confinement: Confinement) -> bool:
    """Whether a week is there and this machine can run it; otherwise say why it is left out."""
    problem = why_not_here(week, confinement.rung)
    if not has_content(root, week):
        problem = f"{week.name} has no solution and hidden suite yet"
    if problem:
        console.print(f"{escape(problem)}. It is left out.", style="yellow")
    return not problem


def _check_week(
    console: Console, root: Path, week: Week, confinement: Confinement, jobs: int
) -> bool:
    """Prove a week and print the results; return whether all claims hold."""
    started = time.perf_counter()
    console.print(f"\n[bold]{escape(week.name)}[/bold]: {escape(week.title)}")
    console.print(f"What stands for submissions is confined by rung {confinement.name}.")
    console.print("\n seconds  result  claim", style="bold")
    try:
        prover = WeekProver(root, week.number, confinement)
    except AUTHORS_FAULTS as error:
        seconds = time.perf_counter() - started
        _show(console, Proof("the week can be read", (str(error),), seconds))
        console.print("\n[red]Nothing else was looked at.[/red]")
        return False
    try:
        proofs = _prove_all(console, prover, confinement, jobs)
    finally:
        prover.close()
    failed = sum(bool(proof.faults) for proof in proofs)
    seconds = time.perf_counter() - started
    verdict = (
        f"{failed} of {len(proofs)} proofs fail" if failed else f"all {len(proofs)} proofs hold"
    )
    style = "red" if failed else "green"
    console.print(f"\n[{style}]{escape(week.name)}: {verdict}[/{style}] ({seconds:.0f} s)")
    return not failed


def _prove_all(
    console: Console, prover: WeekProver, confinement: Confinement, jobs: int
) -> list[Proof]:
    """Prove and print every claim of a week, and what its checks are worth."""
    with _processes(prover.root, prover.week, confinement, jobs) as run:
        proofs = _shown(console, run(prover, list(prover.first)))
        failed = {proof.claim for proof in proofs if proof.faults}
        if failed.isdisjoint(prover.foundations):
            proofs += _shown(console, run(prover, list(prover.mistakes)))
        else:
            console.print("\nMisconceptions come next, when the solution gets everything.")
    if ITEMS_FIT not in failed:
        _show_weights(console, prover)
    return proofs


def _shown(console: Console, proofs: Iterator[Proof]) -> list[Proof]:
    """Print proofs as they come, and return them."""
    shown = []
    for proof in proofs:
        _show(console, proof)
        shown.append(proof)
    return shown


def _show(console: Console, proof: Proof) -> None:
    result = "[red]FAILS [/red]" if proof.faults else "[green]holds [/green]"
    console.print(f"{proof.seconds:8.1f}  {result}  {escape(proof.claim)}", soft_wrap=True)
    for fault in proof.faults:
        text = escape(one_line(fault, LONGEST_FAULT))
        console.print(f"                  {text}", style="red", soft_wrap=True)


def _show_weights(console: Console, prover: WeekProver) -> None:
    """Print what each check is worth; the cases of one test in one row."""
    table = Table(box=None, pad_edge=False, title="\nWhat checks are worth", title_justify="left")
    table.add_column("item")
    for name in ("checks", "share", "points"):
        table.add_column(name, justify="right")
    table.add_column("title", overflow="fold")
    shares = prove.shares(prover.examiner)
    titles = {share.check.id.partition("[")[0]: share.check.title for share in shares}
    cases = {share.check.id.partition("[")[0] for share in shares if "[" in share.check.id}
    titles |= {test: titles[test].partition(" (")[0] for test in cases}
    rows = Counter(
        (share.item, titles[share.check.id.partition("[")[0]], share.share, share.points)
        for share in shares
    )
    last = ""
    for (item, title, share, points), count in rows.items():
        each = "" if count == 1 else " each"
        name = "" if item == last else item
        table.add_row(name, str(count), f"{share:.1%}", f"{points / 100:.2f}{each}", escape(title))
        last = item
    console.print(table)


# Parallel proofs: each process has its own prover and slot (as root: its own user).

Run = Callable[[WeekProver, Sequence[str]], Iterator[Proof]]
_prover: WeekProver | None = None


@contextmanager
def _processes(root: Path, week: Week, confinement: Confinement, jobs: int) -> Iterator[Run]:
    """Yield a function that proves claims in order, in this process or in `jobs` others."""
    if jobs == 1:
        yield lambda prover, claims: map(prover.prove, claims)
        return
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.grading.examiner"])
    slots = context.Queue()
    for slot in range(1, jobs + 1):
        slots.put(slot)
    arguments = (root, week.number, week.packages, confinement.rung, slots)
    with ProcessPoolExecutor(jobs, context, _begin, arguments) as pool:
        yield lambda prover, claims: pool.map(_prove, claims)


def _begin(root: Path, number: int, packages: tuple[str, ...], rung: str, slots: Any) -> None:
    """Initialise this process for proving claims of a week."""
    global _prover
    slot = slots.get(timeout=60)
    confinement = choose(slot, packages) if rung in "ABC" else Unconfined()
    _prover = WeekProver(root, number, confinement)


def _prove(claim: str) -> Proof:
    assert _prover is not None
    return _prover.prove(claim)
