"""Hidden tests of the debugging lab: what each mended script learns, and the name of its fault.

Data, losses and limits are in suite_tools/training_lab.py.
"""

import pytest

from autograder.suite import expect

from ..suite_tools.training_lab import TASK, check_answer, check_run

pytestmark = pytest.mark.item(TASK)

FAULT_OF = {
    "lab_1": "loss averaged twice",
    "lab_2": "data not shuffled",
    "lab_3": "inputs not standardised",
    "lab_4": "learning rate falls too fast",
    "lab_5": "labels shifted by one",
    "lab_6": "hidden units all alike",
}


def check_name(student, name):
    """See whether the fault has the right name, and a number that shows it."""
    fault = check_answer(student, name)
    right = fault == FAULT_OF[name]
    expect.that("fault", right, f"{fault!r} is not what is wrong in {name}.py")


@pytest.mark.weight(4)
def test_lab_1_trains_well(student, rng):
    """lab_1.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_1", rng)


def test_lab_1_fault(student):
    """The answer for lab_1 names what was wrong, with suspects and a measured number."""
    check_name(student, "lab_1")


@pytest.mark.long
@pytest.mark.weight(4)
def test_lab_2_trains_well(student, rng):
    """lab_2.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_2", rng)


def test_lab_2_fault(student):
    """The answer for lab_2 names what was wrong, with suspects and a measured number."""
    check_name(student, "lab_2")


@pytest.mark.weight(4)
def test_lab_3_trains_well(student, rng):
    """lab_3.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_3", rng)


def test_lab_3_fault(student):
    """The answer for lab_3 names what was wrong, with suspects and a measured number."""
    check_name(student, "lab_3")


@pytest.mark.long
@pytest.mark.weight(4)
def test_lab_4_trains_well(student, rng):
    """lab_4.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_4", rng)


def test_lab_4_fault(student):
    """The answer for lab_4 names what was wrong, with suspects and a measured number."""
    check_name(student, "lab_4")


@pytest.mark.weight(4)
def test_lab_5_trains_well(student, rng):
    """lab_5.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_5", rng)


def test_lab_5_fault(student):
    """The answer for lab_5 names what was wrong, with suspects and a measured number."""
    check_name(student, "lab_5")


@pytest.mark.weight(4)
def test_lab_6_trains_well(student, rng):
    """lab_6.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_6", rng)


def test_lab_6_fault(student):
    """The answer for lab_6 names what was wrong, with suspects and a measured number."""
    check_name(student, "lab_6")
