"""The zip file that an instructor uploads to Gradescope: two scripts and the files they need.

It is built from an allow-list. The same repository gives the same bytes.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

from autograder.course import COURSE_FILE, GRADING_FILE, RUBRIC_FILE, Week, load
from autograder.errors import OutputError
from autograder.integrations.gradescope.results import Visibility
from autograder.suite.week_worker import worker_of
from autograder.text.files import write_bytes

FILES = Path("autograder/integrations/gradescope/container")
SCRIPTS = ("setup.sh", "run_autograder")

# Only files that match a pattern are packed; `*` stays in its folder, `**` doesn't.
COMMON_PATTERNS = (
    COURSE_FILE,
    GRADING_FILE,
    "autograder/**/*.py",
    RUBRIC_FILE,
    "data/*.py",
    "data/*.npz",
    "pyproject.toml",
    "requirements.txt",
    "requirements-torch.txt",
    "scripts/setup.sh",
)
WEEK_PATTERNS = (
    "assignments/{}/hidden/**/*.py",
    "assignments/{}/hidden/**/*.toml",
    "assignments/{}/hidden/**/*.npz",
    "assignments/{}/suite_tools/**/*.py",
    "solutions/{}/**/*.py",
    "solutions/{}/**/*.toml",
)
FILE_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every file: the earliest that a zip file can have."""


class ZipError(OutputError):
    """The zip file can't be built: what is wrong, and what to do. Nothing was written."""


def write_zip(
    root: Path,
    out: Path,
    only: int | None = None,
    visibility: Visibility = Visibility.VISIBLE,
    late: bool = False,
) -> list[str]:
    """Write the zip file `out` and return the names of the files in it, sorted.

    `only` is the number of the one week to grade; otherwise all weeks are graded that have a hidden
    suite and need nothing on top of numpy. Raises CourseError for a week that doesn't exist, and
    ZipError where a file that must be packed is missing or a link, or `out` can't be written.
    """
    course = load(root)
    weeks = [week for week in course.weeks if not week.packages and _suite(root, week).is_dir()]
    if only is not None:
        weeks = [course.week(only)]
    # A week's folder may lie in another's.
    everything = (*course.weeks, *course.left_out)
    others = [Path(week.folder) for week in everything if week not in weeks]
    paths = dict(_files(root, weeks, others))
    contents = {name: path.read_bytes() for name, path in paths.items()}
    options = [f"--visibility={visibility.value}"]
    options += [f"--week={weeks[0].id}"] if only is not None else []
    options += ["--late"] if late else []
    needs = "torch" if any(week.packages for week in weeks) else "core"
    replacements = (
        ("NEEDS=core ", f"NEEDS={needs} "),
        ("OPTIONS=() ", f"OPTIONS=({' '.join(options)}) "),
    )
    for name, (old, new) in zip(SCRIPTS, replacements, strict=True):
        text = _source(root, FILES / name).read_text("utf-8")
        if text.count(old) != 1:
            raise ZipError(f"{FILES / name} has no line with {old.strip()!r} to be filled in.")
        contents[name] = text.replace(old, new).encode()
    try:
        write_bytes(out, _packed(contents))
    except OSError as error:
        raise ZipError(f"{out} can't be written: {error.strerror}.") from error
    return sorted(contents)


def _suite(root: Path, week: Week) -> Path:
    return root / "assignments" / week.folder / "hidden"


def _files(
    root: Path, weeks: Collection[Week], others: Collection[Path]
) -> Iterator[tuple[str, Path]]:
    of_weeks = (pattern.format(week.folder) for week in weeks for pattern in WEEK_PATTERNS)
    workers = {name for week in weeks for name in worker_of(root, week).names}
    # A week's worker files may lie in another week's folder.
    shared = {f"assignments/{name}/**/*.py" for name in workers}
    # What students begin with tells what was not handed in.
    starter = [f"assignments/{week.folder}/{name}" for week in weeks for name in week.files]
    patterns = [*COMMON_PATTERNS, *of_weeks, *sorted(shared), *starter]
    required = {*COMMON_PATTERNS, *(f"solutions/{week.folder}/**/*.py" for week in weeks)}
    for pattern in patterns:
        paths = [path for path in sorted(root.glob(pattern)) if path.is_file()]
        if not paths and pattern in required:
            raise ZipError(f"{pattern} belongs into the zip file, but {root} has no such file.")
        for path in paths:
            name = path.relative_to(root)
            is_hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
            foreign = any(map(Path(*name.parts[1:]).is_relative_to, others))
            if not is_hidden and not (foreign and pattern not in shared):
                yield name.as_posix(), _source(root, name)


def _source(root: Path, name: Path) -> Path:
    """Return the path of a file to be packed. Raises ZipError where it is missing or a link."""
    path = root / name
    if any((root / part).is_symlink() for part in (name, *name.parents)):
        raise ZipError(f"{name} is a link; only plain files are packed.")
    if not path.is_file():
        raise ZipError(f"{name} belongs into the zip file, but {root} has no such file.")
    return path


def _packed(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(contents.items()):
            info = zipfile.ZipInfo(name, FILE_TIME)
            info.create_system = 3  # Unix, whose permissions follow
            runs = content.startswith(b"#!")
            info.external_attr = (stat.S_IFREG | (0o755 if runs else 0o644)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()
