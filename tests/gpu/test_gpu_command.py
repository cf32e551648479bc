"""`autograder gpu`: a trial on any machine, what it refuses, and what students are shown."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autograder import course as courses
from autograder.course.scoring import PENDING_GPU
from autograder.gpu import class_run
from autograder.gpu.class_run import JobError, on_the_board
from autograder.gpu.queue import TRIAL
from autograder.gradebook.journal import TRAINING, Gradebook, GradingJob
from autograder.gradebook.looked_up import training_setting
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.report.class_csv import leaderboard_csv
from autograder.report.class_files import write_student
from autograder.report.gather import gather
from autograder.report.leaderboard import ranking
from autograder.sandbox.gpu import binds, gpus
from autograder.suite.hidden.threshold import credit_for

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEK = COURSE.week_called("project")
CHECK = PlannedCheck("training::accuracy", "project.performance", "Accuracy")
CURVES = {"epoch": [1.0, 2.0], "train_loss": [2.0, 1.0], "val_accuracy": [0.4, 0.6], "lr": [0.1, 0]}


def gpu(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograder", "gpu", *arguments],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    shutil.copytree(ROOT / "tests/tiny_project", folder / "ann" / "phase1_project")
    (folder / "ann/phase1_project/weights.pt").write_bytes(b"trained at home")
    (folder / "ben").mkdir()
    return folder


def test_images_that_are_not_there_are_named_with_the_command_that_fetches_them(
    submissions, tmp_path, monkeypatch
):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setattr(class_run, "find_gpus", lambda: ["/dev/nvidia0"])
    monkeypatch.setattr(class_run, "installed", lambda name: True)
    with pytest.raises(JobError, match="make data NAMES=cifar10"):
        class_run.train_class(ROOT, submissions, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.prove
def test_a_trial_exercises_everything_and_gives_no_points(submissions, confinement, tmp_path):
    pytest.importorskip("torch")
    out = tmp_path / "out"
    trial = ("--device", "cpu", "--epochs", "1", "--subset", "512")
    done = gpu(
        "--submissions", str(submissions), "--out", str(out), *trial, COURSE_DATA=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert "the embedded digits" in done.stdout
    assert "gives no points" in done.stdout
    [row] = csv.DictReader((out / "training/trial.csv").read_text().splitlines())
    assert row["student"] == "ann"
    assert float(row["accuracy"]) > 0.3
    with Gradebook.open(out / "gradebook.sqlite") as book:
        [report] = gather(COURSE, book, ["ann"])
        assert any("weights.pt" in notice for notice in report.notices)
        [item] = (item for item in report.score.items if item.id == "project.performance")
        assert (item.points, item.reason) == (0, PENDING_GPU)
        assert [r.verdict for r in book.results("ben", WEEK.number, TRAINING)] == [
            Verdict.NOT_ATTEMPTED
        ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--device cpu --epochs 1 --subset 512"),
        (("--device", "cuda"), "no NVIDIA GPU"),
        (("--device", "tpu"), "cuda or cpu"),
    ],
)
@pytest.mark.skipif(bool(gpus()), reason="this machine has a GPU")
def test_without_a_gpu_it_says_what_can_be_done(submissions, tmp_path, arguments, said):
    pytest.importorskip("torch")
    out = tmp_path / "out"
    done = gpu("--submissions", str(submissions), "--out", str(out), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not out.exists()


def test_only_the_chosen_gpu_is_bound(tmp_path):
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm", "nvidia-caps"):
        (tmp_path / name).touch()
    assert [Path(path).name for path in gpus(tmp_path)] == ["nvidia0", "nvidia1", "nvidia10"]
    options = binds([str(tmp_path / "nvidia1")])
    bound = {options[n + 2] for n, option in enumerate(options) if option == "--dev-bind"}
    assert bound == {"/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm"}
    assert options[options.index("/sys") - 1] == "--ro-bind"
    assert binds([]) == []


@pytest.fixture
def trained(tmp_path: Path) -> Gradebook:
    """A gradebook in which three students' networks were trained, one of them to no end."""
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "cifar10", "salt", {})
        for name, accuracy, seconds in (
            ("ann", 0.91, 300.0),
            ("ben", 0.95, 400.0),
            ("cyd", None, 9.0),
        ):
            one = Submission(name, {"train.py": name.encode()})
            book.add_submission(one, WEEK.number)
            job = GradingJob(name, name, WEEK.number, one.fingerprint, "bubblewrap", TRAINING)
            book.plan(job, [CHECK])
            result = CheckResult(CHECK.id, Verdict.RAISED, message="[red]no", seconds=seconds)
            if accuracy is not None:
                detail = {"accuracy": accuracy, "curves": CURVES, "doubts": ["Odd."]}
                result = CheckResult(
                    CHECK.id, Verdict.PASS, FULL_CREDIT, "well", seconds, detail=detail
                )
            book.record(name, [result], seconds)
        yield book


def test_the_leaderboard_ranks_by_accuracy_then_time(trained):
    rows = ranking(trained, WEEK.number, TRAINING, ["ann", "ben", "cyd", "dan"])
    assert [row.student for row in rows[:2]] == ["ben", "ann"]
    table = list(csv.DictReader(leaderboard_csv(rows).splitlines()))
    assert [(r["place"], r["student"], r["accuracy"]) for r in table] == [
        ("1", "ben", "0.9500"),
        ("2", "ann", "0.9100"),
        ("3", "dan", ""),
        ("4", "cyd", ""),
    ]
    assert table[3]["verdict"] == "raised"
    assert table[0]["doubts"] == "Odd."


def test_the_leaderboard_has_the_whole_class_whoever_is_trained(trained):
    """And it has the last training that came to its end, until a new one is there."""
    late = Submission("dan", {"train.py": b"dan"})
    again = Submission("ann", {"train.py": b"ann 2"})
    trained.add_submissions([late, again], WEEK.number)
    for one in (late, again):
        job = GradingJob(
            f"{one.student} 2", one.student, WEEK.number, one.fingerprint, "", TRAINING
        )
        trained.plan(job, [CHECK])
    trained.record("ann 2", [CheckResult(CHECK.id, Verdict.INFRA)], 0.0)
    everybody = on_the_board(trained, WEEK, TRAINING, [late])
    assert everybody == ["ann", "ben", "cyd", "dan"]
    rows = ranking(trained, WEEK.number, TRAINING, everybody)
    assert [(row.student, row.accuracy) for row in rows[:2]] == [("ben", 0.95), ("ann", 0.91)]
    assert on_the_board(trained, WEEK, TRIAL, [late]) == ["dan"]


def test_a_student_sees_curves_and_a_place_among_nameless_others(trained, tmp_path):
    reports = {report.score.student: report for report in gather(COURSE, trained)}
    folder = write_student(reports["ann"], tmp_path / "out")
    text = (folder / "feedback.md").read_text()
    assert "(training.svg)" in text
    assert "| 2 | 91.00% | 300 s | **you** |" in text
    assert "| 1 | 95.00% | 400 s |  |" in text
    assert "ben" not in text
    picture = ElementTree.parse(folder / "training.svg").getroot()
    words = " ".join(picture.itertext())
    for word in ("loss", "accuracy", "learning rate", "epoch", "training images"):
        assert word in words
    other = write_student(reports["cyd"], tmp_path / "out")
    assert "training.svg" not in (other / "feedback.md").read_text()
    assert not (other / "training.svg").exists()


def test_points_follow_the_documented_curve():
    curve = training_setting(COURSE, WEEK, "cifar10")
    assert credit_for(curve.curve, 0.10) == 0
    assert credit_for(curve.curve, 0.90) == FULL_CREDIT
    assert 0 < credit_for(curve.curve, 0.5) < credit_for(curve.curve, 0.8) < FULL_CREDIT
    assert WEEK.job is not None
    assert (WEEK.job.epochs, WEEK.job.minutes) == (100, 30)


@pytest.mark.prove
def test_a_grader_killed_in_the_middle_goes_on_from_the_checkpoint(
    submissions, confinement, tmp_path
):
    pytest.importorskip("torch")
    script = submissions / "ann/phase1_project/train.py"
    steps = "        for _ in range(40):\n"
    text = script.read_text()
    assert text.count(steps) == 1
    script.write_text(text.replace(steps, "        time.sleep(2.0 if epoch == 2 else 0)\n" + steps))
    command = ["--submissions", str(submissions), "--out", str(tmp_path / "out")]
    command += ["--device", "cpu", "--epochs", "3", "--subset", "512"]
    environment = {**os.environ, "COURSE_DATA": str(tmp_path)}
    first = subprocess.Popen(
        [sys.executable, "-m", "autograder", "gpu", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    log = wait_for_a_line(tmp_path / "out/training")
    first.kill()
    first.wait()
    assert len(log.read_text().splitlines()) == 1
    done = gpu(*command, COURSE_DATA=str(tmp_path))
    assert done.returncode == 0, done.stderr
    epochs = [json.loads(line)["epoch"] for line in log.read_text().splitlines()]
    assert epochs == [1, 2, 3]


def wait_for_a_line(folder: Path) -> Path:
    """Return the log of the only job once it has a line and its checkpoint is there."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for log in folder.glob("ann-*/out/metrics.jsonl"):
            if log.read_text().endswith("\n") and log.with_name("checkpoint.safetensors").exists():
                return log
        time.sleep(0.05)
    raise AssertionError("no epoch was trained")
