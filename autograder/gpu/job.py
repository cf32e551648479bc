"""One training job: the supervised run of a project's script, and the accuracy of its network.

A job's state is kept in its folder: `state.json` is the grader's, `out/` the script's. An
interrupted job continues from the checkpoint in `out/`, with the remaining time.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.channel.faults import Fault, InfraError
from autograder.channel.remote import Remote
from autograder.channel.source_lines import Sources
from autograder.course import TrainingJob, TrainingSetting, Week
from autograder.gpu.assess import CHANCE, Accuracy, doubts, measure, read_metrics
from autograder.gpu.images import Images
from autograder.gpu.script import Ended, run_script
from autograder.gpu.stored import too_much
from autograder.grading.rules import stored_answers, uses
from autograder.grading.training_check import CHECK
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.sandbox import Confinement, Limits, Sandbox
from autograder.sandbox.launch import Folder, Launch, Script
from autograder.suite.hidden.refused import the_list_alone
from autograder.suite.hidden.threshold import credit_for
from autograder.suite.student import Student
from autograder.suite.week_worker import WeekWorker
from autograder.text.display import clean, many_lines
from autograder.text.files import write_text

CHECKPOINT = "checkpoint.safetensors"
DATA, OUT = "/data", "/out"
NOTE_SECONDS = 5.0
LINES_SHOWN = 12
LONGEST_QUOTE = 4_000


@dataclass(frozen=True)
class Plan:
    """The parameters of all jobs of a class.

    images: training and test images, rearranged by a secret; data: the folder with the training
    part; epochs: their number; device: "cuda" or "cpu"; threads: the number for torch; seed: for
    the script's --seed and for the order of the test images; curve: the credit by accuracy; worker:
    the week's own drivers, with the two that a job needs (worker.drivers).
    """

    week: Week
    job: TrainingJob
    limits: Limits
    images: Images
    data: Path
    epochs: int
    device: str
    threads: int
    seed: int
    curve: TrainingSetting
    worker: WeekWorker


class Stopped(Exception):
    """The job was stopped from outside and can go on later."""


PROBE = b"""import torch

def works(device):
    return bool((torch.ones(2, device=device) + 1 == 2).all())
"""


def prove_device(plan: Plan, confinement: Confinement, gpus: tuple[str, ...]) -> None:
    """Raise InfraError unless PyTorch can compute on the plan's device inside a sandbox.

    Otherwise every project would fail for a reason that isn't the student's.
    """
    with _student_in(plan, {"probe.py": PROBE}, confinement, gpus) as student:
        try:
            works = student.module("probe").works(plan.device)
        except Fault as fault:
            said = fault.message.partition("\n")[0]
            raise InfraError(f"PyTorch can't use {plan.device} in the sandbox: {said}") from fault
    if works is not True:
        raise InfraError(f"PyTorch computes something else on {plan.device} in the sandbox")


@contextmanager
def _student_in(
    plan: Plan,
    files: Mapping[str, bytes],
    confinement: Confinement,
    gpus: tuple[str, ...],
    folders: tuple[Folder, ...] = (),
) -> Iterator[Student]:
    """Yield a Student for modules in a new sandbox with one worker; close it at the end."""
    memory, exact = plan.job.memory_mb, plan.device != "cuda"
    limits = replace(plan.limits, training_memory_mb=memory, address_space=exact)
    sandbox = Sandbox(
        confinement,
        files,
        limits,
        packages=plan.week.packages,
        folders=folders,
        gpus=gpus,
        week=plan.worker.folders,
    )
    try:
        channel = sandbox.fresh(plan.seed % 2**32, large=True)
        yield Student(
            Remote(
                channel,
                limits.request_seconds,
                limits.test_seconds,
                limits.training_seconds,
                Sources(files).place,
            ),
            {},
        )
    finally:
        sandbox.close()


class Job:
    """The training of one submission, in `folder`, with its own confinement and GPUs."""

    def __init__(
        self,
        plan: Plan,
        files: Mapping[str, bytes],
        folder: Path,
        confinement: Confinement,
        gpus: tuple[str, ...] = (),
    ):
        self.plan, self.files, self.folder = plan, files, folder
        self.confinement, self.gpus = confinement, gpus
        self.out = folder / "out"

    def run(self, stop: threading.Event, tell: Callable[[int], None]) -> CheckResult:
        """Train and measure; return the record of CHECK.

        `tell` gets the number of finished epochs about once a second. Raises Stopped when `stop` is
        set, InfraError if the grader fails.
        """
        found = uses(self.files, self.plan.week.forbidden)
        if found:
            return _failed(Verdict.VIOLATION, f"Not to be used in this project: {_some(found)}.")
        stored = too_much(self.files)
        if stored:
            return _failed(Verdict.VIOLATION, stored)
        try:
            before = self._untrained()
        except Fault as fault:
            return _failed(fault.verdict, f"Your network can't be built and run. {fault.message}")
        best = max(before.plain, before.known)
        if best > CHANCE:
            return _failed(
                Verdict.VIOLATION,
                f"A freshly built network gets {best:.1%} of the test images right. "
                "Before its first step a network stands at chance (10%): its weights have to come "
                "from training.",
            )
        ended = self._train(stop, tell)
        return self._judge(ended, before)

    # Training.

    def _train(self, stop: threading.Event, tell: Callable[[int], None]) -> Ended:
        """Run the script until it ends or its time, counted over all attempts, is used up."""
        self.out.mkdir(parents=True, exist_ok=True)
        user = self.confinement.own_uid
        if user is not None:
            os.chown(self.out, user, user)
        used = self._seconds_used()
        left = 60.0 * self.plan.job.minutes - used
        noted = used

        def note(lasted: float) -> None:
            nonlocal noted
            if used + lasted - noted >= NOTE_SECONDS:
                noted = used + lasted
                self._note(noted)
            tell(self._epochs_done())

        if left <= 0:
            message = f"Its {self.plan.job.minutes} minutes were used up."
            return Ended(Verdict.TIMEOUT, message, used, "")
        ended = run_script(
            self.confinement,
            self._launch,
            seconds=left,
            folder=self.out,
            folder_mb=self.plan.job.folder_mb,
            stop=stop,
            tell=note,
        )
        self._note(used + ended.seconds)
        if ended.verdict is None:
            raise Stopped
        return replace(ended, seconds=used + ended.seconds)

    def _launch(self, control: int, output: int) -> Launch:
        plan = self.plan
        images = Folder(str(plan.data), DATA)
        out = Folder(str(self.out), OUT, writable=True)
        arguments = ["--data", self.confinement.place(images)]
        arguments += ["--out", self.confinement.place(out), "--epochs", str(plan.epochs)]
        arguments += ["--seed", str(plan.seed % 2**31), "--device", plan.device]
        if (self.out / CHECKPOINT).exists():
            arguments += ["--resume"]
        script = Script(plan.job.script.removesuffix(".py"), tuple(arguments), plan.threads)
        limits = replace(plan.limits, training_memory_mb=plan.job.memory_mb)
        return Launch(
            self._modules(),
            limits,
            control,
            output,
            packages=plan.week.packages,
            folders=(images, out),
            gpus=self.gpus,
            script=script,
            week=the_list_alone(plan.worker.folders),
        )

    def _modules(self) -> dict[str, bytes]:
        return {name: data for name, data in self.files.items() if name.endswith(".py")}

    def _seconds_used(self) -> float:
        try:
            return float(json.loads((self.folder / "state.json").read_text("utf-8"))["seconds"])
        except FileNotFoundError:
            return 0.0

    def _note(self, seconds: float) -> None:
        write_text(self.folder / "state.json", json.dumps({"seconds": round(seconds, 1)}) + "\n")

    def _epochs_done(self) -> int:
        """Return the number of lines in the script's metrics, for the progress bar only."""
        try:
            with open(self.out / "metrics.jsonl", "rb", opener=_no_link) as file:
                return file.read(1 << 20).count(b"\n")
        except OSError:
            return 0

    # Measuring.

    def _student(self, *folders: Folder) -> AbstractContextManager[Student]:
        return _student_in(self.plan, self._modules(), self.confinement, self.gpus, folders)

    def _untrained(self) -> Accuracy:
        """Measure the untrained network."""
        with self._student() as student:
            return self._accuracy(student, "")

    def _trained(self) -> tuple[Accuracy, dict[str, list[float]]]:
        """Measure the checkpoint; return its accuracy and the curves that the script wrote.

        Both files are read inside a sandbox, like all data from the script.
        """
        out = Folder(str(self.out), OUT)
        place = self.confinement.place(out)
        with self._student(out) as student:
            # The text is read first: later the worker could put test images into it.
            text = student.drive("text_of", f"{place}/metrics.jsonl")
            accuracy = self._accuracy(student, f"{place}/{CHECKPOINT}")
        return accuracy, read_metrics(text if type(text) is str else "")

    def _accuracy(self, student: Student, checkpoint: str) -> Accuracy:
        device = self.plan.device
        network = student.prepare("network", device, checkpoint)
        rng = np.random.default_rng(self.plan.seed)
        return measure(student, network, self.plan.images, device, rng)

    def _judge(self, ended: Ended, before: Accuracy) -> CheckResult:
        """Return the record of CHECK from a run's end and its checkpoint."""
        trouble = ""
        if ended.verdict not in (Verdict.PASS, None):
            trouble = f"{self.plan.job.script} did not come to its end. {ended.message}"
            trouble += _quoted(ended.said)
        if not (self.out / CHECKPOINT).is_file():
            verdict = ended.verdict if trouble else Verdict.WRONG
            assert verdict is not None
            problem = trouble or f"{self.plan.job.script} ended and left no {CHECKPOINT}."
            return _failed(verdict, problem, seconds=ended.seconds)
        try:
            accuracy, curves = self._trained()
        except Fault as fault:
            message = f"The network that {CHECKPOINT} holds can't be run. {fault.message}"
            return _failed(fault.verdict, message, seconds=ended.seconds)
        odd = [*doubts(accuracy, curves), *self._stored()]
        if len(curves["epoch"]) > self.plan.epochs:
            odd.append(
                f"metrics.jsonl has {len(curves['epoch'])} epochs, where {self.plan.epochs} were "
                "asked for."
            )
        credit = credit_for(self.plan.curve.curve, accuracy.credited)
        detail: dict[str, Any] = {
            "accuracy": round(accuracy.plain, 5),
            "accuracy_moved": round(accuracy.moved, 5),
            "accuracy_before": round(before.plain, 5),
            "accuracy_known": round(accuracy.known, 5),
            "epochs": len(curves["epoch"]),
            "epochs_wanted": self.plan.epochs,
            "device": self.plan.device,
            "images": self.plan.images.name,
            "curves": curves,
            "doubts": odd,
        }
        epochs = f"{len(curves['epoch'])} epochs in {_time(ended.seconds)}"
        said = [f"{accuracy.plain:.2%} of the test images are right, after {epochs}.", trouble]
        said += [f"For a person to look at: {text}" for text in odd]
        verdict = Verdict.PASS if credit == FULL_CREDIT else Verdict.WRONG
        message = "\n".join(text for text in said if text)
        return CheckResult(CHECK, verdict, credit, message, round(ended.seconds, 1), detail=detail)

    def _stored(self) -> list[str]:
        found = stored_answers(self.files)
        return [f"Much data in the source: {_some(found)}."] if found else []


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _failed(verdict: Verdict, message: str, seconds: float = 0.0) -> CheckResult:
    return CheckResult(CHECK, verdict, message=message, seconds=round(seconds, 1))


def _some(found: list[str]) -> str:
    rest = len(found) - 5
    return "; ".join(clean(text, 120) for text in found[:5]) + (
        f"; and {rest} more" if rest > 0 else ""
    )


def _quoted(said: str) -> str:
    """Return the last lines that a script printed, fit to show."""
    end = many_lines(said[-LONGEST_QUOTE:])
    lines = [line for line in end.splitlines() if line.strip()][-LINES_SHOWN:]
    if not lines:
        return ""
    return " The last that it printed:\n" + "\n".join(f"  {clean(line, 160)}" for line in lines)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
