"""`autograder class fetch`: repositories as submissions, with their times, and nothing obeyed."""

from __future__ import annotations

import csv
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.course import load
from autograder.gradebook.roster import RosterError
from autograder.intake.reading import read_class
from autograder.integrations.git import GitError
from autograder.integrations.github import remote_git
from autograder.integrations.github.fetch import FetchedRepository, FetchError, fetch_class
from autograder.integrations.github.remote_git import Access
from autograder.integrations.github.roster_file import StudentRepository, read_roster
from autograder.integrations.github.state import FILE, StateError, read_states
from tests.repositories import Work, git, make_work

DOUBLE = "assignments/week2_small/double.py"
TRIPLE = "assignments/week3_small/triple.py"
SUNDAY = "2026-10-11T09:00:00+02:00"
MONDAY, TUESDAY = "2026-10-12T09:00:00+02:00", "2026-10-13T09:00:00+02:00"
WEDNESDAY, THURSDAY = "2026-10-14T09:00:00+02:00", "2026-10-15T09:00:00+02:00"


@pytest.fixture
def ada(small: Path, tmp_path: Path) -> Work:
    """Ada's repository, with the work of two weeks, each of another day.

    It was looked at in the folder `class` while it was empty.
    """
    work = make_work(tmp_path, "ada")
    fetch(small, tmp_path / "class", SUNDAY, ada=work)
    work.push({DOUBLE: "x = 1\n"}, MONDAY)
    work.push({TRIPLE: "x = 2\n", "notes/README.md": "mine\n"}, TUESDAY)
    return work


def fetch(
    small: Path, into: Path, at: str | None = None, **works: Work
) -> dict[str, FetchedRepository]:
    """Fetch these students' repositories, now or at a time; return what came of each."""
    roster = [StudentRepository(student, work.url) for student, work in works.items()]
    time = datetime.fromisoformat(at).astimezone(UTC) if at else None
    done = fetch_class(load(small), roster, into, Access(), 2, lambda: time or datetime.now(UTC))
    return {one.student: one for one in done}


def times(into: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what handed_in.csv says: (student, week) -> (received, commit)."""
    with (into / "handed_in.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        return {(row["student"], row["week"]): (row["received"], row["commit"]) for row in rows}


def utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def test_each_week_comes_with_the_commit_that_changed_it_last(small, tmp_path, ada):
    first = git(ada.folder, "rev-parse", "HEAD~1")
    second = git(ada.folder, "rev-parse", "HEAD")
    (one,) = fetch(small, tmp_path / "class", ada=ada).values()
    assert one.new
    assert one.remarks == ()
    found = times(tmp_path / "class")
    assert found["ada", "week2"] == (utc(MONDAY), first)
    assert found["ada", "week3"] == (utc(TUESDAY), second)
    intake = read_class(tmp_path / "class", load(small).weeks)
    assert intake.remarks == ()
    (week2,), (week3,) = intake.submissions[2], intake.submissions[3]
    assert week2.files == {"double.py": b"x = 1\n"}
    assert week3.files == {"triple.py": b"x = 2\n"}
    assert (week2.commit, week2.received.isoformat()) == (first, utc(MONDAY))
    assert week3.commit == second


def test_only_what_is_new_is_written(small, tmp_path, ada):
    into = tmp_path / "class"
    fetch(small, into, ada=ada)
    before = (into / "ada").stat()
    assert not fetch(small, into, ada=ada)["ada"].new
    assert (into / "ada").stat().st_ino == before.st_ino
    commit = ada.push({DOUBLE: "x = 3\n"})
    again = fetch(small, into, ada=ada)["ada"]
    assert again.new
    assert again.state.commit == commit
    assert (into / "ada" / DOUBLE).read_text() == "x = 3\n"
    assert not [path for path in into.iterdir() if path.name.startswith(".ada")]


def test_a_commits_time_is_not_believed_where_we_know_better(small, tmp_path, ada):
    """It can't be older than our last look without it, and can't be of tomorrow."""
    into = tmp_path / "class"
    fetch(small, into, WEDNESDAY, ada=ada)
    ada.push({DOUBLE: "x = 3\n"}, MONDAY)  # says that it is of Monday
    (remark,) = fetch(small, into, THURSDAY, ada=ada)["ada"].remarks
    assert remark == (
        "counts as handed in on 2026-10-14 07:00 UTC, since it was not there when the repository "
        "was looked at then; the commit itself says 2026-10-12 07:00 UTC"
    )
    assert times(into)["ada", "week2"][0] == utc(WEDNESDAY)
    assert times(into)["ada", "week3"][0] == utc(TUESDAY), "nobody touched that week"
    ada.push({DOUBLE: "x = 4\n"}, "2090-01-01T00:00:00+00:00")
    before = datetime.now(UTC) - timedelta(seconds=1)
    (remark,) = fetch(small, into, ada=ada)["ada"].remarks
    assert "when it was seen; the commit itself says 2090-01-01" in remark
    received = datetime.fromisoformat(times(into)["ada", "week2"][0])
    assert before <= received <= datetime.now(UTC)


@pytest.mark.parametrize("claim", ["@1 +0000", "2026-01-05T09:00:00+01:00", MONDAY])
def test_an_empty_repository_that_was_looked_at_can_not_hold_an_old_commit(small, tmp_path, claim):
    into, work = tmp_path / "class", make_work(tmp_path, "eve")
    assert fetch(small, into, WEDNESDAY, eve=work)["eve"].remarks == (
        "nothing has been pushed yet",
    )
    assert times(into) == {}
    work.push({DOUBLE: "x = 1\n"}, claim)
    fetch(small, into, THURSDAY, eve=work)
    assert times(into)["eve", "week2"][0] == utc(WEDNESDAY)


def test_a_week_that_was_missing_at_the_last_look_can_not_be_older(small, tmp_path):
    """Also where another week was there, and where all of history is written anew."""
    into, work = tmp_path / "class", make_work(tmp_path, "eve")
    fetch(small, into, SUNDAY, eve=work)
    work.push({DOUBLE: "x = 1\n"}, MONDAY)
    fetch(small, into, WEDNESDAY, eve=work)
    work.push({TRIPLE: "x = 2\n"}, MONDAY)
    fetch(small, into, THURSDAY, eve=work)
    assert times(into)["eve", "week3"][0] == utc(WEDNESDAY)
    assert times(into)["eve", "week2"][0] == utc(MONDAY)
    blob = git(work.folder, "hash-object", "-w", "--stdin", given="x = 9\n")
    planted(work, f"100644 blob {blob}\tdouble.py\n")
    fetch(small, into, eve=work)
    assert times(into)["eve", "week2"][0] >= utc(THURSDAY)


def test_without_an_earlier_look_it_came_now_and_the_report_says_so(small, tmp_path):
    into, work = tmp_path / "class", make_work(tmp_path, "eve")
    work.push({DOUBLE: "x = 1\n"}, MONDAY)
    (remark,) = fetch(small, into, THURSDAY, eve=work)["eve"].remarks
    said = (
        "counts as handed in on 2026-10-15 07:00 UTC, when this repository was looked at for the "
        "first time; the commit itself says 2026-10-12 07:00 UTC"
    )
    assert remark == said
    assert times(into)["eve", "week2"][0] == utc(THURSDAY)
    submission = read_class(into, load(small).weeks).submissions[2][0]
    assert submission.received.isoformat() == utc(THURSDAY)
    assert f"This {said}." in submission.notices
    fetch(small, into, eve=work)
    assert times(into)["eve", "week2"][0] == utc(THURSDAY), (
        "no later, however often it is looked at"
    )


def test_a_failed_look_is_none(small, tmp_path, ada):
    into = tmp_path / "class"
    fetch(small, into, TUESDAY, ada=ada)
    ada.push({DOUBLE: "x = 3\n"}, WEDNESDAY)
    away = ada.remote.rename(tmp_path / "away")
    with suppress(FetchError):
        fetch(small, into, "2026-10-14T18:00:00+02:00", ada=ada)
    away.rename(ada.remote)
    fetch(small, into, THURSDAY, ada=ada)
    assert times(into)["ada", "week2"][0] == utc(WEDNESDAY), "nobody saw that it was missing"


def test_a_commit_that_was_seen_keeps_its_time(small, tmp_path):
    """Also where another one took its place for a while."""
    into, work = tmp_path / "class", make_work(tmp_path, "ben")
    fetch(small, into, SUNDAY, ben=work)
    first = work.push({DOUBLE: "x = 1\n"}, MONDAY)
    fetch(small, into, TUESDAY, ben=work)
    work.push({DOUBLE: "x = 2\n"}, WEDNESDAY)
    fetch(small, into, THURSDAY, ben=work)
    assert times(into)["ben", "week2"][0] == utc(WEDNESDAY)
    git(work.folder, "push", "-q", "-f", "origin", f"{first}:refs/heads/main")
    fetch(small, into, ben=work)
    assert times(into)["ben", "week2"] == (utc(MONDAY), first)


def test_files_that_lie_elsewhere_have_the_time_of_the_newest_commit(small, tmp_path):
    work = make_work(tmp_path, "ben")
    fetch(small, tmp_path / "class", SUNDAY, ben=work)
    work.push({"double.py": "x = 1\n"}, MONDAY)
    newest = work.push({"other.txt": "x"}, TUESDAY)
    fetch(small, tmp_path / "class", ben=work)
    assert times(tmp_path / "class")["ben", "week2"] == (utc(TUESDAY), newest)
    (submission,) = read_class(tmp_path / "class", load(small).weeks).submissions[2]
    assert submission.files == {"double.py": b"x = 1\n"}


def test_nothing_in_a_repository_is_obeyed(small, tmp_path):
    """No filter, no attribute, no hook, no link, no submodule; and only what is asked for."""
    work = make_work(tmp_path, "eve")
    secret = tmp_path / "secret.txt"
    secret.write_text("the instructor's")
    for name in ("pre-receive", "post-checkout", "reference-transaction"):
        hook = work.folder / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    (work.folder / "assignments/week3_small").mkdir(parents=True)
    os.symlink(secret, work.folder / TRIPLE)
    attributes = "* filter=evil text eol=crlf ident export-subst\n"
    config = f'[filter "evil"]\n\tsmudge = touch {tmp_path}/ran\n'
    work.push({DOUBLE: "x = '$Id$'\n", ".gitattributes": attributes, ".gitconfig": config})
    done = fetch(small, tmp_path / "class", eve=work)["eve"]
    assert done.new
    assert not (tmp_path / "ran").exists()
    written = [p for p in (tmp_path / "class" / "eve").rglob("*") if p.is_file() or p.is_symlink()]
    assert {p.relative_to(tmp_path / "class" / "eve").as_posix() for p in written} == {
        DOUBLE,
        TRIPLE,
    }
    assert (tmp_path / "class" / "eve" / DOUBLE).read_bytes() == b"x = '$Id$'\n"
    week3 = read_class(tmp_path / "class", load(small).weeks).submissions[3][0]
    assert week3.files == {}
    assert any("triple.py" in notice for notice in week3.notices)


def planted(work: Work, entries: str) -> None:
    """Push a tree that no checkout would write: entries as `git mktree` reads them."""
    tree = git(work.folder, "mktree", given=entries)
    commit = git(work.folder, "commit-tree", tree, "-m", "x")
    git(work.folder, "push", "-q", "-f", "origin", f"{commit}:refs/heads/main")


def test_a_tree_that_intake_would_refuse_is_refused_with_the_reason(small, tmp_path):
    into, work = tmp_path / "class", make_work(tmp_path, "eve")
    work.push({DOUBLE: "x = 1\n"})
    fetch(small, into, eve=work)
    blob = git(work.folder, "hash-object", "-w", "--stdin", given="x = 1\n")
    planted(work, f"100644 blob {blob}\tdouble.py\n100644 blob {blob}\tDouble.py\n")
    done = fetch(small, into, eve=work)["eve"]
    assert "will be refused" in done.remarks[0]
    submission = read_class(into, load(small).weeks).submissions[2][0]
    assert "double.py" in submission.refusal
    assert not (into / "eve").exists()
    work.push({DOUBLE: "x = 2\n"})
    fetch(small, into, eve=work)
    assert read_class(into, load(small).weeks).submissions[2][0].refusal is None


def test_no_path_of_a_tree_leads_out_of_the_folder(small, tmp_path):
    into, work = tmp_path / "class", make_work(tmp_path, "eve")
    blob = git(work.folder, "hash-object", "-w", "--stdin", given="x = 1\n")
    inner = git(work.folder, "mktree", given=f"100644 blob {blob}\tdouble.py\n")
    planted(work, f"040000 tree {inner}\t..\n")
    done = fetch(small, into, eve=work)["eve"]
    assert done.remarks
    assert not list(tmp_path.glob("double.py"))
    assert {path.name for path in into.iterdir() if not path.name.startswith(".")} <= {
        "eve.tar",
        "handed_in.csv",
    }


def test_what_is_too_large_or_kept_elsewhere_is_said(small, tmp_path):
    into, work = tmp_path / "class", make_work(tmp_path, "ben")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    work.push({DOUBLE: b"#" * 2_000_000, TRIPLE: pointer, "data/big.bin": b"0" * 3_000_000})
    done = fetch(small, into, ben=work)["ben"]
    assert done.remarks[0] == f"{TRIPLE} is kept by Git LFS and was not read"
    submission = read_class(into, load(small).weeks).submissions[2][0]
    assert any("larger than 1 MB" in notice for notice in submission.notices)
    assert not (into / "ben" / "data").exists()


def test_one_repository_that_fails_stops_nobody(small, tmp_path, ada):
    into, empty = tmp_path / "class", make_work(tmp_path, "ben")
    gone = Work(tmp_path, tmp_path / "course" / "nowhere.git")
    done = fetch(small, into, ada=ada, ben=empty, eve=gone)
    assert done["ada"].new
    assert done["ben"].remarks == ("nothing has been pushed yet",)
    assert "git ls-remote failed" in done["eve"].remarks[0]
    assert {student for student, _ in times(into)} == {"ada"}
    ada.remote.rename(tmp_path / "moved")
    with pytest.raises(FetchError, match="no repository of the roster could be read"):
        fetch(small, tmp_path / "other", eve=gone)
    kept = fetch(small, into, ada=ada)["ada"]
    assert kept.remarks
    assert kept.state is not None, "what was fetched before is still there"
    assert (into / "ada" / DOUBLE).is_file()


def test_another_repository_of_the_same_student_begins_anew(small, tmp_path, ada):
    into = tmp_path / "class"
    fetch(small, into, ada=ada)
    other = make_work(tmp_path, "ada2")
    other.push({DOUBLE: "x = 9\n"}, MONDAY)
    assert fetch(small, into, THURSDAY, ada=other)["ada"].new
    assert times(into)["ada", "week2"][0] == utc(THURSDAY), "nobody looked at this one before"


def test_git_may_write_so_much_only(small, tmp_path, ada, monkeypatch):
    monkeypatch.setattr(remote_git, "MAX_FILE_BYTES", 4096)
    ada.push({"big.bin": os.urandom(100_000)})
    with pytest.raises(FetchError):
        fetch(small, tmp_path / "other", ada=ada)
    assert not (tmp_path / "other" / "ada").exists()


def test_git_may_take_so_long_only(tmp_path, ada, monkeypatch):
    monkeypatch.setattr(remote_git, "TIMEOUT_SECONDS", 0.0)
    with pytest.raises(GitError, match="took more than"):
        remote_git.make_bare(tmp_path / "x.git")


def test_a_token_goes_to_its_server_alone_and_never_into_a_command():
    access = Access("https://git.example.org", "s3cret")
    environment = access.environment()
    keys = {value for name, value in environment.items() if name.startswith("GIT_CONFIG_KEY_")}
    assert "http.https://git.example.org/.extraHeader" in keys
    assert "http.extraHeader" not in keys
    assert environment["GIT_ALLOW_PROTOCOL"] == "https:ssh:file"
    assert "s3cret" not in " ".join(environment.values()), "it is encoded, as http wants it"


def test_a_protocol_that_runs_programs_is_refused(tmp_path):
    repository = remote_git.make_bare(tmp_path / "x.git")
    with pytest.raises(GitError, match="ls-remote failed"):
        remote_git.fetch(repository, f"ext::touch {tmp_path}/ran", "HEAD", "refs/heads/x", Access())
    assert not (tmp_path / "ran").exists()


def test_a_state_that_is_none_is_an_error(tmp_path):
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(StateError, match="Take a copy from before"):
        read_states(tmp_path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("who,where", "line 1: the header must be student,repository"),
        ("student,repository", "names no student"),
        ("student,repository\nada", "line 2: the address of the repository must"),
        ("student,repository\n../x,https://h/o/r", "line 2: .* can't be a student's id"),
        ("student,repository\nhanded_in.csv,https://h/o/r", "can't be a student's id"),
        ("student,repository\nada.zip,https://h/o/r", "can't be a student's id"),
        ("student,repository\nada,https://h/o/r\nAda,https://h/o/s", "line 3: Ada is there"),
        ("student,repository\nada,ext::sh -c x", "must begin with https"),
        ("student,repository\nada,--upload-pack=x", "must begin with https"),
        ("student,repository\nada,http://h/o/r", "must begin with https"),
        ("student,repository\nada,https://me:s3cret@h/o/r", "the address holds a secret"),
        ("student,repository\nada,https://[h/o/r", "the address of the repository is none"),
        ('student,repository\n"ada', "line 2: a quoted cell has no end"),
        ("ada,https://me:s3cret@h/o/r", "line 1: the header must be student,repository"),
    ],
)
def test_a_roster_that_is_wrong_names_its_lines(tmp_path, lines, message):
    path = tmp_path / "roster.csv"
    path.write_text(lines + "\n")
    with pytest.raises(RosterError, match=message) as caught:
        read_roster(path)
    assert "s3cret" not in str(caught.value)


def test_a_roster_gives_names_of_repositories(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text(
        "student,repository\nada,https://github.com/course/ada.git\n"
        "ben,git@github.com:course/ben.git\neve,ssh://git@github.com/course/eve/\n"
    )
    slugs = {remote.student: remote.slug for remote in read_roster(path)}
    assert slugs == {"ada": "course/ada", "ben": "course/ben", "eve": "course/eve"}
    with pytest.raises(RosterError, match="can't be read"):
        read_roster(tmp_path / "none.csv")
