"""What Canvas and Moodle hand out is read as it was downloaded; any other name does no harm."""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.intake import lms
from autograder.intake.reading import read_class
from tests.handed_in import (
    FILES,
    HOW,
    OTHER,
    WEEK,
    by_student,
    hand_out,
    is_whole,
    read,
    tar_bytes,
    under,
    zip_bytes,
)

# Canvas


@pytest.mark.parametrize("how", HOW)
def test_canvas(tmp_path: Path, how: str) -> None:
    files = {
        "doejane_12345_67890_layers.py": b"a = 1\n",
        "doejane_12345_67891_losses-2.py": b"b = 2\n",
        "doejane_12345_67892_notes.md": b"",
        "doejohn_LATE_12346_67893_My work-1.zip": zip_bytes(under("My work/")),
        "m\u00fcllerzo\u00eb_12347_67894_week1.tar-1.gz": tar_bytes(FILES, compression="gz"),
        "leeann_12348_67895_work.zip": zip_bytes(FILES | {"notes.md": b"no"}),
        "leeann_12348_67896_notes.md": b"yes",
        "roekim_12349_text.html": b"<p>",
    }
    del files["m\u00fcllerzo\u00eb_12347_67894_week1.tar-1.gz"]
    files["m\u00fcllerzo\u00eb_12347_67894_week1-1.tar.gz"] = tar_bytes(FILES, compression="gz")
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
    assert ann.notices == ("notes.md is there 2 times: took work.zip/notes.md, not notes.md.",)
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
