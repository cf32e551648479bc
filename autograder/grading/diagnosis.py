"""Diagnosis of failures: the catalogued misconceptions that give the same answers.

The checks of an item are replayed against the catalogued misconceptions of this item, with the
inputs of the runs in which the student's answers were given. An explanation is shown only if its
replay agrees with the student on every check of the item: the wrong values, where they are known,
and which checks fail. Where no misconception does, pairs of them are tried.

Each misconception is looked for in all its forms, as it is written and in other right code: what
fits in any of them is told as that one misconception. Pairs are made of what is written alone.

What fails through the code of another item that fails too may be nothing but its consequence:
there an explanation has to fit that item as well. And where something fails, unexplained, that
runs the very definition that an explanation names and ends otherwise than its mistake makes it,
this one is not the whole truth, and not told.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from autograder.grading.bounded_host import BoundedHost
from autograder.records import PlannedCheck, Verdict
from autograder.reference.gaps import find_gaps
from autograder.reference.misconceptions import (
    Misconception,
    all_forms,
    apply,
    apply_both,
)
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.hidden.watched_host import FOLDER, Function, WatchedHost
from autograder.suite.session import Outcome, SuiteSession
from autograder.suite.signature import Signature, signature

RTOL = 1e-6
"""Relative tolerance within which two wrong answers are the same."""

MOST_PAIRS = 40
"""Maximum number of pairs of misconceptions that are tried for one item of a submission."""

KEPT_HOSTS = 64
"""Number of pairs that are kept ready; what they gave in a check is kept of all."""

OUT_OF_REACH = (
    Verdict.MEMORY,
    Verdict.CRASH,
    Verdict.OUTPUT,
    Verdict.VIOLATION,
)
"""No catalogued misconception ends like this, so none agrees with a submission that does."""

NOT_FINITE = (
    "All that comes out wrong is NaN or infinity, which more than one mistake gives. One that is "
    "often made here:"
)

UNKNOWN: Signature = {"unknown": None}
"""In place of a signature: the replay fails, in a way that can't be compared."""

Mistakes = tuple[Misconception, ...]


@dataclass(frozen=True)
class Explanation:
    """What a student is told of a failed check.

    `id` names the entry of the misconception, or two with a + between them; it is None where only
    the place is known. `at` is the file and the definition in it.
    """

    id: str | None
    says: str
    at: tuple[str, str]


@dataclass(frozen=True)
class _Seen:
    """How a check ended for a student: what a replay has to agree with.

    `value` is the signature of the failure, where it is known, with inputs drawn from `salt`; in
    a throw-away run that passed it is None, and `passed_again` is set. `failed` is the verdict of
    the run that counts, whose inputs are drawn from the session's salt.
    """

    check: PlannedCheck
    failed: bool
    value: Signature | None
    salt: str | None
    passed_again: bool


class Diagnoser:
    """Explains failures of one suite by the catalogue of its assignment.

    It keeps what each misconception gives in a check, so a class costs hardly more than the first
    of its students with these failures. All bounds are numbers of replays.
    """

    def __init__(
        self,
        session: SuiteSession,
        reference: Mapping[str, bytes],
        catalogue: Sequence[Misconception],
    ):
        self._session = session
        self._reference = reference
        self._catalogue = all_forms(catalogue)
        self._written = {form.key for entry in catalogue for form in entry.written()}
        self._reference_host = LocalHost(reference)
        self._hosts: dict[str, LocalHost] = {}
        self._by_key = {form.key: form for form in self._catalogue}
        self._host_of_pair = lru_cache(KEPT_HOSTS)(self._new_pair)
        self._checks = {check.id: check for check in session.plan}
        long = session.long if isinstance(session, GradedSession) else session.training
        self._long = long | session.training
        self._watched = WatchedHost(reference)
        self._places = _places(reference)
        self._run: dict[str, set[Function]] = {}
        self._known: dict[tuple[tuple[str, ...], str, str | None], Signature | None] = {}

    def explain(self, outcomes: Sequence[Outcome]) -> dict[str, Explanation]:
        """Return the explanations of failed checks, by their ids.

        `outcomes` are a whole suite's, or of some items, where the others are taken to say nothing.
        An outcome's fault belongs to inputs drawn from its `salt`, if it has one, or else from the
        session's.
        """
        items: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in outcomes:
            items[self._checks[outcome.result.check].item].append(outcome)
        passed = {o.result.check for o in outcomes if o.result.verdict is Verdict.PASS}
        failed = {item: wrong for item, ends in items.items() if (wrong := _failed(ends))}
        fits = {item: self._fitting(item, self._seen(items[item]), passed) for item in failed}
        unexplained = {check for item in failed if not fits[item] for check in failed[item]}
        seen = {one.check.id: one for item in failed for one in self._seen(items[item])}
        found: dict[str, Explanation] = {}
        for item, ends in failed.items():
            looked_at = [check for check in ends if fits[item] and check not in self._long]
            through = {below for check in looked_at for below in self._runs(check)}
            others = [below for below in failed if below in through and below != item]
            true = [
                mistakes
                for mistakes in fits[item]
                if all(
                    _any_in(mistakes, fits[below]) or self._is_all(mistakes, items[below])
                    for below in others
                )
                and not any(
                    self._is_in(mistakes, check)
                    and not (check in seen and self._agrees(mistakes, seen[check]))
                    for check in unexplained - self._long
                )
            ]
            found |= self._told(true, [one for one in self._seen(items[item]) if one.failed])
        return found

    def _is_all(self, mistakes: Mistakes, outcomes: Sequence[Outcome]) -> bool:
        """Whether mistakes of other items explain every failure of an item that builds on them."""
        seen = self._seen(outcomes)
        return bool(seen) and self._fits(mistakes, seen)

    def _is_in(self, mistakes: Mistakes, check: str) -> bool:
        """Whether a check runs anything of the definitions that these mistakes are in."""
        return any(
            file == f"{FOLDER}/{one.module}.py" and f"{name}.".startswith(f"{one.where}.")
            for one in mistakes
            for file, name in self._executed(check)
        )

    def _seen(self, outcomes: Sequence[Outcome]) -> list[_Seen]:
        """Return what a replay has to agree with, the most telling first; nothing if none can.

        What isn't filled in yet says nothing about the rest of the item. What trains is left out,
        unless it failed with a value: it takes too long.
        """
        seen = []
        for outcome in outcomes:
            verdict, fault = outcome.result.verdict, outcome.fault
            verdicts = {verdict, fault.verdict} if fault else {verdict}
            if verdicts & {Verdict.NOT_ATTEMPTED, Verdict.INFRA}:
                continue
            if verdicts & set(OUT_OF_REACH):
                return []
            check = self._checks[outcome.result.check]
            value = signature(fault) if fault else None
            if check.id in self._session.training and value is None:
                continue
            salt = getattr(outcome, "salt", None)
            again = salt is not None and fault is None
            seen.append(_Seen(check, verdict is not Verdict.PASS, value, salt, again))
        return sorted(seen, key=lambda one: (self._is_long(one), not one.value, not one.failed))

    def _is_long(self, one: _Seen) -> bool:
        return one.check.id in self._long

    def _fitting(self, item: str, seen: Sequence[_Seen], passed: set[str]) -> list[Mistakes]:
        """Return the mistakes, or else the pairs, that agree with the student on an item."""
        if not any(one.value for one in seen):
            return []
        candidates = [mistake for mistake in self._catalogue if item in mistake.fails]
        single: list[Mistakes] = [
            (mistake,)
            for mistake in candidates
            if self._fits((mistake,), seen) and self._leaves(mistake, item, passed)
        ]
        return single or [pair for pair in self._pairs(candidates, seen) if self._fits(pair, seen)]

    def _told(self, fits: Sequence[Mistakes], failed: Sequence[_Seen]) -> dict[str, Explanation]:
        """Return the explanations of the failed checks of one item by what fits it."""
        if not fits:
            return {}
        if len(fits[0]) == 1:
            told = common([mistake for (mistake,) in fits])
            if told and told.id and not any(one.value and _tells(one.value) for one in failed):
                told = Explanation(None, f"{NOT_FINITE} {told.says}", told.at)
            return {one.check.id: told for one in failed} if told else {}
        shared = [one for one in fits[0] if all(_any_in((one,), [pair]) for pair in fits)]
        if len({tuple(one.says for one in pair) for pair in fits}) == 1:
            shared = list(fits[0])
        return self._shares(shared, failed)

    def _runs(self, check: str) -> set[str]:
        """Return the items of whose gaps a check runs anything."""
        return {
            item
            for item, places in self._places.items()
            if any(
                f"{name}.".startswith(f"{where}.") and file == at
                for at, where in places
                for file, name in self._executed(check)
            )
        }

    def _executed(self, check: str) -> set[Function]:
        """Return the functions that a check runs of the reference."""
        if check not in self._run:
            self._session.run(self._watched, only={check})
            self._run[check] = self._watched.executed
        return self._run[check]

    def _fits(self, mistakes: Mistakes, seen: Sequence[_Seen]) -> bool:
        """Whether the replay agrees with the student on every check of the item."""
        return all(self._agrees(mistakes, one) for one in seen)

    def _agrees(self, mistakes: Mistakes, one: _Seen) -> bool:
        """Whether the replay of a check gives the same value, and fails in the run that counts."""
        if one.value is not None:
            given = self._replay(mistakes, one.check.id, one.salt)
            if given is None or not same(one.value, given):
                return False
            if one.salt is None:
                return True
        elif one.passed_again and self._replay(mistakes, one.check.id, one.salt) is not None:
            return False
        return (self._replay(mistakes, one.check.id, None) is not None) == one.failed

    def _leaves(self, mistake: Misconception, item: str, passed: set[str]) -> bool:
        """Whether a misconception fails nothing in its other items that the student passes."""
        others = {*mistake.fails} - {item}
        return not any(
            self._checks[check].item in others
            and check not in self._session.training
            and self._replay((mistake,), check, None) is not None
            for check in self._checks
            if check in passed
        )

    def _pairs(self, candidates: Sequence[Misconception], seen: Sequence[_Seen]) -> list[Mistakes]:
        """Return pairs to be tried, most likely first: together they fail what the student fails.

        Neither may fail alone what the student passes. Two forms of one misconception are no pair,
        and of pairs that explain as much those with fewer variants come first.
        """
        candidates = [mistake for mistake in candidates if mistake.key in self._written]
        looked_at = [one for one in seen if not self._is_long(one)]
        failed = {one.check.id for one in looked_at if one.failed}
        fails: dict[str, set[str]] = {}
        for mistake in candidates:
            alone = {check for check in failed if self._replay((mistake,), check, None) is not None}
            if alone and not any(
                self._replay((mistake,), one.check.id, None) is not None
                for one in looked_at
                if not one.failed
            ):
                fails[mistake.key] = alone
        possible = [mistake for mistake in candidates if mistake.key in fails]
        pairs = [
            (one, other)
            for one, other in combinations(possible, 2)
            if one.id != other.id and fails[one.key] | fails[other.key] == failed
        ]
        told = [one for one in looked_at if one.value is not None]

        def rank(pair: Mistakes) -> tuple[int, int]:
            explained = sum(any(self._agrees((m,), one) for m in pair) for one in told)
            return -explained, sum(mistake.key != mistake.id for mistake in pair)

        ranked = sorted(pairs, key=rank)[:MOST_PAIRS]
        return [pair for pair in ranked if self._host_of_pair(*_keys(pair)) is not None]

    def _shares(self, mistakes: Sequence[Misconception], failed: Sequence[_Seen]) -> dict:
        """Return the explanations of failed checks by mistakes that were made together.

        Each check is told of the one that explains it alone, if one does, or else of all.
        """
        found: dict[str, Explanation] = {}
        for one in failed if mistakes else ():
            alone = [mistake for mistake in mistakes if self._agrees((mistake,), one)]
            named = alone if len(alone) == 1 else mistakes
            found[one.check.id] = together(named)
        return found

    def wrong_answers(self, check: str, mistake: Misconception) -> Signature | None:
        """Return what a misconception gives in a check with the session's own inputs.

        None if it passes; without a value that can be compared: UNKNOWN.
        """
        return self._replay((mistake,), check, None)

    def _replay(self, mistakes: Mistakes, check: str, salt: str | None) -> Signature | None:
        keys = _keys(mistakes)
        key = (keys, check, salt)
        if key not in self._known:
            host = self._host_of_pair(*keys) if len(keys) > 1 else self._host(mistakes[0])
            assert host is not None  # pairs that can't be made are not tried
            [outcome] = self._session.run(host, only={check}, salt=salt)
            passed = outcome.result.verdict is Verdict.PASS
            given = signature(outcome.fault) if outcome.fault else None
            self._known[key] = None if passed else given or UNKNOWN
        return self._known[key]

    def _host(self, mistake: Misconception) -> LocalHost:
        if mistake.key not in self._hosts:
            files = apply(mistake, self._reference)
            self._hosts[mistake.key] = LocalHost(files, like=self._reference_host)
        return self._hosts[mistake.key]

    def _new_pair(self, *keys: str) -> LocalHost | None:
        """Return a host with two misconceptions, None if their edits exclude each other."""
        one, other = (self._by_key[key] for key in keys)
        files = apply_both(one, other, self._reference)
        return None if files is None else BoundedHost(files, like=self._reference_host)


def _failed(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the checks of an item that fail, those apart that wait for a gap to be filled in."""
    waits = {Verdict.PASS, Verdict.NOT_ATTEMPTED, Verdict.INFRA}
    return [one.result.check for one in outcomes if one.result.verdict not in waits]


def _any_in(mistakes: Mistakes, fits: Sequence[Mistakes]) -> bool:
    """Whether one of these mistakes is among those that fit, in whatever form."""
    ids = {mistake.id for mistake in mistakes}
    return any(mistake.id in ids for other in fits for mistake in other)


def _places(reference: Mapping[str, bytes]) -> dict[str, set[tuple[str, str]]]:
    """Return the files and definitions that hold an item's gaps, by the item."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for name, source in reference.items():
        for gap in find_gaps(source.decode(), name):
            found[gap.task].add((f"{FOLDER}/{name}", gap.where))
    return found


def _keys(mistakes: Mistakes) -> tuple[str, ...]:
    return tuple(mistake.key for mistake in mistakes)


def together(mistakes: Sequence[Misconception]) -> Explanation:
    """Return what is told of a failure that comes from these mistakes, one or two."""
    first = mistakes[0]
    says = first.says
    if len(mistakes) > 1:
        texts = " ".join(f"({number}) {one.says}" for number, one in enumerate(mistakes, start=1))
        says = f"Two mistakes together give exactly these answers. {texts}"
    ids = "+".join(mistake.id for mistake in mistakes)
    return Explanation(ids, says, (f"{first.module}.py", first.where))


def common(mistakes: Sequence[Misconception]) -> Explanation | None:
    """Return what is told where each of these mistakes gives the same answers.

    That is what they say, where all say the same; or else the place, where it is one place.
    """
    first = mistakes[0]
    different = len({mistake.says for mistake in mistakes})
    if different == 1:
        return together([first])
    names = [mistake.where.split(".") for mistake in mistakes]
    shared = []
    for parts in zip(*names, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    if not shared or len({mistake.module for mistake in mistakes}) > 1:
        return None
    where, file = ".".join(shared), f"{first.module}.py"
    says = (
        f"Look at {where} in {file}: {different} different mistakes that are often made there "
        "give exactly these answers, and these checks can't tell which of them it is."
    )
    return Explanation(None, says, (file, where))


def _tells(value: Signature) -> bool:
    """Whether a failure tells one mistake from another: NaN and infinity come of very many.

    That an array is empty tells: `x[0:-0]` is one way to get it, and there are few others.
    """
    received = value.get("received", value)
    if isinstance(received, dict) and "values" in received:
        values = received["values"]
        return not values or any(isinstance(entry, float) for entry in values)
    return not (isinstance(received, float) and not np.isfinite(received))


def _unplaced(text: str) -> str:
    """Return an exception's text without the folders of files, which each run has of its own."""
    return re.sub(r"(?<![\w.])(/[^\s/:'\"]+)+/", "", text)


def same(one: Signature, other: Signature) -> bool:
    """Tell whether two failures are the same wrong answer, up to rounding."""
    if one.keys() != other.keys() or one.get("label") != other.get("label"):
        return False
    if "received" not in one:
        return "raised" in one and _unplaced(one["raised"]) == _unplaced(other["raised"])
    first, second = one["received"], other["received"]
    if type(first) is not type(second):
        return False
    if not isinstance(first, dict | float):
        return first == second
    if isinstance(first, float):
        first, second = ({"shape": [], "values": [value]} for value in (first, second))
    if first["shape"] != second["shape"]:
        return False
    a, b = (np.array([float(v) for v in part["values"]]) for part in (first, second))
    return bool(np.allclose(a, b, rtol=RTOL, atol=1e-12, equal_nan=True))
