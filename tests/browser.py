"""Headless Chromium, driven over its own protocol: pages as a browser really shows them.

It is Debian's package `chromium`; MathJax, which pages have from the network, is answered for by
Debian's `libjs-mathjax`. Everything else from elsewhere is written down and refused.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

MATHJAX = Path("/usr/share/javascript/mathjax")
CDN, AT_CDN = "cdnjs.cloudflare.com", "/ajax/libs/mathjax/2.7.7/"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SECONDS = 60.0
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or not MATHJAX.is_dir(),
    reason="NOT PROVEN IN A BROWSER: bash scripts/setup.sh all browser installs what is needed",
)
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff": "font/woff", ".otf": "font/otf"}


def command(profile: Path, *others: str) -> list[str]:
    """Return the command line of a browser with a folder of its own, to be driven."""
    assert CHROMIUM is not None
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    switches += ["--no-first-run", "--disable-background-networking", "--disable-extensions"]
    switches += [
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "--window-size=1200,900",
    ]
    return [CHROMIUM, *switches, *others]


@contextmanager
def chromium(profile: Path, **settings: Any) -> Iterator[Browser]:
    """Start a browser and end it; `settings` are those of subprocess.Popen."""
    with subprocess.Popen(
        command(profile, "about:blank"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **settings,
    ) as process:
        try:
            yield Browser(profile)
        finally:
            process.terminate()


Request = tuple[str, dict[str, Any]]
"""A request of the browser's protocol: its method and parameters."""


class Browser:
    """The first page of a browser that was started with `command` and this profile.

    `foreign` are the addresses that pages asked for and that are not on this machine, `errors` what
    the browser's console says of faults. `settings` are requests of the protocol, with their
    parameters, that each visit makes first: a narrow window, say.
    """

    def __init__(self, profile: Path) -> None:
        self.foreign: list[str] = []
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.settings: list[Request] = []
        self._number = 0
        port = _until(lambda: _port(profile))
        self._address = f"http://127.0.0.1:{port}/json"
        page = _until(lambda: next((p for p in self._pages() if p["type"] == "page"), None))
        self._socket_address = page["webSocketDebuggerUrl"]

    def _pages(self) -> list[dict[str, str]]:
        with urlopen(self._address, timeout=10) as answer:
            return json.load(answer)

    def addresses(self) -> list[str]:
        """Return where the open pages are."""
        return [page["url"] for page in self._pages() if page["type"] == "page"]

    def visit(self, address: str, *expressions: str | Request) -> list[Any]:
        """Open an address, wait until it and its formulas are there, and evaluate expressions.

        Between them may stand requests of the protocol: a key that is pressed, say.
        """
        return asyncio.run(self._visit(address, expressions))

    async def _visit(self, address: str, expressions: tuple[str | Request, ...]) -> list[Any]:
        from tornado.websocket import websocket_connect

        self._socket = await websocket_connect(self._socket_address, max_message_size=1 << 26)
        try:
            await self._ask("Page.enable")
            await self._ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
            await self._ask("Runtime.enable")
            await self._ask("Log.enable")
            for method, parameters in self.settings:
                await self._ask(method, **parameters)
            await self._ask("Page.navigate", url=address)
            await self._evaluate(READY)
            return [
                await self._evaluate(one)
                if isinstance(one, str)
                else await self._ask(one[0], **one[1])
                for one in expressions
            ]
        finally:
            self._socket.close()
            while await self._socket.read_message() is not None:
                pass  # until it is closed from the other side too

    async def _evaluate(self, expression: str) -> Any:
        end = time.monotonic() + SECONDS
        while True:
            answer = await self._ask(
                "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
            )
            if "exceptionDetails" not in answer and "result" in answer:
                value = answer["result"].get("value")
                if expression is not READY or value:
                    return value
            assert time.monotonic() < end, answer  # a page that goes on to another one ends it
            await asyncio.sleep(0.1)

    async def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        mine = self._number
        await self._send(mine, method, parameters)
        while True:
            message = await asyncio.wait_for(self._socket.read_message(), SECONDS)
            assert message is not None, "the browser has ended"
            told = json.loads(message)
            if told.get("id") == mine:
                return told.get("result") or told.get("error") or {}
            if told.get("method") == "Fetch.requestPaused":
                await self._answer(told["params"])
            elif told.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(told["params"]["exceptionDetails"]))
            elif told.get("method") == "Log.entryAdded":
                entry = told["params"]["entry"]
                self.errors += [str(entry)] * (entry["level"] == "error")
            elif told.get("method") == "Page.javascriptDialogOpening":
                self.dialogs.append(told["params"]["message"])
                await self._send(0, "Page.handleJavaScriptDialog", {"accept": False})

    async def _send(self, number: int, method: str, parameters: dict[str, Any]) -> None:
        text = json.dumps({"id": number or 10**6, "method": method, "params": parameters})
        await self._socket.write_message(text)

    async def _answer(self, asked: dict[str, Any]) -> None:
        address, request = urlsplit(asked["request"]["url"]), {"requestId": asked["requestId"]}
        if address.hostname in (None, "127.0.0.1"):
            await self._send(0, "Fetch.continueRequest", request)
            return
        content = _mathjax(address.path) if address.hostname == CDN else None
        if content is None:
            self.foreign.append(asked["request"]["url"])
            await self._send(0, "Fetch.failRequest", {**request, "errorReason": "Failed"})
            return
        kind = TYPES.get(Path(address.path).suffix, "application/octet-stream")
        headers = [{"name": "Content-Type", "value": kind}]
        headers += [{"name": "Access-Control-Allow-Origin", "value": "*"}]
        body = base64.b64encode(content).decode()
        parameters = {**request, "responseCode": 200, "responseHeaders": headers, "body": body}
        await self._send(0, "Fetch.fulfillRequest", parameters)


READY = """(async () => {
    if (document.readyState !== "complete" || location.href === "about:blank") return false;
    if (!document.querySelector("script[src*='mathjax']")) return true;
    if (!window.MathJax || !MathJax.Hub || !MathJax.isReady) return false;
    await new Promise(done => MathJax.Hub.Queue(done));
    return true;
})()"""
LATEST = """(function () {
    var one = document.createElement("script"), old = document.currentScript;
    one.src = "https://%s%sMathJax.js" + old.src.replace(/^[^?]*/, "");
    old.parentNode.insertBefore(one, old);
})()"""
"""MathJax's own latest.js loads the newest version; this one loads Debian's."""


def _mathjax(path: str) -> bytes | None:
    """Return the file of MathJax that a path of the network stands for."""
    if not path.startswith(AT_CDN):
        return None
    name = path.removeprefix(AT_CDN)
    if name == "latest.js":
        return (LATEST % (CDN, AT_CDN)).encode()
    file = MATHJAX / name
    return file.read_bytes() if file.is_file() else None


def _port(profile: Path) -> int | None:
    path = profile / "DevToolsActivePort"
    return int(path.read_text().split()[0]) if path.is_file() and path.read_text() else None


def _until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < end, "the browser did not start"
        time.sleep(0.1)
    return value
