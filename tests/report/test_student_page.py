"""feedback.html: what a student should read, in which nothing that a student wrote can act."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.course.scoring import score_student
from autograder.gradebook.journal import Gradebook
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from autograder.report.message_pictures import seen_in
from autograder.report.own_code import OwnCode
from autograder.report.student_page import Background, student_page
from tests import paper_class

HOSTILE = (
    "</code></pre></script><script>alert(1)</script> ``` <img src=x onerror=alert(1)> "
    "![x](http://elsewhere.example/x.png) [x](javascript:alert(1)) $\\href{javascript:x}{y}$ "
    "{{ 7*7 }} {% raw %} &lt;b&gt; \x1b[31m \u202etxt \"' onload=alert(1) "
)
COURSE = paper_class.paper_course()
PLAN = [
    PlannedCheck("hidden/t.py::a", "week1.linear", "`dL_db` adds up over the batch"),
    PlannedCheck("hidden/t.py::b", "week1.linear", "forward keeps float32"),
    PlannedCheck("hidden/t.py::c", "week1.relu", "ReLU is 0 at 0"),
    PlannedCheck("hidden/t.py::d", "week1.tanh", "Tanh is stable"),
]


class Tags(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def demand_inert(page: str, scripts: int) -> None:
    """Fail for any element or attribute that could act, besides the page's own scripts."""
    tags = Tags()
    tags.feed(page)
    names = [tag for tag, _ in tags.found]
    assert names.count("script") == scripts
    assert not {"img", "iframe", "object", "embed", "form", "base", "link"} & {*names}
    for tag, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        target = attributes.get("href") or ""
        assert target.startswith(("#", "students/")) or not target, target
    assert "49" not in re.findall(r"\{\{.*?\}\}|49(?= \{% raw)", page), "a template was made of it"


def report(student: str = "ada", message: str = "", advice: str | None = None, **fields: object):
    results = [
        CheckResult(PLAN[0].id, Verdict.WRONG, message=message, misconception="m", advice=advice),
        CheckResult(PLAN[1].id, Verdict.PASS, FULL_CREDIT),
        CheckResult(PLAN[2].id, Verdict.PASS, FULL_CREDIT),
        CheckResult(PLAN[3].id, Verdict.INFRA, message="the worker of slot 3 was lost"),
    ]
    marks = [ManualMark(student, "week1.written_mse", 75, f"Good; {message}")]
    score = score_student(COURSE, student, PLAN, results, marks)
    return GradedReport(score, "bubblewrap", **fields)  # type: ignore[arg-type]


def test_what_a_student_wrote_is_shown_and_inert() -> None:
    page = student_page(
        report(
            HOSTILE,
            HOSTILE,
            notices=(HOSTILE,),
            refusals=(HOSTILE,),
            documents={"week1.written_mse": (HOSTILE,)},
        )
    )
    demand_inert(page, scripts=0)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "<math" not in page, "only advice has formulas"


def test_the_page_lets_nothing_run_and_nothing_be_fetched() -> None:
    page = student_page(report())
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"].startswith("'sha256-")
    assert "script-src" not in rules
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_advice_has_formulas_and_code() -> None:
    page = student_page(report(advice="Your gradient is $G B$, not `G @ B.T`."))
    assert "<math" in page
    assert "<code>G @ B.T</code>" in page
    assert "What probably happened" in page


def test_it_says_what_to_mend_and_folds_what_is_full() -> None:
    page = student_page(report(message="dL_db: got 2.5, expected 5."))
    top, rest = page.split("Core Implementations</h2>")
    assert 'href="#item-week1.linear">Linear</a>' in top
    assert "dL_db: got 2.5, expected 5." in top
    assert re.search(r'<details class="card item" id="item-week1.linear" open', rest)
    assert re.search(r"<details class=\"card folded\"><summary>All points: 1 item", rest)
    assert "adds up over the batch" in rest
    assert "keeps float32" not in page, "passed checks are only counted"
    assert "slot 3" not in page, "our own faults are not the student's to read"
    assert "Good; dL_db" in page, "the comment of whoever marked it"
    for check in PLAN:
        assert check.id not in page


@pytest.mark.parametrize(
    ("message", "words", "got"),
    [
        ("y: 3 of 12 entries differ; the largest difference is at [2, 0]: got 1, expected -2.5.",
         "3 of 12 entries are wrong", "1"),
        ("y: 9 of 9 entries are NaN (the first is at [0, 0]).", "9 of 9 entries are wrong", ""),
        ("y: expected shape (3,), got (1, 3).", "shape (1, 3) came, and (3,) is asked for", ""),
        ("loss: got 1e-05, expected 0.5. Yours is 0.00002 times that.", "", "1e-05"),
        ("loss: expected a number, got None.", "", ""),
        ("y: expected shape (3, 2, 2), got (1, 3).", "", ""),
        ("y: 900 of 12 entries differ", "", ""),
    ],
)  # fmt: skip
def test_numbers_of_a_message_are_pictures(message: str, words: str, got: str) -> None:
    seen = seen_in(message)
    assert (seen.words, seen.got) == (words, got)
    assert (seen.picture is not None) == bool(words)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small")
    paper_class.fill(out, 4)
    return out


def test_a_failure_shows_the_place_in_the_students_own_code(small: Path) -> None:
    with Gradebook.open(small / paper_class.BOOK) as book:
        one = gather(COURSE, book)[0]
        files = OwnCode(COURSE, book).of(one)
        wrong = CheckResult("c", Verdict.WRONG, message="dL_db: got 1, expected 2.")
        [first, *_] = files.excerpts("week1.relu", wrong)
        assert first.file == "neural_net.py"
        assert first.name.startswith("ReLU.")
        assert first.lines[0].lstrip().startswith("def ")
        own = paper_class.ROOT / "solutions" / COURSE.week(1).folder / "neural_net.py"
        lines = own.read_text("utf-8").split("\n")
        assert list(first.lines) == lines[first.first - 1 : first.first - 1 + len(first.lines)]
        line = next(n for n, text in enumerate(lines, 1) if "def backward" in text) + 1
        raised = CheckResult(
            *("c", Verdict.RAISED, 0),
            f"ValueError: no\n  neural_net.py:{line}, in backward:  {lines[line - 1].strip()}",
        )
        [place] = files.excerpts("week1.relu", raised)
        assert place.marked == {line}
        assert lines[line - 1] in place.lines
        elsewhere = CheckResult("c", Verdict.RAISED, 0, "ValueError\n  ../../etc/passwd.py:1:  x")
        assert all(not one.marked for one in files.excerpts("week1.relu", elsewhere))


def test_attempts_say_when_and_why_and_name_neither_tests_nor_people(small: Path) -> None:
    from autograder.report.publishing import publish

    with Gradebook.open(small / paper_class.BOOK) as book:
        publish(COURSE, book, gather(COURSE, book), "grade", small)
        student = book.students()[1]
        book.start_run("none", "digits", "", {})
        book.put_marks([ManualMark(student, "week1.written_mse", 50, "ok")])
        one = next(r for r in gather(COURSE, book) if r.score.student == student)
        background = Background.of(COURSE, book)
        attempts = background.attempts.of(one)
        assert [step.when == "now" for step in attempts] == [False, True]
        assert attempts[-1].points == one.score.final
        assert attempts[-1].why == ("mark",)
        assert attempts[-1].items == (COURSE.item("week1.written_mse").title,)
        page = student_page(one, background)
    told = page[page.index("How your points came about</h2>") :]
    assert "hidden" not in re.sub(r"Of hidden tests.*", "", told, flags=re.DOTALL)
