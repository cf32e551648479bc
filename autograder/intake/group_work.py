"""Groups of a roster hand in together: each member gets what any of them handed in for a week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autograder.course import Week
from autograder.gradebook.ids import key as key_of
from autograder.gradebook.people import Loss
from autograder.gradebook.roster import Person, Roster
from autograder.gradebook.submission import Submission
from autograder.text.display import one_line

SHARED, DIFFERENT = "shared in a group", "different in a group"


def share(
    submissions: Sequence[Submission],
    roster: Roster,
    week: Week,
    group_ids: Mapping[str, str],
) -> tuple[list[Submission], list[Loss]]:
    """Return a week's submissions, each group's given to all of its members.

    `group_ids` are the ids of submissions that are a group's own, with the group's name. Where
    there are different files of one group, everybody keeps their own, and members without any are
    told that it isn't clear which count.
    """
    by_id = {one.student: one for one in submissions}
    losses: list[Loss] = []
    for key, members in roster.groups(week.number).items():
        own = [id for id, name in group_ids.items() if id in by_id and key_of(name) == key]
        _share(by_id, members, own, week, losses)
    for id, name in group_ids.items():
        one = by_id.pop(id, None)
        if one is not None and not one.is_empty and not roster.members(name, week.number):
            text = f"{one_line(id)} holds files, and nobody is in the group {one_line(name)} then."
            losses.append(Loss(id, SHARED, text, week.id))
    return list(by_id.values()), losses


def _share(
    by_id: dict[str, Submission],
    members: Sequence[Person],
    own: Sequence[str],
    week: Week,
    losses: list[Loss],
) -> None:
    """Give the members of one group what was handed in, in place."""
    group = one_line(members[0].group(week.number))
    sources = [by_id[id] for id in (*own, *(one.id for one in members)) if id in by_id]
    sources = [one for one in sources if _holds_work(one)]
    different = {(one.fingerprint, tuple(sorted(one.documents.items()))) for one in sources}
    if not sources:
        return
    named = ", ".join(one_line(one.student) for one in sources)
    for member in members:
        has_own = member.id in by_id and _holds_work(by_id[member.id])
        if has_own and len(different) == 1:
            continue
        if len(different) == 1:
            said = f"Handed in for the group {group} by {one_line(sources[0].student)}."
            shared = replace(sources[0], student=member.id)
            by_id[member.id] = replace(shared, notices=(*shared.notices, said))
            losses.append(Loss(member.id, SHARED, said, week.id))
        elif has_own and not own:
            text = f"The members of the group {group} handed in different files ({named}): "
            losses.append(Loss(member.id, DIFFERENT, f"{text}each has their own.", week.id))
        else:
            text = f"Different files were handed in for the group {group} ({named}), so it isn't "
            text += "clear which count. Keep one of them and grade again."
            by_id[member.id] = Submission(member.id, refusal=text)


def _holds_work(one: Submission) -> bool:
    return not one.is_empty and one.refusal is None
