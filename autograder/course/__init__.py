"""The course: weeks, rubric, points, scores and lateness."""

from autograder.course.loading import COURSE_FILE, GRADING_FILE, RUBRIC_FILE, Course, load
from autograder.course.model import (
    Component,
    CourseError,
    Extension,
    HandingIn,
    Item,
    Limits,
    Notebook,
    Phase,
    TrainingJob,
    TrainingSetting,
    Week,
)

__all__ = [
    "COURSE_FILE",
    "GRADING_FILE",
    "RUBRIC_FILE",
    "Component",
    "Course",
    "CourseError",
    "Extension",
    "HandingIn",
    "Item",
    "Limits",
    "Notebook",
    "Phase",
    "TrainingJob",
    "TrainingSetting",
    "Week",
    "load",
]
