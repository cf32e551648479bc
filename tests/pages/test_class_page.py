"""OUT/index.html: all of the class is in it, it is inert but for its own script, and small."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from autograder.gradebook.journal import Gradebook
from autograder.pages.rendering import policy, rendered
from autograder.report.class_files import write_class
from autograder.report.class_page_file import PAGE, write_class_page
from autograder.report.gather import gather
from autograder.report.item_statistics import who_has_what
from autograder.report.publishing import publish
from tests import paper_class
from tests.report.test_student_page import HOSTILE, demand_inert

MB = 1_000_000


def written(out: Path, students: int | list[str], seed: int = 0) -> str:
    """Write a class's page twice, so that something changed, and return it."""
    course = paper_class.fill(out, students, seed)
    with Gradebook.open(out / paper_class.BOOK) as book:
        publish(course, book, gather(course, book), "grade", out)
        book.start_run("none", "digits", "", {})
        first = book.students()[0]
        marks = [paper_class.ManualMark(first, "week1.written_mse", 1, "late")]
        book.put_marks(marks)
        reports = gather(course, book)
        published = publish(course, book, reports, "grade", out)
        write_class_page(course, book, reports, out, published, "grade")
    return (out / PAGE).read_text("utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("class"), 30)


def test_every_student_leads_to_a_page(page: str) -> None:
    for name in paper_class.ids(30):
        assert f'<a href="students/{name}/feedback.html">{name}</a>' in page


def test_every_part_is_there_and_named_once(page: str) -> None:
    anchors = re.findall(r'<a href="#([\w-]+)" data-at=', page)
    ids = re.findall(r'\bid="([\w-]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(anchors) <= set(ids)
    for words in ("Failures that nothing explains", "no accusation", "By section", "What changed"):
        assert words in page


def test_all_misconceptions_with_all_who_have_them(tmp_path: Path) -> None:
    text = written(tmp_path, 12, seed=5)
    course = paper_class.paper_course()
    with Gradebook.open(tmp_path / paper_class.BOOK) as book:
        found = who_has_what(gather(course, book))
    part = text[text.index('<table id="misconceptions">') : text.index('id="unexplained-part"')]
    rows = re.findall(r"<tr data-who.*?</tr>", part, re.DOTALL)
    assert len(rows) == len(found) > 10
    for row, one in zip(rows, found, strict=True):
        assert f"{one.id}: {', '.join(one.items)}" in row
        assert re.findall(r"<a[^>]*>([^<]*)</a>", row) == list(one.students)


def test_what_changed_is_said_with_its_cause(page: str) -> None:
    part = page[page.index('id="changes-part"') :]
    assert "points of 1 students changed" in part or "points of 1 student changed" in part
    assert "mark: given" in part
    assert part.count("<tr data-who>") == 1


def test_names_that_act_are_shown_and_inert(tmp_path: Path) -> None:
    bad = HOSTILE.replace("/", "\N{DIVISION SLASH}").replace("\x1b", "").strip()[:180]
    text = written(tmp_path, [bad, "javascript:alert(1)", "x' onclick='1", *paper_class.ids(2)])
    demand_inert(text, scripts=1)
    assert "&lt;script&gt;" in text
    assert 'href="students/javascript%3Aalert%281%29/feedback.html"' in text


def test_the_policy_names_the_pages_own_script_and_style_alone(page: str) -> None:
    [said] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert said.replace("&#39;", "'") == policy(style, script)
    assert "unsafe" not in said
    assert not re.findall(r"https?://(?!www\.w3\.org)", page)


def test_a_template_that_names_what_is_not_there_fails() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        rendered("student.html", ("base.css",), filters={"signed_points": str})


def test_a_page_is_written_whole_or_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written(tmp_path, 3)

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr("os.replace", fails)
    course = paper_class.paper_course()
    with Gradebook.open(tmp_path / paper_class.BOOK) as book:
        reports = gather(course, book)
        with pytest.raises(OSError, match="full"):
            write_class_page(course, book, reports, tmp_path, None, "grade")
    assert (tmp_path / PAGE).read_text("utf-8") == before
    assert not list(tmp_path.glob(".index.html*"))


def test_a_class_of_1000_would_be_small(tmp_path: Path) -> None:
    """They are measured by `python -m benchmarks pages`: what grows is a student's row."""
    small, large = (len(written(tmp_path / str(n), n).encode()) for n in (20, 50))
    each = (large - small) / 30
    assert large + 950 * each < 5 * MB


def test_students_pages_of_a_hostile_class_are_inert(tmp_path: Path) -> None:
    name = "x' onclick='1 <b>"
    course = paper_class.fill(tmp_path, [name])
    with Gradebook.open(tmp_path / paper_class.BOOK) as book:
        write_class(course, gather(course, book), tmp_path, book)
    text = (tmp_path / "students" / name / "feedback.html").read_text("utf-8")
    demand_inert(text, scripts=0)
    assert 'class="code"' in text
