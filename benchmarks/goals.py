"""The grader's goals of speed: measured, to be reached, and whether they are.

Runs the benchmarks that the goals belong to, whose own tables come first, and ends with the table.
Ratios are medians of rounds, of pairs that take turns, so a busy machine slows both; seconds are of
this machine and of what else it does.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from benchmarks.rows import Row, print_rows

PARTS = ("toy_speed", "grading_speed", "student_speed", "grade_ends", "push_speed")
SECOND_NODE = "cluster_speed"
"""Its goal is measured where the module is there."""

TINY = {"tiny": True}


def main(tiny: bool = False) -> None:
    """Run the parts, each in its own setting or its tiny one, and print the table."""
    rows: list[Row] = []
    there = find_spec(f"benchmarks.{SECOND_NODE}") is not None
    for name in (*PARTS, *([SECOND_NODE] if there else [])):
        part = importlib.import_module(f"benchmarks.{name}")
        settings: Mapping[str, Any] = part.TINY if tiny else {}
        rows += part.main(**settings) or []
        print(flush=True)
    print("The goals of speed" + (", in a tiny setting that says nothing of them" if tiny else ""))
    print_rows(rows)
    if not there:
        print("A second node of the same size: not measured here.")


if __name__ == "__main__":
    main()
