"""Each week gets its own files out of a submission, wherever they lie in it."""

from __future__ import annotations

import hashlib

import pytest

from autograder.course import Limits, Week
from autograder.intake import admission as gate
from autograder.intake.week_files import WeekFileFinder, WeekFiles

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


def make_week(number: int, folder: str, module: str, *documents: str) -> Week:
    return Week.model_validate(
        {
            "number": number,
            "id": f"week{number}",
            "folder": folder,
            "title": "A week",
            "modules": [module],
            "documents": documents,
            "limits": LIMITS,
        }
    )


LAYERS = make_week(1, "week1_layers", "layers.py", "notes.md")
DRAWN = make_week(3, "week3_drawn", "draw.py", "graph.pdf|graph.png", "notes.md")
BOTH = WeekFileFinder([LAYERS, DRAWN])


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


PLACES = {
    "the course's folders": ("week1_layers/", "assignments/week3_drawn/"),
    "short names": ("week1/", "Week 3/"),
    "bare and in a folder": ("", "week3_drawn/"),
    "in a folder and bare": ("Week_1_layers/", ""),
    "a repository handed in for week 3": ("week3/assignments/week1_layers/", "week3/week3_drawn/"),
}


@pytest.mark.parametrize("case", PLACES)
def test_each_week_gets_its_own_files(case: str) -> None:
    first, third = PLACES[case]
    found = BOTH.choose(
        {
            first + "layers.py": b"a",
            first + "notes.md": b"first",
            third + "draw.py": b"c",
            third + "notes.md": b"third",
            third + "graph.png": b"\0",
        }
    )
    assert found[1].modules == {"layers.py": b"a"}
    assert found[3].modules == {"draw.py": b"c"}
    assert found[3].documents["graph.png"] == digest(b"\0")
    if first:
        assert found[1].documents == {"notes.md": digest(b"first")}
    if third:
        assert found[3].documents["notes.md"] == digest(b"third")


def test_a_file_in_a_weeks_own_folder_comes_before_one_that_may_be_another_weeks() -> None:
    files = {"layers.py": b"a", "notes.md": b"bare", "w/week3/notes.md": b"third"}
    found = BOTH.choose(files)
    assert found[1].documents == {"notes.md": digest(b"bare")}
    assert found[3].documents == {"notes.md": digest(b"third")}
    assert found[1].notices == found[3].notices == []


def test_a_bare_file_of_several_weeks_counts_for_those_that_are_there() -> None:
    found = BOTH.choose({"layers.py": b"a", "notes.md": b"n"})
    assert found[1].documents == {"notes.md": digest(b"n")}
    assert found[3] == WeekFiles()
    found = BOTH.choose({"layers.py": b"a", "draw.py": b"c", "notes.md": b"n"})
    assert found[1].documents == found[3].documents == {"notes.md": digest(b"n")}


def test_a_bare_file_that_may_be_of_any_week_is_left_with_a_notice() -> None:
    for found in BOTH.choose({"notes.md": b"n"}).values():
        assert not found.documents
        assert found.notices == [
            "notes.md was not taken: weeks 1 and 3 ask for a file of this name. "
            "Put it into its week's folder."
        ]
    assert WeekFileFinder([LAYERS], [DRAWN]).choose({"notes.md": b"n"})[1].documents, (
        "the only week asked"
    )


def test_files_in_the_folder_of_another_week_are_never_taken() -> None:
    finder = WeekFileFinder([LAYERS], [DRAWN])
    assert not finder.wanted("week3/layers.py")
    assert finder.size_limit("week3_drawn/notes.md") == 0
    found = finder.choose({"week3/layers.py": b"x = 1"})
    assert not found[1].modules
    assert finder.size_limit("week3/week1/layers.py") == gate.MAX_FILE_BYTES
    assert finder.known("week3_drawn/notes.md")
    assert not finder.known("week3_drawn/layers.py")


def test_a_name_in_a_subfolder_of_the_assignment_is_not_the_bare_name() -> None:
    week = LAYERS.model_copy(update={"modules": ("train.py", "training/train.py")})
    found = WeekFileFinder([week]).choose({"week1/training/train.py": b"inner"})
    assert found[1].modules == {"training/train.py": b"inner"}


def test_modules_and_documents_have_room_of_their_own() -> None:
    assert BOTH.size_limit("x/layers.py") == gate.MAX_FILE_BYTES
    assert BOTH.size_limit("week3/graph.pdf") == gate.MAX_DOCUMENT_BYTES
    assert BOTH.size_limit("week1/graph.pdf") == BOTH.size_limit("x/graph.gif") == 0


def test_a_module_is_text_and_a_document_is_not_looked_at() -> None:
    found = BOTH.choose(
        {"layers.py": b"a\0", "draw.py": None, "graph.pdf": b"\0", "graph.png": b"", "x": None}
        | {"week3/notes.md": None}
    )
    assert not found[1].modules | found[3].modules
    assert found[3].documents == {"graph.pdf": digest(b"\0"), "graph.png": digest(b"")}
    assert found[1].notices[0].startswith("layers.py was not taken: it is not a text file")
    assert found[3].notices == [
        "draw.py was not taken: it is larger than 1 MB.",
        "week3/notes.md was not taken: it is larger than 16 MB.",
    ]


PROJECT = make_week(4, "week3_drawn/project", "models/net.py", "README.md").model_copy(
    update={"modules": ("models/net.py", "layers.py"), "id": "project"}
)
THREE = WeekFileFinder([LAYERS, DRAWN, PROJECT])


@pytest.mark.parametrize("place", ["project/", "assignments/week3_drawn/project/", "", "handin/"])
def test_a_file_in_a_folder_is_found_with_its_folder(place: str) -> None:
    files = {f"{place}models/net.py": b"net", f"{place}README.md": b"text", "net.py": b"other"}
    found = THREE.choose(files)
    assert found[4].modules == {"models/net.py": b"net"}
    assert found[4].documents == {"README.md": digest(b"text")}
    assert found[1] == found[3] == WeekFiles()


@pytest.mark.parametrize("path", ["README.md", "repo-main/README.md", "week1_layers/README.md"])
def test_any_other_readme_belongs_to_no_week(path: str) -> None:
    found = THREE.choose({path: b"text", "week1_layers/layers.py": b"layers"})
    assert found[4] == WeekFiles()
    assert found[1].modules == {"layers.py": b"layers"}


def test_a_project_inside_a_weeks_folder_keeps_its_files_apart() -> None:
    files = {
        "week1/layers.py": b"one",
        "week3_drawn/draw.py": b"two",
        "week3_drawn/project/layers.py": b"three",
    }
    found = THREE.choose(files)
    assert [found[n].modules for n in (1, 3, 4)] == [
        {"layers.py": b"one"},
        {"draw.py": b"two"},
        {"layers.py": b"three"},
    ]
