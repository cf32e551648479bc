"""Hostile: Replaces the functions that every helper uses: abs, sum, len, type, isinstance, max."""

import builtins


def act(x):
    builtins.abs = builtins.sum = builtins.max = builtins.min = lambda *args, **kwargs: 0
    builtins.isinstance = builtins.issubclass = lambda *args: True
    builtins.len = lambda thing: 5
    builtins.type = lambda *args: np.ndarray
