"""Submissions are found wherever they lie, named after their students and fingerprinted."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Week
from autograder.gradebook.ids import student_id
from autograder.gradebook.submission import Submission
from autograder.intake import admission as gate
from autograder.intake.class_entries import IntakeError
from autograder.intake.reading import read_class, take_in
from tests.handed_in import make_week, zip_bytes

WEEK = make_week(1, "week1_layers", "layers.py", "losses.py")
OTHER = make_week(2, "week2_engine", "engine.py", "losses.py")
MODULES = {"layers.py": b"a = 1\n", "losses.py": b"b = 2\n"}
FILES = {**MODULES, "notes.md": b"# Notes\n"}
NOTES = {"notes.md": hashlib.sha256(b"# Notes\n").hexdigest()}

Contents = dict[str, bytes]


def whole(student: str, *notices: str) -> Submission:
    """The submission of a student who handed in FILES."""
    return Submission(student, MODULES, notices, documents=NOTES)


def take_all(directory: Path, week: Week = WEEK, others: tuple[Week, ...] = ()) -> list[Submission]:
    return take_in(directory, [week], others)[week.number]


def put_folder(path: Path, files: Contents) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


def tar_bytes(files: Contents, *others: tarfile.TarInfo, format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in others:
            archive.addfile(info)
    return out.getvalue()


def take_one(directory: Path, others: tuple[Week, ...] = ()) -> Submission:
    (submission,) = take_all(directory, WEEK, others)
    return submission


KINDS: dict[str, Callable[[Path, Contents], object]] = {
    "folder": lambda d, files: put_folder(d / "ada", files),
    "zip": lambda d, files: (d / "ada.zip").write_bytes(zip_bytes(files)),
    "stored zip": lambda d, files: (d / "ada.zip").write_bytes(zip_bytes(files, 0)),
    "tar": lambda d, files: (d / "ada.tar").write_bytes(tar_bytes(files)),
    "tar.gz": lambda d, files: (d / "ada.tar.gz").write_bytes(gzip.compress(tar_bytes(files))),
    "tgz": lambda d, files: (d / "ada.TGZ").write_bytes(gzip.compress(tar_bytes(files))),
    "unzipped by a browser": lambda d, files: (d / "ada.tgz").write_bytes(tar_bytes(files)),
}
ROOTS = ["", "week1_layers/", "assignments/week1_layers/", "my work/", "ada/week1_layers/", "./"]
ROOTS += ["repository/assignments/week1_layers/"]


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("kind", KINDS)
def test_files_are_found_wherever_the_root_is(tmp_path: Path, kind: str, root: str) -> None:
    KINDS[kind](tmp_path, {root + name: content for name, content in FILES.items()})
    assert take_one(tmp_path) == whole("ada")


def test_the_fingerprint_is_of_the_modules_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_bytes({**FILES, "more.txt": b"x"}))
    put_folder(tmp_path / "b" / "week1_layers", MODULES | {"notes.md": b"Others"})
    put_folder(tmp_path / "c", {**FILES, "layers.py": b"a = 2\n"})
    put_folder(tmp_path / "d", {"layers.py": FILES["losses.py"], "losses.py": FILES["layers.py"]})
    a, b, c, d = (submission.fingerprint for submission in take_all(tmp_path))
    assert a == b
    assert len({a, c, d}) == 3
    moved = [Submission("e", {"a": b"bc"}), Submission("e", {"ab": b"c"})]
    assert moved[0].fingerprint != moved[1].fingerprint


def test_equal_files_of_a_class_are_in_memory_once(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", MODULES)
    (tmp_path / "ben.zip").write_bytes(zip_bytes({**MODULES, "losses.py": MODULES["layers.py"]}))
    ada, ben = take_all(tmp_path)
    assert ada.files == MODULES
    assert ben.files["layers.py"] is ben.files["losses.py"] is ada.files["layers.py"]


@pytest.mark.parametrize("kind", KINDS)
def test_other_files_are_ignored_with_one_notice(tmp_path: Path, kind: str) -> None:
    extra = {f"plot{n}.png": b"\0" * 10 for n in range(5)} | {"src/helper.py": b""}
    KINDS[kind](tmp_path, FILES | extra)
    submission = take_one(tmp_path)
    (notice,) = submission.notices
    assert submission == whole("ada", notice)
    assert notice.startswith("Ignored 6 files that belong to no assignment: plot0.png,")
    assert notice.endswith(" and 3 more.")


def test_leftovers_are_skipped_without_a_word(tmp_path: Path) -> None:
    names = ["__MACOSX/._layers.py", "._layers.py", ".DS_Store", "__pycache__/layers.pyc"]
    names += [".git/config", ".venv/lib/layers.py", "node_modules/x/layers.py", "a/Thumbs.db"]
    names += [".ipynb_checkpoints/layers.py", "Icon\r"]
    put_folder(tmp_path / "ada", FILES | dict.fromkeys(names, b"left"))
    (tmp_path / "ben.zip").write_bytes(zip_bytes(FILES | dict.fromkeys(names, b"left")))
    put_folder(tmp_path / "__MACOSX", {"._ada": b""})
    put_folder(tmp_path / ".git", {"config": b""})
    assert take_all(tmp_path) == [whole("ada"), whole("ben")]


def test_missing_files_are_named(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", {"layers.py": b"", "Lo\u0455ses.py": b""})
    submission = take_one(tmp_path)
    assert submission.files == {"layers.py": b""}
    assert submission.refusal is None
    text = " ".join(submission.notices)
    assert "Missing for week 1: losses.py, notes.md." in text
    assert "Lo\u0455ses.py was ignored: its name must be exactly losses.py." in text


def test_an_empty_folder_is_a_submission_without_files(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ben.zip").write_bytes(zip_bytes({}))
    for submission in take_all(tmp_path):
        assert submission.files == {}
        assert submission.refusal is None
        assert submission.is_empty
        (notice,) = submission.notices
        assert notice == "None of the files of week 1 was found: layers.py, losses.py, notes.md."


def test_of_several_copies_the_shallowest_is_taken_and_named(tmp_path: Path) -> None:
    copies = {"old/layers.py": b"old", "deep/down/layers.py": b"deep", "layers.py": b"new"}
    put_folder(tmp_path / "ada", FILES | copies)
    submission = take_one(tmp_path)
    assert submission.files["layers.py"] == b"new"
    assert submission.notices == (
        "layers.py is there 3 times: took layers.py, not deep/down/layers.py, old/layers.py.",
    )


def test_of_two_equally_deep_copies_the_one_in_the_weeks_folder_is_taken(tmp_path: Path) -> None:
    put_folder(
        tmp_path / "ada", {"backup/losses.py": b"backup", "week1_layers/losses.py": b"right"}
    )
    assert take_one(tmp_path).files == {"losses.py": b"right"}


def test_files_of_another_week_are_never_taken(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", {"week2_engine/losses.py": b"other", "w/layers.py": b"right"})
    assert take_one(tmp_path, (WEEK, OTHER)).files == {"layers.py": b"right"}
    assert take_in(tmp_path, [WEEK, OTHER])[2][0].files == {"losses.py": b"other"}


def test_a_file_in_a_subfolder_of_the_assignment_keeps_its_name(tmp_path: Path) -> None:
    week = make_week(3, "week3_project", "train.py", "training/train.py")
    put_folder(tmp_path / "ada" / "week3_project", {"training/train.py": b"inner"})
    (submission,) = take_all(tmp_path, week)
    assert submission.files == {"training/train.py": b"inner"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("content", "says"),
    [(b"x" * (gate.MAX_FILE_BYTES + 1), "larger than 1 MB"), (b"a\0b", "NUL bytes")],
)
def test_a_file_that_is_no_source_is_left_out(
    tmp_path: Path, kind: str, content: bytes, says: str
) -> None:
    KINDS[kind](tmp_path, FILES | {"layers.py": content})
    submission = take_one(tmp_path)
    assert sorted({*submission.files, *submission.documents}) == ["losses.py", "notes.md"]
    assert submission.refusal is None
    assert any(says in notice for notice in submission.notices)
    assert "Missing for week 1: layers.py." in submission.notices


def test_a_file_of_just_the_limit_is_taken(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", {"layers.py": b"x" * gate.MAX_FILE_BYTES})
    assert "layers.py" in take_one(tmp_path).files


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put_folder(outside, {"layers.py": b"secret", "notes.md": b"secret"})
    directory = tmp_path / "submissions"
    put_folder(directory / "ada", {"losses.py": b"mine"})
    (directory / "ada" / "layers.py").symlink_to(outside / "layers.py")
    (directory / "ada" / "linked").symlink_to(outside, target_is_directory=True)
    os.mkfifo(directory / "ada" / "notes.md")
    submission = take_one(directory)
    assert submission.files == {"losses.py": b"mine"}
    says = "Links and special files are not followed: layers.py, linked, notes.md."
    assert says in submission.notices


def test_an_entry_that_is_a_link_is_refused(tmp_path: Path) -> None:
    put_folder(tmp_path / "outside", FILES)
    (tmp_path / "outside.zip").write_bytes(zip_bytes(FILES))
    directory = tmp_path / "submissions"
    directory.mkdir()
    (directory / "ada").symlink_to(tmp_path / "outside", target_is_directory=True)
    (directory / "ben.zip").symlink_to(tmp_path / "outside.zip")
    for submission in take_all(directory):
        assert submission.files == {}
        assert "it is a link" in (submission.refusal or "")


def test_a_name_of_no_encoding_refuses_only_where_it_is_code(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", FILES)
    try:
        (tmp_path / "ada" / os.fsdecode(b"n\xff.md")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    one = take_one(tmp_path)
    assert sorted(one.files) == sorted(MODULES)
    assert "the name is in no encoding that is known here" in " ".join(one.notices)
    assert all(notice.isprintable() for notice in one.notices)
    (tmp_path / "ada" / os.fsdecode(b"n\xff.py")).write_bytes(b"")
    assert "can't be read" in (take_one(tmp_path).refusal or "")


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", {f"f{n}.py": b"" for n in range(gate.MAX_FILES)})
    assert take_one(tmp_path).refusal is None
    put_folder(tmp_path / "ada", {"layers.py": b""})
    assert "more than 2000 files" in (take_one(tmp_path).refusal or "")


def test_a_deep_folder_is_refused(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada" / "/".join("d" * 40), {"layers.py": b""})
    assert "too many folders" in (take_one(tmp_path).refusal or "")


def test_two_entries_for_one_student_refuse_both(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", FILES)
    put_folder(tmp_path / "Ben", FILES)
    put_folder(tmp_path / "zoe", FILES)
    (tmp_path / "ada.zip").write_bytes(zip_bytes(FILES))
    (tmp_path / "ben.zip").write_bytes(zip_bytes(FILES))
    ben, ada, zoe = take_all(tmp_path)
    assert (ada.student, ben.student, zoe.student) == ("ada", "Ben", "zoe")
    assert ada.refusal == (
        "2 entries belong to ada: ada, ada.zip. Keep one of them and grade again."
    )
    assert "Ben, ben.zip" in (ben.refusal or "")
    assert ada.files == ben.files == {}
    assert zoe == whole("zoe")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ada", "ada"),
        ("Ada Lovelace", "Ada_Lovelace"),
        ("Zo\u00eb", "Zo\u00eb"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("=cmd()|x", "cmd_x"),
        ("-rf", "rf"),
        ("..", "student-"),
        ("\x1b[31m[red]", "31m_red"),
        ("a\u202eb", "a_b"),
        ("a.b@c+d-e", "a.b@c+d-e"),
    ],
)
def test_ids_come_from_names(name: str, expected: str) -> None:
    assert student_id(name).startswith(expected)
    assert student_id(name) == expected or expected.endswith("-")


@given(st.text(min_size=1, max_size=400))
def test_ids_are_safe_as_paths_cells_and_options(name: str) -> None:
    id = student_id(name)
    assert id.isprintable()
    assert 0 < len(id.encode()) <= 200
    assert id[0] not in ".=+-@_"
    assert not set(id) & set("/\\ <>|*?\"'`[]\n\r\t,;:$&#")
    assert student_id(id) == id


def test_long_names_keep_different_ids() -> None:
    assert student_id("a" * 300) != student_id("a" * 301)


def test_stray_files_are_no_students(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", FILES)
    (tmp_path / "manual.csv").write_text("student,item,points,comment\n")
    (tmp_path / ".hidden").write_text("")
    assert [submission.student for submission in take_all(tmp_path)] == ["ada"]
    assert read_class(tmp_path, [WEEK]).remarks == ("Not a submission, so left alone: manual.csv",)


def test_a_directory_that_holds_nothing_or_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"holds no submissions\. Put one folder"):
        take_all(tmp_path)
    with pytest.raises(IntakeError, match="No such file"):
        take_all(tmp_path / "nowhere")
    (tmp_path / "layers.py").write_text("")
    with pytest.raises(IntakeError, match="neither a directory nor a zip file"):
        take_all(tmp_path / "layers.py")


def test_taking_in_changes_nothing(tmp_path: Path) -> None:
    for kind, put in KINDS.items():
        directory = tmp_path / kind
        directory.mkdir()
        put(directory, FILES | {"more/x.txt": b"x"})

    def state() -> list[tuple[Path, int, int, bytes]]:
        found = sorted(path for path in tmp_path.rglob("*") if path.is_file())
        return [(p, p.stat().st_mtime_ns, p.stat().st_mode, p.read_bytes()) for p in found]

    before = state()
    for kind in KINDS:
        take_all(tmp_path / kind)
    assert state() == before


# Several weeks, and documents, which nobody opens (more of this in test_finder.py).

DRAWN = make_week(3, "week3_drawn", "draw.py").model_copy(
    update={"documents": (("graph.pdf", "graph.png"), ("notes.md",))}
)


def take_weeks(directory: Path, *weeks: Week) -> dict[int, Submission]:
    return {number: one for number, (one,) in take_in(directory, weeks).items()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_week_gets_its_own_files_without_a_word_about_the_others(
    tmp_path: Path, kind: str
) -> None:
    scan = b"%PDF\0\xff" * 1024 * 1024
    files = {f"repo/week1_layers/{name}": content for name, content in FILES.items()}
    files |= {"repo/week3/draw.py": b"", "repo/week3/graph.pdf": scan, "repo/week3/notes.md": b"\0"}
    KINDS[kind](tmp_path, files)
    taken = take_weeks(tmp_path, WEEK, DRAWN)
    assert taken[1] == whole("ada") == take_one(tmp_path, (DRAWN,))
    assert taken[3].notices == ()
    assert taken[3].files == {"draw.py": b""}
    assert taken[3].documents["graph.pdf"] == hashlib.sha256(scan).hexdigest()


def test_a_damaged_archive_is_refused_for_every_week(tmp_path: Path) -> None:
    (tmp_path / "ada.zip").write_bytes(zip_bytes(FILES)[:100])
    taken = take_weeks(tmp_path, WEEK, DRAWN)
    assert taken[1] == taken[3]
    assert taken[1].refusal is not None
    assert not taken[1].is_empty


def test_one_name_of_a_document_is_enough_and_none_is_missing_by_all_of_them(
    tmp_path: Path,
) -> None:
    put_folder(tmp_path / "ada", {"draw.py": b"", "notes.md": b"", "graph.png": b"x"})
    assert take_weeks(tmp_path, DRAWN)[3].notices == ()
    (tmp_path / "ada" / "graph.png").rename(tmp_path / "ada" / "Graph.PNG")
    assert take_weeks(tmp_path, DRAWN)[3].notices == (
        "Graph.PNG was taken for graph.png: next time, call it exactly graph.png.",
    )


def test_a_documents_content_changes_nothing_that_is_graded_by_program(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", FILES)
    put_folder(tmp_path / "ben", FILES | {"notes.md": b"rewritten"})
    ada, ben = take_all(tmp_path)
    assert ada.fingerprint == ben.fingerprint
    assert ada.documents != ben.documents


def test_a_missing_module_may_stand_in_another_file(tmp_path: Path) -> None:
    put_folder(tmp_path / "ada", {"more.py": b""})
    week = WEEK.model_copy(
        update={"modules": ("more.py", "layers.py"), "homes": {"layers.py": ("more.py",)}}
    )
    [submission] = (take_weeks(tmp_path, week)[1],)
    missing = "layers.py (what it asks for may stand in more.py)"
    assert any(missing in notice for notice in submission.notices), submission.notices
    (tmp_path / "ada" / "more.py").unlink()
    (tmp_path / "ada" / "layers.py").write_bytes(b"")
    submission = take_weeks(tmp_path, week)[1]
    assert not any("may stand" in notice for notice in submission.notices)
