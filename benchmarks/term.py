"""A term of 40 students played through: does everybody have the points that were computed apart.

Each step changes the class's folders, runs what an instructor would run, and says to its own book
what should come of it; after each, every student's points in gradebook.csv are compared with that
book. Another situation is another function in STEPS. Exit status 1 where anybody's points differ.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from autograder.course import load
from autograder.gradebook.journal import SUITE, Gradebook
from autograder.gradebook.override_lines import Line
from autograder.integrations.gradebooks.lms_files import export_csv
from autograder.report.overriding import override
from benchmarks.term_back import (
    by_section,
    feedback_to_canvas,
    files_as_graded,
    to_canvas,
    to_mail,
    to_moodle,
)
from benchmarks.term_book import Book, Files, Term, read_csv, times_of, write_csv, zipped
from benchmarks.term_course import (
    ALL,
    MARK_POINTS,
    NOTES,
    PROJECT,
    Student,
    Work,
    id_of,
    students,
)
from benchmarks.term_killed import killed_after

STUDENTS = 40
TINY = {"count": 8, "kills": 2}
KILLS = 10
"""A regrade is killed at every so-manieth part of the class."""
LINES_SHOWN = 12


def week_1(term: Term) -> None:
    """Week 1 by Canvas: most hand in, some late; one comes later, and two do nothing."""
    works = dict(list(_works(term.everybody[:-2], 1).items())[:-1])
    term.grade(term.hand_in("week 1", 1, works, _canvas_files(works, 1)))


def one_late_student(term: Term) -> None:
    """One late student alone, graded into the same folder."""
    works = {(last := term.everybody[-3]): Work(last.id, ALL - {2}, hours_late=30)}
    term.grade(
        term.hand_in("one late", 1, works, {f"{last.alias}/part1.py": works[last].source(1)})
    )


def marks_by_two(term: Term) -> None:
    """Two people fill in copies of by_hand.csv, one in a spreadsheet; the later one corrects."""
    marked = [one for one in term.book.who(1) if term.book.work[one, 1].notes]
    half = len(marked) // 2
    first = {one: MARK_POINTS * (place % 3) // 2 for place, one in enumerate(marked[:half])}
    second = dict.fromkeys(marked[half:], MARK_POINTS // 2) | {marked[0]: MARK_POINTS}
    files = [
        _filled_in(term, "grace", 1, first),
        _filled_in(term, "alan", 1, second, spreadsheet=True),
    ]
    for name, marks, file in zip(("grace", "alan"), (first, second), files, strict=True):
        with _author(name):
            term.grade(term.folder("week 1"), manual=file)
        term.book.marks |= {(one, 1): points for one, points in marks.items()}
    with Gradebook.read(term.out / "gradebook.sqlite") as book:
        kept = [one for each in term.everybody for one in book.kept_marks(each.id)]
    term.demand({one.author for one in kept} == {"grace", "alan"}, "marks without their author")


def by_hand_goes_round(term: Term) -> None:
    """by_hand.csv is handed back as it was written: that changes nothing."""
    shutil.copy(term.out / "by_hand.csv", term.place / "as it is.csv")
    term.grade(term.folder("week 1"), manual=term.place / "as it is.csv")
    changed = read_csv(term.out / "changes.csv")
    term.demand(not changed, f"{len(changed)} changes by a by_hand.csv that was not filled in")


def week_2(term: Term) -> None:
    """Week 2 by Moodle, where namesakes are told apart by the roster's numbers alone."""
    works = _works(term.everybody[1:], 2)
    files = {
        f"{one.given} {one.family}_{one.participant(2)}_assignsubmission_file_/{name}": content
        for one, work in works.items()
        for name, content in work.files(2).items()
    }
    term.grade(term.hand_in("week 2", 2, works, files))


def extensions(term: Term) -> None:
    """Two who were late get an extension afterwards: nothing is graded again."""
    late = [one for one in term.book.who(2) if term.book.work[one, 2].hours_late > 0]
    term.book.facts.extended = {(late[0], 2): 1, (late[-1], 2): 2}
    term.book.facts.write(term.root)
    export_csv(term.root, term.out)


def week_1_again(term: Term) -> None:
    """Some hand in week 1 again, better and a day later: their notes are to be marked again."""
    again = {}
    for student in term.everybody[1:-3:5]:
        work = term.book.work[student, 1]
        again[student] = replace(
            work, adds=ALL, subtracts=frozenset(), version=2, hours_late=work.hours_late + 24
        )
    term.grade(term.hand_in("week 1 again", 1, again, _canvas_files(again, 1, start=500)))
    blank = {row["student"] for row in read_csv(term.out / "by_hand.csv") if not row["points"]}
    wanted = {one.id for one, work in again.items() if work.notes}
    term.demand(wanted <= blank, f"not asked for again: {sorted(wanted - blank)}")
    marks = dict.fromkeys((one for one in again if again[one].notes), MARK_POINTS)
    term.grade(term.folder("week 1 again"), manual=_filled_in(term, "grace", 1, marks))
    term.book.marks |= {(one, 1): points for one, points in marks.items()}


def killed_regrade(term: Term, kills: int) -> None:
    """A test of week 2 was wrong; the regrade is killed at every 10 % of the class, and goes on."""
    book, folder = term.book, term.folder("week 2")
    book.corrected, book.facts.subtract = book.facts.subtract, set()
    book.facts.write(term.root)
    book.waiting = set(book.who(2))
    count, before = len(book.waiting), 0
    for kill in range(kills):
        until = count * kill // kills
        paths = (term.root, folder, term.out, times_of(folder))
        keys = killed_after(*paths, 2, until - before)
        term.demand(len(keys) == until - before, f"{len(keys)} recorded of {until - before}")
        with Gradebook.read(term.out / "gradebook.sqlite") as journal:
            owners = {job.key: job.student for job in journal.jobs(2, SUITE)}
        book.waiting = {one for one in book.waiting if one.id not in {owners[key] for key in keys}}
        export_csv(term.root, term.out)
        same, before = term.compare(), until
        print(f"    killed after {until:2} of {count}: {same} of {len(term.everybody)} as computed")
    term.grade(folder)
    book.waiting = set()


def other_points(term: Term) -> None:
    """A function of week 1 is worth more: nothing is graded again."""
    term.book.facts.points[1, 1] = 300
    term.book.facts.write(term.root)
    export_csv(term.root, term.out)


def overrides(term: Term) -> None:
    """Points are changed by a person: up, down, on top, excused, in total, and taken back."""
    one, two, three, four, five, six, seven = term.everybody[:7]
    book = term.book
    _override(term, one, "week1.f1", "1.5")
    _override(term, two, "week2.f2", "2")
    _override(term, three, f"week2.{NOTES}", "+0.5")
    book.given |= {(one, "week1.f1"): 150, (two, "week2.f2"): 200}
    book.added[three, f"week2.{NOTES}"] = 50
    _override(term, seven, "week1.f1", "0")
    _override(term, seven, "week1.f1", "undo")
    lines = [
        ["student", "item", "points", "reason", "author"],
        [four.id, "week2.f1", "excused", "ill", "ruth"],
        [five.alias, "week1", "excused", "ill", "ruth"],
        [six.id, "total", "add 3", "helped others", "ruth"],
        [six.id, "week2", "take 1", "handed in on paper", "ruth"],
    ]
    file = term.place / "overrides.csv"
    file.write_text("".join(";".join(line) + "\n" for line in lines), "utf-16")
    for _ in range(2):  # a file that was taken already changes nothing
        list(override(load(term.root), term.out, "ruth", file=file))
    book.excused |= {(four, "week2.f1"), (five, "week1")}
    book.added |= {(six, "total"): 300, (six, "week2"): -100}


def week_3(term: Term) -> None:
    """Week 3 in folders of sections, by aliases and as archives, with marks in the same run."""
    works = _works(term.everybody[:-1], 3)
    files: dict[str, bytes] = {}
    for place, (one, work) in enumerate(works.items()):
        if place % 3:
            files[f"Section {one.section}/{one.alias}.zip"] = zipped(work.files(3))
        else:
            own = work.files(3).items()
            files |= {f"Section {one.section}/{one.id}/{name}": content for name, content in own}
    marks = {one: MARK_POINTS for one in term.everybody[:-1:2] if works[one].notes}
    rows = [["student", "item", "points"]]
    rows += [[one.alias, f"week3.{NOTES}", "1"] for one in marks]
    write_csv(term.place / "marks.csv", rows)
    term.grade(term.hand_in("week 3", 3, works, files), manual=term.place / "marks.csv")
    term.book.marks |= {(one, 3): points for one, points in marks.items()}


def project(term: Term) -> None:
    """The project with extra credit: groups hand in once, under their name or one member's."""
    teams: dict[str, list[Student]] = {}
    for one in term.everybody:
        teams.setdefault(one.team or one.id, []).append(one)
    works: dict[Student, Work] = {}
    senders: dict[str, Work] = {}
    files: dict[str, bytes] = {}
    kinds = _works([each[0] for each in teams.values()], PROJECT)
    for place, (team, members) in enumerate(teams.items()):
        work = replace(kinds[members[0]], by=team)
        sender = team if place % 2 else members[-1].id
        senders[sender] = work
        works |= dict.fromkeys(members, work)
        own = work.files(PROJECT).items()
        files |= {f"{sender}/{name}": content for name, content in own}
    term.grade(term.hand_in("project", PROJECT, works, files, senders))


def marks_of_the_project(term: Term) -> None:
    """The project's notes are marked: each member of a group has a mark of their own."""
    marked = [one for one in term.book.who(PROJECT) if term.book.work[one, PROJECT].notes]
    marks = {one: MARK_POINTS * (place % 3) // 2 for place, one in enumerate(marked)}
    term.grade(term.folder("project"), manual=_filled_in(term, "alan", PROJECT, marks))
    term.book.marks |= {(one, PROJECT): points for one, points in marks.items()}


def steps(kills: int, uploads: dict[int, tuple[int, str]]) -> list[Callable[[Term], None]]:
    """Return the term's steps in their order. `uploads` are what Canvas has of week 1."""
    return [
        *(week_1, one_late_student, marks_by_two, by_hand_goes_round, week_2, extensions),
        *(week_1_again, _titled(killed_regrade, kills=kills), other_points, overrides, week_3),
        *(project, marks_of_the_project, to_canvas, to_moodle),
        *(_titled(feedback_to_canvas, uploads=uploads), to_mail, by_section, files_as_graded),
    ]


def _titled(step: Callable[..., None], **settings: object) -> Callable[[Term], None]:
    """Return a step with its settings, under its own title."""
    whole = partial(step, **settings)
    whole.__doc__ = step.__doc__
    return whole


def _works(whom: Collection[Student], week: int) -> dict[Student, Work]:
    """Return work of all kinds, by turns: right, wrong, unfinished, late, without notes."""
    works = {}
    for place, student in enumerate(whom, start=week):
        function = 1 + place % 3
        kinds = (
            Work(student.id, ALL),
            Work(student.id, ALL - {function}, frozenset({function})),
            Work(student.id, ALL - {function}, notes=False),
            Work(student.id, ALL, hours_late=3),
            Work(student.id, frozenset(), ALL),
            Work(student.id, ALL - {function}, frozenset({function}), hours_late=26),
            Work(student.id, frozenset({function}), hours_late=50),
        )
        works[student] = kinds[place % len(kinds)]
    return works


def _uploads(works: Collection[Student], start: int = 0) -> Iterator[tuple[Student, str, int]]:
    """Yield Canvas's uploads of week 1: whose, the file's name, and its number."""
    for place, student in enumerate(works):
        for offset, name in enumerate(("part1.py", "notes_week1.md")):
            yield student, name, 50_000 + start + 2 * place + offset


def _canvas_files(works: dict[Student, Work], week: int, start: int = 0) -> Files:
    """Return files as Canvas hands them out."""
    found = {}
    for one, name, upload in _uploads(works, start):
        late = "_LATE" if works[one].hours_late > 0 else ""
        if content := works[one].files(week).get(name):
            found[f"{one.letters}{late}_{one.number}_{upload}_{name}"] = content
    return found


def _filled_in(
    term: Term, name: str, week: int, marks: dict[Student, int], spreadsheet: bool = False
) -> Path:
    """Fill marks of a week's notes into a copy of OUT/by_hand.csv, as a person does."""
    rows = read_csv(term.out / "by_hand.csv")
    points = {one.id: mark for one, mark in marks.items()}
    for row in rows:
        if row["item"] == f"{id_of(week)}.{NOTES}" and row["student"] in points:
            row["points"] = f"{points[row['student']] / 100:g}"
            row["comment"] = f"by {name}"
    path = term.place / f"by_hand of {name}.csv"
    write_csv(path, [rows[0].keys(), *(row.values() for row in rows)])
    if spreadsheet:
        for row in rows:
            row["points"] = row["points"].replace(".", ",")
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        text = "".join(";".join(line) + "\r\n" for line in lines)
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    return path


def _override(term: Term, student: Student, target: str, says: str) -> None:
    """Change something as `autograder override` does."""
    line = Line(student.login, target, says, "looked at again", "ruth")
    list(override(load(term.root), term.out, "ruth", line=line))


@contextmanager
def _author(name: str) -> Iterator[None]:
    """Let commands be somebody's."""
    os.environ["AUTOGRADER_AUTHOR"] = name
    try:
        yield
    finally:
        del os.environ["AUTOGRADER_AUTHOR"]


def main(count: int = STUDENTS, kills: int = KILLS) -> None:
    """Play the term and print each step. Raises SystemExit where anything is not as computed."""
    place = Path(tempfile.mkdtemp(prefix="a term "))
    try:
        term = Term(place, Book(students(count)))
        term.begin()
        first = list(_uploads(term.everybody[:-3]))
        uploads = {number: (one.number, name) for one, name, number in first}
        played = steps(kills, uploads)
        print(f"A term of {count} students, three weeks and a project: {len(played)} steps")
        for step in played:
            before = len(term.wrong)
            step(term)
            same = term.compare()
            found = "" if len(term.wrong) == before else f"  {len(term.wrong) - before} WRONG"
            title = (step.__doc__ or "").partition("\n")[0]
            print(f"  {same:2} of {count:2} as computed{found}  {title}", flush=True)
        for sentence in term.wrong[:LINES_SHOWN]:
            print(f"  {sentence}")
        points = sum(map(term.book.due_to, term.everybody)) / 100
        print(f"{same} of {count} students have the points computed apart, {points:g} in all")
        if term.wrong:
            said = term.said.getvalue()[-1500:]
            sys.exit(f"{len(term.wrong)} things are not as they should be. Printed last:\n{said}")
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
