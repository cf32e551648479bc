"""The claims about handouts: a new week's hold, each thing that is taken away is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.author import handouts
from autograder.author.handouts import Handout
from autograder.author.new_week import new_week, write_week
from autograder.course import load
from autograder.errors import AuthorError
from autograder.records import PlannedCheck

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
CLAIMS = (
    handouts.late_first_task,
    handouts.unfinished_sections,
    handouts.missing_hints,
    handouts.missing_closing,
)
WRITTEN = (1, 2)
"""Numbers of weeks whose handouts have the form that docs/authors.md describes."""


@pytest.fixture
def made(small: Path, tmp_path: Path) -> Path:
    """The small course with a new week, to be damaged."""
    root = Path(shutil.copytree(small, tmp_path / "course"))
    write_week(root, new_week(root, "week9_hello", items="greet=4,count=5,quality=1"))
    return root


def handout(root: Path) -> Handout:
    course = load(root)
    return Handout(root, course, course.week(9))


def faults(root: Path) -> list[str]:
    return [fault for claim in CLAIMS for fault in claim(handout(root))]


def test_a_new_weeks_handout_has_everything(made: Path) -> None:
    assert faults(made) == []
    assert handout(made).tasks == ("week9.greet", "week9.count")


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Return what replaces `old` everywhere in a file of the week."""

    def change(root: Path) -> None:
        path = root / "assignments/week9_hello" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def of_handout(old: str, new: str) -> Callable[[Path], None]:
    return edit("README.md", old, new)


FAULTS = {
    "a long way to the first task": (
        of_handout("Say in two or three", f"{'word ' * 600}Say in two or three"),
        "words come before '`week9.greet`",
    ),
    "no task in a heading": (of_handout("## `", "## task `x` "), "no heading names a task"),
    "a task without a section": (
        of_handout("## `week9.count`", "## count"),
        "no heading names week9.count",
    ),
    "a section without its time": (of_handout("*5 minutes.*", ""), "does not say how many minutes"),
    "a section without a checkpoint": (of_handout("say why", "say that"), "has no checkpoint"),
    "no questions": (of_handout("## Self-test", "## Questions"), "self-test questions: 0"),
    "a short list of questions": (of_handout("3. Ask", "Ask"), "self-test questions: 2"),
    "nothing to explore": (of_handout("## Exploration", "## More"), "questions to explore: 0"),
    "nothing to read": (of_handout("## Reading", "## Books"), "a reading list: 0"),
    "a task without hints": (
        edit("hints.toml", '["week9.count"]', '["week9.quality"]'),
        "week9.count has 0 hints of 3",
    ),
    "too few hints": (
        edit("hints.toml", '    "The shapes: what goes in, and what comes out?",\n', ""),
        "week9.greet has 2 hints of 3",
    ),
    "hints for no task": (
        edit("hints.toml", "week9.count", "week9.cuont"),
        "no task 'week9.cuont'",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_missing_is_named(made: Path, case: str) -> None:
    change, said = FAULTS[case]
    change(made)
    assert any(said in fault for fault in faults(made)), faults(made)


def test_a_week_without_a_handout_says_where_it_belongs(made: Path) -> None:
    (made / "assignments/week9_hello/README.md").unlink()
    with pytest.raises(AuthorError, match=r"assignments/week9_hello/README\.md is not there"):
        handouts.late_first_task(handout(made))


def test_a_comment_in_code_is_no_heading(made: Path) -> None:
    of_handout("## Self-test", "```sh\n# `week9.greet`: a comment\n```\n\n## Self-test")(made)
    assert faults(made) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("README.md", r"so the slope is $\sigma\,(1 - \sigma)$"),
        ("hints.toml", "y * (1 - y)"),
        ("title", "backward multiplies by y (1 - y)"),
    ],
)
def test_a_formula_that_a_task_asks_for_is_found(tmp_path: Path, file: str, text: str) -> None:
    for name in ("assignments", "solutions"):
        shutil.copytree(ROOT / name, tmp_path / name)
    week = COURSE.week(1)
    title = text if file == "title" else "Sigmoid.backward returns dL/dx."
    if file != "title":
        path = tmp_path / "assignments" / week.folder / file
        path.write_text(f"{path.read_text('utf-8')}\n# {text}\n", "utf-8")
    checks = [PlannedCheck("t::a", "week1.sigmoid", title)]
    [found] = handouts.given_away(Handout(tmp_path, COURSE, week), checks)
    assert "which week1.derive_sigmoid asks for" in found


@pytest.mark.parametrize("number", WRITTEN)
def test_the_courses_handouts_have_everything(number: int) -> None:
    one = Handout(ROOT, COURSE, COURSE.week(number))
    assert [fault for claim in CLAIMS for fault in claim(one)] == []
    assert handouts.given_away(one, []) == []


@pytest.mark.parametrize("number", WRITTEN)
def test_the_table_of_a_handout_has_every_item_with_its_points_and_its_minutes(number: int) -> None:
    one = Handout(ROOT, COURSE, COURSE.week(number))
    rows = re.findall(
        r"^\| `(\w+\.\w+)` \|.*\| ([\d.]+) \| (\d+) \| [\w ,]+ \|$", one.text, re.MULTILINE
    )
    items = {item.id: item.points / 100 for item in COURSE.items(number)}
    assert {id: float(points) for id, points, _ in rows} == items
    hours = sum(int(minutes) for _, _, minutes in rows) / 60
    assert 8 <= hours <= 12
