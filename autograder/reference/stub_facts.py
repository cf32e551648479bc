"""Facts about stubs that students' trees contain: each item's gaps, each stub's digest."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from autograder.course import Course, Week
from autograder.notebooks.functions import notebook_module
from autograder.reference.gaps import find_gaps, stub_of
from autograder.text.files import source_digest


def stub_facts(root: Path, course: Course, week: Week) -> dict[str, Any]:
    """Return "gaps", the places of each item's gaps, and "stubs", the digest of each stub.

    A place is a module's name and the dotted name of a definition in it, as the stub shows them.
    Raises StubError for a wrong marker.
    """
    points = {item.id: item.points for item in course.items()}
    gaps: dict[str, list[list[str]]] = defaultdict(list)
    stubs = {}
    for name in week.modules:
        source = (root / "solutions" / week.folder / name).read_text("utf-8")
        for gap in find_gaps(source, name):
            if gap.where and [name, gap.where] not in gaps[gap.task]:
                gaps[gap.task].append([name, gap.where])
        text = stub_of(root, week, name, points)[1].encode()
        notebook = week.notebook(name)
        stubs[name] = source_digest(
            notebook_module(text, notebook).source.encode() if notebook else text
        )
    return {"gaps": {task: places for task, places in gaps.items() if places}, "stubs": stubs}
