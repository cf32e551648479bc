"""A student's hand-in: one archive with a week's files, and a word on what is not done yet."""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import zipfile
from pathlib import Path

from autograder.course import Course, CourseError, Week, load
from autograder.notebooks.functions import notebook_module
from autograder.text.files import write_bytes

GAP = re.compile(r"""raise NotImplementedError\(\s*["']([a-z0-9_]+\.[a-z0-9_]+): fill in""")


def write_archive(course: Course, root: Path, week: int, out: Path) -> list[str]:
    """Write the archive `out` with the files of a week and return remarks for the student.

    Only the files that the week asks for go in, under the name of the week's folder. Remarks name
    files that are missing or are no Python, and tasks still open; they do not stop the hand-in.
    Raises FileNotFoundError if not one of the files is there.
    """
    asked = course.week(week)
    folder = root / "assignments" / asked.folder
    contents = {
        name: (folder / name).read_bytes() for name in asked.files if (folder / name).is_file()
    }
    if not contents:
        raise FileNotFoundError(f"{folder} holds none of the files of {asked.name}")
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
    modules = {name: contents[name] for name in week.sources if name in contents}
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


def main(arguments: list[str] | None = None) -> int:
    """Run as `python -m autograder.students.hand_in`; return 0 if the archive was written."""
    parser = argparse.ArgumentParser(
        prog="python -m autograder.students.hand_in", description=__doc__
    )
    parser.add_argument("--week", default="1", help="its number, or project")
    parser.add_argument("--out", type=Path, help="the archive (default: week<N>.zip)")
    options = parser.parse_args(arguments)
    root = Path(__file__).resolve().parents[2]
    try:
        course = load(root)
        week = course.week_called(options.week)
        out = options.out or root / f"{week.id}.zip"
        remarks = write_archive(course, root, week.number, out)
    except (CourseError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    for remark in remarks:
        print(f"note: {remark}")
    print(f"{out} is ready to hand in.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
