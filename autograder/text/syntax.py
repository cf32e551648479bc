"""Syntax trees of students' Python, which is never run."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache


@lru_cache(maxsize=16)
def syntax_tree(source: bytes) -> ast.Module | None:
    """Return the syntax tree of a file, or None if it isn't valid Python or nested too deeply."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an invalid escape, say
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
