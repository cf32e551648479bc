"""Git commands that reach another machine: fetch and push, over https, ssh and file only.

A token is given to git in its environment, for the one server that it is meant for; it never stands
in a command line or in a message.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.integrations.git import ENVIRONMENT, OPTIONS, GitError, Repository
from autograder.text.display import one_line

TIMEOUT_SECONDS = 300.0
MAX_FILE_BYTES = 512 * 1024 * 1024
"""Maximum size of a file that git may write: one fetch is written as one file."""
INHERITED_VARIABLES = (
    *("HOME", "PATH", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GIT_SSL_CAINFO", "SSL_CERT_FILE"),
    *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"),
)
"""Variables of our own environment that git gets where it speaks to another machine."""
NO_SUCH_REF = 2


@dataclass(frozen=True)
class Access:
    """Access to remote repositories: a `token` for those on `server` (https://github.com)."""

    server: str = "https://github.com"
    token: str | None = None

    def environment(self) -> dict[str, str]:
        """Return the environment that git runs in."""
        settings = {"http.followRedirects": "false"}
        if self.token:
            pair = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
            settings[f"http.{self.server}/.extraHeader"] = f"Authorization: Basic {pair}"
        numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {
            **ENVIRONMENT,
            **{name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ},
            "GIT_ALLOW_PROTOCOL": "https:ssh:file",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
            **numbered,
        }


def make_bare(path: Path) -> Repository:
    """Return the bare repository at `path`, created if it is missing."""
    if not (path / "HEAD").is_file():
        path.mkdir(parents=True, exist_ok=True)
        _run(["init", "-q", "--bare", str(path)], ENVIRONMENT)
    return Repository(path)


def fetch(repository: Repository, url: str, ref: str, into: str, access: Access) -> bool:
    """Fetch `ref` of the repository at `url` into the local ref `into`; return whether it exists.

    Raises GitError where that fails.
    """
    if not _ref_exists(repository, url, ref, access):
        return False
    refspec = f"+{ref}:{into}"
    options = ["-q", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"]
    _run(["fetch", *options, "--end-of-options", url, refspec], access.environment(), repository)
    return True


def push(repository: Repository, url: str, ref: str, access: Access) -> None:
    """Push a local branch to the one of the same name. Raises GitError where that fails."""
    _run(["push", "-q", "--end-of-options", url, f"{ref}:{ref}"], access.environment(), repository)


def _ref_exists(repository: Repository, url: str, ref: str, access: Access) -> bool:
    command = ["ls-remote", "-q", "--exit-code", "--end-of-options", url, ref]
    return _run(command, access.environment(), repository, allowed=(0, NO_SUCH_REF)) == 0


def _run(
    arguments: list[str],
    environment: Mapping[str, str],
    repository: Repository | None = None,
    allowed: tuple[int, ...] = (0,),
) -> int:
    """Run git, with a limit on time and on what it writes; return its exit status."""
    settings = [word for option in OPTIONS for word in ("-c", option)]
    where = [f"--git-dir={repository.path}"] if repository else []
    limit = [shutil.which("prlimit") or "prlimit", f"--fsize={MAX_FILE_BYTES}"]
    command = [*limit, "git", *settings, *where, *arguments]
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} took more than {TIMEOUT_SECONDS:.0f} s") from error
    if done.returncode not in allowed:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise GitError(f"git {arguments[0]} failed: {one_line(lines[-1])}")
    return done.returncode
