"""Whose a submission is: by a roster, by the numbers of a system, and never by a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.gradebook.people import Identity, KnownNames, KnownPeople
from autograder.gradebook.roster import Roster, RosterError, read_roster
from autograder.gradebook.submission import Submission
from autograder.intake.reading import Intake, read_class
from tests.handed_in import FILES, OTHER, WEEK, Contents, hand_out, is_whole, under, zip_bytes

WEEKS = [WEEK, OTHER]
ENGINE = {"week2_engine/engine.py": b"e = 1\n"}
CLASS = """id,name,email,section,group,lms ids,aliases
ada,Ada Byron,ada@uni.example,A,,1815,
wei1,Wei Zhang,wei@uni.example,A,,Participant 103,
wei2,"Zhang, Wei",wei.zhang@uni.example,B,,,WZ
jane,Jane Doe,jdoe@uni.example,B,,,
"""


def roster(text: str = CLASS) -> Roster:
    return read_roster(text.encode(), "roster.csv", WEEKS)


def moodle(name: str, number: int, files: Contents = FILES) -> Contents:
    return under(f"{name}_{number}_assignsubmission_file_/", files)


def intake(
    path: Path, files: Contents, people: Roster | None = None, known: KnownPeople | None = None
) -> Intake:
    place = path / f"class{len(list(path.iterdir()))}"
    place.mkdir()
    return read_class(hand_out(place, files), WEEKS, roster=people, known=known)


def week1(read: Intake) -> dict[str, Submission]:
    return {one.student: one for one in read.submissions[1]}


def said(read: Intake) -> str:
    return "\n".join(f"{one.student}|{one.kind}|{one.text}" for one in read.losses)


# The file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("name,email\nAda,a@b\n", "there is no column id"),
        ("id\n", "names nobody"),
        ("id,name\n,Ada\n", "line 2: the id is missing"),
        ("id\nada lovelace\n", "line 2: 'ada lovelace' can't be an id"),
        ("id\nada\nADA\n", "line 3: 'ada' is that of ada on line 2 too"),
        ("id,email\nada,x@y\nben,X@Y\n", "line 3: 'x@y' is that of ada on line 2 too"),
        ("id,lms ids\nada,12;13\nben,13\n", "line 3: '13' is that of ada"),
    ],
)
def test_a_wrong_roster_names_its_lines(text: str, says: str) -> None:
    with pytest.raises(RosterError, match=says):
        roster(text)


def test_columns_have_the_names_that_systems_give_them() -> None:
    people = roster(
        "Last name,First name,E-Mail,Student ID,Section,Canvas ID,Team,"
        "group week2,Colour\nByron,Ada,ada@uni.example,ada,A,1815,T1,T2,red\n"
    )
    (ada,) = people.people.values()
    assert (ada.name, ada.email, ada.section) == ("Ada Byron", "ada@uni.example", "A")
    assert ada.lms_ids == ("Canvas 1815",)
    assert (ada.group(1), ada.group(2)) == ("T1", "T2")
    assert people.unused == ("Colour",)


def test_people_are_known_by_what_names_them_alone_and_else_by_name() -> None:
    people = roster()
    for ids, names, who in [
        (["ADA"], [], ["ada"]),
        (["1815"], [], ["ada"]),
        ([], ["Byron, Ada"], ["ada"]),
        ([], ["byronada"], ["ada"]),
        ([], ["jdoe"], ["jane"]),
        (["wz"], ["Wei Zhang"], ["wei2"]),
        ([], ["Wei Zhang"], ["wei1", "wei2"]),
        (["Participant 103"], ["Wei Zhang"], ["wei1"]),
        (["nobody"], ["Nobody"], []),
    ]:
        assert [one.id for one in people.who(ids, names)] == who, (ids, names)
    assert [one.id for one in people.near("jnae doe")] == ["jane"]


# A class


def test_who_handed_in_nothing_is_there_and_who_is_unknown_is_named(tmp_path: Path) -> None:
    read = intake(tmp_path, under("ada/") | under("Jane Deo/") | under("zed/"), roster())
    found = week1(read)
    assert sorted(found) == ["Jane_Deo", "ada", "jane", "wei1", "wei2", "zed"]
    assert read.absent == {"jane", "wei1", "wei2"}
    assert all(found[student].is_empty for student in read.absent)
    assert "Jane Deo is nobody in the roster; the nearest: jane (Jane Doe)." in said(read)
    assert "zed is nobody in the roster." in said(read)
    assert [one.id for one in roster().near("hw1-ada")] == ["ada"]


def test_a_roster_beside_the_submissions_is_used(tmp_path: Path) -> None:
    read = intake(tmp_path, under("1815/") | {"roster.csv": CLASS.encode()})
    assert is_whole(week1(read)["ada"])
    assert read.roster is not None
    assert not any("roster.csv" in remark for remark in read.remarks)
    with pytest.raises(RosterError, match="there is no column id"):
        intake(tmp_path, under("1815/") | {"roster.csv": b"a,b\n1,2\n"})


def test_moodles_groups_and_other_numbers_each_week_are_the_same_people(tmp_path: Path) -> None:
    for prefix, number in (("", 200), ("Section 01-", 300), ("Gruppe B-", 400)):
        files = moodle(f"{prefix}Jane Doe", number) | moodle(f"{prefix}Ada Byron", number + 1)
        found = week1(intake(tmp_path, files, roster()))
        assert is_whole(found["jane"])
        assert is_whole(found["ada"])
        assert len(found) == 4
    each_own = moodle("Team 1-Jane Doe", 7) | moodle("Team-2-Ada Byron", 8)
    found = week1(intake(tmp_path, each_own, roster()))
    assert is_whole(found["jane"])
    assert is_whole(found["ada"])


def test_a_namesake_of_moodle_is_known_by_number_and_else_refused_by_name(tmp_path: Path) -> None:
    read = intake(tmp_path, moodle("Wei Zhang", 103) | moodle("Wei Zhang", 204), roster())
    found = week1(read)
    assert is_whole(found["wei1"])
    unclear = found["Wei_Zhang_204"]
    assert "may be wei1 (Wei Zhang) or wei2 (Zhang, Wei), so nothing was taken" in (
        unclear.refusal or ""
    )
    assert "wei2" not in found, "it may be theirs: nobody says that they handed in nothing"
    assert "Wei_Zhang_204|refused|" in said(read)


def test_canvas_and_gradescope_know_people_by_number_and_address(tmp_path: Path) -> None:
    canvas = {"zhangwei_1815_9001_layers.py": b"1", "doejane_770_9002_layers.py": b"2"}
    found = week1(intake(tmp_path, canvas, roster()))
    assert found["ada"].files == {"layers.py": b"1"}, "the number is Ada's"
    assert found["jane"].files == {"layers.py": b"2"}
    record = b"""submission_1:
  :submitters:
  - :name: J. Doe
    :sid: '99'
    :email: jdoe@uni.example
"""
    files = under("submission_1/") | {"submission_metadata.yml": record}
    assert is_whole(week1(intake(tmp_path, files, roster()))["jane"])


def test_hand_in_times_go_by_the_roster_too(tmp_path: Path) -> None:
    times = b"student,received,commit\n1815,2026-10-12T21:40:00+02:00,\nJane Doe,,abcdef0\n"
    files = under("1815/") | under("jane/") | {"handed_in.csv": times}
    found = week1(intake(tmp_path, files, roster()))
    assert found["ada"].received is not None
    assert found["jane"].commit == "abcdef0"


def test_two_uploads_of_one_person_are_refused_by_name(tmp_path: Path) -> None:
    found = week1(intake(tmp_path, under("ada/") | {"1815.zip": zip_bytes(FILES)}, roster()))
    assert "2 entries belong to ada: 1815.zip, ada." in (found["ada"].refusal or "")


# Groups

GROUPS = """id,name,group,group week2
ada,Ada,T1,
ben,Ben,T1,
cy,Cy,,Pair
di,Di,,Pair
"""


def test_each_member_of_a_group_gets_what_one_of_them_handed_in(tmp_path: Path) -> None:
    read = intake(tmp_path, under("ada/") | under("cy/", FILES | ENGINE), roster(GROUPS))
    found = week1(read)
    assert is_whole(found["ada"])
    assert is_whole(found["ben"])
    assert found["ben"].notices[-1] == "Handed in for the group T1 by ada."
    assert found["di"].is_empty, "a pair in week 2 alone"
    second = {one.student: one for one in read.submissions[2]}
    assert second["di"].files == second["cy"].files != {}
    assert read.absent == frozenset()
    assert "ben|shared in a group|Handed in for the group T1 by ada." in said(read)


def test_a_submission_called_after_a_group_is_its_members(tmp_path: Path) -> None:
    read = intake(tmp_path, under("t1/") | under("Pair/"), roster(GROUPS))
    found = week1(read)
    assert is_whole(found["ada"])
    assert is_whole(found["ben"])
    assert found["cy"].is_empty
    assert sorted(found) == ["ada", "ben", "cy", "di"]
    assert "Pair|shared in a group|Pair holds files, and nobody is in the group Pair then." in (
        said(read)
    )


def test_different_files_of_a_group_are_not_mixed(tmp_path: Path) -> None:
    other = {**FILES, "layers.py": b"other"}
    three = GROUPS + "eve,Eve,T1,\n"
    read = intake(tmp_path, under("ada/") | under("ben/", other), roster(three))
    found = week1(read)
    assert found["ada"].files["layers.py"] == FILES["layers.py"]
    assert found["ben"].files["layers.py"] == b"other"
    assert "Different files were handed in for the group T1 (ada, ben)" in (
        found["eve"].refusal or ""
    )
    assert "different in a group" in said(read)


def test_a_refused_member_gets_what_the_group_handed_in(tmp_path: Path) -> None:
    read = intake(tmp_path, under("ada/") | {"ben.zip": b"PK\3\4 damaged"}, roster(GROUPS))
    assert is_whole(week1(read)["ben"])


# Without a roster


def known(*rows: tuple[str, int, str, int]) -> KnownPeople:
    names = (Identity(who, week, name, f"Participant {n}") for who, week, name, n in rows)
    return KnownPeople(None, KnownNames(tuple(names)))


FOUR = ["Ada Byron", "Ben Cole", "Cy Dee", "Wei Zhang"]
BEFORE = [(name.replace(" ", "_"), 1, name, 100 + n) for n, name in enumerate(FOUR)]


def four(first: int, files: Contents) -> Contents:
    return {
        path: content
        for n, name in enumerate(FOUR)
        for path, content in moodle(name, first + n, files).items()
    }


def test_everybody_has_another_number_next_week(tmp_path: Path) -> None:
    read = intake(tmp_path, four(200, ENGINE), None, known(*BEFORE))
    assert sorted(week1(read)) == sorted(name.replace(" ", "_") for name in FOUR)
    assert not any(one.refusal for one in read.submissions[2])
    assert "Known by name alone, since their numbers are new: Ada_Byron" in said(read)
    assert {one.lms_id for one in read.identities} == {f"Participant {200 + n}" for n in range(4)}


def test_a_namesake_never_gets_anothers_row(tmp_path: Path) -> None:
    """Same assignment, same numbers but for one: that one is somebody else."""
    files = {
        path.replace("Wei Zhang_103", "Wei Zhang_999"): content
        for path, content in four(100, FILES).items()
    }
    found = week1(intake(tmp_path, files, None, known(*BEFORE)))
    assert "Wei_Zhang" not in found
    assert "Wei Zhang (Participant 999) may be Wei_Zhang, who came as Participant 103, or" in (
        found["Wei_Zhang_999"].refusal or ""
    )
    assert is_whole(found["Ada_Byron"])


def test_one_alone_with_another_number_is_refused_by_name(tmp_path: Path) -> None:
    read = intake(tmp_path, moodle("Wei Zhang", 204, ENGINE), None, known(*BEFORE))
    (one,) = read.submissions[2]
    assert (one.student, one.files) == ("Wei_Zhang_204", {})
    assert "Say it in roster.csv" in (one.refusal or "")


def test_a_group_before_a_known_name_is_told(tmp_path: Path) -> None:
    files = moodle("Team 1-Ada Byron", 300) | moodle("Other 2-Di Eno", 301)
    read = intake(tmp_path, files, None, known(*BEFORE))
    assert sorted(week1(read)) == ["Other_2-Di_Eno", "Team_1-Ada_Byron"]
    assert "Team_1-Ada_Byron|id|Team 1-Ada Byron (Participant 300) may be Ada_Byron" in said(read)


def test_known_namesakes_keep_their_rows_by_number(tmp_path: Path) -> None:
    two = known(("Wei_Zhang_103", 1, "Wei Zhang", 103), ("Wei_Zhang_104", 1, "Wei Zhang", 104))
    (one,) = intake(tmp_path, moodle("Wei Zhang", 104), None, two).submissions[1]
    assert (one.student, one.refusal) == ("Wei_Zhang_104", None)
    (one,) = intake(tmp_path, moodle("Wei Zhang", 300, ENGINE), None, two).submissions[2]
    assert one.student == "Wei_Zhang_300"
    assert "may be Wei_Zhang_103 or Wei_Zhang_104" in (one.refusal or "")


def test_a_new_week_of_one_is_theirs_where_numbers_are_known_to_change(tmp_path: Path) -> None:
    later = [(id, 2, name, number + 100) for id, _, name, number in BEFORE]
    (one,) = intake(
        tmp_path, moodle("Ben Cole", 301, {"layers.py": b"1"}), None,
        known(*[row for row in BEFORE if row[0] != "Ben_Cole"], *later),
    ).submissions[1]  # fmt: skip
    assert (one.student, one.refusal) == ("Ben_Cole", None)


# Folders of sections

SECTIONS = under("SectionA/ada/") | under("SectionA/bob/") | under("SectionB/cy/")


@pytest.mark.parametrize(
    "files",
    [
        SECTIONS | under("SectionB/dee/"),
        under("Mon-10am/ada/") | under("Mon-10am/bob/") | under("x/cy/") | under("x/dee/"),
        {f"Tutorial 1/{name}.zip": zip_bytes(FILES) for name in ("ada", "bob", "cy", "dee")},
        {f"S1/{name}.zip": zip_bytes(FILES) for name in ("ada", "bob")}
        | {f"S2/{name}.zip": zip_bytes(FILES) for name in ("cy", "dee")},
    ],
)
def test_the_students_in_folders_of_sections_are_students(tmp_path: Path, files: Contents) -> None:
    read = intake(tmp_path, files)
    assert sorted(week1(read)) == ["ada", "bob", "cy", "dee"]
    assert "nobody's" not in said(read)
    assert all(map(is_whole, read.submissions[1]))


def test_the_roster_tells_sections_from_students(tmp_path: Path) -> None:
    people = roster("id\nada\nbob\ncy\n")
    files = under("red/ada/") | under("red/bob/") | under("cy/v/") | under("cy/w/")
    files |= {"red/list.txt": b""}
    read = intake(tmp_path, files, people)
    assert sorted(week1(read)) == ["ada", "bob", "cy"]
    assert "The folder red was read as a section, with these in it: ada, bob." in said(read)
    assert "In red and nobody's, so left alone: list.txt." in said(read)


def test_what_may_be_two_students_is_told(tmp_path: Path) -> None:
    read = intake(tmp_path, under("x/ada/") | under("x/bob/") | under("cy/") | under("dee/"))
    assert sorted(week1(read)) == ["cy", "dee", "x"]
    assert (
        "x was taken for one student, and holds several folders or archives of work: ada, bob"
        in (said(read))
    )


def test_ones_own_versions_are_no_students(tmp_path: Path) -> None:
    files = under("ada/v1/") | under("ada/final/") | under("ben/week1/") | under("ben/old/")
    read = intake(tmp_path, files | {"cy/hw1.zip": zip_bytes(FILES), "cy/hw2.zip": b""})
    assert sorted(week1(read)) == ["ada", "ben", "cy"]
    assert "section" not in said(read)


# Losses


def test_losses_are_told_to_the_instructor(tmp_path: Path) -> None:
    files = under("ada/", {**FILES, "extra.ipynb": b"", "more.zip": b"", "plot.png": b""})
    files |= under("ben/", {"Layers.py": b"a = 1\n", "old/layers.py": b"", "losses.py": b"\0"})
    files |= {
        "cy.rar": b"Rar!",
        "dee.7z": b"7z",
        "eve.lzh": b"x",
        "gil": zip_bytes(FILES),
        "fay_losses.py": b"",
    }
    files |= under("gus/", {"a\\layers.py": b"1"})
    read = intake(tmp_path, files)
    text = said(read)
    assert "ada|not taken|It looks like work and was not taken: extra.ipynb." in text
    assert "ada|not taken|Archives in a submission are not opened: more.zip." in text
    assert "ben|not taken|losses.py was not taken: it is not a text file" in text
    assert "cy|refused|cy.rar was not taken: archives of this kind are not read" in text
    assert "dee|refused|dee.7z was not taken" in text
    assert "eve|refused|eve.lzh was not taken: archives of this kind are not read" in text
    assert "|archive|gil is an archive by its content: call it gil.zip." in text
    assert "|left alone|fay_losses.py is no submission." in text
    assert "gus|odd file|The \\ in a name was read as /" in text
    assert "plot.png" not in text
    assert not intake(tmp_path, under("ada/") | under("ben/")).losses
