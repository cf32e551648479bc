"""Who runs a submission, where and when, as far as its code can see.

Results must not depend on it. Code that behaves only while it is graded has to find out whether it
is: by its user, its host's name, the folder that it lies in, or the calendar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PATH = re.compile(r"(/[a-z][a-z0-9_]*)+")
NAME = re.compile(r"[a-z][a-z0-9-]*|")
MOST_DAYS = 10_000


@dataclass(frozen=True)
class Guise:
    """uid, gid, user: whom the code runs as, and what $USER says; hostname; folder: where the files
    lie; home: the home folder, where it may write; days: how far the calendar is moved.

    Where a confinement can't change one of them, that stays as it is.
    """

    uid: int = 65_534
    gid: int = 65_534
    user: str = ""
    hostname: str = "sandbox"
    folder: str = "/submission"
    home: str = "/scratch"
    days: int = 0

    def __post_init__(self) -> None:
        # What starts sandboxes as root takes these from an examiner that it doesn't trust.
        paths = all(PATH.fullmatch(path) for path in (self.folder, self.home))
        names = all(NAME.fullmatch(name) for name in (self.user, self.hostname))
        numbers = all(type(n) is int for n in (self.uid, self.gid, self.days))
        if not (paths and names and numbers and self.uid > 0 < self.gid):
            raise ValueError(f"not a guise: {self!r}")
        if abs(self.days) > MOST_DAYS or self.folder.startswith(self.home):
            raise ValueError(f"not a guise: {self!r}")


PLAIN = Guise()
"""How submissions are graded."""
