"""A student's hand-in: one archive with a week's files, and remarks on unfinished work."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from pathlib import Path

from autograder.course import Course, Week, load
from autograder.course.points import format_points
from autograder.errors import InputError
from autograder.notebooks.functions import notebook_module
from autograder.students.check import print_items
from autograder.students.public_run import (
    Facts,
    helpers_in,
    read_files,
    read_shipped,
    run_public,
)
from autograder.students.screen import Screen
from autograder.text.files import write_bytes

GAP = re.compile(r"""raise NotImplementedError\(\s*["']([a-z0-9_]+\.[a-z0-9_]+): fill in""")


class HandInError(InputError):
    """There is nothing to hand in; the message says where it was looked for."""


def write_archive(course: Course, root: Path, week: int, out: Path) -> list[str]:
    """Write the archive `out` with the files of a week and return remarks for the student.

    Only the files that the week asks for go in, and those that they import, under the name of the
    week's folder. Remarks name files that are missing or not valid Python, and open tasks; they
    don't prevent the hand-in.
    Raises HandInError if not one of the files is there.
    """
    asked = course.week(week)
    folder = root / "assignments" / asked.folder
    contents = {
        name: (folder / name).read_bytes() for name in asked.files if (folder / name).is_file()
    }
    if not contents:
        raise HandInError(f"{folder} holds none of the files of {asked.name}")
    contents |= helpers_in(folder, contents)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(f"{asked.folder}/{name}", data)
    write_bytes(out, buffer.getvalue())
    return _remarks(asked, contents)


def _remarks(week: Week, contents: dict[str, bytes]) -> list[str]:
    remarks = [
        f"{' or '.join(names)} is missing"
        for names in week.asked
        if contents.keys().isdisjoint(names)
    ]
    open_tasks: dict[str, None] = {}
    modules = {name: data for name, data in contents.items() if name.endswith(".py")}
    for notebook in week.notebooks:
        if notebook.file in contents:
            taken = notebook_module(contents[notebook.file], notebook)
            remarks += taken.notices
            modules[notebook.module] = taken.source.encode()
    for name, content in modules.items():
        try:
            ast.parse(content, name)
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            remarks.append(f"{name}{line} is not valid Python: {error}")
        text = content.decode("utf-8", errors="replace")
        open_tasks |= dict.fromkeys(GAP.findall(text))
    if open_tasks:
        remarks.append(f"not attempted yet: {', '.join(open_tasks)}")
    return remarks


def run(root: Path, name: str, out: Path | None = None, make: Facts | None = None) -> None:
    """Write the archive of the week called `name`, and print what the public tests say of it.

    `make` computes tests/diagnosis.json's content where that file does not exist.
    """
    course = load(root)
    week = course.week_called(name)
    archive = out or root / f"{week.id}.zip"
    remarks = write_archive(course, root, week.number, archive)
    screen = Screen()
    done = run_public(root, course, week, read_files(root, week), read_shipped(root, week, make))
    screen.line(f"What the public tests say of {archive.name}:", "bold")
    print_items(screen, done)
    points, most = sum(one.points for one in done.items), sum(o.item.points for o in done.items)
    screen.line(f"  {format_points(points)} of {format_points(most)} points, by these tests alone.")
    screen.line(done.hidden)
    screen.line()
    for remark in remarks:
        screen.line(f"note: {remark}", "yellow", hanging=6)
    screen.line(f"Hand in this file: {archive}", "bold")
