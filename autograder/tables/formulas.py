"""Cells that no spreadsheet takes for a formula, and such cells read again."""

from __future__ import annotations

from autograder.text.display import one_line

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def guard_formula(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe is put before one."""
    # Checked before cleaning and after it: a leading tab begins a formula too.
    shown = one_line(text)
    if text.startswith(FORMULA_STARTS) or shown.lstrip().startswith(FORMULA_STARTS):
        return "'" + shown
    return shown


def unguarded(text: str) -> str:
    """Return a cell's text without an apostrophe that was put before it."""
    is_guarded = text.startswith("'") and text[1:].lstrip().startswith(FORMULA_STARTS)
    return text[1:] if is_guarded else text
