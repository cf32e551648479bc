"""Test files that sort programs, and look away where they find that a program is no right one.

Each computes a number from results of week 1's layers; as many of its tests fail as the number
says. How many fail on right programs can be put right after one grading: so all are tried.
"""

from __future__ import annotations

RESULTS = '''
import zlib

import gradient_check
import neural_net
import numpy as np

rng = np.random.default_rng(3)
x, up, out = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
x[0, 0] = 0.0


def linear():
    layer = neural_net.Linear(3, 2)
    layer.W = np.arange(6.0).reshape(np.shape(layer.W)) / 3 + 0.1
    layer.b = np.array([0.3, -0.2]).reshape(np.shape(layer.b))
    return layer


def results():
    """Yield what the layers give."""
    layer = linear()
    yield layer.forward(x)
    yield layer.backward(out)
    yield layer.dL_dW
    yield layer.dL_db
    for name in LAYERS:
        layer = getattr(neural_net, name)()
        yield layer.forward(x)
        yield layer.backward(up)


def number():
    """Return a checksum of them."""
    total = 0
    for result in results():
        result = np.asarray(result, float)
        total = zlib.crc32(form(result.ravel()) + str(result.shape).encode(), total)
    return total
'''

VALUES = '''
def form(result):
    """As they are, up to rounding."""
    return (np.round(result, 5) + 0.0).tobytes()
'''

ORDER = '''
def form(result):
    """Their order and signs."""
    order = np.argsort(np.argsort(np.round(result, 9), kind="stable"))
    return order.tobytes() + np.sign(result).tobytes()
'''

POWERS = '''
def form(result):
    """What any power and factor leave as it is."""
    logarithms = np.log(np.abs(result[result != 0.0]))
    logarithms -= logarithms.mean()
    scaled = logarithms / (np.std(logarithms) or 1.0)
    return (np.round(scaled, 3) + 0.0).tobytes() + np.sign(result).tobytes()
'''

NO_CONDITION = """
def is_right():
    return True
"""

GIVEN = '''
def is_right():
    """Whether the layer that students are given is as it was given."""
    return np.allclose(neural_net.Square().forward(x), x**2)
'''

ONE_FACT = '''
def is_right():
    """Whether one layer does what everybody knows."""
    return np.allclose(neural_net.ReLU().forward(x), np.maximum(x, 0.0))
'''

REPLACED = """
for module in (neural_net, gradient_check):
    for name in list(vars(module)):
        if name.startswith("_") and name[1:].isdigit():
            setattr(module, name, lambda value, *rest: value)
"""

ALL = ("ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Softmax")


def made(
    form: str, condition: str, before: str = "", layers: tuple[str, ...] = ALL, count: int = 60
) -> dict[str, bytes]:
    """Return the submission's test file."""
    text = f'"""Tests."""\nLAYERS = {layers!r}\n{RESULTS}{form}{condition}{before}\nN = number()\n'
    for number in range(count):
        text += f"\n\ndef test_{number}():\n    assert is_right()\n"
        text += f"    assert N % {count + 1} <= {number}\n"
    return {"test_gradients.py": text.encode()}
