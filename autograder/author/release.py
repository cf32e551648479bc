"""The tree that students get: built from an allow-list, searched for leaks, then put in place."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from autograder.author import analyses, handout_pages
from autograder.author.folders import folder_in_place_of
from autograder.author.release_gate import find_all_leaks
from autograder.course import COURSE_FILE, RUBRIC_FILE, Course, Week, load
from autograder.course.hints import HINTS_FILE
from autograder.errors import AuthorError
from autograder.grading.public_suite import shipped_facts
from autograder.reference.gaps import stub_of
from autograder.reference.percent_source import notebook_of, text_of
from autograder.suite.week_worker import worker_of

MARKER_FILE = ".release"
FAULTS = "faults.toml"
"""What `check` tries students' own tests on, beside the public tests."""

FILES = Path("autograder/author/release_files")
MANUAL = "assignments/MANUAL.md"

# Patterns of files that are shipped unchanged; no others are. `*` does not match subfolders.
SHIPPED = (
    COURSE_FILE,
    RUBRIC_FILE,
    MANUAL,
    "pyproject.toml",
    "requirements-torch.txt",
    "requirements-jupyter.txt",
    "notebooks/analyses/workbench.py",
    "data/*.py",
    "data/*.npz",
    "autograder/__init__.py",
    "autograder/errors.py",
    "autograder/records.py",
)

# Packages of the autograder that are shipped: their Python files, without subpackages.
ROOMS = (
    "channel",
    "course",
    "notebooks",
    "results",
    "students",
    "students/ci",
    "suite",
    "text",
    "wire",
    "worker",
)

# Files for students only: file in release_files -> file in their tree.
STUDENTS_OWN = {
    "README.md": "README.md",
    "Makefile": "Makefile",
    "gitignore": ".gitignore",
    "gitlab-ci.yml": ".gitlab-ci.yml",
    "grade.yml": ".github/workflows/grade.yml",
    "pytest.ini": "pytest.ini",
    "conftest.py": "conftest.py",
    "main.py": "autograder/__main__.py",
    "check.py": "check.py",
    "checking.py": "autograder/course/checking.py",
    "requirements.txt": "requirements.txt",
    "devcontainer.json": ".devcontainer/devcontainer.json",
    "vscode.json": ".vscode/settings.json",
}

WEEK_CHECK = "week_check.py"
"""The file in release_files that is each week's check.py."""

COLAB, NO_ADDRESS = "colab", 'ADDRESS = ""'
"""The notebook for Colab, and what it says where it isn't known where the tree will lie."""


class ReleaseError(AuthorError):
    """The students' tree can't be built, or would give something away. Nothing was written."""


def build_release(root: Path, out: Path, address: str = "") -> list[str]:
    """Write the students' tree into the folder `out`; return its files' paths, sorted.

    `address` is where students get the tree from, a .zip or a git repository; the notebook for
    Colab fetches it there.

    Stubs of all weeks are made afresh from the solutions. An earlier release in `out` is replaced,
    a `.git` folder in it is kept. Raises ReleaseError if `out` holds anything else, if a listed
    file is missing, or if anything of what students must not see is found in the tree; `out` is
    then as it was before.
    """
    out = out.resolve()
    if out.exists() and not _replaceable(out):
        raise ReleaseError(
            f"{out} holds something that is not an earlier release; name an empty or new folder"
        )
    course = load(root)
    with folder_in_place_of(out) as tree:
        _copy_shipped(course, root, tree)
        for week in course.weeks:
            _write_week(course, week, root, tree)
        handout_pages.write_beside(tree, course)
        for source in analyses.sources(root, {week.id for week in course.left_out}):
            notebook = analyses.notebook_from(source)
            _write(tree / analyses.FOLDER / f"{source.stem}.ipynb", text_of(notebook))
        for name, target in STUDENTS_OWN.items():
            _copy(root / FILES / name, tree / target)
        _write(tree / f"{COLAB}.ipynb", colab_notebook(root, address))
        for name in ("README.md", MANUAL):
            _write(tree / name, _without_rows_of_absent(tree / name))
        leaks = find_all_leaks(course, root, tree)
        if leaks:
            raise ReleaseError("the students' tree would give away:\n" + "\n".join(leaks))
        _write(tree / MARKER_FILE, f"{course.title}: made by `make release`.\n")
        if (out / ".git").exists():
            shutil.copytree(out / ".git", tree / ".git", symlinks=True)
    files = (path.relative_to(out) for path in out.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in files if path.parts[0] != ".git")


def _without_rows_of_absent(page: Path) -> str:
    """Return a page without the table rows that link to a week that the course leaves out."""
    lines = page.read_text("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not _is_row_of_absent(line, page.parent))


def _is_row_of_absent(line: str, folder: Path) -> bool:
    links = re.findall(r"\]\(([^)#]+)", line) if line.startswith("|") else []
    return any(not (folder / link).exists() for link in links)


def colab_notebook(root: Path, address: str) -> str:
    """Return the notebook that fetches the tree from an address, and checks from a cell."""
    source = (root / FILES / f"{COLAB}.py").read_text("utf-8")
    known = source.replace(NO_ADDRESS, f"ADDRESS = {json.dumps(address)}")
    return text_of(notebook_of(known, f"{COLAB}.py"))


def _replaceable(out: Path) -> bool:
    return out.is_dir() and ((out / MARKER_FILE).is_file() or not any(out.iterdir()))


def _copy_shipped(course: Course, root: Path, tree: Path) -> None:
    patterns = [*SHIPPED, *(f"autograder/{room}/*.py" for room in ROOMS)]
    for week in course.weeks:
        folder = root / "assignments" / week.folder
        # Documents such as photographs have no template.
        names = [name for names in week.documents for name in names if not week.notebook(name)]
        documents = [name for name in names if (folder / name).is_file()]
        for name in (handout_pages.handout_of(week), "tests/*.py", *week.given, *documents):
            patterns.append(f"assignments/{week.folder}/{name}")
        patterns += [f"assignments/{name}/**/*.py" for name in worker_of(root, week).names]
        if (folder / HINTS_FILE).is_file():
            patterns.append(f"assignments/{week.folder}/{HINTS_FILE}")
        if (folder / handout_pages.PICTURES).is_dir():
            patterns.append(f"assignments/{week.folder}/{handout_pages.PICTURES}/*")
        if (folder / "tests" / FAULTS).is_file():
            patterns.append(f"assignments/{week.folder}/tests/{FAULTS}")
        if (folder / "suite_tools").is_dir():
            patterns.append(f"assignments/{week.folder}/suite_tools/*.py")
        if (folder / "reading").is_dir():
            patterns.append(f"assignments/{week.folder}/reading/*.md")
    for pattern in patterns:
        found = [path for path in sorted(root.glob(pattern)) if path.is_file()]
        if not found:
            raise ReleaseError(f"{pattern} is to be shipped, but {root} has no such file")
        for path in found:
            _copy(path, tree / path.relative_to(root))


def _write_week(course: Course, week: Week, root: Path, tree: Path) -> None:
    """Write a week's stubs, and the known wrong values that explain its public suite's failures."""
    target = tree / "assignments" / week.folder
    points = {item.id: item.points for item in course.items()}
    for name in week.modules:
        source = f"solutions/{week.folder}/{name}"
        if not (root / source).is_file():
            raise ReleaseError(f"{source}, which {name} is made from, is missing")
        file, text = stub_of(root, week, name, points)
        _write(target / file, text)
    _copy(root / FILES / WEEK_CHECK, target / "check.py")
    known = json.dumps(shipped_facts(root, course, week), indent=1, sort_keys=True)
    _write(target / "tests" / "diagnosis.json", known + "\n")


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        raise ReleaseError(f"{source} is a link; only plain files are shipped")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    shutil.copymode(source, target)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
