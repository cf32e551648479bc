"""A marker that is wrong in any way stops the generator, with its line and what to repair."""

from __future__ import annotations

from textwrap import dedent

import pytest

from autograder.reference.gaps import StubError, make_stub

WRONG = {
    "nested": (
        """\
        def f():
            # BEGIN SOLUTION week1.a
            x = 1
            # BEGIN SOLUTION week1.b
            return x
            # END SOLUTION
            # END SOLUTION
        """,
        "f.py:4: the block of line 2 is still open",
    ),
    "unopened": (
        """\
        def f():
            return 1
            # END SOLUTION
        """,
        "f.py:3: END SOLUTION without",
    ),
    "unclosed": (
        """\
        def f():
            # BEGIN SOLUTION week1.a
            return 1
        """,
        "f.py:2: BEGIN SOLUTION without",
    ),
    "end indented differently": (
        """\
        def f():
            # BEGIN SOLUTION week1.a
            return 1
        # END SOLUTION
        """,
        "f.py:4: indented differently",
    ),
    "markers indented unlike the code": (
        """\
        def f():
        # BEGIN SOLUTION week1.a
            return 1
        # END SOLUTION
        """,
        "f.py:2: the markers are not indented like",
    ),
    "without an id": (
        """\
        def f():
            # BEGIN SOLUTION
            return 1
            # END SOLUTION
        """,
        "f.py:2: BEGIN SOLUTION needs a task id",
    ),
    "an id of the wrong form": (
        """\
        def f():
            # BEGIN SOLUTION linear
            return 1
            # END SOLUTION
        """,
        "f.py:2: 'linear' is not a task id",
    ),
    "an unknown id": (
        """\
        def f():
            # BEGIN SOLUTION week1.linaer
            return 1
            # END SOLUTION
        """,
        "f.py:2: unknown task id 'week1.linaer'; known: week1.a, week1.b",
    ),
    "a near miss": (
        """\
        def f():
            # begin solution week1.a
            return 1
        """,
        "f.py:2: not a marker: '# begin solution week1.a'",
    ),
    "a marker behind code": (
        """\
        def f():
            return 1  # END SOLUTION
        """,
        "f.py:2: not a marker",
    ),
    "at module level": (
        """\
        # BEGIN SOLUTION week1.a
        x = 1
        # END SOLUTION
        """,
        "f.py:1: a block must stand inside a function",
    ),
    "in a class body": (
        """\
        class A:
            # BEGIN SOLUTION week1.a
            def f(self):
                return 1
            # END SOLUTION
        """,
        "f.py:2: a block must stand inside a function",
    ),
    "INSTEAD outside a block": (
        """\
        # INSTEAD
        x = 1
        """,
        "f.py:1: INSTEAD belongs once into a block",
    ),
    "INSTEAD twice": (
        """\
        # BEGIN SOLUTION week1.a
        x = 1
        # INSTEAD
        # x = 2
        # INSTEAD
        # END SOLUTION
        """,
        "f.py:5: INSTEAD belongs once",
    ),
    "INSTEAD with code that is no comment": (
        """\
        # BEGIN SOLUTION week1.a
        x = 1
        # INSTEAD
        x = 2
        # END SOLUTION
        """,
        "f.py:3: after INSTEAD each line is code behind '# '",
    ),
    "INSTEAD with nothing": (
        """\
        # BEGIN SOLUTION week1.a
        x = 1
        # INSTEAD
        # END SOLUTION
        """,
        "f.py:3: INSTEAD needs the stub's code",
    ),
    "INSTEAD with no Python": (
        """\
        # BEGIN SOLUTION week1.a
        x = 1
        # INSTEAD
        # x = = 2
        # END SOLUTION
        """,
        "not valid Python",
    ),
    "with the docstring": (
        '''\
        def f():
            # BEGIN SOLUTION week1.a
            """One."""
            return 1
            # END SOLUTION
        ''',
        "f.py:2: the docstring is inside",
    ),
    "empty": (
        """\
        def f():
            # BEGIN SOLUTION week1.a
            # END SOLUTION
            return 1
        """,
        "f.py:2: the block encloses no statement",
    ),
    "inside a string": (
        '''\
        def f():
            return """
            # BEGIN SOLUTION week1.a
            x = 1
            # END SOLUTION
            """
        ''',
        "f.py:3: the block cuts a statement in two",
    ),
    "the beginning of a statement": (
        """\
        def f(x):
            # BEGIN SOLUTION week1.a
            if x:
                y = 1
            # END SOLUTION
            else:
                y = 2
            return y
        """,
        "f.py:2: the block cuts a statement in two",
    ),
    "the end of a statement": (
        """\
        def f(x):
            y = (
            # BEGIN SOLUTION week1.a
                1
            )
            return y
            # END SOLUTION
        """,
        "f.py:3: the block cuts a statement in two",
    ),
    "two branches": (
        """\
        def f(x):
            if x:
                # BEGIN SOLUTION week1.a
                y = 1
            else:
                y = 2
                # END SOLUTION
            return y
        """,
        "f.py:3: the block spans two branches",
    ),
    "not Python": (
        """\
        def f(x:
            # BEGIN SOLUTION week1.a
            return 1
            # END SOLUTION
        """,
        "not valid Python",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_marker_is_refused_with_its_line(case: str) -> None:
    source, message = WRONG[case]
    with pytest.raises(StubError) as caught:
        make_stub(dedent(source), "f.py", known={"week1.a", "week1.b"})
    assert message in str(caught.value)
