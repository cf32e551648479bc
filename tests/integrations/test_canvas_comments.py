"""Feedback as comments in Canvas, against a server that follows its documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.integrations.handing_back import canvas_api, command
from autograder.integrations.handing_back.canvas_api import CanvasApi, CanvasError
from autograder.integrations.handing_back.canvas_comments import (
    CommentOutcome,
    assignment_of,
    comment_text,
    send_comments,
)
from autograder.integrations.handing_back.letters import Letter
from tests.canvas_server import ASSIGNMENT, COURSE, TOKEN, CanvasServer, serving

THROTTLED = (403, "403 Forbidden (Rate Limit Exceeded)\n")


def letter(student: str, text: str = "well done") -> Letter:
    content = f"# Feedback for {student}\n\n{text}: ä\n".encode()
    return Letter(student, "7 of 10 points", {"feedback.md": content, "training.svg": b"<svg/>"})


LETTERS = {one: letter(one) for one in ("ada", "DoeJane_103", "ben@school.edu", "stranger")}


def class_in_canvas() -> CanvasServer:
    names = [
        (101, "Lovelace, Ada", "ada"),
        (102, "Ben", "ben@school.edu"),
        (103, "Doe, Jane", "jd3"),
        (104, "Doe, Jane", "jd4"),
        (105, "Silent, Sam", "sam"),
    ]
    return CanvasServer(
        [{"id": id, "name": n, "sortable_name": n, "login_id": login} for id, n, login in names]
    )


@pytest.fixture(autouse=True)
def waits(monkeypatch) -> list[float]:
    """Nobody waits in these tests; return for how long one would have."""
    waited: list[float] = []
    monkeypatch.setattr(canvas_api, "pause", waited.append)
    return waited


def send(address: str, letters=LETTERS, dry_run: bool = False) -> list[CommentOutcome]:
    api = CanvasApi(address, TOKEN)
    found = assignment_of(api, COURSE, ASSIGNMENT, letters)
    return list(send_comments(api, found, letters, dry_run))


@pytest.mark.parametrize("redirects", [True, False])
def test_everybody_gets_one_comment_with_the_files(redirects) -> None:
    canvas = class_in_canvas()
    canvas.redirects = redirects
    with serving(canvas) as address:
        assert all(outcome.sent for outcome in send(address))
        assert sorted(canvas.comments) == [101, 102, 103]
        for user, student in ((101, "ada"), (102, "ben@school.edu"), (103, "DoeJane_103")):
            [comment] = canvas.comments[user]
            assert comment == {
                "comment": comment_text(LETTERS[student]),
                "attached": dict(LETTERS[student].files),
            }
        assert not any(outcome.sent or outcome.failed for outcome in send(address))
        news = LETTERS | {"ada": letter("ada", "changed by a person")}
        assert [one.student for one in send(address, news) if one.sent] == ["ada"]
    assert [len(canvas.comments[user]) for user in (101, 102, 103)] == [2, 1, 1]


def test_who_cannot_be_matched_is_named_and_a_dry_run_writes_nothing(monkeypatch, capsys) -> None:
    canvas = class_in_canvas()
    monkeypatch.setattr(command, "load", lambda root: None)
    monkeypatch.setattr(command, "letters_of", lambda course, grades: LETTERS)
    with serving(canvas) as address:
        arguments = (Path(), Path(), address, COURSE, ASSIGNMENT)
        command.comment_in_canvas(*arguments, True, {"CANVAS_TOKEN": TOKEN})
        said = capsys.readouterr().out
        assert {method for method, _ in canvas.calls} == {"GET"}
        assert "Graded here, and without this assignment in Canvas: stranger" in said
        assert "In Canvas, and without results here: Doe, Jane, Silent, Sam" in said
        assert "3 student(s) would get a comment, 0 have theirs already" in said
        with pytest.raises(CanvasError, match="CANVAS_TOKEN is not set"):
            command.comment_in_canvas(*arguments, False, {})
        canvas.trouble = {len(canvas.calls) + 7: (500, "")}  # in the middle of somebody's upload
        command.comment_in_canvas(*arguments, False, {"CANVAS_TOKEN": TOKEN})
    assert "3 student(s) got a comment" in capsys.readouterr().out
    assert TOKEN not in said


def test_namesakes_are_left_alone() -> None:
    with serving(class_in_canvas()) as address:
        found = assignment_of(
            CanvasApi(address, TOKEN), COURSE, ASSIGNMENT, {"Doe_Jane": letter("Doe_Jane")}
        )
    assert not found.matches.rows
    assert "Doe_Jane: 103, 104 are all of that name" in found.remarks[0]


@pytest.mark.parametrize("refusal", [THROTTLED, (429, "429 Forbidden (Rate Limit Exceeded)")])
def test_whoever_is_throttled_waits_and_loses_nothing(refusal, waits) -> None:
    canvas = class_in_canvas()
    canvas.trouble = dict.fromkeys((1, 3, 5, 6, 9, 12, 13, 14, 17, 21), refusal)
    with serving(canvas) as address:
        assert all(outcome.sent for outcome in send(address))
    assert {user: len(each) for user, each in canvas.comments.items()} == {101: 1, 102: 1, 103: 1}
    assert len(waits) == 10


def test_a_comment_of_which_nothing_is_known_is_not_repeated_blindly() -> None:
    canvas = class_in_canvas()
    one = {"ada": LETTERS["ada"]}
    with serving(canvas) as address:
        send(address, one, dry_run=True)
        lists = len(canvas.calls)
        canvas.trouble = {2 * lists + 7: (502, "bad gateway")}  # two files in three steps, then it
        [failed] = send(address, one)
        assert "the server failed (502)" in failed.failed
        assert canvas.calls[-1][0] == "PUT"
        [sent] = send(address, one)
        assert sent.sent
    assert len(canvas.comments[101]) == 1


def test_the_token_reaches_canvas_alone() -> None:
    with pytest.raises(CanvasError, match="not https"):
        CanvasApi("http://canvas.school.edu", TOKEN)
    for address in ("https://[canvas", "https://", "canvas.school.edu"):
        with pytest.raises(CanvasError, match="no address such as"):
            CanvasApi(address, TOKEN)
    with pytest.raises(CanvasError, match="copy it again") as error:
        CanvasApi("https://canvas.school.edu", f"{TOKEN}\n")
    assert TOKEN not in str(error.value)
    canvas, other = class_in_canvas(), class_in_canvas()
    with serving(other) as elsewhere, serving(canvas) as address:
        canvas.elsewhere = elsewhere
        [failed] = send(address, {"ada": LETTERS["ada"]})
        assert "another server, which gets no token" in failed.failed
        assert not other.calls
        assert not canvas.comments
        with pytest.raises(CanvasError, match=r"the token is not valid.*\(401\): Invalid"):
            assignment_of(CanvasApi(address, "wrong"), COURSE, ASSIGNMENT, LETTERS)
        with pytest.raises(CanvasError, match=r"no such course, assignment or student.*\(404\)"):
            assignment_of(CanvasApi(address, TOKEN), COURSE + 1, ASSIGNMENT, LETTERS)
