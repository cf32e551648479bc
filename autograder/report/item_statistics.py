"""Statistics of a class: distributions of points, items, checks, misconceptions. Pure functions.

Points are in hundredths. Everything is computed from the students' reports, so that it can be
computed again from their results.json.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean, median, quantiles

from autograder.course.scoring import CheckScore, ComponentScore, ItemScore
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.report.graded import COUNTS_STILL, GradedReport
from autograder.report.not_handed_in import NOTHING_HANDED_IN
from autograder.report.points_words import is_excused

BINS = 20
MIN_STUDENTS = 3
"""Fewer pairs have no correlation that says anything."""

NOT_BEGUN = (Verdict.NOT_ATTEMPTED, Verdict.BLOCKED, Verdict.INFRA)
"""Verdicts that say nothing of what the code of an item does."""


@dataclass(frozen=True)
class Distribution:
    """How points are distributed; `bins` are counts of BINS equal parts of 0 to `most`.

    Quartiles are interpolated linearly. What is above `most` (extra credit) is in the last bin,
    what is below 0 in the first.
    """

    count: int
    most: int
    mean: float
    least: float
    lower: float
    median: float
    upper: float
    highest: float
    bins: tuple[int, ...]


def distribution(points: Sequence[float], most: int) -> Distribution | None:
    """Return how these points are distributed; None where there are none."""
    if not points:
        return None
    quarters = quantiles(points, n=4, method="inclusive") if len(points) > 1 else [points[0]] * 3
    bins = [0] * BINS
    for one in points:
        bins[min(BINS - 1, max(0, int(one * BINS // max(most, 1))))] += 1
    return Distribution(
        count=len(points),
        most=most,
        mean=fmean(points),
        least=min(points),
        lower=quarters[0],
        median=quarters[1],
        upper=quarters[2],
        highest=max(points),
        bins=tuple(bins),
    )


@dataclass(frozen=True)
class ItemStatistics:
    """How a class does in an item. `known` counts those whose points are.

    `mean` is the mean share of its points, 0..1, and `passed` the share of students who have all of
    them; both are of the known ones, and None where only those are known who never began it.
    `begun` counts those of them who began it, and `discrimination` is the correlation, among these,
    of its points with the share of points that a student has in all other items; None where there
    is none. `waiting` are not known yet.
    """

    id: str
    title: str
    component: str
    most: int
    known: int
    waiting: int
    begun: int
    mean: float | None
    passed: float | None
    discrimination: float | None

    @property
    def never_began(self) -> float | None:
        """The share of the known ones who never began."""
        return 1 - self.begun / self.known if self.known else None


def counts_for_statistics(item: ItemScore) -> bool:
    """Whether an item's points are known: not waited for, and not excused."""
    return not is_excused(item) and (not item.pending or item.reason in COUNTS_STILL)


def has_begun(item: ItemScore) -> bool:
    """Whether a student did anything for an item: it has points, or some check met their code."""
    if item.points:
        return True
    if not item.checks:
        return item.reason != NOTHING_HANDED_IN
    return any(one.result and one.result.verdict not in NOT_BEGUN for one in item.checks)


def item_statistics(
    reports: Sequence[GradedReport], refused: Sequence[set[str]] | None = None
) -> list[ItemStatistics]:
    """Return the statistics of all items that are open, in the rubric's order.

    `refused` are, by report, the ids of items of submissions that were not taken: they say nothing
    of the items.
    """
    component_of: dict[str, str] = {}
    scores: dict[str, list[ItemScore | None]] = {}
    for number, report in enumerate(reports):
        for part in _open_parts(report):
            for item in part.items:
                component_of.setdefault(item.id, part.id)
                scores.setdefault(item.id, [None] * len(reports))
                if not (refused and item.id in refused[number]):
                    scores[item.id][number] = item
    all_points, all_most = [0] * len(reports), [0] * len(reports)
    for each in scores.values():
        for number, one in enumerate(each):
            if one is not None and counts_for_statistics(one):
                all_points[number] += one.points
                all_most[number] += one.max_points
    return [
        _of_item(id, component_of[id], each, all_points, all_most) for id, each in scores.items()
    ]


def _of_item(
    id: str,
    component: str,
    scores: Sequence[ItemScore | None],
    all_points: Sequence[int],
    all_most: Sequence[int],
) -> ItemStatistics:
    there = [(number, one) for number, one in enumerate(scores) if one is not None]
    known = [(number, one) for number, one in there if counts_for_statistics(one)]
    begun = [(number, one) for number, one in known if has_begun(one)]
    waiting = sum(one.pending and not counts_for_statistics(one) for _, one in there)
    says_something = bool(begun) or not waiting
    shares = [one.points / one.max_points for _, one in known if one.max_points and says_something]
    pairs = [
        (one.points, (all_points[n] - one.points) / (all_most[n] - one.max_points))
        for n, one in begun
        if all_most[n] > one.max_points
    ]
    sample = there[0][1] if there else None
    return ItemStatistics(
        id=id,
        title=sample.title if sample else id,
        component=component,
        most=max((one.max_points for _, one in there), default=0),
        known=len(known),
        waiting=waiting,
        begun=len(begun),
        mean=fmean(shares) if shares else None,
        passed=fmean(share >= 1 for share in shares) if shares else None,
        discrimination=correlation(pairs),
    )


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation; None for few pairs, or where one side does not vary."""
    if len(pairs) < MIN_STUDENTS:
        return None
    means = [fmean(pair[side] for pair in pairs) for side in (0, 1)]
    away = [(x - means[0], y - means[1]) for x, y in pairs]
    spread = sqrt(sum(x * x for x, _ in away)) * sqrt(sum(y * y for _, y in away))
    if spread < 1e-12 * max(1.0, *(abs(x) for pair in pairs for x in pair)):
        return None
    return max(-1.0, min(1.0, sum(x * y for x, y in away) / spread))


@dataclass
class MessageCount:
    """A message and the students who have it; `explained` says that a diagnosis goes with it."""

    message: str
    verdict: Verdict
    misconception: str | None
    students: list[str] = field(default_factory=list)


@dataclass
class CheckStatistics:
    """How a check ended, in numbers of students by verdict (None: no record of it).

    `failed` are those whose own code failed it; `messages` are what they read, the commonest first,
    and `seconds` what it took each, of those for whom it was run.
    """

    id: str
    item: str
    component: str
    title: str
    verdicts: Counter[Verdict | None] = field(default_factory=Counter)
    messages: list[MessageCount] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """The number of students whose own code failed it."""
        return sum(len(one.students) for one in self.messages)

    @property
    def examined(self) -> int:
        """The number of students whose code was examined by it."""
        said_nothing = sum(self.verdicts[one] for one in (*NOT_BEGUN, None))
        return sum(self.verdicts.values()) - said_nothing

    @property
    def unexplained(self) -> list[MessageCount]:
        """The messages for which nobody knows the reason."""
        return [one for one in self.messages if one.misconception is None]

    @property
    def median_seconds(self) -> float:
        """The median of what it took; 0 where it was never run."""
        return median(self.seconds) if self.seconds else 0.0


def is_failure(result: CheckResult) -> bool:
    """Whether what a student's code does failed a check, at least in part."""
    passed = result.verdict is Verdict.PASS or result.credit >= FULL_CREDIT
    return not (passed or result.verdict in NOT_BEGUN)


def check_statistics(reports: Iterable[GradedReport]) -> list[CheckStatistics]:
    """Return the statistics of all checks, those that most failed first."""
    found: dict[str, CheckStatistics] = {}
    messages: dict[tuple[str, str, Verdict, str | None], MessageCount] = {}
    for student, part, item, check in _checks(reports):
        id, result = check.planned.id, check.result
        one = found.get(id)
        if one is None:
            one = found[id] = CheckStatistics(id, item.id, part.id, check.planned.title)
        one.verdicts[result.verdict if result else None] += 1
        if result is None:
            continue
        one.seconds.append(result.seconds)
        if is_failure(result):
            key = (id, result.message, result.verdict, result.misconception)
            if key not in messages:
                messages[key] = MessageCount(result.message, result.verdict, result.misconception)
                one.messages.append(messages[key])
            messages[key].students.append(student)
    for one in found.values():
        one.messages.sort(key=lambda each: (-len(each.students), each.message))
    return sorted(found.values(), key=lambda one: -one.failed)


@dataclass(frozen=True)
class WhoHas:
    """A misconception: what is told of it, the items that it spoils, and who has it."""

    id: str
    advice: str
    items: tuple[str, ...]
    components: tuple[str, ...]
    students: tuple[str, ...]


def who_has_what(reports: Iterable[GradedReport]) -> list[WhoHas]:
    """Return all misconceptions, those of most students first, then by id.

    Two weeks may use the same id for different mistakes, so they are told apart by advice too.
    """
    students: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    items: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for student, part, item, check in _checks(reports):
        result = check.result
        if result and result.misconception and result.verdict is not Verdict.PASS:
            key = (result.misconception, result.advice or "")
            students[key][student] = None
            items[key][item.id] = part.id
    ranked = sorted(students, key=lambda key: (-len(students[key]), key))
    return [
        WhoHas(
            *(*key, tuple(items[key]), tuple(dict.fromkeys(items[key].values()))),
            tuple(students[key]),
        )
        for key in ranked
    ]


def _open_parts(report: GradedReport) -> list[ComponentScore]:
    return [part for part in report.score.components if part.is_open]


def _checks(
    reports: Iterable[GradedReport],
) -> Iterable[tuple[str, ComponentScore, ItemScore, CheckScore]]:
    for report in reports:
        for part in _open_parts(report):
            for item in part.items:
                for check in item.checks:
                    yield report.score.student, part, item, check
