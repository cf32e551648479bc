"""A class is a directory or one zip file, of folders and archives named after the students."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from autograder.intake import archives
from autograder.intake import class_entries as collection
from autograder.intake.class_entries import IntakeError
from autograder.intake.reading import read_class
from tests.handed_in import (
    FILES,
    HOW,
    WEEK,
    Contents,
    by_student,
    hand_out,
    is_whole,
    read,
    tar_bytes,
    under,
    zip_bytes,
)

# In whatever way it was packed


@pytest.mark.parametrize("how", HOW)
def test_a_class_of_folders_and_archives(tmp_path: Path, how: str) -> None:
    files = under("ada/week1_layers/") | under("eve/repo-main/assignments/week1_layers/")
    files |= under("kim/") | {
        "ben.zip": zip_bytes(FILES),
        "Zo\u00eb K.tar.gz": tar_bytes(FILES, compression="gz"),
    }
    files |= {"eve/repo-main/.git/config": b"", "eve/__MACOSX/._x": b"", "eve/Thumbs.db": b""}
    files |= {"manual.csv": b"", "__MACOSX/._ada": b"", ".DS_Store": b"", "desktop.ini": b""}
    if "folder" in how:
        files = {name: content for name, content in files.items() if "/" in name}
    found, remarks = read(tmp_path, files, how)
    names = ["ada", "eve", "kim"]
    if "folder" not in how:
        names = ["Zo\u00eb_K", "ada", "ben", "eve", "kim"]
    assert sorted(found) == names
    assert all(map(is_whole, found.values()))
    assert not any(one.notices for one in found.values())
    assert ("in the folder export" in remarks) == ("folder" in how)
    assert ("manual.csv" in remarks) == ("folder" not in how)


@pytest.mark.parametrize("how", HOW)
def test_a_class_of_archives_alone(tmp_path: Path, how: str) -> None:
    files = {f"{name}.zip": zip_bytes(FILES) for name in ("ada", "ben", "eve")}
    found, _ = read(tmp_path, files, how)
    assert sorted(found) == ["ada", "ben", "eve"]
    assert all(map(is_whole, found.values()))


@pytest.mark.parametrize(
    "files",
    [
        under("ada/"),
        under("ada/week1_layers/") | under("ada/week2_engine/", {"engine.py": b""}),
        under("ada/assignments/week1_layers/"),
        under("ada/work/", {"layers.py": b"", "a.txt": b""}) | {"ada/docs/x.md": b""},
        under("ada/old/") | under("ada/"),
        under("ada/old/") | under("ada/new/"),
    ],
)
@pytest.mark.parametrize("how", ["directory", "zip"])
def test_one_students_folder_is_not_taken_for_the_class(
    tmp_path: Path, how: str, files: Contents
) -> None:
    found, _ = read(tmp_path, files, how)
    assert list(found) == ["ada"]


def test_nobodys_ids_are_misread(tmp_path: Path) -> None:
    """Ordinary names with underscores, numbers and dates in them."""
    names = ["doe_jane_1234", "cs_2024_1128_ada", "cs_2024_1128_ben", "a_123_456", "x_attempt_1"]
    files = {f"{name}.zip": zip_bytes(FILES) for name in names[:3]}
    files |= {f"{name}/{file}": b"" for name in names[3:] for file in FILES}
    found, remarks = read(tmp_path, files)
    assert sorted(found) == sorted(names)
    assert "Read as" not in remarks


@pytest.mark.parametrize("how", ["directory", "zip"])
def test_two_entries_of_one_student_are_that_students_refusal(tmp_path: Path, how: str) -> None:
    files = {"ada.zip": zip_bytes(FILES), **under("Ada/"), **under("ben/")}
    found, _ = read(tmp_path, files, how)
    refusals = {name: one.refusal for name, one in found.items()}
    assert refusals == {
        "Ada": "2 entries belong to Ada: Ada, ada.zip. Keep one of them and grade again.",
        "ben": None,
    }


# One zip file


def test_a_zip_file_is_read_and_not_changed(tmp_path: Path) -> None:
    path = hand_out(tmp_path, under("ada/") | under("ben/"), "zip")
    before = path.read_bytes(), path.stat().st_mtime_ns
    read_class(path, [WEEK])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [one.name for one in tmp_path.iterdir()] == ["class.zip"]


def test_bad_names_in_a_zip_file_touch_one_student_at_most(tmp_path: Path) -> None:
    bad = {"../eve/layers.py": b"", "/etc/x.py": b"", "..": b"", "a\\layers.py": b""}
    bad |= {"ada/../ben/layers.py": b"", "dan/a\x1b.py": b""}
    found, remarks = read(tmp_path, bad | under("ada/") | under("ben/") | under("dan/"), "zip")
    assert sorted(found) == ["ada", "ben", "dan"]
    assert is_whole(found["ben"])
    assert "ada was not taken: the name '../ben/layers.py' leads" in (found["ada"].refusal or "")
    assert "dan was not taken" in (found["dan"].refusal or "")
    assert "leads out of the zip file: ../eve/layers.py, /etc/x.py, .. and 1 more" in remarks


def test_links_in_a_zip_file_are_not_followed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in ("ada/layers.py", "ben", "eve.zip"):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/passwd")
        archive.writestr("ada/losses.py", "b = 2\n")
    found = by_student(read_class(tmp_path / "class.zip", [WEEK]))
    assert found["ada"].files == {"losses.py": b"b = 2\n"}
    assert "Links and special files are not followed: layers.py." in found["ada"].notices
    assert "ben was not taken: it is a link" in (found["ben"].refusal or "")
    assert "eve.zip was not taken: it is a link" in (found["eve"].refusal or "")


def test_a_bomb_in_a_zip_file_is_one_students_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = bytes(3 << 20)
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", len(zeros) - 1)
    big = {"ada.tgz": tar_bytes({"zeros.bin": zeros}, compression="gz")}
    files = {**big, **under("ben/"), "eve.tar.gz": zeros}
    found, _ = read(tmp_path, files | {"ben/data.bin": zeros}, "zip")
    assert "ada.tgz was not taken: it holds more than 2 MB" in (found["ada"].refusal or "")
    assert "eve.tar.gz was not taken: the archive is larger than 2 MB" in (
        found["eve"].refusal or ""
    )
    assert is_whole(found["ben"]), "what nobody asks for is not even read"


def test_what_is_no_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hand_out(tmp_path, {"ada.zip": zip_bytes(FILES)}, "zip")
    link, text, cut = tmp_path / "link.zip", tmp_path / "class.csv", tmp_path / "cut.zip"
    link.symlink_to(path)
    text.write_text("ada,1\n")
    cut.write_bytes(path.read_bytes()[:-30])
    (tmp_path / "empty.zip").write_bytes(zip_bytes({}))
    for bad, says in {
        link: "it is a link",
        text: "neither a directory nor a zip file",
        cut: "damaged or incomplete",
        tmp_path / "none.zip": "No such file",
        tmp_path / "empty.zip": "holds no submissions",
    }.items():
        with pytest.raises(IntakeError, match=says) as raised:
            read_class(bad, [WEEK])
        assert bad.name in str(raised.value)
    monkeypatch.setattr(collection, "MAX_CLASS_BYTES", 10)
    with pytest.raises(IntakeError, match="larger than"):
        read_class(path, [WEEK])
    monkeypatch.undo()
    monkeypatch.setattr(collection, "MAX_CLASS_ENTRIES", 0)
    with pytest.raises(IntakeError, match="more than 0 entries"):
        read_class(path, [WEEK])


def test_a_zip_file_that_lies_about_its_entries_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(
        zip_bytes({f"{n}.zip": b"" for n in range(collection.MAX_CLASS_ENTRIES + 1)})
    )
    end = content.rindex(b"PK\5\6")
    content[end + 8 : end + 12] = b"\1\0\1\0"
    (tmp_path / "class.zip").write_bytes(content)
    monkeypatch.delattr(zipfile.ZipFile, "_RealGetContents")
    with pytest.raises(IntakeError, match="more than 20000 entries"):
        read_class(tmp_path / "class.zip", [WEEK])


def test_a_zip_file_of_sixty_four_bits_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = hand_out(tmp_path, {f"{name}.zip": zip_bytes(FILES) for name in ("ada", "ben")}, "zip")
    assert b"PK\6\7" in path.read_bytes()
    assert sorted(by_student(read_class(path, [WEEK]))) == ["ada", "ben"]
