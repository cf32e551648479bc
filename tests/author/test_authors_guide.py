"""docs/authors.md lists what there is: fixtures, markers, comparisons, and the key of each file."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import FunctionType

import pytest
from pydantic import BaseModel

from autograder.course import loading, model
from autograder.grading.flags import watched
from autograder.reference.misconceptions import Misconception
from autograder.report import late_days
from autograder.suite import expect
from autograder.suite.collected_test import FIXTURES
from autograder.suite.hidden.session import GRADED_MARKERS
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.student import Student

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "authors.md").read_text("utf-8")
TABLES = {
    name: [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in table.strip().split("\n")[2:]
    ]
    for name, table in re.findall(r"<!-- checked: (\w+) -->\n\n((?:\|.*\n)+)", GUIDE)
}
MODELS: dict[str, type[BaseModel]] = {
    "course": loading._Header,
    "handing_in": model.HandingIn,
    "week": model.Week,
    "notebook": model.Notebook,
    "job": model.TrainingJob,
    "limits": model.Limits,
    "watched": watched.Watched,
    "rubric": loading._RubricFile,
    "phase": model.Phase,
    "component": model.Component,
    "item": model.Item,
    "grading": loading._GradingFile,
    "training": model.TrainingSetting,
    "extension": model.Extension,
    "late_days": late_days.Request,
    "misconception": Misconception,
}


MORE: dict[str, type[BaseModel]] = {"grading": watched._OtherTables}
"""What another model reads of the same table of a file."""


def listed(name: str) -> list[str]:
    """Return what the first cells of a table have between backquotes."""
    return [re.fullmatch(r"`(.*)`", row[0]).group(1) for row in TABLES[name]]


def functions(owner: object) -> dict[str, FunctionType]:
    """Return the public functions that a module or a class defines itself."""
    home = owner.__module__ if inspect.isclass(owner) else owner.__name__
    return {
        name: value
        for name, value in vars(owner).items()
        if inspect.isfunction(value) and value.__module__ == home and not name.startswith("_")
    }


def call(name: str, function: FunctionType, drop: int = 0) -> str:
    """Return a function's name and parameters as one writes them, without annotations."""
    parameters = list(inspect.signature(function).parameters.values())[drop:]
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return f"{name}{inspect.Signature(bare)}"


def test_every_checked_table_is_known() -> None:
    assert set(TABLES) == {"fixtures", "markers", "student", "expect", *MODELS}
    assert GUIDE.count("<!-- checked:") == len(TABLES)


def test_every_fixture_is_listed() -> None:
    assert sorted(listed("fixtures")) == sorted(FIXTURES)


def test_every_marker_is_listed() -> None:
    assert sorted(listed("markers")) == sorted(text.partition(":")[0] for text in GRADED_MARKERS)


def test_every_comparison_is_listed_with_its_signature() -> None:
    there = [call(f"expect.{name}", function) for name, function in functions(expect).items()]
    assert sorted(listed("expect")) == sorted(there)


def test_everything_that_a_student_fixture_does_is_listed() -> None:
    methods = functions(Student) | functions(GradedStudent)
    there = [call(f"student.{name}", one, drop=1) for name, one in methods.items()]
    assert sorted(listed("student")) == sorted(["student.<module>", *there])


@pytest.mark.parametrize("name", MODELS)
def test_every_key_is_listed_with_whether_it_may_be_left_out(name: str) -> None:
    models = [MODELS[name], *([MORE[name]] if name in MORE else [])]
    fields = {
        str(field.validation_alias or key): field
        for one in models
        for key, field in one.model_fields.items()
    }
    assert listed(name) == list(fields)
    for key, row in zip(fields, TABLES[name], strict=True):
        if len(row) == 3:
            assert (row[1] == "required") == fields[key].is_required(), key
        else:
            assert len(row) == 2


def test_the_default_limits_are_those_of_the_code() -> None:
    rows = zip(listed("limits"), TABLES["limits"], strict=True)
    assert {key: float(row[1]) for key, row in rows} == model.Limits().model_dump()


def test_every_link_within_the_guide_has_its_heading() -> None:
    headings = re.findall(r"^#+ (.*)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", GUIDE))
    assert links
    assert links <= anchors
