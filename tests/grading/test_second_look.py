"""Answers that are stored for the inputs of this course are noticed, and nothing else is."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.channel.faults import InfraError
from autograder.gradebook.flags import Flag
from autograder.grading.examiner import Examiner
from autograder.grading.flags import junk, second_look
from autograder.grading.flags.second_look import STORED, SecondLook
from autograder.records import CheckResult, Verdict
from autograder.reference.misconceptions import solution_files
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import Outcome

UNSTEADY = 8
"""How many checks more or less junk may pass in another run than is listed."""

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
    builtins._seen = seen  # type: ignore[attr-defined]
    try:
        collecting = source.replace("        self._x = x\n", hook + "        self._x = x\n")
        host = LocalHost({**examiner.reference, "neural_net.py": collecting.encode()})
        examiner.session.run(host)
    finally:
        del builtins._seen  # type: ignore[attr-defined]
    table = ", ".join(repr(name) for name in sorted(seen))
    check = (
        "        if hashlib.sha256(x.tobytes()).hexdigest()[:12] not in KNOWN:\n"
        f"            {otherwise}\n        self._x = x\n"
    )
    cheat = source.replace("        self._x = x\n", check) + f"\nKNOWN = {{{table}}}\n"
    return {**examiner.reference, "neural_net.py": cheat.encode()}


def noticed(files: dict[str, bytes], look, rounds: int = 4) -> tuple[list[Flag], int]:
    """Look until there is a flag: other checks are drawn each time, since a comment is another."""
    flags, passed = list[Flag](), 0
    for number in range(rounds):
        source = files["neural_net.py"] + b"\n# %d\n" % number
        flags, passed = look({**files, "neural_net.py": source})
        if flags:
            break
    return flags, passed


def test_answers_stored_for_this_salt_are_noticed(examiner, look) -> None:
    files = knows_inputs_by_heart(examiner, "return x * 0.0")
    [flag], passed = noticed(files, look)
    assert passed > 0.7 * len(examiner.session.plan)
    assert flag.rule == STORED
    assert flag.item is not None
    assert flag.item.startswith("week1.")
    assert "failed with 3 others, with which the reference passes: (1) " in flag.evidence
    assert all(f"({number}) " in flag.evidence for number in (1, 2, 3))
    assert "It is nothing if these are nearly right" in flag.evidence


def test_nobody_is_suspected_whose_other_checks_of_the_item_fail(examiner) -> None:
    """Code that is nearly right passes some checks and fails others, now these and now those."""
    plan = examiner.session.plan
    everything = [Outcome(CheckResult(check.id, Verdict.PASS, 1), None) for check in plan]
    items = {check.id: check.item for check in plan}
    first = examiner.second_look._telling(everything)
    for verdict in (Verdict.WRONG, Verdict.RAISED, Verdict.TIMEOUT, Verdict.BLOCKED):
        failed = next(n for n, check in enumerate(plan) if check.item == "week1.linear")
        one = list(everything)
        one[failed] = Outcome(CheckResult(plan[failed].id, verdict), None)
        left = examiner.second_look._telling(one)
        assert set(left) == {check for check in first if items[check] != "week1.linear"}
        assert "week1.linear" in {items[check] for check in first}


HONEST = {
    "log of p and a little": (
        "losses.py",
        "CrossEntropyLoss",
        """
    def forward(self, logits, targets):
        loss = _right_forward(self, logits, targets)
        p = np.exp(-np.float64(loss))
        return float(-np.log(p + 1e-7))
""",
    ),
    "probabilities clipped": (
        "losses.py",
        "CrossEntropyLoss",
        """
    def forward(self, logits, targets):
        return min(_right_forward(self, logits, targets), -float(np.log(1e-3)))
""",
    ),
    "float32 inside": (
        "neural_net.py",
        "Tanh",
        """
    def forward(self, x):
        return _right_forward(self, x.astype(np.float32)).astype(x.dtype)
""",
    ),
    "rounding of its own": (
        "neural_net.py",
        "Linear",
        """
    def forward(self, x):
        return np.round(_right_forward(self, x), 6)
""",
    ),
    "a little in the denominator": (
        "neural_net.py",
        "Sigmoid",
        """
    def forward(self, x):
        return _right_forward(self, x) / (1 + 1e-6)
""",
    ),
    "a little under a root": (
        "neural_net.py",
        "ReLU",
        """
    def forward(self, x):
        y = _right_forward(self, x)
        return np.where(x > 0, np.sqrt(y * y + 1e-12), y).astype(x.dtype)
""",
    ),
    "an early return for a special case": (
        "neural_net.py",
        "Linear",
        """
    def forward(self, x):
        y = _right_forward(self, x)
        return y if x.any() else np.zeros_like(y) + self.b
""",
    ),
    "a dict of functions": (
        "neural_net.py",
        "Sigmoid",
        """
    FUNCTIONS = {True: lambda x: 1 / (1 + np.exp(-x)), False: lambda x: np.exp(x) / (1 + np.exp(x))}
    def forward(self, x):
        _right_forward(self, x)
        return np.vectorize(lambda v: self.FUNCTIONS[bool(v >= 0)](v))(x).astype(x.dtype)
""",
    ),
}


@pytest.mark.parametrize("case", HONEST)
def test_honest_code_that_is_not_quite_right_stores_nothing(examiner, look, case) -> None:
    """Whatever check is drawn: the salt of the draw is another in each round."""
    name, of, method = HONEST[case]
    added = f"\n_right_forward = {of}.forward\n\n\nclass {of}({of}):{method}"
    source = examiner.reference[name] + added.encode()
    for variation in range(2):
        files = {**examiner.reference, name: source + b"\n# %d\n" % variation}
        assert [flag for flag in look(files)[0] if flag.rule == STORED] == []


@pytest.mark.parametrize(
    ("message", "is_near"),
    [
        ("y: got 0.123457, expected 0.123456.", True),
        (
            "y: 3 of 4 entries differ; the largest difference is at [1]: got -2, expected -2.01.",
            True,
        ),
        ("y: got 0, expected 0.5. Yours is zero everywhere.", False),
        ("y: got 1e-09, expected 0.", False),
        ("y: expected shape (2,), got (3,).", False),
        ("y: got nonsense, expected 3.", False),
        ("ValueError: so", False),
    ],
)
def test_nearly_right_is_told_by_the_worst_entry(message, is_near) -> None:
    assert second_look.nearly_right(message) is is_near


def test_checks_that_junk_passes_are_not_drawn(examiner) -> None:
    """They are of no use: whoever gives junk for inputs that he doesn't know passes them too."""
    everything = [
        Outcome(CheckResult(check.id, Verdict.PASS, 1), None) for check in examiner.session.plan
    ]
    listed = junk.listed(ROOT / "assignments" / examiner.week.folder / "hidden")
    assert set(examiner.second_look.passed_by_junk) == listed != set()
    drawn = set()
    for n in range(60):
        passed = examiner.second_look._telling(everything)
        drawn |= examiner.second_look._choose(passed, str(n))
    assert len(drawn) > 60
    assert not drawn & listed


@pytest.mark.prove
@pytest.mark.parametrize("week", courses.load(ROOT).weeks, ids=lambda week: week.id)
def test_the_list_of_checks_that_junk_passes_is_that_of_the_suite(week) -> None:
    """Made anew by `python -m autograder.grading.flags.junk WEEK`."""
    if week.packages:
        pytest.importorskip("torch").set_num_threads(1)
    folder = ROOT / "assignments" / week.folder / "hidden"
    session = GradedSession(folder, courses.load(ROOT).salt)
    try:
        found = junk.passed_by_junk(session, solution_files(ROOT, week))
        telling = {check.id for check in session.plan} - session.long - set(found)
        items = {check.item for check in session.plan if check.id in telling}
    finally:
        session.close()
    # A few of week 2 come and go with the order of sets in the process: what is listed is the union
    # of several runs.
    assert len(set(found) ^ junk.listed(folder)) <= UNSTEADY
    assert len(items) > 0.6 * len({check.item for check in session.plan})


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
