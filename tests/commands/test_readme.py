"""Every command that the README and the guides name is run, in a fresh copy with its own set-up.

What can't be run inside a test run (the tests themselves), needs the wide network, or measures for
minutes is looked up by `make -n`: its parts have tests of their own.
"""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_group

from autograder.commands.app import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/instructors.md",
    "docs/sandbox.md",
    "docs/tests.md",
)
DRY = {
    "make test": "-m pytest",
    'make test ARGS="-k lateness"': "-m pytest -n auto -k lateness",
    "make prove": "-m pytest -n auto -m prove",
    'make prove ARGS="-k week2"': "-m pytest -n auto -m prove --kept-proofs -k week2",
    "make types": "-m mypy",
    "make data": "-m data download",
    "make bench": "-m benchmarks",
    "make grade SUBMISSIONS=dir WEEK=project": '-m autograder grade --submissions "dir"',
    'make grade SUBMISSIONS=dir OUT=grades ARGS="--student ada --student bob"': (
        "--student ada --student bob"
    ),
    'make grade SUBMISSIONS=dir OUT=grades ARGS="--roster roster.csv"': "--roster roster.csv",
    'make grade SUBMISSIONS=dir OUT=grades ARGS="--section A"': "--section A",
    'make grade SUBMISSIONS=dir ARGS="--scheduler tls://head.example.org:8786"': (
        "--scheduler tls://head.example.org:8786"
    ),
    "make grade SUBMISSIONS=class.zip": '-m autograder grade --submissions "class.zip"',
    "make formgrader SUBMISSIONS=dir OUT=grades": (
        '-m autograder formgrader --submissions "dir" --out "grades"'
    ),
    "make gpu SUBMISSIONS=dir OUT=grades": '-m autograder gpu --submissions "dir" --out "grades"',
    "make gpu SUBMISSIONS=dir OUT=grades JOBS_PER_GPU=2": '--jobs-per-gpu "2"',
    "make gpu SUBMISSIONS=dir OUT=grades TRIAL=1": "--device cpu --epochs 1 --subset 512",
}
OF_ANOTHER_SYSTEM = (
    ".venv/bin/python -m autograder export canvas-feedback --submissions dir",
    ".venv/bin/python -m autograder export canvas-comments --url https://canvas.school.edu"
    " --course 12 --assignment 345",
    ".venv/bin/python -m autograder export moodle-feedback --submissions dir",
)
"""Commands for what Canvas or Moodle handed out, which have tests of their own in integrations."""

PRINTS = {
    "make grade": "Commonest misconceptions",
    "make grade SUBMISSIONS=dir": "class mean",
    "make grade SUBMISSIONS=dir WEEK=2": "class mean",
    "make grade SUBMISSIONS=dir OUT=grades JOBS=1": "class mean",
    ".venv/bin/python -m autograder grade --submissions dir --out grades --dry-run": (
        "nothing was run, nothing written"
    ),
    'make grade SUBMISSIONS=dir OUT=grades ARGS="--only infra"': "class mean",
    'make grade SUBMISSIONS=dir OUT=grades ARGS="--since 2026-10-12"': "class mean",
    ".venv/bin/python -m autograder show --grades grades": "class mean",
    ".venv/bin/python -m autograder diff 1 now --grades grades": "Points now in grades:",
    ".venv/bin/python -m autograder status --grades grades": "the last one came to its end",
    (
        ".venv/bin/python -m autograder grade --submissions dir --out grades"
        " --handed-in handed_in.csv"
    ): "class mean",
    ".venv/bin/python -m autograder formgrader --out grades --collect": "class mean",
    ".venv/bin/python -m autograder doctor": "Student code is confined by rung",
    "make release OUT=students": "no solution, hidden test or marker",
    "make stubs": "The stubs are up to date.",
    "make demo OUT=class STUDENTS=100": "100 submissions",
    ".venv/bin/python -m autograder grade --submissions dir --out grades --manual manual.csv": (
        "1 marks read"
    ),
    ".venv/bin/python -m autograder override": "No person has changed anything yet.",
    ".venv/bin/python -m autograder override --file overrides.csv": "week1.linear: ",
    (
        ".venv/bin/python -m autograder override s0002-jonas-silva week1.linear 4"
        ' --reason "a wrong test"'
    ): "-> 4 (a wrong test)",
    "make check": "hidden tests were not run",
    "make check WEEK=1": "hidden tests were not run",
    "make check WEEK=2": "hidden tests were not run",
    "make check WEEK=3": "hidden tests were not run",
    "make check WEEK=4": "hidden tests were not run",
    "make check WEEK=cifar": "hidden tests were not run",
    "make check WEEK=5": "hidden tests were not run",
    "make check WEEK=sentiment": "hidden tests were not run",
    "make check WEEK=6": "hidden tests were not run",
    "make check WEEK=project": "hidden tests were not run",
    "make notebooks OUT=analyses": "written: analyses/week3",
    "make handouts OUT=pages": "written: pages/week3",
    ".venv/bin/python -m autograder export --help": "gradescope-zip",
    (
        ".venv/bin/python -m autograder export canvas --template canvas.csv --assignment Project"
    ): "canvas.filled.csv",
    ".venv/bin/python -m autograder export moodle --template moodle.csv": "moodle.filled.csv",
    ".venv/bin/python -m autograder export gradescope-zip --out autograder.zip": "autograder.zip",
    ".venv/bin/python -m autograder export junit --grades grades": "junit.xml",
    ".venv/bin/python -m autograder export files --out files": "as student/week/file",
    ".venv/bin/python -m autograder export mail --addresses roster.csv --out mail": "Written: mail",
    ".venv/bin/python -m autograder export csv --grades grades": "Written: grades/gradebook.csv",
    ".venv/bin/python -m autograder hook install repositories --out grades": "ada",
    ".venv/bin/python -m autograder hook status --out grades": "Nothing has been pushed yet.",
    ".venv/bin/python -m autograder hook serve --out grades --now": "nothing to do",
    ".venv/bin/python -m autograder hook release --out grades": "There is nothing to release",
    ".venv/bin/python -m autograder hook remove repositories": "pushes are not graded any more",
    ".venv/bin/python -m autograder class init --to private": "grade-class.yml",
    "make lint": "All checks passed!",
    "make fix": "All checks passed!",
    "make help": "Neural Network Foundations",
    ".venv/bin/python -m autograder --help": "Grade all that a class handed in,",
}
SPAN = re.compile(r"`(make [^`\n]+|\.venv/bin/python -m \w+ [^`\n]+)`")
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^ *((?:make|\.venv/bin/python) .+)$", re.MULTILINE)


def commands() -> list[str]:
    """Return the documents' commands, from blocks of shell code and from code spans."""
    found: list[str] = []
    for name in DOCUMENTS:
        text = (ROOT / name).read_text("utf-8")
        found += SPAN.findall(text)
        for block in BLOCK.findall(text):
            found += LINE.findall(block)
    return sorted(dict.fromkeys(found))


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A fresh copy of the files that git knows or would take, as a clone has them."""
    target = tmp_path_factory.mktemp("fresh") / "course"
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    # A repository, so that ruff leaves alone what is ignored, and what these tests add.
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)
    (target / ".git" / "info" / "exclude").write_text(
        "/dir/\n/class/\n/students/\n/again/\n/repositories/\n/private/\n/analyses/\n"
        "/files/\n/mail/\n"
    )
    run("make grade", target)
    lend_packages(target)
    shutil.copytree(target / "demo-class", target / "dir")
    student = sorted((target / "grades" / "students").iterdir())[0].name
    mark = f"student,item,points,comment\n{student},week1.written_linear,1.5,well done\n"
    (target / "manual.csv").write_text(mark)
    change = f"student,item,points,reason\n{student},week1.linear,1.5,a wrong test\n"
    (target / "overrides.csv").write_text(change)
    when = f"student,received,commit\n{student},2026-10-12T21:40:00+02:00,\n"
    (target / "handed_in.csv").write_text(when)
    (target / "roster.csv").write_text(f"id,name,email\n{student},Somebody,one@example.org\n")
    write_templates(target, student)
    repository = target / "repositories" / "ada.git"
    subprocess.run(["git", "init", "-q", "--bare", str(repository)], check=True)
    subprocess.run(["git", "init", "-q", str(target / "private")], check=True)
    return target


def write_templates(target: Path, student: str) -> None:
    """Write gradebooks as Canvas and Moodle export them, with one of the class in them."""
    (target / "canvas.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Project (123)\n"
        "    Points Possible,,,,,100\n"
        f"Somebody,7,,{student},One,\n"
    )
    (target / "moodle.csv").write_text(
        "Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade,"
        "Last modified (grade),Feedback comments\n"
        f"Participant 7,Somebody,{student},somebody@example.org,Submitted,,100.00,-,\n"
    )


def lend_packages(target: Path) -> None:
    """Give the copy the packages that these tests run with, by hard links.

    `make grade` has just installed the core from nothing there, as for a newcomer. What the other
    commands need on top is gigabytes, which the first `make test` has installed in the same way.
    """
    ready = target / ".venv" / ".ready"
    mine = Path(sys.prefix)
    if not (mine / ".ready").is_file():
        return  # not made by scripts/setup.sh: then each command installs what it needs
    lent = target / ".venv.lent"
    linked = subprocess.run(["cp", "-al", mine, lent], capture_output=True, check=False)
    if linked.returncode:  # on another file system, say
        shutil.rmtree(lent, ignore_errors=True)
        return
    here, *_ = ready.read_text().splitlines()
    _, *pins = (mine / ".ready").read_text().splitlines()
    for path in [lent / ".ready", *lent.glob("lib/python*/site-packages/__editable__*")]:
        text = path.read_text().replace(str(ROOT), str(target))
        path.unlink()  # never write into the file that is shared
        path.write_text(text)
    (lent / ".ready").write_text("\n".join([here, *pins]) + "\n")
    shutil.rmtree(target / ".venv")
    lent.rename(target / ".venv")


def run(command: str, folder: Path) -> str:
    """Run one of the documents' commands; return what it printed. It must succeed."""
    drop = ("PYTHONPATH", "VIRTUAL_ENV", "COURSE_DATA", "MAKEFLAGS", "MAKELEVEL", "ARGS")
    environment = {key: value for key, value in os.environ.items() if key not in drop}
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env={**environment, "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}"
    return done.stdout


def test_every_command_is_known_here():
    assert set(commands()) == {*PRINTS, *DRY, *OF_ANOTHER_SYSTEM}


@pytest.mark.parametrize("command", OF_ANOTHER_SYSTEM)
def test_the_command_and_its_options_are_there(command):
    _, _, _, group, name, *options = command.split()
    [export] = [one for one in get_group(app).commands.values() if one.name == group]
    known = {option for one in export.commands[name].params for option in one.opts}
    assert known.issuperset(one for one in options if one.startswith("--"))


@pytest.mark.prove
@pytest.mark.parametrize("command", PRINTS)
def test_the_command_does_what_the_documents_say(copy, command):
    assert PRINTS[command] in " ".join(run(command, copy).split())


@pytest.mark.prove
@pytest.mark.parametrize("command", DRY)
def test_the_command_stands_for(copy, command):
    assert DRY[command] in run(f"make -n {command.removeprefix('make ')}", copy)


@pytest.mark.prove
def test_a_newcomer_finds_what_the_table_names(copy):
    """After `make grade`: a row for each student, and feedback for each that can be read."""
    with (copy / "grades" / "gradebook.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    for row in rows:
        folder = copy / "grades" / "students" / row["student"]
        assert (folder / "feedback.md").read_text().startswith("# Feedback for ")
        assert (folder / "results.json").is_file()
        assert row["autograd"], "weeks 2 and 3 are graded too"
        assert row["batch_norm"]


@pytest.mark.prove
def test_grading_has_changed_nothing_that_was_handed_in(copy):
    """The class that was graded is still the one that was written."""
    other = copy / "again"
    run(f".venv/bin/python -m autograder demo --students 12 --out {other}", copy)
    for path in (copy / "dir").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (other / path.relative_to(copy / "dir")).read_bytes()
