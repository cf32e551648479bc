"""Checks the checkers of week 1: reference, other styles, stubs, and every catalogued mistake."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from autograder.course import format_points
from autograder.diagnosis import apply
from autograder.examiner import Examiner
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.scoring import StudentScore, score_student
from autograder.stubs import stubs_of
from autograder.suite.hosts import LocalHost, SandboxHost

ROOT = Path(__file__).resolve().parent.parent
AUTOMATIC = 4000


@pytest.fixture(scope="module")
def examiner(confinement):
    made = Examiner(ROOT, 1, confinement, "digits")
    yield made
    made.close()


def score(examiner: Examiner, results: list[CheckResult]) -> StudentScore:
    return score_student(examiner.course, "someone", examiner.plan, results)


def told(results: list[CheckResult]) -> list[tuple[str, str, str]]:
    """Return what a failed assertion should show."""
    return [(r.check, str(r.verdict), r.message) for r in results if r.credit < FULL_CREDIT]


def test_there_are_enough_mistakes_and_each_item_has_one(examiner):
    assert len(examiner.catalogue) >= 25
    named = {item for mistake in examiner.catalogue for item in mistake.fails}
    suite = {check.item for check in examiner.session.plan} - {"week1.accuracy"}
    assert suite <= named


def test_every_automatic_item_of_the_rubric_is_planned(examiner):
    automatic = {item.id for item in examiner.course.items(1) if item.kind == "auto"}
    assert {check.item for check in examiner.plan} == automatic


def test_the_reference_gets_everything(examiner):
    results = examiner.examine(examiner.reference)
    assert told(results) == []
    assert score(examiner, results).total == AUTOMATIC


def test_training_twice_gives_the_same_curve_to_the_last_digit(examiner):
    """Also where weights come from a generator without a seed, as the reference's do."""
    [training] = [check.id for check in examiner.session.plan if check.item == "week1.accuracy"]
    curves = []
    for _ in range(2):
        host = SandboxHost(examiner.confinement, examiner.reference, examiner.limits)
        [outcome] = examiner.session.run(host, only={training})
        host.close()
        curves.append(outcome.result.detail)
    assert len(curves[0]["loss"]) == examiner.session.context.epochs
    assert curves[0] == curves[1]


def style_files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.glob("*.py")}


def test_a_correct_solution_in_another_style_gets_everything(examiner):
    files = style_files(ROOT / "tests" / "styles" / "week1_backprop")
    assert files.keys() == examiner.reference.keys()
    results = examiner.examine(files)
    assert told(results) == []
    assert score(examiner, results).total == AUTOMATIC


def test_the_untouched_stubs_get_nothing(examiner):
    files = {
        path.name: text.encode()
        for path, text in stubs_of(ROOT).items()
        if examiner.week.folder in path.parts
    }
    assert files.keys() == examiner.reference.keys()
    results = examiner.examine(files)
    assert {r.check: r.credit for r in results if r.credit} == {}
    assert {r.verdict for r in results} <= {Verdict.NOT_ATTEMPTED, Verdict.BLOCKED}
    assert score(examiner, results).total == 0


def test_stubs_without_their_raise_get_nothing(examiner):
    """A student who replaces every gap by `return None` or `pass` has done nothing."""
    for instead in ("return None", "pass"):
        files = {
            path.name: _without_raise(text, instead).encode()
            for path, text in stubs_of(ROOT).items()
            if examiner.week.folder in path.parts
        }
        results = examiner.examine(files)
        total = score(examiner, results).total
        assert total == 0, (instead, format_points(total), [r for r in results if r.credit])


def _without_raise(text: str, instead: str) -> str:
    """Replace each `raise NotImplementedError(...)`, over however many lines, in a stub."""
    lines, depth = [], 0
    for line in text.splitlines():
        if depth:
            depth += line.count("(") - line.count(")")
            continue
        if line.strip().startswith('raise NotImplementedError("') or line.strip().startswith(
            "raise NotImplementedError("
        ):
            lines.append(line[: len(line) - len(line.lstrip())] + instead)
            depth = line.count("(") - line.count(")")
            continue
        lines.append(line)
    return "\n".join(lines) + "\n"


def mistakes() -> list[str]:
    from autograder import course as courses
    from autograder.diagnosis import catalogue_of

    course = courses.load(ROOT)
    return [mistake.id for mistake in catalogue_of(ROOT, course, course.week(1), verify=True)]


@pytest.mark.parametrize("name", mistakes())
def test_a_mistake_fails_its_items_and_no_other(examiner, name):
    """Every check of the other items passes, the training's and the quality's too.

    The training may be blocked by a mistake below it, where the catalogue says so (`misleads`).
    """
    mistake = next(one for one in examiner.catalogue if one.id == name)
    files = apply(mistake, examiner.reference)
    outcomes = examiner.session.run(LocalHost(files))
    checks = {check.id: check for check in examiner.plan}
    results = [examiner.explained(outcome, checks) for outcome in outcomes]
    results += examiner.quality.measure(files, examiner.session.plan, results)
    failed = defaultdict(list)
    for result in results:
        if result.credit < FULL_CREDIT:
            failed[checks[result.check].item].append((result.check, str(result.verdict)))
    allowed = {*mistake.fails, *mistake.misleads}
    assert set(mistake.fails) <= set(failed), f"not noticed by {set(mistake.fails) - set(failed)}"
    assert set(failed) <= allowed, {item: failed[item] for item in set(failed) - allowed}
    told_to = {r.misconception for r in results if r.misconception}
    assert name in told_to, f"the student is told {told_to or 'nothing'}"


def test_the_students_tests_of_the_reference_notice_every_mistake_that_they_could(examiner):
    results = examiner.mutation.examine(examiner.confinement, examiner.reference, examiner.limits)
    assert [r.credit for r in results] == [FULL_CREDIT, FULL_CREDIT]
    noticeable = sum(mistake.kills for mistake in examiner.catalogue)
    assert f"notice {noticeable} of {noticeable} wrong" in results[1].message
