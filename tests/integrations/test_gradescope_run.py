"""Gradescope's zip file, unpacked and run as Gradescope does, and stopped in the middle."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.course import load
from autograder.integrations.gradescope import run as gradescope_run
from autograder.integrations.gradescope.results import Visibility
from autograder.integrations.gradescope.upload import ZipError, write_zip
from tests import gradescope

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("autograder", "data", "scripts", "pyproject.toml", "requirements.txt")
CREATED = "2026-10-02T10:00:00.365935-07:00"
SLOW = "__import__('time').sleep(0.3)"
ENDLESS = "while True: pass"
"""What `count` does first. The suite asks for `double` twice, and then for `count` twice."""


@pytest.fixture(scope="module")
def repository(small: Path, tmp_path_factory) -> Path:
    """The repository, with the small course in place of the real one."""
    root = tmp_path_factory.mktemp("repository")
    for name in SHARED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "cache")
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            shutil.copyfile(source, root / name)
    shutil.copyfile(ROOT / "requirements-torch.txt", root / "requirements-torch.txt")
    shutil.copytree(small, root, dirs_exist_ok=True)
    with (root / "assignments" / "course.toml").open("a") as course:
        course.write("\n[handing_in]\nlate = [[0, 1.0], [2, 0.0]]\ngradings_per_day = 2\n")
    with (root / "assignments" / "grading.toml").open("a") as settings:
        settings.write('\n[[watched]]\nnames = ["pty"]\nwhy = "no task needs it"\n')
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("secret")
    (root / "notes.txt").write_text("secret")
    (root / "autograder" / "__pycache__").mkdir()
    (root / "autograder" / "__pycache__" / "x.py").write_text("secret")
    return root


@pytest.fixture(scope="module")
def zipped(repository: Path, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("zip") / "autograder.zip"
    write_zip(repository, out, 2)
    return out


@pytest.fixture
def base(zipped: Path, tmp_path: Path, confinement) -> Path:
    """What Gradescope makes of the zip file: /autograder, here another folder."""
    with zipfile.ZipFile(zipped) as archive:
        for info in archive.infolist():
            path = Path(archive.extract(info, tmp_path / "source"))
            path.chmod(info.external_attr >> 16)
    (tmp_path / "source" / ".venv").symlink_to(sys.prefix)
    shutil.copy(tmp_path / "source" / "run_autograder", tmp_path / "run_autograder")
    (tmp_path / "submission").mkdir()
    (tmp_path / "results").mkdir()
    write_metadata(tmp_path)
    return tmp_path


def write_metadata(base: Path, **changes: Any) -> None:
    content = {
        "created_at": CREATED,
        "assignment": {"due_date": "2026-10-01T10:00:00.000000-07:00"},
        "users": [{"email": "ada@uni.example", "id": 1, "name": "Ada"}],
        "previous_submissions": [],
    }
    (base / "submission_metadata.json").write_text(json.dumps(content | changes))


def hand_in(base: Path, repository: Path, more: str = "") -> None:
    source = (repository / "solutions" / "week2_small" / "double.py").read_text()
    source = source.replace(
        "    calls += 1\n", f"    {more}\n    calls += 1\n" if more else "    calls += 1\n"
    )
    (base / "submission" / "double.py").write_text(source)


def start(base: Path) -> subprocess.Popen[bytes]:
    """Begin; what is printed goes to results/stdout, as on Gradescope."""
    with (base / "results" / "stdout").open("wb") as said:
        return subprocess.Popen(
            [str(base / "run_autograder")],
            cwd=base,
            env={**os.environ, "GRADESCOPE_BASE": str(base)},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def run(base: Path) -> tuple[dict[str, Any], str]:
    start(base).wait()
    return results_in(base), (base / "results" / "stdout").read_text()


def results_in(base: Path) -> dict[str, Any]:
    return gradescope.read((base / "results" / "results.json").read_bytes())


def moments(base: Path, process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Yield results.json again and again, from when it is there until the program has ended."""
    path = base / "results" / "results.json"
    while not path.exists():
        assert process.poll() is None
    while process.poll() is None:
        yield results_in(base)
        time.sleep(0.01)  # the machine has other things to do


def test_a_submission_is_graded_and_the_file_is_valid_at_every_moment(base, repository) -> None:
    hand_in(base, repository, SLOW)
    process = start(base)
    seen = list(moments(base, process))
    last = results_in(base)
    assert (last["score"], gradescope.shown_score(last)) == (20.0, 20.0)
    assert gradescope.hundredths(last) == gradescope.hundredths(last, "max_score") == 2000
    assert last["extra_data"]["state"] == "graded"
    assert {test["status"] for test in last["tests"]} == {"passed"}
    assert seen[0]["tests"] == [] or len(seen[0]["tests"]) == len(last["tests"])
    scores = [found["score"] for found in seen]
    assert scores == sorted(scores)
    assert set(scores) <= {0.0, 6.0, 12.0, 15.0, 18.0, 20.0}  # as test after test adds to it
    assert all(found["extra_data"]["state"] == "running" for found in seen if found != last)
    left = sorted(path.name for path in (base / "results").iterdir())
    assert left == ["results.json", "stdout"]


def test_what_is_there_when_it_is_killed_counts(base, repository) -> None:
    hand_in(base, repository, ENDLESS)
    process = start(base)
    for found in moments(base, process):
        if found["score"] == 12.0:
            os.killpg(process.pid, signal.SIGKILL)
            break
    assert process.wait() != 0
    found = results_in(base)
    assert (found["score"], gradescope.shown_score(found)) == (12.0, 12.0)
    assert gradescope.hundredths(found, "max_score") == 2000
    assert "not finished" in found["output"]
    assert [test["output"] for test in found["tests"]].count("Not graded yet.") >= 1


def test_a_wrong_answer_is_explained_and_flags_are_for_the_instructor(base, repository) -> None:
    hand_in(base, repository)
    source = base / "submission" / "double.py"
    source.write_text(source.read_text().replace("2.0 * x", "x * x") + "\nimport pty\n")
    found, said = run(base)
    wrong = [test for test in found["tests"] if test["status"] == "failed"]
    assert len(wrong) >= 2
    assert "What probably happened: You square the numbers." in wrong[0]["output"]
    assert "ada@uni.example" in said
    assert "student code is confined by" in said
    assert "To be looked at: week2/watched-imports" in said
    assert "watched" not in json.dumps(found)


def run_here(base: Path, repository: Path) -> dict[str, Any]:
    """Run in this process, where no student code is run."""
    gradescope_run.run(repository, base, week=2)
    return results_in(base)


def test_over_the_daily_limit_the_former_results_are_repeated(base, repository, capsys) -> None:
    hand_in(base, repository)
    former = {
        "score": 6.0,
        "extra_data": {"state": "graded"},
        "tests": [{"name": "Doubles", "score": 6.0, "max_score": 20.0, "status": "failed"}],
    }
    times = ("2026-10-01T18:00:00-07:00", "2026-10-02T09:00:00-07:00")
    earlier = [{"submission_time": when, "score": 6.0, "results": former} for when in times]
    write_metadata(base, previous_submissions=earlier)
    found = run_here(base, repository)
    assert (found["score"], len(found["tests"])) == (6.0, 1)
    assert found["tests"][0]["name"] == "Doubles"
    assert "2 gradings a day are allowed" in found["output"]
    assert "2026-10-02 09:00:00-07:00" in found["output"]
    assert "2 gradings a day" in capsys.readouterr().out


def test_what_holds_nothing_is_refused_and_costs_no_grading(base, repository, capsys) -> None:
    (base / "submission" / "notes.txt").write_text("nothing")
    (base / "submission_metadata.json").unlink()
    found = run_here(base, repository)
    assert (found["score"], found["extra_data"]["state"]) == (0.0, "refused")
    assert "it holds none of the files that are asked for (double.py" in found["output"]
    assert "there are no times" in capsys.readouterr().out


def test_an_archive_alone_is_all_of_the_submission_and_late_only_where_asked(
    base, repository
) -> None:
    source = (repository / "solutions" / "week2_small" / "double.py").read_text()
    with zipfile.ZipFile(base / "submission" / "mine.zip", "w") as archive:
        archive.writestr("anything/double.py", source)
    script = base / "run_autograder"
    script.write_text(script.read_text().replace("--week=week2", "--week=week2 --late"))
    found, _ = run(base)
    assert gradescope.hundredths(found) == 2000
    assert found["score"] == 10.0  # a day late of two, by the due date in the metadata
    assert "1 day" in found["output"]


def test_where_the_grader_fails_the_score_is_withheld(base, repository) -> None:
    hand_in(base, repository)
    hidden = base / "source" / "assignments" / "week2_small" / "hidden" / "test_suite.py"
    hidden.write_text("import nothing_of_that_name\n")
    found, said = run(base)
    assert gradescope.shown_score(found) is None
    assert "This is our fault" in found["output"]
    assert "nothing_of_that_name" in said
    assert "nothing_of_that_name" not in found["output"]


def test_where_nothing_confines_no_student_code_runs_and_the_score_is_withheld(
    base, repository
) -> None:
    hand_in(base, repository)
    with (base / "source" / "autograder" / "sandbox" / "choose.py").open("a") as ladder:
        ladder.write('\n\ndef try_rungs(*_):\n    yield Tried("C", None, "no kernel")\n')
        ladder.write('\n\ndef why_closed():\n    return ""  # as this test\'s own folder is\n')
    found, said = run(base)
    assert gradescope.shown_score(found) is None
    assert "Nothing could be graded: C: no kernel" in said
    assert "no kernel" not in found["output"]


def test_without_a_place_for_results_the_error_is_one_sentence(repository, tmp_path) -> None:
    with pytest.raises(gradescope_run.NoFolderError, match="results can't be written"):
        gradescope_run.run(repository, tmp_path / "none")


def test_where_it_can_not_even_start_there_is_a_file_all_the_same(base, repository) -> None:
    hand_in(base, repository)
    (base / "source" / ".venv").unlink()
    found, _ = run(base)
    assert gradescope.shown_score(found) is None
    assert "could not be started" in found["output"]


# The zip file.


def names_in(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_zip_holds_what_it_needs_of_its_week_and_nothing_else(zipped) -> None:
    names = names_in(zipped)
    assert {"setup.sh", "run_autograder"} <= names
    assert "assignments/week2_small/hidden/test_suite.py" in names
    assert "solutions/week2_small/double.py" in names
    assert not [name for name in names if "week3" in name or "__pycache__" in name]
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        *("assignments", "autograder", "data", "scripts", "solutions"),
        *("setup.sh", "run_autograder", "pyproject.toml"),
        *("requirements.txt", "requirements-torch.txt"),
    }
    with zipfile.ZipFile(zipped) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        assert not [name for name in names if archive.read(name) == b"secret"]
    assert all(stat.S_ISREG(mode) for mode in modes.values())
    assert {name for name, mode in modes.items() if mode & 0o111} == {
        *("setup.sh", "run_autograder", "scripts/setup.sh"),
        "autograder/author/release_files/check.py",
    }


def test_the_same_repository_gives_the_same_bytes(repository, zipped, tmp_path) -> None:
    write_zip(repository, tmp_path / "a.zip", 2)
    assert (tmp_path / "a.zip").read_bytes() == zipped.read_bytes()
    write_zip(repository, tmp_path / "b.zip", 2, Visibility.AFTER_PUBLISHED, late=True)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        script = archive.read("run_autograder").decode()
    assert "OPTIONS=(--visibility=after_published --week=week2 --late) " in script
    write_zip(repository, tmp_path / "c.zip")
    assert "solutions/week3_small/triple.py" in names_in(tmp_path / "c.zip")


def test_a_zip_that_can_not_be_whole_is_not_written(repository, tmp_path) -> None:
    with pytest.raises(ZipError, match="can't be written"):
        write_zip(repository, tmp_path / "none" / "a.zip", 2)
    with pytest.raises(ZipError, match=r"solutions/week4_small/\*\*/\*\.py belongs"):
        write_zip(repository, tmp_path / "a.zip", 4)
    (repository / "data" / "link.py").symlink_to(repository / "notes.txt")
    try:
        with pytest.raises(ZipError, match=r"data/link\.py is a link"):
            write_zip(repository, tmp_path / "a.zip", 2)
    finally:
        (repository / "data" / "link.py").unlink()
    assert not (tmp_path / "a.zip").exists()


def test_every_real_weeks_suite_can_be_collected_from_its_zip(tmp_path) -> None:
    write_zip(ROOT, tmp_path / "weeks.zip")
    with zipfile.ZipFile(tmp_path / "weeks.zip") as archive:
        archive.extractall(tmp_path / "weeks")
    weeks = [week for week in load(ROOT).weeks if not week.packages]
    for folder in (f"assignments/{week.folder}/hidden" for week in weeks):
        names = {path.name for path in (ROOT / folder).glob("*.py")}
        assert {path.name for path in (tmp_path / "weeks" / folder).glob("*.py")} == names
    assert not (tmp_path / "weeks" / "solutions" / "week3_training" / "phase1_project").exists()
    code = """
import sys
from pathlib import Path
from autograder.grading.examiner import Examiner
from autograder.sandbox import Unconfined
for number in map(int, sys.argv[1:]):
    print(len(Examiner(Path.cwd(), number, Unconfined(), None).plan))
"""
    numbers = [str(week.number) for week in weeks]
    command = [sys.executable, "-c", code, *numbers]
    done = subprocess.run(
        command, cwd=tmp_path / "weeks", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == len(weeks)


SETUP_STUB = '#!/usr/bin/env bash\necho "setup.sh $*" >>"$CALLS"\n'
APT_STUB = """#!/usr/bin/env bash
echo "apt-get ${@: -1}" >>"$CALLS"
[[ $* != *python3.12* ]]
"""


@pytest.mark.parametrize("known", [True, False])
def test_the_set_up_gets_a_python_where_there_is_none_of_the_versions(
    zipped, tmp_path, known
) -> None:
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "scripts" / "setup.sh").write_text(SETUP_STUB)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "chmod"):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "apt-get").write_text(APT_STUB)
    (tools / "python3").write_text(f"#!/bin/sh\nexit {0 if known else 1}\n")
    for name in ("apt-get", "python3"):
        (tools / name).chmod(0o755)
    calls = tmp_path / "calls"
    subprocess.run(
        ["bash", str(tmp_path / "setup.sh")],
        env={"PATH": str(tools), "CALLS": str(calls)},
        check=True,
        cwd="/",
    )
    installed = ["apt-get -qq", "apt-get python3.12-venv", "apt-get python3.11-venv"]
    assert calls.read_text().splitlines() == [
        *(() if known else installed),
        "setup.sh core sandbox",
    ]
