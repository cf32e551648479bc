"""Answers that are stored for the inputs of this course are noticed, and nothing else is."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.channel.faults import InfraError
from autograder.gradebook.flags import Flag
from autograder.grading.examiner import Examiner
from autograder.grading.flags import second_look
from autograder.grading.flags.second_look import STORED, SecondLook
from autograder.records import Verdict
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def examiner(confinement) -> Iterator[Examiner]:
    made = Examiner(ROOT, 1, confinement, None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def look(examiner) -> Callable[[dict[str, bytes]], tuple[list[Flag], int]]:
    """Run a submission as the examiner does; return its flags and how many checks passed."""

    def look(files: dict[str, bytes]) -> tuple[list[Flag], int]:
        host = SandboxHost(examiner.confinement, files, examiner.limits, examiner.week.modules)
        try:
            outcomes = examiner.session.run(host)
            flags = examiner.second_look.look(host, files, outcomes)
        finally:
            host.close()
        return flags, len([o for o in outcomes if o.result.verdict is Verdict.PASS])

    return look


def knows_inputs_by_heart(examiner: Examiner, otherwise: str) -> dict[str, bytes]:
    """Forward passes that know the inputs of this salt by hash; else they do `otherwise`."""
    hook = "        builtins._seen.add(hashlib.sha256(x.tobytes()).hexdigest()[:12])\n"
    source = examiner.reference["neural_net.py"].decode()
    source = source.replace("import numpy as np", "import builtins, hashlib\nimport numpy as np", 1)
    seen: set[str] = set()
    builtins._seen = seen
    try:
        collecting = source.replace("        self._x = x\n", hook + "        self._x = x\n")
        host = LocalHost({**examiner.reference, "neural_net.py": collecting.encode()})
        examiner.session.run(host)
    finally:
        del builtins._seen
    table = ", ".join(repr(name) for name in sorted(seen))
    check = (
        "        if hashlib.sha256(x.tobytes()).hexdigest()[:12] not in KNOWN:\n"
        f"            {otherwise}\n        self._x = x\n"
    )
    cheat = source.replace("        self._x = x\n", check) + f"\nKNOWN = {{{table}}}\n"
    return {**examiner.reference, "neural_net.py": cheat.encode()}


def test_answers_stored_for_this_salt_are_noticed(examiner, look) -> None:
    files = knows_inputs_by_heart(examiner, "return x * 0.0")
    [flag], passed = look(files)
    assert passed > 0.7 * len(examiner.session.plan)
    assert flag.rule == STORED
    assert flag.item is not None
    assert flag.item.startswith("week1.")
    assert "failed with 3 others, with which the reference passes" in flag.evidence
    assert look(files)[0] == [flag], "the same again"


@pytest.mark.prove
@pytest.mark.parametrize("variation", range(3))
@pytest.mark.parametrize("kind", ["reference", "style"])
def test_honest_work_is_not_noticed(examiner, look, kind, variation) -> None:
    folder = ROOT / "tests" / "styles" / "compact" / examiner.week.folder
    files = dict(examiner.reference)
    if kind == "style":
        files = {name: (folder / name).read_bytes() for name in examiner.week.modules}
    files["losses.py"] += b"\n# %d\n" % variation  # other checks are chosen
    assert look(files)[0] == []


def test_chance_is_no_evidence(examiner, look) -> None:
    """What fails now and then, whatever it is given, stores no answers."""
    source = (
        examiner.reference["neural_net.py"]
        + b"""
import os
_right = Linear.forward
Linear.forward = lambda self, x: _right(self, x) * (0.0 if os.urandom(1)[0] < 25 else 1.0)
"""
    )
    files = {**examiner.reference, "neural_net.py": source}
    assert STORED not in {flag.rule for flag in look(files)[0]}


def test_limits_and_our_own_faults_are_no_evidence(examiner, look, monkeypatch) -> None:
    slow = knows_inputs_by_heart(examiner, "__import__('time').sleep(9)")
    assert look(slow)[0] == []
    files = knows_inputs_by_heart(examiner, "return x * 0.0")
    host = SandboxHost(examiner.confinement, files, examiner.limits, examiner.week.modules)
    outcomes = examiner.session.run(host)
    host.close()

    def fails(*args: object, **kwargs: object) -> None:
        raise InfraError("no sandbox")

    monkeypatch.setattr("autograder.suite.hidden.sandbox_host.Sandbox", fails)
    assert examiner.second_look.look(host, files, outcomes) == []


def test_which_checks_are_chosen_follows_from_the_salt_and_the_submission(examiner) -> None:
    first = examiner.second_look
    passed = [check.id for check in examiner.session.plan]
    chosen = first._choose(passed, "a")
    assert chosen == first._choose(reversed(passed), "a")
    assert chosen != first._choose(passed, "b")
    items = [check.item for check in examiner.session.plan if check.id in chosen]
    assert len(items) == len(set(items)) == second_look.MOST_CHECKS
    assert not chosen & examiner.session.long
    assert first._choose(passed[:1], "a") == {passed[0]}
    assert first._choose([], "a") == set()
    assert isinstance(first, SecondLook)


def test_the_fingerprint_is_that_of_names_and_contents() -> None:
    first = second_look._fingerprint({"a": b"bc"})
    assert first != second_look._fingerprint({"ab": b"c"})
    assert first == second_look._fingerprint({"a": b"bc"})
    assert len(first) == len(hashlib.sha256().hexdigest())
