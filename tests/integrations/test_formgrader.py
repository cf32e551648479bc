"""The formgrader: what is shown is harmless, marks come back, and one person marks at a time.

One real server, driven over HTTP as its page does it.
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, Request, build_opener

import nbformat
import pytest

from autograder.course import load
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.intake.reading import read_class
from autograder.integrations.formgrader import nbgrader_course
from autograder.integrations.formgrader.marking import for_marking, inactive
from autograder.integrations.formgrader.marks import MarksError, read_marks
from autograder.notebooks.cells import Cell
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from tests.notebook_class import CASES, ROOT

COURSE = load(ROOT)
WEEK = COURSE.week(1)
(NOTEBOOK,) = WEEK.notebooks
ANSWERS = nbgrader_course.answers_of(COURSE, WEEK, NOTEBOOK)
EVIL = """**Your derivation** (`week1.written_relu`)

<script>document.title = 'taken'</script> <img src=x onerror="steal()"> <svg onload=steal()>
<iframe src="javascript:steal()"></iframe>

[click](javascript:steal()) ![spy](http://tracker.example/a.png) [later][1]

[1]: javascript:steal()

$\\href{javascript:steal()}{x}$, $a < b$ and $x <img src=y onerror=steal()> y$
"""


def write_class(folder: Path) -> Path:
    """Write four students: honest, hostile, one with a photograph, one with a broken file."""
    contents = {"ada": CASES["honest"].make(), "bob": CASES["empty-file"].make()}
    hostile = json.loads(contents["ada"])
    for cell in hostile["cells"]:
        if "`week1.written_relu`" in "".join(cell["source"]):
            cell["source"] = EVIL
    contents["eve"] = json.dumps(hostile).encode()
    for student, content in contents.items():
        (folder / student).mkdir(parents=True)
        (folder / student / "derivations.ipynb").write_bytes(content)
    (folder / "zoe").mkdir()
    (folder / "zoe" / "derivations.pdf").write_bytes(b"%PDF-1.4\\n%%EOF\\n")
    return folder


def record_grades(submissions: Path, out: Path) -> None:
    """Keep results as grading would: of ada and eve all tests passed, of the others none."""
    tested = [answer for answer in ANSWERS if answer.by_tests]
    plan = [PlannedCheck(f"t::{one.item}", one.item, f"About {one.item}") for one in tested]
    taken = read_class(submissions, [WEEK]).submissions[1]
    with Gradebook.open(out / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submissions(taken, 1)
        for one in taken:
            right = one.student in ("ada", "eve")
            verdict, credit = (Verdict.PASS, FULL_CREDIT) if right else (Verdict.RAISED, 0)
            results = [CheckResult(check.id, verdict, credit, "No function.") for check in plan]
            book.plan(GradingJob(one.student, one.student, 1, one.fingerprint, "bubblewrap"), plan)
            book.record(one.student, results, 0.0)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "autograder", *arguments]


@dataclass
class Formgrader:
    """A running formgrader and how its page talks to it."""

    process: subprocess.Popen[str]
    out: Path
    submissions: Path
    base: str
    token: str

    def __post_init__(self) -> None:
        self._cookies = CookieJar()
        self._open = build_opener(HTTPCookieProcessor(self._cookies)).open
        self.get(f"/formgrader/?token={self.token}")
        found = self.json("/formgrader/api/submitted_notebooks/week1/derivations")
        self.ids = {one["student"]: one["id"] for one in found}

    def get(self, path: str) -> str:
        with self._open(self.base + path, timeout=30) as answer:
            return answer.read().decode()

    def json(self, path: str) -> list[dict]:
        return json.loads(self.get(path))

    def put(self, path: str, content: dict) -> None:
        xsrf = next(cookie.value for cookie in self._cookies if cookie.name == "_xsrf")
        headers = {"Content-Type": "application/json", "X-XSRFToken": xsrf or ""}
        data = json.dumps(content).encode()
        with self._open(Request(self.base + path, data, headers, method="PUT"), timeout=30):
            pass

    def mark(self, student: str, item: str, points: float, comment: str) -> None:
        """Give a mark and a comment, as the page does."""
        cell = item.replace(".", "-")
        for kind, change in (
            ("grade", {"manual_score": points, "extra_credit": None}),
            ("comment", {"manual_comment": comment}),
        ):
            rows = self.json(f"/formgrader/api/{kind}s?submission_id={self.ids[student]}")
            (row,) = (row for row in rows if row["name"] == cell)
            self.put(f"/formgrader/api/{kind}/{row['id']}", change)


@pytest.fixture(scope="module")
def formgrader(tmp_path_factory) -> Iterator[Formgrader]:
    folder = tmp_path_factory.mktemp("formgrader")
    submissions, out = write_class(folder / "class"), folder / "grades"
    record_grades(submissions, out)
    with start(submissions, out) as process:
        said = ""
        assert process.stdout
        for line in process.stdout:
            said += line
            if address := re.search(r"(http://127\.0\.0\.1:\d+)/formgrader\?token=(\w+)", line):
                break
        else:
            pytest.fail(said)
        assert "week 1: 4 students' derivations" in said
        yield Formgrader(process, out, submissions, *address.groups())
        if process.poll() is None:
            process.kill()


def start(submissions: Path, out: Path) -> subprocess.Popen[str]:
    arguments = ["--submissions", str(submissions), "--out", str(out), "--week", "1"]
    return subprocess.Popen(
        command("formgrader", *arguments, "--port", "0", "--no-browser"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.prove
def test_everybody_waits_for_a_mark_with_what_the_tests_found(formgrader):
    rows = formgrader.json("/formgrader/api/submitted_notebooks/week1/derivations")
    found = {row["student"]: (row["code_score"], row["needs_manual_grade"]) for row in rows}
    assert found == {"ada": (8.0, True), "bob": (0.0, True), "eve": (8.0, True), "zoe": (0.0, True)}
    assert {row["max_score"] for row in rows} == {15.0}
    page = formgrader.get(f"/formgrader/submissions/{formgrader.ids['ada']}/")
    assert "Gradient of ReLU, as a function: 0.5 of 0.5 points" in page
    page = formgrader.get(f"/formgrader/submissions/{formgrader.ids['bob']}/")
    assert "derivations.ipynb can" in page
    assert "Nothing was handed in for this in the notebook." in page


@pytest.mark.prove
def test_a_file_beside_the_notebook_is_a_click_away(formgrader):
    path = f"/formgrader/submissions/{formgrader.ids['zoe']}/"
    assert 'href="derivations.pdf"' in formgrader.get(path)
    assert formgrader.get(path + "derivations.pdf").startswith("%PDF")


@pytest.mark.prove
def test_nothing_that_a_student_wrote_is_active_on_the_page(formgrader):
    page = formgrader.get(f"/formgrader/submissions/{formgrader.ids['eve']}/")
    assert "document.title" in page, "what was written is shown"
    clean = formgrader.get(f"/formgrader/submissions/{formgrader.ids['ada']}/")
    assert active(page) == active(clean)
    assert "\\href" not in page


def active(page: str) -> Counter[tuple[str, str]]:
    """Return what a browser acts upon by itself or at a click, apart from links to the web."""
    found: Counter[tuple[str, str]] = Counter()

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in ("script", "img", "svg", "iframe", "object", "embed", "form", "base", "link"):
                found[tag, ""] += 1
            for name, value in attrs:
                scheme = (value or "").strip().lower().partition(":")[0]
                if name.startswith("on") or scheme in ("javascript", "data", "vbscript"):
                    found[tag, f"{name}={value}"] += 1

    Parser().feed(page)
    return found


@pytest.mark.prove
def test_only_who_has_the_token_gets_in(formgrader):
    opener = build_opener()
    with opener.open(f"{formgrader.base}/formgrader/gradebook") as answer:
        assert "/login" in answer.geturl()


@pytest.mark.prove
def test_a_second_one_says_who_has_it(formgrader):
    with start(formgrader.submissions, formgrader.out) as second:
        said, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"is open already (process {formgrader.process.pid})" in said


@pytest.mark.prove
def test_marks_come_back_with_their_comments_when_it_ends(formgrader):
    formgrader.mark("ada", "week1.written_mse", 0.75, "Why N D? =1+1")
    formgrader.mark("ada", "week1.written_relu", 7, "More than there is")
    formgrader.process.send_signal(signal.SIGINT)
    said, _ = formgrader.process.communicate(timeout=60)
    assert formgrader.process.returncode == 0, said
    assert "2 marks taken over from the formgrader" in said
    assert "ada, week1.written_relu: 7 points were given, and 0.5 is all that it is worth" in said
    with (formgrader.out / "gradebook.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["ada"]["week1.written_mse"] == "0.75"
    assert rows["ada"]["week1.written_relu"] == "0.50", "not more than the item has"
    assert "week1.written_tanh" in rows["ada"]["pending"].split()
    feedback = (formgrader.out / "students/ada/feedback.md").read_text()
    assert "Why N D? =1+1" in feedback
    # What was taken over is no news: a mark from a file that came later stays.
    with Gradebook.open(formgrader.out / "gradebook.sqlite") as book:
        (mse,) = (m for m in book.marks("ada") if m.item == "week1.written_mse")
        manual = formgrader.out / "manual.csv"
        manual.write_text("student,item,points,comment\nada,week1.written_mse,0.5,once more\n")
        book.import_manual(manual, COURSE)
    assert (mse.points, mse.comment) == (75, "Why N D? =1+1")
    done = subprocess.run(
        command("formgrader", "--collect", "--out", str(formgrader.out)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "taken over" not in done.stdout
    with Gradebook.open(formgrader.out / "gradebook.sqlite") as book:
        assert 50 in [mark.points for mark in book.marks("ada")]


@pytest.mark.prove
def test_an_answer_that_changed_waits_again_and_other_marks_stay(formgrader):
    """After the server has ended; the class is prepared once more."""
    path = formgrader.submissions / "ada" / "derivations.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if "`week1.written_relu`" in "".join(cell["source"]):
            cell["source"] = "`week1.written_relu`: I have thought again."
    path.write_text(json.dumps(notebook))
    arguments = ["--submissions", str(formgrader.submissions), "--out", str(formgrader.out)]
    again = command("formgrader", *arguments, "--week", "1", "--no-serve")
    done = subprocess.run(again, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "4 students' derivations; 1 changed since they were shown last" in done.stdout

    def marks() -> dict[tuple[str, str], int]:
        given, _ = read_marks(formgrader.out, COURSE)
        return {(one.student, one.item): one.points for one in given}

    expected = {("ada", "week1.written_mse"): 50}
    assert marks() == expected, "the one of ReLU is asked for again"
    subprocess.run(again, cwd=ROOT, capture_output=True, check=True)
    assert marks() == expected, "and still is, when nobody has given it"
    (formgrader.submissions / "ada" / "derivations.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    subprocess.run(again, cwd=ROOT, capture_output=True, check=True)
    assert marks() == {}, "a photograph may be any of the answers"
    shown = formgrader.out / "nbgrader/autograded/ada/week1/derivations.jpg"
    assert shown.is_file()
    (formgrader.submissions / "ada" / "derivations.jpg").unlink()
    subprocess.run(again, cwd=ROOT, capture_output=True, check=True)
    assert not shown.exists(), "what was taken back is not shown any more"
    with Gradebook.open(formgrader.out / "gradebook.sqlite") as book:
        assert 50 in [mark.points for mark in book.marks("ada")], "until then the old mark counts"


@pytest.mark.prove
def test_a_class_without_grades_or_notebooks_is_a_clear_error(tmp_path, formgrader):
    empty = tmp_path / "class" / "ada"
    empty.mkdir(parents=True)
    (empty / "neural_net.py").write_text("x = 1\n")
    for out, says in (
        (tmp_path / "grades", "holds no grades yet; grade the class first"),
        (formgrader.out, "handed in anything of a week with a notebook"),
    ):
        arguments = ["--submissions", str(empty.parent), "--out", str(out), "--week", "2"]
        done = subprocess.run(
            command("formgrader", *arguments, "--no-serve"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_a_database_that_is_none_is_named(tmp_path):
    (tmp_path / "nbgrader").mkdir()
    (tmp_path / "nbgrader" / "gradebook.db").write_bytes(b"no database at all, but long enough")
    with pytest.raises(MarksError, match=r"gradebook\.db can't be read"):
        read_marks(tmp_path, COURSE)


@pytest.mark.prove
def test_nbgrader_makes_an_assignment_of_the_source_without_the_solution(tmp_path):
    nbgrader_course.write_config(tmp_path)
    nbgrader_course.write_source(COURSE, ROOT, WEEK, NOTEBOOK, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "week1", "--create"],
        cwd=tmp_path,
        env=os.environ
        | {
            "JUPYTER_CONFIG_DIR": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = nbformat.read(tmp_path / "release/week1/derivations.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in made.cells)
    assert "SOLUTION" not in text
    assert "dL_dy.T @ x" not in text
    assert r"\delta_{nk} W_{md}" not in text
    assert text.count("raise NotImplementedError()") == len(NOTEBOOK.functions)
    assert text.count("YOUR ANSWER HERE") == 6
    ids = {c.metadata.nbgrader.grade_id for c in made.cells if "nbgrader" in c.metadata}
    assert ids == {answer.item.replace(".", "-") for answer in ANSWERS}


# What is shown


def shown(name: str) -> nbformat.NotebookNode:
    return for_marking(CASES[name].make(), NOTEBOOK, ANSWERS, {})


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, case in CASES.items()
        if case.file and case.file.endswith(".ipynb") and name != "bomb"  # costs seconds
    ],
)
def test_each_answer_is_there_once_whatever_was_handed_in(name):
    made = shown(name)
    ids = [cell.metadata.nbgrader.grade_id for cell in made.cells if "nbgrader" in cell.metadata]
    assert sorted(ids) == sorted(answer.item.replace(".", "-") for answer in ANSWERS)
    assert not any(cell.get("outputs") for cell in made.cells)
    assert len(nbformat.writes(made)) < 200_000


def test_of_a_copied_cell_the_one_that_is_tested_is_marked():
    made = shown("cell-copied")
    (cell,) = (
        cell
        for cell in made.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "week1-derive_sigmoid"
    )
    assert "(1 - y)" in cell.source


def test_written_cells_without_metadata_are_found_by_what_stands_in_them():
    made = shown("without-metadata")
    (cell,) = (
        cell
        for cell in made.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "week1-written_tanh"
    )
    assert "quotient rule" in cell.source


def test_what_mathjax_would_make_active_is_text():
    text = r"$\mmlToken{mi}[href='javascript:steal()']{x} \bbox[background:url(//a.b/c)]{y}$"
    shown = inactive(text + " see http://tracker.example/a and www.tracker.example")
    assert "mmlToken{" not in shown.replace("mathtt{mmlToken}", "")
    assert "bbox[" not in shown.replace("mathtt{bbox}", "")
    assert "://" + "tracker" not in shown
    assert "www.tracker" not in shown


def test_formulas_survive_what_makes_text_harmless():
    text = r"For $a < b$ and $$\begin{matrix} 1 & 2 \\ 3 & 4 \end{matrix}$$ see *this* `code`."
    assert inactive(text) == text.replace("<", r"\lt ")
    assert isinstance(Cell(1, "code", "").source, str)
