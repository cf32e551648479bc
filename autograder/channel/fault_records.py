"""The conversion of a worker's description of an exception to the Fault that ends a test."""

from __future__ import annotations

from typing import Any

from autograder.channel.faults import Fault
from autograder.channel.source_lines import Places
from autograder.records import Verdict
from autograder.text.display import clean


def fault_from_record(record: Any, place: Places) -> Fault:
    """Turn the worker's description of an exception into a Fault, cut and cleaned.

    `place(file, line)` returns the source line and its function from the examiner's copy of the
    files, or None if there is no such line; places that don't exist are left out.
    """
    if type(record) is not dict:
        return Fault(Verdict.VIOLATION, "A fault that isn't described as one.")
    kinds = {
        "raised": Verdict.RAISED,
        "not-attempted": Verdict.NOT_ATTEMPTED,
        "memory": Verdict.MEMORY,
        "processes": Verdict.VIOLATION,
    }
    verdict = kinds.get(str(record.get("kind")), Verdict.RAISED)
    name, text = clean(record.get("type"), 60), clean(record.get("text"))
    if verdict is Verdict.NOT_ATTEMPTED:
        return Fault(verdict, text, name)
    said = f"{name}: {text}" if text else name
    if verdict is Verdict.VIOLATION:
        said = "Your code started more processes or threads than it may."
    lines = []
    frames = record.get("frames")
    for frame in frames[:8] if type(frames) is list else []:
        if type(frame) is list and len(frame) == 2 and type(frame[0]) is str:
            file, number = frame
            found = place(file, number) if type(number) is int else None
            if found is not None:
                line, function = found
                where = f", in {clean(function, 60)}" if function else ""
                lines.append(f"  {file}:{number}{where}:  {clean(line.strip(), 100)}")
    return Fault(verdict, "\n".join([said, *lines]), name, place="\n".join(lines))
