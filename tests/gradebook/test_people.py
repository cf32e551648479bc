"""What a gradebook knows of people: names, numbers, losses, and the ids of a later roster."""

from __future__ import annotations

from pathlib import Path

from autograder.gradebook.journal import Gradebook
from autograder.gradebook.people import (
    Identity,
    KnownPeople,
    Loss,
    adopt_ids,
    keep_people,
    known_people,
    losses,
)
from autograder.gradebook.roster import Roster, read_roster
from autograder.gradebook.submission import Submission
from autograder.records import ManualMark
from autograder.report.losses import notices_csv

JANE = Identity("Jane_Doe", 1, "Jane Doe", "Participant 7")


def roster(text: str) -> Roster:
    return read_roster(text.encode(), "roster.csv", [])


def filled(path: Path, *students: str) -> Gradebook:
    gradebook = Gradebook.open(path / "gradebook.sqlite")
    gradebook.start_run("none", "none", "salt", {})
    gradebook.add_submissions([Submission(one, {"a.py": one.encode()}) for one in students], 1)
    gradebook.put_marks([ManualMark(one, "x", 100, "") for one in students])
    return gradebook


def test_names_numbers_and_losses_are_kept(tmp_path: Path) -> None:
    assert known_people(tmp_path, []) == KnownPeople()
    with filled(tmp_path, "Jane_Doe") as gradebook:
        assert losses(gradebook) == []
        assert known_people(tmp_path, []).names.identities == ()
        keep_people(
            gradebook, "week1", [JANE], [Loss("Jane_Doe", "id", "One."), Loss("", "b", "B")]
        )
        keep_people(gradebook, "week2", [JANE], [Loss("Jane_Doe", "id", "Two.", "week2")])
        keep_people(gradebook, "week1", [], [Loss("Jane_Doe", "id", "=Three.")])
        found = losses(gradebook)
        assert [(one.student, one.week, one.text, one.source) for one in found] == [
            ("Jane_Doe", "", "=Three.", "week1"),
            ("Jane_Doe", "week2", "Two.", "week2"),
        ]
        lines = notices_csv(found).splitlines()
    assert lines[0] == "student,week,kind,notice,read from,read at"
    assert lines[1].startswith("Jane_Doe,,id,'=Three.,week1,20")
    (tmp_path / "roster.csv").write_text("id\nada\n")
    known = known_people(tmp_path, [])
    assert known.names.of_name("jane doe") == [JANE]
    assert known.roster is not None
    assert list(known.roster.people) == ["ada"]


def test_a_roster_that_comes_later_takes_over_earlier_results(tmp_path: Path) -> None:
    with filled(tmp_path, "Jane_Doe", "Wei_Zhang", "ben", "Ben_Cole", "zed") as gradebook:
        keep_people(gradebook, "week1", [JANE], [])
        people = roster(
            "id,name\njd7,Jane Doe\nwei1,Wei Zhang\nwei2,Wei Zhang\nben,Ben Cole\nada,Ada\n"
        )
        new, said = adopt_ids(gradebook, people)
        assert new == {"Jane_Doe": "jd7"}
        assert gradebook.students() == ["Ben_Cole", "Wei_Zhang", "ben", "jd7", "zed"]
        assert gradebook.marks("jd7")[0].points == 100
        assert gradebook.marks("Jane_Doe") == []
        assert [one.text for one in said] == [
            "Wei_Zhang, who has results, may be wei1 (Wei Zhang) or wei2 (Wei Zhang).",
            "Ben_Cole is ben (Ben Cole) in the roster, and each id has results of its own; they "
            "were not put together.",
            "The results of Jane_Doe are now those of jd7 (Jane Doe).",
        ]
        assert adopt_ids(gradebook, people)[0] == {}
