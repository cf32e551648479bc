"""The training job: honest projects are trained and measured, the others get nothing by it.

The projects are variations of a small one that learns the embedded digits in seconds.
"""

from __future__ import annotations

import base64
import os
import resource
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from autograder import course as courses  # noqa: E402
from autograder.gpu.depends import parts_of_job  # noqa: E402
from autograder.gpu.images import Images, load_images, moved  # noqa: E402
from autograder.gpu.job import Job, Plan, Stopped  # noqa: E402
from autograder.gpu.queue import Progress, Seat, run_class  # noqa: E402
from autograder.gpu.stored import MOST_BYTES, stored_bytes  # noqa: E402
from autograder.gradebook.journal import TRAINING, Gradebook  # noqa: E402
from autograder.gradebook.looked_up import training_setting  # noqa: E402
from autograder.gradebook.submission import Submission  # noqa: E402
from autograder.records import FULL_CREDIT, CheckResult, Verdict  # noqa: E402
from autograder.sandbox import InfraError, Limits  # noqa: E402
from autograder.sandbox.choose import choose  # noqa: E402
from autograder.sandbox.limits import tree  # noqa: E402
from autograder.suite.hidden.refused import refusing  # noqa: E402
from autograder.suite.hidden.threshold import credit_for  # noqa: E402
from autograder.suite.week_worker import worker_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEK = COURSE.week_called("project")
HIDDEN = ROOT / "assignments" / WEEK.folder / "hidden"
BASE = {
    path.relative_to(ROOT / "tests/tiny_project").as_posix(): path.read_bytes()
    for path in (ROOT / "tests/tiny_project").rglob("*.py")
}
EPOCHS = 3
STEP = b"        for _ in range(40):\n"


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images("digits")


@pytest.fixture(scope="module")
def seat(confinement) -> Seat:
    return Seat(confinement)


@pytest.fixture
def plan(images: Images, tmp_path: Path) -> Plan:
    folder = tmp_path / "data"
    images.write_training_part(folder)
    assert WEEK.job is not None
    return Plan(
        week=WEEK,
        job=WEEK.job,
        limits=Limits(**WEEK.limits.model_dump()),
        images=images,
        data=folder,
        epochs=EPOCHS,
        device="cpu",
        threads=1,
        seed=7,
        curve=training_setting(COURSE, WEEK, "cifar10"),
        worker=worker_of(ROOT, WEEK),
    )


def edited(file: str, old: bytes, new: bytes) -> dict[str, bytes]:
    assert BASE[file].count(old) == 1
    return {**BASE, file: BASE[file].replace(old, new)}


def at_each_epoch(code: str) -> dict[str, bytes]:
    """Return the project with code before the steps of each epoch."""
    lines = "".join(f"        {line}\n" for line in code.splitlines())
    return edited("train.py", STEP, lines.encode() + STEP)


def run(plan: Plan, seat: Seat, files: dict[str, bytes], tmp_path: Path) -> CheckResult:
    return Job(plan, files, tmp_path / "job", seat.confinement).run(
        threading.Event(), lambda epochs: None
    )


def test_an_honest_project_is_trained_and_measured(plan, seat, tmp_path):
    result = run(plan, seat, BASE, tmp_path)
    assert result.verdict in (Verdict.PASS, Verdict.WRONG), result.message
    detail = result.detail
    assert detail["accuracy"] > 0.75
    assert 0.2 < detail["accuracy_moved"] < detail["accuracy"]
    assert detail["accuracy_before"] < 0.25
    assert detail["epochs"] == EPOCHS
    assert len(detail["curves"]["train_loss"]) == EPOCHS
    assert result.seconds > 0


@pytest.mark.prove
def test_the_sandbox_has_the_training_part_and_nothing_else(plan, seat, tmp_path):
    """No test image, no label of one, no network, nothing to write to but its own folder."""
    files = at_each_epoch(
        "import os, socket, numpy\n"
        "seen = sorted(numpy.load(Path(options.data) / 'cifar10.npz'))\n"
        "seen += sorted(os.listdir(options.data)) + sorted(os.listdir('/'))\n"
        "def tries(action):\n"
        "    try:\n"
        "        action()\n"
        "        return 'yes'\n"
        "    except OSError:\n"
        "        return 'no'\n"
        "seen += ['connects', tries(lambda: socket.create_connection(('192.0.2.1', 9), 1))]\n"
        "seen += ['writes', tries(lambda: open(options.data + '/new', 'w'))]\n"
        "raise SystemExit(' '.join(seen))"
    )
    result = run(plan, seat, files, tmp_path)
    assert result.verdict is Verdict.RAISED
    said = result.message.splitlines()[-1].split()
    assert said[:3] == ["x_train", "y_train", "cifar10.npz"]
    visible = "data dev grader lib lib64 out proc runtime scratch submission usr"
    assert set(said[3:-4]) <= set(visible.split())
    assert said[-4:] == ["connects", "no", "writes", "no"]


@pytest.mark.prove
def test_weights_that_were_handed_in_never_arrive(plan, seat, tmp_path):
    files = edited(
        "train.py",
        b"model, done = ResNet18(), 0",
        b"""model, done = ResNet18(), 0
    model.load_state_dict(torch.load(Path(__file__).with_name("weights.pt")))""",
    )
    files["weights.pt"] = b"trained elsewhere"
    result = run(plan, seat, files, tmp_path)
    assert result.verdict is Verdict.RAISED
    assert "weights.pt" in result.message


def linear_weights(images: Images) -> np.ndarray:
    """Return weights (10, 64) of a linear network that is right about most digits."""
    small = images.x_train[..., 0].reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(-1, 64) / 255
    wanted = np.eye(10)[images.y_train] - 0.1
    return np.linalg.lstsq(small, wanted, rcond=None)[0].T.astype(np.float32)


@pytest.mark.prove
def test_a_network_that_can_it_before_its_first_step_is_refused(plan, seat, tmp_path, images):
    text = base64.b64encode(linear_weights(images).tobytes())
    files = edited(
        "models/resnet.py",
        b"        self.fc = nn.Linear(64, 10)\n",
        b"        self.fc = nn.Linear(64, 10)\n        import base64\n"
        b"        raw = bytearray(base64.b64decode(b'" + text + b"'))\n"
        b"        weights = torch.frombuffer(raw, dtype=torch.float32)\n"
        b"        self.fc.weight.data = weights.reshape(10, 64)\n",
    )
    result = run(plan, seat, files, tmp_path)
    assert result.verdict is Verdict.VIOLATION
    assert "Before its first step" in result.message
    assert not (tmp_path / "job" / "out").exists()  # it was never trained


def in_texts(raw: bytes) -> str:
    """Return code for the raw bytes, in texts that are each too short to be noticed."""
    pieces = [raw.hex()[start : start + 500] for start in range(0, 2 * len(raw), 500)]
    return (
        "texts = []\n"
        + "".join(f"texts += [{one!r}]\n" for one in pieces)
        + ("raw = bytearray(bytes.fromhex(''.join(texts)))\n")
    )


def in_integers(raw: bytes) -> str:
    """Return code for the raw bytes, in integers of some digits."""
    pieces = [raw[start : start + 160] for start in range(0, len(raw), 160)]
    return "raw = bytearray()\n" + "".join(
        f"raw += ({int.from_bytes(one, 'big'):#x}).to_bytes(160, 'big')\n" for one in pieces
    )


def in_names(raw: bytes) -> str:
    """Return code for the raw bytes, in the names of classes that hold nothing."""
    pieces = [raw.hex()[start : start + 200] for start in range(0, 2 * len(raw), 200)]
    names = "".join(f"class N{one}: pass\n" for one in pieces)
    found = "[name[1:] for name in list(locals()) if name[0] == 'N' and len(name) > 40]"
    return names + f"raw = bytearray(bytes.fromhex(''.join({found})))\n"


STORED = [in_texts, in_integers, in_names]


def stored(written, images: Images) -> dict[str, bytes]:
    """Return a project whose script trains nothing and saves weights that it brought along."""
    code = written(linear_weights(images).tobytes()) + (
        "model.fc.weight.data = torch.frombuffer(raw, dtype=torch.float32).reshape(10, 64)"
    )
    files = at_each_epoch(code)
    files["train.py"] = files["train.py"].replace(b"p -= 2.0 * p.grad", b"p -= 0.0 * p.grad")
    return files


def with_secret(plan: Plan, seed: int, folder: Path) -> Plan:
    """Return the plan as a class is graded with: nobody knows the images' order."""
    secret = plan.images.rearranged(seed)
    secret.write_training_part(folder)
    return replace(plan, images=secret, data=folder)


@pytest.mark.prove
@pytest.mark.parametrize("written", STORED)
def test_weights_brought_along_fit_the_known_images_alone(plan, seat, tmp_path, images, written):
    files = stored(written, images)
    assert run(plan, seat, files, tmp_path / "known").detail["accuracy"] > 0.7
    result = run(with_secret(plan, 5, tmp_path / "secret"), seat, files, tmp_path / "graded")
    assert result.detail["accuracy"] < 0.1
    assert result.credit == 0


@pytest.mark.prove
def test_a_network_that_was_trained_elsewhere_is_pointed_out(plan, seat, tmp_path, images):
    upright = next(n for n in range(9) if np.ptp(images.rearranged(n).x_test - images.x_test) == 0)
    secret = with_secret(plan, upright, tmp_path / "secret")
    result = run(secret, seat, stored(in_texts, images), tmp_path)
    assert result.detail["accuracy_known"] > 0.7
    assert any("trained elsewhere" in doubt for doubt in result.detail["doubts"])


@pytest.mark.prove
@pytest.mark.parametrize("seed", [1, 2])
def test_an_honest_project_learns_other_numbers_and_colours_as_well(plan, seat, tmp_path, seed):
    usual = run(plan, seat, BASE, tmp_path / "usual").detail
    secret = with_secret(plan, seed, tmp_path / "secret")
    detail = run(secret, seat, BASE, tmp_path / "graded").detail
    assert detail["accuracy"] == pytest.approx(usual["accuracy"], abs=0.04)
    assert detail["accuracy_before"] < 0.25
    assert len(detail["doubts"]) == len(usual["doubts"])


@pytest.mark.prove
def test_a_new_network_that_knows_the_known_labels_is_refused(plan, seat, tmp_path, images):
    upright = next(n for n in range(9) if np.ptp(images.rearranged(n).x_test - images.x_test) == 0)
    code = in_texts(linear_weights(images).tobytes())
    code += "self.fc.weight.data = torch.frombuffer(raw, dtype=torch.float32).reshape(10, 64)\n"
    line = b"        self.fc = nn.Linear(64, 10)\n"
    lines = "".join(f"        {one}\n" for one in code.splitlines()).encode()
    files = edited("models/resnet.py", line, line + lines)
    result = run(with_secret(plan, upright, tmp_path / "secret"), seat, files, tmp_path)
    assert result.verdict is Verdict.VIOLATION
    assert "Before its first step" in result.message


def test_another_order_keeps_what_an_image_shows(images):
    secret = images.rearranged(3)
    assert np.array_equal(secret.known, images.y_test)
    assert not (secret.y_test == images.y_test).any()
    assert not (secret.y_train == images.y_train).any()
    pairs = set(zip(images.y_train.tolist(), secret.y_train.tolist(), strict=True))
    assert pairs >= set(zip(images.y_test.tolist(), secret.y_test.tolist(), strict=True))
    assert len(pairs) == 10
    assert secret.x_test.shape == images.x_test.shape
    assert secret.digest == images.rearranged(3).digest != images.rearranged(4).digest
    colours = np.zeros((4, 32, 32, 3), np.uint8) + np.array([10, 20, 30], np.uint8)
    plain = Images("made", colours, np.arange(4), colours, np.arange(4))
    moved_colours = plain.rearranged(0).x_test[0, 0, 0]
    assert sorted(moved_colours) == [10, 20, 30]
    assert not (moved_colours == [10, 20, 30]).any()


@pytest.mark.parametrize("written", [*STORED, lambda raw: f"# {raw.hex()}\n"])
def test_a_source_that_could_hold_a_network_is_not_run(plan, seat, tmp_path, written):
    raw = np.random.default_rng(0).bytes(60_000)
    files = {**BASE, "models/layers.py": written(raw).encode()}
    result = run(plan, seat, files, tmp_path)
    assert result.verdict is Verdict.VIOLATION
    assert "compressed" in result.message
    assert "at most 48 KiB" in result.message


@pytest.mark.parametrize("project", ["solutions", "tests/styles/compact", "tests/styles/tutorial"])
def test_what_honest_projects_hold_is_a_third_of_what_is_allowed(project):
    folder = ROOT / project / "week3_training/phase1_project"
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    read = {name: path.read_bytes() for name, path in files.items()}
    assert 0 < stored_bytes(read) < MOST_BYTES / 2.5
    assert stored_bytes({**read, "README.md": b"more"}) == stored_bytes(read)


@pytest.mark.prove
@pytest.mark.parametrize(
    "code",
    [
        "torch.ops.aten.native_batch_norm(model.fc.weight, None, None, None, None, True, 0.1, 0.1)",
        "ours = [model.fc.weight.data]\n"
        "getattr(torch, '_fused_' + 'sgd_')(\n    ours, ours, [], weight_decay=0.0,\n"
        "    momentum=0.0, lr=0.1, dampening=0.0, nesterov=False,"
        " maximize=False, is_first_step=False)",
    ],
)
def test_a_script_gets_no_ready_made_part_either(plan, seat, tmp_path, code):
    refused = replace(plan, worker=refusing(plan.worker, HIDDEN))
    result = run(refused, seat, at_each_epoch(code), tmp_path)
    assert result.verdict is Verdict.RAISED
    assert "is not to be used in this assignment: write" in result.message


@pytest.mark.prove
def test_weights_in_the_source_of_the_script_are_pointed_out(plan, seat, tmp_path, images):
    text = base64.b64encode(linear_weights(images).tobytes())
    files = at_each_epoch(
        "import base64\n"
        f"raw = bytearray(base64.b64decode({text!r}))\n"
        "model.fc.weight.data = torch.frombuffer(raw, dtype=torch.float32).reshape(10, 64)"
    )
    result = run(plan, seat, files, tmp_path)
    doubt = result.detail["doubts"][-1]
    assert "train.py" in doubt
    assert "characters" in doubt
    assert doubt in result.message


@pytest.mark.prove
def test_a_script_that_wants_the_test_images_finds_none(plan, seat, tmp_path):
    loader = edited(
        "data/cifar10_loader.py",
        b'file["x_train"], file["y_train"]',
        b'file["x_test"], file["y_test"]',
    )
    result = run(plan, seat, loader, tmp_path)
    assert result.verdict is Verdict.RAISED
    assert "x_test" in result.message


@pytest.mark.prove
def test_test_images_known_by_heart_are_worth_nothing(plan, seat, tmp_path, images):
    """A table of hashes gives every test image's label, and nothing for a moved one."""
    table = {
        int(
            image.astype(np.int64).sum() * 7919 + (image[::3, ::5].astype(np.int64) ** 2).sum()
        ): int(y)
        for image, y in zip(images.x_test, images.y_test, strict=True)
    }
    files = edited(
        "models/resnet.py",
        b"        return self.fc(small.flatten(1))\n",
        b"        raw = (x * 255).round().long()\n"
        b"        keys = raw.sum((1, 2, 3)) * 7919 + (raw[:, :, ::3, ::5] ** 2).sum((1, 2, 3))\n"
        b"        out = self.fc(small.flatten(1)) * 0\n"
        b"        if self.training or not self.steps:\n"
        b"            return out + self.fc.bias * 0\n"
        b"        for row, key in enumerate(keys.tolist()):\n"
        b"            out[row, TABLE.get(key, 0)] = 1.0\n"
        b"        return out\n",
    )
    files["models/resnet.py"] = (
        files["models/resnet.py"].replace(
            b"        self.fc = nn.Linear(64, 10)\n",
            b"        self.fc = nn.Linear(64, 10)\n"
            b"        self.register_buffer('steps', torch.zeros(1))\n",
        )
        + f"\n\nTABLE = {table}\n".encode()
    )
    files["train.py"] = files["train.py"].replace(
        b"        row = {", b"        model.steps += 1\n        row = {"
    )
    result = run(plan, seat, files, tmp_path)
    detail = result.detail
    assert detail["accuracy"] > 0.95, result.message
    assert detail["accuracy_moved"] < 0.3
    expected = credit_for(plan.curve.curve, detail["accuracy_moved"])
    assert result.credit == expected < FULL_CREDIT // 5
    assert any("by heart" in doubt for doubt in detail["doubts"])


@pytest.mark.prove
def test_metrics_are_a_claim_and_no_more(plan, seat, tmp_path):
    files = edited("train.py", b'"lr": 2.0}', b'"lr": 2.0, "val_accuracy": 0.999}')
    files["train.py"] = files["train.py"].replace(b"p -= 2.0 * p.grad", b"p -= 0.0 * p.grad")
    result = run(plan, seat, files, tmp_path)
    assert result.detail["accuracy"] < 0.3
    assert result.credit == credit_for(plan.curve.curve, result.detail["accuracy"])
    assert any("claims" in doubt for doubt in result.detail["doubts"])


@pytest.mark.prove
def test_a_script_that_ignores_sigterm_ends_all_the_same(plan, seat, tmp_path):
    """When its time is up it is killed with all it started; its last checkpoint is measured."""
    files = at_each_epoch(
        "import os, signal\n"
        "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
        "if epoch == 2:\n"
        "    os.fork()\n"
        "    os.setsid() if os.getpid() != os.getpgrp() else None\n"
        "    while True: time.sleep(1)"
    )
    short = replace(plan, job=plan.job.model_copy(update={"minutes": 0.15}))
    started, before = time.monotonic(), tree(os.getpid())
    result = run(short, seat, files, tmp_path)
    assert time.monotonic() - started < 60
    assert result.detail["epochs"] == 1
    assert "still running" in result.message
    assert result.detail["accuracy"] > 0.3
    assert tree(os.getpid()) == before


@pytest.mark.prove
def test_a_job_runs_where_more_than_1023_files_are_open(plan, seat, tmp_path):
    """As in a server that grades for a long time: `select` would take no such descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    opened = []
    try:
        while not opened or opened[-1] < 1024:
            opened.append(os.open("/dev/null", os.O_RDONLY))
        assert run(plan, seat, BASE, tmp_path).detail["epochs"] == EPOCHS
    finally:
        for number in opened:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


LIMITS = {
    "print('x' * 100_000, flush=True)\nwhile True: print('y' * 100_000)": Verdict.OUTPUT,
    "big = open(out / 'big', 'wb')\n"
    "for n in range(99): open(out / f'big{n}', 'wb').write(bytes(9_000_000))\n"
    "time.sleep(60)": Verdict.OUTPUT,
    "hoard = bytearray(os.urandom(1)) * 900_000_000\ntime.sleep(60)": Verdict.MEMORY,
    "os.kill(os.getpid(), 11)": Verdict.CRASH,
    "raise ValueError('the loss is not a number')": Verdict.RAISED,
    "raise SystemExit(0)": Verdict.WRONG,
}


@pytest.mark.prove
@pytest.mark.parametrize(
    ("code", "verdict"),
    LIMITS.items(),
    ids=[str(v) + str(n) for n, v in enumerate(LIMITS.values())],
)
def test_every_end_has_its_verdict(plan, seat, tmp_path, code, verdict):
    small = plan.job.model_copy(update={"memory_mb": 900, "folder_mb": 64})
    result = run(replace(plan, job=small), seat, at_each_epoch("import os\n" + code), tmp_path)
    assert result.verdict is verdict, result.message
    assert result.credit == 0


def test_what_is_forbidden_is_named_before_anything_runs(plan, seat, tmp_path):
    files = {**BASE, "train.py": b"import torch.optim\n" + BASE["train.py"]}
    result = run(plan, seat, files, tmp_path)
    assert result.verdict is Verdict.VIOLATION
    assert "train.py, line 1: torch.optim" in result.message


@pytest.mark.prove
def test_an_interrupted_job_goes_on_from_its_checkpoint(plan, seat, tmp_path):
    slow = {**at_each_epoch("time.sleep(1.5)")}
    stop = threading.Event()
    job = Job(plan, slow, tmp_path / "job", seat.confinement)

    def after_one(epochs: int) -> None:
        if epochs:
            stop.set()

    with pytest.raises(Stopped):
        job.run(stop, after_one)
    again = Job(plan, slow, tmp_path / "job", seat.confinement)
    result = again.run(threading.Event(), lambda epochs: None)
    assert result.detail["epochs"] == EPOCHS
    lines = (tmp_path / "job/out/metrics.jsonl").read_text().splitlines()
    assert len(lines) == EPOCHS  # no epoch was trained twice
    assert result.seconds > EPOCHS * 1.5  # the time of both attempts counts


@pytest.mark.prove
def test_a_class_is_a_queue_in_which_nothing_is_done_twice(plan, confinement, tmp_path):
    seats = [Seat(confinement), Seat(choose(1, WEEK.packages))]
    broken = edited("train.py", b"def main", b"raise ValueError\n\n\ndef main")
    taken = [
        Submission("ann", BASE),
        Submission("ben", broken),
        Submission("cyd", {**BASE, "optimizers.py": b""}),
        Submission("dan"),
    ]
    seen: list[Progress] = []
    said: list[str] = []
    book = tmp_path / "gradebook.sqlite"
    for expected in (3, 0):
        with Gradebook.open(book) as gradebook:
            gradebook.start_run("test", "digits", "salt", {})
            folder = tmp_path / "training"
            count = run_class(
                plan,
                taken,
                gradebook,
                seats,
                folder,
                TRAINING,
                seen.append,
                depends=parts_of_job(ROOT, plan, confined=True),
                say=said.append,
            )
            assert count == expected
            results = {
                one.student: gradebook.results(one.student, WEEK.number, TRAINING)[0]
                for one in taken
            }
            assert [one.message for one in results.values() if one.verdict is Verdict.INFRA] == []
            verdicts = {student: one.verdict for student, one in results.items()}
    assert verdicts["ben"] is Verdict.RAISED
    assert verdicts["dan"] is Verdict.NOT_ATTEMPTED
    assert verdicts["ann"] == verdicts["cyd"] != Verdict.RAISED
    assert max(len(progress.running) for progress in seen) == 2
    assert seen[-1].done == seen[-1].total == 3
    assert said == []


def test_a_gpu_that_cannot_be_used_costs_nobody_anything(plan, seat, tmp_path):
    """Nothing is run and nothing recorded: it is the grader's fault, not a project's."""
    if torch.cuda.is_available():
        pytest.skip("this machine's GPU works")
    broken = replace(plan, device="cuda")
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        gradebook.start_run("test", "digits", "salt", {})
        one = Submission("ann", BASE)
        with pytest.raises(InfraError, match="can't use cuda in the sandbox"):
            run_class(
                broken,
                [one],
                gradebook,
                [seat],
                tmp_path,
                TRAINING,
                lambda progress: None,
                depends={},
                say=print,
            )
        assert gradebook.results("ann", WEEK.number, TRAINING) == []


@pytest.mark.prove
def test_the_end_of_a_long_output_is_quoted(plan, seat, tmp_path):
    code = "print('early\\n' * 8000)\nraise ValueError('the very end')"
    result = run(plan, seat, at_each_epoch(code), tmp_path)
    assert result.verdict is Verdict.RAISED
    assert "the very end" in result.message
    assert "cut here" not in result.message


def test_moved_images_are_the_same_to_a_person(images):
    rng = np.random.default_rng(0)
    pictures = images.x_test[:200]
    there = moved(pictures, rng)
    assert there.shape == pictures.shape
    assert there.dtype == np.uint8
    assert not (there == pictures).all(axis=(1, 2, 3)).any()
    for image, original in zip(there, pictures, strict=True):
        windows = [
            np.roll(np.pad(side, ((4, 4), (4, 4), (0, 0)), mode="edge"), shift, (0, 1))[4:-4, 4:-4]
            for side in (original, original[:, ::-1])
            for shift in np.ndindex(5, 5)
            for shift in [(shift[0] - 2, shift[1] - 2)]
        ]
        assert any((image == window).all() for window in windows)
