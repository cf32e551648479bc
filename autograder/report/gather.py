"""Gathering student reports from the gradebook, once for all forms of report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from autograder.course import Course
from autograder.course.lateness import HandedIn, judge_lateness
from autograder.course.scoring import EARLIER, StudentScore, score_student
from autograder.gradebook.flags import Flag
from autograder.gradebook.journal import (
    EMPTY_FINGERPRINT,
    PARTS,
    SUITE,
    TRAINING,
    Gradebook,
    GradingJob,
    Receipt,
)
from autograder.gradebook.looked_up import documents_for
from autograder.gradebook.marked_answers import answer_of, replaced_since
from autograder.gradebook.people import roster_beside
from autograder.gradebook.submission import LATE_IN_CANVAS
from autograder.records import CheckResult, PlannedCheck
from autograder.report.asked_again import asked_again
from autograder.report.by_roster import with_ids
from autograder.report.graded import NOT_TAKEN, TRAINED_BEFORE, GradedReport, Row
from autograder.report.late_days import after_spending, days_spent, requested_days
from autograder.report.leaderboard import ranking
from autograder.report.not_handed_in import without_waiting
from autograder.report.overridden import Overridden
from autograder.results.student import VERDICT_WORDS

__all__ = ["NOTHING_RUN", "VERDICT_WORDS", "GradedReport", "gather", "kept_shares"]

NOTHING_RUN = "nothing was run"


def gather(
    course: Course, gradebook: Gradebook, students: Iterable[str] | None = None
) -> list[GradedReport]:
    """Return reports on the gradebook's students, or only those given, sorted by id.

    A week is open once anybody in the class has handed in something, whoever is chosen. A result
    counts until there is a later one of the same student's week. A student whom the gradebook
    doesn't know yet has a report in which everything is still to come.
    """
    roster = roster_beside(gradebook, course.weeks)
    course = with_ids(course, roster)
    sections = {one.id: one.section for one in roster.people.values()} if roster else {}
    everybody = gradebook.students()
    chosen = everybody if students is None else sorted(students)
    weeks = set(gradebook.open_weeks())
    marked = gradebook.marked_items()
    weeks |= {item.week for item in course.items() if item.id in marked}
    training_weeks = (week.number for week in course.weeks if week.job)
    boards = ((week, trained(gradebook, week, everybody)) for week in training_weeks)
    rows = (row for week, who in boards for row in ranking(gradebook, week, TRAINING, who))
    board = tuple(row for row in rows if row.accuracy is not None)
    requests = requested_days(course)
    reports = (
        _report_on(course, gradebook, student, weeks, board, requests.get(student, {}))
        for student in chosen
    )
    return [replace(one, section=sections.get(one.score.student, "")) for one in reports]


def trained(gradebook: Gradebook, week: int, students: Iterable[str]) -> set[str]:
    """Return those students whose files were trained, or whose training was planned, ever."""
    there = {job.student for job in gradebook.jobs(week, TRAINING)}
    return there & set(students)


def _report_on(
    course: Course,
    gradebook: Gradebook,
    student: str,
    open_weeks: Collection[int],
    board: tuple[Row, ...],
    requests: Mapping[int, int],
) -> GradedReport:
    known = {week.number for week in course.weeks}
    weeks = [week for week in gradebook.weeks(student) if week in known]
    receipts = {week: gradebook.submission(student, week) for week in weeks}
    submissions = [receipt for receipt in receipts.values() if receipt]
    refused = {entry.week: entry.refusal for entry in submissions if entry.refusal}
    parts = [(week, part) for week in weeks for part in PARTS]
    jobs = {each: gradebook.counting_job(student, *each) for each in parts}
    counting = {week: _counting(gradebook, receipts[week], jobs[week, SUITE]) for week in weeks}
    # What was not taken leaves the last submission that was: see `Gradebook.counting_job`.
    stands = {week for week, entry in counting.items() if entry and not entry.refusal}
    taken = {week: counting[week] if week in refused else receipts[week] for week in weeks}
    planned: list[PlannedCheck] = []
    results: list[CheckResult] = []
    flags: list[tuple[str, Flag]] = []
    earlier: dict[str, str] = {}
    for (week, part), job in jobs.items():
        # Two weeks' suites may have tests of the same name.
        name = course.week(week).id
        under = f"{name}/"
        plan, measured = gradebook.planned_in(job, under), gradebook.results_of(job, under)
        planned += plan
        results += measured
        flags += ((name, flag) for flag in (*gradebook.flags_of(job), *_doubts(plan, measured)))
        if job != gradebook.job(student, week, part):
            reason = EARLIER if part == SUITE else TRAINED_BEFORE
            reason = NOT_TAKEN if week in refused else reason
            earlier.update((check.item, reason) for check in plan)
    marks = {one.item: one for one in gradebook.kept_marks(student)}
    given = [one.mark for one in marks.values() if one.mark]
    events = gradebook.overrides(student)
    lost = refused.keys() - stands
    answers = {
        item.id: answer_of(course, item, receipt.documents)
        for item in course.items()
        if item.kind == "manual" and (receipt := taken.get(item.week))
    }
    replaced = replaced_since(gradebook.marked_answers(student), answers)

    def scored(handed_in: Iterable[HandedIn]) -> tuple[StudentScore, Overridden]:
        overridden = Overridden(course, events, taken)
        score = score_student(
            *(course, student, planned, overridden.results(planned, results), given),
            *(lost, open_weeks, kept_shares(handed_in, course), earlier),
        )
        score = asked_again(without_waiting(course, score, taken), replaced)
        return overridden.score(score), overridden

    handed_in = [
        judge_lateness(course, student, entry.week, _time(entry.received), entry.commit)
        for entry in counting.values()
        if entry
    ]
    score, overridden = scored(handed_in)
    excused = {week.id for week in overridden.excused_weeks}
    spent = days_spent(
        course, [one for one in handed_in if one.week not in excused], score, requests
    )
    if spent:
        handed_in = after_spending(course, handed_in, spent)
        score, overridden = scored(handed_in)
    documents = {
        item.id: names
        for receipt in taken.values()
        if receipt
        for item in course.items(receipt.week)
        if (names := tuple(n for n in documents_for(course, item) if n in receipt.documents))
    }
    # A notice on a whole archive is given once, whichever weeks were read from it.
    return GradedReport(
        score,
        " and ".join(sorted({job.confinement for job in jobs.values() if job})) or NOTHING_RUN,
        notices=tuple(dict.fromkeys(notice for entry in submissions for notice in entry.notices)),
        handed_in=tuple(one for one in handed_in if one.week not in excused),
        refusals=tuple(dict.fromkeys(refused.values())),
        refused_weeks=tuple(sorted(lost)),
        board=board if any(row.student == student for row in board) else (),
        documents=documents,
        flags=tuple(flags),
        answers=answers,
        late_days=course.handing_in.late_days,
        undecided=tuple(
            week for week in _undecided(course, counting.values()) if week not in excused
        ),
        jobs=_jobs_of_items(course, jobs),
        marks=marks,
        changes=tuple(overridden.changes),
        adjustments=overridden.adjustments,
        overrides=overridden.in_words(),
    )


def _jobs_of_items(
    course: Course, jobs: Mapping[tuple[int, str], GradingJob | None]
) -> dict[str, str]:
    """Return the key of the job that each graded item's points come from, by item id."""
    parts = {"auto": SUITE, "training": TRAINING}
    found = {}
    for item in course.items():
        job = jobs.get((item.week, parts[item.kind])) if item.kind in parts else None
        if job is not None:
            found[item.id] = job.key
    return found


def kept_shares(handed_in: Iterable[HandedIn], course: Course) -> dict[int, int]:
    """Return the share of points that each week keeps, by week number, for `score_student`."""
    numbers = {week.id: week.number for week in course.weeks}
    return {numbers[submission.week]: submission.kept for submission in handed_in}


def _counting(
    gradebook: Gradebook, latest: Receipt | None, job: GradingJob | None
) -> Receipt | None:
    """Return the submission whose results count: its time decides what is late."""
    if latest is None or job is None or job.fingerprint == latest.fingerprint:
        return latest
    return gradebook.submission(latest.student, latest.week, job.fingerprint) or latest


def _undecided(course: Course, entries: Iterable[Receipt | None]) -> Iterator[str]:
    """Yield the ids of the weeks that Canvas marks as late, where nothing says when they came."""
    for entry in filter(None, entries):
        is_there = entry.fingerprint != EMPTY_FINGERPRINT or entry.documents
        if is_there and entry.received is None and LATE_IN_CANVAS in entry.notices:
            yield course.week(entry.week).id


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _doubts(plan: Iterable[PlannedCheck], results: Iterable[CheckResult]) -> list[Flag]:
    """Return the training job's doubts as flags."""
    items = {check.id: check.item for check in plan}
    return [
        Flag("training-job", doubt, items.get(result.check))
        for result in results
        for doubt in result.detail.get("doubts", ())
    ]
