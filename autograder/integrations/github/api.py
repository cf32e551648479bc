"""GitHub's REST API, as far as reporting needs it, with retries; the token is never shown."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from autograder.errors import RemoteError
from autograder.text.display import one_line

MAX_ATTEMPTS = 4
TIMEOUT_SECONDS = 20.0
MAX_WAIT_SECONDS = 60.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024
RETRIED_STATUSES = (408, 429, 500, 502, 503, 504)
RATE_LIMITED = 403
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class ApiError(RemoteError):
    """The API did not do what it was asked for; the message says what and why, in one line."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token must reach only the server that it is meant for."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def pause(seconds: float) -> None:
    """Wait before the next attempt."""
    time.sleep(seconds)


class Api:
    """GitHub's API below the address `base`.

    Raises ApiError where the token would cross the network in the clear.
    """

    def __init__(self, base: str, token: str):
        parts = urlsplit(base)
        if parts.scheme != "https" and parts.hostname not in LOCAL_HOSTS:
            raise ApiError(f"{base} is not https, and the token must not be read on the way")
        self._base = base.rstrip("/")
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirect)

    def is_private(self, slug: str) -> bool:
        """Return whether a repository (owner/name) is certainly private."""
        return self._call("GET", f"/repos/{slug}").get("private") is True

    def post_status(self, slug: str, commit: str, status: Mapping[str, str]) -> None:
        """Post a commit's status: `state`, `context`, `description` (at most 140 characters)."""
        self._call("POST", f"/repos/{slug}/statuses/{commit}", dict(status))

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Make one call, with retries where they may help. Raises ApiError."""
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            request = urllib.request.Request(self._base + path, data, self._headers, method=method)
            wait = 2.0 ** (attempt - 1)
            try:
                with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                    content = json.loads(answer.read(MAX_ANSWER_BYTES))
                    return content if isinstance(content, dict) else {}
            except urllib.error.HTTPError as error:
                problem = _explain(error)
                asked = _requested_wait(error.headers)
                limited = error.code == RATE_LIMITED and asked is not None
                if error.code not in RETRIED_STATUSES and not limited:
                    break
                wait = asked if asked is not None else wait
            except (OSError, HTTPException, ValueError) as error:
                problem = one_line(str(error) or type(error).__name__)
            if attempt < MAX_ATTEMPTS:
                pause(min(wait, MAX_WAIT_SECONDS))
        raise ApiError(f"{method} {path}: {problem}")

    @property
    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "User-Agent": "neural-network-foundations",
            "X-GitHub-Api-Version": "2022-11-28",
        }


REASONS = {
    401: "the token is not valid",
    403: "the token may not do this, or its calls are used up",
    404: "there is no such repository, or the token may not see it",
    422: "there is no such commit, or it has too many statuses",
}


def _explain(error: urllib.error.HTTPError) -> str:
    if 300 <= error.code < 400:
        return f"the repository has moved ({error.code}); correct the roster"
    reason = REASONS.get(error.code, "the server failed" if error.code >= 500 else "it was refused")
    return f"{reason} ({error.code})"


def _requested_wait(headers: Message) -> float | None:
    """Return the wait in seconds that the server asks for; None where it doesn't ask."""
    if headers.get("retry-after", "").isdigit():
        return float(headers["retry-after"])
    if (
        headers.get("x-ratelimit-remaining") == "0"
        and headers.get("x-ratelimit-reset", "").isdigit()
    ):
        return max(0.0, float(headers["x-ratelimit-reset"]) - time.time())
    return None
