"""What passes each comparison, what doesn't, and the words that students read then."""

from __future__ import annotations

import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle
from autograder.records import Verdict
from autograder.suite import expect
from autograder.suite.expect import MAX_ENTRIES, NOT_KEPT, Wrong
from autograder.suite.hidden.warned import no_warnings
from autograder.wire.codec import Ref

NAN, INF = float("nan"), float("inf")


def refuse(*request):
    raise AssertionError("a comparison asks the student's object for nothing")


HANDLE = Handle(Ref(1, "Lie"), refuse)


def message_of(comparison, *arguments, **options) -> str:
    """Return the message of a comparison that fails, without the label."""
    with pytest.raises(Wrong) as caught:
        comparison("y", *arguments, **options)
    assert caught.value.verdict is Verdict.WRONG
    label, _, text = caught.value.message.partition(": ")
    assert label == caught.value.label == "y"
    return text


# close


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.array([1.0, 2.0], np.float32), np.array([1.0, 2.0])),
        (np.array(3.0), 3.0),
        (3.0, 3.0),
        (3, 3.0),
        (3.0, np.array(3.0)),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.array([-0.0]), np.array([0.0])),
    ],
)
def test_close_accepts(received, expected):
    expect.close("y", received, expected)


ONES = np.ones(2)


@pytest.mark.parametrize(
    ("received", "expected", "says"),
    [
        # the type
        (None, ONES, "expected an array, got None (is a `return`, or an assignment"),
        (None, 1.0, "expected a number, got None"),
        ([1.0, 1.0], ONES, "expected an array, got a list."),
        ((1.0, 1.0), ONES, "expected an array, got a tuple."),
        ({0: 1.0}, ONES, "expected an array, got a dict."),
        (1.0, ONES, "expected an array, got a float."),
        (1, ONES, "expected an array, got an int."),
        (True, 1.0, "expected a number, got a bool."),
        ("1.0", 1.0, "expected a number, got a str."),
        ([1.0], 1.0, "expected a number, got a list."),
        (HANDLE, ONES, "expected an array, got an object of type Lie."),
        (HANDLE, 1.0, "expected a number, got an object of type Lie."),
        (np.array([True, True]), ONES, "expected numbers, got truth values."),
        (np.array(True), 1.0, "expected numbers, got truth values."),
        (np.array([1.0 + 0j, 1.0]), ONES, "expected real numbers, got complex ones."),
        # the shape: nothing is broadcast
        (np.array(1.0), ONES, "expected shape (2,), got ()."),
        (np.ones((2, 1)), ONES, "expected shape (2,), got (2, 1)."),
        (np.ones((1, 2)), ONES, "expected shape (2,), got (1, 2)."),
        (np.ones(1), ONES, "expected shape (2,), got (1,)."),
        (np.ones(3), ONES, "expected shape (2,), got (3,)."),
        (np.ones(1), 1.0, "expected shape (), got (1,)."),
        (np.ones((2, 3)), np.ones((3, 2)), "expected shape (3, 2), got (2, 3)."),
        (np.zeros((0,)), ONES, "expected shape (2,), got (0,)."),
        # NaN and inf
        (np.array([1.0, NAN]), ONES, "1 of 2 entries are NaN (the first is at [1])."),
        (np.array([INF, 1.0]), ONES, "1 of 2 entries are inf (the first is at [0])."),
        (np.array([-INF, NAN]), ONES, "2 of 2 entries are NaN and inf (the first is at [0])."),
        (NAN, 1.0, "1 of 1 entries are NaN."),
        (np.array(INF), 1.0, "1 of 1 entries are inf."),
        (np.array([1.0, NAN]), np.array([1.0, NAN]), "1 of 2 entries are NaN"),
        (np.array([1.0, INF]), np.array([1.0, INF]), "1 of 2 entries are inf"),
        (NAN, NAN, "1 of 1 entries are NaN."),
        (1.0, NAN, "got 1, expected nan."),
        # the value
        (2.0, 1.0, "got 2, expected 1."),
        (np.array([1.0, 2.5]), ONES, "1 of 2 entries differ; the largest difference is at [1]: "),
    ],
    ids=repr,
)
def test_close_refuses(received, expected, says):
    assert message_of(expect.close, received, expected).startswith(says)


def test_close_says_what_is_wrong_first_type_then_shape_then_nan_then_value():
    wanted = np.zeros((2, 2))
    assert "complex" in message_of(expect.close, np.full(3, NAN * 1j), wanted)
    assert "shape" in message_of(expect.close, np.full(3, NAN), wanted)
    assert "NaN" in message_of(expect.close, np.array([[NAN, 1], [1, 1]]), wanted)


def test_tolerances_are_absolute_plus_relative_to_the_expected_value():
    expect.close("y", 100.0 + 1.09, 100.0, rtol=0.01, atol=0.1)
    message_of(expect.close, 100.0 + 1.11, 100.0, rtol=0.01, atol=0.1)
    expect.close("y", 1e-9, 0.0)
    message_of(expect.close, 1e-7, 0.0)
    message_of(expect.close, 1e-9, 0.0, atol=0.0)


def test_every_entry_counts():
    received = np.zeros(10_000)
    received[1234] = 1e-3
    assert "1 of 10000 entries differ" in message_of(expect.close, received, np.zeros(10_000))


def test_huge_entries_are_wrong_and_warn_nobody():
    huge = np.array([1.7e308, -1.7e308])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "got 1.7e+308" in message_of(expect.close, huge, np.array([-1.7e308, 1.7e308]))
        message_of(expect.close, np.full((3, 3), 1.7e308), np.ones((3, 3)))


@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4)),
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int8, np.bool_, np.complex64]),
        hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
    ),
)
def test_close_passes_for_nothing_but_near_finite_arrays_of_that_shape(expected, received):
    expected = np.nan_to_num(expected, nan=0.0, posinf=1e300, neginf=-1e300)
    right = (
        received.shape == expected.shape
        and received.dtype.kind in "fi"
        and bool(np.isfinite(received).all())
        and bool((np.abs(received - expected) <= 1e-8 + 1e-6 * np.abs(expected)).all())
    )
    try:
        expect.close("y", received, expected)
        passed = True
    except Wrong:
        passed = False
    assert passed == right


# array


def test_array_returns_what_it_was_given():
    values = np.arange(6.0).reshape(2, 3)
    assert expect.array("y", values, (2, 3)) is values
    assert expect.array("y", 5, ()).shape == ()
    assert expect.array("y", 0.5, ()) == 0.5
    assert expect.array("y", np.array([True]), (1,)).dtype == bool


def test_an_array_has_a_shape_of_the_tests_own():
    with pytest.raises(TypeError, match="shape"):
        expect.array("y", np.ones(3))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("received", "shape", "says"),
    [
        (HANDLE, (1,), "expected an array, got an object of type Lie."),
        ([1.0], (1,), "expected an array, got a list."),
        (None, (1,), "expected an array, got None"),
        (True, (), "expected a number, got a bool."),
        (1.0, (1,), "expected an array, got a float."),
        (np.ones((2, 1)), (2,), "expected shape (2,), got (2, 1)."),
        (np.ones(2), (), "expected shape (), got (2,)."),
        (np.array([[0.0, NAN]]), (1, 2), "1 of 2 entries are NaN (the first is at [0, 1])."),
        (np.array(1j), (), "expected real numbers, got complex ones."),
    ],
    ids=repr,
)
def test_array_refuses(received, shape, says):
    assert message_of(expect.array, received, shape).startswith(says)


# shape_of, differ, repeated


def test_shape_of_tells_the_shape_of_numbers_and_of_nothing_else():
    assert expect.shape_of("y", np.ones((2, 0, 3))) == (2, 0, 3)
    assert expect.shape_of("y", 0.5) == ()
    for lie in (HANDLE, [1.0], None, "text", np.array([NAN]), np.array([1j])):
        assert message_of(expect.shape_of, lie)


def test_differ_accepts_arrays_that_differ_in_an_entry_or_in_their_shapes():
    expect.differ("y", np.zeros(3), np.array([0.0, 0.0, 1e-9]), "they are the same")
    expect.differ("y", np.zeros(3), np.zeros((3, 1)), "they are the same")
    expect.differ("y", np.array([0.0, 1.0]), 0, "all are zero")


@pytest.mark.parametrize(
    ("first", "other", "says"),
    [
        (np.ones(3), np.ones(3), "they are the same"),
        (np.zeros((2, 2)), 0, "they are the same"),
        (2.0, 2.0, "they are the same"),
        (HANDLE, np.ones(3), "expected an array, got an object of type Lie."),
        (np.ones(3), HANDLE, "expected an array, got an object of type Lie."),
        (np.ones(3), np.full(3, NAN), "3 of 3 entries are NaN"),
    ],
    ids=repr,
)
def test_differ_refuses(first, other, says):
    assert message_of(expect.differ, first, other, "they are the same").startswith(says)


def test_repeated_says_that_what_it_calls_expected_is_the_codes_own_answer():
    with pytest.raises(Wrong, match=r"^y \(expected is your own other answer\): 3 of 3 entries"):
        expect.repeated("y", np.ones(3), np.full(3, 2.0))


def test_warnings_are_said_once_with_the_dtype():
    no_warnings(SimpleNamespace(warnings=lambda: ["DeprecationWarning: old"]))
    warned = ["RuntimeWarning: overflow in exp"] * 3 + ["RuntimeWarning: divide by zero"]
    with pytest.raises(Wrong) as raised:
        no_warnings(SimpleNamespace(warnings=lambda: warned), "float32")
    said = "with float32 arrays: RuntimeWarning: overflow in exp (3 times); RuntimeWarning: divide"
    assert said in raised.value.message
    assert raised.value.message.count("overflow") == 1


def test_repeated_accepts_what_is_near_to_the_first_answer():
    expect.repeated("y", np.ones(3), np.ones(3))
    expect.repeated("y", 1.0, 1.1, rtol=0.2)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (np.ones(3), np.zeros(3)),
        (np.ones(3), np.ones((3, 1))),
        (np.full(3, NAN), np.full(3, NAN)),
        (HANDLE, HANDLE),
        (None, None),
    ],
    ids=repr,
)
def test_repeated_refuses(first, again):
    with pytest.raises(Wrong, match=r"^y.*: ."):
        expect.repeated("y", first, again)


# dtype


def test_dtype_accepts_exactly_that_one():
    expect.dtype("y", np.zeros(2, np.float32), np.float32)
    expect.dtype("y", np.zeros(2, np.int64), "int64")


@pytest.mark.parametrize(
    ("received", "says"),
    [
        (np.zeros(2), "expected dtype float32, got float64."),
        (np.zeros(2, np.float16), "expected dtype float32, got float16."),
        (0.5, "expected an array, got a float."),
        (None, "expected an array, got None"),
        (HANDLE, "expected an array, got an object of type Lie."),
    ],
    ids=repr,
)
def test_dtype_refuses(received, says):
    assert message_of(expect.dtype, received, np.float32).startswith(says)


# equal


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (3, 3),
        (3.0, 3),
        (True, True),
        ("text", "text"),
        (None, None),
        ((1, 2), (1, 2)),
        ([1, 2], (1, 2)),
        ([1, [2, "a"]], (1, (2, "a"))),
        ({"a": 1}, {"a": 1}),
        (np.array(3), 3),
        (np.array([1, 2]), np.array([1, 2])),
        (np.array([1.0, 2.0]), np.array([1, 2])),
        (np.array([True]), np.array([True])),
        (3, np.array(3)),
        ((), ()),
    ],
    ids=repr,
)
def test_equal_accepts(received, expected):
    expect.equal("y", received, expected)


@pytest.mark.parametrize(
    ("received", "expected", "says"),
    [
        (4, 3, "expected 3, got 4."),
        ("4", 4, "expected 4, got '4'."),
        (True, 1, "expected 1, got True."),
        (1, True, "expected True, got 1."),
        (0.0, False, "expected False, got 0.0."),
        (None, 0, "expected 0, got None."),
        (0, None, "expected None, got 0."),
        (NAN, NAN, "expected nan, got nan."),
        ((1, 2), (1, 2, 3), "expected (1, 2, 3), got (1, 2)."),
        ((), (1,), "expected (1,), got ()."),
        ((1,), (), "expected (), got (1,)."),
        (5, (5,), "expected (5,), got 5."),
        ({"a": 1}, {"a": 2}, "expected {'a': 2}, got {'a': 1}."),
        (HANDLE, 1, "expected 1, got an object of type Lie."),
        (HANDLE, ONES, "expected an array of shape (2,) and dtype float64, got an object"),
        ((HANDLE,), (1,), "expected (1,), got (<Lie object>,)."),
        (np.array([3]), 3, "expected 3, got an array of shape (1,) and dtype int64."),
        (np.array([1, 2]), (1, 2), "expected (1, 2), got an array of shape (2,)"),
        (np.array([1, 3]), np.array([1, 2]), "1 of 2 entries differ; the largest difference is"),
        (np.array([[1, 2]]), np.array([1, 2]), "expected shape (2,), got (1, 2)."),
        (np.array(1), np.array([1, 1]), "expected shape (2,), got ()."),
        ([1, 2], np.array([1, 2]), "expected an array, got a list."),
        (np.array([1.0, NAN]), np.array([1, 2]), "1 of 2 entries are NaN"),
        (np.array([True, False]), np.array([1, 0]), "expected numbers, got truth values."),
        (np.array([1, 0]), np.array([True, False]), "expected truth values, got numbers."),
        (np.array([1 + 0j]), np.array([1]), "expected real numbers, got complex ones."),
        ("x" * 500, "y", "expected 'y', got 'xxxx"),
    ],
    ids=repr,
)
def test_equal_refuses(received, expected, says):
    message = message_of(expect.equal, received, expected)
    assert message.startswith(says)
    assert len(message) < 250


def test_a_handle_deep_inside_is_never_equal():
    for received, expected in (([HANDLE], [1]), ({"a": HANDLE}, {"a": 1}), ([[HANDLE]], [[None]])):
        with pytest.raises(Fault) as caught:
            expect.equal("y", received, expected)
        assert caught.value.verdict is Verdict.WRONG


# unchanged


def test_unchanged_accepts_the_same_values_nan_included():
    for before in (np.array([1.0, NAN]), np.arange(3), np.array([True]), np.zeros((0, 2))):
        expect.unchanged("x", before, before.copy())


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (
            np.array([1.0, 2.0, 4.0]),
            "an array that it was only given (the first changed entry is [2]",
        ),
        (
            np.array([1.0, NAN, 3.0]),
            "an array that it was only given (the first changed entry is [1]",
        ),
        (np.array([[1.0, 2.0, 3.0]]), "the shape or type of an array"),
        (np.array([1.0, 2.0]), "the shape or type of an array"),
        (np.array([1.0, 2.0, 3.0], np.float32), "the shape or type of an array"),
        (np.array([1, 2, 3]), "the shape or type of an array"),
        ([1.0, 2.0, 3.0], "the shape or type of an array"),
        (None, "the shape or type of an array"),
        (HANDLE, "the shape or type of an array"),
    ],
    ids=repr,
)
def test_unchanged_refuses(after, says):
    message = message_of(expect.unchanged, np.array([1.0, 2.0, 3.0]), after)
    assert message.startswith(f"your code changed {says}")


# that


def test_that_wants_a_truth_value_and_a_true_one():
    expect.that("y", True, "it must")
    expect.that("y", np.bool_(True), "it must")
    assert message_of(expect.that, False, "it must hold") == "it must hold"
    for condition in (1, None, "yes", HANDLE, np.array([True, True])):
        with pytest.raises(TypeError, match="needs a truth value"):
            expect.that("y", condition, "it must")


# raises


def raiser(verdict: Verdict, message: str, name: str = ""):
    def call(*arguments):
        raise Fault(verdict, message, name)

    return call


def test_raises_passes_for_that_exception_only():
    expect.raises("y", raiser(Verdict.RAISED, "ValueError: no", "ValueError"), "ValueError")
    wrong = message_of(
        expect.raises, raiser(Verdict.RAISED, "TypeError: no", "TypeError"), "ValueError"
    )
    assert wrong == "expected ValueError, got TypeError: no"


def test_raises_wants_an_exception():
    assert message_of(expect.raises, lambda: 5, "ValueError") == (
        "expected ValueError, got an int and no exception."
    )
    assert "an object of type Lie" in message_of(expect.raises, lambda: HANDLE, "ValueError")


def test_raises_passes_the_arguments_on():
    seen = []
    message_of(expect.raises, lambda *given: seen.append(given), "ValueError", 1, "two")
    assert seen == [(1, "two")]


@pytest.mark.parametrize(
    "verdict", [verdict for verdict in Verdict if verdict not in (Verdict.PASS, Verdict.RAISED)]
)
def test_raises_leaves_other_faults_as_they_are(verdict):
    with pytest.raises(Fault, match="other") as caught:
        expect.raises("y", raiser(verdict, "other", "ValueError"), "ValueError")
    assert type(caught.value) is Fault
    assert caught.value.verdict is verdict


# What is kept for the diagnosis


@pytest.mark.parametrize("value", [True, 3, 0.5, "text", np.arange(3.0)], ids=repr)
def test_a_small_received_value_is_kept(value):
    kept = Wrong("y", "wrong", value).received
    assert np.array_equal(kept, value)
    assert type(kept) is type(value)


def test_without_a_value_the_message_is_kept():
    assert Wrong("y", "it is a list").received == "it is a list"


@pytest.fixture
def kept_by_students(monkeypatch):
    """Outside of grading there are no digests."""
    monkeypatch.setattr(expect, "KEEPS", [lambda received: NOT_KEPT])


@pytest.mark.usefixtures("kept_by_students")
def test_a_kept_array_holds_on_to_nothing_larger():
    answer = np.zeros(10_000_000)
    kept = Wrong("y", "wrong", answer[:10]).received
    assert kept.base is None
    assert Wrong("y", "wrong", answer).received is NOT_KEPT
    assert Wrong("y", "wrong", np.zeros(MAX_ENTRIES + 1)).received is NOT_KEPT


@pytest.mark.usefixtures("kept_by_students")
@pytest.mark.parametrize("value", [[1], (1,), {}, HANDLE], ids=repr)
def test_what_identifies_nothing_is_not_kept(value):
    assert Wrong("y", "wrong", value).received is NOT_KEPT


# any_of


def test_any_of_takes_the_first_way_that_shows_it():
    calls = []

    def way(number, result=None, fault=None):
        calls.append(number)
        if fault is not None:
            raise fault
        return result

    first, second = Fault(Verdict.RAISED, "first"), Wrong("y", "second")
    right = lambda: way(3, "third")  # noqa: E731
    assert (
        expect.any_of(lambda: way(1, fault=first), lambda: way(2, fault=second), right) == "third"
    )
    assert calls == [1, 2, 3]
    assert expect.any_of(right, lambda: way(4)) == "third"
    assert 4 not in calls


def test_any_of_tells_of_the_way_that_got_furthest():
    def way(held, fault):
        for _ in range(held):
            expect.close("y", 1.0, 1.0)
        raise fault

    raised, early, late = Fault(Verdict.RAISED, "r"), Wrong("y", "early"), Wrong("y", "late")
    for ways in (((0, raised), (0, early), (2, late)), ((2, late), (1, raised), (1, early))):
        with pytest.raises(Fault) as caught:
            expect.any_of(*(partial(way, held, fault) for held, fault in ways))
        assert caught.value is late
    with pytest.raises(Fault) as caught:
        expect.any_of(lambda: way(1, raised), lambda: way(1, early))
    assert caught.value is early, "a wrong answer says more than an exception"


def test_any_of_tells_among_equals_of_what_is_wrong_by_a_factor():
    wanted = np.array([1.0, 2.0, 3.0])
    ways = [
        lambda: expect.close("first", wanted[::-1], wanted),
        lambda: expect.close("zeros", np.zeros(3), wanted),
        lambda: expect.close("factor", -0.5 * wanted, wanted),
        lambda: expect.close("factor of another", 2.0 * wanted, wanted),
        lambda: expect.that("words", False, "they say less."),
    ]
    for order in (ways, [*ways[:2], *ways[4:], *ways[2:4]]):
        with pytest.raises(Wrong) as caught:
            expect.any_of(*order)
        assert caught.value.label == "factor of another"  # nearer to what is expected


def test_any_of_fails_as_the_first_way_does():
    first, second = Wrong("y", "first"), Wrong("y", "second")

    def fail(fault):
        raise fault

    with pytest.raises(Fault) as caught:
        expect.any_of(lambda: fail(first), lambda: fail(second))
    assert caught.value is first


def test_any_of_hides_no_mistake_of_the_test_itself():
    with pytest.raises(TypeError):
        expect.any_of(lambda: expect.that("y", 1, "a number is no truth value"), lambda: None)


@pytest.mark.parametrize("name", ["ModuleNotFoundError", "SystemExit"])
def test_a_file_that_never_ran_raises_nothing_for_arguments(name):
    fault = Fault(Verdict.RAISED, f"{name}: it", type_name=name)

    def call():
        raise fault

    with pytest.raises(Fault) as caught:
        expect.raises("f of a negative number", call, "ValueError")
    assert caught.value is fault, "so that equal messages of several checks are shown once"


def test_no_number_is_near_infinity():
    for wanted in (np.inf, -np.inf):
        with pytest.raises(Wrong):
            expect.close("x", 1.0, wanted)
