"""The proofs of `autograder author check`: a sound week holds, and each kind of fault is named."""

from __future__ import annotations

import io
import re
import shutil
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from rich.console import Console

from autograder.author import prove, week_check
from autograder.author.new_week import new_week, write_week
from autograder.author.week_check import AUTHORS_FAULTS, EDITS_FIT, ITEMS_FIT, WeekProver
from autograder.sandbox import Confinement

NUMBERS = count(20)
"""A suite's modules are imported once in a process, by the names of their folders: each week of
these tests has a number of its own."""

ANOTHER = """
[[misconception]]
id = "{id}"
module = "hello"
where = "greet"
replace = "{replace}"
by = "{by}"
fails = ["{week}.greet"]
says = "No."
"""


@dataclass
class Made:
    """A new week in a copy of the small course, to be damaged and proven."""

    root: Path
    number: int
    confinement: Confinement

    @property
    def solutions(self) -> Path:
        return self.root / f"solutions/week{self.number}_hello"

    @property
    def assignment(self) -> Path:
        return self.root / f"assignments/week{self.number}_hello"

    def edit(self, path: Path, old: str, new: str) -> None:
        """Replace the first `old` in a file."""
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def add_mistake(self, id: str, replace: str, by: str) -> None:
        with (self.solutions / "misconceptions.toml").open("a") as catalogue:
            week = f"week{self.number}"
            catalogue.write(ANOTHER.format(id=id, replace=replace, by=by, week=week))

    def faults(self, claims: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
        """Prove these claims, or everything; return what fails, with its faults."""
        prover = WeekProver(self.root, self.number, self.confinement)
        try:
            proofs = [prover.prove(claim) for claim in claims or (*prover.first, *prover.mistakes)]
        finally:
            prover.close()
        assert claims or len(proofs) == 16
        return {proof.claim: proof.faults for proof in proofs if proof.faults}

    def claim(self, text: str) -> str:
        """Put the week's number into the text of a claim or of a fault."""
        return text.format(number=self.number)


@pytest.fixture
def made(small: Path, tmp_path: Path, confinement: Confinement) -> Iterator[Made]:
    root = Path(shutil.copytree(small, tmp_path / "course"))
    number = next(NUMBERS)
    write_week(root, new_week(root, f"week{number}_hello", items="greet=6,count=4"))
    return Made(root, number, confinement)


def test_a_new_week_holds(made: Made) -> None:
    assert made.faults() == {}


def hidden(made: Made) -> Path:
    return made.assignment / "hidden" / "test_hello.py"


def public(made: Made) -> Path:
    return made.assignment / "tests" / "test_public_hello.py"


def of_greet(body: str) -> str:
    """Return one more hidden test of the first item."""
    marker = "\n\n@pytest.mark.item(WEEK)\ndef test_more(student, rng):\n"
    return f'{marker}    """More."""\n    {body}\n'


def add_test(path: Path, made: Made, body: str) -> None:
    text = path.read_text() + of_greet(body).replace("WEEK", f'"week{made.number}.greet"')
    path.write_text(text)


def stale_stub(made: Made) -> None:
    made.edit(made.assignment / "hello.py", "entry by entry", "entry for entry")


def missing_stub(made: Made) -> None:
    (made.assignment / "hello.py").unlink()


def item_without_check(made: Made) -> None:
    made.edit(made.root / "assignments/rubric.toml", "greet", "welcome")
    made.edit(made.solutions / "hello.py", ".greet", ".welcome")
    made.edit(made.assignment / "hello.py", ".greet", ".welcome")
    made.edit(public(made), ".greet", ".welcome")
    made.edit(made.solutions / "misconceptions.toml", ".greet", ".count")


def wrong_solution(made: Made) -> None:
    made.edit(made.solutions / "hello.py", "3.0 * x + 1.0", "3.0 * x + 1.5")


def wrong_other_solution(made: Made) -> None:
    made.edit(made.solutions / "other_styles/in_two_steps/hello.py", "1.0", "1.5")


def test_without_the_student(made: Made) -> None:
    add_test(hidden(made), made, 'expect.equal("1", 1, 1)')


def test_of_side_effects_alone(made: Made) -> None:
    body = "\n    ".join(
        [
            "x = rng.normal(size=3)",
            "kept = student.keep(x)",
            "student.hello.greet(kept)",
            'expect.unchanged("x", x, student.fetch(kept))',
        ]
    )
    add_test(hidden(made), made, body)


def wrong_public_test(made: Made) -> None:
    made.edit(public(made), "2.0 * X", "2.5 * X")


def public_test_without_the_student(made: Made) -> None:
    add_test(public(made), made, 'expect.equal("1", 1, 1)')


def public_test_of_no_item(made: Made) -> None:
    made.edit(public(made), ".greet", ".greeting")


def edit_that_changes_nothing(made: Made) -> None:
    made.edit(made.solutions / "misconceptions.toml", "2.0 * (x + 1.0)", "2.0*x + 1.0")


def edit_that_nobody_notices(made: Made) -> None:
    made.add_mistake("same", "2.0 * x + 1.0", "1.0 + x * 2.0")


def edit_that_two_items_notice(made: Made) -> None:
    made.edit(made.solutions / "hello.py", "    return 3.0 * x", "    return greet(x) + x")
    made.edit(made.solutions / "hello.py", " + x + 1.0", " + x")


def edit_that_looks_like_another(made: Made) -> None:
    made.add_mistake("twice", "2.0 * x + 1.0", "2.0 * x + 2.0")


STUBS = "untouched stubs get nothing, and count as not attempted"
NONE, PASS = (f"stubs with `{text}` in each gap get nothing" for text in ("return None", "pass"))
PUBLIC = "the solution passes the public tests"
PUBLIC_STUBS = "public tests take untouched stubs for not attempted"
ADDS, SAME, TWICE, AFTER_IT = (
    f"{name} fails week{{number}}.greet alone, and is explained"
    for name in ("greet-adds-first", "same", "twice", "after-it")
)
CASES: dict[Callable[[Made], None], dict[str, str]] = {
    stale_stub: {"the stubs are what the solutions give": "differs from its solution; run"},
    missing_stub: {"the stubs are what the solutions give": "is missing for its solution; run"},
    item_without_check: {ITEMS_FIT: "week{number}.welcome"},
    wrong_solution: {
        "the solution gets all 10 points": "test_count[shape0]: wrong: count(x): ",
        PUBLIC: "test_count_of_an_example: wrong",
    },
    wrong_other_solution: {
        "another solution (in_two_steps) gets all 10 points": "test_greet[shape0]: wrong: greet(x)"
    },
    test_without_the_student: {
        STUBS: "test_hello::test_more gets points",
        NONE: "test_hello::test_more gets points",
        PASS: "test_hello::test_more gets points",
    },
    test_of_side_effects_alone: {
        NONE: "test_hello::test_more gets points",
        PASS: "test_hello::test_more gets points",
    },
    wrong_public_test: {PUBLIC: "test_greet_of_an_example: wrong: greet(x)"},
    public_test_without_the_student: {PUBLIC_STUBS: "test_more ends as pass, not as not-attempted"},
    public_test_of_no_item: {
        PUBLIC: "names week{number}.greeting: no automatic item",
        PUBLIC_STUBS: "names week{number}.greeting: no automatic item",
    },
    edit_that_changes_nothing: {EDITS_FIT: "changes nothing but spaces or comments"},
    edit_that_nobody_notices: {SAME: "no check of week{number}.greet notices it"},
    edit_that_looks_like_another: {TWICE: "what is told is the place alone"},
    edit_that_two_items_notice: {ADDS: "week{number}.count must not notice it, but does: test_"},
}


@pytest.mark.parametrize("damage", CASES)
def test_a_fault_is_named(made: Made, damage: Callable[[Made], None]) -> None:
    damage(made)
    expected = {made.claim(claim): made.claim(text) for claim, text in CASES[damage].items()}
    found = made.faults(expected)
    assert found.keys() == expected.keys()
    for claim, text in expected.items():
        assert any(text in fault for fault in found[claim]), found[claim]


def test_a_mistake_that_does_not_end_is_named_and_ends_the_check(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sleep stands for an endless loop: that would go on in this process."""
    monkeypatch.setattr(prove, "SHORTEST_DEADLINE_SECONDS", 1.0)
    monkeypatch.setattr(prove, "DEADLINE_FACTOR", 0)
    by = "__import__('time').sleep(0.6) or 2.0 * x + 1.0"
    made.edit(made.solutions / "misconceptions.toml", "2.0 * (x + 1.0)", by)
    made.add_mistake("after-it", "2.0 * x + 1.0", "2.0 * x + 3.0")
    first, second = made.faults([made.claim(ADDS), made.claim(AFTER_IT)]).values()
    assert "with misconception 'greet-adds-first' the suite does not end within 1" in first[0]
    assert second == (week_check.NOTHING_PROVEN,)
    for thread in threading.enumerate():  # what sleeps has modules of the solution in place
        if thread.name == "proof":
            thread.join()


def test_an_edit_without_a_place_is_named(made: Made) -> None:
    made.edit(made.solutions / "misconceptions.toml", "2.0 * x + 1.0", "2.0 * y")
    console = Console(record=True, file=io.StringIO(), width=200)
    assert not week_check.check(console, made.root, made.number, jobs=1, unconfined=True)
    said = console.export_text()
    assert "`replace` stands 0 times in greet, not once" in said
    assert "holds" not in said.partition("stands 0 times")[2]


UNREADABLE = {
    "def f(:": "invalid syntax",
    "def test_x(student):\n    pass\n": "needs one marker pytest.mark.item",
    'import pytest\n\n@pytest.mark.item("x")\ndef test_x(teacher):\n    """X."""\n': "teacher",
}


@pytest.mark.parametrize("source", UNREADABLE)
def test_a_suite_that_can_not_be_read_says_what_is_wrong(made: Made, source: str) -> None:
    hidden(made).write_text(source)
    with pytest.raises(AUTHORS_FAULTS, match=UNREADABLE[source]):
        WeekProver(made.root, made.number, made.confinement)


def test_all_weeks_are_proven_and_what_is_only_announced_is_left_out(made: Made) -> None:
    """The small course's weeks have no public suites, and week 4 is not there yet."""
    console = Console(record=True, file=io.StringIO(), width=200)
    assert not week_check.check(console, made.root, None, jobs=1, unconfined=True)
    said = console.export_text()
    assert "confined by rung D (not confined)" in said
    assert re.findall(r"^(week \d+): (\w+)", said, re.MULTILINE) == [
        ("week 2", "Doubling"),
        ("week 2", "7"),
        ("week 3", "Doubling"),
        ("week 3", "7"),
        (f"week {made.number}", "Hello"),
        (f"week {made.number}", "all"),
    ]
    assert said.count("has no public suite: write test_public_*.py there") == 4
    assert "week 4 has no solution and hidden suite yet. It is left out." in said


def test_shares_are_those_of_the_weights(made: Made) -> None:
    prover = WeekProver(made.root, made.number, made.confinement)
    try:
        shares = prove.shares(prover.examiner)
    finally:
        prover.close()
    assert [round(share.points) for share in shares] == [171, 171, 171, 86, 114, 114, 114, 57]
    assert sum(share.share for share in shares) == pytest.approx(2)


def test_many_faults_are_counted() -> None:
    faults = [f"fault {number}" for number in range(20)]
    assert prove.listed([*faults, *faults]) == [*faults[:8], "and 12 more"]
    assert prove.listed(faults[:8]) == faults[:8]


def test_raises_over_several_lines_are_replaced() -> None:
    stub = (
        'def f():\n    raise NotImplementedError(\n        "week9.f: fill in f"\n    )\n\n\nx = 1\n'
    )
    assert prove.without_raises(stub, "pass") == "def f():\n    pass\n\n\nx = 1\n"
