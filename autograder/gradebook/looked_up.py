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


def training_setting(course: Course, week: Week, dataset: str) -> TrainingSetting:
    """Return the training settings of a week's data set: the week's own, or those of all weeks.

    Raises CourseError where there are neither.
    """
    for name in (f"{week.id}.{dataset}", dataset):
        if name in course.training:
            return course.training[name]
    problem = f"there are no settings for the data set {dataset!r}"
    remedy = f'Add this table, or [training."{week.id}.{dataset}"] for this week alone'
    raise CourseError(GRADING_FILE, f"training.{dataset}", problem, remedy)


def data_file(week: Week) -> str | None:
    """Return the file of the threshold's data set, where it is one of the week's own."""
    return week.data if week.data is not None and week.data.endswith(".npz") else None
