"""Taking overrides over into a gradebook, and writing anew the reports that they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.gradebook.override_lines import Line, OverrideReader
from autograder.gradebook.overrides import Act, Override, decisions
from autograder.report.class_files import write_class
from autograder.report.class_page_file import write_class_page
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from autograder.report.points_words import points_in_words
from autograder.report.publishing import keep_as_found, publish
from autograder.text.display import one_line


def override(
    course: Course,
    out: Path,
    author: str,
    *,
    file: Path | None = None,
    line: Line | None = None,
) -> Iterator[str]:
    """Keep the lines of a file, or one line, and yield what that changed for whom.

    The class's reports are written anew. Raises OverrideError, and changes nothing, where anything
    is wrong, and GradebookError where nothing was graded into `out` yet.
    """
    with _open(out) as book:
        reader = OverrideReader(course, book)
        if file is not None:
            events = reader.read_file(file, author)
        else:
            events = reader.read([line] if line else [], "override", "command")
            for event in events:
                reader.demand_something_to_undo(event)
        if not events:
            yield f"{file}: nothing in it is new."
            return
        keep_as_found(course, book)
        students = sorted({event.student for event in events})
        before = {one.score.student: one for one in gather(course, book, students)}
        book.add_overrides(events)
        reports = gather(course, book)
        after = {one.score.student: one for one in reports}
        yield from told(events, before, after)
        written = write_class(course, reports, out, book)
        published = publish(course, book, reports, "override", out)
        write_class_page(course, book, reports, out, published, "override")
    yield f"Written: {written.gradebook} and {written.students}"


def told(
    events: Sequence[Override],
    before: Mapping[str, GradedReport],
    after: Mapping[str, GradedReport],
) -> Iterator[str]:
    """Yield a line for each event and each student's points."""
    for student in sorted({event.student for event in events}):
        own = [event for event in events if event.student == student]
        now = {change.target: change.words for change in after[student].changes}
        for target in dict.fromkeys(event.target for event in own):
            last = [event for event in own if event.target == target][-1]
            known = any(item.id == target for item in after[student].score.items)
            waits = "taken back" if last.act is Act.UNDO else "kept; it counts once that is open"
            said = now.get(target, "taken back" if known else waits)
            yield f"{one_line(student)}, {target}: {said} ({one_line(last.reason, 200)})"
        was, has = (
            points_in_words(each[student].score, final=True) if student in each else "nothing yet"
            for each in (before, after)
        )
        yield f"{one_line(student)}: {was}, now {has}"


def listed(out: Path) -> Iterator[str]:
    """Yield all overrides of a gradebook, the first one first, and which of them count."""
    with Gradebook.read(_path(out)) as book:
        events = book.overrides()
    if not events:
        yield "No person has changed anything yet."
    counting = {
        event.number
        for student in {one.student for one in events}
        for decision in decisions(one for one in events if one.student == student).values()
        for event in decision.events
    }
    for event in events:
        state = "counts" if event.number in counting else "no longer counts"
        state = "took back what was before" if event.act is Act.UNDO else state
        what = f"{one_line(event.student)}, {one_line(event.target)}: {event.says}"
        yield f"{event.made}  {what}  ({one_line(event.reason, 200)}; {event.author}): {state}"


def _path(out: Path) -> Path:
    path = out / "gradebook.sqlite"
    if not path.is_file():
        remedy = "Grade the class first, or name the folder that `grade` wrote: --out DIR"
        raise GradebookError(f"there is no {path}", remedy)
    return path


def _open(out: Path) -> Gradebook:
    return Gradebook.open(_path(out))
