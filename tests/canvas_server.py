"""A Canvas on this machine, by the documentation of its REST API, for the tests of comments.

It has what Canvas documents: lists in pages that a header links, files uploaded in three steps, and
calls that are refused when there are too many. It checks what Canvas checks.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

TOKEN = "7~a-secret-token"
COURSE, ASSIGNMENT = 12, 345
UPLOAD = re.compile(
    rf"/api/v1/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions/(\d+)/comments/files"
)
SUBMISSION = re.compile(rf"/api/v1/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions/(\d+)")


@dataclass
class File:
    """A file that was told of: for whose submission, and how far it has come."""

    user: int
    name: str
    size: int
    content: bytes | None = None
    available: bool = False


@dataclass
class CanvasServer:
    """`users` are those of the course. `trouble` maps a call's count to the answer it gets."""

    users: list[dict[str, Any]]
    page_size: int = 2
    redirects: bool = True
    trouble: dict[int, tuple[int, str]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[int, File] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""
    elsewhere: str = ""
    """Where the last step of an upload is said to be, if not here."""


class _Handler(BaseHTTPRequestHandler):
    canvas: CanvasServer

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        canvas = self.canvas
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        canvas.calls.append((self.command, parts.path))
        if problem := canvas.trouble.get(len(canvas.calls)):
            self._send(problem[0], problem[1], {"X-Rate-Limit-Remaining": "0.0"})
            return
        if parts.path == "/files_api":
            self._receive(body)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"errors": [{"message": "Invalid access token."}]})
            return
        query = parse_qs(parts.query)
        form = dict(parse_qsl(body.decode())) if self.command != "GET" else {}
        if (self.command, parts.path) == ("GET", f"/api/v1/courses/{COURSE}/users"):
            self._page(query, canvas.users)
        elif self.command == "GET" and SUBMISSION.fullmatch(f"{parts.path}/0"):
            shown = "submission_comments" in query.get("include[]", ())
            each = [
                {"user_id": one["id"]}
                | ({"submission_comments": canvas.comments.get(one["id"], [])} if shown else {})
                for one in canvas.users
            ]
            self._page(query, each)
        elif self.command == "POST" and (match := UPLOAD.fullmatch(parts.path)):
            self._announce(int(match[1]), form)
        elif self.command == "GET" and parts.path.startswith("/api/v1/files/"):
            self._confirm(int(parts.path.split("/")[4]))
        elif self.command == "PUT" and (match := SUBMISSION.fullmatch(parts.path)):
            self._comment(int(match[1]), parse_qs(body.decode()))
        else:
            self._send(404, {"errors": [{"message": "The specified resource does not exist."}]})

    def _page(self, query: dict[str, list[str]], entries: list[dict[str, Any]]) -> None:
        """Send a page: fewer entries than were asked for, and opaque links to the others."""
        at, size = int(query.get("at", ["0"])[0]), self.canvas.page_size
        others = "&".join(f"{k}={v}" for k, vs in query.items() if k != "at" for v in vs)
        here = f"{self.canvas.address}{urlsplit(self.path).path}?{others}"
        links = [f'<{here}&at={at}>; rel="current"']
        if at + size < len(entries):
            links.append(f'<{here}&at={at + size}>; rel="next"')
        links.append(f'<{here}&at=0>; rel="first"')
        self._send(200, entries[at : at + size], {"link": ",".join(links)})

    def _announce(self, user: int, form: dict[str, str]) -> None:
        number = 9000 + len(self.canvas.files)
        self.canvas.files[number] = File(user, form["name"], int(form["size"]))
        fields = {"key": f"users/{number}/files", "policy": "c2lnbmVk", "Filename": form["name"]}
        self._send(200, {"upload_url": f"{self.canvas.address}/files_api", "upload_params": fields})

    def _receive(self, body: bytes) -> None:
        """Take the file itself: signed fields as they were given, the file last, no token."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = list(message_from_bytes(head + body).walk())[1:]
        names = [_name_of(part) for part in parts]
        fields = {_name_of(part): part.get_payload() for part in parts[:-1]}
        number = int(str(fields.get("key", "/0/")).split("/")[1])
        file = self.canvas.files.get(number)
        signed = fields.get("policy") == "c2lnbmVk" and len(fields) == 3
        if "Authorization" in self.headers or names[-1] != "file" or not (file and signed):
            self._send(400, "the upload's signature does not match")
            return
        content = parts[-1].get_payload(decode=True)
        assert isinstance(content, bytes)
        file.content = content
        base = self.canvas.elsewhere or self.canvas.address
        place = {"Location": f"{base}/api/v1/files/{number}/create_success?uuid=ab"}
        if not self.canvas.redirects:
            file.available = True
        self._send(301 if self.canvas.redirects else 201, "<Created/>", place)

    def _confirm(self, number: int) -> None:
        file = self.canvas.files[number]
        file.available = file.content is not None and len(file.content) == file.size
        self._send(200, {"id": number, "display_name": file.name, "size": file.size})

    def _comment(self, user: int, form: dict[str, list[str]]) -> None:
        numbers = [int(one) for one in form.get("comment[file_ids][]", ())]
        files = [self.canvas.files.get(number) for number in numbers]
        if not all(file and file.available and file.user == user for file in files):
            self._send(401, {"errors": [{"message": "a file can't be attached"}]})
            return
        text = form["comment[text_comment]"][0]
        attached = {file.name: file.content for file in files if file}
        self.canvas.comments.setdefault(user, []).append({"comment": text, "attached": attached})
        self._send(200, {"id": 1, "user_id": user})

    def _send(self, code: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        plain = answer if isinstance(answer, str) else json.dumps(answer, default=lambda _: None)
        content = plain.encode()
        self.send_response(code)
        for name, value in ({"X-Request-Cost": "0.1"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _name_of(part: Message) -> str:
    return str(part.get_param("name", header="content-disposition"))


@contextmanager
def serving(canvas: CanvasServer) -> Iterator[str]:
    """Serve a Canvas on this machine; yield its address."""
    handler = type("Handler", (_Handler,), {"canvas": canvas})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        canvas.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield canvas.address
        finally:
            server.shutdown()
            thread.join()
