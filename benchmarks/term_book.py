"""A term under way: its folders, and the book of what every student should have."""

from __future__ import annotations

import csv
import io
import itertools
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from autograder.grading.class_run import grade_submissions
from benchmarks.term_course import (
    BONUS,
    FUNCTIONS,
    LATE_DAYS,
    MARK_POINTS,
    NOTES,
    WEEKS,
    Facts,
    Student,
    Work,
    days_late,
    id_of,
    kept,
    roster,
)

Files = Mapping[str, bytes]


@dataclass
class Book:
    """What should come of all that happened, in hundredths.

    `work` is what counts of each student's week, `marks` what a person gave for its notes. `given`,
    `added` and `excused` are what a person changed of an item, a week's id or "total". `corrected`
    are the (week, function) of which a wrong test was mended, and `waiting` are those whose results
    of a regrade that was stopped are still the ones of before.
    """

    everybody: list[Student]
    facts: Facts = field(default_factory=Facts)
    work: dict[tuple[Student, int], Work] = field(default_factory=dict)
    marks: dict[tuple[Student, int], int] = field(default_factory=dict)
    given: dict[tuple[Student, str], int] = field(default_factory=dict)
    added: dict[tuple[Student, str], int] = field(default_factory=dict)
    excused: set[tuple[Student, str]] = field(default_factory=set)
    corrected: set[tuple[int, int]] = field(default_factory=set)
    waiting: set[Student] = field(default_factory=set)

    def who(self, week: int) -> list[Student]:
        """Return who handed in a week, alone or in a group."""
        return [one for one in self.everybody if (one, week) in self.work]

    def items(self, student: Student, week: int) -> dict[str, int]:
        """Return what a student has of each item of a week before anything is lost for lateness."""
        work = self.work.get((student, week))
        found = {}
        for function in FUNCTIONS:
            is_wrong = (week, function) in self.facts.subtract or (
                student in self.waiting and (week, function) in self.corrected
            )
            wanted = (work.subtracts if is_wrong else work.adds) if work else ()
            most = self.facts.points_of(week, function)
            found[f"f{function}"] = self._changed(
                student, f"{id_of(week)}.f{function}", most if function in wanted else 0, most
            )
        mark = self.marks.get((student, week), 0)
        notes = f"{id_of(week)}.{NOTES}"
        return found | {NOTES: self._changed(student, notes, mark, MARK_POINTS)}

    def _changed(self, student: Student, item: str, points: int, most: int) -> int:
        """Return an item's points with what a person changed."""
        if (student, item) in self.excused or (student, item.partition(".")[0]) in self.excused:
            return 0
        points = self.given.get((student, item), points)
        return max(0, min(most, points + self.added.get((student, item), 0)))

    def due_to(self, student: Student) -> int:
        """Return the points that a student should have now, in hundredths.

        The late days are spent in the way that gives most: all ways are tried.
        """
        sums = {week: sum(self.items(student, week).values()) for week in WEEKS}
        late = {}
        for week in WEEKS:
            work = self.work.get((student, week))
            own = 24 * self.facts.extended.get((student, week), 0)
            excused = (student, id_of(week)) in self.excused
            late[week] = days_late(work.hours_late - own) if work and not excused else 0
        ways = itertools.product(*(range(late[week] + 1) for week in WEEKS))
        points = max(
            sum(
                kept(sums[week], late[week] - days) for week, days in zip(WEEKS, spent, strict=True)
            )
            for spent in ways
            if sum(spent) <= LATE_DAYS
        )
        return points + sum(self.added.get((student, each), 0) for each in ("total", *WEEK_IDS))

    def scaled(self, student: Student) -> int:
        """Return what another system gets: of its whole maximum, the share of the student's own.

        The own maximum is without what a person excused.
        """
        own = self.facts.most
        for week in WEEKS:
            most = {f"f{one}": self.facts.points_of(week, one) for one in FUNCTIONS}
            for item, points in (most | {NOTES: MARK_POINTS}).items():
                is_out = {(student, f"{id_of(week)}.{item}"), (student, id_of(week))} & self.excused
                own -= points if is_out and f"{id_of(week)}.{item}" != BONUS_ITEM else 0
        return (2 * self.due_to(student) * self.facts.most + own) // (2 * own)


BONUS_ITEM = f"{id_of(BONUS[0])}.f{BONUS[1]}"
WEEK_IDS = tuple(map(id_of, WEEKS))


@dataclass
class Term:
    """The folders of a term, its book, what the commands printed, and what is wrong."""

    place: Path
    book: Book
    said: io.StringIO = field(default_factory=io.StringIO)
    wrong: list[str] = field(default_factory=list)

    @property
    def everybody(self) -> list[Student]:
        """The students."""
        return self.book.everybody

    @property
    def root(self) -> Path:
        """The course's folder."""
        return self.place / "the course"

    @property
    def out(self) -> Path:
        """Where grades are written, all term long."""
        return self.place / "the grades"

    @property
    def roster(self) -> Path:
        """The file that says who is in the class."""
        return self.place / "the roster.csv"

    def begin(self) -> None:
        """Write the course and the roster."""
        self.book.facts.write(self.root)
        write_csv(self.roster, roster(self.everybody))

    def folder(self, name: str) -> Path:
        """Return a folder of submissions."""
        return self.place / "handed in" / name

    def hand_in(
        self,
        name: str,
        week: int,
        works: Mapping[Student, Work],
        files: Files,
        senders: Mapping[str, Work] | None = None,
    ) -> Path:
        """Write a folder of submissions with their times; enter the works into the book.

        `senders` are in whose name it was handed in; each student in their own, where it is None.
        """
        folder = self.folder(name)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        rows = [["student", "received", "commit", "week"]]
        own = {
            (one.id, one.alias, one.login)[place % 3]: work
            for place, (one, work) in enumerate(works.items())
        }
        for sender, work in (own if senders is None else senders).items():
            rows.append([sender, work.received(week).isoformat(), "", id_of(week)])
        self.book.work |= {(one, week): work for one, work in works.items()}
        write_csv(folder.with_name(f"{name}.times.csv"), rows)
        return folder

    def grade(self, folder: Path, week: int | None = None, manual: Path | None = None) -> None:
        """Grade a folder into the one OUT."""
        with redirect_stdout(self.said):
            grade_submissions(
                *(self.root, folder, self.out),
                week=week,
                jobs=os.cpu_count() or 1,
                manual=manual,
                handed_in=times_of(folder),
                roster=self.roster,
            )

    def demand(self, holds: bool, sentence: str) -> None:
        """Keep a sentence about what is not as it should be."""
        if not holds:
            self.wrong.append(sentence)

    def compare(self) -> int:
        """Compare everybody's points with the book; return how many are as computed."""
        rows = {row["student"]: row["final"] for row in read_csv(self.out / "gradebook.csv")}
        return self.same("gradebook.csv", rows)

    def same(
        self, where: str, got: Mapping[str, str], wanted: Callable[[Student], int] | None = None
    ) -> int:
        """Demand that everybody has their points somewhere, and nobody else any."""
        same = 0
        for student in self.everybody:
            points, due = got.get(student.id), (wanted or self.book.due_to)(student)
            agrees = points is not None and round(100 * float(points)) == due
            same += agrees
            self.demand(agrees, f"{where}: {student.id} has {points} and should have {due / 100:g}")
        others = sorted(got.keys() - {one.id for one in self.everybody})
        self.demand(not others, f"{where}: points of {', '.join(others)}, who are not in the class")
        return same


def times_of(folder: Path) -> Path:
    """Return the file that says when what lies in a folder was handed in."""
    return folder.with_name(f"{folder.name}.times.csv")


def zipped(files: Files) -> bytes:
    """Return a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of ours."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def write_csv(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write a file of ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
