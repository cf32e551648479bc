"""A BERT that the student's `fine_tune` fine-tunes, against its own frozen features.

BertClassifier is fixed up to its weights: these come back, and its accuracy is computed here, in
NumPy, on texts that never leave this process. Pieces, columns and the two labels have other numbers
in each run, so weights from elsewhere fit nothing. What the frozen BERT is worth is counted here
too, by logistic regression on its vectors.
"""

import numpy as np
import pytest

from autograder.records import FULL_CREDIT
from autograder.suite import expect

from .formula import pooled_in_parts
from .texts import drawn_task, frozen_accuracy, is_there, minilm_task

CHUNK = 2_000


def parameters(student, model, task):
    """Return a classifier's parameters: BERT's, and the head's."""
    held = student.drive("state", model)
    width = len(task.weights["embeddings.LayerNorm.bias"])
    wanted = {f"bert.{name}": array.shape for name, array in task.weights.items()}
    wanted |= {"head.weight": (2, width), "head.bias": (2,)}
    found = {}
    for name, shape in wanted.items():
        there = isinstance(held, dict) and name in held
        expect.that("BertClassifier", there, f"there is no {name} among its parameters.")
        found[name] = expect.array(name, held[name], shape)
    bert = {name: found[f"bert.{name}"] for name in task.weights}
    return bert, (found["head.weight"], found["head.bias"])


def accuracies(vectors, head, labels):
    """Return the share of texts that are right, by each of the two vectors that are legal."""
    with np.errstate(over="ignore", invalid="ignore"):
        said = [(one @ head[0].T + head[1]).argmax(axis=1) for one in vectors]
    return [float(np.mean(one == labels)) for one in said]


@pytest.mark.item("bert.trained")
@pytest.mark.training
@pytest.mark.needs("bert.classifier")
def test_fine_tuning_beats_frozen_features(student, settings, grade, rng):
    """Fine-tuned by your `fine_tune`, BERT gets more right than its frozen features do."""
    real = settings.name == "minilm" and is_there()
    task = minilm_task(rng) if real else drawn_task(rng)
    n = task.train
    frozen = pooled_in_parts(task.weights, task.ids, task.mask, task.heads)
    baseline = max(
        frozen_accuracy(one[:n], one[n:], task.labels[:n], task.labels[n:]) for one in frozen
    )
    student.drive("seed", int(rng.integers(2**31)))
    made = student.prepare("bert", task.heads, task.weights, 0.1)
    model = student.bert_finetune.BertClassifier(made, 2)
    before, head = parameters(student, model, task)
    moved = max(float(np.abs(before[name] - one).max()) for name, one in task.weights.items())
    expect.that("BertClassifier", moved == 0.0, "its BERT is not the one that it was given.")
    known = accuracies([one[n:] for one in frozen], head, task.labels[n:])
    expect.that("BertClassifier", max(known) <= 0.7, "untrained it knows the texts already.")
    student.drive("mode", model, True)
    taught = (task.ids[:n], task.mask[:n], task.labels[:n])
    given = [student.prepare("tensor", one) for one in taught]
    how = settings.epochs, settings.lr, settings.batch_size, int(rng.integers(2**31))
    student.drive("trained", student.bert_finetune.fine_tune, model, *given, *how)
    after, head = parameters(student, model, task)
    vectors = pooled_in_parts(after, task.ids[n:], task.mask[n:], task.heads)
    reached = max(accuracies(vectors, head, task.labels[n:]))
    above = 0.5 + reached - max(baseline, 0.5)
    points = round(100 * (settings.full_from - 0.5), 1)
    shown = round(100 * (settings.shown(above) - 0.5))
    kind = "at least" if settings.credit(above) == FULL_CREDIT else "about"
    grade(
        settings.credit(above) / FULL_CREDIT,
        f"Fine-tuned, BERT's accuracy is {kind} {shown} points above that of its frozen features, "
        f"after {settings.epochs} epochs; full points from {points:g}.",
        margin=shown,
        data="MiniLM" if real else "a drawn BERT",
    )
