"""Public tests of the debugging lab: what each mended script learns. The names count in grading.

Data, losses and limits are in suite_tools/training_lab.py.
"""

import pytest

from ..suite_tools.training_lab import TASK, check_answer, check_run

pytestmark = pytest.mark.item(TASK)


@pytest.mark.weight(2)
def test_lab_1_trains_well(student, rng):
    """lab_1.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_1", rng)


def test_lab_1_answer(student):
    """The answer for lab_1 has its form: suspects, a measured number, a name (right or not)."""
    check_answer(student, "lab_1")


@pytest.mark.weight(2)
def test_lab_2_trains_well(student, rng):
    """lab_2.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_2", rng)


def test_lab_2_answer(student):
    """The answer for lab_2 has its form: suspects, a measured number, a name (right or not)."""
    check_answer(student, "lab_2")


@pytest.mark.weight(2)
def test_lab_3_trains_well(student, rng):
    """lab_3.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_3", rng)


def test_lab_3_answer(student):
    """The answer for lab_3 has its form: suspects, a measured number, a name (right or not)."""
    check_answer(student, "lab_3")


@pytest.mark.weight(2)
def test_lab_4_trains_well(student, rng):
    """lab_4.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_4", rng)


def test_lab_4_answer(student):
    """The answer for lab_4 has its form: suspects, a measured number, a name (right or not)."""
    check_answer(student, "lab_4")


@pytest.mark.weight(2)
def test_lab_5_trains_well(student, rng):
    """lab_5.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_5", rng)


def test_lab_5_answer(student):
    """The answer for lab_5 has its form: suspects, a measured number, a name (right or not)."""
    check_answer(student, "lab_5")


@pytest.mark.weight(2)
def test_lab_6_trains_well(student, rng):
    """lab_6.py, mended, trains a network that does well on new data."""
    check_run(student, "lab_6", rng)


def test_lab_6_answer(student):
    """The answer for lab_6 has its form: suspects, a measured number, a name (right or not)."""
    check_answer(student, "lab_6")
