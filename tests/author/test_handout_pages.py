"""Handouts as pages, their pictures, and the script that draws these."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from autograder.author import handout_pages
from autograder.author.handout_pages import HandoutError, page_of, picture_faults, write_all
from autograder.course import load

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that draws the pictures, imported."""
    path = ROOT / "scripts" / "draw_handouts.py"
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location("draw_handouts", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def same(drawn: str, kept: str) -> bool:
    """Tell whether two pictures are the same but for a pixel: training is rounded elsewhere."""
    one, other = ([float(found) for found in NUMBER.findall(text)] for text in (drawn, kept))
    near = len(one) == len(other) and all(abs(a - b) <= 1 for a, b in zip(one, other, strict=True))
    return near and NUMBER.sub("#", drawn) == NUMBER.sub("#", kept)


def test_the_pictures_are_what_the_script_draws(script: ModuleType) -> None:
    assert len(script.PICTURES) >= 20
    for (week, name), draw in script.PICTURES.items():
        kept = (ROOT / "assignments" / week / "pictures" / name).read_bytes()
        drawn = draw()
        if isinstance(drawn, str):
            assert same(drawn, kept.decode()), f"{week}/{name}: draw it anew"
        else:  # pixels of a trained network: a last digit may fall into another shade
            assert abs(len(drawn) - len(kept)) < 500
            assert drawn[:24] == kept[:24]  # the kind of file and its size


def test_every_picture_is_one_of_the_script(script: ModuleType) -> None:
    kept = {
        path.relative_to(ROOT / "assignments") for path in ROOT.glob("assignments/**/pictures/*")
    }
    assert kept == {Path(week, "pictures", name) for week, name in script.PICTURES}


def test_the_pictures_are_in_git() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository")
    kept = [str(path) for path in ROOT.glob("assignments/**/pictures/*")]
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *kept], cwd=ROOT, capture_output=True, text=True
    )
    assert ignored.stdout == ""
    assert ignored.returncode == 1


@pytest.mark.parametrize("week", COURSE.weeks, ids=lambda week: week.id)
def test_the_pictures_of_each_handout_are_shown_small_and_told_in_words(week) -> None:
    assert picture_faults(ROOT, week) == []


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("assignments/**/pictures/*.svg")), ids=lambda p: p.stem
)
def test_a_drawing_is_legible_in_dark_and_fetches_nothing(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "<title>" in text
    assert "<script" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    width = re.search(r'width="(\d+)"', text)
    assert width is not None
    assert int(width[1]) <= 520  # letters stay legible on a phone


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of what pages are made of, to break."""
    for name in ("course.toml", "rubric.toml", "grading.toml"):
        (tmp_path / "assignments").mkdir(exist_ok=True)
        shutil.copy(ROOT / "assignments" / name, tmp_path / "assignments" / name)
    for week in COURSE.weeks:
        folder = tmp_path / "assignments" / week.folder
        (folder / "pictures").mkdir(parents=True)
        (folder / handout_pages.handout_of(week)).write_text(f"# {week.title}\n")
    return tmp_path


def first_handout(root: Path) -> Path:
    week = COURSE.week(1)
    return root / "assignments" / week.folder / handout_pages.handout_of(week)


@pytest.mark.parametrize(
    ("text", "files", "fault"),
    [
        ("![a graph of one layer](pictures/x.svg)", {}, "which isn't there"),
        ("![a graph](pictures/x.svg)", {"x.svg": 10}, "says too little"),
        ("![a graph of one layer](pictures/x.svg)", {"x.svg": 70_000}, "more than 60000 bytes"),
        ("", {"x.svg": 10}, "no text shows pictures/x.svg"),
        ("![a graph of one layer](pictures/x.svg)", {"x.svg": 10}, None),
    ],
)
def test_what_is_wrong_with_a_picture_is_found(course, text, files, fault) -> None:
    handout = first_handout(course)
    handout.write_text(text)
    for name, size in files.items():
        (handout.parent / "pictures" / name).write_bytes(b"x" * size)
    faults = picture_faults(course, COURSE.week(1))
    assert [fault in each for each in faults] == [True] if fault else faults == []


def test_pages_of_all_weeks_are_written_and_complete_in_themselves(tmp_path: Path) -> None:
    paths = write_all(ROOT, tmp_path)
    assert len(paths) >= len(COURSE.weeks)
    for path in paths:
        text = path.read_text("utf-8")
        assert text.startswith("<!DOCTYPE html>")
        assert "<script" not in text
        assert not re.findall(r'(?:src|srcset)="(?!data:)', text)
        assert "$" not in re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", text, flags=re.DOTALL)
        anchors = set(re.findall(r' id="([^"]+)"', text))
        for target in re.findall(r'href="([^"]*)"', text):
            name, _, place = target.partition("#")
            if not name:
                assert place in anchors, f"{path.name} leads to #{place}"
            elif not target.startswith("http"):
                assert (path.parent / name).is_file(), f"{path.name} leads to {target}"


def test_students_have_the_pages_beside_the_handouts(course: Path) -> None:
    handout = first_handout(course)
    handout.write_text("# T\n\n[the file](solution.py), [no file](nothing.py)\n")
    (handout.parent / "solution.py").write_text("")
    handout_pages.write_beside(course, COURSE)
    text = handout.with_suffix(".html").read_text("utf-8")
    assert '<a href="solution.py">the file</a>, no file' in text


def test_what_students_write_is_no_page(course: Path) -> None:
    for week in COURSE.weeks:
        for name in (name for names in week.documents for name in names if name.endswith(".md")):
            (course / "assignments" / week.folder / name).write_text("# Mine\n")
    texts = handout_pages.texts_of(course, COURSE)
    assert len(texts) == len(COURSE.weeks)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (r"# T" + "\n\n" + r"$\nosuch$", "nosuch"),
        ("# T\n\n![a graph](pictures/none.svg)", "pictures/none.svg, which isn't there"),
    ],
)
def test_a_handout_that_cant_be_a_page_is_named(course: Path, text: str, says: str) -> None:
    handout = first_handout(course)
    handout.write_text(text)
    name = handout.relative_to(course)
    with pytest.raises(HandoutError, match=re.escape(name.as_posix())) as error:
        page_of(course, name, [name])
    assert says in str(error.value)
    out = course / "out"
    with pytest.raises(HandoutError):
        write_all(course, out)
    assert not out.exists()
