"""The set-up behind `make`: scripts/setup.sh with stand-ins for Python, pip and apt-get; Makefile.

The stand-ins note how they are called, so nothing is installed and no network is needed.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILES = (
    "scripts/setup.sh",
    "scripts/setup_sandbox.sh",
    "requirements.txt",
    "requirements-torch.txt",
    "requirements-jupyter.txt",
    "requirements-notebooks.txt",
    "requirements-cluster.txt",
    "requirements-dev.txt",
    "pyproject.toml",
)
TOOLS = (
    "bash",
    "chmod",
    "cp",
    "dirname",
    "env",
    "flock",
    "grep",
    "head",
    "mkdir",
    "mv",
    "rm",
    "touch",
)

PYTHON = f"""#!/usr/bin/env bash
# Stands in for a Python: notes its calls; PIP, VERSION and NO_ENSUREPIP say how it behaves.
case "$*" in
"-I -S -"*) exec {shlex.quote(sys.executable)} "$@" ;;
*"import ensurepip"*) [[ -z ${{NO_ENSUREPIP:-}} ]]; exit ;;
*version_info*) echo "${{VERSION:-3.12}}"; exit ;;
"-m venv --clear "*)
    echo "venv" >>"$CALLS"
    rm -rf "$4" && mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
"-m pip install "*)
    all=$*
    echo "pip ${{all##*--disable-pip-version-check }}" >>"$CALLS"
    if [[ $* == *torch* ]]; then eval "${{PIP_TORCH:-:}}"; else eval "${{PIP:-:}}"; fi ;;
*) echo "unexpected: $*" >>"$CALLS"; exit 1 ;;
esac
"""

CORE = ["pip -r requirements.txt", "pip --no-deps --no-build-isolation -e ."]
TORCH = ["pip -r requirements.txt -r requirements-torch.txt"]
NOTEBOOKS = ["pip -r requirements.txt -r requirements-notebooks.txt"]
CLUSTER = ["pip -r requirements.txt -r requirements-cluster.txt"]
DEV = ["pip -r requirements.txt -r requirements-dev.txt"]


class Checkout:
    """A copy of the set-up's files, and a PATH on which only stand-ins and plain tools are."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "checkout"
        self.bin = folder / "bin"
        self.log = folder / "calls"
        self.bin.mkdir()
        for name in FILES:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.path / name)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or pytest.fail(f"{tool} is missing"))
        self.program("python3", PYTHON)
        self.program("bwrap", "#!/usr/bin/env bash\n")

    def program(self, name: str, text: str) -> Path:
        """Put a program on the PATH."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def setup(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the set-up; its messages are in `.stderr`."""
        self.log.write_text("")
        return subprocess.run(
            ["bash", "scripts/setup.sh", *arguments],
            cwd=self.path,
            env={"PATH": str(self.bin), "CALLS": str(self.log)} | environment,
            capture_output=True,
            text=True,
        )

    def calls(self) -> list[str]:
        """What the stand-ins were asked for in the last run."""
        return self.log.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_the_first_run_installs_and_the_second_does_nothing(checkout):
    first = checkout.setup("core")
    assert first.returncode == 0, first.stderr
    assert checkout.calls() == ["venv", *CORE]
    assert "half a minute" in first.stderr
    second = checkout.setup("core")
    assert second.returncode == 0
    assert checkout.calls() == []
    assert second.stdout + second.stderr == ""


def test_torch_comes_on_top_and_stays(checkout):
    checkout.setup("core")
    assert checkout.setup("torch").returncode == 0
    assert checkout.calls() == TORCH
    for level in ("torch", "core"):
        checkout.setup(level)
        assert checkout.calls() == []


def test_all_is_torch_notebooks_cluster_and_dev(checkout):
    assert checkout.setup("all").returncode == 0
    assert checkout.calls() == ["venv", *CORE, *TORCH, *NOTEBOOKS, *CLUSTER, *DEV]
    for level in ("all", "torch", "notebooks", "cluster", "dev", "core"):
        checkout.setup(level)
        assert checkout.calls() == []


def test_torch_and_notebooks_come_one_by_one(checkout):
    checkout.setup("notebooks")
    assert checkout.calls() == ["venv", *CORE, *NOTEBOOKS]
    checkout.setup("torch")
    assert checkout.calls() == TORCH
    checkout.setup("all")
    assert checkout.calls() == [*CLUSTER, *DEV]


def test_jupyter_alone_has_the_pins_of_the_notebooks():
    both = pins("requirements.txt") | pins("requirements-notebooks.txt")
    assert pins("requirements-jupyter.txt").items() <= both.items()


def test_an_image_has_no_notebook_pins(checkout):
    (checkout.path / "requirements-notebooks.txt").unlink()
    assert checkout.setup("torch").returncode == 0
    done = checkout.setup("notebooks")
    assert done.returncode == 1
    assert "requirements-notebooks.txt is missing here" in done.stderr


def test_new_pins_are_installed_without_a_new_environment(checkout):
    checkout.setup("torch")
    with (checkout.path / "requirements.txt").open("a") as file:
        file.write("# changed\n")
    checkout.setup("core")
    assert checkout.calls() == CORE
    checkout.setup("torch")
    assert checkout.calls() == TORCH


def test_new_torch_pins_do_not_concern_the_core(checkout):
    checkout.setup("torch")
    with (checkout.path / "requirements-torch.txt").open("a") as file:
        file.write("# changed\n")
    checkout.setup("core")
    assert checkout.calls() == []
    checkout.setup("torch")
    assert checkout.calls() == TORCH


def test_a_moved_checkout_gets_a_new_environment(checkout):
    checkout.setup("core")
    checkout.path = checkout.path.rename(checkout.path.with_name("moved"))
    checkout.setup("core")
    assert checkout.calls() == ["venv", *CORE]


@pytest.mark.parametrize("level", ["core", "torch"])
def test_a_killed_run_is_redone_from_the_start(checkout, level):
    if level == "torch":
        checkout.setup("core")
    killed = checkout.setup(level, PIP="kill -9 $PPID", PIP_TORCH="kill -9 $PPID")
    assert killed.returncode == -signal.SIGKILL
    again = checkout.setup("core")
    assert "never finished: starting over" in again.stderr
    assert checkout.calls() == ["venv", *CORE]


def test_a_failed_installation_is_said_and_redone(checkout):
    failed = checkout.setup("core", PIP="exit 1")
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr
    assert checkout.setup("core").returncode == 0
    assert checkout.calls() == ["venv", *CORE]


def test_what_needs_no_torch_works_where_torch_could_not_be_installed(checkout):
    checkout.setup("core")
    failed = checkout.setup("torch", PIP_TORCH="exit 1")
    assert failed.returncode == 1
    assert "torch could not be installed" in failed.stderr
    assert checkout.setup("core").returncode == 0
    assert checkout.calls() == []
    checkout.setup("torch")
    assert checkout.calls() == TORCH


def test_an_environment_of_unknown_origin_is_made_anew(checkout):
    (checkout.path / ".venv" / "bin").mkdir(parents=True)
    checkout.setup("core")
    assert checkout.calls() == ["venv", *CORE]


def test_a_link_to_another_environment_gives_way_and_that_one_stays(checkout, tmp_path):
    other = tmp_path / "another checkout's"
    (other / "bin").mkdir(parents=True)
    (other / "bin" / "tool").write_text("kept")
    (checkout.path / ".venv").symlink_to(other)
    run = checkout.setup("core")
    assert run.returncode == 0
    assert "is a link" in run.stderr
    assert not (checkout.path / ".venv").is_symlink()
    assert [path.name for path in other.rglob("*")] == ["bin", "tool"]


def test_an_environment_whose_python_is_gone_is_made_anew(checkout):
    checkout.setup("core")
    (checkout.path / ".venv/bin/python").unlink()
    checkout.setup("core")
    assert checkout.calls() == ["venv", *CORE]


def test_the_first_suitable_python_is_taken(checkout):
    text = PYTHON.replace("${VERSION:-3.12}", "3.10")
    checkout.program("python3", text)
    assert checkout.setup("core").returncode == 1
    checkout.program("python3.11", PYTHON.replace("${VERSION:-3.12}", "3.11"))
    run = checkout.setup("core")
    assert run.returncode == 0
    assert "with python3.11, Python 3.11" in run.stderr


@pytest.mark.parametrize("version", ["3.10", "3.14", "2.7"])
def test_an_unsuitable_python_is_refused(checkout, version):
    run = checkout.setup("core", PYTHON="python3", VERSION=version)
    assert run.returncode == 1
    assert f"PYTHON=python3 is Python {version}. The course needs Python 3.11 to" in run.stderr
    assert checkout.calls() == []


def test_a_python_that_does_not_run_is_refused(checkout):
    run = checkout.setup("core", PYTHON="/nowhere/python3")
    assert run.returncode == 1
    assert "PYTHON=/nowhere/python3 does not run" in run.stderr


def test_no_python_at_all_is_said(checkout):
    (checkout.bin / "python3").unlink()
    run = checkout.setup("core")
    assert run.returncode == 1
    assert "no Python 3.11 to 3.13 was found" in run.stderr
    assert "make PYTHON=/path/to/python3.12" in run.stderr


def test_another_python_gets_a_new_environment(checkout):
    checkout.setup("core")
    other = PYTHON.replace(
        f'exec {shlex.quote(sys.executable)} "$@"',
        f"{shlex.quote(sys.executable)} \"$@\" | sed 's/Python /Python 3.13 /'",
    )
    checkout.program("sed", f'#!/usr/bin/env bash\nexec {shutil.which("sed")} "$@"\n')
    checkout.program("python3.13", other)
    checkout.setup("core", PYTHON="python3.13")
    assert checkout.calls() == ["venv", *CORE]
    checkout.setup("core", PYTHON="python3.13")
    assert checkout.calls() == []


def is_root_on_debian() -> bool:
    release = Path("/etc/os-release")
    return os.geteuid() == 0 and release.exists() and "debian" in release.read_text().lower()


APT = '#!/usr/bin/env bash\necho "apt-get $1 ${*: -1}" >>"$CALLS"\n'


def test_a_missing_ensurepip_is_installed_or_its_command_is_told(checkout):
    checkout.program("apt-get", APT + "exit 100")
    run = checkout.setup("core", NO_ENSUREPIP="1")
    assert run.returncode == 1
    assert "sudo apt-get install -y python3.12-venv" in run.stderr
    install = "apt-get install python3.12-venv"
    assert checkout.calls() == ([install, "apt-get update -qq"] if is_root_on_debian() else [])
    assert not (checkout.path / ".venv").exists()


def test_a_missing_bubblewrap_is_installed_or_its_command_is_told(checkout):
    bwrap = checkout.bin / "bwrap"
    checkout.setup("core")
    bwrap.unlink()
    checkout.program("apt-get", f"{APT} [[ $1 == install ]] && echo >{bwrap} && chmod +x {bwrap}")
    run = checkout.setup("core", "sandbox")
    assert run.returncode == 0
    if is_root_on_debian():
        assert checkout.calls() == ["apt-get install bubblewrap"]
        assert "installing the Debian package bubblewrap" in run.stderr
        assert checkout.setup("core", "sandbox").stderr == ""
    else:
        assert checkout.calls() == []
        assert "sudo apt-get install -y bubblewrap" in run.stderr


def test_a_bubblewrap_that_cannot_be_installed_stops_nothing(checkout):
    (checkout.bin / "bwrap").unlink()
    checkout.program("apt-get", APT + "exit 100")
    for expected in (["apt-get install bubblewrap", "apt-get update -qq"], []):  # tried once
        run = checkout.setup("core", "sandbox")
        assert run.returncode == 0
        assert "sudo apt-get install -y bubblewrap" in run.stderr
        apt = [call for call in checkout.calls() if call.startswith("apt-get")]
        assert apt == (expected if is_root_on_debian() else [])


def test_the_sandbox_is_left_out_where_it_is_not_needed(checkout):
    (checkout.bin / "bwrap").unlink()
    assert "bubblewrap" not in checkout.setup("core").stderr


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_help_is_the_default_and_names_every_target():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    run = make()
    assert run.returncode == 0, run.stderr
    listed = re.findall(r"^  ([a-z]+) +\S", run.stdout, re.MULTILINE)
    assert listed == targets[1].split()


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["grade"], 'grade --out "grades"'),
        (
            ["grade", "SUBMISSIONS=my class", "OUT=x", "WEEK=1", "JOBS=3"],
            'grade --submissions "my class" --out "x" --week "1" --jobs "3"',
        ),
        (["grade", "UNCONFINED=1"], 'grade --out "grades" --unconfined'),
        (["grade", "UNCONFINED=0"], 'grade --out "grades"'),
        (["check"], "check"),
        (["check", "WEEK=1"], 'check --week "1"'),
        (["release", "OUT=tree"], 'release --out "tree"'),
    ],
)
def test_make_hands_its_options_on(arguments, command):
    run = make("--dry-run", *arguments)
    assert run.returncode == 0, run.stderr
    words = " ".join(run.stdout.replace("\\\n", " ").split())
    assert words.endswith(f".venv/bin/python -m autograder {command}")


def test_release_asks_where_to():
    run = make("release")
    assert run.returncode == 2
    assert "make release OUT=dir" in run.stderr


def pins(name: str) -> dict[str, str]:
    """The pinned version of every package in a requirements file."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    pairs = [re.fullmatch(r"([\w.-]+)==([\w.]+)(?:; .*)?", line) for line in lines if line]
    assert all(pairs), f"{name} has a line that pins nothing"
    return {canonicalize_name(pair[1]): pair[2] for pair in pairs}


def test_the_pins_lie_in_the_ranges_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, ranges in (
        ("requirements.txt", project["dependencies"]),
        ("requirements-torch.txt", project["optional-dependencies"]["torch"]),
        ("requirements-notebooks.txt", project["optional-dependencies"]["notebooks"]),
        ("requirements-cluster.txt", project["optional-dependencies"]["cluster"]),
    ):
        pinned = pins(name)
        for requirement in map(Requirement, ranges):
            assert pinned[canonicalize_name(requirement.name)] in requirement.specifier


def test_students_have_the_same_pins_and_all_that_these_need():
    """In fewer than 20 packages; colorama is for Windows alone."""
    own = pins("autograder/author/release_files/requirements.txt")
    assert len(own) < 20
    assert own.pop("colorama")
    assert own.items() <= pins("requirements.txt").items()
    for name in own:
        for requirement in map(Requirement, importlib.metadata.requires(name) or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in own, f"{name} needs {requirement}"


def test_no_package_is_pinned_twice():
    core, torch, notebooks = map(
        pins, ("requirements.txt", "requirements-torch.txt", "requirements-notebooks.txt")
    )
    for name in core.keys() & torch.keys():  # students install it on a smaller core
        assert core[name] == torch[name]
    assert not core.keys() & notebooks.keys()
    for name in torch.keys() & notebooks.keys():  # either may be installed without the other
        assert torch[name] == notebooks[name]
    cluster = pins("requirements-cluster.txt")
    assert not core.keys() & cluster.keys()
    for name in cluster:
        for other in (torch, notebooks, pins("requirements-dev.txt")):
            assert cluster[name] == other.get(name, cluster[name])


def test_what_the_pinned_packages_need_is_pinned_too():
    pinned = pins("requirements.txt")
    for name in pinned:
        for requirement in map(Requirement, importlib.metadata.requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed = canonicalize_name(requirement.name)
                assert needed in pinned, f"{name} needs {needed}"
                assert pinned[needed] in requirement.specifier


def test_ci_runs_both_tiers_of_tests_and_nothing_else():
    path = ROOT / ".ci" / "run"
    assert os.access(path, os.X_OK)
    assert path.read_text().splitlines()[-2:] == ["make test", "make prove"]
