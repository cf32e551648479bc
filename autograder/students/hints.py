"""`check --hint`: the hints for a task, one rung more whenever a student asks for it.

How many rungs were asked for is kept in a file of the student's own tree. It is no part of what is
handed in, git leaves it alone, and nothing else reads it.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from autograder.course import Course
from autograder.course.hints import read_hints
from autograder.errors import InputError
from autograder.text.files import write_text

TAKEN_FILE = ".hints.json"
"""The file in the root of the tree: task -> number of rungs that were asked for."""

WIDTH = 78

SYMBOLS = {
    "partial": "d",
    "cdot": "*",
    "odot": "*",
    "times": "x",
    "top": "T",
    "le": "<=",
    "ge": ">=",
    "ne": "!=",
    "approx": "~",
    "pm": "+-",
    "to": "->",
    "dots": "...",
    "ldots": "...",
    "varepsilon": "epsilon",
    "lVert": "|",
    "rVert": "|",
    "quad": " ",
    "qquad": " ",
    "left": "",
    "right": "",
    "text": "",
    "mathrm": "",
    "operatorname": "",
}
"""TeX's commands -> how they are written in code; the others lose their backslash alone."""

SCRIPT = re.compile(r"([_^])\{([^{}]*)\}")
FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
OVER = re.compile(r"\\(?!frac)([a-zA-Z]+)\{([^{}]*)\}")
COMMAND = re.compile(r"\\([a-zA-Z]+)( *)")


def run(root: Path, course: Course, week: str, task: str, *, more: bool = False) -> None:
    """Print the hints that a student has asked for, one more with `more`; the first one at least.

    `task` is an id such as "week1.linear"; without its week, that of the week called `week`. With a
    number behind it, as in "week1.linear:3", that rung is shown alone, and nothing is kept.
    Raises InputError for a task or a rung that is not there.
    """
    name, _, number = task.partition(":")
    named = [one for one in course.weeks if one.id == name.partition(".")[0]]
    its = named[0] if named else course.week_called(week)
    ladders = read_hints(root, its.folder)
    found = _task_called(name, its.id, ladders)
    rungs = ladders[found]
    if number:
        if not number.isdecimal() or not 0 < int(number) <= len(rungs):
            raise InputError(f"{found} has no hint {number}", f"Its hints are 1 to {len(rungs)}")
        shown = [int(number)]
    else:
        shown = list(range(1, _asked_for(root, found, len(rungs), more=more) + 1))
    for place in shown:
        print(f"{found}, hint {place} of {len(rungs)}")
        print(textwrap.indent(in_terminal(rungs[place - 1]), "  ") + "\n")
    print(_what_next(found, shown[-1], len(rungs)))


def _task_called(name: str, week: str, ladders: Iterable[str]) -> str:
    """Return the id of the task that `name` means: "linear" is week1.linear in week 1."""
    known = sorted(ladders)
    for id in (name, f"{week}.{name}"):
        if id in known:
            return id
    near = difflib.get_close_matches(f"{week}.{name.partition('.')[2] or name}", known, 3, 0.5)
    if not known:
        raise InputError(f"{week} has no hints", "Ask in the forum, or a teaching assistant")
    raise InputError(
        f"there are no hints for {name!r}", f"There are for {', '.join(near or known)}"
    )


def _asked_for(root: Path, task: str, most: int, *, more: bool) -> int:
    """Return how many rungs are shown now, and remember that."""
    path = root / TAKEN_FILE
    taken = _taken(path)
    count = min(max(taken.get(task, 0) + more, 1), most)
    if taken.get(task) != count:
        # In a tree that can't be written to, each hint is had by its number.
        with contextlib.suppress(OSError):
            write_text(path, json.dumps(taken | {task: count}, indent=1, sort_keys=True) + "\n")
    return count


def _taken(path: Path) -> dict[str, int]:
    """Return what the file holds; nothing of a file that is missing or was spoilt."""
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    counts = held.items() if isinstance(held, dict) else ()
    return {task: count for task, count in counts if type(count) is int}


def _what_next(task: str, last: int, most: int) -> str:
    """Return the line below the hints."""
    if last == most:
        return "That was the last hint. Hints cost nothing, and nobody sees that you asked."
    return f"Try it first. For one hint more: --hint {task} --more"


def in_terminal(text: str) -> str:
    """Return a hint as plain text of a terminal's width: formulas as code has them, blocks kept."""
    pieces = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    shown = []
    for piece in pieces:
        if piece.startswith("```"):
            lines = piece.splitlines()[1:-1]
            math = piece.startswith("```math")
            shown.append("\n".join(f"    {plain(line) if math else line}" for line in lines))
        else:
            shown += [_wrapped(part) for part in re.split(r"\n\s*\n", piece) if part.strip()]
    return "\n\n".join(shown)


def _wrapped(paragraph: str) -> str:
    """Return a paragraph in lines of a terminal's width; each item of a list begins its own."""
    text = re.sub(r"\$(.+?)\$", lambda match: plain(match[1]), paragraph, flags=re.DOTALL)
    text = text.replace("**", "") if "`" not in text else text
    items = re.split(r"\n(?=\s*(?:[-*]|\d+\.) )", text.strip())
    return "\n".join(textwrap.fill(" ".join(item.split()), WIDTH - 2) for item in items)


def plain(formula: str) -> str:
    """Return a formula in TeX as one writes it in code: $\\partial L/\\partial x$ is dL/dx."""
    text = formula
    while any(part.search(text) for part in (SCRIPT, FRACTION, OVER)):
        text = SCRIPT.sub(lambda match: match[1] + _operand(match[2]), text)
        text = OVER.sub(lambda match: _over(match[1], match[2]), text)
        text = FRACTION.sub(lambda match: f"{_operand(match[1])}/{_operand(match[2])}", text)
    text = COMMAND.sub(_word, text)
    text = re.sub(r"\\[,;:! ]", " ", text).replace("\\\\", ";")
    return " ".join(re.sub(r"[{}]", "", text).split())


def _word(match: re.Match[str]) -> str:
    """Return a command in words; one blank behind it stays, if it had one and is no prefix."""
    shown = SYMBOLS.get(match[1], match[1])
    return shown if match[1] == "partial" else shown + match[2][:1]


def _over(command: str, inner: str) -> str:
    """Return a command that stands over something, such as a root; text is itself."""
    return inner if SYMBOLS.get(command) == "" else f"{command}({inner})"


def _operand(text: str) -> str:
    """Return a part of a formula, in brackets where more than a name or a number stands in it."""
    inner = text.strip()
    one = re.fullmatch(r"\\?\w*(?:\\partial )?(?:\w|[_^])*", inner)
    return inner if one else f"({inner})"
