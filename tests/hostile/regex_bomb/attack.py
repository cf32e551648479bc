"""Hostile: Has a regular expression that backtracks for hours."""

import re


def act(x):
    re.match(r"(a+)+$", "a" * 60 + "b")
