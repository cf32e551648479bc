"""The simulated class is plausible, repeatable, and exactly what its ground truth says."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest

from autograder.author.simulate.class_folder import (
    FIRST,
    SHARES,
    ClassFolderError,
    Simulated,
    manifest_path,
    write_class,
)
from autograder.author.simulate.layouts import LAYOUTS
from autograder.author.simulate.student_week import (
    DOCUMENT_SHARE,
    Dice,
    Planted,
    has_content,
    some_tests,
    without_a_colon,
)
from autograder.course import Course, CourseError, Week, load
from autograder.intake.reading import take_in
from autograder.notebooks.functions import notebook_module
from autograder.reference.gaps import MARKER, make_stub, render
from autograder.reference.misconceptions import catalogue_of
from autograder.reference.percent_source import notebook_of, text_of

ROOT = Path(__file__).parents[2]
COURSE = load(ROOT)
POINTS = {item.id: item.points for item in COURSE.items()}
WEEKS = {
    week.number: week
    for week in COURSE.weeks_of("phase1")
    if has_content(ROOT, week) and not week.packages  # those are simulated when asked for
}
FIRST_WEEK = COURSE.week(1)
UNREADABLE = ("empty", "truncated")
Large = tuple[Path, list[Simulated]]


def solution(week: Week) -> Path:
    return ROOT / "solutions" / week.folder


def contents(path: Path) -> dict[str, bytes]:
    """Read one submission: path inside it -> bytes; of a broken archive, its own bytes."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}
    if path.suffix == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    if path.suffix == ".gz":
        with tarfile.open(path) as archive:
            return {m.name: archive.extractfile(m).read() for m in archive.getmembers()}
    return {"": path.read_bytes()}


def work(folder: Path, one: Simulated, number: int) -> dict[str, bytes]:
    """Read the files of one week of a submission: name -> content."""
    week = WEEKS[number]
    found = contents(folder / one.path)
    prefix = LAYOUTS[one.layout].folder(week, len(one.weeks))
    return {name: found[prefix + name] for name in week.files if prefix + name in found}


def readable(large: Large) -> Iterator[tuple[Planted, Week, dict[str, str]]]:
    """Yield each week's work that can be read: what was planted, and the modules' texts."""
    out, simulated = large
    for one in simulated:
        for planted in one.weeks:
            if planted.kind not in UNREADABLE:
                week = WEEKS[planted.week]
                files = work(out, one, planted.week)
                modules = {n: files[n].decode() for n in week.sources if n in files}
                for notebook in week.notebooks:
                    if notebook.file in files:
                        modules[notebook.module] = code_of(files[notebook.file].decode())
                yield planted, week, modules


def code_of(notebook: str) -> str:
    """Return the code of all cells of a notebook."""
    cells = nbformat.reads(notebook, as_version=4).cells
    return "\n\n\n".join(cell.source for cell in cells if cell.cell_type == "code")


@cache
def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@cache
def rendered(source: str, name: str, left_open: tuple[str, ...]) -> str:
    return render(source, name, lambda gap: gap.task in left_open)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    out = tmp_path_factory.mktemp("class") / "submissions"
    return out, write_class(COURSE, ROOT, out, students=80, seed=3)


def test_the_same_arguments_give_the_same_class(tmp_path: Path) -> None:
    first = write_class(COURSE, ROOT, tmp_path / "a", students=12, seed=5)
    again = write_class(COURSE, ROOT, tmp_path / "b", students=12, seed=5)
    other = write_class(COURSE, ROOT, tmp_path / "c", students=12, seed=6)
    assert first == again
    assert first != other
    for planted in first:
        left = contents(tmp_path / "a" / planted.path)
        assert left == contents(tmp_path / "b" / planted.path)
    truth = manifest_path(tmp_path / "a").read_bytes()
    assert truth == manifest_path(tmp_path / "b").read_bytes()


def test_draws_are_those_of_every_python_version() -> None:
    dice = Dice(0, "golden")
    assert [dice.between(1, 6) for _ in range(8)] == [6, 3, 1, 1, 2, 3, 3, 1]
    assert dice.shuffled("abcdef") == ["a", "c", "d", "f", "e", "b"]
    assert dice.pick("abc", [1, 0, 0]) == "a"


def test_a_class_of_twelve_shows_every_kind_in_every_week(tmp_path: Path) -> None:
    simulated = write_class(COURSE, ROOT, tmp_path / "class", students=12, seed=0)
    for index, number in enumerate(WEEKS):
        assert {one.weeks[index].week for one in simulated} == {number}
        assert Counter(one.weeks[index].kind for one in simulated) == Counter(FIRST)
    assert {one.layout for one in simulated} == set(LAYOUTS)
    assert len({one.student for one in simulated}) == 12
    for one in simulated:
        assert re.fullmatch(r"s\d{4}-[a-z]+-[a-z]+", one.student)


@pytest.mark.prove
def test_nobody_is_the_same_in_every_week(large: Large) -> None:
    if len(WEEKS) > 1:
        assert any(len({planted.kind for planted in one.weeks}) > 1 for one in large[1])
    for one in large[1]:
        truncated = [planted.kind == "truncated" for planted in one.weeks]
        assert all(truncated) or not any(truncated)


def test_one_week_alone_is_the_same_work(tmp_path: Path) -> None:
    out = tmp_path / "all"
    simulated = write_class(COURSE, ROOT, out, students=12, seed=3)
    for index, number in enumerate(WEEKS):
        alone = write_class(COURSE, ROOT, tmp_path / "class", students=12, seed=3, only=number)
        for one, other in zip(simulated, alone, strict=True):
            assert other.weeks == [one.weeks[index]]
            assert other.student == one.student
            if one.weeks[index].kind not in UNREADABLE:
                assert work(out, one, number) == work(tmp_path / "class", other, number)


def test_a_large_class_has_every_kind(large: Large) -> None:
    for index in range(len(WEEKS)):
        assert {one.weeks[index].kind for one in large[1]} == set(SHARES)


def test_the_ground_truth_lies_beside_the_submissions(large: Large) -> None:
    out, planted = large
    assert sorted(path.name for path in out.iterdir()) == sorted(one.path for one in planted)
    truth = json.loads(manifest_path(out).read_text("utf-8"))
    assert [one["student"] for one in truth["students"]] == [one.student for one in planted]
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "submissions",
        "submissions.simulated.json",
    ]


def test_every_module_is_python_except_where_it_was_broken(large: Large) -> None:
    for planted, week, files in readable(large):
        assert set(files) == set(week.modules) - set(planted.missing)
        broken = []
        for name, text in files.items():
            assert not MARKER.search(text)
            if not is_python(text):
                broken.append(name)
        assert broken == ([planted.broken] if planted.kind == "syntax-error" else [])


def test_the_gaps_left_open_are_those_of_the_ground_truth(large: Large) -> None:
    seen = 0
    for planted, week, files in readable(large):
        text = "\n".join(files[name] for name in files if name != week.student_tests)
        named = set(re.findall(r'NotImplementedError\(\s*"([a-z0-9_.]+): fill in', text))
        assert named <= set(planted.unfinished)
        assert set(planted.unfinished) <= set(planted.fails)
        seen += bool(named)
    assert seen


@pytest.mark.prove
def test_the_mistakes_in_the_files_are_those_of_the_ground_truth(large: Large) -> None:
    catalogues = {
        number: {entry.id: entry for entry in catalogue_of(ROOT, COURSE, week)}
        for number, week in WEEKS.items()
    }
    for planted, week, files in readable(large):
        mistakes = [catalogues[planted.week][id] for id in planted.misconceptions]
        assert {item for mistake in mistakes for item in mistake.fails} <= set(planted.fails)
        if planted.kind == "mistaken":
            assert 1 <= len(mistakes) <= 3
        if planted.kind not in ("mistaken", "unfinished"):
            assert not mistakes
        if planted.kind in ("syntax-error", "endless-loop"):
            continue
        expected = {name: (solution(week) / name).read_text("utf-8") for name in week.modules}
        for mistake in mistakes:
            name = f"{mistake.module}.py"
            expected[name] = mistake.apply(expected[name])
        for name in set(files) - {week.student_tests}:
            tasks = tuple(task for task in planted.unfinished if task in expected[name])
            text = rendered(expected[name], name, tasks)
            if week.notebook(name):
                text = code_of(text_of(notebook_of(text, name, POINTS)))
            assert files[name] == text


def test_documents_are_handed_in_under_one_of_their_names_or_are_missing(large: Large) -> None:
    out, simulated = large
    there = missing = 0
    for one in simulated:
        for planted in one.weeks:
            if planted.kind in UNREADABLE:
                continue
            files = work(out, one, planted.week)
            for names in WEEKS[planted.week].documents:
                given = [name for name in names if name in files]
                assert len(given) == ("|".join(names) not in planted.missing)
                assert given or planted.kind != "full"
                there += len(given)
                missing += not given
    assert there > missing > 0.5 * (1 - DOCUMENT_SHARE) * (there + missing) * 0.8


def test_a_few_mistakes_are_common_and_most_are_rare(large: Large) -> None:
    counts = Counter(id for one in large[1] for id in one.weeks[0].misconceptions)
    catalogue = catalogue_of(ROOT, COURSE, FIRST_WEEK)
    ordered = sorted((counts[entry.id] for entry in catalogue), reverse=True)
    assert ordered[0] >= 3 * max(1, ordered[len(ordered) // 2])


def test_empty_weeks_and_truncated_archives_are_that(large: Large) -> None:
    out, simulated = large
    for one in simulated:
        for planted in one.weeks:
            if planted.kind == "empty":
                assert work(out, one, planted.week) == {}
            if planted.kind in UNREADABLE:
                automatic = [i.id for i in COURSE.items(planted.week) if i.kind == "auto"]
                assert planted.fails == sorted(automatic)
        if "truncated" in [planted.kind for planted in one.weeks]:
            assert (out / one.path).read_bytes().startswith(b"PK")
            with pytest.raises(zipfile.BadZipFile):
                zipfile.ZipFile(out / one.path)


def test_intake_finds_in_every_layout_what_was_handed_in(large: Large) -> None:
    out, simulated = large
    taken = take_in(out, list(WEEKS.values()), COURSE.weeks)
    for number, submissions in taken.items():
        by_id = {submission.student: submission for submission in submissions}
        assert set(by_id) == {one.student for one in simulated}
        for one in simulated:
            (planted,) = (planted for planted in one.weeks if planted.week == number)
            submission = by_id[one.student]
            assert (submission.refusal is not None) == (planted.kind == "truncated")
            assert submission.is_empty == (planted.kind == "empty")
            if planted.kind not in UNREADABLE:
                files, week = work(out, one, number), WEEKS[number]
                modules = {name: files[name] for name in files if name in week.sources}
                assert set(submission.documents) == set(files) - set(modules)
                for notebook in week.notebooks:
                    if notebook.file in files:
                        taken = notebook_module(files[notebook.file], notebook)
                        modules[notebook.module] = taken.source.encode()
                assert submission.files == modules


def test_students_write_tests_of_all_varieties(large: Large) -> None:
    tests = FIRST_WEEK.student_tests
    examples = {path.stem for path in (solution(FIRST_WEEK) / "student_tests").glob("*.py")}
    varieties = {one.weeks[0].tests for one in large[1]} - {None}
    assert varieties == {"reference", "subset", "unwritten"} | examples
    text = (solution(FIRST_WEEK) / tests).read_text("utf-8")
    texts = {"reference": render(text, "x", lambda gap: False), "unwritten": make_stub(text, "x")}
    for name in examples:
        path = solution(FIRST_WEEK) / "student_tests" / f"{name}.py"
        texts[name] = path.read_text("utf-8")
    for planted, week, files in readable(large):
        if week.student_tests is None:
            assert planted.tests is None
        elif planted.tests in texts:
            assert files[week.student_tests] == texts[planted.tests]


def test_a_subset_of_tests_drops_whole_tests_alone() -> None:
    source = '"""Doc."""\n\nimport os\n' + "".join(
        f"\n\n@mark\ndef test_{n}():\n    # why\n    assert {n}\n" for n in range(10)
    )
    for seed in range(20):
        text = some_tests(Dice(seed), source)
        kept = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        assert 4 <= len(kept) <= 8
        assert text.count("@mark") == text.count("# why") == len(kept)
        assert text.startswith('"""Doc."""\n\nimport os\n')
    only = "def test_one():\n    assert 1\n"
    assert some_tests(Dice(0), only) == only


def test_a_module_without_a_colon_is_no_python() -> None:
    for seed in range(20):
        source = (solution(FIRST_WEEK) / FIRST_WEEK.modules[0]).read_text("utf-8")
        with pytest.raises(SyntaxError):
            ast.parse(without_a_colon(Dice(seed), source))


@pytest.mark.parametrize(
    ("example", "failing"), [("shapes_only", []), ("wrong_expectation", ["linear_parameter"])]
)
def test_the_example_tests_run_on_the_reference(
    tmp_path: Path, example: str, failing: list[str]
) -> None:
    reference = solution(FIRST_WEEK)
    for name in FIRST_WEEK.modules:
        text = (reference / name).read_text("utf-8")
        (tmp_path / name).write_text(render(text, name, lambda gap: False), "utf-8")
    tests = (reference / "student_tests" / f"{example}.py").read_text("utf-8")
    (tmp_path / FIRST_WEEK.student_tests).write_text(tests, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command.append(FIRST_WEEK.student_tests)
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == (1 if failing else 0), done.stdout
    failed = re.findall(r"FAILED \S+::test_(\w+)", done.stdout)
    assert len(failed) == len(failing)
    for name, part in zip(failed, failing, strict=True):
        assert part in name


def test_an_earlier_class_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "class"
    write_class(COURSE, ROOT, out, students=3, seed=0)
    write_class(COURSE, ROOT, out, students=2, seed=0)
    assert len(list(out.iterdir())) == 2
    (out / "real-student").mkdir()
    with pytest.raises(ClassFolderError, match="not a simulated class"):
        write_class(COURSE, ROOT, out, students=2, seed=0)
    assert (out / "real-student").is_dir()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(ClassFolderError, match="not a simulated class"):
        write_class(COURSE, ROOT, precious, students=2)
    assert (precious / "thesis.txt").read_text("utf-8") == "years of work"
    assert sorted(path.name for path in precious.iterdir()) == ["thesis.txt"]


@pytest.mark.parametrize(("students", "week", "error"), [(0, 1, ValueError), (3, 99, CourseError)])
def test_impossible_classes_are_refused_and_leave_nothing(
    tmp_path: Path, students: int, week: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        write_class(COURSE, ROOT, tmp_path / "class", students=students, only=week)
    assert list(tmp_path.iterdir()) == []


def test_a_week_without_content_is_left_out_and_refused_alone(tmp_path: Path) -> None:
    announced = FIRST_WEEK.model_copy(
        update={"number": 9, "id": "week9", "folder": "week9_announced"}
    )
    course: Course = COURSE.model_copy(update={"weeks": (*COURSE.weeks, announced)})
    simulated = write_class(course, ROOT, tmp_path / "class", students=2)
    assert [planted.week for planted in simulated[0].weeks] == list(WEEKS)
    with pytest.raises(CourseError, match=r"week9: it has no solution and hidden suite"):
        write_class(course, ROOT, tmp_path / "other", students=2, only=9)
