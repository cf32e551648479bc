"""The formgrader on a machine with other users, and in a real browser.

A class with one attacker is open for marking. Another user of the machine looks for the token and
for anything of the class, and asks the server for code to be run; a browser shows the attacker's
notebook, with real formulas.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from autograder.gradebook.private import OpenFolderError, make_private
from autograder.integrations.formgrader.harmless import MAY_BE_FORMULA
from tests import browser
from tests.integrations.test_formgrader import record_grades
from tests.integrations.test_formgrader_texts import ATTACKS
from tests.notebook_class import CASES, ROOT

NOBODY = 65_534
as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT PROVEN: only root can be another user of the machine"
)
ACTIVE = (
    ("GET", "/api"), ("GET", "/api/kernels"), ("POST", "/api/kernels"), ("GET", "/api/kernelspecs"),
    ("GET", "/api/sessions"), ("POST", "/api/sessions"), ("GET", "/api/contents"),
    ("PUT", "/api/contents/x.py"), ("GET", "/api/terminals"), ("POST", "/api/terminals"),
    ("GET", "/api/config/x"), ("PUT", "/api/config/x"), ("POST", "/api/shutdown"),
    ("GET", "/api/status"), ("GET", "/api/nbconvert"), ("GET", "/nbconvert/html/x.ipynb"),
    ("GET", "/api/me"), ("GET", "/files/gradebook.db"), ("GET", "/view/gradebook.db"),
    ("GET", "/terminals/1"), ("GET", "/terminals/websocket/1"), ("GET", "/lab"), ("GET", "/tree"),
    ("GET", "/api/kernels/x/channels"), ("GET", "/api/events/subscribe"), ("GET", "/metrics"),
    ("GET", "/formgrader?path=/tmp"), ("GET", "/formgrader/?x=1&p%61th=/tmp"),
    ("GET", "/formgrader/manage_assignments"), ("GET", "/formgrader/manage_submissions/week1"),
    ("PUT", "/formgrader/api/assignment/week1"),
    ("POST", "/formgrader/api/assignment/week1/assign"),
    ("POST", "/formgrader/api/submission/week1/ada/autograde"),
    ("POST", "/formgrader/api/assignment/week1/collect"),
    ("GET", "/formgrader/submissions/x/..%2F..%2Fgradebook.db"),
    ("GET", "/formgrader/submissions/x/../../gradebook.db"),
    ("GET", "//api/kernels"), ("GET", "/%61pi/kernels"), ("GET", "/formgrader/../api/kernels"),
)  # fmt: skip
"""Requests for what runs, writes or shows anything but the pages for marking."""

LOOK_AROUND = """
import encodings.idna, http.client, json, os, sys
user, folder, port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
requests = json.loads(sys.argv[4])
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)  # here, since the interpreter may lie where only root can read
seen, read = [], []
for top in (folder, "/tmp", "/run", "/dev/shm", "/var/tmp"):
    for path, folders, files in os.walk(top):
        folders[:] = [one for one in folders if not os.path.islink(os.path.join(path, one))][:200]
        for name in files:
            try:
                handle = os.open(os.path.join(path, name), os.O_RDONLY | os.O_NONBLOCK)
                with open(handle, "rb") as file:
                    text = file.read(65536).decode("latin-1")
            except OSError:
                continue
            if top == folder:
                read.append(os.path.join(path, name))
            if "token" in text:
                seen.append(text)
for number in filter(str.isdigit, os.listdir("/proc")):
    for name in ("cmdline", "environ"):
        try:
            seen.append(open(f"/proc/{number}/{name}", "rb").read().decode("latin-1"))
        except OSError:
            pass
answers = {}
for method, path in requests:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, b"{}" if method in ("POST", "PUT") else None)
    answers[f"{method} {path}"] = connection.getresponse().status
print(json.dumps({"user": os.getuid(), "seen": seen, "read": read, "answers": answers}))
"""


@dataclass
class Marking:
    """A formgrader that is open, in a folder that others could look into."""

    folder: Path
    out: Path
    base: str
    token: str
    profile: Path

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])


def attackers_class(folder: Path) -> Path:
    """Write a class of one who works and one who attacks in every written answer."""
    honest = CASES["honest"].make()
    attack = json.loads(honest)
    texts = [f"**{name}**\n\n{text}" for name, text in ATTACKS.items()]
    for cell in attack["cells"]:
        if "`week1.written_relu`" in "".join(cell["source"]):
            cell["source"] = "`week1.written_relu`\n\n" + "\n\n".join(texts)
    for student, content in {"ada": honest, "eve": json.dumps(attack).encode()}.items():
        (folder / student).mkdir(parents=True)
        (folder / student / "derivations.ipynb").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def marking() -> Iterator[Marking]:
    """Open the formgrader with a browser, as an instructor does, in a folder that is no secret."""
    pytest.importorskip("nbgrader")
    folder = Path(tempfile.mkdtemp(prefix="formgrader-", dir="/tmp"))
    folder.chmod(0o755)
    out = folder / "grades"
    submissions = attackers_class(folder / "class")
    (folder / "class").chmod(0o700)
    record_grades(submissions, out)
    for path in (out, *out.rglob("*")):  # as an earlier version left it
        path.chmod(0o755 if path.is_dir() else 0o644)
    profile = folder / "profile"
    profile.mkdir(mode=0o700)
    opens = " ".join([*browser.command(profile), "%s"]) if browser.CHROMIUM else "/bin/true"
    arguments = ["--submissions", str(submissions), "--out", str(out), "--week", "1", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "autograder", "formgrader", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o022,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "BROWSER": opens},
        start_new_session=True,
    ) as process:
        try:
            said = ""
            assert process.stdout
            for line in process.stdout:
                said += line
                if address := re.search(r"(http://127\.0\.0\.1:\d+)/formgrader\?token=(\w+)", line):
                    break
            else:
                pytest.fail(said)
            yield Marking(folder, out, *address.groups(), profile)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the browser
            shutil.rmtree(folder, ignore_errors=True)


def look_around(marking: Marking) -> dict:
    """Return what another user of this machine finds."""
    requests = [*ACTIVE, ("GET", "/formgrader/api/grades?submission_id=x"), ("GET", "/formgrader/")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOOK_AROUND, str(NOBODY), str(marking.folder),
         str(marking.port), json.dumps(requests)],
        cwd="/", capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@as_root
@pytest.mark.prove
def test_another_user_finds_neither_token_nor_grades_nor_a_way_to_run_anything(marking):
    if browser.CHROMIUM:
        browser.Browser(marking.profile)  # it is there: its command line can be read now
    found = look_around(marking)
    assert found["user"] == NOBODY
    assert any("formgrader.server" in text for text in found["seen"]), "it does look at processes"
    assert not [text for text in found["seen"] if marking.token in text]
    assert found["read"] == []
    answers = found["answers"]
    assert answers.pop("GET /formgrader/api/grades?submission_id=x") in (302, 403)
    assert answers.pop("GET /formgrader/") == 302, "to where the token is asked for"
    assert set(answers.values()) == {404}, answers


@pytest.mark.prove
@pytest.mark.parametrize(("method", "path"), ACTIVE)
def test_nothing_runs_with_the_token_either(marking, method, path):
    headers = {"Authorization": f"token {marking.token}"}
    body = b"{}" if method in ("POST", "PUT") else None
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(marking.base + path, body, headers, method=method), timeout=20)
    refused.value.close()
    assert refused.value.code == 404


@pytest.mark.prove
def test_all_of_the_grades_are_closed_also_what_was_open_before(marking):
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in marking.out.rglob("*")}
    modes[marking.out] = stat.S_IMODE(marking.out.stat().st_mode)
    opened = [str(path) for path, mode in modes.items() if mode & 0o077]
    assert opened == []
    assert len(modes) > 20


@pytest.mark.prove
def test_pages_send_nothing_elsewhere(marking):
    headers = {"Authorization": f"token {marking.token}"}
    with urlopen(Request(f"{marking.base}/formgrader/gradebook", None, headers)) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# In a browser

PAGE = "document.querySelector('#notebook-container')"
KINDS = "a, area, form, iframe, object, embed, svg, script, link"
ANCHORS = f"""[...{PAGE}.querySelectorAll("{KINDS}")]
    .filter(e => !/^math\\/tex/.test(e.type || "") && !e.closest(".MathJax_Preview"))
    .map(e => e.outerHTML.slice(0, 300))"""
COVERED = """(() => {
    const inside = [...document.querySelectorAll(".text_cell_render")];
    const wrong = [];
    for (let y = 0; y < innerHeight; y += 15) for (let x = 0; x < innerWidth; x += 15) {
        const top = document.elementFromPoint(x, y);
        const cell = top && top.closest(".text_cell_render");
        if (!cell) continue;
        const box = cell.getBoundingClientRect();
        if (x < box.left - 1 || x > box.right + 1 || y < box.top - 1 || y > box.bottom + 1)
            wrong.push([x, y, top.outerHTML.slice(0, 200)]);
    }
    return wrong;
})()"""
STYLED = f"""[...{PAGE}.querySelectorAll(".text_cell_render *")].filter(
    e => ["fixed", "sticky"].includes(getComputedStyle(e).position)
        || getComputedStyle(e).backgroundImage !== "none").map(e => e.outerHTML.slice(0, 200))"""
IDS = f"""[...{PAGE}.querySelectorAll(".text_cell_render [id]")]
    .map(e => e.id).filter(id => !/^(MathJax|MJX|mjx)/i.test(id))"""
FORMULAS = f'{PAGE}.querySelectorAll(".mjx-chtml, .MathJax_CHTML").length'
TITLE = "document.title"


@browser.needs_chromium
@pytest.mark.prove
def test_the_browser_is_in_without_a_token_on_its_command_line(marking):
    opened = browser.Browser(marking.profile)
    browser._until(lambda: any("/formgrader/gradebook" in one for one in opened.addresses()))
    assert "formgrader" in opened.addresses()[0]
    assert not any("token" in one for one in opened.addresses())


@browser.needs_chromium
@pytest.mark.prove
def test_what_an_attacker_wrote_does_nothing_in_a_browser(marking, tmp_path):
    headers = {"Authorization": f"token {marking.token}"}
    rows = f"{marking.base}/formgrader/api/submitted_notebooks/week1/derivations"
    with urlopen(Request(rows, None, headers)) as answer:
        ids = {row["student"]: row["id"] for row in json.load(answer)}
    looks = (ANCHORS, COVERED, STYLED, IDS, TITLE, FORMULAS)
    with browser.chromium(tmp_path / "profile") as opened:
        opened.visit(f"{marking.base}/formgrader?token={marking.token}")
        for student in ("ada", "eve"):
            address = f"{marking.base}/formgrader/submissions/{ids[student]}/"
            *found, title, formulas = opened.visit(address, *looks)
            assert found == [[], [], [], []], student
            assert title == "derivations"
            assert formulas > 5, "formulas are shown as such"
        # The same without the first layer, as if it had a hole of its own.
        stored = marking.out / "nbgrader/autograded/eve/week1/derivations.ipynb"
        notebook = json.loads(stored.read_text())
        cells = notebook["cells"]
        template = next(
            c for c in cells if c["cell_type"] == "markdown" and "nbgrader" not in c["metadata"]
        )
        for number, (name, text) in enumerate(ATTACKS.items()):
            new = {**template, "source": f"**{name}**\n\n{text}", "id": f"raw-{number}"}
            cells.insert(0, new)
        stored.write_text(json.dumps(notebook))
        *found, title, _ = opened.visit(address, *looks)
        assert found == [[], [], [], []]
        assert title == "derivations"
        assert opened.dialogs == []
        assert opened.foreign == []


LAST_RESORT = (
    r"$\rlap{\hspace{-30em}\raise 20em \rule{200em}{200em}}$",
    r"$\style{position:fixed;top:0;left:0;padding:900px;background-color:red}{x}$",
    r"$\href{http://tracker.example/}{x}$ $\cssId{submission_id}{y}$",
)


@browser.needs_chromium
@pytest.mark.prove
def test_a_formula_of_any_size_stays_in_its_cell(tmp_path):
    """The last layer alone: commands that come through all the same cover and link nothing."""
    from autograder.integrations.formgrader.pages import CONTAINED

    assert all(MAY_BE_FORMULA.search(text) for text in LAST_RESORT)
    cells = "".join(f'<div class="text_cell_render"><p>{text}</p></div>' for text in LAST_RESORT)
    address = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/2.7.7/latest.js"
    scripts = f'<script src="{address}?config=TeX-AMS_CHTML-full,Safe"></script>' + (
        '<script type="text/x-mathjax-config">MathJax.Hub.Config({tex2jax: {inlineMath: '
        '[["$", "$"]]}})</script>'
    )
    page = tmp_path / "page.html"
    page.write_text(
        f"<!doctype html><html><head>{CONTAINED}{scripts}</head><body><h1>Top</h1>"
        f'<div id="notebook-container" style="padding: 20em 8em">{cells}</div></body></html>'
    )
    links = f'{PAGE}.querySelectorAll("a[href]").length'
    with browser.chromium(tmp_path / "profile") as opened:
        looks = opened.visit(page.as_uri(), COVERED, IDS, links, FORMULAS)
    assert looks[:3] == [[], [], 0]
    assert looks[3] >= 4


# The folder itself


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_folder_of_grades_is_closed_under_any_umask(tmp_path, umask):
    out = tmp_path / "new" / "grades"
    before = os.umask(umask)
    try:
        make_private(out)
        (out / "students" / "ada").mkdir(parents=True)
        (out / "students" / "ada" / "feedback.md").write_text("3 of 5")
        (out / "elsewhere").symlink_to(tmp_path)
        make_private(out)
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.lstat().st_mode) for p in out.rglob("*") if not p.is_symlink()}
    assert modes == {"students": 0o700, "ada": 0o700, "feedback.md": 0o600}
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_what_links_lead_to_stays_as_it_is(tmp_path):
    (tmp_path / "other").mkdir(mode=0o755)
    (tmp_path / "other" / "file").write_text("x")
    (tmp_path / "other" / "file").chmod(0o644)
    (tmp_path / "grades").mkdir()
    (tmp_path / "grades" / "link").symlink_to(tmp_path / "other")
    make_private(tmp_path / "grades")
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "other" / "file").stat().st_mode) == 0o644


def test_a_folder_that_others_need_is_no_folder_of_grades(tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in (shared, tmp_path, ROOT, Path("/")):
        mode = folder.stat().st_mode
        with pytest.raises(OpenFolderError, match="Choose a folder of its own"):
            make_private(folder)
        assert folder.stat().st_mode == mode
