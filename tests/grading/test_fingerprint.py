"""What a week's results depend on: all that can change them, and nothing else."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course import Course
from autograder.grading import fingerprint, source_digest
from autograder.grading.fingerprint import HOME, code, digest, parts_of_week
from benchmarks.what_reruns import CHANGES, Change, copy_repository, depends, run_again
from tests.rubrics import with_items

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository, for edits."""
    root = tmp_path_factory.mktemp("repository")
    copy_repository(root)
    return root


@pytest.fixture(scope="module")
def before(copy: Path) -> dict[str, dict[str, str]]:
    return depends(copy)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_what_a_change_runs_again(copy: Path, before: dict, change: Change) -> None:
    again, said = run_again(copy, change, before)
    assert again == change.again
    assert bool(said) == bool(again)
    name = Path(change.file).name
    if name.endswith(".py") and again:
        assert f"({name}" in said or f"/{name}" in said, "the reason names the file"


@pytest.fixture(scope="module")
def course() -> Course:
    return courses.load(ROOT)


def test_data_and_confinement_are_parts(course: Course, tmp_path: Path, monkeypatch) -> None:
    week = course.week(1)
    digits = parts_of_week(ROOT, course, week, "A", "digits")
    assert digits != parts_of_week(ROOT, course, week, "B", "digits")
    assert digits != parts_of_week(ROOT, course, week, "A", None)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    seen = set()
    for content in (None, b"one", b"another"):
        if content is not None:
            (tmp_path / "mnist.npz").write_bytes(content)
        seen.add(digest(parts_of_week(ROOT, course, week, "A", "mnist")))
    assert len(seen) == 3


def test_the_salt_cannot_be_read_from_the_parts(course: Course) -> None:
    parts = parts_of_week(ROOT, course, course.week(1), "A", "digits")
    assert course.salt
    assert course.salt not in json.dumps(parts)


def test_texts_and_lines_do_not_count_and_everything_else_does(tmp_path: Path) -> None:
    file = tmp_path / "x.py"

    def digest_of(source: str) -> str:
        file.write_text(source)
        return fingerprint.contents({"x": file})["x"]

    plain = 'def f(x):\n    return x + "text"\n'
    same = [
        '"""A module."""\n' + plain,
        "# A comment.\n\n\n" + plain,
        'def f(x):\n    """A docstring."""\n    return x + "text"  # more\n',
        'def f(x):\n    "text"\n    return (\n        x + "text"\n    )\n',
    ]
    other = [
        'def f(x):\n    return x + "texts"\n',
        'def f(x):\n    return x - "text"\n',
        'def f(x: int):\n    return x + "text"\n',
        plain + "y = 1\n",
        'def f(x):\n    return f"{x}text"\n',
    ]
    assert {digest_of(source) for source in same} == {digest_of(plain)}
    assert len({digest_of(source) for source in [plain, *other]}) == 1 + len(other)
    # A file that may look at its own texts is taken as it is written.
    reader = plain + "print(__doc__)\n"
    assert digest_of(reader) != digest_of("# A comment.\n" + reader)
    assert digest_of("not Python (") != digest_of("not Python, either (")


def test_a_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    seen = []
    for text in ("x = 1", "x = 2", "x = 1 # as before"):
        file.write_text(text)
        seen.append(fingerprint.contents({"x": file})["x"])
    assert seen[0] == seen[2] != seen[1]


EVERYWHERE = """
y = 1
if False:
    import autograder.n0
else:
    import autograder.n1
try:
    import autograder.n2
except ImportError:
    import autograder.n3
else:
    import autograder.n4
finally:
    import autograder.n5
match y:
    case 1:
        from autograder import n6
class C:
    with open(y) as f:
        async def g(self):
            while True:
                import autograder.n7
            else:
                "a text"
                import autograder.n8
"""


def test_every_block_of_statements_is_looked_at() -> None:
    """As a walk over all nodes would: imports and texts stand in statements alone."""
    for path in [*sorted((ROOT / "autograder").rglob("*.py")), None]:
        tree = ast.parse(path.read_bytes() if path else EVERYWHERE)
        walked = {node for node in ast.walk(tree) if isinstance(node, ast.stmt)}
        assert {one for block in source_digest._blocks(tree) for one in block} == walked, path


def test_imports_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    files = {
        "autograder/__init__.py": "",
        "autograder/start.py": "def f():\n    from autograder.a import deep\n    import numpy\n",
        "autograder/a/__init__.py": "from .b import x\n",
        "autograder/a/b.py": "from . import c\nfrom ..d import y as x\n",
        "autograder/a/c.py": "",
        "autograder/a/deep.py": "import data.tables\n",
        "autograder/a/unused.py": "import autograder.e\n",
        "autograder/a/numbers.json": "[1]",
        "autograder/a/README.md": "",
        "autograder/d.py": EVERYWHERE,
        **{f"autograder/n{n}.py": "" for n in range(9)},
        "autograder/e.py": "",
        "autograder/room/__init__.py": "",
        "autograder/room/whole.py": "from autograder import from_the_room\n",
        "autograder/from_the_room.py": "",
        "data/__init__.py": "",
        "data/tables.py": "",
        "week/test_it.py": "from autograder.f import helper\n",
        "autograder/f.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = code(
        tmp_path, ["autograder.start"], ["autograder/room"], [tmp_path / "week/test_it.py"]
    )
    left_out = {
        "autograder/a/unused.py",
        "autograder/a/README.md",
        "autograder/e.py",
        "week/test_it.py",
    }
    assert found.keys() == {f"code: {name}" for name in files.keys() - left_out}


def test_a_week_file_from_beside_is_followed(copy: Path, before: dict) -> None:
    """Tests import helpers by relative names, of other weeks too: they are parts of the week."""
    helper = copy / "assignments/shared_helper.py"
    test = copy / "assignments/week2_autograd/hidden/test_matmul.py"
    old = test.read_text()
    try:
        test.write_text(old + "\nfrom ... import shared_helper\n")
        helper.write_text("x = 1\n")
        one = depends(copy)
        helper.write_text("x = 2\n")
        other = depends(copy)
    finally:
        test.write_text(old)
        helper.unlink()
    assert {name for name in one if one[name] != other[name]} == {"week2"}


LOADED = """
import sys
from pathlib import Path
from autograder import course as courses
from autograder.grading.examiner import Examiner
from autograder.sandbox import Unconfined

number = int(sys.argv[1])
examiner = Examiner(Path.cwd(), number, Unconfined(), "digits" if number < 3 else None)
examiner.fingerprint
before = set(sys.modules)
examined = examiner.examine(examiner.reference)
assert {str(result.verdict) for result in examined.results} == {"pass"}, examined.results
right = examiner.reference.items()
examiner.examine({name: source.replace(b"return", b"return 1 +") for name, source in right})
print(*(f"code: {Path(module.__file__).relative_to(Path.cwd()).as_posix()}"
    for name, module in list(sys.modules.items())
    if name.partition(".")[0] in ("autograder", "data") and getattr(module, "__file__", None)
    and Path(module.__file__).is_relative_to(Path.cwd() / name.partition(".")[0])), sep="\\n")
examiner.close()
"""


@pytest.mark.prove
def test_no_module_is_loaded_that_is_no_part(course: Course) -> None:
    """The proof of the static look: a whole examination, and what it has loaded by then."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED, "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines())
    parts = parts_of_week(ROOT, course, course.week(2), "D", "digits")
    assert "code: autograder/grading/examiner.py" in loaded
    of_keys = {
        "code: autograder/grading/fingerprint.py",
        "code: autograder/grading/source_digest.py",
        "code: autograder/gradebook/submission.py",
    }
    assert loaded - parts.keys() <= of_keys


def _parts_that_are_code(course: Course) -> Iterator[Path]:
    parts = parts_of_week(ROOT, course, course.week(1), "A", "digits")
    for name in parts:
        if name.startswith("code: ") and name.endswith(".py"):
            yield HOME / name.removeprefix("code: ")


def test_nothing_is_imported_by_a_name_that_is_made_up_outside_sandboxes(course: Course) -> None:
    """Else the static look would miss it. What sandboxes hold counts whole."""
    for path in _parts_that_are_code(course):
        if path.relative_to(HOME).as_posix().startswith(fingerprint.IN_SANDBOXES):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called.rpartition(".")[2] not in ("import_module", "__import__"), path
                assert called not in ("exec", "eval", "runpy.run_path"), path


def test_no_part_reads_sources_of_ours(course: Course) -> None:
    """Comments and docstrings don't count because nothing can see them."""
    for path in _parts_that_are_code(course):
        source = path.read_text()
        if path.name == "fingerprint.py":
            continue
        for reader in ("getsource", "getdoc", "getcomments", "linecache"):
            assert reader not in source, path
        if "__doc__" in source:
            assert path.name == "collected_test.py", f"{path}: of tests only, for their titles"


def test_what_students_of_other_weeks_see_is_no_part(course: Course) -> None:
    for week in course.weeks:
        parts = parts_of_week(ROOT, course, week, "A", None)
        hidden = {name for name in parts if name.startswith("hidden tests: test_")}
        assert hidden, week.id
        rooms = {name.split("/")[1] for name in parts if name.startswith("code: autograder/")}
        assert not rooms & {"commands", "integrations", "report"}
        # What a week's answers depend on: where a course's data lies, which helpers are imported.
        allowed = {"gradebook": {"flags.py", "looked_up.py"}, "intake": {"imports.py"}}
        for room, names in allowed.items():
            folder = f"code: autograder/{room}/"
            found = {name.removeprefix(folder) for name in parts if name.startswith(folder)}
            assert found <= {"__init__.py", *names}, room


def test_which_items_a_week_has_is_a_part_and_what_they_are_worth_is_not(course: Course) -> None:
    """Without an item for quality the plan has no checks of it: a key must change with the plan."""
    week = course.week(2)
    before = parts_of_week(ROOT, course, week, "A", "digits")

    fewer = with_items(course, lambda item: None if item.id == "week2.quality" else item)
    assert parts_of_week(ROOT, fewer, week, "A", "digits") != before
    dearer = with_items(course, lambda item: item.model_copy(update={"points": item.points + 100}))
    assert parts_of_week(ROOT, dearer, week, "A", "digits") == before


@pytest.fixture
def store(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """An empty store of what source files say."""
    monkeypatch.setattr(source_digest, "STORE", tmp_path / "cache" / "store.json")
    forget()
    yield tmp_path / "cache" / "store.json"
    forget()


def forget() -> None:
    source_digest._known.cache_clear()
    source_digest._read_state.cache_clear()


def test_what_files_say_is_kept_for_later_processes(course, store, monkeypatch) -> None:
    week = course.week(1)
    first = parts_of_week(ROOT, course, week, "A", None)
    forget()

    def dump(tree):
        raise AssertionError("a tree was read that is known")

    monkeypatch.setattr(source_digest.ast, "dump", dump)
    assert parts_of_week(ROOT, course, week, "A", None) == first


@pytest.mark.parametrize("content", ["", "[]", '{"by": "", "known": {}}', '{"known": {"a": 3}}'])
def test_a_store_that_cannot_be_used_is_none(course, store, content) -> None:
    week = course.week(1)
    first = parts_of_week(ROOT, course, week, "A", None)
    written = json.loads(store.read_text())
    forget()
    store.write_text(content.replace('"known": {"a"', f'"by": "{written["by"]}", "known": {{"a"'))
    assert parts_of_week(ROOT, course, week, "A", None) == first
    assert json.loads(store.read_text()) == written


def test_without_a_place_for_the_store_nothing_is_lost(course, store) -> None:
    week = course.week(1)
    first = parts_of_week(ROOT, course, week, "A", None)
    forget()
    store.unlink()
    store.parent.rmdir()
    store.parent.write_text("a file")
    assert parts_of_week(ROOT, course, week, "A", None) == first
