"""Whom a name in an instructor's file or command means: an id, or what else a student is called.

By an id of before a roster came, too. A name that may be several people's means nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from autograder.gradebook.ids import key
from autograder.gradebook.roster import Roster
from autograder.tables.table import near
from autograder.text.display import one_line


class Called:
    """The students of a class, by all that they are called.

    `known` are their ids, and `others` pairs of a name by which somebody came, and their id.
    """

    def __init__(
        self,
        known: Collection[str],
        roster: Roster | None = None,
        others: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._known = frozenset(known)
        self._roster = roster or Roster(())
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for name, student in (*((one, one) for one in self._known), *others):
            self._by_name[key(name)].add(student)

    def who(self, text: str) -> str | None:
        """Return the id of who is meant; None where that is nobody, or may be several."""
        if text in self._known:
            return text
        found = self._candidates(text)
        return found[0] if len(found) == 1 else None

    def problem(self, text: str) -> str:
        """Say why nobody is meant."""
        found = self._candidates(text)
        if found:
            return f"'{one_line(text)}' may be {' or '.join(map(one_line, found))}; give the id"
        hint = near(text, sorted(self._known))
        return f"no student '{one_line(text)}' in the gradebook{hint}"

    def _candidates(self, text: str) -> list[str]:
        in_roster = {one.id for one in self._roster.who([text], [text])}
        return sorted((in_roster or self._by_name.get(key(text), set())) & self._known)
