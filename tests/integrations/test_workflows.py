"""The workflows: valid by the published schemas, careful, and every step of theirs is run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from autograder.author import release
from autograder.course import load
from autograder.grading import public_suite
from autograder.integrations.github.command import TOKEN
from autograder.reference.gaps import render
from autograder.reference.misconceptions import load as load_catalogue
from tests.repositories import api_site, git, make_work
from tests.workflow_steps import (
    load_workflow,
    program,
    run_steps,
    runner_environment,
    stand_in_venv,
)

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = ROOT / "autograder/author/release_files/grade.yml"
GITLAB = ROOT / "autograder/author/release_files/gitlab-ci.yml"
CLASS = ROOT / "autograder/integrations/github/workflow_files/grade-class.yml"
OWN = ROOT / ".github/workflows/ci.yml"
SYSTEMS = ROOT / ".github/workflows/students.yml"
GITHUB = {path.name: path for path in (STUDENTS, CLASS, OWN, SYSTEMS)}
WEEK1 = "week1_backprop"
NEURAL_NET = f"assignments/{WEEK1}/neural_net.py"
PROJECT = "assignments/week3_training/phase1_project/schedulers.py"
SECRET = "s3cret-token"


def test_every_workflow_of_the_repository_is_looked_at_here() -> None:
    found = {
        *ROOT.glob(".github/workflows/*"),
        *ROOT.glob("autograder/integrations/github/workflow_files/*"),
    }
    found |= set(ROOT.glob("autograder/author/release_files/*.yml"))
    assert found == {*GITHUB.values(), GITLAB}


@pytest.mark.parametrize(
    ("schema", "paths"), [("github-workflows", list(GITHUB.values())), ("gitlab-ci", [GITLAB])]
)
def test_the_workflows_are_valid(schema: str, paths: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_is_not_a_workflow_is_not_valid(tmp_path: Path) -> None:
    """The check that validates can fail."""
    bad = tmp_path / "bad.yml"
    bad.write_text(STUDENTS.read_text().replace("runs-on:", "runs-at:"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run([*command, "vendor.github-workflows", str(bad)], capture_output=True)
    assert done.returncode == 1


@pytest.mark.parametrize("name", GITHUB)
def test_a_workflow_may_read_and_no_more(name: str) -> None:
    workflow = load_workflow(GITHUB[name])
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 180
        checkouts = [s for s in job["steps"] if s.get("uses", "").startswith("actions/checkout@")]
        given = [step["with"]["persist-credentials"] for step in checkouts]
        assert given == ([] if "needs" in job else [False]), "a job after another has its artifact"


def test_the_students_workflow_cancels_older_runs_and_runs_nothing_hidden() -> None:
    assert load_workflow(STUDENTS)["concurrency"]["cancel-in-progress"] is True
    assert load_workflow(CLASS)["concurrency"]["cancel-in-progress"] is False
    for path in (STUDENTS, GITLAB):
        commands = re.sub(r"#.*", "", path.read_text())
        assert "hidden" not in commands
        assert "secrets" not in commands
        assert "autograder grade" not in commands


def test_no_step_that_runs_student_code_has_the_token() -> None:
    """And the workflow of a class stands where no public repository runs it."""
    workflow = load_workflow(CLASS)
    (job,) = workflow["jobs"].values()
    assert "env" not in workflow
    assert "env" not in job
    assert "github.event.repository.private" in job["if"]
    with_token = [step["name"] for step in job["steps"] if TOKEN in str(step.get("env", ""))]
    assert with_token == ["Fetch what was pushed", "Report to the students"]
    for step in job["steps"]:
        if step.get("name") in with_token:
            assert "autograder class " in step["run"]
    assert not (ROOT / ".github/workflows" / CLASS.name).exists()


# The students' own repository.


def facts(root: Path, course: Any, week: Any) -> dict[str, Any]:
    """What is known of a week, without replaying all wrong answers, which takes half a minute."""
    return {"hidden_tests": 7 * week.number, "wrong_answers": {}}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that students get."""
    out = tmp_path_factory.mktemp("release") / "students"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(public_suite, "public_catalogue", facts)
        release.build_release(ROOT, out)
    return out


def python_program(folder: Path) -> Path:
    """Put `python`, which has all that the course needs, into a folder for the PATH."""
    program(folder, "python", f'exec "{sys.executable}" "$@"')
    return folder


def mistaken() -> str:
    """Week 1's layers as a student wrote them: one mistake, and one task still open."""
    solution = ROOT / "solutions" / WEEK1
    (mistake,) = (
        entry for entry in load_catalogue(solution) if entry.id == "linear-bias-gradient-averaged"
    )
    source = mistake.apply((solution / "neural_net.py").read_text())
    return render(source, "neural_net.py", lambda gap: gap.task == "week1.softmax")


@pytest.fixture
def checkout(released: Path, tmp_path: Path) -> Path:
    """A runner's checkout of a student's repository, in which week 1 is partly done."""
    origin, folder = tmp_path / "origin", tmp_path / "checkout"
    shutil.copytree(released, origin)
    (origin / NEURAL_NET).write_text(mistaken())
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "Week 1")
    git(tmp_path, "clone", "-q", str(origin), str(folder))
    assert git(folder, "status", "--porcelain") == ""
    return folder


def test_the_files_are_where_the_sites_look_for_them(checkout: Path) -> None:
    assert (checkout / ".github/workflows/grade.yml").read_bytes() == STUDENTS.read_bytes()
    assert (checkout / ".gitlab-ci.yml").read_bytes() == GITLAB.read_bytes()


def test_a_mistake_in_an_option_is_one_line(released: Path) -> None:
    command = [sys.executable, "-m", "autograder", "ci", "--week", "9"]
    done = subprocess.run(command, cwd=released, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("autograder: ")
    assert done.stderr.count("\n") == 1
    assert not (released / "ci-results").exists()


@pytest.mark.prove
def test_the_students_workflow_runs_on_github(checkout: Path, tmp_path: Path) -> None:
    (job,) = load_workflow(STUDENTS)["jobs"].values()
    environment = runner_environment(checkout, python_program(tmp_path / "bin"))
    done = run_steps(job, checkout, environment)
    assert done.failed == ["Public tests"], done.output
    assert "Everything is there" in done.output["Set up"], "nothing has to be installed"
    assert "Set up PyTorch" in done.skipped
    assert done.uploaded == ["ci-results/junit.xml", "ci-results/results.json"]
    line = (checkout / NEURAL_NET).read_text().split("\n").index("class Linear(Layer):") + 1
    order = next(one for one in done.output["Public tests"].splitlines() if "::error" in one)
    place = re.match(rf"::error file={NEURAL_NET},line=(\d+),title=week1.linear%3A ", order)
    assert place, order
    assert "def backward" in (checkout / NEURAL_NET).read_text().split("\n")[int(place[1]) - 1]
    assert line < int(place[1]) < line + 80
    open_gap = re.search(
        rf"::notice file={NEURAL_NET},line=(\d+),title=week1.softmax%3A",
        "\n".join(done.output["Public tests"].splitlines()),
    )
    assert open_gap
    assert (
        "week1.softmax: fill in"
        in (checkout / NEURAL_NET).read_text().split("\n")[int(open_gap[1]) - 1]
    )
    for text in (done.summary["Public tests"], done.output["Public tests"]):
        assert "7 hidden tests were not run" in text
    assert "| `week1.linear` | 3 / 4 | 9 of 12 public tests pass |" in done.summary["Public tests"]
    results = json.loads((checkout / "ci-results/results.json").read_text())
    assert results["hidden_tests_not_run"] == 7
    assert results["student"] == "course/ada"
    assert git(checkout, "status", "--porcelain") == "", "nothing that git would take is left"


@pytest.mark.prove
def test_the_students_workflow_succeeds_and_brings_pytorch_with_the_project(
    checkout: Path, tmp_path: Path
) -> None:
    solution = ROOT / "solutions" / WEEK1
    for name in load(ROOT).week(1).sources:
        source = (solution / name).read_text()
        (checkout / f"assignments/{WEEK1}/{name}").write_text(
            render(source, name, lambda gap: False)
        )
    (checkout / PROJECT).write_text((checkout / PROJECT).read_text() + "# begun\n")
    (job,) = load_workflow(STUDENTS)["jobs"].values()

    def instead(command: str) -> str:
        return command.replace("check.py ci --threshold 100", "check.py ci --week 1 --threshold 75")

    environment = runner_environment(checkout, python_program(tmp_path / "bin"))
    done = run_steps(job, checkout, environment, instead=instead)
    assert done.failed == [], done.output
    assert done.skipped == []
    assert "Everything is there" in done.output["Set up PyTorch"]
    assert "the threshold of 75 % is reached" in done.output["Public tests"]


@pytest.mark.prove
def test_the_students_job_runs_on_gitlab(checkout: Path, tmp_path: Path) -> None:
    job = yaml.safe_load(GITLAB.read_text())["public-tests"]
    environment = {
        "PATH": f"{python_program(tmp_path / 'bin')}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PROJECT_DIR": str(checkout),
        "CI_PROJECT_PATH": "course/ada",
        "CI_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567",
    }
    # GitLab's runner puts a job's lines into one script, and stops where one of them fails.
    script = "\n".join(job["script"])
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "7 hidden tests were not run" in done.stdout
    assert "::" not in done.stdout
    artifacts = job["artifacts"]
    for name in (*artifacts["paths"], *artifacts["reports"].values()):
        assert (checkout / name).is_file()
    xml = JUnitXml.fromfile(str(checkout / artifacts["reports"]["junit"]))
    assert xml.failures == 3
    quality = json.loads((checkout / artifacts["reports"]["codequality"]).read_text())
    assert {entry["location"]["path"] for entry in quality} >= {NEURAL_NET}
    assert any("7 hidden tests were not run" in entry["description"] for entry in quality)


# The instructor's private repository, and this one.


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository, as a clone has it, with a stand-in for its environment."""
    target = tmp_path_factory.mktemp("private") / "course"
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(lambda name: (ROOT / name).is_file(), names.splitlines()):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    git(target, "init", "-q")
    stand_in_venv(target)
    return target


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Path]:
    """A folder for the PATH, in which `sudo` notes what it is asked for."""
    folder = tmp_path / "bin"
    program(folder, "sudo", f'echo "$*" >> {tmp_path}/asked')
    yield folder
    asked = (tmp_path / "asked").read_text()
    assert "apt-get install -y -qq --no-install-recommends bubblewrap" in asked
    assert "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in asked


@pytest.mark.prove
@pytest.mark.usefixtures("confinement")
def test_the_workflow_of_a_class_fetches_grades_and_reports(
    private: Path, programs: Path, tmp_path: Path
) -> None:
    """Twice: the second time there is nothing new, and nobody is told again."""
    work = make_work(tmp_path, "ada")
    losses = (ROOT / "solutions" / WEEK1 / "losses.py").read_text()
    files = {f"assignments/{WEEK1}/losses.py": render(losses, "losses.py", lambda gap: False)}
    commit = work.push(files, "2026-10-12T09:00:00+02:00")
    (private / "roster.csv").write_text(f"student,repository\nada,{work.url}\n")
    (job,) = load_workflow(CLASS)["jobs"].values()
    with api_site() as site:
        environment = runner_environment(private, programs) | {"GITHUB_API_URL": site.url}
        first = run_steps(job, private, environment, {TOKEN: SECRET})
        assert first.failed == [], first.output
        assert first.uploaded == ["grades"]
        assert f"ada: {commit[:12]}" in first.output["Fetch what was pushed"]
        ((path, body),) = site.statuses
        assert path == f"/repos/course/ada/statuses/{commit}"
        assert body["state"] == "success"
        again = run_steps(job, private, environment, {TOKEN: SECRET})
        assert again.failed == [], again.output
        assert "0 of 1 repositories" in again.output["Fetch what was pushed"]
        assert len(site.statuses) == 1
    for done in (first, again):
        for name, given in done.environments.items():
            assert (TOKEN in given) == (name in ("Fetch what was pushed", "Report to the students"))
        assert SECRET not in "".join(done.output.values())
    feedback = git(work.remote, "show", "feedback:feedback.md")
    assert feedback.startswith("# Feedback for ada")
    results = json.loads(git(work.remote, "show", "feedback:results.json"))
    assert results["handed_in"][0]["commit"] == commit


@pytest.mark.prove
def test_this_repositorys_own_workflow_runs(private: Path, programs: Path, tmp_path: Path) -> None:
    """But for the tests themselves: `make test` and `make prove` are looked up."""
    jobs = load_workflow(OWN)["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert jobs["test"]["env"]["CI"] == "true"
    environment = runner_environment(private, programs)

    def instead(command: str) -> str:
        return re.sub(r"^make (test|prove)$", r"make -n \1", command)

    done = run_steps(jobs["test"], private, environment, instead=instead)
    assert done.failed == [], done.output
    assert "-m pytest -n auto" in done.output["Test"]
    assert "-m pytest -n auto -m prove" in done.output["Prove"]
    done = run_steps(jobs["lint"], private, environment)
    assert done.failed == [], done.output
    assert "All checks passed!" in done.output["Lint"]
    assert done.output["Lint the workflows"].count("ok -- validation done") == 2
