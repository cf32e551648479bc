"""What a submission uses that no task asks for: by its syntax trees, and while it runs."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from autograder.gradebook.flags import Flag
from autograder.grading.flags.complex_numbers import complex_numbers
from autograder.grading.flags.leading_out import leading_out
from autograder.grading.flags.watched import Watched
from autograder.grading.rules import (
    IMPORTERS,
    called,
    falls_under,
    nodes_of,
    stored_answers,
    uses_in,
)
from autograder.grading.stored_data import NOTICED_BYTES, NOTICED_VOLUME, Stored
from autograder.text.syntax import syntax_tree
from autograder.worker.modules import module_name

IMPORTS, HIDDEN_CODE, STORED = "watched-imports", "hidden-code", "stored-answers"
RUN_TIME = "run-time-conduct"
LEADS_OUT, COMPLEX = "leads-out", "complex-numbers"
ATTRIBUTE = "object.__getattr__"
"""Python's own event for `tb_frame` and the like."""

RUNNERS = ("exec", "eval", "compile", *IMPORTERS)
MOST_NUMBERS = 1_500
"""More numbers than any solution needs stand in one file: weights or answers, in small portions."""

WHY_LEADING = (
    "it leads from an object to what runs or tests it (it is nothing where the program only looks "
    "at itself, to print a name, say)"
)
WHY_COMPLEX = (
    "complex numbers, by which a gradient can be had without deriving it (it is nothing where no "
    "gradient comes from them)"
)

NATIVE = {b"\x7fELF": "machine code", b"f0VMR": "machine code as base64"}
SHOWN = 8


def source_flags(
    files: Mapping[str, bytes],
    watched: Sequence[Watched],
    given: Collection[str] = (),
    measured: Stored | None = None,
) -> list[Flag]:
    """Return what is to be looked at in the files.

    `given` are modules that students got, `measured` the data of all files together where known.

    A module of the submission's own is none of the watched ones, whatever its name.
    """
    trees = {name: syntax_tree(files[name]) for name in sorted(files) if name.endswith(".py")}
    own = {module_name(name).partition(".")[0] for name in (*files, *given)}
    names = {name for entry in watched for name in entry.names if name.partition(".")[0] not in own}
    used = _uses(trees, names)
    flags = []
    for entry in watched:
        places = [place for place in used if place[2] in entry.names]
        if places:
            flags.append(_flag(IMPORTS, f"{entry.why}: ", places))
    leading = [
        (name, line, said)
        for name, tree in trees.items()
        if tree
        for line, said in sorted(set(leading_out(tree)))
    ]
    if leading:
        flags.append(_flag(LEADS_OUT, f"{WHY_LEADING}: ", leading))
    imaginary = complex_numbers(trees)
    if imaginary:
        flags.append(_flag(COMPLEX, f"{WHY_COMPLEX}: ", imaginary))
    hidden = [
        (name, line, said)
        for name, tree in trees.items()
        if tree
        for line, said in sorted(_hidden_code(tree))
    ]
    if hidden:
        flags.append(_flag(HIDDEN_CODE, "code that can't be read here: ", hidden))
    stored = [*stored_answers(files), *_many_numbers(trees)]
    if measured is not None and measured.is_noticed:
        stored.insert(0, _measured(measured))
    if stored:
        flags.append(Flag(STORED, f"data in the source: {'; '.join(stored[:SHOWN])}"))
    return flags


def run_time_flags(
    notes: Mapping[tuple[str, str], str], watched: Sequence[Watched], known: Sequence[Flag]
) -> list[Flag]:
    """Return what is to be looked at in what channel.audit noted while the code ran.

    `known` are the flags of the source: what those say already isn't said again.
    """
    said = " ".join(flag.evidence for flag in known)
    if any(flag.rule == HIDDEN_CODE for flag in known):
        said += " exec"  # whatever it was called there
    found = []
    for (event, what), place in sorted(notes.items(), key=lambda note: note[1]):
        if event == "import":
            why = [e.why for e in watched for name in e.names if falls_under(what, name)]
            if why and what not in said:
                found.append((place, f"{place} imported {what} ({why[0]})"))
        elif event == ATTRIBUTE:
            if what not in said:
                found.append((place, f"{place} read the attribute {what} ({WHY_LEADING})"))
        elif event.rpartition(".")[2] not in said:
            found.append((place, f"{place} did {event} {what}".rstrip()))
    if not found:
        return []
    evidence = f"seen while the code ran: {'; '.join(text for _, text in found[:SHOWN])}"
    return [Flag(RUN_TIME, evidence, place=found[0][0])]


def _flag(rule: str, why: str, places: Sequence[tuple[str, int, str]]) -> Flag:
    shown = "; ".join(f"{file}, line {line}: {what}" for file, line, what in places[:SHOWN])
    more = f"; and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    file, line, _ = places[0]
    return Flag(rule, f"{why}{shown}{more}", place=f"{file}:{line}")


def _uses(
    trees: Mapping[str, ast.Module | None], names: Collection[str]
) -> list[tuple[str, int, str]]:
    found = [
        (file, line, rule)
        for file, tree in trees.items()
        if tree
        for line, rule in uses_in(tree, names, every_text=False)
    ]
    return sorted(found)


def _hidden_code(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield where code or a module comes from what isn't written down, or is no Python."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, said) for said in _suspicious_call(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            begin = node.value[:8]
            begin = begin.encode("latin-1", "replace") if isinstance(begin, str) else begin
            yield from ((node.lineno, NATIVE[s]) for s in NATIVE if begin.startswith(s))


def _suspicious_call(node: ast.Call) -> Iterator[str]:
    plain = isinstance(node.func, ast.Name) or called(node) in IMPORTERS
    computed = not node.args or not isinstance(node.args[0], ast.Constant)
    if plain and computed and called(node) in RUNNERS:
        yield f"{called(node)} of something that is computed"
    for keyword in node.keywords:
        harmless = isinstance(keyword.value, ast.Constant) and not keyword.value.value
        if keyword.arg == "allow_pickle" and not harmless:
            yield "allow_pickle: a file that runs code when it is read"


def _measured(stored: Stored) -> str:
    """Say how much data the files hold, and what the limits are."""
    return (
        f"all files together hold {stored.said()}, and {stored.volume:,} bytes when compressed "
        f"(looked at from {NOTICED_BYTES:,} and {NOTICED_VOLUME:,} on); it is nothing if it is no "
        f"data, but tables of the student's tests, say"
    )


def _many_numbers(trees: Mapping[str, ast.Module | None]) -> list[str]:
    counts: dict[str, int] = defaultdict(int)
    for file, tree in trees.items():
        for node in nodes_of(tree) if tree else ():
            counts[file] += isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return [f"{file}: {n:,} numbers" for file, n in counts.items() if n > MOST_NUMBERS]
