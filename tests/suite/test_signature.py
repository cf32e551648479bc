"""A failure is recognised by the same wrong value at the same place, up to rounding."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle
from autograder.grading.diagnosis import UNKNOWN, same
from autograder.grading.sealing import seal
from autograder.records import CheckResult, Verdict
from autograder.reference.misconceptions import Misconception
from autograder.suite.expect import MAX_ENTRIES, Wrong
from autograder.suite.hidden.digest import MOST_NUMBERS
from autograder.suite.session import Outcome
from autograder.suite.signature import ENDLESS, entry_of, key_of, signature
from autograder.wire.codec import Ref

HANDLE = Handle(Ref(1, "Lie"), lambda *request: None)
ARRAY = np.array([[1.0, -2.5], [1 / 3, 4e10]])
KINDS = [ARRAY, np.array([1, 2]), np.array(2.0), np.array([True]), 3, 0.5, "text", True]


def wrong(received, label: str = "dL_db") -> Wrong:
    return Wrong(label, "it differs", received)


def of(received, label: str = "dL_db"):
    found = signature(wrong(received, label))
    assert found is not None
    return found


@pytest.mark.parametrize("received", KINDS, ids=repr)
def test_the_same_wrong_value_is_the_same_failure(received):
    assert same(of(received), of(received))


@pytest.mark.parametrize("received", KINDS, ids=repr)
def test_signatures_survive_json(received):
    found = of(received)
    assert same(json.loads(json.dumps(found)), found)


@pytest.mark.parametrize(
    "received", [np.array([np.nan, 1.0]), np.array([np.inf, -np.inf]), np.array(np.nan)], ids=repr
)
def test_nan_and_inf_are_values_to_recognise(received):
    found = json.loads(json.dumps(of(received), allow_nan=False))
    assert same(found, of(received))
    assert not same(found, of(np.zeros(received.shape)))


def test_different_values_are_different_failures():
    signatures = [of(value) for value in KINDS]
    for i, one in enumerate(signatures):
        for j, other in enumerate(signatures):
            assert same(one, other) == (i == j)


def test_another_label_is_another_failure():
    assert not same(of(ARRAY, "dL_db"), of(ARRAY, "dL_dW"))


def test_another_shape_is_another_failure():
    assert not same(of(ARRAY), of(ARRAY.ravel()))
    assert not same(of(np.zeros((0, 2))), of(np.zeros((2, 0))))


def test_rounding_does_not_tell_values_apart_and_more_does():
    assert same(of(ARRAY), of(ARRAY * (1 + 1e-9)))
    assert not same(of(ARRAY), of(ARRAY * (1 + 1e-4)))


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=5), elements=st.floats()))
def test_every_array_is_the_same_as_itself_after_json(array):
    found = of(array)
    assert same(json.loads(json.dumps(found, allow_nan=False)), found)


@pytest.mark.parametrize(
    "received",
    [np.array([1 + 2j]), [1, HANDLE], {"a": np.array([1j])}, HANDLE, np.zeros(MOST_NUMBERS + 1)],
    ids=lambda value: type(value).__name__,
)
def test_what_identifies_nothing_has_no_signature(received):
    assert signature(wrong(received)) is None


RNG = np.random.default_rng(5)
LARGE = RNG.normal(size=(3, MAX_ENTRIES))
NESTED = {"x": [LARGE, (1, None, "text")], "y": 0.25}
WITH_NAN = np.where(LARGE > 3, np.nan, LARGE)
OTHERS = [
    LARGE,
    -LARGE,
    LARGE.T,
    LARGE[::-1],
    np.roll(LARGE, 1),
    np.where(np.isclose(LARGE, LARGE[2, 7]), 0.0, LARGE),
    WITH_NAN,
    np.roll(WITH_NAN, 1),
    np.full(LARGE.shape, np.nan),
    np.zeros(LARGE.shape),
    NESTED,
    {**NESTED, "y": 0.5},
    {**NESTED, "x": [LARGE, (1, None, "other")]},
    {**NESTED, "x": [LARGE, [1, None, "text"]]},
    [],
    [[]],
    [0.5, 1.5],
    [0.5, 1.25],
    [True],
    [1.0],
]


def test_large_and_nested_answers_are_told_apart_by_a_small_digest():
    signatures = [of(value) for value in OTHERS]
    for i, one in enumerate(signatures):
        assert len(json.dumps(one, allow_nan=False)) < 1000
        for j, other in enumerate(signatures):
            assert same(one, other) == (i == j), (i, j)


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_rounding_does_not_tell_large_answers_apart_and_more_does(scale):
    noise = RNG.normal(size=LARGE.shape)
    assert same(of(scale * LARGE), of(scale * LARGE * (1 + 1e-12 * noise)))
    assert same(of([scale * LARGE]), of([scale * (LARGE + 1e-12 * noise)]))
    assert not same(of(scale * LARGE), of(scale * LARGE * (1 + 1e-3 * noise)))


@pytest.mark.parametrize("name", ["SyntaxError", "IndentationError", "TabError"])
def test_what_is_no_python_is_not_looked_for_in_the_catalogue(name):
    """Each catalogued mistake is valid Python; replaying all of them would take seconds."""
    assert signature(Fault(Verdict.RAISED, f"{name}: expected ':'")) is None


def test_a_raised_exception_is_recognised_by_its_first_line():
    first, second, other = (
        signature(Fault(Verdict.RAISED, text))
        for text in ("ValueError: no\n  a.py:3", "ValueError: no\n  a.py:7", "TypeError: no")
    )
    assert same(first, second)
    assert not same(first, other)
    assert not same(first, of("ValueError: no"))
    assert not same(of("ValueError: no"), first)


def test_a_time_that_is_over_is_what_the_catalogue_raises_for_it():
    raised = Fault(Verdict.RAISED, ENDLESS)
    assert signature(Fault(Verdict.TIMEOUT, "whatever it says")) == signature(raised)


@pytest.mark.parametrize("verdict", sorted({*Verdict} - {Verdict.RAISED, Verdict.TIMEOUT}))
def test_other_faults_have_none(verdict):
    assert signature(Fault(verdict, "the same for everybody")) is None


def mistake(id: str, says: str, where: str = "f") -> Misconception:
    return Misconception(
        id=id, module="m", where=where, replace="a", by="b", fails=["week1.mse"], says=says
    )


LONG = np.array([1 / 3, -2.718281, 0.0, 40.625])


def faults(*received):
    """Return the faults of two or more checks: None for one that passes."""
    return {f"check {n}": one if one is None else wrong(one) for n, one in enumerate(received)}


def ends(*received):
    """Return how these checks end, as signatures."""
    return {check: fault and signature(fault) for check, fault in faults(*received).items()}


def outcomes(faults):
    return [
        Outcome(CheckResult(check, fault.verdict if fault else Verdict.PASS), fault)
        for check, fault in faults.items()
    ]


MISTAKES = [
    (mistake("transposed", "It is transposed."), ends(ARRAY.T, None)),
    (mistake("averaged", "It is averaged."), ends(LONG, None)),
    (mistake("averaged-twice", "It is averaged."), ends(LONG, None)),
    (mistake("both", "Both are wrong."), ends(LONG, True)),
    (mistake("number", "It is a number."), ends(None, np.array(3.2329504))),
    (mistake("one", "It is one.", "A.one"), ends(2 * LONG, None)),
    (mistake("other", "It is another.", "A.two"), ends(2 * LONG, None)),
    (mistake("here", "It is here.", "A"), ends(3 * LONG, None)),
    (mistake("there", "It is there.", "B"), ends(3 * LONG, None)),
    (mistake("raising", "It raises."), {"check 0": {"raised": "ValueError: no"}, "check 1": None}),
    (mistake("and-raising", "It raises too."), {**ends(LONG), "check 1": {"raised": "E: no"}}),
    (mistake("crash", "It crashes."), {**ends(LONG), "check 1": UNKNOWN}),
    (mistake("true", "It is true."), ends(True, None)),
    (mistake("zero", "It is zero."), ends(np.zeros(50), None)),
    (mistake("halves", "Halved."), ends(np.array([0.5, 1.5, -3.0]), None)),
]
SEALED = json.loads(json.dumps(seal(MISTAKES)))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (faults(LONG, None), "It is averaged."),
        (faults(LONG * (1 + 1e-12), None), "It is averaged."),
        (faults(LONG, True), "Both are wrong."),
        (faults(LONG, False), None),
        (faults(LONG, 1.5), None),
        (faults(LONG), None),
        (faults(None, np.array(3.2329504)), "It is a number."),
        ({**faults(LONG), "check 1": Fault(Verdict.RAISED, "E: another text")}, "It raises too."),
        (faults(3 * LONG, None), None),
        (faults(LONG + 1, None), None),
        (faults(LONG[::-1].copy(), None), None),
        (faults(LONG.reshape(2, 2), None), None),
        ({"check 0": wrong(LONG, "dL_dx"), "check 1": None}, None),
        ({"another": wrong(LONG), "check 1": None}, None),
    ],
)
def test_whoever_has_the_wrong_values_of_all_checks_reads_what_explains_them(found, says):
    entry = entry_of(SEALED, outcomes(found))
    assert (entry and entry["says"]) == says
    assert entry is None or entry.keys() == {"id", "says", "at"}


def test_two_mistakes_with_the_same_failures_are_told_by_their_place_if_it_is_one():
    found = entry_of(SEALED, outcomes(faults(2 * LONG, None)))
    assert found is not None
    assert found["at"] == ["m.py", "A"]
    assert "Look at A in m.py" in found["says"]
    assert "It is" not in found["says"]


def test_what_is_easily_guessed_is_not_shipped_at_all():
    assert len(SEALED) == 5
    for received in (True, np.zeros(50), np.array([0.5, 1.5, -3.0]), ARRAY.T):
        assert entry_of(SEALED, outcomes(faults(received, None))) is None


def test_a_sealed_text_says_nothing_without_its_key():
    text = json.dumps(SEALED)
    assert not any(word in text for word in ("averaged", "It", "says", "dL_db", "3333"))
    assert list(SEALED) == sorted(SEALED)


@pytest.mark.parametrize("verdict", [Verdict.TIMEOUT, Verdict.NOT_ATTEMPTED, Verdict.WRONG])
def test_a_failure_without_a_signature_leaves_the_whole_item_unexplained(verdict):
    good, known = outcomes({"check 1": None, "check 0": wrong(LONG)})
    assert entry_of(SEALED, [known, good])
    assert entry_of(SEALED, [good]) is None
    assert entry_of(SEALED, [known, good, Outcome(CheckResult("check 2", verdict), None)]) is None


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=5), elements=st.floats()))
@settings(max_examples=20, deadline=None)
def test_every_array_makes_a_key_and_after_json_the_same(array):
    found = ends(array, None)
    assert key_of(json.loads(json.dumps(found))) == key_of(found)


def test_values_that_differ_by_rounding_make_the_same_key():
    rng = np.random.default_rng(0)
    for shape in ((1,), (3,), (4, 5)):
        array = np.round(rng.normal(size=shape), 2)
        for noise in 1e-13 * rng.normal(size=(5, *shape)):
            assert key_of(ends(array * (1 + noise))) == key_of(ends(array))


@pytest.mark.parametrize("factor", [10.0, 0.01, -1.0, 1.001])
def test_a_multiple_of_a_wrong_answer_is_another_one(factor):
    """0.2222 is not the mistake that gives 0.002222: the size of numbers is part of the key."""
    for array in (np.array(0.2222), np.array([0.1, -3.7, 250.0])):
        assert key_of(ends(array * factor)) != key_of(ends(array))


def test_nothing_shipped_explains_nothing():
    assert entry_of({}, outcomes(faults(ARRAY))) is None
