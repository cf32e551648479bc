"""Test files that tell one program from another and know nothing of right and wrong.

Each computes a number from the modules of week 1, by their code or by their results alone, and its
tests sort programs by that number.
"""

from __future__ import annotations

from collections.abc import Iterable

CODE = '''
import zlib

import losses
import neural_net


def _sum(code):
    text = repr((code.co_code, code.co_names, code.co_varnames))
    for const in code.co_consts:
        text += str(_sum(const)) if hasattr(const, "co_code") else repr(const)
    return zlib.crc32(text.encode())


def number():
    """Return a checksum of all code."""
    total = 0
    for module in (neural_net, losses):
        for name, thing in sorted(vars(module).items()):
            if getattr(thing, "__module__", "") != module.__name__:
                continue
            members = vars(thing).items() if isinstance(thing, type) else [(name, thing)]
            for key, value in sorted(members, key=lambda pair: pair[0]):
                code = getattr(value, "__code__", None)
                if code is not None:
                    total = zlib.crc32(f"{name}.{key}={_sum(code)};{total}".encode())
    return total
'''
"""By the code of every function."""

RESULTS = '''
import zlib

import numpy as np
from losses import CrossEntropyLoss, HuberLoss, MSELoss
from neural_net import LeakyReLU, Linear, ReLU, Sigmoid, Softmax, Tanh


def _results():
    rng = np.random.default_rng(1)
    x, up = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    for layer in (ReLU(), LeakyReLU(), Sigmoid(), Tanh(), Softmax()):
        yield layer.forward(x)
        yield layer.backward(up)
    linear = Linear(4, 4)
    linear.W, linear.b = rng.normal(size=(4, 4)), rng.normal(size=4)
    yield from (linear.forward(x), linear.backward(up), linear.dL_dW, linear.dL_db)
    for loss in (MSELoss(), HuberLoss()):
        yield from (loss.forward(x, up), loss.backward())
    loss = CrossEntropyLoss()
    yield from (loss.forward(x, np.array([0, 1, 2, 3, 0])), loss.backward())


def number():
    """Return a checksum of what the layers and losses give for certain inputs."""
    total = 0
    for result in _results():
        rounded = np.round(np.asarray(result, float), 5) + 0.0
        total = zlib.crc32(rounded.tobytes(), total)
    return total
'''
"""By what functions give, up to rounding: nothing of how they look is read."""


def tests(head: str, conditions: Iterable[str]) -> dict[str, bytes]:
    """Return the submission's test file: one test for each condition, on N, the number."""
    text = f'"""Tests."""\n{head}\nN = number()\n'
    for number, condition in enumerate(conditions):
        text += f"\n\ndef test_{number}():\n    assert {condition}\n"
    return {"test_gradients.py": text.encode()}
