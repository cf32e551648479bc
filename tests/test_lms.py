"""What Canvas, Moodle, Gradescope and Blackboard hand out is read as it was downloaded."""

from __future__ import annotations

import io
import os
import random
import re
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import collection, lms
from autograder.collection import IntakeError
from autograder.course import Limits, Week
from autograder.gradescope import read_submitters
from autograder.intake import Intake, Submission, read_class

LIMITS = Limits(
    request_seconds=1,
    test_seconds=1,
    training_seconds=1,
    memory_mb=1,
    training_memory_mb=1,
    processes=1,
    output_kb=1,
    file_mb=1,
)
WEEK = Week(
    number=1,
    id="week1",
    folder="week1_layers",
    title="A week",
    modules=("layers.py", "losses.py"),
    documents=("notes.md",),
    limits=LIMITS,
)
OTHER = WEEK.model_copy(
    update={"number": 2, "id": "week2", "folder": "week2_engine", "modules": ("engine.py",)}
)
FILES = {"layers.py": b"a = 1\n", "losses.py": b"b = 2\n", "notes.md": b"# Notes\n"}

Contents = dict[str, bytes]


def zip_bytes(files: Contents) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tar_bytes(files: Contents) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def under(prefix: str, files: Contents = FILES) -> Contents:
    return {prefix + name: content for name, content in files.items()}


HOW = ["directory", "zip", "zip in a folder", "directory in a folder"]


def hand_out(path: Path, files: Contents, how: str = "directory") -> Path:
    """Write a class as it is handed out; return what goes into --submissions."""
    if how == "zip":
        (path / "class.zip").write_bytes(zip_bytes(files))
        return path / "class.zip"
    if how == "zip in a folder":
        leftovers = {"__MACOSX/._export": b"", "export/.DS_Store": b"\0"}
        (path / "class.zip").write_bytes(zip_bytes({**leftovers, **under("export/", files)}))
        return path / "class.zip"
    top = path / ("class/export" if how == "directory in a folder" else "class")
    top.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        target = top / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path / "class"


def by_student(intake: Intake, week: int = 1) -> dict[str, Submission]:
    return {one.student: one for one in intake.submissions[week]}


def read(path: Path, files: Contents, how: str = "directory") -> tuple[dict[str, Submission], str]:
    """Return the submissions by their students, and all remarks."""
    intake = read_class(hand_out(path, files, how), [WEEK], [OTHER])
    return by_student(intake), " ".join(intake.remarks)


def is_whole(one: Submission) -> bool:
    return one.refusal is None and {*one.files, *one.documents} == set(FILES)


# Without a system: folders and archives, in a directory or one zip file


@pytest.mark.parametrize("how", HOW)
def test_a_class_of_folders_and_archives(tmp_path: Path, how: str) -> None:
    files = under("ada/week1_layers/") | under("eve/repo-main/assignments/week1_layers/")
    files |= under("kim/") | {"ben.zip": zip_bytes(FILES), "Zo\u00eb K.tar.gz": tar_bytes(FILES)}
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


# Canvas


@pytest.mark.parametrize("how", HOW)
def test_canvas(tmp_path: Path, how: str) -> None:
    files = {
        "doejane_12345_67890_layers.py": b"a = 1\n",
        "doejane_12345_67891_losses-2.py": b"b = 2\n",
        "doejane_12345_67892_notes.md": b"",
        "doejohn_LATE_12346_67893_My work-1.zip": zip_bytes(under("My work/")),
        "m\u00fcllerzo\u00eb_12347_67894_week1.tar-1.gz": tar_bytes(FILES),
        "leeann_12348_67895_work.zip": zip_bytes(FILES | {"notes.md": b"no"}),
        "leeann_12348_67896_notes.md": b"yes",
        "roekim_12349_text.html": b"<p>",
    }
    del files["m\u00fcllerzo\u00eb_12347_67894_week1.tar-1.gz"]
    files["m\u00fcllerzo\u00eb_12347_67894_week1-1.tar.gz"] = tar_bytes(FILES)
    found, remarks = read(tmp_path, files, how)
    assert "Read as a Canvas export: 5 students." in remarks
    assert sorted(found) == [
        "doejane_12345",
        "doejohn_12346",
        "leeann_12348",
        "m\u00fcllerzo\u00eb_12347",
        "roekim_12349",
    ]
    jane, john, ann, zoe, kim = (found[name] for name in sorted(found))
    assert all(map(is_whole, (jane, john, ann, zoe)))
    assert jane.files == {"layers.py": b"a = 1\n", "losses.py": b"b = 2\n"}
    assert jane.notices == zoe.notices == ()
    assert john.notices == ("Canvas marks this as handed in late.",)
    assert ann.notices == ("notes.md is there 2 times: took notes.md, not work.zip/notes.md.",)
    assert kim.is_empty
    assert kim.notices[0] == "A text typed into Canvas, or a link, is not read: hand in files."


def test_the_latest_upload_to_canvas_counts(tmp_path: Path) -> None:
    files = {
        "doejane_12345_67895_layers.py": b"old",
        "doejane_12345_67893_layers-10.py": b"new",
        "doejane_12345_67894_layers-9.py": b"older",
        "doejane_12345_67896_plot-1.png": b"",
    }
    found, _ = read(tmp_path, files)
    one = found["doejane_12345"]
    assert one.files == {"layers.py": b"new"}
    assert one.notices[0] == "Handed in again later, so not taken: layers-9.py, layers.py."
    assert "Ignored 1 file that belongs to no assignment: plot-1.png." in one.notices


def test_a_name_with_a_number_that_the_course_asks_for_keeps_it(tmp_path: Path) -> None:
    week = WEEK.model_copy(update={"modules": ("lab-1.py", "lab-2.py")})
    names = ["doejane_12345_67890_lab-1.py", "doejane_12345_67891_lab-2-1.py"]
    path = hand_out(tmp_path, dict.fromkeys(names, b""))
    (one,) = read_class(path, [week]).submissions[1]
    assert sorted(one.files) == ["lab-1.py", "lab-2.py"]


def test_namesakes_and_nameless_on_canvas_stay_apart(tmp_path: Path) -> None:
    files = {"doejane_12345_67890_layers.py": b"1", "doejane_12346_67891_layers.py": b"2"}
    found, _ = read(tmp_path / "named", files)
    assert {name: one.files["layers.py"] for name, one in found.items()} == {
        "doejane_12345": b"1",
        "doejane_12346": b"2",
    }
    files = {"anon_x7Kq2_67892_layers.py": b"3", "LATE_anon_aBcDe_67893_layers.py": b"4"}
    found, _ = read(tmp_path / "nameless", files)
    assert {name: one.files["layers.py"] for name, one in found.items()} == {
        "anon_aBcDe": b"4",
        "anon_x7Kq2": b"3",
    }


def test_a_strange_name_on_canvas_changes_nothing_for_others(tmp_path: Path) -> None:
    """Someone calls themselves "doejane_12345" or "anon_abcde"; their own numbers follow."""
    files = {
        "doejane_12345_67890_layers.py": b"1",
        "doejane_12345_99999_67891_layers.py": b"evil",
        "doejane_12345_99999_67892_work.zip": zip_bytes({"losses.py": b"evil"}),
        "anon_abcde_99998_67893_layers.py": b"2",
        "roekim_12347_67894_2026_work.zip": zip_bytes(FILES),
    }
    for number in range(8):
        files[f"lee_{20_000 + number}_{70_000 + number}_layers.py"] = b""
    found, remarks = read(tmp_path, files)
    assert "Read as a Canvas export: 11 students" in remarks
    assert found["doejane_12345"].files == {"layers.py": b"1"}
    assert found["anon_abcde_99998"].files == {"layers.py": b"2"}
    assert is_whole(found["roekim_12347"])
    (notice,) = [text for text in found["doejane_12345"].notices if "someone else" in text]
    assert "99999_67892_work.zip. The name of an archive should not begin with a number" in notice


def test_a_bad_file_in_an_export_is_that_students_refusal(tmp_path: Path) -> None:
    files = {
        "doejane_12345_67890_layers.py": b"a = 1\n",
        "doejohn_12346_67891_work.zip": zip_bytes(FILES)[:100],
        "leeann_12347_67892_work.rar": b"Rar!",
        "roekim_12348_67893_work.zip": zip_bytes({"../layers.py": b""}),
    }
    found, _ = read(tmp_path, files)
    refusals = [found[name].refusal or "" for name in sorted(found)]
    assert refusals[0] == ""
    assert refusals[1].startswith("doejohn_12346_67891_work.zip is damaged or incomplete")
    assert "work.rar was not taken: archives of this kind are not read; use .zip" in refusals[2]
    assert "work.zip was not taken: the name '../layers.py' leads" in refusals[3]


# Moodle


@pytest.mark.parametrize("end", ["", "_"])
@pytest.mark.parametrize("how", HOW)
def test_moodle_folders(tmp_path: Path, how: str, end: str) -> None:
    files = {
        **under(f"Zo\u00eb M\u00fcller_1234567_assignsubmission_file{end}/"),
        f"Jane Doe_1234568_assignsubmission_file{end}/My work.zip": zip_bytes(under("w/")),
        f"Jane Doe_1234569_assignsubmission_file{end}/week1/layers.py": b"other",
        f"Lee O'Neil_1234570_assignsubmission_onlinetext{end}/onlinetext.html": b"",
        f"Lee O'Neil_1234570_assignsubmission_file{end}/layers.py": b"lee",
        f"Lee O'Neil_1234570_assignsubmission_file{end}/more.zip": zip_bytes({"losses.py": b"m"}),
        f"Ann Only_1234571_assignsubmission_onlinetext{end}/onlinetext.html": b"",
    }
    found, remarks = read(tmp_path, files, how)
    assert "Read as a Moodle export: 5 students." in remarks
    assert sorted(found) == [
        "Ann_Only",
        "Jane_Doe_1234568",
        "Jane_Doe_1234569",
        "Lee_O_Neil",
        "Zo\u00eb_M\u00fcller",
    ]
    ann, jane, other, lee, zoe = (found[name] for name in sorted(found))
    assert is_whole(zoe)
    assert is_whole(jane)
    assert other.files == {"layers.py": b"other"}
    assert lee.files == {"layers.py": b"lee", "losses.py": b"m"}
    assert lee.notices[0] == "A text typed into Moodle, or a link, is not read: hand in files."
    assert ann.is_empty


def test_a_namesake_by_hand_is_not_told_apart_by_a_number(tmp_path: Path) -> None:
    files = under("Jane Doe_1234567_assignsubmission_file_/")
    files |= under("Lee_1_assignsubmission_file/") | under("Ann_2_assignsubmission_file/")
    found, _ = read(tmp_path, {**files, "Jane Doe.zip": zip_bytes(FILES)})
    assert sorted(found) == ["Ann", "Jane_Doe", "Lee"]
    assert "2 entries belong to Jane_Doe: Jane Doe.zip, Jane Doe_1234567_assignsubmission" in (
        found["Jane_Doe"].refusal or ""
    )


def test_a_folder_that_cannot_be_read_is_that_students_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hand_out(
        tmp_path,
        under("Jane_1_assignsubmission_file_/") | under("Lee_2_assignsubmission_file_/"),
    )
    jane = "Jane_1_assignsubmission_file_"
    listdir, open_ = os.listdir, os.open

    def fail(name: Path | str, *rest: object, **named: object) -> object:
        if Path(name).name == jane:
            raise PermissionError(13, "Permission denied", str(name))
        return (listdir if not rest else open_)(name, *rest, **named)

    monkeypatch.setattr(os, "listdir", fail)
    monkeypatch.setattr(os, "open", fail)
    found = by_student(read_class(path, [WEEK]))
    assert found["Jane"].refusal == (
        f"{jane} could not be read (Permission denied). Pack your files and hand them in again."
    )
    assert is_whole(found["Lee"])


def test_moodle_files_and_groups(tmp_path: Path) -> None:
    files = {
        "Jane Doe_1234567_assignsubmission_file_layers.py": b"1",
        "Jane Doe_1234567_assignsubmission_file_losses.py": b"2",
        "Group A_12_assignsubmission_file_work.zip": zip_bytes(FILES),
        "Default group_assignsubmission_file_layers.py": b"3",
        "Jo_1234568_assignsubmission_file_Eve_9_assignsubmission_file_layers.py": b"4",
        "Ada_1234569_assignsubmission_onlinetext_onlinetext.html": b"",
    }
    found, _ = read(tmp_path, files)
    assert sorted(found) == ["Ada", "Default_group", "Group_A", "Jane_Doe", "Jo"]
    assert found["Jane_Doe"].files == {"layers.py": b"1", "losses.py": b"2"}
    assert is_whole(found["Group_A"])
    assert found["Jo"].files == {}, "the name of a file makes nobody else of its student"


# Gradescope

METADATA = b"""---
submission_111:
  :submitters:
  - :name: Jane Doe
    :sid: '123456'
    :email: jane@example.org
  :created_at: 2026-11-28 10:15:00.000000000 Z
  :results:
    output: |-
      submission_222:
        :submitters:
        - :sid: 'evil'
\xe2\x80\xa8submission_111:
submission_222:
  :submitters:
  - :name: "Zo\xc3\xab"
    :sid:
    :email: zoe@example.org
  - :name: O'Neil
    :sid: ''
    :email:
  :history: []
submission_333:
  :submitters: []
submission_444:
  :submitters:
  - :name: |-
      strange
"""


@pytest.mark.parametrize("how", HOW)
def test_gradescope(tmp_path: Path, how: str) -> None:
    files = {"submission_metadata.yml": METADATA.replace(b"\xe2\x80\xa8submission_111:\n", b"")}
    for number in (111, 222, 333, 444, 555):
        files |= under(f"submission_{number}/", FILES | {"layers.py": b"%d" % number})
    found, remarks = read(tmp_path, files, how)
    assert "Read as a Gradescope export (3 without a name in submission_metadata.yml): 6" in remarks
    assert {name: one.files["layers.py"] for name, one in found.items()} == {
        "123456": b"111",
        "zoe@example.org": b"222",
        "O_Neil": b"222",
        "submission_333": b"333",
        "submission_444": b"444",
        "submission_555": b"555",
    }
    assert found["O_Neil"].notices == ("Handed in by a group: zoe@example.org, O'Neil.",)
    assert "left alone" not in remarks


def test_gradescope_without_metadata(tmp_path: Path) -> None:
    files = under("submission_111/") | under("submission_222/")
    for metadata in ({}, {"submission_metadata.yml": b"\0\xff: [" * 100}):
        found, remarks = read(tmp_path, files | metadata)
        assert sorted(found) == ["submission_111", "submission_222"]
        assert "2 without a name" in remarks


def test_what_students_print_never_names_a_submitter() -> None:
    assert set(read_submitters([METADATA])) == {"submission_111", "submission_222"}
    twice = METADATA + b"submission_111:\n  :submitters:\n  - :sid: '9'\n"
    assert set(read_submitters([twice])) == {"submission_222"}
    assert read_submitters([b"a" * 10_000, b"\n" * 10]) == {}


@given(st.binary(max_size=400), st.integers(0, len(METADATA)), st.integers(1, 50))
def test_any_metadata_gives_names_or_none(noise: bytes, at: int, size: int) -> None:
    content = METADATA[:at] + noise + METADATA[at:]
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    for name, ids in read_submitters(chunks).items():
        assert name
        assert all(isinstance(id, str) and id for id in ids)
        assert len(set(ids)) == len(ids)


# Blackboard


@pytest.mark.parametrize("how", HOW)
def test_blackboard(tmp_path: Path, how: str) -> None:
    first, last = "2026-11-27-09-00-00", "2026-11-28-10-15-00"
    head = "Week 1_hand in"
    files = {
        f"{head}_jdoe_attempt_{last}_layers.py": b"1",
        f"{head}_jdoe_attempt_{last}_losses.py": b"2",
        f"{head}_jdoe_attempt_{last}.txt": b"Name: Jane Doe (jdoe)\nAssignment: Week 1\n",
        f"{head}_jdoe_attempt_{first}_layers.py": b"old",
        f"{head}_jdoe_attempt_{first}.txt": b"Name: Jane Doe (jdoe)\n",
        f"{head}_s_123_attempt_{first}_work.zip": zip_bytes(FILES),
        f"{head}_s_123_attempt_{first}.txt": b"\xef\xbb\xbfName: Sam (s_123)\r\nAssignment: x\r\n",
        f"{head}_nil_attempt_{first}.txt": b"Name: Nil (nil)\n",
        f"{head}_evil_attempt_{first}_{head}_jdoe_attempt_2027-01-01-00-00-00_layers.py": b"evil",
    }
    found, remarks = read(tmp_path, files, how)
    assert "Read as a Blackboard export: 4 students." in remarks
    assert sorted(found) == ["evil", "jdoe", "nil", "s_123"]
    assert found["jdoe"].files == {"layers.py": b"1", "losses.py": b"2"}
    says = f"The attempt of {last} counts, the one of {first} does not."
    assert found["jdoe"].notices[0] == says
    assert is_whole(found["s_123"])
    assert found["nil"].is_empty
    assert found["evil"].files == {}


def test_blackboard_students_are_never_mixed_up(tmp_path: Path) -> None:
    when = "2026-11-28-10-15-00"
    found, _ = read(
        tmp_path,
        {
            f"HW_a_smith_attempt_{when}_layers.py": b"1",
            f"HW_b_smith_attempt_{when}_layers.py": b"2",
            f"HW_c_attempt_{when}_layers.py": b"3",
        },
    )
    assert {name: one.files["layers.py"] for name, one in found.items()} == {
        "HW_a_smith": b"1",
        "HW_b_smith": b"2",
        "c": b"3",
    }


def test_two_columns_of_blackboard_in_one_directory(tmp_path: Path) -> None:
    files = {
        f"{column}_jdoe_attempt_2026-11-2{day}-10-15-00{end}": content
        for day, (column, module) in enumerate({"Week 1": "layers", "Week 2": "engine"}.items())
        for end, content in ((f"_{module}.py", b"x"), (".txt", b"Name: J (jdoe)\n"))
    }
    intake = read_class(hand_out(tmp_path, files), [WEEK, OTHER])
    assert by_student(intake, 1)["jdoe"].files == {"layers.py": b"x"}
    assert by_student(intake, 2)["jdoe"].files == {"engine.py": b"x"}


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


def test_a_bomb_in_a_zip_file_is_one_students_refusal(tmp_path: Path) -> None:
    zeros = bytes(65 * 1024 * 1024)
    files = {"ada.zip": zip_bytes({"zeros.bin": zeros}), **under("ben/"), "eve.tar.gz": zeros}
    found, _ = read(tmp_path, files | {"ben/data.bin": zeros}, "zip")
    assert "ada.zip was not taken: it holds more than 64 MB, reached in 'zeros.bin'" in (
        found["ada"].refusal or ""
    )
    assert "eve.tar.gz was not taken: the archive is larger than 64 MB" in (
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


# Any names


PARTS = st.one_of(
    st.sampled_from(["doe", "LATE", "12345", "67890", "layers.py", "layers-1.py", "work.zip"]),
    st.sampled_from(["assignsubmission", "file", "onlinetext", "attempt", "submission", "anon"]),
    st.sampled_from(
        ["2026-11-28-10-15-00", "Jane Doe", "x7Kq2", ".txt", "", "..", "\u202e", "\x01"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)
NAMES = st.lists(PARTS, min_size=1, max_size=8).map("_".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "/layers.py", "/work.zip"])), max_size=8))
def test_any_names_give_safe_and_unique_ids(tmp_path: Path, entries: list[tuple[str, str]]) -> None:
    archive = zip_bytes(FILES)
    names = {"zo\u00eb.zip", *(name + end for name, end in entries if name)}
    (tmp_path / "class.zip").write_bytes(zip_bytes(dict.fromkeys(names, archive)))
    found = read_class(tmp_path / "class.zip", [WEEK], [OTHER])
    students = [one.student for one in found.submissions[1]]
    assert len({student.casefold() for student in students}) == len(students)
    for one in found.submissions[1]:
        assert one.student.isprintable()
        assert one.student[0] not in ".-=+@"
        assert not set("/\\ \0") & set(one.student)
        assert set(one.files) <= set(WEEK.modules)
        for text in (*one.notices, one.refusal or "-"):
            assert text.isprintable()
    assert all(remark.isprintable() for remark in found.remarks)


@pytest.mark.parametrize("pattern", [lms.CANVAS, lms.MOODLE, lms.BLACKBOARD])
def test_matching_takes_no_time_on_long_names(pattern: re.Pattern[str]) -> None:
    start = time.perf_counter()
    for part in ("a", "_", "1", "a_1_", "_123", "a_123_456_", "-01", "_file", "a_2026-11-28-10-1"):
        pattern.fullmatch((part * 1000)[:1000] + "\n")
    assert time.perf_counter() - start < 5


def test_a_class_of_three_hundred_stays_whole_in_any_order(tmp_path: Path) -> None:
    names = [f"doe{n}_{10_000 + n}_{50_000 + n}_work.zip" for n in range(300)]
    random.Random(0).shuffle(names)
    content = zip_bytes(FILES)
    found, remarks = read(tmp_path, dict.fromkeys(names, content), "zip")
    assert "300 students" in remarks
    assert len(found) == 300
    assert all(map(is_whole, found.values()))
