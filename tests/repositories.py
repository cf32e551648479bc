"""What tests of students' repositories share: real git, and a server that plays the API."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A student"), ("EMAIL", "student@example.org"))
}


def git(folder: Path, *arguments: str, when: str | None = None, given: str | None = None) -> str:
    """Run git as a person does, without this machine's settings; return what it prints."""
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when} if when else {}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        **WHO,
        **dates,
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True)
class Work:
    """A student's working copy, and the bare repository that they push to."""

    folder: Path
    remote: Path

    @property
    def url(self) -> str:
        """The repository's address."""
        return self.remote.as_uri()

    def push(self, files: Mapping[str, str | bytes], when: str | None = None) -> str:
        """Write files, commit them at a time, push them; return the commit's hash."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "Work", when=when)
        git(self.folder, "push", "-q", "-f", "origin", "main")
        return git(self.folder, "rev-parse", "HEAD")


def make_work(folder: Path, name: str, owner: str = "course") -> Work:
    """Make an empty bare repository OWNER/NAME.git, and a working copy of it."""
    remote, work = folder / owner / f"{name}.git", folder / "work" / name
    for path in (remote, work):
        path.mkdir(parents=True)
    git(remote, "init", "-q", "--bare", "-b", "main")
    git(work, "init", "-q", "-b", "main")
    git(work, "remote", "add", "origin", str(remote))
    return Work(work, remote)


@dataclass
class Site:
    """A server that plays GitHub's API, and what it was asked for.

    `statuses` holds (path, body). `answers` are the codes, and headers, of the next POSTs, before
    any succeeds. `public` names the repositories that aren't private.
    """

    url: str = ""
    statuses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    posts: int = 0
    tokens: set[str | None] = field(default_factory=set)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)


@contextmanager
def api_site() -> Iterator[Site]:
    """Run such a server on this machine."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.tokens.add(self.headers["Authorization"])
            slug = self.path.removeprefix("/repos/")
            self.answer(200, {"full_name": slug, "private": slug not in site.public})

        def do_POST(self) -> None:
            site.tokens.add(self.headers["Authorization"])
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            site.posts += 1
            slug = "/".join(self.path.split("/")[2:4])
            if slug in site.refused:
                self.answer(site.refused[slug], {"message": "no"})
            elif site.answers:
                code, headers = site.answers.pop(0)
                self.answer(code, {"message": "again"}, headers)
            else:
                site.statuses.append((self.path, body))
                self.answer(201, {"state": body["state"]})

        def answer(self, code: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
