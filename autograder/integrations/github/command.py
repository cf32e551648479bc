"""The commands `autograder class fetch`, `report` and `init`: options in, printed lines out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import course as courses
from autograder.integrations.github.api import Api
from autograder.integrations.github.fetch import fetch_class
from autograder.integrations.github.install import ROSTER, install
from autograder.integrations.github.remote_git import Access
from autograder.integrations.github.report import ReportError, ReportOutcome, report_class, summary
from autograder.integrations.github.roster_file import read_roster
from autograder.text.display import one_line

TOKEN = "CLASS_TOKEN"
API, SERVER = "GITHUB_API_URL", "GITHUB_SERVER_URL"


@dataclass(frozen=True)
class GitHubSite:
    """The hosting site of the repositories: addresses of its API and server, and the token."""

    api: str
    server: str
    token: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> GitHubSite:
        """Read the variables that GitHub sets for every workflow, and our token."""
        return cls(
            environment.get(API) or "https://api.github.com",
            environment.get(SERVER) or "https://github.com",
            environment.get(TOKEN) or None,
        )

    @property
    def access(self) -> Access:
        """Git's access to the repositories."""
        return Access(self.server, self.token)


def run_fetch(
    root: Path, roster: Path, into: Path, jobs: int, environment: Mapping[str, str] = os.environ
) -> None:
    """Fetch the class and print what is new."""
    course = courses.load(root)
    access = GitHubSite.of(environment).access
    repositories = fetch_class(course, read_roster(roster), into, access, jobs)
    for repository in repositories:
        if repository.new and repository.state is not None:
            print(f"{repository.student}: {repository.state.commit[:12]}")
        for remark in repository.remarks:
            print(f"{repository.student}: {one_line(remark, 500)}")
    count = sum(repository.new for repository in repositories)
    print(f"{count} of {len(repositories)} repositories have something new; it is in {into}.")


def run_report(
    root: Path,
    submissions: Path,
    out: Path,
    feedback: bool,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Report to the students and print the outcomes. Raises ReportError where any failed."""
    site = GitHubSite.of(environment)
    if site.token is None:
        raise ReportError(
            f"{TOKEN} is not set. It holds a token that may write commit statuses, and contents "
            "for the feedback, in the students' repositories."
        )
    api = Api(site.api, site.token)
    outcomes: list[ReportOutcome] = []
    course = courses.load(root)
    for outcome in report_class(root, course, submissions, out, api, site.access, feedback):
        outcomes.append(outcome)
        if outcome.remark:
            print(f"{outcome.student}: {one_line(outcome.remark, 500)}")
    print(summary(outcomes))
    if any(outcome.failed for outcome in outcomes):
        raise ReportError("not everybody could be told. The same command tries them again.")


def run_init(root: Path, target: Path) -> None:
    """Write the workflow and print what remains to be done."""
    for path in install(root, target):
        print(f"written: {path}")
    print(
        f"Fill in {ROSTER}, add the secret {TOKEN}, and push: only into a private repository. The "
        "workflow's first lines say what the token needs."
    )
