"""What holds the assignment's texts and nothing more gets all that they ask for, whatever is drawn.

The items beyond the texts are the rubric's; what they are worth is tested in tests/course.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import course as courses
from autograder.grading.examiner import Examiner
from autograder.grading.setting import embedded_for
from autograder.reference.misconceptions import solution_files
from benchmarks.literal_submissions import grade, literal
from tests.conftest import need_packages
from tests.proofs import Reads, tree
from tests.weeks.test_week_suites import LITERAL

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
OURS = [week for week in COURSE.weeks if week.id in ("week1", "week2", "week3", "project")]
SALTS = 3
"""`python -m benchmarks literal` takes more."""


def reads(week: courses.Week, style: str) -> Reads:
    """Return what the proof of a submission depends on."""
    places = [ROOT / place for place in ("assignments", "solutions", f"tests/styles/{style}")]
    files = [path for place in places for path in tree(place / week.folder)]
    return Reads((*files, *(ROOT / "assignments").glob("*.toml"), *tree(ROOT / "data")), ())


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("style", LITERAL)
@pytest.mark.parametrize("week", OURS, ids=[week.id for week in OURS])
def test_a_literal_submission_gets_what_the_texts_ask_for(week, style, confinement) -> None:
    if week.packages:
        need_packages(week)
        pytest.importorskip("torch").set_num_threads(1)
    files = literal(week, solution_files(ROOT, week))[style].files
    examiner = Examiner(ROOT, week.number, confinement, embedded_for(week))
    # A training of the project takes a minute.
    graded = grade(examiner, files, SALTS, training=not week.packages)
    examiner.close()
    assert graded.faults == ()
    assert set(graded.points) == {graded.full}
    assert graded.is_right
