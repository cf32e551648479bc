"""Who writes into a gradebook: whoever runs the program, unless they say another name."""

from __future__ import annotations

import getpass
import os

VARIABLE = "AUTOGRADER_AUTHOR"
"""The name that marks, overrides and gradings are kept with; without it, that of the login."""


def author_here() -> str:
    """Return the name of whoever runs this program."""
    said = os.environ.get(VARIABLE, "").strip()
    if said:
        return said
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without an entry, as in some containers
        return f"user {os.getuid()}"
