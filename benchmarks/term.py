"""A term of 40 students played through: does everybody have the points that were computed apart.

Each step changes the class's folders, runs what an instructor would run, and says to its own book
what should come of it; after each, every student's points in gradebook.csv are compared with that
book. Another situation is another function in STEPS. Exit status 1 where anybody's points differ.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.course import load
from autograder.grading.class_run import grade_submissions
from autograder.integrations.gradebooks.lms_files import export_canvas, export_csv, export_moodle
from autograder.integrations.graded_files import export_files
from autograder.integrations.handing_back.canvas_api import CanvasApi
from autograder.integrations.handing_back.canvas_comments import assignment_of, send_comments
from autograder.integrations.handing_back.canvas_zip import canvas_zip
from autograder.integrations.handing_back.letters import Letter, letters_of
from autograder.integrations.handing_back.mail_merge import TABLE, write_mail
from autograder.integrations.handing_back.moodle_zip import moodle_zip
from benchmarks.term_course import ALL, MARK_POINTS, WEEKS, Facts, Student, Work, students
from tests.canvas import Canvas, comments_of_zip
from tests.canvas_server import ASSIGNMENT, COURSE, TOKEN, CanvasServer, serving
from tests.moodle import Worksheet, feedback_files

STUDENTS = 40
TINY = {"count": 6}
NOTES = b"# Notes\n\nWhat I derived.\n"
LINES_SHOWN = 12


@dataclass
class Term:
    """A term under way: its folders, and the book of what should come of it.

    `work` is what counts of each student's week, `marks` what a person gave, in hundredths. `said`
    is what the commands printed; `wrong` are sentences about what is not as it should be.
    """

    place: Path
    everybody: list[Student]
    facts: Facts = field(default_factory=Facts)
    work: dict[tuple[Student, int], Work] = field(default_factory=dict)
    marks: dict[tuple[Student, int], int] = field(default_factory=dict)
    said: io.StringIO = field(default_factory=io.StringIO)
    wrong: list[str] = field(default_factory=list)
    uploads: dict[int, dict[int, tuple[int, str]]] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The course's folder."""
        return self.place / "the course"

    @property
    def out(self) -> Path:
        """Where grades are written, all term long."""
        return self.place / "the grades"

    def folder(self, name: str) -> Path:
        """Return a folder of submissions."""
        return self.place / "handed in" / name

    def hand_in(self, name: str, week: int, works: dict[Student, Work]) -> Path:
        """Write submissions as Canvas hands them out, and enter them into the book."""
        folder = self.folder(name)
        folder.mkdir(parents=True)
        uploads = self.uploads.setdefault(week, {})
        for student, work in works.items():
            files = {f"part{week}.py": work.source(student, week), f"notes{week}.md": NOTES}
            for file, content in files.items():
                upload = 50_000 + 1_000 * week + len(uploads)
                uploads[upload] = (student.number, file)
                late = "_LATE" if work.hours_late > 0 else ""
                whole = f"{student.letters}{late}_{student.number}_{upload}_{file}"
                (folder / whole).write_bytes(content)
            self.work[student, week] = work
        return folder

    def grade(self, folder: Path, week: int | None = None, manual: Path | None = None) -> None:
        """Grade a folder into the one OUT."""
        times = folder.with_name(f"{folder.name}.times.csv")
        lines = ["student,received,commit,week"]
        for (student, number), work in self.work.items():
            lines.append(f"{student.id},{work.received(number).isoformat()},,{number}")
        times.write_text("\n".join(lines) + "\n", "utf-8")
        with redirect_stdout(self.said):
            grade_submissions(
                self.root,
                folder,
                self.out,
                week=week,
                jobs=os.cpu_count() or 1,
                manual=manual,
                handed_in=times,
                own_code=True,
            )

    def mark(self, name: str, week: int, marks: dict[Student, int]) -> Path:
        """Write a person's marks of a week's notes, and enter them into the book."""
        path = self.place / f"{name}.csv"
        lines = ["student,item,points,comment"]
        for student, points in marks.items():
            lines.append(f"{student.id},week{week}.notes,{points / 100:g},by {name}")
            self.marks[student, week] = points
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    def due_to(self, student: Student) -> int:
        """Return the points that a student should have now, in hundredths."""
        return sum(
            self.facts.due_to(week, work, self.marks.get((student, week), 0))
            for week in WEEKS
            if (work := self.work.get((student, week)))
        )

    def known(self) -> list[Student]:
        """Return the students of whom the grader can know: those with any work."""
        return [one for one in self.everybody if any((one, week) in self.work for week in WEEKS)]

    def demand(self, holds: bool, sentence: str) -> None:
        """Keep a sentence about what is not as it should be."""
        if not holds:
            self.wrong.append(sentence)

    def compare(self) -> int:
        """Compare everybody's points with the book; return how many are as computed."""
        with (self.out / "gradebook.csv").open(encoding="utf-8-sig", newline="") as stream:
            rows = {row["student"]: row["final"] for row in csv.DictReader(stream)}
        return self._same("gradebook.csv", rows, self.known())

    def _same(self, where: str, got: dict[str, str], whom: Iterable[Student]) -> int:
        same = 0
        for student in whom:
            points, due = got.get(student.id), self.due_to(student)
            agrees = points is not None and round(100 * float(points)) == due
            same += agrees
            self.demand(agrees, f"{where}: {student.id} has {points} and should have {due / 100:g}")
        return same


def week_1(term: Term) -> None:
    """Week 1: most hand in, some late, two nothing, one later."""
    works = _works(term.everybody[:-2], 1)
    term.grade(term.hand_in("week 1", 1, dict(list(works.items())[:-1])))


def one_late_student(term: Term) -> None:
    """One late student alone, graded into the same folder."""
    last = term.everybody[-3]
    term.grade(term.hand_in("one late", 1, {last: Work(ALL - {2}, hours_late=30)}))


def marks_by_two(term: Term) -> None:
    """Two people mark week 1's notes; the second corrects one mark of the first."""
    marked = [one for one in term.everybody if (one, 1) in term.work]
    half = len(marked) // 2
    first = {one: MARK_POINTS * (place % 3) // 2 for place, one in enumerate(marked[:half])}
    term.grade(term.folder("week 1"), manual=term.mark("grace", 1, first))
    second = dict.fromkeys(marked[half:], MARK_POINTS // 2) | {marked[0]: MARK_POINTS}
    term.grade(term.folder("week 1"), manual=term.mark("alan", 1, second))


def week_2(term: Term) -> None:
    """Week 2 in a folder of its own."""
    term.grade(term.hand_in("week 2", 2, _works(term.everybody[1:], 2)))


def week_1_again(term: Term) -> None:
    """Some hand in week 1 again, better and a day later."""
    again = {
        student: replace(term.work[student, 1], adds=ALL, subtracts=frozenset(), version=2)
        for student in term.everybody[1:-2:5]
    }
    late = {one: replace(work, hours_late=work.hours_late + 24) for one, work in again.items()}
    late = {one: work for one, work in late.items() if work.days_late <= 2}
    term.grade(term.hand_in("week 1 again", 1, late))


def regrade(term: Term) -> None:
    """A test of week 2 was wrong: it is corrected, and the week graded again."""
    term.facts.subtract.clear()
    term.facts.write(term.root)
    term.grade(term.folder("week 2"))


def other_points(term: Term) -> None:
    """A function of week 1 is worth more: nothing is graded again."""
    term.facts.points[1, 1] = 300
    term.facts.write(term.root)
    export_csv(term.root, term.out)


def week_3(term: Term) -> None:
    """Week 3, with marks in the same run."""
    folder = term.hand_in("week 3", 3, _works(term.everybody[:-1], 3))
    marks = dict.fromkeys(term.everybody[:-1:2], MARK_POINTS)
    term.grade(folder, manual=term.mark("grace again", 3, marks))


def to_canvas(term: Term) -> None:
    """Points to Canvas and back: an import changes what it should, and a second one nothing."""
    most = f"{term.facts.most / 100:g}"
    people = {one.number: (one.name, "", one.login) for one in term.everybody}
    canvas = Canvas(people, {9: ("Term", most)})
    exported, filled = term.place / "canvas.csv", term.place / "canvas filled.csv"
    for turn in (1, 2):
        rows = [["Student", "ID", "SIS Login ID", "Section", "Term (9)"]]
        rows.append(["    Points Possible", "", "", "", most])
        for one in term.everybody:
            rows.append(
                [one.name, str(one.number), one.login, "S", canvas.scores.get((one.number, 9), "")]
            )
        _write_csv(exported, rows)
        export_canvas(term.root, term.out, exported, filled, "so-far", [("Term", "total")])
        changed = canvas.changes(filled.read_bytes())
        numbers = {one.login: one for one in term.everybody}
        got = {numbers[login].id: grade for (login, _), grade in changed.items()}
        if turn == 1:
            term._same("Canvas", got, term.known())
        term.demand(turn == 1 or not got, f"a second import into Canvas changes {len(got)} grades")
        for (login, _), grade in changed.items():
            canvas.scores[numbers[login].number, 9] = grade


def to_moodle(term: Term) -> None:
    """Points to Moodle's grading worksheet, and the feedback by the participants' numbers."""
    most = f"{term.facts.most / 100:g}"
    path, filled = term.place / "moodle.csv", term.place / "moodle filled.csv"
    head = ["Identifier", "Full name", "ID number", "Grade", "Maximum Grade"]
    rows = [[*head, "Last modified (grade)", "Feedback comments"]]
    for one in term.everybody:
        participant = f"Participant {one.number + 7000}"
        rows.append([participant, one.name, one.id, "", most, "-", ""])
    _write_csv(path, rows)
    export_moodle(term.root, term.out, path, filled, "so-far", "total", None, None)
    sheet = Worksheet(float(most), {one.number + 7000: (None, None, "") for one in term.everybody})
    grades = sheet.changes(filled.read_bytes())
    ids = {one.number + 7000: one.id for one in term.everybody}
    got = {ids[number]: str(grade) for number, (grade, _) in grades.items() if grade is not None}
    term._same("Moodle", got, term.known())
    content, _ = moodle_zip(load(term.root), _letters(term), path, None)
    files = feedback_files(content, set(ids))
    back = {ids[number]: each["feedback.md"] for number, each in files.items()}
    _demand_feedback(term, "Moodle's zip", back, term.known())


def feedback_to_canvas(term: Term) -> None:
    """Feedback to Canvas: week 3's re-upload, then comments by the API, twice, throttled."""
    content, _ = canvas_zip(load(term.root), _letters(term), term.folder("week 3"))
    numbers = {one.number: one for one in term.everybody}
    comments = comments_of_zip(content, term.uploads[3])
    back = {numbers[user].id: text for user, text in comments.items()}
    whom = [one for one in term.everybody if (one, 3) in term.work]
    _demand_feedback(term, "Canvas's re-upload", back, whom)
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
    _demand_feedback(term, "Canvas's comments", back, term.known())


def to_mail(term: Term) -> None:
    """Feedback by mail: one address, one message each."""
    roster, out = term.place / "addresses.csv", term.place / "the mail"
    _write_csv(roster, [["id", "email"], *([one.id, one.login] for one in term.everybody)])
    write_mail(_letters(term), roster, out, "Your term")
    with (out / TABLE).open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    logins = {one.login: one.id for one in term.everybody}
    term.demand(
        all(logins[row["email"]] == row["student"] for row in rows), "a message to somebody else"
    )
    back = {row["student"]: Path(row["attachment"]).read_bytes() for row in rows}
    _demand_feedback(term, "the mail", back, term.known())


def files_as_graded(term: Term) -> None:
    """Every file as graded: what was handed in last of each week."""
    out = term.place / "the files"
    export_files(term.root, term.out, out)
    got = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.py")}
    wanted = {
        f"{student.id}/week{week}/part{week}.py": work.source(student, week)
        for (student, week), work in term.work.items()
    }
    odd = sorted(name for name in got.keys() | wanted if got.get(name) != wanted.get(name))
    term.demand(not odd, f"files that are not as graded: {odd[:LINES_SHOWN]}")


STEPS: tuple[Callable[[Term], None], ...] = (
    *(week_1, one_late_student, marks_by_two, week_2, week_1_again, regrade, other_points, week_3),
    *(to_canvas, to_moodle, feedback_to_canvas, to_mail, files_as_graded),
)


def _works(whom: Collection[Student], week: int) -> dict[Student, Work]:
    """Return work of all kinds, by turns: right, with a mistake, unfinished, late."""
    works = {}
    for place, student in enumerate(whom, start=week):
        function = 1 + place % 3
        kinds = (
            Work(ALL),
            Work(ALL - {function}, frozenset({function})),
            Work(ALL - {function}),
            Work(ALL, hours_late=3),
            Work(frozenset(), ALL),
            Work(ALL - {function}, frozenset({function}), hours_late=26),
            Work(frozenset({function})),
        )
        works[student] = kinds[place % len(kinds)]
    return works


def _letters(term: Term) -> dict[str, Letter]:
    return letters_of(load(term.root), term.out)


def _demand_feedback(
    term: Term, where: str, got: dict[str, bytes], whom: Collection[Student]
) -> None:
    """Demand that each of these got their own feedback as it stands in OUT, and nobody else any."""
    for student in whom:
        own = (term.out / "students" / student.id / "feedback.md").read_bytes()
        term.demand(got.get(student.id) == own, f"{where}: {student.id} did not get the feedback")
    others = sorted(got.keys() - {student.id for student in whom})
    term.demand(not others, f"{where}: feedback for {others[:LINES_SHOWN]}")


def _write_csv(path: Path, rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def main(count: int = STUDENTS) -> None:
    """Play the term and print each step. Raises SystemExit where anything is not as computed."""
    place = Path(tempfile.mkdtemp(prefix="a term "))
    try:
        term = Term(place, students(count))
        term.facts.write(term.root)
        print(f"A term of {count} students, three weeks: {len(STEPS)} steps")
        for step in STEPS:
            before = len(term.wrong)
            step(term)
            same, known = term.compare(), len(term.known())
            found = "" if len(term.wrong) == before else f"  {len(term.wrong) - before} WRONG"
            title = (step.__doc__ or step.__name__).partition("\n")[0]
            print(f"  {same:2} of {known:2} as computed{found}  {title}", flush=True)
        for sentence in term.wrong[:LINES_SHOWN]:
            print(f"  {sentence}")
        points = sum(map(term.due_to, term.everybody)) / 100
        print(f"{same} of {known} students have the points computed apart, {points:g} in all")
        if term.wrong:
            said = term.said.getvalue()[-1500:]
            sys.exit(f"{len(term.wrong)} things are not as they should be. Printed last:\n{said}")
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
