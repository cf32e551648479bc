"""Rubrics made for tests: the course's own with other components, and small ones as files."""

from __future__ import annotations

from collections.abc import Callable

from autograder.course import Component, Course, Item


def with_components(course: Course, change: Callable[[Component], Component]) -> Course:
    """Return a course each of whose components was changed."""
    phases = (
        phase.model_copy(update={"components": tuple(map(change, phase.components))})
        for phase in course.phases
    )
    return course.model_copy(update={"phases": tuple(phases)})


def with_items(course: Course, change: Callable[[Item], Item | None]) -> Course:
    """Return a course each of whose items was changed, or taken out (None)."""
    return with_components(
        course,
        lambda part: part.model_copy(
            update={"items": tuple(item for one in part.items if (item := change(one)))}
        ),
    )
