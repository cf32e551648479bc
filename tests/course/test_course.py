"""The course's files are read exactly, and a mistake in them is named with its place."""

from __future__ import annotations

import math
import pickle
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autograder.course import (
    COURSE_FILE,
    GRADING_FILE,
    RUBRIC_FILE,
    Course,
    CourseError,
    load,
)
from autograder.course.points import format_points, parse_points
from autograder.gradebook.looked_up import documents_for, training_setting
from autograder.records import FULL_CREDIT
from autograder.suite.hidden.threshold import credit_for

ROOT = Path(__file__).resolve().parents[2]

FIXED_POINTS = {
    "Gradient Derivations": 1500,
    "Core Implementations": 2500,
    "Gradient Checking": 1500,
    "Autograd Engine": 2000,
    "Optimizers & Schedulers": 1000,
    "Batch Normalization": 1000,
    "Final Project": 2500,
}


@pytest.fixture(scope="module")
def course() -> Course:
    return load(ROOT)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for file in (COURSE_FILE, GRADING_FILE, RUBRIC_FILE):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def edit(root: Path, file: str, old: str, new: str) -> None:
    text = (root / file).read_text()
    assert old in text, "the edit must change something"
    (root / file).write_text(text.replace(old, new, 1))


def test_components_have_the_fixed_points(course: Course) -> None:
    components = course.phases[0].components
    assert {part.title: part.points for part in components if not part.extra} == FIXED_POINTS
    assert sum(FIXED_POINTS.values()) == 12_000
    assert [part.points for part in components if part.extra] == [2000]


def test_components_of_later_weeks_are_not_open(course: Course) -> None:
    open_ones = {part.id for part in course.components if part.is_open}
    assert {"derivations", "core", "gradient_checking"} <= open_ones
    assert all(part.items for part in course.components if part.is_open)


def test_week_1_is_worth_55_points_of_which_48_are_automatic(course: Course) -> None:
    items = course.items(week=1)
    assert sum(item.points for item in items) == 5500
    assert sum(item.points for item in items if item.kind == "auto") == 4800


def test_lookups(course: Course) -> None:
    week = course.week(1)
    answers = tuple(f"derivations.{ending}" for ending in ("ipynb", "pdf", "png", "jpg"))
    assert week.sources == tuple(name for name in week.modules if name != "derivations.py")
    assert week.files == (*week.sources, *answers)
    assert week.asked == (*((name,) for name in week.sources), answers)
    assert week.student_tests in week.modules
    assert course.item("week1.mse").points == 150
    assert course.item("week1.written_mse").kind == "manual"
    assert training_setting(course, course.week(1), "mnist").batch_size == 64
    for look_up in (
        lambda: course.week(99),
        lambda: course.item("week1.nothing"),
        lambda: training_setting(course, week, "nothing"),
    ):
        with pytest.raises(CourseError, match=r"there (is|are) no"):
            look_up()


def test_a_document_may_have_one_of_several_names(course: Course, tree: Path) -> None:
    week = course.week(2)
    assert week.documents == (("graphs.pdf", "graphs.png", "graphs.jpg", "graphs.md"),)
    assert week.files == (*week.modules, *week.documents[0])
    assert documents_for(course, course.item("week2.graphs")) == week.documents[0]
    assert documents_for(course, course.item("week2.matmul")) == ()


def test_an_item_may_name_the_document_that_it_is_marked_by(course: Course) -> None:
    assert documents_for(course, course.item("week3.dropout_effect")) == ("experiments.md",)
    assert "derivations.ipynb" in documents_for(course, course.item("week3.written_batch_norm"))


def test_the_course_is_frozen_and_travels_to_other_processes(course: Course) -> None:
    with pytest.raises(ValidationError):
        course.week(1).title = "other"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(course)) == course


def test_a_tree_without_the_instructors_settings_loads(tree: Path) -> None:
    (tree / GRADING_FILE).unlink()
    course = load(tree)
    assert course.salt == ""
    assert course.training == {}


@pytest.mark.parametrize(
    ("text", "hundredths"), [("1.5", 150), ("0", 0), ("3", 300), ("1.250", 125), ("0.01", 1)]
)
def test_points_are_exact(text: str, hundredths: int) -> None:
    assert parse_points(text) == hundredths
    assert parse_points(Decimal(text)) == hundredths


@pytest.mark.parametrize("text", ["1.234", "0.001", "-1", "nan", "inf", "1,5", "", "a", "1e9"])
def test_other_points_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"points|number|decimals"):
        parse_points(text)


@pytest.mark.parametrize("value", [1.5, True, None])
def test_points_of_other_types_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a number of points"):
        parse_points(value)  # type: ignore[arg-type]


@given(st.integers(0, 1_000_000))
def test_points_survive_writing_and_reading(hundredths: int) -> None:
    assert parse_points(format_points(hundredths)) == hundredths


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (RUBRIC_FILE, "points = 1.5, ", "points = 1.234, ", "more than two decimals"),
        (RUBRIC_FILE, "points = 1.5, ", "points = 2.5, ", "add up to 16 points, not 15"),
        (RUBRIC_FILE, "total = 120", "total = 121", "total: its parts add up to 120 points"),
        (RUBRIC_FILE, "extra_credit = 20", "extra_credit = 10", "extra_credit: its parts"),
        (RUBRIC_FILE, '"week1.tanh"', '"week1.relu"', "more than once: week1.relu"),
        (RUBRIC_FILE, 'id = "project"', 'id = "core"', "more than once: core"),
        (RUBRIC_FILE, "points = 1.5, week = 1", "points = 1.5, week = 7", "there is no week 7"),
        (RUBRIC_FILE, '"week1.tanh"', '"week2.tanh"', "an id like week1.name"),
        (RUBRIC_FILE, 'kind = "auto"\n', "", "kind: field required. Add it"),
        (RUBRIC_FILE, 'kind = "auto"', 'kind = "magic"', "'auto', 'manual' or 'training'"),
        (RUBRIC_FILE, 'title = "ReLU", ', "", "phase#1.component#2.items#2.title: field required"),
        (COURSE_FILE, "memory_mb = 1024", 'memory_mb = "1 GB"', "week#1.limits.memory_mb"),
        (COURSE_FILE, "memory_mb = 1024", "memory = 1024", "memory: extra inputs"),
        (COURSE_FILE, "test_seconds = 20", "test_seconds = -1", "greater than 0"),
        (COURSE_FILE, "test_seconds = 20", "test_seconds = inf", "finite"),
        (COURSE_FILE, '"losses.py"', '"../losses.py"', "relative to the week's folder"),
        (COURSE_FILE, '"losses.py"', '"neural_net.py"', "more than once: neural_net.py"),
        (COURSE_FILE, 'student_tests = "test_', 'student_tests = "tests_', "none of the week's"),
        (COURSE_FILE, "graphs.png|", "|", "documents#1#2: must be a file name"),
        (COURSE_FILE, "graphs.png|", "graphs.pdf|", "more than once: graphs.pdf"),
        (COURSE_FILE, "graphs.png|", "autograd.py|", "more than once: autograd.py"),
        (COURSE_FILE, '"losses.py" = [', '"loss.py" = [', "'loss.py' is none of the week's"),
        (COURSE_FILE, '= ["autograd.py"]', '= ["engine.py"]', "'engine.py' is none of the week's"),
        (COURSE_FILE, '"losses.py"', '"losses.py|mse.py"', "relative to the week's folder"),
        (COURSE_FILE, '"pictures.py"', '"lab_1.py"', "more than once: lab_1.py"),
        (RUBRIC_FILE, 'title = "ReLU"', 'title = "ReLU", document = "a"', "of the kind manual"),
        (RUBRIC_FILE, 'drawn by hand"', 'drawn", document = "a.md"', "'a.md' is none of the docu"),
        (COURSE_FILE, "[course]", "[course", "not valid TOML"),
        (GRADING_FILE, "[0.20, 0], [0.80, 0.25]", "[0.80, 0], [0.80, 0.25]", "must rise"),
        (GRADING_FILE, "[0.95, 1]", "[0.95, 0.9]", "the last one 1"),
        (GRADING_FILE, "epochs = 5", "epochs = 0", "training.mnist.epochs"),
    ],
)
def test_a_mistake_is_named_with_its_file(
    tree: Path, file: str, old: str, new: str, says: str
) -> None:
    edit(tree, file, old, new)
    with pytest.raises(CourseError) as caught:
        load(tree)
    assert caught.value.file == file
    assert says in str(caught.value)
    assert caught.value.remedy


def test_every_mistake_of_a_file_is_reported(tree: Path) -> None:
    edit(tree, COURSE_FILE, "memory_mb = 1024", "memory_mb = 0")
    edit(tree, COURSE_FILE, "processes = 32", "processes = 0")
    with pytest.raises(CourseError, match=r"limits\.memory_mb.*limits\.processes"):
        load(tree)


@pytest.mark.parametrize("file", [COURSE_FILE, RUBRIC_FILE])
def test_a_missing_file_is_named(tree: Path, file: str) -> None:
    (tree / file).unlink()
    with pytest.raises(CourseError, match=f"{file}.*top of the course's repository"):
        load(tree)


def test_a_file_that_is_not_text_is_named(tree: Path) -> None:
    (tree / COURSE_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(CourseError, match="not UTF-8"):
        load(tree)


def test_the_curve_gives_credit(course: Course) -> None:
    curve = training_setting(course, course.week(1), "mnist").model_copy(
        update={"curve": ((0.1, 0.0), (0.8, 0.5), (0.95, 1.0))}
    )
    credits = [credit_for(curve.curve, a) for a in (0.0, 0.1, 0.8, 0.95, 1.0)]
    assert credits == [0, 0, 5000, 10_000, 10_000]
    assert credit_for(curve.curve, 0.45) == 2500
    assert credit_for(curve.curve, 0.9499) == 9996
    assert credit_for(curve.curve, math.nan) == 0


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_accuracy_never_gives_less(course: Course, a: float, b: float) -> None:
    setting = training_setting(course, course.week(1), "mnist")
    low, high = sorted((a, b))
    assert 0 <= credit_for(setting.curve, low) <= credit_for(setting.curve, high) <= FULL_CREDIT


def test_what_goes_beyond_the_texts_is_a_small_part_of_each_component(course: Course) -> None:
    """The texts that the course is made from are the contract; ours are additions."""
    for part in course.components:
        beyond = sum(item.points for item in part.items if item.beyond)
        assert beyond * 10 <= part.points, part.id
        assert not (part.extra and beyond), "extra credit is an addition already"
    assert any(item.beyond for item in course.items())
