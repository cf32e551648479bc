"""Nothing right earns nothing: each submission of the corpus gets the points that it must get.

What isn't named in its case.toml gets what the base alone gets: nothing where the base is the stub,
everything where it is the reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from autograder import course as courses
from autograder.course.points import format_points
from autograder.course.scoring import StudentScore, score_student
from autograder.grading.examiner import Examiner
from autograder.grading.setting import embedded_for
from autograder.records import Verdict
from tests.conftest import need_packages
from tests.points.corpus import FOLDER, base_files, load
from tests.proofs import Reads, tree

ROOT = FOLDER.parents[1]
COURSE = courses.load(ROOT)
CASES = load()
WEEKS = {week.folder: week for week in COURSE.weeks}


def reads(name: str) -> Reads:
    """Return what the proof of one case depends on."""
    week = CASES[name].week
    places = [ROOT / place / week for place in ("assignments", "solutions")]
    files = [path for place in (*places, FOLDER / name) for path in tree(place)]
    return Reads((*files, *(ROOT / "assignments").glob("*.toml"), *tree(ROOT / "data")), ())


class Graders:
    """One examiner for each week, made when it is needed; what the bases get is remembered."""

    def __init__(self, confinement):
        self._confinement = confinement
        self.examiner = cache(self._examiner)
        self.base = cache(self._base)

    def _examiner(self, folder: str) -> Examiner:
        week = WEEKS[folder]
        if week.packages:
            need_packages(week)
            pytest.importorskip("torch").set_num_threads(1)
        return Examiner(ROOT, week.number, self._confinement, embedded_for(week))

    def _base(self, folder: str, base: str) -> dict[str, int]:
        return self.points(folder, base_files(self.examiner(folder), base))[0]

    def points(self, folder: str, files) -> tuple[dict[str, int], set[str]]:
        """Return the points of each automatic item in hundredths, and the rules of the flags."""
        examiner = self.examiner(folder)
        examined = examiner.examine(files, explain=False)
        assert Verdict.INFRA not in {result.verdict for result in examined.results}
        scored: StudentScore = score_student(COURSE, "someone", examiner.plan, examined.results)
        automatic = {item.id for item in COURSE.items(examiner.week.number) if item.kind == "auto"}
        points = {item.id: item.points for item in scored.items if item.id in automatic}
        return points, {flag.rule for flag in examined.flags}


@pytest.fixture(scope="module")
def graders(confinement) -> Iterator[Graders]:
    made = Graders(confinement)
    yield made
    for folder in WEEKS if made.examiner.cache_info().currsize else ():
        made.examiner(folder).close()


def test_every_case_is_of_a_week_and_names_its_items() -> None:
    assert CASES
    for case in CASES.values():
        assert set(case.points) <= {item.id for item in COURSE.items(WEEKS[case.week].number)}


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("name", CASES)
def test_it_gets_the_points_that_it_must_get(graders: Graders, name: str) -> None:
    case = CASES[name]
    points, flags = graders.points(case.week, case.files(graders.examiner(case.week)))
    expected = {**graders.base(case.week, case.base), **case.points}
    wrong = {
        item: f"{format_points(got)} instead of {format_points(expected[item])}"
        for item, got in points.items()
        if got != expected[item]
    }
    assert wrong == {}, case.title
    assert set(case.flags) <= flags
