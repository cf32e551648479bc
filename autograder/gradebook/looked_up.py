"""What graders look up in a course: documents of an item, settings and file of a data set."""

from __future__ import annotations

from autograder.course.loading import GRADING_FILE, Course
from autograder.course.model import CourseError, Item, TrainingSetting, Week


def documents_for(course: Course, item: Item) -> tuple[str, ...]:
    """Return the names of all files by which a manual item may be marked."""
    if item.kind != "manual":
        return ()
    documents = course.week(item.week).documents
    chosen = (names for names in documents if item.document is None or item.document in names)
    return tuple(name for names in chosen for name in names)


def training_setting(course: Course, dataset: str) -> TrainingSetting:
    """Return the training settings of a data set. Raises CourseError where there are none."""
    if dataset not in course.training:
        problem = f"there are no settings for the data set {dataset!r}"
        raise CourseError(GRADING_FILE, f"training.{dataset}", problem, "Add this table")
    return course.training[dataset]


def data_file(week: Week) -> str | None:
    """Return the file of the threshold's data set, where it is one of the week's own."""
    return week.data if week.data is not None and week.data.endswith(".npz") else None
