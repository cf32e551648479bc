"""The formgrader's server: the pages on which a person marks, and nothing else of Jupyter's.

A Jupyter server runs code for whoever has its token: it starts kernels and terminals and writes
files, and nbgrader's own pages run the students' notebooks. Marking needs none of it, so none of it
is there: whatever is not one of OFFERED is not found, with the token as without it.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from jupyter_server.serverapp import ServerApp
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import HTTPError, RequestHandler

EXTENSION = "autograder.integrations.formgrader.pages"
MATHJAX = "https://cdnjs.cloudflare.com"
MATHJAX_VERSION = "https://api.cdnjs.com"
"""Where nbconvert's template has MathJax from, and where that asks for its latest version."""

NAME, FILE = r"[\w.-]+", r"\w[\w-]*\.\w+"
READ, WRITE = ("GET", "HEAD"), ("GET", "HEAD", "PUT")
OFFERED: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"/", READ),
    (r"/login", ("GET", "HEAD", "POST")),
    (r"/logout", READ),
    (r"/favicon\.ico", READ),
    (r"/static/.*", READ),
    (r"/formgrader/?", READ),
    (r"/formgrader/(static|fonts|submissions/components)/.*", READ),
    (rf"/formgrader/gradebook(/{NAME}){{0,2}}/?", READ),
    (rf"/formgrader/submissions/{NAME}/?", READ),
    (rf"/formgrader/submissions/{NAME}/(next|prev)(_incorrect)?/?", READ),
    (rf"/formgrader/submissions/{NAME}/{FILE}", READ),
    (r"/formgrader/api/(assignments|grades|comments)", READ),
    (rf"/formgrader/api/(assignment|notebooks|submissions)/{NAME}", READ),
    (rf"/formgrader/api/submitted_notebooks/{NAME}/{NAME}", READ),
    (rf"/formgrader/api/(grade|comment)/{NAME}", WRITE),
    (rf"/formgrader/api/submitted_notebook/{NAME}/flag", ("POST",)),
)
"""Patterns of whole paths, as they stand in a request, and the methods that go with them."""

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' 'unsafe-inline' 'unsafe-eval' {MATHJAX}",  # nbgrader's and MathJax's
        f"style-src 'self' 'unsafe-inline' {MATHJAX}",
        f"font-src 'self' data: {MATHJAX}",
        f"img-src 'self' data: {MATHJAX}",
        f"connect-src 'self' {MATHJAX_VERSION}",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing on a page sends anything elsewhere, but for MathJax's own files."""

HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_offered(method: str, path: str, query: str = "") -> bool:
    """Whether a request, as it came, is for one of the pages for marking."""
    if re.search(r"(?i)(?:^|&)(?:p|%70)(?:a|%61)(?:t|%74)(?:h|%68)=", query):
        return False  # nbgrader would run a file of settings from that folder
    return any(method in methods and re.fullmatch(page, path) for page, methods in OFFERED)


class _NotOffered(Matcher):
    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        offered = is_offered(request.method or "", request.path, request.query)
        return None if offered else {}


class _NotHere(RequestHandler):
    """Answers 404, whoever asks."""

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that needs protection."""

    def prepare(self) -> None:
        raise HTTPError(404)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: this server has pages for marking only.\n")


class MarkingServer(ServerApp):
    """A Jupyter server without Jupyter's services and without extensions but ours."""

    default_services = ()  # type: ignore[assignment]  # typed as exactly those it has

    def initialize(self, argv: list[str] | None = None, **others: Any) -> None:  # type: ignore[override]
        """Load our extension alone, whatever this machine has enabled for its own servers."""
        super().initialize(argv, **{**others, "find_extensions": False})
        # The first rule, before those of Jupyter, of extensions and of single handlers.
        self.web_app.default_router.rules.insert(0, Rule(_NotOffered(), _NotHere))


def arguments(folder: str, host: str, port: int) -> list[str]:
    """Return the command line of a server for a folder; port 0 is any free one."""
    return [
        f"--ServerApp.ip={host}",
        f"--ServerApp.port={port}",
        f"--ServerApp.port_retries={0 if port else 50}",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.open_browser=False",
        "--ServerApp.no_browser_open_file=True",  # it holds the token, for everybody to read
        "--ServerApp.allow_root=True",
        "--ServerApp.terminals_enabled=False",
        f"--ServerApp.jpserver_extensions={EXTENSION}=True",
    ]


def main() -> None:
    """Run as `python -m autograder.integrations.formgrader.server`, with Jupyter's arguments."""
    os.umask(0o077)
    MarkingServer.launch_instance(sys.argv[1:])


if __name__ == "__main__":
    main()
