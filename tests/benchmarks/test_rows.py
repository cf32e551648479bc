"""The table of goals says of each number whether its goal is reached."""

from __future__ import annotations

import pytest

from benchmarks.rows import Row, print_rows


@pytest.mark.parametrize(
    ("row", "reached"),
    [
        (Row("a", 0.3, 0.35), True),
        (Row("a", 0.35, 0.35), True),
        (Row("a", 0.36, 0.35), False),
        (Row("a", float("nan"), 0.35), False),
        (Row("a", 1.95, 1.9, "times", at_least=True), True),
        (Row("a", 1.5, 1.9, "times", at_least=True), False),
        (Row("a", float("nan"), 1.9, "times", at_least=True), False),
    ],
)
def test_a_goal_is_reached(row: Row, reached: bool) -> None:
    assert row.is_reached is reached


def test_the_table(capsys) -> None:
    rows = [
        Row("a push", 2.25, 1.5),
        Row("two processes", 1.95, 1.9, "times", at_least=True, remark="by simulation"),
    ]
    print_rows(rows)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "measured goal",
        "a push 2.25 s <= 1.50 s not reached",
        "two processes 1.95 x >= 1.90 x reached (by simulation)",
        "1 of 2 goals are reached.",
    ]
