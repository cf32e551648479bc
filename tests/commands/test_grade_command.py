"""`autograder grade` on a small course: all weeks of which anything was handed in, in one run."""

from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.grading.class_run import grade_submissions
from autograder.grading.setting import SHIPPED_SALT
from autograder.intake.reading import IntakeError
from autograder.report.gather import gather

Files = dict[str, str]


@pytest.fixture(scope="module")
def right(small: Path) -> Files:
    """The reference of both weeks, as a student hands it in."""
    solutions = small / "solutions"
    names = ("week2_small/double.py", "week3_small/triple.py")
    return {name: (solutions / name).read_text() for name in names}


@pytest.fixture
def wrong(right: Files) -> Files:
    """Both weeks with their catalogued mistake."""
    return {
        name: text.replace("2.0 * x", "x * x").replace("3.0 * x", "x * x")
        for name, text in right.items()
    }


def only(week: int, files: Files) -> Files:
    return {name: text for name, text in files.items() if name.startswith(f"week{week}")}


def hand_in(folder: Path, **students: Files) -> Path:
    for student, files in students.items():
        (folder / student).mkdir(parents=True)
        for name, text in files.items():
            (folder / student / name).parent.mkdir(exist_ok=True)
            (folder / student / name).write_text(text)
    return folder


def grade(
    root: Path, submissions: Path, out: Path, week: int | None = None, **others: Path
) -> None:
    grade_submissions(root, submissions, out, week=week, jobs=2, **others)


def points(root: Path, out: Path) -> dict[str, dict[str, int]]:
    """Return the points of each student's open components."""
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        return {
            report.score.student: {
                part.id: part.points for part in report.score.components if part.is_open
            }
            for report in gather(courses.load(root), gradebook)
        }


def jobs(out: Path) -> dict[tuple[str, int], GradingJob]:
    """Return the present jobs of Ada and Ben; what is run again takes other seconds."""
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        return {
            (name, week): gradebook.job(name, week) for name in ("ada", "ben") for week in (2, 3)
        }


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_all_weeks_are_graded_in_one_run(
    small, right, wrong, tmp_path, confinement, capsys
) -> None:
    half = {**only(2, right), **only(3, wrong)}
    folder = hand_in(tmp_path / "in", ada=right, ben=wrong, eve=half, zoe=only(2, right))
    grade(small, folder, tmp_path / "out")
    assert points(small, tmp_path / "out") == {
        "ada": {"autograd": 2000, "batch_norm": 800},
        "ben": {"autograd": 800, "batch_norm": 300},
        "eve": {"autograd": 2000, "batch_norm": 300},
        "zoe": {"autograd": 2000, "batch_norm": 0},
    }
    said = capsys.readouterr().out
    assert "week 4: nobody has handed in anything yet\n" in said
    assert "week 2: nobody" not in said
    with Gradebook.open(tmp_path / "out" / "gradebook.sqlite") as gradebook:
        assert len(gradebook.runs()) == 1


def test_a_run_takes_out_what_a_run_stopped_long_ago_has_planned(
    small, right, tmp_path, confinement
) -> None:
    folder, out = hand_in(tmp_path / "in", ada=only(2, right)), tmp_path / "out"
    grade(small, folder, out)
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        job = gradebook.job("ada", 2)
        gradebook.start_run("none", "none", "", {})
        for key, fingerprint in (("old files", "another"), ("old suite", job.fingerprint)):
            stopped = GradingJob(key, "ada", 2, fingerprint, "none")
            gradebook.plan(stopped, gradebook.planned_in(job))
        gradebook._db.execute("UPDATE runs SET started = '2026-01-01T00:00:00+00:00'")
        assert len(gradebook.jobs(2)) == 3
    grade(small, folder, out)
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        assert gradebook.jobs(2) == [job]


def test_a_week_that_nobody_handed_in_is_not_graded_and_not_zero(
    small, right, tmp_path, confinement
) -> None:
    folder = hand_in(tmp_path / "in", ada=right, ben=only(2, right))
    grade(small, folder, tmp_path / "out")
    ada, ben = rows(tmp_path / "out" / "gradebook.csv")
    assert ada["optimizers"] == ada["week4.quadruple"] == ""
    assert (ada["total"], ada["max"]) == ("28.00", "30.00")
    assert (ben["batch_norm"], ben["total"]) == ("0.00", "20.00")
    assert "week4.quadruple" not in ada["pending"]
    text = (tmp_path / "out" / "students" / "ada" / "feedback.md").read_text()
    assert "## Not graded yet\n\nGradient Derivations (15)" in text
    assert "Optimizers & Schedulers (10)" in text
    text = (tmp_path / "out" / "students" / "ben" / "feedback.md").read_text()
    assert "None of the files of week 3 was found: triple.py, sketch.png or sketch.md." in text


def test_what_is_graded_and_unchanged_is_not_run_again(
    small, right, wrong, tmp_path, confinement
) -> None:
    folder, out = hand_in(tmp_path / "in", ada=right, ben=wrong), tmp_path / "out"
    grade(small, folder, out)
    before, first = jobs(out), points(small, out)
    (folder / "ben" / "week3_small" / "triple.py").write_text(right["week3_small/triple.py"])
    grade(small, folder, out)
    after = jobs(out)
    assert {key for key in before if before[key] != after[key]} == {("ben", 3)}
    assert points(small, out) == first | {"ben": {"autograd": 800, "batch_norm": 800}}


def test_other_points_and_another_week_run_nothing_again(
    small, right, wrong, tmp_path, confinement
) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    shutil.copytree(small, root)
    folder = hand_in(tmp_path / "in", ada=right, ben=wrong)
    grade(root, folder, out)
    before = jobs(out)
    old = 'title = "Doubling"\nmodules = ["quad'
    edit(root / "assignments" / "course.toml", old, old.replace("Doubling", "Four times"))
    rubric = root / "assignments" / "rubric.toml"
    edit(rubric, 'title = "week2.double"\npoints = 12', 'title = "week2.double"\npoints = 11')
    edit(rubric, 'title = "week2.count"\npoints = 6', 'title = "week2.count"\npoints = 7')
    grade(root, folder, out)
    assert jobs(out) == before
    assert points(root, out)["ben"]["autograd"] == 900
    edit(root / "assignments" / "week3_small" / "hidden" / "test_suite.py", "rng.n", "2 * rng.n")
    grade(root, folder, out)
    after = jobs(out)
    assert {key for key in before if before[key] != after[key]} == {("ada", 3), ("ben", 3)}


def test_one_week_alone(small, right, wrong, tmp_path, confinement) -> None:
    """The same points as in a run of all weeks, one week after the other."""
    folder, out = hand_in(tmp_path / "in", ada=right, ben=wrong), tmp_path / "out"
    grade(small, folder, out, week=3)
    assert points(small, out) == {"ada": {"batch_norm": 800}, "ben": {"batch_norm": 300}}
    grade(small, folder, out, week=2)
    grade(small, folder, tmp_path / "together")
    assert points(small, out) == points(small, tmp_path / "together")


def test_a_later_weeks_folder_leaves_earlier_weeks_as_they_are(
    small, right, wrong, tmp_path, confinement, capsys
) -> None:
    """A class that hands in week after week; one student corrects the earlier week meanwhile."""
    out = tmp_path / "out"
    grade(small, hand_in(tmp_path / "two", ada=only(2, right), ben=only(2, wrong)), out)
    assert "week 3: nobody has handed in anything yet" in capsys.readouterr().out
    grade(small, hand_in(tmp_path / "three", ada=only(3, right), ben=right), out)
    assert points(small, out) == {
        "ada": {"autograd": 2000, "batch_norm": 800},
        "ben": {"autograd": 2000, "batch_norm": 800},
    }
    assert "week 2: what 1 student(s) handed in earlier stays" in capsys.readouterr().out
    grade(small, hand_in(tmp_path / "four", ada=only(3, wrong)), out)
    assert "week 2: nobody" not in capsys.readouterr().out
    assert points(small, out)["ada"] == {"autograd": 2000, "batch_norm": 300}


def test_an_archive_that_cannot_be_read_costs_every_week_that_is_graded(
    small, right, tmp_path, confinement, capsys
) -> None:
    folder = hand_in(tmp_path / "in", ada=right)
    (folder / "ben.zip").write_bytes(b"PK\x03\x04 and no more")
    grade(small, folder, tmp_path / "out")
    assert points(small, tmp_path / "out")["ben"] == {"autograd": 0, "batch_norm": 0}
    assert "Not taken: 1\n" in capsys.readouterr().out


def test_what_a_person_should_look_at_is_listed_and_costs_nothing(
    small, right, tmp_path, confinement, capsys
) -> None:
    folder = hand_in(tmp_path / "in", ada=with_hidden_code(right), ben=right)
    grade(small, folder, tmp_path / "out")
    assert points(small, tmp_path / "out")["ada"] == points(small, tmp_path / "out")["ben"]
    found = rows(tmp_path / "out" / "flags.csv")
    assert [(row["student"], row["week"], row["rule"]) for row in found] == [
        ("ada", "week2", "hidden-code")
    ]
    assert "double.py, line" in found[0]["evidence"]
    printed = capsys.readouterr().out
    assert "To be looked at by a person" in printed
    assert "hidden-code: ada" in printed
    grade(small, folder, tmp_path / "out")
    assert rows(tmp_path / "out" / "flags.csv") == found


def with_hidden_code(files: Files) -> Files:
    name = "week2_small/double.py"
    return {**files, name: files[name] + "\n_SAME = eval('+'.join(['1', '2']))\n"}


def test_the_shipped_salt_is_pointed_out_where_real_work_is_graded(
    small, right, tmp_path, confinement, capsys
) -> None:
    root = shutil.copytree(small, tmp_path / "course")
    folder = hand_in(tmp_path / "in", ada=right)
    grade(root, folder, tmp_path / "out")
    assert "Put a text of your own into `salt`" not in capsys.readouterr().out
    (root / courses.GRADING_FILE).write_text(f'salt = "{SHIPPED_SALT}"\n')
    grade(root, folder, tmp_path / "other")
    assert "Put a text of your own into `salt` in assignments/grading.toml." in (
        capsys.readouterr().out
    )


def test_a_zip_file_of_canvas_is_graded_as_it_is(
    small, right, wrong, tmp_path, confinement, capsys
) -> None:
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        for number, files in ((12345, right), (12346, wrong)):
            for upload, (name, text) in enumerate(files.items()):
                file = f"doejane_{number}_{number}{upload}_{Path(name).stem}-1.py"
                archive.writestr(file, text)
    grade(small, tmp_path / "submissions.zip", tmp_path / "out")
    assert points(small, tmp_path / "out") == {
        "doejane_12345": {"autograd": 2000, "batch_norm": 800},
        "doejane_12346": {"autograd": 800, "batch_norm": 300},
    }
    assert "Read as a Canvas export: 2 students.\n" in capsys.readouterr().out


def test_a_class_that_handed_in_nothing_is_an_error(small, tmp_path, confinement) -> None:
    folder = hand_in(tmp_path / "in", ada={}, ben={"notes.txt": "hello"})
    (folder / "eve.zip").write_bytes(b"")
    with pytest.raises(
        IntakeError, match=r"holds a file of any week\. eve\.zip was not taken.*--we"
    ):
        grade(small, folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    grade(small, folder, tmp_path / "out", week=2)
    assert set(points(small, tmp_path / "out")) == {"ada", "ben", "eve"}


def test_documents_are_named_where_they_are_marked(small, right, tmp_path, confinement) -> None:
    sketch = {"week3_small/sketch.md": "x -> 3x"}
    folder, out = hand_in(tmp_path / "in", ada=right | sketch, ben=right), tmp_path / "out"
    manual = tmp_path / "manual.csv"
    manual.write_text("student,item,points,comment\nada,week3.sketch,1.5,neat\n")
    grade(small, folder, out, manual=manual)
    ada, ben = rows(out / "by_hand.csv")
    assert ada.pop("answer")
    assert ada == {
        "item": "week3.sketch",
        "title": "week3.sketch",
        "student": "ada",
        "documents": "sketch.md",
        "points": "1.50",
        "max": "2.00",
        "comment": "neat",
    }
    assert (ben["student"], ben["documents"], ben["points"]) == ("ben", "", "")
    handed_in = "Handed in for this: `sketch.md`."
    assert handed_in in (out / "students" / "ada" / "feedback.md").read_text()
    text = (out / "students" / "ben" / "feedback.md").read_text()
    assert handed_in not in text
    assert "Missing for week 3: sketch.png or sketch.md." in text


def test_a_mark_opens_its_week(small, right, tmp_path, confinement) -> None:
    """Drawings handed in on paper: there is no file of week 3, but there is a mark."""
    manual = tmp_path / "manual.csv"
    manual.write_text("student,item,points,comment\nada,week3.sketch,2,\n")
    grade(small, hand_in(tmp_path / "in", ada=only(2, right)), tmp_path / "out", manual=manual)
    assert points(small, tmp_path / "out") == {"ada": {"autograd": 2000, "batch_norm": 200}}
