"""What tests tell: which of them know right programs from wrong ones, and which wrong ones.

What is known of tests is on which programs they fail. Some of the programs are right, and look and
round differently; some are wrong, by a catalogued mistake; some are bent, that is slightly wrong
in all their numbers, each in another way (reference.disguise).

A test is by chance if it fails on some but not all of what is alike for every test that knows what
it looks for: the right programs, or the bent ones. That is how a test is found out that goes by a
checksum, over code or over results. A test that fails on all right programs is plainly wrong, and
one that fails only where it is rounded otherwise demands too much: neither says anything.

Where only one function is bent the same holds: what a test asks of it, it asks each time.

A test may ask for signs, an order or shapes alone, and fail on no bent program. Such a test is one
by pattern if it fails on some but not all programs in which signs, order or shapes are scrambled:
it may sort programs by these as by a checksum. It costs nothing, and notices nothing. If it fails
on right programs it is by chance: how many such tests do would tell what their checksum is.

A wrong program is noticed if more tests fail on it than on a right one, those that are plainly
wrong counted as well: sixty tests, of which every program fails one, know nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

FALSE_ALARM = 2.0
"""What a right program on which a test fails takes away, in wrong programs noticed: tests that go
by chance, as often wrong on one as right on the other, are left with nothing."""

CHANCE = 3.0
"""Share of the points that tests by chance take away, in multiples of their share of the tests."""

LOST = 3.0
"""The same for wrong programs that are no longer noticed when they are bent, of those noticed."""

Failed = Collection[str]
"""The names of the tests that fail on one program."""


@dataclass(frozen=True)
class Runs:
    """On which programs of one world tests fail; of each mistake there are two, the second bent
    or, where no bent one is run, the first again.

    bent_in: those bent in one function alone, a group for each; scrambled: a group for each way.
    """

    right: Sequence[Failed]
    rounded: Sequence[Failed]
    bent: Sequence[Failed]
    wrong: Sequence[tuple[Failed, Failed]]
    bent_in: Sequence[Sequence[Failed]] = ()
    scrambled: Sequence[Sequence[Failed]] = ()


@dataclass(frozen=True)
class Kinds:
    """The tests of one world by what they go by: their names; the rest demands exact rounding.

    Those by pattern are steady too.
    """

    steady: frozenset[str]
    wrong: frozenset[str]
    by_chance: frozenset[str]
    by_pattern: frozenset[str] = frozenset()


def kinds_of(names: Collection[str], runs: Runs) -> Kinds:
    """Sort tests by what they fail on."""
    steady, wrong, by_chance, by_pattern = set(), set(), set(), set()
    for name in names:
        alike = (runs.right, runs.bent, *runs.bent_in)
        on_bent = any(name in failed for failed in runs.bent)
        on_right = any(name in failed for failed in runs.right)
        by_sorting = any(_is_mixed(name, group) for group in runs.scrambled)
        if any(_is_mixed(name, group) for group in alike) or (on_right and by_sorting):
            by_chance.add(name)
        elif on_right:
            wrong.add(name)
        elif not any(name in failed for failed in runs.rounded):
            steady.add(name)
            if by_sorting and not on_bent:
                by_pattern.add(name)
    return Kinds(*map(frozenset, (steady, wrong, by_chance, by_pattern)))


def may_go_by_pattern(names: Sequence[str], runs: Runs) -> list[str]:
    """Return the tests of which only scrambled programs can say what they go by.

    Those that fail on bent programs and pass on right ones ask for numbers.
    """
    numeric = [
        name
        for name in names
        if any(name in failed for failed in runs.bent)
        and not any(name in failed for failed in runs.right)
    ]
    return [name for name in names if name not in numeric]


def _is_mixed(name: str, group: Sequence[Failed]) -> bool:
    """Whether a test fails on some of these programs, but not on all."""
    return 0 < sum(name in failed for failed in group) < len(group)


@dataclass(frozen=True)
class Told:
    """What a set of tests tells.

    plain: for each mistake, whether it is noticed; bent: the same in its bent form; false_alarms:
    the share of right programs that tests by chance fail on, 0..1; by_chance: the share of the
    tests that go by chance, 0..1.
    """

    plain: Sequence[bool]
    bent: Sequence[bool]
    false_alarms: float = 0.0
    by_chance: float = 0.0

    @property
    def noticed(self) -> list[bool]:
        """Say for each mistake whether it is noticed, in both of its forms."""
        return [plain and bent for plain, bent in zip(self.plain, self.bent, strict=True)]

    @property
    def share(self) -> float:
        """The share of the mistakes that are told from right programs, 0..1."""
        share = sum(self.noticed) / len(self.plain) - FALSE_ALARM * self.false_alarms
        lost = 1 - sum(self.noticed) / max(1, sum(self.plain))
        factors = (1 - CHANCE * self.by_chance, 1 - LOST * lost)
        return max(0.0, share) * max(0.0, factors[0]) * max(0.0, factors[1])


def told(names: Sequence[str], kinds: Kinds, runs: Runs) -> Told:
    """Return what these tests tell."""
    known = kinds.steady - kinds.by_pattern | kinds.wrong
    plain, bent = (
        [len(known.intersection(forms[form])) > len(kinds.wrong) for forms in runs.wrong]
        for form in (0, 1)
    )
    alarms = sum(not kinds.by_chance.isdisjoint(failed) for failed in runs.right)
    return Told(plain, bent, alarms / len(runs.right), len(kinds.by_chance) / len(names))
