"""`autograder export canvas-comments`: options in, printed lines out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from autograder.course import load
from autograder.integrations.handing_back.canvas_api import CanvasApi, CanvasError
from autograder.integrations.handing_back.canvas_comments import assignment_of, send_comments
from autograder.integrations.handing_back.letters import letters_of
from autograder.text.display import one_line

TOKEN = "CANVAS_TOKEN"
LONGEST = 500


def comment_in_canvas(
    root: Path,
    grades: Path,
    url: str,
    course: int,
    assignment: int,
    dry_run: bool,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Comment on submissions and print the outcomes. Raises CanvasError where any failed."""
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise CanvasError(
            f"{TOKEN} is not set. It holds an access token of Canvas's (Account, Settings, New "
            "access token) of somebody who may comment on submissions."
        )
    letters = letters_of(load(root), grades)
    api = CanvasApi(url, token)
    found = assignment_of(api, course, assignment, letters)
    for remark in found.remarks:
        print(one_line(remark, LONGEST))
    sent = failed = same = 0
    for outcome in send_comments(api, found, letters, dry_run):
        if outcome.failed:
            print(f"{outcome.student}: {one_line(outcome.failed, LONGEST)}")
        elif dry_run and outcome.sent:
            print(f"{outcome.student}: {one_line(letters[outcome.student].line, LONGEST)}")
        failed += bool(outcome.failed)
        sent += outcome.sent
        same += not (outcome.sent or outcome.failed)
    word = "would get a comment" if dry_run else "got a comment"
    print(f"{sent} student(s) {word}, {same} have theirs already, {failed} could not be told.")
    if failed:
        raise CanvasError("not everybody could be told", "The same command tries them again")
