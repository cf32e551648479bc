"""`autograder formgrader`: a class's notebooks are marked in a browser, and the marks taken over.

nbgrader shows the notebooks and takes marks and comments. Its server runs on this machine, for the
person who has its address; when it ends, the marks go into our gradebook.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Mapping
from contextlib import ExitStack
from html import escape
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from rich.console import Console

from autograder import course as courses
from autograder.course import Course, Notebook
from autograder.course.points import format_points
from autograder.course.scoring import ItemScore
from autograder.errors import CantRunError
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.people import known_people
from autograder.gradebook.private import PRIVATE, make_private, open_private, private_files
from autograder.gradebook.submission import Submission
from autograder.intake.reading import read_class
from autograder.integrations.formgrader import nbgrader_course as nbgrader
from autograder.integrations.formgrader.marking import verdict_text
from autograder.integrations.formgrader.marks import (
    collect_marks,
    confirm_marks,
    take_over,
    taken_over_before,
)
from autograder.records import ManualMark
from autograder.report.asked_again import TO_BE_MARKED_AGAIN
from autograder.report.gather import VERDICT_WORDS, GradedReport, gather
from autograder.report.publishing import keep_as_found
from autograder.report.writing import write_reports
from autograder.text.files import write_text

HOST = "127.0.0.1"
START_SECONDS = 60
HOME = "jupyter"
"""The folder of the server's own files, below nbgrader's."""

MAX_SHOWN_CHECKS = 12
"""Maximum number of failed checks per answer that are shown to the person who marks."""


class FormgraderError(CantRunError):
    """The formgrader can't be opened: why, and what to do."""


def run(
    root: Path,
    out: Path,
    *,
    submissions: Path | None,
    week: int | None = None,
    port: int = 0,
    browser: bool = True,
    collect: bool = False,
    serve: bool = True,
) -> None:
    """Prepare what a class wrote, let a person mark it, and take the marks over.

    week: the number of the only week that was handed in, None for all.
    collect: only take marks over; serve: False only prepares.
    """
    console = Console(highlight=False, soft_wrap=True)
    course = courses.load(root)
    database = out / "gradebook.sqlite"
    if not database.is_file():
        raise FormgraderError(
            f"{out} holds no grades yet; grade the class first: make grade SUBMISSIONS=dir OUT=dir"
        )
    with ExitStack() as open_things:
        gradebook = open_things.enter_context(Gradebook.open(database))
        make_private(out)
        shown: dict[tuple[str, int], Mapping[str, str]] = {}
        keep_as_found(course, gradebook)
        if not collect:
            if submissions is None:
                raise FormgraderError("say where the submissions are: --submissions dir")
            if find_spec("nbgrader") is None:
                raise FormgraderError("nbgrader is not installed; `make formgrader` installs it")
            # nbgrader starts alembic by its name, wherever that is found.
            tools = str(Path(sys.executable).parent)
            os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", os.defpath)])
            open_things.enter_context(nbgrader.only_writer(out))
            collect_marks(console, course, gradebook, out)  # of a session that was cut off
            with private_files():  # nbgrader writes some of them itself
                folder, shown = _prepare(console, course, gradebook, root, submissions, out, week)
            if serve:
                _serve(console, folder, port, browser)
        collect_marks(console, course, gradebook, out)
        confirm_marks(course, gradebook, out, shown)
        reports = gather(course, gradebook)
        write_reports(console, course, gradebook, reports, out, "formgrader")


def _prepare(
    console: Console,
    course: Course,
    gradebook: Gradebook,
    root: Path,
    submissions: Path,
    out: Path,
    only: int | None,
) -> tuple[Path, dict[tuple[str, int], Mapping[str, str]]]:
    """Write the nbgrader course of the class; return its folder, and what it shows.

    That is the digests of documents, by student and week.
    """
    folder = out.resolve() / nbgrader.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    nbgrader.write_config(folder)
    weeks = [week for week in course.weeks if only in (None, week.number)]
    zone = course.handing_in.zone
    known = known_people(out, course.weeks)
    intake = read_class(
        submissions, weeks, course.weeks, zone, keep_documents=True, known=known, root=root
    )
    reports = {report.score.student: report for report in gather(course, gradebook)}
    shown: dict[tuple[str, int], Mapping[str, str]] = {}
    for week in weeks:
        nonempty = [s for s in intake.submissions[week.number] if not s.is_empty]
        for notebook in week.notebooks:
            handed_in = [
                _handed_in(submission, notebook, reports.get(submission.student))
                for submission in nonempty
            ]
            if not handed_in:
                continue
            shown |= {(one.student, week.number): one.documents for one in nonempty}
            nbgrader.write_source(course, root, week, notebook, folder)
            pages = {
                work.student: nbgrader.page_of(course, week, notebook, work) for work in handed_in
            }
            changed = {
                work.student: nbgrader.changed_answers(
                    course, week, notebook, work, pages[work.student], folder
                )
                for work in handed_in
            }
            marks = _marks(gradebook, reports)
            # The database first: what breaks off here is noticed as changed once more.
            copied = nbgrader.fill_database(
                course, week, notebook, handed_in, changed, marks, taken_over_before(out), folder
            )
            take_over(out, copied)
            for work in handed_in:
                nbgrader.write_submission(week, notebook, work, pages[work.student], folder)
            again = sum(map(bool, changed.values()))
            console.print(
                f"{week.name}: {len(handed_in)} students' {nbgrader.name_of(notebook)}"
                + (f"; {again} changed since they were shown last" if again else ""),
                markup=False,
            )
    if not shown:
        asked = " and ".join(week.name for week in weeks if week.notebooks) or "no week here"
        raise FormgraderError(
            f"nobody in {submissions} handed in anything of a week with a notebook "
            f"({asked} asks for one). Files that lie outside a week's folder need --week N."
        )
    return folder, shown


def _marks(
    gradebook: Gradebook, reports: Mapping[str, GradedReport]
) -> dict[tuple[str, str], ManualMark]:
    """Return the marks of our gradebook, but for those of answers that were replaced since."""
    marks = {}
    for student, report in reports.items():
        again = {item.id for item in report.score.items if item.reason == TO_BE_MARKED_AGAIN}
        for mark in gradebook.marks(student):
            if mark.item not in again:
                marks[student, mark.item] = mark
    return marks


def _handed_in(
    submission: Submission, notebook: Notebook, report: GradedReport | None
) -> nbgrader.NotebookSubmission:
    """Return one student's work in a notebook, with the results of the tests."""
    content = submission.kept.get(notebook.file)
    why_not = ""
    if content is None:
        why_not = submission.refusal or f"{notebook.file} was not handed in."
    asked = set(notebook.functions.values())
    items = {item.id: item for item in report.score.items} if report else {}
    return nbgrader.NotebookSubmission(
        student=submission.student,
        content=content,
        files={name: file for name, file in submission.kept.items() if name != notebook.file},
        test_texts={id: _test_text(item) for id, item in items.items() if id in asked},
        scores={id: item.points for id, item in items.items() if id in asked and not item.pending},
        why_not=why_not,
    )


def _test_text(item: ItemScore) -> str:
    """Return the results of the tests of one answer, as Markdown."""
    lines = []
    for check in item.checks:
        result = check.result
        if result is None or result.credit == 0:
            words = VERDICT_WORDS[result.verdict if result else None]
            lines.append(f"{check.planned.title}: {words}")
            lines += [f"  {result.advice or result.message}"] if result else []
    rest = len(lines) - 2 * MAX_SHOWN_CHECKS
    if rest > 0:
        lines = [*lines[: 2 * MAX_SHOWN_CHECKS], "..."]
    points = f"{format_points(item.points)} of {format_points(item.max_points)}"
    return verdict_text(item.title, lines, points)


# The server


def _serve(console: Console, folder: Path, port: int, browser: bool) -> None:
    """Run nbgrader's formgrader until it is ended by Ctrl-C."""
    token = secrets.token_hex(16)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # a shell may have told us to ignore the first
        signal.signal(number, signal.default_int_handler)
    server = _start(folder, port, token)
    try:
        address = f"http://{HOST}:{_port_of(server, folder)}/formgrader"
        _wait_until_up(server, f"{address}?token={token}", folder)
        console.print("Mark in the browser what is written, at this address:", markup=False)
        console.print(f"  {address}?token={token}", markup=False)
        console.print("Ctrl-C here, when you are done, takes the marks over.", markup=False)
        sys.stdout.flush()
        if browser:
            webbrowser.open(_page_to_open(folder, f"{address}?token={token}").as_uri())
        server.wait()
        raise FormgraderError(f"nbgrader's server has ended by itself; {_log(folder)} says why")
    except KeyboardInterrupt:
        console.print("\nThe formgrader has ended.", markup=False)
    finally:
        _stop(server)
        (folder / HOME / "open.html").unlink(missing_ok=True)


def _start(folder: Path, port: int, token: str) -> subprocess.Popen[bytes]:
    """Start a server with nothing in it but the pages for marking, for this machine alone."""
    from autograder.integrations.formgrader.server import arguments

    module = "autograder.integrations.formgrader.server"
    command = [sys.executable, "-m", module, *arguments(str(folder), HOST, port)]
    home = folder / HOME
    home.mkdir(mode=0o700, exist_ok=True)
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    # The token is in the environment: what is on the command line everybody here can read.
    environment = os.environ | dict.fromkeys(places, str(home)) | {"JUPYTER_TOKEN": token}
    ours = str(Path(__file__).resolve().parents[3])
    paths = [ours, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    with open(_log(folder), "wb", opener=open_private) as log:
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, umask=0o077,
        )  # fmt: skip


def _page_to_open(folder: Path, address: str) -> Path:
    """Write a page that leads to an address, and return it.

    The address holds the token. Whoever is on this machine can read a browser's command line, and
    nobody but its owner this file.
    """
    path = folder / HOME / "open.html"
    shown = escape(address)
    text = (
        '<!doctype html><meta charset="utf-8"><title>The formgrader</title>'
        '<meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0; url={shown}"><a href="{shown}">Go on</a>\n'
    )
    write_text(path, text, PRIVATE)
    return path


def _log(folder: Path) -> Path:
    return folder / "server.log"


def _port_of(server: subprocess.Popen[bytes], folder: Path) -> int:
    """Wait until the server has written down where it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        for path in (folder / HOME).glob(f"jpserver-{server.pid}.json"):
            try:
                return int(json.loads(path.read_text("utf-8"))["port"])
            except ValueError:
                continue  # it is being written
        time.sleep(0.05)
    tail = _log(folder).read_text("utf-8", "replace").strip().splitlines()[-1:]
    reason = f" ({tail[0]})" if tail else ""
    raise FormgraderError(
        f"nbgrader's server did not start{reason}; {_log(folder)} says more. Is the port taken? "
        "--port 0 takes any free one."
    )


def _wait_until_up(server: subprocess.Popen[bytes], address: str, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(Request(address), timeout=5):
                return
        except URLError as error:
            if time.monotonic() > deadline or server.poll() is not None:
                problem = f"nbgrader's page can't be opened: {error.reason}"
                raise FormgraderError(f"{problem}; {_log(folder)} says more") from error
            time.sleep(0.1)


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
