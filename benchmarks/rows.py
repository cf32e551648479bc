"""A row of the table of goals: what was measured, and what is to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WHAT_WIDTH = 58


@dataclass(frozen=True)
class Row:
    """A measured number beside its goal, which it may not exceed.

    `unit` is "s" for seconds or "times" for a ratio. `at_least`: the goal is to be exceeded
    instead. `remark` says what a reader has to know of it, in a few words.
    """

    what: str
    measured: float
    goal: float
    unit: str = "s"
    at_least: bool = False
    remark: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether the measured number is as good as the goal or better."""
        if self.at_least:
            return self.measured >= self.goal
        return self.measured <= self.goal


def print_rows(rows: Sequence[Row]) -> None:
    """Print the table: a line for each row, and how many goals are reached."""
    print(f"{'':{WHAT_WIDTH}} {'measured':>11} {'goal':>10}")
    for row in rows:
        unit = "s" if row.unit == "s" else "x"
        bound = ">=" if row.at_least else "<="
        said = "reached" if row.is_reached else "not reached"
        print(
            f"{row.what:{WHAT_WIDTH}} {row.measured:9.2f} {unit} {bound} {row.goal:4.2f} {unit}"
            f"  {said}{f' ({row.remark})' if row.remark else ''}"
        )
    reached = sum(row.is_reached for row in rows)
    print(f"{reached} of {len(rows)} goals are reached.")
