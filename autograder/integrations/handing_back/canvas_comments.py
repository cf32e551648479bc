"""Feedback as comments on an assignment's submissions in Canvas, each once.

Every comment ends with a mark of its own, made of what it says: where Canvas has that comment
already, nothing is sent. So a run that was stopped, or repeated by somebody else, tells nobody
twice, and who has news gets a new comment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.integrations.gradebooks.fill_column import FillReport, report_unmatched
from autograder.integrations.gradebooks.matching import NO_ROW, Matches, Person, match
from autograder.integrations.handing_back.canvas_api import CanvasApi, CanvasError
from autograder.integrations.handing_back.letters import FEEDBACK_FILE, Letter, known_of

MARK_DIGITS = 12


@dataclass(frozen=True)
class CommentOutcome:
    """What became of one student's comment: sent, there already (neither), or failed."""

    student: str
    sent: bool = False
    failed: str = ""


@dataclass(frozen=True)
class CanvasAssignment:
    """One assignment, its students matched to ours, and the comments that they have by user."""

    path: str
    matches: Matches
    comments: Mapping[int, str]

    @property
    def remarks(self) -> list[str]:
        """Everybody who could not be matched, on either side."""
        report = FillReport()
        report_unmatched(self.matches, report)
        there = {"a row in the file": "this assignment in Canvas", "In the file": "In Canvas"}
        remarks = report.remarks
        for ours, words in there.items():
            remarks = [remark.replace(ours, words) for remark in remarks]
        return remarks


def assignment_of(
    api: CanvasApi, course: int, assignment: int, letters: Mapping[str, Letter]
) -> CanvasAssignment:
    """Read an assignment's students and comments. Raises CanvasError."""
    users = api.every(
        f"/api/v1/courses/{course}/users",
        [("enrollment_type[]", "student"), ("include[]", "email")],
    )
    persons = [_person(user) for user in users if isinstance(user.get("id"), int)]
    path = f"/api/v1/courses/{course}/assignments/{assignment}/submissions"
    submissions = api.every(path, [("include[]", "submission_comments")])
    comments = {
        one["user_id"]: "\n".join(_texts(one.get("submission_comments")))
        for one in submissions
        if isinstance(one.get("user_id"), int)
    }
    here = [person for person in persons if int(person.ids[0]) in comments]
    return CanvasAssignment(path, match(sorted(letters), here, known_of(letters)), comments)


def send_comments(
    api: CanvasApi, assignment: CanvasAssignment, letters: Mapping[str, Letter], dry_run: bool
) -> Iterator[CommentOutcome]:
    """Send each student's feedback that is not there yet; yield the outcomes."""
    for student, person in sorted(assignment.matches.rows.items()):
        user, letter = int(person.ids[0]), letters[student]
        text = comment_text(letter)
        if mark_of(letter) in assignment.comments[user]:
            yield CommentOutcome(student)
            continue
        try:
            if not dry_run:
                _send(api, f"{assignment.path}/{user}", letter, text)
            yield CommentOutcome(student, sent=True)
        except CanvasError as error:
            yield CommentOutcome(student, failed=str(error))


def comment_text(letter: Letter) -> str:
    """Return the comment: the points in words, and the mark by which it is known again."""
    attached = f"What every test said is in {FEEDBACK_FILE}, attached."
    return f"Autograder: {letter.line}. {attached} {mark_of(letter)}"


def mark_of(letter: Letter) -> str:
    """Return the mark of a letter: another one as soon as anything in it differs."""
    digest = hashlib.sha256(letter.line.encode())
    for name, content in sorted(letter.files.items()):
        digest.update(b"\0" + name.encode() + b"\0" + hashlib.sha256(content).digest())
    return f"[{digest.hexdigest()[:MARK_DIGITS]}]"


def _send(api: CanvasApi, path: str, letter: Letter, text: str) -> None:
    """Upload a letter's files, then comment once."""
    numbers = [
        api.upload(f"{path}/comments/files", name, content)
        for name, content in letter.files.items()
    ]
    form = [("comment[text_comment]", text), ("comment[group_comment]", "false")]
    api.put(path, [*form, *(("comment[file_ids][]", str(number)) for number in numbers)])


def _person(user: Mapping[str, Any]) -> Person:
    """Return a user of Canvas's by all that may be the id here; Canvas's number comes first."""
    number = str(user["id"])
    name, sortable = _text(user, "name"), _text(user, "sortable_name")
    others = [_text(user, key) for key in ("login_id", "sis_user_id", "email", "integration_id")]
    # The name that Canvas gives to this student's files, and intake to the student.
    letters = re.sub(r"\W", "", sortable)
    ids = [number, *others, f"{letters}_{number}"]
    logins = [other.partition("@")[0] for other in others if "@" in other]
    return Person(NO_ROW, name or number, tuple(filter(None, ids)), (name, sortable, *logins))


def _text(user: Mapping[str, Any], key: str) -> str:
    value = user.get(key)
    return value if isinstance(value, str) else ""


def _texts(comments: Any) -> list[str]:
    found = comments if isinstance(comments, list) else []
    return [one["comment"] for one in found if isinstance(one, dict) and "comment" in one]
