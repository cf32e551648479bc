"""An explanation agrees with the student on every check of the item, or there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from autograder.channel.faults import Fault
from autograder.grading import bounded_host, diagnosis
from autograder.grading.bounded_host import BoundedHost
from autograder.grading.diagnosis import Diagnoser, Explanation
from autograder.records import Verdict
from autograder.reference.legal_variants import LegalVariant
from autograder.reference.misconceptions import Misconception, Variant
from autograder.suite.hidden.disclosure import GradedOutcome
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import Outcome, SuiteSession

RIGHT = """
def line(x, slope, shift):
    return slope * x + shift

def steps(n):
    i = 0
    while i < n:
        i = i + 1
    return i

def twice(x):
    return 2 * x
"""

SUITE = """
import pytest
from autograder.suite import expect

@pytest.mark.item("week1.line")
@pytest.mark.parametrize("x", [0.0, 1.0, 2.0])
def test_line(student, x, rng):
    '''line is right.'''
    slope, shift = rng.normal(size=2)
    expect.close("y", student.m.line(x, slope, shift), slope * x + shift)

@pytest.mark.item("week1.line")
def test_large(student):
    '''large is right.'''
    expect.close("y", student.m.line(10.0, 1.0, 1.0), 11.0)

@pytest.mark.item("week1.steps")
def test_steps(student):
    '''steps is right.'''
    expect.close("n", student.m.steps(3), 3)

@pytest.mark.item("week1.twice")
def test_twice(student):
    '''twice is right.'''
    expect.close("y", student.m.twice(3.5), 7.0)
"""


def mistake(
    id: str, replace: str, by: str, where: str = "line", fails: str = "line", says: str = ""
) -> Misconception:
    items = [f"week1.{item}" for item in fails.split()]
    return Misconception(
        id=id, module="m", where=where, replace=replace, by=by, fails=items, says=says or f"{id}!"
    )


NO_SHIFT = mistake("no-shift", "+ shift", "")
MINUS = mistake("minus", "+ shift", "- shift")
DOUBLED = mistake("doubled", "slope * x", "2.0 * slope * x")
NO_SLOPE = mistake("no-slope", "slope * x", "x")
FOREVER = mistake("for-ever", "i + 1", "i - 1", "steps", "steps")
TOO_FEW = mistake("too-few", "i < n", "i < n - 1", "steps", "steps")
CATALOGUE = [NO_SHIFT, MINUS, DOUBLED, NO_SLOPE]


@pytest.fixture
def session(tmp_path) -> Iterator[GradedSession]:
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "test_it.py").write_text(SUITE)
    made = GradedSession(folder, "salt")
    yield made
    made.close()


def files(source: str) -> dict[str, bytes]:
    return {"m.py": source.encode()}


def outcomes(session: SuiteSession, old: str = "", new: str = "") -> list[Outcome]:
    assert old in RIGHT
    return session.run(LocalHost(files(RIGHT.replace(old, new) if old else RIGHT)))


Explain = Callable[..., dict[str, Explanation]]


@pytest.fixture
def explain(session) -> Explain:
    """Explain what code gives in which `old` is `new`, by a catalogue; by test names."""

    def explain(old: str, new: str, catalogue=CATALOGUE) -> dict[str, Explanation]:
        return told(session, outcomes(session, old, new), catalogue)

    return explain


def told(session, ends, catalogue=CATALOGUE) -> dict[str, Explanation]:
    found = Diagnoser(session, files(RIGHT), catalogue).explain(ends)
    return {check.partition("::")[2]: one for check, one in found.items()}


def test_a_known_mistake_is_told_of_each_check_that_it_fails(explain):
    found = explain("slope * x + shift", "shift * 0 + slope * x")
    assert {one.id for one in found.values()} == {"no-shift"}
    assert set(found) == {"test_line[0.0]", "test_line[1.0]", "test_line[2.0]", "test_large"}
    assert found["test_large"] == Explanation("no-shift", "no-shift!", ("m.py", "line"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("+ shift", "+ (0 if x == 1 else 3 * shift)"),  # one value is a known mistake's
        ("+ shift", "+ (shift if x == 2 else 0)"),  # a check passes that would not
        ("slope * x + shift", "(slope * x if x == 0 else 1 / 0)"),  # and the others raise
    ],
)
def test_what_agrees_in_some_checks_only_is_not_told(explain, old, new):
    assert explain(old, new) == {}


def test_right_code_is_told_nothing_and_nothing_is_replayed(session, monkeypatch):
    ends = outcomes(session)
    monkeypatch.setattr(session, "run", None)
    assert told(session, ends) == {}


def test_two_mistakes_that_hide_each_other_are_found_together(explain):
    found = explain("slope * x + shift", "2 * slope * x - shift")
    assert {one.id for one in found.values()} == {"minus", "minus+doubled"}
    assert found["test_line[0.0]"].says == "minus!"  # this one alone explains it
    both = found["test_line[1.0]"].says
    assert both == "Two mistakes together give exactly these answers. (1) minus! (2) doubled!"


def test_a_pair_is_not_tried_where_one_fails_what_the_student_passes(session, monkeypatch):
    monkeypatch.setattr(BoundedHost, "__init__", None)  # no pair can be made
    assert (
        told(session, outcomes(session, "slope * x + shift", "slope * x + shift * (x > 0)")) == {}
    )


def test_only_so_many_pairs_are_tried(session, monkeypatch):
    monkeypatch.setattr(diagnosis, "MOST_PAIRS", 0)
    assert told(session, outcomes(session, "slope * x + shift", "2 * slope * x - shift")) == {}


def test_pairs_whose_edits_exclude_each_other_are_left_out(explain):
    assert explain("slope * x + shift", "7 * x", [NO_SHIFT, MINUS]) == {}


HALVED = mistake("halved", "slope * x", "0.5 * slope * x").model_copy(
    update={"variant": [Variant(by="0.25 * slope * x"), Variant(by="slope / 2 * x")]}
)
"""An entry with two variants, of which the last gives the same answers as the entry itself."""


def test_a_variant_is_told_as_its_entry(explain):
    found = explain("slope * x", "slope * 0.25 * x", [NO_SHIFT, HALVED])
    assert set(found.values()) == {Explanation("halved", "halved!", ("m.py", "line"))}


def test_two_forms_of_one_entry_that_fit_are_one_explanation(explain):
    found = explain("slope * x", "x * slope * 0.5", [NO_SHIFT, HALVED])
    assert set(found.values()) == {Explanation("halved", "halved!", ("m.py", "line"))}


def test_two_forms_of_one_entry_are_never_two_mistakes(explain):
    apart = mistake("apart", "+ shift", "").model_copy(
        update={"variant": [Variant(replace="slope * x", by="x")]}
    )
    assert explain("slope * x + shift", "x", [apart]) == {}
    found = explain("slope * x + shift", "x", [NO_SHIFT, NO_SLOPE])
    assert "no-shift+no-slope" in {one.id for one in found.values()}


def test_a_variant_and_another_entry_are_found_together(explain):
    found = explain("slope * x + shift", "0.25 * slope * x - shift", [NO_SHIFT, MINUS, HALVED])
    assert {one.id for one in found.values()} == {"minus", "minus+halved"}


def test_a_mistake_is_looked_for_in_other_right_forms_but_in_no_pair(explain):
    swapped = LegalVariant(
        id="swapped", module="m", where="line", replace="return slope", by="return 1 + slope"
    )
    odd = mistake("odd", "+ shift", "+ 2 * shift")
    odd._legal.append(swapped)
    found = explain("slope * x + shift", "1 + slope * x + 2 * shift", [odd])
    assert {one.id for one in found.values()} == {"odd"}
    assert explain("slope * x + shift", "1 + x + 2 * shift", [odd, NO_SLOPE]) == {}


def test_some_items_of_a_suite_can_be_explained_alone(session):
    ends = outcomes(session, "+ shift", "")
    some = [one for one in ends if "line" in one.result.check]
    assert len(some) < len(ends)
    assert {one.id for one in told(session, some).values()} == {"no-shift"}
    assert told(session, [one for one in ends if "steps" in one.result.check]) == {}


SAME = mistake("no-shift-either", "slope * x + shift", "0 * shift + slope * x", says="no-shift!")
ELSEWHERE = mistake("elsewhere", "2 * x", "3 * x", "twice", "twice")


def test_two_entries_that_say_the_same_are_one_explanation(explain):
    found = explain("+ shift", "", [NO_SHIFT, SAME])
    assert {one.id for one in found.values()} == {"no-shift"}


def test_two_that_fit_equally_say_the_place_they_have_in_common(explain):
    other = mistake("other", "slope * x + shift", "slope * x")
    found = explain("+ shift", "", [NO_SHIFT, other])
    assert {(one.id, one.at) for one in found.values()} == {(None, ("m.py", "line"))}
    assert "Look at line in m.py: 2 different mistakes" in found["test_large"].says
    assert "no-shift!" not in found["test_large"].says


def test_two_that_fit_equally_at_two_places_say_nothing(session):
    inside = mistake("inside", "2 * x", "x", "twice", "twice")
    text = "def line(x, slope, shift):\n    return slope * x + shift\n"
    there = mistake("there", "slope * x", "x", "line", "twice")
    right = RIGHT.replace("return 2 * x", "return 2 * line(x, 1.0, 0.0)")
    there = there.model_copy(update={"replace": "slope * x", "by": "0.5 * slope * x"})
    inside = inside.model_copy(update={"replace": "2 * line", "by": "1 * line"})
    assert text in right
    ends = session.run(LocalHost(files(right.replace("2 * line", "line"))))
    diagnoser = Diagnoser(session, files(right), [inside, there])
    assert diagnoser.explain(ends) == {}
    [found] = Diagnoser(session, files(right), [inside]).explain(ends).values()
    assert found.id == "inside"


def test_a_mistake_that_fails_another_item_which_the_student_passes_is_not_told(session):
    both = mistake("both", "2 * x", "3 * x", "twice", "twice steps")
    ends = outcomes(session, "2 * x", "3 * x")
    assert {one.id for one in told(session, ends, [both]).values()} == {"both"}
    right = RIGHT.replace("i = 0", "i = int(twice(0.0)) if twice(1.0) == 2 else 10")
    wrong = right.replace("2 * x", "3 * x").replace("if twice(1.0) == 2 else 10", "")
    ends = session.run(LocalHost(files(wrong)))
    assert Diagnoser(session, files(right), [both]).explain(ends) == {}


def test_nothing_is_told_of_a_definition_through_which_something_fails_unexplained(session):
    right = RIGHT.replace("return 2 * x", "return line(x, 2.0, 0.0)")
    wrong = right.replace("slope * x + shift", "slope * x * (1 if shift else 3)")
    assert told(session, outcomes(session, "+ shift", ""))
    ends = session.run(LocalHost(files(wrong)))
    assert Diagnoser(session, files(right), [NO_SHIFT]).explain(ends) == {}
    ends = session.run(LocalHost(files(wrong.replace("return line(x, 2.0, 0.0)", "return 3 * x"))))
    assert Diagnoser(session, files(right), [NO_SHIFT]).explain(ends) == {}
    there = mistake("there", "line(x, 2.0, 0.0)", "3 * x", "twice", "twice")
    found = Diagnoser(session, files(right), [NO_SHIFT, there]).explain(ends)
    assert {one.id for one in found.values()} == {"no-shift", "there"}


def test_what_fails_through_another_item_that_fails_must_fit_that_one_too(session):
    right = RIGHT.replace(
        "    return slope * x + shift",
        "    # BEGIN SOLUTION week1.line\n    return slope * x + shift\n    # END SOLUTION",
    ).replace("return 2 * x", "return line(x, 2.0, 0.0)")
    ends = session.run(LocalHost(files(right.replace("slope * x", "2.0 * slope * x"))))
    there = mistake("there", "2.0, 0.0", "4.0, 0.0", "twice", "twice")
    both = mistake("both", "slope * x", "2.0 * slope * x", "line", "line twice")
    found = Diagnoser(session, files(right), [DOUBLED, there]).explain(ends)
    assert {one.id for one in found.values()} <= {"doubled"}
    found = Diagnoser(session, files(right), [both, there]).explain(ends)
    assert {(check.partition("::")[2], one.id) for check, one in found.items()} >= {
        ("test_twice", "both"),
        ("test_line[1.0]", "both"),
    }


@pytest.mark.parametrize("verdict", sorted(diagnosis.OUT_OF_REACH))
def test_what_no_replay_can_do_is_not_explained(session, verdict):
    ends = outcomes(session, "+ shift", "")
    last = next(n for n, one in enumerate(ends) if "large" in one.result.check)
    ends[last] = Outcome(replace(ends[last].result, verdict=verdict), Fault(verdict, ""))
    assert told(session, ends) == {}


def test_what_comes_to_no_end_is_explained_by_what_says_so_and_by_nothing_else(session):
    """An entry is run without a limit of time: it raises where a student's time would be over."""
    ends = outcomes(session)
    over = Fault(Verdict.TIMEOUT, "took too long")
    place = next(n for n, one in enumerate(ends) if "steps" in one.result.check)
    ends[place] = Outcome(replace(ends[place].result, verdict=over.verdict, credit=0), over)
    endless = 'raise TimeoutError("it does not come to an end")'
    says_so = mistake("never-ends", "i = i + 1", endless, "steps", "steps")
    assert told(session, ends, [TOO_FEW]) == {}
    assert told(session, ends, [TOO_FEW, says_so])["test_steps"].id == "never-ends"


@pytest.mark.parametrize("verdict", [Verdict.NOT_ATTEMPTED, Verdict.INFRA])
def test_what_is_not_there_yet_does_not_count(session, verdict):
    ends = outcomes(session, "+ shift", "")
    last = next(n for n, one in enumerate(ends) if "large" in one.result.check)
    ends[last] = Outcome(replace(ends[last].result, verdict=verdict), None)
    found = told(session, ends)
    assert set(found) == {"test_line[0.0]", "test_line[1.0]", "test_line[2.0]"}


def settled(session, source: str, verdicts: list[Outcome]) -> list[Outcome]:
    """Return outcomes as grading settles them: verdicts of one run, faults of another salt."""
    again = session.run(LocalHost(files(source)), salt="again")
    return [
        GradedOutcome(one.result, other.fault, salt="again")
        if one.result.verdict is not Verdict.PASS
        else GradedOutcome(one.result)
        for one, other in zip(verdicts, again, strict=True)
    ]


def test_faults_are_compared_on_the_numbers_that_they_were_drawn_from(session):
    source = RIGHT.replace("+ shift", "")
    ends = settled(session, source, session.run(LocalHost(files(source))))
    assert {one.id for one in told(session, ends).values()} == {"no-shift"}
    for one in ends:
        if isinstance(one, GradedOutcome):
            one.salt = "some other" if one.fault else None
    assert told(session, ends) == {}


def test_a_throw_away_run_that_passed_must_pass_in_the_replay(session):
    source = RIGHT.replace("+ shift", "")
    ends = settled(session, source, session.run(LocalHost(files(source))))
    last = next(n for n, one in enumerate(ends) if "[2.0]" in one.result.check)
    ends[last] = GradedOutcome(ends[last].result, None, salt="again")
    assert told(session, ends) == {}
    ends[last] = GradedOutcome(ends[last].result)  # without such a run it only has to fail
    assert {one.id for one in told(session, ends).values()} == {"no-shift"}


def test_a_class_is_replayed_once(session, monkeypatch):
    diagnoser = Diagnoser(session, files(RIGHT), CATALOGUE)
    ends = outcomes(session, "slope * x + shift", "2 * slope * x - shift")
    first = diagnoser.explain(ends)
    assert first
    monkeypatch.setattr(session, "run", None)
    assert diagnoser.explain(ends) == first


def test_a_pair_that_does_not_come_to_an_end_is_stopped(session, monkeypatch):
    monkeypatch.setattr(bounded_host, "MOST_LINES", 1000)
    host = BoundedHost(files(RIGHT.replace("i + 1", "i - 1")))
    ends = {one.result.check.partition("::")[2]: one.result for one in session.run(host)}
    assert ends["test_steps"].verdict is Verdict.RAISED
    assert ends["test_steps"].message.startswith("TooManyLinesError")
    assert {one.verdict for name, one in ends.items() if name != "test_steps"} == {Verdict.PASS}
