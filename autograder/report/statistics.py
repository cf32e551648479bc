"""What is said of a class as a whole: means, and the commonest misconceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.course.scoring import ComponentScore, PhaseScore, StudentScore, half_up
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

    `mean` and `phase_means`, by phase id, are of the points that count; `component_means`, by
    component id, are before deductions for lateness. Who was not graded yet, or is excused, is left
    out of them.
    """

    students: int
    mean: int
    phase_means: Mapping[str, int]
    component_means: Mapping[str, int]
    misconceptions: tuple[MisconceptionCount, ...]


def class_statistics(scores: Sequence[StudentScore], commonest: int = 3) -> ClassStatistics:
    """Return the class's means and its `commonest` misconceptions, by number of students, then id.

    Raises ValueError for an empty class.
    """
    if not scores:
        raise ValueError("a class without students has no statistics")
    phases = [phase for score in scores for phase in score.phases if phase.is_open]
    parts = [part for phase in phases for part in phase.components if part.is_open]
    return ClassStatistics(
        students=len(scores),
        mean=_mean([score.final for score in scores if not score.is_unknown]),
        phase_means=_means((one, one.final) for one in phases),
        component_means=_means((one, one.points) for one in parts),
        misconceptions=_commonest(scores, commonest),
    )


def _means(points: Iterable[tuple[PhaseScore | ComponentScore, int]]) -> dict[str, int]:
    """Return the means of those whose points are known, by id."""
    known: dict[str, list[int]] = {}
    for part, number in points:
        numbers = known.setdefault(part.id, [])
        if not (part.is_unknown or is_excused(part)):
            numbers.append(number)
    return {id: _mean(numbers) for id, numbers in known.items()}


def _mean(numbers: Sequence[int]) -> int:
    return half_up(sum(numbers), max(1, len(numbers)))


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
