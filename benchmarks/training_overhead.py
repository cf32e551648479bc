"""The accuracy threshold: the reference's accuracy in the grader, and the grader's overhead.

Trains the reference of week 1 over 5 seeds, by turns in a bare loop and through the grader. The
bare loop's time is that of the batches alone, in a process that has loaded and standardised the
data; the grader's is everything: sandbox, data over the channel, standardising, the batches, and
the weights fetched and measured after each epoch. Uses MNIST where it is cached ($COURSE_DATA),
else the embedded digits.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = 5
TINY = {"seeds": 1, "name": "digits"}
BARE = """
import sys
root, name, epochs, batch, lr, seed = sys.argv[1:]
sys.path[:0] = [root, root + "/solutions/week1_backprop"]
import numpy as np
import data
from mnist_mlp import TwoLayerMLP
from autograder.worker.drivers import standardise
images = data.load(name)
scale = images.x_train.mean(), images.x_train.std()
x, x_test = standardise(images.x_train, *scale), standardise(images.x_test, *scale)
y = images.y_train.astype(np.int64)
import time
np.random.seed(int(seed) % 2**32)
model = TwoLayerMLP()
started = time.perf_counter()
for epoch in range(int(epochs)):
    order = np.random.default_rng(int(seed) + epoch).permutation(len(x))
    for start in range(0, len(x), int(batch)):
        part = order[start : start + int(batch)]
        model.train_step(x[part], y[part], float(lr))
seconds = time.perf_counter() - started
print(seconds, np.mean(model.predict(x_test) == images.y_test))
"""


def access(model):
    """Return the functions that write and read the weights of the reference's network."""

    def write(weights):
        for layer, number in ((model.layers[0], "1"), (model.layers[2], "2")):
            layer.W, layer.b = weights[f"W{number}"], weights[f"b{number}"]

    def read():
        first, _, last = model.layers
        return {"W1": first.W, "b1": first.b, "W2": last.W, "b2": last.b}

    return write, read


def bare(name: str, setting, seed: int) -> tuple[float, float]:
    """Train without the grader; return (seconds of the epochs, test accuracy)."""
    numbers = (setting.epochs, setting.batch_size, setting.lr, seed)
    command = [sys.executable, "-c", BARE, str(ROOT), name, *map(str, numbers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, accuracy = map(float, done.stdout.split())
    return seconds, accuracy


def main(seeds: int = SEEDS, name: str = "mnist") -> None:
    """Print the accuracies and the ratio of the times.

    `name` is the data set: "mnist", with the digits where it is not cached, or "digits".
    """
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
    import data
    from autograder.gradebook.looked_up import training_setting
    from autograder.grading.examiner import Examiner
    from autograder.sandbox.choose import choose
    from autograder.suite.hidden.sandbox_host import SandboxHost
    from autograder.suite.hidden.threshold import train_two_layer

    name = name if data.cached(name) else "digits"
    examiner = Examiner(ROOT, 1, choose(), name)
    training = examiner.session.context
    setting = training_setting(examiner.course, examiner.week, name)
    rows = []
    for seed in range(seeds):
        bare_seconds, bare_accuracy = bare(name, setting, seed)
        started = time.perf_counter()
        host = SandboxHost(examiner.confinement, examiner.reference, examiner.limits)
        student = host.start(seed, large=True)
        model = student.mnist_mlp.TwoLayerMLP()
        curve = train_two_layer(student, model, training, seed, *access(model))
        host.close()
        seconds = time.perf_counter() - started
        rows.append((curve["accuracy"][-1], bare_accuracy, seconds, bare_seconds))
    graded, plain, _, _ = zip(*rows, strict=True)
    print(f"Week 1 reference on {name}, {setting.epochs} epochs, {len(rows)} seeds")
    print(f"  accuracy through the grader: {', '.join(f'{value:.2%}' for value in graded)}")
    print(f"  accuracy of the bare loop:   {', '.join(f'{value:.2%}' for value in plain)}")
    ratio = statistics.median(ours / theirs for _, _, ours, theirs in rows)
    ours, theirs = (statistics.median(row[i] for row in rows) for i in (2, 3))
    print(
        f"  grader {ours:.2f} s, bare loop {theirs:.2f} s; ratio {ratio:.2f} (goal: at most 1.15)"
    )
    examiner.close()


if __name__ == "__main__":
    main()
