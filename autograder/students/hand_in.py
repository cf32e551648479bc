"""A student's hand-in: one archive with a week's files, and remarks on unfinished work."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from pathlib import Path

from autograder.course import Course, Week, load
from autograder.errors import InputError
from autograder.notebooks.functions import notebook_module
from autograder.students.public_run import helpers_in
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


def run(root: Path, name: str, out: Path | None = None) -> None:
    """Write the archive of the week called `name` and print what the student should know."""
    course = load(root)
    week = course.week_called(name)
    archive = out or root / f"{week.id}.zip"
    for remark in write_archive(course, root, week.number, archive):
        print(f"note: {remark}")
    print(f"{archive} is ready to hand in.")
