"""`autograder class report`: statuses to a server that plays the API, feedback by a real push."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.gradebook.journal import Gradebook
from autograder.grading.class_run import grade_submissions
from autograder.integrations.github import api as api_module
from autograder.integrations.github.api import Api, ApiError
from autograder.integrations.github.command import TOKEN, run_fetch, run_init, run_report
from autograder.integrations.github.install import WorkflowError
from autograder.integrations.github.report import ReportError
from autograder.integrations.github.state import read_states
from tests.repositories import Site, Work, api_site, git, make_work

DOUBLE = "assignments/week2_small/double.py"
WHEN = "2026-10-12T09:00:00+02:00"
SECRET = "s3cret-token"


@pytest.fixture
def site() -> Iterator[Site]:
    with api_site() as found:
        yield found


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_module, "pause", lambda seconds: None)


class Class:
    """A class of two in repositories of their own, fetched, graded and told by the commands."""

    def __init__(self, small: Path, folder: Path, site: Site):
        self.small, self.folder, self.site = small, folder, site
        self.into, self.out = folder / "class", folder / "grades"
        self.begun = datetime.now(UTC) - timedelta(seconds=1)
        self.roster = folder / "roster.csv"
        right = (small / "solutions/week2_small/double.py").read_text()
        self.works = {name: make_work(folder, name) for name in ("ada", "ben")}
        self.commits = {
            "ada": self.works["ada"].push({DOUBLE: right}, WHEN),
            "ben": self.works["ben"].push({DOUBLE: right.replace("2.0 * x", "x * x")}, WHEN),
        }
        rows = "".join(f"{name},{work.url}\n" for name, work in self.works.items())
        self.roster.write_text(f"student,repository\n{rows}")

    def fetch(self) -> None:
        run_fetch(self.small, self.roster, self.into, 2, {})

    def grade(self) -> None:
        grade_submissions(self.small, self.into, self.out, unconfined=True)

    def report(self, feedback: bool = True) -> None:
        environment = {TOKEN: SECRET, "GITHUB_API_URL": self.site.url}
        run_report(self.small, self.into, self.out, feedback, environment)

    def told(self) -> dict[str, str]:
        """Return the last description that each commit got."""
        return {path.rpartition("/")[2]: body["description"] for path, body in self.site.statuses}


@pytest.fixture(scope="module")
def graded(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """A class that has been fetched and graded once, told by each test anew."""
    with api_site() as site:
        found = Class(small, tmp_path_factory.mktemp("class"), site)
        found.fetch()
        found.grade()
        yield found


@pytest.fixture
def ready(graded: Class) -> Class:
    """The graded class as if nobody had been told anything."""
    graded.site.statuses.clear()
    graded.site.tokens.clear()
    graded.site.answers.clear()
    graded.site.refused.clear()
    graded.site.public.clear()
    graded.site.posts = 0
    state = json.loads((graded.into / ".fetched.json").read_text())
    for entry in state["students"].values():
        entry["reported"] = ""
    (graded.into / ".fetched.json").write_text(json.dumps(state))
    return graded


def branch(work: Work) -> set[str]:
    return set(git(work.remote, "ls-tree", "--name-only", "feedback").split())


def test_the_gradebook_has_each_commit_and_its_time(graded: Class) -> None:
    with Gradebook.open(graded.out / "gradebook.sqlite") as book:
        receipt = book.submission("ada", 2)
    assert receipt.commit == graded.commits["ada"]
    # It was fetched for the first time: what the commit says of its time is only a claim.
    assert graded.begun <= datetime.fromisoformat(receipt.received) <= datetime.now(UTC)


def test_everybody_is_told_once_on_their_own_commit(ready: Class, capsys) -> None:
    ready.report()
    paths = [path for path, _ in ready.site.statuses]
    assert paths == [
        f"/repos/course/{name}/statuses/{ready.commits[name]}" for name in ("ada", "ben")
    ]
    for _, body in ready.site.statuses:
        assert body["state"] == "success"
        assert body["context"] == "autograder"
        assert body["description"].endswith(" of 20 points")
    told = ready.told()
    assert told[ready.commits["ada"]] != told[ready.commits["ben"]]
    assert ready.site.tokens == {f"Bearer {SECRET}"}
    for work in ready.works.values():
        assert branch(work) == {"feedback.md", "results.json", "junit.xml"}
    text = git(ready.works["ben"].remote, "show", "feedback:feedback.md")
    assert "You square the numbers." in text
    assert json.loads(git(ready.works["ada"].remote, "show", "feedback:results.json"))
    assert "2 told, 0 without news." in capsys.readouterr().out
    ready.report()
    assert len(ready.site.statuses) == 2
    assert "0 told, 2 without news." in capsys.readouterr().out


def test_feedback_comes_on_top_of_what_is_on_the_branch(ready: Class) -> None:
    ready.report()
    first = git(ready.works["ada"].remote, "rev-parse", "feedback")
    other = git(
        ready.works["ada"].remote, "commit-tree", f"{first}^{{tree}}", "-p", first, "-m", "mine"
    )
    git(ready.works["ada"].remote, "update-ref", "refs/heads/feedback", other)
    state = json.loads((ready.into / ".fetched.json").read_text())
    state["students"]["ada"]["reported"] = ""
    (ready.into / ".fetched.json").write_text(json.dumps(state))
    ready.report()
    history = git(ready.works["ada"].remote, "log", "--format=%H", "feedback").split()
    assert history[1:3] == [other, first]
    assert git(ready.works["ada"].remote, "rev-parse", "main") == ready.commits["ada"]


def test_without_feedback_nothing_is_pushed(ready: Class) -> None:
    before = git(ready.works["ben"].remote, "for-each-ref")
    ready.report(feedback=False)
    assert len(ready.site.statuses) == 2
    assert git(ready.works["ben"].remote, "for-each-ref") == before


def test_a_public_repository_shows_no_points(ready: Class, capsys) -> None:
    ready.site.public.add("course/ben")
    before = git(ready.works["ben"].remote, "for-each-ref")
    ready.report()
    told = ready.told()
    assert told[ready.commits["ben"]].startswith("Graded. This repository is public")
    assert told[ready.commits["ada"]] == "20 of 20 points"
    assert git(ready.works["ben"].remote, "for-each-ref") == before
    assert "ben: its repository is public" in capsys.readouterr().out


def test_a_server_that_stumbles_is_asked_again(ready: Class) -> None:
    limited = (403, {"Retry-After": "1"})
    ready.site.answers = [(502, {}), limited, (429, {"x-ratelimit-remaining": "0"})]
    ready.report()
    assert ready.site.posts == 5
    assert len(ready.site.statuses) == 2


def test_what_is_refused_stops_nobody_else_and_is_tried_again(ready: Class, capsys) -> None:
    ready.site.refused["course/ada"] = 403
    with pytest.raises(ReportError, match="not everybody could be told"):
        ready.report()
    assert ready.site.posts == 2, "a refusal is not asked again"
    assert set(ready.told()) == {ready.commits["ben"]}
    said = capsys.readouterr()
    assert "ada: POST /repos/course/ada/statuses/" in said.out
    assert "the token may not do this" in said.out
    assert SECRET not in said.out + said.err
    ready.site.refused.clear()
    ready.report()
    assert set(ready.told()) == set(ready.commits.values())
    assert ready.site.posts == 3


def test_nobody_is_told_of_what_is_not_graded_yet(small, tmp_path, site, capsys) -> None:
    """Results of an earlier commit are never reported on a newer one."""
    found = Class(small, tmp_path, site)
    with pytest.raises(ReportError, match="holds nothing that"):
        found.report()
    found.fetch()
    with pytest.raises(ReportError, match="run `autograder grade` first"):
        found.report()
    found.grade()
    newer = found.works["ada"].push({DOUBLE: "x = 1\n"})
    found.fetch()
    capsys.readouterr()
    found.report()
    assert "ada: what was fetched is not graded yet" in capsys.readouterr().out
    assert set(found.told()) == {found.commits["ben"]}
    found.grade()
    found.report()
    assert set(found.told()) == {found.commits["ben"], newer}
    assert read_states(found.into)["ada"].commit == newer


def test_a_commit_that_changes_nothing_graded_is_told_too(ready: Class) -> None:
    """The points are the same, but the student looks at the newest commit."""
    ready.report()
    newer = ready.works["ada"].push({"notes.txt": "x"})
    ready.fetch()
    ready.report()
    assert ready.told()[newer] == ready.told()[ready.commits["ada"]]
    ready.commits["ada"] = newer


def test_without_a_token_nothing_is_sent(ready: Class) -> None:
    with pytest.raises(ReportError, match="CLASS_TOKEN is not set"):
        run_report(ready.small, ready.into, ready.out, True, {"GITHUB_API_URL": ready.site.url})
    assert ready.site.posts == 0


def test_a_token_never_crosses_the_network_in_the_clear() -> None:
    with pytest.raises(ApiError, match="is not https"):
        Api("http://api.example.org", SECRET)


def test_an_answer_that_leads_elsewhere_is_not_followed(site: Site) -> None:
    site.answers = [(307, {"Location": "http://127.0.0.1:1/steal"})]
    with pytest.raises(ApiError, match="has moved"):
        Api(site.url, SECRET).post_status("course/ada", "c" * 40, {"state": "success"})


def test_a_server_that_is_not_there_is_an_error_of_one_line() -> None:
    with pytest.raises(ApiError) as caught:
        Api("http://127.0.0.1:1", SECRET).is_private("course/ada")
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_workflow_is_put_in_place_once(small, tmp_path, capsys) -> None:
    root = Path(__file__).resolve().parents[2]
    with pytest.raises(WorkflowError, match="not the top of a git repository"):
        run_init(root, tmp_path)
    git(tmp_path, "init", "-q")
    run_init(root, tmp_path)
    workflow = tmp_path / ".github/workflows/grade-class.yml"
    assert (
        workflow.read_bytes()
        == (root / "autograder/integrations/github/workflow_files/grade-class.yml").read_bytes()
    )
    assert (tmp_path / "roster.csv").read_text() == "student,repository\n"
    (tmp_path / "roster.csv").write_text("student,repository\nada,https://h/o/r\n")
    run_init(root, tmp_path)
    assert "ada" in (tmp_path / "roster.csv").read_text()
    workflow.write_text("name: mine\n")
    with pytest.raises(WorkflowError, match="differs"):
        run_init(root, tmp_path)
    assert workflow.read_text() == "name: mine\n"
    assert TOKEN in capsys.readouterr().out
