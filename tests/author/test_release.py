"""The students' tree: all they need, and nothing of what they must not see."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

from autograder.author import release
from autograder.author.release import ReleaseError, build_release
from autograder.author.release_gate import find_all_leaks
from autograder.course import Week, load
from autograder.grading import public_suite
from autograder.reference.gaps import Gap, find_gaps, render, stub_of
from autograder.reference.misconceptions import load as load_catalogue
from autograder.reference.percent_source import notebook_of, text_of

ROOT = Path(__file__).parents[2]
COURSE = load(ROOT)
POINTS = {item.id: item.points for item in COURSE.items()}
WEEK = COURSE.week(1)
SOLUTION = ROOT / "solutions" / WEEK.folder
FOLDER = f"assignments/{WEEK.folder}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One release for the tests that only look at it."""
    out = tmp_path_factory.mktemp("release") / "students"
    build_release(ROOT, out)
    return out


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A students' tree with the stubs alone, to plant leaks in."""
    for week in COURSE.weeks:
        for name in week.modules:
            file, text = stub_of(ROOT, week, name, POINTS)
            path = tmp_path / "assignments" / week.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return tmp_path


def solved(week: Week, name: str) -> str:
    return (ROOT / "solutions" / week.folder / name).read_text("utf-8")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the replay of all wrong answers, which takes seconds, where it does not matter."""
    monkeypatch.setattr(public_suite, "public_catalogue", lambda root, course, week: {})


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in a students' tree as a student would, with this interpreter."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)


def unbroken(text: str) -> str:
    """Return what a command printed, its long lines put together again."""
    return re.sub(r"\n {4,}(?=\S)", " ", text)


def test_a_tree_of_stubs_gives_nothing_away(tree: Path) -> None:
    assert find_all_leaks(COURSE, ROOT, tree) == []


def longest_secret() -> str:
    """Return the longest line of the gaps of the week's first module."""
    source = (SOLUTION / WEEK.modules[0]).read_text("utf-8")
    lines = source.split("\n")
    gaps = find_gaps(source, "x")
    return max((line.strip() for g in gaps for line in lines[g.first : g.last - 1]), key=len)


def hidden_suite() -> Path:
    return sorted((ROOT / FOLDER / "hidden").glob("test_*.py"))[0]


def filled_in(name: str, other: str) -> str:
    """Return one function of the week's losses.py as it is in the solution, renamed."""
    tree = ast.parse(solved(WEEK, "losses.py"))
    (function,) = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name)
    function.name = other
    return ast.unparse(function) + "\n"


def renamed(source: str) -> str:
    """Rename the tests of a module and add a comment, so that it is no plain copy."""
    return re.sub(r"def test_(\w+)", r"def test_other_\1", source) + "# mine\n"


def notebook(fill: Callable[[Gap], bool]) -> str:
    """Return the notebook of the derivations; gaps that `fill` picks hold the solution."""
    text = render(solved(WEEK, "derivations.py"), "derivations.py", lambda gap: not fill(gap))
    return text_of(notebook_of(text, "derivations.py", POINTS))


def with_cell(kind: str, source: str) -> str:
    """Return the students' notebook of the derivations with one more cell."""
    made = json.loads(notebook(lambda gap: False))
    cell = {"cell_type": kind, "id": "more", "metadata": {}, "source": source.splitlines(True)}
    made["cells"].append(
        cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
    )
    return json.dumps(made)


LEAKS: dict[str, tuple[str, Callable[[], str], str]] = {
    "a solution in a stub's place": (
        f"{FOLDER}/{WEEK.modules[0]}",
        lambda: (SOLUTION / WEEK.modules[0]).read_text("utf-8"),
        "solution marker",
    ),
    "a solution without its markers": (
        f"{FOLDER}/{WEEK.modules[0]}",
        lambda: re.sub(
            r" *# (BEGIN|END) SOLUTION.*\n", "", (SOLUTION / WEEK.modules[0]).read_text("utf-8")
        ),
        "from a gap",
    ),
    "a copy of a solution": (
        "notes/backup.txt",
        lambda: (SOLUTION / WEEK.modules[1]).read_text("utf-8"),
        f"a copy of solutions/{WEEK.folder}/{WEEK.modules[1]}",
    ),
    "one line of a solution": ("hints.md", lambda: f"Try `{longest_secret()}`.", "the gap at line"),
    "a function with its gap filled in, under another name": (
        f"assignments/{COURSE.weeks[-1].folder}/helpers.py",
        lambda: filled_in("_one_hot", "encode"),
        "a solved CrossEntropyLoss._one_hot of losses.py",
    ),
    "a notebook with its functions filled in": (
        f"{FOLDER}/derivations.ipynb",
        lambda: notebook(lambda gap: bool(gap.statements)),
        "from a gap",
    ),
    "a notebook with what has to be written": (
        f"{FOLDER}/derivations.ipynb",
        lambda: notebook(lambda gap: not gap.statements),
        "from derivations.py, the gap at line",
    ),
    "a marker in a notebook, where JSON breaks the lines": (
        f"{FOLDER}/derivations.ipynb",
        lambda: with_cell("markdown", "BEGIN\nSOLUTION"),
        "a solution marker",
    ),
    "a solved function in a notebook of another name": (
        "notebooks/scratch.ipynb",
        lambda: with_cell("code", filled_in("_one_hot", "encode")),
        "a solved CrossEntropyLoss._one_hot of losses.py",
    ),
    "hidden tests in a notebook": (
        "notebooks/scratch.ipynb",
        lambda: with_cell("code", renamed(hidden_suite().read_text("utf-8"))),
        "the hidden test_",
    ),
    "a marker": ("hints.md", lambda: "# END  solution", "a solution marker"),
    "a hidden suite": (
        f"{FOLDER}/hidden/test_x.py",
        lambda: "x = 1\n",
        "a file of an instructor's folder",
    ),
    "a copy of a hidden suite": (
        f"{FOLDER}/tests/test_more.py",
        lambda: hidden_suite().read_text("utf-8"),
        "a copy of assignments/",
    ),
    "hidden tests under other names": (
        f"{FOLDER}/tests/test_more.py",
        lambda: renamed(hidden_suite().read_text("utf-8")),
        "the hidden test_",
    ),
    "a catalogue": ("misconceptions-1.json", lambda: "{}", "a file for instructors alone"),
    "an edit of the catalogue": (
        "hints.md",
        lambda: max((e.by for e in load_catalogue(SOLUTION)), key=len),
        "from misconception",
    ),
    "an explanation of the catalogue": (
        f"{FOLDER}/tests/diagnosis.json",
        lambda: json.dumps({"says": max((e.says for e in load_catalogue(SOLUTION)), key=len)}),
        "from misconception",
    ),
    "a formula that a derivation asks for, in a handout": (
        f"{FOLDER}/README.md",
        lambda: r"so $\frac{d\sigma}{dx} = \sigma\,(1 - \sigma)$",
        "which week1.derive_sigmoid asks for",
    ),
    "a formula in a docstring of a test": (
        f"{FOLDER}/tests/test_more.py",
        lambda: '"""The slope is y * (1.0 -\n    y), from the output."""\n',
        "which week1.derive_sigmoid asks for",
    ),
    "a formula in the code of a later week": (
        f"assignments/{COURSE.weeks[-1].folder}/tests/test_more.py",
        lambda: "expected = UPSTREAM * (1-np.tanh(x)**2)\n",
        "which week1.derive_tanh asks for",
    ),
    "a formula in a notebook": (
        "notebooks/scratch.ipynb",
        lambda: with_cell("markdown", "The Jacobian is $y_i (\\delta_{ij} - y_j)$."),
        "which week1.derive_cross_entropy asks for",
    ),
    "a list of what is watched": (
        "assignments/course.toml",
        lambda: (
            'n = ["sys._getframe", "sys.settrace", "inspect.stack", "os.spawnv", "unittest.mock"]'
        ),
        "names what is watched",
    ),
    "such a list in a module": (
        "autograder/students/notes.py",
        lambda: (
            "N = ('sys._getframe', 'sys.settrace', 'inspect.stack', 'unittest.mock', 'marshal.x',"
            " 'gc.get_objects')\n"
        ),
        "names what is watched",
    ),
    "the grading settings": ("assignments/grading.toml", lambda: "", "a file for instructors"),
    "a word about what watches": (
        "autograder/students/notes.py",
        lambda: '"""What is Watched."""\n',
        "line 1: 'Watched' is about watched names",
    ),
    "a flag": ("scripts/setup.sh", lambda: "\n# raises flags\n", "line 2: 'flags' is about flags"),
    "what confines": (
        "assignments/course.toml",
        lambda: "# Seccomp",
        "'Seccomp' is about system call filters",
    ),
    "the salt": ("notes.md", lambda: f"salt: {COURSE.salt}", "from the salt"),
}


@pytest.mark.prove
@pytest.mark.parametrize("case", LEAKS)
def test_the_gate_finds(tree: Path, case: str) -> None:
    name, content, message = LEAKS[case]
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text(content(), "utf-8")
    found = find_all_leaks(COURSE, ROOT, tree)
    assert any(leak.startswith(name) and message in leak for leak in found), found


def test_the_gate_finds_a_missing_stub(tree: Path) -> None:
    (tree / FOLDER / WEEK.modules[0]).unlink()
    (leak,) = find_all_leaks(COURSE, ROOT, tree)
    assert "is missing from the tree" in leak


def test_the_tree_holds_what_students_need(built: Path) -> None:
    for week in COURSE.weeks:
        folder = Path("assignments") / week.folder
        for name in week.modules:
            file, text = stub_of(ROOT, week, name, POINTS)
            assert (built / folder / file).read_text("utf-8") == text
        templates = [n for ns in week.documents for n in ns if (ROOT / folder / n).is_file()]
        for name in (*templates, *week.given, "README.md"):
            assert (built / folder / name).read_bytes() == (ROOT / folder / name).read_bytes()
        suite = sorted((ROOT / folder / "tests").glob("*.py"))
        assert suite
        for path in suite:
            assert (built / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
        known = json.loads((built / folder / "tests" / "diagnosis.json").read_text("utf-8"))
        assert known["hidden_tests"] > 0
        assert known["wrong_answers"]
        python = {path.name for path in (ROOT / folder).glob("*.py")} | {"check.py"}
        assert {path.name for path in (built / folder).glob("*.py")} == python
    assert load(built).weeks == COURSE.weeks
    assert os.access(built / "Makefile", os.R_OK)


def test_the_tree_holds_nothing_for_instructors(built: Path) -> None:
    assert find_all_leaks(COURSE, ROOT, built) == []
    names = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    rooms = {name.split("/")[1] for name in names if re.match("autograder/.*/", name)}
    assert rooms == {room.partition("/")[0] for room in release.ROOMS}
    for folder in ("suite/hidden", "worker/sandboxed", "sandbox", "grading", "gradebook"):
        assert (ROOT / "autograder" / folder).is_dir()
        assert not (built / "autograder" / folder).exists()
    assert not {name for name in names if name.startswith(("solutions/", "tests/", "benchmarks/"))}
    assert load(built).salt == ""


MOST_LINES = 10_000
"""It was 7,300 until one task, pytest, a debugger, three operating systems, hints, and a word on a
student's own tests were asked for."""


def test_the_trees_autograder_is_small(built: Path) -> None:
    files = sorted((built / "autograder").rglob("*.py"))
    assert sum(len(path.read_text("utf-8").splitlines()) for path in files) <= MOST_LINES


def imported(path: Path, tree: Path) -> Iterator[str]:
    """Yield the full names of our own modules that a module imports, anywhere in it."""
    package = ".".join(path.relative_to(tree).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            name = resolve_name(name, package) if node.level else name
            yield name
            yield from (f"{name}.{one.name}" for one in node.names)


def test_every_import_stays_in_the_tree(built: Path) -> None:
    seen = 0
    for path in sorted((built / "autograder").rglob("*.py")):
        for name in imported(path, built):
            if name.partition(".")[0] in ("autograder", "data"):
                seen += 1
                found = built.joinpath(*name.split("."))
                above = found.parent
                is_module = found.with_suffix(".py").is_file() or (found / "__init__.py").is_file()
                # The last part of `from x import y` may also be something that x defines.
                held = above.with_suffix(".py").is_file() or (above / "__init__.py").is_file()
                assert is_module or held, f"{path.relative_to(built)} imports {name}"
    assert seen > 200


def test_every_module_of_the_tree_can_be_imported(built: Path) -> None:
    names = [
        ".".join(path.relative_to(built).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((built / "autograder").rglob("*.py"))
    ]
    code = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, '.')\n{code}"],
        cwd=built,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_trees_commands_are_those_that_students_use(built: Path) -> None:
    for arguments, commands in (
        ((), {"check", "ci", "hand-in", "export"}),
        (("export",), {"classroom50"}),
    ):
        done = run(built, "autograder", *arguments, "--help")
        assert done.returncode == 0, done.stderr
        assert set(re.findall(r"^    ([a-z][a-z0-9-]*)\b", done.stdout, re.MULTILINE)) == commands


def test_the_trees_modules_need_no_more_than_its_requirements(built: Path) -> None:
    """What is imported at all, but by weeks that need PyTorch, and by notebooks."""
    pinned = (built / "requirements.txt").read_text("utf-8")
    known = {*sys.stdlib_module_names, "autograder", "data", *re.findall(r"^(\w+)==", pinned, re.M)}
    seen = set()
    for folder in ("autograder", "data"):
        for path in (built / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names.append(node.module or "")
                seen |= {(name.partition(".")[0], path.relative_to(built).name) for name in names}
    # worker/tensors.py looks for torch among the modules that have been imported.
    assert {name for name, _ in seen} - known - {"torch", "resource", "nbformat"} == set()


def test_the_trees_course_is_read_without_pydantic_as_with_it(built: Path) -> None:
    code = "from autograder.course import load; import sys; from pathlib import Path; "
    code += "print(repr(load(Path(sys.argv[1])).model_dump())); print('pydantic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(built)],
        cwd=built,
        env={**os.environ, "PYTHONPATH": str(built), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [repr(load(built).model_dump()), "False"], done.stderr


def test_a_damaged_file_of_the_course_is_one_line(built: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(built, tree)
    file = tree / "assignments" / "course.toml"
    file.write_text(file.read_text("utf-8").replace("number = 1\n", "", 1), "utf-8")
    done = run(tree, "autograder", "check", "--week", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("autograder: assignments/course.toml: ")
    assert "Add it" in done.stderr


def test_the_readme_names_only_commands_that_exist(built: Path) -> None:
    makefile = (built / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    readme = (built / "README.md").read_text("utf-8")
    assert set(re.findall(r"`make ([a-z]+)", readme)) <= targets
    commands = set(re.findall(r"check\.py ([a-z]+)", readme))
    known = set(re.findall(r"^  python check\.py ([a-z]+)", (built / "check.py").read_text(), re.M))
    assert known >= {"handin", "data", "setup", "test", "run", "notebook", "ci"}
    assert commands <= known
    assert set(re.search(r"\.PHONY: (.*)", makefile).group(1).split()) == targets


@pytest.mark.parametrize("number", [week.number for week in COURSE.weeks])
def test_checking_the_tree_shows_every_item_as_not_attempted(built: Path, number: int) -> None:
    done = run(built, "autograder", "check", "--week", str(number))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = re.findall(r"^ +(\w+\.\w+) +(\S+) / \S+ +(.*)$", done.stdout, re.MULTILINE)
    assert {(points, state) for _, points, state in rows} == {("0", "not attempted")}, done.stdout
    rest = re.search(r"^(\d+) hidden tests were not run(.*)\.$", done.stdout, re.MULTILINE)
    assert int(rest.group(1)) > 0
    others = re.findall(rf"{COURSE.week(number).id}\.\w+", rest.group(2))
    shown = {item for item, _, _ in rows} | set(others)
    assert shown == {item.id for item in COURSE.items(number) if item.kind == "auto"}
    assert "Probably" not in done.stdout


def test_checking_a_known_mistake_in_the_tree_explains_it(built: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(built, tree)
    catalogue = load_catalogue(SOLUTION)
    (mistake,) = (entry for entry in catalogue if entry.id == "linear-bias-gradient-averaged")
    source = mistake.apply((SOLUTION / "neural_net.py").read_text("utf-8"))
    (tree / FOLDER / "neural_net.py").write_text(render(source, "x", lambda gap: False), "utf-8")
    done = run(tree, "autograder", "check", "--week", "1")
    assert done.returncode == 0, done.stderr
    assert f"Probably: {mistake.says}" in done.stdout


def test_the_tree_hands_in_the_files_of_the_week_alone(built: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(built, tree)
    (tree / FOLDER / "scratch.py").write_text("x = 1\n", "utf-8")
    (tree / FOLDER / WEEK.modules[1]).write_text("def f(:\n", "utf-8")
    document = WEEK.documents[0][0]
    (tree / FOLDER / document).unlink()
    done = run(tree, "autograder", "hand-in", "--week", "1")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tree / "week1.zip") as archive:
        assert set(archive.namelist()) == {f"{WEEK.folder}/{name}" for name in WEEK.sources}
    assert f"note: {' or '.join(WEEK.documents[0])} is missing" in done.stdout
    assert f"note: {WEEK.modules[1]}, line 1 is not valid Python" in done.stdout
    assert re.search(r"^note: not attempted yet: .*\bweek1\.linear\b", unbroken(done.stdout), re.M)
    assert "What the public tests say of week1.zip" in done.stdout
    assert f"Hand in this file: {tree / 'week1.zip'}" in unbroken(done.stdout)


def test_a_document_is_handed_in_under_any_of_its_names(built: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(built, tree)
    week = COURSE.week(2)
    (names,) = week.documents
    for name in names:
        (tree / "assignments" / week.folder / name).unlink(missing_ok=True)
    done = run(tree, "autograder", "hand-in", "--week", "2")
    assert f"note: {' or '.join(names)} is missing" in done.stdout
    (tree / "assignments" / week.folder / names[1]).write_bytes(b"\x89PNG\0")
    done = run(tree, "autograder", "hand-in", "--week", "2")
    assert "is missing" not in done.stdout
    with zipfile.ZipFile(tree / "week2.zip") as archive:
        assert archive.read(f"{week.folder}/{names[1]}") == b"\x89PNG\0"


def test_handing_in_nothing_is_an_error_and_writes_nothing(built: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(built, tree)
    for name in WEEK.files:
        (tree / FOLDER / name).unlink(missing_ok=True)
    done = run(tree, "autograder", "hand-in", "--week", "1")
    assert done.returncode == 2
    assert "holds none of the files of week 1" in done.stderr
    assert not (tree / "week1.zip").exists()


@pytest.mark.usefixtures("quick")
def test_tables_have_no_rows_of_weeks_that_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    page = tmp_path / "README.md"
    page.write_text("| a | [x](here) |\n| b | [y](gone/README.md#end) |\nSee [z](gone).\n", "utf-8")
    assert release._without_rows_of_absent(page) == "| a | [x](here) |\nSee [z](gone).\n"


def test_a_leak_stops_the_release_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = (*release.SHIPPED, f"solutions/{WEEK.folder}/{WEEK.modules[0]}")
    monkeypatch.setattr(release, "SHIPPED", shipped)
    with pytest.raises(ReleaseError, match=r"would give away:\n.*solutions/"):
        build_release(ROOT, tmp_path / "students")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("field", ["modules", "given"])
def test_a_file_that_the_course_names_and_nobody_wrote_stops_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    later = COURSE.weeks[-1].model_copy(update={field: ("nobody_wrote.py",)})
    course = COURSE.model_copy(update={"weeks": (*COURSE.weeks[:-1], later)})
    monkeypatch.setattr(release, "load", lambda root: course)
    with pytest.raises(ReleaseError, match=r"nobody_wrote\.py.* (is missing|no such file)"):
        build_release(ROOT, tmp_path / "students")
    assert list(tmp_path.iterdir()) == []


def test_a_listed_file_that_is_missing_stops_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "SHIPPED", (*release.SHIPPED, "data/nothing.npz"))
    with pytest.raises(ReleaseError, match=r"data/nothing\.npz is to be shipped"):
        build_release(ROOT, tmp_path / "students")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_an_earlier_release_is_replaced_and_its_git_folder_kept(
    built: Path, tmp_path: Path
) -> None:
    out = tmp_path / "students"
    shutil.copytree(built, out)
    (out / "stale.py").write_text("x = 1\n", "utf-8")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    files = build_release(ROOT, out)
    assert not (out / "stale.py").exists()
    assert (out / ".git" / "HEAD").read_text("utf-8") == "ref: refs/heads/main\n"
    assert ".git/HEAD" not in files
    assert [path.name for path in tmp_path.iterdir()] == ["students"]
    listed = [path for path in out.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert sorted(path.relative_to(out).as_posix() for path in listed) == files


def test_a_folder_with_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(ReleaseError, match="not an earlier release"):
        build_release(ROOT, tmp_path)
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "years of work"


def test_readings_and_what_students_compare_with_are_shipped(built: Path) -> None:
    for week in COURSE.weeks:
        for path in (ROOT / "assignments" / week.folder).glob("reading/*"):
            assert (built / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
        scripts = {path.name for path in (ROOT / "assignments" / week.folder).glob("compare_*.py")}
        assert scripts <= set(week.given)
        assert all((built / "assignments" / week.folder / name).is_file() for name in scripts)
    assert len(list(built.glob("assignments/*/reading/*.md"))) >= 5
