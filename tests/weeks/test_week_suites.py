"""Checks the checkers of every week: reference, other styles, stubs, every catalogued mistake."""

from __future__ import annotations

import ast
import gc
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from autograder import course as courses
from autograder.author.prove import COURSES_OWN_STYLES, other_solutions, points_lost
from autograder.course import Week
from autograder.course.points import format_points
from autograder.course.scoring import StudentScore, score_student
from autograder.grading.examiner import Examiner
from autograder.grading.quality import lint
from autograder.grading.setting import embedded_for
from autograder.notebooks.functions import notebook_module
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.reference import legal_variants
from autograder.reference.gaps import stubs_of
from autograder.reference.misconceptions import Misconception, all_forms, apply, catalogue_of
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.session import Outcome
from tests.conftest import need_packages
from tests.executed import Function, WatchedHost, altered
from tests.proofs import Reads, tree

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEKS = [week.number for week in COURSE.weeks]
TRAINED = [week.number for week in COURSE.weeks if week.data]
TESTED = [week.number for week in COURSE.weeks if week.student_tests]
OURS = [week.number for week in COURSE.weeks if week.id in ("week1", "week2", "week3", "project")]
FEWEST_MISTAKES = 30
"""In our own weeks; a week of others may have as few as it likes."""


def reads_week(examiner: int, name: str | None = None) -> Reads:
    """Return what the proofs of a week depend on.

    That of a mistake depends on the catalogue only as far as it names the same items: a mistake is
    told from those.
    """
    catalogue = _catalogue(examiner)
    if name is not None:
        [mistake] = [form for form in all_forms(catalogue) if form.key == name]
        items = {*mistake.fails, *mistake.misleads}
        catalogue = [entry for entry in catalogue if items & set(entry.fails)]
    return Reads(_week_files(examiner), map(repr, catalogue))


@cache
def _catalogue(number: int) -> list[Misconception]:
    return catalogue_of(ROOT, COURSE, COURSE.week(number))


@cache
def _week_files(number: int) -> tuple[Path, ...]:
    """Return the week's files and the course's settings; the catalogue is no file here."""
    places = [ROOT / place for place in ("assignments", "solutions")]
    places += sorted((ROOT / COURSES_OWN_STYLES).glob("*"))
    folders = [place / COURSE.week(number).folder for place in places]
    files = [path for folder in (*folders, ROOT / "data") for path in tree(folder)]
    settings = places[0].glob("*.toml")
    forms = [path for path in files if path.name == legal_variants.FILE]
    return (*(path for path in files if path.suffix != ".toml"), *forms, *settings)


proof = pytest.mark.prove(reads=reads_week)
"""Marks what belongs to `make prove`."""


def together(number: int, *more: str) -> ParameterSet:
    """Return parameters with an id that begins with the week's: its tests run in one process."""
    return pytest.param(number, *more, id="-".join([COURSE.week(number).id, *more]))


@pytest.fixture(scope="module", params=[together(number) for number in WEEKS])
def examiner(request, confinement):
    if COURSE.week(request.param).packages:
        need_packages(COURSE.week(request.param))
        pytest.importorskip("torch").set_num_threads(1)
    dataset = embedded_for(COURSE.week(request.param))
    made = Examiner(ROOT, request.param, confinement, dataset)
    gc.freeze()  # graphs of week 2 make many full collections; spare them what is there already
    yield made
    gc.unfreeze()
    made.close()


def full_points(examiner: Examiner) -> int:
    items = examiner.course.items(examiner.week.number)
    return sum(item.points for item in items if item.kind == "auto")


def score(examiner: Examiner, results: list[CheckResult]) -> StudentScore:
    return score_student(examiner.course, "someone", examiner.plan, results)


def told(results: list[CheckResult]) -> list[tuple[str, str, str]]:
    """Return what a failed assertion should show."""
    return [(r.check, str(r.verdict), r.message) for r in results if r.credit < FULL_CREDIT]


@pytest.mark.parametrize("examiner", [together(week) for week in OURS], indirect=True)
def test_there_are_enough_mistakes_and_each_item_has_one(examiner):
    assert len(examiner.catalogue) >= (15 if examiner.week.job else FEWEST_MISTAKES)
    named = {item for mistake in examiner.catalogue for item in mistake.fails}
    trained = {f"{examiner.week.id}.{name}" for name in ("accuracy", "trained")}
    suite = {check.item for check in examiner.session.plan} - trained
    assert suite <= named


def test_every_automatic_item_of_the_rubric_is_planned(examiner):
    items = examiner.course.items(examiner.week.number)
    automatic = {item.id for item in items if item.kind == "auto"}
    assert {check.item for check in examiner.plan} == automatic


def test_the_reference_gets_everything(examiner):
    examined = examiner.examine(examiner.reference)
    results = examined.results
    assert examined.flags == []
    assert told(results) == []
    assert score(examiner, results).total == full_points(examiner)


@proof
@pytest.mark.parametrize("examiner", [together(week) for week in TRAINED], indirect=True)
def test_training_twice_gives_the_same_curve_to_the_last_digit(examiner):
    """Also where weights come from a generator without a seed, as the reference's do."""
    session = examiner.session
    trains = [check for check in session.plan if check.id in session.training]
    assert session.plan[-len(trains) :] == trains  # what trains runs after the others
    first = trains[0]
    assert first.item in {f"{examiner.week.id}.{name}" for name in ("accuracy", "trained")}
    curves = []
    for _ in range(2):
        host = SandboxHost(
            examiner.confinement,
            examiner.reference,
            examiner.limits,
            examiner.week.modules,
            examiner.week.packages,
        )
        [outcome] = session.run(host, only={first.id})
        host.close()
        curves.append(outcome.result.detail)
    assert len(curves[0].get("loss", ())) == session.context.epochs, outcome.result
    assert curves[0] == curves[1]


def stub_files(week: Week) -> dict[str, str]:
    """Return the modules that untouched stubs make."""
    folder, stubs = ROOT / "assignments" / week.folder, stubs_of(ROOT)
    files = {name: stubs[folder / name] for name in week.sources}
    for notebook in week.notebooks:
        files[notebook.module] = notebook_module(
            stubs[folder / notebook.file].encode(), notebook
        ).source
    return files


LITERAL = ("texts", "tutorial")
"""test_literal_submissions.py grades these, with several salts."""
FURTHER = ("dataclasses", "composed")
"""Further styles that all our weeks are written in, the project too; it trains in this process."""


def further_styles(week: Week) -> set[str]:
    """Name the further styles that a week is written in."""
    return {*FURTHER} if week.id == "project" else {*FURTHER, "slots", "functional", "buffers"}


@proof
def test_a_correct_solution_in_another_style_gets_everything(examiner):
    others = other_solutions(ROOT, examiner.week, examiner.reference)
    if examiner.week.number in OURS:
        folder = ROOT / COURSES_OWN_STYLES / "compact" / examiner.week.folder
        assert all((folder / name).is_file() for name in examiner.week.modules)
        assert {"compact", *LITERAL, *further_styles(examiner.week)} <= set(others)
        others = {name: other for name, other in others.items() if name not in LITERAL}
    for name, other in others.items():
        if examiner.week.packages and name in FURTHER:
            lost = told(graded_alone(examiner, other.files))
        else:
            lost = points_lost(examiner, other.files, texts_alone=other.texts_alone)
        assert (name, lost) == (name, [])


@pytest.fixture
def undiagnosed(examiner, monkeypatch) -> None:
    """Leave out what explains failures: here nearly all fail, and each takes many replays."""
    monkeypatch.setattr(
        Examiner, "explained", lambda self, outcomes: [one.result for one in outcomes]
    )


@pytest.mark.usefixtures("undiagnosed")
def test_the_untouched_stubs_get_nothing(examiner):
    files = {name: text.encode() for name, text in stub_files(examiner.week).items()}
    results = examiner.examine(files).results
    assert {r.check: r.credit for r in results if r.credit} == {}
    assert {r.verdict for r in results} <= {Verdict.NOT_ATTEMPTED, Verdict.BLOCKED}
    assert score(examiner, results).total == 0


@proof
@pytest.mark.usefixtures("undiagnosed")
def test_stubs_without_their_raise_get_nothing(examiner):
    """A student who replaces every gap by `return None` or `pass` has done nothing."""
    for instead in ("return None", "pass"):
        files = {
            name: _without_raise(text, instead).encode()
            for name, text in stub_files(examiner.week).items()
        }
        results = graded_alone(examiner, files)
        total = score(examiner, results).total
        assert total == 0, (instead, format_points(total), [r for r in results if r.credit])


def graded_alone(examiner: Examiner, files: Mapping[str, bytes]) -> list[CheckResult]:
    """Grade without throw-away runs where the week has packages: each would load them anew."""
    if not examiner.week.packages:
        return examiner.examine(files).results
    host = LocalHost(files)
    suite = [outcome.result for outcome in examiner.session.run(host)]
    quality = examiner.quality.measure(files, examiner.session.plan, suite)
    return [*suite, *quality, *examiner.rules.measure(files, suite)]


def _without_raise(text: str, instead: str) -> str:
    """Replace each `raise NotImplementedError(...)`, over however many lines, in a stub."""
    lines = text.split("\n")
    raises = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Raise)]
    for node in sorted(raises, key=lambda node: -node.lineno):
        if "NotImplementedError" in ast.unparse(node):
            lines[node.lineno - 1 : node.end_lineno] = [" " * node.col_offset + instead]
    return "\n".join(lines)


def mistakes(*, variants: bool = False) -> list[ParameterSet]:
    """Return every catalogued mistake with its week, or every variant of one."""
    return [
        together(week.number, form.key)
        for week in COURSE.weeks
        for form in all_forms(_catalogue(week.number))
        if (form.key != form.id) == variants
    ]


@dataclass(frozen=True)
class Reference:
    """The reference, what it gives in each check of the suite, and what the check runs of it."""

    host: LocalHost
    outcomes: Mapping[str, Outcome]
    executed: Mapping[str, set[Function]]


@pytest.fixture(scope="module")
def reference(examiner) -> Reference:
    host = WatchedHost(examiner.reference)
    executed: dict[str, set[Function]] = {}

    def note(outcome: Outcome) -> None:
        executed[outcome.result.check] = host.executed

    outcomes = examiner.session.run(host, report=note)
    return Reference(host, {outcome.result.check: outcome for outcome in outcomes}, executed)


def reached(examiner: Examiner, reference: Reference, mistake: Misconception) -> set[str]:
    """Return the checks that run a function which the mistake alters.

    In the project a network is only trained where the mistake is about training: that takes
    minutes.
    """
    file = f"{mistake.module}.py"
    wrong = apply(mistake, examiner.reference)
    functions = altered(file, examiner.reference[file], wrong[file])
    checks = {check for check, ran in reference.executed.items() if ran & functions}
    if examiner.week.job:
        plan = {check.id: check.item for check in examiner.session.plan}
        checks -= {c for c in examiner.session.training if plan[c] not in mistake.fails}
    return checks


def with_mistake(
    examiner: Examiner,
    reference: Reference,
    mistake: Misconception,
    items: Collection[str] | None = None,
) -> list[Outcome]:
    """Return the suite's outcomes for the reference with one mistake in it.

    Only checks that the mistake can reach are run, those of `items` where these are given: the
    others have the reference's outcomes.
    """
    item = {check.id: check.item for check in examiner.session.plan}
    only = reached(examiner, reference, mistake)
    only = {check for check in only if items is None or item[check] in items}
    host = LocalHost(apply(mistake, examiner.reference), like=reference.host)
    ran = {outcome.result.check: outcome for outcome in examiner.session.run(host, only=only)}
    assert ran.keys() == only
    return list((reference.outcomes | ran).values())


def what_is_told(examiner: Examiner, outcomes: list[Outcome]) -> dict[str, str]:
    """Return what explains failed checks, by the ids of the entries.

    Two entries that give the same answers say the same, by the id of one.
    """
    results = examiner.explained(outcomes)
    return {one.misconception or "the place alone": one.advice for one in results if one.advice}


@pytest.fixture(scope="module")
def findings(examiner) -> Mapping[tuple[str, bytes], list[str]]:
    """What ruff finds in each module of the reference, and in each with a mistake, in one run."""
    versions = [examiner.reference, *(apply(m, examiner.reference) for m in examiner.catalogue)]
    modules = {(name, files[name]) for files in versions for name in examiner.quality.items}
    places = {f"{number}/{name}": (name, source) for number, (name, source) in enumerate(modules)}
    found = lint({place: source for place, (_, source) in places.items()})
    return {module: found[place] for place, module in places.items()}


@pytest.fixture
def linted_before(findings, monkeypatch) -> None:
    """Let quality look up what ruff found, rather than start it again."""
    known = lambda files: {name: findings[name, files[name]] for name in files}  # noqa: E731
    monkeypatch.setattr("autograder.grading.quality.lint", known)


@proof
@pytest.mark.usefixtures("linted_before")
# Without the scope each mistake would get an examiner of its own, and run the reference again.
@pytest.mark.parametrize(("examiner", "name"), mistakes(), indirect=["examiner"], scope="module")
def test_a_mistake_fails_its_items_and_no_other(examiner, reference, name):
    """Every check of the other items passes, the training's and the quality's too.

    The training may be blocked by a mistake below it, or earn the share of what is right there,
    where the catalogue says so (`misleads`).
    """
    mistake = next(one for one in examiner.catalogue if one.id == name)
    outcomes = with_mistake(examiner, reference, mistake)
    results = [outcome.result for outcome in outcomes]
    files = apply(mistake, examiner.reference)
    results += examiner.quality.measure(files, examiner.session.plan, results)
    checks = {check.id: check for check in examiner.plan}
    failed = defaultdict(list)
    for result in results:
        if result.credit < FULL_CREDIT:
            shared = result.credit and result.check in examiner.session.training
            verdict = "shared" if shared else str(result.verdict)
            failed[checks[result.check].item].append((result.check, verdict))
    allowed = {*mistake.fails, *mistake.misleads}
    assert set(mistake.fails) <= set(failed), f"not noticed by {set(mistake.fails) - set(failed)}"
    assert set(failed) <= allowed, {item: failed[item] for item in set(failed) - allowed}
    misled = [entry for item in set(failed) - set(mistake.fails) for entry in failed[item]]
    assert {verdict for _, verdict in misled} <= {"blocked", "shared"}, misled
    told = what_is_told(examiner, outcomes)
    assert any(mistake.says in text for text in told.values()), f"the student is told {list(told)}"


@proof
@pytest.mark.parametrize(
    ("examiner", "name"), mistakes(variants=True), indirect=["examiner"], scope="module"
)
def test_a_variant_fails_its_items_and_is_told_as_its_entry(examiner, reference, name):
    """Only the items that it names are looked at: the entry's own form shows the others pass."""
    variant = next(form for form in all_forms(examiner.catalogue) if form.key == name)
    checks = {check.id: check for check in examiner.plan}
    outcomes = with_mistake(examiner, reference, variant, variant.fails)
    failed = [outcome for outcome in outcomes if outcome.result.credit < FULL_CREDIT]
    assert {checks[outcome.result.check].item for outcome in failed} == set(variant.fails)
    told = what_is_told(examiner, outcomes)
    assert any(variant.says in text for text in told.values()), f"the student is told {list(told)}"


@proof
@pytest.mark.parametrize("examiner", [together(week) for week in TESTED], indirect=True)
def test_the_students_tests_of_the_reference_notice_every_mistake_that_they_could(examiner):
    results = examiner.mutation.examine(examiner.confinement, examiner.reference, examiner.limits)
    assert [r.credit for r in results] == [FULL_CREDIT, FULL_CREDIT]
    noticeable = sum(mistake.kills for mistake in examiner.catalogue)
    assert f"notice {noticeable} of {noticeable} wrong" in results[1].message


@proof
def test_a_mistake_leaves_the_checks_alone_that_it_cannot_reach(examiner, reference):
    """The proofs above run those only that it can reach. Tried with one mistake of each module."""
    for mistake in {mistake.module: mistake for mistake in examiner.catalogue}.values():
        beyond = set(reference.outcomes) - reached(examiner, reference, mistake)
        host = LocalHost(apply(mistake, examiner.reference), like=reference.host)
        for outcome in examiner.session.run(host, only=beyond - examiner.session.training):
            assert outcome.result.verdict is Verdict.PASS, (mistake.id, outcome.result)


def test_quality_is_asked_of_what_everybody_has_to_do(examiner):
    """Leaving the extra credit alone costs nothing."""
    judged = {check.id.partition("::")[2] for check in examiner.quality.plan}
    assert judged <= set(examiner.week.modules)
    assert ("extra_credit.py" in examiner.week.modules) == (examiner.week.number == 3)
    assert "extra_credit.py" not in judged
