"""What is said of a class as a whole: means, and the commonest misconceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.course.scoring import StudentScore, half_up
from autograder.records import Verdict
from autograder.report.points_words import is_excused


@dataclass(frozen=True)
class MisconceptionCount:
    """The number of students, not checks, with a failure that a misconception explains."""

    id: str
    advice: str
    students: int


@dataclass(frozen=True)
class ClassStatistics:
    """Means of the class so far, in hundredths of a point.

    `mean` is of the points that count; `component_means`, by component id, are before deductions
    for lateness. Who was not graded yet, or is excused, is left out of them.
    """

    students: int
    mean: int
    component_means: Mapping[str, int]
    misconceptions: tuple[MisconceptionCount, ...]


def class_statistics(scores: Sequence[StudentScore], commonest: int = 3) -> ClassStatistics:
    """Return the class's means and its `commonest` misconceptions, by number of students, then id.

    Raises ValueError for an empty class.
    """
    if not scores:
        raise ValueError("a class without students has no statistics")
    parts = [part for score in scores for part in score.components if part.is_open]
    known = [part for part in parts if not (part.is_unknown or is_excused(part))]
    sums, numbers = Counter[str](), Counter(part.id for part in known)
    for part in known:
        sums[part.id] += part.points
    finals = [score.final for score in scores if not score.is_unknown]
    means = {part.id: half_up(sums[part.id], max(1, numbers[part.id])) for part in parts}
    return ClassStatistics(
        students=len(scores),
        mean=half_up(sum(finals), max(1, len(finals))),
        component_means=means,
        misconceptions=_commonest(scores, commonest),
    )


def _commonest(scores: Sequence[StudentScore], number: int) -> tuple[MisconceptionCount, ...]:
    """Count by id and advice: two weeks may use the same id for different mistakes."""
    students: Counter[tuple[str, str]] = Counter()
    for score in scores:
        results = (check.result for item in score.items for check in item.checks)
        students.update(
            {
                (result.misconception, result.advice or "")
                for result in results
                if result and result.misconception and result.verdict is not Verdict.PASS
            }
        )
    ranked = sorted(students.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(MisconceptionCount(id, advice, count) for (id, advice), count in ranked[:number])
