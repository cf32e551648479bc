"""The commands `autograder class ...`: options and environment in, a line for each student out."""

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
from autograder.integrations.github.report import Reported, ReportError, report_class, summary
from autograder.integrations.github.roster_file import read_roster
from autograder.text.display import one_line

TOKEN = "CLASS_TOKEN"
API, SERVER = "GITHUB_API_URL", "GITHUB_SERVER_URL"


@dataclass(frozen=True)
class Site:
    """Where the repositories are, from the environment: the API, the server, and the token."""

    api: str
    server: str
    token: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Site:
        """Read what GitHub sets for every workflow, and our token."""
        return cls(
            environment.get(API) or "https://api.github.com",
            environment.get(SERVER) or "https://github.com",
            environment.get(TOKEN) or None,
        )

    @property
    def access(self) -> Access:
        """How git gets at them."""
        return Access(self.server, self.token)


def run_fetch(
    root: Path, roster: Path, into: Path, jobs: int, environment: Mapping[str, str] = os.environ
) -> None:
    """Fetch the class and print what is new."""
    course = courses.load(root)
    done = fetch_class(course, read_roster(roster), into, Site.of(environment).access, jobs)
    for one in done:
        new = one.state is not None and one.new
        if new:
            assert one.state is not None
            print(f"{one.student}: {one.state.commit[:12]}")
        for remark in one.remarks:
            print(f"{one.student}: {one_line(remark, 500)}")
    count = sum(one.new for one in done)
    print(f"{count} of {len(done)} repositories have something new; it is in {into}.")


def run_report(
    root: Path,
    submissions: Path,
    out: Path,
    feedback: bool,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Tell the students and print what came of each. Raises ReportError where anybody wasn't."""
    site = Site.of(environment)
    if site.token is None:
        raise ReportError(
            f"{TOKEN} is not set. It holds a token that may write commit statuses, and contents "
            "for the feedback, in the students' repositories."
        )
    api = Api(site.api, site.token)
    done: list[Reported] = []
    for one in report_class(courses.load(root), submissions, out, api, site.access, feedback):
        done.append(one)
        if one.remark:
            print(f"{one.student}: {one_line(one.remark, 500)}")
    print(summary(done))
    if any(one.failed for one in done):
        raise ReportError("not everybody could be told. The same command tries them again.")


def run_init(root: Path, target: Path) -> None:
    """Put the workflow in place and say what is still to be done."""
    for path in install(root, target):
        print(f"written: {path}")
    print(
        f"Fill in {ROSTER}, add the secret {TOKEN}, and push: only into a private repository. The "
        "workflow's first lines say what the token needs."
    )
