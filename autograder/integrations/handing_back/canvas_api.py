"""Canvas's REST API, as far as comments with files need it, by its documentation.

Lists come in pages, which headers link. A file is uploaded in three steps: Canvas is told of it, it
is posted where the answer says, and the place that this names is asked for. Who calls too much is
refused for a moment. The token is never shown, and reaches no other server.
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from autograder.errors import RemoteError
from autograder.text.display import one_line

MAX_ATTEMPTS = 5
TIMEOUT_SECONDS = 30.0
MAX_WAIT_SECONDS = 60.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_PAGES = 1_000
PER_PAGE = 100
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
THROTTLED = "rate limit exceeded"
NEXT_PAGE = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)

TOKEN = re.compile(r"[\x21-\x7e]+")

Form = Sequence[tuple[str, str]]


class CanvasError(RemoteError):
    """Canvas did not do what it was asked for; the message says what and why, in one line."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect by itself: each is looked at before the token goes anywhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def pause(seconds: float) -> None:
    """Wait before the next attempt."""
    time.sleep(seconds)


class CanvasApi:
    """The API of the Canvas at the address `base`.

    Raises CanvasError for an address that is none, or where the token would be read on the way.
    """

    def __init__(self, base: str, token: str):
        try:
            parts = urlsplit(base)
            known = bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        if not known:
            raise CanvasError(f"{one_line(base)} is no address such as https://canvas.school.edu")
        if not TOKEN.fullmatch(token):  # the error of a bad header would quote it
            raise CanvasError("the token holds blanks or signs that no token has: copy it again")
        if parts.scheme != "https" and parts.hostname not in LOCAL_HOSTS:
            problem = f"{one_line(base)} is not https, and the token must not be read on the way"
            raise CanvasError(problem)
        self._origin = (parts.scheme, parts.netloc)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirect)

    def every(self, path: str, query: Form = ()) -> Iterator[dict[str, Any]]:
        """Yield all entries of a list, page by page."""
        address = f"{self._base}{path}?{urlencode([*query, ('per_page', str(PER_PAGE))])}"
        seen: set[str] = set()
        while address and len(seen) < MAX_PAGES:
            if address in seen:
                raise CanvasError(f"GET {path}: the pages of the list go in a circle")
            seen.add(address)
            page, headers = self._call("GET", address)
            if not isinstance(page, list):
                raise CanvasError(f"GET {path}: the answer is no list")
            yield from (entry for entry in page if isinstance(entry, dict))
            following = NEXT_PAGE.search(", ".join(headers.get_all("link", ())))
            address = urljoin(self._base, following[1]) if following else ""

    def put(self, path: str, form: Form) -> dict[str, Any]:
        """Change something. It is tried again only where Canvas surely did nothing."""
        answer, _ = self._call("PUT", f"{self._base}{path}", form, repeat=False)
        return answer if isinstance(answer, dict) else {}

    def upload(self, path: str, name: str, content: bytes) -> int:
        """Upload a file for a comment on one submission, and return its id."""
        form = [("name", name), ("size", str(len(content))), ("content_type", content_type(name))]
        told, _ = self._call("POST", f"{self._base}{path}", form)
        address = told.get("upload_url") if isinstance(told, dict) else None
        fields = told.get("upload_params") if isinstance(told, dict) else None
        if not isinstance(address, str) or not isinstance(fields, dict):
            raise CanvasError(f"POST {path}: the answer does not say where the file goes")
        address = urljoin(self._base, address)
        place = self._send_file(address, fields, name, content).get("location")
        if not place:
            raise CanvasError(f"POST {path}: the answer does not say where the file is now")
        answer, _ = self._call("GET", urljoin(address, place))
        number = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(number, int):
            raise CanvasError(f"POST {path}: the answer does not say under which number it is")
        return number

    def _send_file(
        self, address: str, fields: Mapping[str, Any], name: str, content: bytes
    ) -> Message:
        """Post a file with the fields that Canvas gave, unchanged and before it; no token."""
        if urlsplit(address).scheme != "https" and urlsplit(address).hostname not in LOCAL_HOSTS:
            raise CanvasError("the place for the file is not https: it would be read on the way")
        boundary = f"----{secrets.token_hex(16)}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"'
        kind = f"\r\nContent-Type: {content_type(name)}\r\n\r\n"
        end = f"\r\n--{boundary}--\r\n"
        body = ("".join(parts) + head + kind).encode() + content + end.encode()
        sent = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        request = urllib.request.Request(address, body, sent, method="POST")
        what = f"POST {one_line(urlsplit(address).path)}"
        return self._attempts(what, request, repeat=True, redirected=True)[1]

    def _call(
        self, method: str, address: str, form: Form | None = None, repeat: bool = True
    ) -> tuple[Any, Message]:
        """Make one call with the token, and return the answer and its headers."""
        parts = urlsplit(address)
        what = f"{method} {one_line(parts.path)}"
        if (parts.scheme, parts.netloc) != self._origin:
            raise CanvasError(f"{what}: Canvas names another server, which gets no token")
        data = None if form is None else urlencode(form).encode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self._token}",
            "User-Agent": "neural-network-foundations",
        }
        request = urllib.request.Request(address, data, headers, method=method)
        return self._attempts(what, request, repeat)

    def _attempts(
        self, what: str, request: urllib.request.Request, repeat: bool, redirected: bool = False
    ) -> tuple[Any, Message]:
        """Try a request several times where that helps; without `repeat`, if it was not taken.

        Where it may be `redirected`, the place is in the headers, and the rest may be any text.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            wait = 2.0 ** (attempt - 1)
            try:
                with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                    body = answer.read(MAX_ANSWER_BYTES)
                    return (None if redirected else _content(body)), answer.headers
            except urllib.error.HTTPError as error:
                if redirected and 300 <= error.code < 400 and error.headers.get("location"):
                    return None, error.headers
                said = error.read(10_000).decode("utf-8", "replace")
                throttled = error.code == 429 or (error.code == 403 and THROTTLED in said.lower())
                problem = _explain(error.code, said, throttled)
                if not throttled and not (repeat and error.code >= 500):
                    break
                wait = _requested_wait(error.headers, wait)
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = one_line(str(error) or type(error).__name__)
                if not repeat:
                    problem += "; whether it was done is not known"
                    break
            if attempt < MAX_ATTEMPTS:
                pause(min(wait, MAX_WAIT_SECONDS))
        raise CanvasError(f"{what}: {problem}")


def content_type(name: str) -> str:
    """Return the media type of a file of ours."""
    return "image/svg+xml" if name.endswith(".svg") else "text/markdown; charset=utf-8"


REASONS = {
    401: "the token is not valid, or may not do this",
    403: "the token may not do this",
    404: "there is no such course, assignment or student, or the token may not see it",
    422: "Canvas does not take it",
}


def _content(body: bytes) -> Any:
    return json.loads(body) if body.strip() else None


def _explain(code: int, said: str, throttled: bool) -> str:
    if throttled:
        return f"too many calls, and Canvas did not recover in time ({code})"
    other = "it was refused" if code >= 400 else "Canvas is at another address than --url"
    reason = REASONS.get(code, "the server failed" if code >= 500 else other)
    try:
        errors = json.loads(said)["errors"]
        first = errors[0]["message"] if isinstance(errors, list) else errors
        detail = f": {one_line(str(first), 200)}"
    except (ValueError, KeyError, TypeError, IndexError):
        detail = ""
    return f"{reason} ({code}){detail}"


def _requested_wait(headers: Message, otherwise: float) -> float:
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else otherwise
