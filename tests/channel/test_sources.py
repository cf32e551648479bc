"""Places in a traceback are shown from the examiner's own copy of the source."""

from __future__ import annotations

import pytest

from autograder.channel.source_lines import Sources

SOURCE = b"""import numpy as np

class Linear:
    size = 3

    def forward(self, x):
        def inner(y):
            return y @ 2
        return inner(x)

    @property
    async def later(self):
        return [
            1,
        ]
"""


@pytest.mark.parametrize(
    ("number", "place"),
    [
        (1, ("import numpy as np", "")),
        (4, ("    size = 3", "")),
        (6, ("    def forward(self, x):", "forward")),
        (8, ("            return y @ 2", "inner")),
        (9, ("        return inner(x)", "forward")),
        (14, ("            1,", "later")),
        (0, None),
        (-1, None),
        (16, None),
        (2**63, None),
    ],
)
def test_a_line_and_the_function_around_it(number, place):
    assert Sources({"m.py": SOURCE}).place("m.py", number) == place


@pytest.mark.parametrize("file", ["other.py", "/etc/passwd", ""])
def test_there_is_no_other_file(file):
    assert Sources({"m.py": SOURCE}).place(file, 1) is None


@pytest.mark.parametrize("source", [b"def f(:\n    pass", b"\xff\xfe\n\n", b"x = " + b"(" * 10_000])
def test_what_is_no_python_has_lines_and_no_functions(source):
    line, function = Sources({"m.py": source}).place("m.py", 1)
    assert function == ""
    assert line == source.decode(errors="replace").splitlines()[0]
