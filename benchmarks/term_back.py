"""Steps of a term in which its results go to Canvas, Moodle, by mail and into files, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from autograder.course import load
from autograder.gradebook.people import known_people
from autograder.integrations.gradebooks.lms_files import (
    export_canvas,
    export_moodle,
    export_section,
)
from autograder.integrations.graded_files import export_files
from autograder.integrations.handing_back.canvas_api import CanvasApi
from autograder.integrations.handing_back.canvas_comments import assignment_of, send_comments
from autograder.integrations.handing_back.canvas_zip import canvas_zip
from autograder.integrations.handing_back.letters import Letter, letters_of
from autograder.integrations.handing_back.mail_merge import TABLE, write_mail
from autograder.integrations.handing_back.moodle_zip import moodle_zip
from benchmarks.term_book import Term, read_csv, write_csv
from benchmarks.term_course import PROJECT, SECTIONS, Student, id_of, module_of
from tests.canvas import Canvas, comments_of_zip
from tests.canvas_server import ASSIGNMENT, COURSE, TOKEN, CanvasServer, serving
from tests.moodle import Worksheet, feedback_files

NAMES_SHOWN = 12


def to_canvas(term: Term) -> None:
    """Points to Canvas and back: an import changes what it should, and a second one nothing."""
    most = f"{term.book.facts.most / 100:g}"
    people = {one.number: (one.name, "", one.login) for one in term.everybody}
    canvas = Canvas(people, {9: ("Term", most)})
    ids = {one.login: one for one in term.everybody}
    exported, filled = term.place / "canvas.csv", term.place / "canvas filled.csv"
    for turn in (1, 2):
        rows = [["Student", "ID", "SIS Login ID", "Section", "Term (9)"]]
        rows.append(["    Points Possible", "", "", "", most])
        for one in term.everybody:
            score = canvas.scores.get((one.number, 9), "")
            rows.append([one.name, str(one.number), one.login, one.section, score])
        write_csv(exported, rows)
        export_canvas(term.root, term.out, exported, filled, "so-far", [("Term", "total")])
        changed = canvas.changes(filled.read_bytes())
        if turn == 1:
            got = {ids[login].id: grade for (login, _), grade in changed.items()}
            term.same("Canvas", got, term.book.scaled)
        else:
            term.demand(not changed, f"a second import into Canvas changes {len(changed)} grades")
        for (login, _), grade in changed.items():
            canvas.scores[ids[login].number, 9] = grade


def to_moodle(term: Term) -> None:
    """Points to Moodle's worksheet of the project and back; feedback by participants' numbers."""
    most = f"{term.book.facts.most / 100:g}"
    path, filled = term.place / "moodle.csv", term.place / "moodle filled.csv"
    ids = {one.participant(PROJECT): one.id for one in term.everybody}
    grades: dict[int, float | None] = dict.fromkeys(ids)
    for turn in (1, 2):
        head = ["Identifier", "Full name", "Email address", "Grade", "Maximum Grade"]
        rows = [[*head, "Last modified (grade)", "Feedback comments"]]
        for one in term.everybody:
            number, name = one.participant(PROJECT), f"{one.given} {one.family}"
            grade = grades[number]
            shown = "" if grade is None else f"{grade:.2f}"
            rows.append([f"Participant {number}", name, one.login, shown, most, "-", ""])
        write_csv(path, rows)
        export_moodle(term.root, term.out, path, filled, "so-far", "total", None, None)
        known = {number: (grade, None, "") for number, grade in grades.items()}
        sheet = Worksheet(float(most), known)
        new = {number: g for number, (g, _) in sheet.changes(filled.read_bytes()).items()}
        new = {number: grade for number, grade in new.items() if grade is not None}
        if turn == 1:
            got = {ids[number]: str(grade) for number, grade in new.items()}
            term.same("Moodle", got, term.book.scaled)
        else:
            term.demand(not new, f"a second import into Moodle changes {len(new)} grades")
        grades |= new
    content, _ = moodle_zip(load(term.root), _letters(term), path, None)
    files = feedback_files(content, set(ids))
    back = {ids[number]: each["feedback.md"] for number, each in files.items()}
    _demand_feedback(term, "Moodle's zip", back, term.everybody)


def feedback_to_canvas(term: Term, uploads: Mapping[int, tuple[int, str]]) -> None:
    """Feedback to Canvas: week 1's re-upload, then comments by the API, twice, throttled."""
    course = load(term.root)
    known = known_people(term.out, course.weeks)
    content, _ = canvas_zip(course, _letters(term), term.folder("week 1"), known)
    numbers = {one.number: one for one in term.everybody}
    comments = comments_of_zip(content, dict(uploads))
    back = {numbers[user].id: text for user, text in comments.items()}
    _demand_feedback(
        term, "Canvas's re-upload", back, {numbers[one] for one, _ in uploads.values()}
    )
    users = [
        {"id": one.number, "name": one.name, "sortable_name": one.name, "login_id": one.login}
        for one in term.everybody
    ]
    canvas = CanvasServer(users, page_size=10)
    canvas.trouble = dict.fromkeys((2, 11), (429, "429 Forbidden (Rate Limit Exceeded)"))
    with serving(canvas) as address:
        for _ in range(2):
            api, letters = CanvasApi(address, TOKEN), _letters(term)
            found = assignment_of(api, COURSE, ASSIGNMENT, letters)
            for outcome in send_comments(api, found, letters, dry_run=False):
                term.demand(not outcome.failed, f"Canvas: {outcome.student}: {outcome.failed}")
    twice = [user for user, each in canvas.comments.items() if len(each) != 1]
    term.demand(not twice, f"Canvas: more than one comment each for {twice}")
    texts = {numbers[user].id: each[0]["attached"] for user, each in canvas.comments.items()}
    back = {student: files["feedback.md"] for student, files in texts.items()}
    _demand_feedback(term, "Canvas's comments", back, term.everybody)


def to_mail(term: Term) -> None:
    """Feedback by mail: one address, one message each."""
    out = term.place / "the mail"
    write_mail(_letters(term), term.roster, out, "Your term")
    rows = read_csv(out / TABLE)
    logins = {one.login: one.id for one in term.everybody}
    odd = [row["student"] for row in rows if logins.get(row["email"]) != row["student"]]
    term.demand(not odd, f"a message to somebody else: {odd[:NAMES_SHOWN]}")
    back = {row["student"]: Path(row["attachment"]).read_bytes() for row in rows}
    _demand_feedback(term, "the mail", back, term.everybody)


def by_section(term: Term) -> None:
    """Each section's table: its own students, and together everybody."""
    rows: dict[str, str] = {}
    for section in SECTIONS:
        written = export_section(term.root, term.out, section.lower())
        table = read_csv(written[0])
        own = {row["student"]: row["final"] for row in table if row["section"] == section}
        wanted = {one.id for one in term.everybody if one.section == section}
        term.demand(own.keys() == wanted, f"section {section} has {sorted(own.keys() ^ wanted)}")
        rows |= own
    term.same("the sections", rows)


def files_as_graded(term: Term) -> None:
    """Every file as graded: what was handed in last of each week."""
    out = term.place / "the files"
    export_files(term.root, term.out, out)
    got = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.py")}
    wanted = {
        f"{student.id}/{id_of(week)}/{module_of(week)}": work.source(week)
        for (student, week), work in term.book.work.items()
    }
    odd = sorted(name for name in got.keys() | wanted if got.get(name) != wanted.get(name))
    term.demand(not odd, f"files that are not as graded: {odd[:NAMES_SHOWN]}")


def _letters(term: Term) -> dict[str, Letter]:
    return letters_of(load(term.root), term.out)


def _demand_feedback(
    term: Term, where: str, got: Mapping[str, bytes], whom: Collection[Student]
) -> None:
    """Demand that each of these got their own feedback as it stands in OUT, and nobody else any."""
    for student in whom:
        own = (term.out / "students" / student.id / "feedback.md").read_bytes()
        term.demand(got.get(student.id) == own, f"{where}: {student.id} did not get the feedback")
    others = sorted(got.keys() - {student.id for student in whom})
    term.demand(not others, f"{where}: feedback for {others[:NAMES_SHOWN]}")
