"""Hostile: Makes AssertionError harmless, swallows exceptions, traces lines away."""

import builtins
import unittest


class Harmless(BaseException):
    """What a failed assertion is to raise."""


builtins.AssertionError = Harmless
sys.excepthook = threading.excepthook = lambda *args: None
sys.settrace(lambda *args: None)
sys.setprofile(lambda *args: None)
unittest.TestCase.run = lambda self, result=None: result
