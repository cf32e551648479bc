"""The examiner's own limit of memory: an answer that is too large to be worked with is wrong."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from autograder.records import Verdict
from autograder.sandbox import Limits
from autograder.suite.hidden.memory import MORE_BYTES, data_bytes, limited_memory
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import TOO_LARGE, GradedSession

SUITE = '''
import numpy as np
import pytest
from autograder.suite import expect

pytestmark = pytest.mark.item("week2.double")


def test_broadcasts(student):
    """A mistake of a suite's: an answer without a shape is broadcast."""
    x = student.double.double(np.ones(1))
    expect.close("x", float(np.sum(x * np.ones((50_000, 50)))), 1.0)


def test_asks_nothing(student):
    """The suite's own arrays are too large."""
    np.ones(1 << 29)


def test_afterwards(student):
    """What comes after is examined as ever."""
    expect.equal("count()", student.double.count(), 1)
'''
SOURCE = b"""import numpy as np

def double(x):
    return np.ones((6_000_000, 1, 1), np.uint8)

def count():
    return len(bytearray(600 << 20)) - (600 << 20) + 1
"""


@pytest.fixture(scope="module")
def results(small, confinement):
    file = small / "assignments" / "week2_small" / "hidden" / "test_memory.py"
    file.write_text(SUITE, "utf-8")
    session = GradedSession(file.parent, "a salt")
    host = SandboxHost(confinement, {"double.py": SOURCE}, Limits(memory_mb=2048))
    try:
        only = {check.id for check in session.plan if check.id.startswith("test_memory::")}
        yield {o.result.check.partition("::")[2]: o.result for o in session.run(host, only)}
    finally:
        host.close()
        session.close()
        file.unlink()


def test_an_answer_that_asks_for_too_much_is_wrong(results):
    result = results["test_broadcasts"]
    assert result.verdict is Verdict.WRONG
    assert TOO_LARGE in result.message


def test_memory_that_no_answer_asked_for_is_our_fault(results):
    assert results["test_asks_nothing"].verdict is Verdict.INFRA


def test_the_tests_after_it_and_the_worker_have_their_memory(results):
    """The worker takes 600 MB, by its own limit."""
    assert results["test_afterwards"].verdict is Verdict.PASS


def test_the_limit_ends_with_the_run():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited_memory(64 << 20):
        with limited_memory(1):
            np.ones(1 << 20)
        with pytest.raises(MemoryError):
            np.ones(1 << 26)
        np.ones(1 << 20)
        assert resource.getrlimit(resource.RLIMIT_DATA) != before
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert 0 < data_bytes() < MORE_BYTES << 4
