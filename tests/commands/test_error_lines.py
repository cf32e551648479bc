"""What a person can put right is one line of the real command, exit status 2, no traceback.

The commands run in a copy of the small course with the program beside it, since a command's course
is the one that the program lies in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from autograder.commands import app as command_line
from autograder.gradebook.journal import Gradebook

ROOT = Path(__file__).resolve().parents[2]
SUITE = "assignments/week2_small/hidden/test_suite.py"
RUBRIC = "assignments/rubric.toml"
COURSE = "assignments/course.toml"
CATALOGUE = "solutions/week2_small/misconceptions.toml"


@pytest.fixture
def course(small: Path, tmp_path: Path) -> Path:
    """The small course, with the program beside it, to be spoiled."""
    root = tmp_path / "course"
    shutil.copytree(small, root)
    shutil.copytree(ROOT / "autograder", root / "autograder")
    shutil.copytree(ROOT / "data", root / "data", ignore=shutil.ignore_patterns("cache"))
    return root


@pytest.fixture
def submissions(small: Path, tmp_path: Path) -> Path:
    """Ada hands in the reference of week 2."""
    folder = tmp_path / "class"
    shutil.copytree(small / "solutions" / "week2_small", folder / "ada" / "week2_small")
    (folder / "ada" / "week2_small" / "misconceptions.toml").unlink()
    return folder


def run(
    root: Path, *arguments: object, through: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*through, sys.executable, "-m", "autograder", *map(str, arguments)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the line in which a command said what is wrong."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" not in done.stdout
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("autograder: ")
    return line.removeprefix("autograder: ")


def grade(root: Path, submissions: Path, out: Path, *others: object) -> str:
    """Grade where that can't work; return what was said."""
    arguments = ("--submissions", submissions, "--out", out, "--jobs", 1, "--unconfined", *others)
    return error_of(run(root, "grade", *arguments))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1, old
    path.unlink()  # files of the program are links to the repository's
    path.write_text(text.replace(old, new))


# What a user gives.


@pytest.fixture
def mounted() -> Iterator[Callable[..., Path]]:
    """Mounts small file systems; skips where this machine doesn't allow that."""
    folders: list[Path] = []

    def mount(folder: Path, *options: str) -> Path:
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def make_read_only(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


@pytest.fixture
def as_others() -> list[str]:
    """The beginning of a command that permissions hold for: root gives up that they don't."""
    if os.geteuid() != 0:
        return []
    command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    if (
        shutil.which("setpriv") is None
        or subprocess.run([*command, "true"], check=False).returncode
    ):
        pytest.skip("root may write everywhere, and this machine has no setpriv to give that up")
    return command


@pytest.mark.parametrize("below", ["", "below"])
def test_out_is_a_file(course: Path, submissions: Path, tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    said = grade(course, submissions, file / below)
    assert str(file / below) in said
    assert said.endswith(("Name another one.", "Name a folder."))
    assert file.read_text() == "mine"


def test_out_is_on_a_read_only_file_system(
    course: Path, submissions: Path, tmp_path: Path, mounted: Callable[..., Path]
) -> None:
    folder = mounted(tmp_path / "disk", "ro")
    said = grade(course, submissions, folder / "grades")
    assert said == (
        f"{folder}/grades can't be written: its file system is read-only. Name another one."
    )


def test_out_is_in_a_closed_folder(
    course: Path, submissions: Path, tmp_path: Path, as_others: list[str]
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    arguments = ("--submissions", submissions, "--out", folder / "grades")
    said = error_of(run(course, "grade", *arguments, through=as_others))
    assert said.startswith(f"{folder}/grades is closed to this user. Change its permissions")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("kilobytes", [16, 100])
def test_out_is_on_a_full_disk(
    course: Path, submissions: Path, tmp_path: Path, mounted: Callable[..., Path], kilobytes: int
) -> None:
    """With no room for a gradebook at all, or with some, and none for what comes into it."""
    folder = mounted(tmp_path / "disk", f"size={kilobytes}k")
    said = grade(course, submissions, folder / "grades")
    assert str(folder / "grades") in said
    assert "the disk is full" in said
    assert "Make room." in said
    files = [path.name for path in folder.rglob("*") if path.is_file()]
    assert not [name for name in files if name.startswith(".")], "no temporary file is left"
    assert all((folder / name).stat().st_size for name in files if name.endswith(".csv"))


def test_a_full_disk_under_a_report_leaves_no_part_of_it(
    course: Path, submissions: Path, tmp_path: Path, mounted: Callable[..., Path]
) -> None:
    out = tmp_path / "grades"
    done = run(course, "grade", "--submissions", submissions, "--out", out, "--unconfined")
    assert done.returncode == 0, done.stderr
    disk = mounted(tmp_path / "disk", "size=1m")
    shutil.copytree(out, disk / "grades")
    free = os.statvfs(disk)
    with (disk / "filling").open("wb") as filling:
        filling.write(b"\0" * (free.f_bavail * free.f_frsize))
    before = (disk / "grades" / "gradebook.csv").read_bytes()
    said = error_of(run(course, "export", "junit", "--grades", disk / "grades"))
    assert str(disk / "grades" / "students" / "ada" / "junit.xml") in said
    assert (disk / "grades" / "gradebook.csv").read_bytes() == before
    assert sorted(path.name for path in (disk / "grades" / "students" / "ada").iterdir()) == sorted(
        path.name for path in (out / "students" / "ada").iterdir()
    )


CANVAS = "Student,ID,SIS Login ID,Section,Small (7)\n    Points Possible,,,,20\nA,101,ada,S,\n"


@pytest.fixture
def graded(course: Path, submissions: Path, tmp_path: Path) -> Path:
    out = tmp_path / "grades"
    done = run(course, "grade", "--submissions", submissions, "--out", out, "--unconfined")
    assert done.returncode == 0, done.stderr
    return out


def export_canvas(
    course: Path, grades: Path, folder: Path, through: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    template = folder / "canvas.csv"
    template.write_text(CANVAS)
    options = ("--assignment", "Small", "--part", "week2", "--grades", grades)
    return run(course, "export", "canvas", "--template", template, *options, through=through)


def test_a_read_only_copy_of_a_gradebook_is_exported(
    course: Path, graded: Path, tmp_path: Path, as_others: list[str]
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(graded / "gradebook.sqlite", copy)
    (copy / "gradebook.sqlite").chmod(0o444)
    copy.chmod(0o555)
    before = (copy / "gradebook.sqlite").read_bytes()
    target = tmp_path / "sheets"
    target.mkdir()
    done = export_canvas(course, copy, target, as_others)
    assert done.returncode == 0, done.stderr
    assert "A,101,ada,S,20" in (target / "canvas.filled.csv").read_text()
    assert [path.name for path in copy.iterdir()] == ["gradebook.sqlite"]
    assert (copy / "gradebook.sqlite").read_bytes() == before


def test_a_gradebook_on_a_read_only_file_system_is_exported(
    course: Path, graded: Path, tmp_path: Path, mounted: Callable[..., Path]
) -> None:
    disk = mounted(tmp_path / "disk", "size=8m")
    shutil.copy(graded / "gradebook.sqlite", disk)
    make_read_only(disk)
    done = export_canvas(course, disk, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "A,101,ada,S,20" in (tmp_path / "canvas.filled.csv").read_text()
    assert [path.name for path in disk.iterdir()] == ["gradebook.sqlite"]
    said = error_of(run(course, "export", "csv", "--grades", disk))
    assert str(disk) in said
    assert "Read-only file system" in said


@pytest.mark.parametrize(
    ("salt", "says"),
    [
        ("3", "salt: input should be a valid string (it is 3). Correct the value."),
        ('""', "salt: string should have at least 1 character (it is ''). Correct the value."),
    ],
)
def test_a_wrong_salt(course: Path, submissions: Path, tmp_path: Path, salt: str, says: str):
    edit(course / "assignments/grading.toml", '"s"', salt)
    assert grade(course, submissions, tmp_path / "out") == f"assignments/grading.toml: {says}"
    assert not (tmp_path / "out").exists()


def test_submissions_that_are_not_there(course: Path, tmp_path: Path) -> None:
    said = grade(course, tmp_path / "none", tmp_path / "out")
    assert said.startswith(f"the submissions can't be read: {tmp_path}/none: No such file")
    assert not (tmp_path / "out").exists()


def test_manual_marks_that_are_a_folder(course: Path, submissions: Path, tmp_path: Path) -> None:
    """It is said before anything is graded."""
    options = ("--submissions", submissions, "--out", tmp_path / "out", "--manual", tmp_path)
    done = run(course, "grade", *options)
    assert done.returncode == 2
    assert done.stderr == (
        f"autograder: {tmp_path}: nothing was imported; correct this and import again:\n"
        "  it can't be read: Is a directory\n"
    )
    assert not (tmp_path / "out").exists()


# What authors write.


def without(root: Path, name: str) -> None:
    (root / name).unlink()


SPOILED: dict[str, tuple[Callable[[Path], None], Sequence[str]]] = {
    "a mistyped item in a marker": (
        lambda root: edit(root / SUITE, 'item("week2.count")', 'item("week2.cuont")'),
        [
            f"{SUITE}: test_fresh",
            f"{RUBRIC} has no item 'week2.cuont' in week 2. Is it week2.count?",
            "week2.count has no test.",
        ],
    ),
    "a mistyped item that a test needs": (
        lambda root: edit(
            root / SUITE,
            '@pytest.mark.item("week2.count")',
            '@pytest.mark.item("week2.count")\n@pytest.mark.needs("week2.duoble")',
        ),
        [f"{SUITE}: test_fresh", "no item 'week2.duoble' in week 2. Is it week2.double?"],
    ),
    "a marker without an item": (
        lambda root: edit(root / SUITE, 'item("week2.count")', "item()"),
        ["week2_small/hidden/test_suite.py::test_fresh", "needs one marker", "Write one above it"],
    ),
    "a test without a marker": (
        lambda root: edit(root / SUITE, '@pytest.mark.item("week2.count")', ""),
        ["week2_small/hidden/test_suite.py::test_fresh", "needs one marker", "Write one above it"],
    ),
    "a test without a title": (
        lambda root: edit(root / SUITE, '"""Every entry is doubled."""', ""),
        ["test_suite.py::test_double", "needs a docstring", "Write what is right"],
    ),
    "a weight that is no number": (
        lambda root: edit(
            root / SUITE,
            '@pytest.mark.item("week2.count")',
            '@pytest.mark.item("week2.count")\n@pytest.mark.weight("much")',
        ),
        ["test_suite.py::test_fresh", "pytest.mark.weight", "1 or more"],
    ),
    "a suite that is no Python": (
        lambda root: edit(root / SUITE, "def test_double(", "def test_double(:"),
        ["week2_small/hidden/test_suite.py", "line 10", "SyntaxError", "Correct the file"],
    ),
    "no hidden suite": (
        lambda root: shutil.rmtree(root / "assignments/week2_small/hidden"),
        ["there is no folder", "assignments/week2_small/hidden", "Put the suite's tests into it"],
    ),
    "an item without a test": (
        lambda root: edit(root / SUITE, 'item("week2.count")', 'item("week2.double")'),
        [f"{RUBRIC}: week2.count has no test.", '@pytest.mark.item("week2.count")'],
    ),
    "an item that a person marks": (
        lambda root: edit(
            root / RUBRIC,
            'points = 6\nweek = 2\nkind = "auto"',
            'points = 6\nweek = 2\nkind = "manual"',
        ),
        [f"{SUITE}: test_fresh", "week2.count is not graded by tests", 'the kind "auto"'],
    ),
    "a test whose item the rubric lacks": (
        lambda root: edit(root / RUBRIC, '"week2.count"', '"week2.counter"'),
        [f"{SUITE}: test_fresh", "no item 'week2.count'", "or add the item"],
    ),
    "a solution that is missing": (
        lambda root: without(root, "solutions/week2_small/double.py"),
        [f"{COURSE}: week2.modules", "solutions/week2_small/double.py", "Write this reference"],
    ),
    "a marker of a gap that is wrong": (
        lambda root: edit(
            root / "solutions/week2_small/double.py",
            "    return 2.0 * x\n    # END SOLUTION",
            "    return 2.0 * x",
        ),
        ["double.py:", "is still open here"],
    ),
    "an unknown data set": (
        lambda root: edit(root / COURSE, "[week.limits]", 'data = "mnits"\n[week.limits]'),
        [f"{COURSE}: week2.data: there is no data set 'mnits'", "Choose one of these: digits"],
    ),
    "a data set without settings": (
        lambda root: edit(root / COURSE, "[week.limits]", 'data = "digits"\n[week.limits]'),
        ["assignments/grading.toml: training.digits", "Add this table"],
    ),
    "a catalogue that is no TOML": (
        lambda root: edit(root / CATALOGUE, "[[misconception]]", "[[misconception"),
        [CATALOGUE, "not valid TOML"],
    ),
    "a misconception without its text": (
        lambda root: edit(root / CATALOGUE, "says =", "tells ="),
        [CATALOGUE, "'double-squares'", "`says`: field required"],
    ),
    "a misconception that has no place": (
        lambda root: edit(root / CATALOGUE, '"2.0 * x"', '"2.5 * x"'),
        [CATALOGUE, "'double-squares'", "`replace` stands 0 times in double", "correct it"],
    ),
    "a misconception of an unknown item": (
        lambda root: edit(root / CATALOGUE, '["week2.double"]', '["week2.dubble"]'),
        [CATALOGUE, "'double-squares'", "unknown items: week2.dubble"],
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_mistake_of_an_author_is_named_on_the_terminal(
    course: Path, submissions: Path, tmp_path: Path, name: str
) -> None:
    spoil, parts = SPOILED[name]
    spoil(course)
    arguments = ("--submissions", submissions, "--out", tmp_path / "out", "--jobs", 1)
    done = run(course, "grade", *arguments, "--unconfined")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.startswith("autograder: ")
    assert len(done.stderr.splitlines()) <= 4
    for part in parts:
        assert part in done.stderr
    if (tmp_path / "out" / "gradebook.sqlite").exists():
        with Gradebook.open(tmp_path / "out" / "gradebook.sqlite") as gradebook:
            assert gradebook.students() == [], "nothing was graded by a suite that is wrong"


# The command line itself.


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "--students", "1", "--week", "1", "--out"),
        ("release", "--out"),
        ("notebooks", "--out"),
        ("hand-in", "--out"),
        ("export", "gradescope-zip", "--out"),
        ("hook", "status", "--out"),
        ("hook", "serve", "--now", "--out"),
        ("hook", "release", "--out"),
        ("gradescope", "run", "--base"),
        ("class", "init", "--to"),
        ("export", "csv", "--grades"),
        ("status", "--grades"),
        ("formgrader", "--out"),
    ],
)
def test_every_command_says_in_a_line_that_a_file_is_in_its_way(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(SystemExit) as ended:
        command_line.main([*arguments, str(file / "below")])
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("autograder: ")
    assert str(file) in line
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **others: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(command_line, "app", fails)
    with pytest.raises(LookupError):
        command_line.main([])


def test_a_students_tree_offers_the_students_commands_alone(course: Path) -> None:
    main = course / "autograder" / "author" / "release_files" / "main.py"
    # Its files are links to the real ones: the link has to go, or the real one is written over.
    (course / "autograder" / "__main__.py").unlink()
    shutil.copyfile(main, course / "autograder" / "__main__.py")
    text = run(course, "--help").stdout
    offered = {name for name in ("check", "ci", "hand-in", "export") if f" {name} " in text}
    assert offered == {"check", "ci", "hand-in", "export"}
    for name in (
        "grade",
        "gpu",
        "formgrader",
        "stubs",
        "release",
        "doctor",
        "status",
        "hook",
        "gradescope",
    ):
        assert f" {name} " not in text
    text = run(course, "export", "--help").stdout
    assert "classroom50" in text
    assert "canvas" not in text
