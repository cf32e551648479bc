"""Runs the steps of a workflow as a runner would, with stand-ins for what comes from elsewhere.

An action is not run. What it stands for is done or checked instead: `checkout` and `setup-python`
are what the test has prepared, a cache is empty, and whatever would be uploaded has to be there.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CHECKOUT, PYTHON = "actions/checkout", "actions/setup-python"
CACHE, RESTORE, SAVE = "actions/cache", "actions/cache/restore", "actions/cache/save"
UPLOAD = "actions/upload-artifact"
MADE_BY_US = (CHECKOUT, PYTHON, CACHE, RESTORE)
PINS = ("torch", "notebooks")


@dataclass
class Done:
    """What a job's steps did: exit status and output by the step's name, and files uploaded."""

    status: dict[str, int] = field(default_factory=dict)
    output: dict[str, str] = field(default_factory=dict)
    summary: dict[str, str] = field(default_factory=dict)
    uploaded: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    environments: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        """The steps that failed, in their order."""
        return [name for name, status in self.status.items() if status]


def load_workflow(path: Path) -> dict[str, Any]:
    """Return a workflow; `on` is the key that YAML 1.1 takes for true."""
    found = yaml.safe_load(path.read_text("utf-8"))
    return {"on" if key is True else key: value for key, value in found.items()}


def name_of(step: Mapping[str, Any]) -> str:
    return step.get("name") or step["uses"].partition("@")[0]


def run_steps(
    job: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    secrets: Mapping[str, str] | None = None,
    instead: Callable[[str], str] = lambda command: command,
) -> Done:
    """Run a job's steps in `folder`, each by `bash -e` as GitHub does; return what they did.

    `instead` may give another command in a command's place. After a step that fails only those run
    that say so.
    """
    done = Done()
    outputs: dict[str, dict[str, str]] = {}
    runner = folder.parent / f"{folder.name}-runner"
    runner.mkdir(exist_ok=True)
    for number, step in enumerate(job["steps"]):
        name = name_of(step)
        if not _wanted(step.get("if"), bool(done.failed), outputs):
            done.skipped.append(name)
            continue
        if "uses" in step:
            _stand_in(step, folder, done)
            continue
        assert "${{" not in step["run"], "what GitHub puts into a script could be anything"
        files = {
            "GITHUB_OUTPUT": runner / f"{number}.output",
            "GITHUB_STEP_SUMMARY": runner / f"{number}.summary",
        }
        for path in files.values():
            path.write_text("")
        given = {key: str(path) for key, path in files.items()}
        given |= _given(job.get("env", {}), secrets) | _given(step.get("env", {}), secrets)
        _run(name, instead(step["run"]), folder, {**environment, **given}, runner, done)
        done.summary[name] = files["GITHUB_STEP_SUMMARY"].read_text()
        if "id" in step:
            lines = files["GITHUB_OUTPUT"].read_text().splitlines()
            outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
    return done


def _run(
    name: str,
    command: str,
    folder: Path,
    environment: Mapping[str, str],
    runner: Path,
    done: Done,
) -> None:
    script = runner / "script.sh"
    script.write_text(command)
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    done.status[name] = ended.returncode
    done.output[name] = ended.stdout
    done.environments[name] = environment


def _given(entries: Mapping[str, str], secrets: Mapping[str, str] | None) -> dict[str, str]:
    """Return a step's own environment, with secrets in the place of their names."""
    found = {}
    for key, value in entries.items():
        if value.startswith("${{"):
            secret = value.removeprefix("${{ secrets.").removesuffix(" }}")
            value = (secrets or {})[secret]
        found[key] = value
    return found


def _wanted(condition: str | None, failed: bool, outputs: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a step runs. Only conditions of these kinds are known."""
    if condition is None:
        return not failed
    if condition == "${{ !cancelled() }}":
        return True
    left, _, right = condition.partition(" == ")
    steps, step, kind, name = left.split(".")
    assert (steps, kind) == ("steps", "outputs"), condition
    return not failed and outputs[step][name] == right.strip("'")


def _stand_in(step: Mapping[str, Any], folder: Path, done: Done) -> None:
    action, _, version = step["uses"].partition("@")
    assert version[:1] == "v", f"{step['uses']} is not pinned to a major version"
    assert version[1:].isdigit(), f"{step['uses']} is not pinned to a major version"
    if action in MADE_BY_US:
        return
    assert action in (UPLOAD, SAVE), f"there is no stand-in for {action}"
    for name in step["with"]["path"].split():
        assert (folder / name).exists(), f"{name} is to be kept, and isn't there"
        if action == UPLOAD:
            done.uploaded.append(name)


def runner_environment(folder: Path, bin_folder: Path) -> dict[str, str]:
    """Return what a runner sets for a checkout in `folder`; programs of `bin_folder` come first."""
    return {
        "PATH": f"{bin_folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder.parent),
        "LANG": "C.UTF-8",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_REPOSITORY": "course/ada",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
        "RUNNER_OS": "Linux",
    }


def stand_in_venv(folder: Path) -> None:
    """Make a .venv that scripts/setup.sh takes for finished, and that runs this very Python."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, start in (("python", ""), ("check-jsonschema", "-m check_jsonschema")):
        path = programs / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {start} "$@"\n')
        path.chmod(0o755)

    def digest(*names: str) -> str:
        content = b"\0".join((folder / name).read_bytes() for name in names)
        return hashlib.sha256(content).hexdigest()

    lines = [f"in {folder} Python {' '.join(sys.version.split())}"]
    lines.append(f"core {digest('requirements.txt', 'pyproject.toml')}")
    for name in PINS:
        if (folder / f"requirements-{name}.txt").is_file():
            lines.append(f"{name} {digest(f'requirements-{name}.txt')}")
    (folder / ".venv" / ".ready").write_text("\n".join(lines) + "\n")


def program(folder: Path, name: str, text: str) -> Path:
    """Put a program into a folder for the PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path
