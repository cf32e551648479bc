"""Starter files that nobody worked in are not handed in, whichever way they come."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.course import Week, load
from autograder.gradebook.submission import Submission
from autograder.intake.losses import AS_HANDED_OUT
from autograder.intake.reading import read_class
from autograder.intake.starter import UNTOUCHED, is_alike, is_same_code
from tests.conftest import ROOT
from tests.handed_in import zip_bytes

COURSE = load(ROOT)
WORK = b"def f(x):\n    return x\n"


def starter(week: Week) -> dict[str, bytes]:
    """The files of a week as a student's tree has them."""
    folder = ROOT / "assignments" / week.folder
    return {
        f"assignments/{week.folder}/{name}": (folder / name).read_bytes()
        for name in week.files
        if (folder / name).is_file()
    }


TREE = {path: data for week in COURSE.weeks for path, data in starter(week).items()}


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def tar_bytes(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def take(folder: Path) -> dict[int, Submission]:
    """Read a class of one student."""
    intake = read_class(folder, COURSE.weeks, root=ROOT)
    return {number: one for number, (one,) in intake.submissions.items()}


@pytest.mark.parametrize("how", ["folder", "zip", "tar.gz"])
def test_an_untouched_tree_is_no_submission_of_any_week(tmp_path, how):
    if how == "folder":
        put(tmp_path / "fay", TREE)
    else:
        packed = zip_bytes(TREE) if how == "zip" else tar_bytes(TREE)
        (tmp_path / f"fay.{how}").write_bytes(packed)
    times = "student,received,commit\nfay,2026-10-12T21:40:00+02:00,\n"
    (tmp_path / "handed_in.csv").write_text(times)
    intake = read_class(tmp_path, COURSE.weeks, root=ROOT)
    assert intake.untouched == {week.number: ["fay"] for week in COURSE.weeks}
    told = [(one.student, one.week) for one in intake.losses if one.kind == AS_HANDED_OUT]
    assert told == [("fay", week.id) for week in COURSE.weeks], "and so it is in notices.csv"
    for (one,) in intake.submissions.values():
        assert one.is_empty
        assert one.received is None, "what was not handed in has no time, so it can't be late"
        [notice] = [notice for notice in one.notices if notice.startswith(UNTOUCHED)]
        assert "None of the files" not in " ".join(one.notices), notice
    said = "week 1: as it was handed out, so it counts as not handed in: fay."
    assert said in intake.remarks


def test_work_in_one_week_opens_that_week_alone(tmp_path):
    week = COURSE.week(1)
    path = f"assignments/{week.folder}/losses.py"
    put(tmp_path / "gus", TREE | {path: TREE[path] + b"\n\n" + WORK})
    taken = take(tmp_path)
    assert [number for number, one in taken.items() if not one.is_empty] == [1]
    assert taken[1].files.keys() == set(week.modules), "others build on what is untouched"
    assert taken[1].documents == {}, "the notebook is as it was handed out"


def test_a_document_alone_hands_in_no_module(tmp_path):
    week = COURSE.week_called("project")
    path = f"assignments/{week.folder}/README.md"
    put(tmp_path / "gus", TREE | {path: b"# What I did\n"})
    one = take(tmp_path)[week.number]
    assert one.documents.keys() == {"README.md"}
    assert one.files == {}, "there is no project to be trained"


def test_what_is_missing_here_is_never_untouched(tmp_path):
    put(tmp_path / "class" / "ada", TREE)
    intake = read_class(tmp_path / "class", COURSE.weeks, root=tmp_path)
    assert not any(one.is_empty for (one,) in intake.submissions.values())


def notebook(*texts: str, outputs: bool = False) -> bytes:
    cells = [
        {"cell_type": "code", "source": text.splitlines(True), "metadata": {"id": "a"}}
        | ({"outputs": [{"text": "1"}], "execution_count": 3} if outputs else {})
        for text in texts
    ]
    return json.dumps({"nbformat": 4, "cells": cells}).encode()


STUB = b"""'Losses.'

import numpy as np


def f(x):
    'Do it.'
    raise NotImplementedError("fill in f")
"""


@pytest.mark.parametrize(
    "content",
    [
        STUB.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + STUB,
        b"# Fay Doe, 4711\n\n" + STUB + b"\n\n",
        STUB.replace(b"Losses.", b"Losses of Fay."),
        STUB.replace(
            b'NotImplementedError("fill in f")', b"NotImplementedError(\n        'fill in f'\n    )"
        ),
    ],
    ids=["line ends", "byte order mark", "a name above it", "docstring", "another formatter"],
)
def test_saving_code_is_no_work(content):
    assert is_same_code(content, STUB)


@pytest.mark.parametrize(
    "content",
    [
        STUB.replace(b"raise NotImplementedError", b"return"),
        STUB + b"\n\nrate = 0.1\n",
        STUB.replace(b"(x)", b"(y)"),
        STUB[:-3],
        b"(" * 5000 + STUB,
    ],
    ids=["filled", "added", "renamed", "broken", "deep"],
)
def test_any_other_code_is_work(content):
    assert not is_same_code(content, STUB)


def test_a_notebook_that_was_run_is_not_handed_in():
    given = notebook("x = 1\n", "y = 2")
    assert is_alike("a.ipynb", notebook("x = 1", "y = 2\n", "", outputs=True), given)
    assert not is_alike("a.ipynb", notebook("x = 1", "y = 3"), given)
    assert not is_alike("a.ipynb", b"{}", given)


def test_headings_of_a_text_are_work():
    assert is_alike("a.md", b"# Title\r\n\r\ntext \r\n", b"# Title\n\ntext\n")
    assert not is_alike("a.md", b"# Title\n# Mine\ntext\n", b"# Title\n\ntext\n")


def test_a_submission_that_was_worked_in_keeps_its_time(tmp_path):
    put(tmp_path / "ada", {"losses.py": WORK})
    (tmp_path / "handed_in.csv").write_text("student,received,commit\nada,2026-10-12T21:40:00Z,\n")
    assert take(tmp_path)[1].received == datetime(2026, 10, 12, 21, 40, tzinfo=UTC)
