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
from pathlib import Path

import pytest

from autograder.course import CourseError, load
from autograder.intake import take_in
from autograder.misconceptions import load as load_catalogue
from autograder.simulate import (
    FIRST,
    SHARES,
    Dice,
    Planted,
    manifest_path,
    some_tests,
    without_a_colon,
    write_class,
)
from autograder.simulate_files import LAYOUTS
from autograder.stubs import MARKER, make_stub, render

ROOT = Path(__file__).parents[1]
COURSE = load(ROOT)
WEEK = COURSE.week(1)
SOLUTION = ROOT / "solutions" / WEEK.folder
CATALOGUE = load_catalogue(SOLUTION)
UNREADABLE = ("empty", "truncated")


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


def work(folder: Path, planted: Planted) -> dict[str, str]:
    """Read the week's files of one submission: name -> text."""
    found = contents(folder / planted.path)
    prefix = LAYOUTS[planted.layout][1].format(week=WEEK.folder)
    return {
        name: found[prefix + name].decode("utf-8") for name in WEEK.files if prefix + name in found
    }


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Planted]]:
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


def test_a_class_of_twelve_shows_every_kind_and_every_layout(tmp_path: Path) -> None:
    planted = write_class(COURSE, ROOT, tmp_path / "class", students=12, seed=0)
    assert Counter(one.kind for one in planted) == Counter(FIRST)
    assert {one.layout for one in planted} == set(LAYOUTS)
    assert len({one.student for one in planted}) == 12
    for one in planted:
        assert re.fullmatch(r"s\d{4}-[a-z]+-[a-z]+", one.student)


def test_a_large_class_has_every_kind(large: tuple[Path, list[Planted]]) -> None:
    assert {one.kind for one in large[1]} == set(SHARES)


def test_the_ground_truth_lies_beside_the_submissions(large: tuple[Path, list[Planted]]) -> None:
    out, planted = large
    assert sorted(path.name for path in out.iterdir()) == sorted(one.path for one in planted)
    truth = json.loads(manifest_path(out).read_text("utf-8"))
    assert [one["student"] for one in truth["students"]] == [one.student for one in planted]
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "submissions",
        "submissions.simulated.json",
    ]


def test_every_module_is_python_except_where_it_was_broken(
    large: tuple[Path, list[Planted]],
) -> None:
    out, planted = large
    for one in planted:
        if one.kind in UNREADABLE:
            continue
        files = work(out, one)
        assert set(files) == set(WEEK.files) - set(one.missing)
        broken = []
        for name in files:
            assert not MARKER.search(files[name])
            if name in WEEK.modules:
                try:
                    ast.parse(files[name])
                except SyntaxError:
                    broken.append(name)
        assert broken == ([one.broken] if one.kind == "syntax-error" else [])


def test_the_gaps_left_open_are_those_of_the_ground_truth(
    large: tuple[Path, list[Planted]],
) -> None:
    out, planted = large
    seen = 0
    for one in planted:
        if one.kind in UNREADABLE:
            continue
        files = work(out, one)
        text = "\n".join(files[name] for name in files if name != WEEK.student_tests)
        named = set(re.findall(r'raise NotImplementedError\("([a-z0-9_.]+): fill in', text))
        assert named <= set(one.unfinished)
        if not one.missing:
            assert named == set(one.unfinished)
        assert set(one.unfinished) <= set(one.fails)
        seen += bool(named)
    assert seen


def test_the_mistakes_in_the_files_are_those_of_the_ground_truth(
    large: tuple[Path, list[Planted]],
) -> None:
    out, planted = large
    catalogue = {entry.id: entry for entry in CATALOGUE}
    for one in planted:
        mistakes = [catalogue[id] for id in one.misconceptions]
        assert {item for mistake in mistakes for item in mistake.fails} <= set(one.fails)
        if one.kind == "mistaken":
            assert 1 <= len(mistakes) <= 3
        if one.kind != "mistaken" and one.kind != "unfinished":
            assert not mistakes
        if one.kind in UNREADABLE or one.kind in ("syntax-error", "endless-loop"):
            continue
        expected = {name: (SOLUTION / name).read_text("utf-8") for name in WEEK.modules}
        for mistake in mistakes:
            name = f"{mistake.module}.py"
            expected[name] = mistake.apply(expected[name])
        files = work(out, one)
        for name in set(files) & set(WEEK.modules) - {WEEK.student_tests}:
            left_open = one.unfinished
            assert files[name] == render(
                expected[name], name, lambda gap, tasks=left_open: gap.task in tasks
            )


def test_a_few_mistakes_are_common_and_most_are_rare(large: tuple[Path, list[Planted]]) -> None:
    counts = Counter(id for one in large[1] for id in one.misconceptions)
    ordered = sorted((counts[entry.id] for entry in CATALOGUE), reverse=True)
    assert ordered[0] >= 3 * max(1, ordered[len(ordered) // 2])


def test_the_empty_and_the_truncated_submission_are_that(
    large: tuple[Path, list[Planted]],
) -> None:
    out, planted = large
    for one in planted:
        if one.kind == "empty":
            assert list((out / one.path).iterdir()) == []
        if one.kind == "truncated":
            assert (out / one.path).read_bytes().startswith(b"PK")
            with pytest.raises(zipfile.BadZipFile):
                zipfile.ZipFile(out / one.path)


def test_intake_finds_in_every_layout_what_was_handed_in(
    large: tuple[Path, list[Planted]],
) -> None:
    out, planted = large
    taken = {submission.student: submission for submission in take_in(out, WEEK)}
    assert set(taken) == {one.student for one in planted}
    for one in planted:
        submission = taken[one.student]
        assert (submission.refusal is not None) == (one.kind == "truncated")
        if one.kind not in UNREADABLE:
            found = {name: data.decode("utf-8") for name, data in submission.files.items()}
            assert found == work(out, one)


def test_students_write_tests_of_all_varieties(large: tuple[Path, list[Planted]]) -> None:
    examples = {path.stem for path in (SOLUTION / "student_tests").glob("*.py")}
    varieties = {one.tests for one in large[1]} - {None}
    assert varieties == {"reference", "subset", "unwritten"} | examples
    out, planted = large
    solution = (SOLUTION / WEEK.student_tests).read_text("utf-8")
    texts = {
        "reference": render(solution, "x", lambda gap: False),
        "unwritten": make_stub(solution, "x"),
    } | {name: (SOLUTION / "student_tests" / f"{name}.py").read_text("utf-8") for name in examples}
    for one in planted:
        if one.tests in texts:
            assert work(out, one)[WEEK.student_tests] == texts[one.tests]


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
        source = (SOLUTION / WEEK.modules[0]).read_text("utf-8")
        with pytest.raises(SyntaxError):
            ast.parse(without_a_colon(Dice(seed), source))


@pytest.mark.parametrize(
    ("example", "failing"), [("shapes_only", []), ("wrong_expectation", ["linear_parameter"])]
)
def test_the_example_tests_run_on_the_reference(
    tmp_path: Path, example: str, failing: list[str]
) -> None:
    for name in WEEK.modules:
        text = (SOLUTION / name).read_text("utf-8")
        (tmp_path / name).write_text(render(text, name, lambda gap: False), "utf-8")
    tests = (SOLUTION / "student_tests" / f"{example}.py").read_text("utf-8")
    (tmp_path / WEEK.student_tests).write_text(tests, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", WEEK.student_tests]
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
    with pytest.raises(FileExistsError, match="not a simulated class"):
        write_class(COURSE, ROOT, out, students=2, seed=0)
    assert (out / "real-student").is_dir()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(FileExistsError, match="not a simulated class"):
        write_class(COURSE, ROOT, precious, students=2)
    assert (precious / "thesis.txt").read_text("utf-8") == "years of work"
    assert sorted(path.name for path in precious.iterdir()) == ["thesis.txt"]


@pytest.mark.parametrize(("students", "week", "error"), [(0, 1, ValueError), (3, 99, CourseError)])
def test_impossible_classes_are_refused_and_leave_nothing(
    tmp_path: Path, students: int, week: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        write_class(COURSE, ROOT, tmp_path / "class", students=students, week=week)
    assert list(tmp_path.iterdir()) == []
