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
from autograder.grading.diagnosis import same, seal
from autograder.records import Verdict
from autograder.reference.misconceptions import Misconception
from autograder.suite.expect import MAX_ENTRIES, Wrong
from autograder.suite.signature import entry_of, key_of, signature
from autograder.wire.codec import Ref

ARRAY = np.array([[1.0, -2.5], [1 / 3, 4e10]])
KINDS = [ARRAY, np.array([1, 2]), np.array(2.0), np.array([True]), 3, 0.5, "text", True, None]


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
    [
        np.zeros(MAX_ENTRIES + 1),
        np.array([1 + 2j]),
        [1, 2],
        {"a": 1},
        Handle(Ref(1, "Lie"), lambda *request: None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_identifies_nothing_has_no_signature(received):
    assert signature(wrong(received)) is None


def test_the_largest_array_that_is_kept_has_one():
    assert signature(wrong(np.zeros(MAX_ENTRIES))) is not None


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


@pytest.mark.parametrize(
    "verdict", [verdict for verdict in Verdict if verdict is not Verdict.RAISED]
)
def test_other_faults_have_none(verdict):
    assert signature(Fault(verdict, "the same for everybody")) is None


def mistake(id: str, says: str) -> Misconception:
    return Misconception(
        id=id, module="m", where="f", replace="a", by="b", fails=["week1.mse"], says=says
    )


LONG = np.array([1 / 3, -2.718281, 0.0, 40.625])
MISTAKES = [
    (mistake("transposed", "It is transposed."), of(ARRAY.T)),
    (mistake("averaged", "It is averaged."), of(LONG)),
    (mistake("the-same", "So is this."), of(LONG)),
    (mistake("number", "It is a number."), of(np.array(3.2329504))),
    (mistake("raising", "It raises."), {"raised": "ValueError: no"}),
    (mistake("true", "It is true."), of(True)),
    (mistake("zero", "It is zero."), of(np.zeros(50))),
    (mistake("halves", "Halved."), of(np.array([0.5, 1.5, -3.0]))),
]
SEALED = json.loads(json.dumps(seal("check", MISTAKES)))


@pytest.mark.parametrize(
    ("fault", "id"),
    [
        (wrong(LONG), "averaged"),
        (wrong(LONG * (1 + 1e-12)), "averaged"),
        (wrong(np.array(3.2329504)), "number"),
        (wrong(LONG + 1), None),
        (wrong(LONG[::-1].copy()), None),
        (wrong(ARRAY.T), None),
        (wrong(LONG.reshape(2, 2)), None),
        (wrong(LONG, "dL_dx"), None),
        (wrong([1, 2]), None),
        (wrong("text"), None),
        (Fault(Verdict.RAISED, "ValueError: no\n  a.py:1"), None),
        (Fault(Verdict.TIMEOUT, "ValueError: no"), None),
    ],
)
def test_whoever_has_the_wrong_value_reads_what_explains_it(fault, id):
    found = entry_of(SEALED, "check", fault)
    assert (found and found["id"]) == id
    assert found is None or found.keys() == {"id", "says", "at"}


def test_what_is_easily_guessed_is_not_shipped_at_all():
    assert len(SEALED) == 2
    for received in (True, np.zeros(50), np.array([0.5, 1.5, -3.0]), ARRAY.T):
        assert entry_of(SEALED, "check", wrong(received)) is None


def test_a_sealed_text_says_nothing_without_its_key_and_another_check_is_another_key():
    text = json.dumps(SEALED)
    assert not any(word in text for word in ("averaged", "It", "says", "dL_db", "3333"))
    assert entry_of(SEALED, "another check", wrong(LONG)) is None
    assert list(SEALED) == sorted(SEALED)


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=5), elements=st.floats()))
@settings(max_examples=20, deadline=None)
def test_every_array_makes_a_key_and_after_json_the_same(array):
    found = of(array)
    assert key_of("check", json.loads(json.dumps(found))) == key_of("check", found)


def test_values_that_differ_by_rounding_make_the_same_key():
    rng = np.random.default_rng(0)
    for shape in ((1,), (3,), (4, 5)):
        array = np.round(rng.normal(size=shape), 2)
        for noise in 1e-13 * rng.normal(size=(5, *shape)):
            assert key_of("check", of(array * (1 + noise))) == key_of("check", of(array))


def test_nothing_shipped_explains_nothing():
    assert entry_of({}, "check", wrong(ARRAY)) is None
