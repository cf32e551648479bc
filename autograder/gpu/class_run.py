"""A class's training jobs: choice of device and images, queue with progress, reports."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as ProgressBar

import data
from autograder import course as courses
from autograder.course import COURSE_FILE, Course, CourseError, TrainingJob, Week
from autograder.errors import CantRunError, InputError
from autograder.gpu.depends import parts_of_job
from autograder.gpu.images import DIGITS, Images, load_images
from autograder.gpu.job import Plan
from autograder.gpu.queue import TRIAL, Progress, Seat, run_class
from autograder.gradebook.journal import TRAINING, Gradebook
from autograder.gradebook.looked_up import training_setting
from autograder.gradebook.people import known_people
from autograder.gradebook.private import PRIVATE, make_private
from autograder.gradebook.submission import Submission
from autograder.grading.places import demand_apart
from autograder.grading.setting import OurFaultError, RefusedError, demand_dataset
from autograder.grading.training_check import CHECK
from autograder.intake.reading import IntakeError, read_class
from autograder.report.class_csv import leaderboard_csv
from autograder.report.gather import gather, trained
from autograder.report.leaderboard import print_board, ranking
from autograder.report.publishing import keep_as_found
from autograder.report.terminal import say
from autograder.report.writing import write_reports
from autograder.sandbox import Limits, Unconfined
from autograder.sandbox.choose import NotConfinedError, choose
from autograder.sandbox.gpu import gpus as find_gpus
from autograder.sandbox.runtime import installed
from autograder.suite.hidden.refused import refusing
from autograder.suite.session import seed_of
from autograder.suite.week_worker import worker_of
from autograder.text.display import one_line
from autograder.text.files import write_text

CUDA, CPU = "cuda", "cpu"
SECRET = "|images"
"""What the seed of the images' order differs by from that of the job, which the script is given."""


class JobError(CantRunError):
    """The training jobs can't be run on this machine; the message names the remedy."""


def train_class(
    root: Path,
    submissions: Path,
    out: Path,
    *,
    epochs: int | None = None,
    jobs_per_gpu: int = 1,
    device: str | None = None,
    subset: int | None = None,
    unconfined: bool = False,
) -> None:
    """Train and measure the projects of a class, then write the class's reports anew.

    `epochs`, `device` and `subset` (a number of images) are None for the course's settings; other
    values make it a trial, which gives no points. Raises JobError, InputError, IntakeError,
    CourseError or RefusedError if nothing can be run, OurFaultError if the grader failed in some
    jobs.
    """
    demand_apart(submissions, out)
    console = Console(highlight=False)
    course = courses.load(root)
    week, job = _week_with_job(course)
    demand_dataset(job.data, f"{week.id}.job.data")
    _need_packages(week)
    gpus_here = find_gpus()
    device = _device(device, gpus_here)
    epochs = epochs or job.epochs
    trial = device != CUDA or subset is not None or epochs != job.epochs
    others = [other for other in course.weeks if other.number != week.number]
    known = known_people(out, course.weeks)
    intake = read_class(submissions, [week], others, known=known, root=root)
    for remark in intake.remarks:
        say(console, remark)
    taken = intake.submissions[week.number]
    if not any(one.files for one in taken):
        raise IntakeError(
            f"no submission in {submissions} holds a file of the {week.name} that is not as it was "
            "handed out"
        )
    images = _images(console, job, subset, trial).rearranged(seed_of(course.salt, CHECK, SECRET))
    places = _places(gpus_here if device == CUDA else [], jobs_per_gpu)
    seats = _seats(places, week, unconfined)
    folder = out / "training"
    plan = Plan(
        week=week,
        job=job,
        limits=Limits(**week.limits.model_dump()),
        images=images,
        data=(folder / f"data-{images.name}-{images.digest[:16]}").resolve(),
        epochs=epochs,
        device=device,
        threads=max(1, (os.cpu_count() or 1) // len(seats)),
        seed=seed_of(course.salt, CHECK),
        curve=training_setting(course, week, job.data),
        worker=refusing(worker_of(root, week), root / "assignments" / week.folder / "hidden"),
    )
    if trial:
        say(console, "A trial: what it measures is shown, and gives no points.")
    folder.mkdir(parents=True, exist_ok=True)
    if not (plan.data / "cifar10.npz").is_file():
        images.write_training_part(plan.data)
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        make_private(out)
        keep_as_found(course, gradebook)
        versions = {"torch": metadata.version("torch"), "device": device}
        gradebook.start_run(seats[0].confinement.name, images.name, course.salt, versions)
        part = TRIAL if trial else TRAINING
        depends = parts_of_job(root, plan, confined=not unconfined)
        _run(console, plan, taken, gradebook, seats, folder.resolve(), part, depends)
        gradebook.finish_run()
        here = [one.student for one in taken if one.files]
        jobs = {student: gradebook.job(student, week.number, part) for student in here}
        failed = [student for student, one in jobs.items() if not one or one.state != "finished"]
        rows = ranking(gradebook, week.number, part, on_the_board(gradebook, week, part, taken))
        if not trial:
            write_reports(console, course, gradebook, gather(course, gradebook), out, "gpu")
    board = folder / "trial.csv" if trial else out / "leaderboard.csv"
    write_text(board, leaderboard_csv(rows), PRIVATE)
    print_board(console, rows, f"{week.title}: {epochs} epochs on {device}, {images.name}")
    say(console, f"Leaderboard  {board}")
    if failed:
        raise OurFaultError(
            f"{len(failed)} job(s) could not be done because the grader failed; no points are "
            "lost. The same command tries them again."
        )


def on_the_board(
    gradebook: Gradebook, week: Week, part: str, taken: Sequence[Submission]
) -> list[str]:
    """Return the students of the leaderboard: all of the class, whoever is trained in this run.

    A trial's has only those of this run.
    """
    now = {one.student for one in taken if one.files}
    if part == TRIAL:
        return sorted(now)
    return sorted(now | trained(gradebook, week.number, gradebook.students()))


def _device(asked: str | None, gpus_here: Sequence[str]) -> str:
    """Return the device to train on. Raises JobError if it is missing, InputError if unknown."""
    if asked not in (None, CUDA, CPU):
        raise InputError(f"--device is cuda or cpu, not {asked!r}.")
    device = asked or (CUDA if gpus_here else "")
    if not device:
        raise JobError(
            "there is no NVIDIA GPU here (no /dev/nvidia0). Run this on a machine with one, or try "
            "the whole job out: --device cpu --epochs 1 --subset 512 (it gives no points)."
        )
    if device == CUDA and not gpus_here:
        raise JobError("there is no NVIDIA GPU here (no /dev/nvidia0); --device cpu is for trials.")
    return device


def _week_with_job(course: Course) -> tuple[Week, TrainingJob]:
    for week in course.weeks:
        if week.job is not None:
            return week, week.job
    remedy = "Add a table [week.job] to the week that has one"
    raise CourseError(COURSE_FILE, "job", "no week has a training job", remedy)


def _need_packages(week: Week) -> None:
    missing = [name for name in week.packages if not installed(name)]
    if missing:
        raise JobError(
            f"{', '.join(missing)} is not installed: `make gpu` installs what it takes, or: "
            "pip install -r requirements-torch.txt"
        )


def _images(console: Console, job: TrainingJob, subset: int | None, trial: bool) -> Images:
    """Return the images; a trial uses the digits if the cache lacks them. Raises JobError."""
    if trial and not data.cached(job.data):
        say(console, f"{job.data} is not in the data cache: this trial uses the embedded digits.")
        return load_images(DIGITS, subset)
    try:
        return load_images(job.data, subset)
    except data.DataError as error:
        raise JobError(str(error)) from error


def _places(gpus_here: Sequence[str], jobs_per_gpu: int) -> list[tuple[str, ...]]:
    """Return the GPUs of each concurrent job: one GPU each, or none for jobs on the processor."""
    places: list[tuple[str, ...]] = [(gpu,) for gpu in gpus_here for _ in range(jobs_per_gpu)]
    return places or [()] * jobs_per_gpu


def _seats(places: Sequence[tuple[str, ...]], week: Week, unconfined: bool) -> list[Seat]:
    """Return a seat for each concurrent job. Raises RefusedError without a confinement."""
    if unconfined:
        return [Seat(Unconfined(), gpus) for gpus in places]
    try:
        return [
            Seat(choose(slot, week.packages, forked=False), gpus)
            for slot, gpus in enumerate(places)
        ]
    except NotConfinedError as error:
        raise RefusedError(
            f"student code can't be confined on this machine: {error}. Mend that, or say "
            "--unconfined to run it without a sandbox (only code that you trust)."
        ) from error


def _run(
    console: Console,
    plan: Plan,
    taken: Sequence[Submission],
    gradebook: Gradebook,
    seats: Sequence[Seat],
    folder: Path,
    part: str,
    depends: Mapping[str, str],
) -> None:
    """Run the queue and show its progress."""
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[running]}", markup=False),
    )
    with ProgressBar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("training", total=None, running="")

        def report(progress: Progress) -> None:
            each = sorted(progress.running.items())
            running = ", ".join(f"{one_line(name)}: {n}" for name, n in each)
            bar.update(task, total=progress.total, completed=progress.done, running=running)

        run_class(
            plan,
            taken,
            gradebook,
            seats,
            folder,
            part,
            report,
            depends=depends,
            say=lambda text: say(console, text),
        )
