"""Tests that know right from wrong are told from tests that know one program from another."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import mean

import pytest

from autograder.grading.told_apart import Kinds, Runs, Told, kinds_of, told

MISTAKES = 10


def runs(right=(), rounded=(), bent=(), plain=(), plain_bent=None) -> Runs:
    """Return runs on 4 right, 2 rounded, 8 bent programs and 10 wrong ones; each text is a set."""
    of = lambda each, number: [set(each)] * number if isinstance(each, str) else each  # noqa: E731
    wrong = of(plain, MISTAKES) or [set()] * MISTAKES
    second = wrong if plain_bent is None else of(plain_bent, MISTAKES)
    return Runs(
        of(right, 4) or [set()] * 4,
        of(rounded, 2) or [set()] * 2,
        of(bent, 8) or [set()] * 8,
        list(zip(wrong, second, strict=True)),
    )


def test_tests_are_sorted_by_what_they_fail_on():
    seen = runs(
        right=[{"w"}, {"w", "c"}, {"w"}, {"w"}],
        rounded=[{"w", "e"}, {"w"}],
        bent=[{"w", "s", "b"}, *[{"w", "s"}] * 7],
    )
    assert kinds_of("swcebo", seen) == Kinds(frozenset("so"), frozenset("w"), frozenset("cb"))


def test_what_steady_tests_notice_counts():
    seen = runs(plain=[{"s"}] * 4 + [set()] * 6)
    found = told("so", kinds_of("so", seen), seen)
    assert found.noticed == [True] * 4 + [False] * 6
    assert found.share == 0.4


def test_a_wrong_test_does_not_notice_but_hides_nothing():
    seen = runs(right="w", bent="w", rounded="w", plain=[{"w", "s"}] * 3 + [{"w"}] * 7)
    assert told("sw", kinds_of("sw", seen), seen).share == 0.3


def test_as_many_failures_as_on_a_right_program_are_no_notice():
    """Of the tests every program fails one: no test is by chance, and nothing is known."""
    seen = runs(right="a", rounded="a", bent="a", plain=[{"b"}] * 5 + [{"c"}] * 5)
    assert told("abc", kinds_of("abc", seen), seen).share == 0


def test_false_alarms_and_chance_take_points_away():
    noticed = [True] * MISTAKES
    assert Told(noticed, noticed).share == 1
    assert Told(noticed, noticed, false_alarms=0.25).share == 0.5
    assert Told(noticed, noticed, by_chance=0.25).share == 0.25
    assert Told(noticed, noticed, by_chance=0.4).share == 0
    assert Told(noticed, [False] * 5 + [True] * 5).share == 0
    assert Told([False] * MISTAKES, noticed).share == 0


SORTING = {
    "half": ["n % 2 == 0"],
    "third": ["n % 3 == 0"],
    "tenth": ["n % 10 == 0"],
    "but one": ["n % 10 != 0"],
    "all": [f"n % 60 == {k}" for k in range(60)],
    "all but one": [f"n % 60 != {k}" for k in range(60)],
    "thirty": [f"n % 60 != {k}" for k in range(30)],
    "order": [f"n % 60 < {k}" for k in range(60)],
    "bits": [f"not n >> {k} & 1" for k in range(6)],
}


@pytest.mark.parametrize("by", ["code", "results"])
@pytest.mark.parametrize("conditions", SORTING.values(), ids=SORTING.keys())
def test_sorting_programs_by_a_checksum_gives_next_to_nothing(conditions, by):
    """By code each program has a number of its own, by results all right ones have the same.

    A guess can hit: one in ten that is right counts as knowing, so what is bounded is the mean.
    """
    tests = [eval(f"lambda n: {condition}") for condition in conditions]
    names = [str(number) for number in range(len(tests))]

    def failed(number: int) -> set[str]:
        return {name for name, test in zip(names, tests, strict=True) if not test(number)}

    shares = []
    for seed in range(400):
        rng = random.Random(seed)
        draw = lambda: failed(rng.randrange(10**9))  # noqa: B023, E731
        same = draw()
        right = [same if by == "results" else draw() for _ in range(6)]
        bent = [draw() for _ in range(8)]
        seen = Runs(right[:4], right[4:], bent, [(draw(), draw()) for _ in range(MISTAKES)])
        kinds = kinds_of(names, seen)
        shares.append(told(names, kinds, seen).share * len(kinds.steady) / len(names))
    assert mean(shares) < 0.03


def test_what_sorts_scrambled_programs_notices_nothing():
    """A test by order fails on some of them: it is valid, but what it fails on says nothing."""
    seen = runs(plain="op")
    order, steady = [{"o"}, set(), {"o"}], [{"p"}] * 3
    scrambled = [[a | b for a, b in zip(order, steady, strict=True)]]
    kinds = kinds_of("op", replace(seen, scrambled=scrambled))
    assert kinds.steady == frozenset("op")
    assert kinds.by_pattern == frozenset("o")
    assert told("op", kinds, seen).share == 1
    only = runs(plain="o")
    assert told("o", kinds_of("o", replace(only, scrambled=[order])), only).share == 0
    exact = runs(bent="o", plain="o")
    assert told("o", kinds_of("o", replace(exact, scrambled=[order])), exact).share == 1


def test_wrong_tests_that_sort_scrambled_programs_are_by_chance():
    """Otherwise the number of those that fail on right programs would tell what the rest is by."""
    seen = runs(right="o", rounded="o", bent="o")
    kinds = kinds_of("o", replace(seen, scrambled=[[{"o"}, set()]]))
    assert kinds.by_chance == frozenset("o")
    assert kinds_of("o", replace(seen, scrambled=[[{"o"}, {"o"}]])).wrong == frozenset("o")


def test_tests_that_sort_programs_bent_in_one_place_are_by_chance():
    groups = [[{"a"}, {"a"}], [{"b"}, set()]]
    kinds = kinds_of("ab", replace(runs(), bent_in=groups))
    assert kinds == Kinds(frozenset("a"), frozenset(), frozenset("b"))
