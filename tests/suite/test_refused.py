"""The list of what a week's sandboxes refuse: it reaches them, or what is wrong with it is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.suite.hidden.refused import FILE, refusing, the_list_alone
from autograder.suite.week_worker import worker_of
from autograder.worker.sandboxed.ready_made import LIST

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
PROJECT = COURSE.week_called("project")
GOOD = """[[refused]]
operators = 'norm'
code = [["optim/", '']]
unread = []
instead = "write it"
"""


def test_the_projects_list_reaches_its_sandboxes_and_scripts():
    hidden = ROOT / "assignments" / PROJECT.folder / "hidden"
    worker = worker_of(ROOT, PROJECT)
    folders = refusing(worker, hidden).folders
    assert folders.names == worker.folders.names
    assert {*folders.files} == {*worker.folders.files, LIST}
    assert [table["code"][0][0] for table in json.loads(folders.files[LIST])]
    alone = the_list_alone(folders)
    assert (alone.names, set(alone.files)) == ((), {LIST})
    assert the_list_alone(worker.folders).files == {}


def test_a_week_without_a_list_is_as_it_was(tmp_path):
    worker = worker_of(ROOT, PROJECT)
    assert refusing(worker, tmp_path) is worker


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("operators", "operator"),
        ("'norm'", "'('"),
        ("[[refused]]", "[refused]"),
        ('"write', "write"),
    ],
)
def test_a_list_that_cannot_be_used_is_said(tmp_path, old, new):
    (tmp_path / FILE).write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(courses.CourseError, match="refused"):
        refusing(worker_of(ROOT, PROJECT), tmp_path)


def test_a_good_list_is_taken(tmp_path):
    (tmp_path / FILE).write_text(GOOD, "utf-8")
    assert b"write it" in refusing(worker_of(ROOT, PROJECT), tmp_path).folders.files[LIST]
