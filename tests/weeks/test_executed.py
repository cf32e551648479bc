"""Which functions a change alters and which a check runs: what decides what a mistake can reach."""

from __future__ import annotations

import pytest

from tests.executed import WatchedHost, altered

MODULE = '''"""A module."""

RATE = 0.5


class Layer:
    """A layer."""

    gain = 2.0

    def forward(self, x, scale=1.0):
        return [self.gain * scale * value for value in x]

    def backward(self, x):
        return list(map(lambda value: 2.0 * value, x))


def unused(x):
    return -x
'''


def altered_by(replace: str, by: str) -> set[str]:
    assert MODULE.count(replace) == 1
    after = MODULE.replace(replace, by)
    return {name for _, name in altered("layer.py", MODULE.encode(), after.encode())}


@pytest.mark.parametrize(
    ("replace", "by", "functions"),
    [
        ("-x", "x", {"unused"}),
        ("2.0 * value", "3.0 * value", {"Layer.backward.<locals>.<lambda>"}),
        ("list(map", "tuple(map", {"Layer.backward"}),
        ("gain = 2.0", "gain = 3.0", {"Layer"}),
        ("RATE = 0.5", "RATE = 0.25", {"<module>"}),
        ("scale=1.0", "scale=2.0", {"Layer"}),  # a default belongs to what surrounds it
        ("unused(x)", "unused(x, y=0)", {"unused", "<module>"}),
        ("backward(self, x)", "backward(self, y)", {"Layer", "Layer.backward"}),
        ("    return -x\n", "    return -x  # the same\n", set()),
        ('"""A layer."""', '"""A\n    layer\n    of lines."""', {"Layer"}),
        ("0.5\n", "0.5\n\n\n", set()),  # only lines move
        ("return -x", "return -0.0 * x", {"unused"}),
    ],
)
def test_what_an_edit_alters(replace, by, functions):
    assert altered_by(replace, by) == functions


def test_minus_zero_and_one_of_another_type_are_no_equal_constants():
    after = MODULE.replace("RATE = 0.5", "RATE = 0.0").encode()
    for value in (b"-0.0", b"0", b"False"):
        other = after.replace(b"RATE = 0.0", b"RATE = " + value)
        assert altered("layer.py", after, other)


def executed_by(call: str) -> set[str]:
    """Return the functions that run while a test calls something of the module."""
    host = WatchedHost({"layer.py": MODULE.encode()})
    layer = host.start(0).layer.Layer()
    getattr(layer, call)([1.0])
    host.finish(None)
    return {name for _, name in host.executed}


def test_what_a_test_runs_is_the_import_and_what_it_calls():
    forward = executed_by("forward")
    assert {"<module>", "Layer", "Layer.forward"} <= forward
    assert not {"Layer.backward", "unused"} & forward
    backward = executed_by("backward")
    assert {"Layer.backward", "Layer.backward.<locals>.<lambda>"} <= backward
    assert "Layer.forward" not in backward


def test_each_test_is_noted_by_itself():
    host = WatchedHost({"layer.py": MODULE.encode()})
    host.start(0).layer.unused(1.0)
    host.finish(None)
    first = host.executed
    host.start(0).layer.Layer()
    host.finish(None)
    assert "unused" in {name for _, name in first}
    assert "unused" not in {name for _, name in host.executed}
