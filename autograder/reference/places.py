"""Where in a submission an item, or a catalogued mistake, is: names of definitions, no code."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from autograder.course import Week
from autograder.reference.gaps import find_gaps

Place = tuple[str, str]
"""A module's name, and the dotted name of a definition in it."""


@cache
def places_of_items(root: Path, folder: str, modules: tuple[str, ...]) -> dict[str, list[Place]]:
    """Return the definitions that each item's gaps stand in, as the stubs show them.

    What has no solution here has no places.
    """
    found: dict[str, list[Place]] = {}
    for name in modules:
        path = root / "solutions" / folder / name
        for gap in find_gaps(path.read_text("utf-8"), name) if path.is_file() else ():
            places = found.setdefault(gap.task, [])
            if gap.where and (name, gap.where) not in places:
                places.append((name, gap.where))
    return found


@cache
def places_of_mistakes(root: Path, folder: str) -> dict[str, Place]:
    """Return the definition that each misconception of a week's catalogue is about, by its id."""
    return {
        entry["id"]: (f"{entry['module']}.py", entry["where"])
        for path in sorted((root / "solutions" / folder).glob("misconceptions*.toml"))
        for entry in tomllib.loads(path.read_text("utf-8")).get("misconception", [])
        if {"id", "module", "where"} <= entry.keys()
    }


def item_places(root: Path, week: Week, item: str) -> list[Place]:
    """Return where an item of a week is."""
    return places_of_items(root, week.folder, week.modules).get(item, [])


def mistake_place(root: Path, week: Week, id: str | None) -> Place | None:
    """Return where a misconception of a week is; None where that is not known."""
    return places_of_mistakes(root, week.folder).get(id) if id else None
