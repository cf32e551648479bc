"""Feedback for Moodle's feedback files, Canvas's re-upload, and mail: who gets what."""

from __future__ import annotations

import csv
import io
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from autograder.commands.app import main
from autograder.course import load
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.integrations.handing_back.letters import letters_of
from autograder.integrations.handing_back.moodle_zip import folder_name
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from tests.canvas import comments_of_zip
from tests.moodle import feedback_files

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
ITEM = COURSE.items(2)[0]
STUDENTS = (
    *("Jane_Doe_7", "Jane_Doe_8", "Zoë_O_Neil", "Sam_Silent"),
    *("doejane_12345", "roemax_12346", "ada@school.edu", "ben"),
)


@pytest.fixture(scope="module")
def grades(tmp_path_factory) -> Path:
    """Everybody has one item of week 2, half of its points, and the others to come."""
    out = tmp_path_factory.mktemp("the grades") / "grades"
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        for student in STUDENTS:
            one = Submission(student, {"autograd.py": student.encode()})
            gradebook.add_submission(one, 2)
            gradebook.plan(
                GradingJob(student, student, 2, one.fingerprint, "rung"),
                [PlannedCheck("check", ITEM.id, "A check")],
            )
            result = CheckResult("check", Verdict.WRONG, FULL_CREDIT // 2, message="Look again.")
            gradebook.record(student, [result], 1.0)
        gradebook.finish_run()
    return out


@pytest.fixture(scope="module")
def feedback(grades) -> dict[str, bytes]:
    return {student: one.feedback for student, one in letters_of(COURSE, grades).items()}


def call(*arguments: object, status: int = 0) -> str:
    """Run a command of `export`; return what it prints, or the one line of an error."""
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        main(["export", *map(str, arguments)])
    assert (ended.value.code or 0) == status, errors.getvalue()
    return errors.getvalue() if status else out.getvalue()


def test_moodle_by_what_it_handed_out(grades, feedback, tmp_path) -> None:
    exported = tmp_path / "what Moodle gave"
    for name in ("Jane Doe_7", "Jane Doe_8", "Zoë O'Neil_9", "New Face_10"):
        folder = exported / f"{name}_assignsubmission_file_"
        folder.mkdir(parents=True)
        (folder / "autograd.py").write_text("x = 1\n")
    (exported / "Sam Silent_11_assignsubmission_onlinetext_").mkdir()
    out = tmp_path / "back to Moodle.zip"
    said = call("moodle-feedback", "--submissions", exported, "--grades", grades, "--out", out)
    names = {7: "Jane_Doe_7", 8: "Jane_Doe_8", 9: "Zoë_O_Neil", 11: "Sam_Silent"}
    assert feedback_files(out.read_bytes(), {7, 8, 9, 10, 11}) == {
        number: {"feedback.md": feedback[student]} for number, student in names.items()
    }
    assert "Feedback of 4 student(s), of whom 4 have points still to come" in said
    assert f"In {exported}, and not graded here: New_Face" in said
    assert f"Graded here, and not in {exported}: ada@school.edu, ben, doejane_12345" in said
    again = tmp_path / "again.zip"
    call("moodle-feedback", "--submissions", exported, "--grades", grades, "--out", again)
    assert again.read_bytes() == out.read_bytes()


def test_moodle_by_the_worksheet(grades, feedback, tmp_path) -> None:
    path = tmp_path / "Grades sheet.csv"
    path.write_text(
        "Identifier,Full name,Email address,Grade,Maximum grade,Last modified (grade)\n"
        "Participant 7,Jane Doe,jd7@school.edu,,10,-\n"
        "Participant 8,Jane Doe,jd8@school.edu,,10,-\n"
        "Participant 21,Ada,ada@school.edu,,10,-\n"
        "Participant 22,Ben_B,ben@school.edu,,10,-\n"
    )
    out = tmp_path / "moodle.zip"
    call("moodle-feedback", "--worksheet", path, "--grades", grades, "--out", out)
    names = {7: "Jane_Doe_7", 8: "Jane_Doe_8", 21: "ada@school.edu", 22: "ben"}
    assert feedback_files(out.read_bytes(), {7, 8, 21, 22}) == {
        number: {"feedback.md": feedback[student]} for number, student in names.items()
    }
    line = call("moodle-feedback", "--grades", grades, "--out", out, status=2)
    assert "Give the grading worksheet (--worksheet) or what was graded" in line


@pytest.mark.parametrize("name", ["Group_A-Jane_Doe", "..", "a/b\\c", "", "Zoë O'Neil", "_9_x_y"])
def test_no_name_shifts_the_number(name) -> None:
    path = f"{folder_name(name, '123')}/feedback.md"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(path, b"text")
    assert feedback_files(buffer.getvalue(), {9, 123}) == {123: {"feedback.md": b"text"}}
    assert path.count("/") == 1


def test_canvas_re_upload(grades, feedback, tmp_path) -> None:
    exported = tmp_path / "what Canvas gave"
    exported.mkdir()
    uploads = {
        501: (12345, "paper.pdf"),
        502: (12345, "autograd.py"),
        503: (12346, "work.zip"),
        504: (99999, "autograd.py"),
    }
    names = {12345: "doejane", 12346: "roemax_LATE", 99999: "newface"}
    for upload, (user, file) in uploads.items():
        content = b"x = 1\n"
        (exported / f"{names[user]}_{user}_{upload}_{file}").write_bytes(content)
    (exported / "textonly_77777_text.html").write_text("I typed this")
    out = tmp_path / "canvas.zip"
    said = call("canvas-feedback", "--submissions", exported, "--grades", grades, "--out", out)
    comments = comments_of_zip(out.read_bytes(), uploads)
    assert comments.keys() == {12345, 12346}
    assert comments[12345] == feedback["doejane_12345"]
    with zipfile.ZipFile(io.BytesIO(comments[12346])) as inner:
        assert inner.read("feedback.md") == feedback["roemax_12346"]
    with zipfile.ZipFile(out) as archive:
        assert set(archive.namelist()) <= {path.name for path in exported.iterdir()}
    assert "not graded here: newface_99999, textonly_77777" in said


def test_a_folder_that_is_no_export_is_refused(grades, tmp_path) -> None:
    (tmp_path / "ada").mkdir()
    for command in ("canvas-feedback", "moodle-feedback"):
        line = call(command, "--submissions", tmp_path, "--grades", grades, status=2)
        assert "is not what a learning management system handed out" in line
    (tmp_path / "of Moodle" / "Ada_7_assignsubmission_file_").mkdir(parents=True)
    (tmp_path / "of Canvas").mkdir()
    (tmp_path / "of Canvas" / "doejane_12345_501_autograd.py").write_text("x = 1\n")
    for command, other in (("canvas-feedback", "of Moodle"), ("moodle-feedback", "of Canvas")):
        options = ("--submissions", tmp_path / other, "--grades", grades, "--out", tmp_path / "zip")
        assert "handed out: another system did" in call(command, *options, status=2)
    assert not (tmp_path / "zip").exists()


def test_mail(grades, feedback, tmp_path) -> None:
    path = tmp_path / "the roster.csv"
    path.write_text(
        "id;name;e-mail;aliases\n"
        "roemax_12346;Max Roe;max@school.edu;\n"
        "x17;Zoë Neil;zoe@school.edu;Zoë O'Neil, doezoe\n"
        "ben;Ben;no address;\n"
        "Sam_Silent;Sam;sam@school.edu,all@school.edu;\n"
        "new;New Face;new@school.edu;\n"
    )
    out = tmp_path / "the mail"
    options = ("--grades", grades, "--out", out, "--subject", "Week 2")
    said = call("mail", "--addresses", path, *options)
    assert "left out: Sam_Silent on line 5, ben on line 4" in said
    assert "In the file, and without results here: New Face" in said
    text = (out / "mail_merge.csv").read_text("utf-8-sig")
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows.keys() == {"roemax_12346", "Zoë_O_Neil"}
    row = rows["Zoë_O_Neil"]
    assert (row["email"], row["name"], row["subject"]) == ("zoe@school.edu", "Zoë Neil", "Week 2")
    assert row["points"].startswith(letters_of(COURSE, grades)["ben"].line[:10])
    assert Path(row["attachment"]).read_bytes() == feedback["Zoë_O_Neil"]
    message = message_from_bytes((out / "messages" / "Zoë_O_Neil.eml").read_bytes(), policy=default)
    assert (message["To"], message["Subject"]) == ("zoe@school.edu", "Week 2")
    body = message.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").endswith(feedback["Zoë_O_Neil"].decode())
    [attached] = message.iter_attachments()
    assert attached.get_filename() == "feedback.md"
    assert attached.get_payload(decode=True) == feedback["Zoë_O_Neil"]
    assert "is there and not empty" in call("mail", "--addresses", path, *options, status=2)
    said = call("mail", "--grades", grades, "--out", tmp_path / "by id")
    assert "Feedback of 1 student(s)" in said
    assert "Without an address (--addresses): Jane_Doe_7" in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,name\nben,Ben\n", "no column of addresses (email) among its columns: id, name"),
        ("id,email\nben,=cmd@school.edu\n", "nobody has an address"),
    ],
)
def test_addresses_that_are_none(grades, tmp_path, text, problem) -> None:
    path = tmp_path / "addresses.csv"
    path.write_text(text)
    out = tmp_path / "mail"
    assert problem in call("mail", "--addresses", path, "--out", out, "--grades", grades, status=2)
    assert not out.exists()
